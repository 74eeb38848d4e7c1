/** Records of the values in WebAssembly memory, and the order in which they leave. */
import { bytesOf, type DType, type TypedArray } from '../../dtype.js';

/** What is known about a value that is, or was, in memory. */
export class Entry {
  readonly dtype: DType;
  readonly size: number;
  readonly bytes: number;
  /** 0 when the value is not in memory. */
  address = 0;
  /** Whether its storage has the elements in an array too, so that evicting copies nothing. */
  clean: boolean;
  /** The elements after a dirty entry was evicted, until its storage takes them over. */
  evicted: TypedArray | null = null;
  pinned = false;
  /** Collected while pinned: to be dropped when the run ends. */
  dead = false;
  /** The time of the last use, and the neighbours in a queue by it. */
  used = 0;
  older: Entry | null = null;
  newer: Entry | null = null;

  constructor(dtype: DType, size: number, clean: boolean) {
    this.dtype = dtype;
    this.size = size;
    this.bytes = bytesOf[dtype] * size;
    this.clean = clean;
  }
}

/** Entries in the order of their last use. */
export class Queue {
  oldest: Entry | null = null;
  #newest: Entry | null = null;
  length = 0;

  append(entry: Entry): void {
    entry.older = this.#newest;
    if (this.#newest === null) this.oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.length += 1;
  }

  remove(entry: Entry): void {
    const { older, newer } = entry;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    entry.older = null;
    entry.newer = null;
    this.length -= 1;
  }
}
