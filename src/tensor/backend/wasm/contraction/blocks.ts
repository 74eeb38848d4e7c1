/** Multiplying panels: register blocks of sums, and the loops over the panels of a tile. */
import { FunctionWriter, type Local } from '../assembler.js';

/** Rows of a register block and vectors of its columns. */
interface BlockShape {
  readonly rows: number;
  readonly vectors: number;
}

/**
 * (a panel, b, depth, out, row bytes of out, bytes from one step of b to the next, adds): a block of sums, each adding its terms
 * in order; stored, or added to what is there. Both in one function, which V8 optimises as soon as either is needed often.
 *
 * One step a turn and no more: V8 makes the best of this shape (58 GFLOP/s with 6 × 8, unrolled twice 41, measured on Node 20).
 */
const writeBlock = ({ rows, vectors }: BlockShape, fma: boolean): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32']);
  const [a, b, depth, out, rowBytes, step, adds] = [0, 1, 2, 3, 4, 5, 6];
  const sums: Local[][] = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => f.local('v128')));
  const right = Array.from({ length: vectors }, () => f.local('v128'));
  const left = f.local('v128');
  const end = f
    .get(a, depth)
    .i32(4 * rows)
    .op('i32.mul', 'i32.add')
    .keep('i32');
  f.loop(a, end, 4 * rows, () => {
    right.forEach((vector, j) => {
      f.get(b)
        .memory('v128.load', 16 * j)
        .set(vector);
    });
    sums.forEach((row, i) => {
      f.get(a)
        .memory('v128.load32_splat', 4 * i)
        .set(left);
      row.forEach((sum, j) => {
        if (fma) f.get(left, right[j]!, sum).op('f32x4.relaxed_madd').set(sum);
        else f.get(sum, left, right[j]!).op('f32x4.mul', 'f32x4.add').set(sum);
      });
    });
    f.get(b, step).op('i32.add').set(b);
  });
  const write = (added: boolean): void => {
    sums.forEach((row, i) => {
      if (i > 0) f.get(out, rowBytes).op('i32.add').set(out);
      row.forEach((sum, j) => {
        f.get(out);
        if (added)
          f.get(out)
            .memory('v128.load', 16 * j)
            .get(sum)
            .op('f32x4.add');
        else f.get(sum);
        f.memory('v128.store', 16 * j);
      });
    });
  };
  f.get(adds).if(
    () => write(true),
    () => write(false),
  );
  return f;
};

/**
 * (a, b, depth, out, row bytes of out, row panels, columns, scratch, bytes from one panel of b to the next, from one step to
 * the next, adds, places): a tile out[i, j] = Σ a[i, k]·b[j, k], or added to what is there. Column j is at `places[j]` of a row,
 * in bytes, or at 4·j if `places` is 0.
 *
 * Blocks that do not fill their columns, or whose columns are no neighbours, go through the scratch block; so the sums are
 * made by the same code wherever they stand.
 */
const writeTile = (shape: BlockShape, fma: boolean): FunctionWriter => {
  const { rows, vectors } = shape;
  const width = 4 * vectors;
  const block = writeBlock(shape, fma);
  const f = new FunctionWriter(new Array<'i32'>(12).fill('i32'));
  const [a, b, depth, out, rowBytes, panels, columns, scratch, bPanel, bStep, adds, places] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ] as const;
  const i32 = (): Local => f.local('i32');
  const [first, last, j, i, r, c] = [i32(), i32(), i32(), i32(), i32(), i32()];
  const [left, right, row, to, from, count] = [i32(), i32(), i32(), i32(), i32(), i32()];
  const panelBytes = f
    .get(depth)
    .i32(4 * rows)
    .op('i32.mul')
    .keep('i32');
  const height = f.i32(rows).keep('i32');
  const spread = (): void => {
    f.get(count).i32(width).get(count).i32(width).op('i32.lt_u', 'select').set(count);
    f.get(left, right, depth, scratch)
      .i32(4 * width)
      .get(bStep)
      .i32(0)
      .call(block);
    f.get(row).set(to);
    f.get(scratch).set(from);
    f.i32(0).set(r);
    f.loop(r, height, 1, () => {
      f.i32(0).set(c);
      f.loop(c, count, 1, () => {
        const place = f.local('i32');
        f.get(j, c).op('i32.add').i32(2).op('i32.shl').set(place);
        f.get(places).if(() => {
          f.get(places, place).op('i32.add').memory('i32.load').set(place);
        });
        f.get(to, place).op('i32.add').set(place);
        const value = f.get(from, c).i32(2).op('i32.shl', 'i32.add').memory('f32.load').keep('f32');
        f.get(adds).if(() => {
          f.get(place).memory('f32.load').get(value).op('f32.add').set(value);
        });
        f.get(place, value).memory('f32.store');
      });
      f.get(to, rowBytes).op('i32.add').set(to);
      f.get(from)
        .i32(4 * width)
        .op('i32.add')
        .set(from);
    });
  };
  // Two blocks side by side fill lines of the cache: rows of a power of two would else lose them half written.
  const pair = 2 * width;
  f.loop(first, columns, pair, () => {
    f.get(columns, first).op('i32.sub').tee(count).i32(pair).get(count).i32(pair).op('i32.lt_u', 'select');
    f.get(first).op('i32.add').set(last);
    f.get(a).set(left);
    f.get(out).set(row);
    f.i32(0).set(i);
    f.loop(i, panels, 1, () => {
      f.get(b).set(right);
      f.get(first).set(j);
      f.loop(j, last, width, () => {
        f.get(columns, j).op('i32.sub').tee(count).i32(width).op('i32.lt_u').get(places).op('i32.or');
        f.if(spread, () => {
          f.get(left, right, depth).get(row, j).i32(2).op('i32.shl', 'i32.add');
          f.get(rowBytes, bStep, adds).call(block);
        });
        f.get(right, bPanel).op('i32.add').set(right);
      });
      f.get(left, panelBytes).op('i32.add').set(left);
      f.get(row).get(rowBytes).i32(rows).op('i32.mul', 'i32.add').set(row);
    });
    f.get(b).get(bPanel).i32(1).op('i32.shl', 'i32.add').set(b);
  });
  return f;
};

/** Rows of the tallest block: as many sums as there are registers, the factors and, without fused instructions, the product beside them. */
export const tallest = (fma: boolean): number => (fma ? 6 : 5);

/** Columns of a panel. */
export const panelColumns = 8;

/**
 * The vectors of a block whose columns need no panel. An addition takes four cycles and two can begin in each, so a block of
 * few rows needs more columns to keep them coming.
 */
export const directVectors = (rows: number): number => (rows === 1 ? 8 : rows === 2 ? 4 : 2);

/** Tiles by the shape of their blocks. */
export const writeTiles = (fma: boolean): ReadonlyMap<string, FunctionWriter> =>
  new Map(
    Array.from({ length: tallest(fma) }, (_, i) => i + 1)
      .flatMap(rows => [...new Set([2, directVectors(rows)])].map(vectors => ({ rows, vectors })))
      .map(shape => [`tile${shape.rows}x${4 * shape.vectors}`, writeTile(shape, fma)]),
  );
