/** Adafactor: second moments of matrices kept as one row and one column. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add, div, maximum, minimum, mul, pow, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { rsqrt, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay } from './leaves.js';
import {
  type CommonOptions,
  checkRuleOptions,
  decayed,
  nothing,
  type OptimizerState,
  optimizerFor,
  type Rule,
} from './rule.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Options of {@link adafactor}. */
export interface AdafactorOptions extends CommonOptions {
  /** Whether steps are relative to the size of the parameter tensor. Default true. */
  readonly scaleParameter?: boolean;
  /** The second moments decay by `1 − t^(−decayRate)` in step t. Default 0.8. */
  readonly decayRate?: number;
  /** Root mean square that an update may have, before the learning rate. Default 1. */
  readonly clippingThreshold?: number;
  /** Decay of the first moment; 0 for none. Default 0. */
  readonly beta1?: number;
  /** Added to squares of gradients. Default 1e-30. */
  readonly epsilon?: number;
  /** The least size that a parameter tensor counts as. Default 1e-3. */
  readonly minimumScale?: number;
}

/** What {@link adafactor} remembers of a leaf: of vectors and scalars `columns` is empty and `rows` holds all elements. */
type AdafactorMemory = 'rows' | 'columns';

/** State of {@link adafactor}; the first moment with `beta1` only. */
export type AdafactorState = OptimizerState<AdafactorMemory> | OptimizerState<AdafactorMemory | 'firstMoment'>;

const isFactored = (shape: Shape): boolean => shape.length >= 2;

/** The shape of what is remembered of a leaf of this shape. */
const shapeOf = (name: string, shape: Shape): Shape => {
  if (name === 'rows') return isFactored(shape) ? shape.slice(0, -1) : shape;
  if (name === 'columns') return isFactored(shape) ? [...shape.slice(0, -2), shape[shape.length - 1]!] : [0];
  return shape;
};

const rootMeanSquare = (x: Tensor): Tensor => sqrt(mean(square(x))) as Tensor;

/** The relative step size of the paper. */
const paperRate = (done: Tensor): Tensor => minimum(rsqrt(add(cast(done, 'float32'), 1)) as Tensor, 1e-2) as Tensor;

/**
 * Adam's scaling with the memory of one row and one column for each matrix (Shazeer & Stern 2018, arXiv:1804.04235, algorithms
 * 4 to 6): the second moment of an element is the product of the mean squares of its row and its column. Tensors of more axes
 * are stacks of matrices; vectors and scalars keep all elements. Weight decay is decoupled.
 *
 * @param learningRate a number, or a function of the number of steps done; undefined for that of the paper,
 *   `min(0.01, 1 / √t)`
 * @param options `scaleParameter` (true), `decayRate` (0.8), `clippingThreshold` (1), `beta1` (0), `epsilon` (1e-30),
 *   `minimumScale` (1e-3), `weightDecay` (0), `maximize`
 * @throws ArgumentError for a learning rate that is no number or function, or comes to no scalar, for a beta1 outside [0, 1),
 *   numbers below 0 and unknown options; its functions, TreeError and DTypeError for a leaf that is no float tensor,
 *   ShapeError and ArgumentError for a state that is none of these parameters
 * @numpy optax.adafactor
 * @pytorch torch.optim.Adafactor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adafactor } from 'tenfold/optim';
 * const optimizer = adafactor(0.5, { scaleParameter: false });
 * const w = tensor([[1, 2], [3, 4]]);
 * const state = optimizer.init(w);
 * state[0].rows.shape; // => [2]
 * optimizer.update(tensor([[1, -2], [3, -6]]), state, w)[0].toArray(); // => [[-0.5, 0.5], [-0.5, 0.5]]
 * ```
 */
export const adafactor = (learningRate?: Schedule, options?: AdafactorOptions): GradientTransform<AdafactorState> => {
  const operation = 'adafactor';
  const own = ['scaleParameter', 'decayRate', 'clippingThreshold', 'beta1', 'epsilon', 'minimumScale'];
  checkRuleOptions(operation, own, options);
  const { scaleParameter = true, decayRate = 0.8, clippingThreshold = 1, beta1 = 0 } = options ?? {};
  const { epsilon = 1e-30, minimumScale = 1e-3 } = options ?? {};
  checkFlag(operation, 'scaleParameter', scaleParameter);
  checkNumber(operation, 'decayRate', decayRate, 'positive');
  checkNumber(operation, 'clippingThreshold', clippingThreshold, 'positive');
  checkDecay(operation, beta1, true);
  checkNumber(operation, 'epsilon', epsilon, 'notNegative');
  checkNumber(operation, 'minimumScale', minimumScale, 'notNegative');
  const empty = (name: AdafactorMemory) => (p: Tensor) => zeros(shapeOf(name, p.shape), { dtype: p.dtype }) as Tensor;
  const rule: Rule<string> = {
    memory: { rows: empty('rows'), columns: empty('columns'), ...(beta1 === 0 ? {} : { firstMoment: nothing }) },
    shapeOf,
    step: count => (g, memory, p) => {
      const fresh = pow(cast(count, g.dtype) as Tensor, -decayRate) as Tensor;
      const mixed = (average: Tensor, value: Tensor): Tensor =>
        add(mul(average, sub(1, fresh)) as Tensor, mul(value, fresh) as Tensor) as Tensor;
      const squares = add(square(g), epsilon) as Tensor;
      const factored = isFactored(g.shape);
      const rows = mixed(memory.rows!, factored ? (mean(squares, { axis: -1 }) as Tensor) : squares);
      const columns = factored ? mixed(memory.columns!, mean(squares, { axis: -2 }) as Tensor) : memory.columns!;
      const [m, n] = [g.shape[g.shape.length - 2] ?? 1, g.shape[g.shape.length - 1] ?? 1];
      const batch = g.shape.slice(0, -2);
      const scaled = (): Tensor => {
        if (!factored) return mul(g, rsqrt(rows)) as Tensor;
        // The roots one by one: a product of two mean squares could leave the range of float32.
        const byRow = rsqrt(div(rows, mean(rows, { axis: -1, keepDims: true })) as Tensor) as Tensor;
        const [row, column] = [reshape(byRow, [...batch, m, 1]), reshape(rsqrt(columns), [...batch, 1, n])];
        return mul(mul(g, row as Tensor) as Tensor, column as Tensor) as Tensor;
      };
      const update = scaled();
      const excess = maximum(div(rootMeanSquare(update), clippingThreshold) as Tensor, 1) as Tensor;
      const clipped = div(update, excess) as Tensor;
      const size = scaleParameter ? (maximum(rootMeanSquare(p), minimumScale) as Tensor) : undefined;
      const sized = size === undefined ? clipped : (mul(clipped, size) as Tensor);
      if (beta1 === 0) return [sized, { rows, columns }];
      const firstMoment = decayed(memory.firstMoment!, sized, beta1);
      return [firstMoment, { rows, columns, firstMoment }];
    },
  };
  const rate = learningRate === undefined ? paperRate : learningRate;
  const settings = { ...options, decoupled: true };
  return optimizerFor(operation, rate, rule, settings) as GradientTransform<AdafactorState>;
};
