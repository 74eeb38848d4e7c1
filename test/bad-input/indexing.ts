/** Elements by their positions, and elements put there. */
import { addAt, at, gather, scatterAddAlong, scatterAlong, setAt, tensor, zeros } from 'tenfold';
import { type BadInputs, refused } from './types.js';

const x = zeros([2, 3]);
const bytes = zeros([2, 3], { dtype: 'uint8' });
const unsigned = zeros([2, 3], { dtype: 'uint32' });
const ints = zeros([2, 3], { dtype: 'int32' });
const index = tensor([0, 1], { dtype: 'int32' });
const mask = tensor([true, false, true]);

const indices: readonly unknown[] = [
  2,
  -3,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  undefined,
  true,
  'all',
  {},
  [],
  [1],
  [0, 1, 0],
  [0, 0.5],
  ['0', '1'],
  [0, 1, 1, 1],
  x,
  mask,
  tensor(true),
];

const along = [
  [x, x],
  [x, [0]],
  [x, 0],
  [x, zeros([3, 3], { dtype: 'int32' })],
  [x, index],
] as const;

const updates = [
  [[1], [0], 1],
  [x, 0, 1],
  [x, '0', 1],
  [x, [0, 0, 0], 1],
  [x, ['...', '...'], 1],
  [x, [0], zeros([2])],
  [x, [0], '1'],
  [x, [0], null],
  [x, [index, [0, 2], tensor([0, 1, 2], { dtype: 'int32' })], 1],
  [x, [index, tensor([0, 1, 2], { dtype: 'int32' })], 1],
  [x, [mask], 1],
  [ints, [0], unsigned],
  [ints, [0], 0.5],
] as const;

export const indexing: BadInputs = {
  at: [
    ...refused(at, ...indices.map(item => [x, item]), [x, 0, 0, 0], [x, '...', '...']),
    ...refused(at, [x, index, tensor([0, 1, 2], { dtype: 'int32' })]),
    () => at(0)([1] as never),
  ],
  gather: refused(gather, ...along, [[1], ints], [x, ints, { axis: 2 }], [x, ints, { dim: 1 }], [x, ints, 1]),
  setAt: refused(setAt, ...updates, ...indices.map(item => [x, [item], 1]), [zeros([3], { dtype: 'bool' }), [0], 2]),
  addAt: refused(addAt, ...updates, ...indices.map(item => [x, [item], 1]), [bytes, [0], 1]),
  scatterAlong: refused(
    scatterAlong,
    ...along.map(args => [...args, 1]),
    [[1], ints, 1],
    [x, ints, zeros([3, 3])],
    [x, ints, 'one'],
    [ints, ints, 0.5],
    [x, ints, 1, { axis: 2 }],
    [x, ints, 1, { dim: 1 }],
  ),
  scatterAddAlong: refused(
    scatterAddAlong,
    ...along.map(args => [...args, 1]),
    [[1], ints, 1],
    [x, ints, zeros([3, 3])],
    [x, ints, 'one'],
    [bytes, ints, 1],
    [ints, ints, unsigned],
    [x, ints, 1, { axis: 2 }],
    [x, ints, 1, { dim: 1 }],
  ),
};
