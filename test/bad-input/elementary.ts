/** Functions of one tensor: elementary, hyperbolic, special. */
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cosh,
  digamma,
  erfc,
  erfinv,
  exp2,
  lgamma,
  polygamma,
  sinc,
  sinh,
  zeros,
} from 'tenfold';
import { type BadInputs, refused } from './types.js';

const bytes = zeros([2], { dtype: 'uint8' });
const plain = { exp2, asin, acos, atan, sinh, cosh, asinh, acosh, atanh };
const special = { erfc, erfinv, lgamma, digamma, sinc };

const orders = [undefined, -1, 101, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, [1], zeros([])];

export const elementary: BadInputs = {
  ...Object.fromEntries(
    Object.entries({ ...plain, ...special }).map(([name, f]) => [
      name,
      refused(f, [bytes], [1], ['x'], [[1, 2]], [null], []),
    ]),
  ),
  polygamma: refused(
    polygamma,
    [bytes, { order: 1 }],
    [[1], { order: 1 }],
    [zeros([2])],
    [zeros([2]), 1],
    [1, zeros([2])],
    [zeros([2]), { order: 1, n: 2 }],
    [zeros([2]), null],
    ...orders.map(order => [zeros([2]), { order }]),
  ),
};
