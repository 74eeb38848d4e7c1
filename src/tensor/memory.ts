/** The memory that values are kept in: how much of it, and what has become of it. */
import { residency } from './backend/wasm/wasm.js';
import { kindOf } from './ops/common/checks.js';
import { checkArgument } from './shape.js';

/** What {@link memoryStats} tells. Counts begin when the process does. */
export interface MemoryStats {
  /** Bytes of WebAssembly memory to take before values are copied out: what {@link setMemoryLimit} sets. */
  readonly limit: number;
  /** Bytes of WebAssembly memory taken from the system. It grows, and never shrinks. */
  readonly memoryBytes: number;
  /** Bytes of the values that are in it now, also of those that nobody holds and no collection has found yet. */
  readonly residentBytes: number;
  /** How many these are. */
  readonly residentValues: number;
  /** Values that had to leave. */
  readonly evictions: number;
  /** Bytes of those that were copied to ordinary arrays; a value that such an array has already is dropped. */
  readonly copiedOutBytes: number;
  /** Milliseconds that making room took. */
  readonly evictionMs: number;
}

const [least, most] = [2 ** 20, 2 ** 32];

/**
 * Sets how much WebAssembly memory values may take before the least recently used ones are copied out to ordinary arrays,
 * which the engine collects like any others. They come back when they are used again. The default is 1 GiB.
 *
 * Memory grows beyond the limit when a single program needs more at once. It never shrinks, so a limit below what has been
 * taken already changes nothing: set it before computing.
 *
 * @param bytes from 1 MiB to 4 GiB, the most that WebAssembly can address
 * @throws ArgumentError when it is no integer in that range
 * @example
 * ```js
 * import { memoryStats, setMemoryLimit } from 'tenfold';
 * setMemoryLimit(512 * 2 ** 20);
 * memoryStats().limit; // => 2 ** 29
 * setMemoryLimit(2 ** 30);
 * setMemoryLimit(512); // throws ArgumentError
 * ```
 */
export const setMemoryLimit = (bytes: number): void => {
  checkArgument(
    Number.isInteger(bytes) && bytes >= least && bytes <= most,
    'setMemoryLimit',
    kindOf(bytes),
    'the limit is a whole number of bytes from 1048576 (1 MiB) to 4294967296 (4 GiB)',
    'Write 256 * 2 ** 20 for 256 MiB.',
  );
  residency().limit = bytes;
};

/**
 * How much memory values take, and what it has cost to stay within the limit.
 *
 * Values that nobody holds leave without a copy once the engine has found them, which takes turns of the event loop: a loop
 * that awaits something now and then, other than promises that are settled already, copies out little or nothing.
 *
 * @returns a frozen record
 * @example
 * ```js
 * import { arange, memoryStats, realize } from 'tenfold';
 * const before = memoryStats();
 * const x = realize(arange(1000));
 * const after = memoryStats();
 * after.residentBytes - before.residentBytes; // => 4000
 * after.evictions - before.evictions; // => 0
 * ```
 */
export const memoryStats = (): MemoryStats => {
  const { limit, memory, stats } = residency();
  const { residentBytes, residentValues, evictions, copiedOutBytes, evictionMs } = stats;
  return Object.freeze({
    limit,
    memoryBytes: memory.buffer.byteLength,
    residentBytes,
    residentValues,
    evictions,
    copiedOutBytes,
    evictionMs,
  });
};
