/**
 * Decompositions of matrices and triangular systems. Their derivatives are systems with the factors again (Smith 1995; Giles,
 * "Collected matrix derivative results", 2008; Murray, arXiv:1602.07527).
 */
import { isFloat } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, range, type Shape, sameShape, showAval } from '../shape.js';
import { full } from './full.js';
import type { Structured } from './kinds.js';
import { repeat } from './movement.js';
import { results } from './results.js';
import type { Build, ParamsOf, TriangularParams } from './signatures.js';
import { halvedDiagonal, lowerTriangle, multiplied, reordered, transposed, upperTriangle } from './triangular.js';

const checkMatrices = (operation: string, x: Aval): Shape => {
  if (!isFloat(x.dtype)) {
    throw new DTypeError({
      operation,
      given: showAval(x),
      rule: 'it computes on float32 and float64',
      hint: "Cast first: cast(x, 'float32').",
    });
  }
  if (x.shape.length < 2) {
    throw new ShapeError({
      operation,
      given: showAval(x),
      rule: 'its last two axes are rows and columns of matrices',
      hint: 'Reshape it to a matrix.',
    });
  }
  return x.shape;
};

const checkSquare = (operation: string, x: Aval): Shape => {
  const shape = checkMatrices(operation, x);
  if (shape.at(-1) === shape.at(-2)) return shape;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'its matrices have as many rows as columns',
    hint: 'Check which axes are the last two.',
  });
};

const solve = (b: Build, a: Node, y: Node, given: Partial<TriangularParams> = {}): Node =>
  b.triangularSolve(a, y, { upper: false, transpose: false, unit: false, ...given });

/** y · op(a)⁻¹ */
const solveRight = (b: Build, a: Node, y: Node, given: TriangularParams): Node =>
  transposed(b, solve(b, a, transposed(b, y), { ...given, transpose: !given.transpose }));

const lower: TriangularParams = { upper: false, transpose: false, unit: false };
const upper: TriangularParams = { ...lower, upper: true };
const unitLower: TriangularParams = { ...lower, unit: true };

export const cholesky: Structured<ParamsOf<'cholesky'>> = {
  kind: 'structured',
  aval: ([x]) => ({ shape: checkSquare('cholesky', x!), dtype: x!.dtype }),
  jvp: (b, _, [x], [t]) => {
    const l = b.cholesky(x!);
    // Only the lower triangle is read, so a tangent is that of the symmetric matrix that it stands for.
    const symmetric = b.add(lowerTriangle(b, t!), transposed(b, lowerTriangle(b, t!, -1)));
    const inner = solveRight(b, l, solve(b, l, symmetric), { ...lower, transpose: true });
    return { outputs: [l], tangents: [multiplied(b, l, halvedDiagonal(b, lowerTriangle(b, inner)))] };
  },
  vjp: (b, _, [x]) => {
    const l = b.cholesky(x!);
    const pullback = ([ct]: readonly (Node | null)[]): readonly (Node | null)[] => {
      if (ct == null) return [null];
      const inner = halvedDiagonal(b, lowerTriangle(b, multiplied(b, transposed(b, l), ct)));
      const back = solveRight(b, l, solve(b, l, inner, { transpose: true }), lower);
      // An element below the diagonal stands for two.
      const both = b.add(back, transposed(b, back));
      return [halvedDiagonal(b, lowerTriangle(b, both))];
    };
    return { outputs: [l], pullback };
  },
  batch: (b, _, [x]) => ({ outputs: [b.cholesky(x!)], batched: [true] }),
};

/** The triangle of a matrix that a system reads. */
const read = (b: Build, x: Node, { upper: isUpper, unit }: TriangularParams): Node => {
  const inner = unit ? 1 : 0;
  return isUpper ? upperTriangle(b, x, inner) : lowerTriangle(b, x, -inner);
};

export const triangularSolve: Structured<TriangularParams> = {
  kind: 'structured',
  aval: ([a, y]) => {
    const shape = checkSquare('triangularSolve', a!);
    const right = checkMatrices('triangularSolve', y!);
    const fits = sameShape(shape.slice(0, -1), right.slice(0, -1)) && a!.dtype === y!.dtype;
    if (fits) return { shape: right, dtype: y!.dtype };
    throw new ShapeError({
      operation: 'triangularSolve',
      given: `${showAval(a!)} and ${showAval(y!)}`,
      rule: 'the right side has as many rows as the matrix, and the axes before the last two and the dtype are the same',
      hint: 'A vector is a matrix with one column: expandDims(y, -1).',
    });
  },
  jvp: (b, _, [a, y], [ta, ty], params) => {
    const x = b.triangularSolve(a!, y!, params);
    const side = (): Node => {
      const change = read(b, ta!, params);
      return b.neg(multiplied(b, params.transpose ? transposed(b, change) : change, x));
    };
    const sum = ta === null ? ty! : ty === null ? side() : b.add(ty!, side());
    return { outputs: [x], tangents: [b.triangularSolve(a!, sum, params)] };
  },
  vjp: (b, _, [a, y], wanted, params) => {
    const x = b.triangularSolve(a!, y!, params);
    const pullback = ([ct]: readonly (Node | null)[]): readonly (Node | null)[] => {
      if (ct == null) return [null, null];
      const back = b.triangularSolve(a!, ct, { ...params, transpose: !params.transpose });
      const [left, right] = params.transpose ? [x, back] : [back, x];
      const matrix = wanted[0] ? read(b, b.neg(multiplied(b, left, transposed(b, right))), params) : null;
      return [matrix, wanted[1] ? back : null];
    };
    return { outputs: [x], pullback };
  },
  batch: (b, _, [a, y], batched, params, size) => {
    if (batched[0]) {
      const right = batched[1] ? y! : repeat(b, y!, size);
      return { outputs: [b.triangularSolve(a!, right, params)], batched: [true] };
    }
    // One matrix for all: the systems stand beside each other as columns.
    const rank = y!.shape.length;
    const beside = b.permute(y!, { axes: [...range(rank - 1).map(i => i + 1), 0] });
    const columns = y!.shape.at(-1)!;
    const side = b.reshape(beside, { shape: [...y!.shape.slice(1, -1), columns * size] });
    const solved = b.reshape(b.triangularSolve(a!, side, params), { shape: beside.shape });
    return { outputs: [b.permute(solved, { axes: [rank - 1, ...range(rank - 1)] })], batched: [true] };
  },
};

/** L with as many columns as rows, and U with as many rows as columns: the identity where the packed factors have nothing. */
const factors = (b: Build, packed: Node): readonly [l: Node, u: Node] => {
  const rank = packed.shape.length;
  const [rows, columns] = [packed.shape[rank - 2]!, packed.shape[rank - 1]!];
  const none = packed.shape.map(() => 0);
  const size = Math.min(rows, columns);
  const square = (side: number): Node => {
    const kept = b.slice(packed, {
      start: none,
      stop: packed.shape.with(rank - 2, Math.min(side, rows)).with(rank - 1, Math.min(side, columns)),
      step: packed.shape.map(() => 1),
    });
    const high = none.with(rank - 2, side - kept.shape[rank - 2]!).with(rank - 1, side - kept.shape[rank - 1]!);
    return b.pad(kept, { low: none, high, interior: none });
  };
  const identity = (like: Node, from: number): Node => {
    const [i, j] = [rank - 2, rank - 1].map(axis => b.iota({ shape: like.shape, dtype: 'int32', axis })) as [
      Node,
      Node,
    ];
    const isOne = b.and(b.eq(i, j), b.ge(i, full(b, i, from)));
    return b.select(isOne, full(b, like, 1), full(b, like, 0));
  };
  const [l, u] = [lowerTriangle(b, square(rows), -1), upperTriangle(b, square(columns))];
  return [b.add(l, identity(l, 0)), columns > size ? b.add(u, identity(u, size)) : u];
};

export const lu: Structured<ParamsOf<'lu'>> = {
  kind: 'structured',
  aval: ([x]) => {
    const shape = checkMatrices('lu', x!);
    return [
      { shape, dtype: x!.dtype },
      { shape: shape.slice(0, -1), dtype: 'int32' },
    ];
  },
  jvp: (b, _, [x], [t]) => {
    const [packed, order] = results(b, b.lu(x!)) as [Node, Node];
    const [l, u] = factors(b, packed);
    const left = solve(b, l, reordered(b, t!, order, false), unitLower);
    const inner = solveRight(b, u, left, upper);
    const below = multiplied(b, l, lowerTriangle(b, inner, -1));
    const above = multiplied(b, upperTriangle(b, inner), u);
    return { outputs: [packed, order], tangents: [b.add(below, above), null] };
  },
  vjp: (b, _, [x]) => {
    const [packed, order] = results(b, b.lu(x!)) as [Node, Node];
    const pullback = ([ct]: readonly (Node | null)[]): readonly (Node | null)[] => {
      if (ct == null) return [null];
      const [l, u] = factors(b, packed);
      const below = lowerTriangle(b, multiplied(b, transposed(b, l), ct), -1);
      const above = upperTriangle(b, multiplied(b, ct, transposed(b, u)));
      const left = solveRight(b, u, b.add(below, above), { ...upper, transpose: true });
      return [reordered(b, solve(b, l, left, { ...unitLower, transpose: true }), order, true)];
    };
    return { outputs: [packed, order], pullback };
  },
  batch: (b, _, [x]) => ({ outputs: results(b, b.lu(x!)), batched: [true, true] }),
};

const byItsUse = {
  none: 'it is one of many equal results, and what is made of it has a derivative of its own',
} as const;

export const orthogonalRows: Structured<ParamsOf<'orthogonalRows'>> = {
  kind: 'structured',
  aval: ([x], { columns }) => {
    const shape = checkMatrices('orthogonalRows', x!);
    if (Number.isInteger(columns) && columns >= 0 && columns <= shape.at(-1)!) return { shape, dtype: x!.dtype };
    throw new ShapeError({
      operation: 'orthogonalRows',
      given: `${columns} of the columns of ${showAval(x!)}`,
      rule: 'products of rows are taken of as many columns as there are, or of fewer',
      hint: 'For all of them take the length of the last axis.',
    });
  },
  jvp: byItsUse,
  vjp: byItsUse,
  batch: (b, _, [x], __, params) => ({ outputs: [b.orthogonalRows(x!, params)], batched: [true] }),
};
