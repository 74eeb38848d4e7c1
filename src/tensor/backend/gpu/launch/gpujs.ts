/**
 * gpu.js as we use it. Its own typings need the types of a page, leave out what we need and refuse Float32Array, so the
 * few parts in use are described here, and no other module imports it. It is an optional package, and large: it is
 * loaded when a device is asked for.
 */
import { DeviceError } from '../../../errors.js';

/**
 * A kernel behind the function that runs it. Gone over by gpu.js when its arguments change their kind, or fall back.
 */
export interface GpuKernelInternals {
  readonly constructor: { readonly mode?: string; readonly name: string };
  /** Why it runs on the CPU instead. */
  readonly fallbackReason?: string | null;
  /** In GLSL or WGSL; empty before it is built. */
  readonly compiledSource?: string;
  readonly compiledFragmentShader?: string;
  build(...args: readonly unknown[]): unknown;
  destroy(removeCanvasReferences?: boolean): void;
}

/**
 * What a kernel has in the modes of WebGL. A run draws into `texture`, by `framebuffer`, with the corners that are in
 * `buffer`.
 */
export interface GlKernelInternals extends GpuKernelInternals {
  /** Width and height of what it draws into. */
  texSize: Int32Array;
  /** The last thing that gpu.js does when it has chosen `texSize`. */
  checkTextureSize(): void;
  texture: { readonly texture: unknown; beforeMutate(): boolean } | null;
  framebuffer: unknown;
  buffer: unknown;
  readonly program: unknown;
  deleteTexture(texture: unknown): void;
}

/** A function that runs a kernel. */
export interface GpuKernel {
  (...args: readonly unknown[]): unknown;
  readonly kernel: GpuKernelInternals;
  destroy(removeCanvasReferences?: boolean): void;
}

/** A result that stays on the device. */
interface GpuHandle {
  toArray(): unknown;
  delete(): void;
}

export interface GpuKernelSettings {
  readonly output: readonly number[];
  readonly precision: 'single';
  readonly argumentTypes?: readonly string[];
  readonly loopMaxIterations?: number;
  readonly pipeline?: boolean;
  readonly immutable?: boolean;
  readonly tactic?: 'precision';
  readonly returnType?: string;
}

export interface GpuInstance {
  /** The context of WebGL, or null. */
  readonly context: unknown;
  /** All kernels made, until somebody takes them off. */
  readonly kernels: unknown[];
  createKernel(source: string, settings: GpuKernelSettings): GpuKernel;
  destroy(): Promise<void>;
}

interface GpuConstructor {
  new (settings: { readonly mode: string; readonly context?: unknown; readonly canvas?: unknown }): GpuInstance;
  readonly isWebGL2Supported: boolean;
  readonly isHeadlessGLSupported: boolean;
  readonly isWebGPUSupported: boolean;
  readonly isWebAssemblySupported: boolean;
}

export interface GpuJs {
  readonly GPU: GpuConstructor;
  input(value: Float32Array, size: readonly number[]): unknown;
  readonly WebGPUContext: {
    readonly isSupported: boolean;
    /** The device that all kernels share. */
    acquire(): Promise<{ readonly adapter: unknown; readonly device: unknown; readonly isLost: boolean }>;
    destroy(): Promise<void>;
  };
  /** A buffer of our own as a handle that kernels take. */
  readonly WebGPUBufferResult: new (settings: {
    readonly buffer: unknown;
    readonly output: readonly number[];
    readonly componentCount?: number;
    readonly context: unknown;
    readonly kernel: unknown;
  }) => GpuHandle;
}

/** @throws DeviceError when the package is not there or does not load */
export const loadGpuJs = async (): Promise<GpuJs> => {
  const native = Object.getOwnPropertyDescriptor(globalThis, 'GPU');
  try {
    const module: unknown = await import('gpu.js');
    // In a page it puts itself in the place of WebGPU's interface of this name.
    if (native !== undefined) Object.defineProperty(globalThis, 'GPU', native);
    // It is a CommonJS module, whose exports are the default.
    return ((module as { readonly default?: unknown }).default ?? module) as GpuJs;
  } catch (cause) {
    throw new DeviceError(
      {
        operation: 'device',
        given: 'a device of gpu.js',
        rule: `the optional package gpu.js is not installed or does not load (${cause instanceof Error ? cause.message : cause})`,
        hint: 'Install it with `npm install gpu.js@2.24.1`; for WebGPU in Node also `npm install webgpu@0.6.2`.',
      },
      { cause },
    );
  }
};
