/** This library on the GPU, and on the CPU beside it. */
import {
  add,
  type DeviceMode,
  type DeviceName,
  device,
  fold,
  jit,
  mul,
  realize,
  reshape,
  type Tensor,
  take,
  tensor,
  threadInfo,
  toDevice,
} from 'tenfold';
import { unet } from '../networks/unet.js';
import { programs as known } from '../peers/tenfold.js';
import { unetOps } from '../peers/tenfold-networks.js';
import { ownImpl, ownOnCpu } from '../row.js';
import { type GpuLibrary, type GpuPrograms, type Launching, links, partsOfUnetSampling } from './library.js';

type T = Tensor;

const programs: GpuPrograms<T> = {
  ...known,
  chain: x => {
    let y = x!;
    for (let i = 0; i < links; i++) y = add(mul(y, 0.9), 0.1);
    return [y];
  },
  unetSampling: (...inputs) => {
    const { x, noise, coefficients, times, params } = partsOfUnetSampling(inputs);
    const step = (at: T, { z, c, time }: { readonly z: T; readonly c: T; readonly time: T }): T => {
      const start = unet(unetOps, params, at, time);
      return add(add(mul(at, take(c, 0)), mul(start, take(c, 1))), mul(z, take(c, 2))) as T;
    };
    return [fold(step)(x, { z: noise, c: coefficients, time: times })];
  },
};

/**
 * A function of tensors as something to launch. What waits reads one element; only the first result is compared: it depends on
 * the others where it is a loss.
 */
const launchingOf = (f: () => readonly T[], compared?: number): Launching<readonly T[]> => {
  const corner = jit((x: T): T => take(reshape(x, [-1]), 0) as T);
  return {
    launch: () => realize(f()),
    settle: async results => {
      await corner(results[0]!).data();
    },
    drop: () => {},
    read: results =>
      Promise.all(results.slice(0, compared).map(async result => Float32Array.from(await result.data()))),
    dispose: () => {},
  };
};

const prepareOn =
  (name: DeviceName): GpuLibrary['prepare'] =>
  async (program, inputs) => {
    const given = inputs.map(({ values, shape }) => tensor(values, shape) as T);
    const tensors = await toDevice(given, name);
    const f = jit((...args: readonly T[]): readonly T[] => programs[program](...args));
    return launchingOf(() => f(...tensors)) as Launching;
  };

/** One of this library's devices, for programs and for what only this library has. */
export interface OwnLibrary extends GpuLibrary {
  /** A function of its tensors, made while it computes; only its first result is compared. */
  readonly launching: (make: () => () => readonly T[]) => Promise<Launching>;
}

const own = (name: DeviceName, parts: Pick<GpuLibrary, 'name' | 'threads' | 'refusal' | 'enter'>): OwnLibrary => ({
  ...parts,
  prepare: prepareOn(name),
  launching: async make => launchingOf(make(), 1) as Launching,
});

/** On the CPU, with as many threads as the library takes by itself. */
export const ownCpu = (): OwnLibrary =>
  own('cpu', {
    name: ownOnCpu,
    threads: threadInfo().threads,
    refusal: () => null,
    enter: async () => {
      await device('cpu');
    },
  });

/** On the GPU, in a mode; `cannot` says why it is none. */
export const ownGpu = (mode: DeviceMode | null, cannot: string | null): OwnLibrary =>
  own('gpu', {
    name: ownImpl,
    threads: 1,
    refusal: () => cannot,
    enter: async () => {
      await device('gpu', mode === null ? {} : { mode });
    },
  });
