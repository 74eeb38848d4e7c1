/** Operations whose derivative is written in another way than their value. */
import { b } from '../../build.js';
import { isFloat } from '../../dtype.js';
import { Graph, type Node, openScope } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { results } from '../../primitives/results.js';
import type { Aval } from '../../shape.js';

/** A function of nodes as a closed graph; it may use no other nodes than its parameters and what it makes. */
export const closed = (
  name: string,
  avals: readonly Aval[],
  f: (parameters: readonly Node[]) => readonly Node[],
): Graph => {
  const scope = openScope('trace', name);
  const parameters = avals.map(({ shape, dtype }, index) => {
    const node = b.parameter({ index, shape, dtype });
    node.scopes = [scope];
    return node;
  });
  try {
    return new Graph(parameters, f(parameters));
  } finally {
    scope.open = false;
  }
};

/**
 * What `value` makes of a node, with `tangent` for its derivative, a linear map of a direction. It moves elements after it has
 * computed with them, so that its transpose, which is the way back, moves them before: that is free, the other way round is not.
 *
 * @param constants nodes that both know; `value` is given stand-ins for them
 */
export const withTangent = (
  name: string,
  x: Node,
  constants: readonly Node[],
  value: (x: Node, constants: readonly Node[]) => Node,
  tangent: (x: Node, direction: Node) => Node,
): Node => {
  if (!isFloat(x.dtype)) return value(x, constants);
  const body = closed(name, [...constants, x], parameters => [value(parameters.at(-1)!, parameters.slice(0, -1))]);
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at], [direction]) => ({
      outputs: [withTangent(name, at!, constants, value, tangent)],
      tangents: [tangent(at!, direction!)],
    }),
  };
  return results(b, b.custom([...constants, x], { body, captures: constants.length, rule }))[0]!;
};
