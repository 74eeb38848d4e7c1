/** What most tests need: catching an error to look at its message, and comparing floats. */
import { isTensor, TenfoldError, type Tensor } from 'tenfold';
import { expect } from 'vitest';

/** Runs what must fail and returns its error. */
export const caught = (f: () => unknown): TenfoldError => {
  try {
    f();
  } catch (error) {
    if (error instanceof TenfoldError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

type Numbers = number | boolean | ArrayLike<Numbers>;

const isList = (x: Numbers): x is ArrayLike<Numbers> => typeof x === 'object';

const flatten = (x: Numbers): readonly (number | boolean)[] => (isList(x) ? Array.from(x, flatten).flat() : [x]);

const lengths = (x: Numbers): readonly number[] =>
  isList(x) ? [x.length, ...(x.length === 0 ? [] : lengths(x[0]!))] : [];

/**
 * Expects the shape of `expected` and each number within `tolerance`, absolute below 1 and relative above.
 * NaN is equal to NaN, and ∞ to ∞.
 */
export const close = (actual: Tensor | Numbers, expected: Numbers, tolerance = 1e-6): void => {
  const values = isTensor(actual) ? actual.toArray() : actual;
  expect(lengths(values), 'shape').toEqual(lengths(expected));
  const [got, wanted] = [flatten(values).map(Number), flatten(expected).map(Number)];
  const off = wanted.findIndex((x, i) => {
    const y = got[i]!;
    return !Object.is(x, y) && x !== y && !(Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(x)));
  });
  if (off >= 0) expect(got, `element ${off} differs by more than ${tolerance}`).toEqual(wanted);
};

/** A function of two operands, with the shapes left out of the types: for tables of functions and for bad calls. */
export interface AnyBinary {
  (a: Tensor, b: Tensor): Tensor;
  (a: Tensor, b: number): Tensor;
  (a: number, b: Tensor): Tensor;
  (b: Tensor): (a: Tensor) => Tensor;
  (b: number): (a: Tensor) => Tensor;
}

/** A function of a tensor and options, likewise. */
export interface AnyWithOptions {
  (x: Tensor, options?: object): Tensor;
  (options?: object): (x: Tensor) => Tensor;
}
