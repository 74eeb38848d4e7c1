/** Axes that are walked through as one index. */
import type { View } from '../../../view.js';

/** Outermost first, none of length 1, joined where they can be; strides in bytes. */
export interface Walk {
  readonly lengths: readonly number[];
  readonly strides: readonly number[];
}

export const countOf = ({ lengths }: Walk): number => lengths.reduce((product, length) => product * length, 1);

export const walkOf = (lengths: readonly number[], strides: readonly number[]): Walk => {
  const joined = pairedWalks(lengths, strides, strides);
  return { lengths: joined.lengths, strides: joined.first };
};

/** Some axes of a view of float32. */
export const walkOfAxes = (view: View, axes: readonly number[]): Walk =>
  walkOf(
    axes.map(axis => view.shape[axis]!),
    axes.map(axis => 4 * view.strides[axis]!),
  );

/** Bytes from one index to the next where that is always the same, else null. */
export const strideOf = ({ strides }: Walk): number | null =>
  strides.length === 0 ? 0 : strides.length === 1 ? strides[0]! : null;

/** Axes of two walks of the same lengths that are joined only where both are. */
export const pairedWalks = (
  lengths: readonly number[],
  first: readonly number[],
  second: readonly number[],
): { readonly lengths: readonly number[]; readonly first: readonly number[]; readonly second: readonly number[] } => {
  const joined = { lengths: [] as number[], first: [] as number[], second: [] as number[] };
  lengths.forEach((length, axis) => {
    if (length === 1) return;
    const last = joined.lengths.length - 1;
    const [p, q] = [first[axis]!, second[axis]!];
    if (last >= 0 && joined.first[last] === p * length && joined.second[last] === q * length) {
      joined.lengths[last]! *= length;
      joined.first[last] = p;
      joined.second[last] = q;
    } else {
      joined.lengths.push(length);
      joined.first.push(p);
      joined.second.push(q);
    }
  });
  return joined;
};
