import { add, mul } from 'tenfold';
import { denoiser, sample } from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { samplerNames } from '../../examples/digits/options.js';
import { samplerOf } from '../../examples/digits/samplers.js';

describe('the samplers of the command line', () => {
  const toHalf = denoiser(x => add(mul(x, 0), 0.5), { prediction: 'x0' });
  it.each(samplerNames)('%s goes from noise to data, in one step, a few or many', name => {
    const { sampler, levels } = samplerOf(name);
    for (const steps of [1, 5, 20]) {
      expect(levels(steps).sigma.shape).toEqual([steps + 1]);
      expect(levels(steps).sigma.dataSync()[0]! / levels(steps).alpha.dataSync()[0]!).toBeGreaterThan(79);
      const x = sample(sampler, toHalf, levels(steps), [2, 3], { key: key(0) });
      for (const value of x.dataSync()) expect(value).toBeCloseTo(0.5, 4);
    }
  });
});
