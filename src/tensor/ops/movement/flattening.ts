import { AxisError } from '../../errors.js';
import { normalizeAxis, showAval, sizeOf } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Product } from '../../types/arithmetic.js';
import type { Flatten as Flattened } from '../../types/reshaping.js';
import { reshapeNode } from '../common/moving.js';
import { nodeFor } from '../common/operands.js';
import { withOptions } from '../common/options.js';

/** Which axes {@link flatten} makes one of. */
export interface FlattenOptions<Start extends number = number, End extends number = number> {
  /** The first of them; 0 if left out. */
  readonly start?: Start;
  /** The last of them, −1 if left out. */
  readonly end?: End;
}

/** The signatures of {@link flatten}. */
export interface Flatten {
  <X extends Tensor, const Start extends number = 0, const End extends number = -1>(
    x: X,
    options: FlattenOptions<Start, End> & Ok<Flattened<X['shape'], Start, End>>,
  ): Tensor<Fit<Flattened<X['shape'], Start, End>>, X['dtype']>;
  <const Start extends number = 0, const End extends number = -1>(
    options?: FlattenOptions<Start, End>,
  ): <X extends Tensor>(
    x: X & Ok<Flattened<X['shape'], Start, End>>,
  ) => Tensor<Fit<Flattened<X['shape'], Start, End>>, X['dtype']>;
  <X extends Tensor>(x: X): Tensor<readonly [Product<X['shape']>], X['dtype']>;
}

/**
 * The axes from `start` to `end`, both included, as one: all of them, if none is named. A scalar becomes a vector.
 *
 * @returns one axis for those, of as many elements as they have together
 * @throws AxisError when there is no such axis, or the last comes before the first
 * @throws ArgumentError for an option of another name
 * @numpy np.ravel
 * @pytorch torch.flatten
 * @example
 * ```js
 * import { flatten, tensor, zeros } from 'tenfold';
 * flatten(tensor([[1, 2], [3, 4]])).toArray(); // => [1, 2, 3, 4]
 * flatten(zeros([2, 3, 4]), { start: 1 }).shape; // => [2, 12]
 * ```
 */
export const flatten: Flatten = withOptions(
  'flatten',
  ['start', 'end'],
  (x: Tensor, { start = 0, end = -1 }: FlattenOptions) => {
    const node = nodeFor('flatten', x);
    const shape = node.shape.length === 0 ? [1] : node.shape;
    const [from, to] = [start, end].map(axis => normalizeAxis('flatten', axis, shape)) as [number, number];
    if (from > to) {
      throw new AxisError({
        operation: 'flatten',
        given: `${showAval(node)} from axis ${start} to axis ${end}`,
        rule: 'the last axis must not come before the first',
        hint: 'Exchange start and end.',
      });
    }
    return wrap(reshapeNode(node, shape.toSpliced(from, to - from + 1, sizeOf(shape.slice(from, to + 1)))));
  },
);
