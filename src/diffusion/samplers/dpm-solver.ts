/** DPM-Solver and DPM-Solver++ as multistep methods: one call of the network a step. */

import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkOneOf } from '../checks.js';
import type { Parts } from '../prediction.js';
import type { Sampler, Step } from '../sampler.js';
import {
  type DpmSolverAlgorithm,
  type Integral,
  integral,
  isStochastic,
  lambdaOf,
  type Past,
  pastOf,
  predictionsOf,
} from './exponential.js';
import {
  advance,
  areLeft,
  exactTerms,
  gatesOf,
  type MultistepState,
  multistepState,
  remember,
  termsOf,
} from './multistep.js';
import { checkOrder } from './solver-options.js';

/** How steps of second order integrate the first difference: as if the step were short, or exactly. */
export type DpmSolverType = 'midpoint' | 'heun';

/** Options of DPM-Solvers. */
export interface DpmSolverOptions {
  /** From 1, which is DDIM, to 3. Default 2. */
  readonly order?: 1 | 2 | 3;
  /** What is integrated along which equation. Default `dpmsolver++`. */
  readonly algorithm?: DpmSolverAlgorithm;
  /** Default `midpoint`. */
  readonly solverType?: DpmSolverType;
  /** Lower orders in the last steps. */
  readonly lowerOrderFinal?: boolean;
}

/** Options of {@link dpmSolverMultistep}. */
export interface DpmSolverMultistepOptions extends DpmSolverOptions {
  /** The second to last step of order 2 at most and the last of order 1, in runs of fewer than 15 steps. Default true. */
  readonly lowerOrderFinal?: boolean;
  /** The last step of order 1, however many there are. Default false. */
  readonly eulerAtFinal?: boolean;
}

const algorithms: readonly DpmSolverAlgorithm[] = ['dpmsolver++', 'dpmsolver', 'sde-dpmsolver++', 'sde-dpmsolver'];

/**
 * The options of a DPM-Solver, checked.
 *
 * @throws ArgumentError
 */
export const checkDpmSolver = (
  operation: string,
  { order = 2, algorithm = 'dpmsolver++', solverType = 'midpoint', lowerOrderFinal }: DpmSolverOptions,
): Required<Omit<DpmSolverOptions, 'lowerOrderFinal'>> => {
  checkOrder(operation, order, 3);
  checkOneOf(operation, 'the algorithm', algorithms, algorithm);
  checkOneOf(operation, 'the solverType', ['midpoint', 'heun'], solverType);
  checkFlag(operation, 'lowerOrderFinal', lowerOrderFinal);
  return { order, algorithm, solverType };
};

/** What the first difference is multiplied by in steps of second order. */
export const slopeOf = ({ h, moments }: Integral, solverType: DpmSolverType): Tensor =>
  solverType === 'heun' ? moments[1]! : (mul(mul(h, moments[0]!), 0.5) as Tensor);

/**
 * In the authors' code the second difference has half the weight that integrating it exactly gives; and the SDE of x₀ has
 * a sign changed there, which is −α h² more.
 */
const authorsTerms = (
  algorithm: DpmSolverAlgorithm,
  parts: Integral,
  alpha: Tensor,
  exact: readonly Tensor[],
): readonly Tensor[] => {
  const [first, second, third] = exact;
  if (third === undefined) return exact;
  const halved = sub(third, mul(parts.moments[2]!, 0.5)) as Tensor;
  if (algorithm !== 'sde-dpmsolver++') return [first!, second!, halved];
  return [first!, second!, sub(halved, mul(alpha, square(parts.h))) as Tensor];
};

/** The order of a step is lowered near the end of short runs; see {@link DpmSolverMultistepOptions}. */
export const lowerAtEnd =
  (at: Step, lowerOrderFinal: boolean, eulerAtFinal: boolean) =>
  (order: number): Tensor | undefined => {
    if (lowerOrderFinal && at.count < 15) return areLeft(at, order);
    return eulerAtFinal ? areLeft(at, 2) : undefined;
  };

/** x after a step of a multistep method, and what is remembered. */
export const multistep = (
  state: MultistepState,
  at: Step,
  algorithm: DpmSolverAlgorithm,
  denoised: Parts,
  rule: (order: number) => Tensor | undefined,
  termsFor: (parts: Integral, past: Past) => { readonly exact: readonly Tensor[]; readonly slope: Tensor },
): MultistepState => {
  const { x, models, lambdas } = state;
  const [model, other] = predictionsOf(algorithm, denoised);
  const parts = integral(algorithm, at.from, at.to, lambdas.length + 1);
  const lambda = lambdaOf(at.from);
  const past = pastOf(lambda, lambdas);
  const { exact, slope } = termsFor(parts, past);
  const terms = termsOf(exact, gatesOf(past, parts, rule), slope);
  const noise = isStochastic(algorithm) ? [[parts.diffusion, at.noise()] as const] : [];
  return Object.freeze({
    x: advance(x, parts, terms, past.nodes, [model, ...models], [parts.other, other], ...noise),
    x0: denoised.x0,
    ...remember(state, model, lambda),
  });
};

/**
 * DPM-Solver and DPM-Solver++ as multistep methods, with the predictions of the last steps: one call of the network a
 * step. `dpmsolver++` with order 2, that is DPM-Solver++(2M), is the common choice for guided sampling; `sde-dpmsolver++`
 * is its stochastic sibling. Orders rise from 1 in the first steps, and a step to a level without noise has order 1.
 *
 * The coefficients are those of the authors' code and of diffusers. Of order 3 they give the second difference half the
 * weight that makes a method of third order (`deis` has all of it), and `sde-dpmsolver++` of order 3 has −α h² of
 * it more; order 2 is the better choice there.
 *
 * Sources: Lu et al. 2022, arXiv:2206.00927 (DPM-Solver); Lu et al. 2022, arXiv:2211.01095, algorithm 2 and section 3.4
 * (DPM-Solver++ and the SDEs).
 *
 * @param options see {@link DpmSolverMultistepOptions}
 * @returns a sampler; with an algorithm `sde-` it draws once a step
 * @throws ArgumentError for an order that is none of 1, 2, 3, an unknown algorithm, solverType or option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, discreteProcess, dpmSolverMultistep, gaussianDiffusion, inferenceTimesteps, levelsAt, linearBetas, sample } from 'tenfold/diffusion';
 * const levels = levelsAt(discreteProcess(gaussianDiffusion(linearBetas(1000))), inferenceTimesteps(1000, 20));
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(dpmSolverMultistep({ order: 2 }), toZero, levels, zeros([1, 3])).toArray(); // => [[0, 0, 0]]
 * ```
 */
export const dpmSolverMultistep = (options: DpmSolverMultistepOptions = {}): Sampler<MultistepState> => {
  const operation = 'dpmSolverMultistep';
  checkOptions(operation, ['order', 'algorithm', 'solverType', 'lowerOrderFinal', 'eulerAtFinal'], options);
  const { order, algorithm, solverType } = checkDpmSolver(operation, options);
  const { lowerOrderFinal = true, eulerAtFinal = false } = options;
  checkFlag(operation, 'eulerAtFinal', eulerAtFinal);
  return Object.freeze({
    init: (x: Tensor) => multistepState(x, order - 1),
    step: (state: MultistepState, at: Step, denoise) =>
      multistep(
        state,
        at,
        algorithm,
        denoise(state.x, at.from),
        lowerAtEnd(at, lowerOrderFinal, eulerAtFinal),
        (parts, past) => ({
          exact: authorsTerms(algorithm, parts, at.to.alpha, exactTerms(parts, past)),
          slope: order === 1 ? parts.h : slopeOf(parts, solverType),
        }),
      ),
  } satisfies Sampler<MultistepState>);
};
