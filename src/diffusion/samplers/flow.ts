/** Samplers on the straight lines of flows. The first-order one is Euler's method, which is `ddim`. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, maximum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { greater, greaterEqual, lessEqual } from '../../tensor/ops/elementwise/comparison.js';
import { reciprocal, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import type { Denoised } from '../denoiser.js';
import { combine, scaleOf } from '../level.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import { checkChurn, churnNames } from './churn.js';

/** Options of {@link flowHeun}: times are σ / (α + σ). */
export interface FlowHeunOptions {
  /** How much noise all steps put in, not below 0; a step at most √2 − 1 of what there is. Default 0: nothing is drawn. */
  readonly churn?: number;
  /** The smallest time at which noise is put in. Default 0. */
  readonly min?: number;
  /** The largest such time. Default unbounded. */
  readonly max?: number;
  /** The standard deviation of the noise put in, not below 0. Default 1. */
  readonly noise?: number;
}

/**
 * Heun's method on the straight lines of a flow: a step along the velocity at its begin, and again along the mean of this
 * velocity and that where it led. The last step, to the data, is of Euler's method. With `churn`, steps begin with some
 * more noise; as in diffusers the network is asked before it is added.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2, for the velocities of Lipman et al. 2022, arXiv:2210.02747, as
 * the `FlowMatchHeunDiscreteScheduler` of diffusers.
 *
 * @param options see {@link FlowHeunOptions}
 * @returns a sampler with two calls of the denoiser a step, one in the last; with churn it draws once a step
 * @throws ArgumentError for an option that is no number, negative or unknown, and for a min above max
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, flowHeun, flowProcess, levelsAt, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(flowHeun(), toZero, levelsAt(flowProcess(), [1, 0.5]), tensor([[3], [-4]])).toArray(); // => [[0], [0]]
 * ```
 */
export const flowHeun = (options: FlowHeunOptions = {}): Sampler => {
  checkOptions('flowHeun', churnNames, options);
  const { churn, min, max, noise: deviation } = checkChurn('flowHeun', options);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, count, noise }, denoise) => {
      // In the coordinates of the flow, x / (α + σ), the noise is the time.
      const [begin, end] = [scaleOf(from, 'flow'), scaleOf(to, 'flow')];
      const [time, next] = [div(from.sigma, begin), div(to.sigma, end)];
      const denoised = denoise(x, from);
      const first = velocityOf(denoised);
      const within = logicalAnd(greaterEqual(time, min), lessEqual(time, max)) as Tensor;
      const gamma = mul(cast(within, 'float64'), Math.min(churn / (2 * count - 1), Math.SQRT2 - 1)) as Tensor;
      const risen = mul(time, add(gamma, 1));
      const rise = sqrt(maximum(sub(square(risen), square(time)), 0) as Tensor);
      const length = sub(next, risen);
      // The velocity counts from the prediction of x₀ to the sample with its new noise.
      const slope = reciprocal(add(gamma, 1)) as Tensor;
      const kept = [div(end, begin), x] as const;
      const started = churn === 0 ? [kept] : [kept, [mul(mul(rise, deviation), end) as Tensor, noise()] as const];
      const along = (share: number) => [mul(mul(mul(length, slope), end), share) as Tensor, first] as const;
      const led = combine(...started, along(1));
      const corrected = (): Tensor => {
        const second = velocityOf(denoise(led, to));
        return combine(...started, along(0.5), [mul(mul(length, end), 0.5) as Tensor, second]);
      };
      return Object.freeze({ x: cond(greater(to.sigma, 0) as Tensor, corrected, () => led)(), x0: denoised.x0 });
    },
  } satisfies Sampler);
};

const velocityOf = ({ x0, eps }: Denoised): Tensor => sub(eps, x0);
