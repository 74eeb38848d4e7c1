/**
 * Contractions of float64, int32 and uint32 over any axes. Blocks of 4 rows and two vectors of columns are computed
 * together, with the right operand packed if it is walked more than once; each result adds its terms in the order of the
 * contracted axes, so that it depends on them alone. float32 has kernels of its own.
 */
import { bytesOf } from '../../../dtype.js';
import { freeAxes } from '../../../primitives/contraction.js';
import type { DotParams } from '../../../primitives/signatures.js';
import { type Aval, range, sizeOf } from '../../../shape.js';
import type { Local } from '../assembler.js';
import { type Axis, byteSteps, inBlocks, kernelOf, type LoopKernel, loadLanes, longest, merged, nest } from './walk.js';

const blockRows = 4;
const blockVectors = 2;

export const dotGeneral = (
  { lhsContract, rhsContract, lhsBatch, rhsBatch }: DotParams,
  [lhs, rhs]: readonly Aval[],
  aval: Aval,
): LoopKernel | null => {
  const { dtype } = aval;
  if (dtype !== 'float64' && dtype !== 'int32' && dtype !== 'uint32') return null;
  const bytes = bytesOf[dtype] as 4 | 8;
  const lanes = 16 / bytes;
  const [splatted, multiply, add, storeLane] =
    dtype === 'float64'
      ? (['v128.load64_splat', 'f64x2.mul', 'f64x2.add', 'v128.store64_lane'] as const)
      : (['v128.load32_splat', 'i32x4.mul', 'i32x4.add', 'v128.store32_lane'] as const);
  const [left, right, out] = [byteSteps(lhs!), byteSteps(rhs!), byteSteps(aval)];
  const [lhsFree, rhsFree] = [
    freeAxes(left.length, lhsContract, lhsBatch),
    freeAxes(right.length, rhsContract, rhsBatch),
  ];
  const lengths = lhs!.shape;
  const batch = lhsBatch.map((axis, i) => ({
    length: lengths[axis]!,
    steps: [left[axis]!, right[rhsBatch[i]!]!, out[i]!],
  }));
  const rows = lhsFree.map((axis, i) => ({
    length: lengths[axis]!,
    steps: [left[axis]!, out[batch.length + i]!],
  }));
  const columns = rhsFree.map((axis, i) => ({
    length: rhs!.shape[axis]!,
    steps: [right[axis]!, out[batch.length + rows.length + i]!],
  }));
  const single: Axis = { length: 1, steps: [0, 0] };
  const [row = single, otherRows] = longest(merged(rows));
  // Contiguous columns are loaded and stored as vectors.
  const [column = single, otherColumns] = longest(
    merged(columns),
    ({ steps: [, to], length }) => to === bytes && length >= lanes,
  );
  const [[rowStep, rowOut], [columnStep, columnOut]] = [row.steps, column.steps] as [
    [number, number],
    [number, number],
  ];
  const terms = sizeOf(lhsContract.map(axis => lengths[axis]!));
  const packs = sizeOf(rows.map(({ length }) => length)) > blockRows;
  const panelBytes = packs ? terms * blockVectors * 16 : 0;

  return kernelOf([lhs!, rhs!], aval, (f, [a, b], to, scratch) => {
    const sums = range(blockRows).map(() => range(blockVectors).map(() => f.local('v128')));
    const factors = range(blockVectors).map(() => f.local('v128'));
    const factor = f.local('v128');

    /** Sums for some rows and columns, the columns' terms read from `from` and `step` bytes apart. */
    const block = (
      rowCount: number,
      columnCount: number,
      contract: readonly Axis[],
      from: Local,
      step: number,
    ): void => {
      const vectors = range(Math.ceil(columnCount / lanes));
      const used = (vector: number): number => Math.min(lanes, columnCount - vector * lanes);
      for (const r of range(rowCount)) for (const v of vectors) f.v128(new Uint8Array(16)).set(sums[r]![v]!);
      nest(f, merged(contract), [a!, from], () => {
        for (const v of vectors) {
          loadLanes(f, from, v * lanes * step, step, bytes, lanes, used(v));
          f.set(factors[v]!);
        }
        for (const r of range(rowCount)) {
          f.get(a!).memory(splatted, r * rowStep);
          if (vectors.length > 1) f.tee(factor);
          for (const v of vectors) {
            if (v > 0) f.get(factor);
            f.get(factors[v]!).op(multiply).get(sums[r]![v]!).op(add).set(sums[r]![v]!);
          }
        }
      });
      for (const r of range(rowCount)) {
        for (const v of vectors) {
          const offset = r * rowOut + v * lanes * columnOut;
          if (columnOut === bytes && used(v) === lanes) f.get(to, sums[r]![v]!).memory('v128.store', offset);
          else {
            for (const lane of range(used(v))) {
              f.get(to, sums[r]![v]!).memoryLane(storeLane, lane, offset + lane * columnOut);
            }
          }
        }
      }
    };

    const contracted = (rightSteps: readonly number[]): Axis[] =>
      lhsContract.map((axis, i) => ({ length: lengths[axis]!, steps: [left[axis]!, rightSteps[i]!] }));

    /** The rows against some columns. */
    const panel = (columnCount: number): void => {
      const vectors = range(Math.ceil(columnCount / lanes));
      const packedSteps = rhsContract.map((_, i) =>
        rhsContract.slice(i + 1).reduce((step, axis) => step * rhs!.shape[axis]!, vectors.length * 16),
      );
      if (packs) {
        const axes = rhsContract.map((axis, i) => ({
          length: rhs!.shape[axis]!,
          steps: [right[axis]!, packedSteps[i]!],
        }));
        nest(f, merged(axes), [b!, scratch], () => {
          for (const v of vectors) {
            f.get(scratch);
            loadLanes(
              f,
              b!,
              v * lanes * columnStep,
              columnStep,
              bytes,
              lanes,
              Math.min(lanes, columnCount - v * lanes),
            );
            f.memory('v128.store', v * 16);
          }
        });
      }
      const contract = contracted(packs ? packedSteps : rhsContract.map(axis => right[axis]!));
      nest(f, merged(otherRows), [a!, to], () => {
        inBlocks(f, row, blockRows, [a!, to], rowCount => {
          if (packs) block(rowCount, columnCount, contract, scratch, bytes);
          else block(rowCount, columnCount, contract, b!, columnStep);
        });
      });
    };

    nest(f, merged(batch), [a!, b!, to], () => {
      nest(f, otherColumns, [b!, to], () => {
        inBlocks(f, column, lanes * blockVectors, [b!, to], panel);
      });
    });
    return panelBytes;
  });
};
