/** What pooling makes of windows: their largest elements, and their means. */
import { b } from '../../build.js';
import { isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { range, sizeOf } from '../../shape.js';
import { withTangent } from '../common/derived.js';
import {
  along,
  both,
  known,
  phasesOf,
  placesIn,
  type Range,
  tapsOf,
  total,
  type Windows,
  windowsInside,
  within,
} from './windows.js';

/** Windows of so many elements are read in one kernel; larger ones axis by axis. */
const manyTaps = 16;
/** Longer windows of one axis are laid out in memory. */
const longWindow = 32;

const isWhole = ({ size, stride, low, high }: Windows): boolean => size === 1 && stride === 1 && low + high === 0;

/** Whether the windows lie side by side within the input. */
const isSideBySide = ({ size, stride, dilation, low, count, length }: Windows): boolean =>
  stride === size && dilation === 1 && low === 0 && count * size <= length;

/** Which axes the elements of windows side by side have, when their own are cut into windows and elements. */
const elementAxes = (windows: readonly Windows[]): readonly number[] => windows.map(({ axis }, k) => axis + k + 1);

/** Windows along one axis after the other if they are of many elements, all at once otherwise; and the long ones. */
const pass = (
  x: Node,
  windows: readonly Windows[],
  few: (x: Node, windows: readonly Windows[]) => Node,
  long: (x: Node, windows: Windows) => Node,
): Node => {
  const moving = windows.filter(each => !isWhole(each));
  if (moving.length === 0) return x;
  if (sizeOf(moving.map(({ size }) => size)) <= manyTaps) return few(x, moving);
  return moving.reduceRight((y, each) => (each.size > longWindow ? long(y, each) : few(y, [each])), x);
};

/**
 * Whether an element takes the place of the largest before it: when it is larger or NaN. By comparison, so that the derivative
 * goes to the first of several equal ones, where `b.max` would share it.
 */
const exceeds = (x: Node, best: Node): Node => (isFloat(x.dtype) ? b.or(b.gt(x, best), b.ne(x, x)) : b.gt(x, best));

/** The largest of each window, and which of its elements that is. */
interface Largest {
  readonly value: Node;
  readonly number: Node;
}

/** Elements of windows that some window has within the input. */
const elementsOf = (windows: readonly Windows[]): readonly (readonly number[])[] =>
  placesIn(windows.map(({ size }) => size)).filter(at =>
    at.every((i, k) => {
      const [from, to] = windowsInside(windows[k]!, i);
      return from < to;
    }),
  );

/** A window's first element within the input begins, so that what padding holds never matters. */
const largestIn = (x: Node, windows: readonly Windows[], elements: readonly (readonly number[])[]): Largest => {
  const [first, ...rest] = tapsOf(x, windows, elements);
  const numbered = (n: number): Node => full(b, { shape: first!.shape, dtype: 'int32' }, n);
  return rest.reduce<Largest>(
    (best, tap, n) => {
      const at = elements[n + 1]!;
      const seenIn = windows.map((each, k) => windowsInside(each, at[k]!));
      const firstIn = windows.map((each, k): Range => {
        const i = at[k]!;
        return [seenIn[k]![0], i === 0 ? each.count : windowsInside(each, i - 1)[0]];
      });
      const where = (ranges: readonly Range[]): Node | null =>
        ranges.reduce<Node | null>((p, each, k) => both(p, within(tap, windows[k]!.axis, each)), null);
      const isFirst = firstIn.some(([from, to]) => from >= to) ? null : where(firstIn);
      const better = exceeds(tap, best.value);
      const taken = both(where(seenIn), isFirst === null ? better : b.or(better, isFirst))!;
      return {
        value: b.select(taken, tap, best.value),
        number: b.select(taken, numbered(n + 1), best.number),
      };
    },
    { value: first!, number: numbered(0) },
  );
};

const largestOfTaps = (x: Node, windows: readonly Windows[]): Node => {
  const elements = elementsOf(windows);
  return withTangent(
    'maxPool',
    x,
    [],
    y => largestIn(y, windows, elements).value,
    (y, direction) => {
      const { number } = largestIn(y, windows, elements);
      const { cut, read, write } = phasesOf(y, windows);
      const phases = cut(direction);
      const none = full(b, phases, 0);
      if (windows.every(isSideBySide)) {
        // Every element is in one window only, which needs no more than to be compared with.
        const axes = elementAxes(windows);
        const own = windows.reduce<Node | null>((position, { size }, k) => {
          const at = b.iota({ shape: phases.shape, dtype: 'int32', axis: axes[k]! });
          return position === null ? at : b.add(b.mul(position, full(b, position, size)), at);
        }, null)!;
        const spread = b.reshape(number, { shape: phases.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) });
        const found = b.eq(b.broadcast(spread, { shape: phases.shape }), own);
        return b.sum(b.select(found, phases, none), { axes });
      }
      const parts = elements.map((at, n) => {
        const written = write(number, at);
        return read(b.select(b.eq(written, full(b, written, n)), phases, none), at);
      });
      return total(parts);
    },
  );
};

/** The largest along an axis; of several equal ones the first has the derivative. */
const largestAlong = (x: Node, axis: number): Node => {
  const at = b.argmax(x, { axes: [axis] });
  const spread = b.broadcast(b.reshape(at, { shape: x.shape.with(axis, 1) }), { shape: x.shape });
  const found = b.eq(spread, b.iota({ shape: x.shape, dtype: 'int32', axis }));
  return b.sum(b.select(found, x, full(b, x, 0)), { axes: [axis] });
};

/** For every element of the windows a row of positions, those outside of the input moved to the window's nearest inside. */
const positionsOf = ({ length, size, stride, dilation, low, count }: Windows): readonly (readonly number[])[] =>
  range(size).map(i =>
    range(count).map(t => {
      const start = t * stride - low;
      const [first, last] = [Math.ceil(-start / dilation), Math.floor((length - 1 - start) / dilation)];
      return start + dilation * Math.min(last, Math.max(first, i));
    }),
  );

/** Max pooling of a node of a dtype that reductions compute in. */
export const largestOf = (x: Node, windows: readonly Windows[]): Node =>
  pass(x, windows, largestOfTaps, (y, each) =>
    isSideBySide(each)
      ? largestAlong(phasesOf(y, [each]).cut(y), each.axis + 1)
      : largestAlong(b.gather(y, known(positionsOf(each), 'int32'), { axis: each.axis }), each.axis),
  );

const sumOfTaps = (x: Node, windows: readonly Windows[]): Node => {
  const elements = elementsOf(windows);
  return withTangent(
    'avgPool',
    x,
    [],
    y => total(tapsOf(y, windows, elements)),
    (y, direction) => {
      const { cut, read } = phasesOf(y, windows);
      const phases = cut(direction);
      if (windows.every(isSideBySide)) return b.sum(phases, { axes: elementAxes(windows) });
      return total(elements.map(at => read(phases, at)));
    },
  );
};

/** The elements in rows of positions added up, those that count. By selecting, so that no other can do harm. */
const sumOfRows = (
  x: Node,
  axis: number,
  rows: readonly (readonly number[])[],
  counts: (row: number, place: number) => boolean,
): Node => {
  const laid = b.gather(x, known(rows, 'int32'), { axis });
  const mask = rows.map((row, i) => row.map((_, t) => Number(counts(i, t))));
  const counted = along(known(mask, 'bool'), laid.shape, axis + 1);
  return b.sum(b.select(counted, laid, full(b, laid, 0)), { axes: [axis] });
};

const sumOfLong = (x: Node, each: Windows): Node =>
  sumOfRows(x, each.axis, positionsOf(each), (i, t) => {
    const [from, to] = windowsInside(each, i);
    return t >= from && t < to;
  });

/** The sums of windows; many elements side by side are reductions of their own axes. */
const sumsOf = (x: Node, windows: readonly Windows[]): Node => {
  const moving = windows.filter(each => !isWhole(each));
  const blocks = sizeOf(moving.map(({ size }) => size)) > manyTaps ? moving.filter(isSideBySide) : [];
  const summed = blocks.length === 0 ? x : b.sum(phasesOf(x, blocks).cut(x), { axes: elementAxes(blocks) });
  const rest = moving.filter(each => !blocks.includes(each));
  return pass(summed, rest, sumOfTaps, sumOfLong);
};

/** The means of the windows: what beyond the input and its padding is only there because of ceilMode never counts. */
export const meansOf = (x: Node, windows: readonly Windows[], countIncludePad: boolean): Node => {
  const y = sumsOf(x, windows);
  let common = 1;
  let divisor: Node | null = null;
  for (const { axis, length, size, stride, low, high, count } of windows) {
    const counts = range(count).map(t => {
      const start = t * stride - low;
      const end = Math.min(start + size, length + high);
      return countIncludePad ? end - start : Math.min(end, length) - Math.max(start, 0);
    });
    if (counts.every(n => n === counts[0])) common *= counts[0]!;
    else {
      const own = along(known([counts], y.dtype), y.shape, axis);
      divisor = divisor === null ? own : b.mul(divisor, own);
    }
  }
  const all = full(b, y, common);
  return b.div(y, divisor === null ? all : b.mul(divisor, all));
};

/** An axis to be pooled, whose windows lie side by side if the new length divides the old. */
export interface Pooled {
  readonly axis: number;
  readonly length: number;
  readonly count: number;
}

const isEven = ({ length, count }: Pooled): boolean => length % count === 0;

const evenly = ({ axis, length, count }: Pooled): Windows => {
  const size = length / count;
  return { axis, length, count, size, stride: size, dilation: 1, low: 0, high: 0 };
};

/** Where windows begin, and how many elements they have. */
const unevenly = ({ length, count }: Pooled): readonly (readonly [start: number, size: number])[] =>
  range(count).map(i => {
    const start = Math.floor((i * length) / count);
    return [start, Math.ceil(((i + 1) * length) / count) - start];
  });

/** The positions of the windows' elements; the shorter windows have their last again. */
const rowsOf = (pooled: Pooled): readonly (readonly number[])[] => {
  const windows = unevenly(pooled);
  const longest = Math.max(...windows.map(([, size]) => size));
  return range(longest).map(i => windows.map(([start, size]) => start + Math.min(i, size - 1)));
};

const unevenLargest = (x: Node, pooled: Pooled): Node =>
  largestAlong(b.gather(x, known(rowsOf(pooled), 'int32'), { axis: pooled.axis }), pooled.axis);

const unevenMeans = (x: Node, pooled: Pooled): Node => {
  const sizes = unevenly(pooled).map(([, size]) => size);
  const sum = sumOfRows(x, pooled.axis, rowsOf(pooled), (i, t) => i < sizes[t]!);
  return b.div(sum, along(known([sizes], sum.dtype), sum.shape, pooled.axis));
};

/** The largest elements of a node of a dtype that reductions compute in, to given lengths. */
export const adaptiveLargest = (x: Node, axes: readonly Pooled[]): Node =>
  axes.every(isEven)
    ? largestOf(x, axes.map(evenly))
    : axes.reduceRight((y, each) => (isEven(each) ? largestOf(y, [evenly(each)]) : unevenLargest(y, each)), x);

/** The means of a node of floats along axes. */
export const adaptiveMeans = (x: Node, axes: readonly Pooled[]): Node => {
  const moving = axes.filter(({ length, count }) => length !== count);
  const even = moving.filter(isEven).map(evenly);
  return moving.filter(each => !isEven(each)).reduce(unevenMeans, even.length === 0 ? x : meansOf(x, even, true));
};
