/** Positions along axes, given as tensors: checking them, going to them. Those outside are sent outside of everything. */
import { b } from '../../build.js';
import { type DType, dtypeOfNumber, isInteger, type TypedArray } from '../../dtype.js';
import { DTypeError, IndexError, ShapeError, TraceError } from '../../errors.js';
import { elementsNow } from '../../evaluate.js';
import { type Node, traceOf } from '../../graph.js';
import { full, scalar } from '../../primitives/full.js';
import { moveAxis } from '../../primitives/movement.js';
import { range, type Shape, showAval, showShape, sizeOf } from '../../shape.js';
import { nodeOf, type Tensor } from '../../tensor.js';
import { checkHolds, sameDType } from '../common/checks.js';
import {
  broadcastNode,
  castNode,
  checkSetting,
  dtypeOfWeak,
  isWeakNumber,
  nodeFor,
  unaryOperand,
} from '../common/operands.js';
import { cut, type Part, uncut, wholeAxis } from '../movement/parts.js';

/** Indices as a node of int32. What int32 cannot hold becomes negative, which is outside as well. */
export const positions = (operation: string, indices: unknown): Node => {
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
export const wrapped = (operation: string, indices: unknown, length: number): Node => {
  if (isWeakNumber(indices)) checkSetting(operation, 'an index', indices);
  const node = positions(operation, indices);
  if (nodeFor(operation, indices).dtype !== 'int32') return node;
  return b.select(b.lt(node, full(b, node, 0)), b.add(node, full(b, node, length)), node);
};

/** A JavaScript number as an index along an axis of `x`. */
export const position = (operation: string, index: number, x: Node, axis: number): number => {
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

/**
 * Checks that indices of this shape are for rows of `x` along the axis: of as many or fewer of them.
 *
 * @throws ShapeError
 */
export const checkRows = (operation: string, x: Node, indices: Shape, axis: number): void => {
  if (indices.length === x.shape.length && indices.every((n, i) => i === axis || n <= x.shape[i]!)) return;
  throw new ShapeError({
    operation,
    given: `${showAval(x)} and indices ${showShape(indices)}`,
    rule: `the ranks must be equal, and the indices, but for axis ${axis}, no longer than the tensor`,
    hint: 'For the same positions in every row there are take and scatterAdd.',
  });
};

/** Whether positions lie on an axis of this length. */
export const inside = (indices: Node, length: number): Node =>
  b.and(b.ge(indices, full(b, indices, 0)), b.lt(indices, full(b, indices, length)));

/** A tensor as a matrix whose rows are along the axis. */
const rowsOf = (x: Node, axis: number): Node => {
  const { shape } = x;
  const rows = sizeOf(shape.toSpliced(axis, 1));
  return b.reshape(moveAxis(b, x, axis, shape.length - 1), { shape: [rows, shape[axis]!] });
};

/** The inverse of {@link rowsOf}. */
const ofRows = (rows: Node, shape: Shape, axis: number): Node => {
  const last = shape.length - 1;
  return moveAxis(b, b.reshape(rows, { shape: [...shape.toSpliced(axis, 1), shape[axis]!] }), last, axis);
};

/** Positions in rows of this length as positions in all of them one behind the other. */
const flattened = (local: Node, length: number): Node => {
  const row = b.iota({ shape: local.shape, dtype: 'int32', axis: 0 });
  // An index outside its own row must not land in another's, so it is sent outside of all.
  return b.select(inside(local, length), b.add(local, b.mul(row, full(b, row, length))), full(b, local, -1));
};

/** x[…, indices[…, j, …], …] where the shapes agree but for the axis; int32 indices, outside gives NaN or 0. */
export const gatherAlong = (x: Node, indices: Node, axis: number): Node => {
  const flat = flattened(rowsOf(indices, axis), x.shape[axis]!);
  const all = b.reshape(rowsOf(x, axis), { shape: [sizeOf(x.shape)] });
  return ofRows(b.gather(all, flat, { axis: 0 }), indices.shape, axis);
};

/** The transpose of {@link gatherAlong}: zeros, the axis of this length, with the updates added. Outside they are dropped. */
export const scatterAddAlong = (updates: Node, indices: Node, axis: number, length: number): Node => {
  const shape = indices.shape.with(axis, length);
  const flat = flattened(rowsOf(indices, axis), length);
  const sum = b.scatterAdd(rowsOf(updates, axis), flat, { axis: 0, length: sizeOf(shape) });
  const rows = b.reshape(sum, { shape: [flat.shape[0]!, length] });
  return ofRows(rows, shape, axis);
};

/** For each place along an axis of this length, where the last of the indices that name it stands; −1 where none does. */
export const lastNaming = (indices: Node, axis: number, length: number): Node => {
  const order = b.argsort(indices, { axis });
  const named = gatherAlong(indices, order, axis);
  const { shape } = named;
  const count = Math.max(0, shape[axis]! - 1);
  const run = (from: number): Part[] => shape.map((n, i) => (i === axis ? { from, count, step: 1 } : wholeAxis(n)));
  // Sorting keeps the order of equal ones, so the last of a run is the last that names the place.
  const repeated = uncut(b.eq(cut(named, run(0)), cut(named, run(1))), run(0), shape);
  const places = b.select(repeated, full(b, named, -1), named);
  const sum = scatterAddAlong(b.add(order, full(b, order, 1)), places, axis, length);
  return b.sub(sum, full(b, sum, 1));
};

/** Whether one shape broadcasts to the other. */
export const spreads = (shape: Shape, to: Shape): boolean =>
  shape.length <= to.length &&
  shape.every((length, axis) => length === 1 || length === to[to.length - shape.length + axis]);

/**
 * Updates spread over the shape that the indices ask for.
 *
 * @throws ShapeError when they do not fit
 */
export const spread = (operation: string, x: Node, updates: Node, shape: Shape, asked: string): Node => {
  if (spreads(updates.shape, shape)) return broadcastNode(updates, shape);
  throw new ShapeError({
    operation,
    given: `${showAval(x)}, ${asked} and updates ${showShape(updates.shape)}`,
    rule: `the updates must broadcast to ${showShape(shape)}`,
    hint: 'Give updates of the shape of what is taken at the same indices.',
  });
};

/** A tensor that had this dtype and a number, in the dtype in which they meet. */
const besideNumber = (operation: string, x: Node, dtype: DType, y: Tensor | number): [Node, Node] => {
  if (typeof y === 'number') {
    const met = dtypeOfNumber(operation, y, dtype);
    return [castNode(x, met), scalar(b, y, met)];
  }
  const met = dtypeOfWeak(operation, y, dtype);
  return [castNode(x, met), castNode(nodeOf(y), met)];
};

const isNumber = (x: unknown): x is Tensor | number => typeof x === 'number' || isWeakNumber(x);

/** A tensor and what is added to it, a number or a tensor, in the dtype in which they meet. */
export const addends = (operation: string, x: unknown, y: unknown): readonly [Node, Node] => {
  const node = unaryOperand(operation, x, { boolAsInt: true });
  if (isNumber(y)) return besideNumber(operation, node, nodeFor(operation, x).dtype, y);
  return sameDType(operation, [node, unaryOperand(operation, y, { boolAsInt: true })]) as [Node, Node];
};

/** Two tensors, the second perhaps a number, in the dtype in which they meet. */
export const compared = (operation: string, x: unknown, y: unknown): readonly [Node, Node] => {
  const node = nodeFor(operation, x);
  return isNumber(y)
    ? besideNumber(operation, node, node.dtype, y)
    : (sameDType(operation, [node, nodeFor(operation, y)]) as [Node, Node]);
};

/**
 * A value that is put into `x`, a number, a boolean or a tensor, in the dtype of `x`.
 *
 * @throws DTypeError when that dtype does not hold it
 */
export const inDType = (operation: string, x: Node, value: unknown): Node => {
  const { dtype } = x;
  if (typeof value === 'number' || typeof value === 'boolean') {
    checkHolds(operation, dtype, Number(value));
    return scalar(b, Number(value), dtype);
  }
  if (isWeakNumber(value)) {
    const node = nodeOf(value as Tensor);
    if (dtypeOfWeak(operation, value as Tensor, dtype) === dtype) return castNode(node, dtype);
  } else {
    const node = nodeFor(operation, value);
    if (sameDType(operation, [x, node])[0] === x) return castNode(node, dtype);
  }
  throw new DTypeError({
    operation,
    given: `${showAval(x)} and a value of ${nodeOf(value as Tensor).dtype}`,
    rule: 'the dtype stays, and it does not hold such values',
    hint: `Cast one of them: cast(value, '${dtype}').`,
  });
};

/**
 * Elements that a shape depends on.
 *
 * @throws TraceError where they are not known, saying what stands in the way
 * @throws DeviceError where they are on the GPU
 */
export const known = (operation: string, given: string, node: Node, hint: string): TypedArray => {
  if (traceOf(node)?.open !== true) return elementsNow(operation, [node])[0]!;
  throw new TraceError({
    operation,
    given: `${given} inside a traced function`,
    rule: 'the shape of the result depends on the values, which are not known there',
    hint,
  });
};

/** How many elements are true, where that is known. */
export const countTrue = (operation: string, mask: Node, given: string, hint: string): number =>
  known(operation, given, b.sum(castNode(mask, 'int32'), { axes: range(mask.shape.length) }), hint)[0]!;

/** The flat positions of the first so many true elements, and −1 behind the last of them. */
export const truePlaces = (mask: Node, count: number): Node => {
  const flat = b.reshape(mask, { shape: [sizeOf(mask.shape)] });
  const upTo = b.cumsum(castNode(flat, 'int32'), { axis: 0, reverse: false });
  const one = full(b, upTo, 1);
  const sum = b.scatterAdd(
    b.add(b.iota({ shape: flat.shape, dtype: 'int32', axis: 0 }), one),
    b.sub(b.select(flat, upTo, full(b, upTo, 0)), one),
    { axis: 0, length: count },
  );
  return b.sub(sum, full(b, sum, 1));
};
