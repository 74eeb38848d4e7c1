/** Indices on a device: which thread computes what, and where an element is that a view names. */
import { DeviceError } from '../../../errors.js';
import { range } from '../../../shape.js';
import type { View } from '../../../view.js';
import type { Code, Condition, Coordinate, Integer } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import type { Traits } from '../pass.js';

/** Below, every integer is a float32 of its own. */
export const exact = 2 ** 24;
/** What WebGPU starts along an axis at most: 65535 groups of 8 threads along x and y, of 1 along z. */
const longest = [65535 * 8, 65535 * 8, 65535] as const;

const product = (lengths: readonly number[]): number => lengths.reduce((p, n) => p * n, 1);

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

/** Axes in up to three neighbouring groups, outermost first, each as long as may be; null if there are no such. */
const grouped = (lengths: readonly number[]): readonly (readonly number[])[] | null => {
  const groups: number[][] = [];
  for (const length of [...lengths].reverse()) {
    const group = groups.at(-1);
    const most = Math.min(exact, longest[groups.length - 1] ?? 0);
    if (group !== undefined && product(group) * length < most) group.unshift(length);
    else groups.push([length]);
  }
  return groups.length <= 3 && groups.every((group, i) => product(group) <= longest[i]!) ? groups.reverse() : null;
};

/** The smallest divisor, but 1, that leaves a factor of at most `most`; null if there is none. */
const divisor = (length: number, most: number): number | null => {
  for (let d = Math.max(2, Math.ceil(length / most)); d <= Math.sqrt(length) + 1; d++) if (length % d === 0) return d;
  return null;
};

export interface Grid {
  readonly grid: readonly number[];
  /** By axis of the space. */
  readonly at: readonly Coordinate[];
}

/**
 * A thread for each element of a space, in row-major order.
 *
 * @throws DeviceError when a space of 2^24 elements and more does not fit into three dimensions
 */
export const gridOf = (
  code: KernelCode,
  lengths: readonly number[],
  { floats, integers }: Traits,
  name: string,
): Grid => {
  const long = range(lengths.length).filter(axis => lengths[axis] !== 1);
  const own = long.map(axis => lengths[axis]!);
  const total = product(own);
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
    const float = total < exact ? code.let('this.thread.x') : 'this.thread.x';
    return { grid: [Math.max(1, total)], at: spread([{ integer: integers ? 'this.thread.x' : float, float }]) };
  }
  if (total < exact) return { grid: [total], at: spread(split(code, 'this.thread.x', own)) };
  // Long axes are cut where that makes them fit; their two halves make up one coordinate again.
  const cut = own.map(length => {
    const by = length > longest[0] ? divisor(length, longest[0] / 2) : null;
    return by === null ? [length] : [by, length / by];
  });
  const groups = grouped(cut.flat());
  if (groups === null) throw refuse('its indices are exact only where they fit into three dimensions of a grid');
  const names = ['this.thread.x', 'this.thread.y', 'this.thread.z'].slice(0, groups.length).reverse();
  const pieces = groups.flatMap((group, i) =>
    group.length === 1 ? [{ integer: names[i]!, float: names[i]! }] : split(code, names[i]!, group),
  );
  let next = 0;
  const whole = cut.map(parts => {
    if (parts.length === 1) return pieces[next++]!;
    const [outer, inner] = [pieces[next++]!, pieces[next++]!];
    const text = `(${outer.integer} * ${parts[1]} + ${inner.integer})`;
    return { integer: text, float: text };
  });
  return { grid: groups.map(product).reverse(), at: spread(whole) };
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
