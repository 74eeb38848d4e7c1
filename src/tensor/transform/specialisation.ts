/** One trace of a function: the arguments it is good for, its graph, and the program that is run for them. */
import type { Backend, Report } from '../backend/backend.js';
import { b } from '../build.js';
import type { Program } from '../compile/program.js';
import { backendAt, type DeviceName } from '../device.js';
import { type DType, dtypeOfNumber, isFloat } from '../dtype.js';
import { backendFor, computingBy, evaluate, type Prepared, prepare } from '../evaluate.js';
import { bufferNode, Graph, type Node, resolve, topological, type Weak } from '../graph.js';
import { scalar } from '../primitives/full.js';
import type { Aval, Shape } from '../shape.js';
import { HostStorage, type Storage } from '../storage.js';
import { isTensor, nodeOf, wrap } from '../tensor.js';
import { refusePromise } from './arguments.js';
import {
  type Dynamic,
  dynamicLeaves,
  type Form,
  formOf,
  type ListForm,
  showPlace,
  staticLeaf,
  staticsIn,
  treeOf,
} from './forms.js';
import { graphText, type TracedFunction } from './graph-text.js';
import { inline, trace } from './trace.js';

/** An answer about a number that the trace went by. */
interface Guard {
  /** Which of the dynamic leaves. */
  readonly leaf: number;
  readonly operation: string;
  /** The dtype that the number met. */
  readonly other: DType;
  readonly dtype: DType;
}

/** The dtype in which a number, or the placeholder of one, meets another. */
const meet = (value: Dynamic, operation: string, other: DType): DType => {
  if (typeof value === 'number') return dtypeOfNumber(operation, value, other);
  const weak = isTensor(value) ? nodeOf(value).weak : null;
  return weak?.kind === 'number' ? weak.meet(operation, other) : other;
};

const avalOf = (value: Dynamic): Aval => {
  if (typeof value === 'number') return { shape: [], dtype: 'float64' };
  if (typeof value === 'boolean') return { shape: [], dtype: 'bool' };
  const { shape, dtype } = nodeOf(value);
  return { shape, dtype };
};

const nodeOfDynamic = (value: Dynamic): Node => {
  if (typeof value === 'number') return scalar(b, value, 'float64');
  return typeof value === 'boolean' ? scalar(b, Number(value), 'bool') : resolve(nodeOf(value));
};

const storageOfDynamic = (value: Dynamic): Storage => {
  if (typeof value === 'number') return new HostStorage('float64', Float64Array.of(value));
  if (typeof value === 'boolean') return new HostStorage('bool', Uint8Array.of(Number(value)));
  return resolve(nodeOf(value)).value as Storage;
};

/** The value of a node that may have none yet. */
const valuesOf = ({ value }: Node): readonly Storage[] => (value === null ? [] : [value as Storage]);

const isOpen = (node: Node): boolean => {
  for (const scope of node.scopes) if (scope.open) return true;
  return false;
};

/** Whether a leaf has a value that can be had now, and no derivative or trace wants to know where it came from. */
const isFree = (value: Dynamic): boolean => !isTensor(value) || !isOpen(resolve(nodeOf(value)));

/** Where a result comes from: an argument or what is closed over, handed through, or the program. */
interface Output {
  readonly from: 'argument' | 'capture' | 'program';
  readonly index: number;
}

/** What is run, and what goes into it: which of the graph's parameters. */
interface Runner {
  readonly graph: Graph;
  readonly inputs: readonly number[];
  readonly shapes: readonly Shape[];
}

/** Where the programs of a function run. */
interface Place {
  /** The function that made them, for errors. */
  readonly operation: string;
  /** The device that was asked for; null where computation follows the data. */
  readonly device: DeviceName | null;
}

/** What `explain` is told about a trace. */
export interface Trace {
  /** Shapes and dtypes of the dynamic leaves; those of numbers are float64 scalars. */
  readonly avals: readonly Aval[];
  readonly statics: readonly unknown[];
  readonly program: Program;
  /** Why it was made, in words. */
  readonly reason: string;
}

/** A function as a graph, traced for arguments of one form. */
export interface TracedArguments extends TracedFunction {
  readonly avals: readonly Aval[];
  readonly guards: readonly Guard[];
}

export class Specialisation {
  readonly form: ListForm;
  /** Whether what it closes over is itself being differentiated or traced, so that it is good for one call only. */
  readonly passing: boolean;
  readonly avals: readonly Aval[];
  readonly #guards: readonly Guard[];
  readonly #graph: Graph;
  readonly #captures: readonly Node[];
  readonly #result: Form;
  readonly #outputs: readonly Output[];
  readonly #place: Place;
  #runner: Runner | null = null;
  #prepared: Prepared | null = null;

  constructor({ form, avals, guards, graph, captures, result }: TracedArguments, place: Place) {
    this.form = form;
    this.avals = avals;
    this.#guards = guards;
    this.#graph = graph;
    this.#captures = captures.map(resolve);
    this.#result = result;
    this.#place = place;
    this.passing = this.#captures.some(isOpen);
    // Computed once, here, and not with every run.
    if (!this.passing) this.#evaluate(this.#captures);
    const placeOf = new Map(graph.parameters.map((parameter, i) => [parameter, i]));
    let computed = 0;
    this.#outputs = graph.outputs.map((node): Output => {
      const index = placeOf.get(node);
      if (index === undefined) return { from: 'program', index: computed++ };
      return index < captures.length
        ? { from: 'capture', index }
        : { from: 'argument', index: index - captures.length };
    });
  }

  /**
   * Whether the numbers among the leaves are such that the trace would have gone the same way.
   *
   * @throws DTypeError where it would have refused them
   */
  admits(found: readonly Dynamic[]): boolean {
    return this.#broken(found) === undefined;
  }

  /** Which number leads another way, in words. */
  whyNot(found: readonly Dynamic[]): string {
    const { leaf, operation, other, dtype } = this.#broken(found)!;
    const place = showPlace(dynamicLeaves(this.form)[leaf]!.path);
    return `${place}: a number that ${operation} took as ${dtype} beside ${other} before, now as ${meet(found[leaf]!, operation, other)}`;
  }

  #broken(found: readonly Dynamic[]): Guard | undefined {
    return this.#guards.find(({ leaf, operation, other, dtype }) => meet(found[leaf]!, operation, other) !== dtype);
  }

  /** The program that is run. */
  get program(): Program {
    const { operation, device } = this.#place;
    const backend = device === null ? backendFor(this.#captures.flatMap(valuesOf)) : backendAt(operation, device, []);
    return this.#preparedFor(backend).program;
  }

  /** The result for these leaves: computed now, or as a graph where somebody wants to know how it comes about. */
  call(found: readonly Dynamic[]): unknown {
    return !this.passing && found.every(isFree) ? this.#run(found) : this.#inline(found);
  }

  #inline(found: readonly Dynamic[]): unknown {
    const nodes = inline(this.#graph, [...this.#captures, ...found.map(nodeOfDynamic)]);
    return this.#rebuild(found, i => nodes[i]!);
  }

  #run(found: readonly Dynamic[]): unknown {
    const inputs = this.#inputs(found);
    const backend = this.#backendFor(inputs);
    const values = this.#preparedFor(backend).run(inputs, backend);
    const { shapes } = this.#runs();
    return this.#rebuild(found, (_, i) => bufferNode(shapes[i]!, values[i]!));
  }

  #inputs(found: readonly Dynamic[]): readonly Storage[] {
    const pending = found.filter(value => isTensor(value) && resolve(nodeOf(value)).value === null);
    if (pending.length > 0) this.#evaluate(pending.map(nodeOfDynamic));
    const captures = this.#captures;
    return this.#runs().inputs.map(i =>
      i < captures.length ? (captures[i]!.value as Storage) : storageOfDynamic(found[i - captures.length]!),
    );
  }

  /** The graph in words. */
  show(): string {
    return graphText({ form: this.form, graph: this.#graph, captures: this.#captures, result: this.#result });
  }

  /** What became of the program, measured on these leaves. */
  explain(found: readonly Dynamic[]): Report | null {
    const inputs = this.#inputs(found);
    const backend = this.#backendFor(inputs);
    return this.#preparedFor(backend).explain(inputs, backend);
  }

  /** `computed` is given the place of a result among the graph's outputs and among those that the program has. */
  #rebuild(found: readonly Dynamic[], computed: (output: number, index: number) => Node): unknown {
    let next = 0;
    return treeOf(this.#result, () => {
      const { from, index } = this.#outputs[next++]!;
      if (from === 'argument') return found[index];
      return wrap(from === 'capture' ? this.#captures[index]! : computed(next - 1, index));
    });
  }

  #evaluate(nodes: readonly Node[]): void {
    const { operation, device } = this.#place;
    if (device === null) evaluate(nodes);
    else computingBy(backendAt(operation, device, []), () => evaluate(nodes));
  }

  #backendFor(inputs: readonly Storage[]): Backend {
    const { operation, device } = this.#place;
    return device === null ? backendFor(inputs) : backendAt(operation, device, inputs);
  }

  #runs(): Runner {
    if (this.#runner !== null) return this.#runner;
    const { parameters, outputs } = this.#graph;
    const computed = outputs.filter((_, i) => this.#outputs[i]!.from === 'program');
    const needed = new Set(topological(computed, () => true));
    const inputs = parameters.flatMap((parameter, i) => (needed.has(parameter) ? [i] : []));
    const graph = new Graph(
      inputs.map(i => parameters[i]!),
      computed,
    );
    this.#runner = { graph, inputs, shapes: computed.map(({ shape }) => shape) };
    return this.#runner;
  }

  /** The program, made ready for a backend the first time; it makes itself ready for others. */
  #preparedFor(backend: Backend): Prepared {
    this.#prepared ??= prepare(this.#runs().graph, backend);
    return this.#prepared;
  }

  /** A record of this trace. */
  recorded(reason: string): Trace {
    const prepared = (): Program => this.program;
    return Object.freeze({
      avals: this.avals,
      statics: staticsIn(this.form),
      get program() {
        return prepared();
      },
      reason,
    });
  }
}

/**
 * Traces `f` for arguments of this form.
 *
 * @param found the dynamic leaves of `args`; their values matter for guards only
 * @param statics positions of arguments that are handed on as they are
 * @param hoist whether what does not depend on the arguments stays outside of the graph, to be computed once
 */
export const traceArguments = (
  operation: string,
  f: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  form: ListForm,
  found: readonly Dynamic[],
  statics: readonly number[],
  hoist: boolean,
): TracedArguments => {
  const guards: Guard[] = [];
  const weakOf = (leaf: number): Weak | null => {
    const value = found[leaf]!;
    const kind = isTensor(value) ? nodeOf(value).weak?.kind : (typeof value as 'number' | 'boolean');
    if (kind !== 'number') return kind === undefined ? null : { kind };
    return {
      kind,
      meet: (by, other) => {
        const dtype = meet(value, by, other);
        const known = guards.some(guard => guard.leaf === leaf && guard.other === other);
        if (!isFloat(other) && !known) guards.push({ leaf, operation: by, other, dtype });
        return dtype;
      },
    };
  };
  const avals = found.map(avalOf);
  let result: Form = staticLeaf(null);
  const call = (placeholders: readonly Node[]): readonly Node[] => {
    placeholders.forEach((node, leaf) => {
      node.weak = weakOf(leaf);
    });
    let next = 0;
    const given = form.items.map((item, i) =>
      statics.includes(i) ? args[i] : treeOf(item, () => wrap(placeholders[next++]!)),
    );
    const nodes: Node[] = [];
    result = formOf(f(...given), leaf => {
      refusePromise(operation, leaf);
      if (!isTensor(leaf)) return staticLeaf(leaf);
      const node = nodeOf(leaf);
      nodes.push(node);
      return { kind: 'tensor', aval: { shape: node.shape, dtype: node.dtype } };
    });
    return nodes;
  };
  const { graph, captures } = trace(operation, avals, call, hoist ? 'invariant' : 'known');
  return { form, avals, guards, graph, captures, result };
};

/** A function traced for arguments of this form, and what is run for them; see {@link traceArguments}. */
export const specialise = (
  operation: string,
  f: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  form: ListForm,
  found: readonly Dynamic[],
  statics: readonly number[],
  device: DeviceName | null,
): Specialisation => {
  // Before anything is traced for a device that is not there.
  if (device !== null) backendAt(operation, device, []);
  const traced = traceArguments(operation, f, args, form, found, statics, true);
  return new Specialisation(traced, { operation, device });
};
