/** The reverse-time stochastic differential equation of a process, step by step. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { abs, add, div, mul, neg, sign, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, less, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFunctions } from '../checks.js';
import { combine, type NoiseLevel, noiseToSignal } from '../level.js';
import { checkProcess } from '../process.js';
import { plainState, type Sampler, type SamplerState } from '../sampler.js';
import type { DdimOptions } from '../samplers/ancestral.js';
import { checkEta } from '../samplers/solver-options.js';
import type { ScoreSde } from './score-sdes.js';

/** What a step is made of: factors of x, of ε̂ and of new noise, all [] in float64. */
interface Factors {
  /** Whether there is such a step: both levels are at finite times. */
  readonly exist: Tensor;
  readonly keep: Tensor;
  readonly eps: Tensor;
  readonly noise: Tensor;
}

/** The factors of a step between two levels, whose samples are those of the equation but for their scale. */
const factorsOf = (sde: ScoreSde, from: NoiseLevel, to: NoiseLevel, eta: number): Factors => {
  const [here, there] = [from, to].map(level => sde.levelOf(noiseToSignal(level))) as [NoiseLevel, NoiseLevel];
  const [scale, nextScale] = [div(from.alpha, here.alpha), div(to.alpha, there.alpha)];
  const dt = sub(there.time, here.time) as Tensor;
  const g = sde.diffusion(here.time);
  // Against time the score's share is (1 + η²) / 2, with it (1 − η²) / 2: the way there and the way back have the same marginals.
  const share = mul(sub(1, mul(sign(dt), eta ** 2)), 0.5) as Tensor;
  const sigma = where(greater(here.sigma, 0), here.sigma, 1) as Tensor;
  return {
    exist: less(abs(dt), Number.POSITIVE_INFINITY) as Tensor,
    keep: mul(add(1, mul(sde.drift(here.time), dt)), div(nextScale, scale)) as Tensor,
    eps: mul(mul(mul(share, square(g)), div(dt, sigma)), nextScale) as Tensor,
    noise: mul(mul(g, sqrt(abs(dt) as Tensor)), mul(nextScale, eta)) as Tensor,
  };
};

/**
 * The Euler–Maruyama method on the reverse-time SDE dx = (f x − ½ (1 + η²) g² s) dt + η g dw, where s = −ε̂ / σ is the score, with
 * the gradient of a classifier where there is one. η = 1 is the reverse of the process, η = 0 its probability-flow ODE; all have
 * the marginals of the process. Rising levels lead through it forwards. With `withCorrector(eulerMaruyama(sde), langevin())` it
 * is predictor–corrector sampling.
 *
 * The levels may be those of any process, in any scaling: f, g and the times are found by their noise-to-signal ratios. A
 * level without signal, and that of data, may be at an infinite time, from where there is no such step: it is that of `ddim` with
 * the noise of η then, the whole of what there was before being forgotten. A step that ends without noise gives x̂₀.
 *
 * Sources: Song et al. 2020, arXiv:2011.13456, eqs. 6 and 13, appendix G (algorithms 2 and 3 for its predictor–correctors); η as in
 * λ of Zhang & Chen 2022, arXiv:2204.13902, section 2.
 *
 * @param sde the equation: `vpProcess()`, `veProcess()`, `subVpProcess()`, or any process with drift and diffusion
 * @param options `eta` (1), from 0 to 1: how much noise a step adds
 * @returns a sampler of first order in time that draws once a step, with η = 0 not at all
 * @throws ArgumentError for what is no such process, an eta that is no number from 0 to 1, and for an unknown option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, eulerMaruyama, levelsAt, sample, vpProcess } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const process = vpProcess();
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(process, [1, 0.5, 0.001]);
 * sample(eulerMaruyama(process), toZero, levels, zeros([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const eulerMaruyama = (sde: ScoreSde, options: DdimOptions = {}): Sampler => {
  checkProcess('eulerMaruyama', sde);
  checkFunctions('eulerMaruyama', { 'the drift': sde.drift, 'the diffusion': sde.diffusion });
  checkOptions('eulerMaruyama', ['eta'], options);
  const { eta = 1 } = options;
  checkEta('eulerMaruyama', eta);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, { from, to, noise }, denoise) => {
      const { x0, eps, gradient } = denoise(x, from);
      const noisy = greater(to.sigma, 0) as Tensor;
      // A step to the data is never one of the equation, whose time there may be infinite.
      const target = { ...to, alpha: where(noisy, to.alpha, from.alpha), sigma: where(noisy, to.sigma, from.sigma) };
      const { exist, keep, eps: towards, noise: spread } = factorsOf(sde, from, target as NoiseLevel, eta);
      const score = gradient === undefined ? eps : combine([1, eps], [neg(from.sigma) as Tensor, gradient]);
      const along = logicalAnd(exist, noisy) as Tensor;
      const choose = (factor: Tensor | 0, otherwise: Tensor | 0): Tensor =>
        where(along, factor as Tensor, otherwise as Tensor) as Tensor;
      const terms: readonly (readonly [Tensor, Tensor])[] = [
        [choose(keep, 0), x],
        [choose(towards, 0), score],
        [choose(0, to.alpha), x0],
        [choose(0, mul(to.sigma, Math.sqrt(1 - eta ** 2)) as Tensor), eps],
      ];
      const drawn: readonly (readonly [Tensor, Tensor])[] =
        eta === 0 ? [] : [[choose(spread, mul(to.sigma, eta) as Tensor), noise()]];
      return Object.freeze({ x: combine(...terms, ...drawn), x0 });
    },
  } satisfies Sampler);
};
