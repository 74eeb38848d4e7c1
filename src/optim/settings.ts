/** Options that are numbers. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument } from '../tensor/shape.js';

/** Refuses what is no finite number. */
export const checkFinite = (operation: string, what: string, value: unknown): void =>
  checkArgument(
    Number.isFinite(value),
    operation,
    `${kindOf(value)} as ${what}`,
    `${what} is a finite number`,
    'Give such a JavaScript number.',
  );

/** Refuses a number that is not above 0. */
export const checkAboveZero = (operation: string, what: string, value: number): void =>
  checkArgument(
    value > 0,
    operation,
    `${value} as ${what}`,
    `${what} is a number above 0`,
    'It counts steps, or divides.',
  );

/**
 * Options that are finite numbers.
 *
 * @param defaults what they are when left out; undefined for those that may not be
 * @param others the names of the options that are something else
 * @throws ArgumentError
 */
export const numbersOf = <K extends string>(
  operation: string,
  options: unknown,
  defaults: Readonly<Record<K, number | undefined>>,
  others: readonly string[] = [],
): Readonly<Record<K, number>> => {
  const names = Object.keys(defaults) as K[];
  checkOptions(operation, [...names, ...others], options);
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  const numbers = names.map(name => [name, given[name] === undefined ? defaults[name] : given[name]] as const);
  for (const [name, value] of numbers) checkFinite(operation, name, value);
  return Object.fromEntries(numbers) as Record<K, number>;
};

/** One of some strings; the first of them when left out. */
export const choiceOf = <S extends string>(
  operation: string,
  what: string,
  choices: readonly [S, ...S[]],
  value: S | undefined,
): S => {
  if (value === undefined) return choices[0];
  checkArgument(
    choices.includes(value),
    operation,
    `${kindOf(value)} as ${what}`,
    `${what} is one of ${choices.map(choice => `'${choice}'`).join(', ')}`,
    `Leave it out for '${choices[0]}'.`,
  );
  return value;
};
