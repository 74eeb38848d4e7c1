/** This library. */
import {
  add,
  conv2d,
  fold,
  jit,
  matmul,
  mean,
  mul,
  realize,
  relu,
  reshape,
  setThreads,
  silu,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  threadInfo,
  transpose,
  vjp,
} from 'tenfold';
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
import { ownImpl, ownOnTwo } from '../row.js';
import { decompositions, transforms } from './tenfold-linalg.js';
import { crossEntropyOf, networkSteps, normalise, stepOf, update } from './tenfold-networks.js';
import { operations } from './tenfold-operations.js';
import { samplers } from './tenfold-samplers.js';

type T = Tensor;

const network = (params: readonly T[], x: T): T => {
  const { first, blocks, last } = partsOfNetwork(params);
  const linear = (h: T, weight: T, bias: T): T => add(matmul(h, weight), bias);
  let h = linear(x, ...first);
  for (const [gain, shift, up, upBias, down, downBias] of blocks) {
    const inner = silu(linear(add(mul(normalise(h), gain), shift), up, upBias));
    h = add(h, linear(inner, down, downBias));
  }
  return linear(h, ...last);
};

const perceptron = (params: readonly T[], x: T): T => {
  let h = x;
  for (let i = 0; i < params.length; i += 2) {
    h = add(matmul(h, params[i]!), params[i + 1]!) as T;
    if (i + 2 < params.length) h = relu(h) as T;
  }
  return h;
};

interface SamplingInput {
  readonly z: T;
  readonly c: T;
  readonly time: T;
}

/** A step of `sampling`. */
export const samplingStep = (layers: readonly T[], x: T, { z, c, time }: SamplingInput): T => {
  const [w1, b1, w2, b2, w3, b3] = layers as [T, T, T, T, T, T];
  const told = silu(add(add(matmul(x, w1), b1), time));
  const start = add(matmul(silu(add(matmul(told, w2), b2)), w3), b3);
  return add(add(mul(x, take(c, 0)), mul(start, take(c, 1))), mul(z, take(c, 2)));
};

const convolve = (x: T, kernel: T, stride: number): T =>
  conv2d(x, kernel, { stride, padding: paddingOf(kernel.shape[3]!) });

const pullBack = (f: (x: T) => T, x: T, cotangent: T): readonly T[] => vjp(f, x)[1](cotangent);

export const programs: Programs<T> = {
  squarePlusOne: a => [add(mul(a!, a!), 1)],
  tanhChain: x => {
    let y = x!;
    for (let i = 0; i < 10; i++) y = tanh(add(mul(y, 1.1), 0.1));
    return [y];
  },
  softmax: x => [softmax(x!)],
  layerNorm: (x, weight, bias) => [add(mul(normalise(x!), weight!), bias!)],
  groupNormSilu: (x, weight, bias) => {
    const [n, c, height, width] = x!.shape as [number, number, number, number];
    const rows = reshape(x!, [n, groups, (c / groups) * height * width]);
    const perChannel = (t: T): T => reshape(t, [c, 1, 1]);
    return [silu(add(mul(reshape(normalise(rows), x!.shape), perChannel(weight!)), perChannel(bias!)))];
  },
  adam: (p, g, m, v) => update(p!, g!, m!, v!),
  sum: x => [sum(x!)],
  affine: x => [add(mul(x!, 3), 2)],
  matmul: (a, b) => [matmul(a!, b!)],
  matmulLeft: (a, b) => [matmul(transpose(a!), b!)],
  matmulRight: (a, b) => [matmul(a!, transpose(b!))],
  ...convolutions<T>(stride => ({
    conv: (x, kernel) => [convolve(x!, kernel!, stride)],
    convInput: (x, kernel, g) => pullBack(each => convolve(each, kernel!, stride), x!, g!),
    convKernel: (x, kernel, g) => pullBack(each => convolve(x!, each, stride), kernel!, g!),
  })),
  ...operations,
  ...decompositions,
  ...transforms,
  sampling: (...inputs) => {
    const { x, noise, coefficients, times, layers } = partsOfSampling(inputs);
    const step = (at: T, input: SamplingInput): T => samplingStep(layers, at, input);
    return [fold(step)(x, { z: noise, c: coefficients, time: times })];
  },
  mlpStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(perceptron(params, x), y), state);
  },
  trainStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => mean(square(sub(network(params, x), y))), state);
  },
  ...networkSteps,
  ...samplers,
};

const prepare = (program: ProgramName, inputs: readonly Input[], jitted: boolean): Prepared => {
  const tensors = realize(inputs.map(({ values, shape }) => tensor(values, shape)));
  const f = (...args: readonly T[]): readonly T[] => programs[program](...args);
  const run = jitted ? jit(f) : f;
  return {
    compute: () => {
      realize(run(...tensors));
    },
    read: () => realize(run(...tensors)).map(result => result.dataSync() as Float32Array),
    dispose: () => {},
  };
};

const onThreads = (name: string, threads: number): Library => ({
  name,
  threads,
  compiles: true,
  refusal: () => (threads === 1 ? null : threadInfo().reason),
  enter: async () => {
    setThreads(threads);
  },
  prepare,
});

export const tenfold: Library = onThreads(ownImpl, 1);
export const tenfoldOnTwo: Library = onThreads(ownOnTwo, 2);
