/**
 * The one-sided Jacobi method for singular values (Hestenes, "Inversion of matrices by biorthogonalization and related
 * results", 1958): pairs of rows are turned until all are orthogonal. It finds also small singular values to a high relative
 * accuracy (Demmel & Veselić, "Jacobi's method is more accurate than QR", 1992), and soon if it is given the rows of a
 * triangular factor, found with pivots (Drmač & Veselić, "New fast and accurate Jacobi SVD algorithm I", 2008).
 */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { multiplied, transposed } from '../../primitives/triangular.js';
import { closed } from '../common/derived.js';
import { joined, sliceAlong } from '../common/moving.js';
import { castNode } from '../common/operands.js';
import { gatherAlong } from '../indexing/positions.js';
import { householder, householderPivoted } from './householder.js';
import { along, pointsBack, reversed, scaleOf } from './rows.js';
import { identity } from './systems.js';

/** Which vectors come with the singular values. */
export type Vectors = 'none' | 'thin' | 'full';

/** Lengths below this have squares that are not exact, or none; directions of such rows say nothing. */
const tiny = 2 ** -480;

/** Rows that are orthogonal, with those of the identity, of which they are the product with the matrices, behind them. */
const orthogonalised = (x: Node, withVectors: boolean): Node => {
  const [batch, n, width] = x.shape as readonly [number, number, number];
  const rows = withVectors ? joined([x, identity([batch, n, n], x)], 2) : x;
  return b.orthogonalRows(rows, { columns: width });
};

/** Lengths of rows, also of those whose squares are no numbers. */
const lengthsOf = (rows: Node): Node => {
  const largest = b.reduceMax(b.abs(rows), { axes: [2] });
  const unit = b.select(b.eq(largest, full(b, largest, 0)), full(b, largest, 1), largest);
  const scaled = b.div(rows, along(unit, rows.shape, [0, 1]));
  return b.mul(largest, b.sqrt(b.sum(b.mul(scaled, scaled), { axes: [2] })));
};

/** Orthonormal rows from square matrices of them, of which some, the last ones, are 0. */
const completed = (rows: Node, isNull: Node): Node => {
  const any = b.reduceMax(castNode(isNull, 'int32'), { axes: [0, 1] });
  const basis = closed('svd', [rows], ([x]) => [transposed(b, householder(transposed(b, x!), x!.shape[1]!)[0])]);
  const branches = [closed('svd', [rows], x => x), basis];
  return results(b, b.cond([any, rows], { branches }))[0]!;
};

/** The decomposition of matrices [batch, n, n]: values, and the vectors on both sides in rows. */
const ofSquares = (x: Node, withVectors: boolean): readonly Node[] => {
  const n = x.shape[1]!;
  const y = orthogonalised(x, withVectors);
  const rows = sliceAlong(y, 2, 0, n);
  const lengths = lengthsOf(rows);
  const order = b.argsort(b.neg(lengths), { axis: 1 });
  const values = gatherAlong(lengths, order, 1);
  if (!withVectors) return [values];
  const sorted = (z: Node): Node => gatherAlong(z, along(order, z.shape, [0, 1]), 1);
  const isNull = b.lt(values, full(b, values, tiny));
  const divisors = b.select(isNull, full(b, values, 1), values);
  const directions = b.div(sorted(rows), along(divisors, rows.shape, [0, 1]));
  const right = b.select(along(isNull, rows.shape, [0, 1]), full(b, rows, 0), directions);
  return [values, sorted(sliceAlong(y, 2, n, 2 * n)), completed(right, isNull)];
};

/** The decomposition of matrices [batch, m, n] of float64 with m ≥ n: values, and if wanted u and vᵀ. */
const ofTall = (x: Node, vectors: Vectors): readonly Node[] => {
  const [, m, n] = x.shape as readonly [number, number, number];
  const withVectors = vectors !== 'none';
  const columns = vectors === 'full' ? m : n;
  // Reflections leave rows their relative accuracy if they go from large ones to small ones.
  const order = b.argsort(b.neg(b.reduceMax(b.abs(x), { axes: [2] })), { axis: 1 });
  const moved = (y: Node, places: Node): Node => gatherAlong(y, along(places, y.shape, [0, 1]), 1);
  const [q, r] = householderPivoted(moved(x, order), withVectors ? columns : 0);
  const [values, left, right] = ofSquares(sliceAlong(r, 1, 0, n), withVectors);
  if (!withVectors) return [values!];
  const thin = multiplied(b, sliceAlong(q, 2, 0, n), transposed(b, left!));
  const u = joined([thin, sliceAlong(q, 2, n, columns)], 2);
  return [values!, moved(u, b.argsort(order, { axis: 1 })), right!];
};

/**
 * The singular values of matrices [batch, m, n] of float64, descending, and if asked for u and vᵀ, with all vectors or as
 * many as there are values. Matrices that hold something else than finite numbers get NaN.
 */
export const singular = (x: Node, vectors: Vectors): readonly Node[] => {
  const [batch, m, n] = x.shape as readonly [number, number, number];
  const k = Math.min(m, n);
  if (batch * m * n === 0) {
    const values = full(b, { shape: [batch, k], dtype: 'float64' }, 0);
    if (vectors === 'none') return [values];
    const [columns, rows] = vectors === 'full' ? [m, n] : [k, k];
    return [values, identity([batch, m, columns], x), identity([batch, rows, n], x)];
  }
  const sizes = b.reduceMax(b.abs(x), { axes: [1, 2] });
  const hasNumbers = b.lt(sizes, full(b, sizes, Number.POSITIVE_INFINITY));
  const scale = scaleOf(sizes);
  const scaled = b.mul(x, along(scale, x.shape, [0]));
  const finish = (y: Node): Node => b.select(along(hasNumbers, y.shape, [0]), y, full(b, y, Number.NaN));
  const isWide = m < n;
  const [values, u, vt] = ofTall(isWide ? transposed(b, scaled) : scaled, vectors);
  const own = finish(b.div(values!, along(scale, values!.shape, [0])));
  if (vectors === 'none') return [own];
  const [left, right] = isWide ? [vt!, transposed(b, u!)] : [transposed(b, u!), vt!];
  const back = pointsBack(sliceAlong(right, 1, 0, k));
  const signed = (rows: Node): Node =>
    finish(joined([reversed(sliceAlong(rows, 1, 0, k), back), sliceAlong(rows, 1, k, rows.shape[1]!)], 1));
  return [own, transposed(b, signed(left)), signed(right)];
};
