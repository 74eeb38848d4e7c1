/** The noise that steps of samplers draw: from a key, or from a tensor of what was drawn before. */
import { normal } from '../random/draw.js';
import { foldIn, type Key } from '../random/key.js';
import type { FloatDType } from '../tensor/dtype.js';
import { arange, tensor } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { equal, less, where } from '../tensor/ops/elementwise/comparison.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { vmap } from '../tensor/transform/vmap.js';

/** The key of a draw. Number 0 is that of the step itself, be it known beforehand or not. */
const keyOfDraw = (stepKey: Key, draw: number | Tensor): Key => {
  if (draw === 0) return stepKey;
  const drawKey = foldIn(stepKey, draw);
  return typeof draw === 'number' ? drawKey : (where(equal(draw, 0), stepKey, drawKey) as unknown as Key);
};

/** @internal Noise for samples: that of sample i is a function of the key and i, whatever the batch it is in. */
export const noiseOf = (
  key: Key,
  index: Tensor,
  draw: number | Tensor,
  like: Tensor,
  firstSample: number | Tensor,
): Tensor => {
  const [count = 0, ...shape] = like.shape;
  const numbers = add(arange(count, { dtype: 'int32' }), firstSample as Tensor) as Tensor;
  const dtype = like.dtype as FloatDType;
  const one = (i: Tensor): Tensor => normal(keyOfDraw(foldIn(foldIn(key, i), index), draw), shape, { dtype }) as Tensor;
  return vmap(one)(numbers) as Tensor;
};

/**
 * @internal A draw out of those that are given, [draws, N, …].
 *
 * @throws ArgumentError when there are fewer
 */
export const takeDraw = (operation: string, noise: Tensor, draw: number | Tensor): Tensor => {
  const draws = noise.shape[0]!;
  // What is not known beforehand can be no number beyond the end: then it is none.
  if (typeof draw !== 'number')
    return where(less(draw, draws), take(noise, draw as Tensor<Shape, 'int32'>), Number.NaN) as Tensor;
  checkArgument(
    draw < draws,
    operation,
    `noise for ${draws} draws a step`,
    `this sampler takes draw ${draw}`,
    'Pass { key: key(seed) }, or noise [steps, draws, N, …] with more draws.',
  );
  return take(noise, tensor(draw, { dtype: 'int32' })) as Tensor;
};
