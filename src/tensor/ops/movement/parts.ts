/** Parts of axes: the places that bounds and a step name, and tensors cut to them and put back. */
import { b } from '../../build.js';
import { IndexError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { type Aval, range, type Shape, showAval } from '../../shape.js';

/** A bound or a step; null, or nothing, stands for all of the axis. */
export type Bound = number | null | undefined;

/** Places along an axis in the order in which they are visited; the step may be negative. */
export interface Part {
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

/** All places of an axis. */
export const wholeAxis = (length: number): Part => ({ from: 0, count: length, step: 1 });

/**
 * The places along an axis as Python's `slice.indices` has them.
 *
 * @throws IndexError when a bound or the step is no integer, or the step is 0
 */
export const partOf = (operation: string, x: Aval, axis: number, start: Bound, stop: Bound, step: Bound): Part => {
  for (const [name, at] of Object.entries({ start, stop, step })) {
    if ((at ?? null) === null || (Number.isInteger(at) && (name !== 'step' || at !== 0))) continue;
    throw new IndexError({
      operation,
      given: `${showAval(x)} and ${name} ${String(at)} on axis ${axis}`,
      rule: name === 'step' ? 'steps are integers other than 0, or null' : 'bounds are integers or null',
      hint: 'null stands for the whole axis.',
    });
  }
  const length = x.shape[axis]!;
  const by = step ?? 1;
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const bound = (at: number): number => Math.min(high, Math.max(low, at < 0 ? at + length : at));
  const from = (start ?? null) === null ? (by > 0 ? low : high) : bound(start!);
  const to = (stop ?? null) === null ? (by > 0 ? high : low) : bound(stop!);
  return { from, count: Math.max(0, Math.ceil((to - from) / by)), step: by };
};

/** The same places in the order of the axis: the first, the one behind the last, the distance. */
const forwards = ({ from, count, step }: Part): readonly [start: number, stop: number, stride: number] => {
  if (count === 0) return [0, 0, 1];
  const last = from + (count - 1) * step;
  return [Math.min(from, last), Math.max(from, last) + 1, Math.abs(step)];
};

const isWhole = (parts: readonly Part[], shape: Shape): boolean =>
  parts.every(({ count }, axis) => count === shape[axis]);

const turned = (x: Node, parts: readonly Part[]): Node => {
  const axes = range(parts.length).filter(axis => parts[axis]!.step < 0 && parts[axis]!.count > 1);
  return axes.length === 0 ? x : b.flip(x, { axes });
};

/** The part of a tensor. What is visited backwards is taken forwards and then turned round. */
export const cut = (x: Node, parts: readonly Part[]): Node => {
  const bounds = parts.map(forwards);
  const taken = isWhole(parts, x.shape)
    ? x
    : b.slice(x, {
        start: bounds.map(([start]) => start),
        stop: bounds.map(([, stop]) => stop),
        step: bounds.map(([, , stride]) => stride),
      });
  return turned(taken, parts);
};

/** A tensor of the shape that has `y` as its part, and zeros elsewhere. */
export const uncut = (y: Node, parts: readonly Part[], shape: Shape): Node => {
  const bounds = parts.map(forwards);
  const part = turned(y, parts);
  return isWhole(parts, shape)
    ? part
    : b.pad(part, {
        low: bounds.map(([start]) => start),
        high: bounds.map(([, stop], axis) => shape[axis]! - stop),
        interior: bounds.map(([, , stride]) => stride - 1),
      });
};
