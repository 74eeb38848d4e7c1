import { type DType, type Shape, type Tensor, tensor, vmap, zeros } from 'tenfold';
import {
  cosineBetas,
  extract,
  type GaussianDiffusionOptions,
  gaussianDiffusion,
  linearBetas,
  modelTimesteps,
  predictEpsFromXStart,
  predictXStartFromEps,
  predictXStartFromXPrev,
  qMeanVariance,
  qPosteriorMeanVariance,
  qSample,
  respace,
  spaceTimesteps,
  timestepNoise,
} from 'tenfold/diffusion';
import { foldIn, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const diffusion = gaussianDiffusion(cosineBetas(12));
const steps = (...t: number[]): Tensor => tensor(t, { dtype: 'int32' });
const [x, y, bad] = [
  tensor(
    [
      [0.5, -1, 2],
      [1, 0, -0.25],
    ],
    { dtype: 'float64' },
  ),
  tensor(
    [
      [0.25, 1, -2],
      [0.125, 3, 1],
    ],
    { dtype: 'float64' },
  ),
  zeros([2, 4], { dtype: 'float64' }),
];

describe('a bad call names the function, the shapes and the rule', () => {
  const shapes = ['float64[2, 3]', 'float64[2, 4]'];
  it.each<[string, () => unknown, string, readonly string[]]>([
    ['qSample', () => qSample(diffusion, x, steps(1, 2), bad), 'ShapeError', shapes],
    ['qPosteriorMeanVariance', () => qPosteriorMeanVariance(diffusion, x, bad, steps(1, 2)), 'ShapeError', shapes],
    ['predictXStartFromEps', () => predictXStartFromEps(diffusion, x, steps(1, 2), bad), 'ShapeError', shapes],
    ['predictEpsFromXStart', () => predictEpsFromXStart(diffusion, x, steps(1, 2), bad), 'ShapeError', shapes],
    ['predictXStartFromXPrev', () => predictXStartFromXPrev(diffusion, x, steps(1, 2), bad), 'ShapeError', shapes],
    ['qMeanVariance', () => qMeanVariance(diffusion, x, steps(1)), 'ShapeError', ['float64[2, 3]', 'int32[1]']],
    ['extract', () => extract([1, 2], steps(1), x), 'ShapeError', ['float64[2, 3]', 'int32[1]']],
    ['modelTimesteps', () => modelTimesteps(diffusion, steps(1), x), 'ShapeError', ['float64[2, 3]', 'int32[1]']],
    ['timestepNoise', () => timestepNoise(key(0), x, steps(1)), 'ShapeError', ['float64[2, 3]', 'int32[1]']],
    ['qMeanVariance', () => qMeanVariance(diffusion, x, tensor([1, 2])), 'DTypeError', ['float32[2]']],
    ['qMeanVariance', () => qMeanVariance(diffusion, steps(1, 2), steps(1, 2)), 'DTypeError', ['xStart int32[2]']],
    ['qMeanVariance', () => qMeanVariance(diffusion, tensor(1), steps()), 'ShapeError', ['float32[]', 'int32[0]']],
    ['qMeanVariance', () => qMeanVariance(diffusion, 1 as never, steps(1)), 'ArgumentError', ['xStart', 'number']],
    [
      'qSample',
      () => qSample(diffusion, x, steps(1, 2), zeros([2, 3])),
      'DTypeError',
      ['float64[2, 3]', 'float32[2, 3]'],
    ],
    ['qSample', () => qSample(diffusion, x, 3 as never, y), 'ArgumentError', ['t of type number']],
    ['timestepNoise', () => timestepNoise(key(0), x, steps(1, 2), -1), 'IndexError', ['firstSample -1']],
    ['gaussianDiffusion', () => gaussianDiffusion([0.1]), 'ScheduleError', ['a single beta']],
    [
      'gaussianDiffusion',
      () => gaussianDiffusion([0.1, 0.2], { timestepMap: [0] }),
      'ScheduleError',
      ['1 entries for 2'],
    ],
    ['gaussianDiffusion', () => gaussianDiffusion([0.1, 0.2], { timestepMap: [0, 2] }), 'ScheduleError', ['2 entries']],
    ['gaussianDiffusion', () => gaussianDiffusion([0.1, 0.2], { timestepMap: [1, 0] }), 'ScheduleError', ['2 entries']],
    ['respace', () => respace(diffusion, [3]), 'ScheduleError', ['a single beta']],
    ['respace', () => respace(diffusion, [0, 12]), 'ScheduleError', ['timestep 12 of 12']],
  ])('%s %#', (operation, f, tag, given) => {
    const error = caught(f);
    expect(error._tag).toBe(tag);
    expect(error.operation).toBe(operation);
    for (const part of given) expect(error.given).toContain(part);
    expect(error.rule).not.toBe('');
    expect(error.hint).not.toBe('');
  });

  it.each<[keyof GaussianDiffusionOptions, string]>([
    ['meanType', 'epsilon, startX, previousX'],
    ['varianceType', 'fixedSmall, fixedLarge, learned, learnedRange'],
    ['lossType', 'mse, rescaledMse, kl, rescaledKl'],
  ])('an unknown %s', (name, choices) => {
    for (const value of ['EPSILON', 'toString', 1]) {
      const error = caught(() => gaussianDiffusion([0.1, 0.2], { [name]: value }));
      expect(error._tag).toBe('ArgumentError');
      expect(error.message).toContain(`gaussianDiffusion: got the ${name}`);
      expect(error.rule).toContain(choices);
    }
  });
});

describe('gaussianDiffusion', () => {
  it('is frozen data with defaults', () => {
    const mine = [0.1, 0.2];
    const value = gaussianDiffusion(mine);
    mine[0] = 0.9;
    expect(value.betas).toEqual([0.1, 0.2]);
    expect(value).toMatchObject({ meanType: 'epsilon', varianceType: 'fixedSmall', lossType: 'mse' });
    expect(value).toMatchObject({ numTimesteps: 2, originalNumSteps: 2, timestepMap: [0, 1], rescaleTimesteps: false });
    expect(Object.isFrozen(value)).toBe(true);
    for (const part of Object.values(value)) expect(Object.isFrozen(part)).toBe(true);
  });

  it('respaced twice is respaced once', () => {
    const whole = gaussianDiffusion(linearBetas(100), { meanType: 'startX', rescaleTimesteps: true });
    const twice = respace(respace(whole, spaceTimesteps(100, 'ddim20')), [1, 3, 19]);
    const once = respace(whole, [5, 15, 95]);
    expect(twice.timestepMap).toEqual([5, 15, 95]);
    expect(twice.originalNumSteps).toBe(100);
    expect(twice.meanType).toBe('startX');
    close(twice.betas, once.betas, 1e-13);
    expect(respace({ betas: linearBetas(100) }, [5, 15, 95]).betas).toEqual(once.betas);
  });

  it('shows the network its own timesteps', () => {
    const whole = gaussianDiffusion(linearBetas(100));
    const t = steps(0, 2);
    expect(modelTimesteps(whole, t, x)).toBe(t);
    const spaced = modelTimesteps(respace(whole, [5, 15, 95]), t, x);
    expect(spaced.dtype).toBe('int32');
    expect(spaced.toArray()).toEqual([5, 95]);
    const rescaled = modelTimesteps(respace({ ...whole, rescaleTimesteps: true }, [5, 15, 95]), t, x);
    expect(rescaled.dtype).toBe('float64');
    expect(rescaled.toArray()).toEqual([50, 950]);
  });
});

describe('extract', () => {
  it('rounds float64 coefficients once, and gives NaN outside', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const got = extract([1 / 3, 0.1], steps(1, 0, 2), zeros([3, 2, 2], { dtype }));
      expect(got.shape).toEqual([3, 1, 1]);
      expect(got.dtype).toBe(dtype);
      const exact = dtype === 'float64' ? (v: number) => v : Math.fround;
      expect(Array.from(got.dataSync())).toEqual([exact(0.1), exact(1 / 3), Number.NaN]);
    }
  });
});

describe('the forward process', () => {
  const t = steps(3, 11);

  it('keeps shape and dtype, for any rank', () => {
    const forms: readonly [Shape, DType][] = [
      [[2], 'float32'],
      [[2, 0], 'float32'],
      [[2, 1, 2, 2], 'float64'],
    ];
    for (const [shape, dtype] of forms) {
      const data = zeros(shape, { dtype });
      const all = [...Object.values(qMeanVariance(diffusion, data, t)), qSample(diffusion, data, t, data)];
      for (const result of all) expect([result.shape, result.dtype]).toEqual([shape, dtype]);
    }
  });

  it('is undone by the predictions', () => {
    const xT = qSample(diffusion, x, t, y);
    close(predictXStartFromEps(diffusion, xT, t, y), x.toArray(), 1e-9);
    close(predictEpsFromXStart(diffusion, xT, t, x), y.toArray(), 1e-9);
    const { mean } = qPosteriorMeanVariance(diffusion, x, xT, t);
    close(predictXStartFromXPrev(diffusion, xT, t, mean), x.toArray(), 1e-9);
  });

  it('leaves its arguments alone', () => {
    const before = [x, y, t].map(each => each.toArray());
    qSample(diffusion, x, t, y).toArray();
    qPosteriorMeanVariance(diffusion, x, y, t).mean.toArray();
    expect([x, y, t].map(each => each.toArray())).toEqual(before);
  });

  it('goes through vmap', () => {
    const one = (a: Tensor, at: Tensor): Tensor => qSample(diffusion, a, at, a);
    const stacked = vmap(one)(
      tensor([x.toArray(), y.toArray()], { dtype: 'float64' }),
      tensor(
        [
          [3, 11],
          [0, 5],
        ],
        { dtype: 'int32' },
      ),
    );
    close(stacked, [one(x, t).toArray(), one(y, steps(0, 5)).toArray()], 1e-15);
  });
});

describe('timestepNoise', () => {
  it('is a function of key, sample and timestep', () => {
    const all = timestepNoise(key(7), zeros([3, 2, 2]), steps(4, 0, 4), 5).toArray() as number[][][];
    [4, 0, 4].forEach((t, i) => {
      expect(all[i]).toEqual(normal(foldIn(foldIn(key(7), 5 + i), t), [2, 2]).toArray());
    });
    expect(all[0]).not.toEqual(all[2]);
    expect(timestepNoise(key(7), x, steps(0, 0)).dtype).toBe('float64');
  });
});
