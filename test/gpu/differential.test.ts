/** Devices against the reference: gpu.js's own modes on the processor, and WebGPU over a software adapter. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenDevice, openDevice } from '../../src/tensor/backend/gpu/index.js';
import { deviceTrials, runTrial } from './trials.js';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

for (const [mode, count] of [
  ['cpu', 100],
  ['webasm', 100],
  ['webgpu', 20],
] as const) {
  describe(`gpu.js on ${mode} agrees with the reference`, () => {
    let device: OpenDevice;
    beforeAll(async () => {
      const { device: opened, refused } = await openDevice([mode]);
      if (opened === null) throw new Error(`${mode} does not work here: ${refused[0]?.reason}`);
      device = opened;
    }, 60_000);
    afterAll(() => device?.destroy());

    it('runs in the mode that was asked for', () => {
      expect(device.mode).toBe(mode);
    });

    for (const trial of deviceTrials(count)) it(`on ${trial.name}`, () => runTrial(device, trial), 240_000);
  });
}
