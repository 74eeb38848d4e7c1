/**
 * Who owns which part of an address range: the bookkeeping of WebAssembly memory, without the memory.
 *
 * Best fit, because programs ask for the same sizes again and again and a gap that fits exactly leaves nothing over.
 * Gaps are kept by size: a sorted array of the sizes that there are, and a list of the gaps of each. Different sizes add
 * up, so even 4 GiB cannot hold more than some ten thousand of them, and usually there are a few dozen.
 *
 * Inside everything is counted in units of 16 bytes: 4 GiB are then 2²⁸ units, small integers to every engine.
 */
import { end } from './threads/control.js';

/** Blocks start at multiples of this many bytes and are as long: a vector beginning in a block can be stored whole. */
const unit = 16;
/** No block begins below, where threads have their words; address 0 can stand for none. */
export const lowest = end;

/** A block in use or a gap, between its neighbours in memory; a gap also between gaps of its size. */
interface Block {
  from: number;
  length: number;
  free: boolean;
  before: Block | null;
  after: Block | null;
  previous: Block | null;
  next: Block | null;
}

/**
 * Blocks by a positive number. A Map would do, but for this: V8 leaves what was deleted in the chain of its key until the
 * table is full, and here the same addresses and sizes come and go all the time. With 8000 blocks that took 20 µs a time.
 */
class Table {
  /** 0 where nothing is. Open addressing; at most half full. */
  #keys = new Int32Array(256);
  #blocks: (Block | undefined)[] = new Array(256).fill(undefined);
  #count = 0;

  get(key: number): Block | undefined {
    return this.#blocks[this.#slotOf(key)];
  }

  set(key: number, block: Block): void {
    const slot = this.#slotOf(key);
    this.#blocks[slot] = block;
    if (this.#keys[slot] === key) return;
    this.#keys[slot] = key;
    this.#count += 1;
    if (2 * this.#count > this.#keys.length) this.#double();
  }

  delete(key: number): void {
    const [keys, blocks] = [this.#keys, this.#blocks];
    const mask = keys.length - 1;
    let hole = this.#slotOf(key);
    if (keys[hole] !== key) return;
    // What comes after moves up, unless it would come to stand before the slot where its search begins.
    for (let slot = (hole + 1) & mask; keys[slot] !== 0; slot = (slot + 1) & mask) {
      if (((slot - this.#homeOf(keys[slot]!)) & mask) < ((slot - hole) & mask)) continue;
      keys[hole] = keys[slot]!;
      blocks[hole] = blocks[slot];
      hole = slot;
    }
    keys[hole] = 0;
    blocks[hole] = undefined;
    this.#count -= 1;
  }

  /** Where the search for a key begins. */
  #homeOf(key: number): number {
    const mixed = Math.imul(key, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & (this.#keys.length - 1);
  }

  /** The slot of a key, or the empty one where it belongs. */
  #slotOf(key: number): number {
    const keys = this.#keys;
    let slot = this.#homeOf(key);
    while (keys[slot] !== key && keys[slot] !== 0) slot = (slot + 1) & (keys.length - 1);
    return slot;
  }

  #double(): void {
    const [keys, blocks] = [this.#keys, this.#blocks];
    this.#keys = new Int32Array(2 * keys.length);
    this.#blocks = new Array(2 * keys.length).fill(undefined);
    keys.forEach((key, slot) => {
      if (key === 0) return;
      const to = this.#slotOf(key);
      this.#keys[to] = key;
      this.#blocks[to] = blocks[slot];
    });
  }
}

const unitsFor = (bytes: number): number => Math.max(1, Math.ceil(bytes / unit));

/** The bytes that a block for `bytes` takes. */
export const padded = (bytes: number): number => unitsFor(bytes) * unit;

/** An address range, from {@link lowest} to an end that can move up. */
export class Allocator {
  /** Blocks in use, by their first unit. */
  readonly #blocks = new Table();
  /** The newest gap of each size. */
  readonly #gaps = new Table();
  /** The sizes of gaps, ascending; the first `#count` count. */
  #sizes = new Int32Array(64);
  #count = 0;
  #last: Block | null = null;
  #end = lowest / unit;
  #used = 0;

  constructor(end: number = lowest) {
    this.extend(end);
  }

  /** Where the range ends. */
  get end(): number {
    return this.#end * unit;
  }

  /** Bytes in blocks that are in use. */
  get used(): number {
    return this.#used * unit;
  }

  /** Bytes of the largest gap. */
  get largestFree(): number {
    return this.#count === 0 ? 0 : this.#sizes[this.#count - 1]! * unit;
  }

  /** Bytes of the gap at the end, which extending the range makes larger. */
  get freeAtEnd(): number {
    return this.#last?.free ? this.#last.length * unit : 0;
  }

  /** The address of a new block, in the smallest gap that is large enough; null when there is none. */
  allocate(bytes: number): number | null {
    const length = unitsFor(bytes);
    const index = this.#indexOf(length);
    if (index === this.#count) return null;
    const block = this.#gaps.get(this.#sizes[index]!)!;
    this.#removeGap(block);
    if (block.length > length) {
      const rest = this.#insertAfter(block, block.from + length, block.length - length);
      block.length = length;
      this.#addGap(rest);
    }
    block.free = false;
    this.#blocks.set(block.from, block);
    this.#used += length;
    return block.from * unit;
  }

  /** Gives a block back; it becomes one gap with the gaps beside it. */
  free(address: number): void {
    const block = this.#blocks.get(address / unit);
    if (block === undefined) throw new Error(`tenfold: no block begins at address ${address}; please report this`);
    this.#blocks.delete(block.from);
    this.#used -= block.length;
    const { before, after } = block;
    if (after?.free) {
      this.#removeGap(after);
      this.#mergeWithNext(block);
    }
    if (before?.free) {
      this.#removeGap(before);
      this.#mergeWithNext(before);
      this.#addGap(before);
    } else {
      this.#addGap(block);
    }
  }

  /** Moves the end of the range up. */
  extend(end: number): void {
    const more = Math.floor(end / unit) - this.#end;
    if (more <= 0) return;
    const from = this.#end;
    this.#end += more;
    if (this.#last?.free) {
      this.#removeGap(this.#last);
      this.#last.length += more;
      this.#addGap(this.#last);
    } else {
      this.#addGap(this.#insertAfter(this.#last, from, more));
    }
  }

  #insertAfter(before: Block | null, from: number, length: number): Block {
    const after = before === null ? null : before.after;
    const block: Block = { from, length, free: true, before, after, previous: null, next: null };
    if (before !== null) before.after = block;
    if (after !== null) after.before = block;
    else this.#last = block;
    return block;
  }

  #mergeWithNext(block: Block): void {
    const gone = block.after!;
    block.length += gone.length;
    block.after = gone.after;
    if (gone.after !== null) gone.after.before = block;
    else this.#last = block;
  }

  /** Where in `#sizes` the first size is that is at least `length`. */
  #indexOf(length: number): number {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sizes[middle]! < length) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addGap(block: Block): void {
    block.free = true;
    block.previous = null;
    const head = this.#gaps.get(block.length);
    block.next = head ?? null;
    this.#gaps.set(block.length, block);
    if (head !== undefined) {
      head.previous = block;
      return;
    }
    if (this.#count === this.#sizes.length) {
      const sizes = new Int32Array(2 * this.#count);
      sizes.set(this.#sizes);
      this.#sizes = sizes;
    }
    const index = this.#indexOf(block.length);
    this.#sizes.copyWithin(index + 1, index, this.#count);
    this.#sizes[index] = block.length;
    this.#count += 1;
  }

  #removeGap(block: Block): void {
    const { previous, next, length } = block;
    if (next !== null) next.previous = previous;
    if (previous !== null) {
      previous.next = next;
      return;
    }
    if (next !== null) {
      this.#gaps.set(length, next);
      return;
    }
    this.#gaps.delete(length);
    const index = this.#indexOf(length);
    this.#sizes.copyWithin(index, index + 1, this.#count);
    this.#count -= 1;
  }
}
