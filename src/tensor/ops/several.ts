/** Functions of several tensors and options: which argument is missing is told by their number alone. */
import { dualBeforeOptions } from './checks.js';
import { checkOptions } from './options.js';

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
