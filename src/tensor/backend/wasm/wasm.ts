/**
 * The CPU backend: programs become WebAssembly, written by this library. A program is one function that calls its kernels on
 * memory planned beforehand; values stay in WebAssembly memory from one program to the next.
 */
import type { Program } from '../../compile/program.js';
import { bytesOf } from '../../dtype.js';
import { type Aval, showAval, sizeOf } from '../../shape.js';
import type { Storage } from '../../storage.js';
import type { Backend, Executable, Report } from '../backend.js';
import { now, type WasmMemory, wasmApi } from './api.js';
import { link } from './assembler.js';
import { type Probe, writeProgram } from './emit.js';
import { checkFits, describe } from './fits.js';
import type { LaneImport } from './kernels/index.js';
import { libraryFunctions } from './library.js';
import { type Plan, planOf, type Result } from './plan.js';
import { allSteps, stepReports } from './report.js';
import { Residency, tooLarge } from './residency.js';

/** What runs need from the process: memory and the library, made when first needed. */
interface Machine {
  readonly memory: WasmMemory;
  readonly residency: Residency;
  readonly library: Readonly<Record<string, unknown>>;
}

let machine: Machine | undefined;

const instantiate = (bytes: Uint8Array, env: Readonly<Record<string, unknown>>) => {
  const { Instance, Module } = wasmApi();
  return new Instance(new Module(bytes), { env }).exports;
};

const memoryOf = (pages: { readonly initial: number; readonly maximum: number }): WasmMemory => {
  try {
    return new (wasmApi().Memory)(pages);
  } catch (error) {
    throw error instanceof RangeError ? tooLarge(pages.initial * 2 ** 16, 'the memory for all values', 0) : error;
  }
};

const theMachine = (): Machine => {
  if (machine !== undefined) return machine;
  const memory = memoryOf({ initial: 16, maximum: 2 ** 16 });
  const library = instantiate(link(libraryFunctions).bytes, { memory });
  machine = { memory, residency: new Residency(memory), library };
  return machine;
};

/** @internal The memory that values live in, for its limit and its statistics. */
export const residency = (): Residency => theMachine().residency;

type Main = (arena: number, table: number) => void;

interface Code {
  readonly main: Main;
  readonly bytes: number;
}

const compiled = (plan: Plan, probe?: Probe): Code => {
  const { memory, library } = theMachine();
  const { bytes, imports } = link([{ name: 'main', writer: writeProgram(plan, probe) }]);
  const lanes = imports.flatMap(each => ('call' in each ? [[each.name, (each as LaneImport).call] as const] : []));
  const main = instantiate(bytes, { ...library, ...Object.fromEntries(lanes), memory }).main as Main;
  return { main, bytes: bytes.length };
};

/** A program in which the time of every step is taken. */
const probed = (plan: Plan): { readonly main: Main; readonly start: () => void; readonly times: Float64Array } => {
  const steps = allSteps(plan);
  const numbers = new Map(steps.map((step, i) => [step, i]));
  const times = new Float64Array(steps.length);
  let [current, since] = [-1, 0];
  const call = (step: number): number => {
    const time = now();
    if (current >= 0) times[current]! += time - since;
    [current, since] = [step, now()];
    return 0;
  };
  const callee: LaneImport = { name: 'probe', parameters: ['i32'], results: [], call };
  const { main } = compiled(plan, { callee, numberOf: step => numbers.get(step)! });
  const start = (): void => {
    times.fill(0);
    current = -1;
  };
  return { main, start, times };
};

/** Runs of a program that are measured, the fastest of which counts, unless they take long. */
const measuredRuns = 5;
const longRun = 300;

/** A view for single numbers, made anew when the memory has grown. */
let numbers = new DataView(new ArrayBuffer(0));
const numbersOf = ({ buffer }: WasmMemory): DataView => {
  if (numbers.buffer !== buffer) numbers = new DataView(buffer);
  return numbers;
};

const writeNumber = (view: DataView, address: number, dtype: Aval['dtype'], value: number): void => {
  switch (dtype) {
    case 'float32':
      view.setFloat32(address, value, true);
      break;
    case 'float64':
      view.setFloat64(address, value, true);
      break;
    case 'int32':
      view.setInt32(address, value, true);
      break;
    case 'uint32':
      view.setUint32(address, value, true);
      break;
    default:
      view.setUint8(address, value);
  }
};

/** The dtypes of a program's scalars and those of its bodies, in the order of a run's values. */
const scalarTypes = ({ scalars, instructions }: Program): Aval['dtype'][] => [
  ...scalars.map(({ dtype }) => dtype),
  ...instructions.flatMap(({ bodies }) => bodies.flatMap(scalarTypes)),
];

const prepared = (program: Program): Executable => {
  const { memory, residency: home } = theMachine();
  const began = now();
  const plan = planOf(program);
  const planned = now();
  const checkInputs = checkFits(program, plan);
  const { main, bytes: code } = compiled(plan);
  const emitted = now();
  const types = scalarTypes(program);
  const made = plan.made.map(aval => ({
    ...aval,
    size: sizeOf(aval.shape),
    bytes: sizeOf(aval.shape) * bytesOf[aval.dtype],
    inWords: () => showAval(aval),
  }));
  const programInWords = (): string => describe(program, plan);
  const inputs = plan.inputs.length;
  const tableBytes = 4 * (inputs + made.length);
  const execute = (
    run: Main,
    given: readonly Storage[],
    scalars: readonly number[],
  ): readonly (Storage | readonly Storage[])[] => {
    checkInputs?.(given);
    const own: number[] = [];
    let kept = 1;
    try {
      // What is about to be used is the last to leave for what is about to be made.
      for (const storage of given) home.touch(storage);
      own.push(home.allocate(plan.bytes + tableBytes, programInWords));
      for (const { bytes, inWords } of made) own.push(home.allocate(bytes, inWords));
      const addresses = given.map(storage => home.use(storage));
      const arena = own[0]!;
      const table = arena + plan.bytes;
      const view = numbersOf(memory);
      addresses.forEach((address, i) => {
        view.setUint32(table + 4 * i, address, true);
      });
      made.forEach((_, i) => {
        view.setUint32(table + 4 * (inputs + i), own[i + 1]!, true);
      });
      types.forEach((dtype, i) => {
        writeNumber(view, arena + 16 * i, dtype, scalars[i]!);
      });
      run(arena, table);
      const storages = made.map(({ dtype, size }, i) => {
        kept++;
        return home.adopt(dtype, size, own[i + 1]!);
      });
      const resultOf = (result: Result): Storage | readonly Storage[] =>
        'kind' in result
          ? (result.kind === 'input' ? given : storages)[result.index]!
          : (result as readonly Result[]).map(part => resultOf(part) as Storage);
      return plan.results.map(resultOf);
    } finally {
      home.unpinAll();
      if (own.length > 0) home.free(own[0]!);
      for (const address of own.slice(kept)) home.free(address);
    }
  };
  return {
    run: (given, scalars) => execute(main, given, scalars),
    explain: (given, scalars): Report => {
      const probe = probed(plan);
      let best = new Float64Array(probe.times.length);
      let [fastest, last] = [Number.POSITIVE_INFINITY, 0];
      for (let i = 0; i <= measuredRuns && last < longRun; i++) {
        probe.start();
        const from = now();
        execute(probe.main, given, scalars);
        last = now() - from;
        if (last < fastest) [fastest, best] = [last, probe.times.slice()];
      }
      const numbers = new Map(allSteps(plan).map((step, i) => [step, i]));
      return {
        backend: 'wasm',
        steps: stepReports(plan, step => best[numbers.get(step)!]!),
        memory: {
          arena: plan.bytes,
          inputs: plan.inputs.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesOf[dtype], 0),
          outputs: made.reduce((sum, { bytes }) => sum + bytes, 0),
        },
        code,
        planMs: planned - began,
        emitMs: emitted - planned,
      };
    },
  };
};

export const wasmBackend: Backend = { name: 'wasm', compile: prepared };
