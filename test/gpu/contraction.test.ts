/**
 * Contractions where they compute the same as anywhere: on the modes of gpu.js that are no GPU, and on software
 * adapters.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { closeBrowser, inBrowser } from './browser-harness.js';
import { contractionChecks } from './contraction-checks.js';
import { type Job, type Place, placeOf } from './contraction-job.js';
import type { run, Sent } from './contraction-page.js';

process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';

const launchers = { cpu: () => openArrays('cpu'), webasm: () => openArrays('webasm'), webgpu: openWebGpu } as const;

describe.each(Object.entries(launchers))('contractions on %s', (_, open) => {
  let launcher: Launcher;
  beforeAll(async () => {
    launcher = await open();
  });
  afterAll(() => launcher?.destroy());
  for (const [name, check] of Object.entries(contractionChecks)) it(name, () => check(placeOf(launcher)), 120_000);
});

/** Jobs in a page: those that come at the same time go there together. */
class Page implements Place {
  readonly traits = { integers: false, shaders: false, reads: 8, floats: 2 ** 24, threads: 2 ** 14 };
  #waiting: {
    readonly sent: Sent;
    readonly done: (arrays: readonly Float32Array[]) => void;
    readonly failed: (error: unknown) => void;
  }[] = [];

  run({ given, ...job }: Job): Promise<readonly Float32Array[]> {
    if (this.#waiting.length === 0) setTimeout(() => void this.#send(), 500);
    const sent = { ...job, given: given.map(([value, data]) => [value, Array.from(data, numberOf)] as const) };
    return new Promise((done, failed) => this.#waiting.push({ sent, done, failed }));
  }

  async #send(): Promise<void> {
    const jobs = this.#waiting;
    this.#waiting = [];
    try {
      const sent = jobs.map(job => job.sent);
      const { results } = await inBrowser<Awaited<ReturnType<typeof run>>>('./contraction-page.ts', sent);
      results.forEach((result, i) => {
        if (typeof result === 'string') jobs[i]!.failed(new Error(result));
        else jobs[i]!.done(result.map(numbers => Float32Array.from(numbers, Number)));
      });
    } catch (error) {
      for (const { failed } of jobs) failed(error);
    }
  }
}

const numberOf = (x: number): number | string => (Number.isFinite(x) ? x : String(x));

describe('contractions on webgl2 in Chromium', () => {
  const page = new Page();
  let outcomes: Readonly<Record<string, Promise<void>>>;
  beforeAll(() => {
    outcomes = Object.fromEntries(Object.entries(contractionChecks).map(([name, check]) => [name, check(page)]));
    // Who fails is told where it is awaited.
    for (const outcome of Object.values(outcomes)) outcome.catch(() => {});
  });
  afterAll(closeBrowser);
  for (const name of Object.keys(contractionChecks)) it(name, () => outcomes[name], 240_000);
});
