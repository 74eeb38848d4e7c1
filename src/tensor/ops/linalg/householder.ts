/** Orthogonal triangularisation by reflections (Householder 1958; Golub & Van Loan, Matrix Computations, 5.2.2). */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { closed } from '../common/derived.js';
import { times } from '../common/numbers.js';
import { along } from './rows.js';
import { identity } from './systems.js';

const int = 'int32' as const;

/** A vector of length 1, 0 for 0, whose reflection takes vectors [batch, m] with zeros above row `at` to multiples of eₐₜ. */
const mirror = (x: Node, at: Node): Node => {
  const zero = full(b, x, 0);
  const unit = (v: Node): Node => {
    const largest = along(b.reduceMax(b.abs(v), { axes: [1] }), v.shape, [0]);
    const scaled = b.div(v, b.select(b.eq(largest, zero), full(b, v, 1), largest));
    const squares = along(b.sum(b.mul(scaled, scaled), { axes: [1] }), v.shape, [0]);
    return b.div(scaled, b.sqrt(b.select(b.eq(squares, zero), full(b, v, 1), squares)));
  };
  const one = unit(x);
  const some = along(b.reduceMax(b.abs(one), { axes: [1] }), x.shape, [0]);
  const shift = b.select(b.lt(one, zero), full(b, x, -1), full(b, x, 1));
  return unit(b.select(b.and(at, b.ne(some, zero)), b.add(one, shift), one));
};

/** Matrices [batch, m, n] reflected by vectors [batch, m]. */
const reflected = (x: Node, v: Node): Node => {
  const spread = along(v, x.shape, [0, 1]);
  const sums = b.sum(b.mul(spread, x), { axes: [1] });
  return b.sub(x, b.mul(times(spread, 2), along(sums, x.shape, [0, 2])));
};

/** Which column of matrices to take next: the one that is longest from row `at` on (Businger & Golub 1965). */
const longest = (x: Node, at: Node): Node => {
  const below = b.select(b.ge(b.iota({ shape: x.shape, dtype: int, axis: 1 }), at), x, full(b, x, 0));
  return b.argmax(b.sum(b.mul(below, below), { axes: [1] }), { axes: [1] });
};

/** Matrices [batch, m, n] with zeros below the diagonal, or below row j of column pⱼ, and the vectors that reflect to them. */
const reduced = (x: Node, pivots: boolean): readonly [matrices: Node, vectors: Node] => {
  const [, m, n] = x.shape as readonly [number, number, number];
  const step = { shape: [], dtype: int };
  const body = closed('qr', [x, step], ([a, j]) => {
    const { shape } = a!;
    const at = b.broadcast(j!, { shape });
    const [rows, places] = [1, 2].map(axis => b.iota({ shape, dtype: int, axis })) as [Node, Node];
    const here = b.eq(places, pivots ? along(longest(a!, at), shape, [0]) : at);
    const zero = full(b, a!, 0);
    const column = b.sum(b.select(b.and(here, b.ge(rows, at)), a!, zero), { axes: [2] });
    const first = b.eq(b.iota({ shape: column.shape, dtype: int, axis: 1 }), b.broadcast(j!, { shape: column.shape }));
    const v = mirror(column, first);
    return [b.select(b.and(here, b.gt(rows, at)), zero, reflected(a!, v)), v];
  });
  const count = Math.min(m, n);
  const steps = b.iota({ shape: [count], dtype: int, axis: 0 });
  const loop = b.fold([x, steps], { body, length: count, captures: 0, carries: 1, reverse: false });
  return results(b, loop) as [Node, Node];
};

/** The first columns of the product of reflections by vectors [count, batch, m]. */
const produced = (vectors: Node, columns: number): Node => {
  const [count, batch, m] = vectors.shape as readonly [number, number, number];
  const start = identity([batch, m, columns], vectors);
  const body = closed('qr', [start, { shape: [batch, m], dtype: vectors.dtype }], ([q, v]) => [reflected(q!, v!)]);
  const loop = b.fold([start, vectors], { body, length: count, captures: 0, carries: 1, reverse: true });
  return results(b, loop)[0]!;
};

/** Of matrices [batch, m, n] the first columns of Q, and all rows of R, whose diagonal is not negative. */
export const householder = (x: Node, columns: number): readonly [q: Node, r: Node] => {
  const [batch, m, n] = x.shape as readonly [number, number, number];
  if (Math.min(m, n) === 0) return [identity([batch, m, columns], x), x];
  const [upper, vectors] = reduced(x, false);
  const q = produced(vectors, columns);
  const [rows, places] = [1, 2].map(axis => b.iota({ shape: x.shape, dtype: int, axis }));
  const diagonal = b.sum(b.select(b.eq(rows!, places!), upper, full(b, x, 0)), { axes: [2] });
  const signs = b.select(b.lt(diagonal, full(b, diagonal, 0)), full(b, diagonal, -1), full(b, diagonal, 1));
  const turns = b.slice(signs, { start: [0, 0], stop: [batch, columns], step: [1, 1] });
  return [b.mul(q, along(turns, q.shape, [0, 2])), b.mul(upper, along(signs, upper.shape, [0, 1]))];
};

/**
 * As {@link householder}, of matrices with elements, each step taking the column of which most is left; in which order is
 * not said, and columns stay in their places. Rows of R go from long ones to short ones.
 */
export const householderPivoted = (x: Node, columns: number): readonly [q: Node, r: Node] => {
  const [r, vectors] = reduced(x, true);
  return [produced(vectors, columns), r];
};
