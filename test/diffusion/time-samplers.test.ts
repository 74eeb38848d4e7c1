/** Samplers of times: the distributions at fixed keys, strata, and what a position depends on. */
import type { Tensor } from 'tenfold';
import { logitNormalSampler, logNormalSampler, stratifiedSampler } from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const draws = (
  sampler: { sample: (state: null, k: ReturnType<typeof key>, n: number) => { t: Tensor } },
  n: number,
) => [...sampler.sample(null, key(7), n).t.dataSync()];

/** Φ by its series (Marsaglia 2004), good to 1e-15 in the middle and absolutely everywhere. */
const phi = (x: number): number => {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-18; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
};

/** The Kolmogorov–Smirnov distance of draws from a distribution function. */
const distance = (values: readonly number[], cdf: (x: number) => number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((x, i) => Math.max(Math.abs(cdf(x) - i / sorted.length), Math.abs(cdf(x) - (i + 1) / sorted.length))),
  );
};

/** What one in a thousand samples of this size passes. */
const critical = (n: number): number => 1.95 / Math.sqrt(n);

const n = 4000;
const logit = (p: number): number => Math.log(p / (1 - p));

describe('log-normal times', () => {
  it('have the distribution of EDM', () => {
    const cdf = (x: number): number => phi((Math.log(x) + 1.2) / 1.2);
    expect(distance(draws(logNormalSampler(), n), cdf)).toBeLessThan(critical(n));
  });

  it('have the mean and deviation they are told', () => {
    const values = draws(logNormalSampler({ mean: 2, deviation: 0.1 }), n);
    expect(distance(values, x => phi((Math.log(x) - 2) / 0.1))).toBeLessThan(critical(n));
    // Those of EDM are others.
    expect(distance(values, x => phi((Math.log(x) + 1.2) / 1.2))).toBeGreaterThan(0.9);
  });

  it('stratified have one in each stratum of equal probability', () => {
    const values = draws(logNormalSampler({ stratified: true }), 50);
    const strata = values.map(x => Math.floor(50 * phi((Math.log(x) + 1.2) / 1.2)));
    expect(strata.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});

describe('logit-normal times', () => {
  it('have their distribution, within (0, timeScale)', () => {
    const values = draws(logitNormalSampler({ mean: 0.5, deviation: 2, timeScale: 1000 }), n);
    expect(distance(values, x => phi((logit(x / 1000) - 0.5) / 2))).toBeLessThan(critical(n));
    expect(Math.min(...values) > 0 && Math.max(...values) < 1000).toBe(true);
    expect(distance(draws(logitNormalSampler(), n), x => phi(logit(x)))).toBeLessThan(critical(n));
  });
});

describe('stratified times', () => {
  it('have one in each interval, in turn around the circle', () => {
    const values = draws(stratifiedSampler({ range: [2, 4] }), 64);
    const strata = values.map(x => Math.floor(((x - 2) / 2) * 64));
    expect([...strata].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    // Neighbours are one interval apart, but for the one jump back to the start.
    const apart = values.slice(1).map((x, i) => Math.round((x - values[i]!) * 32));
    expect(apart.filter(each => each !== 1)).toEqual([-63]);
  });

  it('of timesteps draw each the same number of times', () => {
    const sampler = stratifiedSampler({ numTimesteps: 10 });
    const { t, weights } = sampler.sample(null, key(1), 40);
    expect([t.dtype, weights.dtype]).toEqual(['int32', 'float32']);
    const counts = Array.from({ length: 10 }, (_, i) => [...t.dataSync()].filter(each => each === i).length);
    expect(counts).toEqual(Array.from({ length: 10 }, () => 4));
    expect(new Set(weights.dataSync())).toEqual(new Set([1]));
  });

  it('are uniform over keys at each position', () => {
    const sampler = stratifiedSampler();
    const third = Array.from({ length: 500 }, (_, i) => sampler.sample(null, key(i), 4).t.dataSync()[2]!);
    expect(distance(third, x => x)).toBeLessThan(critical(500));
  });
});

it('a position depends on the key and itself alone, where nothing is stratified', () => {
  for (const sampler of [logNormalSampler(), logitNormalSampler()]) {
    expect(draws(sampler, 5)).toEqual(draws(sampler, 9).slice(0, 5));
    expect(sampler.sample(null, key(8), 5).t.toArray()).not.toEqual(draws(sampler, 5));
    expect(sampler.init()).toBe(null);
    expect(sampler.update(null, sampler.sample(null, key(0), 2).t, sampler.sample(null, key(0), 2).t)).toBe(null);
  }
});
