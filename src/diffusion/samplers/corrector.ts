/** Correctors: steps that stay at a level, and bring samples nearer to its distribution. */
import { kindOf } from '../../tensor/ops/common/checks.js';
import { equal } from '../../tensor/ops/elementwise/comparison.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkAlike } from '../checks.js';
import type { NoiseLevel } from '../level.js';
import { checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { lane } from './lanes.js';

/** A corrector: of samples at a level with noise, in their shape and dtype. */
export interface Corrector {
  readonly correct: (x: Tensor, level: NoiseLevel, denoise: Denoise, noise: Step['noise']) => Tensor;
}

/**
 * Predictor and corrector: after each step of the sampler the corrector works at the level it has come to. Where that
 * has no noise there is nothing to correct, and the denoiser is not called.
 *
 * Source: Song et al. 2020, arXiv:2011.13456, algorithm 1.
 *
 * @param sampler the predictor
 * @param corrector see {@link Corrector}
 * @returns a sampler with the sampler's state; the sampler has the even numbers of draws, the corrector the odd ones
 * @throws ArgumentError for what is no sampler or corrector; the step: ShapeError, DTypeError when a corrector gives
 *   something else than samples like x
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sample, withCorrector } from 'tenfold/diffusion';
 * const halving = { correct: x => mul(x, 0.5) };
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(flowProcess(), [1, 0.5], { final: 'none' });
 * sample(withCorrector(ddim(), halving), toZero, levels, tensor([[8]])).toArray(); // => [[2]]
 * ```
 */
export const withCorrector = <S extends SamplerState>(sampler: Sampler<S>, corrector: Corrector): Sampler<S> => {
  checkSampler('withCorrector', sampler);
  checkArgument(
    typeof corrector?.correct === 'function',
    'withCorrector',
    `${kindOf(corrector)} as the corrector`,
    'a corrector has the function correct',
    'Write { correct: (x, level, denoise, noise) => … }.',
  );
  return Object.freeze({
    init: sampler.init,
    step: (state: S, at: Step, denoise: Denoise): S => {
      const next = sampler.step(state, Object.freeze({ ...at, noise: lane(at.noise, 2, 0) }), denoise);
      const correct = (x: Tensor): Tensor => {
        const corrected = corrector.correct(x, at.to, denoise, lane(at.noise, 2, 1));
        checkAlike('withCorrector', { x, 'the corrected x': corrected });
        return corrected;
      };
      const x = cond(equal(at.to.sigma, 0), (same: Tensor): Tensor => same, correct)(next.x);
      return Object.freeze({ ...next, x });
    },
  });
};
