/** The reference backend: an interpreter that walks a program's instructions. Slow, short, the oracle. */
import { type Instruction, type Program, programOfGraph } from '../../compile/program.js';
import { allocate, type DType, type TypedArray } from '../../dtype.js';
import type { Graph, Params } from '../../graph.js';
import { entryOf } from '../../primitives/table.js';
import { HostStorage, type Storage } from '../../storage.js';
import type { Backend, Executable } from '../backend.js';
import { type Context, meanings, type Value } from './meanings.js';

type AnyMeaning = (inputs: readonly TypedArray[], params: Params, context: Context) => Value;
type Run = (inputs: readonly TypedArray[]) => readonly Value[];

/** Applies a scalar function element by element; the operands have one shape. */
const mapElements = (
  scalar: (...xs: number[]) => number,
  operands: readonly TypedArray[],
  dtype: DType,
): TypedArray => {
  const [x, y, z, w] = operands as [TypedArray, TypedArray, TypedArray, TypedArray];
  const out = allocate(dtype, x.length);
  const n = out.length;
  if (operands.length === 1) for (let i = 0; i < n; i++) out[i] = scalar(x[i]!);
  else if (operands.length === 2) for (let i = 0; i < n; i++) out[i] = scalar(x[i]!, y[i]!);
  else if (operands.length === 3) for (let i = 0; i < n; i++) out[i] = scalar(x[i]!, y[i]!, z[i]!);
  else for (let i = 0; i < n; i++) out[i] = scalar(x[i]!, y[i]!, z[i]!, w[i]!);
  return out;
};

const evaluateInstruction = (
  { op, params, inputAvals, aval, outputs }: Instruction,
  inputs: readonly Value[],
  apply: Context['apply'],
): Value => {
  const entry = entryOf(op);
  if (entry.kind === 'elementwise') {
    return mapElements(
      entry.scalar(params, inputAvals[inputAvals.length - 1]!.dtype),
      inputs as readonly TypedArray[],
      aval.dtype,
    );
  }
  const meaning = (meanings as unknown as Readonly<Record<string, AnyMeaning>>)[op]!;
  const operands = op === 'output' ? (inputs[0] as readonly TypedArray[]) : (inputs as readonly TypedArray[]);
  return meaning(operands, params, { inputAvals, aval, outputs, apply });
};

/** A program as a function; bodies are prepared once, when they are first met. */
const prepare = (program: Program): Run => {
  const bodies = new Map<Graph, Run>();
  const apply: Context['apply'] = (body, inputs) => {
    const run = bodies.get(body) ?? prepare(programOfGraph(body));
    bodies.set(body, run);
    return run(inputs) as readonly TypedArray[];
  };
  const { instructions } = program;
  const lastUse = new Int32Array(program.slots).fill(-1);
  instructions.forEach(({ inputs }, i) => {
    for (const slot of inputs) lastUse[slot] = i;
  });
  for (const slot of program.outputs) lastUse[slot] = instructions.length;
  return arguments_ => {
    const slots: (Value | undefined)[] = new Array(program.slots);
    arguments_.forEach((value, i) => {
      slots[i] = value;
    });
    instructions.forEach((instruction, i) => {
      const inputs = instruction.inputs.map(slot => slots[slot]!);
      slots[instruction.result] = evaluateInstruction(instruction, inputs, apply);
      for (const slot of instruction.inputs) if (lastUse[slot] === i) slots[slot] = undefined;
    });
    return program.outputs.map(slot => slots[slot]!);
  };
};

export const referenceBackend: Backend = {
  name: 'reference',
  compile: (program: Program): Executable => {
    const run = prepare(program);
    const dtypes = new Map(program.instructions.map(({ result, aval, outputs }) => [result, outputs ?? aval] as const));
    return {
      run: (inputs: readonly Storage[]) =>
        run(inputs.map(storage => storage.readSync())).map((value, i) => {
          const slot = program.outputs[i]!;
          const aval = dtypes.get(slot) ?? program.inputs[slot]!;
          return Array.isArray(aval)
            ? aval.map((each, j) => new HostStorage(each.dtype, (value as readonly TypedArray[])[j]!))
            : new HostStorage((aval as { dtype: DType }).dtype, value as TypedArray);
        }),
    };
  },
};
