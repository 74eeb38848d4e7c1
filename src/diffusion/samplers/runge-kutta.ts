/** The classical Runge-Kutta method. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, where } from '../../tensor/ops/elementwise/comparison.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkOneOf } from '../checks.js';
import { combine, type NoiseLevel } from '../level.js';
import { type Denoise, plainState, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { eulerTo, ratioAt, type StraightPath, slopeTerms, unbounded, variableOf } from './straight-path.js';

/** Options of {@link rk4}. */
export interface Rk4Options {
  /** See {@link StraightPath}. Default `flow`. */
  readonly path?: StraightPath;
}

const fourStages = (path: StraightPath, x: Tensor, { from, to, levelOf }: Step, denoise: Denoise): SamplerState => {
  const first = denoise(x, from);
  const start = variableOf(path, from);
  const h = sub(variableOf(path, to), start) as Tensor;
  // No slope is taken at a level without noise, where it is not known: of three stages at 0, 1/3 and 2/3 there is a method
  // of third order (Heun's), whose error in a single step is that of fourth order in all.
  const last = equal(to.sigma, 0);
  const choose = (atLast: number, else_: number): Tensor => mul(h, where(last, atLast, else_)) as Tensor;
  const levelAt = (way: Tensor): NoiseLevel => levelOf(ratioAt(path, add(start, way) as Tensor));
  const [way2, way3] = [choose(1 / 3, 1 / 2), choose(2 / 3, 1 / 2)];
  const level2 = levelAt(way2);
  const second = denoise(eulerTo(first, level2), level2);
  const level3 = levelAt(way3);
  const third = denoise(combine([1, eulerTo(first, level3)], ...slopeTerms(path, level3, way3, second, first)), level3);
  const guess = eulerTo(first, to);
  const three: SamplerState = {
    x: combine(
      [1, guess],
      ...slopeTerms(path, to, choose(0, 1 / 3), second, first),
      ...slopeTerms(path, to, choose(3 / 4, 1 / 3), third, first),
    ),
    x0: third.x0,
  };
  const far = combine([1, guess], ...slopeTerms(path, to, h, third, first));
  const four = (state: SamplerState, y: Tensor, x0: Tensor, eps: Tensor): SamplerState => {
    const fourth = denoise(y, to);
    const change = slopeTerms(path, to, mul(h, 1 / 6) as Tensor, fourth, { x0, eps });
    return { x: combine([1, state.x], ...change), x0: fourth.x0 };
  };
  return cond(last, state => state, four)(three, far, first.x0, first.eps);
};

/**
 * The classical Runge-Kutta method on the probability-flow ODE: four calls a step, three where the next level has no
 * noise. In the variable `exploding` a level without signal is left, or come to, by one step of Euler's method.
 *
 * Sources: Kutta 1901; Song et al. 2020, arXiv:2011.13456, eq. 13 (the ODE), Lipman et al. 2022, arXiv:2210.02747 (in the
 * variable of flow matching).
 *
 * @param options see {@link Rk4Options}; the path is `flow` by default
 * @returns a sampler of fourth order
 * @throws ArgumentError for what is no path or option
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, rk4, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(rk4(), toZero, levelsAt(flowProcess(), [1, 0.5], { final: 'none' }), tensor([[3], [-4]])).toArray(); // => [[1.5], [-2]]
 * ```
 */
export const rk4 = (options: Rk4Options = {}): Sampler => {
  checkOptions('rk4', ['path'], options);
  const { path = 'flow' } = options;
  checkOneOf('rk4', 'the path', ['flow', 'exploding'], path);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, at: Step, denoise) => {
      const all = (y: Tensor): SamplerState => fourStages(path, y, at, denoise);
      if (path === 'flow') return Object.freeze(all(x));
      const one = (y: Tensor): SamplerState => {
        const denoised = denoise(y, at.from);
        return { x: eulerTo(denoised, at.to), x0: denoised.x0 };
      };
      return Object.freeze(cond(unbounded(at.from, at.to), one, all)(x));
    },
  } satisfies Sampler);
};
