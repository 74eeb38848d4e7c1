/** Metrics: what is no float tensor, samples that do not go together, too few of them, wrong options. */
import { tensor, zeros } from 'tenfold';
import {
  energyDistance,
  frechetDistance,
  frechetDistanceOf,
  kernelMmd,
  meanAndCovariance,
  prdc,
  slicedWasserstein,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const k = key(0);
const x = zeros([6, 3]);
const noSamples = [
  ...[undefined, null, 3, 'x', [[0, 1]], {}, tensor(1), zeros([3])],
  ...[zeros([6, 3], { dtype: 'int32' }), zeros([6, 3], { dtype: 'bool' }), zeros([0, 3]), zeros([6, 0])],
];
const others = [...noSamples, zeros([6, 2]), zeros([6, 3, 2])];
const noOptions = [null, 3, 'x', [], x, { bogus: 1 }];
const of = (...rest: readonly unknown[]): readonly (readonly unknown[])[] => [
  ...noSamples.map(bad => [bad, x, ...rest]),
  ...others.map(bad => [x, bad, ...rest]),
];
const moments = { mean: zeros([2]), covariance: zeros([2, 2]) };
const noMoments = [
  ...[undefined, null, 3, 'x', [], {}, x, { mean: zeros([2]) }, { covariance: zeros([2, 2]) }],
  ...[zeros([]), zeros([2, 1]), zeros([3]), zeros([0]), zeros([2], { dtype: 'int32' }), [0, 0]].map(mean => ({
    ...moments,
    mean,
  })),
  ...[zeros([2]), zeros([2, 3]), zeros([1, 2, 2]), zeros([2, 2], { dtype: 'int32' }), [[1]]].map(covariance => ({
    ...moments,
    covariance,
  })),
];

export const metrics: BadInputs = {
  meanAndCovariance: refused(meanAndCovariance, ...[...noSamples, zeros([1, 3])].map(bad => [bad])),
  frechetDistance: refused(frechetDistance, ...of(), [x, zeros([1, 3])], [zeros([1, 3]), x]),
  frechetDistanceOf: refused(
    frechetDistanceOf,
    ...noMoments.flatMap(bad => [
      [bad, moments],
      [moments, bad],
    ]),
    [moments, { mean: zeros([3]), covariance: zeros([3, 3]) }],
  ),
  kernelMmd: refused(
    kernelMmd,
    ...of(),
    ...noOptions.map(options => [x, x, options]),
    ...[null, 'linear', 3, x].map(kernel => [x, x, { kernel }]),
    ...[null, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', [], [1, 0], [1, '2'], x, tensor(1)].map(bandwidth => [
      ...[x, x, { bandwidth }],
    ]),
    ...[null, 1, 'x'].map(unbiased => [x, x, { unbiased }]),
    ...[1, 'median'].map(bandwidth => [x, x, { kernel: 'polynomial', bandwidth }]),
    [zeros([1, 3]), x],
    [x, zeros([1, 3])],
    [x, zeros([0, 3]), { unbiased: false }],
  ),
  prdc: refused(
    prdc,
    ...of(),
    ...noOptions.map(options => [x, x, options]),
    ...[null, 0, -1, 1.5, '1', Number.NaN, 6, tensor(1)].map(count => [x, x, { k: count }]),
    [x, zeros([5, 3])],
    [zeros([5, 3]), x],
  ),
  energyDistance: refused(energyDistance, ...of()),
  slicedWasserstein: refused(
    slicedWasserstein,
    ...of({ key: k }),
    ...[undefined, {}, ...noOptions].map(options => [x, x, options]),
    ...[null, 0, x, zeros([2])].map(bad => [x, x, { key: bad }]),
    ...[null, 0, -1, 1.5, '1', tensor(1)].map(projections => [x, x, { key: k, projections }]),
    ...[null, 0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', tensor(1)].map(p => [x, x, { key: k, p }]),
  ),
};
