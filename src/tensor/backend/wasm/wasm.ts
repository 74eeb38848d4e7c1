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
import { largestMemory, link } from './assembler.js';
import { libraryFunctions } from './contraction/library.js';
import { type Probe, tableBytes, writeProgram } from './emit.js';
import { codeSettings, usesFma } from './features.js';
import { checkFits, describe } from './fits.js';
import { functionsFor } from './imports.js';
import type { LaneImport } from './kernels/index.js';
import { planOf } from './plan.js';
import { allSteps, stepReports } from './report.js';
import { Residency, tooLarge } from './residency.js';
import type { Plan, Result } from './steps.js';
import { platformOf } from './threads/platform.js';
import { type Loadable, type Main, Pool } from './threads/pool.js';
import { sharedWork, worth } from './threads/work.js';

/** What runs need from the process: memory and the library, made when first needed. */
interface Machine {
  readonly memory: WasmMemory;
  readonly residency: Residency;
  readonly pool: Pool;
  /** Whether threads can share the memory. */
  readonly shared: boolean;
}

/** Functions that all programs use, here and as workers get them. */
interface Library {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly module: Loadable;
}

let machine: Machine | undefined;

const instantiate = (bytes: Uint8Array, env: Readonly<Record<string, unknown>>) => {
  const { Instance, Module } = wasmApi();
  return new Instance(new Module(bytes), { env }).exports;
};

/** Shared, where that is wanted and to be had. */
const memoryOf = (shared: boolean): { readonly memory: WasmMemory; readonly shared: boolean } => {
  const initial = 16;
  try {
    return { memory: new (wasmApi().Memory)({ initial, maximum: largestMemory, shared }), shared };
  } catch (error) {
    if (shared) return memoryOf(false);
    throw error instanceof RangeError ? tooLarge(initial * 2 ** 16, 'the memory for all values', 0) : error;
  }
};

const theMachine = (): Machine => {
  if (machine !== undefined) return machine;
  const platform = platformOf(globalThis);
  const { memory, shared } = memoryOf(platform.missing === null);
  const missing = shared ? platform.missing : (platform.missing ?? 'there is no memory that threads can share');
  const residency = new Residency(memory);
  machine = { memory, shared, residency, pool: new Pool(memory, { ...platform, missing }, residency) };
  return machine;
};

const loadable = (bytes: Uint8Array, library: Loadable | null, work: number): Loadable => ({
  bytes,
  library,
  work,
  place: null,
  refused: null,
});

const libraries = new Map<boolean, Library>();

/** The functions with fused multiply-add or without. */
const libraryOf = (fma: boolean): Library => {
  const known = libraries.get(fma);
  if (known !== undefined) return known;
  const { memory, shared } = theMachine();
  const { bytes } = link(libraryFunctions(fma), shared);
  const made = { exports: instantiate(bytes, { memory }), module: loadable(bytes, null, 0) };
  libraries.set(fma, made);
  return made;
};

/** @internal The memory that values live in, for its limit and its statistics. */
export const residency = (): Residency => theMachine().residency;

/** @internal The threads, and whether they share the memory. */
export const threads = (): Pick<Machine, 'pool' | 'shared'> => theMachine();

interface Code {
  readonly main: Main;
  readonly module: Loadable;
  /** Bytes of the module. */
  readonly size: number;
}

const compiled = (plan: Plan, probe?: Probe): Code => {
  const { memory, shared } = theMachine();
  const library = libraryOf(usesFma());
  const { bytes, imports } = link([{ name: 'main', writer: writeProgram(plan, probe) }], shared);
  const main = instantiate(bytes, { ...library.exports, ...functionsFor(imports, memory), memory }).main as Main;
  const work = sharedWork(plan);
  // The bytes are kept where workers may want them.
  const kept = work < worth.program ? new Uint8Array() : bytes;
  return { main, module: loadable(kept, library.module, work), size: bytes.length };
};

/** A program in which the time of every step is taken. */
const probed = (plan: Plan): { readonly code: Code; readonly start: () => void; readonly times: Float64Array } => {
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
  const code = compiled(plan, { callee, numberOf: step => numbers.get(step)! });
  const start = (): void => {
    times.fill(0);
    current = -1;
  };
  return { code, start, times };
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

/** A program as it has been compiled, and for which settings. */
interface Version {
  readonly settings: number;
  readonly plan: Plan;
  readonly code: Code;
  readonly checkInputs: ReturnType<typeof checkFits>;
  readonly planMs: number;
  readonly emitMs: number;
}

const versionOf = (program: Program): Version => {
  const began = now();
  const plan = planOf(program);
  const planned = now();
  const checkInputs = checkFits(program, plan);
  const code = compiled(plan);
  return { settings: codeSettings(), plan, code, checkInputs, planMs: planned - began, emitMs: now() - planned };
};

const prepared = (program: Program): Executable => {
  const { memory, residency: home, pool } = theMachine();
  let version = versionOf(program);
  /** What was compiled under another setting is compiled again. */
  const current = (): Version => {
    if (version.settings !== codeSettings()) version = versionOf(program);
    return version;
  };
  const types = scalarTypes(program);
  const made = version.plan.made.map(aval => ({
    ...aval,
    size: sizeOf(aval.shape),
    bytes: sizeOf(aval.shape) * bytesOf[aval.dtype],
    inWords: () => showAval(aval),
  }));
  const programInWords = (): string => describe(program, version.plan);
  const inputs = version.plan.inputs.length;
  const execute = (
    { plan, checkInputs }: Version,
    { main, module }: Code,
    given: readonly Storage[],
    scalars: readonly number[],
  ): readonly (Storage | readonly Storage[])[] => {
    checkInputs?.(given);
    const count = pool.threadsFor(module);
    const own: number[] = [];
    let kept = 1;
    try {
      // What is about to be used is the last to leave for what is about to be made.
      for (const storage of given) home.touch(storage);
      own.push(home.allocate(plan.bytes + tableBytes(plan) + (count - 1) * plan.own.bytes, programInWords));
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
      if (count === 1) main(arena, table, 0, 1);
      else pool.run(module, main, arena, table);
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
    run: (given, scalars) => {
      const compiledNow = current();
      return execute(compiledNow, compiledNow.code, given, scalars);
    },
    explain: (given, scalars): Report => {
      const compiledNow = current();
      const { plan, planMs, emitMs } = compiledNow;
      const probe = probed(plan);
      let best = new Float64Array(probe.times.length);
      let [fastest, last] = [Number.POSITIVE_INFINITY, 0];
      for (let i = 0; i <= measuredRuns && last < longRun; i++) {
        probe.start();
        const from = now();
        execute(compiledNow, probe.code, given, scalars);
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
        code: compiledNow.code.size,
        planMs,
        emitMs,
      };
    },
  };
};

export const wasmBackend: Backend = { name: 'wasm', compile: prepared };
