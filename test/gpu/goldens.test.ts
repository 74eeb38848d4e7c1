import { existsSync } from 'node:fs';
import { device, deviceInfo } from 'tenfold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceOperationTests } from '../golden/operations.js';
import { groups } from '../golden/tables/groups.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

for (const mode of ['webasm', 'webgpu'] as const) {
  describe(`on ${mode}`, () => {
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
    }, 60_000);
    afterAll(() => device('cpu'));

    for (const group of Object.values(groups)) deviceOperationTests(group);

    it('has computed there', () => {
      console.log(deviceInfo());
    });
  });
}
