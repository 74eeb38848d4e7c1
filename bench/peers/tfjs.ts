/** TensorFlow.js: the programs, for both of its backends. */
import './tfjs-gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Input } from '../inputs.js';
import {
  adamOptions,
  convolutions,
  epsilon,
  groups,
  type Library,
  type Prepared,
  type ProgramName,
  type Programs,
  paddingOf,
  partsOfNetwork,
  partsOfSampling,
  partsOfStep,
  unbias,
} from '../library.js';
import { decompositions, isDecomposition, transforms } from './tfjs-linalg.js';
import { operations } from './tfjs-operations.js';

type T = tf.Tensor;

const normalise = (x: T): T => {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
};

export const silu = (x: T): T => tf.mul(x, tf.sigmoid(x));

export const update = (p: T, g: T, m: T, v: T): [p: T, m: T, v: T] => {
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

const perceptron = (params: readonly T[], x: T): T => {
  let h = x;
  for (let i = 0; i < params.length; i += 2) {
    h = tf.add(tf.matMul(h, params[i]!), params[i + 1]!);
    if (i + 2 < params.length) h = tf.relu(h);
  }
  return h;
};

/** The order of axes in an image and in a kernel: its wasm backend wants channels last, and so both have it. */
const [imageAxes, kernelAxes] = [
  [0, 2, 3, 1],
  [2, 3, 1, 0],
];

/** Programs of nothing but images. */
const images: readonly ProgramName[] = ['maxPool', 'maxPoolInput', 'upsample'];

/** In which order a program has the axes of its inputs, and of its result; null where they stay as they are. */
export const axesOf = (program: ProgramName): { readonly inputs: number[][]; readonly result: number[] } | null => {
  if (images.some(image => image === program)) return { inputs: [imageAxes, imageAxes], result: imageAxes };
  if (!program.startsWith('conv')) return null;
  const result = program.startsWith('convKernel') ? kernelAxes : imageAxes;
  return { inputs: [imageAxes, kernelAxes, imageAxes], result };
};

export const inverse = (axes: readonly number[]): number[] => axes.map((_, i) => axes.indexOf(i));

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
    const { x, y, params, first, second } = partsOfStep(inputs);
    const loss = (...p: T[]): tf.Scalar => {
      const logs = tf.logSoftmax(perceptron(p, x));
      return tf.neg(tf.mean(tf.sum(tf.mul(y, logs), -1)));
    };
    const { value, grads } = tf.valueAndGrads(loss)([...params]);
    const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
    return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
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
  const axes = axesOf(program);
  const tensors = inputs.map(({ values, shape }, i) =>
    tf.tidy(() => {
      const given = tf.tensor(values, [...shape]);
      return axes === null ? given : tf.transpose(given, axes.inputs[i]);
    }),
  );
  const run = (): T[] => tf.tidy(() => [...programs[program](...tensors)]);
  return {
    compute: () => tf.dispose(run()),
    read: () => {
      const results = run();
      const arrays = results.map(result =>
        tf.tidy(() => (axes === null ? result : tf.transpose(result, inverse(axes.result))).dataSync() as Float32Array),
      );
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
    const missing = program.startsWith('convKernel') ? 'Conv2DBackpropFilter' : lacking[program];
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
