/** Lists of numbers, and checks of the numbers that schedules are made from. */
import { ScheduleError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { showNumber } from '../checks.js';

export const isList = (values: unknown): values is ArrayLike<number> =>
  Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));

/** A copy of numbers in an array or typed array; none of what is neither. */
export const numbersOf = (values: ArrayLike<number>): number[] => (isList(values) ? Array.from(values) : []);

/** n numbers from one to another, evenly spaced; the first alone when n is 1. */
export const linspace = (start: number, stop: number, n: number): number[] => {
  const step = (stop - start) / (n - 1);
  // The last value is set rather than computed, as numpy.linspace does: i·step may miss it by an ulp.
  return Array.from({ length: n }, (_, i) => (i === 0 ? start : i === n - 1 ? stop : i * step + start));
};

/** The logistic function; neither end overflows. */
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * Refuses what is no number of timesteps.
 *
 * @throws ScheduleError
 */
export const checkSteps = (operation: string, T: number): void => {
  if (Number.isSafeInteger(T) && T >= 1 && T < 2 ** 31) return;
  throw new ScheduleError({
    operation,
    given: `${showNumber(T)} as the number of timesteps`,
    rule: 'the number of timesteps is a positive integer',
    hint: 'Ho et al. use 1000.',
  });
};

const ranges = {
  finite: { holds: () => true, rule: 'is a finite number' },
  positive: { holds: (x: number) => x > 0, rule: 'is a finite number above 0' },
  share: { holds: (x: number) => x >= 0 && x <= 1, rule: 'lies in [0, 1]' },
  /** Where quantiles are right. */
  shape: { holds: (x: number) => x >= 0.01 && x <= 1000, rule: 'lies in [0.01, 1000]' },
  beta: { holds: (x: number) => x > 0 && x <= 1, rule: 'lies in (0, 1]' },
};

/**
 * Refuses numbers outside of their range.
 *
 * @param numbers by the names that messages call them by
 * @throws ScheduleError
 */
export const checkNumbers = (
  operation: string,
  range: keyof typeof ranges,
  numbers: Readonly<Record<string, unknown>>,
): void => {
  const { holds, rule } = ranges[range];
  for (const [name, value] of Object.entries(numbers)) {
    if (typeof value === 'number' && Number.isFinite(value) && holds(value)) continue;
    throw new ScheduleError({
      operation,
      given: `${showNumber(value)} as ${name}`,
      rule: `${name} ${rule}`,
      hint: 'Give such a JavaScript number, or, where there is a default, leave it out.',
    });
  }
};

/**
 * A copy of sigmas in [0, 1] that came from outside.
 *
 * @throws ScheduleError when there is none, or one lies outside
 */
export const checkFlowSigmas = (operation: string, sigmas: ArrayLike<number>): number[] => {
  const checked = numbersOf(sigmas);
  const bad = checked.findIndex(sigma => !(typeof sigma === 'number' && sigma >= 0 && sigma <= 1));
  if (checked.length > 0 && bad < 0) return checked;
  throw new ScheduleError({
    operation,
    given:
      checked.length > 0
        ? `a sigma of ${showNumber(checked[bad])} at place ${bad}`
        : `no sigmas${isList(sigmas) ? '' : `, but ${kindOf(sigmas)}`}`,
    rule: 'the sigmas of a flow are a list of at least one number, each in [0, 1]',
    hint: 'Take karrasSigmas(n, { min: 0.001, max: 1, rho: 1 }), which are evenly spaced.',
  });
};
