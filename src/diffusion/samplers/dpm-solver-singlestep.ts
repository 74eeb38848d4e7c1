/** DPM-Solver and DPM-Solver++ in groups of steps, each of which is redone from its start. */

import { checkOptions } from '../../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greaterEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { plainState, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { checkDpmSolver, type DpmSolverOptions, type DpmSolverType, slopeOf } from './dpm-solver.js';
import {
  areApart,
  type DpmSolverAlgorithm,
  type Integral,
  integral,
  isStochastic,
  lambdaOf,
  newtonTerms,
  predictionsOf,
  type Rates,
} from './exponential.js';
import { advance, areLeft, termsOf } from './multistep.js';

/** Options of {@link dpmSolverSinglestep}. */
export interface DpmSolverSinglestepOptions extends DpmSolverOptions {
  /** The last step of order 1 where the number of steps is a multiple of the order. Default true. */
  readonly lowerOrderFinal?: boolean;
}

/** Where the group of steps began that is on its way. */
export interface GroupStart {
  readonly x: Tensor;
  readonly alpha: Tensor;
  readonly sigma: Tensor;
}

/** What the sampler carries. */
export interface SinglestepState extends SamplerState {
  readonly start: GroupStart;
  /** The predictions of the group's first steps; one for each order below the highest. */
  readonly models: readonly Tensor[];
  /** λ of the second of them. */
  readonly between: Tensor;
  /** Steps done in the group, an int32 scalar. */
  readonly done: Tensor;
}

const select = <K extends string>(condition: Tensor, a: Readonly<Record<K, Tensor>>, b: Readonly<Record<K, Tensor>>) =>
  Object.fromEntries(
    Object.keys(a).map(name => [name, where(condition, a[name as K], b[name as K]) as Tensor]),
  ) as Readonly<Record<K, Tensor>>;

/** Exact terms, but in groups of three the second difference is left out (midpoint), or as the authors' code has it. */
const thirdOrderTerms = (
  algorithm: DpmSolverAlgorithm,
  solverType: DpmSolverType,
  parts: Integral,
  to: Rates,
  exact: readonly Tensor[],
): readonly Tensor[] => {
  const [first, second, third] = exact;
  if (third === undefined) return exact;
  if (solverType === 'midpoint') return [first!, second!, mul(parts.h, 0) as Tensor];
  const sign = mul(mul(to.alpha, square(parts.h)), 2);
  return [first!, second!, algorithm === 'sde-dpmsolver++' ? (sub(third, sign) as Tensor) : third];
};

/**
 * DPM-Solver and DPM-Solver++ as single-step methods on a given grid: steps come in groups of `order`. The first step of
 * a group has order 1; each after it goes from the group's start again, with one prediction more and an order higher. One
 * call of the network a step; a new group remembers nothing of those before. Groups end early at a level without signal,
 * and a step to one without noise has order 1.
 *
 * The coefficients are those of the authors' code and of diffusers, with −2 α h² more of the second difference for
 * `sde-dpmsolver++` of order 3 with `heun`. `dpmSolver` places the levels in between itself.
 *
 * Sources: Lu et al. 2022, arXiv:2206.00927, algorithms 1 and 2, section 3.4; arXiv:2211.01095, algorithm 1.
 *
 * @param options see {@link DpmSolverSinglestepOptions}
 * @returns a sampler; with an algorithm `sde-` it draws once a step
 * @throws ArgumentError for an order that is none of 1, 2, 3, an unknown algorithm, solverType or option
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, dpmSolverSinglestep, flowProcess, levelsAt, sample } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * sample(dpmSolverSinglestep(), toZero, levelsAt(flowProcess(), [0.9, 0.6, 0.3]), zeros([1, 2])).toArray(); // => [[0, 0]]
 * ```
 */
export const dpmSolverSinglestep = (options: DpmSolverSinglestepOptions = {}): Sampler<SinglestepState> => {
  const operation = 'dpmSolverSinglestep';
  checkOptions(operation, ['order', 'algorithm', 'solverType', 'lowerOrderFinal'], options);
  const { order, algorithm, solverType } = checkDpmSolver(operation, options);
  const { lowerOrderFinal = true } = options;
  /** Whether a step is of order 2 at least, and whether it is of order 3. */
  const gatesOf = ({ start, between, done }: SinglestepState, at: Step): readonly Tensor[] => {
    const lambda = lambdaOf(at.from);
    const { finite } = integral(algorithm, at.from, at.to, 1);
    const apart = logicalAnd(finite, areApart(lambda, lambdaOf(start))) as Tensor;
    const lowered = lowerOrderFinal && at.count % order === 0;
    const goesOn = lowered ? (logicalAnd(apart, areLeft(at, 2)) as Tensor) : apart;
    const second = logicalAnd(greaterEqual(done, 1), goesOn) as Tensor;
    const third = logicalAnd(logicalAnd(second, greaterEqual(done, 2)), areApart(lambda, between)) as Tensor;
    return [second, third].slice(0, order - 1);
  };
  const step: Sampler<SinglestepState>['step'] = (state, at, denoise) => {
    const { x } = state;
    const denoised = denoise(x, at.from);
    const [model, other] = predictionsOf(algorithm, denoised);
    const here: GroupStart = { x, alpha: at.from.alpha, sigma: at.from.sigma };
    const gates = gatesOf(state, at);
    const start = gates.length === 0 ? here : select(gates[0]!, state.start, here);
    const parts = integral(algorithm, start, at.to, order);
    // Nodes that are not used lie apart as well.
    const node = where(gates[0] ?? parts.finite, sub(lambdaOf(at.from), lambdaOf(start)), 1) as Tensor;
    const nodes = gates.map((gate, i) =>
      i === 0 ? node : (where(gate, sub(state.between, lambdaOf(start)), mul(node, 2)) as Tensor),
    );
    const exact = thirdOrderTerms(algorithm, solverType, parts, at.to, newtonTerms(parts.moments, nodes));
    const terms = termsOf(exact, gates, order === 1 ? parts.h : slopeOf(parts, solverType));
    const first = gates.length === 0 ? model : (where(gates[0]!, state.models[0]!, model) as Tensor);
    const noise = isStochastic(algorithm) ? [[parts.diffusion, at.noise()] as const] : [];
    const done = gates.length === 0 ? state.done : (add(where(gates[0]!, state.done, 0), 1) as Tensor);
    const ended = greaterEqual(done, order);
    return Object.freeze({
      x: advance(
        start.x,
        parts,
        terms,
        nodes,
        [first, model, ...state.models.slice(1)],
        [parts.other, other],
        ...noise,
      ),
      x0: denoised.x0,
      start,
      models: [first, model].slice(0, order - 1),
      between: lambdaOf(at.from),
      done: where(ended, mul(done, 0), done) as Tensor,
    });
  };
  return Object.freeze({
    init: (x: Tensor) => {
      const one = tensor(1, { dtype: 'float64' }) as Tensor;
      return Object.freeze({
        ...plainState(x),
        start: { x, alpha: one, sigma: one },
        models: Array.from({ length: order - 1 }, () => zerosLike(x) as Tensor),
        between: one,
        done: tensor(0, { dtype: 'int32' }) as Tensor,
      });
    },
    step,
  } satisfies Sampler<SinglestepState>);
};
