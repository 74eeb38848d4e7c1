import { add, cast, grad, mean, reshape, type Shape, silu, square, sub, sum, type Tensor, zeros } from 'tenfold';
import {
  activation,
  batchNorm,
  embedding,
  groupNorm,
  type Layer,
  layerNorm,
  linear,
  rmsNorm,
  sequential,
} from 'tenfold/nn';
import { key, normal, split } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught } from '../helpers.js';

const count: number = 5;

describe('sequential', () => {
  const model = sequential(linear(2, 8), layerNorm(8), activation(silu), linear(8, 3));
  const params = model.init(key(0));
  const x = normal(key(1), [5, 2]);

  it('applies its layers one after the other', () => {
    const [first, norm, , last] = params;
    const inner = silu(layerNorm(8).apply(norm, linear(2, 8).apply(first, x)));
    expect(model.apply(params, x).toArray()).toEqual(linear(8, 3).apply(last, inner).toArray());
  });

  it('draws the parameters of each layer from a key of its own', () => {
    const twins = sequential(linear(4, 4), linear(4, 4)).init(key(3));
    expect(twins[0].weight.toArray()).not.toEqual(twins[1].weight.toArray());
    const [one] = split(key(3), 2);
    expect(twins[0].weight.toArray()).toEqual(linear(4, 4).init(one!).weight.toArray());
  });

  it('knows the shapes of what comes out', () => {
    expectTypeOf(model.apply(params, x)).toEqualTypeOf<Tensor<readonly [5, 3], 'float32'>>();
    expectTypeOf(model.apply(params, zeros([4, 7, 2]))).toEqualTypeOf<Tensor<readonly [4, 7, 3], 'float32'>>();
    expectTypeOf(model.apply(params, zeros([2], { dtype: 'float64' }))).toEqualTypeOf<
      Tensor<readonly [3], 'float64'>
    >();
    expectTypeOf(model.apply(params, zeros([2], { dtype: 'int32' }))).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
    expectTypeOf(model.apply(params, zeros([count, 2]))).toEqualTypeOf<Tensor<readonly [number, 3], 'float32'>>();
    expectTypeOf(params[0].weight).toEqualTypeOf<Tensor<readonly [8, 2]>>();
    expectTypeOf(params[3].bias).toEqualTypeOf<Tensor<readonly [3]>>();
    const words = sequential(embedding(100, 16), rmsNorm(16), linear(16, 4));
    expectTypeOf(words.apply(words.init(key(0)), zeros([3, 7], { dtype: 'int32' }))).toEqualTypeOf<
      Tensor<readonly [3, 7, 4], 'float32'>
    >();
    const nested = sequential(model, sequential(linear(3, 4), linear(4, 5)));
    const y = nested.apply(nested.init(key(0)), x);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 5], 'float32'>>();
    expect(y.shape).toEqual([5, 5]);
    const channels = sequential(groupNorm(2, 4), batchNorm(4));
    expectTypeOf(channels.apply(channels.init(key(0)), zeros([2, 4, 6]))).toEqualTypeOf<
      Tensor<readonly [2, 4, 6], 'float32'>
    >();
  });

  it('passes what the compiler does not know', () => {
    const two: number = 2;
    const open = sequential(linear(two, 8), linear(8, count));
    expectTypeOf(open.apply(open.init(key(0)), x as Tensor)).toEqualTypeOf<Tensor<Shape, 'float32' | 'float64'>>();
    const general: Layer<typeof params> = model;
    expect(general.apply(params, x as Tensor).shape).toEqual([5, 3]);
    const own: Layer<{ readonly scale: Tensor }> = {
      init: () => ({ scale: zeros([]) }),
      apply: (p, z) => add(z, p.scale) as Tensor,
    };
    const mixed = sequential(linear(2, 3), own, linear(7, 3));
    expect(caught(() => mixed.apply(mixed.init(key(0)), x)).message).toMatch(/linear: got float32\[5, 3\]/);
  });

  it('has gradients of the type of its parameters', () => {
    const loss = (p: typeof params): Tensor => mean(square(sub(model.apply(p, x), zeros([5, 3]))));
    const gradients = grad(loss)(params);
    expectTypeOf(gradients).toEqualTypeOf<typeof params>();
    expect(gradients[0].weight.shape).toEqual([8, 2]);
  });

  it('refuses layers that do not follow each other', () => {
    // @ts-expect-error linear: the last axis has length 64, not 32.
    const wrong = sequential(linear(2, 64), linear(32, 2));
    expect(caught(() => wrong.apply(wrong.init(key(0)) as never, x as never)).message).toMatch(
      /linear: got float32\[5, 64\]/,
    );
    // @ts-expect-error layerNorm: the last axis has length 8, not 9.
    sequential(linear(2, 8), activation(silu), layerNorm(9));
    // @ts-expect-error linear: the last axis has length 16, not 8.
    sequential(embedding(10, 16), linear(8, 2));
    // @ts-expect-error groupNorm: the second axis has length 4, not 6.
    sequential(batchNorm(4), groupNorm(2, 6));
    // @ts-expect-error linear: the last axis has length 3, not 4.
    sequential(model, linear(4, 2));
    // @ts-expect-error linear: the last axis has length 3, not 2.
    expect(caught(() => model.apply(params, zeros([5, 3]))).message).toMatch(/linear: got float32\[5, 3\]/);
    // @ts-expect-error linear: a scalar has no last axis.
    expect(caught(() => model.apply(params, zeros([]))).message).toMatch(/linear: got float32\[\]/);
    // @ts-expect-error groupNorm: no second axis, which is that of the channels.
    expect(caught(() => groupNorm(2, 4).apply(groupNorm(2, 4).init(key(0)), zeros([4]))).message).toMatch(
      /groupNorm: got/,
    );
    // @ts-expect-error layerNorm: the last axis has length 5, not 4.
    expect(caught(() => layerNorm([3, 4]).apply(layerNorm([3, 4]).init(key(0)), zeros([2, 3, 5]))).message).toMatch(
      /got/,
    );
    // @ts-expect-error Parameters of other lengths.
    expect(caught(() => linear(2, 4).apply(linear(2, 3).init(key(0)), zeros([2, 2]))).message).toMatch(/weight/);
  });
});

describe('activation', () => {
  it('is a layer without parameters', () => {
    const layer = activation(silu);
    const x = normal(key(0), [3, 4], { dtype: 'float64' });
    expectTypeOf(layer.apply({}, x)).toEqualTypeOf<Tensor<readonly [3, 4], 'float64'>>();
    expect(layer.apply(layer.init(key(0)), x).toArray()).toEqual(silu(x).toArray());
  });

  it('refuses what changes the shape', () => {
    expect(caught(() => activation(x => sum(x)).apply({}, zeros([3]))).message).toMatch(
      /activation: got float32\[\] from float32\[3\]/,
    );
    expect(activation(x => reshape(cast(x, 'float32'), [3])).apply({}, zeros([3])).shape).toEqual([3]);
  });
});
