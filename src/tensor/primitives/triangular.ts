/** What the rules of decompositions are written with: triangles of matrices, products on the last two axes, and rows in another order. */
import type { Node } from '../graph.js';
import { range, sizeOf } from '../shape.js';
import { full } from './full.js';
import type { Build } from './signatures.js';

/** The elements of matrices on and below the diagonal that is `offset` to the right of the main one; zeros elsewhere. */
export const lowerTriangle = (b: Build, x: Node, offset = 0): Node => {
  const { shape } = x;
  const rank = shape.length;
  const rows = b.iota({ shape, dtype: 'int32', axis: rank - 2 });
  const columns = b.iota({ shape, dtype: 'int32', axis: rank - 1 });
  const last = offset === 0 ? rows : b.add(rows, full(b, rows, offset));
  return b.select(b.le(columns, last), x, full(b, x, 0));
};

/** Matrices with their last two axes exchanged. */
export const transposed = (b: Build, x: Node): Node => {
  const rank = x.shape.length;
  return b.permute(x, { axes: [...range(rank - 2), rank - 1, rank - 2] });
};

/** The elements on and above the diagonal that is `offset` to the right of the main one; zeros elsewhere. */
export const upperTriangle = (b: Build, x: Node, offset = 0): Node =>
  transposed(b, lowerTriangle(b, transposed(b, x), -offset));

/** Products of matrices, the axes before the last two going along. */
export const multiplied = (b: Build, x: Node, y: Node): Node => {
  const batch = range(x.shape.length - 2);
  const [row, column] = [batch.length, batch.length + 1];
  return b.dotGeneral(x, y, { lhsContract: [column], rhsContract: [row], lhsBatch: batch, rhsBatch: batch });
};

/** A matrix with the diagonal halved. */
export const halvedDiagonal = (b: Build, x: Node): Node => {
  const { shape } = x;
  const rank = shape.length;
  const rows = b.iota({ shape, dtype: 'int32', axis: rank - 2 });
  const columns = b.iota({ shape, dtype: 'int32', axis: rank - 1 });
  return b.mul(x, b.select(b.eq(rows, columns), full(b, x, 0.5), full(b, x, 1)));
};

/** The rows of matrices in another order each; or, the other way, the rows put back to where they came from. */
export const reordered = (b: Build, x: Node, order: Node, back: boolean): Node => {
  const [rows, columns] = [x.shape.at(-2)!, x.shape.at(-1)!];
  const count = sizeOf(x.shape.slice(0, -2));
  const first = b.mul(
    b.iota({ shape: [count, rows], dtype: 'int32', axis: 0 }),
    full(b, { shape: [count, rows], dtype: 'int32' }, rows),
  );
  const length = count * rows;
  const places = b.reshape(b.add(first, b.reshape(order, { shape: [count, rows] })), { shape: [length] });
  const flat = b.reshape(x, { shape: [length, columns] });
  const moved = back ? b.scatterAdd(flat, places, { axis: 0, length }) : b.gather(flat, places, { axis: 0 });
  return b.reshape(moved, { shape: x.shape });
};
