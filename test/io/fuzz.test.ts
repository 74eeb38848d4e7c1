import { expect, test } from 'vitest';
import { fuzz, readers } from './fuzz.js';

test.each(Object.keys(readers))('%s reads whatever it is given', async name => {
  const { faults, runs, accepted } = await fuzz(name, 2, 10);
  expect(faults).toEqual([]);
  // Both ways are taken: else the changes are too few or too many.
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(runs);
});
