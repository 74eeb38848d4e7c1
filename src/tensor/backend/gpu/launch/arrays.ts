/**
 * The modes of gpu.js that compute on no GPU: buffers are arrays on the host, and a launch is done when it returns.
 * They test what is written for devices, and are no backend to be used: ours is a hundred times faster.
 */
import { DeviceError } from '../../../errors.js';
import type { KernelPass, Pass } from '../pass.js';
import { type GpuJs, loadGpuJs } from './gpujs.js';
import { argumentTypes, checkMode, failed, Kernels, kernelPass, keyOf } from './kernels.js';
import type { DeviceBuffer, Launchable, Launcher } from './launcher.js';

interface HostBuffer extends DeviceBuffer {
  /** null once it is free. */
  data: Float32Array | null;
}

interface ArrayLaunchable extends Launchable {
  readonly pass: KernelPass;
  readonly key: string;
}

type ArrayMode = 'cpu' | 'webasm';

/**
 * A kernel of webasm has a memory of its own, for which 10 GiB of addresses are set aside; one of cpu is a function.
 */
const kept: Readonly<Record<ArrayMode, number>> = { cpu: 4096, webasm: 256 };

/** A kernel of webasm has all that it reads and makes in one memory of 4 GiB. */
const longest: Readonly<Record<ArrayMode, number>> = { cpu: 2 ** 28, webasm: 2 ** 26 };

const bytesPerFloat = Float32Array.BYTES_PER_ELEMENT;

/**
 * The floats of a result in their order: rows, and what threads return of several floats, may be arrays of their own.
 */
const flatten = (result: unknown, into: Float32Array, from = 0): number => {
  if (typeof result === 'number') {
    into[from] = result;
    return from + 1;
  }
  if (result instanceof Float32Array) {
    into.set(result, from);
    return from + result.length;
  }
  let at = from;
  for (const part of result as readonly unknown[]) at = flatten(part, into, at);
  return at;
};

class Arrays implements Launcher {
  readonly mode: ArrayMode;
  readonly traits;
  readonly adapter: string;
  readonly limits = {};
  readonly readsAtOnce = true;
  readonly lost = null;
  readonly #gpu;
  readonly #input: GpuJs['input'];
  readonly #kernels: Kernels<KernelPass>;
  #bytes = 0;

  constructor(mode: ArrayMode, { GPU, input }: GpuJs) {
    this.mode = mode;
    this.traits = { integers: true, reads: 64, floats: longest[mode], shaders: false, threads: 1 };
    this.adapter = mode === 'cpu' ? 'JavaScript' : 'WebAssembly';
    this.#gpu = new GPU({ mode });
    this.#input = input;
    this.#kernels = new Kernels({
      gpu: this.#gpu,
      mode,
      limit: kept[mode],
      settings: pass => ({ argumentTypes: argumentTypes(pass, 'Input'), immutable: true }),
      build: (kernel, pass) => {
        const zeros = new Float32Array(Math.max(0, ...pass.reads));
        kernel.kernel.build(
          ...pass.reads.map(floats => input(zeros.subarray(0, floats), [floats])),
          ...pass.numbers.map(() => 0),
        );
        // The mode cpu prints that a kernel does not compile, and goes on without one.
        if (mode === 'cpu' && !Object.hasOwn(kernel.kernel, 'run')) throw new Error('it does not compile');
      },
    });
  }

  prepare(pass: Pass): ArrayLaunchable {
    const kernel = kernelPass(pass, this.mode);
    const key = keyOf(kernel);
    this.#kernels.of(kernel, key);
    return { pass: kernel, key };
  }

  launch(launchable: Launchable, reads: readonly DeviceBuffer[], numbers: readonly number[]): readonly DeviceBuffer[] {
    const { pass, key } = launchable as ArrayLaunchable;
    const kernel = this.#kernels.of(pass, key);
    const made = new Float32Array(pass.grid.reduce((p, n) => p * n, pass.components));
    const inputs = reads.map(buffer => this.#input(this.#data(buffer), [buffer.floats]));
    try {
      const floats = flatten(kernel(...inputs, ...numbers), made);
      if (floats !== made.length) throw new Error(`it made ${floats} floats and not ${made.length}`);
      checkMode(kernel.kernel, this.mode);
    } catch (cause) {
      throw failed(pass, this.mode, cause);
    }
    return [this.#buffer(made)];
  }

  upload(data: Float32Array): DeviceBuffer {
    return this.#buffer(data.slice());
  }

  read(buffer: DeviceBuffer): Float32Array {
    return this.#data(buffer).slice();
  }

  slice(buffer: DeviceBuffer, from: number, floats: number): DeviceBuffer {
    return this.#buffer(this.#data(buffer).slice(from, from + floats));
  }

  stack(parts: readonly DeviceBuffer[]): DeviceBuffer {
    const data = new Float32Array(parts.reduce((sum, { floats }) => sum + floats, 0));
    let at = 0;
    for (const part of parts) {
      data.set(this.#data(part), at);
      at += part.floats;
    }
    return this.#buffer(data);
  }

  lend(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }

  keep(buffer: DeviceBuffer): DeviceBuffer {
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    const array = buffer as HostBuffer;
    if (array.data === null) return;
    this.#bytes -= array.floats * bytesPerFloat;
    array.data = null;
  }

  flush(): void {}

  finish(): Promise<void> {
    return Promise.resolve();
  }

  get bytes(): number {
    return this.#bytes;
  }

  trim(): void {}

  destroy(): Promise<void> {
    this.#kernels.clear();
    return this.#gpu.destroy();
  }

  #buffer(data: Float32Array): HostBuffer {
    this.#bytes += data.byteLength;
    return { floats: data.length, data };
  }

  #data(buffer: DeviceBuffer): Float32Array {
    const { data } = buffer as HostBuffer;
    if (data !== null) return data;
    throw new DeviceError({
      operation: this.mode,
      given: `a buffer of ${buffer.floats} floats`,
      rule: 'it is free',
      hint: 'This is a defect of the library.',
    });
  }
}

/** @throws DeviceError when gpu.js is not installed, Error when it has not this mode */
export const openArrays = async (mode: ArrayMode): Promise<Launcher> => new Arrays(mode, await loadGpuJs());
