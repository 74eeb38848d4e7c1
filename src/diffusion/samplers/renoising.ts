/** Samplers that go back to levels with more noise and come down again. */

import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, greater, lessEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import { checkInteger } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { fold } from '../../tensor/transform/loops.js';
import { combine, type NoiseLevel, noiseToSignal, quotient } from '../level.js';
import { checkLevels, type Levels, stepsOf } from '../levels.js';
import { type Row, rowsOf } from '../sample.js';
import { checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { variancesBetween } from './ancestral.js';
import { lane } from './lanes.js';

/** Samples of q(x at the higher level | x at the lower one). */
const noised = (x: Tensor, low: NoiseLevel, high: NoiseLevel, noise: Tensor): Tensor =>
  combine([quotient(high.alpha, low.alpha), x], [sqrt(variancesBetween(high, low).forward), noise]);

/**
 * Takes each step n times: after each time but the last, noise is added up to the level the step began at. What the
 * samples are made of comes to terms with what a modifier holds them to; with `inpainting` it is RePaint.
 *
 * The sampler remembers what it did before the step, not what it did the times before. The last step, to no noise, is
 * taken n times as well.
 *
 * Source: Lugmayr et al. 2022, arXiv:2201.09865, algorithm 1 (U = n, jumps of one step).
 *
 * @param n how often, at least 1
 * @param sampler any
 * @returns a sampler with the sampler's state, calling the denoiser n times as often; of 2n parts of the draws the r-th
 *   time has part r, and the noise after it n + r
 * @throws ArgumentError for what is no sampler, IndexError for what is no positive integer
 * @example
 * ```js
 * import { mul, ones, tensor } from 'tenfold';
 * import { ddim, denoiser, flowProcess, inpainting, levelsAt, repeatSteps, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const known = inpainting(tensor([[5, 0]]), tensor([[true, false]]));
 * const filled = known(denoiser(x => mul(x, 0), { prediction: 'x0' }));
 * const levels = levelsAt(flowProcess(), [1, 0.5]);
 * sample(repeatSteps(10, ddim()), filled, levels, ones([1, 2]), { key: key(0) }).toArray(); // => [[5, 0]]
 * ```
 */
export const repeatSteps = <S extends SamplerState>(n: number, sampler: Sampler<S>): Sampler<S> => {
  checkInteger('repeatSteps', 'n', n, 1, 2 ** 16);
  checkSampler('repeatSteps', sampler);
  if (n === 1) return sampler;
  return Object.freeze({
    init: sampler.init,
    step: (state: S, at: Step, denoise: Denoise): S => {
      const { from, to, noise } = at;
      const once = ({ x }: Repeated<S>, time: Tensor): Repeated<S> => {
        const next = sampler.step({ ...state, x }, Object.freeze({ ...at, noise: lane(noise, 2 * n, time) }), denoise);
        const again = lane(noise, 2 * n, add(time, n) as Tensor)();
        return { x: noised(next.x, to, from, again), next };
      };
      return fold(once)({ x: state.x, next: state }, n).next;
    },
  });
};

/** What is carried from time to time: where the step begins, and where it has come to. */
interface Repeated<S> {
  readonly x: Tensor;
  readonly next: S;
}

/** Options of {@link restart}. */
export interface RestartOptions {
  /** How often. Default 1. */
  readonly times?: number;
}

/**
 * Restarts: when a step has come down to the last of the given levels, noise is added up to their first, and the
 * sampler, as at a first step, goes down them. The noise contracts the errors that were made until then.
 *
 * Source: Xu et al. 2023, arXiv:2306.14878, algorithm 1.
 *
 * @param sampler best one without noise of its own
 * @param levels of the restart, falling, of the process and scaling of the run; the step that passes the last of them
 *   goes first where it would have gone, and restarts end there
 * @param options see {@link RestartOptions}
 * @returns a sampler with the sampler's state; with m restart levels beyond the first and K times, of 1 + K + K m parts
 *   of the draws it has the first, the noise that is added the next K, and the steps down the others
 * @throws ArgumentError for what is no sampler, levels or option, ShapeError for a single level, IndexError for what is
 *   no positive integer
 * @example
 * ```js
 * import { mul, ones } from 'tenfold';
 * import { ddim, denoiser, edmProcess, levelsOf, restart, sample } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const again = restart(ddim(), levelsOf(edmProcess(), [0.4, 0.2, 0.06], { final: 'none' }), { times: 3 });
 * const levels = levelsOf(edmProcess(), [80, 1, 0.06]);
 * sample(again, toZero, levels, ones([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const restart = <S extends SamplerState>(
  sampler: Sampler<S>,
  levels: Levels,
  options: RestartOptions = {},
): Sampler<S> => {
  checkSampler('restart', sampler);
  checkLevels('restart', levels);
  checkOptions('restart', ['times'], options);
  const { times = 1 } = options;
  checkInteger('restart', 'times', times, 1, 2 ** 16);
  const steps = stepsOf(levels);
  const parts = 1 + times + times * steps;
  const rows = rowsOf(levels);
  const [top, bottom] = [levelAt(levels, 0), levelAt(levels, steps)];
  // Levels of other makes differ in their last bits.
  const lowest = mul(noiseToSignal(bottom), 1 + 1e-9) as Tensor;

  const down =
    (at: Step, denoise: Denoise, time: Tensor) =>
    (state: S, row: Row): S => {
      const ends = equal(row.index, steps - 1);
      const end = (own: Tensor, last: Tensor): Tensor => where(ends, last, own) as Tensor;
      const to = {
        alpha: end(row.to.alpha, at.to.alpha),
        sigma: end(row.to.sigma, at.to.sigma),
        time: end(row.to.time, at.to.time),
      };
      const part = add(add(mul(time, steps), row.index), 1 + times) as Tensor;
      const noise = lane(at.noise, parts, part);
      return sampler.step(state, Object.freeze({ ...at, ...row, to, count: steps, noise }), denoise);
    };

  return Object.freeze({
    init: sampler.init,
    step: (state: S, at: Step, denoise: Denoise): S => {
      const next = sampler.step(state, Object.freeze({ ...at, noise: lane(at.noise, parts, 0) }), denoise);
      const arrives = logicalAnd(
        greater(noiseToSignal(at.from), lowest),
        lessEqual(noiseToSignal(at.to), lowest),
      ) as Tensor;
      const once = ({ x }: S, time: Tensor): S => {
        const up = noised(x, at.to, top, lane(at.noise, parts, add(time, 1) as Tensor)());
        return fold(down(at, denoise, time))(sampler.init(up), rows);
      };
      return cond(
        arrives,
        (low: S): S => fold(once)(low, times),
        (low: S): S => low,
      )(next);
    },
  });
};

const levelAt = ({ alpha, sigma, time }: Levels, i: number): NoiseLevel => {
  const of = (vector: Tensor): Tensor => reshape(slice(vector, [i], [i + 1]), []) as Tensor;
  return Object.freeze({ alpha: of(alpha), sigma: of(sigma), time: of(time) });
};
