/** Elements by an index for each axis, as NumPy's square brackets take them, and other values put in their place. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Shape, showShape, sizeOf } from '../../shape.js';
import type { Arithmetic, Fit, Ok, Promote, WithNumber } from '../../shape-types.js';
import { nodeOf, type Tensor, wrap } from '../../tensor.js';
import type { AtShape } from '../../types/at.js';
import type { NotAny } from '../../types/known.js';
import { checkList } from '../common/checks.js';
import { broadcastNode, dual, nodeFor } from '../common/operands.js';
import { checkMask, type IndexItem, isMask, type Plan, planOf } from './index-plan.js';
import { addends, inDType, lastNaming, spread, spreads } from './positions.js';

export { type IndexItem, type IndexRange, newAxis } from './index-plan.js';

/** The signatures of {@link at}. */
export interface At {
  <const F extends Exclude<IndexItem, Tensor>, const I extends readonly IndexItem[]>(
    first: F & NotAny<F>,
    ...others: I
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<AtShape<'at', S, readonly [F, ...I]>>,
  ) => Tensor<Fit<AtShape<'at', S, readonly [F, ...I]>>, D>;
  <S extends Shape, D extends DType, const I extends readonly IndexItem[]>(
    x: Tensor<S, D> & Ok<AtShape<'at', S, I>>,
    ...index: I
  ): Tensor<Fit<AtShape<'at', S, I>>, D>;
}

/**
 * The elements that an index names, as NumPy's `x[…]`, one entry for each axis, or fewer for the leading ones:
 *
 * - an integer takes the axis away, negative ones count from the end;
 * - `[start, stop]` or `[start, stop, step]` is a range as in {@link slice}, with null for what Python leaves out;
 * - `'...'` stands for all axes that are left, {@link newAxis} for a new one of length 1;
 * - a tensor of positions picks them as {@link take} does, those outside giving NaN or 0; several are broadcast to one shape
 *   and walk their axes together. Its axes come where the tensors stand, or, with anything but integers between them, first;
 * - a tensor of bool with the shape of the next axes picks the true places. How many there are must be known, so inside
 *   traced functions (`jit`, `vmap`, …) there is `where`, or `nonzero` with a size.
 *
 * For `pipe` the index is given alone, if it does not begin with a tensor: `at([1, 3])` is a function.
 *
 * @returns the dtype of `x`
 * @throws IndexError for an integer outside, too many entries, and what is no range
 * @throws ShapeError for tensors of positions that do not broadcast, and a mask of another shape
 * @throws DTypeError for a tensor that has neither positions nor bools
 * @throws ArgumentError for anything else
 * @throws TraceError for a mask inside a traced function
 * @numpy ndarray.__getitem__
 * @pytorch torch.Tensor.__getitem__
 * @example
 * ```js
 * import { at, greater, newAxis, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * at(x, 1).toArray(); // => [4, 5, 6]
 * at(x, [null, null], -1).toArray(); // => [3, 6]
 * at(x, '...', [null, null, -2]).toArray(); // => [[3, 1], [6, 4]]
 * at(x, 0, newAxis, [1, null]).toArray(); // => [[2, 3]]
 * at(x, tensor([1, 0], { dtype: 'int32' }), tensor([2, 0], { dtype: 'int32' })).toArray(); // => [6, 1]
 * at(x, greater(x, 3)).toArray(); // => [4, 5, 6]
 * ```
 */
export const at: At = dual('tensor', (x: Tensor, ...index: readonly IndexItem[]) => {
  const node = nodeFor('at', x);
  const { shape, picks, fold } = planOf('at', node, index);
  const part = fold(node);
  return wrap(b.reshape(picks === null ? part : b.gather(part, picks.flat, { axis: picks.axis }), { shape }));
});

/** Values spread over the places that an index names, folded as those places are, the tensors' positions in a row. */
const foldedUpdates = (operation: string, x: Node, updates: Node, { shape, picks, folded }: Plan): Node => {
  const all = spread(operation, x, updates, shape, `places ${showShape(shape)}`);
  return b.reshape(all, { shape: picks === null ? folded : folded.with(picks.axis, sizeOf(picks.flat.shape)) });
};

/**
 * For an index that is nothing but a mask, and updates that do not ask which of the true places they are for: whether each
 * element of `x` is named, and an update for each. Nothing need be known for that.
 */
const masked = (
  operation: string,
  x: Node,
  index: readonly unknown[],
  updates: Node,
): { readonly named: Node; readonly all: Node } | null => {
  const [mask] = index;
  if (index.length !== 1 || !isMask(mask)) return null;
  checkMask(operation, x, mask, 0);
  const rest = x.shape.slice(mask.shape.length);
  if (!spreads(updates.shape, [1, ...rest])) return null;
  const each = updates.shape.length > rest.length ? b.reshape(updates, { shape: updates.shape.slice(1) }) : updates;
  const named = b.reshape(nodeOf(mask), { shape: [...mask.shape, ...rest.map(() => 1)] });
  return { named: broadcastNode(named, x.shape), all: broadcastNode(each, x.shape) };
};

/** The signatures of {@link setAt}. */
export interface SetAt {
  <S extends Shape, D extends DType, const I extends readonly IndexItem[]>(
    x: Tensor<S, D>,
    index: I & Ok<AtShape<'setAt', S, I>>,
    value: Tensor | number | boolean,
  ): Tensor<S, D>;
  <const I extends readonly IndexItem[]>(
    index: I,
    value: Tensor | number | boolean,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<AtShape<'setAt', S, I>>) => Tensor<S, D>;
}

/**
 * `x` with other values in the places that an index names; `x` itself stays as it is. Where tensors of positions name a place
 * more than once, the last value stays; positions outside change nothing. The derivative goes to what is still there.
 *
 * @param index an array of the entries that {@link at} takes; a mask alone may stand in a traced function, where the value
 * does not differ by true place
 * @param value a number, a boolean, or a tensor that broadcasts to the shape of `at(x, ...index)`
 * @returns shape and dtype of `x`
 * @throws ShapeError when the value does not fit
 * @throws DTypeError for a value that the dtype of `x` does not hold
 * @throws IndexError for an integer outside, too many entries, and what is no range
 * @throws ArgumentError for anything else in the index
 * @throws TraceError for values for each true place of a mask inside a traced function
 * @numpy ndarray.__setitem__
 * @pytorch torch.index_put
 * @example
 * ```js
 * import { less, setAt, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * setAt(x, [0], 9).toArray(); // => [[9, 9, 9], [4, 5, 6]]
 * setAt(x, [[null, null], [0, 2]], tensor([7, 8])).toArray(); // => [[7, 8, 3], [7, 8, 6]]
 * setAt(x, [less(x, 3)], 0).toArray(); // => [[0, 0, 3], [4, 5, 6]]
 * ```
 */
export const setAt: SetAt = dual(3, (x: Tensor, index: readonly IndexItem[], value: unknown) => {
  checkList('setAt', 'the entries of an index', index);
  const node = nodeFor('setAt', x);
  const updates = inDType('setAt', node, value);
  const simple = masked('setAt', node, index, updates);
  if (simple !== null) return wrap(b.select(simple.named, simple.all, node));
  const plan = planOf('setAt', node, index);
  const { picks, folded, unfold } = plan;
  const values = foldedUpdates('setAt', node, updates, plan);
  if (picks === null) {
    return wrap(b.select(unfold(full(b, { shape: folded, dtype: 'bool' }, 1)), unfold(values), node));
  }
  const { flat, axis, length } = picks;
  const from = lastNaming(b.reshape(flat, { shape: [sizeOf(flat.shape)] }), 0, length);
  const named = b.reshape(b.ge(from, full(b, from, 0)), { shape: folded.map((n, i) => (i === axis ? n : 1)) });
  return wrap(b.select(unfold(broadcastNode(named, folded)), unfold(b.gather(values, from, { axis })), node));
});

/** The dtype of a sum of a tensor and another, or a number. */
type Sum<D extends DType, V> = [V] extends [Tensor]
  ? Arithmetic<Promote<D, V['dtype']>>
  : [V] extends [number]
    ? WithNumber<D>
    : DType;

/** The signatures of {@link addAt}. */
export interface AddAt {
  <const I extends readonly IndexItem[], V extends Tensor | number>(
    index: I,
    value: V,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<AtShape<'addAt', S, I>>) => Tensor<S, Sum<D, V>>;
  <S extends Shape, D extends DType, const I extends readonly IndexItem[], V extends Tensor | number>(
    x: Tensor<S, D>,
    index: I & Ok<AtShape<'addAt', S, I>>,
    value: V,
  ): Tensor<S, Sum<D, V>>;
}

/**
 * `x` with values added in the places that an index names; `x` itself stays as it is. A place that is named more than once
 * gets all of them, positions outside change nothing.
 *
 * @param index an array of the entries that {@link at} takes, as for {@link setAt}
 * @param value a number, or a tensor that broadcasts to the shape of `at(x, ...index)`
 * @returns the shape of `x`, the promoted dtype; bools count as int32
 * @throws ShapeError when the value does not fit
 * @throws DTypeError for dtypes that do not meet in one, and uint8
 * @throws IndexError for an integer outside, too many entries, and what is no range
 * @throws ArgumentError for anything else in the index
 * @throws TraceError for values for each true place of a mask inside a traced function
 * @numpy np.add.at
 * @pytorch torch.index_put
 * @example
 * ```js
 * import { addAt, tensor, zeros } from 'tenfold';
 * addAt(zeros([2, 3]), [[null, null], 1], tensor([5, 6])).toArray(); // => [[0, 5, 0], [0, 6, 0]]
 * addAt(zeros([3]), [tensor([0, 2, 2], { dtype: 'int32' })], 1).toArray(); // => [1, 0, 2]
 * ```
 */
export const addAt: AddAt = dual(3, (x: Tensor, index: readonly IndexItem[], value: unknown) => {
  checkList('addAt', 'the entries of an index', index);
  const [base, updates] = addends('addAt', x, value);
  const simple = masked('addAt', base, index, updates);
  if (simple !== null) {
    return wrap(b.add(base, b.select(simple.named, simple.all, full(b, base, 0))));
  }
  const plan = planOf('addAt', base, index);
  const { picks, unfold } = plan;
  const values = foldedUpdates('addAt', base, updates, plan);
  if (picks === null) return wrap(b.add(base, unfold(values)));
  const { flat, axis, length } = picks;
  const places = b.reshape(flat, { shape: [sizeOf(flat.shape)] });
  return wrap(b.add(base, unfold(b.scatterAdd(values, places, { axis, length }))));
});
