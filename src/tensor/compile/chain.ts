/** Contractions that hand their result on to the kernel that uses it, piece by piece while it is in the cache. */
import { sizeOf } from '../shape.js';
import { isContiguous } from '../view.js';
import type { Fused, Single, Unit } from './fuse.js';
import { type Kernel, lengthsOf } from './kernel.js';

/** The slots a unit reads. */
const readsOf = (unit: Unit): readonly number[] =>
  unit.kind === 'single'
    ? unit.operands.flatMap(({ base }) => (base === null ? [] : [base]))
    : unit.kernel.values.flatMap(value => (value.kind === 'load' ? [value.slot] : []));

/** Whether a kernel needs of a slot at each place what stands at the same place there. */
const goesAlong = ({ space, values }: Kernel, slot: number): boolean => {
  if (space.some(({ reduced }) => reduced)) return false;
  const size = sizeOf(lengthsOf(space, 'element'));
  return values.every(
    value =>
      value.kind !== 'load' || value.slot !== slot || (isContiguous(value.view) && sizeOf(value.view.shape) === size),
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
    const at = units.findIndex(
      unit => unit.kind === 'kernel' && unit.kernel.stores.length === 1 && unit.kernel.stores[0]!.slot === base,
    );
    if (at < 0 || !isFree(base, at)) continue;
    const { kernel } = units[at] as { readonly kernel: Kernel };
    const whole = sizeOf(lengthsOf(kernel.space, 'element')) === sizeOf(view.shape);
    if (kernel.space.some(({ reduced }) => reduced) || !whole || !before(single, kernel, operand)) continue;
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
    if (
      next?.kind !== 'kernel' ||
      taken.has(first!) ||
      !goesAlong(next.kernel, result) ||
      !pieces.behind(unit, next.kernel)
    )
      continue;
    taken.set(first!, {
      ...unit,
      epilogue: { kernel: next.kernel, alone: others.length === 0 && !wanted.has(result) },
    });
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
