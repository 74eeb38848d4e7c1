/** Heun's method: the trapezoidal rule, its far end found by Euler's method. */

import { mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { combine, type NoiseLevel, noiseToSignal } from '../level.js';
import { type Denoise, plainState, type Sampler, type SamplerState } from '../sampler.js';
import { eulerTo, openEnded, slopeTerms } from './straight-path.js';

/** A step from samples at a level; the second call is saved where nothing is known of the slope at an end. */
const heunStep = (x: Tensor, from: NoiseLevel, to: NoiseLevel, denoise: Denoise): SamplerState => {
  const { x0, eps } = denoise(x, from);
  const guess = eulerTo({ x0, eps }, to);
  const corrected = (begin: SamplerState, slope: Tensor): SamplerState => {
    const first = { x0: begin.x0, eps: slope };
    const second = denoise(begin.x, to);
    const half = mul(sub(noiseToSignal(to), noiseToSignal(from)), 0.5) as Tensor;
    return { x: combine([1, begin.x], ...slopeTerms('exploding', to, half, second, first)), x0: second.x0 };
  };
  return Object.freeze(cond(openEnded(from, to), begin => begin, corrected)({ x: guess, x0 }, eps));
};

/**
 * Heun's method on the probability-flow ODE in σ / α: two calls a step, one where the next level has no noise or one of both
 * no signal, which is then Euler's. For the straight lines of a flow see `flowHeun`.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 1.
 *
 * @returns a sampler of second order
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, edmProcess, heun, levelsOf, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsOf(edmProcess(), [4, 1], { final: 'none' });
 * sample(heun(), toZero, levels, tensor([[8], [-4]])).toArray(); // => [[2], [-1]]
 * ```
 */
export const heun = (): Sampler =>
  Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to }, denoise) => heunStep(x, from, to, denoise),
  } satisfies Sampler);
