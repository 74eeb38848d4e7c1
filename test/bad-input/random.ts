/** Keys and draws. */
import { tensor } from 'tenfold';
import {
  bernoulli,
  bits,
  categorical,
  foldIn,
  key,
  normal,
  permutation,
  randint,
  split,
  splitStack,
  uniform,
} from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const noKeys = [0, null, undefined, [0, 1], tensor([0, 1]), tensor([0, 1, 2], { dtype: 'uint32' })];
const noShapes = [undefined, 3, '3', [-1], [1.5], [Number.NaN]];
const noCounts = [0, -1, 1.5, Number.NaN, '2', null];

const withoutKey = (...rest: readonly unknown[]): readonly (readonly unknown[])[] =>
  noKeys.map(each => [each, ...rest]);
const ofShapes = (...rest: readonly unknown[]): readonly (readonly unknown[])[] =>
  noShapes.map(shape => [k, shape, ...rest]);

export const random: BadInputs = {
  key: refused(key, [], [-1], [1.5], [Number.NaN], ['1'], [2 ** 53], [tensor(1)]),
  foldIn: refused(
    foldIn,
    ...withoutKey(1),
    [k, -1],
    [k, 0.5],
    [k, 2 ** 32],
    [k, '1'],
    [k, tensor(1)],
    [k, tensor([1, 2])],
  ),
  'random.split': refused(split, ...withoutKey(2), [k, 2, { layout: 'first' }], ...noCounts.map(count => [k, count])),
  splitStack: refused(splitStack, ...withoutKey(2), [k, 2, { layout: 'first' }], ...noCounts.map(count => [k, count]), [
    k,
  ]),
  bits: refused(bits, ...withoutKey([2]), ...ofShapes(), [k, [2], { layout: 'first' }]),
  uniform: refused(
    uniform,
    ...withoutKey([2]),
    ...ofShapes(),
    [k, [2], { low: 1, high: 0 }],
    [k, [2], { low: Number.NaN }],
    [k, [2], { high: '1' }],
    [k, [2], { high: Number.POSITIVE_INFINITY }],
    [k, [2], { dtype: 'int32' }],
    [k, [2], { dtype: 'float16' }],
  ),
  normal: refused(
    normal,
    ...withoutKey([2]),
    ...ofShapes(),
    [k, [2], { dtype: 'int32' }],
    [k, [2], { dtype: 'float16' }],
  ),
  randint: refused(
    randint,
    ...withoutKey([2], 0, 9),
    ...ofShapes(0, 9),
    [k, [2], 3, 3],
    [k, [2], 0.5, 3],
    [k, [2], 0, Number.NaN],
    [k, [2], 0, 2 ** 31 + 1],
    [k, [2]],
  ),
  bernoulli: refused(
    bernoulli,
    ...withoutKey(0.5, [2]),
    [k, 0.5, 3],
    [k, 0.5, [-1]],
    [k, '0.5'],
    [k, Number.NaN],
    [k, -0.1],
    [k, 1.1],
    [k, tensor([0.1, 0.2]), [3]],
  ),
  permutation: refused(
    permutation,
    ...withoutKey(2),
    [k, -1],
    [k, 1.5],
    [k, Number.NaN],
    [k, tensor(1)],
    [k, [1, 2]],
    [k],
  ),
  categorical: refused(
    categorical,
    ...withoutKey(tensor([0, 1])),
    [k, [0, 1]],
    [k, tensor(1)],
    [k, tensor([0, 1]), { axis: 1 }],
    [k, tensor([0, 1]), { axis: 0.5 }],
    [k, tensor([0, 1]), { shape: 3 }],
    [k, tensor([0, 1]), { shape: [-1] }],
  ),
};
