/** Adamax, NAdam and RAdam. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { ones } from '../tensor/ops/creation/creation.js';
import { abs, add, div, maximum, mul, pow, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greater, where } from '../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AdamMemory, type MomentOptions, momentNames, momentsOf } from './adam.js';
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

/** Options of {@link adamax} and {@link radam}: as of Adam. */
export interface AdamRelativeOptions extends MomentOptions, CommonOptions {}

/**
 * Adam with the largest gradient, decaying, in the place of the second moment (Kingma & Ba 2014, arXiv:1412.6980,
 * algorithm 2).
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8, added to the size of each gradient), `weightDecay` (0),
 *   `maximize`
 * @throws as {@link adam}
 * @numpy optax.adamax
 * @pytorch torch.optim.Adamax
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adamax } from 'tenfold/optim';
 * const optimizer = adamax(0.1);
 * const w = tensor([1, 2]);
 * optimizer.update(tensor([0.5, -3]), optimizer.init(w), w)[0].toArray(); // => [-0.1, 0.1]
 * ```
 */
export const adamax = (
  learningRate: Schedule,
  options?: AdamRelativeOptions,
): GradientTransform<OptimizerState<'firstMoment' | 'largest'>> => {
  checkRuleOptions('adamax', momentNames, options);
  const { beta1, beta2, epsilon } = momentsOf('adamax', options);
  return optimizerFor(
    'adamax',
    learningRate,
    {
      memory: { firstMoment: nothing, largest: nothing },
      step: count => (g, memory) => {
        const firstMoment = decayed(memory.firstMoment, g, beta1);
        const largest = maximum(mul(memory.largest, beta2), add(abs(g), epsilon) as Tensor) as Tensor;
        return [div(firstMoment, mul(largest, unbiasing(count, beta1, g)) as Tensor), { firstMoment, largest }];
      },
    },
    options ?? {},
  );
};

/** Options of {@link nadam}. */
export interface NAdamOptions extends AdamRelativeOptions {
  /** How fast the momentum comes up to `beta1`. Default 0.004. */
  readonly momentumDecay?: number;
}

/**
 * Adam with Nesterov's momentum (Dozat 2016, "Incorporating Nesterov Momentum into Adam"), the momentum of step t being
 * `beta1 · (1 − 0.96^(t · momentumDecay) / 2)`.
 *
 * As PyTorch 1.13 computes it: the momentum μ of the step counts twice where the first moment is divided by
 * `1 − μ₁ … μₜ · μₜ · μₜ₊₁`.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `momentumDecay` (0.004), `weightDecay` (0), `maximize`
 * @throws as {@link adam}, and ArgumentError for a momentum decay below 0
 * @numpy —
 * @pytorch torch.optim.NAdam
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { nadam } from 'tenfold/optim';
 * const optimizer = nadam(0.1, { beta1: 0 });
 * const w = tensor([1, 2]);
 * optimizer.update(tensor([0.5, -3]), optimizer.init(w), w)[0].toArray(); // => [-0.1, 0.1]
 * ```
 */
export const nadam = (
  learningRate: Schedule,
  options?: NAdamOptions,
): GradientTransform<OptimizerState<AdamMemory | 'momentumProduct'>> => {
  checkRuleOptions('nadam', [...momentNames, 'momentumDecay'], options);
  const { beta1, beta2, epsilon } = momentsOf('nadam', options);
  const { momentumDecay = 0.004 } = options ?? {};
  checkNumber('nadam', 'momentumDecay', momentumDecay, 'notNegative');
  return optimizerFor(
    'nadam',
    learningRate,
    {
      memory: {
        firstMoment: nothing,
        secondMoment: nothing,
        // All leaves have the same: in float32, as PyTorch, whatever the leaf is.
        momentumProduct: () => ones([]),
      },
      shapeOf: (name, shape) => (name === 'momentumProduct' ? [] : shape),
      step: count => (g, memory) => {
        const t = cast(count, 'float64') as Tensor;
        const momentumAt = (step: Tensor): Tensor =>
          mul(sub(1, mul(pow(0.96, mul(step, momentumDecay) as Tensor) as Tensor, 0.5) as Tensor) as Tensor, beta1);
        const [now, next] = [momentumAt(t), momentumAt(add(t, 1))] as const;
        const [now32, next32] = [cast(now, 'float32'), cast(next, 'float32')] as readonly [Tensor, Tensor];
        const momentumProduct = mul(memory.momentumProduct, now32) as Tensor;
        const twice = mul(mul(momentumProduct, now32) as Tensor, next32) as Tensor;
        const part = (of: Tensor, product: Tensor): Tensor =>
          cast(div(of, sub(1, cast(product, 'float64'))) as Tensor, g.dtype) as Tensor;
        const firstMoment = decayed(memory.firstMoment, g, beta1);
        const secondMoment = decayed(memory.secondMoment, square(g), beta2);
        const ofGradient = mul(g, part(sub(1, now) as Tensor, momentumProduct)) as Tensor;
        const direction = add(ofGradient, mul(firstMoment, part(next, twice)) as Tensor) as Tensor;
        const size = add(sqrt(div(secondMoment, unbiasing(count, beta2, g)) as Tensor), epsilon) as Tensor;
        return [div(direction, size), { firstMoment, secondMoment, momentumProduct }];
      },
    },
    options ?? {},
  );
};

/**
 * Adam that follows its first moment alone until enough steps are done to know the variance of the second, and then
 * corrects for it (Liu et al. 2019, arXiv:1908.03265).
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `weightDecay` (0), `maximize`
 * @throws as {@link adam}
 * @numpy optax.radam
 * @pytorch torch.optim.RAdam
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { radam } from 'tenfold/optim';
 * const optimizer = radam(0.1);
 * const w = tensor([1, 2]);
 * optimizer.update(tensor([0.5, -3]), optimizer.init(w), w)[0].toArray(); // => [-0.05, 0.3]
 * ```
 */
export const radam = (
  learningRate: Schedule,
  options?: AdamRelativeOptions,
): GradientTransform<OptimizerState<AdamMemory>> => {
  checkRuleOptions('radam', momentNames, options);
  const { beta1, beta2, epsilon } = momentsOf('radam', options);
  const longest = 2 / (1 - beta2) - 1;
  return optimizerFor(
    'radam',
    learningRate,
    {
      memory: { firstMoment: nothing, secondMoment: nothing },
      step: count => {
        // In float64: the length of the average is a small difference of large numbers, and float32 would keep four digits.
        const t = cast(count, 'float64') as Tensor;
        const left = pow(beta2, t) as Tensor;
        const unbias2 = unbiasing(count, beta2, t);
        const length = sub(longest, mul(div(mul(t, left), unbias2) as Tensor, 2) as Tensor) as Tensor;
        const isKnown = greater(length, 5) as Tensor;
        const known = where(isKnown, length, 5) as Tensor;
        const rectifier = sqrt(
          div(
            mul(mul(mul(sub(known, 4), sub(known, 2)) as Tensor, longest) as Tensor, unbias2) as Tensor,
            mul(known, (longest - 4) * (longest - 2)),
          ) as Tensor,
        );
        return (g, memory) => {
          const firstMoment = decayed(memory.firstMoment, g, beta1);
          const secondMoment = decayed(memory.secondMoment, square(g), beta2);
          const direction = div(firstMoment, unbiasing(count, beta1, g)) as Tensor;
          const scale = div(cast(rectifier, g.dtype) as Tensor, add(sqrt(secondMoment), epsilon) as Tensor) as Tensor;
          return [mul(direction, where(isKnown, scale, 1) as Tensor), { firstMoment, secondMoment }];
        };
      },
    },
    options ?? {},
  );
};
