/** Calls of distributions that must fail. */
import { tensor, zeros } from 'tenfold';
import * as families from 'tenfold/distributions';
import {
  categorical,
  cauchy,
  cdf,
  entropy,
  gamma,
  icdf,
  klDivergence,
  logProb,
  mean,
  normal,
  sample,
  variance,
} from 'tenfold/distributions';
import { key } from 'tenfold/random';
import { type BadInputs, refused } from './types.js';

const d = normal({ loc: zeros([3]), scale: 1 });
const bytes = zeros([3], { dtype: 'uint8' });
const notDistributions = [undefined, null, 1, 'normal', [], {}, { family: 'normal' }, zeros([3])];

/** What a function of a distribution and values refuses. */
const ofValues = (f: unknown): BadInputs[string] =>
  refused(
    f,
    ...notDistributions.map(wrong => [wrong, 1]),
    ...[undefined, null, 'x', [1], bytes, zeros([2])].map(wrong => [d, wrong]),
  );

const ofDistribution = (f: unknown): BadInputs[string] => refused(f, ...notDistributions.map(wrong => [wrong]));

/** What a constructor with these good parameters refuses, its numbers above 0 where `positive` names them. */
const ofFamily = (
  name: string,
  good: Readonly<Record<string, unknown>>,
  bad: Readonly<Record<string, readonly unknown[]>> = {},
): BadInputs => ({
  [`distributions.${name}`]: refused(
    (families as unknown as Readonly<Record<string, unknown>>)[name],
    [],
    ...[null, 1, 'x', [1], zeros([3]), {}, { ...good, bogus: 1 }].map(wrong => [wrong]),
    ...Object.keys(good).flatMap(parameter =>
      [undefined, null, 'x', [1], Number.NaN, bytes].map(wrong => [{ ...good, [parameter]: wrong }]),
    ),
    ...Object.entries(bad).flatMap(([parameter, values]) => values.map(wrong => [{ ...good, [parameter]: wrong }])),
  ),
});

const positive = [0, -1, Number.POSITIVE_INFINITY];
const probability = [-0.1, 1.1];
const counts = [-1, 1.5, 2 ** 25, zeros([3])];
const logits = zeros([3]);

export const distributions: BadInputs = {
  ...ofFamily('normal', { loc: 0, scale: 1 }, { scale: positive, loc: [Number.POSITIVE_INFINITY] }),
  ...ofFamily('logNormal', { loc: 0, scale: 1 }, { scale: positive }),
  ...ofFamily('uniform', { low: 0, high: 1 }),
  ...ofFamily('exponential', { rate: 1 }, { rate: positive }),
  ...ofFamily('laplace', { loc: 0, scale: 1 }, { scale: positive }),
  ...ofFamily('cauchy', { loc: 0, scale: 1 }, { scale: positive }),
  ...ofFamily('gumbel', { loc: 0, scale: 1 }, { scale: positive }),
  ...ofFamily('halfNormal', { scale: 1 }, { scale: positive }),
  ...ofFamily('halfCauchy', { scale: 1 }, { scale: positive }),
  ...ofFamily('weibull', { scale: 1, concentration: 1 }, { scale: positive, concentration: positive }),
  ...ofFamily('pareto', { scale: 1, alpha: 1 }, { scale: positive, alpha: positive }),
  ...ofFamily('gamma', { concentration: 1, rate: zeros([2]) }, { concentration: [...positive, zeros([3])] }),
  ...ofFamily('chi2', { df: 1 }, { df: positive }),
  ...ofFamily('beta', { concentration1: 1, concentration0: 1 }, { concentration1: positive }),
  ...ofFamily('studentT', { df: 1, loc: 0, scale: 1 }, { df: positive, scale: positive }),
  ...ofFamily('bernoulli', { probs: 0.5 }, { probs: probability, logits: [0] }),
  ...ofFamily('geometric', { probs: 0.5 }, { probs: probability }),
  ...ofFamily('poisson', { rate: 1 }, { rate: positive }),
  ...ofFamily('binomial', { totalCount: 3, probs: 0.5 }, { totalCount: counts, probs: probability, logits: [0] }),
  ...ofFamily('categorical', { logits }, { logits: [1, tensor(1), zeros([2, 0])], probs: [logits] }),
  ...ofFamily('multinomial', { totalCount: 3, logits }, { totalCount: counts, logits: [1], probs: [logits] }),
  ...ofFamily('dirichlet', { concentration: zeros([3]) }, { concentration: [1, tensor(1), zeros([2, 0])] }),
  'distributions.logProb': [
    ...ofValues(logProb),
    () => logProb(families.dirichlet({ concentration: zeros([3]) }), 1),
    () => logProb(families.dirichlet({ concentration: zeros([3]) }), zeros([1])),
  ],
  'distributions.cdf': [...ofValues(cdf), () => cdf(categorical({ logits }), 1)],
  'distributions.icdf': [...ofValues(icdf), () => icdf(gamma({ concentration: 1, rate: 1 }), 0.5)],
  'distributions.mean': [...ofDistribution(mean), () => mean(cauchy({ loc: 0, scale: 1 }))],
  'distributions.variance': [...ofDistribution(variance), () => variance(cauchy({ loc: 0, scale: 1 }))],
  'distributions.entropy': [...ofDistribution(entropy), () => entropy(families.poisson({ rate: 1 }))],
  'distributions.sample': [
    ...refused(sample, ...notDistributions.map(wrong => [wrong, key(0)])),
    ...refused(sample, [d], [d, 1], [d, zeros([2])], [d, key(0), 3], [d, key(0), { size: [3] }]),
    ...refused(sample, [d, key(0), { shape: [-1] }], [d, key(0), { shape: 3 }], [zeros([2])], [key(0), { size: [3] }]),
  ],
  'distributions.klDivergence': [
    ...refused(klDivergence, ...notDistributions.flatMap(wrong => [[wrong, d] as const, [d, wrong] as const])),
    () => klDivergence(d, cauchy({ loc: 0, scale: 1 })),
    () => klDivergence(d, normal({ loc: zeros([2]), scale: 1 })),
    () => klDivergence(categorical({ logits }), categorical({ logits: zeros([1]) })),
    () => klDivergence(families.poisson({ rate: 1 }), families.exponential({ rate: 1 })),
  ],
};
