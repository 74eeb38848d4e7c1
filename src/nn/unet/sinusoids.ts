/** Timesteps as vectors of sines, in the dtype of a model. */
import type { FloatDType } from '../../tensor/dtype.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { cos, sin } from '../../tensor/ops/elementwise/elementary.js';
import { concat } from '../../tensor/ops/movement/joining.js';
import { expandDims } from '../../tensor/ops/movement/movement.js';
import { pad } from '../../tensor/ops/movement/padding.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { timestepEmbedding } from '../timestep-embedding.js';

/** @internal {@link timestepEmbedding}, whose angles are as exact as the dtype. */
export const sinusoids = (t: Tensor, size: number, dtype: FloatDType, maxPeriod = 10_000): Tensor => {
  if (dtype === 'float32') return timestepEmbedding(t, size, { maxPeriod }) as Tensor;
  const half = Math.floor(size / 2);
  const frequencies = tensor(
    range(half).map(i => maxPeriod ** (-i / half)),
    { dtype },
  ) as Tensor;
  const angles = mul(expandDims(cast(t, dtype), 1) as Tensor, frequencies) as Tensor;
  const waves = concat([cos(angles), sin(angles)] as readonly Tensor[], { axis: 1 }) as Tensor;
  if (size % 2 === 0) return waves;
  return pad(waves, [
    [0, 0],
    [0, 1],
  ]) as Tensor;
};
