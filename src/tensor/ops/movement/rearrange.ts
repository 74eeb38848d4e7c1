import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { RearrangeShape } from '../../types/rearrange.js';
import { permuteNode, reshapeNode } from '../common/moving.js';
import { broadcastNode, nodeFor } from '../common/operands.js';
import { dualTold } from '../common/options.js';
import { rearrangement } from './rearrange-pattern.js';

/** Lengths of axes by the names that a pattern has for them. */
export type Lengths = Readonly<Record<string, number>>;

/** The signatures of {@link rearrange}. */
export interface Rearrange {
  <const P extends string, const L extends Lengths = Record<never, never>>(
    pattern: P,
    lengths?: L,
  ): <X extends Tensor>(
    x: X & Ok<RearrangeShape<X['shape'], P, L>>,
  ) => Tensor<Fit<RearrangeShape<X['shape'], P, L>>, X['dtype']>;
  <X extends Tensor, const P extends string, const L extends Lengths = Record<never, never>>(
    x: X,
    pattern: P & Ok<RearrangeShape<X['shape'], P, L>>,
    lengths?: L,
  ): Tensor<Fit<RearrangeShape<X['shape'], P, L>>, X['dtype']>;
}

/**
 * Axes taken apart, reordered, joined and added by a pattern in the notation of einops (Rogozhnikov 2022, "Einops: Clear
 * and Reliable Tensor Manipulations with Einstein-like Notation").
 *
 * A pattern names the axes before and after the arrow. Names in parentheses are one axis made of several, the last one
 * running fastest; `1` is an axis of length 1, and `...` stands for any further axes. A name on the right only, or a
 * number, is a new axis along which the elements repeat.
 *
 * @param pattern such as `'b (h w) c -> b c h w'`
 * @param lengths of axes by name: of all but one in each pair of parentheses on the left, and of new axes
 * @returns the shape that the right side says; the dtype of `x`
 * @throws ArgumentError for a pattern that cannot be read, names that stand on one side only, lengths that are missing
 * or belong to no name
 * @throws ShapeError when the pattern has another number of axes than `x`, or a length does not divide
 * @throws IndexError when a length is no non-negative integer
 * @numpy einops.rearrange
 * @pytorch einops.rearrange
 * @example
 * ```js
 * import { rearrange, tensor, zeros } from 'tenfold';
 * rearrange(tensor([[1, 2, 3], [4, 5, 6]]), 'rows columns -> columns rows').toArray(); // => [[1, 4], [2, 5], [3, 6]]
 * rearrange(zeros([8, 64, 3]), 'b (h w) c -> b c h w', { h: 4 }).shape; // => [8, 3, 4, 16]
 * rearrange(zeros([8, 3, 4, 4]), 'b ... -> b (...)').shape; // => [8, 48]
 * rearrange(tensor([1, 2]), 'a -> a n', { n: 3 }).toArray(); // => [[1, 1, 1], [2, 2, 2]]
 * rearrange(zeros([8, 10]), 'b (h w) -> b h w', { h: 4 }); // throws ShapeError
 * ```
 */
export const rearrange: Rearrange = dualTold(2, (x: Tensor, pattern: string, lengths: Lengths = {}) => {
  const node = nodeFor('rearrange', x);
  const { apart, order, raised, spread, result } = rearrangement(node, pattern, lengths);
  const moved = permuteNode(reshapeNode(node, apart), order);
  return wrap(reshapeNode(broadcastNode(reshapeNode(moved, raised), spread), result));
});
