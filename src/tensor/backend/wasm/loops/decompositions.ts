/**
 * Decompositions and triangular systems, matrix by matrix. A matrix is brought into scratch memory in float64; there rows change
 * by multiples of other rows, two elements a vector, and what comes out is rounded once.
 */
import { bytesOf } from '../../../dtype.js';
import type { ParamsOf, TriangularParams } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { copyMatrix, loadFloat, subtractCombination, subtractMultiple, wide } from './rows.js';
import { advance, inBlocks, kernelOf, kernelOfSeveral, type LoopKernel, nest } from './walk.js';

/** Walks from `start` to before `end` by `step` bytes, which may be negative. */
const along = (f: FunctionWriter, start: () => void, end: Local, step: number, body: (at: Local) => void): void => {
  start();
  const at = f.keep('i32');
  f.while(
    () => f.get(at, end).op('i32.ne'),
    () => {
      body(at);
      advance(f, at, step);
    },
  );
};

export const matrixOf = ({
  shape,
}: Aval): { readonly count: number; readonly rows: number; readonly columns: number } => ({
  count: sizeOf(shape.slice(0, -2)),
  rows: shape.at(-2)!,
  columns: shape.at(-1)!,
});

/** The stack of matrices one by one, each address going on by the bytes of its own. */
export const everyMatrix = (
  f: FunctionWriter,
  count: number,
  addresses: readonly Local[],
  bytes: readonly number[],
  body: () => void,
): void => nest(f, [{ length: count, steps: bytes }], addresses, body);

/** Upper triangular Lᵀ row by row: a row is lessened by multiples of those above it, and divided by the root of its pivot. */
export const cholesky = (_: ParamsOf<'cholesky'>, [x]: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf([x!], aval, (f, [from], out, scratch) => {
    const { count, rows: n } = matrixOf(aval);
    const unit = bytesOf[aval.dtype];
    const pitch = n * wide;
    everyMatrix(f, count, [from!, out], [n * n * unit, n * n * unit], () => {
      const transposed = { at: scratch, steps: [wide, pitch], dtype: 'float64' } as const;
      copyMatrix(f, [n, n], transposed, { at: from!, steps: [n * unit, unit], dtype: aval.dtype });
      const last = f
        .get(scratch)
        .i32(n * pitch)
        .op('i32.add')
        .keep('i32');
      // The diagonal of the row at hand, and where that row ends.
      const [diagonal, end] = [f.get(scratch).keep('i32'), f.get(scratch).i32(pitch).op('i32.add').keep('i32')];
      // The first element of the column at hand.
      const column = f.get(scratch).keep('i32');
      const root = f.local('f64');
      f.while(
        () => f.get(diagonal, last).op('i32.lt_u'),
        () => {
          const above = { first: column, pitch, factor: column, step: pitch, dtype: 'float64' } as const;
          subtractCombination(f, { row: diagonal, end, ...above });
          const pivot = f.get(diagonal).memory('f64.load').keep('f64');
          f.get(pivot).op('f64.sqrt').f64(Number.NaN).get(pivot).f64(0).op('f64.gt', 'select').set(root);
          along(
            f,
            () => f.get(diagonal),
            end,
            wide,
            at => f.get(at, at).memory('f64.load').get(root).op('f64.div').memory('f64.store'),
          );
          // The pivot was divided by its root like the rest; where it is NaN, so is the root.
          f.get(diagonal, root).memory('f64.store');
          advance(f, column, wide);
          advance(f, diagonal, pitch + wide);
          advance(f, end, pitch);
        },
      );
      // What is left of the other triangle becomes zeros.
      along(
        f,
        () => f.get(scratch),
        last,
        pitch,
        start => {
          const length = f.get(start, scratch).op('i32.sub').i32(n).op('i32.div_u').keep('i32');
          f.get(start).i32(0).get(length).memoryFill();
        },
      );
      copyMatrix(f, [n, n], { at: out, steps: [n * unit, unit], dtype: aval.dtype }, transposed);
    });
    return n * pitch;
  });

/** Columns that are solved at a time: with them the rows of a block fit into the nearest cache. */
const strip = 32;

/** Row by row from the end where nothing else is unknown. */
export const triangularSolve = (
  { upper, transpose, unit: isUnit }: TriangularParams,
  [a, y]: readonly Aval[],
  aval: Aval,
): LoopKernel =>
  kernelOf([a!, y!], aval, (f, [matrix, right], out, scratch) => {
    const { count, rows: n, columns } = matrixOf(aval);
    const { dtype } = aval;
    const unit = bytesOf[dtype];
    const [down, across] = transpose ? [unit, n * unit] : [n * unit, unit];
    const backwards = upper !== transpose;
    const sign = backwards ? -1 : 1;
    const bytes = n * columns * unit;
    const first = backwards ? n - 1 : 0;
    const solveStrip = (width: number): void => {
      const pitch = width * wide;
      const solved = { at: scratch, steps: [pitch, wide], dtype: 'float64' } as const;
      copyMatrix(f, [n, width], solved, { at: right!, steps: [columns * unit, unit], dtype });
      const start = f
        .get(scratch)
        .i32(first * pitch)
        .op('i32.add')
        .keep('i32');
      const stop = f
        .get(start)
        .i32(sign * n * pitch)
        .op('i32.add')
        .keep('i32');
      const diagonal = f
        .get(matrix!)
        .i32(first * (down + across))
        .op('i32.add')
        .keep('i32');
      // The element of the matrix that meets the first of the rows solved so far.
      const factor = f.get(diagonal).keep('i32');
      along(
        f,
        () => f.get(start),
        stop,
        sign * pitch,
        row => {
          const end = f.get(row).i32(pitch).op('i32.add').keep('i32');
          subtractCombination(f, { row, end, first: start, pitch: sign * pitch, factor, step: sign * across, dtype });
          if (!isUnit) {
            const pivot = loadFloat(f.get(diagonal), dtype).keep('f64');
            along(
              f,
              () => f.get(row),
              end,
              wide,
              at => f.get(at, at).memory('f64.load').get(pivot).op('f64.div').memory('f64.store'),
            );
          }
          advance(f, factor, sign * down);
          advance(f, diagonal, sign * (down + across));
        },
      );
      copyMatrix(f, [n, width], { at: out, steps: [columns * unit, unit], dtype }, solved);
    };
    everyMatrix(f, count, [matrix!, right!, out], [n * n * unit, bytes, bytes], () =>
      inBlocks(f, { length: columns, steps: [unit, unit] }, strip, [right!, out], solveStrip),
    );
    return n * Math.min(columns, strip) * wide;
  });

/** Column by column: the row with the largest pivot comes up, and those below are lessened by their multiples of it. */
export const lu = (_: ParamsOf<'lu'>, [x]: readonly Aval[]): LoopKernel =>
  kernelOfSeveral([x!], 2, (f, [from], [packed, order], scratch) => {
    const { count, rows, columns } = matrixOf(x!);
    if (count * rows === 0) return 0;
    const unit = bytesOf[x!.dtype];
    const pitch = columns * wide;
    const own = { at: scratch, steps: [pitch, wide], dtype: 'float64' } as const;
    const stored = [columns * unit, unit] as const;
    const bytes = rows * columns * unit;
    everyMatrix(f, count, [from!, packed!, order!], [bytes, bytes, rows * 4], () => {
      copyMatrix(f, [rows, columns], own, { at: from!, steps: stored, dtype: x!.dtype });
      const place = f.get(order!).keep('i32');
      const number = f.i32(0).keep('i32');
      nest(f, [{ length: rows, steps: [4, 1] }], [place, number], () => f.get(place, number).memory('i32.store'));
      if (columns > 0) eliminate(f, rows, columns, scratch, order!);
      copyMatrix(f, [rows, columns], { at: packed!, steps: stored, dtype: x!.dtype }, own);
    });
    return rows * pitch;
  });

/** Exchanges what two addresses hold, `bytes` of them being a multiple of 4. */
const exchange = (f: FunctionWriter, one: Local, other: Local, bytes: number, piece: 4 | 8): void => {
  const [p, q] = [f.get(one).keep('i32'), f.get(other).keep('i32')];
  const [load, store] = piece === 8 ? (['i64.load', 'i64.store'] as const) : (['i32.load', 'i32.store'] as const);
  const held = f.local(piece === 8 ? 'i64' : 'i32');
  nest(f, [{ length: bytes / piece, steps: [piece, piece] }], [p, q], () => {
    f.get(p).memory(load).set(held);
    f.get(p, q).memory(load).memory(store).get(q, held).memory(store);
  });
};

const eliminate = (f: FunctionWriter, rows: number, columns: number, scratch: Local, order: Local): void => {
  const pitch = columns * wide;
  const last = f
    .get(scratch)
    .i32(rows * pitch)
    .op('i32.add')
    .keep('i32');
  const [diagonal, end, place] = [
    f.get(scratch).keep('i32'),
    f.get(scratch).i32(pitch).op('i32.add').keep('i32'),
    f.get(order).keep('i32'),
  ];
  const [best, largest, size, pivot] = [f.local('i32'), f.local('f64'), f.local('f64'), f.local('f64')];
  nest(f, [{ length: Math.min(rows, columns), steps: [pitch + wide, pitch, 4] }], [diagonal, end, place], () => {
    f.get(diagonal).tee(best).memory('f64.load').op('f64.abs').set(largest);
    const below = f.get(diagonal).i32(pitch).op('i32.add').keep('i32');
    const at = f.get(below).keep('i32');
    f.while(
      () => f.get(at, last).op('i32.lt_u'),
      () => {
        f.get(at).memory('f64.load').op('f64.abs').tee(size).get(largest).op('f64.gt');
        f.if(() => f.get(at).set(best).get(size).set(largest));
        advance(f, at, pitch);
      },
    );
    f.get(best, diagonal)
      .op('i32.ne')
      .if(() => {
        // From an element of the column to the start of its row.
        const start = f.get(end).i32(pitch).op('i32.sub').keep('i32');
        const distance = f.get(best, diagonal).op('i32.sub').keep('i32');
        const other = f.get(start, distance).op('i32.add').keep('i32');
        exchange(f, start, other, pitch, 8);
        const otherPlace = f.get(distance).i32(pitch).op('i32.div_u').i32(4).op('i32.mul').get(place);
        exchange(f, place, otherPlace.op('i32.add').keep('i32'), 4, 4);
      });
    f.get(diagonal).memory('f64.load').tee(pivot).f64(0).op('f64.ne');
    f.if(() => {
      const rowEnd = f.get(end).i32(pitch).op('i32.add').keep('i32');
      const next = f.get(diagonal).i32(wide).op('i32.add').keep('i32');
      const [row, behind] = [f.get(below).keep('i32'), f.local('i32')];
      f.while(
        () => f.get(row, last).op('i32.lt_u'),
        () => {
          const factor = f.get(row).memory('f64.load').get(pivot).op('f64.div').keep('f64');
          f.get(row, factor).memory('f64.store');
          f.get(row).i32(wide).op('i32.add').set(behind);
          subtractMultiple(f, behind, rowEnd, next, factor);
          advance(f, row, pitch);
          advance(f, rowEnd, pitch);
        },
      );
    });
  });
};
