/** Options that the solvers of differential equations share. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
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
    'Leave it out for the default.',
  );

/**
 * Refuses what is no share of the noise of ancestral sampling.
 *
 * @throws ArgumentError
 */
export const checkEta = (operation: string, eta: number): void => {
  checkNumber(operation, 'eta', eta);
  checkArgument(
    eta >= 0 && eta <= 1,
    operation,
    `eta = ${eta}`,
    'eta lies between 0 and 1',
    'Take 0 for no noise, 1 for the most.',
  );
};
