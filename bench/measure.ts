/** Timing implementations side by side, with the benchmark package. */
import Benchmark from 'benchmark';
import { compare } from './compare.js';
import type { Row } from './row.js';

/** One implementation of a case. */
interface Runner {
  readonly impl: string;
  readonly threads: number;
  /** What is timed. */
  readonly run: () => unknown;
  /** How many runs of the case one call of it makes. Default 1. */
  readonly repeats?: number;
  /** What it computes, to be compared; absent where it is no computation of the case but a limit. */
  readonly output?: () => readonly Float32Array[] | Promise<readonly Float32Array[]>;
  /** Something to know about it. */
  readonly note?: string;
  /** Before each of its turns. */
  readonly enter?: () => Promise<void>;
  /** After each of them. */
  readonly leave?: () => Promise<void>;
  readonly close?: () => unknown;
}

/** An implementation that has no part in a case. */
interface Refusal {
  readonly impl: string;
  readonly threads?: number;
  readonly cannot: string;
}

/** An implementation that is made when the case's turn comes. */
interface Maker {
  readonly impl: string;
  readonly threads?: number;
  readonly make: () => Promise<Runner>;
}

export interface Case {
  readonly name: string;
  /** Floating-point operations of a run. */
  readonly flops?: number;
  /** Bytes that must be read and written at least. */
  readonly bytes?: number;
  /** Nobody is left out: who takes longer for a call than so many times what the effort allows is timed in a single run. */
  readonly once?: number;
  /** What it takes to run it says something about cases of the same kind. */
  readonly kind?: string;
  /** Relative; 1e-4 unless said otherwise. */
  readonly tolerance?: number;
  readonly runners: readonly (Refusal | Maker)[];
}

export interface Effort {
  /** How often each implementation has its turn. */
  readonly rounds: number;
  /** Samples of a turn; fewer where they would take more than `turn` seconds. */
  readonly samples: number;
  readonly turn: number;
  /** Seconds of a sample at least. */
  readonly minTime: number;
  /** Seconds of runs before the samples of a turn, where runs are short: threads start meanwhile, and compilers look at them. */
  readonly settling: number;
  /** Seconds of the turn before the first, whose samples do not count. */
  readonly warmUp: number;
  /** Seconds of a run, beyond which an implementation is left out of a case with operations, and of larger ones of its kind. */
  readonly slowest: number;
}

export const fullEffort: Effort = {
  rounds: 6,
  samples: 4,
  turn: 0.5,
  minTime: 0.03,
  settling: 0.25,
  warmUp: 0.2,
  slowest: 2,
};
export const quickEffort: Effort = {
  rounds: 2,
  samples: 1,
  turn: 0.5,
  minTime: 0.005,
  settling: 0,
  warmUp: 0.03,
  slowest: 0.3,
};

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.round(q * (sorted.length - 1))]!;

/** Median, and half the distance between the quartiles. */
export const summary = (samples: readonly number[]): { readonly ms: number; readonly spread: number } => {
  const sorted = [...samples].sort((a, b) => a - b);
  return { ms: quantile(sorted, 0.5), spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2 };
};

/** With --expose-gc, as the npm script has it. */
const collect = (): void => (globalThis as { gc?: () => void }).gc?.();

/**
 * Where results are large the garbage goes between samples, so that nobody pays for another's, nor for what he holds no more.
 * Not elsewhere: V8 then forgets what it knew of the code, which makes a call of microseconds three times as long.
 */
const manyBytes = 2 ** 20;

/** One turn: milliseconds of a run, a sample each. */
const turn = ({ run }: Runner, options: Benchmark.Options): Promise<readonly number[]> =>
  new Promise((resolve, reject) => {
    let failure: unknown;
    const deferred = (each: Benchmark.Deferred): void => {
      (run() as Promise<unknown>)
        .catch(error => {
          failure = error;
        })
        .then(() => each.resolve());
    };
    const done = function (this: Benchmark): void {
      if (failure !== undefined || this.error) reject(failure ?? this.error);
      else resolve(this.stats.sample.map((seconds: number) => 1000 * seconds));
    };
    new Benchmark({ ...options, async: true, fn: options.defer ? deferred : run, onComplete: done }).run();
  });

/** What an implementation took in an earlier case of a kind, to guess what it takes in the next one. */
type History = Map<string, { readonly flops: number; readonly seconds: number }>;

const keyOf = (impl: string, { kind = '' }: Case): string => `${impl}, ${kind}`;

const secondsText = (seconds: number, { slowest }: Effort): string => `${seconds.toFixed(1)} s (--slowest ${slowest})`;

const tooSlow = (history: History, impl: string, each: Case, effort: Effort): string | null => {
  const { flops } = each;
  const before = history.get(keyOf(impl, each));
  if (before === undefined || flops === undefined) return null;
  const expected = (before.seconds * flops) / before.flops;
  return expected > effort.slowest ? `left out: a run would take about ${secondsText(expected, effort)}` : null;
};

interface Entry {
  readonly runner: Runner;
  readonly samples: number[];
  readonly defer: boolean;
  /** Between samples. */
  readonly onCycle?: () => void;
  /** Runs of a sample. */
  count: number;
  /** Samples of a turn. */
  perTurn: number;
}

interface Expected {
  readonly impl: string;
  readonly output: readonly Float32Array[];
}

/** Makes an implementation ready, compares its results, and runs it once more; throws where it cannot take part. */
const start = async (make: () => Promise<Runner>, expected: Expected | null, tolerance: number, bytes: number) => {
  const runner = await make();
  const output = (await runner.output?.()) ?? null;
  const difference = output === null || expected === null ? null : compare(output, expected.output, tolerance);
  if (difference !== null) {
    await runner.close?.();
    throw new Error(`differs from ${expected!.impl}: ${difference}`);
  }
  const begin = performance.now();
  const first = runner.run();
  await first;
  const seconds = (performance.now() - begin) / 1000 / (runner.repeats ?? 1);
  const entry: Entry = {
    runner,
    samples: [],
    defer: first instanceof Promise,
    ...(bytes >= manyBytes ? { onCycle: collect } : {}),
    count: 1,
    perTurn: 1,
  };
  return { entry, seconds, expected: expected ?? (output === null ? null : { impl: runner.impl, output }) };
};

/** The turn before the first, in which is found out how many runs a sample needs, so that none is too short later. */
const warmUp = async (entry: Entry, { minTime, warmUp: maxTime, samples, turn: seconds }: Effort): Promise<void> => {
  const { runner, defer, onCycle } = entry;
  const { ms } = summary(await turn(runner, { ...(onCycle && { onCycle }), defer, minTime, minSamples: 1, maxTime }));
  entry.count = Math.ceil((1000 * minTime) / ms);
  entry.perTurn = Math.max(1, Math.min(samples, Math.floor((1000 * seconds) / (ms * entry.count))));
};

const takeTurn = async (
  { runner, defer, onCycle, samples, count: initCount, perTurn: minSamples }: Entry,
  { minTime, settling }: Effort,
): Promise<void> => {
  const from = performance.now();
  while (initCount > 1 && performance.now() - from < 1000 * settling) await runner.run();
  samples.push(
    ...(await turn(runner, { ...(onCycle && { onCycle }), defer, initCount, minTime, minSamples, maxTime: 0 })),
  );
};

/** All turns of all of them; who fails in one has no more. */
const takeTurns = async (
  entries: Set<Entry>,
  effort: Effort,
  failed: (impl: string, error: unknown) => void,
): Promise<void> => {
  for (let round = 0; round <= effort.rounds; round++) {
    for (const entry of entries) {
      try {
        await entry.runner.enter?.();
        await (round === 0 ? warmUp : takeTurn)(entry, effort);
        await entry.runner.leave?.();
      } catch (error) {
        entries.delete(entry);
        failed(entry.runner.impl, error);
      }
    }
  }
};

const timedRow = (suite: string, { name, flops, bytes }: Case, { runner, samples }: Entry): Row => {
  const { impl, threads, repeats = 1, note } = runner;
  const { ms, spread } = summary(samples.map(sample => sample / repeats));
  return {
    suite,
    case: name,
    impl,
    ms,
    spread,
    ...(flops === undefined ? {} : { gflops: flops / ms / 1e6 }),
    ...(bytes === undefined ? {} : { gbps: bytes / ms / 1e6 }),
    threads,
    ...(note === undefined ? {} : { note }),
  };
};

/** Of the only run, after that whose results were compared. */
const singleRow = (suite: string, each: Case, entry: Entry, seconds: number): Row => {
  const { repeats = 1, note } = entry.runner;
  const runner = { ...entry.runner, note: note === undefined ? 'a single run' : `${note}, a single run` };
  const { spread: _, ...row } = timedRow(suite, each, { ...entry, runner, samples: [1000 * seconds * repeats] });
  return row;
};

/** Times the implementations of a case in turns, so that what else the machine does hits all of them. */
const measureCase = async (suite: string, each: Case, effort: Effort, history: History): Promise<readonly Row[]> => {
  const { name, flops, bytes = 0, tolerance = 1e-4, once, runners } = each;
  const threadsOf = (impl: string): number => runners.find(runner => runner.impl === impl)?.threads ?? 1;
  const rows = new Map<string, Row>();
  const entries = new Set<Entry>();
  const leaveOut = (impl: string, reason: string): void => {
    rows.set(impl, { suite, case: name, impl, ms: null, threads: threadsOf(impl), reason });
  };
  const failed = (impl: string, error: unknown): void => {
    process.exitCode = 1;
    leaveOut(impl, error instanceof Error ? error.message.split('\n')[0]! : String(error));
  };
  let expected: Expected | null = null;
  for (const runner of runners) {
    const reason =
      'cannot' in runner ? runner.cannot : once !== undefined ? null : tooSlow(history, runner.impl, each, effort);
    if (reason !== null) leaveOut(runner.impl, reason);
    if (reason !== null || 'cannot' in runner) continue;
    try {
      const started = await start(runner.make, expected, tolerance, bytes);
      expected = started.expected;
      const { entry, seconds } = started;
      const call = once === undefined ? seconds : (seconds * (entry.runner.repeats ?? 1)) / once;
      if (flops === undefined || call <= effort.slowest) {
        entries.add(entry);
        continue;
      }
      if (once !== undefined) rows.set(runner.impl, singleRow(suite, each, entry, seconds));
      else leaveOut(runner.impl, `left out: a run takes ${secondsText(seconds, effort)}`);
      history.set(keyOf(runner.impl, each), { flops, seconds });
      await entry.runner.close?.();
    } catch (error) {
      failed(runner.impl, error);
    }
  }
  await takeTurns(entries, effort, failed);
  for (const entry of entries) {
    const row = timedRow(suite, each, entry);
    rows.set(row.impl, row);
    if (flops !== undefined) history.set(keyOf(row.impl, each), { flops, seconds: row.ms! / 1000 });
    await entry.runner.close?.();
  }
  return runners.map(({ impl }) => rows.get(impl)!);
};

/** The rows of a suite's cases, one case after the other. */
export const measure = async (
  suite: string,
  cases: readonly Case[],
  effort: Effort,
  report: (rows: readonly Row[]) => void,
): Promise<readonly Row[]> => {
  const history: History = new Map();
  const all: Row[] = [];
  for (const each of cases) {
    const rows = await measureCase(suite, each, effort, history);
    report(rows);
    all.push(...rows);
  }
  return all;
};
