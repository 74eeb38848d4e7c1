/**
 * The bare register micro-kernel of a matrix product on panels that stay in the nearest cache: what arithmetic allows
 * in WebAssembly.
 */
import { FunctionWriter, link } from '../../src/tensor/backend/wasm/assembler.js';
import { hasFma } from '../../src/tensor/backend/wasm/features.js';
import type { LimitKernel } from './kernel.js';

const depth = 256;
/** Vectors of a row of the block: 8 columns. */
const vectors = 2;

/** (a, b, to): the product of a panel of `rows` and one of 8 columns, stored at `to`. */
const writeBlock = (rows: number, fused: boolean): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32', 'i32']);
  const [a, b, to] = [0, 1, 2];
  const columns = Array.from({ length: vectors }, () => f.local('v128'));
  const sums = Array.from({ length: rows }, () => columns.map(() => f.local('v128')));
  const factor = f.local('v128');
  const step = rows * 4;
  const end = f
    .get(a)
    .i32(depth * step)
    .op('i32.add')
    .keep('i32');
  // Not unrolled: V8 runs longer bodies slower.
  f.loop(a, end, step, () => {
    for (const [j, column] of columns.entries()) {
      f.get(b)
        .memory('v128.load', 16 * j)
        .set(column);
    }
    for (const [i, row] of sums.entries()) {
      f.get(a)
        .memory('v128.load32_splat', 4 * i)
        .set(factor);
      for (const [j, sum] of row.entries()) {
        if (fused) f.get(factor, columns[j]!, sum).op('f32x4.relaxed_madd').set(sum);
        else f.get(sum, factor, columns[j]!).op('f32x4.mul', 'f32x4.add').set(sum);
      }
    }
    f.get(b)
      .i32(16 * vectors)
      .op('i32.add')
      .set(b);
  });
  for (const [i, sum] of sums.flat().entries()) f.get(to, sum).memory('v128.store', 16 * i);
  return f;
};

/** (count): so many blocks, by calls, since V8 replaces a function by its optimised version only between calls. */
const writeRepeat = (rows: number, block: FunctionWriter): FunctionWriter => {
  const f = new FunctionWriter(['i32']);
  const b = depth * rows * 4;
  const to = b + depth * vectors * 16;
  return f.loop(f.local('i32'), 0, 1, () => f.i32(0).i32(b).i32(to).call(block));
};

export interface MicroKernel extends LimitKernel {
  /** How many rows and columns it has, and what it adds and multiplies with. */
  readonly name: string;
  /** Floating-point operations of one run. */
  readonly flops: number;
}

/** So many blocks of `rows` × 8; null where this platform has no fused multiply-add. */
export const microKernel = (rows: number, fused: boolean, blocks: number): MicroKernel | null => {
  // This also switches the instruction on in Node 20, which must happen before it is met in a module.
  if (fused && !hasFma()) return null;
  return {
    name: microKernelName(rows, fused),
    module: link([{ name: 'repeat', writer: writeRepeat(rows, writeBlock(rows, fused)) }]).bytes,
    pages: 1,
    calls: [{ name: 'repeat', arguments: [blocks, 0] }],
    flops: blocks * 2 * rows * 4 * vectors * depth,
  };
};

export const microKernelName = (rows: number, fused: boolean): string =>
  `${rows}×${4 * vectors}, ${fused ? 'FMA' : 'mul+add'}`;
