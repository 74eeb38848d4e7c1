import { afterAll, beforeAll, describe, it } from 'vitest';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { checkContractions } from './contraction-checks.js';

// A software adapter: there is no other here.
process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';

const launchers = { cpu: () => openArrays('cpu'), webasm: () => openArrays('webasm'), webgpu: openWebGpu } as const;

describe.each(Object.entries(launchers))('contractions on %s', (_, open) => {
  let launcher: Launcher;
  beforeAll(async () => {
    launcher = await open();
  });
  afterAll(() => launcher.destroy());
  for (const [name, check] of Object.entries(checkContractions)) it(name, () => check(launcher), 60_000);
});
