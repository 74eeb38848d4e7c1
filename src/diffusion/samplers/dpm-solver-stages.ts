/** DPM-Solver as its papers have it: a step calls the network at levels between its ends, and remembers nothing. */

import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, mul, neg } from '../../tensor/ops/elementwise/arithmetic.js';
import { exp } from '../../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkOneOf } from '../checks.js';
import type { NoiseLevel } from '../level.js';
import type { Parts } from '../prediction.js';
import { type Denoise, plainState, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { areApart, type DpmSolverAlgorithm, integral, lambdaOf, predictionsOf } from './exponential.js';
import { advance } from './multistep.js';
import { checkOrder } from './solver-options.js';

/** Options of {@link dpmSolver}. */
export interface DpmSolverStagesOptions {
  /** How many calls a step makes, and of which order it is: from 1, which is DDIM, to 3. Default 2. */
  readonly order?: 1 | 2 | 3;
  /** Which prediction is integrated: `dpmsolver++` that of x₀, `dpmsolver` that of ε. Default `dpmsolver++`. */
  readonly algorithm?: 'dpmsolver++' | 'dpmsolver';
}

/** Samples at the end of a step with the stages of its order. */
const throughStages = (
  x: Tensor,
  model: Tensor,
  { from, to, levelOf }: Step,
  denoise: Denoise,
  algorithm: DpmSolverAlgorithm,
  order: 2 | 3,
): SamplerState => {
  const whole = integral(algorithm, from, to, 2);
  const [constant, linear] = whole.moments;
  const modelOf = (denoised: Parts): Tensor => predictionsOf(algorithm, denoised)[0];
  const after = (share: number): readonly [level: NoiseLevel, node: Tensor] => {
    const node = mul(whole.h, share) as Tensor;
    return [levelOf(exp(neg(add(lambdaOf(from), node))) as Tensor), node];
  };
  const [early, node] = after(1 / order);
  const first = integral(algorithm, from, early, 1);
  const second = denoise(advance(x, first, first.moments, [], [model]), early);
  if (order === 2) {
    // As if the step were short: half of h times the constant's integral, in place of the linear one.
    const slope = mul(mul(whole.h, constant!), 0.5) as Tensor;
    return { x: advance(x, whole, [constant!, slope], [node], [model, modelOf(second)]), x0: second.x0 };
  }
  const [late, lateNode] = after(2 / 3);
  const between = integral(algorithm, from, late, 2);
  const third = denoise(advance(x, between, between.moments, [node], [model, modelOf(second)]), late);
  return { x: advance(x, whole, [constant!, linear!], [lateNode], [model, modelOf(third)]), x0: third.x0 };
};

/**
 * DPM-Solver-1, -2 and -3 and DPM-Solver++(2S) and (3S): Runge–Kutta methods for exponential integrals, which call the
 * network at the half, or at both thirds, of a step in λ. A step from a level without signal or to one without noise is
 * of order 1 and makes one call. With the same number of calls `dpmSolverMultistep` is mostly better; these methods have
 * their full order from the first step on.
 *
 * Sources: Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2; Lu et al. 2022, arXiv:2211.01095, algorithm 1.
 *
 * @param options see {@link DpmSolverStagesOptions}
 * @returns a sampler without noise
 * @throws ArgumentError for an order that is none of 1, 2, 3, an unknown algorithm or option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, dpmSolver, flowProcess, levelsAt, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(dpmSolver({ order: 3 }), toZero, levelsAt(flowProcess(), [0.9, 0.5]), zeros([1, 2])).toArray(); // => [[0, 0]]
 * ```
 */
export const dpmSolver = (options: DpmSolverStagesOptions = {}): Sampler => {
  checkOptions('dpmSolver', ['order', 'algorithm'], options);
  const { order = 2, algorithm = 'dpmsolver++' } = options;
  checkOrder('dpmSolver', order, 3);
  checkOneOf('dpmSolver', 'the algorithm', ['dpmsolver++', 'dpmsolver'], algorithm);
  return Object.freeze({
    init: plainState,
    step: ({ x }: SamplerState, at, denoise) => {
      const denoised = denoise(x, at.from);
      const [model, other] = predictionsOf(algorithm, denoised);
      const whole = integral(algorithm, at.from, at.to, 1);
      const direct = { x: advance(x, whole, whole.moments, [], [model], [whole.other, other]), x0: denoised.x0 };
      if (order === 1) return Object.freeze(direct);
      const stages = (_: SamplerState, start: Tensor, prediction: Tensor): SamplerState =>
        throughStages(start, prediction, at, denoise, algorithm, order);
      return Object.freeze(
        cond(areApart(lambdaOf(at.to), lambdaOf(at.from)), stages, begin => begin)(direct, x, model),
      );
    },
  } satisfies Sampler);
};
