/** Where samplers and losses take their noise from: a tensor that is given, or a key. */
import { normal } from '../random/draw.js';
import { foldIn, type Key, keyNode } from '../random/key.js';
import type { DType, FloatDType } from '../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../tensor/errors.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { checkInteger, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { vmap } from '../tensor/transform/vmap.js';
import { checkAlike, checkBatch, checkTensors } from './checks.js';

/** A source of randomness: either the noise itself or a key to draw it from. */
export interface NoiseOptions {
  /** Standard normal noise. */
  readonly noise?: Tensor | undefined;
  /** Sample i draws at timestep t from `foldIn(foldIn(key, i), t)`: see {@link timestepNoise}. */
  readonly key?: Key | undefined;
  /** With a key, the number of the first sample of this batch. Default 0. */
  readonly firstSample?: number | undefined;
}

/**
 * Standard normal noise for a batch: sample i at timestep t draws from `foldIn(foldIn(key, i), t)`. So what a sample
 * gets depends on the key, its own number and its timestep, and not on the batch it is in.
 *
 * @param like samples [N, …] whose shape and dtype the noise takes
 * @param t int32 [N]
 * @param firstSample the number of the batch's first sample, the others follow
 * @throws ShapeError, DTypeError when t is not int32 [N] or `like` no float; IndexError for a negative firstSample,
 *   ArgumentError for what is no key or no tensor
 * @example
 * ```js
 * import { full, zeros } from 'tenfold';
 * import { timestepNoise } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * timestepNoise(key(0), zeros([2, 3]), full([2], 7, { dtype: 'int32' })).shape; // => [2, 3]
 * ```
 */
export const timestepNoise = <S extends Shape, D extends DType>(
  key: Key,
  like: Tensor<S, D>,
  t: Tensor,
  firstSample = 0,
): Tensor<S, D> => {
  checkBatch('timestepNoise', { like }, t);
  const [count = 0, ...shape] = like.shape as Shape;
  checkInteger('timestepNoise', 'firstSample', firstSample, 0, 2 ** 31 - 1 - count);
  keyNode('timestepNoise', key);
  const dtype = like.dtype as FloatDType;
  const samples = arange(firstSample, firstSample + count, { dtype: 'int32' });
  const draw = vmap((i: Tensor, at: Tensor): Tensor => normal(foldIn(foldIn(key, i), at), shape, { dtype }));
  return draw(samples, t) as Tensor<S, D>;
};

const refuse = (operation: string, given: string): never => {
  throw new ArgumentError({
    operation,
    given,
    rule: 'it takes its noise from one source',
    hint: 'Pass either { noise } or { key: key(seed) }.',
  });
};

/** Refuses options that name no source of noise, or two. */
export const checkSource = (operation: string, { noise, key }: NoiseOptions = {}): void => {
  if (noise === undefined && key === undefined) refuse(operation, 'neither noise nor a key');
  if (noise !== undefined && key !== undefined) refuse(operation, 'both noise and a key');
};

/**
 * The noise for one batch.
 *
 * @throws ArgumentError when there is no source or two, ShapeError, DTypeError when the noise does not fit the samples
 */
export const noiseFor = (
  operation: string,
  [name, x]: readonly [name: string, samples: Tensor],
  t: Tensor,
  options: NoiseOptions,
): Tensor => {
  checkSource(operation, options);
  const { noise, key, firstSample } = options;
  if (key !== undefined) return timestepNoise(key, x, t, firstSample);
  checkAlike(operation, { [name]: x, noise: noise! });
  return noise!;
};

/**
 * Refuses noise for all steps of a run that does not fit: [steps, N, …] for samples [N, …].
 *
 * @throws ArgumentError, ShapeError, DTypeError with both shapes
 */
export const checkStack = (operation: string, noise: Tensor, start: Tensor, steps: number): void => {
  checkTensors(operation, { noise });
  const given = `noise ${showAval(noise)} and samples ${showAval(start)}`;
  if (!sameShape(noise.shape, [steps, ...start.shape])) {
    throw new ShapeError({
      operation,
      given,
      rule: `the noise of ${steps} steps has the shape ${showShape([steps, ...start.shape])}`,
      hint: 'Stack the noise of the steps in the order in which they are taken.',
    });
  }
  if (noise.dtype !== start.dtype) {
    throw new DTypeError({ operation, given, rule: 'they have one dtype', hint: "Cast them: cast(x, 'float32')." });
  }
};
