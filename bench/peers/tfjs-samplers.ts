/** TensorFlow.js: samplers, step by step, as it has no loops. Coefficients are numbers for it. */
import * as tf from '@tensorflow/tfjs-core';
import { partsOfDdpm, partsOfDpm, type Samplers } from '../library.js';
import { unet } from '../networks/unet.js';
import { unetOps } from './tfjs-networks.js';

type T = tf.Tensor;

const pieces = new Map<T, readonly T[]>();

/** A stack's elements, taken apart when it comes for the first time: it has no loops over stacks. */
export const apart = (stack: T): readonly T[] => {
  const known = pieces.get(stack) ?? tf.unstack(stack).map(piece => tf.keep(piece));
  pieces.set(stack, known);
  return known;
};

/** Drops a tensor and what it was taken apart to. */
export const dropWhole = (stack: T): void => {
  tf.dispose([stack, ...(pieces.get(stack) ?? [])]);
  pieces.delete(stack);
};

type Five = [number, number, number, number, number];

/** A step's numbers. */
const rowOf = (numbers: tf.TypedArray, i: number): Five => [...numbers.subarray(5 * i, 5 * i + 5)] as Five;

const epsilonOf = (params: readonly T[], x: T, time: T): T =>
  unet(unetOps, params, x, tf.reshape(time, [1, time.shape[0]!]));

export const samplers: Samplers<T> = {
  unetDdpm: (...inputs) => {
    const { x, noise, coefficients, times, params } = partsOfDdpm(inputs);
    const [zs, told] = [apart(noise), apart(times)];
    const numbers = coefficients.dataSync();
    return [
      zs.reduce((at, z, i) => {
        const [a, b, c, d, s] = rowOf(numbers, i);
        const next = tf.tidy(() => {
          const predicted = tf.sub(tf.mul(at, a), tf.mul(epsilonOf(params, at, told[i]!), b));
          const start = tf.clipByValue(predicted, -1, 1);
          return tf.add(tf.add(tf.mul(start, c), tf.mul(at, d)), tf.mul(z, s));
        });
        if (at !== x) at.dispose();
        return next;
      }, x),
    ];
  },
  unetDpm: (...inputs) => {
    const { x, coefficients, times, params } = partsOfDpm(inputs);
    const numbers = coefficients.dataSync();
    let [at, before] = [x, x];
    for (const [i, time] of apart(times).entries()) {
      const [a, b, c, d, e] = rowOf(numbers, i);
      const [next, start] = tf.tidy(() => {
        const predicted = tf.sub(tf.mul(at, a), tf.mul(epsilonOf(params, at, time), b));
        return [tf.add(tf.add(tf.mul(at, c), tf.mul(predicted, d)), tf.mul(before, e)), predicted];
      }) as [T, T];
      for (const old of new Set([at, before])) if (old !== x) old.dispose();
      [at, before] = [next, start];
    }
    before.dispose();
    return [at];
  },
};
