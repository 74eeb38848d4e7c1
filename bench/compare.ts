/** Whether two implementations computed the same. */

/** The root of the mean square of some values. */
const magnitudeOf = (values: Float32Array): number => {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum / values.length);
};

const differenceOf = (given: Float32Array, expected: Float32Array, tolerance: number): string | null => {
  if (given.length !== expected.length) return `${given.length} elements, not ${expected.length}`;
  const magnitude = magnitudeOf(expected);
  for (let i = 0; i < given.length; i++) {
    const error = Math.abs(given[i]! - expected[i]!);
    // Written so that NaN is a difference.
    if (!(error <= tolerance * (Math.abs(expected[i]!) + magnitude)))
      return `${given[i]} at ${i} instead of ${expected[i]}`;
  }
  return null;
};

/** Null if the results agree to the tolerance, relative to each element and to the magnitude of all; else where not. */
export const compare = (
  given: readonly Float32Array[],
  expected: readonly Float32Array[],
  tolerance: number,
): string | null => {
  if (given.length !== expected.length) return `${given.length} results, not ${expected.length}`;
  for (const [i, values] of given.entries()) {
    const difference = differenceOf(values, expected[i]!, tolerance);
    if (difference !== null) return given.length === 1 ? difference : `result ${i}: ${difference}`;
  }
  return null;
};
