/** Devices against the reference in headless Chromium: WebGL 2 and WebGPU, on software adapters. */
import { afterAll, describe, expect, it } from 'vitest';
import { closeBrowser, inBrowser } from './browser-harness.js';
import type { Outcome, run } from './differential-page.js';

type Arguments = Parameters<typeof run>[0];

describe('in headless Chromium devices agree with the reference', () => {
  afterAll(closeBrowser);

  for (const mode of ['webgl2', 'webgpu'] as const) {
    it(`on ${mode}`, async () => {
      const args: Arguments = { mode, count: 12 };
      const outcome = await inBrowser<Outcome>('./differential-page.ts', args);
      expect(outcome.wrong).toEqual([]);
      expect(outcome.mode).toBe(mode);
      expect(outcome.trials).toBeGreaterThan(140);
    }, 600_000);
  }
});
