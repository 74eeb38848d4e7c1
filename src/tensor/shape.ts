/** Shapes as values: sizes, strides, broadcasting, axes. Types of shapes are in `shape-types.ts`. */
import { bytesOf, type DType } from './dtype.js';
import { ArgumentError, AxisError, IndexError, ShapeError } from './errors.js';

/** The lengths of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Shape and dtype: what is known of a tensor before its value is. */
export interface Aval {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Number of elements. */
export const sizeOf = (shape: Shape): number => {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
};

/** Row-major strides, in elements. */
export const stridesOf = (shape: Shape): number[] => {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
};

/** Bytes of the elements. */
export const bytesIn = ({ shape, dtype }: Aval): number => sizeOf(shape) * bytesOf[dtype];

export const sameShape = (a: Shape, b: Shape): boolean =>
  a === b || (a.length === b.length && a.every((length, axis) => length === b[axis]));

export const sameAval = (a: Aval, b: Aval): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** `[2, 3]` as it stands in messages. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** `float32[2, 3]` as it stands in messages. */
export const showAval = ({ shape, dtype }: Aval): string => `${dtype}${showShape(shape)}`;

/** The smallest integers first: 0, 1, … n − 1. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/**
 * Checks a shape that came from outside and returns a frozen copy.
 *
 * @throws ShapeError when a length is no non-negative integer
 */
export const checkShape = (operation: string, shape: Shape): Shape => {
  if (!Array.isArray(shape) || shape.some(length => !Number.isSafeInteger(length) || length < 0)) {
    throw new ShapeError({
      operation,
      given: Array.isArray(shape) ? `the shape ${showShape(shape)}` : `${String(shape)} as a shape`,
      rule: 'a shape is an array of non-negative integers',
      hint: 'Write [] for a scalar and [n] for a vector.',
    });
  }
  return Object.freeze([...shape]);
};

/**
 * NumPy's broadcasting: shapes are aligned at the right, lengths must be equal or 1.
 *
 * @throws ShapeError when they do not fit
 */
export const broadcastShapes = (operation: string, ...shapes: readonly Shape[]): Shape => {
  const first = shapes[0] ?? [];
  if (shapes.every(shape => sameShape(shape, first))) return first;
  const rank = Math.max(...shapes.map(shape => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      const length = shape[i]!;
      if (length === 1 || length === result[axis]) continue;
      if (result[axis] !== 1) {
        throw new ShapeError({
          operation,
          given: `the shapes ${shapes.map(showShape).join(' and ')}`,
          rule: `aligned at the right, lengths must be equal or 1, but axis −${rank - axis} has ${result[axis]} and ${length}`,
          hint: 'Use reshape or expandDims to line the axes up.',
        });
      }
      result[axis] = length;
    }
  }
  return result;
};

/**
 * An axis counted from the start; negative ones count from the end.
 *
 * @throws AxisError when it is not an axis of the shape
 */
export const normalizeAxis = (operation: string, axis: number, shape: Shape): number => {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new AxisError({
      operation,
      given: `axis ${axis} and the shape ${showShape(shape)}`,
      rule: rank === 0 ? 'a scalar has no axis' : `an axis is an integer from ${-rank} to ${rank - 1}`,
      hint: 'Negative axes count from the end: −1 is the last.',
    });
  }
  return axis < 0 ? axis + rank : axis;
};

/**
 * Axes counted from the start, sorted, none twice; `undefined` means all of them.
 *
 * @throws AxisError
 */
export const normalizeAxes = (
  operation: string,
  axes: number | readonly number[] | undefined,
  shape: Shape,
): readonly number[] => {
  if (axes === undefined) return range(shape.length);
  const list: readonly number[] = Array.isArray(axes) ? axes : [axes as number];
  const normal = list.map(axis => normalizeAxis(operation, axis, shape)).sort((a, b) => a - b);
  if (normal.some((axis, i) => axis === normal[i + 1])) {
    throw new AxisError({
      operation,
      given: `the axes [${list.join(', ')}] and the shape ${showShape(shape)}`,
      rule: 'an axis may be named once only',
      hint: 'Remove the repetition; mind that negative axes count from the end.',
    });
  }
  return normal;
};

/**
 * Checks a count, length or bound.
 *
 * @throws IndexError unless `value` is an integer from `low` to `high`
 */
export const checkInteger = (operation: string, what: string, value: number, low: number, high: number): number => {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new IndexError({
      operation,
      given: `${what} ${value}`,
      rule: high === Number.MAX_SAFE_INTEGER ? `it is an integer ≥ ${low}` : `it is an integer from ${low} to ${high}`,
      hint: `Give ${what} within that range.`,
    });
  }
  return value;
};

/** An ArgumentError unless the condition holds. */
export const checkArgument = (
  condition: boolean,
  operation: string,
  given: string,
  rule: string,
  hint: string,
): void => {
  if (!condition) throw new ArgumentError({ operation, given, rule, hint });
};
