import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mul } from 'tenfold';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Digits, readDigits } from '../../examples/digits/data.js';
import { keep, restore, startOf, train } from '../../examples/digits/train.js';

let folder = '';
let digits: Digits;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-train-'));
  digits = await readDigits();
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const training = (checkpoint: string) => ({ network: 'mlp', steps: 4, batch: 8, checkpoint, every: 2 }) as const;
const fresh = () => ({ state: startOf('mlp', 0, 4), losses: [] });

it('keeps the state with the losses on the way to it', async () => {
  const checkpoint = join(folder, 'a.safetensors');
  const { state, losses } = await train(fresh(), digits.learned, training(checkpoint));
  expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  const kept = await restore(checkpoint, fresh().state);
  expect(kept!.losses).toEqual(losses);
  expect(kept!.state.step.item()).toBe(4);
  await keep(join(folder, 'b.safetensors'), { state, losses: losses.slice(2) });
  expect((await restore(join(folder, 'b.safetensors'), fresh().state))!.losses).toEqual(losses.slice(2));
  expect(await restore(join(folder, 'none.safetensors'), fresh().state)).toBe(null);
});

it('does not keep what has come apart', async () => {
  const broken = { ...digits.learned, images: mul(digits.learned.images, Number.NaN) };
  const run = train(fresh(), broken, training(join(folder, 'c.safetensors')));
  await expect(run).rejects.toThrow(/the loss is NaN at step 1\. The checkpoint is that of an earlier step/);
  expect(await readdir(folder)).not.toContain('c.safetensors');
});
