/** Batching: one walk that gives every node that depends on a batched input a new first axis. */
import { b, make, onBehalfOf } from '../build.js';
import { type Node, resolve, topological } from '../graph.js';
import { type GraphTransforms, isMissing } from '../primitives/kinds.js';
import { repeat, shifted } from '../primitives/movement.js';
import { axesOf, entryOf } from '../primitives/table.js';
import { missingRule } from './forward.js';

/** What stands for a node: with a new first axis where `batched`. Tuples carry several. */
interface Rows {
  readonly nodes: readonly Node[];
  readonly batched: readonly boolean[];
}

/**
 * Outputs over a batch of `size`; those that depend on no batched input stay as they are.
 *
 * @param start what stands for the inputs, and whether it has the new axis
 */
export const batch = (
  graphs: GraphTransforms,
  outputs: readonly Node[],
  start: ReadonlyMap<Node, { readonly node: Node; readonly batched: boolean }>,
  size: number,
): { outputs: readonly Node[]; batched: readonly boolean[] } => {
  const at = new Map<Node, Rows>();
  for (const [from, { node, batched }] of start) at.set(from, { nodes: [node], batched: [batched] });
  const look = (node: Node): Rows => at.get(resolve(node)) ?? { nodes: [resolve(node)], batched: [false] };
  const order = topological(outputs, node => !at.has(node) && node.value === null);
  for (const node of order)
    at.set(
      node,
      onBehalfOf(node, () => step(graphs, node, look, size)),
    );
  const results = outputs.map(look);
  return { outputs: results.map(each => each.nodes[0]!), batched: results.map(each => each.batched[0]!) };
};

const step = (graphs: GraphTransforms, node: Node, look: (node: Node) => Rows, size: number): Rows => {
  const { op, params } = node;
  if (op === 'output') {
    const { nodes, batched } = look(node.inputs[0]!);
    const index = params.index as number;
    return nodes.length === 1 && nodes[0]!.outputs !== null
      ? { nodes: [make('output', [nodes[0]!], params)], batched: [false] }
      : { nodes: [nodes[index]!], batched: [batched[index]!] };
  }
  const rows = node.inputs.map(look);
  const inputs = rows.map(each => each.nodes[0]!);
  const batched = rows.map(each => each.batched[0]!);
  if (!batched.includes(true)) {
    const same = inputs.every((input, i) => input === resolve(node.inputs[i]!));
    return { nodes: [same ? node : make(op, inputs, params)], batched: [false] };
  }
  const entry = entryOf(op);
  const one = (result: Node): Rows => ({ nodes: [result], batched: [true] });
  switch (entry.kind) {
    case 'elementwise':
      return one(
        make(
          op,
          inputs.map((x, i) => (batched[i] ? x : repeat(b, x, size))),
          params,
        ),
      );
    case 'reduction':
      return one(make(op, inputs, { axes: shifted(axesOf(node).axes) }));
    case 'movement':
    case 'contraction':
      return one(entry.batch(b, inputs, batched, params, size));
    case 'structured': {
      if (isMissing(entry.batch)) throw missingRule('vmap', node, entry.batch);
      const result = entry.batch(b, graphs, inputs, batched, params, size);
      return { nodes: result.outputs, batched: result.batched };
    }
    default:
      return { nodes: [node], batched: [false] };
  }
};
