/**
 * The bare register micro-kernel of a matrix product on panels that stay in the nearest cache: what arithmetic allows
 * in WebAssembly. The bytes are written by hand here: relaxed SIMD is a limit to compare with, whether the library's
 * assembler knows it or not.
 */
import { setFlagsFromString } from 'node:v8';
import { type LimitKernel, wasmApi } from './kernel.js';

const depth = 256;
/** Vectors of a row of the block: 8 columns. */
const vectors = 2;

const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
const signedLeb = (value: number): number[] =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signedLeb(value >> 7)];

const get = (local: number): number[] => [0x20, ...leb(local)];
const set = (local: number): number[] => [0x21, ...leb(local)];
const i32 = (value: number): number[] => [0x41, ...signedLeb(value)];
const simd = (op: number): number[] => [0xfd, ...leb(op)];
const i32Add = [0x6a];
const load = (offset: number): number[] => [...simd(0), 4, ...leb(offset)];
const loadSplat = (offset: number): number[] => [...simd(9), 2, ...leb(offset)];
const store = (offset: number): number[] => [...simd(11), 4, ...leb(offset)];
const mul = simd(230);
const add = simd(228);
const relaxedMadd = simd(0x105);

const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const name = (text: string): number[] => sized([...new TextEncoder().encode(text)]);

/** (a, b, to): the product of a panel of `rows` and one of 8 columns, stored at `to`. */
const blockBody = (rows: number, fused: boolean): number[] => {
  const [a, b, to, end] = [0, 1, 2, 3];
  const columns = Array.from({ length: vectors }, (_, j) => 4 + j);
  const factor = 4 + vectors;
  const sums = Array.from({ length: rows * vectors }, (_, i) => factor + 1 + i);
  const locals = [2, 1, 0x7f, ...leb(1 + vectors + sums.length), 0x7b];
  const oneStep = [
    ...columns.flatMap((column, j) => [...get(b), ...load(j * 16), ...set(column)]),
    ...Array.from({ length: rows }, (_, i) => [
      ...get(a),
      ...loadSplat(i * 4),
      ...set(factor),
      ...columns.flatMap((column, j) => {
        const sum = sums[i * vectors + j]!;
        return fused
          ? [...get(factor), ...get(column), ...get(sum), ...relaxedMadd, ...set(sum)]
          : [...get(sum), ...get(factor), ...get(column), ...mul, ...add, ...set(sum)];
      }),
    ]).flat(),
  ];
  const advance = (local: number, by: number): number[] => [...get(local), ...i32(by), ...i32Add, ...set(local)];
  const code = [
    ...[...get(a), ...i32(depth * rows * 4), ...i32Add, ...set(end)],
    ...[0x03, 0x40],
    // Not unrolled: V8 runs longer bodies slower (measured on Node 20: 46 GFLOP/s, four steps at once 31).
    ...oneStep,
    ...advance(a, rows * 4),
    ...advance(b, vectors * 16),
    ...[...get(a), ...get(end), 0x49, 0x0d, 0, 0x0b],
    ...sums.flatMap((sum, i) => [...get(to), ...get(sum), ...store(i * 16)]),
    0x0b,
  ];
  return [...locals, ...code];
};

/** (count): so many blocks, by calls, since V8 replaces a function by its optimised version only between calls. */
const repeatBody = (rows: number): number[] => {
  const panels = depth * rows * 4;
  return [
    0,
    ...[0x03, 0x40, ...i32(0), ...i32(panels), ...i32(panels + depth * vectors * 16), 0x10, 0],
    ...[...get(0), ...i32(-1), ...i32Add, 0x22, 0, 0x0d, 0, 0x0b, 0x0b],
  ];
};

const moduleOf = (rows: number, fused: boolean): Uint8Array =>
  Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 0x60, 1, 0x7f, 0]),
    ...section(2, [1, ...name('env'), ...name('memory'), 2, 0, 1]),
    ...section(3, [2, 0, 1]),
    ...section(7, [1, ...name('repeat'), 0, 1]),
    ...section(10, [2, ...sized(blockBody(rows, fused)), ...sized(repeatBody(rows))]),
  ]);

export interface MicroKernel extends LimitKernel {
  /** Floating-point operations of one run. */
  readonly flops: number;
}

/** So many blocks of `rows` × 8; null where this platform has no fused multiply-add. */
export const microKernel = (rows: number, fused: boolean, blocks: number): MicroKernel | null => {
  // Node 20 knows the instruction, but has it switched off.
  if (fused) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const module = moduleOf(rows, fused);
  if (!wasmApi.validate(module)) return null;
  return {
    module,
    pages: 1,
    calls: [{ name: 'repeat', arguments: [blocks] }],
    flops: blocks * 2 * rows * 4 * vectors * depth,
  };
};
