/** TensorFlow.js: the programs, for both of its backends. */
import './tfjs-gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Input } from '../inputs.js';
import {
  adamOptions,
  epsilon,
  groups,
  type Library,
  type Prepared,
  type ProgramName,
  type Programs,
  partsOfNetwork,
  partsOfSampling,
  partsOfStep,
  unbias,
} from '../library.js';

type T = tf.Tensor;

const normalise = (x: T): T => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
};

const silu = (x: T): T => tf.mul(x, tf.sigmoid(x));

const update = (p: T, g: T, m: T, v: T): [p: T, m: T, v: T] => {
  const { rate, beta1, beta2, epsilon } = adamOptions;
  const first = tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1));
  const second = tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2));
  const root = tf.add(tf.sqrt(tf.mul(second, unbias.second)), epsilon);
  return [tf.sub(p, tf.div(tf.mul(first, rate * unbias.first), root)), first, second];
};

const network = (params: readonly T[], x: T): T => {
  const { first, blocks, last } = partsOfNetwork(params);
  const linear = (h: T, weight: T, bias: T): T => tf.add(tf.matMul(h, weight), bias);
  let h = linear(x, ...first);
  for (const [gain, shift, up, upBias, down, downBias] of blocks) {
    const inner = silu(linear(tf.add(tf.mul(normalise(h), gain), shift), up, upBias));
    h = tf.add(h, linear(inner, down, downBias));
  }
  return linear(h, ...last);
};

const pieces = new Map<T, readonly T[]>();

/** A stack's elements, taken apart when it comes for the first time: it has no loops over stacks. */
const apart = (stack: T): readonly T[] => {
  const known = pieces.get(stack) ?? tf.unstack(stack).map(piece => tf.keep(piece));
  pieces.set(stack, known);
  return known;
};

const programs: Programs<T> = {
  squarePlusOne: a => [tf.add(tf.mul(a!, a!), 1)],
  tanhChain: x => {
    let y = x!;
    for (let i = 0; i < 10; i++) y = tf.tanh(tf.add(tf.mul(y, 1.1), 0.1));
    return [y];
  },
  softmax: x => [tf.softmax(x!, -1)],
  layerNorm: (x, weight, bias) => [tf.add(tf.mul(normalise(x!), weight!), bias!)],
  groupNormSilu: (x, weight, bias) => {
    const [n, c] = x!.shape as [number, number];
    const y = tf.reshape(normalise(tf.reshape(x!, [n, groups, -1])), x!.shape);
    const perChannel = (t: T): T => tf.reshape(t, [c, 1, 1]);
    return [silu(tf.add(tf.mul(y, perChannel(weight!)), perChannel(bias!)))];
  },
  adam: (p, g, m, v) => update(p!, g!, m!, v!),
  sum: x => [tf.sum(x!)],
  affine: x => [tf.add(tf.mul(x!, 3), 2)],
  matmul: (a, b) => [tf.matMul(a!, b!)],
  sampling: (...inputs) => {
    const { x, noise, coefficients, times, layers } = partsOfSampling(inputs);
    const [w1, b1, w2, b2, w3, b3] = layers as [T, T, T, T, T, T];
    const [zs, told] = [apart(noise), apart(times)];
    const numbers = coefficients.dataSync();
    let y = x;
    for (const [i, z] of zs.entries()) {
      const [a, b, c] = numbers.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      const before = y;
      y = tf.tidy(() => {
        const first = silu(tf.add(tf.add(tf.matMul(before, w1), b1), told[i]!));
        const start = tf.add(tf.matMul(silu(tf.add(tf.matMul(first, w2), b2)), w3), b3);
        return tf.add(tf.add(tf.mul(before, a), tf.mul(start, b)), tf.mul(z, c));
      });
      if (before !== x) before.dispose();
    }
    return [y];
  },
  trainStep: (...inputs) => {
    const { x, y, params, first, second } = partsOfStep(inputs);
    const loss = (...p: T[]): tf.Scalar => tf.mean(tf.squaredDifference(network(p, x), y));
    const { value, grads } = tf.valueAndGrads(loss)([...params]);
    const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
    return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
  },
};

const prepare = (program: ProgramName, inputs: readonly Input[]): Prepared => {
  const tensors = inputs.map(({ values, shape }) => tf.tensor(values, [...shape]));
  const run = (): T[] => tf.tidy(() => [...programs[program](...tensors)]);
  return {
    compute: () => tf.dispose(run()),
    read: () => {
      const results = run();
      const arrays = results.map(result => result.dataSync() as Float32Array);
      tf.dispose(results);
      return arrays;
    },
    dispose: () => {
      for (const each of tensors) {
        tf.dispose([each, ...(pieces.get(each) ?? [])]);
        pieces.delete(each);
      }
    },
  };
};

/** One of its backends as a library. They share a state: `enter` switches. It has no jit. */
export const tfjs = (backend: 'cpu' | 'wasm'): Library => ({
  name: `tfjs-${backend}`,
  threads: 1,
  compiles: false,
  enter: async () => {
    if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot use its ${backend} backend here`);
  },
  prepare,
});
