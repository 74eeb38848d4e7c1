/** What convolutions take of memory, and the steps of the blocks of a U-Net. */
import {
  conv2d,
  dotGeneral,
  explain,
  mean,
  permute,
  reshape,
  rsqrt,
  silu,
  slice,
  softmax,
  sub,
  type Tensor,
  variance,
} from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import {
  both,
  type ConvCase,
  conv,
  convOperands,
  planFor,
  product,
  roles,
  stored,
  times,
} from './contraction-cases.js';

describe('memory', () => {
  const sizes: readonly ConvCase[] = [
    { n: 8, g: 1, o: 64, c: 64, size: [32, 32], kernel: [3, 3] },
    { n: 1, g: 1, o: 128, c: 128, size: [64, 64], kernel: [3, 3] },
  ].map(one => ({
    ...one,
    padding: [
      [1, 1],
      [1, 1],
    ],
  }));
  for (const one of sizes) {
    it(`of ${one.n} × ${one.c} × ${one.size.join(' × ')} → ${one.o} is that of what goes in and out, and 2 MiB`, () => {
      for (const of of roles) {
        const operands = convOperands(one, of);
        expect(planFor(conv(one, of, operands)).bytes).toBeLessThan(2 ** 21);
        const { report } = explain((x: Tensor, y: Tensor) => wrap(conv(one, of, [nodeOf(x), nodeOf(y)])) as Tensor)(
          ...(operands.map(wrap) as [Tensor, Tensor]),
        );
        expect(report!.memory.arena).toBeLessThan(2 ** 21);
      }
    });
  }
});

/** Steps as `explain` names them. */
const stepsOf = (f: (...args: never) => unknown, ...args: readonly unknown[]): readonly string[] =>
  explain(f)(...(args as never)).report!.steps.map(({ name, shape }) => `${name}: ${shape}`);

const groupNorm = (x: Tensor, groups: number, weight: Tensor, bias: Tensor): Tensor => {
  const [n, c, ...spatial] = x.shape as readonly [number, number, ...number[]];
  const cut = reshape(x, [n, groups, c / groups, ...spatial]) as Tensor;
  const over = { axis: [2, 3, 4], keepDims: true };
  const scale = rsqrt(both(variance(cut, over) as Tensor, 1e-5)) as Tensor;
  const normal = reshape(times(sub(cut, mean(cut, over) as never) as Tensor, scale), x.shape) as Tensor;
  const channel = (y: Tensor): Tensor => reshape(y, [c, 1, 1]) as Tensor;
  return both(times(normal, channel(weight)), channel(bias));
};

describe('a U-Net', () => {
  const [n, c, o, size] = [2, 16, 32, 16];
  const filter = (x: Tensor, w: Tensor, bias: Tensor): Tensor =>
    both(conv2d(x, w as never, { padding: 'same' }) as Tensor, reshape(bias, [bias.shape[0]!, 1, 1]) as Tensor);

  it('has a residual block of these steps', () => {
    const block = (x: Tensor, embedding: Tensor, ...p: readonly Tensor[]): Tensor => {
      const [g1, b1, w1, c1, wt, bt, g2, b2, w2, c2, ws, cs] = p as readonly Tensor[] & Record<number, Tensor>;
      let h = filter(silu(groupNorm(x, 4, g1!, b1!)), w1!, c1!);
      h = both(h, reshape(both(product(silu(embedding), wt!), bt!), [n, o, 1, 1]) as Tensor);
      h = filter(silu(groupNorm(h, 4, g2!, b2!)), w2!, c2!);
      return both(filter(x, ws!, cs!), h);
    };
    const shapes = [[c], [c], [o, c, 3, 3], [o], [64, o], [o], [o], [o], [o, o, 3, 3], [o], [o, c, 1, 1], [o]];
    const parameters = shapes.map((shape, i) => stored(shape, i + 1));
    const [x, embedding] = [stored([n, c, size, size]), stored([n, 64])];
    expect(stepsOf(block, x, embedding, ...parameters)).toMatchInlineSnapshot(`
      [
        "sum div sub mul sum div add rsqrt: float32 2 × 4 × 4* × 16* × 16*",
        "sigmoid mul, matmul: float32 2 × 64 · 64 × 32",
        "mul mul add sigmoid mul, conv, add add add: float32[2, 1, 16, 16, 16], float32[1, 32, 16, 3, 3] → float32[2, 1, 32, 16, 16]",
        "sum div sub mul sum div add rsqrt: float32 2 × 4 × 8* × 16* × 16*",
        "mul mul add sigmoid mul, conv: float32[2, 1, 32, 16, 16], float32[1, 32, 32, 3, 3] → float32[2, 1, 32, 16, 16]",
        "conv, add add add: float32[2, 1, 16, 16, 16], float32[1, 32, 16, 1, 1] → float32[2, 1, 32, 16, 16]",
      ]
    `);
  });

  it('has an attention of these steps', () => {
    const [heads, positions, width] = [4, 64, o / 4];
    const attention = (x: Tensor, wq: Tensor, bq: Tensor, wo: Tensor, bo: Tensor): Tensor => {
      const tokens = permute(reshape(x, [n, o, positions]), [0, 2, 1]) as Tensor;
      const all = permute(reshape(both(product(tokens, wq), bq), [n, positions, 3, heads, width]), [2, 0, 3, 1, 4]);
      const [q, k, v] = [0, 1, 2].map(
        i => reshape(slice(all, [i], [i + 1]) as Tensor, [n, heads, positions, width]) as Tensor,
      ) as [Tensor, Tensor, Tensor];
      const scores = dotGeneral(q, k, {
        contract: [[3], [3]],
        batch: [
          [0, 1],
          [0, 1],
        ],
      });
      const mixed = product(softmax(times(scores as Tensor, 1 / Math.sqrt(width))), v);
      const joined = reshape(permute(mixed, [0, 2, 1, 3]), [n, positions, o]) as Tensor;
      const out = both(product(joined, wo), bo);
      return both(x, reshape(permute(out, [0, 2, 1]), [n, o, 8, 8]) as Tensor);
    };
    const args = [[n, o, 8, 8], [o, 3 * o], [3 * o], [o, o], [o]].map((shape, i) => stored(shape, i + 1));
    expect(stepsOf(attention, ...args)).toMatchInlineSnapshot(`
      [
        "matmul, add: float32 128 × 32 · 32 × 96",
        "matmul: float32 8 × 64 × 8 · 8 × 64",
        "mul reduceMax sub exp sum div: float32 2 × 4 × 64 × 64*",
        "matmul: float32 8 × 64 × 64 · 64 × 8",
        "copy, matmul, add: float32 128 × 32 · 32 × 32",
        "add: float32 2 × 32 × 8 × 8",
      ]
    `);
  });

  it('has an update of a kernel by its gradient of these steps', () => {
    const optimizer = adam(1e-3);
    const [x, w, y] = [stored([n, c, size, size]), stored([o, c, 3, 3]), stored([n, o, size, size])];
    const one: ConvCase = { n, g: 1, o, c, size: [size, size], kernel: [3, 3], padding: Array(2).fill([1, 1]) };
    const state = optimizer.init(w);
    const grouped = (z: Tensor, axis: number): Tensor => reshape(z, z.shape.toSpliced(axis, 0, 1)) as Tensor;
    const update = (p: Tensor, q: Tensor, kernel: Tensor, before: typeof state) => {
      const gradient = wrap(conv(one, 'kernel', [nodeOf(grouped(p, 1)), nodeOf(grouped(q, 1))])) as Tensor;
      const [updates, after] = optimizer.update(reshape(gradient, kernel.shape) as Tensor, before, kernel);
      return [applyUpdates(kernel, updates), after] as const;
    };
    expect(stepsOf(update, x, y, w, state)).toMatchInlineSnapshot(`
      [
        "add cast: float32, int32 1",
        "mul expm1 neg div: float32 1",
        "mul expm1 neg div: float32 1",
        "add: int32 1",
        "conv gradient of the kernel, mul mul add mul mul mul mul add mul sqrt add div mul add: float32[2, 1, 16, 16, 16], float32[2, 1, 32, 16, 16] → float32[1, 32, 16, 3, 3]",
      ]
    `);
  });
});
