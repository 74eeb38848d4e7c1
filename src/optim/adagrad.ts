/** Steps scaled by what gradients have been: Adagrad, Adadelta, RMSprop. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { fullLike } from '../tensor/ops/creation/creation.js';
import { add, div, maximum, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { sqrt } from '../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay } from './leaves.js';
import { type CommonOptions, checkRuleOptions, decayed, nothing, type OptimizerState, optimizerFor } from './rule.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Options of {@link adagrad}. */
export interface AdagradOptions extends CommonOptions {
  /** The learning rate of the t-th step is divided by `1 + (t − 1) · learningRateDecay`. Default 0. */
  readonly learningRateDecay?: number;
  /** What the sum of squares starts from. Default 0. */
  readonly initialAccumulator?: number;
  /** Added to the root of the sum. Default 1e-10. */
  readonly epsilon?: number;
}

/**
 * Gradients divided by the root of the sum of all their squares so far (Duchi, Hazan, Singer 2011, "Adaptive Subgradient
 * Methods for Online Learning and Stochastic Optimization").
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `learningRateDecay` (0), `initialAccumulator` (0), `epsilon` (1e-10), `weightDecay` (0), `maximize`
 * @throws ArgumentError for a learning rate that is no number or function, or comes to no scalar, for options below 0 and
 *   unknown ones; its functions, TreeError and DTypeError for a leaf that is no float tensor, ShapeError and ArgumentError
 *   for a state that is none of these parameters
 * @numpy optax.adagrad
 * @pytorch torch.optim.Adagrad
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adagrad } from 'tenfold/optim';
 * const optimizer = adagrad(0.1, { initialAccumulator: 16 });
 * const w = tensor([1, 2]);
 * optimizer.update(tensor([0, -3]), optimizer.init(w), w)[0].toArray(); // => [0, 0.06]
 * ```
 */
export const adagrad = (
  learningRate: Schedule,
  options?: AdagradOptions,
): GradientTransform<OptimizerState<'squares'>> => {
  checkRuleOptions('adagrad', ['learningRateDecay', 'initialAccumulator', 'epsilon'], options);
  const { learningRateDecay = 0, initialAccumulator = 0, epsilon = 1e-10 } = options ?? {};
  for (const [name, value] of Object.entries({ learningRateDecay, initialAccumulator, epsilon })) {
    checkNumber('adagrad', name, value, 'notNegative');
  }
  return optimizerFor(
    'adagrad',
    learningRate,
    {
      memory: { squares: p => fullLike(p, initialAccumulator) },
      step: count => (g, memory) => {
        const squares = add(memory.squares, square(g)) as Tensor;
        const update = div(g, add(sqrt(squares), epsilon) as Tensor) as Tensor;
        const before = sub(cast(count, g.dtype), 1) as Tensor;
        const slowed = (): Tensor => div(update, add(mul(before, learningRateDecay) as Tensor, 1) as Tensor) as Tensor;
        return [learningRateDecay === 0 ? update : slowed(), { squares }];
      },
    },
    options ?? {},
  );
};

/** Options of {@link adadelta}. */
export interface AdadeltaOptions extends CommonOptions {
  /** Decay of both averages of squares. Default 0.9. */
  readonly rho?: number;
  /** Added to both averages. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Gradients divided by the root of the running mean of their squares, times that of the updates (Zeiler 2012,
 * arXiv:1212.5701).
 *
 * @param learningRate a number, or a function of the number of steps done; 1 in the paper
 * @param options `rho` (0.9), `epsilon` (1e-6), `weightDecay` (0), `maximize`
 * @throws as {@link adagrad}, and ArgumentError for a rho outside [0, 1]
 * @numpy optax.adadelta
 * @pytorch torch.optim.Adadelta
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adadelta } from 'tenfold/optim';
 * const optimizer = adadelta(1, { rho: 0, epsilon: 1 });
 * const w = tensor([0]);
 * optimizer.update(tensor([0.75]), optimizer.init(w), w)[0].toArray(); // => [-0.6]
 * ```
 */
export const adadelta = (
  learningRate: Schedule,
  options?: AdadeltaOptions,
): GradientTransform<OptimizerState<'squares' | 'updateSquares'>> => {
  checkRuleOptions('adadelta', ['rho', 'epsilon'], options);
  const { rho = 0.9, epsilon = 1e-6 } = options ?? {};
  checkDecay('adadelta', rho);
  checkNumber('adadelta', 'epsilon', epsilon, 'notNegative');
  return optimizerFor(
    'adadelta',
    learningRate,
    {
      memory: { squares: nothing, updateSquares: nothing },
      step: () => (g, memory) => {
        const squares = decayed(memory.squares, square(g), rho);
        const [wanted, had] = [add(memory.updateSquares, epsilon), add(squares, epsilon)] as readonly Tensor[];
        const update = mul(div(sqrt(wanted!), sqrt(had!)) as Tensor, g) as Tensor;
        return [update, { squares, updateSquares: decayed(memory.updateSquares, square(update), rho) }];
      },
    },
    options ?? {},
  );
};

/** Options of {@link rmsprop}. */
export interface RmspropOptions extends CommonOptions {
  /** Decay of the average of squares. Default 0.99. */
  readonly alpha?: number;
  /** Added to the root of the average. Default 1e-8. */
  readonly epsilon?: number;
  /** How much of the last direction is kept. Default 0. */
  readonly momentum?: number;
  /** Whether to divide by the deviation from a running mean rather than from 0. Default false. */
  readonly centered?: boolean;
}

/** What {@link rmsprop} remembers: the mean when centered, the direction with momentum. */
export type RmspropState = OptimizerState<'squares'> | OptimizerState<'squares' | 'mean' | 'momentum'>;

/**
 * Gradients divided by the root of the running mean of their squares (Tieleman & Hinton 2012, lecture 6.5; centered: Graves
 * 2013, arXiv:1308.0850).
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `alpha` (0.99), `epsilon` (1e-8), `momentum` (0), `centered`, `weightDecay` (0), `maximize`
 * @throws as {@link adagrad}, and ArgumentError for an alpha outside [0, 1]
 * @numpy optax.rmsprop
 * @pytorch torch.optim.RMSprop
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { rmsprop } from 'tenfold/optim';
 * const optimizer = rmsprop(0.1, { alpha: 0.75 });
 * const w = tensor([1, 2]);
 * optimizer.update(tensor([0.5, -3]), optimizer.init(w), w)[0].toArray(); // => [-0.2, 0.2]
 * ```
 */
export const rmsprop = (learningRate: Schedule, options?: RmspropOptions): GradientTransform<RmspropState> => {
  checkRuleOptions('rmsprop', ['alpha', 'epsilon', 'momentum', 'centered'], options);
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false } = options ?? {};
  checkDecay('rmsprop', alpha);
  checkNumber('rmsprop', 'epsilon', epsilon, 'notNegative');
  checkNumber('rmsprop', 'momentum', momentum, 'notNegative');
  checkFlag('rmsprop', 'centered', centered);
  const memory = {
    squares: nothing,
    ...(centered ? { mean: nothing } : {}),
    ...(momentum === 0 ? {} : { momentum: nothing }),
  };
  return optimizerFor<string>(
    'rmsprop',
    learningRate,
    {
      memory,
      step: () => (g, before) => {
        const squares = decayed(before.squares!, square(g), alpha);
        const mean = centered ? decayed(before.mean!, g, alpha) : undefined;
        // Of gradients that are all the same rounding may leave something below 0, of which there is no root.
        const variance = mean === undefined ? squares : (maximum(sub(squares, square(mean)), 0) as Tensor);
        const scaled = div(g, add(sqrt(variance), epsilon) as Tensor) as Tensor;
        const direction = momentum === 0 ? scaled : (add(mul(before.momentum!, momentum) as Tensor, scaled) as Tensor);
        const next = { squares, ...(mean && { mean }), ...(momentum === 0 ? {} : { momentum: direction }) };
        return [direction, next];
      },
    },
    options ?? {},
  ) as GradientTransform<RmspropState>;
};
