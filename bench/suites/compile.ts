/**
 * What it takes to trace, plan and emit a training step: the first call less a later one.
 *
 * A program is compiled once, so the benchmark package, which repeats what it times, cannot time it: here every sample is
 * of a program with layers of another width, which no cache knows, and the libraries take turns.
 */
import { compare } from '../compare.js';
import { type Emitted, watchEmitted } from '../emitted.js';
import type { Input } from '../inputs.js';
import type { Library, Prepared } from '../library.js';
import { type Effort, summary } from '../measure.js';
import { type Row, rowOf, type Target } from '../row.js';
import { stepInputs } from './step.js';
import { libraries, type Suite } from './suite.js';

/** About 210 kernels: 65 products, the library's own functions, and what is emitted, counted in the notes. */
const blocks = 10;
const batch = 32;
const milliseconds = 300;

/** No two samples have layers of the same width, and no jitted one that of an un-jitted one. */
const inputsOf = (sample: number, jitted: boolean): readonly Input[] =>
  stepInputs({ batch, hidden: 64 + 8 * sample + (jitted ? 4 : 0), blocks });

const timed = async (work: () => unknown): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const withPrepared = async <R>(
  library: Library,
  sample: number,
  jitted: boolean,
  work: (prepared: Prepared) => R | Promise<R>,
): Promise<R> => {
  await library.enter();
  const prepared = await library.prepare('trainStep', inputsOf(sample, jitted), jitted);
  try {
    return await work(prepared);
  } finally {
    await prepared.dispose();
  }
};

interface Timing {
  readonly library: Library;
  readonly emitted: Emitted;
  readonly samples: number[];
}

const measureVariant = async (name: string, jitted: boolean, { rounds }: Effort): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  const timings: Timing[] = [];
  let expected: readonly Float32Array[] | null = null;
  for (const library of libraries) {
    const row = { suite: 'compile', case: name, impl: library.name, ms: null, threads: 1 };
    if (!library.compiles) {
      rows.push({ ...row, reason: 'compiles nothing: every operation is a kernel written beforehand' });
      continue;
    }
    const output = await withPrepared(library, 0, jitted, prepared => prepared.read());
    const difference = compare(output, expected ?? output, 1e-3);
    if (difference !== null) {
      process.exitCode = 1;
      rows.push({ ...row, reason: `differs: ${difference}` });
      continue;
    }
    expected ??= output;
    const emitted = await withPrepared(library, 1, jitted, prepared => watchEmitted(prepared.compute));
    timings.push({ library, emitted, samples: [] });
  }
  for (let sample = 2; sample < 2 + rounds; sample++) {
    for (const { library, samples } of timings) {
      const taken = await withPrepared(library, sample, jitted, async ({ compute }) => {
        const first = await timed(compute);
        const later = [await timed(compute), await timed(compute), await timed(compute)];
        return first - summary(later).ms;
      });
      samples.push(taken);
    }
  }
  const measured = timings.map(
    ({ library, emitted, samples }): Row => ({
      suite: 'compile',
      case: name,
      impl: library.name,
      ...summary(samples),
      threads: library.threads,
      note: `${emitted.functions} functions, ${(emitted.bytes / 1000).toFixed(0)} kB emitted`,
    }),
  );
  return [...measured, ...rows];
};

const names = { jitted: 'training step, jitted', unjitted: 'training step, un-jitted' } as const;

export const compile: Suite = {
  about: 'tracing, planning and emitting a training step',
  run: async (effort, report) => {
    const rows: Row[] = [];
    for (const [name, jitted] of [
      [names.jitted, true],
      [names.unjitted, false],
    ] as const) {
      const measured = await measureVariant(name, jitted, effort);
      report(measured);
      rows.push(...measured);
    }
    return rows;
  },
  targets: rows => {
    const own = rowOf(rows, names.jitted);
    const target: Target = {
      suite: 'compile',
      what: own === undefined ? names.jitted : `${names.jitted}, ${own.note}`,
      goal: `≤ ${milliseconds} ms`,
      measured: own === undefined ? null : `${own.ms!.toFixed(0)} ms`,
      reached: own !== undefined && own.ms! <= milliseconds,
    };
    return [target];
  },
};
