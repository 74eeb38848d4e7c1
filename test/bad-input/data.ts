/** Data sets: counts and keys that are none, images of other dtypes. */
import { tensor, zeros } from 'tenfold';
import { shuffledIndices, toUnitRange } from 'tenfold/data';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const noCounts = [undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', [2], tensor(2)];

export const data: BadInputs = {
  shuffledIndices: [
    ...refused(shuffledIndices, [], ...[undefined, null, 0, [0, 1], tensor([0, 1])].map(each => [each, 4, 2])),
    ...refused(
      shuffledIndices,
      ...noCounts.flatMap(count => [
        [k, count, 1],
        [k, 4, count],
      ]),
      [k, 4, 5],
      [k, 2 ** 31, 1],
    ),
    ...refused(shuffledIndices(k, 4, 2), [], ...noCounts.filter(step => step !== 0).map(step => [step])),
  ],
  toUnitRange: [
    ...refused(
      toUnitRange,
      ...[undefined, null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '16', tensor(16)].map(max => [bytes, max]),
    ),
    ...refused(
      toUnitRange,
      ...[undefined, null, 3, [1], 'x', zeros([2]), zeros([2], { dtype: 'int32' })].map(x => [x, 16]),
    ),
    ...refused(toUnitRange(16), [], [[1]], [zeros([2])]),
    ...refused(toUnitRange('16' as never), [bytes]),
  ],
};
