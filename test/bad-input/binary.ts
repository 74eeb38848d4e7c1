/** Elementwise operations of two and three operands. */
import * as t from 'tenfold';
import { tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const ints = zeros([2, 3], { dtype: 'int32' });
const words = zeros([2, 3], { dtype: 'uint32' });

const { atan2, hypot, logaddexp, xlogy, copysign, heaviside, squaredDifference, floorDivide } = t;
const pairs = { atan2, hypot, logaddexp, xlogy, copysign, heaviside, squaredDifference, floorDivide };

/** Operands that do not meet. */
const unmet: readonly (readonly unknown[])[] = [
  [x, zeros([2])],
  [x, [1, 2, 3]],
  [x, '1'],
  [x, null],
  [1, 2],
  [ints, words],
];

const close: readonly (readonly unknown[])[] = [
  ...unmet,
  [ints, 1.5],
  [x, x, 1],
  [x, x, { tol: 1 }],
  ...['rtol', 'atol'].flatMap(name => [-1, Number.NaN, '1', null, tensor(1)].map(value => [x, x, { [name]: value }])),
  ...[1, null, 'yes', tensor(1)].map(equalNaN => [x, x, { equalNaN }]),
];

export const binary: BadInputs = {
  ...Object.fromEntries(
    Object.entries(pairs).map(([name, f]) => [name, refused(f, ...unmet, [x, bytes], [ints, 1.5])]),
  ),
  lerp: refused(
    t.lerp,
    [x, zeros([2]), 0.5],
    [x, x, zeros([2])],
    [x, x, '1'],
    [x, null, 1],
    [1, 2, 0.5],
    [x, bytes, 0.5],
    [[1], x, 0.5],
  ),
  clamp: refused(
    t.clamp,
    [x, null, null],
    [x, undefined, 1],
    [x, 0, Number.NaN],
    [x, zeros([2]), null],
    [x, null, [1, 2, 3]],
    [x, bytes, null],
    [ints, null, 0.5],
    [3, x, null],
  ),
  nanToNum: refused(
    t.nanToNum,
    ...['nan', 'posInf', 'negInf'].flatMap(name =>
      [Number.NaN, '0', null, tensor(1)].map(value => [x, { [name]: value }]),
    ),
    [x, { posinf: 1 }],
    [x, 0],
    [[1, 2]],
    [bytes],
  ),
  isClose: refused(t.isClose, ...close),
  allClose: refused(t.allClose, ...close),
};
