/**
 * Masked diffusion in continuous time: each state is masked at a time of its own, and a network says what was there.
 */
import { uniform } from '../../random/draw.js';
import type { Key } from '../../random/key.js';
import { isFloat } from '../../tensor/dtype.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { div, mul, neg, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { equal, greater, greaterEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { cos, log } from '../../tensor/ops/elementwise/elementary.js';
import { expandDims, reshape } from '../../tensor/ops/movement/movement.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, checkInteger, type Shape, sameShape } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { grad } from '../../tensor/transform/grad.js';
import { checkFunctions } from '../checks.js';
import { checkKey, checkLogits, checkStates, checkTimes, flat, flatLogits, unflat } from './checks.js';
import { maskOf } from './discrete-diffusion.js';
import { perSample, sampleKeys } from './draws.js';
import { bitsPerPosition, type DiscreteNoiseOptions, surprise } from './losses.js';
import type { DiscreteModel } from './reverse.js';
import { maskTransitions, type Transitions } from './transitions.js';

/** Options of {@link maskedDiffusion}. */
export interface MaskedDiffusionOptions {
  /** K, the number of states; that of the mask counts. */
  readonly states: number;
  /** The state that is the mask. Default K − 1. */
  readonly mask?: number;
  /**
   * The share of states that are not masked at time t: `linear`, 1 − t; `cosine`, 1 − cos(π (1 − t) / 2); or any
   * falling function from 1 at 0 to 0 at 1 of floats, element by element. Default linear.
   */
  readonly schedule?: 'linear' | 'cosine' | ((t: Tensor) => Tensor);
}

/** Masked diffusion: frozen, with the share α(t) of states that are not masked at time t ∈ [0, 1]. */
export interface MaskedDiffusion {
  readonly kind: 'masked';
  /** K. */
  readonly states: number;
  readonly mask: number;
  readonly alpha: (t: Tensor) => Tensor;
}

const schedules: Readonly<Record<string, (t: Tensor) => Tensor>> = {
  linear: t => sub(1, t) as Tensor,
  cosine: t => sub(1, cos(mul(sub(1, t), Math.PI / 2))) as Tensor,
};

/**
 * Masked diffusion in continuous time: at time t a state is still there with probability α(t), and else a mask,
 * whatever the others are. A network, which gives logits [N, …, K] for states with masks int32 [N, …] and times float32
 * [N], predicts what the masks hide; where there is none, nothing is to be predicted.
 *
 * Sources: Sahoo et al. 2024, arXiv:2406.07524, section 3 (MDLM); Shi et al. 2024, arXiv:2406.04329 (MD4).
 *
 * @param options see {@link MaskedDiffusionOptions}
 * @returns a frozen value
 * @throws IndexError for a number of states or a mask that is none, ArgumentError for what is no schedule or option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { maskedDiffusion } from 'tenfold/diffusion';
 * const diffusion = maskedDiffusion({ states: 4 });
 * diffusion.mask; // => 3
 * diffusion.alpha(tensor([0, 0.25, 1])).toArray(); // => [1, 0.75, 0]
 * ```
 */
export const maskedDiffusion = (options: MaskedDiffusionOptions): MaskedDiffusion => {
  const operation = 'maskedDiffusion';
  checkOptions(operation, ['states', 'mask', 'schedule'], options);
  const { states, mask, schedule = 'linear' } = options ?? ({} as MaskedDiffusionOptions);
  checkInteger(operation, 'the number of states', states, 2, 2 ** 31 - 1);
  const isNamed = typeof schedule === 'string' && Object.hasOwn(schedules, schedule);
  checkArgument(
    isNamed || typeof schedule === 'function',
    operation,
    `the schedule ${typeof schedule === 'string' ? `'${schedule}'` : kindOf(schedule)}`,
    `a schedule is ${Object.keys(schedules).join(', ')} or a function of times`,
    'Write t => sub(1, t).',
  );
  const alpha = isNamed ? schedules[schedule as string]! : (schedule as MaskedDiffusion['alpha']);
  return Object.freeze({ kind: 'masked', states, mask: maskOf(operation, states, mask), alpha });
};

/**
 * @internal Refuses what is no masked diffusion.
 *
 * @throws ArgumentError
 */
export const checkMasked = (operation: string, diffusion: MaskedDiffusion): void => {
  const { kind, states, mask, alpha } = diffusion ?? ({} as MaskedDiffusion);
  const isStateOf = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value < states;
  checkArgument(
    kind === 'masked' && Number.isSafeInteger(states) && isStateOf(mask) && typeof alpha === 'function',
    operation,
    `${kindOf(diffusion)} as the diffusion`,
    'it takes a masked diffusion',
    'Make one with maskedDiffusion({ states }).',
  );
};

/** α at float64 times, checked. */
export const alphaAt = (operation: string, { alpha }: MaskedDiffusion, t: Tensor): Tensor => {
  const share = alpha(t);
  checkArgument(
    isTensor(share) && isFloat(share.dtype) && sameShape(share.shape, t.shape),
    operation,
    'a schedule that gives no floats in the shape of the times',
    'a schedule is a function of times, element by element',
    'Write t => sub(1, t).',
  );
  return cast(share, 'float64') as Tensor;
};

/** The transitions of masks from shares α at t to those at s, both float64 scalars. */
export const unmaskingFrom = (
  { states, mask }: MaskedDiffusion,
  from: Tensor,
  to: Tensor,
  dtype: 'float32' | 'float64',
): Transitions => {
  const masked = sub(1, from) as Tensor;
  // Where nothing is masked there is nothing to divide.
  const some = where(greater(masked, 0), masked, 1) as Tensor;
  const logOf = (share: Tensor): Tensor => cast(log(share), dtype) as Tensor;
  return maskTransitions(states, mask, {
    kept: logOf(from),
    masked: logOf(masked),
    revealed: logOf(div(sub(to, from), some) as Tensor),
    left: logOf(div(sub(1, to), some) as Tensor),
  });
};

const masks = (
  operation: string,
  { mask }: MaskedDiffusion,
  xStart: Tensor,
  alpha: Tensor,
  { key, firstSample = 0 }: Pick<DiscreteNoiseOptions, 'key' | 'firstSample'>,
): Tensor => {
  checkKey(operation, key, firstSample, xStart.shape[0]!);
  const states = flat(xStart);
  const numbers = perSample(
    sampleKeys(key, xStart.shape[0]!, firstSample),
    each => uniform(each, [states.shape[1]!]) as Tensor,
  );
  const hidden = greaterEqual(numbers, expandDims(cast(alpha, 'float32'), 1) as Tensor) as Tensor;
  return where(hidden, mask, states) as Tensor;
};

/**
 * Data with the masks of time t: a sample of q(xₜ | x₀). Sample i draws from `foldIn(key, i)`, whatever the batch it is
 * in, and what is masked at a time is so at all later ones.
 *
 * Source: Sahoo et al. 2024, arXiv:2406.07524, section 3.2.1.
 *
 * @param xStart x₀, int32 [N, …] of states 0 … K − 1, masks staying what they are
 * @param t times in [0, 1], float [N]
 * @param firstSample the number of the batch's first sample, the others follow
 * @returns xₜ, int32 in the shape of xStart
 * @throws ArgumentError for what is no diffusion, tensor or key; ShapeError, DTypeError when xStart is not int32 [N, …]
 *   or t not float [N]; IndexError for a negative firstSample
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { maskedDiffusion, maskStates } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const x = tensor([[0, 1], [0, 1]], { dtype: 'int32' });
 * maskStates(maskedDiffusion({ states: 3 }), x, tensor([0, 1]), key(0)).toArray(); // => [[0, 1], [2, 2]]
 * ```
 */
export const maskStates = <S extends Shape>(
  diffusion: MaskedDiffusion,
  xStart: Tensor<S, 'int32'>,
  t: Tensor,
  key: Key,
  firstSample = 0,
): Tensor<S, 'int32'> => {
  const operation = 'maskStates';
  checkMasked(operation, diffusion);
  const x = xStart as Tensor;
  checkStates(operation, { xStart: x });
  checkTimes(operation, x, t, 'float');
  const alpha = alphaAt(operation, diffusion, cast(t, 'float64') as Tensor);
  return unflat(masks(operation, diffusion, x, alpha, { key, firstSample }), x.shape) as unknown as Tensor<S, 'int32'>;
};

/** Losses of {@link maskedLosses} by sample in bits per dimension, each float [N]. */
export interface MaskedLosses {
  /** The cross entropy times −α′(t) / (1 − α(t)); for times uniform in [0, 1] its mean is the variational bound. */
  readonly loss: Tensor<readonly [number]>;
  /** −log p(x₀ | xₜ) where there are masks, and 0 elsewhere. */
  readonly crossEntropy: Tensor<readonly [number]>;
}

/**
 * The loss of a network at given times: the cross entropy of what is masked, times −α′(t) / (1 − α(t)). Averaged over
 * uniform times it is the variational bound on −log p(x₀), whatever the schedule. Draw the times with
 * `stratifiedSampler({ range: [0.001, 1] })`, which spreads them over the batch.
 *
 * Sources: Sahoo et al. 2024, arXiv:2406.07524, section 3.4; equally Shi et al. 2024, arXiv:2406.04329.
 *
 * @param model see {@link DiscreteModel}; its times are float32 in [0, 1]
 * @param xStart x₀, int32 [N, …], of states that are no mask
 * @param t times in (0, 1], float [N]
 * @param options the `key`, from which masks are drawn as `maskStates` does; `firstSample`, `modelInputs`
 * @returns the loss and the cross entropy, float [N]
 * @throws ArgumentError for what is no diffusion, model, key or option; ShapeError, DTypeError when xStart is not int32
 *   [N, …], t not float [N], or the logits do not fit; IndexError for a negative firstSample
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { maskedDiffusion, maskedLosses } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const x = tensor([[0, 1]], { dtype: 'int32' });
 * const losses = maskedLosses(maskedDiffusion({ states: 3 }), () => zeros([1, 2, 3]), x, tensor([1]), { key: key(0) });
 * losses.loss.toArray(); // => [1]
 * ```
 */
export const maskedLosses = <E = unknown>(
  diffusion: MaskedDiffusion,
  model: DiscreteModel<E>,
  xStart: Tensor,
  t: Tensor,
  options: DiscreteNoiseOptions<E>,
): MaskedLosses => {
  const operation = 'maskedLosses';
  checkMasked(operation, diffusion);
  checkStates(operation, { xStart });
  checkTimes(operation, xStart, t, 'float');
  checkFunctions(operation, { model });
  checkOptions(operation, ['key', 'firstSample', 'modelInputs'], options);
  const { key, firstSample, modelInputs = null as E } = options ?? {};
  const times = cast(t, 'float64') as Tensor;
  const alpha = alphaAt(operation, diffusion, times);
  const slope = grad((at: Tensor): Tensor => sum(alphaAt(operation, diffusion, at)) as Tensor)(times);
  const masked = sub(1, alpha) as Tensor;
  const some = greater(masked, 0) as Tensor;
  const weight = where(some, div(neg(slope), where(some, masked, 1)), 0) as Tensor;
  const states = masks(operation, diffusion, xStart, alpha, { key: key!, firstSample });
  const xT = unflat(states, xStart.shape);
  const logits = checkLogits(operation, model(xT, cast(t, 'float32') as Tensor, modelInputs), xT, diffusion.states);
  const { predict } = unmaskingFrom(diffusion, alpha, alpha, 'float32');
  const nats = where(equal(states, diffusion.mask), surprise(predict(flatLogits(logits), states), flat(xStart)), 0);
  const crossEntropy = bitsPerPosition(nats as Tensor);
  const loss = mul(crossEntropy, reshape(cast(weight, crossEntropy.dtype), [xStart.shape[0]!])) as Tensor;
  return Object.freeze({ loss, crossEntropy }) as MaskedLosses;
};
