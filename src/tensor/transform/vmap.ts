/** Vectorisation: a function of single examples becomes one of batches. */

import { isPlainRecord, showPath } from '../../tree/tree.js';
import { b } from '../build.js';
import { ArgumentError, AxisError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { moveAxis } from '../primitives/movement.js';
import { type Aval, range, type Shape, showAval } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFunction, type Leaves, leavesOf, resultOf } from './arguments.js';
import { type Axes, axesFor, checkAxis, type Place } from './batch-axes.js';
import { showPlace } from './forms.js';
import { overRows, rowsAt } from './rows.js';
import { trace } from './trace.js';

/** Which axis of the arguments and results is the batch. */
export interface VmapOptions {
  /**
   * One axis for all arguments, or an array with one for each: an axis, null for what all examples share, or a tree of both
   * of the form of the argument. Negative axes count from the end. Default 0.
   */
  readonly in?: Axes;
  /**
   * Where the batch axis of the results goes: an axis, null for what is the same for all examples and has none, or a tree
   * of both. Default 0.
   */
  readonly out?: Axes;
}

/** A tree of tensors of any shapes. */
export type Batched<T> =
  T extends Tensor<Shape, infer D>
    ? Tensor<Shape, D>
    : T extends null
      ? null
      : T extends object
        ? { readonly [K in keyof T]: Batched<T[K]> }
        : T;

/** The trees that a function takes, of tensors of any shapes. */
type BatchedArguments<A extends readonly unknown[]> = { readonly [K in keyof A]: Batched<A[K]> };

/**
 * `f` over a batch: what `f` does to one example is done to all, in one go.
 *
 * `f` is called once, on placeholders of one example; reading values inside it throws a TraceError. Random code gets a key
 * for each example: `vmap(k => normal(k, [3]))(splitStack(key, n))`.
 *
 * A `cond` whose predicate differs between examples runs both branches and picks for each example (one that all share runs
 * only one); a `whileLoop` whose test differs runs until the last example is done, those that are done staying as they are.
 *
 * @param f takes trees of tensors and returns one
 * @param options the batch axes of arguments and results, default the first of all
 * @returns a function with the arguments of `f`, each with one more axis
 * @throws ShapeError when the batch axes differ in length
 * @throws AxisError when a tensor has no such axis, or a result without batch axis differs between the examples
 * @throws TreeError, ArgumentError when the axes have not the form of what they are for
 * @throws MissingRuleError naming a primitive that has no batching rule
 * @throws TraceError when `f` reads the value of an argument
 * @example
 * ```js
 * import { add, dot, tensor, vmap } from 'tenfold';
 * const rows = tensor([[1, 2], [3, 4]]);
 * vmap((x, w) => dot(x, w), { in: [0, null] })(rows, tensor([1, 10])).toArray(); // => [21, 43]
 * vmap(x => add(x, tensor([10, 20])), { in: 1, out: 1 })(rows).toArray(); // => [[11, 12], [23, 24]]
 * const layer = ({ w, b }, x) => add(dot(w, x), b);
 * vmap(layer, { in: [{ w: 0, b: null }, null] })({ w: rows, b: tensor(5) }, tensor([1, 0])).toArray(); // => [6, 8]
 * ```
 */
export const vmap = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): ((...args: BatchedArguments<A>) => Batched<R>) => {
  checkFunction('vmap', f);
  return (...args) => {
    const given = leavesOf('vmap', args);
    const places = given.flat.paths.map(showPlace);
    const axes = axesFor('in', axesOfArguments(options.in, args), args, showArguments).map((axis, i) => {
      const node = given.nodes[i]!;
      return axis === null ? null : checkAxis(axis, node, node.shape.length, places[i]!);
    });
    const size = batchSize(given.nodes, axes, places);
    const avals = given.nodes.map(
      ({ shape, dtype }, i): Aval => ({ shape: shape.filter((_, axis) => axis !== axes[i]), dtype }),
    );
    let result: Leaves | undefined;
    const traced = trace('vmap', avals, parameters => {
      result = resultOf('vmap', f(...(given.rebuild(parameters) as A)));
      return result.nodes;
    });
    const rows = overRows(
      traced,
      given.nodes.map((node, i) => (axes[i] === null ? node : moveAxis(b, node, axes[i]!, 0))),
      axes.map(axis => axis !== null),
      size,
    );
    const { flat } = result!;
    const out = axesFor('out', options.out === undefined ? 0 : options.out, flat.unflatten(flat.leaves), showResult);
    const outputs = out.map((axis, i) => {
      const place = showResult(flat.paths[i]!);
      if (axis === null) return shared(rows.outputs[i]!, rows.batched[i]!, place);
      const node = rowsAt(rows, i, size);
      return moveAxis(b, node, 0, checkAxis(axis, node, node.shape.length, place));
    });
    return result!.rebuild(outputs) as Batched<R>;
  };
};

/** An array is for the arguments one by one, anything else for each of them. */
const axesOfArguments = (axes: Axes | undefined, args: readonly unknown[]): unknown => {
  if (axes === undefined) return 0;
  return isPlainRecord(axes) ? args.map(() => axes) : axes;
};

const showArguments: Place = path => (path.length === 0 ? 'the arguments' : showPlace(path));

const showResult: Place = path => (path.length === 0 ? 'the result' : `${showPath(path)} of the result`);

/** The one length of all batch axes. */
const batchSize = (nodes: readonly Node[], axes: readonly (number | null)[], places: readonly string[]): number => {
  const mapped = range(nodes.length).filter(i => axes[i] !== null);
  const lengthOf = (i: number): number => nodes[i]!.shape[axes[i]!]!;
  const [first] = mapped;
  if (first === undefined) {
    throw new ArgumentError({
      operation: 'vmap',
      given: 'no argument with a batch axis',
      rule: 'at least one argument is batched, which tells how many examples there are',
      hint: 'Choose the batch axis of each argument with { in: [0, null, …] }.',
    });
  }
  const other = mapped.find(i => lengthOf(i) !== lengthOf(first));
  if (other === undefined) return lengthOf(first);
  const axisOf = (i: number): string => `axis ${axes[i]} of ${places[i]} has length ${lengthOf(i)}`;
  throw new ShapeError({
    operation: 'vmap',
    given: `${showAval(nodes[first]!)} and ${showAval(nodes[other]!)}: ${axisOf(first)}, ${axisOf(other)}`,
    rule: 'all batch axes have one length',
    hint: 'Choose the batch axis of each argument, or null for what the examples share, with { in: [0, null, …] }.',
  });
};

/** A result without batch axis. */
const shared = (node: Node, batched: boolean, place: string): Node => {
  if (!batched) return node;
  throw new AxisError({
    operation: 'vmap',
    given: `out with null for ${place}, which differs between the examples`,
    rule: 'only what is the same for all examples can go without a batch axis',
    hint: 'Give it an axis, and reduce it outside of vmap.',
  });
};
