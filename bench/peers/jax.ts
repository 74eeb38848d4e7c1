/**
 * jax-js on its wasm device. Functions own their arguments: what is used once more is passed as `x.ref`, and a program
 * here consumes every input once.
 */
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np } from '@jax-js/jax';
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
import { decompositions, transforms } from './jax-linalg.js';
import { crossEntropyOf, networkSteps, normalise, stepOf, update } from './jax-networks.js';
import { lacking, operations, pullBack } from './jax-operations.js';
import { samplers } from './jax-samplers.js';

type T = np.Array;

const network = (params: readonly T[], x: T): T => {
  const { first, blocks, last } = partsOfNetwork(params);
  const linear = (h: T, weight: T, bias: T): T => np.matmul(h, weight).add(bias);
  let h = linear(x, ...first);
  for (const [gain, shift, up, upBias, down, downBias] of blocks) {
    const inner = nn.silu(linear(normalise(h.ref).mul(gain).add(shift), up, upBias));
    h = h.add(linear(inner, down, downBias));
  }
  return linear(h, ...last);
};

const perceptron = (params: readonly T[], x: T): T => {
  let h = x;
  for (let i = 0; i < params.length; i += 2) {
    h = np.matmul(h, params[i]!).add(params[i + 1]!);
    if (i + 2 < params.length) h = nn.relu(h);
  }
  return h;
};

/** A step of `sampling`: it has no loops, so what is compiled is a step that is told its number. */
const samplingStep = jit((i: T, x: T, noise: T, coefficients: T, times: T, ...layers: T[]): T => {
  const [w1, b1, w2, b2, w3, b3] = layers as [T, T, T, T, T, T];
  const [z, time, c] = [np.take(noise, i.ref, 0), np.take(times, i.ref, 0), np.take(coefficients, i, 0)];
  const first = nn.silu(np.matmul(x.ref, w1).add(b1).add(time));
  const start = np.matmul(nn.silu(np.matmul(first, w2).add(b2)), w3).add(b3);
  return x
    .mul(c.ref.slice(0))
    .add(start.mul(c.ref.slice(1)))
    .add(z.mul(c.slice(2)));
});

const convolve = (x: T, kernel: T, stride: number): T => {
  const padding = paddingOf(kernel.shape[3]!);
  const around: [number, number] = [padding, padding];
  return lax.convGeneralDilated(x, kernel, [stride, stride], [around, around]);
};

export const programs: Programs<T> = {
  squarePlusOne: a => [a!.ref.mul(a!).add(1)],
  tanhChain: x => {
    let y = x!;
    for (let i = 0; i < 10; i++) y = np.tanh(y.mul(1.1).add(0.1));
    return [y];
  },
  softmax: x => [nn.softmax(x!, -1)],
  layerNorm: (x, weight, bias) => [normalise(x!).mul(weight!).add(bias!)],
  groupNormSilu: (x, weight, bias) => {
    const shape = x!.shape;
    const y = normalise(x!.reshape([shape[0]!, groups, -1])).reshape(shape);
    const perChannel = (t: T): T => t.reshape([shape[1]!, 1, 1]);
    return [nn.silu(y.mul(perChannel(weight!)).add(perChannel(bias!)))];
  },
  adam: (p, g, m, v) => update(p!, g!, m!, v!),
  sum: x => [np.sum(x!)],
  affine: x => [x!.mul(3).add(2)],
  matmul: (a, b) => [np.matmul(a!, b!)],
  matmulLeft: (a, b) => [np.matmul(np.matrixTranspose(a!), b!)],
  matmulRight: (a, b) => [np.matmul(a!, np.matrixTranspose(b!))],
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
    let y = x;
    for (let i = 0; i < noise.shape[0]!; i++) {
      const at = np.array(i, { dtype: np.int32 });
      y = samplingStep(at, y, noise.ref, coefficients.ref, times.ref, ...layers.map(p => p.ref));
    }
    for (const each of [noise, coefficients, times, ...layers]) each.dispose();
    return [y];
  },
  mlpStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => crossEntropyOf(perceptron(params, x), y), state);
  },
  trainStep: (...inputs) => {
    const { x, y, ...state } = partsOfStep(inputs);
    return stepOf(params => np.mean(np.square(network(params, x).sub(y))), state);
  },
  ...networkSteps,
  ...samplers,
};

/** Programs that compile their steps themselves, and those that its jit refuses: it has no triangular systems there. */
const stepwise: readonly ProgramName[] = ['sampling', 'unetDdpm', 'unetDpm', 'triangularSolve', 'solve', 'inverse'];

const prepare = (program: ProgramName, inputs: readonly Input[], jitted: boolean): Prepared => {
  const arrays = inputs.map(({ values, shape }) => np.array(values).reshape([...shape]));
  const f = (...args: T[]): T[] => [...programs[program](...args)];
  const compiled = jitted && !stepwise.includes(program) ? jit(f) : null;
  const run = (): T[] => (compiled ?? f)(...arrays.map(array => array.ref));
  return {
    compute: async () => {
      const results = run();
      await blockUntilReady(results);
      for (const result of results) result.dispose();
    },
    // Reading disposes.
    read: () => run().map(result => result.dataSync() as Float32Array),
    dispose: () => {
      compiled?.dispose();
      for (const array of arrays) array.dispose();
    },
  };
};

let started = false;

/** It has workers for the web's `Worker` only, so in Node it has one thread. */
export const jax: Library = {
  name: 'jax-js',
  threads: 1,
  compiles: true,
  refusal: program => (lacking.includes(program) ? 'it has no such operation' : null),
  enter: async () => {
    if (started) return;
    await init('wasm');
    defaultDevice('wasm');
    started = true;
  },
  prepare,
};
