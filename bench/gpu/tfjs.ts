/** TensorFlow.js on its backends for GPUs. Images have their channels last. */
import '../peers/tfjs-gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgl';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Input } from '../inputs.js';
import { partsOfSampling } from '../library.js';
import { unet } from '../networks/unet.js';
import { programs as known } from '../peers/tfjs.js';
import { inputAxes, inverse, resultAxes } from '../peers/tfjs-axes.js';
import { silu, unetOps } from '../peers/tfjs-networks.js';
import {
  type GpuLibrary,
  type GpuProgramName,
  type GpuPrograms,
  type Launching,
  links,
  partsOfUnetSampling,
} from './library.js';
import { requestDevice } from './webgpu.js';

type T = tf.Tensor;

/** Steps of sampling one by one: it has no loops. Coefficients are numbers for it. */
const steps = (x: T, coefficients: Float32Array, predict: (at: T, i: number) => T, noise: readonly T[]): T =>
  noise.reduce((at, z, i) => {
    const [a, b, c] = coefficients.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return tf.tidy(() => tf.add(tf.add(tf.mul(at, a), tf.mul(predict(at, i), b)), tf.mul(z, c)));
  }, x);

const programs: Omit<GpuPrograms<T>, 'sampling' | 'unetSampling'> = {
  ...known,
  chain: x => {
    let y = x!;
    for (let i = 0; i < links; i++) y = tf.add(tf.mul(y, 0.9), 0.1);
    return [y];
  },
};

/** The first number of a result: reading it waits for all before. */
const corner = async (x: T): Promise<void> => {
  const first = tf.tidy(() => tf.slice(tf.reshape(x, [-1]), [0], [1]));
  await first.data();
  first.dispose();
};

/** What a launch of a program does, and what it takes apart beforehand. */
interface Function {
  readonly run: () => T[];
  readonly owned: readonly T[];
}

const functionOf = (program: GpuProgramName, tensors: readonly T[], inputs: readonly Input[]): Function => {
  if (program === 'sampling') {
    const { x, noise, times, layers } = partsOfSampling(tensors);
    const numbers = inputs[2]!.values;
    const [zs, told] = [tf.unstack(noise), tf.unstack(times)];
    const [w1, b1, w2, b2, w3, b3] = layers as [T, T, T, T, T, T];
    const predict = (at: T, i: number): T => {
      const first = silu(tf.add(tf.add(tf.matMul(at, w1), b1), told[i]!));
      return tf.add(tf.matMul(silu(tf.add(tf.matMul(first, w2), b2)), w3), b3);
    };
    return { run: () => [steps(x, numbers, predict, zs)], owned: [...zs, ...told] };
  }
  if (program === 'unetSampling') {
    const { x, noise, times, params } = partsOfUnetSampling(tensors);
    const numbers = inputs[2]!.values;
    const [zs, told] = [tf.unstack(noise), tf.unstack(times)];
    const predict = (at: T, i: number): T => unet(unetOps, params, at, told[i]!);
    return { run: () => [steps(x, numbers, predict, zs)], owned: [...zs, ...told] };
  }
  return { run: () => [...programs[program](...tensors)], owned: [] };
};

const prepare = async (program: GpuProgramName, inputs: readonly Input[]): Promise<Launching<T[]>> => {
  const tensors = inputs.map((input, i) =>
    tf.tidy(() => {
      const given = tf.tensor(input.values, [...input.shape]);
      const order = program === 'chain' ? null : inputAxes(program, input, i);
      return order === null ? given : tf.transpose(given, order);
    }),
  );
  const { run, owned } = functionOf(program, tensors, inputs);
  return {
    launch: () => tf.tidy(run),
    settle: results => corner(results[0]!),
    drop: results => tf.dispose(results),
    read: async results => {
      const read = async (result: T): Promise<Float32Array> => {
        const order = program === 'chain' ? null : resultAxes(program, result);
        const given = order === null ? result : tf.transpose(result, inverse(order));
        const values = (await given.data()) as Float32Array;
        if (given !== result) given.dispose();
        return values;
      };
      const values: Float32Array[] = [];
      for (const result of results) values.push(await read(result));
      return values;
    },
    dispose: () => tf.dispose([...tensors, ...owned]),
  };
};

/** One of its backends as a library. They share a state: `enter` switches. It has no jit. */
const tfjsOn = (backend: 'webgl' | 'webgpu', cannot: string | null): GpuLibrary => ({
  name: `tfjs-${backend}`,
  threads: 1,
  refusal: () => cannot,
  enter: async () => {
    if (backend === 'webgpu' && tf.findBackendFactory(backend) === null) {
      // It registers itself only where WebGPU is there when it is loaded, which in Node it is not yet.
      const { device, info } = await requestDevice();
      const Backend = WebGPUBackend as unknown as new (device: unknown, info: unknown) => tf.KernelBackend;
      tf.registerBackend(backend, () => new Backend(device, info));
    }
    if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot use its ${backend} backend here`);
  },
  prepare: prepare as GpuLibrary['prepare'],
});

export const tfjsWebgpu = (cannot: string | null): GpuLibrary => tfjsOn('webgpu', cannot);
export const tfjsWebgl = (cannot: string | null): GpuLibrary => tfjsOn('webgl', cannot);
