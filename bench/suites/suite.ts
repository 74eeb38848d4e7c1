/** What a suite is, and how the libraries take part in one. */
import type { Input } from '../inputs.js';
import type { Library, ProgramName } from '../library.js';
import type { Case, Effort } from '../measure.js';
import { jax } from '../peers/jax.js';
import { tenfold } from '../peers/tenfold.js';
import { tfjsCpu } from '../peers/tfjs-cpu.js';
import { tfjsWasm } from '../peers/tfjs-wasm.js';
import type { Row, Target } from '../row.js';

export interface Suite {
  /** In a line, for the help. */
  readonly about: string;
  /** Rows are reported as soon as they are there, and given back all together. */
  readonly run: (effort: Effort, report: (rows: readonly Row[]) => void) => Promise<readonly Row[]>;
  readonly targets?: (rows: readonly Row[]) => readonly Target[];
}

export const libraries: readonly Library[] = [tenfold, tfjsWasm, jax, tfjsCpu];

export interface Entry {
  readonly program: ProgramName;
  readonly inputs: readonly Input[];
  /** As a compiled function, by the libraries that have such. Default true. */
  readonly jitted?: boolean;
  /** Whether reading the results is part of a run. Default false. */
  readonly read?: boolean;
}

/** A library's part in a case. */
const candidate = (
  library: Library,
  { program, inputs, jitted = true, read = false }: Entry,
): Case['runners'][number] => ({
  impl: library.name,
  make: async () => {
    const { name: impl, threads, enter } = library;
    await enter();
    const prepared = library.prepare(program, inputs, jitted);
    const { read: output, compute, dispose: close } = prepared;
    return { impl, threads, enter, output, close, run: read ? output : compute };
  },
});

/** All libraries, ours first: what it computes is what the others are compared with. */
export const candidates = (entry: Entry): Case['runners'] => libraries.map(library => candidate(library, entry));
