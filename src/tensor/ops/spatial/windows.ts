/**
 * Windows along the spatial axes of a tensor, as pooling and resampling read them: by strided slices, which are views and
 * cost nothing, or by gathering, for windows of many elements or of several lengths.
 */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { outputLength } from '../../primitives/convolution.js';
import { full } from '../../primitives/full.js';
import { type Aval, range, type Shape, showAval } from '../../shape.js';
import { nodeOf } from '../../tensor.js';
import { sliceAlong } from '../common/moving.js';
import { fromTypedArray } from '../creation/nested.js';
import { type Padding, type PerAxis, padPairs, perAxis } from './options.js';

/** Windows along one axis: window `t` of `count` has the elements `t · stride + i · dilation − low` for `i < size`. */
export interface Windows {
  readonly axis: number;
  /** The length of the axis. */
  readonly length: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** How windows lie on their input. */
export interface WindowOptions {
  readonly stride?: PerAxis;
  readonly padding?: Padding;
  readonly dilation?: PerAxis;
  readonly ceilMode?: boolean;
}

/** From and up to but not including. */
export type Range = readonly [from: number, to: number];

/** Which windows have their element `i` within the input. */
export const windowsInside = ({ length, stride, dilation, low, count }: Windows, i: number): Range => {
  const bound = (at: number): number => Math.min(count, Math.max(0, Math.ceil((at + low - i * dilation) / stride)));
  return [bound(0), bound(length)];
};

/** The windows along the last axes of a tensor, one for each size. */
export const windowsOver = (
  operation: string,
  x: Aval,
  sizes: readonly number[],
  { stride = sizes, padding = 0, dilation = 1, ceilMode = false }: WindowOptions,
): readonly Windows[] => {
  const rank = sizes.length;
  const strides = perAxis(operation, 'stride', stride, rank, 1);
  const dilations = perAxis(operation, 'dilation', dilation, rank, 1);
  return padPairs(operation, padding, rank).map(([low, high], i) => {
    const [size, stride, dilation] = [sizes[i]!, strides[i]!, dilations[i]!];
    const axis = x.shape.length - rank + i;
    const length = x.shape[axis]!;
    const count = outputLength(length, size, stride, dilation, [low, high + (ceilMode ? stride - 1 : 0)]);
    // A window that was added by rounding up must not begin in the padding behind the input.
    const kept = ceilMode && (count - 1) * stride >= length + low ? count - 1 : count;
    const windows = { axis, length, size, stride, dilation, low, high, count: kept };
    if (kept < 1) {
      const reach = dilation * (size - 1) + 1;
      throw new ShapeError({
        operation,
        given: `${showAval(x)}, along axis ${axis}`,
        rule: `windows reach over ${reach}, and the input with its padding has ${length + low + high} only`,
        hint: 'Use smaller windows or more padding.',
      });
    }
    return windows;
  });
};

/**
 * Refuses windows that lie in the padding altogether.
 *
 * @throws ShapeError
 */
export const checkSight = (operation: string, x: Aval, windows: readonly Windows[]): void => {
  for (const each of windows) {
    const { size, stride, low, high, count } = each;
    const seen = range(size).map(i => windowsInside(each, i));
    // Windows that begin before the input see it with a later element or not at all; those that begin behind it never do.
    const early = range(Math.min(count, Math.ceil(low / stride)));
    if (early.every(t => seen.some(([from, to]) => t >= from && t < to)) && seen[0]![1] === count) continue;
    throw new ShapeError({
      operation,
      given: showAval(x),
      rule: `with a padding of [${low}, ${high}] there are windows of ${size} that see nothing of the input`,
      hint: 'Use less padding: at most half of the window.',
    });
  }
};

/** All places of a grid in row-major order. */
export const placesIn = (lengths: readonly number[]): readonly (readonly number[])[] =>
  lengths.reduce<readonly (readonly number[])[]>(
    (list, n) => list.flatMap(place => range(n).map(i => [...place, i])),
    [[]],
  );

/** Elements of windows, one of each window a slice; zeros where they are outside of the input. */
export const tapsOf = (
  x: Node,
  windows: readonly Windows[],
  elements: readonly (readonly number[])[],
): readonly Node[] => {
  const none = x.shape.map(() => 0);
  const [low, high] = [[...none], [...none]];
  for (const { axis, length, size, stride, dilation, count, ...each } of windows) {
    low[axis] = Math.max(0, each.low);
    high[axis] = Math.max(0, (count - 1) * stride + dilation * (size - 1) + 1 - each.low - length);
  }
  const wide = [...low, ...high].some(n => n > 0) ? b.pad(x, { low, high, interior: none }) : x;
  return elements.map(at =>
    windows.reduce((y, { axis, stride, dilation, count, ...each }, k) => {
      const start = at[k]! * dilation + low[axis]! - each.low;
      return sliceAlong(y, axis, start, start + (count - 1) * stride + 1, stride);
    }, wide),
  );
};

/** Where positions along an axis are within a range; null where all are. */
export const within = (like: Aval, axis: number, [from, to]: Range): Node | null => {
  const { shape } = like;
  const position = (): Node => b.iota({ shape, dtype: 'int32', axis });
  const bound = (n: number): Node => full(b, { shape, dtype: 'int32' }, n);
  const after = from > 0 ? b.ge(position(), bound(from)) : null;
  const before = to < shape[axis]! ? b.lt(position(), bound(to)) : null;
  return both(after, before);
};

/** The conjunction of two conditions of which null is always true. */
export const both = (p: Node | null, q: Node | null): Node | null => (p === null ? q : q === null ? p : b.and(p, q));

export const total = (terms: readonly Node[]): Node => terms.reduce((y, term) => b.add(y, term));

/** Rows of numbers known beforehand. */
export const known = (rows: readonly (readonly number[])[], dtype: DType): Node =>
  nodeOf(fromTypedArray(Float64Array.from(rows.flat()), [rows.length, rows[0]!.length], dtype));

/** Known rows spread over a shape, their numbers along `axis`; if there are several, along the axis before. */
export const along = (values: Node, shape: Shape, axis: number): Node => {
  const ones = shape.slice(axis + 1).map(() => 1);
  return b.broadcast(b.reshape(values, { shape: [...values.shape, ...ones] }), { shape });
};

/** Where the parts of an axis that is cut into phases are read and written for an element of the windows. */
interface Place {
  /** The windows whose element is there. */
  readonly from: number;
  readonly to: number;
  /** Where along the rows of phases the first of them is, and which phase it is. */
  readonly row: number;
  readonly phase: number;
}

/**
 * The axes of windows with a stride cut into `[rows, phases]`, as many phases as the stride: the elements of windows are then
 * slices without steps, and spread by padding without gaps, which is a view as well.
 */
export interface Phases {
  readonly cut: (x: Node) => Node;
  /** An element of each window out of the phases. */
  readonly read: (phases: Node, at: readonly number[]) => Node;
  /** The transpose of read: zeros where no window has the element. */
  readonly write: (y: Node, at: readonly number[]) => Node;
}

export const phasesOf = (x: Aval, windows: readonly Windows[]): Phases => {
  const counts = windows.map(({ length, size, stride, dilation, low, count }) =>
    Math.ceil(Math.min(length, (count - 1) * stride + dilation * (size - 1) + 1 - low) / stride),
  );
  const order = new Map(windows.map(({ axis }, k) => [axis, k]));
  /** By axis of x: what `own` has for its windows, or else `other`. */
  const layout = <T>(own: (k: number, windows: Windows) => readonly T[], other: (axis: number) => T): T[] =>
    x.shape.flatMap((_, axis) => {
      const k = order.get(axis);
      return k === undefined ? [other(axis)] : own(k, windows[k]!);
    });
  const lengthOf = (axis: number): number => x.shape[axis]!;
  const zero = (): number => 0;
  const placeOf = (k: number, i: number): Place => {
    const { stride, dilation, low, count } = windows[k]!;
    const offset = i * dilation - low;
    const row = Math.floor(offset / stride);
    const from = Math.max(0, -row);
    const to = Math.max(from, Math.min(count, counts[k]! - row));
    return { from, to, row: row + from, phase: offset - row * stride };
  };
  const cut = (y: Node): Node => {
    const used = windows.reduce((z, { axis, length, stride }, k) => {
      return sliceAlong(z, axis, 0, Math.min(length, counts[k]! * stride));
    }, y);
    const high = used.shape.map((n, axis) => {
      const k = order.get(axis);
      return k === undefined ? 0 : counts[k]! * windows[k]!.stride - n;
    });
    const none = high.map(zero);
    const even = high.some(n => n > 0) ? b.pad(used, { low: none, high, interior: none }) : used;
    return b.reshape(even, { shape: layout((k, { stride }) => [counts[k]!, stride], lengthOf) });
  };
  const read = (phases: Node, at: readonly number[]): Node => {
    const places = at.map((i, k) => placeOf(k, i));
    const part = b.slice(phases, {
      start: layout(k => [places[k]!.row, places[k]!.phase], zero),
      stop: layout(k => [places[k]!.row + places[k]!.to - places[k]!.from, places[k]!.phase + 1], lengthOf),
      step: phases.shape.map(() => 1),
    });
    const wide = b.pad(part, {
      low: layout(k => [places[k]!.from, 0], zero),
      high: layout((k, { count }) => [count - places[k]!.to, 0], zero),
      interior: phases.shape.map(zero),
    });
    return b.reshape(wide, { shape: layout((_, { count }) => [count], lengthOf) });
  };
  const write = (y: Node, at: readonly number[]): Node => {
    const places = at.map((i, k) => placeOf(k, i));
    const split = b.reshape(y, { shape: layout((_, { count }) => [count, 1], lengthOf) });
    const part = b.slice(split, {
      start: layout(k => [places[k]!.from, 0], zero),
      stop: layout(k => [places[k]!.to, 1], lengthOf),
      step: split.shape.map(() => 1),
    });
    return b.pad(part, {
      low: layout(k => [places[k]!.row, places[k]!.phase], zero),
      high: layout((k, { stride }) => {
        const { from, to, row, phase } = places[k]!;
        return [counts[k]! - row - (to - from), stride - 1 - phase];
      }, zero),
      interior: split.shape.map(zero),
    });
  };
  return { cut, read, write };
};
