/** Options of operations along spatial axes: one for all, or one for each. */
import { ShapeError } from '../../errors.js';
import { type Aval, checkArgument, type Shape, showAval } from '../../shape.js';
import { checkSetting } from '../common/operands.js';

/** The same for every spatial axis, or one for each. */
export type PerAxis = number | readonly number[];

/** Zeros around the input: as many on both ends of an axis, or a pair [before, after]. */
export type Padding = number | readonly (number | readonly [low: number, high: number])[];

export const shown = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

/** An option as one integer for each spatial axis. */
export const perAxis = (
  operation: string,
  what: string,
  value: unknown,
  rank: number,
  least: number,
): readonly number[] => {
  checkSetting(operation, what, value);
  const list: readonly unknown[] = Array.isArray(value) ? value : new Array(rank).fill(value);
  checkArgument(
    list.length === rank && list.every(n => Number.isSafeInteger(n) && (n as number) >= least),
    operation,
    `${shown(value)} as ${what}`,
    `${what} is an integer ≥ ${least}, or an array with one for each of ${rank} spatial axes`,
    `Write { ${what}: ${least + 1} } or { ${what}: [${new Array(rank).fill(least + 1).join(', ')}] }.`,
  );
  return list as readonly number[];
};

type Pairs = readonly (readonly [low: number, high: number])[];

/** Padding as pairs. */
export const padPairs = (operation: string, value: unknown, rank: number): Pairs => {
  checkSetting(operation, 'padding', value);
  const list: readonly unknown[] = Array.isArray(value) ? value : new Array(rank).fill(value);
  const pairs = list.map(each => (Array.isArray(each) ? (each as readonly unknown[]) : [each, each]));
  const isPair = (pair: readonly unknown[]): boolean =>
    pair.length === 2 && pair.every(n => Number.isSafeInteger(n) && (n as number) >= 0);
  checkArgument(
    pairs.length === rank && pairs.every(isPair),
    operation,
    `${shown(value)} as padding`,
    `padding is an integer ≥ 0, or an array with one, or with a pair [before, after], for each of ${rank} spatial axes`,
    `Write { padding: 1 } or { padding: [${new Array(rank).fill('[0, 1]').join(', ')}] }.`,
  );
  return pairs as unknown as Pairs;
};

/** `'same'`, `'valid'` and the rest as pairs. */
export const paddingOf = (
  operation: string,
  value: unknown,
  strides: readonly number[],
  dilation: readonly number[],
  kernel: Shape,
): Pairs => {
  if (value !== 'same') return padPairs(operation, value === 'valid' ? 0 : value, kernel.length);
  checkArgument(
    strides.every(stride => stride === 1),
    operation,
    `'same' as padding with the stride [${strides.join(', ')}]`,
    'a result is as long as its input only if the stride is 1',
    'Give the padding as numbers.',
  );
  return kernel.map((length, axis) => {
    const both = dilation[axis]! * (length - 1);
    return [Math.floor(both / 2), Math.ceil(both / 2)];
  });
};

export const checkGroups = (operation: string, groups: unknown): void => {
  checkSetting(operation, 'groups', groups);
  checkArgument(
    Number.isSafeInteger(groups) && (groups as number) >= 1,
    operation,
    `${shown(groups)} as groups`,
    'groups is an integer ≥ 1',
    'A depthwise convolution has as many groups as channels.',
  );
};

/** Refuses an input that is not an axis of channels, with one of samples before it or without, and then the spatial axes. */
export const checkSpatial = (operation: string, x: Aval, rank: number): void => {
  const over = x.shape.length - rank;
  const refuse = (rule: string, hint: string): never => {
    throw new ShapeError({ operation, given: showAval(x), rule, hint });
  };
  if (over !== 1 && over !== 2) {
    const axes = ['d', 'h', 'w'].slice(3 - rank).join(', ');
    refuse(`an input is [n, c, ${axes}] or [c, ${axes}]`, 'Put missing axes in with expandDims.');
  }
  if (x.shape.slice(over).includes(0)) {
    refuse('spatial axes have a length of at least 1', 'Leave the operation out where there is nothing to read.');
  }
};

/** Refuses more spatial axes than three, and none. */
export const checkRank = (operation: string, what: string, rank: number): void =>
  checkArgument(
    rank >= 1 && rank <= 3,
    operation,
    `${rank} ${what}`,
    'there are one to three spatial axes',
    'Give one number for each of them; axes of channels and samples have none.',
  );
