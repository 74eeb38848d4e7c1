/** Stochastic gradient descent. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { equal } from '../tensor/ops/elementwise/comparison.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkScalar } from './leaves.js';
import { type CommonOptions, checkRuleOptions, nothing, type OptimizerState, optimizerFor } from './rule.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Options of {@link sgd}. */
export interface SgdOptions extends CommonOptions {
  /** How much of the last direction is kept: a number, or a function of the number of steps done. Default 0. */
  readonly momentum?: Schedule;
  /** How much of the gradient the momentum leaves out, but not in the first step. Default 0. */
  readonly dampening?: number;
  /** Whether to follow the direction that momentum is going to have (Nesterov's). Default false. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum, as PyTorch has it (Sutskever et al. 2013, "On the importance of initialization
 * and momentum in deep learning", but with the learning rate outside the momentum).
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `momentum` (0), `dampening` (0), `nesterov`, `weightDecay` (0), `maximize`
 * @throws ArgumentError for a rate or a momentum that is no number or function, or comes to no scalar, for a momentum or a
 *   weight decay below 0, for nesterov with dampening or without momentum, and for unknown options; its functions, TreeError
 *   and DTypeError for a leaf that is no float tensor, ShapeError and ArgumentError for a state that is none of these
 *   parameters
 * @numpy optax.sgd
 * @pytorch torch.optim.SGD
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { sgd } from 'tenfold/optim';
 * const optimizer = sgd(0.5, { momentum: 0.5 });
 * const w = tensor([0]);
 * const [, state] = optimizer.update(tensor([4]), optimizer.init(w), w);
 * optimizer.update(tensor([4]), state, w)[0].toArray(); // => [-3]
 * ```
 */
export const sgd = (
  learningRate: Schedule,
  options?: SgdOptions,
): GradientTransform<OptimizerState<never> | OptimizerState<'momentum'>> => {
  checkRuleOptions('sgd', ['momentum', 'dampening', 'nesterov'], options);
  const { momentum = 0, dampening = 0, nesterov = false } = options ?? {};
  if (typeof momentum !== 'function') checkNumber('sgd', 'momentum', momentum, 'notNegative');
  checkNumber('sgd', 'dampening', dampening);
  checkFlag('sgd', 'nesterov', nesterov);
  checkArgument(
    !nesterov || (momentum !== 0 && dampening === 0),
    'sgd',
    momentum === 0 ? 'nesterov without momentum' : `nesterov with a dampening of ${dampening}`,
    "Nesterov's method has a momentum and no dampening",
    'Write { momentum: 0.9, nesterov: true }.',
  );
  const settings = options ?? {};
  type State = GradientTransform<OptimizerState<never> | OptimizerState<'momentum'>>;
  if (momentum === 0) {
    return optimizerFor('sgd', learningRate, { memory: {}, step: () => g => [g, {}] }, settings) as State;
  }
  const momentumAfter = (done: Tensor): Tensor | number => {
    if (typeof momentum === 'number') return momentum;
    const now = momentum(done);
    checkScalar('sgd', 'the momentum', now);
    return now;
  };
  return optimizerFor(
    'sgd',
    learningRate,
    {
      memory: { momentum: nothing },
      step: count => {
        const factor = momentumAfter(sub(count, 1) as Tensor);
        return (g, memory) => {
          const kept = (x: Tensor): Tensor =>
            typeof factor === 'number' ? mul(x, factor) : (mul(x, cast(factor, x.dtype)) as Tensor);
          // The first step takes the whole gradient.
          const isFirst = cast(equal(count, 1) as Tensor, g.dtype) as Tensor;
          const share = add(mul(isFirst, dampening) as Tensor, 1 - dampening) as Tensor;
          const taken = dampening === 0 ? g : (mul(g, share) as Tensor);
          const direction = add(kept(memory.momentum), taken) as Tensor;
          return [nesterov ? add(g, kept(direction)) : direction, { momentum: direction }];
        };
      },
    },
    settings,
  ) as State;
};
