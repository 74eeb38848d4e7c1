/** Kernels of gpu.js by what they were made of, for the launchers that let gpu.js run them. */
import { DeviceError } from '../../../errors.js';
import type { KernelPass, Pass } from '../pass.js';
import type { GpuInstance, GpuKernel, GpuKernelInternals, GpuKernelSettings } from './gpujs.js';
import type { Mode } from './launcher.js';

/** Everything that a kernel's code depends on; not its name, and not which scalars its numbers are. */
export const keyOf = ({ source, grid, components, reads, numbers, turns }: KernelPass): string =>
  `${grid} ${components} ${reads} ${numbers.map(n => (n.kind === 'argument' ? 'i' : 'f')).join('')} ${turns} ${source}`;

/** @throws DeviceError for a shader, which gpu.js does not run */
export const kernelPass = (pass: Pass, mode: Mode): KernelPass => {
  if (pass.kind === 'kernel') return pass;
  throw new DeviceError({
    operation: pass.name,
    given: 'a shader in WGSL',
    rule: `${mode} runs none`,
    hint: 'This is a defect of the library: the device says so in its traits.',
  });
};

/** Kinds of arguments, by gpu.js's names. */
export const argumentTypes = ({ reads, numbers }: KernelPass, buffer: string): readonly string[] => [
  ...reads.map(() => buffer),
  ...numbers.map(({ kind }) => (kind === 'argument' ? 'Integer' : 'Float')),
];

export const failed = (pass: KernelPass, mode: Mode, cause: unknown): DeviceError =>
  new DeviceError(
    {
      operation: pass.name,
      given: `a kernel with the grid ${pass.grid.join(' × ')} that reads [${pass.reads}] floats:\n${pass.source}\n`,
      rule: `${mode} does not run it (${cause instanceof Error ? cause.message : cause})`,
      hint: 'This is a defect of the library, unless the device has no memory left.',
    },
    { cause },
  );

/**
 * @throws Error when gpu.js has chosen another mode, as it does without a word. All those of WebGL call themselves
 * `gpu`.
 */
export const checkMode = (kernel: GpuKernelInternals, mode: Mode): void => {
  const actual = kernel.constructor.mode;
  if (actual !== (mode === 'webgl2' || mode === 'headlessgl' ? 'gpu' : mode)) {
    throw new Error(`gpu.js fell back to ${actual}: ${kernel.fallbackReason ?? 'it gives no reason'}`);
  }
};

/** How a launcher has its kernels made. */
export interface KernelMaker<P extends KernelPass> {
  readonly gpu: GpuInstance;
  readonly mode: Mode;
  /** How many kernels are kept. */
  readonly limit: number;
  settings(pass: P): Partial<GpuKernelSettings>;
  /** Translates and compiles. */
  build(kernel: GpuKernel, pass: P): void;
  /** Called before a kernel is destroyed: takes away what it shares with others. */
  release?(kernel: GpuKernel): void;
}

/** Built kernels, so many of them; the one that was not used for the longest time goes first. */
export class Kernels<P extends KernelPass> {
  readonly #maker: KernelMaker<P>;
  readonly #kernels = new Map<string, GpuKernel>();

  constructor(maker: KernelMaker<P>) {
    this.#maker = maker;
  }

  /** @throws DeviceError with the source, when it does not compile */
  of(pass: P, key: string): GpuKernel {
    const known = this.#kernels.get(key);
    if (known !== undefined) {
      this.#kernels.delete(key);
      this.#kernels.set(key, known);
      return known;
    }
    const kernel = this.#make(pass);
    this.#kernels.set(key, kernel);
    for (const [oldest, old] of this.#kernels) {
      if (this.#kernels.size <= this.#maker.limit) break;
      this.#kernels.delete(oldest);
      this.#drop(old);
    }
    return kernel;
  }

  clear(): void {
    for (const kernel of this.#kernels.values()) this.#drop(kernel);
    this.#kernels.clear();
  }

  #make(pass: P): GpuKernel {
    const { gpu, mode } = this.#maker;
    try {
      const kernel = gpu.createKernel(pass.source, {
        output: pass.grid,
        precision: 'single',
        pipeline: true,
        loopMaxIterations: Math.max(pass.turns, 1),
        ...this.#maker.settings(pass),
      });
      try {
        this.#maker.build(kernel, pass);
        checkMode(kernel.kernel, mode);
        return kernel;
      } catch (cause) {
        this.#drop(kernel);
        throw cause;
      }
    } catch (cause) {
      throw failed(pass, mode, cause);
    }
  }

  #drop(kernel: GpuKernel): void {
    this.#maker.release?.(kernel);
    kernel.kernel.destroy();
    // Not all kernels take themselves off this list, which nobody else shortens.
    const { kernels } = this.#maker.gpu;
    const at = kernels.indexOf(kernel.kernel);
    if (at >= 0) kernels.splice(at, 1);
  }
}
