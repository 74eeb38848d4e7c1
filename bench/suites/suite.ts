/** What a suite is, and how the libraries take part in one. */
import { setTimeout } from 'node:timers/promises';
import type { GpuOptions } from '../gpu/gpu.js';
import type { Input } from '../inputs.js';
import type { Library, Prepared, ProgramName } from '../library.js';
import type { Case, Effort } from '../measure.js';
import { jax } from '../peers/jax.js';
import { onnxruntime, onnxruntimeOnTwo } from '../peers/onnxruntime.js';
import { tenfold, tenfoldOnTwo } from '../peers/tenfold.js';
import { tfjsCpu } from '../peers/tfjs-cpu.js';
import { tfjsWasm } from '../peers/tfjs-wasm.js';
import type { Row, Target } from '../row.js';

export interface Suite {
  /** In a line, for the help. */
  readonly about: string;
  /** Rows are reported as soon as they are there, and given back all together. */
  readonly run: (
    effort: Effort,
    report: (rows: readonly Row[]) => void,
    gpuOptions: GpuOptions,
  ) => Promise<readonly Row[]>;
  readonly targets?: (rows: readonly Row[]) => readonly Target[];
}

export const libraries: readonly Library[] = [tenfold, tfjsWasm, jax, tfjsCpu];

/** For products and convolutions: with those that have threads, and those that have nothing else. */
export const productLibraries: readonly Library[] = [
  tenfold,
  tenfoldOnTwo,
  tfjsWasm,
  jax,
  tfjsCpu,
  onnxruntime,
  onnxruntimeOnTwo,
];

export interface Entry {
  readonly program: ProgramName;
  readonly inputs: readonly Input[];
  /** As a compiled function, by the libraries that have such. Default true. */
  readonly jitted?: boolean;
  /** Whether reading the results is part of a run. Default false. */
  readonly read?: boolean;
}

/** Milliseconds in which threads are there and know the program: they begin anew when another number of them is asked for. */
const settling = 200;

/** Computes for as long as threads take to be there. */
export const settle = async (compute: Prepared['compute']): Promise<void> => {
  const end = performance.now() + settling;
  do {
    await compute();
    await setTimeout(1);
  } while (performance.now() < end);
};

/** A library's part in a case. */
const candidate = (
  library: Library,
  { program, inputs, jitted = true, read = false }: Entry,
): Case['runners'][number] => {
  const { name: impl, threads, enter, leave } = library;
  const cannot = library.refusal?.(program) ?? null;
  if (cannot !== null) return { impl, threads, cannot };
  return {
    impl,
    threads,
    make: async () => {
      await enter();
      const { read: output, compute, dispose: close } = await library.prepare(program, inputs, jitted);
      const begin = async (): Promise<void> => {
        await enter();
        if (threads > 1) await settle(compute);
      };
      return { impl, threads, enter: begin, ...(leave && { leave }), output, close, run: read ? output : compute };
    },
  };
};

/** The libraries, ours first: what it computes is what the others are compared with. */
export const candidates = (entry: Entry, of: readonly Library[] = libraries): Case['runners'] =>
  of.map(library => candidate(library, entry));
