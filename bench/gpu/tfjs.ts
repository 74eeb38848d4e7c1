/** TensorFlow.js on its backends for GPUs. Images have their channels last. */
import '../peers/tfjs-gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgl';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type { Input } from '../inputs.js';
import { epsilon, partsOfSampling } from '../library.js';
import { axesOf, inverse, programs as known, silu, update } from '../peers/tfjs.js';
import {
  type GpuLibrary,
  type GpuProgramName,
  type GpuPrograms,
  type Launching,
  links,
  partsOfUnetSampling,
  partsOfUnetStep,
} from './library.js';
import { type UnetOps, unet, unetGroups } from './unet.js';
import { requestDevice } from './webgpu.js';

type T = tf.Tensor;

const ops: UnetOps<T> = {
  again: x => x,
  add: (x, y) => tf.add(x, y),
  silu,
  conv: (x, kernel, bias, stride) => {
    // Padding the way of other libraries: 1 on all sides, also with a stride of 2.
    const y = tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, stride, (kernel.shape[0]! - 1) / 2);
    return tf.add(y, bias);
  },
  norm: (x, gain, shift) => {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const groups = tf.reshape(x, [n, h * w, unetGroups, c / unetGroups]);
    const { mean, variance } = tf.moments(groups, [1, 3], true);
    const y = tf.mul(tf.sub(groups, mean), tf.rsqrt(tf.add(variance, epsilon)));
    return tf.add(tf.mul(tf.reshape(y, x.shape), gain), shift);
  },
  addDense: (image, x, weight, bias) => {
    const told = tf.add(tf.matMul(x, weight), bias);
    return tf.add(image, tf.reshape(told, [told.shape[0]!, 1, 1, told.shape[1]!]));
  },
  upsample: x => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2 * x.shape[1]!, 2 * x.shape[2]!]),
};

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
  unetStep: (...inputs) => {
    const { x, y, time, params, first, second } = partsOfUnetStep(inputs);
    const loss = (...p: T[]): tf.Scalar => tf.mean(tf.squaredDifference(unet(ops, p, x, time), y));
    const { value, grads } = tf.valueAndGrads(loss)([...params]);
    const updated = params.map((p, i) => update(p, grads[i]!, first[i]!, second[i]!));
    return [value, ...[0, 1, 2].flatMap(part => updated.map(each => each[part]!))];
  },
};

const [image, kernel] = [
  [0, 2, 3, 1],
  [2, 3, 1, 0],
];

/** The order in which an input or a result has its axes; null where it stays as it is. */
type Axes = number[] | null;

const ofUnet = (program: GpuProgramName, { shape }: Pick<Input, 'shape'>, i: number): Axes => {
  if (shape.length === 5) return [0, 1, 3, 4, 2];
  if (shape.length !== 4) return null;
  return i < (program === 'unetStep' ? 2 : 1) ? image : kernel;
};

const inputAxes = (program: GpuProgramName, inputs: readonly Input[]): readonly Axes[] => {
  if (program.startsWith('unet')) return inputs.map((input, i) => ofUnet(program, input, i));
  const axes = program === 'chain' || program === 'unetStep' || program === 'unetSampling' ? null : axesOf(program);
  return inputs.map((_, i) => axes?.inputs[i] ?? null);
};

const resultAxes = (program: GpuProgramName, { shape }: T): Axes => {
  if (program === 'unetSampling') return image;
  if (program === 'unetStep') return shape.length === 4 ? kernel : null;
  return program === 'chain' ? null : (axesOf(program)?.result ?? null);
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
    const predict = (at: T, i: number): T => unet(ops, params, at, told[i]!);
    return { run: () => [steps(x, numbers, predict, zs)], owned: [...zs, ...told] };
  }
  return { run: () => [...programs[program](...tensors)], owned: [] };
};

const prepare = async (program: GpuProgramName, inputs: readonly Input[]): Promise<Launching<T[]>> => {
  const axes = inputAxes(program, inputs);
  const tensors = inputs.map(({ values, shape }, i) =>
    tf.tidy(() => {
      const given = tf.tensor(values, [...shape]);
      const order = axes[i];
      return order == null ? given : tf.transpose(given, order);
    }),
  );
  const { run, owned } = functionOf(program, tensors, inputs);
  return {
    launch: () => tf.tidy(run),
    settle: results => corner(results[0]!),
    drop: results => tf.dispose(results),
    read: async results => {
      const read = async (result: T): Promise<Float32Array> => {
        const order = resultAxes(program, result);
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
