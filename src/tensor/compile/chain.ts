/** Contractions that hand their result on to the kernel that uses it, piece by piece while it is in the cache. */
import { entryOf } from '../primitives/table.js';
import { sizeOf } from '../shape.js';
import { isContiguous } from '../view.js';
import type { Fused, Single, Unit } from './fuse.js';
import { type Kernel, type KernelValue, lengthsOf, overAll } from './kernel.js';
import type { Instruction } from './program.js';

/** The slots a unit reads. */
const readsOf = (unit: Unit): readonly number[] =>
  unit.kind === 'single'
    ? unit.operands.flatMap(({ base }) => (base === null ? [] : [base]))
    : unit.kernel.values.flatMap(value => (value.kind === 'load' ? [value.slot] : []));

/**
 * A kernel whose rows nothing was reduced to as one of elements; the kernel itself if it has no rows, null if it needs them: what
 * is dear is not computed again for every element.
 */
const withoutRows = (kernel: Kernel): Kernel | null => {
  const { space, values, stores } = kernel;
  if (!space.some(({ reduced }) => reduced)) return kernel;
  const needed = values.some(
    value => value.kind === 'reduce' || (value.kind === 'operation' && value.level === 'row' && !isCheap(value.op)),
  );
  if (needed || stores.some(({ value }) => values[value]!.level === 'row')) return null;
  return {
    space: space.map(({ length }) => ({ length, reduced: false })),
    values: values.map((value): KernelValue => {
      if (value.level === 'element') return value;
      return value.kind === 'load' || value.kind === 'index'
        ? { ...value, level: 'element', view: overAll(value.view, space) }
        : { ...value, level: 'element' };
    }),
    stores,
  };
};

const isCheap = (op: string): boolean => {
  if (op === 'copy') return true;
  const entry = entryOf(op);
  return entry.kind === 'elementwise' && entry.traits.includes('cheap');
};

/** Whether a kernel needs of a result at each place what stands at the same place there. */
const goesAlong = ({ space, values }: Kernel, { result, aval }: Instruction): boolean => {
  const size = sizeOf(lengthsOf(space, 'element'));
  if (size !== sizeOf(aval.shape)) return false;
  return values.every(
    value =>
      value.kind !== 'load' || value.slot !== result || (isContiguous(value.view) && sizeOf(value.view.shape) === size),
  );
};

/** What a backend can do piece by piece. */
export interface Pieces {
  /** A kernel on what the contraction gives. */
  readonly behind: (contraction: Single, kernel: Kernel) => boolean;
  /** A kernel that gives one of the operands. */
  readonly before: (contraction: Single, kernel: Kernel, operand: number) => boolean;
}

/** The contraction with a kernel in front that gives one of its operands and nothing else, if there is such, and where it was. */
const withPrologue = (
  single: Single,
  units: readonly Unit[],
  isFree: (slot: number, at: number) => boolean,
  { before }: Pieces,
): { readonly single: Single; readonly at: number } | null => {
  for (const [operand, { base, view }] of single.operands.entries()) {
    if (base === null || !isContiguous(view)) continue;
    if (single.operands.some((other, i) => i !== operand && other.base === base)) continue;
    const at = units.findIndex(
      unit => unit.kind === 'kernel' && unit.kernel.stores.length === 1 && unit.kernel.stores[0]!.slot === base,
    );
    if (at < 0 || !isFree(base, at)) continue;
    const kernel = withoutRows((units[at] as { readonly kernel: Kernel }).kernel);
    if (kernel === null || sizeOf(lengthsOf(kernel.space, 'element')) !== sizeOf(view.shape)) continue;
    if (!before(single, kernel, operand)) continue;
    return { single: { ...single, prologue: { kernel, operand } }, at };
  }
  return null;
};

/**
 * Puts contractions behind everything that does not need them, together with the first kernel that does, where that goes along
 * with the result; and the kernels that give an operand to nobody else in front of them.
 */
export const chain = ({ units, outputs }: Pick<Fused, 'units' | 'outputs'>, pieces: Pieces): readonly Unit[] => {
  const wanted = new Set(outputs.map(({ base }) => base));
  const readers = new Map<number, number[]>();
  units.forEach((unit, at) => {
    for (const slot of new Set(readsOf(unit))) readers.set(slot, [...(readers.get(slot) ?? []), at]);
  });
  /** By the position of the kernel. */
  const taken = new Map<number, Single>();
  const gone = new Set<number>();
  for (let at = units.length - 1; at >= 0; at--) {
    const unit = units[at]!;
    if (unit.kind !== 'single') continue;
    const { result } = unit.instruction;
    const [first, ...others] = readers.get(result) ?? [];
    const next = first === undefined ? undefined : units[first];
    if (next?.kind !== 'kernel' || taken.has(first!)) continue;
    const kernel = withoutRows(next.kernel);
    if (kernel === null || !goesAlong(kernel, unit.instruction) || !pieces.behind(unit, kernel)) continue;
    taken.set(first!, { ...unit, epilogue: { kernel, alone: others.length === 0 && !wanted.has(result) } });
    gone.add(at);
  }
  const isFree = (slot: number, at: number): boolean =>
    readers.get(slot)!.length === 1 && !wanted.has(slot) && !taken.has(at);
  const made = units.map((unit, at) => {
    const own = taken.get(at) ?? unit;
    if (own.kind !== 'single' || gone.has(at)) return own;
    const found = withPrologue(own, units, isFree, pieces);
    if (found !== null) gone.add(found.at);
    return found?.single ?? own;
  });
  return made.filter((_, at) => !gone.has(at));
};
