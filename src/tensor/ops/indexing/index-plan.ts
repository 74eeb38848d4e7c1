/** An index with an entry for each axis, as NumPy's square brackets take it, worked out for a tensor. */

import { b } from '../../build.js';
import type { IndexDType } from '../../dtype.js';
import { ArgumentError, IndexError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { inverse } from '../../primitives/movement.js';
import { broadcastShapes, type Shape, sameShape, showAval, showShape, sizeOf } from '../../shape.js';
import { isTensor, nodeOf, type Tensor } from '../../tensor.js';
import { kindOf } from '../common/checks.js';
import { broadcastNode } from '../common/operands.js';
import { cut, type Part, partOf, uncut, wholeAxis } from '../movement/parts.js';
import { countTrue, inside, position, truePlaces, wrapped } from './positions.js';

/** In an index: an axis of length 1 that the result has there. */
export const newAxis = 'newAxis';

/** Places from `start` up to but not including `stop`; null stands for the end of the axis, a negative step walks backwards. */
export type IndexRange = readonly [start: number | null, stop: number | null, step?: number | null];

/** What an index has for an axis, or, with `'...'` and masks, for several. */
export type IndexItem = number | IndexRange | typeof newAxis | '...' | Tensor<Shape, IndexDType | 'bool'>;

const dots = '...';

/** Whether an item picks by being true. */
export const isMask = (item: unknown): item is Tensor<Shape, 'bool'> => isTensor(item) && item.dtype === 'bool';

/** Positions along an axis of this length, or along several taken as one. */
interface Picks {
  readonly flat: Node;
  readonly length: number;
}

/** An index worked out for a tensor. */
export interface Plan {
  /** The shape of what it names. */
  readonly shape: Shape;
  /** What tensors give, and the axis of the fold that it is for; null where there are no tensors. */
  readonly picks: (Picks & { readonly axis: number }) | null;
  /** The shape of the fold. */
  readonly folded: Shape;
  /** The part of a tensor that ranges and numbers name; the axes that tensors give positions for have become one. */
  fold(x: Node): Node;
  /** A tensor with that part, and zeros elsewhere. */
  unfold(y: Node): Node;
}

/** How many axes an item is for. */
const axesFor = (operation: string, item: unknown): number => {
  if (item === newAxis || item === dots) return 0;
  if (isMask(item)) return item.shape.length;
  if (typeof item === 'number' || Array.isArray(item) || isTensor(item)) return 1;
  throw new ArgumentError({
    operation,
    given: `${kindOf(item)} in an index`,
    rule: "an index has integers, ranges [start, stop, step], tensors of positions, masks, '...' and newAxis",
    hint: 'Write [null, null] for the whole of an axis.',
  });
};

/**
 * Checks that a mask is for the axes from this one on.
 *
 * @throws ShapeError
 */
export const checkMask = (operation: string, x: Node, mask: Tensor, axis: number): void => {
  const { shape } = mask;
  if (shape.length > 0 && sameShape(shape, x.shape.slice(axis, axis + shape.length))) return;
  throw new ShapeError({
    operation,
    given: `${showAval(x)} and a mask ${showShape(shape)} for it from axis ${axis} on`,
    rule: 'a mask has one element for each place along the axes that it is for',
    hint: 'Compare the tensor itself, or reduce over the other axes first: any(x, { axis: … }).',
  });
};

/** A tensor of positions or a mask as positions along the axes from this one on, taken as one. */
const picksOf = (operation: string, x: Node, item: Tensor, axis: number): Picks => {
  if (!isMask(item)) return { flat: wrapped(operation, item, x.shape[axis]!), length: x.shape[axis]! };
  checkMask(operation, x, item, axis);
  const hint = 'Use where(), or take as many as there are at most: nonzero(mask, { size }).';
  const mask = nodeOf(item);
  const count = countTrue(operation, mask, `the mask ${showAval(mask)}`, hint);
  return { flat: truePlaces(mask, count), length: sizeOf(item.shape) };
};

/** Positions along several axes as positions along all of them taken as one. */
const joined = (operation: string, picks: readonly Picks[]): Node => {
  const shape = broadcastShapes(operation, ...picks.map(({ flat }) => flat.shape));
  const all = picks.map(({ flat, length }) => ({ flat: broadcastNode(flat, shape), length }));
  if (all.length === 1) return all[0]!.flat;
  const within = all.map(({ flat, length }) => inside(flat, length)).reduce((p, q) => b.and(p, q));
  const sum = all.reduce((p, q) => ({
    flat: b.add(b.mul(p.flat, full(b, p.flat, q.length)), q.flat),
    length: p.length * q.length,
  })).flat;
  return b.select(within, sum, full(b, sum, -1));
};

/**
 * What an index names in a tensor, and how to get there and back.
 *
 * @throws IndexError for too many entries, integers outside, and arrays that are no range
 * @throws ShapeError for tensors of positions that do not broadcast, and masks of another shape
 * @throws DTypeError for tensors that are neither
 * @throws ArgumentError for what is no entry
 * @throws TraceError for masks whose true elements are not known
 */
export const planOf = (operation: string, x: Node, index: readonly unknown[]): Plan => {
  const used = index.reduce((sum: number, item) => sum + axesFor(operation, item), 0);
  const rank = x.shape.length;
  const several = index.filter(item => item === dots).length > 1;
  if (used > rank || several) {
    throw new IndexError({
      operation,
      given: `${showAval(x)} and an index with ${several ? "'...' more than once" : `entries for ${used} axes`}`,
      rule: several ? "'...' stands for all axes that are left" : `the tensor has ${rank}`,
      hint: 'Give one entry an axis, or fewer for the leading axes; newAxis is for none.',
    });
  }
  const items = index.includes(dots) ? index : [...index, dots];
  const isAdvanced = items.map(item => isTensor(item) || typeof item === 'number');
  const [first, last] = [isAdvanced.indexOf(true), isAdvanced.lastIndexOf(true)];
  // NumPy's rule: what tensors give stands where they stand if they stand together, else in front. Numbers count as tensors.
  const together = isAdvanced.slice(first, last + 1).every(each => each);
  const parts: Part[] = [];
  const lengths: number[] = [];
  const [kept, picked, single]: [number[], number[], number[]] = [[], [], []];
  const picks: Picks[] = [];
  let [before, axis] = [0, 0];
  const keep = (part: Part): void => {
    kept.push(parts.length);
    lengths.push(part.count);
    parts.push(part);
  };
  items.forEach((item, i) => {
    const at = parts.length;
    if (i === first && together) [before, axis] = [lengths.length, kept.length];
    if (item === newAxis) lengths.push(1);
    else if (item === dots) for (let n = used; n < rank; n++) keep(wholeAxis(x.shape[parts.length]!));
    else if (typeof item === 'number') {
      single.push(at);
      parts.push({ from: position(operation, item, x, at), count: 1, step: 1 });
    } else if (isTensor(item)) {
      picks.push(picksOf(operation, x, item, at));
      for (let n = axesFor(operation, item); n > 0; n--) {
        picked.push(parts.length);
        parts.push(wholeAxis(x.shape[parts.length]!));
      }
    } else keep(rangeOf(operation, x, at, item as readonly unknown[]));
  });
  const counts = parts.map(({ count }) => count);
  if (picks.length === 0) {
    return {
      shape: lengths,
      picks: null,
      folded: counts,
      fold: y => cut(y, parts),
      unfold: y => uncut(y, parts, x.shape),
    };
  }
  const flat = joined(operation, picks);
  const order = [...kept.slice(0, axis), ...picked, ...kept.slice(axis), ...single];
  const length = sizeOf(picked.map(each => counts[each]!));
  const folded = kept.map(each => counts[each]!).toSpliced(axis, 0, length);
  return {
    shape: lengths.toSpliced(before, 0, ...flat.shape),
    picks: { flat, axis, length },
    folded,
    fold: y => b.reshape(b.permute(cut(y, parts), { axes: order }), { shape: folded }),
    unfold: y => {
      const apart = b.reshape(y, { shape: order.map(each => counts[each]!) });
      return uncut(b.permute(apart, { axes: inverse(order) }), parts, x.shape);
    },
  };
};

const rangeOf = (operation: string, x: Node, axis: number, item: readonly unknown[]): Part => {
  if (item.length === 2 || item.length === 3) {
    const [start, stop, step] = item as IndexRange;
    return partOf(operation, x, axis, start, stop, step);
  }
  throw new IndexError({
    operation,
    given: `${showAval(x)} and an array of length ${item.length} for axis ${axis}`,
    rule: 'an array is a range: [start, stop] or [start, stop, step]',
    hint: "For a list of positions give a tensor: tensor([…], { dtype: 'int32' }).",
  });
};
