/** How exact adaptive integrations of samples are. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkArgument, checkInteger } from '../../tensor/shape.js';

/** How exact an adaptive integration is, and when it gives up. */
export interface Tolerances {
  /** The error of a step, relative to the values. */
  readonly rtol: number;
  /** The error of a step where the values are small. */
  readonly atol: number;
  /** How many steps are tried. */
  readonly maxSteps: number;
}

/** Options of integrations with steps of their own choice. */
export interface AdaptiveOptions {
  /** The error of a step relative to the sample, when that is scaled to α² + σ² = 1. Default 1e-5. */
  readonly rtol?: number | undefined;
  /** The error of a step where the sample is small; also how near it comes to a level without noise. Default 1e-5. */
  readonly atol?: number | undefined;
  /** How many steps are tried between two levels, those that are refused included. Default 1000. */
  readonly maxSteps?: number | undefined;
}

/** Checks options and fills their defaults in. */
export const tolerancesOf = (operation: string, options: AdaptiveOptions): Tolerances => {
  const { rtol = 1e-5, atol = 1e-5, maxSteps = 1000 } = options;
  checkNumber(operation, 'rtol', rtol, 'notNegative');
  checkNumber(operation, 'atol', atol, 'positive');
  checkArgument(
    rtol < 1 && atol < 0.1,
    operation,
    `rtol = ${rtol} and atol = ${atol}`,
    'rtol is below 1 and atol below 0.1',
    'Leave them out for 1e-5.',
  );
  checkInteger(operation, 'maxSteps', maxSteps, 1, 2 ** 31 - 1);
  return { rtol, atol, maxSteps };
};
