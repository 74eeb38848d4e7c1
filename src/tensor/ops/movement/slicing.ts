import { ShapeError } from '../../errors.js';
import { showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny } from '../../types/known.js';
import type { Slice as Sliced } from '../../types/slicing.js';
import { checkList } from '../common/checks.js';
import { dual, nodeFor } from '../common/operands.js';
import { cut, partOf } from './parts.js';

/** Bounds or steps of the leading axes; null, and what is missing, means all of the axis. */
export type Bounds = readonly (number | null)[];

/** The signatures of {@link slice}. */
export interface Slice {
  <const A extends Bounds, const B extends Bounds = readonly [], const C extends Bounds = readonly []>(
    start: A & Alone<A, B>,
    stop?: B,
    step?: C,
  ): <X extends Tensor>(x: X & Ok<Sliced<X['shape'], A, B, C>>) => Tensor<Fit<Sliced<X['shape'], A, B, C>>, X['dtype']>;
  <
    X extends Tensor,
    const A extends Bounds,
    const B extends Bounds = readonly [],
    const C extends Bounds = readonly [],
  >(
    x: X,
    start: A & Ok<Sliced<X['shape'], A, B, C>>,
    stop?: B,
    step?: C,
  ): Tensor<Fit<Sliced<X['shape'], A, B, C>>, X['dtype']>;
}

/** What `any` does not fit where more follows: it is the tensor then. */
type Alone<A, B> = B extends readonly [] ? unknown : NotAny<A>;

/**
 * A part of each axis: from `start` up to but not including `stop`, every `step`-th element, as Python's
 * `x[start:stop:step]`. The arrays name the leading axes; for axes beyond them, and for null, it is the whole axis.
 * Negative bounds count from the end, bounds outside are clamped, and a negative step walks backwards.
 *
 * @returns the same rank; the lengths of the parts
 * @throws ShapeError when there are more bounds than axes
 * @throws IndexError when a bound or step is no integer, or a step is 0
 * @throws ArgumentError when the bounds are no arrays
 * @numpy ndarray.__getitem__
 * @pytorch torch.Tensor.__getitem__
 * @example
 * ```js
 * import { slice, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * slice(x, [0, 1], [2, 3]).toArray(); // => [[2, 3], [5, 6]]
 * slice(x, [-1]).toArray(); // => [[4, 5, 6]]
 * slice(x, [], [], [null, -2]).toArray(); // => [[3, 1], [6, 4]]
 * ```
 */
export const slice: Slice = dual('tensor', (x: Tensor, start: Bounds, stop: Bounds = [], step: Bounds = []) => {
  const node = nodeFor('slice', x);
  const { shape } = node;
  for (const [name, list] of Object.entries({ start, stop, step })) {
    checkList('slice', `the bounds in ${name}`, list);
    if (list.length <= shape.length) continue;
    throw new ShapeError({
      operation: 'slice',
      given: `${showAval(node)} and ${name} [${list.join(', ')}]`,
      rule: `${name} has ${list.length} entries for ${shape.length} axes`,
      hint: 'Give one entry an axis, or fewer for the leading axes.',
    });
  }
  const parts = shape.map((_, axis) => partOf('slice', node, axis, start[axis], stop[axis], step[axis]));
  return wrap(cut(node, parts));
});
