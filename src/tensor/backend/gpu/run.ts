/**
 * Running a plan. It goes on at once as long as nothing has to be waited for: a run is a generator of the promises that it
 * waits for, so that there is one way through the steps for devices that can be read at once and for the others.
 */
import type { FoldParams, WhileParams } from '../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../shape.js';
import { HostStorage, type Storage } from '../../storage.js';
import type { Device } from './device.js';
import { decode, encode } from './encoding.js';
import type { DeviceBuffer, Launchable, Launcher } from './launch/launcher.js';
import type { Pass, PassNumber } from './pass.js';
import type { Value } from './passes/sequence.js';
import { bufferFloats, type CpuStep, isList, type Plan, type RegionStep, type Step } from './plan.js';

/** Launches of a program from which on it is worth it that all its runs use the same buffers. */
const manyLaunches = 8;

/** What waits for promises, and gives a result. */
export type Course<T> = Generator<Promise<unknown>, T, unknown>;

/** Goes through to the end: at once, if nothing has to be waited for. */
export const follow = <T>(course: Course<T>): T | Promise<T> => {
  const from = course.next();
  return from.done ? from.value : wait(course, from.value);
};

const wait = async <T>(course: Course<T>, first: Promise<unknown>): Promise<T> => {
  let next = first;
  for (;;) {
    let result: unknown;
    let failure: { readonly error: unknown } | null = null;
    try {
      result = await next;
    } catch (error) {
      failure = { error };
    }
    const step = failure === null ? course.next(result) : course.throw(failure.error);
    if (step.done) return step.value;
    next = step.value;
  }
};

/** A value, waited for if it has to be. */
export function* settled<T>(value: T | Promise<T>): Course<T> {
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** A value while a plan runs: on the device, on the host, or both. Its buffer goes when nobody refers to it. */
class Cell {
  buffer: DeviceBuffer | null;
  storage: Storage | null;
  readonly #launcher: Launcher | null;
  #references = 1;

  /** @param launcher frees the buffer in the end; null for what belongs to somebody else */
  constructor(buffer: DeviceBuffer | null, storage: Storage | null, launcher: Launcher | null) {
    this.buffer = buffer;
    this.storage = storage;
    this.#launcher = launcher;
  }

  retain(): Cell {
    this.#references += 1;
    return this;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references === 0 && this.buffer !== null) this.#launcher?.free(this.buffer);
  }

  /** The buffer for the only one who refers to it; null where there are others, or it belongs to somebody else. */
  take(): DeviceBuffer | null {
    if (this.#launcher === null || this.#references !== 1) return null;
    const { buffer } = this;
    this.buffer = null;
    return buffer;
  }
}

/** What has been done, for deviceInfo. */
export interface Counts {
  launches: number;
  compiled: number;
}

export interface Context {
  readonly device: Device;
  readonly counts: Counts;
  readonly launchables: ReadonlyMap<Pass, Launchable>;
  /** The values of the run's scalars. */
  readonly scalars: readonly number[];
}

const numberOf = (number: PassNumber, scalars: readonly number[]): number => {
  if (number.kind === 'constant') return number.value;
  if (number.kind === 'argument') throw new Error('tenfold: an argument nobody gives; please report this');
  const value = scalars[number.index]!;
  return number.part === 'all' ? value : number.part === 'low' ? value & 65535 : (value >>> 16) & 65535;
};

/** Puts values from inputs on the device, runs, and gives the cells of the outputs, each with a reference of its own. */
function* runPlan(context: Context, plan: Plan, inputs: readonly Cell[]): Course<readonly (Cell | readonly Cell[])[]> {
  const cells = new Map<Value, Cell>(inputs.map((cell, value) => [value, cell.retain()] as const));
  try {
    for (const [at, step] of plan.steps.entries()) {
      yield* runStep(context, plan, step, cells);
      for (const value of plan.dying[at]!) {
        cells.get(value)!.release();
        cells.delete(value);
      }
    }
    const cellOf = (value: Value): Cell => cells.get(value)!.retain();
    return plan.outputs.map(made => (isList(made) ? made.map(cellOf) : cellOf(made)));
  } finally {
    for (const cell of cells.values()) cell.release();
  }
}

function* runStep(context: Context, plan: Plan, step: Step, cells: Map<Value, Cell>): Course<void> {
  const { launcher } = context.device;
  switch (step.kind) {
    case 'launch': {
      const buffers: DeviceBuffer[] = [];
      for (const value of step.reads) buffers.push(yield* bufferOf(context, cells.get(value)!));
      const numbers = step.pass.numbers.map(number => numberOf(number, context.scalars));
      const made = launcher.launch(context.launchables.get(step.pass)!, buffers, numbers);
      context.counts.launches += 1;
      step.makes.forEach((value, i) => {
        cells.set(value, new Cell(made[i]!, null, launcher));
      });
      return;
    }
    case 'empty':
      for (const value of step.makes) cells.set(value, new Cell(launcher.upload(new Float32Array(1)), null, launcher));
      return;
    case 'cpu':
      yield* runOnCpu(context, plan, step, cells);
      return;
    default: {
      const operands = step.reads.map(value => cells.get(value)!);
      const results = yield* runRegion(context, step, operands);
      step.makes.forEach((value, i) => {
        cells.set(value, results[i]!);
      });
    }
  }
}

/** The buffer of a value, uploaded if it is on the host. */
function* bufferOf({ device }: Context, cell: Cell): Course<DeviceBuffer> {
  if (cell.buffer !== null) return cell.buffer;
  const storage = cell.storage!;
  // What a part on the CPU has made lasts as long as this run.
  if (storage.device === undefined) {
    cell.buffer = device.launcher.upload(encode(yield* settled(storage.read()), storage.dtype));
    device.stats.uploads += 1;
    device.stats.uploadedBytes += 4 * cell.buffer.floats;
  } else cell.buffer = yield* settled(device.use(storage));
  return cell.buffer;
}

/** The elements of a value on the host. */
function* storageOf({ device }: Context, cell: Cell, { shape, dtype }: Aval): Course<Storage> {
  if (cell.storage !== null) {
    if (cell.storage.device === undefined) return cell.storage;
    return new HostStorage(dtype, yield* settled(cell.storage.read()));
  }
  const floats = yield* settled(device.launcher.read(cell.buffer!));
  device.stats.readbacks += 1;
  device.stats.readbackBytes += 4 * floats.length;
  cell.storage = new HostStorage(dtype, decode(floats, dtype, sizeOf(shape)));
  return cell.storage;
}

function* runOnCpu(context: Context, plan: Plan, step: CpuStep, cells: Map<Value, Cell>): Course<void> {
  const { launcher } = context.device;
  const given: Storage[] = [];
  for (const value of step.reads) given.push(yield* storageOf(context, cells.get(value)!, plan.avals.get(value)!));
  const results = step.executable.run(
    given,
    step.scalars.map(index => context.scalars[index]!),
  );
  const keep = (value: Value, storage: Storage): void => {
    cells.set(value, new Cell(null, storage, launcher));
  };
  step.makes.forEach((made, i) => {
    const result = results[i]!;
    if (isList(made)) for (const [part, value] of made.entries()) keep(value, (result as readonly Storage[])[part]!);
    else keep(made, result as Storage);
  });
}

function* runBody(context: Context, body: Plan, inputs: readonly Cell[]): Course<readonly Cell[]> {
  return (yield* runPlan(context, body, inputs)) as readonly Cell[];
}

/** A single integer or truth value, read back: somebody decides by it. */
function* decision(context: Context, cell: Cell, aval: Aval): Course<number> {
  const storage = yield* storageOf(context, cell, aval);
  return (yield* settled(storage.read()))[0]!;
}

function* runRegion(context: Context, step: RegionStep, operands: readonly Cell[]): Course<readonly Cell[]> {
  const { op, inputAvals } = step.instruction;
  if (op === 'call') return yield* runBody(context, step.bodies[0]!, operands);
  if (op === 'cond') {
    const index = yield* decision(context, operands[0]!, inputAvals[0]!);
    const branch = Math.min(Math.max(index, 0), step.bodies.length - 1);
    return yield* runBody(context, step.bodies[branch]!, operands.slice(1));
  }
  if (op === 'while') return yield* runWhile(context, step, operands);
  return yield* runFold(context, step, operands);
}

const releaseAll = (cells: readonly Cell[]): void => {
  for (const cell of cells) cell.release();
};

function* runWhile(context: Context, step: RegionStep, operands: readonly Cell[]): Course<readonly Cell[]> {
  const { testCaptures, bodyCaptures } = step.instruction.params as unknown as WhileParams;
  const [test, body] = step.bodies as [Plan, Plan];
  const forTest = operands.slice(0, testCaptures);
  const forBody = operands.slice(testCaptures, testCaptures + bodyCaptures);
  let carries: readonly Cell[] = operands.slice(testCaptures + bodyCaptures).map(cell => cell.retain());
  try {
    while (yield* holds(context, test, [...forTest, ...carries])) {
      const next = yield* runBody(context, body, [...forBody, ...carries]);
      releaseAll(carries);
      carries = next;
    }
    return carries;
  } catch (error) {
    releaseAll(carries);
    throw error;
  }
}

/** Whether a loop goes on. */
function* holds(context: Context, test: Plan, inputs: readonly Cell[]): Course<boolean> {
  const [flag] = (yield* runBody(context, test, inputs)) as readonly [Cell];
  try {
    return (yield* decision(context, flag, { shape: [], dtype: 'bool' })) !== 0;
  } finally {
    flag.release();
  }
}

function* runFold(context: Context, step: RegionStep, operands: readonly Cell[]): Course<readonly Cell[]> {
  const { launcher } = context.device;
  const { params, inputAvals, outputs } = step.instruction;
  const { length, captures, carries: count, reverse } = params as unknown as FoldParams;
  const [body] = step.bodies as [Plan];
  const constant = operands.slice(0, captures);
  const sequences: { readonly buffer: DeviceBuffer; readonly floats: number }[] = [];
  for (const [i, cell] of operands.slice(captures + count).entries()) {
    const floats = bufferFloats(inputAvals[captures + count + i]!) / Math.max(1, length);
    sequences.push({ buffer: yield* bufferOf(context, cell), floats });
  }
  let carries: readonly Cell[] = operands.slice(captures, captures + count).map(cell => cell.retain());
  const slices: Cell[] = [];
  const stacks = outputs!.slice(count).map((): Cell[] => []);
  const stacked: Cell[] = [];
  try {
    for (let turn = 0; turn < length; turn++) {
      const at = reverse ? length - 1 - turn : turn;
      for (const { buffer, floats } of sequences) {
        const whole = Number.isInteger(floats);
        const own = whole ? launcher.slice(buffer, at * floats, floats) : launcher.slice(buffer, 0, 1);
        slices.push(new Cell(own, null, launcher));
      }
      const results = yield* runBody(context, body, [...constant, ...carries, ...slices]);
      releaseAll(carries);
      carries = results.slice(0, count);
      results.slice(count).forEach((cell, i) => {
        stacks[i]!.push(cell);
      });
      releaseAll(slices.splice(0));
    }
    for (const [i, cells] of stacks.entries()) {
      const parts: DeviceBuffer[] = [];
      for (const cell of reverse ? [...cells].reverse() : cells) parts.push(yield* bufferOf(context, cell));
      const empty = sizeOf(outputs![count + i]!.shape) === 0;
      const buffer = empty ? launcher.upload(new Float32Array(1)) : launcher.stack(parts);
      stacked.push(new Cell(buffer, null, launcher));
      releaseAll(cells.splice(0));
    }
    return [...carries, ...stacked];
  } catch (error) {
    releaseAll([...carries, ...slices, ...stacks.flat(), ...stacked]);
    throw error;
  }
}

/** A result of a run: a buffer that belongs to nobody yet, or elements on the host. */
export type Outcome = { readonly buffer: DeviceBuffer } | { readonly storage: Storage };

/**
 * Runs a plan for values, which are brought to the device where they must be there.
 *
 * @param wanted which of its outputs, or of their parts, are wanted: each once, and none of them an input
 */
export function* run(
  context: Context,
  plan: Plan,
  inputs: readonly Storage[],
  wanted: readonly Value[],
): Course<readonly Outcome[]> {
  const { device } = context;
  const buffers = yield* settled(device.useAll(plan.uploads.map(value => inputs[value]!)));
  yield* settled(device.room(plan.peak));
  const { launcher } = device;
  const lends = plan.launches >= manyLaunches;
  const given = inputs.map(storage => new Cell(null, storage, null));
  for (const [i, value] of plan.uploads.entries()) {
    const own = buffers[i]!;
    const buffer = lends ? launcher.lend(own) : own;
    given[value] = new Cell(buffer, inputs[value]!, buffer === own ? null : launcher);
  }
  const cells: Cell[] = [];
  try {
    for (const made of yield* runPlan(context, plan, given)) cells.push(...(isCells(made) ? made : [made]));
  } finally {
    releaseAll(given);
  }
  const values = plan.outputs.flatMap(made => (isList(made) ? [...made] : [made]));
  const own = new Map<Value, Cell>();
  cells.forEach((cell, i) => {
    const value = values[i]!;
    if (own.has(value) || !wanted.includes(value)) cell.release();
    else own.set(value, cell);
  });
  const outcomes: Outcome[] = [];
  try {
    for (const value of wanted) outcomes.push(outcomeOf(launcher, own.get(value)!, lends));
    return outcomes;
  } catch (error) {
    for (const outcome of outcomes) if ('buffer' in outcome) launcher.free(outcome.buffer);
    for (const value of wanted.slice(outcomes.length)) own.get(value)!.release();
    throw error;
  }
}

/** What a cell holds for somebody else, who has all of it; releases the cell. */
const outcomeOf = (launcher: Launcher, cell: Cell, lends: boolean): Outcome => {
  if (cell.buffer === null) return { storage: cell.storage! };
  const kept = lends ? launcher.keep(cell.buffer) : cell.buffer;
  const buffer = kept === cell.buffer ? (cell.take() ?? launcher.slice(kept, 0, kept.floats)) : kept;
  cell.release();
  return { buffer };
};

const isCells = (made: Cell | readonly Cell[]): made is readonly Cell[] => Array.isArray(made);
