/** The seam between the cases for a GPU and the libraries that compute there: programs by name, results that stay on the device. */
import type { Input } from '../inputs.js';
import type { Programs } from '../library.js';

/**
 * Programs of `../library.ts`, and these:
 *
 * - `chain` x ↦ ten times 0.9·x + 0.1, twenty elementwise steps
 * - `unetSampling` x, noise [T, n, c, h, w], coefficients [T, 3], times [T, n, e], then parameters of the network of `unetStep` ↦ x after T steps, as `sampling`
 */
type Shared =
  | 'squarePlusOne'
  | 'softmax'
  | 'layerNorm'
  | 'groupNormSilu'
  | 'adam'
  | 'matmul'
  | 'conv'
  | 'convInput'
  | 'convKernel'
  | 'trainStep'
  | 'unetStep'
  | 'sampling';

export type GpuProgramName = Shared | 'chain' | 'unetSampling';

/** Implementations of all programs with a library's tensors. */
export type GpuPrograms<T> = Pick<Programs<T>, Shared> & {
  readonly [Name in GpuProgramName]: (...inputs: readonly T[]) => readonly T[];
};

/** A program with inputs on the device; `R` is what a launch leaves there. */
export interface Launching<R = unknown> {
  /** Hands the work to the device, and does not wait. */
  readonly launch: () => R;
  /** Waits until this launch, and so all before it, are done. */
  readonly settle: (results: R) => Promise<void>;
  readonly drop: (results: R) => void;
  readonly read: (results: R) => Promise<readonly Float32Array[]>;
  /** Drops the inputs. */
  readonly dispose: () => void;
}

export interface GpuLibrary {
  /** The `impl` of its rows. */
  readonly name: string;
  /** Threads of the CPU that compute; 1 where a GPU does. */
  readonly threads: number;
  readonly note?: string;
  /** Why it cannot take part here, or in a program, if so. */
  readonly refusal: (program: GpuProgramName) => string | null;
  /** Makes it the one that computes, where several share a state. */
  readonly enter: () => Promise<void>;
  readonly prepare: (program: GpuProgramName, inputs: readonly Input[]) => Promise<Launching>;
  readonly close?: () => Promise<void>;
}

/** How often `chain` multiplies and adds. */
export const links = 10;

/** The inputs of `unetSampling`, apart. */
export const partsOfUnetSampling = <T>([x, noise, coefficients, times, ...params]: readonly T[]) => ({
  x: x!,
  noise: noise!,
  coefficients: coefficients!,
  times: times!,
  params,
});
