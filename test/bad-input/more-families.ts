/** Calls of the constructors of further distributions, and of Bessel functions, that must fail. */
import { eye, i0, i0e, i1, i1e, tensor, zeros } from 'tenfold';
import {
  cdf,
  klDivergence,
  logProb,
  mixture,
  multivariateNormal,
  normal,
  truncatedNormal,
  vonMises,
} from 'tenfold/distributions';
import { type BadInputs, refused } from './types.js';

const bytes = zeros([2], { dtype: 'uint8' });
const noRecords = [null, 1, 'x', [1], zeros([3]), {}];
const noParameters = [undefined, null, 'x', [1], Number.NaN, bytes];

/** What a constructor refuses that takes numbers, or tensors, by these names. */
const ofNumbers = (f: unknown, good: Readonly<Record<string, unknown>>, positive: string): BadInputs[string] =>
  refused(
    f,
    [],
    ...[...noRecords, { ...good, bogus: 1 }].map(wrong => [wrong]),
    ...Object.keys(good).flatMap(name => noParameters.map(wrong => [{ ...good, [name]: wrong }])),
    ...[0, -1, Number.POSITIVE_INFINITY].map(wrong => [{ ...good, [positive]: wrong }]),
    [{ ...good, loc: Number.POSITIVE_INFINITY }],
    [{ ...good, loc: zeros([2]), [positive]: zeros([3]) }],
  );

const covariance = eye(2);
const components = normal({ loc: zeros([2]), scale: 1 });
const weights = tensor([1, 2]);
const vectors = multivariateNormal({ loc: 0, covariance });

export const moreFamilies: BadInputs = {
  ...Object.fromEntries(
    Object.entries({ i0, i0e, i1, i1e }).map(([name, f]) => [name, refused(f, [bytes], [1], ['x'], [[1]], [null], [])]),
  ),
  'distributions.truncatedNormal': ofNumbers(truncatedNormal, { loc: 0, scale: 1, low: -1, high: 1 }, 'scale'),
  'distributions.vonMises': ofNumbers(vonMises, { loc: 0, concentration: 1 }, 'concentration'),
  'distributions.multivariateNormal': refused(
    multivariateNormal,
    [],
    ...[...noRecords, { loc: 0 }, { covariance }, { loc: 0, covariance, bogus: 1 }].map(wrong => [wrong]),
    ...[...noParameters, zeros([3]), zeros([2, 3])].map(loc => [{ loc, covariance }]),
    [{ loc: 0, covariance, precision: covariance }],
    ...['covariance', 'scaleTril', 'precision'].flatMap(form =>
      [null, 1, 'x', [1], zeros([2]), zeros([2, 3]), zeros([0, 0]), zeros([2, 2], { dtype: 'uint8' })].map(wrong => [
        { loc: 0, [form]: wrong },
      ]),
    ),
    [{ loc: zeros([3, 2]), covariance: zeros([4, 2, 2]) }],
  ),
  'distributions.mixture': refused(
    mixture,
    [],
    ...[...noRecords, { weights }, { components }, { weights, components, bogus: 1 }].map(wrong => [wrong]),
    [{ weights, logits: weights, components }],
    ...[1, zeros([3]), { family: 'normal' }, normal({ loc: 0, scale: 1 })].map(wrong => [
      { weights, components: wrong },
    ]),
    ...[null, 1, 'x', [1], bytes, tensor(1), zeros([3]), zeros([1]), zeros([3, 2]), zeros([0])].flatMap(wrong => [
      [{ weights: wrong, components }],
      [{ logits: wrong, components }],
    ]),
  ),
  'distributions.logProb': [
    () => logProb(vectors, 1),
    () => logProb(vectors, zeros([3])),
    () => logProb(mixture({ weights, components }), zeros([2, 3], { dtype: 'uint8' })),
  ],
  'distributions.cdf': [() => cdf(vectors, zeros([2])), () => cdf(vonMises({ loc: 0, concentration: 1 }), 0)],
  'distributions.klDivergence': [
    () => klDivergence(vectors, multivariateNormal({ loc: 0, covariance: eye(3) })),
    () => klDivergence(mixture({ weights, components }), mixture({ weights, components })),
  ],
};
