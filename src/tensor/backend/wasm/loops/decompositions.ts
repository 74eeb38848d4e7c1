/**
 * Decompositions and triangular systems, matrix by matrix. A matrix is brought into scratch memory in float64; there rows change
 * by multiples of other rows, two elements a vector, and what comes out is rounded once.
 */
import { bytesOf } from '../../../dtype.js';
import type { ParamsOf, TriangularParams } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { advance, kernelOf, kernelOfSeveral, type LoopKernel, nest } from './walk.js';

const wide = 8;

/** Loads a float as float64; the address is on the stack. */
const loadFloat = (f: FunctionWriter, dtype: Aval['dtype']): FunctionWriter =>
  dtype === 'float32' ? f.memory('f32.load').op('f64.promote_f32') : f.memory('f64.load');

/** Stores the float64 on the stack, the address below it. */
const storeFloat = (f: FunctionWriter, dtype: Aval['dtype']): FunctionWriter =>
  dtype === 'float32' ? f.op('f32.demote_f64').memory('f32.store') : f.memory('f64.store');

/** Copies a matrix through steps in bytes, floats of `from` to float64 or back. */
const copyMatrix = (
  f: FunctionWriter,
  [rows, columns]: readonly [rows: number, columns: number],
  to: { readonly at: Local; readonly steps: readonly [number, number]; readonly dtype: Aval['dtype'] },
  from: { readonly at: Local; readonly steps: readonly [number, number]; readonly dtype: Aval['dtype'] },
): void => {
  const axes = [
    { length: rows, steps: [to.steps[0], from.steps[0]] },
    { length: columns, steps: [to.steps[1], from.steps[1]] },
  ];
  nest(f, axes, [to.at, from.at], () => {
    f.get(to.at, from.at);
    storeFloat(loadFloat(f, from.dtype), to.dtype);
  });
};

/** The float64 numbers from `row` up to `end` lessened by `factor` times those from `other` on. */
const subtractMultiple = (f: FunctionWriter, row: Local, end: Local, other: Local, factor: Local): void => {
  const [at, from, both] = [f.get(row).keep('i32'), f.get(other).keep('i32'), f.local('i32')];
  const pair = f.get(factor).op('f64x2.splat').keep('v128');
  f.get(end).i32(wide).op('i32.sub').set(both);
  f.while(
    () => f.get(at, both).op('i32.lt_u'),
    () => {
      f.get(at, at).memory('v128.load').get(from).memory('v128.load').get(pair).op('f64x2.mul', 'f64x2.sub');
      f.memory('v128.store');
      advance(f, at, 2 * wide);
      advance(f, from, 2 * wide);
    },
  );
  f.get(at, end)
    .op('i32.lt_u')
    .if(() => {
      f.get(at, at).memory('f64.load').get(from).memory('f64.load').get(factor).op('f64.mul', 'f64.sub');
      f.memory('f64.store');
    });
};

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

const matrixOf = ({ shape }: Aval): { readonly count: number; readonly rows: number; readonly columns: number } => ({
  count: sizeOf(shape.slice(0, -2)),
  rows: shape.at(-2)!,
  columns: shape.at(-1)!,
});

/** The stack of matrices one by one, each address going on by the bytes of its own. */
const everyMatrix = (
  f: FunctionWriter,
  count: number,
  addresses: readonly Local[],
  bytes: readonly number[],
  body: () => void,
): void => nest(f, [{ length: count, steps: bytes }], addresses, body);

/**
 * Upper triangular Lᵀ row by row: a row divided by the root of its pivot, and the rows below lessened by their multiples of it.
 */
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
      const root = f.local('f64');
      f.while(
        () => f.get(diagonal, last).op('i32.lt_u'),
        () => {
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
          const [row, stop] = [f.local('i32'), f.local('i32')];
          f.get(diagonal)
            .i32(pitch + wide)
            .op('i32.add')
            .set(row);
          f.get(end).i32(pitch).op('i32.add').set(stop);
          along(
            f,
            () => f.get(diagonal).i32(wide).op('i32.add'),
            end,
            wide,
            at => {
              const factor = f.get(at).memory('f64.load').keep('f64');
              subtractMultiple(f, row, stop, at, factor);
              advance(f, row, pitch + wide);
              advance(f, stop, pitch);
            },
          );
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
    const pitch = columns * wide;
    const [down, across] = transpose ? [unit, n * unit] : [n * unit, unit];
    const backwards = upper !== transpose;
    const sign = backwards ? -1 : 1;
    const bytes = n * columns * unit;
    everyMatrix(f, count, [matrix!, right!, out], [n * n * unit, bytes, bytes], () => {
      const solved = { at: scratch, steps: [pitch, wide], dtype: 'float64' } as const;
      copyMatrix(f, [n, columns], solved, { at: right!, steps: [columns * unit, unit], dtype });
      const first = backwards ? n - 1 : 0;
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
      const coefficient = f.get(diagonal).keep('i32');
      along(
        f,
        () => f.get(start),
        stop,
        sign * pitch,
        row => {
          const end = f.get(row).i32(pitch).op('i32.add').keep('i32');
          const element = f.get(coefficient).keep('i32');
          along(
            f,
            () => f.get(start),
            row,
            sign * pitch,
            known => {
              const factor = loadFloat(f.get(element), dtype).keep('f64');
              subtractMultiple(f, row, end, known, factor);
              advance(f, element, sign * across);
            },
          );
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
          advance(f, coefficient, sign * down);
          advance(f, diagonal, sign * (down + across));
        },
      );
      copyMatrix(f, [n, columns], { at: out, steps: [columns * unit, unit], dtype }, solved);
    });
    return n * pitch;
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
