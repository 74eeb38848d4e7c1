import { add, concat, mul, slice, type Tensor, tensor, zeros } from 'tenfold';
import {
  approxStandardNormalCdf,
  calcBpdLoop,
  cosineBetas,
  discretizedGaussianLogLikelihood,
  gaussianDiffusion,
  type LossType,
  type MeanType,
  type Model,
  normalKl,
  priorBpd,
  qPosteriorMeanVariance,
  qSample,
  timestepNoise,
  trainingLosses,
  vbTermsBpd,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const diffusion = gaussianDiffusion(cosineBetas(6));
const steps = (...t: number[]): Tensor => tensor(t, { dtype: 'int32' });
const model: Model = x => mul(x, 0.4);
const narrow: Model = x => slice(x, [0, 0], [2, 2]);
const x = mul(normal(key(1), [2, 3], { dtype: 'float64' }), 0.3);
const noise = normal(key(2), [2, 3], { dtype: 'float64' });
const bad = zeros([2, 4], { dtype: 'float64' });
const t = steps(0, 4);

describe('a bad call names the function, the shapes and the rule', () => {
  const shapes = ['float64[2, 3]', 'float64[2, 4]'];
  const both = ['float64[2, 3]', 'int32[1]'];
  it.each<[string, () => unknown, string, readonly string[]]>([
    ['trainingLosses', () => trainingLosses(diffusion, model, x, t, { noise: bad }), 'ShapeError', shapes],
    ['trainingLosses', () => trainingLosses(diffusion, model, x, steps(1), { noise }), 'ShapeError', both],
    [
      'trainingLosses',
      () => trainingLosses(diffusion, narrow, x, t, { noise }),
      'ShapeError',
      ['float64[2, 2]', 'x float64[2, 3]'],
    ],
    ['trainingLosses', () => trainingLosses(diffusion, model, x, t, {}), 'ArgumentError', ['neither']],
    ['vbTermsBpd', () => vbTermsBpd(diffusion, model, x, bad, t), 'ShapeError', shapes],
    ['vbTermsBpd', () => vbTermsBpd(diffusion, narrow, x, x, t), 'ShapeError', ['float64[2, 2]', 'x float64[2, 3]']],
    ['priorBpd', () => priorBpd(diffusion, tensor(1)), 'ShapeError', ['float32[]']],
    ['priorBpd', () => priorBpd(diffusion, steps(1)), 'DTypeError', ['int32[1]']],
    [
      'calcBpdLoop',
      () => calcBpdLoop(diffusion, model, x, { noise }),
      'ShapeError',
      ['noise float64[2, 3]', 'samples float64[2, 3]'],
    ],
    ['calcBpdLoop', () => calcBpdLoop(diffusion, model, x, {}), 'ArgumentError', ['neither']],
    ['calcBpdLoop', () => calcBpdLoop(diffusion, model, steps(1), { key: key(0) }), 'DTypeError', ['int32[1]']],
    ['normalKl', () => normalKl(x, 0, bad, 0), 'ShapeError', ['[2, 3]', '[2, 4]']],
    ['normalKl', () => normalKl(1, 0, 2, 0), 'ArgumentError', ['only numbers (1, 0, 2, 0)']],
    ['normalKl', () => normalKl(x, null as never, 0, 0), 'ArgumentError', ['logVariance1 of type null']],
    ['approxStandardNormalCdf', () => approxStandardNormalCdf('1' as never), 'ArgumentError', ['x of type string']],
    [
      'discretizedGaussianLogLikelihood',
      () => discretizedGaussianLogLikelihood(x, { means: bad, logScales: x }),
      'ShapeError',
      shapes,
    ],
  ])('%s %#', (operation, f, tag, given) => {
    const error = caught(f);
    expect(error._tag).toBe(tag);
    expect(error.operation).toBe(operation);
    for (const part of given) expect(error.given).toContain(part);
    expect(error.rule).not.toBe('');
    expect(error.hint).not.toBe('');
  });
});

describe('trainingLosses', () => {
  it('are 0 for a network that knows', () => {
    const xT = qSample(diffusion, x, t, noise);
    const answers: Readonly<Record<MeanType, Tensor>> = {
      epsilon: noise,
      startX: x,
      previousX: qPosteriorMeanVariance(diffusion, x, xT, t).mean,
    };
    for (const meanType of ['epsilon', 'startX', 'previousX'] as const) {
      const process = gaussianDiffusion(cosineBetas(6), { meanType });
      const losses = trainingLosses(process, () => answers[meanType], x, t, { noise });
      expect(losses).toEqual({ loss: losses.mse, mse: losses.mse });
      expect(losses.loss.toArray()).toEqual([0, 0]);
    }
  });

  it('rescale as they say', () => {
    const learned: Model = z => concat([mul(z, 0.4), mul(z, 0.1)], { axis: 1 });
    const of = (lossType: LossType) => {
      const process = gaussianDiffusion(cosineBetas(6), { lossType, varianceType: 'learnedRange' });
      return trainingLosses(process, learned, x, t, { noise });
    };
    const [mse, rescaledMse, kl, rescaledKl] = [of('mse'), of('rescaledMse'), of('kl'), of('rescaledKl')];
    close(mse.vb!, kl.loss.toArray(), 1e-15);
    close(rescaledMse.vb!, mul(kl.loss as Tensor, 6 / 1000).toArray() as number[], 1e-15);
    close(rescaledKl.loss, mul(kl.loss as Tensor, 6).toArray() as number[], 1e-15);
    close(mse.loss, add(mse.mse as Tensor, mse.vb as Tensor).toArray() as number[], 1e-15);
    expect(Object.keys(kl)).toEqual(['loss']);
  });

  it('draw from a key by sample and timestep', () => {
    const keyed = trainingLosses(diffusion, model, x, t, { key: key(5) });
    const given = trainingLosses(diffusion, model, x, t, { noise: timestepNoise(key(5), x, t) });
    expect(keyed.loss.toArray()).toEqual(given.loss.toArray());
    const second = trainingLosses(diffusion, model, slice(x, [1, 0], [2, 3]), steps(4), {
      key: key(5),
      firstSample: 1,
    });
    expect(second.loss.toArray()).toEqual([keyed.loss.toArray()[1]]);
  });

  it('leave their arguments alone, and are frozen', () => {
    const before = [x, t, noise].map(each => each.toArray());
    const losses = trainingLosses(diffusion, model, x, t, Object.freeze({ noise }));
    losses.loss.toArray();
    expect(Object.isFrozen(losses)).toBe(true);
    expect([x, t, noise].map(each => each.toArray())).toEqual(before);
  });
});

describe('the bound', () => {
  it('in a loop is its terms', () => {
    const whole = calcBpdLoop(diffusion, model, x, { key: key(3), clipDenoised: false });
    const columns = [5, 4, 3, 2, 1, 0].map(step => {
      const at = steps(step, step);
      const xT = qSample(diffusion, x, at, timestepNoise(key(3), x, at));
      return vbTermsBpd(diffusion, model, x, xT, at, { clipDenoised: false }).output.toArray();
    });
    const rows = [0, 1].map(i => columns.map(column => column[i]!));
    expect(whole.vb.toArray()).toEqual(rows);
    const prior = priorBpd(diffusion, x).toArray();
    expect(whole.priorBpd.toArray()).toEqual(prior);
    close(
      whole.totalBpd,
      rows.map((row, i) => row.reduce((sum, term) => sum + term, prior[i]!)),
      1e-13,
    );
    expect(whole.mse.shape).toEqual([2, 6]);
  });

  it('gives a sample the same bits in any batch', () => {
    const all = calcBpdLoop(diffusion, model, x, { key: key(3) });
    const one = calcBpdLoop(diffusion, model, slice(x, [1, 0], [2, 3]), { key: key(3), firstSample: 1 });
    expect(one.totalBpd.toArray()).toEqual([all.totalBpd.toArray()[1]]);
  });
});

describe('likelihoods', () => {
  it('of all 8-bit values add up to 1', () => {
    const values = Float64Array.from({ length: 256 }, (_, k) => k / 127.5 - 1);
    for (const [mean, logScale] of [
      [0, -1],
      [0.3, -4],
      [-0.99, -3],
    ] as const) {
      const [means, logScales] = [values.map(() => mean), values.map(() => logScale)].map(each => tensor(each));
      const logs = discretizedGaussianLogLikelihood(tensor(values), { means: means!, logScales: logScales! });
      expect(logs.dataSync().reduce((sum, log) => sum + Math.exp(log), 0)).toBeCloseTo(1, 7);
    }
  });

  it('stay finite however unlikely', () => {
    const [value, means, logScales] = [
      [-1, 0, 1],
      [1, 1, -1],
      [-7, -7, -7],
    ].map(each => tensor(each));
    const logs = discretizedGaussianLogLikelihood(value!, { means: means!, logScales: logScales! });
    close(
      logs,
      Array.from({ length: 3 }, () => Math.log(1e-12)),
    );
  });

  it('take numbers among tensors', () => {
    close(normalKl(0, 0, tensor([1, 2]), 0), [0.5, 2]);
    close(normalKl(0, tensor([0]), 0, Math.log(2)), [0.5 * (Math.log(2) - 0.5)]);
    expect(normalKl(x, 0, 0, 0).dtype).toBe('float64');
    expect(normalKl(0, 0, 0, tensor([1, 2])).dtype).toBe('float32');
  });

  it('has a distribution function that saturates', () => {
    const far = tensor([-40, -7.5, 7.5, 40, Number.NaN], { dtype: 'float64' });
    expect(approxStandardNormalCdf(far).toArray()).toEqual([0, 0, 1, 1, Number.NaN]);
  });
});
