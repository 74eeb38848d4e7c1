/** Batches larger than memory: samples in parts, one after the other, in one program. */

import type { DType } from '../tensor/dtype.js';
import { ShapeError } from '../tensor/errors.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { moveAxis, reshape } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkInteger, type Shape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { fold, scan } from '../tensor/transform/loops.js';
import { map } from '../tree/tree.js';
import type { Denoiser } from './denoiser.js';
import type { Levels } from './levels.js';
import { checkRun, type RunOptions, runOf, type SampleOptions } from './sample.js';
import type { Sampler, SamplerState } from './sampler.js';

/** Options of {@link sampleChunks}. */
export interface SampleChunksOptions<E = unknown> extends SampleOptions<E> {
  /** How many samples are made at a time. */
  readonly chunk: number;
}

/** What one part of the batch is made from. */
interface Part {
  /** The samples to start from, or null where they are drawn. */
  readonly start: Tensor | null;
  readonly noise: Tensor | null;
  readonly inputs: unknown;
  /** The number of its first sample. */
  readonly first: number | Tensor;
}

/**
 * As `sample`, so many samples at a time: the same samples, bit for bit, in the memory of a part. The parts are the
 * steps of a loop, so that there are two programs at most, that of a part and that of what is left.
 *
 * A modifier that was given tensors [N, …] has them for the whole batch: give it a function of the inputs instead.
 *
 * @param sampler see `sample`
 * @param denoiser see `sample`
 * @param levels see `sample`
 * @param start see `sample`
 * @param options see {@link SampleChunksOptions}; `inputs` are a tree of tensors [N, …], of which each part gets its
 *   own
 * @returns samples at the last level, in shape and dtype of the start
 * @throws ArgumentError, ShapeError, DTypeError as `sample`; IndexError for a chunk that is no positive integer;
 *   ShapeError for inputs that are not [N, …]
 * @example
 * ```js
 * import { mul } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sampleChunks } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const levels = levelsAt(flowProcess(), [1, 0.5]);
 * sampleChunks(ddim(), toZero, levels, [5, 2], { key: key(0), chunk: 2 }).shape; // => [5, 2]
 * ```
 */
export const sampleChunks = <S extends SamplerState, const X extends Shape, D extends DType = 'float32', E = unknown>(
  sampler: Sampler<S>,
  denoiser: Denoiser<E>,
  levels: Levels,
  start: Tensor<X, D> | X,
  options: SampleChunksOptions<E>,
): Tensor<X, D> => {
  const { chunk, ...others } = (options ?? {}) as SampleChunksOptions<E>;
  checkRun('sampleChunks', sampler, denoiser, levels, start as Tensor, others);
  checkInteger('sampleChunks', 'chunk', chunk, 1, 2 ** 31 - 1);
  const [count = 0, ...shape] = (isTensor(start) ? start.shape : start) as Shape;
  const { firstSample = 0, noise = null, inputs = null, ...rest } = others;
  checkInputs(inputs, count);
  const whole = Math.floor(count / chunk);

  const samplesOf = (size: number, part: Part): Tensor => {
    const given = { ...rest, inputs: part.inputs as E, firstSample: part.first } satisfies RunOptions<E>;
    const runOptions = part.noise === null ? given : { ...given, noise: part.noise };
    const from = part.start ?? [size, ...shape];
    const run = runOf('sampleChunks', sampler, denoiser, levels, from, runOptions);
    return fold(run.step, { segments: options.segments })(run.state, run.rows).x;
  };
  /** From one sample to another, as rows of so many. */
  const cut = (from: number, to: number, size: number): Part => {
    const rows = (to - from) / size;
    const of = (x: Tensor, axis = 0): Tensor => {
      const begins = [...x.shape.slice(0, axis).fill(0), from];
      const ends = [...x.shape.slice(0, axis), to];
      const taken = slice(x, begins, ends) as Tensor;
      const split = reshape(taken, [...x.shape.slice(0, axis), rows, size, ...x.shape.slice(axis + 1)]) as Tensor;
      return moveAxis(split, axis, 0) as Tensor;
    };
    return {
      start: isTensor(start) ? of(start as Tensor) : null,
      noise: noise === null ? null : of(noise, 2),
      inputs: map(inputs as Tensor, x => of(x as Tensor)),
      first: add(arange(from, to, size, { dtype: 'int32' }), firstSample) as Tensor,
    };
  };
  const made = (from: number, to: number, size: number): readonly Tensor[] => {
    if (to === from) return [];
    const step = (nothing: null, part: Part) => [nothing, samplesOf(size, part)] as const;
    const [, parts] = scan(step)(null, cut(from, to, size));
    return [reshape(parts, [to - from, ...shape]) as Tensor];
  };
  const done = [...made(0, whole * chunk, chunk), ...made(whole * chunk, count, count - whole * chunk)];
  const none = (): Part => ({ start: isTensor(start) ? (start as Tensor) : null, noise, inputs, first: firstSample });
  return (done.length === 0 ? samplesOf(0, none()) : concat(done)) as unknown as Tensor<X, D>;
};

/** Refuses inputs of which no part belongs to a part of the samples. */
const checkInputs = (inputs: unknown, count: number): void => {
  map(inputs as Tensor, x => {
    if (isTensor(x) && x.shape[0] === count) return x;
    throw new ShapeError({
      operation: 'sampleChunks',
      given: `inputs ${isTensor(x) ? showAval(x) : String(x)} for ${count} samples`,
      rule: 'all inputs have the shape [N, …]',
      hint: 'Close the denoiser over what the samples have in common.',
    });
  });
};
