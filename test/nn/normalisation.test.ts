import { add, explain, grad, jit, mul, reshape, silu, square, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { batchNorm, groupNorm, instanceNorm, type Layer, layerNorm, rmsNorm } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

type AnyLayer = Layer<object>;

/** Each with an input that it takes: [N, 4, …]. */
const layers: Readonly<Record<string, readonly [AnyLayer, readonly number[]]>> = {
  layerNorm: [layerNorm(5) as AnyLayer, [3, 4, 5]],
  'layerNorm over two axes': [layerNorm([4, 5]) as AnyLayer, [3, 4, 5]],
  'layerNorm without parameters': [layerNorm(5, { affine: false }) as AnyLayer, [3, 4, 5]],
  'layerNorm without a shift': [layerNorm([4, 5], { bias: false }) as AnyLayer, [3, 4, 5]],
  rmsNorm: [rmsNorm(5) as AnyLayer, [3, 4, 5]],
  'rmsNorm without parameters': [rmsNorm(5, { affine: false }) as AnyLayer, [3, 4, 5]],
  groupNorm: [groupNorm(2, 4) as AnyLayer, [3, 4, 5]],
  'groupNorm of vectors': [groupNorm(2, 4) as AnyLayer, [3, 4]],
  instanceNorm: [instanceNorm(4, { affine: true }) as AnyLayer, [3, 4, 5, 2]],
  batchNorm: [batchNorm(4) as AnyLayer, [3, 4, 5]],
};

const draw = (shape: readonly number[], seed = 0): Tensor => normal(key(seed), shape) as Tensor;

/** Of all elements in a row of these many. */
const momentsOf = (y: Tensor, length: number): readonly (readonly [mean: number, meanSquare: number])[] =>
  (reshape(y, [-1, length]).toArray() as number[][]).map(row => [
    row.reduce((s, v) => s + v, 0) / length,
    row.reduce((s, v) => s + v * v, 0) / length,
  ]);

describe.each(Object.entries(layers))('%s', (_, [layer, shape]) => {
  const params = layer.init(key(0));
  const x = draw(shape);

  it('keeps shape and float dtype; integers give float32', () => {
    expect(layer.apply(params, x)).toMatchObject({ shape, dtype: 'float32' });
    expect(layer.apply(params, zeros(shape, { dtype: 'float64' })).dtype).toBe('float64');
    expect(layer.apply(params, zeros(shape, { dtype: 'int32' })).dtype).toBe('float32');
  });

  it('takes empty batches', () => {
    const empty = [0, ...shape.slice(1)];
    expect(layer.apply(params, zeros(empty)).shape).toEqual(empty);
  });

  it('gives the same in jit and, example by example, in vmap', () => {
    const y = layer.apply(params, x).toArray();
    close(jit(layer.apply)(params, x), y as never);
    const one = (v: Tensor): Tensor =>
      reshape(layer.apply(params, reshape(v, [1, ...shape.slice(1)]) as Tensor), shape.slice(1)) as Tensor;
    close(vmap(one)(x) as Tensor, y as never);
  });

  it('has parameters that get gradients, of their shapes', () => {
    const weights = draw(shape, 1);
    const gradient = grad((p: object) => sum(mul(layer.apply(p, x), weights)) as Tensor)(params);
    for (const [name, g] of Object.entries(gradient) as [string, Tensor][]) {
      expect(g.shape, name).toEqual((params as Record<string, Tensor>)[name]!.shape);
      const size = sum(square(g)).item();
      if (name.startsWith('running')) expect(size, name).toBe(0);
      else expect(size, name).toBeGreaterThan(0);
    }
  });
});

describe('what is normalised', () => {
  const x = mul(draw([2, 4, 6]), 3) as Tensor;
  const unit = (y: Tensor, length: number): void => {
    for (const [mean, square] of momentsOf(y, length)) {
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      expect(Math.abs(square - 1)).toBeLessThan(1e-4);
    }
  };

  it('the last axes, the groups, the channels', () => {
    unit(layerNorm(6, { affine: false }).apply({}, x), 6);
    unit(layerNorm([4, 6], { affine: false }).apply({}, x), 24);
    unit(groupNorm(2, 4, { affine: false }).apply({}, x), 12);
    unit(groupNorm(1, 4, { affine: false }).apply({}, x), 24);
    unit(instanceNorm(4).apply({}, x), 6);
    for (const [, square] of momentsOf(rmsNorm(6, { affine: false }).apply({}, x), 6)) {
      expect(Math.abs(square - 1)).toBeLessThan(1e-4);
    }
    for (const [, square] of momentsOf(rmsNorm(6).apply({ weight: tensor([1, 1, 1, 1, 1, 1]) }, x), 6)) {
      expect(Math.abs(square - 1)).toBeLessThan(1e-4);
    }
  });

  it('layerNorm without a shift is the one whose shift is 0', () => {
    const weight = draw([6], 3);
    const scaledOnly = layerNorm(6, { bias: false });
    expectTypeOf(scaledOnly.init(key(0))).toEqualTypeOf<{ readonly weight: Tensor }>();
    expect(scaledOnly.init(key(0)).weight.toArray()).toEqual([1, 1, 1, 1, 1, 1]);
    expect(Object.keys(scaledOnly.init(key(0)))).toEqual(['weight']);
    const y = scaledOnly.apply({ weight }, x);
    expect(y.toArray()).toEqual(
      layerNorm(6)
        .apply({ weight, bias: zeros([6]) }, x)
        .toArray(),
    );
    close(
      add(y, 1) as Tensor,
      layerNorm(6)
        .apply({ weight, bias: tensor([1, 1, 1, 1, 1, 1]) }, x)
        .toArray() as never,
    );
    expect(layerNorm(6, { affine: false, bias: false }).init(key(0))).toEqual({});
  });

  it('instanceNorm is groupNorm with a group for each channel, and has no parameters unless asked for', () => {
    close(instanceNorm(4).apply({}, x), groupNorm(4, 4, { affine: false }).apply({}, x).toArray() as never);
    expect(instanceNorm(4).init(key(0))).toEqual({});
  });

  it('a single element is 0, and its derivative', () => {
    const f = (v: Tensor): Tensor => sum(layerNorm(1, { affine: false }).apply({}, v)) as Tensor;
    close(f(tensor([[5]])), 0);
    close(grad(f)(tensor([[5]]) as Tensor), [[0]]);
  });

  it('groupNorm with SiLU is two kernels at most', () => {
    const layer = groupNorm(8, 32);
    const params = layer.init(key(0));
    const { report } = explain((v: Tensor) => silu(layer.apply(params, v)))(draw([4, 32, 6, 6]));
    expect(report!.steps.length).toBeLessThanOrEqual(2);
  });
});

describe('batchNorm', () => {
  const layer = batchNorm(2, { momentum: 0.25 });
  const start = layer.init(key(0));
  const x = tensor([
    [1, 10],
    [3, 30],
    [5, 20],
  ]);

  it('moves its running statistics towards those of the batch', () => {
    const { y, params } = layer.train(start, x);
    close(params.runningMean, [0.75, 5]);
    close(params.runningVariance, [0.75 + 0.25 * 4, 0.75 + 0.25 * 100]);
    expect(params.weight).toBe(start.weight);
    close(sum(y, { axis: 0 }), [0, 0]);
  });

  it('normalises by them afterwards, each example by itself', () => {
    const params = { ...start, runningMean: tensor([1, 10]), runningVariance: tensor([4, 100]) };
    close(
      layer.apply(params, x),
      [
        [0, 0],
        [1, 2],
        [2, 1],
      ],
      1e-4,
    );
    close(layer.apply(params, tensor([[3, 30]])), [[1, 2]], 1e-4);
  });

  it('differentiates through the statistics of the batch, and not through running ones', () => {
    const loss = (v: Tensor): Tensor => sum(square(layer.train(start, v).y)) as Tensor;
    // Whatever the scale of x, its normal form has the same squares: the derivative is 0 up to ε.
    for (const row of grad(loss)(x as Tensor).toArray() as number[][])
      for (const g of row) expect(Math.abs(g)).toBeLessThan(1e-4);
    const running = (v: Tensor): Tensor => sum(layer.train(start, v).params.runningVariance) as Tensor;
    close(grad(running)(x as Tensor), [
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  it('keeps the dtype of its statistics, whatever the batch has', () => {
    const { params } = layer.train(start, zeros([3, 2], { dtype: 'float64' }));
    expect([params.runningMean.dtype, params.runningVariance.dtype]).toEqual(['float32', 'float32']);
  });

  it('trains in jit as outside', () => {
    const plain = layer.train(start, x);
    const jitted = jit(layer.train)(start, x);
    close(jitted.y, plain.y.toArray() as never);
    close(jitted.params.runningVariance, plain.params.runningVariance.toArray() as never);
  });

  it('refuses a batch of one number for each channel, which has no variance', () => {
    expect(caught(() => layer.train(start, tensor([[1, 2]]))).message).toMatch(/batchNorm: got float32\[1, 2\]/);
  });
});
