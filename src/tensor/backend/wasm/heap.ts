/** The memory that kernels work on. One for all programs: they run one after another, each from its start. */
import { bytesOf, type DType, type TypedArray } from '../../dtype.js';
import { MemoryError } from '../../errors.js';
import { type WasmMemory, wasmApi } from './api.js';

const pageBytes = 2 ** 16;
const maximumPages = 2 ** 16;
/** Kernels read whole vectors, up to 15 bytes beyond the last value. */
const slack = 64;

/** Typed views of the memory; made anew when it has grown. */
export class Heap {
  readonly memory: WasmMemory = new (wasmApi().Memory)({ initial: 16, maximum: maximumPages });

  /**
   * Grows the memory to at least this many bytes.
   *
   * @throws MemoryError when there are not so many
   */
  ensure(bytes: number): void {
    const pages = Math.ceil((bytes + slack) / pageBytes);
    const missing = pages - this.memory.buffer.byteLength / pageBytes;
    if (missing <= 0) return;
    try {
      if (pages > maximumPages) throw new RangeError(`more than ${maximumPages} pages`);
      this.memory.grow(missing);
    } catch (cause) {
      throw new MemoryError(
        {
          operation: 'wasm backend',
          given: `a program that needs ${bytes} bytes (${(bytes / 2 ** 20).toFixed(0)} MiB) at once`,
          rule: 'a program must fit into the 4 GiB that WebAssembly can address, and into the memory there is',
          hint: 'Use smaller batches, or compute it in parts: read or realize() intermediate results.',
        },
        { cause },
      );
    }
  }

  view(dtype: DType, offset: number, length: number): TypedArray {
    const { buffer } = this.memory;
    switch (dtype) {
      case 'float32':
        return new Float32Array(buffer, offset, length);
      case 'float64':
        return new Float64Array(buffer, offset, length);
      case 'int32':
        return new Int32Array(buffer, offset, length);
      case 'uint32':
        return new Uint32Array(buffer, offset, length);
      default:
        return new Uint8Array(buffer, offset, length);
    }
  }

  /** Copies bytes from place to place. */
  copy(to: number, from: number, bytes: number): void {
    if (to !== from && bytes > 0) new Uint8Array(this.memory.buffer).copyWithin(to, from, from + bytes);
  }
}

export const bytesFor = (dtype: DType, size: number): number => bytesOf[dtype] * size;
