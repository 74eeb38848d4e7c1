/** The reverse process over states: what a network's prediction of x₀ makes of a step back. */
import type { FloatDType } from '../../tensor/dtype.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFunctions } from '../checks.js';
import { checkLogits, flat, flatLogits, unflat } from './checks.js';
import type { DiscreteDiffusion } from './discrete-diffusion.js';
import { checkInputs } from './forward.js';
import { type Transitions, transitionsAt } from './transitions.js';

/**
 * A network over states: a function of states int32 [N, …], times [N] and further inputs (any tree; null when there are
 * none), that gives logits of x₀, float [N, …, K]. Times are int32 timesteps of a `discreteDiffusion`, the original ones
 * where it was respaced, and float32 in [0, 1] of a `maskedDiffusion`.
 */
export type DiscreteModel<E = unknown> = (x: Tensor, t: Tensor, extra: E) => Tensor;

/** What a network is given beside states and times. */
export interface DiscreteInputs<E = unknown> {
  /** Passed on as the third argument; null when left out. */
  readonly modelInputs?: E | undefined;
}

/** The distribution p(xₜ₋₁ | xₜ), and that of x₀ behind it: log-probabilities [N, …, K]. */
export interface DiscretePrediction {
  readonly logProbs: Tensor;
  /** log p(x₀ | xₜ), of states that can lead to xₜ. */
  readonly predXStart: Tensor;
}

/** The timesteps as the network knows them. Rising whole numbers of which the last is T − 1 are all of them. */
const modelTimes = ({ timestepMap, numTimesteps }: DiscreteDiffusion, t: Tensor): Tensor =>
  timestepMap.at(-1) === numTimesteps - 1
    ? t
    : (take(tensor(timestepMap, { dtype: 'int32' }), t as Tensor<Shape, 'int32'>) as Tensor);

/** A network's prediction and what it means, [N, P, K]. */
export const predictionAt = <E>(
  operation: string,
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xT: Tensor,
  t: Tensor,
  { modelInputs = null as E }: DiscreteInputs<E>,
): { readonly transitions: Transitions; readonly x0: Tensor; readonly previous: Tensor } => {
  const logits = checkLogits(operation, model(xT, modelTimes(diffusion, t), modelInputs), xT, diffusion.states);
  const transitions = transitionsAt(diffusion, t, logits.dtype as FloatDType);
  const x0 = transitions.predict(flatLogits(logits), flat(xT));
  return { transitions, x0, previous: transitions.reverse(x0, flat(xT)) };
};

/**
 * The distribution p(xₜ₋₁ | xₜ) = Σ q(xₜ₋₁ | xₜ, x₀) p(x₀ | xₜ) over all x₀, for a network that predicts x₀. States
 * that cannot have led to xₜ count for nothing, and neither does the mask: of the absorbing kind, what is no mask
 * stays.
 *
 * It is the reverse process itself where the network gives p(x₀ | xₜ) itself. (Eq. 4 of the paper weighs each x₀ with
 * q(xₜ | x₀) once more, which for the absorbing kind is the same.)
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, section 3.3.
 *
 * @param model see {@link DiscreteModel}
 * @param xT xₜ, int32 [N, …]
 * @param t int32 [N]
 * @param options `modelInputs`
 * @returns log-probabilities of xₜ₋₁ and of x₀, [N, …, K] in the dtype of the logits
 * @throws ArgumentError for what is no diffusion, model or option; ShapeError, DTypeError when xT is not int32 [N, …],
 *   t not int32 [N], or the logits do not fit
 * @example
 * ```js
 * import { exp, tensor, zeros } from 'tenfold';
 * import { discreteDiffusion, pPrevious } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * const [mask, t] = [tensor([[2]], { dtype: 'int32' }), tensor([1], { dtype: 'int32' })];
 * const { logProbs } = pPrevious(diffusion, () => zeros([1, 1, 3]), mask, t);
 * exp(logProbs).toArray(); // => [[[0.25, 0.25, 0.5]]]
 * ```
 */
export const pPrevious = <E = unknown>(
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xT: Tensor,
  t: Tensor,
  options: DiscreteInputs<E> = {},
): DiscretePrediction => {
  checkInputs('pPrevious', diffusion, { xT }, t);
  checkFunctions('pPrevious', { model });
  checkOptions('pPrevious', ['modelInputs'], options);
  const { x0, previous } = predictionAt('pPrevious', diffusion, model, xT, t, options);
  return Object.freeze({ logProbs: unflat(previous, xT.shape), predXStart: unflat(x0, xT.shape) });
};
