/** Timesteps as vectors of sines. */

import type { FloatDType } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { cos, sin } from '../tensor/ops/elementwise/elementary.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { pad } from '../tensor/ops/movement/padding.js';
import { checkArgument, checkInteger, range, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Options of {@link timestepEmbedding}. */
export interface TimestepEmbeddingOptions<D extends FloatDType = FloatDType> {
  /** 2π times it is the longest wave. Default 10000. */
  readonly maxPeriod?: number;
  /** Of the result. Default float32. */
  readonly dtype?: D;
}

/**
 * Sinusoidal embedding of timesteps: cosines, then sines, of t·maxPeriod^(−i/half) for i = 0 … half − 1, with
 * half = ⌊size/2⌋ (Vaswani et al. 2017, arXiv:1706.03762, section 3.5; order of the halves as guided-diffusion).
 * An odd size is filled up with a 0.
 *
 * @param t timesteps, [N], of any numeric dtype; fractions are allowed
 * @param size of each vector
 * @param options `maxPeriod` (10000): 2π times it is the longest wave; `dtype` (float32) in which angles and result are
 * @returns [N, size]
 * @throws ShapeError when t is no vector, IndexError when the size is below 2, ArgumentError for a wrong or
 *   unknown option, DTypeError for a dtype that is none of floats
 * @numpy —
 * @pytorch diffusers.models.embeddings.get_timestep_embedding
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { timestepEmbedding } from 'tenfold/nn';
 * timestepEmbedding(tensor([0]), 4).toArray(); // => [[1, 1, 0, 0]]
 * ```
 */
export const timestepEmbedding = <const N extends number, D extends FloatDType = 'float32'>(
  t: Tensor,
  size: N,
  options: TimestepEmbeddingOptions<D> = {},
): Tensor<readonly [number, N], NoInfer<D>> => {
  checkOptions('timestepEmbedding', ['maxPeriod', 'dtype'], options);
  const { maxPeriod = 10_000 } = options;
  checkArgument(
    Number.isFinite(maxPeriod) && maxPeriod > 0,
    'timestepEmbedding',
    `maxPeriod ${String(maxPeriod)}`,
    'the longest period is a positive number',
    'Leave it out for 10000.',
  );
  const { dtype = 'float32' as D } = options;
  if (dtype !== 'float32' && dtype !== 'float64') {
    throw new DTypeError({
      operation: 'timestepEmbedding',
      given: `the dtype ${kindOf(dtype)}`,
      rule: 'sines are float32 or float64',
      hint: 'Cast the result to anything else.',
    });
  }
  checkInteger('timestepEmbedding', 'the size', size, 2, Number.MAX_SAFE_INTEGER);
  if (!isTensor(t) || t.shape.length !== 1) {
    throw new ShapeError({
      operation: 'timestepEmbedding',
      given: isTensor(t) ? showAval(t) : typeof t,
      rule: 'timesteps are a vector, one for each example',
      hint: 'Use broadcastTo(t, [n]) for a timestep that all examples share.',
    });
  }
  const half = Math.floor(size / 2);
  const frequencies = tensor(
    range(half).map(i => maxPeriod ** (-i / half)),
    { dtype },
  ) as Tensor;
  const angles = mul(expandDims(cast(t, dtype), 1) as Tensor, frequencies) as Tensor;
  const waves = concat([cos(angles), sin(angles)], { axis: 1 }) as Tensor;
  const filled = (): Tensor =>
    pad(waves, [
      [0, 0],
      [0, 1],
    ]) as Tensor;
  return (size % 2 === 0 ? waves : filled()) as Tensor<readonly [number, N], D>;
};
