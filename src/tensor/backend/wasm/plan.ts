/**
 * From a program to steps: which kernels and functions run, in which order, on which places in memory. A plan knows
 * its memory before it runs.
 */
import type { Instruction, Program } from '../../compile/program.js';
import { bytesOf } from '../../dtype.js';
import { freeAxes } from '../../primitives/contraction.js';
import type { DotParams } from '../../primitives/signatures.js';
import { type Aval, range, type Shape, sizeOf, stridesOf } from '../../shape.js';
import { type Block, place } from './arena.js';
import type { ElementwiseKernel, Load, Operation } from './elementwise.js';
import { type Fused, fuse, type Group } from './fuse.js';
import { blockColumns, blockRows } from './library.js';

/** A value in memory. */
export interface Placed {
  readonly block: Block;
  readonly aval: Aval;
}

/** A matrix product out of packed panels; strides in bytes. */
export interface Product {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** [between batches, between rows, along the depth] of each operand. */
  readonly lhs: readonly [number, number, number];
  readonly rhs: readonly [number, number, number];
}

export type Step =
  | { readonly kind: 'kernel'; readonly kernel: ElementwiseKernel; readonly operands: readonly number[] }
  | { readonly kind: 'product'; readonly product: Product; readonly instruction: Instruction; readonly scratch: Block }
  | { readonly kind: 'sum'; readonly instruction: Instruction; readonly lengths: readonly [number, number, number] }
  | { readonly kind: 'region'; readonly instruction: Instruction; readonly bodies: readonly Plan[] }
  | { readonly kind: 'host'; readonly instruction: Instruction };

export interface Plan {
  readonly program: Program;
  readonly steps: readonly Step[];
  /** Where each slot is: one place, or one for each of several results. Inputs of bodies are placed by whoever runs them. */
  readonly places: readonly (Placed | readonly Placed[] | null)[];
  /** Other names for inputs of a body: [name, slot named]. */
  readonly aliases: readonly (readonly [number, number])[];
  /** Bytes from the start of the plan's memory to the end of its last block, bodies included. */
  readonly bytes: number;
}

/** The places of a slot: none, one, or one for each of several results. */
export const placesOf = (at: Placed | readonly Placed[] | null | undefined): readonly Placed[] =>
  at === null || at === undefined ? [] : Array.isArray(at) ? (at as readonly Placed[]) : [at as Placed];

const bytesIn = ({ shape, dtype }: Aval): number => sizeOf(shape) * bytesOf[dtype];

/** Strides of an operand over a kernel's space: NumPy's broadcasting, repeated axes standing still. */
const stridesOver = (shape: Shape, own: Shape): number[] => {
  const strides = stridesOf(own);
  const added = shape.length - own.length;
  return shape.map((_, axis) => (axis < added || own[axis - added] === 1 ? 0 : strides[axis - added]!));
};

/** The one stride with which axes are stepped through in this order, as if they were one; null if there is none. */
const jointStride = (shape: Shape, axes: readonly number[]): number | null => {
  const strides = stridesOf(shape);
  const long = axes.filter(axis => shape[axis] !== 1);
  for (let i = 0; i + 1 < long.length; i++) {
    if (strides[long[i]!] !== strides[long[i + 1]!]! * shape[long[i + 1]!]!) return null;
  }
  return long.length === 0 ? 0 : strides[long[long.length - 1]!]!;
};

const count = (shape: Shape, axes: readonly number[]): number => axes.reduce((p, axis) => p * shape[axis]!, 1);

/** A contraction of float32 as a product of matrices, where its axes allow it. */
const productOf = ({ op, params, inputAvals, aval }: Instruction): Product | null => {
  if (op !== 'dotGeneral' || aval.dtype !== 'float32' || sizeOf(aval.shape) === 0) return null;
  const { lhsContract, rhsContract, lhsBatch, rhsBatch } = params as unknown as DotParams;
  const side = ({ shape }: Aval, contract: readonly number[], batch: readonly number[]) => {
    const free = freeAxes(shape.length, contract, batch);
    const strides = [batch, free, contract].map(axes => jointStride(shape, axes));
    return { shape, free, strides: strides.map(stride => (stride === null ? null : 4 * stride)) };
  };
  const [lhs, rhs] = [side(inputAvals[0]!, lhsContract, lhsBatch), side(inputAvals[1]!, rhsContract, rhsBatch)];
  if ([...lhs.strides, ...rhs.strides].includes(null)) return null;
  return {
    batch: count(lhs.shape, lhsBatch),
    rows: count(lhs.shape, lhs.free),
    columns: count(rhs.shape, rhs.free),
    depth: count(lhs.shape, lhsContract),
    lhs: lhs.strides as [number, number, number],
    rhs: rhs.strides as [number, number, number],
  };
};

/** A sum of float32 over neighbouring axes, as [outer, length, inner]. */
const sumOf = ({ op, params, inputAvals, aval }: Instruction): readonly [number, number, number] | null => {
  if (op !== 'sum' || aval.dtype !== 'float32') return null;
  const { shape } = inputAvals[0]!;
  const axes = (params as unknown as { axes: readonly number[] }).axes.filter(axis => shape[axis] !== 1);
  const [first, last] = [Math.min(...axes, shape.length), Math.max(...axes, -1)];
  if (axes.length === 0) return [1, 1, sizeOf(shape)];
  const between = range(shape.length).filter(axis => axis > first && axis < last && !axes.includes(axis));
  if (between.some(axis => shape[axis] !== 1)) return null;
  return [count(shape, range(first)), count(shape, axes), count(shape, range(shape.length).slice(last + 1))];
};

const regions: readonly string[] = ['call', 'fold', 'cond', 'while'];

/** The panels a product packs its operands into, and the block for its edges. */
export const panelBytes = ({
  rows,
  columns,
  depth,
}: Product): { readonly a: number; readonly b: number; readonly edge: number } => ({
  a: Math.ceil(rows / blockRows) * blockRows * depth * 4,
  b: Math.ceil(columns / blockColumns) * blockColumns * depth * 4,
  edge: blockRows * blockColumns * 4,
});

/**
 * Plans a program.
 *
 * @param isBody whether the inputs are placed by the caller
 */
export const planOf = (program: Program, isBody = false): Plan => {
  const fused = fuse(program);
  const by = new Map(program.instructions.map(each => [each.result, each] as const));
  const places: (Placed | readonly Placed[] | null)[] = new Array(program.slots).fill(null);
  const blocks: Block[] = [];
  const block = (bytes: number, first: number, last = first): Block => {
    const made: Block = { bytes, first, last, offset: 0 };
    blocks.push(made);
    return made;
  };
  const users = new Map<number, number[]>();
  for (const { inputs, result } of program.instructions) {
    for (const slot of inputs) {
      const list = users.get(slot);
      if (list === undefined) users.set(slot, [result]);
      else list.push(result);
    }
  }
  const steps: Step[] = [];
  const aliases: (readonly [number, number])[] = [];
  const forever = Number.MAX_SAFE_INTEGER;
  const placed = (aval: Aval, first: number): Placed => ({ block: block(bytesIn(aval), first), aval });
  if (!isBody) {
    program.inputs.forEach((aval, slot) => {
      places[slot] = placed(aval, -1);
    });
  }
  // Scalars are written before the first step of the whole run, so they keep their places.
  for (const { slot, dtype } of program.scalars) {
    places[slot] = { block: block(16, -1, forever), aval: { shape: [], dtype } };
  }
  const use = (slot: number, step: number): void => {
    for (const { block: each } of placesOf(places[slot])) {
      each.last = Math.max(each.last, step);
    }
  };
  for (const group of fused.groups) {
    const [first] = group.instructions;
    const instruction = first!;
    const step = steps.length;
    if (group.width === null && (instruction.op === 'reshape' || instruction.op === 'output')) {
      const at = places[instruction.inputs[0]!] ?? null;
      if (at === null) aliases.push([instruction.result, instruction.inputs[0]!]);
      if (instruction.op === 'output')
        places[instruction.result] = (at as readonly Placed[])[instruction.params.index as number]!;
      else places[instruction.result] = at === null ? null : { block: (at as Placed).block, aval: instruction.aval };
      continue;
    }
    if (group.width !== null) {
      const { kernel, operands, results } = kernelOf(program, fused, group, by, users);
      for (const { result, aval } of results) places[result] = placed(aval, step);
      if (sizeOf(kernel.shape) === 0) continue;
      for (const slot of operands) use(slot, step);
      steps.push({ kind: 'kernel', kernel, operands: [...operands, ...results.map(({ result }) => result)] });
      continue;
    }
    const made = (instruction.outputs ?? [instruction.aval]).map(aval => placed(aval, step));
    places[instruction.result] = instruction.outputs === null ? made[0]! : made;
    for (const slot of instruction.inputs) use(slot, step);
    const product = productOf(instruction);
    const lengths = sumOf(instruction);
    if (product !== null) {
      const { a, b, edge } = panelBytes(product);
      steps.push({ kind: 'product', product, instruction, scratch: block(a + b + edge + 48, step) });
    } else if (lengths !== null) {
      steps.push({ kind: 'sum', instruction, lengths });
    } else if (regions.includes(instruction.op)) {
      steps.push({ kind: 'region', instruction, bodies: instruction.bodies.map(body => planOf(body, true)) });
    } else {
      steps.push({ kind: 'host', instruction });
    }
  }
  for (const slot of program.outputs) use(slot, forever);
  let bytes = place(blocks, 0);
  // Bodies lie behind everything: one at a time runs, but a fold's carries live on in its caller.
  for (const step of steps) {
    if (step.kind === 'region') for (const body of step.bodies) bytes = shift(body, bytes);
  }
  return { program, steps, places, aliases, bytes };
};

/** Moves a body's blocks behind `from`, bodies within it along; gives the end. */
const shift = (plan: Plan, from: number): number => {
  const seen = new Set<Block>();
  for (const at of plan.places) {
    for (const { block } of placesOf(at)) seen.add(block);
  }
  for (const step of plan.steps) if (step.kind === 'product') seen.add(step.scratch);
  for (const block of seen) block.offset += from;
  for (const step of plan.steps) {
    if (step.kind === 'region') for (const body of step.bodies) shift(body, from);
  }
  return from + plan.bytes;
};

/** A group of elementwise instructions as a kernel: the slots it reads, and the instructions whose results it writes. */
const kernelOf = (
  program: Program,
  { views }: Fused,
  { width, instructions }: Group,
  by: ReadonlyMap<number, Instruction>,
  users: ReadonlyMap<number, readonly number[]>,
): { kernel: ElementwiseKernel; operands: readonly number[]; results: readonly Instruction[] } => {
  const { shape } = instructions[0]!.aval;
  const members = new Map(instructions.map(({ result }, i) => [result, i] as const));
  const operands: number[] = [];
  const loads: Load[] = [];
  const loadOf = (slot: number): number => {
    const view = views.has(slot) ? by.get(slot)! : undefined;
    const base = view === undefined ? slot : view.inputs[0]!;
    const aval = view === undefined ? avalOf(program, by, slot) : view.inputAvals[0]!;
    const strides = stridesOver(shape, aval.shape);
    const known = operands.findIndex(
      (each, i) => each === base && loads[i]!.strides.every((s, axis) => s === strides[axis]),
    );
    if (known >= 0) return known;
    operands.push(base);
    loads.push({ dtype: aval.dtype, strides });
    return operands.length - 1;
  };
  const sources = instructions.map(({ inputs }) => inputs.map(slot => (members.has(slot) ? null : loadOf(slot))));
  const operations: Operation[] = instructions.map(({ op, params, inputs, aval }, i) => ({
    op,
    params,
    operands: inputs.map((slot, j) => sources[i]![j] ?? loads.length + members.get(slot)!),
    dtype: aval.dtype,
  }));
  const isOutput = new Set(program.outputs);
  const isWanted = (slot: number): boolean =>
    isOutput.has(slot) || (users.get(slot) ?? []).some(user => !members.has(user));
  const stores = instructions.map((_, i) => i).filter(i => isWanted(instructions[i]!.result));
  return {
    kernel: { width: width!, shape, loads, operations, stores },
    operands,
    results: stores.map(i => instructions[i]!),
  };
};

const avalOf = (program: Program, by: ReadonlyMap<number, Instruction>, slot: number): Aval =>
  by.get(slot)?.aval ??
  program.inputs[slot] ?? { shape: [], dtype: program.scalars.find(each => each.slot === slot)!.dtype };
