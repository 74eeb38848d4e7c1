/** Elements put, or added, at positions. `x` itself stays as it is. */
import { b } from '../../build.js';
import type { DType, IndexDType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full, scalar } from '../../primitives/full.js';
import { normalizeAxis, type Shape, showShape } from '../../shape.js';
import type { Arithmetic, Promote, WithNumber } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { nodeFor } from '../common/operands.js';
import { checkOptions, dualBeforeOptions } from '../common/options.js';
import type { AxisOptions } from '../movement/joining.js';
import {
  addends,
  checkRows,
  gatherAlong,
  inDType,
  lastNaming,
  position,
  scatterAddAlong as scatterAddNode,
  spread,
  wrapped,
} from './positions.js';

/** The signatures of {@link scatterAdd}. */
export interface ScatterAdd {
  <S extends Shape, D extends DType, E extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType> | number,
    updates: Tensor<Shape, E>,
    options?: AxisOptions,
  ): Tensor<S, Arithmetic<Promote<D, E>>>;
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType> | number,
    updates: number,
    options?: AxisOptions,
  ): Tensor<S, WithNumber<D>>;
  <E extends DType>(
    indices: Tensor<Shape, IndexDType> | number,
    updates: Tensor<Shape, E>,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Arithmetic<Promote<D, E>>>;
  (
    indices: Tensor<Shape, IndexDType> | number,
    updates: number,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, WithNumber<D>>;
}

/**
 * `x` with the updates added to the elements (rows, …) at the indices along an axis, the first one if none is named.
 * An index that comes twice adds twice, one outside adds nowhere; negative ones count from the end.
 *
 * @param indices a tensor of int32, uint32 or uint8 of any shape, or one number
 * @param updates a number, or a tensor that broadcasts to the shape `take(x, indices)` has
 * @returns the shape of `x`, the promoted dtype; bools count as int32
 * @throws ShapeError when the updates do not fit
 * @throws IndexError for a number outside the axis
 * @throws DTypeError for indices of another dtype, dtypes that do not meet in one, uint8
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.add.at
 * @pytorch torch.index_add
 * @example
 * ```js
 * import { scatterAdd, tensor, zeros } from 'tenfold';
 * const indices = tensor([0, 2, 2], { dtype: 'int32' });
 * scatterAdd(zeros([4]), indices, tensor([1, 2, 3])).toArray(); // => [1, 0, 5, 0]
 * scatterAdd(zeros([4]), indices, 1).toArray(); // => [1, 0, 2, 0]
 * ```
 */
export const scatterAdd: ScatterAdd = dualBeforeOptions(
  3,
  (x: Tensor, indices: unknown, updates: unknown, options: AxisOptions = {}) => {
    checkOptions('scatterAdd', ['axis'], options);
    const [base, added] = addends('scatterAdd', x, updates);
    const { shape } = base;
    const axis = normalizeAxis('scatterAdd', options.axis ?? 0, shape);
    const length = shape[axis]!;
    const places =
      typeof indices === 'number'
        ? scalar(b, position('scatterAdd', indices, base, axis), 'int32')
        : wrapped('scatterAdd', indices, length);
    const wanted = shape.toSpliced(axis, 1, ...places.shape);
    const spreadOut = spread('scatterAdd', base, added, wanted, `indices ${showShape(places.shape)}`);
    return wrap(b.add(base, b.scatterAdd(spreadOut, places, { axis, length })));
  },
);

/** The axis, the indices with one row for each row of `x` (−1 in those they do not have), and a tensor filled up likewise. */
const along = (
  operation: string,
  x: Node,
  indices: unknown,
  options: AxisOptions,
): { readonly axis: number; readonly shape: Shape; readonly places: Node; filled(updates: Node): Node } => {
  const axis = normalizeAxis(operation, options.axis ?? -1, x.shape);
  const picks = wrapped(operation, indices, x.shape[axis]!);
  const { shape } = picks;
  checkRows(operation, x, shape, axis);
  const missing = shape.map((n, i) => (i === axis ? 0 : x.shape[i]! - n));
  const none = shape.map(() => 0);
  const filled = (y: Node): Node =>
    missing.every(n => n === 0) ? y : b.pad(y, { low: none, high: missing, interior: none });
  const one = full(b, picks, 1);
  const places = filled(b.add(picks, one));
  return { axis, shape, places: b.sub(places, full(b, places, 1)), filled };
};

/** The signatures of {@link scatterAlong}. */
export interface ScatterAlong {
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType>,
    updates: Tensor | number | boolean,
    options?: AxisOptions,
  ): Tensor<S, D>;
  (
    indices: Tensor<Shape, IndexDType>,
    updates: Tensor | number | boolean,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
}

/**
 * `x` with the updates in the places that each row's own indices name along an axis, the last one if none is named:
 * the way back of {@link gather}. Where an index comes twice, the last update stays; one outside changes nothing;
 * negative ones count from the end. The derivative goes to the elements of both that are still there.
 *
 * @param indices of the rank of `x`, and no longer than it along the other axes: rows beyond stay as they are
 * @param updates a number, a boolean, or a tensor that broadcasts to the shape of the indices
 * @returns shape and dtype of `x`
 * @throws ShapeError when the shapes do not fit
 * @throws DTypeError for indices of another dtype, and updates that the dtype of `x` does not hold
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.put_along_axis
 * @pytorch torch.scatter
 * @example
 * ```js
 * import { scatterAlong, tensor, zeros } from 'tenfold';
 * const indices = tensor([[2, 0], [1, 1]], { dtype: 'int32' });
 * scatterAlong(zeros([2, 3]), indices, tensor([[1, 2], [3, 4]])).toArray(); // => [[2, 0, 1], [0, 4, 0]]
 * ```
 */
export const scatterAlong: ScatterAlong = dualBeforeOptions(
  3,
  (x: Tensor, indices: unknown, updates: unknown, options: AxisOptions = {}) => {
    checkOptions('scatterAlong', ['axis'], options);
    const node = nodeFor('scatterAlong', x);
    const { axis, shape, places, filled } = along('scatterAlong', node, indices, options);
    const put = inDType('scatterAlong', node, updates);
    const values = filled(spread('scatterAlong', node, put, shape, `indices ${showShape(shape)}`));
    const from = lastNaming(places, axis, node.shape[axis]!);
    return wrap(b.select(b.ge(from, full(b, from, 0)), gatherAlong(values, from, axis), node));
  },
);

/** The signatures of {@link scatterAddAlong}. */
export interface ScatterAddAlong {
  <S extends Shape, D extends DType, E extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType>,
    updates: Tensor<Shape, E>,
    options?: AxisOptions,
  ): Tensor<S, Arithmetic<Promote<D, E>>>;
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType>,
    updates: number,
    options?: AxisOptions,
  ): Tensor<S, WithNumber<D>>;
  <E extends DType>(
    indices: Tensor<Shape, IndexDType>,
    updates: Tensor<Shape, E>,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Arithmetic<Promote<D, E>>>;
  (
    indices: Tensor<Shape, IndexDType>,
    updates: number,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, WithNumber<D>>;
}

/**
 * `x` with the updates added in the places that each row's own indices name along an axis, the last one if none is
 * named: the transpose of {@link gather}. An index that comes twice adds twice, one outside adds nowhere; negative
 * ones count from the end.
 *
 * @param indices of the rank of `x`, and no longer than it along the other axes: rows beyond stay as they are
 * @param updates a number, or a tensor that broadcasts to the shape of the indices
 * @returns the shape of `x`, the promoted dtype; bools count as int32
 * @throws ShapeError when the shapes do not fit
 * @throws DTypeError for indices of another dtype, dtypes that do not meet in one, uint8
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an unknown option
 * @numpy np.add.at
 * @pytorch torch.scatter_add
 * @example
 * ```js
 * import { scatterAddAlong, tensor, zeros } from 'tenfold';
 * const indices = tensor([[2, 0], [1, 1]], { dtype: 'int32' });
 * scatterAddAlong(zeros([2, 3]), indices, tensor([[1, 2], [3, 4]])).toArray(); // => [[2, 0, 1], [0, 7, 0]]
 * ```
 */
export const scatterAddAlong: ScatterAddAlong = dualBeforeOptions(
  3,
  (x: Tensor, indices: unknown, updates: unknown, options: AxisOptions = {}) => {
    checkOptions('scatterAddAlong', ['axis'], options);
    const [base, added] = addends('scatterAddAlong', x, updates);
    const { axis, shape, places, filled } = along('scatterAddAlong', base, indices, options);
    const values = filled(spread('scatterAddAlong', base, added, shape, `indices ${showShape(shape)}`));
    return wrap(b.add(base, scatterAddNode(values, places, axis, base.shape[axis]!)));
  },
);
