/**
 * What a loop's step computes from its sequences alone, and is small, is computed for all steps at once, before the loop:
 * the coefficients of a sampler's steps, the keys of their noise. Inside the loop each would be a kernel of a few elements.
 */
import { type Graph, type Node, resolve, topological } from '../graph.js';
import { entryOf } from '../primitives/table.js';
import { type Aval, sizeOf } from '../shape.js';
import { batch } from './batching.js';
import { graphs } from './graphs.js';
import { copyOver, type Traced, trace } from './trace.js';

/** The largest result in elements, and the largest of all steps together, that is worth its memory. */
const smallest = 64;
const largest = 2 ** 20;

/** A step and the sequences it runs over. */
export interface LoopBody extends Traced {
  /** How many carries stand between the captures and the elements among the parameters. */
  readonly carries: number;
  readonly sequences: readonly Node[];
  readonly length: number;
}

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

/** Whether a node is made of the elements of sequences, of what is the same in all steps, or depends on carries. */
type Origin = 'elements' | 'invariant' | 'carries';

const originsOf = (graph: Graph, { captures, carries }: LoopBody): Map<Node, Origin> => {
  const origins = new Map<Node, Origin>();
  graph.parameters.forEach((parameter, i) => {
    const isCarry = i >= captures.length && i < captures.length + carries;
    origins.set(parameter, i < captures.length ? 'invariant' : isCarry ? 'carries' : 'elements');
  });
  for (const node of topological(graph.outputs, each => !origins.has(each))) {
    const from = node.inputs.map(input => origins.get(resolve(input))!);
    const one = node.outputs === null && entryOfKind(node) !== 'structured';
    const small = one && sizeOf(node.shape) <= smallest;
    if (from.includes('carries')) origins.set(node, 'carries');
    else if (from.includes('elements')) origins.set(node, small ? 'elements' : 'carries');
    else origins.set(node, 'invariant');
  }
  return origins;
};

const entryOfKind = ({ op }: Node): string => (op === 'output' ? 'structured' : entryOf(op).kind);

/** Whether a node is more than an element seen in another way. */
const isWork = (node: Node, origins: ReadonlyMap<Node, Origin>): boolean => {
  const pending = [node];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at.inputs.length === 0) continue;
    const kind = entryOfKind(at);
    if (kind === 'elementwise' || kind === 'reduction' || kind === 'contraction') return true;
    for (const input of at.inputs) if (origins.get(resolve(input)) === 'elements') pending.push(resolve(input));
  }
  return false;
};

/** A node, or what it spreads: spreading is free, and need not be kept for all steps. */
const unspread = (node: Node): Node => {
  let at = resolve(node);
  for (;;) {
    const entry = at.op === 'output' ? undefined : entryOf(at.op);
    const [input] = at.inputs;
    if (entry?.kind !== 'movement' || entry.view === null || sizeOf(input!.shape) >= sizeOf(at.shape)) return at;
    at = resolve(input!);
  }
};

/** What the rest of a step reads of what can be computed beforehand. */
const frontierOf = (graph: Graph, origins: ReadonlyMap<Node, Origin>): readonly Node[] => {
  const readers = topological(graph.outputs, () => true).filter(node => origins.get(node) === 'carries');
  const read = [...readers.flatMap(({ inputs }) => inputs), ...graph.outputs].map(resolve);
  const known = read.filter(node => origins.get(node) === 'elements').map(unspread);
  return [...new Set(known)].filter(node => origins.get(node) === 'elements' && isWork(node, origins));
};

/** The loop with such work done before it; the same loop where there is none. */
export const hoisted = (body: LoopBody): LoopBody => {
  const { graph, captures, carries, sequences, length } = body;
  if (length < 2) return body;
  const origins = originsOf(graph, body);
  const frontier = frontierOf(graph, origins).filter(node => sizeOf(node.shape) * length <= largest);
  if (frontier.length === 0) return body;
  const start = new Map<Node, { readonly node: Node; readonly batched: boolean }>();
  for (const [i, parameter] of graph.parameters.entries()) {
    const at = i - captures.length - carries;
    if (i < captures.length) start.set(parameter, { node: captures[i]!, batched: false });
    else if (at >= 0) start.set(parameter, { node: sequences[at]!, batched: true });
  }
  const made = batch(graphs, frontier, start, length).outputs;
  const parameters = [...graph.parameters, ...frontier].map(avalOf);
  const next = trace(
    'body',
    parameters,
    given => {
      const from = [...graph.parameters, ...frontier];
      const at = new Map(from.map((node, i) => [node, given[i]!] as const));
      return copyOver(graph.outputs, at);
    },
    false,
  );
  return dropUnused({ ...body, graph: next.graph, sequences: [...sequences, ...made] });
};

/** The loop without captures and sequences that its step no longer reads. */
const dropUnused = (body: LoopBody): LoopBody => {
  const { graph, captures, carries, sequences } = body;
  const used = new Set(topological(graph.outputs, () => true));
  const isRead = (at: number): boolean => used.has(graph.parameters[at]!);
  const first = captures.length + carries;
  const parameters = graph.parameters.filter((_, i) => (i >= captures.length && i < first) || isRead(i));
  if (parameters.length === graph.parameters.length) return body;
  const next = trace(
    'body',
    parameters.map(avalOf),
    given => copyOver(graph.outputs, new Map(parameters.map((parameter, i) => [parameter, given[i]!] as const))),
    false,
  );
  return {
    ...body,
    graph: next.graph,
    captures: captures.filter((_, i) => isRead(i)),
    sequences: sequences.filter((_, i) => isRead(first + i)),
  };
};
