/** The seam to a device: what a mode of gpu.js offers, so that everything above knows none of them. */
import type { Pass, Traits } from '../pass.js';

/** The modes of gpu.js, the best first. `webasm` and `cpu` compute on no GPU: they serve to test what is written for one. */
export type Mode = 'webgpu' | 'webgl2' | 'headlessgl' | 'webasm' | 'cpu';

/** Floats on a device. What it is depends on the launcher that made it. */
export interface DeviceBuffer {
  readonly floats: number;
}

/** A pass that can be launched. */
export interface Launchable {
  readonly pass: Pass;
}

export interface Launcher {
  readonly mode: Mode;
  readonly traits: Traits;
  /** The adapter's own name. */
  readonly adapter: string;
  /** By WebGPU's or WebGL's names, for deviceInfo. */
  readonly limits: Readonly<Record<string, number>>;
  /**
   * Translates and compiles a pass; equal passes share what is compiled. A promise where that takes turns of the event loop.
   *
   * @throws DeviceError with the source, when it does not compile
   */
  prepare(pass: Pass): Launchable | Promise<Launchable>;
  /** New buffers, in the pass's order; what is read stays as it is. The numbers are in the order of the pass's. Never waits. */
  launch(launchable: Launchable, reads: readonly DeviceBuffer[], numbers: readonly number[]): readonly DeviceBuffer[];
  upload(data: Float32Array): DeviceBuffer;
  /** A copy of the elements. At once where `readsAtOnce`. */
  read(buffer: DeviceBuffer): Float32Array | Promise<Float32Array>;
  readonly readsAtOnce: boolean;
  /** A new buffer with so many floats of another, from one of them on. */
  slice(buffer: DeviceBuffer, from: number, floats: number): DeviceBuffer;
  /** A new buffer with the floats of all, one behind the other. */
  stack(parts: readonly DeviceBuffer[]): DeviceBuffer;
  /**
   * For the run of a program of many launches: a buffer with the same floats that it may use in place of a value's, and one
   * that a value may keep in place of what the run has made. Where launches are cheaper with the buffers of the last time,
   * small ones are copied, so that all runs have the same; otherwise it is the same buffer. What is given is still the caller's.
   */
  lend(buffer: DeviceBuffer): DeviceBuffer;
  keep(buffer: DeviceBuffer): DeviceBuffer;
  /** Says that a buffer is not used from now on by what has not been launched yet. */
  free(buffer: DeviceBuffer): void;
  /** Hands what was launched to the device. */
  flush(): void;
  /** Settles when the device has done everything. */
  finish(): Promise<void>;
  /** Bytes of all buffers, those kept for reuse included. */
  readonly bytes: number;
  /** Gives back the memory that is kept for reuse. */
  trim(): void;
  /** Why nothing works any more (a lost device), or null. */
  readonly lost: string | null;
  destroy(): Promise<void>;
}
