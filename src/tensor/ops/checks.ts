/** Checks of arguments that several operations share. */
import { type DType, dtypes, fits, isDType, isFloat } from '../dtype.js';
import { DTypeError } from '../errors.js';

/**
 * A dtype that may come from untyped code.
 *
 * @throws DTypeError when there is no such dtype
 */
export const checkDType = <D extends DType>(operation: string, dtype: D): D => {
  if (isDType(dtype)) return dtype;
  throw new DTypeError({
    operation,
    given: `the dtype ${String(dtype)}`,
    rule: `the dtypes are ${dtypes.join(', ')}`,
    hint: "Leave it out for the default, or write { dtype: 'float32' }.",
  });
};

/** Whether the dtype can hold the number, floats up to rounding. */
export const holds = (dtype: DType, value: number): boolean =>
  isFloat(dtype) || (dtype === 'bool' ? value === 0 || value === 1 : fits(value, dtype));

/**
 * Checks that the dtype can hold a number; floats hold all of them, rounded.
 *
 * @throws DTypeError for a fraction or a number out of range in an integer dtype, or other than 0 and 1 in bool
 */
export const checkHolds = (operation: string, dtype: DType, value: number, where = ''): void => {
  if (holds(dtype, value)) return;
  throw new DTypeError({
    operation,
    given: `the number ${value}${where} for dtype ${dtype}`,
    rule: {
      bool: 'bool holds true and false, or 0 and 1 for them',
      int32: 'int32 holds the integers from −2147483648 to 2147483647',
      uint32: 'uint32 holds the integers from 0 to 4294967295',
      uint8: 'uint8 holds the integers from 0 to 255',
      float32: '',
      float64: '',
    }[dtype],
    hint: `Use a float dtype, or convert on purpose: cast(tensor(…), '${dtype}').`,
  });
};
