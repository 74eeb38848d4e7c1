/**
 * The CPU backend: programs become WebAssembly kernels, written by this library, on memory planned beforehand.
 *
 * Elementwise primitives are fused into SIMD kernels, contractions and sums of float32 are library kernels; what has no
 * kernel runs as its reference meaning on the same memory.
 */
import type { Instruction, Program } from '../../compile/program.js';
import { allocate, type TypedArray } from '../../dtype.js';
import type { FoldParams, WhileParams } from '../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../shape.js';
import { HostStorage, type Storage } from '../../storage.js';
import type { Backend, Executable } from '../backend.js';
import type { Value } from '../reference/meanings.js';
import { evaluateInstruction } from '../reference/reference.js';
import { wasmApi } from './api.js';
import { assemble, type FunctionWriter } from './assembler.js';
import { type LaneImport, writeElementwise } from './elementwise.js';
import { bytesFor, Heap } from './heap.js';
import { blockColumns, blockRows, type Library, libraryFunctions } from './library.js';
import { type Placed, type Plan, type Product, panelBytes, placesOf, planOf, type Step } from './plan.js';

/** The first bytes are left free, so that no address is 0. */
const start = 1024;

type Kernel = (...addresses: number[]) => void;

/** What runs a plan needs from the process: memory and the library, made when first needed. */
interface Machine {
  readonly heap: Heap;
  readonly library: Library;
}

let machine: Machine | undefined;

const instantiate = (bytes: Uint8Array, env: Readonly<Record<string, unknown>>) => {
  const { Instance, Module } = wasmApi();
  return new Instance(new Module(bytes), { env });
};

const theMachine = (): Machine => {
  if (machine !== undefined) return machine;
  const heap = new Heap();
  const { exports } = instantiate(assemble([], libraryFunctions), { memory: heap.memory });
  machine = { heap, library: exports as unknown as Library };
  return machine;
};

/** The kernels of a plan and its bodies, numbered in the order in which they are met. */
const writeKernels = (plan: Plan, functions: FunctionWriter[], imports: LaneImport[]): void => {
  for (const step of plan.steps) {
    if (step.kind === 'kernel') functions.push(writeElementwise(step.kernel, imports));
    if (step.kind === 'region') for (const body of step.bodies) writeKernels(body, functions, imports);
  }
};

const compileKernels = ({ heap }: Machine, plan: Plan): readonly Kernel[] => {
  const functions: FunctionWriter[] = [];
  const imports: LaneImport[] = [];
  writeKernels(plan, functions, imports);
  if (functions.length === 0) return [];
  const bytes = assemble(
    imports,
    functions.map((writer, i) => ({ name: `k${i}`, writer })),
  );
  const env = { memory: heap.memory, ...Object.fromEntries(imports.map(({ name, call }) => [name, call])) };
  const { exports } = instantiate(bytes, env);
  return functions.map((_, i) => exports[`k${i}`] as Kernel);
};

/** A plan bound to memory and kernels. */
class Bound {
  readonly plan: Plan;
  /** Addresses by slot; of a slot with several results, that of the first. */
  readonly addresses: Uint32Array;
  readonly #machine: Machine;
  readonly #kernels = new Map<Step, Kernel>();
  readonly #bodies = new Map<Instruction, readonly Bound[]>();

  constructor(machine: Machine, plan: Plan, kernels: Iterator<Kernel>) {
    this.plan = plan;
    this.#machine = machine;
    this.addresses = Uint32Array.from(plan.places, at => (placesOf(at)[0]?.block.offset ?? 0) + start);
    for (const step of plan.steps) {
      if (step.kind === 'kernel') this.#kernels.set(step, kernels.next().value as Kernel);
      if (step.kind === 'region')
        this.#bodies.set(
          step.instruction,
          step.bodies.map(body => new Bound(machine, body, kernels)),
        );
    }
  }

  /** Writes the scalars of this plan and its bodies; gives the number written. */
  writeScalars(values: readonly number[], from: number): number {
    const { heap } = this.#machine;
    let next = from;
    for (const { slot, dtype } of this.plan.program.scalars)
      heap.view(dtype, this.addresses[slot]!, 1)[0] = values[next++]!;
    // In the order of the instructions, which is not that of the steps.
    for (const instruction of this.plan.program.instructions) {
      for (const body of this.#bodies.get(instruction) ?? []) next = body.writeScalars(values, next);
    }
    return next;
  }

  /** Says where the inputs are, for a body. */
  bind(inputs: readonly number[]): void {
    inputs.forEach((address, slot) => {
      this.addresses[slot] = address;
    });
    for (const [name, slot] of this.plan.aliases) this.addresses[name] = this.addresses[slot]!;
  }

  run(): void {
    for (const step of this.plan.steps) {
      switch (step.kind) {
        case 'kernel':
          this.#kernels.get(step)!(...step.operands.map(slot => this.addresses[slot]!));
          break;
        case 'product':
          this.#multiply(step.product, step.instruction, step.scratch.offset + start);
          break;
        case 'sum': {
          const { inputs, result } = step.instruction;
          this.#machine.library.sum(this.addresses[inputs[0]!]!, this.addresses[result]!, ...step.lengths);
          break;
        }
        case 'region':
          this.#runRegion(step.instruction, this.#bodies.get(step.instruction)!);
          break;
        default:
          this.#runOnHost(step.instruction);
      }
    }
  }

  #multiply(product: Product, { inputs, result }: Instruction, scratch: number): void {
    const { library } = this.#machine;
    const { batch, rows, columns, depth, lhs, rhs } = product;
    const sizes = panelBytes(product);
    const [a, b, edge] = [scratch, scratch + sizes.a, scratch + sizes.a + sizes.b];
    for (let i = 0; i < batch; i++) {
      library.pack(this.addresses[inputs[0]!]! + i * lhs[0], lhs[1], lhs[2], rows, depth, blockRows, a);
      library.pack(this.addresses[inputs[1]!]! + i * rhs[0], rhs[1], rhs[2], columns, depth, blockColumns, b);
      library.multiply(a, b, this.addresses[result]! + i * rows * columns * 4, rows, columns, depth, edge);
    }
  }

  #view(slot: number, { shape, dtype }: Aval): TypedArray {
    return this.#machine.heap.view(dtype, this.addresses[slot]!, sizeOf(shape));
  }

  /** The reference meaning of a primitive, on views of the memory. */
  #runOnHost(instruction: Instruction): void {
    const inputs = instruction.inputs.map((slot, i): Value => this.#view(slot, instruction.inputAvals[i]!));
    const result = evaluateInstruction(instruction, inputs, []) as TypedArray;
    this.#view(instruction.result, instruction.aval).set(result);
  }

  /** Where the outputs of a body are after it has run. */
  outputAddresses(): readonly number[] {
    return this.plan.program.outputs.map(slot => this.addresses[slot]!);
  }

  #runRegion(instruction: Instruction, bodies: readonly Bound[]): void {
    const { op, params, inputs, inputAvals, outputs, result } = instruction;
    const given = inputs.map(slot => this.addresses[slot]!);
    const parts = placesOf(this.plan.places[result]);
    const to = parts.map(({ block }) => block.offset + start);
    const bytes = outputs!.map(({ shape, dtype }) => bytesFor(dtype, sizeOf(shape)));
    const { heap } = this.#machine;
    if (op === 'call' || op === 'cond') {
      const index =
        op === 'cond' ? Math.min(bodies.length - 1, Math.max(0, this.#view(inputs[0]!, inputAvals[0]!)[0]!)) : 0;
      const body = bodies[index]!;
      body.bind(op === 'cond' ? given.slice(1) : given);
      body.run();
      body.outputAddresses().forEach((from, i) => {
        heap.copy(to[i]!, from, bytes[i]!);
      });
      return;
    }
    if (op === 'while') {
      const { testCaptures, bodyCaptures } = params as unknown as WhileParams;
      const [test, body] = bodies as [Bound, Bound];
      given.slice(testCaptures + bodyCaptures).forEach((from, i) => {
        heap.copy(to[i]!, from, bytes[i]!);
      });
      test.bind([...given.slice(0, testCaptures), ...to]);
      body.bind([...given.slice(testCaptures, testCaptures + bodyCaptures), ...to]);
      for (;;) {
        test.run();
        if (heap.view('bool', test.outputAddresses()[0]!, 1)[0] === 0) return;
        body.run();
        this.#carry(to, body.outputAddresses(), bytes);
      }
    }
    const { length, captures, carries, reverse } = params as unknown as FoldParams;
    const [body] = bodies as [Bound];
    const carried = to.slice(0, carries);
    given.slice(captures, captures + carries).forEach((from, i) => {
      heap.copy(carried[i]!, from, bytes[i]!);
    });
    const sequences = given.slice(captures + carries);
    const strides = inputAvals
      .slice(captures + carries)
      .map(({ shape, dtype }) => bytesFor(dtype, sizeOf(shape.slice(1))));
    for (let step = 0; step < length; step++) {
      const at = reverse ? length - 1 - step : step;
      body.bind([...given.slice(0, captures), ...carried, ...sequences.map((from, i) => from + at * strides[i]!)]);
      body.run();
      const made = body.outputAddresses();
      made.slice(carries).forEach((from, i) => {
        const size = bytes[carries + i]! / length;
        heap.copy(to[carries + i]! + at * size, from, size);
      });
      this.#carry(carried, made.slice(0, carries), bytes);
    }
  }

  /** Copies results over the carries, minding results that are carries themselves: a step may swap them. */
  #carry(to: readonly number[], from: readonly number[], bytes: readonly number[]): void {
    const { heap } = this.#machine;
    const all = new Uint8Array(heap.memory.buffer);
    const saved = from.map((address, i) => (to.includes(address) ? all.slice(address, address + bytes[i]!) : null));
    from.forEach((address, i) => {
      const bytesSaved = saved[i];
      if (bytesSaved) all.set(bytesSaved, to[i]!);
      else heap.copy(to[i]!, address, bytes[i]!);
    });
  }
}

function* each<T>(list: readonly T[]): Generator<T> {
  yield* list;
}

/** A copy of a value that stays when the memory is used again. */
const copied = (heap: Heap, { shape, dtype }: Aval, address: number): Storage => {
  const array = allocate(dtype, sizeOf(shape));
  array.set(heap.view(dtype, address, array.length));
  return new HostStorage(dtype, array);
};

export const wasmBackend: Backend = {
  name: 'wasm',
  compile: (program: Program): Executable => {
    const machine = theMachine();
    const plan = planOf(program);
    const bound = new Bound(machine, plan, each(compileKernels(machine, plan)));
    const avals = new Map(program.instructions.map(({ result, aval, outputs }) => [result, outputs ?? aval] as const));
    return {
      run: (inputs: readonly Storage[], scalars: readonly number[]) => {
        const { heap } = machine;
        heap.ensure(start + plan.bytes);
        inputs.forEach((storage, slot) => {
          heap.view(storage.dtype, bound.addresses[slot]!, storage.size).set(storage.readSync());
        });
        bound.writeScalars(scalars, 0);
        bound.run();
        return program.outputs.map(slot => {
          const aval = avals.get(slot);
          if (aval !== undefined && !('dtype' in aval)) {
            return placesOf(plan.places[slot]).map(part => copied(heap, part.aval, part.block.offset + start));
          }
          const place = plan.places[slot] as Placed;
          return copied(heap, aval ?? place.aval, bound.addresses[slot]!);
        });
      },
    };
  },
};
