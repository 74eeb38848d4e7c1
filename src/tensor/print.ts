/** Tensors as text, in the manner of NumPy. */
import type { TypedArray } from './dtype.js';
import { type Aval, type Shape, showAval, sizeOf } from './shape.js';

/** Nests a flat list by a shape. */
export const nest = <T>(list: readonly T[], shape: Shape): unknown => {
  if (shape.length === 0) return list[0];
  let level: unknown[] = [...list];
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const length = shape[axis]!;
    const count = sizeOf(shape.slice(0, axis));
    level = Array.from({ length: count }, (_, i) => level.slice(i * length, (i + 1) * length));
  }
  return level;
};

const edge = 3;
const abbreviateAbove = 1000;

const integerText = (x: number): string => String(x);

/** One way of writing for all elements: fixed point with the digits that are needed, up to 4, or exponents. */
const floatText = (values: readonly number[]): ((x: number) => string) => {
  const finite = values.filter(Number.isFinite);
  const largest = Math.max(0, ...finite.map(Math.abs));
  const smallest = Math.min(...finite.filter(x => x !== 0).map(Math.abs));
  const special = (x: number): string => (Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf');
  const wrapSpecial = (text: (x: number) => string) => (x: number) => (Number.isFinite(x) ? text(x) : special(x));
  if (largest >= 1e8 || (Number.isFinite(smallest) && (smallest < 1e-4 || largest / smallest > 1e8))) {
    return wrapSpecial(x => x.toExponential(4));
  }
  const digits = Math.max(0, ...finite.map(x => (x.toFixed(4).replace(/0+$/, '').split('.')[1] ?? '').length));
  return wrapSpecial(x => (digits === 0 ? `${x.toFixed(0)}.` : x.toFixed(digits)));
};

/** `Tensor float32[2, 2]` and the elements below it; a scalar on one line. */
export const print = (elements: TypedArray, aval: Aval): string => {
  const { shape, dtype } = aval;
  const short = sizeOf(shape) > abbreviateAbove;
  const shown = (length: number): (number | null)[] =>
    short && length > 2 * edge
      ? [...Array(edge).keys(), null, ...Array.from({ length: edge }, (_, i) => length - edge + i)]
      : [...Array(length).keys()];
  const visible: number[] = [];
  const collect = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      visible.push(elements[offset]!);
      return;
    }
    const length = shape[axis]!;
    for (const i of shown(length)) if (i !== null) collect(axis + 1, offset * length + i);
  };
  collect(0, 0);
  const text =
    dtype === 'bool'
      ? (x: number) => (x !== 0 ? 'true' : 'false')
      : dtype.startsWith('float')
        ? floatText(visible)
        : integerText;
  const width = Math.max(0, ...visible.map(x => text(x).length));
  const write = (axis: number, offset: number): string => {
    if (axis === shape.length) return text(elements[offset]!).padStart(width);
    const length = shape[axis]!;
    const inner = axis === shape.length - 1;
    const parts = shown(length).map(i => (i === null ? '...' : write(axis + 1, offset * length + i)));
    const gap = inner ? ', ' : `,${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(axis + 1)}`;
    return `[${parts.join(gap)}]`;
  };
  return shape.length === 0 ? `Tensor ${showAval(aval)} ${write(0, 0)}` : `Tensor ${showAval(aval)}\n${write(0, 0)}`;
};
