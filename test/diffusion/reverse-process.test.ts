import {
  add,
  concat,
  cos,
  expandDims,
  grad,
  mul,
  type Shape,
  slice,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import {
  conditionMean,
  conditionScore,
  cosineBetas,
  ddimReverseSample,
  ddimReverseSampleLoop,
  ddimSample,
  ddimSampleLoop,
  ddimSampleTrajectory,
  extract,
  gaussianDiffusion,
  linearBetas,
  type Model,
  pMeanVariance,
  pSample,
  pSampleLoop,
  pSampleTrajectory,
  respace,
  timestepNoise,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

const diffusion = gaussianDiffusion(cosineBetas(6));
const learning = gaussianDiffusion(cosineBetas(6), { varianceType: 'learnedRange' });
const steps = (...t: number[]): Tensor => tensor(t, { dtype: 'int32' });
const draw = (seed: number, shape: Shape): Tensor => normal(key(seed), shape, { dtype: 'float64' });

/** A network with parameters, that mixes nothing between samples. */
const network =
  (a: Tensor | number, b: Tensor | number): Model =>
  (x, t) =>
    add(mul(cos(x), a as number), mul(mul(expandDims(t, 1), x), b as number));
const model = network(0.4, -0.01);
/** The same with learned variances. */
const wide: Model = (x, t, extra) => concat([model(x, t, extra), cos(x)], { axis: 1 });
const pull: Model = x => mul(x, -0.5);

const x = draw(1, [2, 3]);
const t = steps(0, 4);
const key0 = key(0);

describe('a bad call names the function, the shapes and the rule', () => {
  const p = pMeanVariance(diffusion, model, x, t);
  const narrow: Model = y => slice(y, [0, 0], [2, 2]);
  const both = ['float64[2, 3]', 'int32[1]'];
  const noise = { noise: zeros([2, 3], { dtype: 'float64' }) };
  const shortNoise = { noise: zeros([5, 2, 3], { dtype: 'float64' }) };
  const misfit = ['float64[5, 2, 3]', 'float64[2, 3]'];
  it.each<[string, () => unknown, string, readonly string[]]>([
    ['pMeanVariance', () => pMeanVariance(diffusion, model, x, steps(1)), 'ShapeError', both],
    ['pMeanVariance', () => pMeanVariance(diffusion, narrow, x, t), 'ShapeError', ['float64[2, 2]', 'x float64[2, 3]']],
    ['pMeanVariance', () => pMeanVariance(learning, model, x, t), 'ShapeError', ['float64[2, 3]', 'x float64[2, 3]']],
    ['pMeanVariance', () => pMeanVariance(diffusion, wide, x, t), 'ShapeError', ['float64[2, 6]', 'x float64[2, 3]']],
    ['pMeanVariance', () => pMeanVariance(diffusion, () => zeros([2, 3]), x, t), 'DTypeError', ['float32[2, 3]']],
    ['pMeanVariance', () => pMeanVariance(diffusion, () => 1 as never, x, t), 'ArgumentError', ['output of the model']],
    [
      'pMeanVariance',
      () => pMeanVariance(diffusion, model, x, t, { denoisedFn: y => slice(y, [0, 0], [2, 2]) }),
      'ShapeError',
      ['result of denoisedFn float64[2, 2]'],
    ],
    [
      'conditionMean',
      () => conditionMean(diffusion, narrow, p, x, t),
      'ShapeError',
      ['float64[2, 2]', 'float64[2, 3]'],
    ],
    ['conditionMean', () => conditionMean(diffusion, pull, p, x, steps(1)), 'ShapeError', both],
    [
      'conditionScore',
      () => conditionScore(diffusion, narrow, p, x, t),
      'ShapeError',
      ['float64[2, 2]', 'float64[2, 3]'],
    ],
    ['conditionScore', () => conditionScore(diffusion, pull, p, x, steps(1)), 'ShapeError', both],
    ['pSample', () => pSample(diffusion, model, x, steps(1), noise), 'ShapeError', both],
    ['pSample', () => pSample(diffusion, model, x, t, shortNoise), 'ShapeError', misfit],
    ['pSample', () => pSample(diffusion, model, x, t, {}), 'ArgumentError', ['neither noise nor a key']],
    ['pSample', () => pSample(diffusion, model, x, t, { ...noise, key: key0 }), 'ArgumentError', ['both']],
    ['pSample', () => pSample(diffusion, narrow, x, t, noise), 'ShapeError', ['float64[2, 2]', 'float64[2, 3]']],
    ['pSampleLoop', () => pSampleLoop(diffusion, model, x, shortNoise), 'ShapeError', misfit],
    ['pSampleLoop', () => pSampleLoop(diffusion, model, x, {}), 'ArgumentError', ['neither']],
    ['pSampleLoop', () => pSampleLoop(diffusion, model, [2, 3], shortNoise), 'ArgumentError', ['[2, 3] and no key']],
    ['pSampleLoop', () => pSampleLoop(diffusion, model, [2, -3], { key: key0 }), 'ShapeError', ['[2, -3]']],
    ['pSampleLoop', () => pSampleLoop(diffusion, model, tensor(1), { key: key0 }), 'ShapeError', ['float32[]']],
    ['pSampleLoop', () => pSampleLoop(diffusion, narrow, x, { key: key0 }), 'ShapeError', ['float64[2, 2]']],
    ['pSampleTrajectory', () => pSampleTrajectory(diffusion, model, x, shortNoise), 'ShapeError', misfit],
    ['ddimSample', () => ddimSample(diffusion, model, x, steps(1)), 'ShapeError', both],
    ['ddimSample', () => ddimSample(diffusion, model, x, t, { eta: 1, ...shortNoise }), 'ShapeError', misfit],
    ['ddimSample', () => ddimSample(diffusion, model, x, t, { eta: 1 }), 'ArgumentError', ['neither']],
    ['ddimSample', () => ddimSample(diffusion, model, x, t, { eta: -1, ...noise }), 'ArgumentError', ['eta = -1']],
    ['ddimSample', () => ddimSample(diffusion, model, x, t, { eta: 9, ...noise }), 'ArgumentError', ['eta = 9']],
    ['ddimSampleLoop', () => ddimSampleLoop(diffusion, model, [2, 3]), 'ArgumentError', ['[2, 3] and no key']],
    ['ddimSampleLoop', () => ddimSampleLoop(diffusion, model, x, { eta: 1, ...shortNoise }), 'ShapeError', misfit],
    ['ddimSampleTrajectory', () => ddimSampleTrajectory(diffusion, narrow, x), 'ShapeError', ['float64[2, 2]']],
    ['ddimReverseSample', () => ddimReverseSample(diffusion, model, x, steps(1)), 'ShapeError', both],
    ['ddimReverseSampleLoop', () => ddimReverseSampleLoop(diffusion, narrow, x), 'ShapeError', ['float64[2, 2]']],
  ])('%s %#', (operation, f, tag, given) => {
    const error = caught(f);
    expect(error._tag).toBe(tag);
    expect(error.operation).toBe(operation);
    for (const part of given) expect(error.given).toContain(part);
    expect(error.rule).not.toBe('');
    expect(error.hint).not.toBe('');
  });
});

describe('what the network is given', () => {
  it('mapped timesteps, and the further inputs or null', () => {
    const spaced = respace(gaussianDiffusion(linearBetas(100), { rescaleTimesteps: true }), [5, 50]);
    const seen: unknown[] = [];
    const spy: Model<{ readonly y: Tensor } | null> = (z, at, extra) => {
      seen.push(at.toArray(), extra);
      return z;
    };
    const y = steps(7, 8);
    pMeanVariance(spaced, spy, x, steps(0, 1), { modelInputs: { y } });
    ddimSample(spaced, spy, x, steps(1, 1), { condFn: spy });
    expect(seen).toEqual([[50, 500], { y }, [500, 500], null, [500, 500], null]);
  });

  it('is called once by a loop of any length', () => {
    let calls = 0;
    const counting: Model = (z, at, extra) => {
      calls++;
      return model(z, at, extra);
    };
    const long = gaussianDiffusion(linearBetas(200));
    pSampleLoop(long, counting, x, { key: key0 });
    ddimSampleLoop(long, counting, x);
    ddimReverseSampleLoop(long, counting, x);
    expect(calls).toBe(3);
  });
});

describe('steps', () => {
  it('add no noise at t = 0', () => {
    const huge = { noise: mul(draw(2, [2, 3]), 1e6), clipDenoised: false };
    const none = { noise: zeros([2, 3], { dtype: 'float64' }), clipDenoised: false };
    for (const sampler of [pSample, ddimSample]) {
      const [noisy, silent] = [huge, none].map(
        options => sampler(diffusion, model, x, t, { ...options, eta: 1 } as never).sample.toArray() as number[][],
      );
      expect(noisy![0]).toEqual(silent![0]);
      expect(noisy![1]).not.toEqual(silent![1]);
    }
  });

  it('with eta 1 ddim is ancestral sampling with the posterior variance', () => {
    const noise = draw(2, [2, 3]);
    const ancestral = pSample(diffusion, model, x, t, { noise });
    close(
      ddimSample(diffusion, model, x, t, { noise, eta: 1 }).sample,
      ancestral.sample.toArray() as number[][],
      1e-12,
    );
  });

  it('works where the last beta is 1', () => {
    const terminal = gaussianDiffusion([0.1, 0.2, 1], { meanType: 'startX' });
    const sample = ddimSampleLoop(terminal, model, x, { eta: 1, key: key0 });
    for (const value of sample.dataSync()) expect(Number.isFinite(value)).toBe(true);
  });

  it('leave their arguments alone', () => {
    const options = Object.freeze({ noise: draw(2, [2, 3]), condFn: pull, modelInputs: null });
    const before = [x, t, options.noise].map(each => each.toArray());
    const coefficients = JSON.stringify(diffusion);
    pSample(diffusion, model, x, t, options).sample.toArray();
    ddimSample(diffusion, model, x, t, options).sample.toArray();
    expect([x, t, options.noise].map(each => each.toArray())).toEqual(before);
    expect(JSON.stringify(diffusion)).toBe(coefficients);
  });
});

describe('loops', () => {
  it('with a key draw what the key says, step by step', () => {
    const shape = [2, 3] as const;
    let at: Tensor = timestepNoise(key0, zeros(shape), steps(6, 6));
    const noise: Tensor[] = [];
    const start = at;
    for (let step = 5; step >= 0; step--) {
      const now = steps(step, step);
      noise.push(timestepNoise(key0, at, now));
      at = pSample(diffusion, model, at, now, { key: key0 }).sample;
    }
    const keyed = pSampleLoop(diffusion, model, shape, { key: key0 });
    expect(keyed.toArray()).toEqual(at.toArray());
    expect(pSampleLoop(diffusion, model, start, { noise: stack(noise) }).toArray()).toEqual(at.toArray());
    expect(pSampleLoop(diffusion, model, start, { key: key0 }).toArray()).toEqual(at.toArray());
    expect(keyed.dtype).toBe('float32');
    expectTypeOf(keyed).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expectTypeOf(pSampleTrajectory(diffusion, model, start, { key: key0 }).samples.shape).toExtend<Shape>();
    expectTypeOf(ddimSampleLoop(diffusion, model, zeros([2, 3], { dtype: 'float64' }))).toEqualTypeOf<
      Tensor<readonly [2, 3], 'float64'>
    >();
    expect(pSampleLoop(diffusion, model, shape, { key: key0, dtype: 'float64' }).dtype).toBe('float64');
  });

  it('give a sample the same bits in any batch', () => {
    const runs: readonly ((count: number, firstSample: number) => Tensor)[] = [
      (count, firstSample) => pSampleLoop(diffusion, model, [count, 3], { key: key0, firstSample }),
      (count, firstSample) => pSampleLoop(learning, wide, [count, 3], { key: key0, firstSample, condFn: pull }),
      (count, firstSample) => ddimSampleLoop(diffusion, model, [count, 3], { key: key0, firstSample }),
      (count, firstSample) => ddimSampleLoop(diffusion, model, [count, 3], { key: key0, firstSample, eta: 1 }),
    ];
    for (const run of runs) {
      const four = run(4, 0).toArray() as number[][];
      four.forEach((sample, i) => {
        expect(run(1, i).toArray()).toEqual([sample]);
      });
      expect(new Set(four.map(String)).size).toBe(4);
    }
  });

  it('end where their trajectories end', () => {
    const options = { key: key0, eta: 0.5 };
    const pairs = [
      [pSampleLoop(diffusion, model, x, options), pSampleTrajectory(diffusion, model, x, options)],
      [ddimSampleLoop(diffusion, model, x, options), ddimSampleTrajectory(diffusion, model, x, options)],
    ] as const;
    for (const [end, { samples, predXStart }] of pairs) {
      expect([samples.shape, predXStart.shape]).toEqual([
        [6, 2, 3],
        [6, 2, 3],
      ]);
      expect((samples.toArray() as number[][][])[5]).toEqual(end.toArray());
    }
  });

  it('in reverse are the reverse steps', () => {
    let at: Tensor = x;
    for (let step = 0; step < 6; step++) at = ddimReverseSample(diffusion, model, at, steps(step, step)).sample;
    expect(ddimReverseSampleLoop(diffusion, model, x).toArray()).toEqual(at.toArray());
  });

  it('come back to where they came from', () => {
    // For data spread as N(0, s²) the best network is linear, and both ways are one differential equation.
    const long = gaussianDiffusion(cosineBetas(400));
    const weights = long.alphasCumprod.map(alpha => Math.sqrt(1 - alpha) / (1 - 0.75 * alpha));
    const best: Model = (z, at) => mul(z, extract(weights, at, z));
    const options = { clipDenoised: false };
    const noise = ddimReverseSampleLoop(long, best, x, options);
    close(noise, mul(x, 2).toArray() as number[][], 0.1);
    close(ddimSampleLoop(long, best, noise, options), x.toArray() as number[][], 0.05);
  });
});

describe('gradients', () => {
  const parameters = { a: tensor(0.4, { dtype: 'float64' }), b: tensor(-0.01, { dtype: 'float64' }) };
  const target = draw(3, [2, 3]);
  const noise = draw(4, [4, 2, 3]);
  const short = gaussianDiffusion([0.05, 0.1, 0.2, 0.3]);
  it.each([0, 0.7])('go through a ddim loop with eta %d', eta => {
    const loss = ({ a, b }: typeof parameters, start: Tensor): Tensor => {
      const end = ddimSampleLoop(short, network(a, b), start, { eta, noise, clipDenoised: false });
      return sum(square(sub(end as Tensor, target)));
    };
    const central = (f: (h: number) => Tensor): number => {
      const h = 1e-5;
      return (Number(f(h).item()) - Number(f(-h).item())) / (2 * h);
    };
    const { a, b } = grad(loss)(parameters, x);
    close(
      a,
      central(h => loss({ ...parameters, a: add(parameters.a, h) as never }, x)),
      1e-7,
    );
    close(
      b,
      central(h => loss({ ...parameters, b: add(parameters.b, h) as never }, x)),
      1e-7,
    );
    const byStart = grad((start: Tensor) => loss(parameters, start))(x);
    const direction = draw(5, [2, 3]);
    close(
      sum(mul(byStart, direction)),
      central(h => loss(parameters, add(x, mul(direction, h)))),
      1e-7,
    );
  });
});
