/** Which part of a program runs where: what a device cannot do, the CPU backend does. */
import { isReduction } from '../../compile/fuse.js';
import type { Instruction, Program } from '../../compile/program.js';
import { entryOf } from '../../primitives/table.js';
import { type Aval, sizeOf } from '../../shape.js';
import { contracts } from './contraction/index.js';
import { canOperate } from './language/operations.js';
import { loops } from './loops/index.js';

const isWide = ({ dtype }: Aval): boolean => dtype === 'float64';

/** Whether a device computes an instruction; one with bodies, if it computes any of what is in them and nothing is float64. */
const runsOnDevice = (instruction: Instruction): boolean => {
  const { op, params, inputAvals, aval, outputs, bodies } = instruction;
  if ([...inputAvals, ...(outputs ?? [aval])].some(isWide)) return false;
  if (op === 'output') return true;
  if (bodies.length > 0)
    return !bodies.some(hasWide) && bodies.some(({ instructions }) => instructions.some(computesOnDevice));
  const entry = entryOf(op);
  if (entry.kind === 'source') return true;
  if (entry.kind === 'elementwise')
    return canOperate(
      op,
      params,
      inputAvals.map(({ dtype }) => dtype),
      aval.dtype,
    );
  if (entry.kind === 'contraction') return contracts(instruction);
  if (entry.kind === 'movement' && entry.view !== null && op !== 'pad') return true;
  return isReduction(instruction) || loops(instruction);
};

const hasWide = ({ inputs, instructions, scalars }: Program): boolean =>
  inputs.some(isWide) ||
  scalars.some(({ dtype }) => dtype === 'float64') ||
  instructions.some(({ aval, outputs, bodies }) => (outputs ?? [aval]).some(isWide) || bodies.some(hasWide));

/** Whether an instruction is work, and work for a device. */
const computesOnDevice = (instruction: Instruction): boolean =>
  instruction.op !== 'output' && entryOf(instruction.op).kind !== 'source' && runsOnDevice(instruction);

/** A part of a program as one of its own. */
export interface Segment {
  readonly where: 'device' | 'cpu';
  readonly program: Program;
  /** The slots of the whole program that its inputs are, and those that its outputs are. */
  readonly reads: readonly number[];
  readonly makes: readonly number[];
  /** Where its scalars, and those of its bodies, are among those of the whole program. */
  readonly scalars: readonly number[];
}

/** Where the scalars of each instruction's bodies begin: behind the program's own, in the order of the instructions. */
export const bodyScalarsOf = ({ scalars, instructions }: Program): ReadonlyMap<number, number> => {
  let next = scalars.length;
  return new Map(
    instructions.map(({ result, bodies }) => {
      const own = next;
      for (const { scalarCount } of bodies) next += scalarCount;
      return [result, own];
    }),
  );
};

/** What costs nothing wherever it is used, and is no smaller than what it is made of: other places need not be sent it. */
const isFree = ({ op, inputAvals, aval, outputs, bodies }: Instruction): boolean => {
  if (op === 'output' || outputs !== null || bodies.length > 0) return false;
  const entry = entryOf(op);
  if (entry.kind === 'source') return true;
  if (entry.kind !== 'movement' || entry.view === null || op === 'pad') return false;
  return inputAvals.every(({ shape }) => sizeOf(shape) <= sizeOf(aval.shape));
};

/** The parts of a program in an order in which each finds made what it reads; neighbours run at different places. */
export const partition = (program: Program): readonly Segment[] => {
  const { instructions } = program;
  const places = new Map<Instruction, 'device' | 'cpu'>();
  const byResult = new Map(instructions.map(each => [each.result, each] as const));
  for (const each of instructions) {
    // A result of several is where all of them are.
    const place =
      each.op === 'output' ? places.get(byResult.get(each.inputs[0]!)!)! : runsOnDevice(each) ? 'device' : 'cpu';
    places.set(each, place);
  }
  const outputs = new Set(program.outputs);
  const free = new Set(instructions.filter(each => isFree(each) && !outputs.has(each.result)));
  const kinds = new Set(instructions.filter(each => !free.has(each)).map(each => places.get(each)!));
  if (kinds.size <= 1) return [whole(program, kinds.has('cpu') ? 'cpu' : 'device')];
  /** An instruction behind all that is free on the way to it. */
  const withFree = new Map<Instruction, readonly Instruction[]>();
  for (const each of instructions) {
    const before = each.inputs.flatMap(slot => {
      const made = byResult.get(slot);
      return made !== undefined && free.has(made) ? withFree.get(made)! : [];
    });
    withFree.set(each, [...new Set([...before, each])]);
  }
  const groups: { readonly where: 'device' | 'cpu'; readonly own: readonly Instruction[] }[] = [];
  let left: readonly Instruction[] = instructions.filter(each => !free.has(each));
  let where = places.get(left[0]!)!;
  while (left.length > 0) {
    const missing = new Set(left.map(({ result }) => result));
    const own: Instruction[] = [];
    for (const each of left) {
      const reads = withFree.get(each)!.flatMap(({ inputs }) => inputs);
      if (places.get(each) !== where || reads.some(slot => missing.has(slot))) continue;
      own.push(each);
      missing.delete(each.result);
    }
    if (own.length > 0) groups.push({ where, own });
    const taken = new Set(own);
    left = left.filter(each => !taken.has(each));
    where = where === 'device' ? 'cpu' : 'device';
  }
  const parts = groups.map(({ where: place, own }) => {
    const all = new Set(own.flatMap(each => withFree.get(each)!));
    return { place, own: instructions.filter(each => all.has(each)) };
  });
  return parts.map(({ place, own }) => {
    const others = parts.flatMap(part => (part.own === own ? [] : readBy(part.own)));
    return segment(program, place, own, new Set([...program.outputs, ...others]));
  });
};

/** The slots that instructions read and do not make. */
const readBy = (own: readonly Instruction[]): readonly number[] => {
  const results = new Set(own.map(({ result }) => result));
  return [...new Set(own.flatMap(({ inputs }) => inputs))].filter(slot => !results.has(slot));
};

const whole = (program: Program, where: 'device' | 'cpu'): Segment => ({
  where,
  program,
  reads: program.inputs.map((_, slot) => slot),
  makes: program.outputs,
  scalars: Array.from({ length: program.scalarCount }, (_, i) => i),
});

/**
 * Some instructions of a program as a program, its slots numbered anew.
 *
 * @param wanted slots that others need, if it makes them
 */
const segment = (
  program: Program,
  where: 'device' | 'cpu',
  own: readonly Instruction[],
  wanted: ReadonlySet<number>,
): Segment => {
  const avals = new Map<number, Aval>([
    ...program.inputs.map((aval, slot) => [slot, aval] as const),
    ...program.instructions.map(({ result, aval }) => [result, aval] as const),
  ]);
  const scalarAt = new Map(program.scalars.map(({ slot }, i) => [slot, i] as const));
  const read = readBy(own);
  const reads = read.filter(slot => !scalarAt.has(slot));
  const used = read.filter(slot => scalarAt.has(slot));
  const numbers = new Map<number, number>();
  for (const slot of [...reads, ...used, ...own.map(({ result }) => result)]) numbers.set(slot, numbers.size);
  const makes = own.map(({ result }) => result).filter(slot => wanted.has(slot));
  const bodyScalars = bodyScalarsOf(program);
  const scalars = [
    ...used.map(slot => scalarAt.get(slot)!),
    ...own.flatMap(({ result, bodies }) => {
      const count = bodies.reduce((sum, { scalarCount }) => sum + scalarCount, 0);
      return Array.from({ length: count }, (_, i) => bodyScalars.get(result)! + i);
    }),
  ];
  return {
    where,
    program: {
      inputs: reads.map(slot => avals.get(slot)!),
      scalars: used.map(slot => ({ ...program.scalars[scalarAt.get(slot)!]!, slot: numbers.get(slot)! })),
      scalarCount: scalars.length,
      instructions: own.map(each => ({
        ...each,
        inputs: each.inputs.map(slot => numbers.get(slot)!),
        result: numbers.get(each.result)!,
      })),
      outputs: makes.map(slot => numbers.get(slot)!),
      slots: numbers.size,
      hash: program.hash,
    },
    reads,
    makes,
    scalars,
  };
};
