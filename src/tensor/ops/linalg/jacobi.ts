/**
 * The parallel Jacobi method for symmetric matrices (Brent & Luk, "The solution of singular-value and symmetric eigenvalue
 * problems on multiprocessor arrays", 1985): the rows play a round-robin tournament. Each round turns all pairs at once, by
 * elementwise operations on halves; a sweep is as many rounds as it takes until each row has met each other.
 */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full, scalar } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import type { Aval, Shape } from '../../shape.js';
import { closed } from '../common/derived.js';
import { joined, reshapeNode, sliceAlong } from '../common/moving.js';
import { plus, times } from '../common/numbers.js';
import { castNode } from '../common/operands.js';
import { gatherAlong } from '../indexing/positions.js';

/** Convergence is quadratic and takes about ten sweeps; matrices that do not converge hold no numbers. */
const mostSweeps = 30;

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

/** Where the row is the column, over the last two axes. */
const onDiagonal = (shape: Shape): Node =>
  b.eq(b.iota({ shape, dtype: 'int32', axis: 1 }), b.iota({ shape, dtype: 'int32', axis: 2 }));

const zero = (like: Aval): Node => full(b, like, 0);

const one = (like: Aval): Node => full(b, like, 1);

/** So many elements on a line of slope one, from a row and a column on, of matrices [batch, n, n]: [batch, count]. */
const diagonalFrom = (a: Node, row: number, column: number, count: number): Node => {
  const [batch, n] = a.shape as readonly [number, number];
  const start = row * n + column;
  return sliceAlong(reshapeNode(a, [batch, n * n]), 1, start, start + (count - 1) * (n + 1) + 1, n + 1);
};

/**
 * Cosines and sines that bring the elements between the two rows of each pair to 0, by the smaller of the two angles
 * (Golub & Van Loan, Matrix Computations, 8.5.2). Where such an element is 0 already, nothing turns.
 */
const rotations = (a: Node): readonly [cosines: Node, sines: Node] => {
  const half = a.shape[1]! / 2;
  const [p, q] = [diagonalFrom(a, 0, 0, half), diagonalFrom(a, half, half, half)];
  const between = diagonalFrom(a, 0, half, half);
  const isZero = b.eq(between, zero(between));
  const tau = b.div(times(b.sub(q, p), 0.5), b.select(isZero, one(between), between));
  const size = b.add(b.abs(tau), b.sqrt(plus(b.mul(tau, tau), 1)));
  const tangent = b.div(b.select(b.lt(tau, zero(tau)), full(b, tau, -1), one(tau)), size);
  const t = b.select(isZero, zero(tangent), tangent);
  const cosines = b.div(one(t), b.sqrt(plus(b.mul(t, t), 1)));
  return [cosines, b.mul(t, cosines)];
};

/** Turns the pairs along an axis, and seats them for the next round: the first stays, the others go round the table. */
const turned = (x: Node, cosines: Node, sines: Node, axis: number): Node => {
  const half = x.shape[axis]! / 2;
  const [first, second] = [sliceAlong(x, axis, 0, half), sliceAlong(x, axis, half, 2 * half)];
  const [c, s] = [along(cosines, first.shape, [0, axis]), along(sines, first.shape, [0, axis])];
  const top = b.sub(b.mul(c, first), b.mul(s, second));
  const bottom = b.add(b.mul(s, first), b.mul(c, second));
  if (half === 1) return b.concat([top, bottom], { axis });
  const seats: readonly (readonly [Node, number, number])[] = [
    [top, 0, 1],
    [bottom, 0, 1],
    [top, 1, half - 1],
    [bottom, 1, half],
    [top, half - 1, half],
  ];
  return joined(
    seats.map(([row, start, stop]) => sliceAlong(row, axis, start, stop)),
    axis,
  );
};

/** One round: of the matrices, and of the rows of the vectors if there are any. */
const round = ([a, ...vectors]: readonly Node[]): readonly Node[] => {
  const [c, s] = rotations(a!);
  return [turned(turned(a!, c, s, 1), c, s, 2), ...vectors.map(rows => turned(rows, c, s, 1))];
};

/** The sum of squares of each matrix, or of what is off its diagonal. */
const squares = (a: Node, whole: boolean): Node => {
  const elements = whole ? a : b.select(onDiagonal(a.shape), zero(a), a);
  return b.sum(b.mul(elements, elements), { axes: [1, 2] });
};

/** Sweeps until what is off the diagonals is nothing beside the matrices; the rounds of a sweep bring each row back. */
const swept = (carries: readonly Node[]): readonly Node[] => {
  const [a] = carries as readonly [Node];
  const epsilon = a.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  const limits = times(squares(a, true), epsilon ** 2);
  const avals = [...carries, scalar(b, 0, 'int32')];
  const test = closed('eigh', [limits, ...avals], ([most, now, ...rest]) => {
    const off = b.gt(squares(now!, false), most!);
    const any = b.reduceMax(castNode(off, 'int32'), { axes: [0] });
    const count = rest[rest.length - 1]!;
    return [b.and(b.gt(any, scalar(b, 0, 'int32')), b.lt(count, scalar(b, mostSweeps, 'int32')))];
  });
  const rounds = closed('eigh', carries, round);
  const body = closed('eigh', avals, parameters => {
    const fold = b.fold(parameters.slice(0, -1), {
      body: rounds,
      length: a.shape[1]! - 1,
      captures: 0,
      carries: carries.length,
      reverse: false,
    });
    return [...results(b, fold), plus(parameters[parameters.length - 1]!, 1)];
  });
  return results(b, b.while([limits, ...avals], { test, body, testCaptures: 1, bodyCaptures: 0 }));
};

/** Rows of vectors, each with the sign that makes the first of its components that are nearly the largest positive. */
const signed = (rows: Node): Node => {
  const sizes = b.abs(rows);
  const largest = along(b.reduceMax(sizes, { axes: [2] }), rows.shape, [0, 1]);
  const place = b.argmax(castNode(b.ge(sizes, times(largest, 0.99)), 'int32'), { axes: [2] });
  const [batch, n] = place.shape as readonly [number, number];
  const first = along(gatherAlong(rows, b.reshape(place, { shape: [batch, n, 1] }), 2), rows.shape, [0, 1]);
  return b.select(b.lt(first, zero(first)), b.neg(rows), rows);
};

/** A power of two for each matrix, with which no square of it overflows or vanishes. */
const scaleOf = (sizes: Node): Node => {
  const [down, up] = [full(b, sizes, 2 ** -600), full(b, sizes, 2 ** 600)];
  const small = b.select(b.lt(sizes, full(b, sizes, 1 / large)), up, one(sizes));
  return b.select(b.gt(sizes, full(b, sizes, large)), down, small);
};

/**
 * The eigenvalues of symmetric matrices [batch, n, n], ascending, and, if asked for, the eigenvectors in columns. Matrices
 * that hold something else than finite numbers get NaN.
 */
export const jacobi = (matrices: Node, withVectors: boolean): readonly Node[] => {
  const [batch, n] = matrices.shape as readonly [number, number];
  const dtype: DType = matrices.dtype;
  if (batch === 0 || n === 0) {
    const values = full(b, { shape: [batch, n], dtype }, 0);
    return withVectors ? [values, matrices] : [values];
  }
  // Float32 is computed with in float64, whose range and precision leave room for hundreds of rounds.
  const given = castNode(matrices, 'float64');
  const sizes = b.reduceMax(b.abs(given), { axes: [1, 2] });
  const hasNumbers = b.lt(sizes, full(b, sizes, Number.POSITIVE_INFINITY));
  const scale = scaleOf(sizes);
  const scaled = dtype === 'float64' ? b.mul(given, along(scale, given.shape, [0])) : given;
  // An odd one more, that is isolated from the others, is turned with none of them and comes back to its place.
  const odd = n % 2;
  const even = odd === 0 ? scaled : b.pad(scaled, { low: [0, 0, 0], high: [0, odd, odd], interior: [0, 0, 0] });
  const identity = castNode(onDiagonal(even.shape), 'float64');
  const carries = withVectors ? [even, identity] : [even];
  const [diagonal, rows] = n === 1 ? carries : swept(carries);
  const values = diagonalFrom(diagonal!, 0, 0, n);
  const order = b.argsort(values, { axis: 1 });
  const nan = (like: Node): Node => full(b, like, Number.NaN);
  const finish = (x: Node): Node => castNode(b.select(along(hasNumbers, x.shape, [0]), x, nan(x)), dtype);
  const sorted = gatherAlong(values, order, 1);
  const eigenvalues = finish(dtype === 'float64' ? b.div(sorted, along(scale, sorted.shape, [0])) : sorted);
  if (!withVectors) return [eigenvalues];
  const own = sliceAlong(sliceAlong(rows!, 1, 0, n), 2, 0, n);
  const ordered = gatherAlong(own, along(order, own.shape, [0, 1]), 1);
  return [eigenvalues, b.permute(finish(signed(ordered)), { axes: [0, 2, 1] })];
};
