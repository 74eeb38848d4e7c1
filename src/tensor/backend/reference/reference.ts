/** The reference backend: an interpreter that walks a program's instructions. Slow, short, the oracle. */
import type { Instruction, Program } from '../../compile/program.js';
import { allocate, type DType, type TypedArray } from '../../dtype.js';
import type { Params } from '../../graph.js';
import { entryOf } from '../../primitives/table.js';
import { type Aval, sizeOf } from '../../shape.js';
import { HostStorage, type Storage } from '../../storage.js';
import type { Backend, Executable } from '../backend.js';
import { type Context, meanings, type Value } from './meanings.js';

type AnyMeaning = (inputs: readonly TypedArray[], params: Params, context: Context) => Value;
type Run = (inputs: readonly TypedArray[], scalars: readonly number[]) => readonly Value[];

/** Applies a scalar function element by element. An operand of one element stands for as many as are needed. */
const mapElements = (
  scalar: (...xs: number[]) => number,
  operands: readonly TypedArray[],
  dtype: DType,
  size: number,
): TypedArray => {
  const [x, y, z, w] = operands as [TypedArray, TypedArray, TypedArray, TypedArray];
  const [sx, sy, sz, sw] = operands.map(operand => (operand.length === 1 ? 0 : 1)) as [number, number, number, number];
  const out = allocate(dtype, size);
  if (operands.length === 1) for (let i = 0; i < size; i++) out[i] = scalar(x[sx * i]!);
  else if (operands.length === 2) for (let i = 0; i < size; i++) out[i] = scalar(x[sx * i]!, y[sy * i]!);
  else if (operands.length === 3) for (let i = 0; i < size; i++) out[i] = scalar(x[sx * i]!, y[sy * i]!, z[sz * i]!);
  else for (let i = 0; i < size; i++) out[i] = scalar(x[sx * i]!, y[sy * i]!, z[sz * i]!, w[sw * i]!);
  return out;
};

const isElementwise = ({ op }: Instruction): boolean => entryOf(op).kind === 'elementwise';

/** Scalars spread out for elementwise consumers only: those read the one element again and again instead. */
const splatsOf = ({ instructions, outputs }: Program): ReadonlySet<number> => {
  const splats = new Set<number>();
  for (const { op, inputAvals, result } of instructions) {
    if (op === 'broadcast' && sizeOf(inputAvals[0]!.shape) === 1) splats.add(result);
  }
  for (const instruction of instructions) {
    if (!isElementwise(instruction)) for (const slot of instruction.inputs) splats.delete(slot);
  }
  for (const slot of outputs) splats.delete(slot);
  return splats;
};

/** One instruction on arrays. Other backends use it for what they have no code of their own for. */
export const evaluateInstruction = (
  { op, params, inputAvals, aval, outputs }: Instruction,
  inputs: readonly Value[],
  bodies: Context['bodies'],
): Value => {
  const entry = entryOf(op);
  if (entry.kind === 'elementwise') {
    const scalar = entry.scalar(params, inputAvals[inputAvals.length - 1]!.dtype);
    return mapElements(scalar, inputs as readonly TypedArray[], aval.dtype, sizeOf(aval.shape));
  }
  const meaning = (meanings as unknown as Readonly<Record<string, AnyMeaning>>)[op]!;
  const operands = op === 'output' ? (inputs[0] as readonly TypedArray[]) : (inputs as readonly TypedArray[]);
  return meaning(operands, params, { inputAvals, aval, outputs, bodies });
};

/** The bodies of an instruction as functions, given the scalars of the run. */
const bodiesOf = (instruction: Instruction): ((scalars: readonly number[], from: number) => Context['bodies']) => {
  const runs = instruction.bodies.map(prepare);
  return (scalars, from) => {
    let next = from;
    return instruction.bodies.map((body, i) => {
      const own = scalars.slice(next, next + body.scalarCount);
      next += body.scalarCount;
      return (inputs: readonly TypedArray[]) => runs[i]!(inputs, own) as readonly TypedArray[];
    });
  };
};

/** A program as a function. */
const prepare = (program: Program): Run => {
  const { instructions, scalars } = program;
  const bodies = instructions.map(bodiesOf);
  const splats = splatsOf(program);
  const lastUse = new Int32Array(program.slots).fill(-1);
  instructions.forEach(({ inputs }, i) => {
    for (const slot of inputs) lastUse[slot] = i;
  });
  for (const slot of program.outputs) lastUse[slot] = instructions.length;
  return (given, values) => {
    const slots: (Value | undefined)[] = [...given];
    scalars.forEach(({ slot, dtype }, i) => {
      slots[slot] = allocate(dtype, 1).fill(values[i]!);
    });
    let nextScalar = scalars.length;
    instructions.forEach((instruction, i) => {
      const inputs = instruction.inputs.map(slot => slots[slot]!);
      slots[instruction.result] = splats.has(instruction.result)
        ? inputs[0]
        : evaluateInstruction(instruction, inputs, bodies[i]!(values, nextScalar));
      for (const body of instruction.bodies) nextScalar += body.scalarCount;
      for (const slot of instruction.inputs) if (lastUse[slot] === i) slots[slot] = undefined;
    });
    return program.outputs.map(slot => slots[slot]!);
  };
};

export const referenceBackend: Backend = {
  name: 'reference',
  compile: (program: Program): Executable => {
    const run = prepare(program);
    const avals = new Map<number, Aval | readonly Aval[]>([
      ...program.instructions.map(({ result, aval, outputs }) => [result, outputs ?? aval] as const),
      ...program.scalars.map(({ slot, dtype }) => [slot, { shape: [], dtype }] as const),
    ]);
    return {
      run: (inputs: readonly Storage[], scalars: readonly number[]) =>
        run(
          inputs.map(storage => storage.readSync()),
          scalars,
        ).map((value, i) => {
          const slot = program.outputs[i]!;
          const aval = avals.get(slot) ?? program.inputs[slot]!;
          return 'dtype' in aval
            ? new HostStorage(aval.dtype, value as TypedArray)
            : aval.map((each, j) => new HostStorage(each.dtype, (value as readonly TypedArray[])[j]!));
        }),
    };
  },
};
