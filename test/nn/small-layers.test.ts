/** Layers with few parameters or none: perceptrons, pooling, other resolutions, embeddings of times. */
import * as ops from 'tenfold';
import {
  abs,
  add,
  cast,
  cos,
  grad,
  jit,
  matmul,
  max,
  mul,
  relu,
  silu,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  vmap,
  zeros,
} from 'tenfold';
import * as nn from 'tenfold/nn';
import {
  avgPool2d,
  conv2d,
  fourierEmbedding,
  fourierFeatures,
  layerNorm,
  maxPool2d,
  mlp,
  pixelShuffle,
  rmsNorm,
  sequential,
  timestepEmbedding,
  upsample,
} from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';

const apart = (a: Tensor, b: Tensor): number => {
  expect(a.shape).toEqual(b.shape);
  return (max(abs(sub(a, b))) as Tensor).item() as number;
};

const std = (x: Tensor): number => {
  const all = Array.from(x.dataSync(), Number);
  return Math.sqrt(all.reduce((total, value) => total + value * value, 0) / all.length);
};

describe('mlp', () => {
  const x = normal(key(1), [5, 3]);

  it('is linear layers with an activation between', () => {
    const model = mlp([3, 8, 4, 2]);
    const params = model.init(key(0));
    const [a, b, c] = params.layers;
    const wanted = [a, b, c].reduce<Tensor>((h, { weight, bias }, i) => {
      const y = add(matmul(h, transpose(weight) as Tensor) as Tensor, bias as Tensor) as Tensor;
      return i < 2 ? relu(y) : y;
    }, x);
    expect(apart(model.apply(params, x), wanted)).toBe(0);
    expect(apart(jit(model.apply)(params, x), wanted)).toBeLessThan(1e-6);
    expect(params.norms).toEqual([]);
    expect(new Set([a, b, c].map(({ weight }) => Number(weight.dataSync()[0]))).size).toBe(3);
  });

  it.each(['layer', 'rms'] as const)('normalises hidden layers before the activation: %s', norm => {
    const model = mlp([3, 8, 2], { norm, activation: silu });
    const params = model.init(key(0));
    const [first, last] = params.layers;
    const inner = add(matmul(x, transpose(first.weight)), first.bias) as Tensor;
    const own = { weight: mul(normal(key(4), [8]), 2), bias: normal(key(5), [8]) };
    const normalised = norm === 'layer' ? layerNorm(8).apply(own, inner) : rmsNorm(8).apply(own, inner);
    const wanted = add(matmul(silu(normalised), transpose(last.weight) as Tensor), last.bias) as Tensor;
    expect(apart(model.apply({ ...params, norms: [own] }, x), wanted)).toBeLessThan(1e-6);
  });

  it('drops hidden elements with a key, and its own in each layer', () => {
    const model = mlp([1, 2000, 2000, 1], { activation: y => y, dropout: 0.5 });
    const ones = (shape: readonly number[], by: number) => mul(ops.ones(shape), by) as Tensor;
    const params = {
      layers: [
        { weight: ones([2000, 1], 1), bias: zeros([2000]) },
        { weight: ops.eye(2000), bias: zeros([2000]) },
        { weight: ones([1, 2000], 1 / 2000), bias: zeros([1]) },
      ],
      norms: [],
    } as never;
    expect(Number(model.apply(params, tensor([[1]])).toArray()[0]![0])).toBeCloseTo(1, 4);
    // What is left over twice is 4, in a quarter of all cases, if the two layers draw for themselves.
    const kept = Number(model.apply(params, tensor([[1]]), { key: key(2) }).toArray()[0]![0]) / 4;
    expect(Math.abs(kept - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / 2000));
    expect(kept).not.toBe(0.25);
  });

  it('has a gradient for every parameter, and its sizes in the type', () => {
    const model = mlp([3, 8, 4, 2], { norm: 'layer' });
    const params = model.init(key(0));
    const slopes = grad((p: typeof params) => sum(square(model.apply(p, x))) as Tensor)(params);
    for (const { weight } of slopes.layers) expect(std(weight)).toBeGreaterThan(0);
    for (const { weight } of slopes.norms) expect(std(weight)).toBeGreaterThan(0);
    expectTypeOf(params.layers[1].weight.shape).toEqualTypeOf<readonly [4, 8]>();
    expectTypeOf(model.apply(params, x).shape).toEqualTypeOf<readonly [5, 2]>();
    // @ts-expect-error the last axis is 4
    expect(() => model.apply(params, zeros([5, 4]))).toThrow(/mlp: got float32\[5, 4\]/);
    const any = mlp([3, 4] as readonly number[]);
    expectTypeOf(any.apply(any.init(key(0)), x).shape).toEqualTypeOf<readonly [5, number]>();
  });
});

describe('pooling layers', () => {
  const families = ['maxPool', 'avgPool', 'adaptiveMaxPool', 'adaptiveAvgPool'] as const;
  const names = families.flatMap(family => ([1, 2, 3] as const).map(rank => ({ name: `${family}${rank}d`, rank })));
  type Pool = (x: Tensor, size: number, options?: object) => Tensor;
  type Make = (size: number, options?: object) => nn.Layer<object>;

  it.each(names)('$name is the operation', ({ name, rank }) => {
    const x = normal(key(rank), [2, 3, ...new Array<number>(rank).fill(7)]) as Tensor;
    const options = name.startsWith('adaptive') ? [] : [{ stride: 2, padding: 1, ceilMode: true }];
    const layer = (nn as unknown as Record<string, Make>)[name]!(3, ...options);
    const wanted = (ops as unknown as Record<string, Pool>)[name]!(x, 3, ...options);
    expect(layer.init(key(0))).toEqual({});
    expect(apart(layer.apply({}, x), wanted)).toBe(0);
    expect(apart(jit(layer.apply)({}, x), wanted)).toBeLessThan(1e-6);
    expect(layer.apply({}, cast(mul(x, 9), 'int32') as Tensor).dtype).toBe('float32');
  });

  it('have shapes in their types', () => {
    const net = sequential(conv2d(3, 8, 3, { padding: 1 }), maxPool2d(2), avgPool2d(3, { stride: 1 }));
    const y = net.apply(net.init(key(0)), zeros([2, 3, 16, 16]));
    expectTypeOf(y.shape).toEqualTypeOf<readonly [2, 8, 6, 6]>();
    expect(y.shape).toEqual([2, 8, 6, 6]);
    const to = nn.adaptiveAvgPool2d([1, 2]).apply({}, zeros([2, 8, 6, 6]));
    expectTypeOf(to.shape).toEqualTypeOf<readonly [2, 8, 1, 2]>();
    expect(to.shape).toEqual([2, 8, 1, 2]);
    // @ts-expect-error there is no such option
    expect(() => maxPool2d(2, { countIncludePad: true })).toThrow(/maxPool2d/);
  });
});

describe('layers of other resolutions', () => {
  const x = normal(key(1), [2, 4, 6, 6]);

  it('are the operations', () => {
    expect(apart(upsample({ scale: 2 }).apply({}, x), ops.interpolate(x, { scale: 2 }))).toBe(0);
    const bilinear = { size: [3, 9], mode: 'bilinear', alignCorners: true } as const;
    expect(apart(upsample(bilinear).apply({}, x), ops.interpolate(x, bilinear))).toBe(0);
    expect(apart(pixelShuffle(2).apply({}, x), ops.pixelShuffle(x, 2))).toBe(0);
    expect(apart(nn.pixelUnshuffle(3).apply({}, x), ops.pixelUnshuffle(x, 3))).toBe(0);
    expect(apart(nn.pixelUnshuffle(2).apply({}, pixelShuffle(2).apply({}, x)), x)).toBe(0);
  });

  it('have shapes in their types', () => {
    const net = sequential(conv2d(4, 8, 1), upsample({ scale: 2 }), pixelShuffle(2));
    const y = net.apply(net.init(key(0)), x);
    expectTypeOf(y.shape).toEqualTypeOf<readonly [2, 2, 24, 24]>();
    expect(y.shape).toEqual([2, 2, 24, 24]);
    expectTypeOf(nn.pixelUnshuffle(3).apply({}, x).shape).toEqualTypeOf<readonly [2, 36, 2, 2]>();
    expect(() => upsample({ size: [2, 2] }).apply({}, zeros([3, 5]) as Tensor)).toThrow(
      /^upsample: got float32\[3, 5\]/,
    );
  });
});

describe('embeddings of times', () => {
  it('fourierEmbedding has random frequencies that stay', () => {
    const layer = fourierEmbedding(400, { scale: 3 });
    const params = layer.init(key(0));
    expect(params.weight.shape).toEqual([200]);
    expect(Math.abs(std(params.weight) - 3)).toBeLessThan(0.6);
    expect(std(fourierEmbedding(400).init(key(0)).weight) / std(params.weight)).toBeCloseTo(16 / 3, 4);
    const t = tensor([0.1, 0.25, 0.9]);
    const y = layer.apply(params, t);
    expectTypeOf(y.shape).toEqualTypeOf<readonly [3, 400]>();
    const rows = y.toArray();
    for (const [i, w] of (params.weight.toArray() as number[]).entries()) {
      expect(rows[1]![i]).toBeCloseTo(Math.sin(2 * Math.PI * w * 0.25), 4);
      expect(rows[1]![200 + i]).toBeCloseTo(Math.cos(2 * Math.PI * w * 0.25), 4);
    }
    const loss = (p: typeof params, at: Tensor): Tensor => sum(layer.apply(p, at)) as Tensor;
    expect(std(grad(loss)(params, t).weight)).toBe(0);
    expect(std(grad((at: Tensor) => loss(params, at))(t))).toBeGreaterThan(0);
    expect(apart(vmap((at: Tensor) => layer.apply(params, at) as Tensor)(t) as Tensor, y)).toBe(0);
    expect(apart(jit(layer.apply)(params, t), y)).toBeLessThan(1e-5);
  });

  it('fourierFeatures are those of points', () => {
    const layer = fourierFeatures(2, 6);
    const params = {
      weight: tensor([
        [1, 0],
        [0.5, 2],
        [-1, 3],
      ]),
    };
    const x = tensor([[0.1, 0.2]]);
    const y = layer.apply(params, x);
    expectTypeOf(y.shape).toEqualTypeOf<readonly [1, 6]>();
    const turns = mul(tensor([0.1, 0.45, 0.5]), 2 * Math.PI);
    expect(apart(y, ops.reshape(ops.concat([sin(turns), cos(turns)]), [1, 6]))).toBeLessThan(1e-6);
    expect(Math.abs(std(fourierFeatures(2, 400).init(key(0)).weight) - 10)).toBeLessThan(1.5);
    expect(layer.init(key(0)).weight.shape).toEqual([3, 2]);
  });

  it('timestepEmbedding is as exact as its dtype', () => {
    const t = tensor([777.25], { dtype: 'float64' });
    const y = timestepEmbedding(t, 5, { dtype: 'float64', maxPeriod: 100 });
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [number, 5], 'float64'>>();
    const angles = [777.25, 77.725];
    const wanted = [...angles.map(Math.cos), ...angles.map(Math.sin), 0];
    for (const [i, value] of y.toArray()[0]!.entries()) expect(value).toBeCloseTo(wanted[i]!, 12);
    expect(timestepEmbedding(t, 4).dtype).toBe('float32');
  });
});
