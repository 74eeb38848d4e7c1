/** Spaces of indices with as few axes as those who walk through them allow. */
import type { Axis } from '../../../compile/kernel.js';
import type { View } from '../../../view.js';

/** Whether an axis and the next are one axis to a view. */
const joins = ({ shape, strides, valid }: View, axis: number): boolean =>
  valid[axis] === null && valid[axis + 1] === null && strides[axis] === strides[axis + 1]! * shape[axis + 1]!;

const joined = (view: View, axis: number): View => {
  const without = <T>(list: readonly T[]): readonly T[] => list.filter((_, i) => i !== axis);
  const shape = view.shape.map((length, i) => (i === axis + 1 ? length * view.shape[axis]! : length));
  return { shape: without(shape), offset: view.offset, strides: without(view.strides), valid: without(view.valid) };
};

/** Drops an axis of length 1 of which everything or nothing is valid; null where that cannot be said without it. */
const dropped = (view: View, axis: number): View | null => {
  if (view.valid[axis] !== null) return null;
  const without = <T>(list: readonly T[]): readonly T[] => list.filter((_, i) => i !== axis);
  return {
    shape: without(view.shape),
    offset: view.offset,
    strides: without(view.strides),
    valid: without(view.valid),
  };
};

export interface Space {
  readonly axes: readonly Axis[];
  /** Of all axes, in the order given. */
  readonly views: readonly View[];
}

/** The same elements in the same order with neighbouring axes of one kind joined wherever all views allow that. */
export const coalesced = ({ axes: given, views: all }: Space): Space => {
  let axes = given;
  let views = all;
  for (let axis = axes.length - 1; axis >= 0 && axes.length > 1; axis--) {
    if (axes[axis]!.length !== 1) continue;
    const less = views.map(view => dropped(view, axis));
    if (less.some(view => view === null)) continue;
    views = less as View[];
    axes = axes.filter((_, i) => i !== axis);
  }
  for (let axis = axes.length - 2; axis >= 0; axis--) {
    const [outer, inner] = [axes[axis]!, axes[axis + 1]!];
    if (outer.reduced !== inner.reduced || !views.every(view => joins(view, axis))) continue;
    views = views.map(view => joined(view, axis));
    axes = axes.flatMap((own, i) =>
      i === axis ? [] : i === axis + 1 ? [{ length: outer.length * inner.length, reduced: inner.reduced }] : [own],
    );
  }
  return { axes, views };
};
