/**
 * Eigenvalues and eigenvectors of symmetric matrices as nodes. A matrix plus so many times the identity that all eigenvalues
 * are positive has these as its singular values; rotations that make its rows orthogonal bring the eigenvectors (Hestenes
 * 1958; Veselić & Hari, "A note on a one-sided Jacobi algorithm", 1989).
 */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { multiplied, transposed } from '../../primitives/triangular.js';
import { times } from '../common/numbers.js';
import { castNode } from '../common/operands.js';
import { gatherAlong } from '../indexing/positions.js';
import { along, onDiagonal, pointsBack, reversed, scaleOf } from './rows.js';

/** How much larger the shift is than any eigenvalue: the smallest of the shifted ones are an eighth of the largest shift. */
const margin = 1.125;

/** A bound of the sizes of all eigenvalues of each matrix, which is not 0: the largest sum of sizes in a row. */
const boundOf = (x: Node): Node => {
  const sums = b.reduceMax(b.sum(b.abs(x), { axes: [2] }), { axes: [1] });
  return b.select(b.gt(sums, full(b, sums, 0)), sums, full(b, sums, 1));
};

/** Rows of length 1. */
const normalised = (rows: Node): Node => {
  const lengths = b.sqrt(b.sum(b.mul(rows, rows), { axes: [2] }));
  return b.div(rows, along(lengths, rows.shape, [0, 1]));
};

/**
 * The eigenvalues of symmetric matrices [batch, n, n], ascending, and the eigenvectors in columns; computed in float64.
 * Matrices that hold something else than finite numbers get NaN.
 */
export const eigenOfSymmetric = (matrices: Node): readonly [values: Node, vectors: Node] => {
  const { shape, dtype } = matrices;
  const [batch, n] = shape as readonly [number, number];
  if (batch * n === 0) return [full(b, { shape: [batch, n], dtype }, 0), matrices];
  const given = castNode(matrices, 'float64');
  const sizes = b.reduceMax(b.abs(given), { axes: [1, 2] });
  const hasNumbers = b.lt(sizes, full(b, sizes, Number.POSITIVE_INFINITY));
  const scale = scaleOf(sizes);
  const scaled = b.mul(given, along(scale, shape, [0]));
  const shift = times(boundOf(scaled), margin);
  const shifted = b.select(onDiagonal(shape), b.add(scaled, along(shift, shape, [0])), scaled);
  const rows = normalised(b.orthogonalRows(shifted, { columns: n }));
  // Rayleigh's quotients: of the matrix itself, so that the shift's rounding is not in them.
  const values = b.sum(b.mul(multiplied(b, rows, scaled), rows), { axes: [2] });
  const order = b.argsort(values, { axis: 1 });
  const finish = (x: Node): Node =>
    castNode(b.select(along(hasNumbers, x.shape, [0]), x, full(b, x, Number.NaN)), dtype);
  const sorted = gatherAlong(values, order, 1);
  const vectors = gatherAlong(rows, along(order, shape, [0, 1]), 1);
  return [
    finish(b.div(sorted, along(scale, sorted.shape, [0]))),
    transposed(b, finish(reversed(vectors, pointsBack(vectors)))),
  ];
};
