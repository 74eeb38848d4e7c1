/** Sampling on a device: coefficients in float64 leave the loop, which the device then takes whole. */
import { existsSync } from 'node:fs';
import { type DeviceMode, device, explain, matmul, type Tensor, tanh, toDevice } from 'tenfold';
import {
  ddim,
  ddpm,
  denoiser,
  discreteProcess,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  gaussianDiffusion,
  inferenceTimesteps,
  type Levels,
  levelsAt,
  linearBetas,
  lms,
  pSampleLoop,
  type Sampler,
  sample,
  uniPc,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { afterAll, describe, expect, test } from 'vitest';

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(swiftShader)) process.env.VK_DRIVER_FILES ??= swiftShader;

const weights = normal(key(1), [12, 12]) as Tensor;
const network = denoiser(x => tanh(matmul(x, weights)) as Tensor);
const diffusion = gaussianDiffusion(linearBetas(100));
const levels: Levels = levelsAt(discreteProcess(diffusion), inferenceTimesteps(100, 6));
const start = normal(key(2), [8, 12]) as Tensor;
const samplers: readonly (readonly [string, Sampler<never>])[] = [
  ['ddim', ddim()],
  ['ddim with noise', ddim({ eta: 1 })],
  ['ddpm', ddpm()],
  ['dpmSolverMultistep', dpmSolverMultistep()],
  ['dpmSolverMultistep, SDE', dpmSolverMultistep({ algorithm: 'sde-dpmsolver++', order: 3 })],
  ['dpmSolverSinglestep', dpmSolverSinglestep({ order: 3 })],
  ['uniPc', uniPc({ order: 3 })],
  ['lms', lms()],
] as never;

const runs: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
  ...samplers.map(
    ([name, sampler]) =>
      [name, (x: Tensor) => sample(sampler as never, network, levels, x, { key: key(3) }) as Tensor] as const,
  ),
  [
    'pSampleLoop',
    (x: Tensor) =>
      pSampleLoop(gaussianDiffusion(linearBetas(25)), y => tanh(matmul(y, weights)) as Tensor, x, {
        key: key(3),
      }) as Tensor,
  ],
];

for (const mode of ['webasm', 'webgpu'] as const satisfies readonly DeviceMode[]) {
  describe(`sampling on ${mode}`, () => {
    afterAll(() => device('cpu'));

    test.each(runs)('%s: the loop is the device’s, and its samples those of the CPU', async (_, run) => {
      await device('cpu');
      const expected = await run(start).data();
      expect((await device('gpu', { mode })).mode).toBe(mode);
      const x = (await toDevice(start, 'gpu')) as Tensor;
      const loops = String(explain(run as (y: Tensor) => Tensor)(x))
        .split('\n')
        .filter(line => /^(?:\[cpu\] )?fold\s/.test(line));
      // Ahead of it the CPU may follow levels in float64; the last loop is that of the samples.
      expect(loops.length).toBeGreaterThan(0);
      expect(loops.at(-1)).not.toContain('[cpu]');
      const got = await run(x).data();
      const scale = Math.max(...Array.from(expected, value => Math.abs(value as number)));
      expected.forEach((value, i) => {
        expect(Math.abs((got[i] as number) - (value as number))).toBeLessThan(2e-3 * scale);
      });
    });
  });
}
