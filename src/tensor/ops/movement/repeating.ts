/** Repeating a tensor or its elements. The dtype stays. */
import { b } from '../../build.js';
import { allocate } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import { bufferNode, type Node } from '../../graph.js';
import { checkInteger, normalizeAxis, type Shape, showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { HostStorage } from '../../storage.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Repeat as Repeated, Tile as Tiled } from '../../types/slicing.js';
import { checkList } from '../common/checks.js';
import { reshapeNode } from '../common/moving.js';
import { dual, nodeFor } from '../common/operands.js';
import { dualChecked } from '../common/options.js';
import type { AxisOptions } from './joining.js';

/** Every axis repeated as a whole `outer` times and each of its elements `inner` times. */
const repeated = (x: Node, outer: readonly number[], inner: readonly number[]): Node => {
  const { shape } = x;
  if (outer.every(n => n === 1) && inner.every(n => n === 1)) return x;
  const apart = b.reshape(x, { shape: shape.flatMap(n => [1, n, 1]) });
  const spread = b.broadcast(apart, { shape: shape.flatMap((n, axis) => [outer[axis]!, n, inner[axis]!]) });
  return b.reshape(spread, { shape: shape.map((n, axis) => outer[axis]! * n * inner[axis]!) });
};

/** The signatures of {@link tile}. */
export interface Tile {
  <X extends Tensor, const C extends Shape>(x: X, counts: C): Tensor<Fit<Tiled<X['shape'], C>>, X['dtype']>;
  <const C extends Shape>(counts: C): <X extends Tensor>(x: X) => Tensor<Fit<Tiled<X['shape'], C>>, X['dtype']>;
}

/**
 * The whole tensor repeated along each axis, as tiles on a floor. Fewer counts than axes name the last axes; more
 * make new axes in front.
 *
 * @returns each length times its count
 * @throws IndexError when a count is no non-negative integer
 * @throws ArgumentError when the counts are no array
 * @numpy np.tile
 * @pytorch torch.tile
 * @example
 * ```js
 * import { tensor, tile } from 'tenfold';
 * tile(tensor([1, 2]), [2]).toArray(); // => [1, 2, 1, 2]
 * tile(tensor([1, 2]), [2, 1]).toArray(); // => [[1, 2], [1, 2]]
 * ```
 */
export const tile: Tile = dual(2, (x: Tensor, counts: readonly number[]) => {
  const node = nodeFor('tile', x);
  checkList('tile', 'counts', counts);
  for (const count of counts) checkInteger('tile', 'the count', count, 0, Number.MAX_SAFE_INTEGER);
  const rank = Math.max(node.shape.length, counts.length);
  const raised = reshapeNode(node, [...new Array<number>(rank - node.shape.length).fill(1), ...node.shape]);
  const all = [...new Array<number>(rank - counts.length).fill(1), ...counts];
  return wrap(repeated(raised, all, new Array<number>(rank).fill(1)));
});

/** The signatures of {@link repeat}. */
export interface Repeat {
  <const C extends number | Shape, const Axis extends number = 0>(
    count: C,
    options?: AxisOptions<Axis>,
  ): <X extends Tensor>(
    x: X & Ok<Repeated<X['shape'], C, Axis>>,
  ) => Tensor<Fit<Repeated<X['shape'], C, Axis>>, X['dtype']>;
  <X extends Tensor, const C extends number | Shape, const Axis extends number = 0>(
    x: X,
    count: C & Ok<Repeated<X['shape'], C, Axis>>,
    options?: AxisOptions<Axis>,
  ): Tensor<Fit<Repeated<X['shape'], C, Axis>>, X['dtype']>;
}

/**
 * Each element repeated in place along an axis, the first one if none is named.
 *
 * @param count one for all elements, or a list with one for each
 * @returns that axis as long as the counts together
 * @throws IndexError when a count is no non-negative integer
 * @throws ShapeError when the list is not as long as the axis
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an option of another name
 * @numpy np.repeat
 * @pytorch torch.repeat_interleave
 * @example
 * ```js
 * import { repeat, tensor } from 'tenfold';
 * repeat(tensor([1, 2]), 2).toArray(); // => [1, 1, 2, 2]
 * repeat(tensor([1, 2, 3]), [2, 0, 1]).toArray(); // => [1, 1, 3]
 * ```
 */
export const repeat: Repeat = dualChecked(
  'repeat',
  2,
  ['axis'],
  (x: Tensor, count: number | readonly number[], { axis = 0 }: AxisOptions = {}) => {
    const node = nodeFor('repeat', x);
    const { shape } = node;
    const at = normalizeAxis('repeat', axis, shape);
    const counts = [count].flat() as number[];
    for (const n of counts) checkInteger('repeat', 'the count', n, 0, Number.MAX_SAFE_INTEGER);
    if (!Array.isArray(count)) {
      const ones = new Array<number>(shape.length).fill(1);
      return wrap(repeated(node, ones, ones.with(at, counts[0]!)));
    }
    if (counts.length !== shape[at]) {
      throw new ShapeError({
        operation: 'repeat',
        given: `${showAval(node)} and ${counts.length} counts`,
        rule: `axis ${at} has the length ${shape[at]}`,
        hint: 'Give one count for all elements, or one for each.',
      });
    }
    const total = counts.reduce((sum, n) => sum + n, 0);
    checkInteger('repeat', 'the sum of the counts', total, 0, 2 ** 31 - 1);
    const from = allocate('int32', total, 'repeat');
    let end = 0;
    counts.forEach((n, i) => {
      from.fill(i, end, end + n);
      end += n;
    });
    return wrap(b.gather(node, bufferNode([total], new HostStorage('int32', from)), { axis: at }));
  },
);
