/** Kernels that are done piece by piece: on a contraction's result as soon as it is there, or on its operand when it is needed. */
import type { Kernel, KernelValue } from '../../../compile/kernel.js';
import type { View } from '../../../view.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { callsMain, type KernelCode } from '../kernels/body.js';
import { writeMap } from '../kernels/map.js';
import { linear } from './numbers.js';

/** A kernel in units of so many elements. */
export interface PieceCode {
  readonly code: KernelCode;
  readonly unit: number;
}

/** What is done for pieces: so many rows of one unit each, the first at an address. */
export type Finish = (first: Local, rows: Local, rowBytes: number) => void;

/** Makes so many units of an operand, from one on, one behind the other. */
export type Produce = (first: Local, count: Local, to: Local) => void;

/** What goes along with a contraction, and whether its left operand is ready. */
export interface Pieces {
  readonly finish: Finish | null;
  readonly produce: Produce | null;
  readonly prepared: boolean;
}

/** An axis of a view cut in two, the inner part so long; null where it has an end within. */
const cutView = (view: View, axis: number, inner: number): View | null => {
  if (view.valid[axis] !== null) return null;
  const stride = view.strides[axis]!;
  return {
    shape: view.shape.toSpliced(axis, 1, view.shape[axis]! / inner, inner),
    offset: view.offset,
    strides: view.strides.toSpliced(axis, 1, stride * inner, stride),
    valid: view.valid.toSpliced(axis, 1, null, null),
  };
};

/** The kernel with an axis that begins so many elements before the end of its space, and which one that is. */
const withBorder = (kernel: Kernel, unit: number): { readonly kernel: Kernel; readonly border: number } | null => {
  const { space, values } = kernel;
  let behind = 1;
  for (let axis = space.length - 1; axis >= 0; axis--) {
    if (behind === unit) return { kernel, border: axis + 1 };
    const { length } = space[axis]!;
    if (behind * length <= unit) {
      behind *= length;
      continue;
    }
    const inner = unit / behind;
    if (!Number.isInteger(inner) || length % inner !== 0) return null;
    const cut = values.map((value): KernelValue | null => {
      if (value.kind !== 'load' && value.kind !== 'index') return value;
      const view = cutView(value.view, axis, inner);
      return view && { ...value, view };
    });
    if (cut.includes(null)) return null;
    const part = (size: number) => ({ length: size, reduced: false });
    return {
      kernel: {
        ...kernel,
        space: space.toSpliced(axis, 1, part(length / inner), part(inner)),
        values: cut as KernelValue[],
      },
      border: axis + 1,
    };
  }
  return behind === unit ? { kernel, border: 0 } : null;
};

/** Units so short are not worth their calls. */
const shortestUnit = 8;

/** A kernel without reductions in units of so many elements; null where it cannot be cut so. */
export const pieceOf = (kernel: Kernel, unit: number): PieceCode | null => {
  if (unit < shortestUnit) return null;
  const cut = withBorder(kernel, unit);
  if (cut === null) return null;
  const code = writeMap(cut.kernel, cut.border);
  return callsMain(code.writer) ? null : { code, unit };
};

/** Writes the calls of a kernel for pieces of a result that begins at `out` and has so many elements. */
export const finisher = (
  f: FunctionWriter,
  { code, unit }: PieceCode,
  out: Local,
  size: number,
  addresses: readonly Local[],
): Finish => {
  const unitBytes = 4 * unit;
  // A contraction may move its addresses on.
  const start = f.get(out).keep('i32');
  const factor = (code.units * unit) / size;
  const call = (at: Local, count: Local): void => {
    const from = f.get(at, start).op('i32.sub').i32(unitBytes).op('i32.div_u').i32(factor).op('i32.mul').keep('i32');
    f.get(...addresses)
      .i32(0)
      .get(from);
    linear(f, 0, [from, 1], [count, factor]).call(code.writer);
  };
  return (first, rows, rowBytes) => {
    if (rowBytes === unitBytes) {
      call(first, rows);
      return;
    }
    const [row, one] = [f.i32(0).keep('i32'), f.i32(1).keep('i32')];
    const at = f.get(first).keep('i32');
    f.loop(row, rows, 1, () => {
      call(at, one);
      linear(f, rowBytes, [at, 1]).set(at);
    });
  };
};

/** Writes the calls of a kernel that makes an operand of so many elements; the last of its addresses is where to. */
export const producer = (
  f: FunctionWriter,
  { code, unit }: PieceCode,
  size: number,
  addresses: readonly Local[],
): Produce => {
  const factor = (code.units * unit) / size;
  return (first, count, to) => {
    // The kernel believes that it writes to its place in the whole.
    f.get(...addresses);
    linear(f, 0, [to, 1], [first, -4 * unit]).i32(0);
    linear(f, 0, [first, factor]);
    linear(f, 0, [first, factor], [count, factor]).call(code.writer);
  };
};
