/** Neighbouring axes as one. The dtype stays. */
import type { DType } from '../../dtype.js';
import { AxisError } from '../../errors.js';
import { normalizeAxis, type Shape, showAval, sizeOf } from '../../shape.js';
import { type Tensor, wrap } from '../../tensor.js';
import { reshapeNode } from '../common/moving.js';
import { nodeFor } from '../common/operands.js';
import { withOptions } from '../common/options.js';

/** Which axes {@link flatten} makes one of. */
export interface FlattenOptions {
  /** The first of them; 0 if left out. */
  readonly start?: number;
  /** The last of them, −1 if left out. */
  readonly end?: number;
}

/** The signatures of {@link flatten}. */
export interface Flatten {
  <D extends DType>(x: Tensor<Shape, D>, options: FlattenOptions): Tensor<Shape, D>;
  (options?: FlattenOptions): <D extends DType>(x: Tensor<Shape, D>) => Tensor<Shape, D>;
  <D extends DType>(x: Tensor<Shape, D>): Tensor<readonly [number], D>;
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
