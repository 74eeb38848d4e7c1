/** The seam: what a backend has to offer. The reference interpreter is one; WebAssembly and the GPU are others. */
import type { Program } from '../compile/program.js';
import type { Storage } from '../storage.js';

export interface Backend {
  /** As users name it: `reference`. */
  readonly name: string;
  /** Prepares a program; whatever can be done once for many runs is done here. */
  compile(program: Program): Executable;
}

/** One step of a prepared program: a kernel, a call of a library, a loop. */
export interface StepReport {
  /** What it does: the primitives in it. Those with `[js]` have no fast form here: JavaScript computes each element. */
  readonly name: string;
  /** The form of its work: the space of a kernel (reduced axes starred), the sizes of a product. */
  readonly shape: string;
  /** Arithmetic operations on floats or integers, each counted as one. */
  readonly flops: number;
  /** Bytes that it must read and write at least. */
  readonly bytes: number;
  /** How often a run of the program makes it; null where that depends on values. */
  readonly times: number | null;
  /** Milliseconds of all times together, steps of bodies not counted; null where they are not measured, as on a device. */
  readonly ms: number | null;
  /** The steps of its bodies. */
  readonly steps: readonly StepReport[];
}

/** What became of a program, and how long it took. */
export interface Report {
  readonly backend: string;
  readonly steps: readonly StepReport[];
  /** Bytes planned for values on the way, and those of inputs and of outputs. */
  readonly memory: { readonly arena: number; readonly inputs: number; readonly outputs: number };
  /** Bytes of the code. */
  readonly code: number;
  /** Milliseconds to plan and to write the program. */
  readonly planMs: number;
  readonly emitMs: number;
}

export interface Executable {
  /** What became of the program, measured on these inputs; null where a backend has nothing to tell. */
  readonly explain?: (inputs: readonly Storage[], scalars: readonly number[]) => Report;
  /**
   * Computes the program's outputs from its inputs and the values of its scalars. An output that is a tuple of
   * results comes back as an array.
   */
  run(inputs: readonly Storage[], scalars: readonly number[]): readonly (Storage | readonly Storage[])[];
}
