/**
 * What a loop's step computes from its sequences alone, and is small, is computed for all steps at once, before the loop:
 * the coefficients of a sampler's steps, the keys of their noise. Carries that are small and depend on no others (the
 * levels behind a multi-step sampler) are a loop of their own, which runs before as well. Inside the loop each of them would
 * be a kernel of a few elements, and in float64 they would keep the whole loop from a GPU.
 */
import { b } from '../build.js';
import { type Graph, type Node, resolve, topological } from '../graph.js';
import { results } from '../primitives/results.js';
import { entryOf } from '../primitives/table.js';
import { type Aval, sizeOf } from '../shape.js';
import { batch } from './batching.js';
import { graphs } from './graphs.js';
import { copyOver, type Traced, trace } from './trace.js';

/** The largest result in elements, and the largest of all steps together, that is worth its memory. */
const small = 8;
const largest = 2 ** 20;
/** The largest on the way to one: a place is looked up in a table of so many. */
const table = 4096;
/** The largest carry that is followed on its own: a level, a count, a key; samples are what the loop is about. */
const smallCarry = 8;

/** A step and the sequences it runs over. */
export interface LoopBody extends Traced {
  /** The carries before the first step, which stand between the captures and the elements among the parameters. */
  readonly first: readonly Node[];
  readonly sequences: readonly Node[];
  readonly length: number;
}

/** How a loop runs. */
export interface LoopOrder {
  readonly reverse: boolean;
  readonly segments: readonly number[] | null;
}

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

/** What a node depends on: small things known beforehand, nothing that changes, or the loop as it runs. */
type Origin = 'known' | 'invariant' | 'loop';

const kindOf = ({ op }: Node): string => (op === 'output' ? 'structured' : entryOf(op).kind);

/** What may be on the way to a result that is known beforehand. */
const passes = (node: Node): boolean =>
  node.outputs === null && sizeOf(node.shape) <= (spreads.has(kindOf(node)) ? table : small);

/** Kinds of which many elements cost no more than reading them. */
const spreads: ReadonlySet<string> = new Set(['elementwise', 'movement', 'reduction']);

/** Where every node of a step comes from, `known` being the carries that are known beforehand. */
const originsOf = ({ graph, captures, first }: LoopBody, known: ReadonlySet<number>): ReadonlyMap<Node, Origin> => {
  const origins = new Map<Node, Origin>();
  for (const [i, parameter] of graph.parameters.entries()) {
    const carry = i - captures.length;
    const isKnown = carry >= first.length || known.has(carry);
    origins.set(parameter, carry < 0 ? 'invariant' : isKnown ? 'known' : 'loop');
  }
  for (const node of topological(graph.outputs, each => !origins.has(each))) {
    const from = node.inputs.map(input => origins.get(resolve(input))!);
    const stays = from.includes('loop') || !passes(node) || kindOf(node) === 'structured';
    origins.set(node, from.every(each => each === 'invariant') ? 'invariant' : stays ? 'loop' : 'known');
  }
  // What is too large to be kept for all steps stays in the loop where the loop reads it.
  const stay = (node: Node): void => {
    const tooLarge = origins.get(node) === 'known' && sizeOf(unspread(node).shape) > small;
    if (tooLarge) origins.set(node, 'loop');
  };
  for (const output of graph.outputs) stay(resolve(output));
  for (const node of topological(graph.outputs, () => true).reverse()) {
    if (origins.get(node) === 'loop') for (const input of node.inputs) stay(resolve(input));
  }
  return origins;
};

/** The carries that are small and depend on no others, by their places. */
const knownCarries = (body: LoopBody): ReadonlySet<number> => {
  let known = new Set(body.first.flatMap(({ shape }, i) => (sizeOf(shape) <= smallCarry ? [i] : [])));
  for (;;) {
    const origins = originsOf(body, known);
    const still = new Set([...known].filter(i => origins.get(resolve(body.graph.outputs[i]!)) !== 'loop'));
    if (still.size === known.size) return known;
    known = still;
  }
};

/** Whether a node is more than an element seen in another way. */
const isWork = (node: Node, origins: ReadonlyMap<Node, Origin>): boolean => {
  const pending = [node];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at.inputs.length === 0) continue;
    const kind = kindOf(at);
    if (kind === 'elementwise' || kind === 'reduction' || kind === 'contraction') return true;
    for (const input of at.inputs) if (origins.get(resolve(input)) === 'known') pending.push(resolve(input));
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

/** What the rest of a step reads of what is known beforehand; `results` are the outputs that the rest gives. */
const frontierOf = (
  { graph }: LoopBody,
  origins: ReadonlyMap<Node, Origin>,
  results: readonly Node[],
): readonly Node[] => {
  const readers = topological(graph.outputs, () => true).filter(node => origins.get(node) === 'loop');
  const read = [...readers.flatMap(({ inputs }) => inputs), ...results].map(resolve);
  const known = read.filter(node => origins.get(node) === 'known').map(unspread);
  return [...new Set(known)].filter(node => origins.get(node) === 'known');
};

/** The nodes below the roots that depend on some of the parameters. */
const dependOn = (graph: Graph, parameters: ReadonlySet<Node>): ReadonlySet<Node> => {
  const found = new Set(parameters);
  for (const node of topological(graph.outputs, () => true)) {
    if (node.inputs.some(input => found.has(resolve(input)))) found.add(node);
  }
  return found;
};

/** A step with other parameters, each in the place of a node. */
const rebuilt = (outputs: readonly Node[], parameters: readonly Node[]): Graph =>
  trace(
    'body',
    parameters.map(avalOf),
    given => copyOver(outputs, new Map(parameters.map((node, i) => [node, given[i]!] as const))),
    'known',
  ).graph;

/** The loop without captures and sequences that its step does not read. */
const withoutUnused = (body: LoopBody): LoopBody => {
  const { graph, captures, first, sequences } = body;
  const used = new Set(topological(graph.outputs, () => true));
  const isRead = (at: number): boolean => used.has(graph.parameters[at]!);
  const carried = captures.length + first.length;
  const parameters = graph.parameters.filter((_, i) => (i >= captures.length && i < carried) || isRead(i));
  if (parameters.length === graph.parameters.length) return body;
  return {
    ...body,
    graph: rebuilt(graph.outputs, parameters),
    captures: captures.filter((_, i) => isRead(i)),
    sequences: sequences.filter((_, i) => isRead(carried + i)),
  };
};

/** The loop with what its elements alone determine computed for all steps at once. */
const hoisted = (body: LoopBody): LoopBody => {
  const { graph, captures, first, sequences, length } = body;
  const origins = originsOf(body, new Set());
  const frontier = frontierOf(body, origins, graph.outputs).filter(
    node => isWork(node, origins) && sizeOf(node.shape) * length <= largest,
  );
  if (frontier.length === 0) return body;
  const start = new Map<Node, { readonly node: Node; readonly batched: boolean }>();
  for (const [i, parameter] of graph.parameters.entries()) {
    const at = i - captures.length - first.length;
    if (i < captures.length) start.set(parameter, { node: captures[i]!, batched: false });
    else if (at >= 0) start.set(parameter, { node: sequences[at]!, batched: true });
  }
  const made = batch(graphs, frontier, start, length).outputs;
  const parameters = [...graph.parameters, ...frontier];
  return { ...body, graph: rebuilt(graph.outputs, parameters), sequences: [...sequences, ...made] };
};

const run = (body: LoopBody, { reverse, segments }: LoopOrder): readonly Node[] => {
  const { graph, captures, first, sequences, length } = withoutUnused(isShort(body) ? body : hoisted(body));
  const node = b.fold([...captures, ...first, ...sequences], {
    body: graph,
    length,
    captures: captures.length,
    carries: first.length,
    reverse,
    ...(segments === null ? {} : { segments }),
  });
  return results(b, node);
};

const isShort = ({ length }: LoopBody): boolean => length < 2;

/** What a loop gives: its last carries, then what its steps leave behind. */
export const loopResults = (body: LoopBody, order: LoopOrder): readonly Node[] => {
  const { graph, captures, first, sequences, length } = body;
  const known = isShort(body) ? new Set<number>() : knownCarries(body);
  if (known.size === 0 || known.size === first.length) return run(body, order);
  const rest = first.map((_, i) => i).filter(i => !known.has(i));
  const parameterOf = (i: number): Node => graph.parameters[captures.length + i]!;
  const origins = originsOf(body, known);
  const left = [...rest.map(i => graph.outputs[i]!), ...graph.outputs.slice(first.length)];
  const dependent = dependOn(graph, new Set([...known].map(parameterOf)));
  const frontier = frontierOf(body, origins, left).filter(node => dependent.has(node));
  const memory = frontier.reduce((sum, node) => sum + sizeOf(node.shape) * length, 0);
  if (!frontier.some(node => isWork(node, origins)) || memory > largest) return run(body, order);
  const shared = graph.parameters.slice(0, captures.length);
  const elements = graph.parameters.slice(captures.length + first.length);
  const ahead = [...known];
  const before = run(
    {
      graph: rebuilt(
        [...ahead.map(i => graph.outputs[i]!), ...frontier],
        [...shared, ...ahead.map(parameterOf), ...elements],
      ),
      captures,
      first: ahead.map(i => first[i]!),
      sequences,
      length,
    },
    order,
  );
  const after = run(
    {
      graph: rebuilt(left, [...shared, ...rest.map(parameterOf), ...elements, ...frontier]),
      captures,
      first: rest.map(i => first[i]!),
      sequences: [...sequences, ...before.slice(ahead.length)],
      length,
    },
    order,
  );
  const last = first.map((_, i) => (known.has(i) ? before[ahead.indexOf(i)]! : after[rest.indexOf(i)]!));
  return [...last, ...after.slice(rest.length)];
};
