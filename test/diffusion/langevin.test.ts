/** The Langevin corrector. */
import {
  abs,
  add,
  div,
  jit,
  max,
  mean,
  mul,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  variance,
} from 'tenfold';
import {
  type Denoise,
  edmProcess,
  euler,
  flowProcess,
  langevin,
  levelsOf,
  type NoiseLevel,
  type Process,
  rescaleProcess,
  sample,
  withCorrector,
} from 'tenfold/diffusion';
import { foldIn, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const mixture = gaussianMixture({
  means: [
    [1, -2],
    [-1, 0.5],
  ],
  variances: [0.25, 0.05],
  weights: [1, 3],
});
const denoise: Denoise = (x, level) => mixture.denoiser(x, level, { inputs: null, previous: x });
const float64 = { dtype: 'float64' } as const;
const atRatio = (process: Process, ratio: number): NoiseLevel => process.levelOf(tensor(ratio, float64));
const furthest = (a: Tensor, b: Tensor): number => max(abs(sub(a, b)) as Tensor).item() as number;
const draws =
  (seed: number, like: Tensor) =>
  (draw: number | Tensor = 0): Tensor =>
    normal(foldIn(key(seed), draw), like.shape, float64) as Tensor;
const rowsOf = (x: Tensor, from: number, to: number): Tensor => slice(x, [from], [to]) as Tensor;
const norm = (x: Tensor): Tensor => reshape(sqrt(sum(square(x), { axis: 1 })), [-1, 1]) as Tensor;

describe('langevin', () => {
  const level = atRatio(edmProcess(), 0.7);
  const x = mixture.draw(key(0), 5, level);

  it('is the step of the paper, with each sample by its own norms', () => {
    const z = draws(1, x)();
    const score = mul(denoise(x, level).eps, -1 / 0.7) as Tensor;
    const h = mul(square(div(mul(norm(z), 0.3), norm(score))), 2) as Tensor;
    const wanted = add(add(x, mul(h, score)), mul(sqrt(mul(h, 2)), z)) as Tensor;
    expect(furthest(langevin({ snr: 0.3 }).correct(x, level, denoise, draws(1, x)), wanted)).toBeLessThan(1e-13);
  });

  it('takes its steps one after another, a draw for each', () => {
    const once = langevin();
    const noise = draws(2, x);
    const wanted = [0, 1, 2].reduce((at, draw) => once.correct(at, level, denoise, () => noise(draw)), x);
    expect(furthest(langevin({ steps: 3 }).correct(x, level, denoise, noise), wanted)).toBeLessThan(1e-13);
  });

  it('gives the same whatever the scaling', () => {
    const unit = langevin().correct(x, level, denoise, draws(3, x));
    for (const process of [flowProcess(), rescaleProcess(edmProcess(), 'preserving')]) {
      const other = atRatio(process, 0.7);
      const corrected = langevin().correct(mul(x, other.alpha) as Tensor, other, denoise, draws(3, x));
      expect(furthest(div(corrected, other.alpha) as Tensor, unit)).toBeLessThan(1e-12);
    }
  });

  it('does not depend on the batch, in its bits', () => {
    const run = (y: Tensor, z: Tensor): Tensor => langevin({ snr: 0.3 }).correct(y, level, denoise, () => z);
    const z = draws(4, x)();
    const together = run(x, z);
    for (const i of [0, 1, 4]) {
      expect(run(rowsOf(x, i, i + 1), rowsOf(z, i, i + 1)).toArray()).toEqual(rowsOf(together, i, i + 1).toArray());
    }
    expect(jit(run)(x, z).toArray()).toEqual(together.toArray());
  });

  it('leaves samples where they are that have no noise or no score, and goes by the gradient of a classifier', () => {
    const none = atRatio(edmProcess(), 0);
    const noEps: Denoise = y => ({ x0: y, eps: mul(y, Number.NaN) as Tensor });
    expect(langevin().correct(x, none, noEps, draws(5, x)).toArray()).toEqual(x.toArray());
    const still: Denoise = y => ({ x0: y, eps: mul(y, tensor([[0], [1], [1], [1], [1]], float64)) as Tensor });
    const moved = langevin().correct(x, level, still, draws(5, x));
    expect(rowsOf(moved, 0, 1).toArray()).toEqual(rowsOf(x, 0, 1).toArray());
    expect(furthest(rowsOf(moved, 1, 5), rowsOf(x, 1, 5))).toBeGreaterThan(0.01);
    const pull = mul(x, -3) as Tensor;
    const guided: Denoise = (y, at) => ({ ...denoise(y, at), gradient: pull });
    const asNoise: Denoise = (y, at) => ({ x0: y, eps: sub(denoise(y, at).eps, mul(pull, at.sigma)) as Tensor });
    const both = [guided, asNoise].map(f => langevin().correct(x, level, f, draws(6, x)));
    expect(furthest(both[0]!, both[1]!)).toBeLessThan(1e-13);
  });

  // Own norms as step sizes widen the distribution of samples of few elements, so these have many.
  const high = (size: number) => gaussianMixture({ means: [Array<number>(size).fill(1)], variances: 0.25 });

  it('brings what is far away to the distribution of the level', () => {
    const { denoiser } = high(256);
    const exact: Denoise = (y, at) => denoiser(y, at, { inputs: null, previous: y });
    const far = mul(normal(key(7), [25, 256], float64), 2) as Tensor;
    const corrected = langevin({ snr: 0.1, steps: 400 }).correct(far, level, exact, draws(8, far));
    // 6400 numbers: their mean is known to 0.011 and their variance to 0.013.
    expect(Math.abs((mean(corrected).item() as number) - 1)).toBeLessThan(0.03);
    expect(Math.abs((variance(corrected).item() as number) - (0.25 + 0.49))).toBeLessThan(0.04);
  });

  it('corrects a sampler that takes large steps', () => {
    const { denoiser, draw } = high(64);
    const levels = levelsOf(edmProcess(), [20, 2, 0.4], { final: 'none' });
    const start = draw(key(9), 100, atRatio(edmProcess(), 20));
    const errors = [euler(), withCorrector(euler(), langevin({ steps: 10 }))].map(sampler => {
      const found = sample(sampler, denoiser, levels, start, { key: key(10) });
      return Math.abs((variance(found).item() as number) - (0.25 + 0.16));
    });
    expect(errors[1]).toBeLessThan(errors[0]! / 5);
  });
});
