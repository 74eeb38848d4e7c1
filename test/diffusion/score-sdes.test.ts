/** The processes of score-based models, and their reverse-time equation by the Euler–Maruyama method. */
import {
  abs,
  add,
  concat,
  div,
  eye,
  grad,
  log,
  max,
  mul,
  reshape,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  variance,
  zeros,
} from 'tenfold';
import {
  type Denoiser,
  edmProcess,
  energyDistance,
  eulerMaruyama,
  flowProcess,
  langevin,
  levelsAt,
  type NoiseLevel,
  rescaleProcess,
  reverseLevels,
  type ScoreSde,
  sample,
  subVpProcess,
  veProcess,
  vpLogSnr,
  vpProcess,
  withCorrector,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';
import { gaussian } from './gaussian.js';
import { gaussianMixture } from './mixture.js';

const f64 = { dtype: 'float64' } as const;
const vector = (...values: readonly number[]): Tensor => tensor(values, f64);
const furthest = (a: Tensor, b: Tensor): number => max(abs(sub(a, b)) as Tensor).item() as number;

const processes: readonly (readonly [string, ScoreSde, end: number])[] = [
  ['vp', vpProcess(), 1],
  ['vp of other rates and times', vpProcess({ betaMin: 1, betaMax: 1, timeScale: 1000 }), 1000],
  ['sub-vp', subVpProcess(), 1],
  ['sub-vp of other rates and times', subVpProcess({ betaMin: 0.5, betaMax: 9, timeScale: 20 }), 20],
  ['ve', veProcess(), 1],
  ['ve of other ends and times', veProcess({ sigmaMin: 0.2, sigmaMax: 7, timeScale: 30 }), 30],
];

describe.each(processes)('%s', (_, process, end) => {
  const times = vector(...[1e-4, 0.01, 0.1, 0.35, 0.7, 1].map(t => t * end));

  it('finds the time of a ratio, and its level', () => {
    const levels = process.levelAt(times);
    const again = process.levelOf(div(levels.sigma, levels.alpha) as Tensor);
    for (const part of ['alpha', 'sigma', 'time'] as const)
      close(div(again[part], levels[part]), [1, 1, 1, 1, 1, 1], 1e-11);
    close(levels.time, times.toArray() as number[], 1e-15);
  });

  it('drifts and diffuses as its levels change', () => {
    const derivative = (f: (level: NoiseLevel) => Tensor): Tensor =>
      grad((t: Tensor) => sum(f(process.levelAt(t))) as Tensor)(times);
    const drift = derivative(({ alpha }) => log(alpha) as Tensor);
    close(process.drift(times), drift.toArray() as number[], 1e-11);
    const growth = derivative(({ sigma }) => square(sigma));
    const rate = sub(growth, mul(mul(drift, 2), square(process.levelAt(times).sigma))) as Tensor;
    close(div(square(process.diffusion(times)), rate), [1, 1, 1, 1, 1, 1], 1e-9);
  });

  it('takes a time for all samples, and float32', () => {
    const { alpha, sigma, time } = process.levelAt(tensor(0.5 * end));
    expect(
      [alpha, sigma, time, process.drift(time), process.diffusion(time)].map(x => [x.dtype, x.shape.length]),
    ).toEqual(Array.from({ length: 5 }, () => ['float64', 0]));
  });
});

describe('levels', () => {
  it('vp is the continuous schedule of the same name', () => {
    const { alpha, sigma } = vpProcess({ betaMin: 0.3, betaMax: 12 }).levelAt(vector(0.2, 0.9));
    const logSnr = vpLogSnr({ betaMin: 0.3, betaMax: 12 });
    close(mul(log(div(alpha, sigma)), 2), [logSnr(0.2), logSnr(0.9)], 1e-12);
    close(add(square(alpha), square(sigma)), [1, 1], 1e-15);
  });

  it('are those without noise or signal at ratios 0 and ∞', () => {
    const ratios = vector(0, Number.POSITIVE_INFINITY);
    for (const process of [vpProcess(), vpProcess({ betaMin: 2, betaMax: 2 }), subVpProcess()]) {
      const { alpha, sigma, time } = process.levelOf(ratios);
      expect([alpha, sigma, time].map(x => x.toArray())).toEqual([
        [1, 0],
        [0, 1],
        [0, Number.POSITIVE_INFINITY],
      ]);
    }
  });

  it('of small and large ratios are exact', () => {
    for (const process of [vpProcess(), subVpProcess()]) {
      const ratios = [1e-9, 1e-5, 3, 1e7];
      const { alpha, sigma } = process.levelOf(vector(...ratios));
      close(div(div(sigma, alpha), vector(...ratios)), [1, 1, 1, 1], 1e-12);
    }
  });
});

/**
 * What a method makes of N(m, v): its steps are affine in x and in the noise of each, so that runs that start at 0 and 1, and runs
 * with noise in one step alone, say all.
 */
const momentsAfter = (
  sampler: ReturnType<typeof eulerMaruyama>,
  denoiser: Denoiser,
  levels: ReturnType<typeof levelsAt>,
  { mean: m, variance: v }: { readonly mean: number; readonly variance: number },
): readonly [mean: number, variance: number] => {
  const steps = levels.sigma.shape[0]! - 1;
  const noise = concat([zeros([steps, 2], f64), eye(steps, f64) as Tensor], { axis: 1 }) as Tensor;
  const start = concat([tensor([[0], [1]], f64), zeros([steps, 1], f64)]) as Tensor;
  const options = { noise: reshape(noise, [steps, 1, steps + 2, 1]) as Tensor };
  const [shift, one, ...draws] = (sample(sampler, denoiser, levels, start, options).toArray() as number[][]).map(
    row => row[0]!,
  );
  const factor = one! - shift!;
  return [shift! + factor * m, factor ** 2 * v + draws.reduce((total, d) => total + (d - shift!) ** 2, 0)];
};

describe('eulerMaruyama', () => {
  const data = { mean: 0.7, variance: 0.3 };
  const denoiser = gaussian(data.mean, data.variance);
  const marginal = ({ alpha, sigma }: NoiseLevel) => {
    const [a, s] = [alpha.item() as number, sigma.item() as number];
    return { mean: a * data.mean, variance: a ** 2 * data.variance + s ** 2 };
  };
  const errorsOf = (process: ScoreSde, steps: number, eta: number, reverse: boolean): readonly number[] => {
    const times = Array.from({ length: steps + 1 }, (_, i) => 0.9 + ((0.2 - 0.9) * i) / steps);
    const falling = levelsAt(process, times, { final: 'none' });
    const levels = reverse ? reverseLevels(falling) : falling;
    const [from, to] = (reverse ? [0.2, 0.9] : [0.9, 0.2]).map(t => marginal(process.levelAt(tensor(t, f64))));
    const [m, v] = momentsAfter(eulerMaruyama(process, { eta }), denoiser, levels, from!);
    return [m - to!.mean, v - to!.variance];
  };
  const three: readonly (readonly [string, ScoreSde])[] = [
    ['vp', vpProcess({ betaMax: 8 })],
    ['sub-vp', subVpProcess({ betaMax: 8 })],
    ['ve', veProcess({ sigmaMin: 0.1, sigmaMax: 4 })],
  ];

  for (const [name, process] of three) {
    it.each([
      [1, false],
      [0.5, false],
      [0, false],
      [1, true],
      [0.5, true],
    ])(`${name} has the marginals in the limit, an error of first order with η = %s, forwards: %s`, (eta, reverse) => {
      const [coarse, fine] = [128, 256].map(steps => errorsOf(process, steps, eta, reverse));
      const largest = Math.max(...coarse!.map(Math.abs));
      for (const i of [0, 1]) {
        expect(Math.abs(fine![i]!)).toBeLessThan(
          0.02 * marginal(process.levelAt(tensor(reverse ? 0.9 : 0.2, f64))).variance,
        );
        // Extrapolation takes away what is of first order.
        expect(Math.abs(2 * fine![i]! - coarse![i]!)).toBeLessThan(0.1 * largest);
      }
    });
  }

  it('is the step of the paper', () => {
    const process = vpProcess();
    const levels = levelsAt(process, [0.5, 0.4], { final: 'none' });
    const x = normal(key(1), [3, 2], f64) as Tensor;
    const noise = normal(key(2), [1, 1, 3, 2], f64) as Tensor;
    const level = process.levelAt(tensor(0.5, f64));
    const beta = 0.1 + 19.9 * 0.5;
    const { eps } = denoiser(x, level, { inputs: null, previous: x });
    const score = mul(eps, -1 / (level.sigma.item() as number)) as Tensor;
    const drift = sub(mul(x, -beta / 2), mul(score, beta)) as Tensor;
    const z = slice(noise, [0, 0], [1, 1]) as Tensor;
    const wanted = add(add(x, mul(drift, -0.1)), mul(z, Math.sqrt(0.1 * beta))) as Tensor;
    const got = sample(eulerMaruyama(process), denoiser, levels, x, { noise });
    expect(furthest(got, sum(wanted, { axis: [0, 1] }) as Tensor)).toBeLessThan(1e-12);
  });

  it('gives the same whatever the scaling, and at the levels of other processes', () => {
    const process = veProcess({ sigmaMin: 0.1, sigmaMax: 4 });
    const ratios = [3, 1, 0.4, 0.2];
    const noise = normal(key(3), [3, 1, 5, 2], f64) as Tensor;
    const x = normal(key(4), [5, 2], f64) as Tensor;
    const run = (other: Parameters<typeof levelsAt>[0]): Tensor => {
      const { alpha, sigma, time } = other.levelOf(vector(...ratios));
      const levels = { alpha, sigma, time, process: other };
      const start = mul(x, (alpha.toArray() as number[])[0]!) as Tensor;
      const got = sample(eulerMaruyama(process), denoiser, levels, start, { noise });
      return div(got, (alpha.toArray() as number[])[3]!) as Tensor;
    };
    const unit = run(process);
    for (const other of [edmProcess(), flowProcess(), vpProcess(), rescaleProcess(process, 'preserving')]) {
      expect(furthest(run(other), unit)).toBeLessThan(1e-11);
    }
  });

  it('adds the gradient of a classifier to the score', () => {
    const process = vpProcess();
    const levels = levelsAt(process, [0.5, 0.4], { final: 'none' });
    const x = normal(key(5), [3, 2], f64) as Tensor;
    const pull = mul(x, -2) as Tensor;
    const guided: Denoiser = (y, level, context) => ({
      ...denoiser(y, level, context),
      gradient: mul(y, -2) as Tensor,
    });
    const [plain, moved] = [denoiser, guided].map(each => sample(eulerMaruyama(process, { eta: 0 }), each, levels, x));
    // Half of g² s dt, of the ODE.
    close(sub(moved!, plain!), mul(pull, 0.05 * (0.1 + 19.9 * 0.5)).toArray() as number[][], 1e-12);
  });

  it('ends in the prediction of x₀ where there is no noise, and draws none without η', () => {
    for (const [, process] of three) {
      const levels = levelsAt(process, [0.5]);
      const x = normal(key(6), [4, 2], f64) as Tensor;
      const { x0 } = denoiser(x, process.levelAt(tensor(0.5, f64)), { inputs: null, previous: x });
      expect(furthest(sample(eulerMaruyama(process), denoiser, levels, x, { key: key(7) }), x0)).toBeLessThan(1e-15);
      expect(furthest(sample(eulerMaruyama(process, { eta: 0 }), denoiser, levels, x), x0)).toBeLessThan(1e-15);
    }
  });

  it('starts from data, where vp has its time 0', () => {
    const process = vpProcess({ betaMax: 8 });
    const times = Array.from({ length: 201 }, (_, i) => 0.9 * (1 - i / 200));
    const levels = reverseLevels(levelsAt(process, times, { final: 'none' }));
    const [m, v] = momentsAfter(eulerMaruyama(process), denoiser, levels, data);
    const wanted = marginal(process.levelAt(tensor(0.9, f64)));
    close([m, v], [wanted.mean, wanted.variance], 0.01);
  });
});

describe('samples of a mixture', () => {
  const mixture = gaussianMixture({
    means: [
      [1, -2],
      [-1, 0.5],
      [1.5, 1],
    ],
    variances: [0.25, 0.05, 0.1],
    weights: [1, 3, 2],
  });
  const count = 600;
  const truth = mixture.draw(key(10), count);
  // What two sets of true samples are apart: the largest of 19 has a probability of 1 in 20 to be surpassed.
  const apart = Array.from(
    { length: 19 },
    (_, i) => energyDistance(mixture.draw(key(100 + i), count), truth).item() as number,
  );
  const usual = Math.max(...apart);

  it.each<[string, ScoreSde]>([
    ['vp', vpProcess()],
    ['sub-vp', subVpProcess()],
    ['ve', veProcess({ sigmaMin: 0.01, sigmaMax: 20 })],
  ])('%s: are not told from true ones, those of few steps are', (_, process) => {
    const distanceOf = (steps: number): number => {
      const times = Array.from({ length: steps }, (__, i) => 1 - ((1 - 1e-3) * i) / (steps - 1));
      const levels = levelsAt(process, times);
      const start = mul(normal(key(11), [count, 2], f64), process.levelAt(tensor(1, f64)).sigma) as Tensor;
      const got = sample(eulerMaruyama(process), mixture.denoiser, levels, start, { key: key(12) });
      return energyDistance(got, truth).item() as number;
    };
    expect(distanceOf(400)).toBeLessThan(usual);
    expect(distanceOf(8)).toBeGreaterThan(3 * usual);
  });
});

it('a corrector makes up for steps that are large', () => {
  const process = veProcess({ sigmaMin: 0.05, sigmaMax: 20 });
  const { denoiser } = gaussianMixture({ means: [Array<number>(256).fill(1)], variances: 0.25 });
  const levels = levelsAt(
    process,
    Array.from({ length: 9 }, (_, i) => 1 - i / 10),
    { final: 'none' },
  );
  const start = add(mul(normal(key(20), [25, 256], f64), Math.sqrt(400 + 0.25)), 1) as Tensor;
  const sigma = process.levelAt(tensor(0.2, f64)).sigma.item() as number;
  const errors = [eulerMaruyama(process), withCorrector(eulerMaruyama(process), langevin({ steps: 20 }))].map(
    sampler => {
      const found = sample(sampler, denoiser, levels, start, { key: key(21) });
      return Math.abs((variance(found).item() as number) - (0.25 + sigma ** 2));
    },
  );
  expect(errors[1]).toBeLessThan(errors[0]! / 5);
});
