/** Attention with keys that the layer adds, against PyTorch's multi_head_attention_forward in plain numbers. */
import { cast, jit, mul, ones, square, sum, type Tensor, tensor, tril } from 'tenfold';
import { loadStateDict, type MultiHeadAttentionParams, multiHeadAttention, stateDict } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';
import { asDifferences, float64 } from './differences.js';
import { random } from './parameters.js';

const [n, queries, keys, size, heads] = [2, 3, 4, 6, 2];
const features = size / heads;
const draw = (shape: readonly number[], seed: number): Tensor =>
  normal(key(seed), shape, { dtype: 'float64' }) as Tensor;
const [x, memory] = [draw([n, queries, size], 1), draw([n, keys, size], 2)];
const added = draw([queries, keys], 3);
const allowed = cast(tril(ones([queries, keys])), 'bool') as Tensor;
const present = tensor(
  [
    [1, 1, 0, 1],
    [0, 0, 0, 0],
  ],
  { dtype: 'bool' },
) as Tensor;

type Matrix = number[][];

/** `x Wᵀ + b`. */
const linearly = (rows: Matrix, w: Matrix, b: readonly number[]): Matrix =>
  rows.map(row => w.map((each, o) => each.reduce((s, a, i) => s + a * row[i]!, b[o]!)));

interface Options {
  readonly addBiasKv?: boolean;
  readonly addZeroAttn?: boolean;
}

/** One example; `mask` is what is added to the scores of the keys that are given. */
const plainly = (state: Readonly<Record<string, Tensor>>, options: Options, from: Matrix, to: Matrix, mask: Matrix) => {
  const [w, b] = [state.in_proj_weight!.toArray() as Matrix, state.in_proj_bias!.toArray() as unknown as number[]];
  const [q, k, v] = [from, to, to].map((rows, i) =>
    linearly(rows, w.slice(i * size, (i + 1) * size), b.slice(i * size, (i + 1) * size)),
  ) as [Matrix, Matrix, Matrix];
  for (const [name, rows] of [['bias_k', k] as const, ['bias_v', v] as const]) {
    if (options.addBiasKv === true) rows.push((state[name]!.toArray() as number[][][])[0]![0]!);
    if (options.addZeroAttn === true) rows.push(new Array<number>(size).fill(0));
  }
  const weights = Array.from({ length: heads }, (_, head) =>
    q.map((query, i) => {
      const scores = k.map((one, j) => {
        let score = 0;
        for (let f = head * features; f < (head + 1) * features; f++) score += query[f]! * one[f]!;
        return score / Math.sqrt(features) + (mask[i]![j] ?? 0);
      });
      const most = Math.max(...scores);
      const exps = scores.map(score => Math.exp(score - most));
      const total = exps.reduce((s, e) => s + e, 0);
      return exps.map(e => e / total);
    }),
  );
  const found = q.map((_, i) =>
    Array.from({ length: size }, (_, f) =>
      weights[Math.floor(f / features)]![i]!.reduce((s, weight, j) => s + weight * v[j]![f]!, 0),
    ),
  );
  const out = [state['out_proj.weight']!.toArray() as Matrix, state['out_proj.bias']!.toArray()] as const;
  return { y: linearly(found, out[0], out[1] as unknown as number[]), weights };
};

describe.each([{ addBiasKv: true }, { addZeroAttn: true }, { addBiasKv: true, addZeroAttn: true }] as const)(
  '%j',
  options => {
    const layer = multiHeadAttention(size, heads, options) as ReturnType<typeof multiHeadAttention>;
    const blocks = multiHeadAttention(size, heads, { ...options, blockSize: 2 }) as typeof layer;
    const params = float64(random(layer.init(key(0))));
    const state = stateDict(layer, params);
    const [none, few] = [Number.NEGATIVE_INFINITY, (i: number, j: number): boolean => j <= i];
    const scores = (f: (example: number, i: number, j: number) => number): number[][][] =>
      Array.from({ length: n }, (_, e) =>
        Array.from({ length: queries }, (_, i) => Array.from({ length: keys }, (_, j) => f(e, i, j))),
      );
    const plus = added.toArray() as Matrix;
    const is = present.toArray() as unknown as boolean[][];

    it.each([
      ['no mask', {}, scores(() => 0)],
      ['causal', { causal: true }, scores((_, i, j) => (few(i, j) ? 0 : none))],
      ['a mask of bools', { mask: allowed }, scores((_, i, j) => (few(i, j) ? 0 : none))],
      [
        'a mask of floats, causal',
        { mask: added, causal: true },
        scores((_, i, j) => (few(i, j) ? plus[i]![j]! : none)),
      ],
      ['a mask of keys, of none in one example', { keyMask: present }, scores((e, _, j) => (is[e]![j]! ? 0 : none))],
      ['both masks', { keyMask: present, mask: added }, scores((e, i, j) => (is[e]![j]! ? plus[i]![j]! : none))],
      ['one number for all', { mask: tensor(2, { dtype: 'float64' }) as Tensor }, scores(() => 2)],
      ['one for each query', { mask: tensor([[1], [2], [3]]) as Tensor }, scores((_, i) => i + 1)],
    ] as const)('%s', (_, inputs, mask) => {
      const [from, to] = [x.toArray() as number[][][], memory.toArray() as number[][][]];
      const wanted = from.map((rows, e) => plainly(state, options, rows, to[e]!, mask[e]!));
      const all = { keys: memory, ...inputs };
      const { y, weights } = layer.withWeights(params, x, all);
      close(
        y,
        wanted.map(each => each.y),
        1e-12,
      );
      close(
        weights,
        wanted.map(each => each.weights),
        1e-12,
      );
      close(
        layer.apply(params, x, all),
        wanted.map(each => each.y),
        1e-12,
      );
      close(
        blocks.apply(params, x, all),
        wanted.map(each => each.y),
        1e-12,
      );
      close(
        jit((p: typeof params) => blocks.apply(p, x, all))(params),
        wanted.map(each => each.y),
        1e-12,
      );
    });

    it('has derivatives as differences say', () => {
      const shares = draw([n, queries, size], 5);
      for (const each of [layer, blocks]) {
        // The bias of keys changes the scores of the keys that are given only, so it has a derivative here.
        asDifferences(
          ({ p, from, to }) => sum(square(mul(each.apply(p, from, { keys: to, causal: true }), shares))) as Tensor,
          { p: params, from: x, to: memory },
        );
      }
    });
  },
);

describe('parameters', () => {
  it('are PyTorch’s, under its names, drawn as there', () => {
    const layer = multiHeadAttention(8, 2, { addBiasKv: true, keySize: 3 });
    const params = layer.init(key(0));
    expectTypeOf(params.biasK).toEqualTypeOf<Tensor>();
    const state = stateDict(layer, params);
    expect(state).toMatchObject({ bias_k: { shape: [1, 1, 8] }, bias_v: { shape: [1, 1, 8] } });
    expect(loadStateDict(layer, state)).toMatchObject({ right: params });
    expect(params.biasK.toArray()).not.toEqual(params.biasV.toArray());
    const drawn = Array.from(multiHeadAttention(900, 2, { addBiasKv: true }).init(key(1)).biasK.dataSync(), Number);
    const std = Math.sqrt(drawn.reduce((s, v) => s + v * v, 0) / drawn.length);
    expect(Math.abs(std * 30 - 1)).toBeLessThan(0.12);
    expect(multiHeadAttention(8, 2, { addZeroAttn: true }).init(key(0))).not.toHaveProperty('biasK');
  });

  it('must be there', () => {
    const layer = multiHeadAttention(8, 2, { addBiasKv: true });
    const { biasV, ...rest } = layer.init(key(0));
    expect(biasV.shape).toEqual([1, 1, 8]);
    const without = rest as unknown as MultiHeadAttentionParams<{ readonly addBiasKv: true }>;
    expect(caught(() => layer.apply(without, normal(key(0), [3, 8]) as Tensor)).message).toMatch(
      /multiHeadAttention: got undefined undefined as the biasV/,
    );
  });
});
