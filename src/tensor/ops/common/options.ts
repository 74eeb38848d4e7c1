/** Objects of options after other arguments: whatever else is in their place, and every misspelt name, is refused. */
import { ArgumentError } from '../../errors.js';
import { checkArgument, showAval } from '../../shape.js';
import { isTensor } from '../../tensor.js';
import { kindOf } from './checks.js';
import { checkSetting, isWeakNumber } from './operands.js';

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !isTensor(value) && !Array.isArray(value);

/**
 * Refuses what is no object of these options; undefined is one without any.
 *
 * @param told what to say of something else in their place
 * @throws ArgumentError
 */
export const checkOptions = (
  operation: string,
  names: readonly string[],
  options: unknown,
  told: { readonly rule: string; readonly hint: string } = {
    rule: `its options are ${names.join(', ')}`,
    hint: `Write them as an object at the end: { ${names[0]}: … }.`,
  },
): void => {
  if (options === undefined) return;
  const unknown = isObject(options) ? Object.keys(options as object).find(name => !names.includes(name)) : undefined;
  if (isObject(options) && unknown === undefined) return;
  const shown = isTensor(options) ? `a tensor ${showAval(options)}` : kindOf(options);
  const given = unknown === undefined ? `${shown} in the place of the options` : `the option ${unknown}`;
  throw new ArgumentError({ operation, given, ...told });
};

/**
 * As {@link dual}, for functions of a tensor, other arguments and options. The tensor is missing where no tensor comes
 * first and the arguments, the tensor counted, are no more than `told` of which the last is options or left out.
 *
 * @param told how many arguments there are before the options
 */
export const dualTold = <F>(told: number, f: (...args: never[]) => unknown): F => {
  const call = f as (...args: unknown[]) => unknown;
  const isWhole = (args: readonly unknown[]): boolean => {
    const last = args[told - 1];
    const isOther = last !== undefined && (typeof last !== 'object' || Array.isArray(last) || isTensor(last));
    return args.length > told || isOther || (isTensor(args[0]) && !isWeakNumber(args[0]));
  };
  return ((...args: unknown[]) => (isWhole(args) ? call(...args) : (x: unknown) => call(x, ...args))) as F;
};

/**
 * As {@link dualTold}, the options being an object of these names.
 *
 * @throws ArgumentError
 */
export const dualChecked = <F>(
  operation: string,
  told: number,
  names: readonly string[],
  f: (...args: never[]) => unknown,
): F =>
  dualTold(told, (...args: never[]) => {
    checkOptions(operation, names, args[told]);
    return f(...args);
  });

/**
 * As {@link dual}, for functions of several tensors with options at the end: whether the first argument is there is told
 * by the number of arguments before the options.
 */
export const dualBeforeOptions = <F>(told: number, f: (...args: never[]) => unknown): F => {
  const call = f as (...args: unknown[]) => unknown;
  const count = (args: readonly unknown[]): number => args.length - (isObject(args[args.length - 1]) ? 1 : 0);
  return ((...args: unknown[]) => (count(args) >= told ? call(...args) : (x: unknown) => call(x, ...args))) as F;
};

/**
 * As {@link dualBeforeOptions}, the options being an object of these names.
 *
 * @param told how many tensors there are before the options
 * @throws ArgumentError
 */
export const dualOfSeveral = <F>(
  operation: string,
  told: number,
  names: readonly string[],
  f: (...args: never[]) => unknown,
): F =>
  dualBeforeOptions(told, (...args: never[]) => {
    checkOptions(operation, names, args[told]);
    return f(...args);
  });

/**
 * A function of a tensor and options. Whatever is neither is refused at once: `sum([1, 2])` must not be
 * taken for `sum` of options yet to get its tensor, nor a misspelt option be passed over.
 *
 * The tensor may come last as well: `f(x, options)` and `pipe(x, f(options))`.
 *
 * @throws ArgumentError
 */
export const withOptions = <F>(
  operation: string,
  names: readonly string[],
  f: (x: never, options: never) => unknown,
): F => {
  const told = {
    rule: `it takes a tensor and then, perhaps, an object with ${names.join(', ')}`,
    hint: `Write ${operation}(x, { ${names[0]}: … }) or, in a pipe, ${operation}({ ${names[0]}: … }).`,
  };
  const call = (x: unknown, options: unknown = {}): unknown => {
    checkOptions(operation, names, options, told);
    return f(x as never, options as never);
  };
  return ((...args: unknown[]) => {
    if (isTensor(args[0])) return call(args[0], args[1]);
    checkOptions(operation, names, args[0], told);
    return (x: unknown) => call(x, args[0]);
  }) as F;
};

/** Refuses what is no boolean; undefined is the default. */
export const checkFlag = (operation: string, what: string, value: unknown): void => {
  checkSetting(operation, what, value);
  checkArgument(
    value === undefined || typeof value === 'boolean',
    operation,
    `${kindOf(value)} as ${what}`,
    `${what} is true or false`,
    `Write { ${what}: true }.`,
  );
};
