import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { add, type Tensor, take, tensor, zeros } from 'tenfold';
import { shuffledIndices } from 'tenfold/data';
import { cosineBetas, gaussianDiffusion, trainer } from 'tenfold/diffusion';
import { loadTree, saveTree } from 'tenfold/io';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';

const model = residualMlp({ size: 6, hidden: 16, blocks: 1, embedding: 8 });
const diffusion = gaussianDiffusion(cosineBetas(50));
const run = trainer({ diffusion, model, optimizer: adam(3e-3) });
const images = normal(key(100), [40, 6]);
const batchAt = shuffledIndices(key(101), 40, 8);

type State = ReturnType<typeof run.init>;
const steps = (state: State, from: number, to: number): { state: State; losses: number[] } => {
  const losses: number[] = [];
  let current = state;
  for (let i = from; i < to; i++) {
    const [next, metrics] = run.step(current, take(images, batchAt(i), { axis: 0 }));
    current = next;
    losses.push(metrics.loss.item());
  }
  return { state: current, losses };
};
const bytes = (state: State): number[][] =>
  leaves(state).map(leaf => [...new Uint8Array((leaf as Tensor).dataSync().buffer)]);

describe('trainer', () => {
  it('20 steps straight equal 10, save, load, 10 — to the last bit', async () => {
    const straight = steps(run.init(key(1)), 0, 20);
    const half = steps(run.init(key(1)), 0, 10);
    const folder = await mkdtemp(join(tmpdir(), 'tenfold-'));
    try {
      const file = join(folder, 'state.safetensors');
      expect(E.isRight(await saveTree(file, half.state)())).toBe(true);
      // Loaded into a run that started from another key: everything that matters must come from the file.
      const loaded = await loadTree(file, run.init(key(2)))();
      if (E.isLeft(loaded)) throw loaded.left;
      const resumed = steps(loaded.right.tree, loaded.right.tree.step.item(), 20);
      expect([...half.losses, ...resumed.losses]).toEqual(straight.losses);
      expect(bytes(resumed.state)).toEqual(bytes(straight.state));
      expect(resumed.state.step.item()).toBe(20);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('learns: the loss on one batch falls', () => {
    const { losses } = steps(run.init(key(3)), 0, 150);
    const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b) / list.length;
    expect(mean(losses.slice(-20))).toBeLessThan(0.9 * mean(losses.slice(0, 20)));
  });

  it('is pure: the state given is unchanged, and the same call gives the same result', () => {
    const state = run.init(key(4));
    const before = bytes(state);
    const batch = take(images, batchAt(0), { axis: 0 });
    const [a, b] = [run.step(state, batch), run.step(state, batch)];
    expect(bytes(state)).toEqual(before);
    expect(bytes(a[0])).toEqual(bytes(b[0]));
    expect(Object.isFrozen(a[0])).toBe(true);
  });

  it('refuses a batch without a batch axis, and a bad decay', () => {
    expect(caught(() => run.step(run.init(key(0)), tensor(1))).message).toMatch(/trainer step: got float32\[\]/);
    const bad = trainer({ diffusion, model, optimizer: adam(1e-3), ema: 1.5 });
    expect(caught(() => bad.step(bad.init(key(0)), zeros([2, 6]))).message).toMatch(/the decay 1.5/);
    expect(add(run.init(key(0)).step, 1).item()).toBe(1);
  });
});
