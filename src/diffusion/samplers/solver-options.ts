/** Options that the solvers of differential equations share. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkArgument } from '../../tensor/shape.js';
import { showNumber } from '../checks.js';

/**
 * Refuses an order that a solver does not have.
 *
 * @throws ArgumentError
 */
export const checkOrder = (operation: string, order: number, highest: number): void =>
  checkArgument(
    Number.isInteger(order) && order >= 1 && order <= highest,
    operation,
    `${showNumber(order)} as the order`,
    `the order is an integer from 1 to ${highest}`,
    'Take 2 with guidance, 3 without.',
  );

/**
 * Refuses what is none of the names.
 *
 * @throws ArgumentError
 */
export const checkOneOf = (operation: string, what: string, names: readonly string[], given: string): void => {
  if (typeof given === 'string' && names.includes(given)) return;
  throw new ArgumentError({
    operation,
    given: `${typeof given === 'string' ? `'${String(given)}'` : kindOf(given)} as ${what}`,
    rule: `${what} is one of ${names.join(', ')}`,
    hint: `Leave it out for '${names[0]}'.`,
  });
};
