/** Giving pending nodes their values. */
import type { Backend, Executable, Report } from './backend/backend.js';
import { wasmBackend } from './backend/wasm/wasm.js';
import { ProgramCache } from './compile/cache.js';
import { type Program, programOfGraph, programOfPending } from './compile/program.js';
import type { TypedArray } from './dtype.js';
import { DeviceError, TraceError } from './errors.js';
import { type Graph, leaked, type Node, resolve, traceOf } from './graph.js';
import { type Aval, showAval } from './shape.js';
import type { Storage } from './storage.js';

/** The backend that computes what depends on no value of the GPU, unless another is asked for. */
let inUse: Backend = wasmBackend;

/** The backend of the GPU, once a device was opened. */
let gpu: Backend | null = null;

/** Lets another backend compute from now on; null for the CPU's. */
export const computeBy = (backend: Backend | null): void => {
  inUse = backend ?? wasmBackend;
};

/** Runs `f` with another backend in use; null for the CPU's. */
export const computingBy = <T>(backend: Backend | null, f: () => T): T => {
  const before = inUse;
  computeBy(backend);
  try {
    return f();
  } finally {
    inUse = before;
  }
};

/** Says which backend computes with values that are on the GPU. */
export const setGpu = (backend: Backend | null): void => {
  gpu = backend;
};

/** The backend that computes with these values: computation follows the data. */
export const backendFor = (values: readonly Storage[]): Backend => {
  if (gpu !== null) for (const value of values) if (value.device === 'gpu') return gpu;
  return inUse;
};

/** How many instructions of prepared programs are kept, for each backend: a few tens of MB. */
const cacheSize = 40_000;

const caches = new Map<Backend, ProgramCache<Executable>>();

/** @internal The prepared programs of a backend. */
export const preparedBy = (backend: Backend = inUse): ProgramCache<Executable> => {
  const cache = caches.get(backend) ?? new ProgramCache<Executable>(cacheSize);
  caches.set(backend, cache);
  return cache;
};

const executableOf = (program: Program, backend: Backend): Executable =>
  preparedBy(backend).get(program, each => backend.compile(each));

/** Called before anything is computed while a backend is in the middle of a program: it refuses. */
let refuse: (() => void) | null = null;

/** Runs a function from outside of the library in the middle of a program, where no other can run. */
export const withinProgram = <T>(refusal: () => void, f: () => T): T => {
  refuse = refusal;
  try {
    return f();
  } finally {
    refuse = null;
  }
};

/** A graph made ready to be run again and again. */
export interface Prepared {
  readonly program: Program;
  /** The values of the outputs, given those of the parameters. It is made ready for another backend where one is named. */
  run(inputs: readonly Storage[], backend?: Backend): readonly Storage[];
  /** What became of it, measured on these inputs. */
  explain(inputs: readonly Storage[], backend?: Backend): Report | null;
}

/** A closed graph as a program of its own. None of its outputs is a tuple. */
export const prepare = (graph: Graph, backend: Backend = inUse): Prepared => {
  const { program, scalars } = programOfGraph(graph);
  let ready = { backend, executable: executableOf(program, backend) };
  const executableFor = (asked: Backend): Executable => {
    refuse?.();
    if (asked !== ready.backend) ready = { backend: asked, executable: executableOf(program, asked) };
    return ready.executable;
  };
  return {
    program,
    run: (inputs, asked = backend) => executableFor(asked).run(inputs, scalars) as readonly Storage[],
    explain: (inputs, asked = backend) => executableFor(asked).explain?.(inputs, scalars) ?? null,
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
 * Computes the nodes that have no value yet, all in one program, and remembers the values on them. Without a backend, it
 * runs where {@link backendFor} says. If the backend throws, the nodes stay as they were. Nodes heavier than `keepAbove` get their values too.
 *
 * @throws TraceError for a node that depends on a placeholder
 */
export const evaluate = (roots: readonly Node[], backend?: Backend, keepAbove?: number): void => {
  const pending = roots.map(resolve).filter(node => node.value === null);
  if (pending.length === 0) return;
  refuse?.();
  for (const node of pending) refuseTraced(node);
  if (evaluator !== null) {
    evaluator(pending);
    return;
  }
  const { program, scalars, leaves, stored, passing } = programOfPending(pending, keepAbove);
  const inputs = leaves.map(leaf => leaf.value as Storage);
  const values = executableOf(program, backend ?? backendFor(inputs)).run(inputs, scalars);
  // A node forgets its history when it is realised, so consumers must not be left looking for their inputs:
  // all values are at hand before the first is set.
  stored.forEach((node, i) => {
    node.realise(values[i]!);
  });
  for (const node of passing) node.computed = true;
};

/** The value of a node, computed if need be. */
export const storageOf = (node: Node, backend?: Backend): Storage => {
  evaluate([node], backend);
  return resolve(node).value as Storage;
};

/**
 * The elements of a value that has been computed.
 *
 * @throws DeviceError in the name of the operation, for a value on a device that has not been read yet
 */
export const readNow = (operation: string, aval: Aval, value: Storage, hint: string): TypedArray => {
  try {
    return value.readSync();
  } catch (error) {
    if (!isUnread(error)) throw error;
    throw new DeviceError(
      {
        operation,
        given: `${showAval(aval)} on the gpu, not read yet`,
        rule: 'the elements of a tensor on a device can only be had asynchronously',
        hint,
      },
      { cause: error },
    );
  }
};

/** Whether an error of `readSync` says that a value was not read yet, and not that it could not be computed. */
const isUnread = (error: unknown): boolean => error instanceof DeviceError && error.operation === 'read';

/**
 * The elements of nodes that the library itself has to know at once. What depends on no value of the GPU is computed on the
 * CPU, where it can be read.
 *
 * @throws DeviceError in the name of the operation, where values on the GPU take part
 */
export const elementsNow = (operation: string, nodes: readonly Node[]): readonly TypedArray[] => {
  computingBy(null, () => evaluate(nodes));
  return nodes.map(node => readNow(operation, node, resolve(node).value as Storage, readHint));
};

/** What to do where the library has to read values that are on the GPU. */
export const readHint = "Move what it is computed from first: await toDevice(x, 'cpu').";

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
