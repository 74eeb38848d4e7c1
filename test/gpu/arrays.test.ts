/** The modes of gpu.js that compute on no GPU. */
import { afterAll, describe, expect, test } from 'vitest';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import { launcherChecks } from './launcher-checks.js';

describe.each(['cpu', 'webasm'] as const)('mode %s', mode => {
  const launcher = openArrays(mode);
  afterAll(async () => (await launcher).destroy());

  test.each(Object.entries(launcherChecks))('%s', async (_, check) => {
    expect(await check(await launcher)).toEqual([]);
  });
});
