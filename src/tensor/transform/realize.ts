/** Computing a tree now. */
import { evaluate } from '../evaluate.js';
import { leavesOf } from './arguments.js';

/**
 * Computes all tensors of a tree that have no value yet, in one program, and returns the tree.
 *
 * Never needed for correctness: values are computed when they are read. It says when the work happens, for
 * timing, and computes several results together instead of one by one.
 *
 * @param tree tensors, or arrays and records of them
 * @returns the same tree
 * @throws TraceError inside a function that is being traced
 * @throws TreeError when a leaf is no tensor
 * @example
 * ```js
 * import { add, realize, tensor } from 'tenfold';
 * const { y } = realize({ y: add(tensor([1, 2]), 1) });
 * y.toArray(); // => [2, 3]
 * ```
 */
export const realize = <T>(tree: T): T => {
  evaluate(leavesOf('realize', tree).nodes);
  return tree;
};
