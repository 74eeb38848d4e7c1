/** Whole numbers as instructions. */
import type { FunctionWriter, Local } from '../assembler.js';

export const constant = (f: FunctionWriter, value: number): Local => f.i32(value).keep('i32');

/** constant + Σ local · factor, left on the stack. */
export const linear = (
  f: FunctionWriter,
  constant: number,
  ...terms: readonly (readonly [local: Local, factor: number])[]
): FunctionWriter => {
  f.i32(constant);
  for (const [local, factor] of terms) {
    if (factor === 0) continue;
    f.get(local);
    if (factor !== 1) f.i32(factor).op('i32.mul');
    f.op('i32.add');
  }
  return f;
};

/** The smaller of what is on the stack and a local, both unsigned. */
export const atMost = (f: FunctionWriter, limit: Local): Local => {
  const value = f.keep('i32');
  return f.get(value, limit, value, limit).op('i32.lt_u', 'select').keep('i32');
};

/** Which of so many rows from a (signed) one on there are, of `height`: the first of them, and how many. */
export const rowsInside = (
  f: FunctionWriter,
  top: Local,
  count: number,
  height: number,
): { readonly from: Local; readonly rows: Local } => {
  const clamped = (offset: number): Local => {
    const row = linear(f, offset, [top, 1]).keep('i32');
    f.get(row).i32(0).get(row).i32(0).op('i32.gt_s', 'select').set(row);
    f.get(row).i32(height).get(row).i32(height).op('i32.lt_s', 'select').set(row);
    return row;
  };
  const [from, to] = [clamped(0), clamped(count)];
  return { from, rows: f.get(to, from).op('i32.sub').keep('i32') };
};

/** How many runs of `size` it takes to hold a count. */
export const runsOf = (f: FunctionWriter, count: Local, size: number): Local =>
  size === 1
    ? count
    : f
        .get(count)
        .i32(size - 1)
        .op('i32.add')
        .i32(size)
        .op('i32.div_u')
        .keep('i32');

/** Where a run of `size` begins and ends, the last one ending with the count. */
export const runAt = (f: FunctionWriter, index: Local, size: number, count: Local): readonly [Local, Local] => {
  const from = f.get(index).i32(size).op('i32.mul').keep('i32');
  f.get(from).i32(size).op('i32.add');
  return [from, atMost(f, count)];
};

const aligned = (bytes: number): number => 16 * Math.ceil(bytes / 16);

/** A scratch area cut into pieces of these sizes. */
export const cut = (f: FunctionWriter, area: Local, sizes: readonly number[]): readonly Local[] => {
  let before = 0;
  return sizes.map(size => {
    const piece = linear(f, before, [area, 1]).keep('i32');
    before += aligned(size);
    return piece;
  });
};

export const bytesFor = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + aligned(size), 0);
