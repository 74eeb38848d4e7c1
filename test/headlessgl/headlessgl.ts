/**
 * WebGL in Node, by the package gl. Not in `npm test`, as it has to be compiled and needs a display: `npm run test:headlessgl`.
 */
import { device } from 'tenfold';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenDevice, openDevice } from '../../src/tensor/backend/gpu/index.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openTextures } from '../../src/tensor/backend/gpu/launch/textures.js';
import { deviceOperationTests } from '../golden/operations.js';
import { groups } from '../golden/tables/groups.js';
import { contractionChecks } from '../gpu/contraction-checks.js';
import { placeOf } from '../gpu/contraction-job.js';
import { cases } from '../gpu/language-cases.js';
import { kernelOf, wrongOn } from '../gpu/language-checks.js';
import { launcherChecks } from '../gpu/launcher-checks.js';
import { deviceTrials, runTrial } from '../gpu/trials.js';

const mode = 'headlessgl';

/** What Debian 12 needs, which has no compiled package for Node to download. */
const remedy = `Install what it needs, on Debian 12 with
  apt-get install -y --no-install-recommends build-essential python3 pkg-config libxi-dev libxext-dev libgl1 libgl1-mesa-dri xvfb xauth
  npm install --no-save gl@8.1.6 && JOBS=2 npm rebuild gl
and give it a display:
  xvfb-run -a npm run test:headlessgl`;

const opened = async (): Promise<OpenDevice> => {
  const { device: found, refused } = await openDevice([mode]);
  if (found === null) throw new Error(`${mode} does not work here: ${refused[0]?.reason}\n${remedy}`);
  return found;
};

describe(mode, () => {
  // Before everything else, and said once: without it nothing here means anything.
  beforeAll(async () => {
    const found = await opened();
    await found.destroy();
  }, 60_000);

  describe('launches', () => {
    let launcher: Launcher;
    beforeAll(async () => {
      launcher = await openTextures(mode);
    }, 60_000);
    afterAll(() => launcher?.destroy());

    it('in this mode', () => {
      expect(launcher).toMatchObject({ mode, lost: null });
      expect(launcher.adapter).toMatch(/\w/);
    });

    for (const [name, check] of Object.entries(launcherChecks)) {
      it(name, async () => expect(await check(launcher)).toEqual([]), 120_000);
    }
    it('kernels of every primitive and dtype', async () => {
      expect(await wrongOn(launcher, kernelOf, cases())).toEqual([]);
    }, 300_000);
    for (const [name, check] of Object.entries(contractionChecks)) {
      it(`contractions: ${name}`, () => check(placeOf(launcher)), 300_000);
    }
  });

  describe('agrees with the reference', () => {
    let found: OpenDevice;
    beforeAll(async () => {
      found = await opened();
    }, 60_000);
    afterAll(() => found?.destroy());

    it('in this mode', () => {
      expect(found.mode).toBe(mode);
    });
    for (const trial of deviceTrials(12)) it(`on ${trial.name}`, () => runTrial(found, trial), 240_000);
  });

  describe('gives what PyTorch does', () => {
    beforeAll(async () => {
      expect((await device('gpu', { mode })).mode).toBe(mode);
    }, 60_000);
    afterAll(() => device('cpu'));

    for (const group of Object.values(groups)) deviceOperationTests(group, { every: 10 });
  });
});
