/** Samplers that draw: what is known of one step, and that neither scaling nor batch matter. */
import { add, concat, div, expandDims, mul, reshape, sin, slice, sub, type Tensor, tanh, tensor } from 'tenfold';
import {
  type Denoiser,
  ddim,
  ddpm,
  denoiser,
  discreteProcess,
  flowHeun,
  gaussianDiffusion,
  inferenceTimesteps,
  type Levels,
  lcm,
  levelsAt,
  linearBetas,
  multistepConsistency,
  type NoiseLevel,
  plms,
  pndm,
  pSample,
  rescaleProcess,
  type Sampler,
  type SamplerState,
  type Scaling,
  sample,
  scaleOf,
  tcd,
  type VarianceType,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianMixture } from './mixture.js';

const float64 = { dtype: 'float64' } as const;
const betas = linearBetas(1000);
const process = discreteProcess(gaussianDiffusion(betas));
const timesteps = inferenceTimesteps(1000, 8, { spacing: 'trailing' });
const mixture = gaussianMixture({
  means: [
    [1, 0],
    [-0.5, 0.75],
  ],
  variances: 0.05,
});

const furthest = (a: Tensor, b: Tensor): number => {
  const [x, y] = [a.dataSync(), b.dataSync()];
  expect(a.shape).toEqual(b.shape);
  return Math.max(...Array.from(x, (value, i) => Math.abs(Number(value) - Number(y[i]))));
};

const preserving = (x: Tensor, level: NoiseLevel): Tensor => div(x, scaleOf(level, 'preserving')) as Tensor;

/** A denoiser with all that a step may use, given for samples that preserve the variance. */
const telling: Denoiser = (x, level, context) => ({
  ...mixture.denoiser(x, level, context),
  variance: tanh(preserving(x, level)) as Tensor,
  // A gradient is one by x.
  gradient: preserving(sin(preserving(x, level)) as Tensor, level),
});

// biome-ignore format: one a line
const samplers: Readonly<Record<string, Sampler>> = {
  'ddpm fixedSmall': ddpm(),
  'ddpm fixedLarge': ddpm({ variance: 'fixedLarge' }),
  'ddpm learned': ddpm({ variance: 'learned' }),
  'ddpm learnedRange': ddpm({ variance: 'learnedRange' }),
  'ddim': ddim(),
  'ddim with eta': ddim({ eta: 0.6 }),
  'lcm': lcm(),
  'multistepConsistency': multistepConsistency({ min: 0.01 }),
  'tcd': tcd(),
  'tcd of whole timesteps': tcd({ eta: 1, wholeTimesteps: true }),
  'pndm': pndm() as unknown as Sampler,
  'pndm by v': pndm({ prediction: 'v' }) as unknown as Sampler,
  'plms': plms() as unknown as Sampler,
  'flowHeun': flowHeun(),
  'flowHeun with churn': flowHeun({ churn: 3, min: 0.1, max: 0.9, noise: 1.1 }),
};

const by = (scaling: Scaling, final: 'zero' | 'none'): Levels =>
  levelsAt(rescaleProcess(process, scaling), timesteps, { final });

const rowOf = (levels: Levels, i: number): NoiseLevel => {
  const of = (vector: Tensor): Tensor => reshape(slice(vector, [i], [i + 1]), []) as Tensor;
  return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
};

const unit = normal(key(1), [5, 2], float64) as Tensor;

describe.each(Object.entries(samplers))('%s', (_, sampler) => {
  it('gives the same whatever the scaling', () => {
    for (const final of ['zero', 'none'] as const) {
      const run = (scaling: Scaling): Tensor => {
        const levels = by(scaling, final);
        const start = mul(unit, scaleOf(rowOf(levels, 0), 'preserving')) as Tensor;
        const last = rowOf(levels, levels.sigma.shape[0]! - 1);
        return preserving(sample(sampler, telling, levels, start, { key: key(2) }), last);
      };
      const wanted = run('preserving');
      expect(wanted.dataSync().every(value => Math.abs(Number(value)) < 100)).toBe(true);
      for (const scaling of ['exploding', 'flow'] as const) {
        expect(furthest(run(scaling), wanted), `${scaling}, ${final}`).toBeLessThan(1e-9);
      }
    }
  });

  it('gives an image the same bits alone and in a batch', () => {
    const levels = by('preserving', 'zero');
    const start = sub(unit, 0) as Tensor;
    const all = sample(sampler, telling, levels, start, { key: key(3) });
    for (const i of [0, 3]) {
      const one = slice(start, [i], [i + 1]) as Tensor;
      const alone = sample(sampler, telling, levels, one, { key: key(3), firstSample: i });
      expect(alone.toArray()).toEqual((slice(all as Tensor, [i], [i + 1]) as Tensor).toArray());
    }
  });
});

it('with eta 1, ddim is ddpm with the small variance', () => {
  for (const scaling of ['preserving', 'exploding', 'flow'] as const) {
    const levels = by(scaling, 'zero');
    const [a, b] = [ddim({ eta: 1 }), ddpm()].map(each =>
      sample(each, mixture.denoiser, levels, unit, { key: key(4) }),
    );
    expect(furthest(a!, b!), scaling).toBeLessThan(1e-11);
  }
});

describe('a step of ddpm is one of the chain it was made from', () => {
  const x = normal(key(5), [3, 2, 4], float64) as Tensor;
  const noise = normal(key(6), [3, 2, 4], float64) as Tensor;
  const gradient = (y: Tensor): Tensor => mul(y, -0.2) as Tensor;
  const network = (channels: number) => (y: Tensor) => {
    const [value, variance] = [mul(sin(y), 0.3) as Tensor, tanh(sub(y, 0.1)) as Tensor];
    return channels === 1 ? value : (concat([value, variance], { axis: 1 }) as Tensor);
  };
  const stepOf = (variance: VarianceType, model: Denoiser, t: number): Tensor => {
    const levels = levelsAt(process, [t, t - 1], { final: 'none' });
    const noises = expandDims(expandDims(noise, 0), 0) as Tensor;
    return sample(ddpm({ variance }), model, levels, x, { noise: noises });
  };
  const chainStep = (options: object, channels: number, t: number): Tensor =>
    pSample(gaussianDiffusion(betas, options), network(channels), x, tensor([t, t, t], { dtype: 'int32' }), {
      noise,
      clipDenoised: false,
      condFn: gradient,
    }).sample as Tensor;
  const guided =
    (model: Denoiser): Denoiser =>
    (y, level, context) => ({ ...model(y, level, context), gradient: gradient(y) });

  it.each(['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'] as const)('with the variance %s', varianceType => {
    const channels = varianceType.startsWith('learned') ? 2 : 1;
    const model = guided(denoiser(network(channels), { learnedVariance: channels === 2 }));
    for (const t of [999, 400, 1]) {
      const wanted = chainStep({ varianceType }, channels, t);
      expect(furthest(stepOf(varianceType, model, t), wanted), `t = ${t}`).toBeLessThan(1e-11);
    }
  });

  it('with a network that predicts the mean', () => {
    const model: Denoiser = (y, level, context) => ({
      ...denoiser(network(1))(y, level, context),
      mean: network(1)(y),
      gradient: gradient(y),
    });
    const wanted = chainStep({ meanType: 'previousX' }, 1, 300);
    expect(furthest(stepOf('fixedSmall', model, 300), wanted)).toBeLessThan(1e-11);
  });
});

it('ddpm adds no noise where none is left, whatever the variance', () => {
  const levels = levelsAt(process, [0]);
  for (const variance of ['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'] as const) {
    const plain: Denoiser = (x, level, context) => ({ ...telling(x, level, context), gradient: mul(x, 0) as Tensor });
    const [a, b] = [7, 8].map(seed => sample(ddpm({ variance }), plain, levels, unit, { key: key(seed) }));
    expect(a!.toArray()).toEqual(b!.toArray());
  }
});

it('ddpm wants the variance that it is to learn from', () => {
  const run = () =>
    sample(ddpm({ variance: 'learned' }), mixture.denoiser, by('preserving', 'zero'), unit, { key: key(9) });
  expect(run).toThrow(/says nothing of the variance/);
});

describe('where a step draws from', () => {
  const levels = levelsAt(process, [800, 300], { final: 'none' });
  const [from, to] = [rowOf(levels, 0), rowOf(levels, 1)];
  const noise = expandDims(expandDims(unit, 0), 0) as Tensor;
  const step = (sampler: Sampler<SamplerState>): Tensor => sample(sampler, mixture.denoiser, levels, unit, { noise });
  const { x0, eps } = mixture.denoiser(unit, from, { inputs: null, previous: unit });
  const [alpha, sigma] = [to.alpha.item() as number, to.sigma.item() as number];
  const sum = (...terms: readonly (readonly [number, Tensor])[]): Tensor =>
    terms.map(([c, x]) => mul(x, c) as Tensor).reduce((a, b) => add(a, b) as Tensor);

  it('consistency models go to the data and back', () => {
    expect(furthest(step(lcm()), sum([alpha, x0], [sigma, unit]))).toBeLessThan(1e-14);
    const rest = alpha * Math.sqrt((sigma / alpha) ** 2 - 0.3 ** 2);
    expect(furthest(step(multistepConsistency({ min: 0.3 })), sum([alpha, x0], [rest, unit]))).toBeLessThan(1e-14);
  });

  it('trajectory consistency goes beyond the next level and back', () => {
    const beyond = process.levelAt(tensor(225, float64));
    const [a, s] = [beyond.alpha.item() as number, beyond.sigma.item() as number];
    const back = alpha / a;
    const rest = Math.sqrt(1 - back ** 2);
    const wanted = sum([back * a, x0], [back * s, eps], [rest, unit]);
    expect(furthest(step(tcd({ eta: 0.25 })), wanted)).toBeLessThan(1e-13);
    expect(step(tcd({ eta: 0 })).toArray()).toEqual(step(ddim()).toArray());
  });
});
