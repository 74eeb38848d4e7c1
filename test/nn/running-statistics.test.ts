/** Options of batch and instance normalisation, against PyTorch's formulas in plain numbers. */
import { grad, jit, mul, square, sum, type Tensor, tensor, zeros } from 'tenfold';
import { batchNorm, instanceNorm, loadStateDict, type RunningStatistics, stateDict } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';
import { asDifferences, float64 } from './differences.js';

const [n, channels, length] = [3, 2, 4];
const x = normal(key(1), [n, channels, length], { dtype: 'float64' }) as Tensor;
const rows = x.toArray() as number[][][];
const affine = { weight: tensor([0.5, -2]), bias: tensor([1, 3]) };
const epsilon = 1e-3;

const meanOf = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0) / values.length;
const varianceOf = (values: readonly number[], ddof: 0 | 1): number =>
  values.reduce((s, v) => s + (v - meanOf(values)) ** 2, 0) / (values.length - ddof);

/** What is normalised together with an element: its channel in all examples, or in its own. */
const together = {
  batchNorm: (c: number) => rows.flatMap(row => row[c]!),
  instanceNorm: (c: number, i: number) => rows[i]![c]!,
};

/** `(x − mean) / √(variance + ε)`, for statistics of a channel of an example. */
const normal01 = (statistics: (c: number, i: number) => readonly [number, number]): number[][][] =>
  rows.map((row, i) =>
    row.map((values, c) => {
      const [mean, variance] = statistics(c, i);
      return values.map(v => (v - mean) / Math.sqrt(variance + epsilon));
    }),
  );

const placed = (y: number[][][]): number[][][] =>
  y.map(row => row.map((values, c) => values.map(v => v * [0.5, -2][c]! + [1, 3][c]!)));

const running = { runningMean: tensor([0.25, -1]), runningVariance: tensor([4, 0.5]) };

describe.each(['batchNorm', 'instanceNorm'] as const)('%s', name => {
  const make = { batchNorm, instanceNorm }[name] as typeof batchNorm;
  const own = normal01((c, i) => [meanOf(together[name](c, i)), varianceOf(together[name](c, i), 0)]);
  const kept = normal01(c => [[0.25, -1][c]!, [4, 0.5][c]!]);

  it('without scale and shift', () => {
    const layer = make(channels, { affine: false, trackRunningStats: true, epsilon });
    expect(layer.init(key(0))).toMatchObject({ runningMean: { shape: [2] }, runningVariance: { shape: [2] } });
    expect(Object.keys(layer.init(key(0)))).toHaveLength(2);
    close(layer.apply(running, x), kept);
    const { y, params } = layer.train(running, x);
    close(y, own, 1e-9);
    expect(Object.keys(params).sort()).toEqual(['runningMean', 'runningVariance']);
  });

  it('without running statistics, by those of what is given, in training or not', () => {
    const layer = make(channels, { affine: true, trackRunningStats: false, epsilon });
    expect(Object.keys(layer.init(key(0))).sort()).toEqual(['bias', 'weight']);
    close(layer.apply(affine, x), placed(own), 1e-9);
    const { y, params } = layer.train(affine, x);
    close(y, placed(own), 1e-9);
    expect(params).toBe(affine);
    const bare = make(channels, { affine: false, trackRunningStats: false, epsilon });
    expect(bare.init(key(0))).toEqual({});
    close(bare.apply({}, x), own, 1e-9);
    close(jit(bare.apply)({}, x), own, 1e-9);
  });

  it('with running statistics: a share of the batch’s, in float32 as they were; the mean over examples that have their own', () => {
    const layer = make(channels, { affine: true, trackRunningStats: true, epsilon, momentum: 0.3 });
    const start = { ...affine, ...running };
    close(layer.apply(start, x), placed(kept));
    const { y, params } = layer.train(start, x);
    close(y, placed(own), 1e-9);
    const each = (f: (values: readonly number[]) => number): number[] =>
      [0, 1].map(c => meanOf(rows.map((_, i) => f(together[name](c, i)))));
    const moved = (old: readonly number[], batch: readonly number[]): number[] =>
      batch.map((value, c) => 0.7 * old[c]! + 0.3 * value);
    close(params.runningMean, moved([0.25, -1], each(meanOf)), 1e-6);
    close(
      params.runningVariance,
      moved(
        [4, 0.5],
        each(values => varianceOf(values, 1)),
      ),
      1e-6,
    );
    expect(params.runningMean.dtype).toBe('float32');
    expect([params.weight, params.bias]).toEqual([affine.weight, affine.bias]);
  });

  it('has derivatives as differences say: of parameters, of x through statistics of its own and past running ones', () => {
    const weights = normal(key(2), [n, channels, length], { dtype: 'float64' });
    const loss = (y: Tensor): Tensor => sum(square(mul(y, weights))) as Tensor;
    const tracking = make(channels, { affine: true, trackRunningStats: true, epsilon });
    const plain = make(channels, { affine: true, trackRunningStats: false, epsilon });
    const kept = float64(running);
    asDifferences(({ p, v }) => loss(plain.apply(p, v)), { p: affine, v: x });
    asDifferences(({ p, v }) => loss(tracking.train({ ...p, ...kept }, v).y), { p: affine, v: x });
    asDifferences(({ p, v }) => loss(tracking.apply({ ...p, ...kept }, v)), { p: affine, v: x });
    const slopes = grad((p: RunningStatistics) => loss(tracking.apply({ ...affine, ...p }, x)))(running);
    close(slopes.runningMean, [0, 0]);
    close(slopes.runningVariance, [0, 0]);
  });

  it('takes PyTorch’s state, and gives it back without the count of batches', () => {
    const layer = make(channels, { affine: true, trackRunningStats: true });
    const state = {
      weight: affine.weight,
      bias: affine.bias,
      running_mean: running.runningMean,
      running_var: running.runningVariance,
    };
    const loaded = loadStateDict(layer, { ...state, num_batches_tracked: tensor(7, { dtype: 'int32' }) });
    expect(loaded).toMatchObject({ right: { ...affine, ...running } });
    expect(stateDict(layer, { ...affine, ...running })).toEqual(state);
    const bare = make(channels, { affine: true, trackRunningStats: false });
    expect(loadStateDict(bare, { ...affine, num_batches_tracked: tensor(7) })).toMatchObject({
      left: { unexpected: ['num_batches_tracked'] },
    });
    expect(loadStateDict(layer, { ...state, count: tensor(7) })).toMatchObject({ left: { unexpected: ['count'] } });
  });
});

describe('refusals and types', () => {
  it('what is alone has no statistics, but may be normalised by running ones', () => {
    const one = zeros([1, 2]) as Tensor;
    const plain = batchNorm(2, { trackRunningStats: false });
    expect(caught(() => plain.apply(plain.init(key(0)), one)).message).toMatch(/batchNorm: got float32\[1, 2\]/);
    const tracking = instanceNorm(2, { trackRunningStats: true });
    const params = tracking.init(key(0));
    expect(tracking.apply(params, zeros([3, 2, 1])).shape).toEqual([3, 2, 1]);
    expect(caught(() => tracking.train(params, zeros([3, 2, 1]))).message).toMatch(/instanceNorm: got/);
    expect(caught(() => tracking.train(params, zeros([0, 2, 5]))).message).toMatch(/instanceNorm: got float32\[0/);
  });

  it('types say which parameters there are', () => {
    expectTypeOf(batchNorm(2).init(key(0)).runningMean).toEqualTypeOf<Tensor>();
    expectTypeOf(batchNorm(2, { affine: false }).init(key(0))).toEqualTypeOf<RunningStatistics>();
    // @ts-expect-error there are no running statistics
    expect(batchNorm(2, { trackRunningStats: false }).init(key(0)).runningMean).toBeUndefined();
    expectTypeOf(instanceNorm(2, { trackRunningStats: true }).init(key(0))).toEqualTypeOf<RunningStatistics>();
    const y = instanceNorm(2, { affine: true }).apply(affine, zeros([3, 2, 4]));
    expectTypeOf(y.shape).toEqualTypeOf<readonly [3, 2, 4]>();
    expectTypeOf(instanceNorm(2).train({}, zeros([3, 2, 4])).y.shape).toEqualTypeOf<readonly [3, 2, 4]>();
    // @ts-expect-error there are 3 channels
    expect(() => instanceNorm(2).train({}, zeros([3, 3, 4]))).toThrow(/instanceNorm/);
  });
});
