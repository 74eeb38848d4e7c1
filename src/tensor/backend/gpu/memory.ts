/**
 * Which values are on a device, and what makes room for others.
 *
 * Nobody frees a tensor. As in WebAssembly memory (residency.ts) buffers come back in two ways: a FinalizationRegistry says
 * that nobody holds a value any more, and above a budget the least recently used values are spilled: read back to
 * ordinary arrays, which live and die with their storages, and uploaded when they are used again. Finalizers run after a
 * collection, which engines make by what they have allocated themselves: they are reminded of what is on the device.
 */
import { allocating, type TypedArray } from '../../dtype.js';
import { DeviceError } from '../../errors.js';
import type { Storage } from '../../storage.js';
import { decode } from './encoding.js';
import type { DeviceBuffer, Launcher } from './launch/launcher.js';
import type { Entry } from './storage.js';

/** What a device has done; for tests and reports. Bytes are those on the device. */
export interface DeviceStats {
  /** Values that are on the device now. */
  residentValues: number;
  residentBytes: number;
  /** Values that had to leave. */
  spilled: number;
  spilledBytes: number;
  uploads: number;
  uploadedBytes: number;
  /** Values that were read back, to be spilled or because somebody asked. */
  readbacks: number;
  readbackBytes: number;
}

/** Beyond, values leave even if they are small: each has its buffer, of which devices know more than the bytes. */
const maximumValues = 2 ** 16;
/** Bytes that are read back together when values are spilled: a device may need as much again for it. */
const batchBytes = 2 ** 26;
/** Bytes of new values after which a collection would be of use: a part of the budget within these bounds. */
const [leastReminder, mostReminder] = [2 ** 25, 2 ** 30];
/** What a value counts at least: finding small ones is worth it as well, since each has a buffer. */
const leastNoticed = 2 ** 14;
/** V8 begins to mark when 64 MiB of arrays were made since it did last. */
const noticedBytes = 65 * 2 ** 20;
/** V8 (Node 20) takes 2 to 4 turns of the event loop to find what nobody holds after it was reminded. */
const turnsToFind = 8;

/** What comes after the finalizers that are due. The timer is gone when it is over. */
const turn = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

/** The values on one device. */
export class DeviceMemory {
  /** Bytes for values before the least recently used are spilled. */
  budget: number;
  readonly stats: DeviceStats = {
    residentValues: 0,
    residentBytes: 0,
    spilled: 0,
    spilledBytes: 0,
    uploads: 0,
    uploadedBytes: 0,
    readbacks: 0,
    readbackBytes: 0,
  };
  readonly #launcher: Launcher;
  /** What may be spilled, the least recently used first. */
  readonly #recent = new Set<Entry>();
  #pinned: Entry[] = [];
  readonly #reading = new Set<Promise<TypedArray>>();
  readonly #registry: FinalizationRegistry<Entry> | null;
  /** Bytes of new values since the engine found something, or was reminded. */
  #made = 0;
  /** How often it was reminded since it found something. */
  #reminders = 0;
  #closed = false;

  constructor(launcher: Launcher, budget: number) {
    this.#launcher = launcher;
    this.budget = budget;
    this.#registry =
      typeof FinalizationRegistry === 'undefined' ? null : new FinalizationRegistry(entry => this.#collected(entry));
  }

  /** Why nothing works any more, if so. */
  broken(): DeviceError | null {
    const { lost, mode, adapter } = this.#launcher;
    if (lost === null && !this.#closed) return null;
    return new DeviceError({
      operation: 'device',
      given: `work for ${mode} on ${adapter}`,
      rule: this.#closed ? 'this device has been destroyed' : `this device is lost: ${lost}`,
      hint: 'Values that were read before can still be read; compute the others again, on another device.',
    });
  }

  /** @throws DeviceError if nothing works any more */
  refuse(): void {
    const broken = this.broken();
    if (broken !== null) throw broken;
  }

  /** A value that is on the device stays there until `unpinAll`. */
  pin(entry: Entry): void {
    if (entry.pinned) return;
    this.#recent.delete(entry);
    entry.pinned = true;
    this.#pinned.push(entry);
  }

  /** What was used may be spilled again. A job that goes on for long may say so before it ends. */
  unpinAll(): void {
    const pinned = this.#pinned;
    this.#pinned = [];
    for (const entry of pinned) {
      entry.pinned = false;
      if (entry.dead) this.#vacate(entry);
      else if (entry.buffer !== null) this.#recent.add(entry);
    }
  }

  /**
   * Makes room for so many bytes within the budget, if it can: a job asks for what it is going to make, after it has
   * pinned what it uses. Where there is no room without what is pinned, the device is asked for more than the budget.
   */
  room(bytes: number): void | Promise<void> {
    this.refuse();
    // Buffers kept for reuse are worth keeping, but values must not be spilled for them.
    if (this.#launcher.bytes > this.budget) this.#launcher.trim();
    if (!this.fits(bytes)) return this.#makeRoom(bytes);
  }

  /** After the readings that are under way nothing works any more. */
  async close(): Promise<void> {
    // Who has been waiting for a value begins to read it now.
    await turn();
    while (this.#reading.size > 0) await Promise.allSettled(this.#reading);
    this.#closed = true;
    this.#recent.clear();
    this.stats.residentBytes = 0;
    this.stats.residentValues = 0;
  }

  /** The value has come to the device. */
  arrive(entry: Entry, storage: Storage, buffer: DeviceBuffer): void {
    entry.buffer = buffer;
    this.pin(entry);
    this.stats.residentValues += 1;
    this.stats.residentBytes += entry.bytes;
    this.#registry?.register(storage, entry, entry);
  }

  /** So many bytes are those of a new value, which will be garbage one day. */
  count(bytes: number): void {
    this.#made += Math.max(bytes, leastNoticed);
    const due = Math.min(mostReminder, Math.max(leastReminder, this.budget / 8));
    // The more often it was reminded in vain, the less there seems to be to find.
    if (this.#made > due * 2 ** this.#reminders) this.#remind();
  }

  /** The value, which may not be spilled at the moment, goes from the device. */
  #vacate(entry: Entry): void {
    if (entry.buffer === null || this.#closed) return;
    this.stats.residentValues -= 1;
    this.stats.residentBytes -= entry.bytes;
    this.#launcher.free(entry.buffer);
    entry.buffer = null;
  }

  #collected(entry: Entry): void {
    this.#made = 0;
    this.#reminders = 0;
    if (entry.pinned || entry.reading !== null) {
      entry.dead = true;
      return;
    }
    this.#recent.delete(entry);
    this.#vacate(entry);
  }

  /** Makes the engine look for what nobody holds: an array that nobody touches is free. */
  #remind(): void {
    this.#made = 0;
    this.#reminders += 1;
    try {
      void new ArrayBuffer(noticedBytes);
    } catch {
      // Where so much is not even to be had on paper, it has looked already.
    }
  }

  /** Whether so many bytes are within the budget, without `leaving` bytes of so many values. */
  fits(bytes: number, leaving = 0, values = 0): boolean {
    const { residentBytes, residentValues } = this.stats;
    return residentBytes - leaving + bytes <= this.budget && residentValues - values < maximumValues;
  }

  async #makeRoom(bytes: number): Promise<void> {
    if (this.#registry !== null && this.#made > this.budget / 4) {
      this.#remind();
      for (let i = 0; i < turnsToFind && !this.fits(bytes); i++) await turn();
    }
    while (!this.fits(bytes) && (await this.#spillSome(bytes)));
    this.#launcher.trim();
    this.refuse();
  }

  /** Spills the least recently used values until so many bytes fit, or a batch of them; false when that is no use. */
  async #spillSome(bytes: number): Promise<boolean> {
    const leaving: Entry[] = [];
    let leavingBytes = 0;
    for (const entry of this.#recent) {
      if (leavingBytes >= batchBytes || this.fits(bytes, leavingBytes, leaving.length)) break;
      leaving.push(entry);
      leavingBytes += entry.bytes;
    }
    for (const entry of leaving) this.#recent.delete(entry);
    const left = await Promise.all(leaving.map(entry => this.#spill(entry)));
    return left.length > 0 && left.every(Boolean);
  }

  /** False when it could not be read: it stays. */
  async #spill(entry: Entry): Promise<boolean> {
    let elements: TypedArray | null = null;
    if (!entry.clean) {
      try {
        elements = await this.readBack(entry);
      } catch {
        // The host or the device may have no memory for it; the device may yet have some for what room is made for.
      }
      if (entry.pinned) return true;
      if (elements === null && !entry.dead) {
        this.#recent.add(entry);
        return false;
      }
    }
    this.#recent.delete(entry);
    this.#registry?.unregister(entry);
    this.stats.spilled += 1;
    this.stats.spilledBytes += entry.bytes;
    this.#vacate(entry);
    if (!entry.clean) entry.spilled = elements;
    return true;
  }

  /** The elements of a value that is on the device. */
  readBack(entry: Entry): Promise<TypedArray> {
    if (entry.reading !== null) return entry.reading;
    const reading = this.#elementsOf(entry).finally(() => {
      entry.reading = null;
      this.#reading.delete(reading);
    });
    entry.reading = reading;
    this.#reading.add(reading);
    return reading;
  }

  async #elementsOf({ buffer, dtype, size, bytes }: Entry): Promise<TypedArray> {
    this.refuse();
    if (buffer === null) throw new Error('a value is read that is not on its device: please report this');
    this.stats.readbacks += 1;
    this.stats.readbackBytes += bytes;
    let floats: Float32Array;
    try {
      floats = await this.#launcher.read(buffer);
    } catch (error) {
      throw this.broken() ?? error;
    }
    // What a device that was lost meanwhile gave is nothing.
    this.refuse();
    return allocating('read', dtype, [size], () => decode(floats, dtype, size));
  }
}
