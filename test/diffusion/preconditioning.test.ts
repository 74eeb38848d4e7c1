/** The preconditioning of EDM: its factors, and what a denoiser makes of a network. */
import { add, cos, mul, reshape, sin, square, sub, type Tensor, tensor } from 'tenfold';
import {
  cIn,
  cNoise,
  cOut,
  cSkip,
  denoiser,
  edmProcess,
  flowProcess,
  type NoiseLevel,
  preconditioned,
  rescaleProcess,
  scaleOf,
} from 'tenfold/diffusion';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const float64 = { dtype: 'float64' } as const;
const x = tensor([[0.3], [-2], [5]], float64) as Tensor;
const context = { inputs: null, previous: x };
const ratio = (value: number): Tensor => tensor(value, float64) as Tensor;
const numbers = (y: Tensor): readonly number[] => Array.from(y.dataSync() as Float64Array);
const apart = (a: Tensor, b: Tensor): number => Math.max(...numbers(sub(a, b) as Tensor).map(Math.abs));
const network = (y: Tensor, t: Tensor): Tensor => add(mul(sin(y), 0.5), cos(reshape(t, [-1, 1]))) as Tensor;

describe('the factors', () => {
  it('are those of table 1', () => {
    for (const [sigma, data] of [
      [0.002, 0.5],
      [1, 0.5],
      [80, 2],
    ] as const) {
      const level = edmProcess().levelOf(ratio(sigma));
      const variance = sigma ** 2 + data ** 2;
      expect(cSkip(level, data).item()).toBeCloseTo(data ** 2 / variance, 14);
      expect(cOut(level, data).item()).toBeCloseTo((sigma * data) / Math.sqrt(variance), 14);
      expect(cIn(level, data).item()).toBeCloseTo(1 / Math.sqrt(variance), 12);
      expect(cNoise(level).item()).toBeCloseTo(Math.log(sigma) / 4, 14);
    }
  });

  it('show the network samples of variance 1, and ask outputs of variance 1 of it', () => {
    // The variance of x is σ_d² + σ²; that of x₀ − c_skip x, which c_out F is to be, is (1 − c_skip)² σ_d² + c_skip² σ².
    const [sigma, data] = [1.7, 0.5];
    const level = edmProcess().levelOf(ratio(sigma));
    const [skip, out, into] = [cSkip(level), cOut(level), cIn(level)].map(factor => factor.item() as number) as [
      number,
      number,
      number,
    ];
    expect(into ** 2 * (data ** 2 + sigma ** 2)).toBeCloseTo(1, 12);
    expect(((1 - skip) ** 2 * data ** 2 + skip ** 2 * sigma ** 2) / out ** 2).toBeCloseTo(1, 12);
  });
});

describe('preconditioned', () => {
  it('is eq. 7, whatever the scaling of the samples', () => {
    const [sigma, data] = [3, 0.7];
    const variance = sigma ** 2 + data ** 2;
    const shown = mul(x, 1 / Math.sqrt(variance)) as Tensor;
    const output = network(shown, tensor([Math.log(sigma) / 4], float64));
    const wanted = add(mul(x, data ** 2 / variance), mul(output, (sigma * data) / Math.sqrt(variance))) as Tensor;
    for (const scaling of ['preserving', 'exploding', 'flow'] as const) {
      const level = rescaleProcess(edmProcess(), scaling).levelOf(ratio(sigma));
      const scaled = mul(x, level.alpha) as Tensor;
      const { x0, eps } = preconditioned(network, { sigmaData: data })(scaled, level, context);
      expect(apart(x0, wanted)).toBeLessThan(1e-13);
      expect(apart(add(mul(x0, level.alpha), mul(eps, level.sigma)) as Tensor, scaled)).toBeLessThan(1e-13);
    }
  });

  it("has with 'v' and data of standard deviation 1 the v-prediction", () => {
    const level = edmProcess().levelOf(ratio(3));
    const logarithmic: NoiseLevel = { ...level, time: cNoise(level) };
    const ours = preconditioned(network, { sigmaData: 1, prediction: 'v' })(x, level, context);
    const theirs = denoiser(network, { prediction: 'v' })(x, logarithmic, context);
    expect(apart(ours.x0, theirs.x0)).toBeLessThan(1e-14);
    expect(apart(ours.eps, theirs.eps)).toBeLessThan(1e-14);
  });

  it('needs no network for normal data, at levels without noise or signal, too', () => {
    const silent = preconditioned(y => mul(y, 0) as Tensor, { sigmaData: 0.8 });
    const { denoiser: exact } = gaussianMixture({ means: [[0]], variances: 0.64 });
    for (const time of [1, 0.9, 0.4, 0]) {
      const level = flowProcess().levelAt(ratio(time));
      const [ours, theirs] = [silent(x, level, context), exact(x, level, context)];
      expect(apart(ours.x0, theirs.x0)).toBeLessThan(1e-14);
      expect(apart(ours.eps, theirs.eps)).toBeLessThan(1e-14);
    }
  });

  it('shows the network its time in the dtype of the samples, and passes on what conditions it', () => {
    const level = edmProcess().levelOf(ratio(1));
    const seen: unknown[] = [];
    const inputs = { y: x };
    const small = tensor([[1], [2], [3]]) as Tensor;
    const model = (y: Tensor, t: Tensor, given: unknown, previous: Tensor): Tensor => {
      seen.push(y.dtype, t.dtype, t.shape, given, previous);
      return y;
    };
    preconditioned(model)(small, level, { inputs, previous: small });
    expect(seen).toEqual(['float32', 'float32', [3], inputs, small]);
  });

  it('takes levels of each sample', () => {
    const levels = edmProcess().levelOf(tensor([0.5, 1, 4], float64));
    const all = numbers(preconditioned(network)(x, levels, context).x0);
    for (const [i, sigma] of [0.5, 1, 4].entries()) {
      const level = edmProcess().levelOf(ratio(sigma));
      expect(all[i]).toBeCloseTo(numbers(preconditioned(network)(x, level, context).x0)[i]!, 14);
    }
    expect(numbers(square(scaleOf(levels, 'exploding')) as Tensor)).toEqual([1, 1, 1]);
  });
});
