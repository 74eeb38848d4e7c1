/** Langevin dynamics at one level, which corrects what the steps of a sampler got wrong. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { div, mul, neg, square } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { checkInteger, range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { fold } from '../../tensor/transform/loops.js';
import { checkFinite } from '../checks.js';
import { combine } from '../level.js';
import type { Corrector } from './corrector.js';

/** Options of {@link langevin}. */
export interface LangevinOptions {
  /** r: the norm of a step's drift over that of its noise. Default 0.16. */
  readonly snr?: number;
  /** How many steps are taken at a level. Default 1. */
  readonly steps?: number;
}

/** The norm of each sample, float64 [N]. */
const norms = (x: Tensor): Tensor =>
  sqrt(sum(square(cast(x, 'float64')), { axis: range(x.shape.length).slice(1) }) as Tensor) as Tensor;

/**
 * Annealed Langevin dynamics: x ← x + h s + √(2h) z, where s = −ε̂ / σ is the score, with the gradient of a classifier where
 * there is one, and h = 2 (r ‖z‖ / ‖s‖)². Each sample has its own h, by its own norms: where the source takes the averages of
 * a batch, samples would depend on each other. So it is for samples of many elements, whose norms hardly vary: those of a few
 * are spread too widely. The source's factor of h for variance preserving processes (1 − β, which is
 * nearly 1) is left out, so that levels of any scaling give the same. Where there is no noise, or the score is 0, x stays.
 *
 * Source: Song et al. 2020, arXiv:2011.13456, algorithms 4 and 5, appendix G.
 *
 * @param options see {@link LangevinOptions}
 * @returns a corrector that draws `steps` times
 * @throws ArgumentError for an snr that is no positive number and for an unknown option, IndexError for `steps` that is no
 *   positive integer
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { edmProcess, langevin } from 'tenfold/diffusion';
 * const toZero = (x, { sigma }) => ({ x0: mul(x, 0), eps: mul(x, 1 / sigma.item()) });
 * const level = edmProcess().levelAt(tensor(2));
 * const noise = () => tensor([[1, 0]]);
 * // ε̂ = [[1, 0]] is as long as the noise: x − 2 r² σ ε̂ + 2 r σ z.
 * langevin({ snr: 0.5 }).correct(tensor([[2, 0]]), level, toZero, noise).toArray(); // => [[3, 0]]
 * ```
 */
export const langevin = (options: LangevinOptions = {}): Corrector => {
  checkOptions('langevin', ['snr', 'steps'], options);
  const { snr = 0.16, steps = 1 } = options;
  checkFinite('langevin', 'snr', snr, 'positive');
  checkInteger('langevin', 'steps', steps, 1, 2 ** 31 - 1);
  return Object.freeze({
    correct: (x, level, denoise, noise) => {
      const { sigma } = level;
      const step = (at: Tensor, draw: number | Tensor): Tensor => {
        const { eps, gradient } = denoise(at, level);
        const drift = gradient === undefined ? eps : combine([1, eps], [neg(sigma) as Tensor, gradient]);
        const z = noise(draw);
        const size = norms(drift);
        const moves = greater(mul(size, sigma), 0) as Tensor;
        // With r ‖z‖ / ‖ε̂‖ nothing is divided by σ.
        const share = mul(div(norms(z), where(moves, size, 1)), snr) as Tensor;
        const moved = combine(
          [1, at],
          [mul(mul(square(share), sigma), -2) as Tensor, drift],
          [mul(mul(share, sigma), 2) as Tensor, z],
        );
        return where(reshape(moves, [-1, ...at.shape.slice(1).map(() => 1)]), moved, at) as Tensor;
      };
      // The draws of a loop are no numbers, which a single step does not need.
      return steps === 1 ? step(x, 0) : fold(step)(x, steps);
    },
  } satisfies Corrector);
};
