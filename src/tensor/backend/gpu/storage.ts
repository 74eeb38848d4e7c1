/** Values of a device, and what it knows about a value. */
import type { DType, TypedArray } from '../../dtype.js';
import { DeviceError } from '../../errors.js';
import { showAval } from '../../shape.js';
import type { Storage } from '../../storage.js';
import type { Device } from './device.js';
import type { DeviceBuffer } from './launch/launcher.js';

/**
 * What a device knows about a value. It must not lead to the value's storage, nor to its elements while the value is on
 * the device: the device's books refer to it then.
 */
export class Entry {
  readonly dtype: DType;
  readonly size: number;
  /** Null when the value is not on the device. */
  buffer: DeviceBuffer | null = null;
  /** Whether its storage has the elements too, so that nothing needs to be read before the buffer goes. */
  clean: boolean;
  /** The elements after they were read for the buffer to go, until the storage takes them over. */
  spilled: TypedArray | null = null;
  pinned = false;
  /** Collected while pinned or being read: the buffer is to be freed afterwards. */
  dead = false;
  /** The upload or the reading that is under way: whoever wants the same waits for it. */
  coming: Promise<DeviceBuffer> | null = null;
  reading: Promise<TypedArray> | null = null;

  constructor(dtype: DType, size: number, clean: boolean) {
    this.dtype = dtype;
    this.size = size;
    this.clean = clean;
  }

  /** Bytes on the device. */
  get bytes(): number {
    return this.buffer === null ? 0 : 4 * this.buffer.floats;
  }
}

/**
 * A value that a device computes: promised, then on the device or spilled to an ordinary array, or failed. Its elements
 * stay on the host once they were read.
 */
export class DeviceStorage implements Storage {
  readonly device = 'gpu';
  readonly home: Device;
  readonly entry: Entry;
  #elements: TypedArray | null = null;
  #failure: { readonly error: unknown } | null = null;
  #decided = false;
  #decision: Promise<void> | null = null;
  #decide: (() => void) | null = null;

  /** @internal Devices make them: `promise`, `place`. */
  constructor(home: Device, dtype: DType, size: number) {
    this.home = home;
    this.entry = new Entry(dtype, size, false);
  }

  get dtype(): DType {
    return this.entry.dtype;
  }

  get size(): number {
    return this.entry.size;
  }

  /** Whether it is known what became of it: there is a value, or there will never be one. */
  get decided(): boolean {
    return this.#decided;
  }

  /**
   * The elements, if the host has them.
   *
   * @throws what the job that should have made the value failed by
   */
  get known(): TypedArray | null {
    if (this.#failure !== null) throw this.#failure.error;
    return this.#elements ?? this.entry.spilled;
  }

  /** The elements, which the host has from then on. */
  read(): Promise<TypedArray> {
    return this.home.read(this);
  }

  /** @throws DeviceError unless they were read before */
  readSync(): TypedArray {
    const { known, dtype, size, home } = this;
    if (known !== null) return known;
    home.refuse();
    throw new DeviceError({
      operation: 'read',
      given: `a value ${showAval({ shape: [size], dtype })} on ${home.launcher.mode} that was not read before`,
      rule: 'values on a device can only be read asynchronously',
      hint: "Write await x.data() first, or await toDevice(x, 'cpu').",
    });
  }

  /** @internal Resolves when it is decided, which may be that it failed. */
  decision(): Promise<void> {
    if (this.#decided) return Promise.resolve();
    this.#decision ??= new Promise(resolve => {
      this.#decide = resolve;
    });
    return this.#decision;
  }

  /** @internal For the device: it is known what became of the value. */
  decide(failure: { readonly error: unknown } | null): void {
    this.#failure = failure;
    this.#decided = true;
    this.#decide?.();
    this.#decision = null;
    this.#decide = null;
  }

  /** @internal For the device: these are the elements. */
  keep(elements: TypedArray): void {
    this.#elements = elements;
    this.entry.spilled = null;
    this.entry.clean = true;
  }
}
