/** Vectorisation: a function of single examples becomes one of batches. */

import { b } from '../build.js';
import { AxisError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { moveAxis, repeat } from '../primitives/movement.js';
import { type Aval, normalizeAxis, showAval } from '../shape.js';
import { checkFunction, type Leaves, leavesOf } from './arguments.js';
import { batch } from './batching.js';
import { graphs } from './graphs.js';
import { trace } from './trace.js';

/** Which axis of the arguments and results is the batch; null for arguments that all examples share. */
export interface VmapOptions {
  /** One for all arguments, or one for each. Default 0. */
  readonly in?: number | null | readonly (number | null)[];
  /** Where the batch axis of the results goes. Default 0. */
  readonly out?: number;
}

/**
 * `f` over a batch: what `f` does to one example is done to all, in one go.
 *
 * `f` is called once, on placeholders of one example; reading values inside it throws a TraceError.
 *
 * @param f takes trees of tensors and returns one
 * @returns a function with the arguments of `f`, each with one more axis
 * @throws ShapeError when the batch axes differ in length
 * @throws MissingRuleError naming a primitive that has no batching rule
 * @example
 * ```js
 * import { dot, tensor, vmap } from 'tenfold';
 * const rows = tensor([[1, 2], [3, 4]]);
 * vmap((x, w) => dot(x, w), { in: [0, null] })(rows, tensor([1, 10])).toArray(); // => [21, 43]
 * ```
 */
export const vmap = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): ((...args: A) => R) => {
  checkFunction('vmap', f);
  return (...args) => {
    const perArgument = args.map(argument => leavesOf('vmap', argument));
    const axes = perArgument.flatMap((leaves, i) => {
      const axis = Array.isArray(options.in) ? (options.in as readonly (number | null)[])[i] : options.in;
      return leaves.nodes.map(node => batchAxis(node, axis === undefined ? 0 : (axis as number | null)));
    });
    const nodes = perArgument.flatMap(leaves => leaves.nodes);
    const size = batchSize(nodes, axes);
    const avals = nodes.map(
      ({ shape, dtype }, i): Aval => ({ shape: shape.filter((_, axis) => axis !== axes[i]), dtype }),
    );
    let result: Leaves | undefined;
    const { graph, captures } = trace('vmap', avals, parameters => {
      let next = 0;
      const examples = perArgument.map(leaves => leaves.rebuild(leaves.nodes.map(() => parameters[next++]!)));
      result = leavesOf('vmap', f(...(examples as unknown as A)));
      return result.nodes;
    });
    const inputs = [...captures, ...nodes.map((node, i) => (axes[i] === null ? node : moveAxis(b, node, axes[i]!, 0)))];
    const start = new Map(
      graph.parameters.map((parameter, i) => {
        const batched = i >= captures.length && axes[i - captures.length] !== null;
        return [parameter, { node: inputs[i]!, batched }];
      }),
    );
    const over = batch(graphs, graph.outputs, start, size);
    const outputs = over.outputs.map((node, i) => {
      const rows = over.batched[i] ? node : repeat(b, node, size);
      return moveAxis(b, rows, 0, normalizeAxis('vmap', options.out ?? 0, rows.shape));
    });
    return result!.rebuild(outputs) as R;
  };
};

const batchAxis = (node: Node, axis: number | null): number | null => {
  if (axis === null) return null;
  if (node.shape.length === 0) {
    throw new AxisError({
      operation: 'vmap',
      given: `axis ${axis} of ${showAval(node)}`,
      rule: 'a scalar has no batch axis',
      hint: 'Share it between the examples: { in: [0, null] }.',
    });
  }
  return normalizeAxis('vmap', axis, node.shape);
};

const batchSize = (nodes: readonly Node[], axes: readonly (number | null)[]): number => {
  const mapped = nodes.filter((_, i) => axes[i] !== null);
  const sizes = nodes.flatMap((node, i) => (axes[i] === null ? [] : [node.shape[axes[i]!]!]));
  if (sizes.length > 0 && sizes.every(size => size === sizes[0])) return sizes[0]!;
  throw new ShapeError({
    operation: 'vmap',
    given: sizes.length === 0 ? 'no argument with a batch axis' : mapped.map(showAval).join(' and '),
    rule: 'at least one argument is batched, and all batch axes have one length',
    hint: 'Choose the batch axis of each argument with { in: [0, null, …] }.',
  });
};
