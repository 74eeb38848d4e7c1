/** Attention and the layers of transformers: what masks hide, orders of normalisation, what random keys do. */
import {
  cast,
  explain,
  grad,
  jit,
  mean,
  ones,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  tril,
  vmap,
  where,
  zeros,
} from 'tenfold';
import { multiHeadAttention, transformerDecoderLayer, transformerEncoderLayer } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { close } from '../helpers.js';

const draw = (shape: readonly number[], seed = 0): Tensor => normal(key(seed), shape) as Tensor;
const layer = multiHeadAttention(8, 2);
const params = layer.init(key(0));
const [x, memory] = [draw([3, 5, 8], 1), draw([3, 7, 8], 2)];
const triangle = cast(tril(ones([5, 5])), 'bool') as Tensor;
const present = tensor(
  [
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 0, 0],
    [1, 0, 1, 0, 1, 0, 1],
  ],
  { dtype: 'bool' },
) as Tensor;

describe('multiHeadAttention', () => {
  it.each([
    ['itself', {}],
    ['a memory', { keys: memory }],
    ['other values', { keys: memory, values: draw([3, 7, 8], 3) }],
    ['what came before', { causal: true }],
    ['a mask', { mask: triangle }],
    ['keys that are there', { keys: memory, keyMask: present }],
    ['both masks', { keys: memory, mask: draw([5, 7], 4), keyMask: present }],
    ['one number for all keys', { keyMask: tensor(true) as Tensor }],
    ['both masks of bools', { keys: memory, mask: cast(tril(ones([5, 7])), 'bool') as Tensor, keyMask: present }],
  ] as const)('to %s: the result is the same with and without the weights, which sum to 1', (_, inputs) => {
    const { y, weights } = layer.withWeights(params, x, inputs);
    close(layer.apply(params, x, inputs), y.toArray() as never, 1e-5);
    close(sum(weights, { axis: -1 }) as Tensor, ones(weights.shape.slice(0, -1)).toArray() as never, 1e-5);
  });

  it('sees nothing behind a mask', () => {
    const early = (v: Tensor): Tensor => slice(v, [0, 0, 0], [3, 2, 8]) as Tensor;
    const later = where(tensor([[true], [true], [false], [false], [false]]), x, 9) as Tensor;
    const y = (v: Tensor): Tensor => early(layer.apply(params, v, { causal: true }));
    close(y(later), y(x).toArray() as never);
    const weights = layer.withWeights(params, x, { keys: memory, keyMask: present }).weights;
    const hidden = where(present, 0, sum(weights, { axis: [1, 2] }) as Tensor) as Tensor;
    expect(sum(square(hidden)).item()).toBe(0);
    close(layer.apply(params, x, { causal: true }), layer.apply(params, x, { mask: triangle }).toArray() as never);
    const added = where(triangle, 0, Number.NEGATIVE_INFINITY) as Tensor;
    close(layer.apply(params, x, { mask: added }), layer.apply(params, x, { causal: true }).toArray() as never);
  });

  it('gives the output bias where a query may attend to nothing, and finite gradients', () => {
    const nothing = zeros([3, 5], { dtype: 'bool' }) as Tensor;
    for (const f of [layer.apply, (p: typeof params, v: Tensor, o: object) => layer.withWeights(p, v, o).y]) {
      const y = f(params, x, { keyMask: nothing });
      expect(sum(square(y)).item()).toBe(0);
      const g = grad((p: typeof params, v: Tensor) => sum(f(p, v, { keyMask: nothing })) as Tensor)(params, x);
      for (const each of leaves(g as never) as readonly Tensor[]) {
        expect(Number.isFinite(sum(square(each)).item())).toBe(true);
      }
    }
  });

  it('takes any axes before the places; in jit and vmap it is the same', () => {
    const y = layer.apply(params, x, { causal: true });
    close(jit((p: typeof params, v: Tensor) => layer.apply(p, v, { causal: true }))(params, x), y.toArray() as never);
    close(vmap((v: Tensor) => layer.apply(params, v, { causal: true }))(x) as Tensor, y.toArray() as never);
  });

  it('has one weight for all, or one for each that may have a size of its own', () => {
    const sized = multiHeadAttention(8, 4, { keySize: 3, bias: false });
    expectTypeOf(sized.init(key(0)).qProjWeight).toEqualTypeOf<Tensor>();
    expect(
      Object.entries(sized.init(key(0))).map(([name, p]) => [name, 'shape' in p ? p.shape : Object.keys(p)]),
    ).toEqual([
      ['qProjWeight', [8, 8]],
      ['kProjWeight', [8, 3]],
      ['vProjWeight', [8, 8]],
      ['outProj', ['weight']],
    ]);
    const y = sized.apply(sized.init(key(0)), x, { keys: draw([3, 4, 3]), values: draw([3, 4, 8]) });
    expect(y.shape).toEqual([3, 5, 8]);
    expect(params.inProjWeight.shape).toEqual([24, 8]);
    expect(sum(square(params.inProjBias)).item()).toBe(0);
  });

  it('drops weights where there is a key', () => {
    const some = multiHeadAttention(8, 2, { dropout: 0.5 });
    close(some.apply(params, x), layer.apply(params, x).toArray() as never);
    const { weights } = some.withWeights(params, x, { key: key(1) });
    const zero = (weights.dataSync() as Float32Array).filter(w => w === 0).length;
    expect(zero).toBeGreaterThan(0.3 * 150);
    expect(zero).toBeLessThan(0.7 * 150);
    close(some.apply(params, x, { key: key(1) }), some.withWeights(params, x, { key: key(1) }).y.toArray() as never);
  });
});

describe('blocks of queries', () => {
  const [small, whole] = [multiHeadAttention(8, 2, { blockSize: 4 }), multiHeadAttention(8, 2, { blockSize: 100 })];
  const [queries, keys] = [draw([2, 10, 8], 6), draw([2, 7, 8], 7)];
  const keyMask = slice(present, [0, 0], [2, 7]) as Tensor;
  const lower = cast(tril(ones([10, 10])), 'bool') as Tensor;

  it.each([
    ['no mask', { keys }],
    ['causal', { causal: true }],
    ['a mask of bools', { mask: lower }],
    ['a mask of floats, causal', { mask: draw([2, 2, 10, 10], 8), causal: true }],
    ['a mask of keys', { keys, keyMask }],
    ['both masks, causal', { keys, keyMask, mask: cast(draw([10, 7], 9), 'bool') as Tensor, causal: true }],
    ['a mask that all queries share', { keys, mask: draw([1, 7], 3), causal: true }],
  ] as const)('give what all at once give, and its gradients: %s', (_, inputs) => {
    close(small.apply(params, queries, inputs), whole.apply(params, queries, inputs).toArray() as never, 1e-5);
    const gradient = (l: typeof small) =>
      grad((both: readonly [typeof params, Tensor]) => sum(square(l.apply(both[0], both[1], inputs))) as Tensor)([
        params,
        queries,
      ]);
    const wanted = leaves(gradient(whole) as never) as readonly Tensor[];
    (leaves(gradient(small) as never) as readonly Tensor[]).forEach((g, i) => {
      close(g, wanted[i]!.toArray() as never, 1e-4);
    });
  });

  it('need memory that grows with the length, not with its square', () => {
    const some = multiHeadAttention(8, 2, { blockSize: 32 });
    const loss = (p: typeof params, v: Tensor): Tensor => sum(square(some.apply(p, v, { causal: true }))) as Tensor;
    const bytes = (f: (p: typeof params, v: Tensor) => unknown, length: number): number =>
      explain(f as typeof loss)(params, zeros([1, length, 8]) as Tensor).report!.memory.arena;
    for (const f of [loss, grad(loss)]) expect(bytes(f, 2048)).toBeLessThan(4.5 * bytes(f, 512));
    // The scores of two heads alone.
    expect(bytes(grad(loss), 2048)).toBeLessThan((2 * 2048 ** 2 * 4) / 8);
  });
});

describe.each([false, true])('transformers, normalising first: %s', normFirst => {
  const options = { feedForward: 16, normFirst, activation: 'gelu', dropout: 0.5 } as const;
  const encoder = transformerEncoderLayer(8, 2, options);
  const decoder = transformerDecoderLayer(8, 2, options);
  const [forEncoder, forDecoder] = [encoder.init(key(1)), decoder.init(key(2))];

  it('give what they give in jit and vmap, with gradients for all parameters', () => {
    const y = decoder.apply(forDecoder, x, memory, { causal: true });
    close(jit(decoder.apply)(forDecoder, x, memory, {}), decoder.apply(forDecoder, x, memory).toArray() as never, 1e-5);
    const each = vmap((v: Tensor, m: Tensor) => decoder.apply(forDecoder, v, m, { causal: true }));
    close(each(x, memory) as Tensor, y.toArray() as never, 1e-5);
    const weights = draw([3, 5, 8], 5);
    const g = grad((p: typeof forDecoder) => sum(square(decoder.apply(p, weights, memory))) as Tensor)(forDecoder);
    for (const leaf of leaves(g as never) as readonly Tensor[]) expect(sum(square(leaf)).item()).toBeGreaterThan(0);
  });

  it('drop something where there is a key, and only then', () => {
    const still = transformerEncoderLayer(8, 2, { ...options, dropout: 0 });
    const y = encoder.apply(forEncoder, x);
    expect(y.toArray()).toEqual(still.apply(forEncoder, x, { key: key(0) }).toArray());
    const dropped = encoder.apply(forEncoder, x, { key: key(0) });
    expect(dropped.toArray()).not.toEqual(y.toArray());
    expect(dropped.toArray()).toEqual(encoder.apply(forEncoder, x, { key: key(0) }).toArray());
  });

  it('have outputs that are normalised unless the inputs are', () => {
    const means = (mean(square(encoder.apply(forEncoder, x)), { axis: -1 }) as Tensor).dataSync() as Float32Array;
    const isNormal = Array.from(means).every(m => Math.abs(m - 1) < 1e-3);
    expect(isNormal).toBe(!normFirst);
  });
});
