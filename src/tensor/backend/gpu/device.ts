/**
 * A device: the values that it computes, and what it has to do.
 *
 * A graph is evaluated at once even where everything takes turns of the event loop: programs give back promised values, and
 * a queue of jobs makes these one after the other. So when a job runs, what it uses has been decided. In a synchronous loop
 * no memory comes back: there jobs wait for room, and with them all after them; what grows is the queue.
 */
import type { DType, TypedArray } from '../../dtype.js';
import type { Storage } from '../../storage.js';
import { decode, encode, floatsPerElement } from './encoding.js';
import { Jobs } from './jobs.js';
import type { DeviceBuffer, Launcher } from './launch/launcher.js';
import { DeviceMemory, type DeviceStats } from './memory.js';
import { DeviceStorage, Entry } from './storage.js';

const madeTwice = (): Error => new Error('a value is made twice: please report this');

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise;

export class Device {
  readonly launcher: Launcher;
  readonly #memory: DeviceMemory;
  readonly #jobs = new Jobs();
  readonly #foreign = new WeakMap<Storage, Entry>();
  /** The first error of a job that promised nothing, for who waits for all of them. */
  #stray: { readonly error: unknown } | null = null;
  #destroying: Promise<void> | null = null;

  constructor(launcher: Launcher, budget: number) {
    this.launcher = launcher;
    this.#memory = new DeviceMemory(launcher, budget);
  }

  get stats(): DeviceStats {
    return this.#memory.stats;
  }

  /** Bytes of device memory for values before the least recently used are spilled. */
  get budget(): number {
    return this.#memory.budget;
  }

  set budget(bytes: number) {
    this.#memory.budget = bytes;
  }

  /**
   * Runs a job after those before it: at once, if there are none. What it used is unpinned when it ends.
   *
   * @param makes what it promises: values that it has not settled when it ends have failed, by its error if it has one
   */
  enqueue(job: () => void | Promise<void>, makes: readonly DeviceStorage[] = []): void {
    const end = (): void => this.#end(makes, null);
    const fail = (error: unknown): void => this.#end(makes, { error });
    this.#jobs.add(() => {
      try {
        const running = job();
        if (running !== undefined) return running.then(end, fail);
        end();
      } catch (error) {
        fail(error);
      }
    });
  }

  /** A value that a job is going to make: of float64 only what the host provides. */
  promise(dtype: DType, size: number): DeviceStorage {
    return new DeviceStorage(this, dtype, size);
  }

  /** A value of this device whose elements the host has: it is uploaded when it is used. The array must not be written to. */
  place(dtype: DType, elements: TypedArray): DeviceStorage {
    const storage = this.promise(dtype, elements.length);
    this.provide(storage, elements);
    return storage;
  }

  /**
   * The buffer of a value, uploaded if it is not there, from anywhere; for jobs. It holds until the job ends. What is empty
   * has a buffer of one float.
   *
   * @throws what the job that should have made the value failed by
   */
  use(storage: Storage): DeviceBuffer | Promise<DeviceBuffer> {
    this.#memory.refuse();
    const own = storage instanceof DeviceStorage && storage.home === this;
    if (own && !storage.decided) throw new Error('a value is used before the job that makes it: please report this');
    const entry = own ? storage.entry : this.#entryOf(storage);
    if (entry.buffer !== null) {
      this.#memory.pin(entry);
      return entry.buffer;
    }
    return entry.coming ?? this.#bring(entry, storage);
  }

  /** The buffers of values, as {@link use}: making room for one of them drives none of the others out. */
  useAll(storages: readonly Storage[]): readonly DeviceBuffer[] | Promise<readonly DeviceBuffer[]> {
    for (const storage of storages) {
      const own = storage instanceof DeviceStorage && storage.home === this;
      const entry = own ? storage.entry : this.#foreign.get(storage);
      if (entry !== undefined && entry.buffer !== null) this.#memory.pin(entry);
    }
    const buffers: DeviceBuffer[] = [];
    for (const storage of storages) {
      const buffer = this.use(storage);
      if (isPromise(buffer)) return this.#useOthers(storages, buffers, buffer);
      buffers.push(buffer);
    }
    return buffers;
  }

  /**
   * Makes room for so many bytes within the budget, if it can: a job asks for what it is going to make, after it has
   * pinned what it uses. Where there is no room without what is pinned, the device is asked for more than the budget.
   */
  room(bytes: number): void | Promise<void> {
    return this.#memory.room(bytes);
  }

  /** What was used may be spilled again. A job that goes on for long may say so before it ends. */
  unpinAll(): void {
    this.#memory.unpinAll();
  }

  /** The buffer becomes the value's alone, and is pinned. */
  settle(storage: DeviceStorage, buffer: DeviceBuffer): void {
    const { entry, dtype, size } = storage;
    if (storage.decided) throw madeTwice();
    const broken = this.#memory.broken();
    if (broken !== null) {
      this.fail(storage, broken);
      return;
    }
    if (size === 0) {
      this.launcher.free(buffer);
      storage.keep(decode(new Float32Array(), dtype, 0));
    } else {
      if (buffer.floats < size * floatsPerElement(dtype)) {
        throw new Error(`${buffer.floats} floats are no ${size} of ${dtype}: please report this`);
      }
      this.#memory.arrive(entry, storage, buffer);
      this.#memory.count(entry.bytes);
    }
    storage.decide(null);
  }

  /** The elements become the value's: the host has them, and they come to the device when they are used there. */
  provide(storage: DeviceStorage, elements: TypedArray): void {
    if (storage.decided) throw madeTwice();
    storage.keep(elements);
    storage.decide(null);
  }

  /** There will be no such value: who uses or reads it gets the error. */
  fail(storage: DeviceStorage, error: unknown): void {
    if (!storage.decided) storage.decide({ error });
  }

  /** The elements of a value, from the host if it has them, which it does from then on. */
  async read(storage: DeviceStorage): Promise<TypedArray> {
    await storage.decision();
    const { known } = storage;
    if (known !== null) return known;
    const elements = await this.#memory.readBack(storage.entry);
    storage.keep(elements);
    return elements;
  }

  /**
   * Resolves when all jobs so far are done and the device is idle.
   *
   * @throws the first error since the last time of a job that promised nothing; DeviceError if nothing works any more
   */
  async finish(): Promise<void> {
    await new Promise<void>(resolve => this.enqueue(resolve));
    this.#memory.refuse();
    this.launcher.flush();
    await this.launcher.finish();
    const stray = this.#stray;
    this.#stray = null;
    if (stray !== null) throw stray.error;
  }

  /** Gives the device back, after the jobs so far and the readings that are under way. What was not read is lost. */
  destroy(): Promise<void> {
    this.#destroying ??= new Promise((resolve, reject) => {
      this.enqueue(() => this.#destroy().then(resolve, reject));
    });
    return this.#destroying;
  }

  /** @throws DeviceError if nothing works any more */
  refuse(): void {
    this.#memory.refuse();
  }

  /** Ends a job. */
  #end(makes: readonly DeviceStorage[], failure: { readonly error: unknown } | null): void {
    this.#memory.unpinAll();
    if (makes.length === 0) this.#stray ??= failure;
    for (const storage of makes) {
      if (storage.decided) continue;
      const broken = 'a job has not made what it promised: please report this';
      this.fail(storage, failure === null ? new Error(broken) : failure.error);
    }
  }

  async #destroy(): Promise<void> {
    await this.#memory.close();
    await this.launcher.destroy();
  }

  /** The entry of a value that was not computed here: clean, because its storage has the elements. */
  #entryOf(storage: Storage): Entry {
    const known = this.#foreign.get(storage);
    if (known !== undefined) return known;
    const entry = new Entry(storage.dtype, storage.size, true);
    this.#foreign.set(storage, entry);
    this.#memory.count(4 * storage.size * floatsPerElement(storage.dtype));
    return entry;
  }

  /** At once where there is room, and the elements need not be waited for. */
  #bring(entry: Entry, storage: Storage): DeviceBuffer | Promise<DeviceBuffer> {
    const bytes = 4 * storage.size * floatsPerElement(storage.dtype);
    const elements = elementsOf(storage);
    if (!isPromise(elements) && this.#memory.fits(bytes)) return this.#upload(entry, storage, elements);
    const bringing = async (): Promise<DeviceBuffer> => {
      try {
        const array = await elements;
        await this.#memory.room(bytes);
        return this.#upload(entry, storage, array);
      } finally {
        entry.coming = null;
      }
    };
    entry.coming = bringing();
    return entry.coming;
  }

  #upload(entry: Entry, storage: Storage, elements: TypedArray): DeviceBuffer {
    const { dtype, size } = storage;
    const floats = size === 0 ? new Float32Array(1) : encode(elements, dtype);
    const buffer = this.launcher.upload(floats);
    this.stats.uploads += 1;
    this.stats.uploadedBytes += 4 * buffer.floats;
    if (storage instanceof DeviceStorage && storage.home === this) storage.keep(elements);
    this.#memory.arrive(entry, storage, buffer);
    return buffer;
  }

  async #useOthers(
    storages: readonly Storage[],
    buffers: DeviceBuffer[],
    next: Promise<DeviceBuffer>,
  ): Promise<readonly DeviceBuffer[]> {
    buffers.push(await next);
    while (buffers.length < storages.length) buffers.push(await this.use(storages[buffers.length]!));
    return buffers;
  }
}

/** The elements of a value that is not on the device: at once where they are to be had. */
const elementsOf = (storage: Storage): TypedArray | Promise<TypedArray> => {
  if (storage instanceof DeviceStorage) return storage.known ?? storage.read();
  return storage.device === undefined ? storage.readSync() : storage.read();
};
