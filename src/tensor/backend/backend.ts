/** The seam: what a backend has to offer. The reference interpreter is one; WebAssembly and the GPU are others. */
import type { Program } from '../compile/program.js';
import type { Storage } from '../storage.js';

export interface Backend {
  /** As users name it: `reference`. */
  readonly name: string;
  /** Prepares a program; whatever can be done once for many runs is done here. */
  compile(program: Program): Executable;
}

export interface Executable {
  /**
   * Computes the program's outputs from its inputs and the values of its scalars. An output that is a tuple of
   * results comes back as an array.
   */
  run(inputs: readonly Storage[], scalars: readonly number[]): readonly (Storage | readonly Storage[])[];
}
