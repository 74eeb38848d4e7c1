/** Orthogonal triangularisation by reflections (Householder 1958; Golub & Van Loan, Matrix Computations, 5.2.2). */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { closed } from '../common/derived.js';
import { times } from '../common/numbers.js';
import { along } from './jacobi.js';
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

/** Of matrices [batch, m, n] the first columns of Q, and all rows of R, whose diagonal is not negative. */
export const householder = (x: Node, columns: number): readonly [q: Node, r: Node] => {
  const [batch, m, n] = x.shape as readonly [number, number, number];
  const start = identity([batch, m, columns], x);
  const count = Math.min(m, n);
  if (count === 0) return [start, x];
  const { dtype } = x;
  const step = { shape: [], dtype: int };
  const forth = closed('qr', [x, step], ([a, j]) => {
    const shape = a!.shape;
    const here = b.eq(b.iota({ shape, dtype: int, axis: 2 }), b.broadcast(j!, { shape }));
    const column = b.sum(b.select(here, a!, full(b, a!, 0)), { axes: [2] });
    const rows = b.iota({ shape: column.shape, dtype: int, axis: 1 });
    const at = b.broadcast(j!, { shape: column.shape });
    const v = mirror(b.select(b.ge(rows, at), column, full(b, column, 0)), b.eq(rows, at));
    return [reflected(a!, v), v];
  });
  const steps = b.iota({ shape: [count], dtype: int, axis: 0 });
  const loop = { length: count, captures: 0, carries: 1 };
  const [triangle, vectors] = results(b, b.fold([x, steps], { ...loop, body: forth, reverse: false })) as [Node, Node];
  const back = closed('qr', [start, { shape: [batch, m], dtype }], ([q, v]) => [reflected(q!, v!)]);
  const [q] = results(b, b.fold([start, vectors], { ...loop, body: back, reverse: true })) as [Node];
  const [rows, places] = [1, 2].map(axis => b.iota({ shape: x.shape, dtype: int, axis }));
  const zero = full(b, x, 0);
  const diagonal = b.sum(b.select(b.eq(rows!, places!), triangle, zero), { axes: [2] });
  const signs = b.select(b.lt(diagonal, full(b, diagonal, 0)), full(b, diagonal, -1), full(b, diagonal, 1));
  const upper = b.select(b.le(rows!, places!), triangle, zero);
  const turns = b.slice(signs, { start: [0, 0], stop: [batch, columns], step: [1, 1] });
  return [b.mul(q, along(turns, q.shape, [0, 2])), b.mul(upper, along(signs, upper.shape, [0, 1]))];
};
