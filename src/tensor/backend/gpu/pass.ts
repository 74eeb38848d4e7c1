/**
 * What a device runs: a pass is one launch of one kernel. It reads buffers of float32 and makes a new one; nothing is
 * written twice.
 *
 * How elements stand in a buffer: float32, uint8 and bool one to a float. int32 and uint32 take two floats each, the
 * lower 16 bits and the upper 16 bits (both 0 to 65535) next to each other: no mode of gpu.js has exact 32-bit
 * integers everywhere, but all have exact floats below 2^24. float64 is never on a device.
 */
import type { DType } from '../../dtype.js';
import { type Aval, sizeOf } from '../../shape.js';

/** What differs between devices and decides what is written for them. */
export interface Traits {
  /** Whether `(x | 0)` is an integer that addresses can be computed from exactly, and cheap; else indices are floats below 2^24. */
  readonly integers: boolean;
  /** Buffers that a pass can read. */
  readonly reads: number;
  /** Floats that a buffer can have. */
  readonly floats: number;
  /** Whether the device runs shaders of our own. */
  readonly shaders: boolean;
  /** Units that want work: how many threads a launch should have at least, if there is so much to do. */
  readonly threads: number;
}

/**
 * A number that a pass is given beside its buffers. Of a scalar of the program, by its position in a run's values: all of it, or a
 * half of a 32-bit integer. Numbers that no literal can say (∞, NaN) are constants.
 */
export type PassNumber =
  | { readonly kind: 'scalar'; readonly index: number; readonly part: 'all' | 'low' | 'high' }
  | { readonly kind: 'constant'; readonly value: number }
  /** Known only at the launch, an integer: `launch` is told it. */
  | { readonly kind: 'argument' };

/** A kernel in the language of gpu.js: `function(b0, b1, …, n0, n1, …) { … return value; }`. */
export interface KernelPass {
  readonly kind: 'kernel';
  /** What it does, for explain and for errors: names of primitives. */
  readonly name: string;
  readonly source: string;
  /** Lengths of the grid: x, or x and y, or x, y and z. The result is row-major with x innermost. */
  readonly grid: readonly number[];
  /** Floats that each thread returns: one, or an array of 4, which stand next to each other. */
  readonly components: 1 | 4;
  /** Floats of each buffer it reads, by position. */
  readonly reads: readonly number[];
  readonly numbers: readonly PassNumber[];
  /** Turns of its longest loop. */
  readonly turns: number;
  /** Operations on numbers, for explain. */
  readonly flops: number;
}

/**
 * A shader in WGSL, for devices that take them. Bindings of group 0: a uniform `numbers: array<vec4<f32>, …>` at 0 if there are
 * numbers, then the buffers it reads, then those it makes, all `array<f32>` or aliases of it.
 */
export interface ShaderPass {
  readonly kind: 'shader';
  readonly name: string;
  readonly source: string;
  readonly workgroups: readonly [x: number, y: number, z: number];
  readonly reads: readonly number[];
  /** Floats of each buffer it makes. */
  readonly makes: readonly number[];
  readonly numbers: readonly PassNumber[];
  readonly flops: number;
}

export type Pass = KernelPass | ShaderPass;

/** Floats that an element takes on a device; 0 for float64, which is never there. */
export const floatsOf: Readonly<Record<DType, 0 | 1 | 2>> = {
  float32: 1,
  float64: 0,
  int32: 2,
  uint32: 2,
  uint8: 1,
  bool: 1,
};

/** Floats of a value's buffer. */
export const floatsIn = ({ shape, dtype }: Aval): number => sizeOf(shape) * floatsOf[dtype];

/** Floats of each buffer that a pass makes. */
export const madeBy = (pass: Pass): readonly number[] =>
  pass.kind === 'shader' ? pass.makes : [pass.grid.reduce((p, n) => p * n, pass.components)];
