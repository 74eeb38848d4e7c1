/** The probability-flow ODE between two levels, in steps of its own choice. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { maximum, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cos, reciprocal, sin } from '../../tensor/ops/elementwise/elementary.js';
import { broadcastTo } from '../../tensor/ops/movement/movement.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, scaleOf } from '../level.js';
import { integrate } from '../ode/dormand-prince.js';
import { angleOf, angleSlope, levelAtAngle, slopeOf } from '../ode/flow.js';
import { type AdaptiveOptions, tolerancesOf } from '../ode/tolerances.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';

/**
 * The probability-flow ODE, integrated from each level to the next by the method of Dormand and Prince. Every sample takes
 * steps of its own size, as large as its error allows, so that it does not depend on the samples beside it. How many levels
 * there are matters little: two will do. Between them the denoiser is called with levels [N], one for each sample.
 *
 * It integrates in the angle between data and noise, so levels of any scaling give the same, and the first may be without
 * signal and the last without noise; rising levels lead from data to noise. The last stretch to a level without noise,
 * of the length `atol`, is a step of Euler.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, section 4.3; Dormand & Prince 1980, "A family of embedded Runge-Kutta
 * formulae"; Hairer, Nørsett & Wanner 1993, "Solving Ordinary Differential Equations I", section II.4.
 *
 * @param options see {@link AdaptiveOptions}
 * @returns a sampler without noise, with forward derivatives alone; a sample that is not done after `maxSteps` steps, or
 *   whose denoiser gives nothing finite, is NaN
 * @throws ArgumentError for tolerances that are no positive numbers or too large, and for an unknown option; IndexError for
 *   `maxSteps` that is no positive integer
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, dormandPrince, edmProcess, levelsOf, sample } from 'tenfold/diffusion';
 * // Data of variance 1, so that samples fall as √(1 + σ²).
 * const gaussian = denoiser(x => mul(x, 0), { prediction: 'v' });
 * const x = sample(dormandPrince(), gaussian, levelsOf(edmProcess(), [Math.sqrt(3)]), tensor([[2], [-4]]));
 * x.toArray().flat().map(value => value.toFixed(3)); // => ['1.000', '-2.000']
 * ```
 */
export const dormandPrince = (options: AdaptiveOptions = {}): Sampler => {
  checkOptions('dormandPrince', ['rtol', 'atol', 'maxSteps'], options);
  const tolerances = tolerancesOf('dormandPrince', options);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, levelOf }, denoise) => {
      const each = (scalar: Tensor): Tensor => broadcastTo(scalar, [x.shape[0]!]) as Tensor;
      // Without noise x says nothing of ε, which most networks are not asked for there.
      const [start, end] = [from, to].map(level => each(maximum(angleOf(level), tolerances.atol) as Tensor)) as [
        Tensor,
        Tensor,
      ];
      const levelAt = levelAtAngle([from, to], levelOf);
      const z = combine([reciprocal(scaleOf(from, 'preserving')), x]);
      const level = levelAt(start);
      const { x0, eps } = denoise(combine([scaleOf(level, 'preserving'), z]), level);
      const slope = angleSlope(denoise, levelAt);
      const { y, slope: last } = integrate(
        (angle, [at]) => [slope(angle, at!)],
        { y: [z], slope: [slopeOf(start, x0, eps)], from: start, to: end },
        tolerances,
      );
      const left = sub(each(angleOf(to)), end) as Tensor;
      const scale = scaleOf(to, 'preserving');
      const next = combine([mul(scale, cos(left)) as Tensor, y[0]!], [mul(scale, sin(left)) as Tensor, last[0]!]);
      return Object.freeze({ x: next, x0 });
    },
  } satisfies Sampler);
};
