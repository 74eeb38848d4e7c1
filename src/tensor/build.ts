/**
 * The constructors: for every entry of the primitive table a function that makes a node, with the entry's
 * shape rule applied. Everything above builds graphs through these, and so do the table's own rules.
 */
import { bytesOf } from './dtype.js';
import { evaluate } from './evaluate.js';
import { mix, Node, type Params, resolve, topological, traceOf } from './graph.js';
import type { Build, PrimitiveName } from './primitives/signatures.js';
import { entryOf, table } from './primitives/table.js';
import { type Aval, sizeOf } from './shape.js';

/**
 * Pending graphs are kept light. The weight of a node is that of the heaviest path below it, each node
 * counting 1 plus 1 for every 256 KiB of its result; what grows beyond 1000 is evaluated first. So a loop that
 * never reads its results keeps at most a thousand nodes, or 256 MiB, pending, and walks stay short.
 *
 * A loop should be cut at the same place of its body every time, so that the same programs come again: from a quarter of the
 * limit on, a node that looks like one at which a graph was cut before is a place to cut.
 */
const maximumWeight = 1000;
const bytesPerUnit = 2 ** 18;

/** What nodes looked like at which graphs were cut. Decides when work happens, never what comes out. */
const cuts = new Set<number>();
const maximumCuts = 64;

/** A node and what it was made of, two levels down, as a hash. */
const looks = (node: Node): number => {
  let hash = node.kindHash;
  for (const input of node.inputs) {
    hash = mix(hash, input.kindHash);
    for (const below of input.inputs) hash = mix(hash, below.kindHash);
  }
  return hash;
};

/** Whether a graph that has grown this heavy is to be cut at the node. */
const mayBeCut = (node: Node): boolean =>
  node.weight > maximumWeight / 4 &&
  (node.weight > maximumWeight || cuts.has(looks(node))) &&
  traceOf(node) === undefined;

/** Evaluates what a node was made of. What was made lately is stored as well: whoever made it is likely to use it again. */
const cutBelow = (node: Node, operands: readonly Node[]): void => {
  const look = looks(node);
  if (cuts.size >= maximumCuts && !cuts.has(look)) cuts.clear();
  cuts.add(look);
  const pending = operands.filter(input => input.weight > 0);
  evaluate(pending, undefined, node.weight / 2);
  node.weight = weightOver(node);
};

const weightOver = (node: Node): number => {
  let below = 0;
  for (const input of node.inputs) below = Math.max(below, resolve(input).weight);
  return below + 1 + Math.floor((sizeOf(node.shape) * bytesOf[node.dtype]) / bytesPerUnit);
};

const noParams: Params = Object.freeze({});

/** Is told of every node that is made, and of the node whose rule (of derivatives, of batching) or whose copy it is. */
export type Watch = (node: Node, source: Node | null, copied: boolean) => void;

let watch: Watch | null = null;
let source: Node | null = null;

/** Whether somebody is told of the nodes that are made. */
export const isWatched = (): boolean => watch !== null;

/** Runs `f` with all nodes that it makes told to `next`. */
export const watching = <T>(next: Watch, f: () => T): T => {
  const [before, sourceBefore] = [watch, source];
  [watch, source] = [next, null];
  try {
    return f();
  } finally {
    [watch, source] = [before, sourceBefore];
  }
};

/** Runs a rule that makes nodes because of another. */
export const onBehalfOf = <T>(node: Node, rule: () => T): T => {
  if (watch === null) return rule();
  const before = source;
  source = node;
  try {
    return rule();
  } finally {
    source = before;
  }
};

/** Makes a node of a primitive. */
export const make = (op: string, inputs: readonly Node[], params: Params = noParams): Node => {
  const entry = entryOf(op) as { aval(inputs: readonly Aval[], params: Params): Aval | readonly Aval[] };
  const operands = inputs.map(resolve);
  const node = new Node(op, operands, params, entry.aval(operands, params));
  if (watch !== null) watch(node, source, false);
  if (op === 'parameter') return node;
  node.weight = weightOver(node);
  if (mayBeCut(node)) {
    // What was pending when a weight was taken may have been computed since, so look again before acting.
    for (const each of topological(operands, input => input.value === null)) each.weight = weightOver(each);
    node.weight = weightOver(node);
    if (mayBeCut(node)) cutBelow(node, operands);
  }
  return node;
};

/** A constructor: nodes, or one list of them, then the parameters if there are any. */
const construct =
  (op: string) =>
  (...given: readonly unknown[]): Node => {
    const last = given[given.length - 1];
    const hasParams = !(last instanceof Node) && !Array.isArray(last);
    const operands = hasParams ? given.slice(0, -1) : given;
    const inputs = Array.isArray(operands[0]) ? operands[0] : operands;
    return make(op, inputs as readonly Node[], hasParams ? (last as Params) : noParams);
  };

/** The constructors of all primitives. */
export const b: Build = Object.freeze(
  Object.fromEntries((Object.keys(table) as PrimitiveName[]).map(op => [op, construct(op)])),
) as unknown as Build;

/** The same primitive on other inputs. */
const remake = (node: Node, inputs: readonly Node[]): Node => {
  const made = make(node.op, inputs, node.params);
  if (watch !== null) watch(made, node, true);
  return made;
};

/** A node of its own over other inputs, each given by `at`. */
export const copy = (node: Node, at: (input: Node) => Node): Node =>
  remake(
    node,
    node.inputs.map(input => at(resolve(input))),
  );

/** The node over other inputs, each given by `at`; the node itself where nothing changed. */
export const rebuild = (node: Node, at: (input: Node) => Node): Node => {
  const before = node.inputs.map(resolve);
  const after = before.map(at);
  return after.every((input, i) => input === before[i]) ? node : remake(node, after);
};
