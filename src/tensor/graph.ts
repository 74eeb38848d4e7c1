/**
 * The graph: what every tensor is underneath.
 *
 * A node describes how a value is computed: a primitive, its inputs, its static parameters. Nodes are never
 * interned; each carries a structural hash, and walks that want equal subgraphs merged number them by value
 * for themselves. Everything here is iterative: a chain of 100,000 nodes is no deeper than one of three.
 *
 * The description (op, inputs, params, shape, dtype) is immutable but for one thing: a node whose value has
 * been computed forgets its history, so that nobody has to free anything.
 */
import type { DType } from './dtype.js';
import { TraceError } from './errors.js';
import { type Aval, type Shape, showAval } from './shape.js';
import type { Storage } from './storage.js';

/** Static parameters of a primitive: numbers, strings, arrays of them, body graphs. */
export type Params = Readonly<Record<string, unknown>>;

/**
 * A number that belongs to a program's inputs, not to its structure: a learning rate that decays must not
 * make a new program every step. Only its class (0, 1, −1, other) enters the structural hash.
 */
export class DynamicNumber {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  get class(): 0 | 1 | -1 | 2 {
    // −0 is no 0: a program that was made for the one must not be run for the other.
    return Object.is(this.value, 0) || this.value === 1 || this.value === -1 ? (this.value as 0 | 1 | -1) : 2;
  }
}

/**
 * Something nodes can depend on that is only there for a while: a mark set by a derivative being taken, or
 * the placeholders of a function being traced.
 */
export interface Scope {
  readonly kind: 'mark' | 'trace';
  /** The transformation, as users know it: `grad`, `fold`. For messages. */
  readonly name: string;
  open: boolean;
  /** Nodes that got a value while this scope was open and kept their history for its sake. */
  readonly realised: Node[];
}

/**
 * What a placeholder keeps of the JavaScript number or boolean it stands for. It belongs to the placeholder alone: what is
 * computed from one is a tensor like any other.
 */
export type Weak =
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'number';
      /**
       * The dtype in which the number meets a tensor of another one. The answer depends on the number, so a trace that
       * asked holds for numbers with the same answer only.
       *
       * @throws DTypeError when the tensor cannot hold it
       */
      meet(operation: string, other: DType): DType;
    };

export const openScope = (kind: Scope['kind'], name: string): Scope => ({ kind, name, open: true, realised: [] });

const none: readonly never[] = Object.freeze([]);
const noParams: Params = Object.freeze({});

/** How many nodes there have been. */
let nodes = 0;

/** How many nodes there have been: later ones have higher numbers. */
export const nodeCount = (): number => nodes;

/** One node. Only the engine touches it; users hold a {@link Tensor}, which wraps one. */
export class Node implements Aval {
  op: string;
  inputs: readonly Node[];
  params: Params;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The results of a primitive that has several, to be taken apart by `output` nodes; null for the others. */
  readonly outputs: readonly Aval[] | null;
  hash: number;
  /** Hash of the node alone, without what it was made of. */
  readonly kindHash: number;
  /** Open marks and traces that this node depends on. */
  scopes: readonly Scope[];
  /** Heaviest pending path below this node; see `build.ts`. 0 once there is a value. */
  weight = 0;
  /** How many nodes were built on this one: tells the evaluator what somebody else may want. */
  uses = 0;
  value: Storage | readonly Storage[] | null = null;
  /** Set for a placeholder of a JavaScript number or boolean. */
  weak: Weak | null = null;
  /** The number of the last walk that came by; `topological` alone uses it. */
  visited = 0;
  /** Whether it was computed on the way to other nodes, without its value being kept. */
  computed = false;
  /** Its number among all nodes: tells what was built while a function was traced. */
  readonly number = ++nodes;

  constructor(op: string, inputs: readonly Node[], params: Params, aval: Aval | readonly Aval[]) {
    const several = Array.isArray(aval);
    const { shape, dtype } = several ? { shape: none, dtype: 'float32' as const } : (aval as Aval);
    this.op = op;
    this.inputs = inputs;
    this.params = params;
    this.shape = shape;
    this.dtype = dtype;
    this.outputs = several ? (aval as readonly Aval[]) : null;
    this.scopes = joinScopes(inputs);
    this.kindHash = mix(mix(hashString(op), hashParams(params)), hashString(dtype) ^ hashParam(shape));
    let hash = this.kindHash;
    for (const input of inputs) hash = mix(hash, input.hash);
    countUses(this, node => {
      node.uses++;
    });
    // A mark is another name for its input, so equal subgraphs stay equal under it.
    this.hash = op === 'mark' ? inputs[0]!.hash : hash;
  }

  /** Gives the node its value. History goes, unless a derivative that is being taken still wants it. */
  realise(value: Storage | readonly Storage[]): void {
    this.value = value;
    this.weight = 0;
    for (const scope of this.scopes) if (scope.open) scope.realised.push(this);
    this.forget();
  }

  /** Drops the history of a realised node once no open mark depends on it. */
  forget(): void {
    if (this.value === null || this.scopes.some(scope => scope.open)) return;
    countUses(this, node => {
      node.uses--;
    });
    this.scopes = none;
    this.inputs = none;
    if (this.outputs !== null) return;
    this.op = 'buffer';
    this.params = noParams;
    this.hash = leafHash(this);
  }
}

/** Visits what a node uses. A use of a mark is a use of what it marks; the mark itself uses nothing. */
export const countUses = (consumer: Node, visit: (used: Node) => void): void => {
  if (consumer.op === 'mark') return;
  for (const input of consumer.inputs) {
    let used = input;
    visit(used);
    while (used.op === 'mark') {
      used = used.inputs[0]!;
      visit(used);
    }
  }
};

const leafHash = (aval: Aval): number => mix(hashString('buffer'), hashString(aval.dtype) ^ hashParam(aval.shape));

/** A leaf holding a value. */
export const bufferNode = (shape: Shape, value: Storage): Node => {
  const node = new Node('buffer', none, noParams, { shape, dtype: value.dtype });
  node.value = value;
  return node;
};

/**
 * A function from tensors to tensors as a closed graph: nothing in it refers to a node outside.
 * The bodies of `call`, `fold`, `cond` and `while` are such graphs.
 */
export class Graph {
  readonly parameters: readonly Node[];
  readonly outputs: readonly Node[];
  readonly hash: number;

  constructor(parameters: readonly Node[], outputs: readonly Node[]) {
    this.parameters = parameters;
    this.outputs = outputs;
    this.hash = outputs.reduce((hash, node) => mix(hash, node.hash), parameters.length);
    Object.freeze(this);
  }
}

/** Follows marks whose scope is closed: such a mark is nothing but another name for its input. */
export const resolve = (node: Node): Node => {
  let at = node;
  while (at.op === 'mark' && !(at.params.scope as Scope).open) at = at.inputs[0]!;
  return at;
};

const joinScopes = (inputs: readonly Node[]): readonly Scope[] => {
  let joined: readonly Scope[] = none;
  for (const { scopes } of inputs) {
    for (const scope of scopes) {
      if (!scope.open) {
        if (scope.kind === 'trace') throw leaked(scope);
        continue;
      }
      if (!joined.includes(scope))
        joined = joined.length === 0 && scopes.every(s => s.open) ? scopes : [...joined, scope];
    }
  }
  return joined;
};

/** The error for a placeholder that outlived its trace. */
export const leaked = (scope: Scope): TraceError =>
  new TraceError({
    operation: scope.name,
    given: 'a tensor made inside a traced function, used after the trace ended',
    rule: 'placeholders have no value and live only while the function is traced',
    hint: 'Return the tensor from the function instead of storing it in an outer variable.',
  });

/** The open trace a node depends on, if any: such a node has no value to read. */
export const traceOf = (node: Node): Scope | undefined => node.scopes.find(scope => scope.kind === 'trace');

/** Walks are numbered, and nodes bear the number of the last that came by: quicker than a set of them. */
let walks = 0;

/**
 * The nodes below the roots for which `enter` holds, inputs before consumers. Nodes for which it does not
 * hold are left out and not walked through. `enter` must not start another walk.
 */
export const topological = (roots: readonly Node[], enter: (node: Node) => boolean): Node[] => {
  const order: Node[] = [];
  const walk = ++walks;
  const path: Node[] = [];
  const nextInput: number[] = [];
  const visit = (node: Node): void => {
    if (node.visited === walk) return;
    node.visited = walk;
    if (!enter(node)) return;
    path.push(node);
    nextInput.push(0);
  };
  for (const root of roots) {
    visit(resolve(root));
    while (path.length > 0) {
      const node = path[path.length - 1]!;
      const i = nextInput[nextInput.length - 1]!++;
      if (i < node.inputs.length) {
        visit(resolve(node.inputs[i]!));
      } else {
        path.pop();
        nextInput.pop();
        order.push(node);
      }
    }
  }
  return order;
};

/** Mixes a value into a hash. */
export const mix = (hash: number, value: number): number => {
  const h = Math.imul(hash ^ value, 0x9e3779b1);
  return Math.imul(h ^ (h >>> 15), 0x85ebca6b) ^ (h >>> 13);
};

const stringHashes = new Map<string, number>();

/** Hash of a name. Remembered, because there are few names and many nodes; a cache, not state. */
const hashString = (text: string): number => {
  const known = stringHashes.get(text);
  if (known !== undefined) return known;
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = mix(hash, text.charCodeAt(i));
  if (stringHashes.size < 4096) stringHashes.set(text, hash);
  return hash;
};

/** Hash of a static parameter. */
export const hashParam = (value: unknown): number => {
  if (typeof value === 'number') return Number.isInteger(value) ? mix(1, value | 0) : mix(2, (value * 65537) | 0);
  if (typeof value === 'string') return hashString(value);
  if (typeof value === 'boolean') return value ? 3 : 4;
  if (value instanceof Graph) return value.hash;
  if (value instanceof DynamicNumber) return mix(6, value.class);
  if (Array.isArray(value)) {
    let hash = value.length;
    for (const item of value) hash = mix(hash, hashParam(item));
    return hash;
  }
  return 5;
};

const hashParams = (params: Params): number => {
  let hash = 0;
  for (const key in params) hash = mix(hash, hashString(key) ^ hashParam(params[key]));
  return hash;
};

/** Whether two primitives' static parameters say the same. */
export const sameParams = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Graph || b instanceof Graph) return false;
  if (a instanceof DynamicNumber) return b instanceof DynamicNumber && Object.is(a.value, b.value);
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameParams(item, b[i]));
  const [left, right] = [a as Params, b as Params];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every(key => sameParams(left[key], right[key]));
};

/** A node in words, for messages. */
export const showNode = (node: Node): string =>
  node.outputs === null ? `${node.op} ${showAval(node)}` : `${node.op} (${node.outputs.map(showAval).join(', ')})`;
