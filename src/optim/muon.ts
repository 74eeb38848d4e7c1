/** Muon: momentum with all its singular values made equal. */
import { ShapeError } from '../tensor/errors.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { add, div, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { reshape, swapAxes } from '../tensor/ops/movement/movement.js';
import { norm } from '../tensor/ops/reduction/norm.js';
import { checkInteger, type Shape, showShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay } from './leaves.js';
import { type CommonOptions, checkRuleOptions, decayed, nothing, type OptimizerState, optimizerFor } from './rule.js';
import { choiceOf } from './settings.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Options of {@link muon}. */
export interface MuonOptions extends CommonOptions {
  /** Decay of the moment. Default 0.95. */
  readonly momentum?: number;
  /** Whether the gradient is mixed into the moment once more. Default true. */
  readonly nesterov?: boolean;
  /** Steps of the Newton–Schulz iteration. Default 5. */
  readonly steps?: number;
  /** Added to the norm that a matrix is divided by first. Default 1e-7. */
  readonly epsilon?: number;
  /**
   * What the step is multiplied by: `'original'`, √max(1, rows / columns); `'matchRmsAdamW'`, 0.2 · √max(rows, columns), so that
   * learning rates of AdamW do (Liu et al. 2025, arXiv:2502.16982). Default original.
   */
  readonly adjust?: 'original' | 'matchRmsAdamW';
}

/** Coefficients of the quintic whose slope at 0 is largest while what comes of it stays near 1. */
const [a, b, c] = [3.4445, -4.775, 2.0315] as const;

/** A matrix with singular values near 1 and the same singular vectors, by the iteration x ← a x + (b A + c A²) x, A = x xᵀ. */
const orthogonalised = (g: Tensor, steps: number, epsilon: number): Tensor => {
  const isTall = g.shape[0]! > g.shape[1]!;
  // The smaller of the two products.
  const flat = (isTall ? swapAxes(g, 0, 1) : g) as Tensor;
  let x = div(flat, add(norm(flat) as Tensor, epsilon) as Tensor) as Tensor;
  for (let i = 0; i < steps; i++) {
    const product = matmul(x, swapAxes(x, 0, 1) as Tensor) as Tensor;
    const polynomial = add(mul(product, b) as Tensor, mul(matmul(product, product) as Tensor, c) as Tensor) as Tensor;
    x = add(mul(x, a) as Tensor, matmul(polynomial, x) as Tensor) as Tensor;
  }
  return (isTall ? swapAxes(x, 0, 1) : x) as Tensor;
};

/** Rows and columns of a parameter tensor: all axes but the first are columns, as of the kernel of a convolution. */
const matrixOf = (shape: Shape): readonly [number, number] => {
  if (shape.length >= 2) return [shape[0]!, sizeOf(shape.slice(1))];
  throw new ShapeError({
    operation: 'muon',
    given: `a parameter of shape ${showShape(shape)}`,
    rule: 'muon is for matrices and tensors of more axes',
    hint: "Give the others to another optimizer: multiTransform([[(_, p) => p.shape.length > 1, muon(…)], ['**', adamw(…)]]).",
  });
};

/**
 * Momentum orthogonalised by five steps of a Newton–Schulz iteration, for the matrices of hidden layers (Jordan et al. 2024,
 * "Muon: An optimizer for hidden layers in neural networks"). Kernels of convolutions are taken as matrices [out, rest]; other
 * parameters go to another optimizer by {@link multiTransform}. Weight decay is decoupled.
 *
 * @param learningRate a number, or a function of the number of steps done; usual is 0.02
 * @param options `momentum` (0.95), `nesterov` (true), `steps` (5), `epsilon` (1e-7), `adjust` ('original'), `weightDecay` (0),
 *   `maximize`
 * @throws ArgumentError for a learning rate that is no number or function, or comes to no scalar, for a momentum outside
 *   [0, 1), numbers below 0 and unknown options, IndexError for steps that are no integer from 1 to 100; its functions,
 *   ShapeError for a parameter of fewer than two axes, TreeError and DTypeError for a leaf that is no float tensor, ShapeError
 *   and ArgumentError for a state that is none of these parameters
 * @numpy optax.contrib.muon
 * @pytorch torch.optim.Muon
 * @example
 * ```js
 * import { norm, tensor } from 'tenfold';
 * import { muon } from 'tenfold/optim';
 * const optimizer = muon(1);
 * const w = tensor([[1, 0], [0, 1]]);
 * const [updates] = optimizer.update(tensor([[300, 0], [0, 0.1]]), optimizer.init(w), w);
 * norm(updates, { axis: 1 }).toArray().every(size => size > 0.05 && size < 1.3); // => true
 * ```
 */
export const muon = (learningRate: Schedule, options?: MuonOptions): GradientTransform<OptimizerState<'moment'>> => {
  checkRuleOptions('muon', ['momentum', 'nesterov', 'steps', 'epsilon', 'adjust'], options);
  const { momentum = 0.95, nesterov = true, steps = 5, epsilon = 1e-7 } = options ?? {};
  checkDecay('muon', momentum, true);
  checkFlag('muon', 'nesterov', nesterov);
  checkInteger('muon', 'the number of steps', steps, 1, 100);
  checkNumber('muon', 'epsilon', epsilon, 'notNegative');
  const adjust = choiceOf('muon', 'adjust', ['original', 'matchRmsAdamW'], options?.adjust);
  return optimizerFor(
    'muon',
    learningRate,
    {
      memory: {
        moment: p => {
          matrixOf(p.shape);
          return nothing(p);
        },
      },
      step: () => (g, memory) => {
        const [rows, columns] = matrixOf(g.shape);
        const moment = decayed(memory.moment, g, momentum);
        const mixed = nesterov ? decayed(moment, g, momentum) : moment;
        const direction = orthogonalised(reshape(mixed, [rows, columns]) as Tensor, steps, epsilon);
        const factor =
          adjust === 'original' ? Math.sqrt(Math.max(1, rows / columns)) : 0.2 * Math.sqrt(Math.max(rows, columns));
        return [reshape(mul(direction, factor) as Tensor, g.shape) as Tensor, { moment }];
      },
    },
    { ...options, decoupled: true },
  );
};
