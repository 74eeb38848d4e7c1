/** Operations by themselves in TensorFlow.js; images have their channels last. */
import * as tf from '@tensorflow/tfjs-core';
import { type Operations, segments } from '../library.js';

type T = tf.Tensor;

const indices = (i: T): tf.Tensor1D => tf.cast(i, 'int32') as tf.Tensor1D;
const pool = (x: T): T => tf.maxPool(x as tf.Tensor4D, 2, 2, 0);

export const operations: Operations<T> = {
  gelu: x => [tf.mul(tf.mul(x!, 0.5), tf.add(tf.erf(tf.mul(x!, Math.SQRT1_2)), 1))],
  cumsum: x => [tf.cumsum(x!, 1)],
  logsumexp: x => [tf.logSumExp(x!, 1)],
  argmax: x => [tf.cast(tf.argMax(x!, 1), 'float32')],
  topK: x => [tf.topk(x!, 10).values],
  sortRows: x => [tf.reverse(tf.topk(x!, x!.shape[1]!).values, 1)],
  takeRows: (x, i) => [tf.gather(x!, indices(i!))],
  addRows: (updates, i) => [tf.unsortedSegmentSum(updates!, indices(i!), segments)],
  maxPool: x => [pool(x!)],
  maxPoolInput: (x, g) => [tf.grad(pool)(x!, g!)],
  upsample: x => {
    const [, height, width] = x!.shape as [number, number, number, number];
    return [tf.image.resizeBilinear(x as tf.Tensor4D, [2 * height, 2 * width], false, true)];
  },
  attentionScores: (q, k) => [tf.einsum('bqhd,bkhd->bhqk', q!, k!)],
};
