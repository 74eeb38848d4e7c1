/** Elements by their positions. */
import { b } from '../../build.js';
import type { DType, IndexDType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import { broadcastShapes, checkInteger, normalizeAxis, type Shape, showAval, showShape } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { GatherShape, OneHotShape, TakeAlongShape, TakeOneShape, TakeShape } from '../../types/indexing.js';
import type { NotAny, Only } from '../../types/known.js';
import { checkDType } from '../common/checks.js';
import { broadcastNode, castNode, checkSetting, nodeFor } from '../common/operands.js';
import { checkOptions, dualBeforeOptions, dualTold } from '../common/options.js';
import type { DTypeOptions } from '../creation/creation.js';
import type { AxisOptions } from '../movement/joining.js';
import { cut, wholeAxis } from '../movement/parts.js';
import type { OneAxis } from '../reduction/reducing.js';
import { checkRows, gatherAlong, position, positions, wrapped } from './positions.js';

export type { IndexDType } from '../../dtype.js';

/** The shape that {@link take} gives for one index, or a tensor of indices. */
type Taken<S extends Shape, I, Axis extends number> = [I] extends [number]
  ? TakeOneShape<S, I, Axis>
  : [I] extends [Tensor]
    ? TakeShape<S, I['shape'], Axis>
    : Shape;

/** The signatures of {@link take}. */
export interface Take {
  <
    const I extends number | Tensor<Shape, IndexDType>,
    const A extends number = 0,
    const O extends Only<OneAxis<number>, O> = Record<never, never>,
  >(
    index: I & NotAny<O>,
    options?: OneAxis<A> & O,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<Taken<S, I, A>>) => Tensor<Fit<Taken<S, I, A>>, D>;
  <S extends Shape, D extends DType, const I extends number | Tensor<Shape, IndexDType>, const A extends number = 0>(
    x: Tensor<S, D>,
    index: I & Ok<Taken<S, I, A>>,
    options?: OneAxis<A>,
  ): Tensor<Fit<Taken<S, I, A>>, D>;
}

/**
 * The elements (rows, …) at the indices along an axis, the first one if none is named. Negative indices count from
 * the end. Where an index in a tensor lies outside, the result is NaN, or 0 (false) for dtypes without NaN; a
 * JavaScript number outside is an error.
 *
 * @param indices a tensor of int32, uint32 or uint8 of any shape, or one number
 * @returns the shape of `x` with the shape of the indices in the place of the axis, which a number takes away
 * @throws IndexError for a number outside the axis
 * @throws DTypeError for indices of another dtype
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.take
 * @pytorch torch.index_select
 * @example
 * ```js
 * import { take, tensor } from 'tenfold';
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * take(x, tensor([2, 0], { dtype: 'int32' })).toArray(); // => [[5, 6], [1, 2]]
 * take(x, -1, { axis: 1 }).toArray(); // => [2, 4, 6]
 * take(tensor([1, 2]), tensor([1, 2], { dtype: 'int32' })).toArray(); // => [2, NaN]
 * ```
 */
export const take: Take = dualBeforeOptions(2, (x: Tensor, indices: unknown, options: AxisOptions = {}) => {
  checkOptions('take', ['axis'], options);
  const node = nodeFor('take', x);
  const { shape } = node;
  const axis = normalizeAxis('take', options.axis ?? 0, shape);
  if (typeof indices !== 'number') return wrap(b.gather(node, wrapped('take', indices, shape[axis]!), { axis }));
  const one = { from: position('take', indices, node, axis), count: 1, step: 1 };
  const parts = shape.map((length, i) => (i === axis ? one : wholeAxis(length)));
  return wrap(b.reshape(cut(node, parts), { shape: shape.toSpliced(axis, 1) }));
});

/** The signatures of {@link takeAlong}. */
export interface TakeAlong {
  <I extends Shape, const A extends number = -1, const O extends Only<OneAxis<number>, O> = Record<never, never>>(
    indices: Tensor<I, IndexDType> & NotAny<O>,
    options?: OneAxis<A> & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<TakeAlongShape<S, I, A>>,
  ) => Tensor<Fit<TakeAlongShape<S, I, A>>, D>;
  <S extends Shape, D extends DType, I extends Shape, const A extends number = -1>(
    x: Tensor<S, D>,
    indices: Tensor<I, IndexDType> & Ok<TakeAlongShape<S, I, A>>,
    options?: OneAxis<A>,
  ): Tensor<Fit<TakeAlongShape<S, I, A>>, D>;
}

/**
 * In each row along an axis, the last one if none is named, the elements at that row's own indices, as NumPy's
 * `take_along_axis`: `takeAlong(x, argsort(x))` is sorted. Negative and outlying indices as in {@link take}.
 *
 * @param indices of the rank of `x`; apart from the axis the shapes broadcast
 * @returns the broadcast shape, the axis as long as that of the indices
 * @throws ShapeError when the ranks differ or the shapes do not fit
 * @throws DTypeError for indices that are not of int32, uint32 or uint8
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.take_along_axis
 * @pytorch torch.take_along_dim
 * @example
 * ```js
 * import { takeAlong, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * takeAlong(x, tensor([[2], [0]], { dtype: 'int32' })).toArray(); // => [[3], [4]]
 * ```
 */
export const takeAlong: TakeAlong = dualBeforeOptions(2, (x: Tensor, indices: unknown, options: AxisOptions = {}) => {
  checkOptions('takeAlong', ['axis'], options);
  const node = nodeFor('takeAlong', x);
  const at = normalizeAxis('takeAlong', options.axis ?? -1, node.shape);
  const picks = wrapped('takeAlong', indices, node.shape[at]!);
  const rest = (shape: Shape): number[] => shape.with(at, 1);
  const rank = node.shape.length;
  const fits = (n: number, i: number): boolean => i === at || n === 1 || node.shape[i] === 1 || n === node.shape[i];
  if (picks.shape.length !== rank || !picks.shape.every(fits)) {
    throw new ShapeError({
      operation: 'takeAlong',
      given: `${showAval(node)} and indices ${showShape(picks.shape)}`,
      rule: `the ranks must be equal, and the lengths, apart from axis ${at}, equal or 1`,
      hint: 'To take the same positions from every row, use take.',
    });
  }
  const common = broadcastShapes('takeAlong', rest(node.shape), rest(picks.shape));
  const rows = broadcastNode(node, common.with(at, node.shape[at]!));
  return wrap(gatherAlong(rows, broadcastNode(picks, common.with(at, picks.shape[at]!)), at));
});

/** The signatures of {@link gather}. */
export interface Gather {
  <I extends Shape, const A extends number = -1, const O extends Only<OneAxis<number>, O> = Record<never, never>>(
    indices: Tensor<I, IndexDType> & NotAny<O>,
    options?: OneAxis<A> & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<GatherShape<S, I, A>>,
  ) => Tensor<Fit<GatherShape<S, I, A>>, D>;
  <S extends Shape, D extends DType, I extends Shape, const A extends number = -1>(
    x: Tensor<S, D>,
    indices: Tensor<I, IndexDType> & Ok<GatherShape<S, I, A>>,
    options?: OneAxis<A>,
  ): Tensor<Fit<GatherShape<S, I, A>>, D>;
}

/**
 * In each row along an axis, the last one if none is named, the elements at that row's own indices, as PyTorch's
 * `gather`: there may be indices for the first rows only. With broadcasting it is {@link takeAlong}; the same
 * positions from every row are {@link take}, ONNX's Gather. Negative and outlying indices as there.
 *
 * @param indices of the rank of `x`, and no longer than it along the other axes
 * @returns the shape of the indices, the dtype of `x`
 * @throws ShapeError when the ranks differ or the indices are too long
 * @throws DTypeError for indices that are not of int32, uint32 or uint8
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.take_along_axis
 * @pytorch torch.gather
 * @example
 * ```js
 * import { gather, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * gather(x, tensor([[2, 0], [1, 1]], { dtype: 'int32' })).toArray(); // => [[3, 1], [5, 5]]
 * gather(x, tensor([[2, 2, 0, 1]], { dtype: 'int32' })).toArray(); // => [[3, 3, 1, 2]]
 * ```
 */
export const gather: Gather = dualBeforeOptions(2, (x: Tensor, indices: unknown, options: AxisOptions = {}) => {
  checkOptions('gather', ['axis'], options);
  const node = nodeFor('gather', x);
  const axis = normalizeAxis('gather', options.axis ?? -1, node.shape);
  const picks = wrapped('gather', indices, node.shape[axis]!);
  checkRows('gather', node, picks.shape, axis);
  const parts = node.shape.map((length, i) => wholeAxis(i === axis ? length : picks.shape[i]!));
  return wrap(gatherAlong(cut(node, parts), picks, axis));
});

/** The signatures of {@link oneHot}. */
export interface OneHot {
  <S extends Shape, const N extends number, E extends DType = 'float32'>(
    indices: Tensor<S, IndexDType>,
    depth: N,
    options?: DTypeOptions<E>,
  ): Tensor<OneHotShape<S, N>, NoInfer<E>>;
  <const N extends number, E extends DType = 'float32'>(
    depth: N,
    options?: DTypeOptions<E>,
  ): <S extends Shape>(indices: Tensor<S, IndexDType>) => Tensor<OneHotShape<S, N>, E>;
}

/**
 * For each index a vector of `depth` elements: 1 at the index, 0 elsewhere. An index outside, also a negative one,
 * gives zeros only.
 *
 * @param indices of int32, uint32 or uint8
 * @returns the shape of the indices and one axis more; float32 unless `dtype` says otherwise
 * @throws DTypeError for indices of another dtype
 * @throws IndexError when the depth is no non-negative integer
 * @throws ArgumentError for an unknown option
 * @numpy jax.nn.one_hot
 * @pytorch torch.nn.functional.one_hot
 * @example
 * ```js
 * import { oneHot, tensor } from 'tenfold';
 * oneHot(tensor([0, 2], { dtype: 'int32' }), 3).toArray(); // => [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export const oneHot: OneHot = dualTold(2, (indices: Tensor, depth: number, options: DTypeOptions<DType> = {}) => {
  checkOptions('oneHot', ['dtype'], options);
  const node = positions('oneHot', indices);
  checkSetting('oneHot', 'the depth', depth);
  const dtype = checkDType('oneHot', options.dtype ?? 'float32');
  const shape = [...node.shape, checkInteger('oneHot', 'the depth', depth, 0, 2 ** 31 - 1)];
  const spread = b.broadcast(b.reshape(node, { shape: [...node.shape, 1] }), { shape });
  return wrap(castNode(b.eq(spread, b.iota({ shape, dtype: 'int32', axis: node.shape.length })), dtype));
});
