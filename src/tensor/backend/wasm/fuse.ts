/** Which instructions share a kernel, and in which order kernels run. */
import type { Instruction, Program } from '../../compile/program.js';
import { entryOf } from '../../primitives/table.js';
import { sizeOf } from '../../shape.js';
import { widthOf } from './scalar-code.js';

/** Instructions that run together: one kernel of elementwise ones, or a single other one. */
export interface Group {
  /** Bits of the lanes of an elementwise kernel; null for other instructions. */
  readonly width: 32 | 64 | null;
  readonly instructions: readonly Instruction[];
}

export interface Fused {
  readonly groups: readonly Group[];
  /** Results of broadcasts that only elementwise kernels read: read through strides, never stored. */
  readonly views: ReadonlySet<number>;
}

/** Instructions in a kernel. A function may have 1000 parameters, and an instruction brings up to five addresses. */
const largestKernel = 150;

const isAlias = ({ op }: Instruction): boolean => op === 'reshape' || op === 'output';

/** The width in which an elementwise instruction can be compiled; null where it cannot, as for mixed widths. */
const kernelWidth = (instruction: Instruction): 32 | 64 | null => {
  if (entryOf(instruction.op).kind !== 'elementwise') return null;
  const dtypes = [...instruction.inputAvals, instruction.aval].map(({ dtype }) => dtype);
  if (dtypes.includes('uint8')) return null;
  const widths = new Set(dtypes.filter(dtype => dtype !== 'bool').map(widthOf));
  if (widths.size > 1) return null;
  return [...widths][0] ?? 32;
};

/**
 * Every instruction gets a level: an elementwise one that of its latest operand if it can share a kernel with it, else
 * one more, as all others. What is of one level, shape and width and is connected (by values or by what it reads)
 * is one kernel; nothing of a level can depend on another kernel of it.
 */
export const fuse = ({ inputs, instructions, outputs }: Program): Fused => {
  const width = new Map(instructions.map(each => [each.result, kernelWidth(each)] as const));
  const by = new Map(instructions.map(each => [each.result, each] as const));
  const consumers = new Map<number, Instruction[]>();
  for (const each of instructions) {
    for (const slot of each.inputs) {
      const list = consumers.get(slot);
      if (list === undefined) consumers.set(slot, [each]);
      else list.push(each);
    }
  }
  const isOutput = new Set(outputs);
  const views = new Set(
    instructions
      .filter(
        ({ op, result }) =>
          op === 'broadcast' &&
          !isOutput.has(result) &&
          (consumers.get(result) ?? []).every(consumer => width.get(consumer.result) !== null),
      )
      .map(({ result }) => result),
  );
  const shapeKey = ({ aval }: Instruction): string => aval.shape.join();
  const level = new Map<number, number>();
  for (const each of instructions) {
    const own = width.get(each.result)!;
    let at = 0;
    for (const slot of each.inputs) {
      const producer = by.get(slot);
      if (producer === undefined) continue;
      const shares = own !== null && width.get(slot) === own && shapeKey(producer) === shapeKey(each);
      at = Math.max(at, level.get(slot)! + (shares ? 0 : 1));
    }
    // A name or a view for a value is there when the value is.
    if (isAlias(each) || views.has(each.result)) at = Math.max(0, at - 1);
    level.set(each.result, at);
  }

  const buckets = new Map<string, Instruction[]>();
  const groups: (Group & { readonly level: number })[] = [];
  for (const each of instructions) {
    if (views.has(each.result)) continue;
    const own = width.get(each.result)!;
    if (own === null) {
      groups.push({ width: null, instructions: [each], level: level.get(each.result)! });
      continue;
    }
    const key = `${level.get(each.result)}:${own}:${shapeKey(each)}`;
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, [each]);
    else bucket.push(each);
  }
  /** Numbers are read by everybody: that connects nothing. */
  const isNumber = (slot: number): boolean => {
    const read = views.has(slot) ? by.get(slot)!.inputs[0]! : slot;
    return sizeOf((by.get(read)?.aval ?? inputs[read])?.shape ?? []) === 1;
  };
  for (const bucket of buckets.values()) {
    for (const members of connected(bucket, isNumber)) {
      for (let from = 0; from < members.length; from += largestKernel) {
        const part = members.slice(from, from + largestKernel);
        groups.push({ width: width.get(part[0]!.result)!, instructions: part, level: level.get(part[0]!.result)! });
      }
    }
  }
  // Aliases of a level come after what they name.
  const late = ({ instructions: [first] }: Group): number => (isAlias(first!) ? 1 : 0);
  return { groups: groups.sort((a, b) => a.level - b.level || late(a) - late(b)), views };
};

/** The connected parts of a bucket: instructions that use each other or read the same slot. */
const connected = (bucket: readonly Instruction[], ignore: (slot: number) => boolean): Instruction[][] => {
  const parent = new Map<number, number>();
  const find = (slot: number): number => {
    let at = slot;
    while ((parent.get(at) ?? at) !== at) at = parent.get(at)!;
    return at;
  };
  for (const { result, inputs } of bucket) {
    for (const slot of inputs) if (!ignore(slot)) parent.set(find(slot), find(result));
  }
  const parts = new Map<number, Instruction[]>();
  for (const each of bucket) {
    const root = find(each.result);
    parts.set(root, [...(parts.get(root) ?? []), each]);
  }
  return [...parts.values()];
};
