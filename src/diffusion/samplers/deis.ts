/** DEIS: exponential Adams–Bashforth methods for the predicted noise. */

import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Sampler, Step } from '../sampler.js';
import { lowerAtEnd, multistep } from './dpm-solver.js';
import { exactTerms, type MultistepState, multistepState } from './multistep.js';
import { checkOrder } from './solver-options.js';

/** Options of {@link deis}. */
export interface DeisOptions {
  /** From 1, which is DDIM, to 3. Default 2. */
  readonly order?: 1 | 2 | 3;
  /** The second to last step of order 2 at most and the last of order 1, in runs of fewer than 15 steps. Default true. */
  readonly lowerOrderFinal?: boolean;
}

/**
 * Diffusion exponential integrator sampler (DEIS, logρ-AB): the predicted noise is a polynomial in λ through the last
 * predictions, and integrated exactly. One call of the network a step; orders rise from 1 in the first steps, and a step to
 * a level without noise has order 1.
 *
 * Source: Zhang & Chen 2022, arXiv:2204.13902, eqs. 14 and 15 in the variable log ρ = log(σ / α) = −λ.
 *
 * @param options see {@link DeisOptions}
 * @returns a sampler without noise
 * @throws ArgumentError for an order that is none of 1, 2, 3, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { deis, denoiser, flowProcess, levelsAt, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'velocity' });
 * sample(deis({ order: 3 }), toZero, levelsAt(flowProcess(), [0.9, 0.6, 0.3]), zeros([1, 2])).toArray(); // => [[0, 0]]
 * ```
 */
export const deis = (options: DeisOptions = {}): Sampler<MultistepState> => {
  checkOptions('deis', ['order', 'lowerOrderFinal'], options);
  const { order = 2, lowerOrderFinal = true } = options;
  checkOrder('deis', order, 3);
  checkFlag('deis', 'lowerOrderFinal', lowerOrderFinal);
  return Object.freeze({
    init: (x: Tensor) => multistepState(x, order - 1),
    step: (state: MultistepState, at: Step, denoise) =>
      multistep(
        state,
        at,
        'dpmsolver',
        denoise(state.x, at.from),
        lowerAtEnd(at, lowerOrderFinal, false),
        (parts, past) => ({
          exact: exactTerms(parts, past),
          slope: parts.moments[1] ?? parts.h,
        }),
      ),
  } satisfies Sampler<MultistepState>);
};
