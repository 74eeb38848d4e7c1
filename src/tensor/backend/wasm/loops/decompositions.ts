/**
 * Decompositions and triangular systems, matrix by matrix. A matrix is brought into scratch memory in float64; there rows change
 * by multiples of other rows, two elements a vector, and what comes out is rounded once.
 */
import { bytesOf } from '../../../dtype.js';
import type { ParamsOf, TriangularParams } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { copyMatrix, loadFloat, subtractCombination, subtractMultiple, wide } from './rows.js';
import { advance, kernelOfParts, type LoopKernel, nest, type Parts } from './walk.js';

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

/** Nanoseconds that a row takes for an element, where others are subtracted from it. */
export const perElement = 0.4;

/** The matrices of a stack in a range, one by one, each address going on by the bytes of its own. */
export const everyMatrix = (
  f: FunctionWriter,
  [from, to]: readonly [from: Local, to: Local],
  addresses: readonly Local[],
  bytes: readonly number[],
  body: () => void,
): void => {
  addresses.forEach((address, i) => {
    f.get(address, from).i32(bytes[i]!).op('i32.mul', 'i32.add').set(address);
  });
  const index = f.get(from).keep('i32');
  f.loop(index, to, 1, () => {
    body();
    addresses.forEach((address, i) => {
      advance(f, address, bytes[i]!);
    });
  });
};

/** How many matrices there are to work on: none where they have no elements. */
export const partsOf = (aval: Aval, nanosecondsOfOne: number): Parts => {
  const count = sizeOf(aval.shape) === 0 ? 0 : matrixOf(aval).count;
  return { count, nanoseconds: count * nanosecondsOfOne };
};

/** Upper triangular Lᵀ row by row: a row is lessened by multiples of those above it, and divided by the root of its pivot. */
export const cholesky = (_: ParamsOf<'cholesky'>, [x]: readonly Aval[], aval: Aval): LoopKernel => {
  const { rows: n } = matrixOf(aval);
  return kernelOfParts([x!], 1, partsOf(aval, (perElement * n ** 3) / 6), (f, [from], [out], scratch, range) => {
    const unit = bytesOf[aval.dtype];
    const pitch = n * wide;
    everyMatrix(f, range, [from!, out!], [n * n * unit, n * n * unit], () => {
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
      copyMatrix(f, [n, n], { at: out!, steps: [n * unit, unit], dtype: aval.dtype }, transposed);
    });
    return n * pitch;
  });
};

/** Columns that are solved at a time: with them the rows of a block fit into the nearest cache. */
const strip = 32;

/** Row by row from the end where nothing else is unknown. */
export const triangularSolve = (
  { upper, transpose, unit: isUnit }: TriangularParams,
  [a, y]: readonly Aval[],
  aval: Aval,
): LoopKernel => {
  const { count, rows: n, columns } = matrixOf(aval);
  const strips = Math.ceil(columns / strip);
  const nanoseconds = (count * perElement * n ** 2 * columns) / 2;
  return kernelOfParts(
    [a!, y!],
    1,
    { count: n * count * strips === 0 ? 0 : count * strips, nanoseconds },
    (f, [matrices, rights], [outs], scratch, [from, to]) => {
      const { dtype } = aval;
      const [matrix, right, out] = [f.local('i32'), f.local('i32'), f.local('i32')];
      const unit = bytesOf[dtype];
      const [down, across] = transpose ? [unit, n * unit] : [n * unit, unit];
      const backwards = upper !== transpose;
      const sign = backwards ? -1 : 1;
      const bytes = n * columns * unit;
      const first = backwards ? n - 1 : 0;
      const solveStrip = (width: number): void => {
        const pitch = width * wide;
        const solved = { at: scratch, steps: [pitch, wide], dtype: 'float64' } as const;
        copyMatrix(f, [n, width], solved, { at: right, steps: [columns * unit, unit], dtype });
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
          .get(matrix)
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
      const index = f.get(from).keep('i32');
      const [stack, place] = [f.local('i32'), f.local('i32')];
      f.loop(index, to, 1, () => {
        f.get(index).i32(strips).op('i32.div_u').set(stack);
        f.get(index).i32(strips).op('i32.rem_u').set(place);
        f.get(matrices!, stack)
          .i32(n * n * unit)
          .op('i32.mul', 'i32.add')
          .set(matrix);
        for (const [start, at] of [
          [rights!, right],
          [outs!, out],
        ] as const) {
          f.get(start, stack).i32(bytes).op('i32.mul', 'i32.add').get(place);
          f.i32(strip * unit)
            .op('i32.mul', 'i32.add')
            .set(at);
        }
        const last = columns - strip * (strips - 1);
        if (strips === 1 || last === strip) solveStrip(last < strip ? last : strip);
        else {
          f.get(place)
            .i32(strips - 1)
            .op('i32.eq')
            .if(
              () => solveStrip(last),
              () => solveStrip(strip),
            );
        }
      });
      return n * Math.min(columns, strip) * wide;
    },
  );
};

/** Column by column: the row with the largest pivot comes up, and those below are lessened by their multiples of it. */
export const lu = (_: ParamsOf<'lu'>, [x]: readonly Aval[]): LoopKernel => {
  const { count, rows, columns } = matrixOf(x!);
  const nanoseconds = (count * perElement * rows * columns * Math.min(rows, columns)) / 2;
  // Also matrices without columns have an order of their rows.
  return kernelOfParts(
    [x!],
    2,
    { count: rows === 0 ? 0 : count, nanoseconds },
    (f, [from], [packed, order], scratch, range) => {
      const unit = bytesOf[x!.dtype];
      const pitch = columns * wide;
      const own = { at: scratch, steps: [pitch, wide], dtype: 'float64' } as const;
      const stored = [columns * unit, unit] as const;
      const bytes = rows * columns * unit;
      everyMatrix(f, range, [from!, packed!, order!], [bytes, bytes, rows * 4], () => {
        copyMatrix(f, [rows, columns], own, { at: from!, steps: stored, dtype: x!.dtype });
        const place = f.get(order!).keep('i32');
        const number = f.i32(0).keep('i32');
        nest(f, [{ length: rows, steps: [4, 1] }], [place, number], () => f.get(place, number).memory('i32.store'));
        if (columns > 0) eliminate(f, rows, columns, scratch, order!);
        copyMatrix(f, [rows, columns], { at: packed!, steps: stored, dtype: x!.dtype }, own);
      });
      return rows * pitch;
    },
  );
};

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
