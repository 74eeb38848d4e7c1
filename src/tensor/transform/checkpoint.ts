/** Memory for time: a function whose intermediate values are computed anew on the way back. */
import { b } from '../build.js';
import type { Node } from '../graph.js';
import { results } from '../primitives/results.js';
import { checkFunction, type Leaves, leavesOf } from './arguments.js';
import { trace } from './trace.js';

/**
 * `f`, of which a derivative keeps the arguments only: what is computed on the way to its results is computed once more on
 * the way back. The results are the same to the last bit; so are derivatives, unless an argument is used elsewhere too, when
 * the parts of its gradient may be added in another order.
 *
 * Of n layers in blocks of k, each block a checkpoint, n/k + k intermediate values are kept instead of n. It is a border for
 * fusing: what is inside shares no kernel with what is outside. For loops there is the option `segments` of `fold`.
 *
 * What `f` computes out of tensors it closes over alone is no part of it, and is kept: pass them as arguments.
 *
 * @param f takes and returns trees of tensors
 * @returns a function with the arguments of `f`
 * @throws ArgumentError when `f` is no function, TreeError when an argument or result has a leaf that is no tensor
 * @throws TraceError when `f` reads a value
 * @example
 * ```js
 * import { checkpoint, grad, mul, sum, tanh, tensor } from 'tenfold';
 * const block = checkpoint(x => tanh(mul(tanh(mul(x, 2)), 2)));
 * grad(x => sum(block(block(x))))(tensor([0, 0])).toArray(); // => [16, 16]
 * ```
 */
export const checkpoint = <A extends readonly unknown[], R>(f: (...args: A) => R): ((...args: A) => R) => {
  checkFunction('checkpoint', f);
  return (...args) => {
    const given = leavesOf('checkpoint', args);
    const avals = given.nodes.map(({ shape, dtype }) => ({ shape, dtype }));
    let result: Leaves | undefined;
    const call = (parameters: readonly Node[]): readonly Node[] => {
      result = leavesOf('checkpoint', f(...(given.rebuild(parameters) as A)));
      return result.nodes;
    };
    const { graph, captures } = trace('checkpoint', avals, call, 'earlier');
    // The way back through a call is a call again, which has nothing but its inputs from the one before.
    return result!.rebuild(results(b, b.call([...captures, ...given.nodes], { body: graph }))) as R;
  };
};
