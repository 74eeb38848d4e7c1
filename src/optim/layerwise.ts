/** Steps of a size that each parameter tensor, or each sign, sets: Lion and LAMB. */
import { add, div, mul, sign, square } from '../tensor/ops/elementwise/arithmetic.js';
import { greater, where } from '../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { norm } from '../tensor/ops/reduction/norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AdamMemory, type MomentOptions, momentNames, momentsOf } from './adam.js';
import { checkDecay } from './leaves.js';
import {
  type CommonOptions,
  checkRuleOptions,
  decayed,
  nothing,
  type OptimizerState,
  optimizerFor,
  unbiasing,
} from './rule.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Options of {@link lion}. */
export interface LionOptions extends CommonOptions {
  /** How much of the moment there is in the direction of a step. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the moment. Default 0.99. */
  readonly beta2?: number;
}

/**
 * Steps of one size in every element: the sign of a mix of gradient and moment (Chen et al. 2023, arXiv:2302.06675). Takes a
 * learning rate three to ten times smaller than Adam's; weight decay is decoupled.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.99), `weightDecay` (0), `maximize`
 * @throws ArgumentError for a learning rate that is no number or function, or comes to no scalar, for decays outside [0, 1], a
 *   weight decay below 0 and unknown options; its functions, TreeError and DTypeError for a leaf that is no float tensor,
 *   ShapeError and ArgumentError for a state that is none of these parameters
 * @numpy optax.lion
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { lion } from 'tenfold/optim';
 * const optimizer = lion(0.5, { weightDecay: 0.25 });
 * const w = tensor([4, 4]);
 * optimizer.update(tensor([0.1, -3]), optimizer.init(w), w)[0].toArray(); // => [-1, 0]
 * ```
 */
export const lion = (learningRate: Schedule, options?: LionOptions): GradientTransform<OptimizerState<'moment'>> => {
  checkRuleOptions('lion', ['beta1', 'beta2'], options);
  const { beta1 = 0.9, beta2 = 0.99 } = options ?? {};
  for (const beta of [beta1, beta2]) checkDecay('lion', beta);
  return optimizerFor(
    'lion',
    learningRate,
    {
      memory: { moment: nothing },
      step:
        () =>
        (g, { moment }) => [sign(decayed(moment, g, beta1)) as Tensor, { moment: decayed(moment, g, beta2) }],
    },
    { ...options, decoupled: true },
  );
};

/** Options of {@link lamb}. */
export interface LambOptions extends MomentOptions, CommonOptions {}

/**
 * Adam's direction, decay added, in steps as long as the parameter tensor: for batches of thousands (You et al. 2019,
 * arXiv:1904.00962, algorithm 2, the norms taken as they are).
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-6), `weightDecay` (0), `maximize`
 * @throws as {@link adam}
 * @numpy optax.lamb
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { lamb } from 'tenfold/optim';
 * const optimizer = lamb(0.5, { epsilon: 0 });
 * const w = tensor([3, 4, 0, 0]);
 * optimizer.update(tensor([1, -2, 3, 4]), optimizer.init(w), w)[0].toArray(); // => [-1.25, 1.25, -1.25, -1.25]
 * ```
 */
export const lamb = (learningRate: Schedule, options?: LambOptions): GradientTransform<OptimizerState<AdamMemory>> => {
  checkRuleOptions('lamb', momentNames, options);
  const { weightDecay = 0, maximize = false, epsilon: added = 1e-6, ...betas } = options ?? {};
  const { beta1, beta2, epsilon } = momentsOf('lamb', { ...betas, epsilon: added });
  return optimizerFor(
    'lamb',
    learningRate,
    {
      memory: { firstMoment: nothing, secondMoment: nothing },
      step: count => (g, memory, p) => {
        const firstMoment = decayed(memory.firstMoment, g, beta1);
        const secondMoment = decayed(memory.secondMoment, square(g), beta2);
        const size = add(sqrt(div(secondMoment, unbiasing(count, beta2, g)) as Tensor), epsilon) as Tensor;
        const adapted = div(div(firstMoment, unbiasing(count, beta1, g)) as Tensor, size) as Tensor;
        const direction = weightDecay === 0 ? adapted : (add(adapted, mul(p, weightDecay)) as Tensor);
        const [ofParameter, ofDirection] = [norm(p), norm(direction)] as readonly Tensor[];
        // A tensor of zeros would stay one: it, and a direction of length 0, are taken as they are.
        const isTrusted = logicalAnd(greater(ofParameter!, 0) as Tensor, greater(ofDirection!, 0) as Tensor) as Tensor;
        const divisor = where(isTrusted, ofDirection!, 1) as Tensor;
        const trust = where(isTrusted, div(ofParameter!, divisor) as Tensor, 1) as Tensor;
        return [mul(direction, trust) as Tensor, { firstMoment, secondMoment }];
      },
    },
    { maximize },
  );
};
