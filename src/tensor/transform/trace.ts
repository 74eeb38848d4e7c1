/** Turning a function of nodes into a closed graph. */
import { b, copy, make } from '../build.js';
import { Graph, type Node, nodeCount, openScope, resolve, topological } from '../graph.js';
import type { Aval } from '../shape.js';

/** A closed graph, and the nodes from outside that became its first parameters. */
export interface Traced {
  readonly graph: Graph;
  readonly captures: readonly Node[];
}

/** Scalars and index ramps, spread or reshaped, and what is spread: cheaper to make again inside than to carry in. */
const isInline = (node: Node): boolean => {
  if (node.op === 'broadcast') return true;
  let at = node;
  while (at.op === 'broadcast' || at.op === 'reshape' || at.op === 'cast') at = resolve(at.inputs[0]!);
  return at.op === 'constant' || at.op === 'iota';
};

/** Whether a node has a value, is a part of a tuple that has one, or stands for what is given outside. */
const isKnown = (node: Node): boolean =>
  node.value !== null ||
  (node.op === 'output' && node.inputs[0]!.value !== null) ||
  node.op === 'parameter' ||
  node.op === 'mark';

/**
 * What stays outside of a traced function, and becomes a parameter: whatever does not depend on the placeholders
 * (`invariant`: a loop computes it once), whatever was there before the function was called (`earlier`: what a branch builds
 * is computed only where the branch is taken), or only what has a value already (`known`).
 */
export type Outside = 'invariant' | 'earlier' | 'known';

/**
 * Calls `f` on placeholders and closes the graph that comes back: what it uses from outside (a tensor closed
 * over) becomes a parameter in front of the others.
 */
export const trace = (
  name: string,
  avals: readonly Aval[],
  f: (parameters: readonly Node[]) => readonly Node[],
  outside: Outside = 'invariant',
): Traced => {
  const scope = openScope('trace', name);
  const before = nodeCount();
  const isOutside = (node: Node): boolean =>
    outside === 'invariant'
      ? !isInline(node)
      : isKnown(node) || (outside === 'earlier' && node.number <= before && !isInline(node));
  try {
    const placeholders = avals.map(({ shape, dtype }, index) => {
      const node = b.parameter({ index, shape, dtype });
      node.scopes = [scope];
      return node;
    });
    const outputs = f(placeholders).map(resolve);
    const captures: Node[] = [];
    const order = topological(outputs, node => {
      if (node.scopes.includes(scope) || !isOutside(node)) return true;
      captures.push(node);
      return false;
    });
    const standIns = new Map<Node, Node>();
    captures.forEach(({ shape, dtype }, index) => {
      standIns.set(captures[index]!, make('parameter', [], { index, shape, dtype }));
    });
    placeholders.forEach((node, i) => {
      const { shape, dtype } = node;
      standIns.set(node, make('parameter', [], { index: captures.length + i, shape, dtype }));
    });
    const parameters = [...standIns.values()];
    for (const parameter of parameters) parameter.scopes = [scope];
    // Copies, those too in which nothing changes: a node that somebody outside may come to read becomes a value then, and
    // a graph must not change under its owner.
    for (const node of order)
      if (!standIns.has(node))
        standIns.set(
          node,
          copy(node, input => standIns.get(input)!),
        );
    return {
      graph: new Graph(
        parameters,
        outputs.map(node => standIns.get(node)!),
      ),
      captures,
    };
  } finally {
    scope.open = false;
  }
};

/** The operations of a graph on these inputs. */
export const inline = (graph: Graph, inputs: readonly Node[]): readonly Node[] =>
  copyOver(graph.outputs, new Map(graph.parameters.map((parameter, i) => [parameter, resolve(inputs[i]!)])));

/** Nodes made once more, over what stands for some of those below them. */
export const copyOver = (outputs: readonly Node[], standIns: ReadonlyMap<Node, Node>): readonly Node[] => {
  const at = new Map(standIns);
  for (const node of topological(outputs, each => !at.has(each)))
    at.set(
      node,
      copy(node, input => at.get(input)!),
    );
  return outputs.map(node => at.get(node)!);
};
