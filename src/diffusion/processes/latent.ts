/** Latent diffusion: a process among the latents of an autoencoder. */
import type { Posterior } from '../../nn/autoencoder/autoencoder-kl.js';
import { normal } from '../../random/draw.js';
import { type Key, keyNode, split } from '../../random/key.js';
import { type FloatDType, isFloat } from '../../tensor/dtype.js';
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { add, div, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { exp, reciprocal } from '../../tensor/ops/elementwise/elementary.js';
import { std } from '../../tensor/ops/reduction/statistics.js';
import { checkArgument, type Shape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { checkAlike, checkFunctions } from '../checks.js';
import { checkBatched, checkExample, type DiffusionLoss } from '../losses/loss.js';

/** Options of {@link latentDiffusion}. */
export interface LatentDiffusionOptions {
  /**
   * What data [N, …] are encoded as: latents, or a normal distribution for each latent number, as `autoencoderKl` gives them.
   */
  readonly encode: (x: Tensor) => Tensor | Posterior;
  /** What latents [N, …] are decoded to. */
  readonly decode: (latents: Tensor) => Tensor;
  /** What latents are multiplied with: a number, or a tensor such as [C, 1, 1]; see {@link latentScale}. Default 1. */
  readonly scale?: number | Tensor;
  /** What is subtracted from latents beforehand. Default 0. */
  readonly shift?: number | Tensor;
}

/** The way to the latents that are diffused, and back. */
export interface LatentDiffusion {
  /**
   * Latents of data, shifted and scaled. Of a distribution they are drawn with a key, and without one they are its means.
   */
  readonly encode: (x: Tensor, key?: Key) => Tensor;
  /** The data of latents, such as a sampler gives. */
  readonly decode: (latents: Tensor) => Tensor;
  /** The loss of data whose latents are diffused, by a loss of latents: what a trainer takes. */
  readonly loss: <E>(loss: DiffusionLoss<E>) => DiffusionLoss<E>;
}

/**
 * One over the standard deviation of all elements: with this scale latents vary as much as noise does.
 *
 * Source: Rombach et al. 2022, arXiv:2112.10752, appendix G.
 *
 * @param latents float, of a batch that is large enough
 * @returns [] in the dtype of latents; infinite where they do not vary
 * @throws ArgumentError, DTypeError for what is no float tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { latentScale } from 'tenfold/diffusion';
 * latentScale(tensor([[3], [7]])).item(); // => 0.5
 * ```
 */
export const latentScale = (latents: Tensor): Tensor => {
  checkAlike('latentScale', { latents });
  return reciprocal(std(latents)) as Tensor;
};

const checkFactor = (name: string, value: number | Tensor): void => {
  const isNumber = typeof value === 'number' && Number.isFinite(value) && (name !== 'scale' || value !== 0);
  if (isNumber || (isTensor(value) && isFloat(value.dtype))) return;
  throw new ArgumentError({
    operation: 'latentDiffusion',
    given: `${isTensor(value) ? showAval(value) : typeof value === 'number' ? String(value) : kindOf(value)} as ${name}`,
    rule: `${name} is a finite number${name === 'scale' ? ' other than 0' : ''}, or a float tensor`,
    hint: 'Take latentScale(latents) as the scale, and leave out the shift.',
  });
};

/** Latents of what was encoded. */
const latentsIn = (operation: string, encoded: Tensor | Posterior, key: Key | undefined): Tensor => {
  if (isTensor(encoded)) {
    checkAlike(operation, { 'the latents': encoded });
    return encoded;
  }
  const { mean, logVariance } = (encoded ?? {}) as Partial<Posterior>;
  if (!isTensor(mean) || !isTensor(logVariance)) {
    throw new ArgumentError({
      operation,
      given: `an encoder that gives ${kindOf(encoded)}`,
      rule: 'what is encoded is a tensor, or { mean, logVariance }',
      hint: 'Write { encode: x => model.encode(params, x) }.',
    });
  }
  checkAlike(operation, { 'the mean': mean, 'its logVariance': logVariance });
  if (key === undefined) return mean;
  const noise = normal(key, mean.shape, { dtype: mean.dtype as FloatDType }) as Tensor;
  return add(mean, mul(exp(mul(logVariance, 0.5) as Tensor), noise)) as Tensor;
};

/** The key in what a model is told of examples. */
const keyOf = (inputs: unknown): Key => {
  const { key } = (inputs ?? {}) as { readonly key?: Key };
  checkArgument(
    key !== undefined,
    'latentDiffusion',
    'examples whose inputs have no key',
    'latents and their noise are drawn from the key in the inputs, which a trainer puts there',
    'Write { inputs: { key: key(seed) } }.',
  );
  keyNode('latentDiffusion', key);
  return key!;
};

/**
 * An autoencoder around a process: what is diffused are latents z = scale · (encoded − shift). Samplers, denoisers and levels know
 * nothing of it: they are given shapes of latents, and what they sample is decoded.
 *
 * For training either encode the data beforehand, or give the trainer data and `loss(…)`, which encodes each batch: latents are
 * drawn as encoded, and noise in their shape, both from the key of the step; what a model is told has another one.
 *
 * Source: Rombach et al. 2022, arXiv:2112.10752, section 3.3 and appendix G.
 *
 * @param options `encode` and `decode`, `scale` (1) and `shift` (0); see {@link LatentDiffusionOptions}. The parameters of the
 *   autoencoder are constants of theirs
 * @returns `encode(x, key?)`, `decode(latents)` and `loss(loss)`; see {@link LatentDiffusion}
 * @throws ArgumentError for functions that are none, a scale or shift that is no number or float tensor, and unknown options; what
 *   it gives: ArgumentError for what is no tensor, key or loss, or an encoder that gives something else, DTypeError for latents that
 *   are no floats, ShapeError for an example without a batch axis
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { ddim, denoiser, flowProcess, latentDiffusion, levelsAt, sample } from 'tenfold/diffusion';
 * const { encode, decode } = latentDiffusion({ encode: x => mul(x, 10), decode: z => mul(z, 0.1), scale: 0.05 });
 * const z = encode(tensor([[1, -2]]));
 * z.toArray(); // => [[0.5, -1]]
 * const known = denoiser(x => mul(x, 0), { prediction: 'epsilon' });
 * const levels = levelsAt(flowProcess(), [0.5]);
 * decode(sample(ddim(), known, levels, mul(z, 0.5))).toArray(); // => [[1, -2]]
 * ```
 * With the autoencoder of Stable Diffusion, of which `params` are trained:
 * ```js
 * import { zeros } from 'tenfold';
 * import { latentDiffusion } from 'tenfold/diffusion';
 * import { autoencoderKl } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = autoencoderKl({ blockOutChannels: [8, 16], normNumGroups: 4 });
 * const params = model.init(key(0));
 * const latent = latentDiffusion({
 *   encode: x => model.encode(params, x),
 *   decode: z => model.decode(params, z),
 *   scale: 0.18215,
 * });
 * latent.encode(zeros([2, 3, 8, 8]), key(1)).shape; // => [2, 4, 4, 4]
 * ```
 */
export const latentDiffusion = (options: LatentDiffusionOptions): LatentDiffusion => {
  const operation = 'latentDiffusion';
  checkOptions(operation, ['encode', 'decode', 'scale', 'shift'], options);
  const { encode, decode, scale = 1, shift = 0 } = options ?? {};
  checkFunctions(operation, { encode, decode });
  checkFactor('scale', scale);
  checkFactor('shift', shift);
  const like = (value: number | Tensor, x: Tensor): Tensor =>
    (typeof value === 'number' ? value : cast(value, x.dtype)) as Tensor;
  const latentsOf = (x: Tensor, key?: Key): Tensor => {
    checkAlike(operation, { x });
    if (key !== undefined) keyNode(operation, key);
    const latents = latentsIn(operation, encode(x), key);
    return mul(sub(latents, like(shift, latents)), like(scale, latents)) as Tensor;
  };
  return Object.freeze({
    encode: latentsOf,
    decode: (latents: Tensor): Tensor => {
      checkAlike(operation, { latents });
      return decode(add(div(latents, like(scale, latents)), like(shift, latents)) as Tensor);
    },
    loss: <E>(loss: DiffusionLoss<E>): DiffusionLoss<E> => {
      checkFunctions(operation, { 'the loss': loss });
      return (model, example) => {
        checkExample(operation, model, example);
        const { xStart, inputs } = example;
        checkAlike(operation, { xStart });
        checkBatched(operation, xStart);
        const [forLatents, forNoise, forModel] = split(keyOf(inputs), 3) as readonly Key[];
        const latents = latentsOf(xStart, forLatents);
        const noise = normal(forNoise!, latents.shape as Shape, { dtype: latents.dtype as FloatDType }) as Tensor;
        return loss(model, { ...example, xStart: latents, noise, inputs: { ...inputs, key: forModel } });
      };
    },
  });
};
