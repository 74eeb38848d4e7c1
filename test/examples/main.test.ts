/** The main job as a user runs it, only shorter. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

// Several processes a test, on a machine that may have others to run.
vi.setConfig({ testTimeout: 180_000 });

const root = resolve(import.meta.dirname, '../..');
/** A network that is there in no time, nothing judged. */
const small = '--network mlp --batch 16 --sample-steps 3 --judge 0'.split(' ');
const start = (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)('npm', ['start', '--silent', '--', ...small, ...args], {
    cwd: root,
    // A software adapter, for machines without a GPU.
    env: { VK_DRIVER_FILES: '/usr/lib/chromium/vk_swiftshader_icd.json', ...process.env },
  });

describe('npm start', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenfold-digits-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const file = (run: string, name: string): Promise<Buffer> => readFile(join(folder, run, name));

  it('leaves the five files, says where, and shows plain progress lines', async () => {
    const { stdout } = await start('--steps', '4', '--out', join(folder, 'a'));
    expect((await readdir(join(folder, 'a'))).sort()).toEqual(
      ['checkpoint.safetensors', 'loss.svg', 'report.html', 'samples.png', 'trajectory.png'].sort(),
    );
    expect(stdout).toMatch(/step 4\/4 {2}loss [\d.]+ {2}\d+ images\/s/);
    expect(stdout).toContain(join(folder, 'a', 'report.html'));
    const { width, height } = decode(await file('a', 'samples.png'));
    expect([width, height]).toEqual([10 * 64 + 9 * 4, 10 * 64 + 9 * 4]);
    expect((await file('a', 'report.html')).toString()).toContain('data:image/png;base64,');
  });

  it('the same seed gives the same pictures and checkpoint, byte for byte; another seed others', async () => {
    await start('--steps', '4', '--out', join(folder, 'b'));
    await start('--steps', '4', '--seed', '1', '--out', join(folder, 'c'));
    for (const name of ['samples.png', 'trajectory.png', 'loss.svg', 'checkpoint.safetensors']) {
      expect((await file('a', name)).equals(await file('b', name)), name).toBe(true);
      expect((await file('a', name)).equals(await file('c', name)), name).toBe(false);
    }
  });

  it('--sample-only draws again from a checkpoint, --resume goes on from one', async () => {
    const checkpoint = join(folder, 'a', 'checkpoint.safetensors');
    await start('--sample-only', '--resume', checkpoint, '--out', join(folder, 'd'));
    expect((await file('d', 'samples.png')).equals(await file('a', 'samples.png'))).toBe(true);
    const { stdout } = await start('--steps', '6', '--resume', checkpoint, '--out', join(folder, 'e'));
    expect(stdout).toMatch(/step 6\/6/);
    expect(stdout).not.toMatch(/step 4\/6/);
    await start('--sample-only', '--resume', checkpoint, '--class', '7', '--out', join(folder, 'i'));
    expect((await file('i', 'samples.png')).equals(await file('a', 'samples.png'))).toBe(false);
    expect((await file('i', 'report.html')).toString()).toContain('all of them a 7');
    const tooFew = start('--steps', '2', '--resume', checkpoint, '--out', join(folder, 'f'));
    await expect(tooFew).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('at step 4 already') });
  });

  it('--resume without a path takes what is there, and starts anew where nothing is', async () => {
    await start('--steps', '4', '--resume', '--out', join(folder, 'j'));
    expect((await file('j', 'checkpoint.safetensors')).equals(await file('a', 'checkpoint.safetensors'))).toBe(true);
    const { stdout } = await start('--steps', '4', '--resume', '--sampler', 'heun', '--out', join(folder, 'j'));
    expect(stdout).not.toMatch(/step \d/);
    expect(stdout).toContain('heun, 3 steps, guidance 1.25');
    expect((await file('j', 'samples.png')).equals(await file('a', 'samples.png'))).toBe(false);
    const nowhere = start('--sample-only', '--resume', '--out', join(folder, 'k'));
    await expect(nowhere).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/there is no checkpoint/) });
  });

  it('trains a U-Net and judges what it draws', async () => {
    const { stdout } = await start(
      ...['--network', 'unet', '--steps', '3', '--batch', '4', '--judge', '20', '--out', join(folder, 'l')],
    );
    const [, right] = /classifier right on held-out real digits: ([\d.]+) % of 359/.exec(stdout)!;
    expect(Number(right)).toBeGreaterThanOrEqual(97);
    for (const said of [
      /drawn digits recognised as the digit asked for: [\d.]+ % of 20/,
      /real to real: [\d.]+ \(20 and 20 images\)/,
      /drawn to real: [\d.]+ \(20 and 20 images\), [\d.]+ times/,
    ]) {
      expect(stdout).toMatch(said);
    }
    const page = (await file('l', 'report.html')).toString();
    expect(page).toContain(`${right} % of 359`);
    expect(page).toContain('ddim, 3 steps, guidance 1.25');
  });

  it('trains and samples on a GPU: the pictures are those of the CPU', async () => {
    const { stdout } = await start('--steps', '4', '--device', 'gpu', '--out', join(folder, 'h'));
    expect(stdout).toMatch(/webgpu/);
    for (const name of ['samples.png', 'trajectory.png']) {
      const [onGpu, onCpu] = [decode(await file('h', name)), decode(await file('a', name))];
      expect(onGpu.data.length).toBe(onCpu.data.length);
      const apart = Array.from(onGpu.data, (level, i) => Math.abs(level - onCpu.data[i]!)).reduce((sum, d) => sum + d);
      expect(apart / onCpu.data.length / 255).toBeLessThan(0.01);
    }
  }, 240_000);

  it('a broken checkpoint is named, without a stack trace', async () => {
    const broken = start('--resume', join(root, 'package.json'), '--out', join(folder, 'g'));
    await expect(broken).rejects.toMatchObject({ code: 1, stderr: expect.not.stringContaining('    at ') });
  });
});
