/**
 * Which values are in WebAssembly memory: a write-back cache over ordinary garbage-collected arrays.
 *
 * Results stay where kernels wrote them, so that the next program finds them there. Nobody frees a tensor, so memory
 * comes back in two ways: a FinalizationRegistry says that nobody holds a value any more, and its block is dropped; and
 * when the limit is reached the least recently used values are copied out to arrays, which live and die with their
 * storages. The second must do alone in a synchronous loop, where finalizers never run; so it also takes a value out of
 * the registry, whose books would grow otherwise, and bounds the number of small values, which would reach no limit of
 * bytes for a long time while each has its record here.
 *
 * Finalizers run after a collection, and engines collect by what they have allocated themselves, which this memory is not
 * part of: they are reminded. In a loop that yields now and then values thus leave before they would have to be copied.
 *
 * What must not be held: an `Entry`, which the table and the registry refer to, never leads to a storage, nor to an array
 * while its value is in memory. An evicted entry is only reached from its storage.
 */
import { allocating, arrayClassOf, bytesOf, copyOf, type DType, type TypedArray } from '../../dtype.js';
import { MemoryError } from '../../errors.js';
import { showAval } from '../../shape.js';
import { HostStorage, type Storage } from '../../storage.js';
import { Allocator, lowest, padded } from './allocator.js';
import { now, type WasmMemory } from './api.js';
import { Entry, Queue } from './entries.js';

const pageBytes = 2 ** 16;
/** One page short of 4 GiB, so that no address, also one past the end, needs more than 32 bits. */
const ceiling = 2 ** 32 - pageBytes;
/** Kernels read whole vectors, somewhat beyond the last value: not beyond the memory. */
const slack = 64;
/** Bytes that blocks can take at most. */
export const capacity = ceiling - slack - lowest;
const defaultLimit = 2 ** 30;
/** Copying so few bytes costs less than keeping a record of them, and engines keep such arrays without a buffer. */
const tinyBytes = 64;
/** Below, values are bounded by their number: records are some hundred bytes each. */
const smallBytes = 2 ** 14;
const maximumSmall = 2 ** 13;
/**
 * Bytes of new values after which a collection would be of use, if there is room for so many. It takes helpers of the engine from where
 * threads of ours are at work: with half as many a training step of 8 MB on two threads of two cores took 4.7 ms in the mean instead of 2.8.
 */
const reminderBytes = 2 ** 28;
const leastReminderBytes = 2 ** 25;
/** V8 begins to mark when 64 MiB of arrays were made since it did last. */
const noticedBytes = 65 * 2 ** 20;
/** What is empty is here: no block, nothing to read or to write. */
const nowhere = lowest - 16;

/** Made when needed and dropped at once: a view does not survive that memory grows. */
const viewOf = ({ buffer }: WasmMemory, dtype: DType, address: number, size: number): TypedArray =>
  new (arrayClassOf(dtype))(buffer, address, size);

/** A computed value: in WebAssembly memory until it is evicted, in an array from then on, and perhaps in both. */
class ResidentStorage implements Storage {
  readonly dtype: DType;
  readonly size: number;
  readonly home: Residency;
  readonly entry: Entry;
  /** The elements, once they were evicted and copied back. */
  array: TypedArray | null = null;

  constructor(home: Residency, entry: Entry) {
    this.dtype = entry.dtype;
    this.size = entry.size;
    this.home = home;
    this.entry = entry;
  }

  async read(): Promise<TypedArray> {
    return this.readSync();
  }

  /**
   * A copy while the only elements are those in WebAssembly memory, else the array.
   *
   * @throws MemoryError when there is no memory for the copy
   */
  readSync(): TypedArray {
    const { array, entry, home, dtype, size } = this;
    if (array !== null) return array;
    if (entry.evicted !== null) return entry.evicted;
    return allocating('read', dtype, [size], () => copyOf(viewOf(home.memory, dtype, entry.address, size)));
  }
}

/** What needs memory, in words that only an error needs. */
type Description = string | (() => string);

const inWords = (description: Description): string => (typeof description === 'string' ? description : description());

/** What a cache has done; for tests and reports. */
export interface ResidencyStats {
  /** Bytes of the values that are in memory now. */
  residentBytes: number;
  residentValues: number;
  /** Values that had to leave, and their bytes; those copied out are the ones that no array had. */
  evictions: number;
  evictedBytes: number;
  copiedOutBytes: number;
  /** Milliseconds that making room took. */
  evictionMs: number;
  /** Values that were copied into memory, and their bytes. */
  copiedIn: number;
  copiedInBytes: number;
}

/** The values in one WebAssembly memory, which must be used by nobody else from {@link lowest} on. */
export class Residency {
  readonly memory: WasmMemory;
  /**
   * Bytes of WebAssembly memory to use before values are evicted. Memory grows beyond when one program needs it, and as
   * it never shrinks, what was added is used from then on.
   */
  limit: number;
  readonly stats: ResidencyStats = {
    residentBytes: 0,
    residentValues: 0,
    evictions: 0,
    evictedBytes: 0,
    copiedOutBytes: 0,
    evictionMs: 0,
    copiedIn: 0,
    copiedInBytes: 0,
  };
  readonly #allocator: Allocator;
  /** What may be evicted. Pinned entries are in neither queue. */
  readonly #small = new Queue();
  readonly #large = new Queue();
  #evictableBytes = 0;
  #clock = 0;
  /** The bytes of values when some were last found to be dead; infinite once the engine is reminded. */
  #looked = 0;
  #pinned: Entry[] = [];
  /** Blocks that hold copies of tiny values for this run. */
  #passing: number[] = [];
  readonly #foreign = new WeakMap<Storage, Entry>();
  readonly #registry: FinalizationRegistry<Entry> | null;

  constructor(memory: WasmMemory, limit: number = defaultLimit) {
    this.memory = memory;
    this.limit = limit;
    this.#allocator = new Allocator(memory.buffer.byteLength - slack);
    this.#registry =
      typeof FinalizationRegistry === 'undefined' ? null : new FinalizationRegistry(entry => this.#collected(entry));
  }

  /**
   * The address of a new block, a multiple of 16, for a result or for temporaries. It stays until it is freed or adopted.
   * Its bytes are undefined; it can be written up to the next multiple of 16, and read 64 bytes beyond.
   *
   * @param description what needs it, for the error: `float32[64,3,32,32]`
   * @throws MemoryError when there is no room even without all values that are not in use
   */
  allocate(bytes: number, description?: Description): number {
    if (bytes === 0) return nowhere;
    return this.#allocator.allocate(bytes) ?? this.#makeRoom(bytes, description);
  }

  /** Says that a run is about to use a value: if others can leave instead, it stays. */
  touch(storage: Storage): void {
    const entry =
      storage instanceof ResidentStorage && storage.home === this ? storage.entry : this.#foreign.get(storage);
    if (entry === undefined || entry.address === 0 || entry.pinned) return;
    this.#remove(entry);
    this.#append(entry);
  }

  /** Gives back a block that was not adopted. */
  free(address: number): void {
    if (address !== nowhere) this.#allocator.free(address);
  }

  /** Makes the elements in an allocated block a value. The block is no longer the caller's. */
  adopt(dtype: DType, size: number, address: number): Storage {
    const bytes = bytesOf[dtype] * size;
    if (bytes <= tinyBytes) {
      const array = viewOf(this.memory, dtype, address, size).slice();
      this.free(address);
      return new HostStorage(dtype, array);
    }
    const entry = new Entry(dtype, size, false);
    const storage = new ResidentStorage(this, entry);
    this.#settle(entry, storage, address);
    this.#append(entry);
    return storage;
  }

  /**
   * The address of a value's elements, copied in if they are not there. It holds, and the value is not evicted, until
   * `unpinAll`.
   *
   * @throws MemoryError when there is no room
   */
  use(storage: Storage): number {
    const { dtype, size } = storage;
    if (size === 0) return nowhere;
    if (bytesOf[dtype] * size <= tinyBytes) return this.#pass(storage);
    const own = storage instanceof ResidentStorage && storage.home === this;
    const entry = own ? storage.entry : this.#entryOf(storage);
    if (entry.pinned) return entry.address;
    if (entry.address !== 0) {
      this.#remove(entry);
    } else {
      const array = storage.readSync();
      this.#settle(entry, storage, this.#copyIn(array, dtype));
      if (own) {
        storage.array = array;
        entry.evicted = null;
        entry.clean = true;
      }
    }
    entry.pinned = true;
    this.#pinned.push(entry);
    return entry.address;
  }

  /** Ends a run: what it used may be evicted again. */
  unpinAll(): void {
    for (const address of this.#passing) this.#allocator.free(address);
    this.#passing = [];
    const pinned = this.#pinned;
    this.#pinned = [];
    for (const entry of pinned) {
      entry.pinned = false;
      if (entry.dead) this.#vacate(entry);
      else this.#append(entry);
    }
  }

  /** A copy of a tiny value for this run alone. */
  #pass(storage: Storage): number {
    const address = this.#copyIn(storage.readSync(), storage.dtype);
    this.#passing.push(address);
    return address;
  }

  #copyIn(array: TypedArray, dtype: DType): number {
    const bytes = bytesOf[dtype] * array.length;
    const address =
      this.#allocator.allocate(bytes) ?? this.#makeRoom(bytes, () => showAval({ shape: [array.length], dtype }));
    viewOf(this.memory, dtype, address, array.length).set(array);
    this.stats.copiedIn += 1;
    this.stats.copiedInBytes += bytes;
    return address;
  }

  /** The entry of a value that was not computed here: clean, because its storage has the elements. */
  #entryOf(storage: Storage): Entry {
    const known = this.#foreign.get(storage);
    if (known !== undefined) return known;
    const entry = new Entry(storage.dtype, storage.size, true);
    this.#foreign.set(storage, entry);
    return entry;
  }

  /** The value has come to memory. */
  #settle(entry: Entry, storage: Storage, address: number): void {
    entry.address = address;
    this.stats.residentBytes += entry.bytes;
    this.stats.residentValues += 1;
    this.#registry?.register(storage, entry, entry);
    if (this.stats.residentBytes > this.#reminder) this.#remind();
  }

  /** The bytes of values at which the engine is reminded. */
  get #reminder(): number {
    const room = Math.max(leastReminderBytes, (this.limit - this.#looked) / 2);
    return this.#looked + Math.min(reminderBytes, room);
  }

  /** Makes the engine look for what nobody holds, once until something has been found: an array nobody touches is free. */
  #remind(): void {
    this.#looked = Number.POSITIVE_INFINITY;
    try {
      void new ArrayBuffer(noticedBytes);
    } catch {
      // Where so much is not even to be had on paper, it has looked already.
    }
  }

  /** The value, which is in no queue, goes from memory. */
  #vacate(entry: Entry): void {
    this.#allocator.free(entry.address);
    entry.address = 0;
    this.stats.residentBytes -= entry.bytes;
    this.stats.residentValues -= 1;
  }

  #queueOf(entry: Entry): Queue {
    return entry.bytes < smallBytes ? this.#small : this.#large;
  }

  #append(entry: Entry): void {
    entry.used = ++this.#clock;
    this.#queueOf(entry).append(entry);
    this.#evictableBytes += padded(entry.bytes);
    if (this.#small.length > maximumSmall) this.#evict(this.#small.oldest!);
  }

  #remove(entry: Entry): void {
    this.#queueOf(entry).remove(entry);
    this.#evictableBytes -= padded(entry.bytes);
  }

  #collected(entry: Entry): void {
    if (entry.address === 0) return;
    if (entry.pinned) {
      entry.dead = true;
      return;
    }
    this.#remove(entry);
    this.#vacate(entry);
    this.#looked = this.stats.residentBytes;
  }

  /** False, and nothing has changed, when there is no memory for the copy. */
  #evict(entry: Entry): boolean {
    if (!entry.clean) {
      try {
        entry.evicted = copyOf(viewOf(this.memory, entry.dtype, entry.address, entry.size));
      } catch (error) {
        if (error instanceof RangeError) return false;
        throw error;
      }
      this.stats.copiedOutBytes += entry.bytes;
    }
    this.#registry?.unregister(entry);
    this.#remove(entry);
    this.#vacate(entry);
    this.stats.evictions += 1;
    this.stats.evictedBytes += entry.bytes;
    return true;
  }

  #leastRecentlyUsed(): Entry | null {
    const [small, large] = [this.#small.oldest, this.#large.oldest];
    if (small === null) return large;
    return large === null || small.used < large.used ? small : large;
  }

  #makeRoom(bytes: number, description: Description = 'a block'): number {
    const allocator = this.#allocator;
    const held = allocator.used - this.#evictableBytes;
    // What can never fit must not drive out everything before it fails.
    if (held + padded(bytes) > capacity) throw tooLarge(bytes, inWords(description), held);
    // Memory that nobody touches costs nothing: so it grows in large steps, and to the limit before anything is evicted.
    const most = Math.min(ceiling, Math.floor(this.limit / pageBytes) * pageBytes);
    const wanted = Math.min(most, this.#sizeFor(bytes));
    if (!this.#grow(Math.min(most, Math.max(wanted, 2 * this.memory.buffer.byteLength)))) this.#grow(wanted);
    let address = allocator.allocate(bytes);
    if (address !== null) return address;

    const started = now();
    for (let entry = this.#leastRecentlyUsed(); entry !== null && address === null; entry = this.#leastRecentlyUsed()) {
      if (!this.#evict(entry)) break;
      address = allocator.allocate(bytes);
    }
    this.stats.evictionMs += now() - started;
    if (address === null && this.#grow(this.#sizeFor(bytes))) address = allocator.allocate(bytes);
    if (address === null) throw tooLarge(bytes, inWords(description), allocator.used - this.#evictableBytes);
    return address;
  }

  /** The size of memory at which a block of so many bytes fits at its end. */
  #sizeFor(bytes: number): number {
    return this.#allocator.end - this.#allocator.freeAtEnd + padded(bytes) + slack;
  }

  /** Grows memory to at least this size, rounded to pages; false when that is not to be had. */
  #grow(size: number): boolean {
    const pages = Math.ceil(size / pageBytes) - this.memory.buffer.byteLength / pageBytes;
    if (pages <= 0) return true;
    if (size > ceiling) return false;
    try {
      this.memory.grow(pages);
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#allocator.extend(this.memory.buffer.byteLength - slack);
    return true;
  }
}

const mebibytes = (count: number): string => `${(count / 2 ** 20).toFixed(0)} MiB`;

/** The error about something that needs more than there is. */
export const tooLarge = (bytes: number, description: string, held: number): MemoryError =>
  new MemoryError({
    operation: 'wasm backend',
    given: `${description} that needs ${bytes} bytes (${mebibytes(bytes)})${held > 0 ? ` beside ${mebibytes(held)} in use` : ''}`,
    rule: 'what a program works on must fit together into the 4 GiB that WebAssembly can address, and into the memory there is',
    hint: 'Use smaller batches, or compute it in parts: read or realize() intermediate results.',
  });
