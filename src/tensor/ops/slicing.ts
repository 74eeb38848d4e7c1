/** Taking a part of a tensor, and surrounding it. The dtype stays. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { IndexError, ShapeError } from '../errors.js';
import { full } from '../primitives/full.js';
import { range, type Shape, showAval } from '../shape.js';
import { type Tensor, wrap } from '../tensor.js';
import { checkHolds, checkList } from './checks.js';
import type { SameRank } from './movement.js';
import { checkSetting, dual, nodeFor } from './operands.js';

/** Bounds or steps of the leading axes; null, and what is missing, means all of the axis. */
export type Bounds = readonly (number | null)[];

/** The signatures of {@link slice}. */
export interface Slice {
  <S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    start: Bounds,
    stop?: Bounds,
    step?: Bounds,
  ): Tensor<SameRank<S>, D>;
  (
    start: Bounds,
    stop?: Bounds,
    step?: Bounds,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/** Python's `slice.indices` along one axis: first place, number of places. */
const placesOf = (start: number | null, stop: number | null, step: number, length: number): [number, number] => {
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const bound = (at: number): number => Math.min(high, Math.max(low, at < 0 ? at + length : at));
  const from = start === null ? (step > 0 ? low : high) : bound(start);
  const to = stop === null ? (step > 0 ? high : low) : bound(stop);
  return [from, Math.max(0, Math.ceil((to - from) / step))];
};

/**
 * A part of each axis: from `start` up to but not including `stop`, every `step`-th element, as Python's
 * `x[start:stop:step]`. The arrays name the leading axes; for axes beyond them, and for null, it is the whole axis.
 * Negative bounds count from the end, bounds outside are clamped, and a negative step walks backwards.
 *
 * @returns the same rank; the lengths of the parts
 * @throws ShapeError when there are more bounds than axes
 * @throws IndexError when a bound or step is no integer, or a step is 0
 * @example
 * ```js
 * import { slice, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * slice(x, [0, 1], [2, 3]).toArray(); // => [[2, 3], [5, 6]]
 * slice(x, [-1]).toArray(); // => [[4, 5, 6]]
 * slice(x, [], [], [null, -2]).toArray(); // => [[3, 1], [6, 4]]
 * ```
 */
export const slice: Slice = dual('tensor', (x: Tensor, start: Bounds, stop: Bounds = [], step: Bounds = []) => {
  const node = nodeFor('slice', x);
  const { shape } = node;
  for (const [name, list] of Object.entries({ start, stop, step })) {
    checkList('slice', `the bounds in ${name}`, list);
    if (list.length > shape.length) {
      throw new ShapeError({
        operation: 'slice',
        given: `${showAval(node)} and ${name} [${list.join(', ')}]`,
        rule: `${name} has ${list.length} entries for ${shape.length} axes`,
        hint: 'Give one entry an axis, or fewer for the leading axes.',
      });
    }
    list.forEach((at, axis) => {
      if ((at ?? null) === null || (Number.isInteger(at) && (name !== 'step' || at !== 0))) return;
      throw new IndexError({
        operation: 'slice',
        given: `${showAval(node)} and ${name} ${at} on axis ${axis}`,
        rule: name === 'step' ? 'steps are integers other than 0, or null' : 'bounds are integers or null',
        hint: 'null stands for the whole axis.',
      });
    });
  }
  const steps = shape.map((_, axis) => step[axis] ?? 1);
  const places = shape.map((length, axis) => placesOf(start[axis] ?? null, stop[axis] ?? null, steps[axis]!, length));
  const backwards = range(shape.length).filter(axis => steps[axis]! < 0 && places[axis]![1] > 1);
  // What is walked backwards is taken forwards and then turned round.
  const first = places.map(([from, count], axis) =>
    steps[axis]! > 0 ? from : count === 0 ? 0 : from + (count - 1) * steps[axis]!,
  );
  const strides = steps.map(Math.abs);
  const whole = places.every(([, count], axis) => count === shape[axis]);
  const taken = whole
    ? node
    : b.slice(node, {
        start: first,
        stop: places.map(([, count], axis) =>
          count === 0 ? first[axis]! : first[axis]! + (count - 1) * strides[axis]! + 1,
        ),
        step: strides,
      });
  return wrap(backwards.length === 0 ? taken : b.flip(taken, { axes: backwards }));
});

/** The options of {@link pad}. */
export interface PadOptions {
  /** What the new elements are; 0 (false) if left out. */
  readonly value?: number | boolean;
}

/** How many elements to add before and after each axis. */
export type Widths = readonly (readonly [before: number, after: number])[];

/** The signatures of {@link pad}. */
export interface Pad {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, widths: Widths, options?: PadOptions): Tensor<SameRank<S>, D>;
  (widths: Widths, options?: PadOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<SameRank<S>, D>;
}

/**
 * Elements added before and after each axis, all of one value.
 *
 * @param widths a pair `[before, after]` for each axis
 * @returns the same rank; each axis longer by its widths
 * @throws ShapeError unless there is one pair an axis
 * @throws IndexError when a width is no non-negative integer
 * @throws DTypeError when the dtype does not hold the value
 * @example
 * ```js
 * import { pad, tensor } from 'tenfold';
 * pad(tensor([1, 2]), [[1, 2]]).toArray(); // => [0, 1, 2, 0, 0]
 * pad(tensor([[1]]), [[0, 1], [1, 0]], { value: 9 }).toArray(); // => [[9, 1], [9, 9]]
 * ```
 */
export const pad: Pad = dual('tensor', (x: Tensor, widths: Widths, { value = 0 }: PadOptions = {}) => {
  const node = nodeFor('pad', x);
  checkSetting('pad', 'value', value);
  checkList('pad', 'widths', widths);
  if (widths.length !== node.shape.length || widths.some(pair => !Array.isArray(pair) || pair.length !== 2)) {
    throw new ShapeError({
      operation: 'pad',
      given: `${showAval(node)} and widths ${JSON.stringify(widths)}`,
      rule: `it takes one pair [before, after] for each of the ${node.shape.length} axes`,
      hint: 'Write [0, 0] for an axis that stays as it is.',
    });
  }
  widths.forEach(([before, after], axis) => {
    for (const width of [before, after]) {
      if (Number.isInteger(width) && width >= 0) continue;
      throw new IndexError({
        operation: 'pad',
        given: `${showAval(node)} and the widths ${before} and ${after} on axis ${axis}`,
        rule: 'widths are non-negative integers',
        hint: 'To take elements away, use slice.',
      });
    }
  });
  checkHolds('pad', node.dtype, Number(value));
  if (widths.every(([before, after]) => before + after === 0)) return wrap(node);
  const params = {
    low: widths.map(([before]) => before),
    high: widths.map(([, after]) => after),
    interior: widths.map(() => 0),
  };
  const padded = b.pad(node, params);
  if (Number(value) === 0) return wrap(padded);
  const inside = b.pad(full(b, { shape: node.shape, dtype: 'bool' }, 1), params);
  return wrap(b.select(inside, padded, full(b, padded, Number(value))));
});
