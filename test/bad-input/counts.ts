/** Draws of counts, of angles, and of normal numbers between bounds. */
import { tensor } from 'tenfold';
import { binomial, key, poisson, truncatedNormal, vonMises } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const noNumbers = ['1', null, undefined, [1], true, Number.NaN];
const noRates = [...noNumbers, -1, Number.POSITIVE_INFINITY];
const noOptions = [{ shape: [-1] }, { shape: 3 }, { size: [2] }, { dtype: 'float16' }, 3, null];

export const counts: BadInputs = {
  poisson: refused(
    poisson,
    [tensor([0, 1]), 1],
    [k],
    ...noRates.map(rate => [k, rate]),
    ...[...noOptions, { dtype: null }, { dtype: 'uint8' }, { dtype: 'uint32' }, { dtype: 'bool' }].map(options => [
      k,
      1,
      options,
    ]),
    [k, tensor([1, 2]), { shape: [3] }],
    [k, tensor([1, 2]), { shape: [1] }],
  ),
  binomial: refused(
    binomial,
    [tensor([0, 1]), 1, 0.5],
    [k, 1],
    ...[...noRates, 1.5, 2 ** 54].map(count => [k, count, 0.5]),
    ...[...noRates, 1.1].map(probability => [k, 1, probability]),
    ...[...noOptions, { dtype: 'uint32' }].map(options => [k, 1, 0.5, options]),
    [k, tensor([1, 2]), tensor([0.1, 0.2, 0.3])],
    [k, tensor([1, 2]), 0.5, { shape: [3] }],
  ),
  vonMises: refused(
    vonMises,
    [tensor([0, 1]), 1],
    ...noRates.map(concentration => [k, concentration]),
    ...[...noOptions, { dtype: 'int32' }].map(options => [k, 1, options]),
    [k, tensor([1, 2]), { shape: [3] }],
  ),
  truncatedNormal: refused(
    truncatedNormal,
    [tensor([0, 1]), 0, 1],
    [k, 0],
    [k, 1, 0],
    [k, Number.POSITIVE_INFINITY, 0],
    ...noNumbers.flatMap(bound => [
      [k, bound, 1],
      [k, 0, bound],
    ]),
    ...[...noOptions, { dtype: 'int32' }].map(options => [k, 0, 1, options]),
    [k, tensor([1, 2]), tensor([1, 2, 3])],
    [k, tensor([1, 2]), 3, { shape: [3] }],
  ),
};
