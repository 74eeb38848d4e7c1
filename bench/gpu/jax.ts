/** jax-js on its WebGPU device. Functions own their arguments: see `../peers/jax.ts`. */
import { blockUntilReady, defaultDevice, init, jit, numpy as np } from '@jax-js/jax';
import type { Input } from '../inputs.js';
import { unet } from '../networks/unet.js';
import { programs as known } from '../peers/jax.js';
import { unetOps } from '../peers/jax-networks.js';
import {
  type GpuLibrary,
  type GpuProgramName,
  type GpuPrograms,
  type Launching,
  links,
  partsOfUnetSampling,
} from './library.js';

type T = np.Array;

const unetStep = jit((i: T, x: T, noise: T, coefficients: T, times: T, ...params: T[]): T => {
  const [z, time, c] = [np.take(noise, i.ref, 0), np.take(times, i.ref, 0), np.take(coefficients, i, 0)];
  const start = unet(unetOps, params, x.ref, time.ref);
  time.dispose();
  return x
    .mul(c.ref.slice(0))
    .add(start.mul(c.ref.slice(1)))
    .add(z.mul(c.slice(2)));
});

const programs: GpuPrograms<T> = {
  ...known,
  chain: x => {
    let y = x!;
    for (let i = 0; i < links; i++) y = y.mul(0.9).add(0.1);
    return [y];
  },
  unetSampling: (...inputs) => {
    const { x, noise, coefficients, times, params } = partsOfUnetSampling(inputs);
    let y = x;
    for (let i = 0; i < noise.shape[0]!; i++) {
      const at = np.array(i, { dtype: np.int32 });
      y = unetStep(at, y, noise.ref, coefficients.ref, times.ref, ...params.map(p => p.ref));
    }
    for (const each of [noise, coefficients, times, ...params]) each.dispose();
    return [y];
  },
};

/** Programs that compile their steps themselves. */
const stepwise: readonly GpuProgramName[] = ['sampling', 'unetSampling'];

const prepare = async (program: GpuProgramName, inputs: readonly Input[]): Promise<Launching<T[]>> => {
  const arrays = inputs.map(({ values, shape }) => np.array(values).reshape([...shape]));
  await blockUntilReady(arrays);
  const f = (...args: T[]): T[] => [...programs[program](...args)];
  const compiled = stepwise.includes(program) ? null : jit(f);
  return {
    launch: () => {
      const results = (compiled ?? f)(...arrays.map(array => array.ref));
      // It hands nothing to the device until somebody asks for a result; asking for its buffer does not wait.
      for (const result of results) result.ref.gpuBufferSync();
      return results;
    },
    settle: async results => {
      await blockUntilReady(results[0]);
    },
    drop: results => {
      for (const result of results) result.dispose();
    },
    read: async results => {
      const values: Float32Array[] = [];
      for (const result of results) values.push((await result.ref.data()) as Float32Array);
      return values;
    },
    dispose: () => {
      compiled?.dispose();
      for (const array of arrays) array.dispose();
    },
  };
};

let started = false;

export const jaxWebgpu = (cannot: string | null): GpuLibrary => ({
  name: 'jax-js',
  threads: 1,
  refusal: () => cannot,
  enter: async () => {
    if (started) return;
    if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js finds no WebGPU device');
    defaultDevice('webgpu');
    started = true;
  },
  prepare: prepare as GpuLibrary['prepare'],
});
