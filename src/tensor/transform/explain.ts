/** What becomes of a function: its graph, its kernels, what they cost. */
import type { Report, StepReport } from '../backend/backend.js';
import { showAval } from '../shape.js';
import { checkFunction } from './arguments.js';
import { explanationPage, wholeMs } from './explanation-page.js';
import { type Dynamic, formOfArguments, matches } from './forms.js';
import { deviceIn, type JitOptions, staticsOf, tracesOf } from './jit.js';
import { specialise } from './specialisation.js';

/** A time a function was traced. */
export interface TraceNote {
  /** Why, in words. */
  readonly reason: string;
  /** The dynamic arguments: `float32[2, 3]`. */
  readonly arguments: readonly string[];
}

/** What {@link explain} finds. */
export interface Explanation {
  /** The graph as it was traced: a line for each operation. */
  readonly graph: string;
  /** The kernels, with their costs; null where the backend has nothing to tell. */
  readonly report: Report | null;
  /** How often a jitted function has been traced so far, and why; empty for other functions. */
  readonly traces: readonly TraceNote[];
  /** All of it as a table. */
  toString(): string;
  /** A page of its own that draws the kernels in time. */
  toHtml(): string;
}

const units = (value: number, names: readonly string[], step: number): string => {
  let [rest, unit] = [value, 0];
  while (rest >= step && unit < names.length - 1) {
    rest /= step;
    unit++;
  }
  return `${rest >= 100 || unit === 0 ? rest.toFixed(0) : rest.toPrecision(3)} ${names[unit]}`;
};

const showBytes = (bytes: number): string => units(bytes, ['B', 'KiB', 'MiB', 'GiB'], 1024);
const showMs = (ms: number): string => (ms >= 0.1 ? `${ms.toPrecision(3)} ms` : `${(1000 * ms).toPrecision(3)} µs`);
const showRate = (amount: number, ms: number | null, unit: string): string =>
  amount === 0 || ms === null || ms === 0 ? '' : `${(amount / ms / 1e6).toPrecision(3)} ${unit}`;

interface Line {
  readonly depth: number;
  readonly step: StepReport;
}

/** The steps in order, those of bodies behind their own. */
const flatSteps = (steps: readonly StepReport[], depth = 0): readonly Line[] =>
  steps.flatMap(step => [{ depth, step }, ...flatSteps(step.steps, depth + 1)]);

const short = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows
    .map(row =>
      row
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const showReport = (report: Report): string => {
  const { steps, memory, backend, code, planMs, emitMs } = report;
  const lines = flatSteps(steps).map(({ depth, step }) => [
    `${'  '.repeat(depth)}${short(step.name, 48)}`,
    short(step.shape, 48),
    step.times === null ? '?' : String(step.times),
    step.flops === 0 ? '' : units(step.flops, ['', 'K', 'M', 'G', 'T'], 1000).trim(),
    step.bytes === 0 ? '' : showBytes(step.bytes),
    step.ms === null ? '' : showMs(step.ms),
    showRate(step.flops * (step.times ?? 0), step.ms, 'GFLOP/s'),
    showRate(step.bytes * (step.times ?? 0), step.ms, 'GB/s'),
  ]);
  const total = steps.reduce((sum, step) => sum + wholeMs(step), 0);
  const measured = steps.some(({ ms }) => ms !== null) ? ` in ${showMs(total)}` : '';
  return [
    `${steps.length} ${steps.length === 1 ? 'step' : 'steps'} on the ${backend} backend${measured}; ${showBytes(code)} of code, planned in ${showMs(planMs)}, written in ${showMs(emitMs)}`,
    `memory: ${showBytes(memory.arena)} planned, ${showBytes(memory.inputs)} of inputs, ${showBytes(memory.outputs)} of outputs`,
    '',
    table([['kernel', 'space (* reduced)', 'times', 'flops', 'bytes', 'time', '', ''], ...lines]),
    ...(lines.some(([name]) => name!.includes('[js]')) ? ['', '[js]: no fast form, computed element by element'] : []),
    ...(lines.some(([name]) => name!.includes('[cpu]'))
      ? ['', '[cpu]: not on the device, so these values travel']
      : []),
  ].join('\n');
};

/**
 * What becomes of `f` on these arguments: the traced graph, the kernels it is compiled to with their shapes, arithmetic,
 * bytes and planned memory, and the time each of them takes, measured in a few runs.
 *
 * Prints as a table; `toHtml()` gives a page without references that draws the kernels in time. For a function made by
 * `jit` it also tells how often it was traced so far, and why. Primitives marked `[js]` have no fast form on the backend. On the
 * GPU nothing is measured; steps marked `[cpu]` run on the CPU, and list the values that travel for it.
 *
 * @param f takes and returns trees; jitted or not
 * @param options as those of `jit`
 * @returns a function with the arguments of `f`
 * @throws TraceError when `f` reads the value of an argument
 * @throws ArgumentError when `f` is no function
 * @throws DeviceError as `jit`
 * @example
 * ```js
 * import { explain, softmax, zeros } from 'tenfold';
 * const { report } = explain(x => softmax(x))(zeros([4, 16]));
 * report.steps.map(step => step.name); // => ['reduceMax sub exp sum div']
 * ```
 */
export const explain = <F extends (...args: never[]) => unknown>(
  f: F,
  options: JitOptions = {},
): ((...args: Parameters<F>) => Explanation) => {
  checkFunction('explain', f);
  const statics = staticsOf('explain', options);
  const device = deviceIn('explain', options);
  return (...args) => {
    const form = formOfArguments('explain', args, statics);
    const found: Dynamic[] = [];
    matches(form, args, found);
    const made = specialise(
      'explain',
      f as unknown as (...args: readonly unknown[]) => unknown,
      args,
      form,
      found,
      statics,
      device,
    );
    const graph = made.show();
    const report = made.explain(found);
    const traces = tracesOf(f).map(
      ({ reason, avals }): TraceNote => Object.freeze({ reason, arguments: Object.freeze(avals.map(showAval)) }),
    );
    const show = (): string =>
      [
        ...(traces.length === 0 ? [] : ['traced:', ...traces.map(({ reason }, i) => `  ${i + 1}. ${reason}`), '']),
        'graph:',
        graph,
        '',
        report === null ? 'the backend has nothing to tell' : showReport(report),
      ].join('\n');
    const explanation = {
      graph,
      report,
      traces: Object.freeze(traces),
      toString: show,
      toHtml: () => explanationPage({ graph, report, traces }),
      [Symbol.for('nodejs.util.inspect.custom')]: show,
    };
    return Object.freeze(explanation);
  };
};
