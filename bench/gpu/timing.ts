/**
 * Timing on a device that works behind one's back. A run is as many launches as take a while, one behind the other, and the waiting
 * for the last of them; nothing is subtracted. Libraries have their turns one after the other, several times.
 */
import { compare } from '../compare.js';
import type { Input } from '../inputs.js';
import type { Row } from '../row.js';
import type { GpuLibrary, GpuProgramName, Launching } from './library.js';

/** A library's part in a case, or a limit. */
export interface Contender {
  readonly impl: string;
  readonly threads: number;
  readonly note?: string;
  /** Why it has none. */
  readonly cannot?: string | null;
  readonly enter: () => Promise<void>;
  readonly prepare: () => Promise<Launching>;
  /** Whether its results are to be compared. */
  readonly compared: boolean;
}

export interface GpuCase {
  readonly suite: string;
  readonly name: string;
  /** What a launch computes and moves at least. */
  readonly flops?: number;
  readonly bytes?: number;
  /** Bytes of what a launch leaves on the device. */
  readonly results: number;
  /** Steps that a launch makes; times are of one. Default 1. */
  readonly steps?: number;
  /** Relative; 1e-4 unless said otherwise. */
  readonly tolerance?: number;
  readonly contenders: readonly Contender[];
}

export interface GpuEffort {
  /** Turns of each contender, and runs of a turn. */
  readonly rounds: number;
  readonly runs: number;
  /** Milliseconds of a run at least. */
  readonly runMs: number;
  /** Seconds of a launch, beyond which a contender is left out. */
  readonly slowest: number;
  /** Seconds in which a contender is ready and has launched once; who takes longer has no part in what follows. */
  readonly patience: number;
  /** Seconds for all cases. */
  readonly budget: number;
  /** Bytes of results that a run leaves on the device before it waits for them and lets them go. */
  readonly resident: number;
}

/** For a GPU; and for software that plays one. */
export const hardwareEffort: GpuEffort = {
  rounds: 5,
  runs: 3,
  runMs: 50,
  slowest: 15,
  patience: 60,
  budget: 420,
  resident: 2 ** 30,
};
export const softwareEffort: GpuEffort = {
  rounds: 3,
  runs: 1,
  runMs: 50,
  slowest: 3,
  patience: 40,
  budget: 180,
  resident: 2 ** 27,
};
export const lookEffort: GpuEffort = { ...softwareEffort, rounds: 1, runMs: 5, patience: 20, budget: 100 };

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.round(q * (sorted.length - 1))]!;

/** Bytes of results, beyond which garbage is collected before the next run. */
const muchGarbage = 2 ** 26;

/** Garbage goes between runs: this library's results are let go by collecting it, and nobody should pay for another's. */
const tidy = async (bytes: number): Promise<void> => {
  if (bytes >= muchGarbage) (globalThis as { gc?: () => void }).gc?.();
  // Finalizers run in tasks of their own.
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setTimeout(resolve, 0));
};

/** Milliseconds of so many launches, one behind the other, and of waiting for them. */
const batch = async ({ launch, settle, drop }: Launching, count: number, results: number): Promise<number> => {
  const begin = performance.now();
  const all = Array.from({ length: count }, launch);
  await settle(all[count - 1]);
  const ms = performance.now() - begin;
  for (const results of all) drop(results);
  all.length = 0;
  await tidy(count * results);
  return ms;
};

interface Entry {
  readonly contender: Contender;
  readonly launching: Launching;
  /** Milliseconds a launch. */
  readonly samples: number[];
  /** Launches before one waits. */
  count: number;
  /** Whether a launch takes so long that a few say enough. */
  readonly slow: boolean;
  /** Seconds until its first results were read: preparing, compiling, launching. */
  readonly ready: number;
}

/** Seconds of a launch from which on it is slow, and how many turns, of one run each, it has then. */
const [slowSeconds, slowRounds] = [0.5, 2];

/** Milliseconds a launch, over at least `runMs`. */
const run = async ({ launching, count }: Entry, { runMs }: GpuEffort, results: number): Promise<number> => {
  let ms = 0;
  let launches = 0;
  // What leaves much on the device waits often: not for ever, should that take next to no time.
  for (let batches = 0; ms < runMs && batches < 20; batches++) {
    ms += await batch(launching, count, results);
    launches += count;
  }
  return ms / launches;
};

/** Finds out how many launches a run has. */
const warmUp = async (entry: Entry, { runMs, resident }: GpuEffort, results: number): Promise<void> => {
  const most = Math.max(1, Math.floor(resident / Math.max(results, 1)));
  for (;;) {
    const ms = await batch(entry.launching, entry.count, results);
    if (ms >= runMs || entry.count >= most) return;
    const wanted = Math.ceil((1.2 * entry.count * runMs) / Math.max(ms, runMs / 20));
    entry.count = Math.min(most, Math.max(wanted, entry.count + 1));
  }
};

/** The turn before the first does not count. */
const takeTurn = async (entry: Entry, round: number, effort: GpuEffort, results: number): Promise<void> => {
  const { contender, samples, slow } = entry;
  if (slow && (round === 0 || round > slowRounds)) return;
  await contender.enter();
  if (round === 0) return warmUp(entry, effort, results);
  for (let i = 0; i < (slow ? 1 : effort.runs); i++) samples.push(await run(entry, effort, results));
};

interface Expected {
  readonly impl: string;
  readonly values: readonly Float32Array[];
}

interface Started {
  readonly entry: Entry;
  readonly seconds: number;
  readonly expected: Expected | null;
}

/** Makes a contender ready, compares its results, and launches it once more. */
const start = async (
  contender: Contender,
  expected: Expected | null,
  tolerance: number,
  bytes: number,
): Promise<Started> => {
  await contender.enter();
  const begin = performance.now();
  const launching = await contender.prepare();
  let known = expected;
  try {
    if (contender.compared) {
      const results = launching.launch();
      const values = await launching.read(results);
      launching.drop(results);
      const difference = expected === null ? null : compare(values, expected.values, tolerance);
      if (difference !== null) throw new Error(`differs from ${expected?.impl}: ${difference}`);
      known ??= { impl: contender.impl, values };
    }
    const ready = (performance.now() - begin) / 1000;
    const seconds = (await batch(launching, 1, bytes)) / 1000;
    const entry = { contender, launching, samples: [], count: 1, slow: seconds > slowSeconds, ready };
    return { entry, seconds, expected: known };
  } catch (error) {
    launching.dispose();
    throw error;
  }
};

const rowOfEntry = (each: GpuCase, { contender, samples, ready }: Entry): Row => {
  const { suite, name, flops, bytes, steps = 1 } = each;
  const sorted = [...samples].sort((a, b) => a - b);
  const [ms, spread] = [quantile(sorted, 0.5), (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2];
  const { impl, threads, note } = contender;
  const notes = [
    steps === 1 ? null : `1000 steps: ${((1000 * ms) / steps).toFixed(0)} ms`,
    ready < 1 ? null : `ready after ${ready.toFixed(1)} s`,
    note ?? null,
  ];
  const told = notes.filter(text => text !== null).join('; ');
  return {
    suite,
    case: name,
    impl,
    ms: ms / steps,
    spread: spread / steps,
    ...(flops === undefined ? {} : { gflops: flops / ms / 1e6 }),
    ...(bytes === undefined ? {} : { gbps: bytes / ms / 1e6 }),
    threads,
    ...(told === '' ? {} : { note: told }),
  };
};

const longestReason = 300;

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, longestReason);

/** Somebody was not ready in time, and may still be at work. */
class Late extends Error {}

const inTime = async <T>(work: Promise<T>, seconds: number): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`not ready after ${seconds} s`)), 1000 * seconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Why implementations have no part in anything any more. */
type Gone = Map<string, string>;

/** The rows of a case, which should be done after so many seconds: later there are no further turns. */
const measureCase = async (each: GpuCase, effort: GpuEffort, seconds: number, gone: Gone, failed: () => void) => {
  const rows = new Map<string, Row>();
  const entries = new Set<Entry>();
  const { suite, name, tolerance = 1e-4, contenders, results } = each;
  const deadline = performance.now() + 1000 * seconds;
  const leaveOut = ({ impl, threads }: Contender, reason: string): void => {
    rows.set(impl, { suite, case: name, impl, ms: null, threads, reason });
  };
  const fail = (contender: Contender, error: unknown): void => {
    failed();
    leaveOut(contender, textOf(error));
  };
  let expected: Expected | null = null;
  for (const contender of contenders) {
    const cannot = contender.cannot ?? gone.get(contender.impl) ?? null;
    if (cannot !== null) {
      leaveOut(contender, cannot);
      continue;
    }
    try {
      const begun: Promise<Started> = start(contender, expected, tolerance, results);
      const started = await inTime(begun, effort.patience);
      expected = started.expected;
      if (started.seconds <= effort.slowest) entries.add(started.entry);
      else {
        leaveOut(contender, `left out: a launch takes ${started.seconds.toFixed(1)} s`);
        started.entry.launching.dispose();
      }
    } catch (error) {
      fail(contender, error);
      if (error instanceof Late) gone.set(contender.impl, `left out: it was ${error.message} in ${suite}: ${name}`);
    }
  }
  for (let round = 0; round <= effort.rounds; round++) {
    if (round > 1 && performance.now() > deadline) break;
    for (const entry of entries) {
      try {
        await takeTurn(entry, round, effort, results);
      } catch (error) {
        entries.delete(entry);
        fail(entry.contender, error);
      }
    }
  }
  for (const entry of entries) {
    rows.set(entry.contender.impl, rowOfEntry(each, entry));
    entry.launching.dispose();
  }
  await tidy(muchGarbage);
  return contenders.map(({ impl }) => rows.get(impl)!);
};

/** The rows of all cases, one case after the other, within the budget. Inputs are made when a case has its turn. */
export const measureAll = async (
  cases: readonly (() => GpuCase)[],
  effort: GpuEffort,
  report: (rows: readonly Row[]) => void,
  failed: () => void,
): Promise<readonly Row[]> => {
  const end = performance.now() + 1000 * effort.budget;
  const all: Row[] = [];
  const gone: Gone = new Map();
  for (const [i, make] of cases.entries()) {
    const left = (end - performance.now()) / 1000;
    const each = make();
    const { suite, name, contenders } = each;
    const rows =
      left > 0
        ? await measureCase(each, effort, (1.5 * left) / (cases.length - i), gone, failed)
        : contenders.map(({ impl, threads }) => {
            const reason = `left out: the ${effort.budget} s for all cases are over`;
            return { suite, case: name, impl, ms: null, threads, reason };
          });
    report(rows);
    all.push(...rows);
  }
  return all;
};

/** A library's part in a case. */
export const contenderOf = (library: GpuLibrary, program: GpuProgramName, inputs: readonly Input[]): Contender => ({
  impl: library.name,
  threads: library.threads,
  ...(library.note === undefined ? {} : { note: library.note }),
  cannot: library.refusal(program),
  enter: library.enter,
  prepare: () => library.prepare(program, inputs),
  compared: true,
});
