/**
 * Sums of products along any axes. Blocks of 4 rows and two vectors of columns are computed together, with the right operand
 * packed if it is walked more than once; each result adds its terms in the order of the contracted axes, so that it depends
 * on them alone. float32 is added up in float64.
 */
import { bytesOf, type DType } from '../../../dtype.js';
import { range, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { type Axis, inBlocks, loadLanes, longest, merged, nest } from './walk.js';

const blockRows = 4;
const blockVectors = 2;

/** to[row, column] = Σ a[row, …] · b[column, …] over the contracted axes. */
export interface Products {
  readonly dtype: DType;
  /** Of the results: float64 instead of float32, for sums that go on. */
  readonly result: DType;
  /** Steps of (a, to). */
  readonly rows: readonly Axis[];
  /** Steps of (b, to). */
  readonly columns: readonly Axis[];
  /** Steps of (a, b). */
  readonly contract: readonly Axis[];
  /** Whether they are added to what stands there, with which the sums begin. */
  readonly adds?: boolean;
}

interface Addresses {
  readonly a: Local;
  readonly b: Local;
  readonly to: Local;
  readonly scratch: Local;
}

/** Whether there is arithmetic for the dtype. */
export const hasProducts = (dtype: DType): boolean => dtype !== 'bool' && dtype !== 'uint8';

/** How elements are read, multiplied, added and written. */
const arithmeticOf = (dtype: DType, result: DType) => {
  const isFloat = dtype === 'float32' || dtype === 'float64';
  const [bytes, resultBytes] = [bytesOf[dtype] as 4 | 8, bytesOf[result] as 4 | 8];
  return {
    bytes,
    resultBytes,
    lanes: isFloat ? 2 : 4,
    splat: bytes === 8 ? ('v128.load64_splat' as const) : ('v128.load32_splat' as const),
    widen: dtype === 'float32' ? (['f64x2.promote_low_f32x4'] as const) : [],
    multiply: isFloat ? ('f64x2.mul' as const) : ('i32x4.mul' as const),
    add: isFloat ? ('f64x2.add' as const) : ('i32x4.add' as const),
    narrow: result === 'float32' ? (['f32x4.demote_f64x2_zero'] as const) : [],
    storeLane: resultBytes === 8 ? ('v128.store64_lane' as const) : ('v128.store32_lane' as const),
  };
};

const single: Axis = { length: 1, steps: [0, 0] };

/** Writes the loops and says how many bytes of scratch memory they want. */
export const writeProducts = (f: FunctionWriter, given: Products, { a, b, to, scratch }: Addresses): number => {
  const { bytes, resultBytes, lanes, splat, widen, multiply, add, narrow, storeLane } = arithmeticOf(
    given.dtype,
    given.result,
  );
  const rows = merged(given.rows);
  const [row = single, otherRows] = longest(rows);
  // Contiguous columns are loaded and stored as vectors.
  const [column = single, otherColumns] = longest(
    merged(given.columns),
    ({ steps: [, step], length }) => step === resultBytes && length >= lanes,
  );
  const [[rowStep, rowOut], [columnStep, columnOut]] = [row.steps, column.steps] as [
    [number, number],
    [number, number],
  ];
  const packs = sizeOf(rows.map(({ length }) => length)) > blockRows;
  const sums = range(blockRows).map(() => range(blockVectors).map(() => f.local('v128')));
  const factors = range(blockVectors).map(() => f.local('v128'));
  const factor = f.local('v128');

  /** How many lanes of a vector are columns. */
  const used = (columns: number, vector: number): number => Math.min(lanes, columns - vector * lanes);

  const begin = (sum: Local, offset: number, count: number): void => {
    if (given.adds) loadLanes(f, to, offset, columnOut, resultBytes, lanes, count);
    else f.v128(new Uint8Array(16));
    f.set(sum);
  };

  const end = (sum: Local, offset: number, count: number): void => {
    if (columnOut === resultBytes && count === lanes) {
      f.get(to, sum).op(...narrow);
      if (lanes * resultBytes === 16) f.memory('v128.store', offset);
      else f.memoryLane('v128.store64_lane', 0, offset);
      return;
    }
    if (narrow.length > 0)
      f.get(sum)
        .op(...narrow)
        .set(sum);
    for (const lane of range(count)) f.get(to, sum).memoryLane(storeLane, lane, offset + lane * columnOut);
  };

  /** Columns' terms that lie at `from`. */
  const loadFactor = (from: Local, vector: number, count: number): void => {
    loadLanes(f, from, vector * lanes * columnStep, columnStep, bytes, lanes, count);
    f.op(...widen);
  };

  /** Sums for some rows and columns, whose terms are read from `from`, packed or not. */
  const block = (rowCount: number, columnCount: number, contract: readonly Axis[], from: Local): void => {
    const vectors = range(Math.ceil(columnCount / lanes));
    const each = (body: (sum: Local, offset: number, count: number) => void): void => {
      for (const r of range(rowCount)) {
        for (const v of vectors) body(sums[r]![v]!, r * rowOut + v * lanes * columnOut, used(columnCount, v));
      }
    };
    each(begin);
    nest(f, merged(contract), [a, from], () => {
      for (const v of vectors) {
        if (packs) f.get(from).memory('v128.load', v * 16);
        else loadFactor(from, v, used(columnCount, v));
        f.set(factors[v]!);
      }
      for (const r of range(rowCount)) {
        f.get(a)
          .memory(splat, r * rowStep)
          .op(...widen);
        if (vectors.length > 1) f.tee(factor);
        for (const v of vectors) {
          if (v > 0) f.get(factor);
          f.get(factors[v]!).op(multiply).get(sums[r]![v]!).op(add).set(sums[r]![v]!);
        }
      }
    });
    each(end);
  };

  /** The rows against some columns. */
  const panel = (columnCount: number): void => {
    const vectors = range(Math.ceil(columnCount / lanes));
    const packedSteps = given.contract.map((_, i) =>
      given.contract.slice(i + 1).reduce((step, { length }) => step * length, vectors.length * 16),
    );
    if (packs) {
      const axes = given.contract.map(({ length, steps }, i) => ({ length, steps: [steps[1]!, packedSteps[i]!] }));
      nest(f, merged(axes), [b, scratch], () => {
        for (const v of vectors) {
          f.get(scratch);
          loadFactor(b, v, used(columnCount, v));
          f.memory('v128.store', v * 16);
        }
      });
    }
    const contract = packs
      ? given.contract.map(({ length, steps }, i) => ({ length, steps: [steps[0]!, packedSteps[i]!] }))
      : given.contract;
    nest(f, otherRows, [a, to], () => {
      inBlocks(f, row, blockRows, [a, to], rowCount => block(rowCount, columnCount, contract, packs ? scratch : b));
    });
  };

  nest(f, otherColumns, [b, to], () => inBlocks(f, column, lanes * blockVectors, [b, to], panel));
  return packs ? sizeOf(given.contract.map(({ length }) => length)) * blockVectors * 16 : 0;
};
