/** The elementwise primitives in device code against their scalar meaning, on all modes of gpu.js that are here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KernelCode } from '../../src/tensor/backend/gpu/language/kernel-code.js';
import { canOperate, operate } from '../../src/tensor/backend/gpu/language/operations.js';
import { openArrays } from '../../src/tensor/backend/gpu/launch/arrays.js';
import type { Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import { openWebGpu } from '../../src/tensor/backend/gpu/launch/webgpu.js';
import { dtypes } from '../../src/tensor/dtype.js';
import { elementwise } from '../../src/tensor/primitives/elementwise.js';
import { closeBrowser, inBrowser } from './browser-harness.js';
import { cases } from './language-cases.js';
import { kernelOf, shaderOf, wrongOn } from './language-checks.js';

const list = cases();

describe.each(['cpu', 'webasm'] as const)('%s', mode => {
  test('kernels of every primitive and dtype', async () => {
    const launcher = await openArrays(mode);
    expect(await wrongOn(launcher, kernelOf, list)).toEqual([]);
    await launcher.destroy();
  });
});

describe('webgpu over SwiftShader', () => {
  let launcher: Launcher;
  beforeAll(async () => {
    process.env.VK_DRIVER_FILES ??= '/usr/lib/chromium/vk_swiftshader_icd.json';
    launcher = await openWebGpu();
  });
  afterAll(() => launcher.destroy());

  test('kernels of every primitive and dtype', async () => {
    expect(await wrongOn(launcher, kernelOf, list)).toEqual([]);
  }, 90_000);
  test('shaders of every primitive and dtype', async () => {
    expect(await wrongOn(launcher, shaderOf, list)).toEqual([]);
  }, 90_000);
});

describe('webgl2 in Chromium', () => {
  afterAll(closeBrowser);
  test('kernels of every primitive and dtype', async () => {
    expect(await inBrowser<readonly string[]>('./language-page.ts')).toEqual([]);
  }, 120_000);
});

test('every elementwise primitive is tried', () => {
  const tried = new Set(list.map(({ op }) => op));
  expect(Object.keys(elementwise).filter(op => !tried.has(op))).toEqual([]);
});

test('what device code does not know is said, and refused', () => {
  expect(canOperate('polygamma', { order: 1 }, ['float32'], 'float32')).toBe(false);
  for (const dtype of dtypes) expect(canOperate('cast', { dtype }, ['float64'], dtype)).toBe(false);
  expect(canOperate('add', {}, ['uint8', 'uint8'], 'uint8')).toBe(false);
  expect(canOperate('sum', {}, ['float32'], 'float32')).toBe(false);
  const code = new KernelCode(true);
  expect(() => operate(code, 'sum', {}, [{ kind: 'float', x: 't0' }], ['float32'], 'float32')).toThrow(
    /sum of float32/,
  );
});
