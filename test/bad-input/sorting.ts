/** Order, and what is found by it. */
import { bincount, nonzero, searchsorted, tensor, topK, unique, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const [signed, unsigned] = [zeros([3], { dtype: 'int32' }), zeros([3], { dtype: 'uint32' })];

const counts: readonly unknown[] = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', null, [2], 2 ** 31];

export const sorting: BadInputs = {
  topK: refused(
    topK,
    ...counts.map(k => [x, k]),
    [x, 4],
    [x],
    [x, 1, { axis: 2 }],
    [x, 1, { largest: 'yes' }],
    [x, 1, { dim: 0 }],
    [x, 1, 0],
    [tensor(1), 1],
    [[1], 1],
  ),
  searchsorted: refused(
    searchsorted,
    [[1, 2], 1],
    [tensor(1), 1],
    [x, 1],
    [x, zeros([3, 1])],
    [x, '1'],
    [x, null],
    [signed, 0.5],
    [signed, unsigned],
    [signed, signed, { side: 'middle' }],
    [signed, signed, { right: true }],
    [signed, signed, 'right'],
  ),
  nonzero: refused(
    nonzero,
    ...counts.map(size => [x, { size }]),
    [[1]],
    [x, 3],
    [x, { fill: 0.5 }],
    [x, { fill: 'no' }],
    [x, { count: 1 }],
  ),
  unique: refused(
    unique,
    ...counts.map(size => [x, { size }]),
    [[1]],
    [x, 3],
    [signed, { fill: 0.5 }],
    [x, { fill: 'no' }],
    [x, { axis: 1 }],
  ),
  bincount: refused(
    bincount,
    ...counts.map(length => [signed, { length }]),
    [[1]],
    [x],
    [signed, 3],
    [signed, { weights: zeros([2]) }],
    [signed, { weights: [1, 1, 1] }],
    [signed, { weights: zeros([3], { dtype: 'uint8' }) }],
    [signed, { minLength: 3 }],
  ),
};
