/** Trees of tensors as arguments of transformed functions. */

import { type Flat, flatten, sameForm, showPath, tensorsOf } from '../../tree/tree.js';
import { isFloat } from '../dtype.js';
import { ArgumentError, DTypeError, GradError } from '../errors.js';
import type { Node } from '../graph.js';
import { strongNode } from '../ops/common/operands.js';
import { sameAval, showAval } from '../shape.js';
import { wrap } from '../tensor.js';

/** A tree and the nodes of its leaves. */
export interface Leaves {
  readonly flat: Flat;
  readonly nodes: readonly Node[];
  /** A tree of the same form around other nodes. */
  readonly rebuild: (nodes: readonly Node[]) => unknown;
}

export const leavesOf = (operation: string, tree: unknown): Leaves => {
  const flat = flatten(tree);
  return {
    flat,
    nodes: tensorsOf(operation, flat).map(strongNode),
    rebuild: nodes => flat.unflatten(nodes.map(node => wrap(node))),
  };
};

/**
 * The leaves with respect to which a derivative is taken.
 *
 * @throws DTypeError for a leaf that is no float, naming its place
 */
export const floatLeavesOf = (operation: string, tree: unknown): Leaves => {
  const leaves = leavesOf(operation, tree);
  leaves.nodes.forEach((node, i) => {
    if (isFloat(node.dtype)) return;
    throw new DTypeError({
      operation,
      given: `${showAval(node)} at ${showPath(leaves.flat.paths[i]!)} of the argument`,
      rule: 'derivatives are taken with respect to float32 and float64 only',
      hint: "Pass it as another argument, or cast it first: cast(x, 'float32').",
    });
  });
  return leaves;
};

/** The result of a function that `grad` differentiates. */
export const lossNode = (operation: string, loss: unknown): Node => {
  const { nodes } = leavesOf(operation, loss);
  const node = nodes[0];
  if (nodes.length === 1 && node !== undefined && node.shape.length === 0 && isFloat(node.dtype)) return node;
  throw new GradError({
    operation,
    given: `a function that returns ${nodes.length === 0 ? 'nothing' : nodes.map(showAval).join(', ')}`,
    rule: 'the function must return one scalar of a floating dtype',
    hint: 'Reduce the result with sum() or mean(), or use vjp for other results.',
  });
};

/** A function, or an error. */
export const checkFunction = (operation: string, f: unknown): void => {
  if (typeof f === 'function') return;
  throw new ArgumentError({
    operation,
    given: `${typeof f} ${String(f)}`,
    rule: 'a function of tensors belongs there',
    hint: `Write ${operation}(x => …).`,
  });
};

/** Refuses the result of an asynchronous function, whose tensors are yet to come. */
export const refusePromise = (operation: string, result: unknown): void => {
  if (!(result instanceof Promise)) return;
  throw new ArgumentError({
    operation,
    given: 'a function that returns a promise',
    rule: 'the function must give its tensors at once',
    hint: 'Make it synchronous, and await outside of it.',
  });
};

/** What a transformed function gave: a tree of tensors. */
export const resultOf = (operation: string, result: unknown): Leaves => {
  refusePromise(operation, result);
  return leavesOf(operation, result);
};

/** Refuses trees of tangents or cotangents that do not match what they belong to. */
export const checkLike = (operation: string, what: string, given: Leaves, like: Leaves): void => {
  const fits =
    given.nodes.length === like.nodes.length && given.nodes.every((node, i) => sameAval(node, like.nodes[i]!));
  if (!fits) {
    throw new GradError({
      operation,
      given: `${what} of ${given.nodes.map(showAval).join(', ')} for ${like.nodes.map(showAval).join(', ')}`,
      rule: `${what} have the shapes and dtypes of what they belong to`,
      hint: 'Use zerosLike or onesLike to make them.',
    });
  }
  sameForm(operation, like.flat, given.flat);
};
