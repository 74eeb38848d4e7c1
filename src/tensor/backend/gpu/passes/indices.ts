/** Indices on a device: which thread computes what, and where an element is that a view names. */
import { DeviceError } from '../../../errors.js';
import { range, sizeOf } from '../../../shape.js';
import type { View } from '../../../view.js';
import type { Code, Condition, Coordinate, Integer } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import type { Traits } from '../pass.js';

/** Up to here every integer is a float32 of its own. */
export const exact = 2 ** 24;
/** What WebGPU starts along an axis at most: 65535 groups, which have 64 threads in x and 4 in y where both are long. */
const longest = [65535 * 64, 65535 * 4, 65535] as const;

/** The index of an axis of length 1. */
const still: Coordinate = { integer: '0', float: '0' };

/** A float that holds an integer below 2^24 as quotient and remainder. Devices may round a quotient to the next integer. */
export const divided = (code: KernelCode, x: string, by: number): readonly [string, string] => {
  const guess = code.let(code.call('floor', `${x} / ${by}`));
  if (Number.isInteger(Math.log2(by))) return [guess, code.let(`${x} - ${guess} * ${by}`)];
  const rest = code.let(`${x} - ${guess} * ${by}`);
  const quotient = code.let(
    code.select(`${rest} < 0`, `${guess} - 1`, code.select(`${rest} >= ${by}`, `${guess} + 1`, guess)),
  );
  return [quotient, code.let(`${x} - ${quotient} * ${by}`)];
};

/** The coordinates of axes that one index below 2^24 runs through, innermost last. */
export const split = (code: KernelCode, x: string, lengths: readonly number[]): Coordinate[] => {
  const found: Coordinate[] = [];
  let rest = code.let(x);
  for (let axis = lengths.length - 1; axis > 0; axis--) {
    const [quotient, own] = divided(code, rest, lengths[axis]!);
    found.unshift({ integer: code.integer(own), float: own });
    rest = quotient;
  }
  found.unshift({ integer: code.integer(rest), float: rest });
  return found;
};

/** Below, a quotient that a device has rounded may be off by more than one, but its remainder is a float. */
const short = 2 ** 12;

/** As {@link split}, of any index that devices with integers compute exactly: one below 2^31. */
export const splitExactly = (code: KernelCode, x: Integer, lengths: readonly number[]): Coordinate[] => {
  const found: Coordinate[] = [];
  let rest: Integer = `(${x})`;
  for (let axis = lengths.length - 1; axis > 0; axis--) {
    const by = lengths[axis]!;
    if (Number.isInteger(Math.log2(by))) {
      const own = `(${rest} & ${by - 1})`;
      found.unshift({ integer: own, float: by <= exact ? code.let(own) : own });
      rest = `(${rest} >> ${Math.log2(by)})`;
      continue;
    }
    const guess = code.integer(code.let(code.call('floor', `${rest} / ${by}`)));
    const left = `(${rest} - ${guess} * ${by})`;
    if (by < short) {
      const [off, own] = divided(code, code.let(left), by);
      found.unshift({ integer: code.integer(own), float: own });
      rest = `(${guess} + ${code.integer(off)})`;
      continue;
    }
    const off = code.let(code.select(`${left} < 0`, '-1', code.select(`${left} >= ${by}`, '1', '0')));
    const quotient = `(${guess} + ${code.integer(off)})`;
    const own = `(${rest} - ${quotient} * ${by})`;
    found.unshift({ integer: own, float: by <= exact ? code.let(own) : own });
    rest = quotient;
  }
  found.unshift({ integer: rest, float: lengths[0]! <= exact ? code.let(rest) : rest });
  return found;
};

/** Axes in up to three neighbouring groups, outermost first, each as long as may be; null if there are no such. */
const grouped = (lengths: readonly number[]): readonly (readonly number[])[] | null => {
  const groups: number[][] = [];
  for (const length of [...lengths].reverse()) {
    const group = groups.at(-1);
    const most = longest[groups.length - 1] ?? 0;
    if (group !== undefined && sizeOf(group) * length <= most) group.unshift(length);
    else groups.push([length]);
  }
  return groups.length <= 3 && groups.every((group, i) => sizeOf(group) <= longest[i]!) ? groups.reverse() : null;
};

export interface Grid {
  readonly grid: readonly number[];
  /** By axis of the space. */
  readonly at: readonly Coordinate[];
}

/**
 * A thread for each element of a space, in row-major order.
 *
 * @throws DeviceError when there are more of them than a buffer can have
 */
export const gridOf = (
  code: KernelCode,
  lengths: readonly number[],
  { floats, integers }: Traits,
  name: string,
): Grid => {
  const long = range(lengths.length).filter(axis => lengths[axis] !== 1);
  const own = long.map(axis => lengths[axis]!);
  const total = sizeOf(own);
  const spread = (coordinates: readonly Coordinate[]): readonly Coordinate[] => {
    const at = lengths.map(() => still);
    long.forEach((axis, i) => {
      at[axis] = coordinates[i]!;
    });
    return at;
  };
  const refuse = (rule: string): DeviceError =>
    new DeviceError({
      operation: name,
      given: `a result of [${lengths}], ${total} numbers on the device`,
      rule,
      hint: 'Compute it in parts, or on the CPU: await device("cpu").',
    });
  if (total > floats) throw refuse(`this device holds at most ${floats} numbers in a buffer`);
  if (own.length <= 1) {
    const float = total <= exact ? code.let('this.thread.x') : 'this.thread.x';
    return { grid: [Math.max(1, total)], at: spread([{ integer: integers ? 'this.thread.x' : float, float }]) };
  }
  if (total <= exact) return { grid: [total], at: spread(split(code, 'this.thread.x', own)) };
  if (!integers) throw refuse(`indices of several axes are exact on this device only up to ${exact}`);
  // Dividing is dear, so that axes are those of the grid where they fit.
  const groups = grouped(own);
  if (groups === null) return { grid: [total], at: spread(splitExactly(code, 'this.thread.x', own)) };
  const names = ['this.thread.x', 'this.thread.y', 'this.thread.z'].slice(0, groups.length).reverse();
  const at = groups.flatMap((group, i) =>
    group.length === 1 ? [{ integer: names[i]!, float: names[i]! }] : split(code, names[i]!, group),
  );
  return { grid: groups.map(sizeOf).reverse(), at: spread(at) };
};

/** The sum of coordinates times strides and an offset. */
export const linear = (
  offset: number,
  terms: readonly { readonly at: Integer; readonly stride: number }[],
): Integer => {
  const moving = terms.filter(({ stride, at }) => stride !== 0 && at !== '0');
  const up = moving.filter(({ stride }) => stride > 0);
  const down = moving.filter(({ stride }) => stride < 0);
  const times = (at: Integer, stride: number): string => (stride === 1 ? at : `${at} * ${stride}`);
  const plus = [...up.map(({ at, stride }) => times(at, stride)), ...(offset > 0 ? [`${offset}`] : [])];
  const minus = [...down.map(({ at, stride }) => times(at, -stride)), ...(offset < 0 ? [`${-offset}`] : [])];
  return [plus.length === 0 ? '0' : plus.join(' + '), ...minus].join(' - ');
};

/** Where a view's element is, and the condition under which it is anywhere; null if it always is. */
export interface Address {
  readonly index: Integer;
  readonly valid: Condition | null;
}

/** The place of a view's element at these coordinates, in elements. Outside of what is valid the index is 0. */
export const addressOf = (code: Code, view: View, at: readonly Coordinate[]): Address => {
  const index = linear(
    view.offset,
    view.strides.map((stride, axis) => ({ at: at[axis]!.integer, stride })),
  );
  const conditions = view.valid.flatMap((valid, axis): Condition[] => {
    if (valid === null) return [];
    const [low, high] = valid;
    const own = at[axis]!.integer;
    if (low >= high || low >= view.shape[axis]!) return ['1 < 0'];
    return [...(low > 0 ? [`${own} >= ${low}`] : []), ...(high < view.shape[axis]! ? [`${own} < ${high}`] : [])];
  });
  if (conditions.length === 0) return { index, valid: null };
  const valid = code.both(...conditions);
  return { index: code.chosen(valid, index), valid };
};
