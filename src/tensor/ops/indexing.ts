/** Elements by their positions, and positions by their elements. */
import { b } from '../build.js';
import { type DType, dtypeOfNumber, isFloat, isInteger } from '../dtype.js';
import { DTypeError, IndexError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { full, scalar } from '../primitives/full.js';
import { moveAxis } from '../primitives/movement.js';
import { broadcastShapes, checkInteger, normalizeAxis, type Shape, showAval, showShape, sizeOf } from '../shape.js';
import type { Arithmetic, Promote, WithNumber, Without } from '../shape-types.js';
import { nodeOf, type Tensor, wrap } from '../tensor.js';
import { checkDType, dualBeforeOptions, sameDType } from './checks.js';
import type { DTypeOptions } from './creation.js';
import type { AxisOptions } from './joining.js';
import type { SameRank } from './movement.js';
import {
  broadcastNode,
  castNode,
  checkSetting,
  dtypeOfWeak,
  dual,
  isWeakNumber,
  nodeFor,
  unaryOperand,
} from './operands.js';

/** The dtypes of positions. */
export type IndexDType = 'int32' | 'uint32' | 'uint8';

/** Indices as a node of int32. What int32 cannot hold becomes negative, which is outside as well. */
const positions = (operation: string, indices: unknown): Node => {
  const node = nodeFor(operation, indices);
  if (isInteger(node.dtype)) return castNode(node, 'int32');
  throw new DTypeError({
    operation,
    given: `indices ${showAval(node)}`,
    rule: 'indices are of int32, uint32 or uint8',
    hint: "Make them with { dtype: 'int32' }, or cast(indices, 'int32').",
  });
};

/** As {@link positions}, negative ones counted from the end. */
const wrapped = (operation: string, indices: unknown, length: number): Node => {
  const node = positions(operation, indices);
  if (nodeFor(operation, indices).dtype !== 'int32') return node;
  return b.select(b.lt(node, full(b, node, 0)), b.add(node, full(b, node, length)), node);
};

/** A JavaScript number as an index along an axis of `x`. */
const position = (operation: string, index: number, x: Node, axis: number): number => {
  const length = x.shape[axis]!;
  if (Number.isInteger(index) && index >= -length && index < length) return index < 0 ? index + length : index;
  throw new IndexError({
    operation,
    given: `index ${index} and ${showAval(x)}`,
    rule:
      length === 0
        ? `axis ${axis} has no elements`
        : `along axis ${axis} it is an integer from ${-length} to ${length - 1}`,
    hint: 'Negative indices count from the end: −1 is the last.',
  });
};

/** The shape with that of the indices in the place of one axis. */
export type Taken<S extends Shape, I extends Shape, Axis extends number> = Axis extends 0
  ? S extends readonly [number, ...infer Rest extends Shape]
    ? readonly [...I, ...Rest]
    : Shape
  : I extends readonly [number]
    ? SameRank<S>
    : Shape;

/** As {@link AxisOptions}, for functions whose result's shape depends on the axis. */
export interface OneAxis<Axis extends number> {
  readonly axis?: Axis;
}

/** The signatures of {@link take}. */
export interface Take {
  <S extends Shape, D extends DType, const Axis extends number = 0>(
    x: Tensor<S, D>,
    index: number,
    options?: OneAxis<Axis>,
  ): Tensor<Without<S, Axis>, D>;
  <S extends Shape, D extends DType, I extends Shape, const Axis extends number = 0>(
    x: Tensor<S, D>,
    indices: Tensor<I, IndexDType>,
    options?: OneAxis<Axis>,
  ): Tensor<Taken<S, I, Axis>, D>;
  <const Axis extends number = 0>(
    index: number,
    options?: OneAxis<Axis>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Without<S, Axis>, D>;
  <I extends Shape, const Axis extends number = 0>(
    indices: Tensor<I, IndexDType>,
    options?: OneAxis<Axis>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Taken<S, I, Axis>, D>;
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
 * @example
 * ```js
 * import { take, tensor } from 'tenfold';
 * const x = tensor([[1, 2], [3, 4], [5, 6]]);
 * take(x, tensor([2, 0], { dtype: 'int32' })).toArray(); // => [[5, 6], [1, 2]]
 * take(x, -1, { axis: 1 }).toArray(); // => [2, 4, 6]
 * take(tensor([1, 2]), tensor([1, 2], { dtype: 'int32' })).toArray(); // => [2, NaN]
 * ```
 */
export const take: Take = dualBeforeOptions(2, (x: Tensor, indices: unknown, { axis = 0 }: AxisOptions = {}) => {
  const node = nodeFor('take', x);
  const at = normalizeAxis('take', axis, node.shape);
  if (typeof indices === 'number') {
    const from = position('take', indices, node, at);
    const one = b.slice(node, {
      start: node.shape.map((_, i) => (i === at ? from : 0)),
      stop: node.shape.map((n, i) => (i === at ? from + 1 : n)),
      step: node.shape.map(() => 1),
    });
    return wrap(b.reshape(one, { shape: node.shape.filter((_, i) => i !== at) }));
  }
  if (isWeakNumber(indices)) checkSetting('take', 'the index', indices);
  return wrap(b.gather(node, wrapped('take', indices, node.shape[at]!), { axis: at }));
});

/** x[…, indices[…, j, …], …] where the shapes agree but for the axis; int32 indices, outside gives NaN or 0. */
const gatherAlong = (x: Node, indices: Node, axis: number): Node => {
  const last = x.shape.length - 1;
  const [rows, picks] = [moveAxis(b, x, axis, last), moveAxis(b, indices, axis, last)];
  const [length, count] = [rows.shape[last]!, picks.shape[last]!];
  const rest = rows.shape.slice(0, last);
  const shape = [sizeOf(rest), count];
  const local = b.reshape(picks, { shape });
  const inside = b.and(b.ge(local, full(b, local, 0)), b.lt(local, full(b, local, length)));
  const row = b.iota({ shape, dtype: 'int32', axis: 0 });
  // An index outside its own row must not land in another's, so it is sent outside of all.
  const flat = b.select(inside, b.add(local, b.mul(row, full(b, row, length))), full(b, local, -1));
  const taken = b.gather(b.reshape(rows, { shape: [sizeOf(rows.shape)] }), flat, { axis: 0 });
  return moveAxis(b, b.reshape(taken, { shape: [...rest, count] }), last, axis);
};

/** The signatures of {@link takeAlong}. */
export interface TakeAlong {
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    indices: Tensor<Shape, IndexDType>,
    options?: AxisOptions,
  ): Tensor<SameRank<S>, D>;
  (
    indices: Tensor<Shape, IndexDType>,
    options?: AxisOptions,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
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
 * @example
 * ```js
 * import { takeAlong, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * takeAlong(x, tensor([[2], [0]], { dtype: 'int32' })).toArray(); // => [[3], [4]]
 * ```
 */
export const takeAlong: TakeAlong = dualBeforeOptions(
  2,
  (x: Tensor, indices: unknown, { axis = -1 }: AxisOptions = {}) => {
    const node = nodeFor('takeAlong', x);
    const at = normalizeAxis('takeAlong', axis, node.shape);
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
  },
);

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
 * `x` with the updates added to the elements (rows, …) at the indices along an axis, the first one if none is named;
 * `x` itself stays as it is. An index that comes twice adds twice, one outside adds nowhere; negative ones count
 * from the end.
 *
 * @param indices a tensor of int32, uint32 or uint8 of any shape, or one number
 * @param updates a number, or a tensor that broadcasts to the shape `take(x, indices)` has
 * @returns the shape of `x`, the promoted dtype; bools count as int32
 * @throws ShapeError when the updates do not fit
 * @throws IndexError for a number outside the axis
 * @throws DTypeError for indices of another dtype, dtypes that do not meet in one, uint8
 * @throws AxisError when there is no such axis
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
  (x: Tensor, indices: unknown, updates: Tensor | number, { axis = 0 }: AxisOptions = {}) => {
    const node = unaryOperand('scatterAdd', x, { boolAsInt: true });
    const { shape } = node;
    const at = normalizeAxis('scatterAdd', axis, shape);
    if (isWeakNumber(indices)) checkSetting('scatterAdd', 'the index', indices);
    const places =
      typeof indices === 'number'
        ? scalar(b, position('scatterAdd', indices, node, at), 'int32')
        : wrapped('scatterAdd', indices, shape[at]!);
    const wanted = [...shape.slice(0, at), ...places.shape, ...shape.slice(at + 1)];
    const [base, added] =
      typeof updates === 'number' || isWeakNumber(updates)
        ? besideNumber(node, x.dtype, updates)
        : sameDType('scatterAdd', [node, unaryOperand('scatterAdd', updates, { boolAsInt: true })]);
    if (!spreads(added!.shape, wanted)) {
      throw new ShapeError({
        operation: 'scatterAdd',
        given: `${showAval(base!)}, indices ${showShape(places.shape)} and updates ${showShape(added!.shape)}`,
        rule: `for these indices along axis ${at} the updates must broadcast to ${showShape(wanted)}`,
        hint: 'Give updates of the shape that take has for the same indices.',
      });
    }
    const sum = b.scatterAdd(broadcastNode(added!, wanted), places, { axis: at, length: shape[at]! });
    return wrap(b.add(base!, sum));
  },
);

/** The tensor, which had this dtype, and the number that is added to it, in the dtype in which they meet. */
const besideNumber = (node: Node, dtype: DType, updates: Tensor | number): Node[] => {
  if (typeof updates !== 'number') {
    const base = castNode(node, dtypeOfWeak('scatterAdd', updates, dtype));
    return [base, castNode(nodeOf(updates), base.dtype)];
  }
  const base = castNode(node, dtypeOfNumber('scatterAdd', updates, dtype));
  return [base, scalar(b, updates, base.dtype)];
};

/** Whether one shape broadcasts to the other. */
const spreads = (shape: Shape, to: Shape): boolean =>
  shape.length <= to.length &&
  shape.every((length, axis) => length === 1 || length === to[to.length - shape.length + axis]);

/** The signatures of {@link oneHot}. */
export interface OneHot {
  <S extends Shape, const N extends number, E extends DType = 'float32'>(
    indices: Tensor<S, IndexDType>,
    depth: N,
    options?: DTypeOptions<E>,
  ): Tensor<readonly [...S, N], NoInfer<E>>;
  <const N extends number, E extends DType = 'float32'>(
    depth: N,
    options?: DTypeOptions<E>,
  ): <S extends Shape>(indices: Tensor<S, IndexDType>) => Tensor<readonly [...S, N], E>;
}

/**
 * For each index a vector of `depth` elements: 1 at the index, 0 elsewhere. An index outside, also a negative one,
 * gives zeros only.
 *
 * @param indices of int32, uint32 or uint8
 * @returns the shape of the indices and one axis more; float32 unless `dtype` says otherwise
 * @throws DTypeError for indices of another dtype
 * @throws IndexError when the depth is no non-negative integer
 * @example
 * ```js
 * import { oneHot, tensor } from 'tenfold';
 * oneHot(tensor([0, 2], { dtype: 'int32' }), 3).toArray(); // => [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export const oneHot: OneHot = dual('tensor', (indices: Tensor, depth: number, options?: DTypeOptions<DType>) => {
  const node = positions('oneHot', indices);
  const dtype = checkDType('oneHot', options?.dtype ?? 'float32');
  const shape = [...node.shape, checkInteger('oneHot', 'the depth', depth, 0, 2 ** 31 - 1)];
  const spread = b.broadcast(b.reshape(node, { shape: [...node.shape, 1] }), { shape });
  return wrap(castNode(b.eq(spread, b.iota({ shape, dtype: 'int32', axis: node.shape.length })), dtype));
});

/** The options of {@link argsort} and {@link sort}. */
export interface SortOptions extends AxisOptions {
  /** Largest first. */
  readonly descending?: boolean;
}

const sorted = (
  operation: string,
  x: unknown,
  { axis = -1, descending = false }: SortOptions,
): [Node, Node, number] => {
  const node = nodeFor(operation, x);
  const at = normalizeAxis(operation, axis, node.shape);
  checkSetting(operation, 'descending', descending);
  // Turned upside down, equal elements keep their order and NaN stays last. −x would overflow for integers; ~x does not.
  const key = descending ? (isFloat(node.dtype) ? b.neg(node) : b.not(node)) : node;
  return [node, b.argsort(key, { axis: at }), at];
};

/** The signatures of {@link argsort}. */
export interface Argsort {
  <S extends Shape>(x: Tensor<S>, options?: SortOptions): Tensor<S, 'int32'>;
  (options?: SortOptions): <S extends Shape>(x: Tensor<S>) => Tensor<S, 'int32'>;
}

/**
 * The positions along an axis, the last one if none is named, in the order of the elements there. Equal elements
 * keep their order; NaN comes last, also when descending.
 *
 * @returns the shape of `x`, int32
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { argsort, tensor } from 'tenfold';
 * argsort(tensor([30, 10, 20])).toArray(); // => [1, 2, 0]
 * argsort(tensor([30, 10, 20]), { descending: true }).toArray(); // => [0, 2, 1]
 * ```
 */
export const argsort: Argsort = dual('tensor', (x: Tensor, options: SortOptions = {}) =>
  wrap(sorted('argsort', x, options)[1]),
);

/** The signatures of {@link sort}. */
export interface Sort {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: SortOptions): Tensor<S, D>;
  (options?: SortOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
}

/**
 * The elements in order along an axis, the last one if none is named; NaN comes last, also when descending. The
 * derivative goes to where each element came from.
 *
 * @returns shape and dtype of `x`
 * @throws AxisError when there is no such axis
 * @example
 * ```js
 * import { sort, tensor } from 'tenfold';
 * sort(tensor([3, 1, 2])).toArray(); // => [1, 2, 3]
 * sort(tensor([[3, 1], [2, 4]]), { axis: 0, descending: true }).toArray(); // => [[3, 4], [2, 1]]
 * ```
 */
export const sort: Sort = dual('tensor', (x: Tensor, options: SortOptions = {}) => {
  const [node, order, axis] = sorted('sort', x, options);
  return wrap(gatherAlong(node, order, axis));
});
