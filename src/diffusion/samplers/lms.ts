/** Linear multistep: the noise predicted in earlier steps, continued as a polynomial in σ / α. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, div, minimum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, less, where } from '../../tensor/ops/elementwise/comparison.js';
import { reciprocal } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, noiseToSignal } from '../level.js';
import type { Sampler, SamplerState } from '../sampler.js';
import { checkOrder } from './solver-options.js';

/** Options of {@link lms}. */
export interface LmsOptions {
  /** How many predictions a step uses, from 1 to 4. Default 4. */
  readonly order?: 1 | 2 | 3 | 4;
}

/** As {@link SamplerState}, with what is remembered of earlier steps, the latest first. */
export interface LmsState extends SamplerState {
  /** Predicted noise, as many as the order less one. */
  readonly eps: readonly Tensor[];
  /** σ / α where it was predicted, float64 scalars. */
  readonly ratios: readonly Tensor[];
  /** How many of these are there, an int32 scalar. */
  readonly known: Tensor;
}

/** A place of the polynomial, from the present one on. */
interface Place {
  readonly distance: Tensor;
  /** 1 / distance; 0 where nothing is known, which is what a place far off would have. */
  readonly inverse: Tensor;
}

/**
 * ∫₀ʰ of the polynomial that is 1 at a place and 0 at 0 and at two others. A factor (s − b) / (a − b) is written as
 * (1 − s / b) / (1 − a / b), which is 1 where b is not known.
 */
const integral = ({ distance, inverse }: Place, [p, q]: readonly [Tensor, Tensor], h: Tensor): Tensor => {
  const cubic = mul(div(add(p, q), 3), h);
  const quartic = mul(div(mul(p, q), 4), square(h));
  const whole = mul(square(h), add(sub(0.5, cubic), quartic));
  return div(mul(inverse, whole), mul(sub(1, mul(distance, p)), sub(1, mul(distance, q)))) as Tensor;
};

/**
 * The places of what is remembered. They lie one behind the other against the direction of the step: where a level is met
 * again, or noise was put in between, what is older is of no use.
 */
const placesOf = ({ ratios, known }: LmsState, start: Tensor, h: Tensor): readonly Place[] => {
  const behind = (ratio: Tensor, next: Tensor): Tensor => less(mul(sub(ratio, next), h), 0) as Tensor;
  const steps = ratios.map(
    (ratio, i): Tensor => logicalAnd(greater(known, i), behind(ratio, i === 0 ? start : ratios[i - 1]!)) as Tensor,
  );
  return ratios.map((ratio, i) => {
    const usable = steps.slice(0, i + 1).reduce((all, step) => logicalAnd(all, step) as Tensor);
    const distance = where(usable, sub(ratio, start), 0) as Tensor;
    return { distance, inverse: where(usable, reciprocal(where(usable, distance, 1)), 0) as Tensor };
  });
};

const none = (): Tensor => tensor(0, { dtype: 'float64' }) as Tensor;

/**
 * The linear multistep method (Adams-Bashforth with steps of any size) on the probability-flow ODE in σ / α: the noise
 * predicted in this step and the ones before is continued as a polynomial. One call a step; the first steps are of lower
 * order.
 *
 * Source: k-diffusion's `sample_lms` (Crowson); diffusers' LMSDiscrete. The integrals are in closed form here.
 *
 * @param options see {@link LmsOptions}
 * @returns a sampler of the given order; with 1 it is Euler's method
 * @throws ArgumentError for an order that is not 1, 2, 3 or 4, and for an unknown option
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, edmProcess, levelsOf, lms, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 2, 1], { final: 'none' });
 * sample(lms(), toZero, levels, tensor([[8], [-4]])).toArray(); // => [[2], [-1]]
 * ```
 */
export const lms = (options: LmsOptions = {}): Sampler<LmsState> => {
  checkOptions('lms', ['order'], options);
  const { order = 4 } = options;
  checkOrder('lms', order, 4);
  const remembered = order - 1;
  return Object.freeze({
    init: (x: Tensor): LmsState =>
      Object.freeze({
        x,
        x0: zerosLike(x) as Tensor,
        eps: Array.from({ length: remembered }, () => zerosLike(x) as Tensor),
        ratios: Array.from({ length: remembered }, none),
        known: tensor(0, { dtype: 'int32' }) as Tensor,
      }),
    step: (state: LmsState, { from, to }, denoise) => {
      const { x0, eps } = denoise(state.x, from);
      const [start, end] = [noiseToSignal(from), noiseToSignal(to)];
      const signal = greater(from.alpha, 0);
      // From where there is no signal the step is Euler's, and nothing of it is remembered; so is a step to there.
      const h = where(logicalAnd(signal, greater(to.alpha, 0)), sub(end, start), 0) as Tensor;
      const places = placesOf(state, start, h);
      const weights = places.map((place, i) => {
        const others = places.filter((_, j) => j !== i).map(({ inverse }) => inverse);
        const [p = none(), q = none()] = others;
        return mul(to.alpha, integral(place, [p, q], h)) as Tensor;
      });
      // All weights, this step's included, add up to h.
      const own = weights.reduce<Tensor>((rest, weight) => sub(rest, weight) as Tensor, to.sigma);
      const past = weights.map((weight, i) => [weight, state.eps[i]!] as const);
      return Object.freeze({
        x: combine([to.alpha, x0], [own, eps], ...past),
        x0,
        eps: [eps, ...state.eps].slice(0, remembered),
        ratios: [where(signal, start, 0) as Tensor, ...state.ratios].slice(0, remembered),
        known: where(signal, minimum(add(state.known, 1), remembered), 0) as Tensor,
      });
    },
  } satisfies Sampler<LmsState>);
};
