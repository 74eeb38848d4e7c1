/** Nodes with axes of other lengths: by their nearest elements, or by weighing neighbours. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { range, type Shape, sizeOf } from '../../shape.js';
import { withTangent } from '../common/derived.js';
import { sliceAlong } from '../common/moving.js';
import { along, known, phasesOf, placesIn, tapsOf, total, type Windows, within } from './windows.js';

/** What becomes of an axis: position `i` of the result is at `step · i`, or with half-pixel centres `step · (i + ½) − ½`. */
export interface Resampling {
  readonly axis: number;
  readonly length: number;
  readonly count: number;
  readonly step: number;
}

/** The weights of neighbours at a distance `t`, from 0 to 1, behind the one in the middle of the first half. */
export type Kernel = (t: number) => readonly number[];

export const linear: Kernel = t => [1 - t, t];

/** Keys 1981, doi:10.1109/TASSP.1981.1163711, eq. 4 in general form, with a = −3/4. */
export const cubic: Kernel = t => {
  const a = -0.75;
  const near = (s: number): number => ((a + 2) * s - (a + 3)) * s * s + 1;
  const far = (s: number): number => ((a * s - 5 * a) * s + 8 * a) * s - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
};

/** Ways back are written out for at most so many parts. */
const manyParts = 16;

/** The step of an arithmetic progression; 1 for one number, and null for what is none, or does not go up. */
const stepOf = (indices: readonly number[]): number | null => {
  const step = indices.length > 1 ? indices[1]! - indices[0]! : 1;
  return step > 0 && indices.every((at, i) => at === indices[0]! + i * step) ? step : null;
};

const strided = (x: Node, axis: number, indices: readonly number[]): Node =>
  sliceAlong(x, axis, indices[0]!, indices[indices.length - 1]! + 1, stepOf(indices)!);

/** One element along an axis put at another place, alone. */
const placed = (x: Node, axis: number, from: number, at: number, length = x.shape[axis]!): Node => {
  const zeros = x.shape.map(() => 0);
  return b.pad(sliceAlong(x, axis, from, from + 1), {
    low: zeros.with(axis, at),
    high: zeros.with(axis, length - 1 - at),
    interior: zeros,
  });
};

/** The elements `by` places further along an axis; zeros beyond its ends. */
const moved = (x: Node, axis: number, by: number): Node => {
  const zeros = x.shape.map(() => 0);
  const [low, high] = [Math.max(0, -by), Math.max(0, by)];
  const kept = sliceAlong(x, axis, high, x.shape[axis]! - low);
  return b.pad(kept, { low: zeros.with(axis, low), high: zeros.with(axis, high), interior: zeros });
};

/** As {@link moved}; beyond the ends the last elements. */
const shifted = (x: Node, axis: number, by: number): Node => {
  if (by === 0) return x;
  const length = x.shape[axis]!;
  const end = by < 0 ? sliceAlong(x, axis, 0, 1) : sliceAlong(x, axis, length - 1, length);
  const inside = within(x, axis, [-by, length - by])!;
  return b.select(inside, moved(x, axis, by), b.broadcast(end, { shape: x.shape }));
};

/** What {@link shifted} is the sum of, if nothing is selected. */
const partsOfShifted = (x: Node, axis: number, by: number): readonly Node[] => {
  const last = x.shape[axis]! - 1;
  const ends = range(Math.abs(by)).map(i => (by < 0 ? placed(x, axis, 0, i) : placed(x, axis, last, last - i)));
  return [moved(x, axis, by), ...ends];
};

/** Every element along axes so many times, each as an axis of its own behind it. */
const repeated = (x: Node, axes: readonly number[], times: readonly number[]): Node => {
  const spread = (own: (k: number) => number): readonly number[] =>
    x.shape.flatMap((n, axis) => (axes.includes(axis) ? [n, own(axes.indexOf(axis))] : [n]));
  return b.broadcast(b.reshape(x, { shape: spread(() => 1) }), { shape: spread(k => times[k]!) });
};

/** Which element is taken for each of the result. */
const nearestTo = ({ length, count, step }: Resampling): readonly number[] => {
  // 1 / scale is not exact; rounding to float32 keeps a quotient that should be an integer from falling below it.
  const at = (i: number): number =>
    step === length / count ? Math.floor((i * length) / count) : Math.floor(Math.fround(i * step));
  return range(count).map(i => Math.min(length - 1, at(i)));
};

/** The elements nearest to where the results lie, of any dtype. */
export const nearest = (x: Node, resamplings: readonly Resampling[]): Node => {
  const isRepeated = (each: Resampling): boolean => {
    const times = each.count / each.length;
    return Number.isInteger(times) && nearestTo(each).every((from, i) => from === Math.floor(i / times));
  };
  const taken = resamplings
    .filter(each => !isRepeated(each))
    .reduceRight((y, each) => {
      const { axis, count } = each;
      const indices = nearestTo(each);
      if (stepOf(indices) !== null) return strided(y, axis, indices);
      return b.reshape(b.gather(y, known([indices], 'int32'), { axis }), { shape: y.shape.with(axis, count) });
    }, x);
  const longer = resamplings.filter(each => isRepeated(each) && each.count > each.length);
  if (longer.length === 0) return taken;
  const axes = longer.map(({ axis }) => axis);
  const times = longer.map(({ length, count }) => count / length);
  const shape = longer.reduce<Shape>((lengths, { axis, count }) => lengths.with(axis, count), taken.shape);
  const spread = (y: Node): Node => b.reshape(repeated(y, axes, times), { shape });
  if (sizeOf(times) > manyParts) return spread(taken);
  return withTangent('interpolate', taken, [], spread, (_, direction) => {
    const split = b.reshape(direction, {
      shape: direction.shape.flatMap((n, axis) => (axes.includes(axis) ? [n, 1] : [n])),
    });
    const parts = placesIn(times).map(place =>
      axes.reduce((y, axis, k) => placed(y, axis + k + 1, 0, place[k]!, times[k]!), split),
    );
    return b.reshape(total(parts), { shape });
  });
};

/**
 * Half-pixel centres at a scale that is an integer: the results around an element are an axis of their own, and their
 * neighbours the same for all elements. So they come by shifts, which are views, and nothing has to be gathered.
 */
const magnified = (x: Node, axis: number, times: number, kernel: Kernel): Node => {
  const phases = range(times).map(i => (i + 0.5) / times - 0.5);
  const weights = phases.map(place => kernel(place - Math.floor(place)));
  const half = weights[0]!.length / 2;
  const shape = x.shape.with(axis, x.shape[axis]! * times);
  const rows = range(2 * half).map(k => known([weights.map(row => row[k]!)], x.dtype));
  const value = (y: Node, constants: readonly Node[]): Node => {
    const wide = repeated(y, [axis], [times]);
    // The first half of the results lie before their element.
    const before = within(wide, axis + 1, [0, Math.floor(times / 2)])!;
    const neighbours = range(2 * half + 1).map(k => shifted(wide, axis, k - half));
    const terms = constants.map((row, k) =>
      b.mul(b.select(before, neighbours[k]!, neighbours[k + 1]!), along(row, wide.shape, axis + 1)),
    );
    return b.reshape(total(terms), { shape });
  };
  const tangent = (_: Node, direction: Node): Node => {
    const terms = phases.flatMap((place, phase) =>
      weights[phase]!.flatMap((weight, k) => {
        const parts = partsOfShifted(
          b.mul(direction, full(b, direction, weight)),
          axis,
          Math.floor(place) + 1 + k - half,
        );
        return parts.map(part =>
          placed(b.reshape(part, { shape: part.shape.toSpliced(axis + 1, 0, 1) }), axis + 1, 0, phase, times),
        );
      }),
    );
    return b.reshape(total(terms), { shape });
  };
  return withTangent('interpolate', x, rows, value, tangent);
};

/** The elements of windows times their weights, of which each window has its own. */
const weighedWindows = (x: Node, windows: Windows, weights: readonly (readonly number[])[]): Node => {
  const shape = x.shape.with(windows.axis, windows.count);
  const rows = weights.map(row => known([row], x.dtype));
  const spread = (row: Node): Node => along(row, shape, windows.axis);
  const elements = placesIn([windows.size]);
  const value = (y: Node, constants: readonly Node[]): Node =>
    total(tapsOf(y, [windows], elements).map((tap, k) => b.mul(tap, spread(constants[k]!))));
  const tangent = (_: Node, direction: Node): Node => {
    const { cut, read, write } = phasesOf(direction, [windows]);
    const phases = cut(direction);
    return total(elements.map((at, k) => read(b.mul(phases, write(spread(rows[k]!), at)), at)));
  };
  return withTangent('interpolate', x, rows, value, tangent);
};

/** Neighbours times their weights along an axis. */
export const weighted = (
  x: Node,
  { axis, length, count, step }: Resampling,
  aligned: boolean,
  kernel: Kernel,
): Node => {
  const times = count / length;
  const places = range(count).map(i => (aligned ? i * step : (i + 0.5) * step - 0.5));
  const width = kernel(0).length;
  const isMultiple = !aligned && Number.isInteger(times) && step === 1 / times && times > 1;
  if (isMultiple && times * width <= manyParts && length >= width) return magnified(x, axis, times, kernel);
  // Between an end and itself it makes no difference where; at the end there is nothing to be rounded.
  const clamped = width > 2 ? places : places.map(place => Math.min(length - 1, Math.max(0, place)));
  const rows = range(width).map(k =>
    clamped.map(place => Math.min(length - 1, Math.max(0, Math.floor(place) + k + 1 - width / 2))),
  );
  const weights = clamped.map(place => kernel(place - Math.floor(place)));
  const byRow = range(width).map(k => weights.map(row => row[k]!));
  const shape = x.shape.with(axis, count);
  const stride = stepOf(rows[0]!);
  if (stride !== null && rows.every((row, k) => row.every((at, i) => at === rows[0]![i]! + k))) {
    const low = -rows[0]![0]!;
    return weighedWindows(x, { axis, length, size: width, stride, dilation: 1, low, high: 0, count }, byRow);
  }
  const [indices, factors] = [known(rows, 'int32'), known(byRow, x.dtype)];
  const value = (y: Node, [at, by]: readonly Node[]): Node => {
    const neighbours = b.gather(y, at!, { axis });
    return total(
      range(width).map(k => {
        const own = b.reshape(sliceAlong(neighbours, axis, k, k + 1), { shape });
        return b.mul(own, along(sliceAlong(by!, 0, k, k + 1), shape, axis));
      }),
    );
  };
  const tangent = (_: Node, direction: Node): Node => {
    const neighbours = b.gather(direction, indices, { axis });
    return b.sum(b.mul(neighbours, along(factors, neighbours.shape, axis + 1)), { axes: [axis] });
  };
  return withTangent('interpolate', x, [indices, factors], value, tangent);
};
