/** Timesteps as vectors of sines. */

import { ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { cos, sin } from '../tensor/ops/elementwise/elementary.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { pad } from '../tensor/ops/movement/padding.js';
import { checkArgument, checkInteger, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/**
 * Sinusoidal embedding of timesteps: cosines, then sines, of t·maxPeriod^(−i/half) for i = 0 … half − 1, with
 * half = ⌊size/2⌋ (Vaswani et al. 2017, arXiv:1706.03762, section 3.5; order of the halves as guided-diffusion).
 * An odd size is filled up with a 0.
 *
 * @param t timesteps, [N], of any numeric dtype; fractions are allowed
 * @param size of each vector
 * @param options `maxPeriod` (10000): 2π times it is the longest wave
 * @returns float32 [N, size]
 * @throws ShapeError when t is no vector, IndexError when the size is below 2, ArgumentError for a wrong or
 *   unknown option
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { timestepEmbedding } from 'tenfold/nn';
 * timestepEmbedding(tensor([0]), 4).toArray(); // => [[1, 1, 0, 0]]
 * ```
 */
export const timestepEmbedding = (
  t: Tensor,
  size: number,
  options: { readonly maxPeriod?: number } = {},
): Tensor<readonly [number, number], 'float32'> => {
  checkOptions('timestepEmbedding', ['maxPeriod'], options);
  const { maxPeriod = 10_000 } = options;
  checkArgument(
    Number.isFinite(maxPeriod) && maxPeriod > 0,
    'timestepEmbedding',
    `maxPeriod ${String(maxPeriod)}`,
    'the longest period is a positive number',
    'Leave it out for 10000.',
  );
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
  const frequencies = tensor(Array.from({ length: half }, (_, i) => maxPeriod ** (-i / half)));
  const angles = mul(expandDims(cast(t, 'float32'), 1) as Tensor, frequencies as Tensor) as Tensor;
  const waves = concat([cos(angles), sin(angles)], { axis: 1 });
  return (
    size % 2 === 0
      ? waves
      : pad(waves, [
          [0, 0],
          [0, 1],
        ])
  ) as Tensor<readonly [number, number], 'float32'>;
};
