/** Modifiers of denoisers: their laws, that what they give agrees with x at every level, and closed forms. */

import fc from 'fast-check';
import {
  add,
  concat,
  div,
  grad,
  mean,
  mul,
  ones,
  reshape,
  sin,
  slice,
  square,
  std,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import {
  classifierFreeGuidance,
  classifierGuidance,
  clipDenoised,
  combine,
  consistencyBoundary,
  type Denoiser,
  type DenoiserContext,
  type DenoiserModifier,
  ddim,
  denoiserMonoid,
  dynamicThreshold,
  edmProcess,
  euler,
  flowProcess,
  heun,
  inpainting,
  levelsAt,
  levelsOf,
  mapX0,
  type NoiseLevel,
  type PredictionType,
  productOfExperts,
  reconstructionGuidance,
  repeatSteps,
  restrictTo,
  type Sampler,
  sample,
  sampleSteps,
  withInputs,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';
import { gaussian } from './gaussian.js';

const f64 = (values: unknown): Tensor => tensor(values as number[], { dtype: 'float64' }) as Tensor;
const levelOf = (alpha: number | number[], sigma: number | number[], time: number | number[] = sigma): NoiseLevel => ({
  alpha: f64(alpha),
  sigma: f64(sigma),
  time: f64(time),
});
const x = normal(key(0), [3, 4], { dtype: 'float64' }) as Tensor;
const context: DenoiserContext = { inputs: null, previous: zeros([3, 4], { dtype: 'float64' }) as Tensor };
const plain = gaussian(0.5, 0.7);
const other = gaussian(-1, 0.3);

const largest = (a: Tensor, b: Tensor): number =>
  Math.max(...Array.from(sub(a, b).dataSync(), value => Math.abs(Number(value))));
const partsOf = (denoise: Denoiser, level: NoiseLevel, at = x) => {
  const { x0, eps } = denoise(at, level, context);
  return [x0.toArray(), eps.toArray()];
};

/** How far two denoisers are from each other. */
const apart = (one: Denoiser, two: Denoiser, level: NoiseLevel): number => {
  const [a, b] = [one(x, level, context), two(x, level, context)];
  return Math.max(largest(a.x0, b.x0), largest(a.eps, b.eps));
};

const towards = (at: Tensor): Tensor => sub(2, at) as Tensor;
const mask = tensor([true, false, false, true]) as Tensor;
const total = (x0: Tensor): Tensor => sum(x0, { axis: 1 }) as Tensor;
const predictions: readonly PredictionType[] = ['epsilon', 'x0', 'v', 'score', 'velocity'];

/** Those that leave x₀ and ε in agreement with x. */
const agreeing: Readonly<Record<string, DenoiserModifier>> = {
  classifierGuidance: classifierGuidance(towards, { scale: 2 }),
  'classifierGuidance, for each sample': classifierGuidance(towards, { scale: f64([1, 2, 0]), scaling: 'flow' }),
  'classifierGuidance of the mean': classifierGuidance(towards, { on: 'mean' }),
  classifierFreeGuidance: classifierFreeGuidance(other, { weight: 3 }),
  'classifierFreeGuidance, for each sample': classifierFreeGuidance(other, { weight: f64([1, 2, 0]) }),
  ...Object.fromEntries(
    predictions.map(prediction => [
      `rescaled ${prediction}`,
      classifierFreeGuidance(other, { weight: 3, rescale: 0.7, prediction }),
    ]),
  ),
  'guidance in an interval': classifierFreeGuidance(other, { weight: 3, interval: { ratio: [0.5, 5] } }),
  clipDenoised: clipDenoised({ range: 0.5 }),
  dynamicThreshold: dynamicThreshold({ ratio: 0.5 }),
  consistencyBoundary: consistencyBoundary(),
  inpainting: inpainting(f64([1, 2, 3, 4]), mask),
  'inpainting, softly': inpainting(f64([1, 2, 3, 4]), f64([1, 0.5, 0, 1])),
  reconstructionGuidance: reconstructionGuidance(total, f64([1, 2, 3]), { scale: 0.5 }),
  restrictTo: restrictTo(
    { time: [0, 1] },
    mapX0(x0 => sin(x0) as Tensor),
  ),
  productOfExperts: denoise => productOfExperts([denoise, other], [1.5, 1]),
  'productOfExperts with a base': denoise => productOfExperts([other, gaussian(3, 1)], [1.5, -1], { base: denoise }),
  withInputs: withInputs<unknown>(null),
};

const levels: Readonly<Record<string, NoiseLevel>> = {
  preserving: levelOf(0.6, 0.8),
  exploding: levelOf(1, 7),
  flow: levelOf(0.9, 0.1),
  'of each sample': levelOf([0.6, 1, 0.1], [0.8, 0, 0.9]),
  'without noise': levelOf(1, 0),
  'without signal': levelOf(0, 1),
};

describe('what modifiers give', () => {
  for (const [name, modify] of Object.entries(agreeing)) {
    it(`agrees with x and is finite: ${name}`, () => {
      for (const [which, level] of Object.entries(levels)) {
        const { x0, eps } = modify(plain)(x, level, context);
        const all = [...x0.dataSync(), ...eps.dataSync()].map(Number);
        expect(all.every(Number.isFinite), which).toBe(true);
        // Where there is no noise, x₀ is x, whatever one would have it be.
        if (which === 'without noise' || which === 'of each sample') continue;
        expect(largest(combine([level.alpha, x0], [level.sigma, eps]), x), which).toBeLessThan(1e-12);
      }
    });
  }

  it('is what samples at one level get, for samples that have each their own', () => {
    for (const [name, modify] of Object.entries(agreeing)) {
      const [alphas, sigmas] = [
        [0.6, 1, 0.3],
        [0.8, 7, 0.9],
      ] as const;
      const together = modify(plain)(x, levelOf([...alphas], [...sigmas]), context);
      for (const i of [0, 1, 2]) {
        const alone = modify(plain)(x, levelOf(alphas[i]!, sigmas[i]!), context);
        expect(together.x0.toArray()[i as never], name).toEqual(alone.x0.toArray()[i as never]);
        expect(together.eps.toArray()[i as never], name).toEqual(alone.eps.toArray()[i as never]);
      }
    }
  });

  it('is no sample of none', () => {
    const none = zeros([0, 4], { dtype: 'float64' }) as Tensor;
    for (const modify of [
      dynamicThreshold(),
      classifierFreeGuidance(other, { weight: 3, rescale: 0.7 }),
      reconstructionGuidance(x0 => x0, none),
    ]) {
      const { x0, eps } = modify(gaussian(1, 0.5))(none, levelOf(1, 1), { inputs: null, previous: none });
      expect([x0.shape, eps.shape]).toEqual([
        [0, 4],
        [0, 4],
      ]);
    }
  });

  it('is a monoid', () => {
    const { concat: then, empty } = denoiserMonoid;
    const one = fc.constantFrom(...Object.values(agreeing), empty);
    const level = fc.constantFrom(...Object.values(levels));
    fc.assert(
      fc.property(one, one, one, level, (f, g, h, at) => {
        expect(partsOf(then(f, empty)(plain), at)).toEqual(partsOf(f(plain), at));
        expect(partsOf(then(empty, f)(plain), at)).toEqual(partsOf(f(plain), at));
        expect(partsOf(then(then(f, g), h)(plain), at)).toEqual(partsOf(then(f, then(g, h))(plain), at));
        expect(partsOf(then(f, g)(plain), at)).toEqual(partsOf(g(f(plain)), at));
      }),
      { numRuns: 40 },
    );
  });
});

describe('guidance', () => {
  it('by a classifier of Gaussian data is the posterior', () => {
    // y = x₀ + noise of variance r, measured: the posterior of N(m, v) is Gaussian.
    const [m, v, r, y] = [0.5, 0.7, 0.2, 2] as const;
    const posterior = gaussian((m * r + y * v) / (v + r), (v * r) / (v + r));
    for (const [name, level] of Object.entries(levels)) {
      const { alpha, sigma } = level;
      const ofY = (at: Tensor): Tensor => {
        const spread = div(mul(v, square(sigma)), add(mul(square(alpha), v), square(sigma))) as Tensor;
        const gain = div(mul(alpha, v), add(mul(square(alpha), v), square(sigma))) as Tensor;
        const { x0 } = gaussian(m, v)(at, level, context);
        return combine([div(gain, add(spread, r)) as Tensor, sub(y, x0) as Tensor]);
      };
      const guided = classifierGuidance(ofY)(gaussian(m, v))(x, level, context);
      const exact = posterior(x, level, context);
      // Where there is no signal the gradient is 0, and what x says of x₀ is nothing: no guidance reaches it.
      if (name === 'without signal') continue;
      expect(largest(guided.x0, exact.x0), name).toBeLessThan(1e-12);
      expect(largest(guided.eps, exact.eps), name).toBeLessThan(1e-12);
    }
  });

  it('shows a classifier samples as it knows them, and takes its derivative by x', () => {
    const logProbability = (at: Tensor): Tensor => mul(sum(square(sub(at, 1))), -0.5) as Tensor;
    const level = levelOf(0.6, 0.8);
    const rescaled = classifierGuidance(at => grad(logProbability)(at), { scaling: 'exploding' });
    const direct = classifierGuidance(at => grad((z: Tensor) => logProbability(div(z, 0.6) as Tensor))(at));
    expect(largest(rescaled(plain)(x, level, context).x0, direct(plain)(x, level, context).x0)).toBeLessThan(1e-12);
  });

  it('of the mean leaves the parts as they are, and adds up', () => {
    const level = levelOf(0.6, 0.8);
    const once = classifierGuidance(towards, { on: 'mean', scale: 2 });
    const twice = denoiserMonoid.concat(once, once)(plain);
    expect(partsOf(twice, level)).toEqual(partsOf(plain, level));
    expect(largest(twice(x, level, context).gradient!, mul(towards(x), 4) as Tensor)).toBe(0);
  });

  it('tells the gradient the time of each sample and what conditions them', () => {
    const seen: unknown[] = [];
    const watch = (at: Tensor, time: Tensor, inputs: unknown): Tensor => {
      seen.push(time.toArray(), time.dtype, inputs);
      return at;
    };
    classifierGuidance(watch)(plain)(x, levelOf(0.6, 0.8, 17), { ...context, inputs: 'label' });
    expect(seen).toEqual([[17, 17, 17], 'float64', 'label']);
  });

  it('of weight 0 is unconditional and of weight 1 conditional, to the last bit', () => {
    for (const level of Object.values(levels)) {
      for (const one of [1, f64([1, 1, 1])]) {
        expect(apart(classifierFreeGuidance(other, { weight: one })(plain), plain, level)).toBe(0);
      }
      expect(apart(classifierFreeGuidance(other, { weight: 0 })(plain), other, level)).toBe(0);
    }
  });

  it('of Gaussians of one variance is that of a Gaussian further on', () => {
    const guided = classifierFreeGuidance(gaussian(0.25, 0.7), { weight: 3 })(plain);
    for (const level of Object.values(levels)) {
      const exact = gaussian(0.25 + 3 * (0.5 - 0.25), 0.7)(x, level, context);
      expect(largest(guided(x, level, context).x0, exact.x0)).toBeLessThan(1e-12);
      expect(largest(guided(x, level, context).eps, exact.eps)).toBeLessThan(1e-12);
    }
    const steps = levelsOf(edmProcess(), [80, 20, 5, 1, 0.2]);
    const start = mul(x, 80) as Tensor;
    const ended = sample(heun(), guided, steps, start);
    expect(largest(ended, sample(heun(), gaussian(1, 0.7), steps, start))).toBeLessThan(1e-12);
  });

  it('is brought back to the standard deviation of the conditional prediction', () => {
    const level = levelOf(0.6, 0.8);
    const spread = (value: Tensor) => std(value, { axis: 1 }) as Tensor;
    const bold: Denoiser = (at, l, c) => gaussian(0.1, 2)(sin(mul(at, 3)) as Tensor, l, c);
    const sized = (rescale: number, prediction: PredictionType) =>
      classifierFreeGuidance(other, { weight: 5, rescale, prediction })(bold)(x, level, context);
    const free = classifierFreeGuidance(other, { weight: 5 })(bold)(x, level, context);
    const wanted = bold(x, level, context);
    expect(largest(spread(sized(1, 'epsilon').eps), spread(wanted.eps))).toBeLessThan(1e-12);
    expect(largest(spread(sized(1, 'x0').x0), spread(wanted.x0))).toBeLessThan(1e-12);
    expect(largest(spread(free.eps), spread(wanted.eps))).toBeGreaterThan(0.1);
    const share = add(mul(div(spread(wanted.eps), spread(free.eps)), 0.7), 0.3) as Tensor;
    const factor = reshape(share, [3, 1]) as Tensor;
    expect(largest(sized(0.7, 'epsilon').eps, mul(free.eps, factor) as Tensor)).toBeLessThan(1e-12);
  });

  it('in an interval is none outside of it', () => {
    const guide = (interval?: { ratio: [number, number] }): Denoiser =>
      classifierFreeGuidance(other, interval === undefined ? { weight: 4 } : { weight: 4, interval })(plain);
    const limited = guide({ ratio: [0.5, 5] });
    for (const [sigma, from] of [
      [0.4, plain],
      [0.5, guide()],
      [5, guide()],
      [5.1, plain],
    ] as const) {
      expect(partsOf(limited, levelOf(1, sigma))).toEqual(partsOf(from, levelOf(1, sigma)));
    }
    const byTime = restrictTo({ time: [10, 20] }, clipDenoised({ range: 0.1 }))(plain);
    expect(partsOf(byTime, levelOf(1, 1, 9))).toEqual(partsOf(plain, levelOf(1, 1)));
    expect(partsOf(byTime, levelOf(1, 1, 20))).toEqual(partsOf(clipDenoised({ range: 0.1 })(plain), levelOf(1, 1)));
  });

  it('in an interval keeps what denoisers say beside the parts, where it holds', () => {
    const logVariance = mul(x, 2) as Tensor;
    const learned: Denoiser = (at, l, c) => ({
      ...plain(at, l, c),
      variance: sin(at) as Tensor,
      mean: at,
      logVariance,
    });
    const some = restrictTo({ ratio: [1, 2] }, classifierGuidance(towards, { on: 'mean' }))(learned);
    const [inside, outside] = [1.5, 3].map(sigma => some(x, levelOf(1, sigma), context));
    expect(inside!.gradient!.toArray()).toEqual(towards(x).toArray());
    expect(outside!.gradient!.toArray()).toEqual(zeros([3, 4]).toArray());
    expect(outside!.variance!.toArray()).toEqual(sin(x).toArray());
    expect(inside!.mean!.toArray()).toEqual(x.toArray());
    expect([inside, outside].map(each => each!.logVariance!.toArray())).toEqual(Array(2).fill(logVariance.toArray()));
    // A mean that was predicted is not that of a sample that is guided, or clipped.
    const changing = [
      classifierFreeGuidance(other, { weight: 2 }),
      clipDenoised({ range: 0.1, keepNoise: true }),
      consistencyBoundary(),
    ];
    for (const modify of changing) expect('mean' in modify(learned)(x, levelOf(1, 1), context)).toBe(false);
  });
});

describe('known elements', () => {
  const samplers: Readonly<Record<string, Sampler>> = {
    ddim: ddim(),
    'ddim, with noise': ddim({ eta: 1 }),
    heun: heun(),
    euler: euler(),
  };
  const known = f64([1, 2, 3, 4]);
  const filled = inpainting(known, mask)(plain);
  const steps = levelsAt(flowProcess(), [1, 0.8, 0.5, 0.2, 0.1]);

  for (const [name, sampler] of Object.entries(samplers)) {
    it(`are exact at the end: ${name}`, () => {
      const end = sample(sampler, filled, steps, x, { key: key(1) }).toArray() as number[][];
      for (const row of end) expect([row[0], row[3]]).toEqual([1, 4]);
    });
  }

  it('go the straight way there', () => {
    const seen = sampleSteps(ddim(), filled, steps, x).x;
    const noise = x.toArray() as number[][];
    const sigmas = steps.sigma.toArray() as number[];
    (seen.toArray() as number[][][]).forEach((samples, step) => {
      for (const [i, row] of samples.entries()) {
        const sigma = sigmas[step + 1]!;
        expect(row[0]!).toBeCloseTo((1 - sigma) * 1 + sigma * noise[i]![0]!, 12);
        expect(row[3]!).toBeCloseTo((1 - sigma) * 4 + sigma * noise[i]![3]!, 12);
      }
    });
  });

  it('leave the other elements alone where these know nothing of them', () => {
    const free = sample(heun(), plain, steps, x).toArray() as number[][];
    const held = sample(heun(), filled, steps, x).toArray() as number[][];
    expect(held.map(row => row.slice(1, 3))).toEqual(free.map(row => row.slice(1, 3)));
  });

  it('give the conditional distribution of correlated Gaussians, when steps are repeated', () => {
    const [rho, value, count] = [0.8, 1.5, 4000] as const;
    // x₀ = Σ (Σ + σ²)⁻¹ x for unit variances and the correlation ρ.
    const pair: Denoiser = (at, level) => {
      const { sigma } = level;
      const [a, b] = [slice(at, [0, 0], [count, 1]), slice(at, [0, 1], [count, 2])] as unknown as [Tensor, Tensor];
      const v = add(1, square(sigma)) as Tensor;
      const determinant = sub(square(v), rho * rho) as Tensor;
      const own = div(sub(v, rho * rho), determinant) as Tensor;
      const cross = div(mul(rho, square(sigma)), determinant) as Tensor;
      const x0 = concat([combine([own, a], [cross, b]), combine([own, b], [cross, a])], { axis: 1 }) as Tensor;
      return { x0, eps: combine([div(1, sigma) as Tensor, at], [div(-1, sigma) as Tensor, x0]) };
    };
    const ratios = Array.from({ length: 40 }, (_, i) => 20 * (0.01 / 20) ** (i / 39));
    const going = levelsOf(edmProcess(), ratios);
    const held = inpainting(f64([value, 0]), tensor([true, false]) as Tensor)(pair);
    const ends = (n: number): Tensor => {
      const given = { key: key(3), dtype: 'float64' } as const;
      return slice(
        sample(repeatSteps(n, ddim({ eta: 1 })), held, going, [count, 2], given),
        [0, 1],
        [count, 2],
      ) as Tensor;
    };
    const again = ends(12);
    // Standard errors are 0.01: the conditional distribution is N(ρ k, 1 − ρ²).
    expect(Math.abs(Number(mean(again).item()) - rho * value)).toBeLessThan(0.06);
    expect(Math.abs(Number(std(again).item()) - Math.sqrt(1 - rho * rho))).toBeLessThan(0.06);
    expect(Math.abs(Number(mean(ends(1)).item()) - rho * value)).toBeGreaterThan(0.1);
  });

  it('may come with the inputs', () => {
    const given = inpainting<{ image: Tensor; mask: Tensor }>(
      inputs => inputs.image,
      inputs => inputs.mask,
    )(plain as Denoiser<{ image: Tensor; mask: Tensor }>);
    const inputs = { image: known, mask };
    const level = levelOf(0.6, 0.8);
    expect(given(x, level, { ...context, inputs }).x0.toArray()).toEqual(filled(x, level, context).x0.toArray());
  });

  it('that do not fit are refused', () => {
    const bad = (a: Tensor, b: Tensor) => caught(() => inpainting(a, b)(plain)(x, levelOf(0.6, 0.8), context));
    expect(bad(zeros([5], { dtype: 'float64' }) as Tensor, mask)).toMatchObject({ operation: 'inpainting' });
    expect(bad(known, zeros([2, 3, 4], { dtype: 'bool' }) as Tensor)).toMatchObject({ operation: 'inpainting' });
    expect(bad(zeros([4]) as Tensor, mask)).toMatchObject({ operation: 'inpainting', name: 'DTypeError' });
    expect(bad(known, zeros([4], { dtype: 'int32' }) as Tensor)).toMatchObject({ name: 'DTypeError' });
  });
});

describe('reconstruction guidance', () => {
  const curved: Denoiser = (at, level) => {
    const x0 = sin(add(mul(at, 0.7), mul(reshape(total(at), [3, 1]), 0.1))) as Tensor;
    return {
      x0,
      eps: combine([div(1, level.sigma) as Tensor, at], [div(mul(level.alpha, -1), level.sigma) as Tensor, x0]),
    };
  };
  const target = f64([0.3, -2, 1]);
  const level = levelOf(0.6, 0.8);
  const guided = reconstructionGuidance(total, target, { scale: 0.4 })(curved);

  it('adds the gradient of the distance through the denoiser, as central differences have it', () => {
    const before = curved(x, level, context);
    const values = Array.from(x.dataSync(), Number);
    const distance = (at: number[], sampleAt: number): number => {
      const measured = total(curved(reshape(f64(at), [3, 4]) as Tensor, level, context).x0);
      return Math.abs(Number(target.dataSync()[sampleAt]) - Number(measured.dataSync()[sampleAt]));
    };
    const moved = Array.from(sub(guided(x, level, context).eps, before.eps).dataSync(), Number);
    for (const at of [0, 5, 11]) {
      const by = (h: number) => values.with(at, values[at]! + h);
      const row = Math.floor(at / 4);
      const difference = (distance(by(1e-5), row) - distance(by(-1e-5), row)) / 2e-5;
      expect(Math.abs(difference)).toBeGreaterThan(1e-3);
      expect(moved[at]).toBeCloseTo(0.8 * 0.4 * difference, 8);
    }
  });

  it('is none where the measurement is met', () => {
    const met = reconstructionGuidance(total, total(curved(x, level, context).x0))(curved);
    expect(partsOf(met, level)).toEqual(partsOf(curved, level));
  });

  it('brings samples to their measurement', () => {
    const steps = levelsOf(edmProcess(), [20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05]);
    const far = (denoise: Denoiser): number =>
      largest(total(sample(ddim(), denoise, steps, mul(x, 20) as Tensor)), f64([4, 4, 4]));
    expect(far(reconstructionGuidance(total, f64([4, 4, 4]), { scale: 4 })(plain))).toBeLessThan(0.5 * far(plain));
  });

  it('differentiates, and refuses measurements unlike the target', () => {
    const loss = (at: Tensor): Tensor => sum(square(guided(at, level, context).x0)) as Tensor;
    expect(Array.from(grad(loss)(x).dataSync(), Number).every(Number.isFinite)).toBe(true);
    const bad = reconstructionGuidance(x0 => x0, target)(curved);
    expect(caught(() => bad(x, level, context))).toMatchObject({
      operation: 'reconstructionGuidance',
      name: 'ShapeError',
    });
  });
});

describe('products', () => {
  const level = levelOf(0.6, 0.8);

  it('of a base and one expert are classifier-free guidance', () => {
    const product = productOfExperts([plain], [3], { base: other });
    const guided = classifierFreeGuidance(other, { weight: 3 })(plain);
    expect(partsOf(product, level)).toEqual(partsOf(guided, level));
  });

  it('add scores up', () => {
    const product = productOfExperts([plain, other, plain], [0.5, 2, 1]);
    const score = (denoise: Denoiser): Tensor => denoise(x, level, context).eps;
    const sums = combine([1.5, score(plain)], [2, score(other)]);
    expect(largest(score(product), sums)).toBeLessThan(1e-12);
  });

  it('of weights that add up to 1 need no signal', () => {
    const none = levelOf(0, 1);
    const product = productOfExperts([plain, other], [0.25, 0.75])(x, none, context);
    expect(largest(product.x0, mul(ones([3, 4]), 0.25 * 0.5 - 0.75) as unknown as Tensor)).toBeLessThan(1e-12);
  });
});

it('inputs are replaced or mapped', () => {
  const echo: Denoiser<Tensor> = (at, _, { inputs }) => ({ x0: mul(at, inputs) as Tensor, eps: stopGradient(at) });
  const told = { inputs: f64(2), previous: context.previous };
  const of = (modify: DenoiserModifier<Tensor>): Tensor => modify(echo)(x, levelOf(1, 1), told).x0;
  expect(largest(of(withInputs<Tensor>(f64(5))), mul(x, 5) as Tensor)).toBe(0);
  expect(largest(of(withInputs<Tensor>(inputs => mul(inputs, 3) as Tensor)), mul(x, 6) as Tensor)).toBe(0);
});
