/** Objects of options after other arguments: whatever else is in their place, and every misspelt name, is refused. */
import { ArgumentError } from '../errors.js';
import { isTensor } from '../tensor.js';
import { kindOf } from './checks.js';
import { isWeakNumber } from './operands.js';

/**
 * Refuses what is no object of these options; undefined is one without any.
 *
 * @throws ArgumentError
 */
export const checkOptions = (operation: string, names: readonly string[], options: unknown): void => {
  if (options === undefined) return;
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options) && !isTensor(options);
  const unknown = isObject ? Object.keys(options).find(name => !names.includes(name)) : undefined;
  if (isObject && unknown === undefined) return;
  throw new ArgumentError({
    operation,
    given: isObject ? `the option ${unknown}` : `${kindOf(options)} in the place of the options`,
    rule: `its options are ${names.join(', ')}`,
    hint: `Write them as an object at the end: { ${names[0]}: … }.`,
  });
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
