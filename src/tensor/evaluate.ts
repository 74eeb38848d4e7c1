/** Giving pending nodes their values. */
import type { Backend, Executable, Report } from './backend/backend.js';
import { wasmBackend } from './backend/wasm/wasm.js';
import { ProgramCache } from './compile/cache.js';
import { type Program, programOfGraph, programOfPending } from './compile/program.js';
import { TraceError } from './errors.js';
import { type Graph, leaked, type Node, resolve, traceOf } from './graph.js';
import { showAval } from './shape.js';
import type { Storage } from './storage.js';

/** The backend that computes unless another is asked for. */
const defaultBackend: Backend = wasmBackend;

/** How many instructions of prepared programs are kept, for each backend: a few tens of MB. */
const cacheSize = 40_000;

const caches = new Map<Backend, ProgramCache<Executable>>();

/** @internal The prepared programs of a backend. */
export const preparedBy = (backend: Backend = defaultBackend): ProgramCache<Executable> => {
  const cache = caches.get(backend) ?? new ProgramCache<Executable>(cacheSize);
  caches.set(backend, cache);
  return cache;
};

/** A graph made ready to be run again and again. */
export interface Prepared {
  readonly program: Program;
  /** The values of the outputs, given those of the parameters. */
  run(inputs: readonly Storage[]): readonly Storage[];
  /** What became of it, measured on these inputs. */
  explain(inputs: readonly Storage[]): Report | null;
}

/** A closed graph as a program of its own. None of its outputs is a tuple. */
export const prepare = (graph: Graph, backend: Backend = defaultBackend): Prepared => {
  const { program, scalars } = programOfGraph(graph);
  const executable = preparedBy(backend).get(program, each => backend.compile(each));
  return {
    program,
    run: inputs => executable.run(inputs, scalars) as readonly Storage[],
    explain: inputs => executable.explain?.(inputs, scalars) ?? null,
  };
};

/** Computes nodes in its own way, instead of all in one program. */
export type Evaluator = (pending: readonly Node[]) => void;

let evaluator: Evaluator | null = null;

/** Runs `f` with `next` computing what has to be computed; null is the usual way. */
export const evaluatingBy = <T>(next: Evaluator | null, f: () => T): T => {
  const before = evaluator;
  evaluator = next;
  try {
    return f();
  } finally {
    evaluator = before;
  }
};

/**
 * Computes the nodes that have no value yet, all in one program, and remembers the values on them.
 * If the backend throws, the nodes stay as they were. Nodes heavier than `keepAbove` get their values too.
 *
 * @throws TraceError for a node that depends on a placeholder
 */
export const evaluate = (roots: readonly Node[], backend: Backend = defaultBackend, keepAbove?: number): void => {
  const pending = roots.map(resolve).filter(node => node.value === null);
  if (pending.length === 0) return;
  for (const node of pending) refuseTraced(node);
  if (evaluator !== null) {
    evaluator(pending);
    return;
  }
  const { program, scalars, leaves, stored, passing } = programOfPending(pending, keepAbove);
  const executable = preparedBy(backend).get(program, each => backend.compile(each));
  const values = executable.run(
    leaves.map(leaf => leaf.value as Storage),
    scalars,
  );
  // A node forgets its history when it is realised, so consumers must not be left looking for their inputs:
  // all values are at hand before the first is set.
  stored.forEach((node, i) => {
    node.realise(values[i]!);
  });
  for (const node of passing) node.computed = true;
};

/** The value of a node, computed if need be. */
export const storageOf = (node: Node, backend: Backend = defaultBackend): Storage => {
  evaluate([node], backend);
  return resolve(node).value as Storage;
};

const refuseTraced = (node: Node): void => {
  const trace = traceOf(node);
  if (trace === undefined) return;
  if (!trace.open) throw leaked(trace);
  throw new TraceError({
    operation: trace.name,
    given: `a read of ${showAval(node)} inside the function that is being traced`,
    rule: 'a placeholder stands for every value the argument may have, so it has none to read',
    hint: 'Return the tensor and read it outside, or compute with it: where() instead of if.',
  });
};
