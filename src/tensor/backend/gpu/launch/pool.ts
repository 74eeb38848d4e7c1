/**
 * Buffers of WebGPU, kept when they are freed and handed out again. That is safe while the device may still be using
 * them: one queue does everything in order, so whoever gets a buffer writes it after all who had it before.
 *
 * Sizes come in four classes to a doubling, so at most a fifth of a buffer is unused (but for the smallest). Of the
 * kept buffers of a class the one made first is handed out: a program that is run again then gets the same buffers
 * again, and with them the same bind groups.
 */
import type { GpuBuffer, GpuDevice } from './webgpu-types.js';

/** A buffer of the pool. */
export interface Slot {
  /** A higher number for a later one. */
  readonly id: number;
  readonly buffer: GpuBuffer;
  readonly pool: BufferPool;
  readonly bytes: number;
  /** Number of the last batch of commands that uses it. */
  used: number;
}

const smallest = 256;

/** From here on it is asked whether there was memory for a buffer: asking costs a message to the device and back. */
const large = 64 * 2 ** 20;

/** @internal The size of its class: 4, 5, 6 or 7 times a power of two. */
export const classOf = (bytes: number): number => {
  if (bytes <= smallest) return smallest;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
};

export class BufferPool {
  readonly #device: GpuDevice;
  readonly #usage: number;
  /** Bytes that a buffer can have. */
  readonly #most: number;
  readonly #failed: (message: string) => void;
  readonly #next: () => number;
  readonly #all = new Set<Slot>();
  /** By class, the one made first at the end. */
  readonly #kept = new Map<number, Slot[]>();
  #bytes = 0;
  #keptBytes = 0;

  /** `failed` is told when there was no memory for a buffer; `next` gives the number of a new one. */
  constructor(device: GpuDevice, usage: number, most: number, failed: (message: string) => void, next: () => number) {
    this.#device = device;
    this.#usage = usage;
    this.#most = most;
    this.#failed = failed;
    this.#next = next;
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of those that nobody has. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** A buffer of at least so many bytes; what is in it is undefined. */
  take(bytes: number): Slot {
    const size = Math.max(Math.min(classOf(bytes), this.#most), bytes);
    const kept = this.#kept.get(size)?.pop();
    if (kept !== undefined) {
      this.#keptBytes -= size;
      return kept;
    }
    const asked = size >= large;
    if (asked) this.#device.pushErrorScope('out-of-memory');
    const slot: Slot = {
      id: this.#next(),
      buffer: this.#device.createBuffer({ size, usage: this.#usage }),
      pool: this,
      bytes: size,
      used: -1,
    };
    this.#all.add(slot);
    this.#bytes += size;
    if (asked) {
      this.#device.popErrorScope().then(
        error => {
          if (error === null || error === undefined) return;
          this.discard(slot);
          this.#failed(`no memory for a buffer of ${size} bytes: ${error.message}`);
        },
        // The device is lost, which is said elsewhere.
        () => undefined,
      );
    }
    return slot;
  }

  /** Takes back a buffer. */
  give(slot: Slot): void {
    if (!this.#all.has(slot)) return;
    this.#keptBytes += slot.bytes;
    const kept = this.#kept.get(slot.bytes);
    if (kept === undefined) {
      this.#kept.set(slot.bytes, [slot]);
      return;
    }
    let low = 0;
    let high = kept.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (kept[middle]!.id > slot.id) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, slot);
  }

  /** Destroys a buffer that must not be handed out again. No commands that use it may be waiting to be submitted. */
  discard(slot: Slot): void {
    if (!this.#all.delete(slot)) return;
    slot.buffer.destroy();
    this.#bytes -= slot.bytes;
    const kept = this.#kept.get(slot.bytes);
    const at = kept?.indexOf(slot) ?? -1;
    if (at < 0) return;
    kept?.splice(at, 1);
    this.#keptBytes -= slot.bytes;
  }

  /** Destroys what nobody has. No commands that use it may be waiting to be submitted. */
  trim(): void {
    for (const slots of this.#kept.values()) {
      for (const slot of slots) {
        slot.buffer.destroy();
        this.#all.delete(slot);
        this.#bytes -= slot.bytes;
      }
    }
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  /** Destroys everything. */
  destroy(): void {
    for (const slot of this.#all) slot.buffer.destroy();
    this.#all.clear();
    this.#kept.clear();
    this.#bytes = 0;
    this.#keptBytes = 0;
  }
}
