/**
 * Affine views: how a space of indices walks through the elements of a buffer.
 *
 * Whatever moves elements by an affine rule (permuting, broadcasting, slicing, flipping, padding, most reshapes) is a
 * function from views to views, so any number of them in a row cost nothing: whoever reads the result reads the buffer
 * through one view. What no affine view can say is null, and has to be written out.
 */
import { type Shape, sameShape, sizeOf, stridesOf } from './shape.js';

/** Indices lo ≤ i < hi of an axis; the others read zero. */
export type Valid = readonly [lo: number, hi: number];

/** Element `index` is at `offset + Σ index[axis] · strides[axis]`, and zero where an index is outside of its valid range. */
export interface View {
  readonly shape: Shape;
  readonly offset: number;
  readonly strides: readonly number[];
  /** By axis; null where all of an axis is valid. */
  readonly valid: readonly (Valid | null)[];
}

const everything = (shape: Shape): null[] => shape.map(() => null);

/** All elements in row-major order. */
export const contiguous = (shape: Shape): View => ({
  shape,
  offset: 0,
  strides: stridesOf(shape),
  valid: everything(shape),
});

/** Whether the view is all elements in row-major order. */
export const isContiguous = ({ shape, offset, strides, valid }: View): boolean => {
  if (sizeOf(shape) === 0) return true;
  const own = stridesOf(shape);
  return (
    offset === 0 && shape.every((length, axis) => valid[axis] === null && (length === 1 || strides[axis] === own[axis]))
  );
};

export const permuted = ({ shape, offset, strides, valid }: View, axes: readonly number[]): View => ({
  shape: axes.map(axis => shape[axis]!),
  offset,
  strides: axes.map(axis => strides[axis]!),
  valid: axes.map(axis => valid[axis]!),
});

/** NumPy's rule: aligned at the right, axes of length 1 repeat. */
export const broadcasted = ({ shape, offset, strides, valid }: View, to: Shape): View => {
  const added = to.length - shape.length;
  return {
    shape: to,
    offset,
    strides: to.map((_, axis) => (axis < added || shape[axis - added] === 1 ? 0 : strides[axis - added]!)),
    valid: to.map((length, axis) => {
      const range = axis < added ? null : valid[axis - added]!;
      if (range === null || shape[axis - added] !== 1) return range;
      return range[0] <= 0 && range[1] >= 1 ? null : ([length, length] as const);
    }),
  };
};

/** The ranges that are the whole axis say nothing. */
const plain = (length: number, lo: number, hi: number): Valid | null => {
  const [from, to] = [Math.max(0, lo), Math.min(length, hi)];
  return from === 0 && to === length ? null : from < to ? [from, to] : [length, length];
};

export const sliced = (view: View, start: readonly number[], step: readonly number[], to: Shape): View => ({
  shape: to,
  offset: view.strides.reduce((sum, stride, axis) => sum + start[axis]! * stride, view.offset),
  strides: view.strides.map((stride, axis) => stride * step[axis]!),
  valid: view.valid.map((range, axis) =>
    range === null
      ? null
      : plain(
          to[axis]!,
          Math.ceil((range[0] - start[axis]!) / step[axis]!),
          Math.ceil((range[1] - start[axis]!) / step[axis]!),
        ),
  ),
});

export const flipped = (view: View, axes: readonly number[]): View => {
  if (sizeOf(view.shape) === 0) return view;
  const turns = view.shape.map((_, axis) => axes.includes(axis));
  return {
    shape: view.shape,
    offset: view.strides.reduce(
      (sum, stride, axis) => sum + (turns[axis] ? (view.shape[axis]! - 1) * stride : 0),
      view.offset,
    ),
    strides: view.strides.map((stride, axis) => (turns[axis] ? -stride : stride)),
    valid: view.valid.map((range, axis) =>
      range === null || !turns[axis] ? range : [view.shape[axis]! - range[1], view.shape[axis]! - range[0]],
    ),
  };
};

/** Zeros before and after; null where there are some between. */
export const padded = (view: View, low: readonly number[], interior: readonly number[], to: Shape): View | null => {
  if (interior.some((n, axis) => n > 0 && view.shape[axis]! > 1)) return null;
  return {
    shape: to,
    offset: view.strides.reduce((sum, stride, axis) => sum - low[axis]! * stride, view.offset),
    strides: view.strides,
    valid: view.valid.map((range, axis) => {
      const [lo, hi] = range ?? [0, view.shape[axis]!];
      return plain(to[axis]!, lo + low[axis]!, hi + low[axis]!);
    }),
  };
};

/** Whether nothing of an axis of this length is valid. */
const isEmpty = (length: number, valid: Valid | null): boolean =>
  valid !== null && Math.max(0, valid[0]) >= Math.min(length, valid[1]);

interface Axis {
  readonly length: number;
  readonly stride: number;
  readonly valid: Valid | null;
}

/** Neighbouring axes as one: null where they are not stepped through as if they were. */
const joined = (axes: readonly Axis[]): Axis | null => {
  if (axes.length === 1) return axes[0]!;
  if (axes.some(({ valid }) => valid !== null)) return null;
  for (let i = 0; i + 1 < axes.length; i++)
    if (axes[i]!.stride !== axes[i + 1]!.stride * axes[i + 1]!.length) return null;
  return {
    length: axes.reduce((product, { length }) => product * length, 1),
    stride: axes[axes.length - 1]!.stride,
    valid: null,
  };
};

/** The same elements in the same order under another shape, where the view can say that. */
export const reshaped = (view: View, to: Shape): View | null => {
  if (sameShape(view.shape, to)) return view;
  if (sizeOf(to) === 0) return contiguous(to);
  // An axis of which nothing is valid makes everything zero: any other axis can say that as well.
  if (view.shape.some((length, axis) => isEmpty(length, view.valid[axis]!))) {
    const none = to.map((length, axis): Valid | null => (axis === 0 ? [length, length] : null));
    return to.length === 0 ? null : { shape: to, offset: 0, strides: to.map(() => 0), valid: none };
  }
  const from = view.shape
    .map((length, axis): Axis => ({ length, stride: view.strides[axis]!, valid: view.valid[axis]! }))
    .filter(({ length }) => length !== 1);
  const strides: number[] = [];
  const valid: (Valid | null)[] = [];
  let next = 0;
  for (let axis = 0; axis < to.length; ) {
    if (to[axis] === 1) {
      strides.push(0);
      valid.push(null);
      axis++;
      continue;
    }
    // The shortest runs of old and new axes that hold the same number of elements.
    const olds = [from[next++]!];
    const news = [to[axis++]!];
    let [old, fresh] = [olds[0]!.length, news[0]!];
    while (old !== fresh) {
      if (old < fresh) {
        olds.push(from[next]!);
        old *= from[next++]!.length;
      } else {
        news.push(to[axis]!);
        fresh *= to[axis++]!;
      }
    }
    const whole = joined(olds);
    const long = news.filter(length => length !== 1).length;
    if (whole === null || (whole.valid !== null && long > 1)) return null;
    let inner = fresh;
    for (const length of news) {
      inner /= length;
      strides.push(length === 1 ? 0 : whole.stride * inner);
      valid.push(length === 1 ? null : whole.valid);
    }
  }
  return { shape: to, offset: view.offset, strides, valid };
};

/** A shape into which both can be split, axis by axis, without 1s; null if there is none. Both have the same size, not 0. */
export const refined = (a: Shape, b: Shape): Shape | null => {
  const [xs, ys] = [a.filter(n => n !== 1), b.filter(n => n !== 1)];
  const shape: number[] = [];
  let [i, j] = [0, 0];
  let [x, y] = [xs[0] ?? 1, ys[0] ?? 1];
  // From the outside: what is left of the current axis of each.
  while (i < xs.length && j < ys.length) {
    const part = Math.min(x, y);
    if (x % part !== 0 || y % part !== 0) return null;
    shape.push(part);
    x /= part;
    y /= part;
    if (x === 1) x = xs[++i] ?? 1;
    if (y === 1) y = ys[++j] ?? 1;
  }
  return shape;
};
