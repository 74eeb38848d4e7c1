/** What memory allows in WebAssembly: copying and reading, in tiles, each a call of one function. */
import { FunctionWriter, link } from '../../src/tensor/backend/wasm/assembler.js';
import { type LimitKernel, pageBytes } from './kernel.js';

const tile = 64 * 1024;

/** Bytes of an iteration: eight vectors. */
const stride = 128;

/** (from, to): copies a tile. */
const writeCopy = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32']);
  const end = f.get(0).i32(tile).op('i32.add').keep('i32');
  return f.loop(0, end, stride, () => {
    for (let at = 0; at < stride; at += 16) f.get(1).get(0).memory('v128.load', at).memory('v128.store', at);
    f.get(1).i32(stride).op('i32.add').set(1);
  });
};

/** (from, to): the same by the instruction made for it. */
const writeMemoryCopy = (): FunctionWriter => new FunctionWriter(['i32', 'i32']).get(1, 0).i32(tile).memoryCopy();

/** (from, to): adds a tile up, in four vectors, and stores their sum. */
const writeRead = (): FunctionWriter => {
  const f = new FunctionWriter(['i32', 'i32']);
  const sums = [0, 1, 2, 3].map(() => f.local('v128'));
  const end = f.get(0).i32(tile).op('i32.add').keep('i32');
  f.loop(0, end, stride, () => {
    for (let at = 0; at < stride; at += 16) {
      const sum = sums[(at / 16) % 4]!;
      f.get(sum, 0).memory('v128.load', at).op('f32x4.add').set(sum);
    }
  });
  f.get(1, sums[0]!, sums[1]!).op('f32x4.add').get(sums[2]!, sums[3]!);
  return f.op('f32x4.add', 'f32x4.add').memory('v128.store');
};

const kernel = (writer: FunctionWriter, bytes: number, written: boolean, count = 1): LimitKernel => ({
  module: link([{ name: 'tile', writer }]).bytes,
  pages: 1 + (written ? 1 + count : 1) * Math.ceil(bytes / pageBytes),
  places: { count, bytes },
  calls: Array.from({ length: bytes / tile }, (_, i) => ({
    name: 'tile',
    // The first page takes what a kernel wants to write beside its purpose.
    arguments: [pageBytes + i * tile, written ? pageBytes + bytes + i * tile : 0],
  })),
});

/** Copies so many bytes, a multiple of 64 KiB, with vector loads and stores. */
export const copyKernel = (bytes: number): LimitKernel => kernel(writeCopy(), bytes, true);

/**
 * Copies so many bytes to 64 places in turn: what it costs to write results to memory that no cache has, as a library must
 * that does not know which results are still wanted.
 */
export const freshCopyKernel = (bytes: number): LimitKernel => kernel(writeCopy(), bytes, true, 64);

/** Copies so many bytes with `memory.copy`. */
export const memoryCopyKernel = (bytes: number): LimitKernel => kernel(writeMemoryCopy(), bytes, true);

/** Reads so many bytes, adding them up as float32. */
export const readKernel = (bytes: number): LimitKernel => kernel(writeRead(), bytes, false);
