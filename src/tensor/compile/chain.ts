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

/**
 * Puts contractions behind everything that does not need them, together with the first kernel that does, where that goes along
 * with the result and `takes` allows it.
 */
export const chain = (
  { units, outputs }: Pick<Fused, 'units' | 'outputs'>,
  takes: (contraction: Single, kernel: Kernel) => boolean,
): readonly Unit[] => {
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
    if (next?.kind !== 'kernel' || taken.has(first!) || !goesAlong(next.kernel, result) || !takes(unit, next.kernel))
      continue;
    taken.set(first!, {
      ...unit,
      epilogue: { kernel: next.kernel, alone: others.length === 0 && !wanted.has(result) },
    });
    gone.add(at);
  }
  return units.flatMap((unit, at) => (gone.has(at) ? [] : [taken.get(at) ?? unit]));
};
