/**
 * The CPU backend: programs become WebAssembly, written by this library. A program is one function that calls its kernels on
 * memory planned beforehand; values stay in WebAssembly memory from one program to the next.
 */
import type { Program } from '../../compile/program.js';
import { bytesOf } from '../../dtype.js';
import { type Aval, showAval, sizeOf } from '../../shape.js';
import type { Storage } from '../../storage.js';
import type { Backend, Executable } from '../backend.js';
import { type WasmMemory, wasmApi } from './api.js';
import { link } from './assembler.js';
import { writeProgram } from './emit.js';
import type { LaneImport } from './kernels/index.js';
import { libraryFunctions } from './library.js';
import { type Plan, planOf, type Result } from './plan.js';
import { Residency } from './residency.js';

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

const theMachine = (): Machine => {
  if (machine !== undefined) return machine;
  const memory = new (wasmApi().Memory)({ initial: 16, maximum: 2 ** 16 });
  const library = instantiate(link(libraryFunctions).bytes, { memory });
  machine = { memory, residency: new Residency(memory), library };
  return machine;
};

/** @internal The memory that values live in, for its limit and its statistics. */
export const residency = (): Residency => theMachine().residency;

type Main = (arena: number, table: number) => void;

const compiled = (plan: Plan): Main => {
  const { memory, library } = theMachine();
  const { bytes, imports } = link([{ name: 'main', writer: writeProgram(plan) }]);
  const lanes = imports.flatMap(each => ('call' in each ? [[each.name, (each as LaneImport).call] as const] : []));
  return instantiate(bytes, { ...library, ...Object.fromEntries(lanes), memory }).main as Main;
};

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
  const plan = planOf(program);
  const main = compiled(plan);
  const types = scalarTypes(program);
  const made = plan.made.map(aval => ({
    ...aval,
    size: sizeOf(aval.shape),
    bytes: sizeOf(aval.shape) * bytesOf[aval.dtype],
  }));
  const inputs = plan.inputs.length;
  const tableBytes = 4 * (inputs + made.length);
  return {
    run: (given: readonly Storage[], scalars: readonly number[]) => {
      const own: number[] = [];
      let kept = 1;
      try {
        own.push(home.allocate(plan.bytes + tableBytes, `a program of ${plan.steps.length} steps`));
        for (const { bytes, shape, dtype } of made) own.push(home.allocate(bytes, showAval({ shape, dtype })));
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
        main(arena, table);
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
    },
  };
};

export const wasmBackend: Backend = { name: 'wasm', compile: prepared };
