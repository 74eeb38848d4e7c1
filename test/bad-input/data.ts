/** Data sets: counts, keys and data sets that are none, rows that do not fit, images of other dtypes. */
import { tensor, zeros } from 'tenfold';
import {
  batch,
  checkerboard,
  eightGaussians,
  fromArrays,
  map,
  prefetch,
  repeat,
  shuffle,
  shuffledIndices,
  spirals,
  swissRoll,
  take,
  toUnitRange,
  twoMoons,
} from 'tenfold/data';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const noCounts = [undefined, null, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2', [2], tensor(2)];

const four = fromArrays(zeros([4, 2]));
const noDataset = [undefined, null, 3, [1], {}, { length: 4, epochs: 1, steps: 4 }, zeros([4, 2])];
const noKeys = [undefined, null, 0, [0, 1], tensor([0, 1])];

/** A count that is none, after a data set and before it. */
const badCounts = (f: unknown, counts: readonly unknown[]): readonly (() => unknown)[] =>
  refused(f, ...counts.flatMap(count => [[four, count], [count]]));

const ofNoDataset = (f: unknown): readonly (() => unknown)[] => refused(f, ...noDataset.map(each => [each]));

const toy = (f: unknown, ...names: readonly string[]): readonly (() => unknown)[] => [
  ...refused(f, [], ...noKeys.map(each => [each, 4])),
  ...refused(f, ...noCounts.map(count => [k, count]), [k, 2 ** 31]),
  ...refused(f, ...names.flatMap(name => ['1', null, -1, Number.NaN, tensor(1)].map(each => [k, 4, { [name]: each }]))),
];

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
  fromArrays: [
    ...refused(fromArrays, [], ...[null, {}, [], 3, { x: 3 }, { x: [1, 2] }, () => four].map(each => [each])),
    ...refused(fromArrays, [tensor(1)], [zeros([0, 3])], [[zeros([2]), zeros([3])]], [{ x: zeros([2]), y: tensor(2) }]),
  ],
  shuffle: [...refused(shuffle, [], ...noKeys.flatMap(each => [[four, each], [each]])), ...ofNoDataset(shuffle(k))],
  batch: [
    ...badCounts(batch, noCounts),
    ...refused(batch, [], [four, 5, { dropLast: true }], [four, 2 ** 31], [four, 2, null], [four, 2, { drop: true }]),
    ...refused(batch, ...[1, 'yes', null].map(dropLast => [2, { dropLast }])),
    ...ofNoDataset(batch(2)),
  ],
  'data.map': [...refused(map, [], [four], [four, 3], [null], ['f']), ...ofNoDataset(map(x => x))],
  'data.take': [...badCounts(take, noCounts), ...ofNoDataset(take(2))],
  'data.repeat': [
    ...badCounts(
      repeat,
      noCounts.filter(count => count !== undefined && count !== Number.POSITIVE_INFINITY),
    ),
    ...ofNoDataset(repeat(2)),
  ],
  prefetch: [
    ...badCounts(
      prefetch,
      noCounts.filter(count => count !== 0),
    ),
    ...refused(prefetch, [four, 2 ** 17]),
    ...ofNoDataset(prefetch(2)),
  ],
  twoMoons: [...toy(twoMoons, 'noise'), ...refused(twoMoons, [k, 4, 0.1], [k, 4, { std: 1 }])],
  swissRoll: [...toy(swissRoll, 'noise'), ...refused(swissRoll, [k, 4, 0.1], [k, 4, { hole: true }])],
  checkerboard: toy(checkerboard),
  eightGaussians: [
    ...toy(eightGaussians, 'noise', 'scale'),
    ...refused(eightGaussians, [k, 4, 0.1], [k, 4, { std: 1 }]),
  ],
  spirals: [...toy(spirals, 'noise'), ...refused(spirals, [k, 4, 0.1], [k, 4, { std: 1 }])],
};
