/** Log-likelihoods by the probability-flow ODE, against densities in closed form. */
import {
  abs,
  add,
  cast,
  div,
  exp,
  expandDims,
  grad,
  jit,
  max,
  mul,
  neg,
  reshape,
  sin,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
} from 'tenfold';
import {
  type Denoiser,
  denoiser,
  dormandPrince,
  edmProcess,
  flowProcess,
  type Levels,
  levelsOf,
  logLikelihood,
  type NoiseLevel,
  type Process,
  rescaleProcess,
  reverseLevels,
  sample,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const mixture = gaussianMixture({
  means: [
    [1, -2, 0],
    [-1, 0.5, 1],
    [0, 0, -1],
  ],
  variances: [0.25, 0.1, 0.5],
  weights: [1, 2, 3],
});
const processes: readonly Process[] = [edmProcess(), rescaleProcess(edmProcess(), 'preserving'), flowProcess()];
/** Where the noise is wide enough for a normal distribution to be all there is. */
const wide = 1e5;
const x = mixture.draw(key(0), 6);
const furthest = (a: Tensor, b: Tensor): number => max(abs(sub(a, b)) as Tensor).item() as number;
const rowsOf = (values: Tensor, from: number, to: number): Tensor => slice(values, [from], [to]) as Tensor;
const levelAt = (levels: Levels, index: number): NoiseLevel => {
  const of = (values: Tensor): Tensor => take(values, index) as Tensor;
  return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
};
const exact = { rtol: 1e-8, atol: 1e-8 };

describe('logLikelihood', () => {
  it('is that of the mixture, in nats and in bits, whatever the scaling', () => {
    const wanted = mixture.logDensity(x);
    for (const process of processes) {
      const found = logLikelihood(mixture.denoiser, levelsOf(process, [wide]), x, exact);
      expect(furthest(found.logLikelihood, wanted)).toBeLessThan(1e-4);
      expect(furthest(found.bitsPerDimension, div(neg(wanted), 3 * Math.LN2) as Tensor)).toBeLessThan(1e-4);
    }
  });

  it('is that of a noisy sample where the last level has noise', () => {
    for (const process of processes) {
      const levels = levelsOf(process, [wide, 10, 0.8], { final: 'none' });
      const noisy = mixture.draw(key(1), 4, levelAt(levels, 2));
      const found = logLikelihood(mixture.denoiser, levels, noisy, exact).logLikelihood;
      expect(furthest(found, mixture.logDensity(noisy, levelAt(levels, 2)))).toBeLessThan(1e-4);
    }
  });

  it('says where the ODE leads to', () => {
    const levels = levelsOf(flowProcess(), [50]);
    const there = sample(dormandPrince(exact), mixture.denoiser, reverseLevels(levels), x);
    expect(furthest(logLikelihood(mixture.denoiser, levels, x, exact).latent, there)).toBeLessThan(1e-6);
  });

  it('takes the divergence of any network, for samples of any shape', () => {
    // dz / dθ = D z with a diagonal D, so that log p is that of the prior and the sum of D on the way.
    const shape = [2, 2, 2];
    const diagonal = reshape(tensor([0.1, 0.25, -0.3, 0.7], { dtype: 'float64' }), [1, 2, 2]) as Tensor;
    const network = denoiser(z => mul(z, diagonal) as Tensor, { prediction: 'v' });
    const y = normal(key(2), shape, { dtype: 'float64' }) as Tensor;
    const levels = levelsOf(edmProcess(), [1]);
    const way = Math.PI / 4;
    const z = mul(y, exp(mul(diagonal, way))) as Tensor;
    const prior = sub(neg(sum(square(z), { axis: [1, 2] })), 2 * Math.log(Math.PI)) as Tensor;
    const wanted = add(prior, (0.1 + 0.25 - 0.3 + 0.7) * way) as Tensor;
    expect(furthest(logLikelihood(network, levels, y, exact).logLikelihood, wanted)).toBeLessThan(1e-6);
    // Of a diagonal matrix any one direction of signs gives the trace.
    const options = { ...exact, divergence: 'hutchinson', key: key(0) } as const;
    expect(furthest(logLikelihood(network, levels, y, options).logLikelihood, wanted)).toBeLessThan(1e-6);
    const many = { ...options, directions: 'normal', probes: 400 } as const;
    const off = sub(logLikelihood(network, levels, y, many).logLikelihood, wanted) as Tensor;
    // A probe's estimate of the trace has the variance 2 Σ D².
    const deviation = Math.sqrt((2 * (0.01 + 0.0625 + 0.09 + 0.49)) / 400) * way;
    for (const each of off.toArray() as number[]) {
      expect(Math.abs(each)).toBeLessThan(3 * deviation);
      expect(Math.abs(each)).toBeGreaterThan(deviation / 100);
    }
  });

  it('does not depend on the batch, in its bits, with probes that belong to their samples', () => {
    const levels = levelsOf(edmProcess(), [20]);
    const hutchinson = { divergence: 'hutchinson', key: key(4), probes: 2 } as const;
    for (const [dtype, options] of [
      ['float32', {}],
      ['float64', hutchinson],
      ['float32', { ...hutchinson, steps: 10 }],
    ] as const) {
      const data = cast(x, dtype) as Tensor;
      const run = (y: Tensor, firstSample = 0): Tensor =>
        logLikelihood(mixture.denoiser, levels, y, { ...options, firstSample }).logLikelihood;
      const together = run(data);
      expect(together.dtype).toBe('float64');
      for (const i of [0, 5]) {
        expect(run(rowsOf(data, i, i + 1), i).toArray()).toEqual(rowsOf(together, i, i + 1).toArray());
      }
      expect(jit((y: Tensor) => run(y))(data).toArray()).toEqual(together.toArray());
    }
  });

  it('in a number of steps is of fourth order, and has derivatives', () => {
    const levels = levelsOf(edmProcess(), [20]);
    const best = logLikelihood(mixture.denoiser, levels, x, { steps: 512 }).logLikelihood;
    const [coarse, fine] = [16, 64].map(steps => {
      const found = logLikelihood(mixture.denoiser, levels, x, { steps }).logLikelihood;
      return furthest(found, best);
    });
    expect(Math.log(coarse! / fine!) / Math.log(4)).toBeGreaterThan(3.8);
    const total = (shift: Tensor): Tensor => {
      const moved: Denoiser = (at, level, context) => {
        const { x0, eps } = mixture.denoiser(at, level, context);
        return { x0, eps: add(eps, mul(shift, sin(at))) as Tensor };
      };
      return sum(logLikelihood(moved, levels, x, { steps: 20 }).logLikelihood) as Tensor;
    };
    const at = (value: number): number => total(tensor(value, { dtype: 'float64' }) as Tensor).item() as number;
    const slope = grad(total)(tensor(0.1, { dtype: 'float64' }) as Tensor).item() as number;
    expect(Math.abs(slope)).toBeGreaterThan(1);
    expect(Math.abs(slope - (at(0.1001) - at(0.0999)) / 2e-4)).toBeLessThan(1e-5 * Math.abs(slope));
  });

  it('says NaN where the integration was not done', () => {
    const found = logLikelihood(mixture.denoiser, levelsOf(edmProcess(), [20]), x, { maxSteps: 2 }).logLikelihood;
    expect((found.toArray() as number[]).every(Number.isNaN)).toBe(true);
  });

  it('is given what conditions the samples', () => {
    const inputs = mul(x, 0.1) as Tensor;
    const shifted: Denoiser<Tensor> = (at, level, { inputs: by, previous }) => {
      const centred = sub(at, mul(by, columnOf(level.alpha)));
      const { x0, eps } = mixture.denoiser(centred as Tensor, level, { inputs: null, previous });
      return { x0: add(x0, by) as Tensor, eps };
    };
    const columnOf = (alpha: Tensor): Tensor => (alpha.shape.length === 0 ? alpha : (expandDims(alpha, 1) as Tensor));
    const levels = levelsOf(flowProcess(), [wide]);
    const found = logLikelihood(shifted, levels, x, { ...exact, inputs }).logLikelihood;
    expect(furthest(found, mixture.logDensity(sub(x, inputs) as Tensor))).toBeLessThan(1e-4);
  });
});
