/**
 * The workers of a process: started when a program is worth it, told one job at a time, and let go when one of them fails to
 * come back. Until all workers have made a program ready it runs on one thread.
 */
import { DeviceError } from '../../../errors.js';
import { now, type WasmMemory } from '../api.js';
import {
  abort,
  arrivals,
  done,
  end,
  idlers,
  type JobWord,
  job,
  jobs,
  jobWords,
  kinds,
  lost,
  mainSleeps,
  message,
  messageBytes,
  napNanoseconds,
  patience,
  sleepers,
  tickets,
} from './control.js';
import type { Handle, Platform } from './platform.js';
import { worth } from './work.js';

/** A module that workers can have, with what has become of it there. */
export interface Loadable {
  readonly bytes: Uint8Array;
  /** The module whose exports it imports. */
  readonly library: Loadable | null;
  /** Nanoseconds of work that threads can share. */
  readonly work: number;
  /** Where the workers of a crew have it. */
  place: { readonly crew: readonly Handle[]; readonly slot: number; used: number } | null;
  /** Why workers cannot have it. */
  refused: string | null;
}

/** The function of a program. */
export type Main = (arena: number, table: number, thread: number, threads: number) => void;

/** Memory for programs on their way to workers. */
interface Home {
  allocate(bytes: number, description: string): number;
  free(address: number): void;
}

/** Modules that workers keep; another takes the place of the one that was used least recently. */
const slots = 64;
/** Milliseconds for workers to come back after something went wrong, and without a sign of them in a meeting. */
const returnMs = 1000;
/** Milliseconds after which workers are lost that have not even come to their job. */
const jobMs = 10_000;
const defaultPatienceMs = 30_000;
/** Milliseconds to wait for the last run of others to end: they have nothing left to do. */
const leavingMs = 1;
/** The part of a program's time, and the milliseconds at most, to wait for workers to be ready for it. */
const [waitingPart, waitingMs] = [0.25, 100];
/** Crews that may get lost before there is no further one. */
const lostCrews = 3;

const idleMs = 0.02;

export class Pool {
  /** Programs that have been run on several threads; for tests and reports. */
  runs = 0;
  readonly #memory: WasmMemory;
  readonly #platform: Platform;
  readonly #home: Home;
  readonly #words: Int32Array;
  #threads: number;
  #crew: readonly Handle[] = [];
  /** Whether a job has not been acknowledged yet, since when, and the module that is on its way by it. */
  #busy = false;
  #since = 0;
  #loading: { readonly module: Loadable; readonly address: number; readonly place: Loadable['place'] } | null = null;
  #started = false;
  #loaded: (Loadable | null)[] = [];
  #uses = 0;
  #lostCrews = 0;
  /** Why there are no threads. */
  #reason: string | null;

  constructor(memory: WasmMemory, platform: Platform, home: Home, patienceMs: number = defaultPatienceMs) {
    this.#memory = memory;
    this.#platform = platform;
    this.#home = home;
    this.#reason = platform.missing;
    this.#threads = Math.max(1, Math.min(8, platform.parallelism));
    this.#words = new Int32Array(memory.buffer, 0, end / 4);
    this.#set(mainSleeps, platform.mainSleeps ? 1 : 0);
    this.#set(patience, Math.ceil((patienceMs * 1e6) / napNanoseconds));
  }

  /** How many threads programs run on that are worth it, once the workers are ready. */
  get threads(): number {
    return this.#reason === null ? this.#threads : 1;
  }

  /** How many threads are there now, and why there can be no more than one. */
  get ready(): number {
    this.#poll();
    return this.#started ? this.#crew.length + 1 : 1;
  }

  get reason(): string | null {
    return this.#reason;
  }

  /** Asks for another number of threads. Those there are go; others come when they are needed. */
  resize(threads: number): void {
    if (threads !== this.#threads) this.end();
    this.#threads = threads;
  }

  /** How many threads a module can run on now. What is missing for more is begun, and waited for if that pays. */
  threadsFor(module: Loadable): number {
    if (module.work < worth.program || this.#threads === 1 || this.#reason !== null || module.refused !== null)
      return 1;
    const paying = (module.work / 1e6) * waitingPart;
    const until = now() + Math.max(worth.waiting, paying < 1 ? 0 : Math.min(waitingMs, paying));
    if (this.#crew.length === 0 && !this.#start()) return 1;
    for (const each of module.library === null ? [module] : [module.library, module]) {
      if (!this.#wait(until)) return 1;
      if (!this.#has(each)) {
        if (!this.#load(each)) return 1;
        if (!this.#wait(until) || !this.#has(each)) return 1;
      }
    }
    if (module.work < worth.waking && this.#at(idlers) > 0) {
      // They wake up while this program runs on one thread, and look for others.
      Atomics.notify(this.#words, jobs / 4);
      return 1;
    }
    return this.#crew.length + 1;
  }

  /**
   * Runs a program that all workers have, on all threads.
   *
   * @throws DeviceError when it fails on a worker
   */
  run({ place }: Loadable, main: Main, arena: number, table: number): void {
    const threads = this.#crew.length + 1;
    this.runs += 1;
    this.#post({ kind: kinds.run, slot: place!.slot, arena, table, threads, length: 0, library: -1 });
    try {
      main(arena, table, 0, threads);
    } catch (error) {
      throw this.#recovered(error);
    }
  }

  /** Lets the workers go. */
  end(): void {
    if (this.#crew.length === 0) return;
    if (this.#await(returnMs))
      this.#post({ kind: kinds.end, slot: 0, arena: 0, table: 0, threads: 0, length: 0, library: -1 });
    this.#await(returnMs);
    this.#dismiss();
  }

  #at(address: number): number {
    return Atomics.load(this.#words, address / 4);
  }

  #set(address: number, value: number): void {
    Atomics.store(this.#words, address / 4, value);
  }

  #post(words: Readonly<Record<JobWord, number>>): void {
    jobWords.forEach((name, i) => {
      this.#set(job + 4 * i, words[name]);
    });
    this.#set(done, 0);
    this.#busy = true;
    this.#since = now();
    Atomics.add(this.#words, jobs / 4, 1);
    if (this.#at(idlers) > 0) Atomics.notify(this.#words, jobs / 4);
  }

  /** Whether the workers have nothing to do. */
  #poll(): boolean {
    if (!this.#busy) return true;
    if (this.#at(done) < this.#crew.length) return false;
    this.#busy = false;
    this.#started = true;
    const loading = this.#loading;
    if (loading === null) return true;
    this.#loading = null;
    this.#home.free(loading.address);
    if (this.#at(abort) === 0) {
      loading.module.place = loading.place;
    } else {
      loading.module.refused = this.#message();
      this.#loaded[loading.place!.slot] = null;
      this.#reset();
    }
    return true;
  }

  /** Waits until a time for the workers to have nothing to do, or a moment if they are about to. */
  #wait(until: number): boolean {
    if (this.#poll()) return true;
    const startsAlone = this.#started || this.#platform.mainSleeps;
    const leaves = this.#started && this.#loading === null;
    if (this.#await(startsAlone ? Math.max(until - now(), leaves ? leavingMs : 0) : 0)) return true;
    if (startsAlone && now() - this.#since > jobMs) this.#lose('workers did not answer');
    return false;
  }

  #await(ms: number): boolean {
    const until = now() + ms;
    for (let from = now(); !this.#poll(); ) {
      const time = now();
      if (time >= until) return false;
      if (this.#platform.mainSleeps && time - from > idleMs) {
        Atomics.wait(this.#words, done / 4, this.#at(done), Math.min(0.2, until - time));
        from = now();
      }
    }
    return true;
  }

  #start(): boolean {
    this.#reset();
    this.#set(done, 0);
    const seen = this.#at(jobs);
    const crew: Handle[] = [];
    this.#crew = crew;
    try {
      for (let thread = 1; thread < this.#threads; thread++) {
        const ended = (reason: string): void => this.#ended(crew, reason);
        crew.push(this.#platform.start({ memory: this.#memory, thread, seen }, ended));
      }
    } catch (error) {
      this.#dismiss();
      this.#reason = `a worker could not be started: ${String(error)}`;
      return false;
    }
    this.#busy = true;
    this.#since = now();
    return true;
  }

  /** A worker that ends by itself is never seen while programs run, as its message waits for them. */
  #ended(crew: readonly Handle[], reason: string): void {
    if (crew !== this.#crew) return;
    this.#lose(`a worker has ended: ${reason}`);
  }

  /** Does without these workers, and after some failures without any. */
  #lose(reason: string): void {
    this.#dismiss();
    this.#lostCrews += 1;
    if (this.#lostCrews >= lostCrews) this.#reason = reason;
  }

  #dismiss(): void {
    const crew = this.#crew;
    this.#crew = [];
    for (const worker of crew) worker.terminate();
    if (this.#loading !== null) this.#home.free(this.#loading.address);
    this.#loading = null;
    this.#loaded = [];
    this.#busy = false;
    this.#started = false;
    this.#reset();
  }

  #has(module: Loadable): boolean {
    const { place } = module;
    if (place === null || place.crew !== this.#crew || this.#loaded[place.slot] !== module) return false;
    place.used = ++this.#uses;
    return true;
  }

  /** Sends a module to the workers; false when there is no memory for it now. */
  #load(module: Loadable): boolean {
    const slot = this.#freeSlot();
    const { length } = module.bytes;
    let address: number;
    try {
      address = this.#home.allocate(length, 'a program for threads');
    } catch {
      return false;
    }
    new Uint8Array(this.#memory.buffer, address, length).set(module.bytes);
    this.#loaded[slot] = module;
    this.#loading = { module, address, place: { crew: this.#crew, slot, used: ++this.#uses } };
    const library = module.library?.place?.slot ?? -1;
    this.#post({ kind: kinds.load, slot, arena: address, table: 0, threads: 0, length, library });
    return true;
  }

  #freeSlot(): number {
    const usedAt = (slot: number): number => this.#loaded[slot]?.place?.used ?? 0;
    let best = 0;
    for (let slot = 0; slot < slots; slot++) if (usedAt(slot) < usedAt(best)) best = slot;
    return best;
  }

  #message(): string {
    const bytes = this.#at(messageBytes);
    // A decoder takes no memory that is shared.
    return new TextDecoder().decode(new Uint8Array(this.#memory.buffer, message, bytes).slice());
  }

  #reset(): void {
    for (const word of [arrivals, sleepers, abort, messageBytes]) this.#set(word, 0);
    this.#words.fill(0, tickets / 4, end / 4);
  }

  /** What to throw after an error on the main thread, once no worker is in the program any more. */
  #recovered(error: unknown): unknown {
    const own = Atomics.compareExchange(this.#words, abort / 4, 0, 1) === 0;
    const failed = this.#at(abort);
    const back = this.#await(returnMs);
    const text =
      failed === lost
        ? 'a thread that did not come to a meeting'
        : `an error on thread ${failed - 1}: ${this.#message()}`;
    if (back) this.#reset();
    else this.#lose('workers did not come back from a program');
    if (own && back) return error;
    const parts = {
      operation: 'wasm backend',
      given: own ? `an error on the main thread (${String(error)})` : text,
      rule: `a program must run to its end on every thread${back ? '' : ', and those that did not come back were ended'}`,
      hint: 'Please report this. setThreads(1) computes without workers.',
    };
    return new DeviceError(parts, { cause: error });
  }
}
