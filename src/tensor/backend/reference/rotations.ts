/**
 * Rows of matrices made orthogonal by one-sided Jacobi rotations, pair by pair in the order of the rows (Hestenes, "Inversion of
 * matrices by biorthogonalization and related results", 1958).
 */
import type { TypedArray } from '../../dtype.js';
import type { Aval } from '../../shape.js';
import { matrices } from './decompositions.js';

/** Convergence is quadratic in the end and takes about ten sweeps. */
const mostSweeps = 30;

/** Sums of products of two rows, of every fourth element each, and these together: vectors add so. */
const product = (p: Float64Array, q: Float64Array, columns: number): number => {
  const sums = [0, 0, 0, 0];
  for (let j = 0; j < columns; j++) sums[j % 4]! += p[j]! * q[j]!;
  return sums[0]! + sums[2]! + (sums[1]! + sums[3]!);
};

/**
 * Turns two rows by the angle that makes them orthogonal, adding to each what it changes by (Rutishauser, "The Jacobi method for
 * real symmetric matrices", 1966). Whether they were not orthogonal.
 */
const turn = (p: Float64Array, q: Float64Array, columns: number): boolean => {
  const [pp, qq, pq] = [product(p, p, columns), product(q, q, columns), product(p, q, columns)];
  const rounding = Math.sqrt(columns) * 2 ** -52;
  if (!(Math.abs(pq) > rounding * Math.sqrt(pp) * Math.sqrt(qq))) return false;
  const zeta = (qq - pp) / (pq + pq);
  // Beyond 2³⁰ the root is that of the square, which may be larger than any number.
  const size = Math.abs(zeta) + (Math.abs(zeta) > 2 ** 30 ? Math.abs(zeta) : Math.sqrt(zeta * zeta + 1));
  const tangent = (zeta < 0 ? -1 : 1) / size;
  const root = Math.sqrt(tangent * tangent + 1);
  const [sine, half] = [tangent / root, tangent / (root + 1)];
  for (let j = 0; j < p.length; j++) {
    const [x, y] = [p[j]!, q[j]!];
    p[j] = x - sine * (half * x + y);
    q[j] = y + sine * (x - half * y);
  }
  return tangent !== 0;
};

export const orthogonalRows = (x: TypedArray, columns: number, aval: Aval): Float64Array => {
  const w = Float64Array.from(x);
  matrices(aval, (start, rows, length) => {
    const row = (i: number): Float64Array => w.subarray(start + i * length, start + (i + 1) * length);
    let turned = true;
    for (let sweep = 0; turned && sweep < mostSweeps; sweep++) {
      turned = false;
      for (let i = 0; i < rows - 1; i++) {
        for (let j = i + 1; j < rows; j++) if (turn(row(i), row(j), columns)) turned = true;
      }
    }
  });
  return w;
};
