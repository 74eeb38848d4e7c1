/**
 * The probability-flow ODE in the angle θ between data and noise, tan θ = σ / α. Samples are those of the variance
 * preserving scaling, z = cos θ x₀ + sin θ ε, and their slope dz / dθ = cos θ ε − sin θ x₀ is what networks of v predict.
 * Unlike the ratio σ / α or its logarithm, the angle is bounded, and the slope is smooth where there is no noise and
 * where there is no data.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, eq. 13; Salimans & Ho 2022, arXiv:2202.00512, appendix D (DDIM in θ).
 */
import { neg } from '../../tensor/ops/elementwise/arithmetic.js';
import { atan2 } from '../../tensor/ops/elementwise/bivariate.js';
import { equal, where } from '../../tensor/ops/elementwise/comparison.js';
import { cos, sin, tan } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, type NoiseLevel, scaleOf } from '../level.js';
import type { Denoise } from '../sampler.js';

/** θ of a level, from 0 at the data to π / 2 at the noise. */
export const angleOf = ({ alpha, sigma }: NoiseLevel): Tensor => atan2(sigma, alpha) as Tensor;

/** The levels of angles [N] between two levels, which are met exactly. */
export const levelAtAngle =
  (ends: readonly NoiseLevel[], levelOf: (ratio: Tensor) => NoiseLevel) =>
  (angle: Tensor): NoiseLevel => {
    const between = levelOf(tan(angle) as Tensor);
    return ends.reduce((level, end) => {
      const here = equal(angle, angleOf(end)) as Tensor;
      return {
        alpha: where(here, end.alpha, level.alpha) as Tensor,
        sigma: where(here, end.sigma, level.sigma) as Tensor,
        time: where(here, end.time, level.time) as Tensor,
      };
    }, between);
  };

/** dz / dθ at angles [N]. */
export const angleSlope =
  (denoise: Denoise, levelAt: (angle: Tensor) => NoiseLevel) =>
  (angle: Tensor, z: Tensor): Tensor => {
    const level = levelAt(angle);
    const { x0, eps } = denoise(combine([scaleOf(level, 'preserving'), z]), level);
    return slopeOf(angle, x0, eps);
  };

/** dz / dθ of what a sample is made of. */
export const slopeOf = (angle: Tensor, x0: Tensor, eps: Tensor): Tensor =>
  combine([cos(angle) as Tensor, eps], [neg(sin(angle) as Tensor), x0]);
