/**
 * What PyTorch and the other references give, on devices in float32: within the same bounds as on the CPU, random bits
 * exactly.
 */
import { existsSync } from 'node:fs';
import { device, deviceInfo } from 'tenfold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diffusionTests } from '../golden/gaussian_diffusion.js';
import { deviceOperationTests } from '../golden/operations.js';
import { selected } from '../golden/read.js';
import { randomTests } from '../golden/rng.js';
import { groups } from '../golden/tables/groups.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

type Group = keyof typeof groups;
const names = Object.keys(groups) as readonly Group[];

/** Of so many cases the first: a software adapter takes 100 to 500 ms to compile one. All agree there, in three minutes. */
const every: Readonly<Record<Group, number>> = {
  ops_unary: 3,
  ops_binary: 3,
  ops_reduce: 5,
  ops_matmul: 1,
  ops_shape: 3,
  ops_conv: 4,
  ops_nn: 2,
  ops_linalg: 1,
  ops_fft: 4,
  distributions: 5,
};

for (const mode of ['webasm', 'webgpu'] as const) {
  describe(`on ${mode}`, () => {
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
    }, 60_000);
    afterAll(() => device('cpu'));

    for (const name of names) deviceOperationTests(groups[name], mode === 'webgpu' ? { every: every[name] } : {});
    if (mode === 'webasm') {
      diffusionTests(['float32']);
      randomTests();
    }

    (names.some(selected) ? it : it.skip)('and nowhere else', () => {
      const { mode: inUse, memory } = deviceInfo();
      expect(inUse).toBe(mode);
      expect(memory.launches).toBeGreaterThan(memory.readbacks / 2);
    });
  });
}
