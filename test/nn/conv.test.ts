/** Layers with windows, and the small ones: shapes in types, first parameters, padding modes, transformations. */
import {
  add,
  conv2d as convolve,
  grad,
  jit,
  pad,
  relu,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import {
  activation,
  bilinear,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  dropout,
  type Layer,
  linear,
  prelu,
  sequential,
} from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

type AnyLayer = Layer<object>;
const count: number = 4;
const draw = (shape: readonly number[], seed = 0): Tensor => normal(key(seed), shape) as Tensor;

const layers: Readonly<Record<string, readonly [AnyLayer, input: readonly number[], output: readonly number[]]>> = {
  conv1d: [conv1d(2, 4, 3, { stride: 2, padding: 1, groups: 2 }) as AnyLayer, [3, 2, 9], [3, 4, 5]],
  conv2d: [conv2d(2, 4, [3, 2], { padding: [[1, 0], 1], dilation: 2 }) as AnyLayer, [3, 2, 6, 5], [3, 4, 3, 5]],
  'conv2d, circular': [
    conv2d(2, 3, 3, { padding: 'same', paddingMode: 'circular' }) as AnyLayer,
    [1, 2, 4, 5],
    [1, 3, 4, 5],
  ],
  'conv2d, reflect': [conv2d(2, 3, 3, { padding: 1, paddingMode: 'reflect' }) as AnyLayer, [1, 2, 4, 5], [1, 3, 4, 5]],
  'conv3d without bias': [conv3d(2, 1, 2, { bias: false }) as AnyLayer, [1, 2, 3, 3, 3], [1, 1, 2, 2, 2]],
  convTranspose1d: [convTranspose1d(3, 2, 4, { stride: 2, padding: 1 }) as AnyLayer, [2, 3, 5], [2, 2, 10]],
  convTranspose2d: [
    convTranspose2d(4, 6, 3, { stride: 2, groups: 2, outputPadding: 1 }) as AnyLayer,
    [1, 4, 3, 2],
    [1, 6, 8, 6],
  ],
  convTranspose3d: [convTranspose3d(1, 2, 2, { bias: false }) as AnyLayer, [1, 1, 2, 2, 2], [1, 2, 3, 3, 3]],
  prelu: [prelu(2) as AnyLayer, [3, 2, 4], [3, 2, 4]],
  'linear without bias': [linear(3, 2, { bias: false }) as AnyLayer, [4, 3], [4, 2]],
};

describe.each(Object.entries(layers))('%s', (_, [layer, input, output]) => {
  const params = layer.init(key(0));
  const x = draw(input);
  const y = layer.apply(params, x);

  it('gives the shape, in the dtype of x and in float32 for integers', () => {
    expect(y).toMatchObject({ shape: output, dtype: 'float32' });
    expect(layer.apply(params, zeros(input, { dtype: 'float64' })).dtype).toBe('float64');
    expect(layer.apply(params, zeros(input, { dtype: 'int32' })).dtype).toBe('float32');
  });

  it('gives the same in jit and, example by example, in vmap', () => {
    close(jit(layer.apply)(params, x), y.toArray() as never);
    const one = (v: Tensor): Tensor =>
      reshape(layer.apply(params, reshape(v, [1, ...input.slice(1)]) as Tensor), output.slice(1)) as Tensor;
    close(vmap(one)(x) as Tensor, y.toArray() as never);
  });

  it('has parameters that all get gradients', () => {
    const gradient = grad((p: object) => sum(square(layer.apply(p, x))) as Tensor)(params);
    expect(Object.keys(gradient).sort()).toEqual(Object.keys(params).sort());
    for (const g of leaves(gradient as never) as readonly Tensor[]) expect(sum(square(g)).item()).toBeGreaterThan(0);
  });
});

describe('convolutions', () => {
  it('are the operation and a bias', () => {
    const layer = conv2d(2, 3, 3, { padding: 1, stride: 2 });
    const params = layer.init(key(0));
    const x = draw([2, 2, 5, 6]);
    const y = add(convolve(x, params.weight, { padding: 1, stride: 2 }), reshape(params.bias, [3, 1, 1]));
    expect(layer.apply(params, x).toArray()).toEqual(y.toArray());
  });

  it('take what an axis has on its other side where the padding is circular', () => {
    const layer = conv2d(1, 1, [1, 4], { padding: 'same', paddingMode: 'circular', bias: false });
    const params = { weight: tensor([[[[1, 10, 100, 1000]]]]) };
    expect(layer.apply(params, tensor([[[1, 2, 3, 4]]])).toArray()).toEqual([[[3214, 4321, 1432, 2143]]]);
    const x = draw([1, 2, 3, 4]);
    for (const paddingMode of ['reflect', 'replicate', 'circular'] as const) {
      const some = conv2d(2, 1, 3, {
        padding: [
          [0, 1],
          [2, 1],
        ],
        paddingMode,
        bias: false,
      });
      const weight = some.init(key(1));
      const wide = pad(
        x,
        [
          [0, 0],
          [0, 0],
          [0, 1],
          [2, 1],
        ],
        { mode: paddingMode },
      ) as Tensor;
      close(some.apply(weight, x), convolve(wide, weight.weight).toArray() as never);
    }
  });

  it('start within ±1/√(inputs that an output sees), or at zero', () => {
    const largest = (x: Tensor): number => Math.max(...Array.from(x.dataSync() as Float32Array, Math.abs));
    const { weight, bias } = conv2d(8, 64, 2, { groups: 2 }).init(key(0));
    expect(weight.shape).toEqual([64, 4, 2, 2]);
    expect(largest(weight)).toBeLessThanOrEqual(0.25);
    expect(largest(weight)).toBeGreaterThan(0.24);
    expect(largest(bias)).toBeLessThanOrEqual(0.25);
    const transposed = convTranspose1d(8, 32, 4, { groups: 8 }).init(key(0)) as { readonly weight: Tensor };
    expect(transposed.weight.shape).toEqual([8, 4, 4]);
    expect(
      leaves(conv1d(2, 2, 3, { init: 'zeros' }).init(key(0)) as never).map(x => sum(square(x as Tensor)).item()),
    ).toEqual([0, 0]);
    expect(Object.keys(conv1d(2, 2, 3, { bias: false }).init(key(0)))).toEqual(['weight']);
  });

  it('say what is wrong with their input', () => {
    const layer = conv2d(3, 4, 3, { paddingMode: 'reflect', padding: 2 });
    const params = layer.init(key(0));
    // @ts-expect-error The input has 4 channels.
    expect(caught(() => layer.apply(params, zeros([1, 4, 8, 8]))).message).toMatch(/conv2d: got .* takes 3 channels/);
    expect(caught(() => layer.apply(params, zeros([1, 3, 8, 2]))).message).toMatch(
      /an axis of length 2 has 1 elements/,
    );
    // @ts-expect-error There is no such option.
    expect(caught(() => conv2d(3, 4, 3, { strides: 2 })).message).toMatch(/the option strides/);
    // @ts-expect-error The kernel is longer than the input.
    expect(caught(() => conv1d(1, 1, 5).apply(conv1d(1, 1, 5).init(key(0)), zeros([1, 1, 4]))).message).toMatch(
      /conv1d/,
    );
  });

  it('know the shapes of what comes out', () => {
    const model = sequential(
      conv2d(3, 8, [3, 5], { padding: 'same' }),
      activation(relu),
      conv2d(8, 6, 3, { stride: 2, padding: 1, groups: 2, bias: false }),
      convTranspose2d(6, 2, 4, { stride: 2, padding: 1 }),
    );
    const y = model.apply(model.init(key(0)), zeros([5, 3, 16, 8]));
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 2, 16, 8], 'float32'>>();
    expect(y.shape).toEqual([5, 2, 16, 8]);
    const some = conv1d(count, 2 * count, 3, { padding: 1 });
    const z = some.apply(some.init(key(0)), zeros([1, 4, 9]));
    expectTypeOf(z).toEqualTypeOf<Tensor<readonly [1, number, 9], 'float32'>>();
    expectTypeOf(conv1d(1, 1, 3, { bias: false }).init(key(0))).toEqualTypeOf<{ readonly weight: Tensor }>();
    // @ts-expect-error The second convolution takes 7 channels.
    const wrong = sequential(conv1d(1, 8, 3), conv1d(7, 1, 3));
    expect(caught(() => wrong.apply(wrong.init(key(0)), zeros([1, 1, 9]) as never)).message).toMatch(
      /takes 7 channels/,
    );
  });
});

describe('bilinear', () => {
  it('is linear in both of its inputs, whose other axes broadcast', () => {
    const layer = bilinear(3, 4, 2);
    const params = layer.init(key(0));
    const [a, b] = [draw([5, 1, 3], 1), draw([6, 4], 2)];
    const y = jit(layer.apply)(params, a, b);
    expect(y.shape).toEqual([5, 6, 2]);
    const [w, bias] = [params.weight.toArray() as number[][][], params.bias.toArray() as number[]];
    const [p, q] = [(a.toArray() as number[][][])[2]![0]!, (b.toArray() as number[][])[3]!];
    const wanted = w.map(
      (m, o) => bias[o]! + m.reduce((s, row, i) => s + row.reduce((t, v, j) => t + p[i]! * v * q[j]!, 0), 0),
    );
    close((y.toArray() as number[][][])[2]![3]!, wanted, 1e-5);
  });
});

describe('dropout', () => {
  const x = draw([64, 64]);
  const layer = dropout(0.25);

  it('leaves everything as it is without a key, and by a rate of 0', () => {
    expect(layer.apply({}, x).toArray()).toEqual(x.toArray());
    expect(
      dropout(0)
        .apply({}, x, { key: key(0) })
        .toArray(),
    ).toEqual(x.toArray());
    expect(sum(square(dropout(1).apply({}, x, { key: key(0) }))).item()).toBe(0);
  });

  it('drops a share and enlarges the rest; the gradient goes where the elements went', () => {
    const apply = jit((v: Tensor, k: ReturnType<typeof key>) => layer.apply({}, v, { key: k }) as Tensor);
    const [y, values] = [apply(x, key(1)).dataSync() as Float32Array, x.dataSync() as Float32Array];
    const kept = Array.from(y, (v, i) => [v, values[i]!] as const).filter(([v]) => v !== 0);
    // Four standard deviations of 4096 draws.
    expect(Math.abs(kept.length / 4096 - 0.75)).toBeLessThan(4 * Math.sqrt((0.75 * 0.25) / 4096));
    for (const [v, was] of kept) expect(Math.abs(v - was / 0.75)).toBeLessThan(1e-5);
    const g = grad((v: Tensor) => sum(layer.apply({}, v, { key: key(1) })) as Tensor)(x).dataSync() as Float32Array;
    expect(Array.from(g, v => v === 0)).toEqual(Array.from(y, v => v === 0));
    expect(apply(x, key(2)).toArray()).not.toEqual(apply(x, key(1)).toArray());
  });

  it('can stand in a sequence', () => {
    const model = sequential(linear(4, 3), dropout(0.5), linear(3, 2));
    const y = model.apply(model.init(key(0)), zeros([5, 4]));
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [5, 2], 'float32'>>();
    expect(y.shape).toEqual([5, 2]);
  });
});
