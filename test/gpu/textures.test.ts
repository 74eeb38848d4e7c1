/** WebGL 2 in a real browser; in Node neither mode may run as another one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTextures } from '../../src/tensor/backend/gpu/launch/textures.js';
import { closeBrowser, inBrowser, modulesOf } from './browser-harness.js';
import { launcherChecks } from './launcher-checks.js';
import type { run } from './textures-page.js';

describe('webgl2 in Chromium', () => {
  let checked: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    checked = await inBrowser('./textures-page.ts');
  }, 120_000);
  afterAll(closeBrowser);

  test.each(Object.keys(launcherChecks))('%s', name => {
    expect(checked.wrong[name]).toEqual([]);
  });

  test('says what it is', () => {
    expect(checked).toMatchObject({ mode: 'webgl2', lost: null });
    expect(checked.adapter).toMatch(/\w/);
    expect(checked.limits.MAX_TEXTURE_SIZE).toBeGreaterThanOrEqual(2048);
    expect(checked.traits).toMatchObject({ integers: false, shaders: false, floats: 2 ** 24 });
  });

  test('leaves the page its own GPU', () => {
    expect(checked.untouched).toBe(true);
  });

  // A lost context gives zeros, and complains once at most.
  test('reads nothing when its context is lost', () => {
    expect(checked.lostAtTheEnd).toBe('the context of WebGL is lost');
    expect(checked.readAtTheEnd).toMatch(/^DeviceError: read: .* the context of WebGL is lost/);
  });
});

test('webgl2 is refused in Node', async () => {
  await expect(openTextures('webgl2')).rejects.toThrow(/webgl2; there is no/);
});

/** Needs the package gl, compiled, and a display (`xvfb-run`), which few machines have. */
test('headlessgl runs, or says what it needs', async () => {
  const opened = await openTextures('headlessgl').catch(error => error as Error);
  if (opened instanceof Error) {
    expect(opened.message).toMatch(/headlessgl; .*package gl, compiled, and a display/);
    return;
  }
  for (const [name, check] of Object.entries(launcherChecks)) expect([name, await check(opened)]).toEqual([name, []]);
  await opened.destroy();
});

test('gpu.js is a module of its own, which a page loads when it asks for a device', async () => {
  const modules = await modulesOf('./textures-page.ts');
  const main = modules.get('main.js') ?? '';
  const others = [...modules].filter(([name]) => name !== 'main.js').map(([, code]) => code.length);
  expect(main.length).toBeLessThan(100_000);
  expect(main).toMatch(/import\("\.\/gpu-browser-\w+\.js"\)/);
  expect(Math.max(...others)).toBeGreaterThan(500_000);
});
