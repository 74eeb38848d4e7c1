/**
 * The probability-flow ODE on paths that are straight where x₀ and ε are constant: x / α over σ / α, with slope ε, and
 * x / (α + σ) over σ / (α + σ), with slope ε − x₀. Each is a projective map of the other, so lines remain lines.
 */
import { div, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal } from '../../tensor/ops/elementwise/comparison.js';
import { logicalOr } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { combine, type NoiseLevel, noiseToSignal, scaleOf } from '../level.js';
import type { Parts } from '../prediction.js';

/**
 * In which variable a sampler integrates: `exploding`, σ / α, which is Karras et al.'s; `flow`, σ / (α + σ), which flow
 * matching has and which is finite at pure noise. It need not be the scaling of the levels.
 */
export type StraightPath = 'exploding' | 'flow';

/** The variable of a path at a level. */
export const variableOf = (path: StraightPath, level: NoiseLevel): Tensor =>
  path === 'exploding' ? noiseToSignal(level) : (div(level.sigma, scaleOf(level, 'flow')) as Tensor);

/** σ / α where the variable of a path has a value. */
export const ratioAt = (path: StraightPath, variable: Tensor): Tensor =>
  path === 'exploding' ? variable : (div(variable, sub(1, variable)) as Tensor);

/** Euler's step, where the parts of a sample lead that remain what they are: DDIM, and the transfer of Liu et al. 2022, eq. 11. */
export const eulerTo = ({ x0, eps }: Parts, { alpha, sigma }: NoiseLevel): Tensor => combine([alpha, x0], [sigma, eps]);

/** Terms of `combine` for factor · (slope − slope of the first), in samples of a level. */
export const slopeTerms = (
  path: StraightPath,
  level: NoiseLevel,
  factor: Tensor,
  parts: Parts,
  first: Parts,
): readonly (readonly [Tensor, Tensor])[] => {
  const c = mul(scaleOf(level, path), factor) as Tensor;
  const change: readonly (readonly [Tensor, Tensor])[] = [[c, sub(parts.eps, first.eps) as Tensor]];
  return path === 'exploding' ? change : [...change, [c, sub(first.x0, parts.x0) as Tensor]];
};

/** Whether there is no signal at one of two levels, so that σ / α is infinite there. */
export const unbounded = (from: NoiseLevel, to: NoiseLevel): Tensor =>
  logicalOr(equal(from.alpha, 0), equal(to.alpha, 0)) as Tensor;

/** Whether nothing is known of the slope at the end, which is without noise, or σ / α is infinite at one of both levels. */
export const openEnded = (from: NoiseLevel, to: NoiseLevel): Tensor =>
  logicalOr(unbounded(from, to), equal(to.sigma, 0)) as Tensor;
