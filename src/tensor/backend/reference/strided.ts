/** Copying between strided views: what every movement primitive comes down to. */
import type { TypedArray } from '../../dtype.js';
import type { Shape } from '../../shape.js';

export interface View {
  readonly array: TypedArray;
  readonly offset: number;
  readonly strides: readonly number[];
}

/** to[index] = from[index] for every index of the shape. */
export const copy = (shape: Shape, to: View, from: View): void => {
  const rank = shape.length;
  const walk = (axis: number, t: number, f: number): void => {
    if (axis === rank) {
      to.array[t] = from.array[f]!;
      return;
    }
    const [length, ts, fs] = [shape[axis]!, to.strides[axis]!, from.strides[axis]!];
    if (axis < rank - 1) {
      for (let i = 0; i < length; i++) walk(axis + 1, t + i * ts, f + i * fs);
      return;
    }
    const [target, source] = [to.array, from.array];
    for (let i = 0; i < length; i++) target[t + i * ts] = source[f + i * fs]!;
  };
  walk(0, to.offset, from.offset);
};

/** Offsets of all elements of a strided view in row-major order. */
export const offsets = (shape: Shape, strides: readonly number[]): Int32Array => {
  let list = new Int32Array(1);
  shape.forEach((length, axis) => {
    const next = new Int32Array(list.length * length);
    for (let i = 0; i < list.length; i++) {
      for (let j = 0; j < length; j++) next[i * length + j] = list[i]! + j * strides[axis]!;
    }
    list = next;
  });
  return list;
};
