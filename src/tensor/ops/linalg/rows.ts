/** What decompositions into rows of vectors share. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import { reshapeNode } from '../common/moving.js';
import { times } from '../common/numbers.js';
import { castNode } from '../common/operands.js';
import { gatherAlong } from '../indexing/positions.js';

/** Matrices of float64 with larger elements, or none as large as its inverse, are computed with at another scale. */
const large = 2 ** 400;

/** A node with fewer axes repeated along the others, its own being `axes` of the shape. */
export const along = (x: Node, shape: Shape, axes: readonly number[]): Node =>
  b.broadcast(
    reshapeNode(
      x,
      shape.map((length, axis) => (axes.includes(axis) ? length : 1)),
    ),
    { shape },
  );

/** Where the row is the column, of matrices [batch, m, n]. */
export const onDiagonal = (shape: Shape): Node =>
  b.eq(b.iota({ shape, dtype: 'int32', axis: 1 }), b.iota({ shape, dtype: 'int32', axis: 2 }));

/** Which rows of vectors point the wrong way: the first of the components that are nearly the largest is to be positive. */
export const pointsBack = (rows: Node): Node => {
  const sizes = b.abs(rows);
  const largest = along(b.reduceMax(sizes, { axes: [2] }), rows.shape, [0, 1]);
  const place = b.argmax(castNode(b.ge(sizes, times(largest, 0.99)), 'int32'), { axes: [2] });
  const [batch, n] = place.shape as readonly [number, number];
  const first = reshapeNode(gatherAlong(rows, b.reshape(place, { shape: [batch, n, 1] }), 2), [batch, n]);
  return b.lt(first, full(b, first, 0));
};

/** Rows of vectors, some of them the other way round. */
export const reversed = (rows: Node, which: Node): Node =>
  b.select(along(which, rows.shape, [0, 1]), b.neg(rows), rows);

/** A power of two for each matrix of these largest elements, with which no square of it overflows or vanishes. */
export const scaleOf = (sizes: Node): Node => {
  const [down, up] = [full(b, sizes, 2 ** -600), full(b, sizes, 2 ** 600)];
  const small = b.select(b.lt(sizes, full(b, sizes, 1 / large)), up, full(b, sizes, 1));
  return b.select(b.gt(sizes, full(b, sizes, large)), down, small);
};
