/** TensorFlow.js: the programs, for both of its backends. */
import './tfjs-gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Input } from '../inputs.js';
import {
  convolutions,
  groups,
  type Library,
  type Prepared,
  type ProgramName,
  type Programs,
  paddingOf,
  partsOfNetwork,
  partsOfSampling,
  partsOfStep,
} from '../library.js';
import { inputAxes, inverse, resultAxes } from './tfjs-axes.js';
import { decompositions, isDecomposition, transforms } from './tfjs-linalg.js';
import { crossEntropyOf, networkSteps, normalise, silu, stepOf, update } from './tfjs-networks.js';
import { operations } from './tfjs-operations.js';
import { apart, dropWhole, samplers } from './tfjs-samplers.js';

type T = tf.Tensor;

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

const perceptron = (params: readonly T[], x: T): T => {
  let h = x;
  for (let i = 0; i < params.length; i += 2) {
    h = tf.add(tf.matMul(h, params[i]!), params[i + 1]!);
    if (i + 2 < params.length) h = tf.relu(h);
  }
  return h;
};

/** Without the convolution itself, which `tf.grad` would compute as well. */
const kernelGradient = (x: T, { shape }: T, g: T, stride: number): T =>
  tf
    .engine()
    .runKernel(
      tf.Conv2DBackpropFilter,
      { x, dy: g },
      { strides: [stride, stride], pad: paddingOf(shape[0]!), dataFormat: 'NHWC', filterShape: [...shape] },
    );

export const programs: Programs<T> = {
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
  // Its flags for that leave the fast product of the wasm backend: it takes ten times as long with them.
  matmulLeft: (a, b) => [tf.matMul(tf.transpose(a!), b!)],
  matmulRight: (a, b) => [tf.matMul(a!, tf.transpose(b!))],
  ...convolutions<T>(stride => ({
    conv: (x, kernel) => [tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, stride, paddingOf(kernel!.shape[0]!))],
    convInput: (x, kernel, g) => {
      const shape = x!.shape as [number, number, number, number];
      const padding = paddingOf(kernel!.shape[0]!);
      return [tf.conv2dTranspose(g as tf.Tensor4D, kernel as tf.Tensor4D, shape, stride, padding)];
    },
    convKernel: (x, kernel, g) => [kernelGradient(x!, kernel!, g!, stride)],
  })),
  ...operations,
  ...decompositions,
  ...transforms,
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
  mlpStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(perceptron(params, x), y), state);
  },
  trainStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => tf.mean(tf.squaredDifference(network(params, x), y)), state);
  },
  ...networkSteps,
  ...samplers,
};

const prepare = (program: ProgramName, inputs: readonly Input[]): Prepared => {
  const tensors = inputs.map((input, i) =>
    tf.tidy(() => {
      const given = tf.tensor(input.values, [...input.shape]);
      const axes = inputAxes(program, input, i);
      return axes === null ? given : tf.transpose(given, axes);
    }),
  );
  const run = (): T[] => tf.tidy(() => [...programs[program](...tensors)]);
  const valuesOf = (result: T): Float32Array =>
    tf.tidy(() => {
      const axes = resultAxes(program, result);
      return (axes === null ? result : tf.transpose(result, inverse(axes))).dataSync() as Float32Array;
    });
  return {
    compute: () => tf.dispose(run()),
    read: () => {
      const results = run();
      const arrays = results.map(valuesOf);
      tf.dispose(results);
      return arrays;
    },
    dispose: () => {
      for (const each of tensors) dropWhole(each);
    },
  };
};

/** Kernels that its wasm backend does not have. */
const lacking: { readonly [Name in ProgramName]?: string } = {
  maxPoolInput: 'MaxPoolGrad',
  addRows: 'UnsortedSegmentSum',
  attentionScores: 'Einsum',
  fft: 'FFT',
  fft2: 'FFT',
  rfft: 'FFT',
};

/** One of its backends as a library. They share a state: `enter` switches. It has no jit. */
export const tfjs = (backend: 'cpu' | 'wasm'): Library => ({
  refusal: program => {
    if (isDecomposition(program)) return 'it has no such operation';
    if (backend === 'cpu') return null;
    const missing =
      program.startsWith('convKernel') || program === 'unetStep' ? 'Conv2DBackpropFilter' : lacking[program];
    return missing === undefined ? null : `no kernel ${missing} in this backend`;
  },
  name: `tfjs-${backend}`,
  threads: 1,
  compiles: false,
  enter: async () => {
    if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot use its ${backend} backend here`);
  },
  prepare,
});
