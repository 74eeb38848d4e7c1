/** UniPC: predictors of any order, and correctors that need no further call of the network. */

import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { add, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { any, equal, greaterEqual, notEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd, logicalNot } from '../../tensor/ops/elementwise/logic.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkOneOf } from '../checks.js';
import { plainState, type Sampler, type SamplerState, type Step } from '../sampler.js';
import {
  type DpmSolverAlgorithm,
  type Integral,
  integral,
  lambdaOf,
  newtonTerms,
  pastOf,
  predictionsOf,
} from './exponential.js';
import { advance, areLeft, exactTerms, gatesOf, type History, noHistory, remember, termsOf } from './multistep.js';
import { checkOrder } from './solver-options.js';

/** B(h), what steps are measured with: h, or exp(h) − 1. */
export type UniPcType = 'bh1' | 'bh2';

/** Options of {@link uniPc}. */
export interface UniPcOptions {
  /** p of the predictor, from 1 to 5; with the corrector the order is p + 1. Default 2. */
  readonly order?: number;
  /** Default `bh2`. */
  readonly solverType?: UniPcType;
  /** Integrate the prediction of x₀, or else that of the noise. Default true. */
  readonly predictX0?: boolean;
  /** Order k at most where k steps are left. Default true. */
  readonly lowerOrderFinal?: boolean;
  /** Steps, numbered from 0, whose result is not corrected. Default none. */
  readonly disableCorrector?: readonly number[];
}

/** What the sampler carries. */
export interface UniPcState extends SamplerState, History {
  /** The samples that the last step went from, and their level. */
  readonly last: { readonly x: Tensor; readonly alpha: Tensor; readonly sigma: Tensor };
  /** The order of the last step, an int32 scalar; 0 before the first. */
  readonly lastOrder: Tensor;
}

/** The difference of a step of order 2, or of a corrector of order 1, which is halved in place of being integrated. */
const slopeOf = ({ h, moments, linearised }: Integral, solverType: UniPcType): Tensor =>
  mul(mul(h, solverType === 'bh1' ? linearised : moments[0]!), 0.5) as Tensor;

/** The samples of this level once more, now that there is a prediction at it. */
const corrected = (
  state: UniPcState,
  at: Step,
  algorithm: DpmSolverAlgorithm,
  solverType: UniPcType,
  model: Tensor,
): Tensor => {
  const { last, lastOrder, models, lambdas } = state;
  const parts = integral(algorithm, last, at.from, models.length + 1);
  const { nodes } = pastOf(lambdas[0]!, lambdas.slice(1));
  const apart = notEqual(parts.h, 0);
  const all = [where(apart, parts.h, 1) as Tensor, ...nodes];
  const exact = newtonTerms(parts.moments, all);
  // The node of this level counts as one, so that a corrector of order 1 has a first difference.
  const gates = all.map((_, i) => greaterEqual(lastOrder, i + 1) as Tensor);
  const [latest, ...earlier] = models;
  return advance(last.x, parts, termsOf(exact, gates, slopeOf(parts, solverType)), all, [latest!, model, ...earlier]);
};

/** Whether this level's samples are to be corrected: those that an integral has led to. */
const isCorrected = (
  { lastOrder, last }: UniPcState,
  { index, from }: Step,
  algorithm: DpmSolverAlgorithm,
  disabled: readonly number[],
): Tensor => {
  const moved = logicalAnd(greaterEqual(lastOrder, 1), notEqual(lambdaOf(last), lambdaOf(from)));
  const { other, finite } = integral(algorithm, last, from, 1);
  // Of ε there is none at the data either, where x₀ was taken as it is predicted.
  const reached = logicalAnd(moved, algorithm === 'dpmsolver' ? finite : equal(other, 0)) as Tensor;
  if (disabled.length === 0) return reached;
  const numbers = tensor(disabled, { dtype: 'int32' }) as Tensor;
  return logicalAnd(reached, logicalNot(any(equal(numbers, sub(index, 1))) as Tensor)) as Tensor;
};

const checkDisabled = (disabled: readonly number[]): void =>
  checkArgument(
    Array.isArray(disabled) && disabled.every(step => Number.isInteger(step) && step >= 0 && step < 2 ** 31),
    'uniPc',
    `${Array.isArray(disabled) ? `[${disabled.map(String).join(', ')}]` : typeof disabled} as disableCorrector`,
    'disableCorrector is a list of steps, numbered from 0',
    'With strong guidance take [0, 1, 2]; leave it out to correct all.',
  );

/**
 * Unified predictor-corrector: the prediction is a polynomial in λ through the last ones, integrated exactly (of order 2
 * nearly so, by B(h) / 2). The prediction at the new level, which the next step needs anyway, then corrects the samples
 * there. One call of the network a step; orders rise from 1 in the first steps, and a step to a level without noise has
 * order 1.
 *
 * Source: Zhao et al. 2023, arXiv:2302.04867, algorithms 5 to 8, appendix on B(h).
 *
 * @param options see {@link UniPcOptions}
 * @returns a sampler without noise
 * @throws ArgumentError for an order that is no integer from 1 to 5, an unknown solverType or option, and for steps that
 *   are no non-negative integers
 * @example
 * ```js
 * import { mul, zeros } from 'tenfold';
 * import { denoiser, flowProcess, levelsAt, sample, uniPc } from 'tenfold/diffusion';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(flowProcess(), [0.9, 0.6, 0.3]);
 * sample(uniPc({ order: 3, disableCorrector: [0] }), toZero, levels, zeros([1, 2])).toArray(); // => [[0, 0]]
 * ```
 */
export const uniPc = (options: UniPcOptions = {}): Sampler<UniPcState> => {
  checkOptions('uniPc', ['order', 'solverType', 'predictX0', 'lowerOrderFinal', 'disableCorrector'], options);
  const { order = 2, solverType = 'bh2', predictX0 = true, lowerOrderFinal = true, disableCorrector = [] } = options;
  checkOrder('uniPc', order, 5);
  checkOneOf('uniPc', 'the solverType', ['bh2', 'bh1'], solverType);
  checkFlag('uniPc', 'predictX0', predictX0);
  checkFlag('uniPc', 'lowerOrderFinal', lowerOrderFinal);
  checkDisabled(disableCorrector);
  const algorithm = predictX0 ? 'dpmsolver++' : 'dpmsolver';
  const step: Sampler<UniPcState>['step'] = (state, at, denoise) => {
    const denoised = denoise(state.x, at.from);
    const [model, other] = predictionsOf(algorithm, denoised);
    const better = corrected(state, at, algorithm, solverType, model);
    const x = where(isCorrected(state, at, algorithm, disableCorrector), better, state.x) as Tensor;
    const lambda = lambdaOf(at.from);
    const parts = integral(algorithm, at.from, at.to, order);
    const past = pastOf(lambda, state.lambdas.slice(0, order - 1));
    const gates = gatesOf(past, parts, k => (lowerOrderFinal ? areLeft(at, k) : undefined));
    const terms = termsOf(exactTerms(parts, past), gates, slopeOf(parts, solverType));
    return Object.freeze({
      x: advance(x, parts, terms, past.nodes, [model, ...state.models], [parts.other, other]),
      x0: denoised.x0,
      ...remember(state, model, lambda),
      last: { x, alpha: at.from.alpha, sigma: at.from.sigma },
      lastOrder: gates
        .map(gate => cast(gate, 'int32') as Tensor)
        .reduce((sum, gate) => add(sum, gate) as Tensor, tensor(1, { dtype: 'int32' }) as Tensor),
    });
  };
  return Object.freeze({
    init: (x: Tensor) => {
      const one = tensor(1, { dtype: 'float64' }) as Tensor;
      return Object.freeze({
        ...plainState(x),
        ...noHistory(x, order),
        last: { x, alpha: one, sigma: one },
        lastOrder: tensor(0, { dtype: 'int32' }) as Tensor,
      });
    },
    step,
  } satisfies Sampler<UniPcState>);
};
