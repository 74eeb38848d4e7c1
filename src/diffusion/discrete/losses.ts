/** What diffusions over states are trained on, and the variational bound, in bits per dimension. */
import type { Key } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { full, tensor } from '../../tensor/ops/creation/creation.js';
import { add, div, mul, neg } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { takeAlong } from '../../tensor/ops/indexing/indexing.js';
import { broadcastTo, expandDims, reshape, transpose } from '../../tensor/ops/movement/movement.js';
import { mean, sum } from '../../tensor/ops/reduction/reduction.js';
import { range, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scan } from '../../tensor/transform/loops.js';
import { checkFunctions } from '../checks.js';
import { checkedDType, checkKey, checkStates, flat, unflat } from './checks.js';
import { checkDiscrete, type DiscreteDiffusion } from './discrete-diffusion.js';
import { checkInputs, noisyStates, type ProbabilityOptions } from './forward.js';
import { type DiscreteInputs, type DiscreteModel, predictionAt } from './reverse.js';
import { certain, divergence, transitionsAt } from './transitions.js';

/** What draws of xₜ and networks take. */
export interface DiscreteNoiseOptions<E = unknown> extends DiscreteInputs<E> {
  /** Sample i at timestep t draws xₜ from `foldIn(foldIn(key, i), t)`. */
  readonly key: Key;
  /** The number of the first sample of this batch. Default 0. */
  readonly firstSample?: number | undefined;
}

/** Options of {@link discreteLosses}. */
export interface DiscreteLossOptions<E = unknown> extends DiscreteNoiseOptions<E> {
  /** λ, the weight of the cross entropy. Default 0: the bound alone. */
  readonly hybrid?: number | undefined;
}

/** Losses by sample in bits per dimension, each float [N]. */
export interface DiscreteLosses {
  /** vb + λ crossEntropy. */
  readonly loss: Tensor<readonly [number]>;
  /** The term of the variational bound. */
  readonly vb: Tensor<readonly [number]>;
  /** −log p(x₀ | xₜ). */
  readonly crossEntropy: Tensor<readonly [number]>;
}

/** The mean over positions, in bits. */
export const bitsPerPosition = (nats: Tensor): Tensor => div(mean(nats, { axis: 1 }), Math.LN2) as Tensor;

/** −log p of given states, [N, P]. */
export const surprise = (logProbs: Tensor, x: Tensor): Tensor => {
  const at = takeAlong(logProbs, expandDims(x, 2) as Tensor<Shape, 'int32'>, { axis: 2 }) as Tensor;
  return neg(reshape(at, x.shape)) as Tensor;
};

const termsAt = <E>(
  operation: string,
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xStart: Tensor,
  xT: Tensor,
  t: Tensor,
  inputs: DiscreteInputs<E>,
) => {
  const { transitions, x0, previous } = predictionAt(operation, diffusion, model, xT, t, inputs);
  const known = certain(flat(xStart), diffusion.states, x0.dtype as FloatDType);
  return {
    // At t = 0 the posterior is the data, and the divergence −log p(x₀ | x₁).
    vb: bitsPerPosition(divergence(transitions.reverse(known, flat(xT)), previous)),
    crossEntropy: bitsPerPosition(surprise(x0, flat(xStart))),
    x0,
  };
};

/**
 * One term of the variational bound, in bits per dimension: KL(q(xₜ₋₁ | xₜ, x₀) ‖ p(xₜ₋₁ | xₜ)), and at t = 0
 * −log p(x₀ | x₁).
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 1 (L_{t−1} and L₀).
 *
 * @param model see {@link DiscreteModel}
 * @param xStart x₀, int32 [N, …], of states that are no mask
 * @param xT xₜ, int32 in the shape of xStart
 * @param t int32 [N]
 * @param options `modelInputs`
 * @returns `output`, the term [N], and `predXStart`, log p(x₀ | xₜ) [N, …, K]
 * @throws ArgumentError for what is no diffusion, model or option; ShapeError, DTypeError when the states are not int32
 *   [N, …] of one shape, t is not int32 [N], or the logits do not fit
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { discreteDiffusion, discreteVbTermsBpd } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * const [x, mask, t] = [[[0]], [[2]], [0]].map(values => tensor(values, { dtype: 'int32' }));
 * discreteVbTermsBpd(diffusion, () => zeros([1, 1, 3]), x, mask, t).output.toArray(); // => [1]
 * ```
 */
export const discreteVbTermsBpd = <E = unknown>(
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xStart: Tensor,
  xT: Tensor,
  t: Tensor,
  options: DiscreteInputs<E> = {},
): { readonly output: Tensor<readonly [number]>; readonly predXStart: Tensor } => {
  const operation = 'discreteVbTermsBpd';
  checkInputs(operation, diffusion, { xStart, xT }, t);
  checkFunctions(operation, { model });
  checkOptions(operation, ['modelInputs'], options);
  const { vb, x0 } = termsAt(operation, diffusion, model, xStart, xT, t, options);
  return Object.freeze({ output: vb as Tensor<readonly [number]>, predXStart: unflat(x0, xStart.shape) });
};

/**
 * The losses of a network at given timesteps: the term of the variational bound with λ times the cross entropy of x₀.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eqs. 1 and 5 (L_λ).
 *
 * @param model see {@link DiscreteModel}
 * @param xStart x₀, int32 [N, …], of states that are no mask
 * @param t int32 [N]
 * @param options the `key`, from which xₜ is drawn as `qSampleDiscrete` does; see {@link DiscreteLossOptions}
 * @returns the loss and its parts, float [N]
 * @throws ArgumentError for what is no diffusion, model, key or option; ShapeError, DTypeError when xStart is not int32
 *   [N, …], t not int32 [N], or the logits do not fit; IndexError for a negative firstSample
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { discreteDiffusion, discreteLosses } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * const [x, t] = [[[0, 1]], [1]].map(values => tensor(values, { dtype: 'int32' }));
 * const { loss } = discreteLosses(diffusion, () => zeros([1, 2, 3]), x, t, { key: key(0), hybrid: 0.5 });
 * loss.toArray(); // => [1]
 * ```
 */
export const discreteLosses = <E = unknown>(
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xStart: Tensor,
  t: Tensor,
  options: DiscreteLossOptions<E>,
): DiscreteLosses => {
  const operation = 'discreteLosses';
  checkInputs(operation, diffusion, { xStart }, t);
  checkFunctions(operation, { model });
  checkOptions(operation, ['key', 'firstSample', 'modelInputs', 'hybrid'], options);
  const { key, firstSample = 0, hybrid = 0, modelInputs } = options ?? {};
  checkKey(operation, key, firstSample, xStart.shape[0]!);
  checkNumber(operation, 'hybrid', hybrid, 'notNegative');
  const xT = noisyStates(diffusion, xStart, t, key, firstSample);
  const { vb, crossEntropy } = termsAt(operation, diffusion, model, xStart, xT, t, { modelInputs });
  const loss = hybrid === 0 ? vb : (add(vb, mul(crossEntropy, hybrid)) as Tensor);
  return Object.freeze({ loss, vb, crossEntropy }) as DiscreteLosses;
};

const priorFor = (diffusion: DiscreteDiffusion, xStart: Tensor, dtype: FloatDType): Tensor => {
  const t = full([xStart.shape[0]!], diffusion.numTimesteps - 1, { dtype: 'int32' }) as Tensor;
  const limit = tensor(diffusion.limit.map(Math.log), { dtype }) as Tensor;
  return bitsPerPosition(divergence(transitionsAt(diffusion, t, dtype).forward(flat(xStart)), limit));
};

/**
 * The term of the variational bound that no network changes, in bits per dimension: KL(q(x_T | x₀) ‖ p(x_T)). Of the
 * absorbing kind it is infinite unless the last step masks all that is left.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 1 (L_T).
 *
 * @param xStart x₀, int32 [N, …], of states that are no mask
 * @param options the `dtype`
 * @returns [N]
 * @throws ArgumentError for what is no diffusion, tensor or option; ShapeError, DTypeError when xStart is not int32 [N,
 *   …]
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { discreteDiffusion, discretePriorBpd } from 'tenfold/diffusion';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * discretePriorBpd(diffusion, zeros([1, 2], { dtype: 'int32' })).toArray(); // => [0]
 * ```
 */
export const discretePriorBpd = (
  diffusion: DiscreteDiffusion,
  xStart: Tensor,
  options: ProbabilityOptions = {},
): Tensor<readonly [number]> => {
  checkDiscrete('discretePriorBpd', diffusion);
  checkStates('discretePriorBpd', { xStart });
  checkOptions('discretePriorBpd', ['dtype'], options);
  const dtype = checkedDType('discretePriorBpd', options.dtype);
  return priorFor(diffusion, xStart, dtype) as Tensor<readonly [number]>;
};

/** The whole variational bound, in bits per dimension; the columns stand for t = T − 1 … 0. */
export interface DiscreteBpdTerms {
  /** The sum of all terms: [N]. */
  readonly totalBpd: Tensor<readonly [number]>;
  /** See {@link discretePriorBpd}: [N]. */
  readonly priorBpd: Tensor<readonly [number]>;
  /** See {@link discreteVbTermsBpd}: [N, T]. */
  readonly vb: Tensor<readonly [number, number]>;
  /** −log p(x₀ | xₜ): [N, T]. */
  readonly crossEntropy: Tensor<readonly [number, number]>;
}

/**
 * The whole variational bound on −log p(x₀), in bits per dimension, with a fresh xₜ for every timestep: all terms, from
 * t = T − 1 to 0, as one scan, and {@link discretePriorBpd}.
 *
 * Source: Austin et al. 2021, arXiv:2107.03006, eq. 1.
 *
 * @param model see {@link DiscreteModel}
 * @param xStart x₀, int32 [N, …], of states that are no mask
 * @param options the `key`; see {@link DiscreteNoiseOptions}
 * @returns the terms and their sum, in the dtype of the logits
 * @throws ArgumentError, ShapeError, DTypeError, IndexError as {@link discreteLosses}
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { discreteBpdLoop, discreteDiffusion } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1], kind: 'absorbing' });
 * const x = zeros([1, 2], { dtype: 'int32' });
 * discreteBpdLoop(diffusion, () => zeros([1, 2, 3]), x, { key: key(0) }).vb.shape; // => [1, 2]
 * ```
 */
export const discreteBpdLoop = <E = unknown>(
  diffusion: DiscreteDiffusion,
  model: DiscreteModel<E>,
  xStart: Tensor,
  options: DiscreteNoiseOptions<E>,
): DiscreteBpdTerms => {
  const operation = 'discreteBpdLoop';
  checkDiscrete(operation, diffusion);
  checkStates(operation, { xStart });
  checkFunctions(operation, { model });
  checkOptions(operation, ['key', 'firstSample', 'modelInputs'], options);
  const { key, firstSample = 0, modelInputs } = options ?? {};
  const count = xStart.shape[0]!;
  checkKey(operation, key, firstSample, count);
  const step = (_: null, at: Tensor) => {
    const t = broadcastTo(at, [count]) as Tensor;
    const xT = noisyStates(diffusion, xStart, t, key, firstSample);
    const { vb, crossEntropy } = termsAt(operation, diffusion, model, xStart, xT, t, { modelInputs });
    return [null, { vb, crossEntropy }] as const;
  };
  const timesteps = tensor(range(diffusion.numTimesteps).reverse(), { dtype: 'int32' }) as Tensor;
  const [, rows] = scan(step)(null, timesteps);
  const [vb, crossEntropy] = [rows.vb, rows.crossEntropy].map(row => transpose(row) as Tensor);
  const prior = cast(priorFor(diffusion, xStart, 'float64'), vb!.dtype) as Tensor;
  const totalBpd = add(sum(vb!, { axis: 1 }), prior) as Tensor;
  return Object.freeze({ totalBpd, priorBpd: prior, vb, crossEntropy }) as DiscreteBpdTerms;
};
