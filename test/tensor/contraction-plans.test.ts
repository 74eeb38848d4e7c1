/** What stands around products and convolutions: kernels fused behind them, their memory, the steps of a U-Net's blocks. */
import {
  add,
  cast,
  conv1d,
  conv2d,
  convTranspose2d,
  div,
  dotGeneral,
  explain,
  fold,
  greater,
  jit,
  matmul,
  maximum,
  mean,
  mul,
  neg,
  permute,
  reshape,
  rsqrt,
  silu,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
  variance,
  where,
} from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import type { ContractionStep } from '../../src/tensor/backend/wasm/plan.js';
import { b } from '../../src/tensor/build.js';
import { sizeOf } from '../../src/tensor/shape.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import {
  type ConvCase,
  computedAll,
  conv,
  convOperands,
  kindsOf,
  noiseOf,
  planFor,
  roles,
  same,
  written,
} from './contraction-cases.js';

/** A stored tensor; its type says nothing of its shape. */
const stored = (shape: readonly number[], seed = sizeOf(shape)): Tensor => wrap(noiseOf(shape, seed)) as Tensor;
const product = (x: Tensor, y: Tensor): Tensor => matmul(x, y as never) as Tensor;
const plan = (...roots: readonly Tensor[]) => planFor(...roots.map(nodeOf));
const both = (x: Tensor, y: Tensor | number): Tensor => add(x, y as never) as Tensor;
const times = (x: Tensor, y: Tensor | number): Tensor => mul(x, y as never) as Tensor;

/** Products whose tiles can be cut into rows of the result. */
const products: Readonly<Record<string, () => Tensor>> = {
  'a matrix': () => product(stored([40, 33]), stored([33, 64])),
  'few rows': () => product(stored([5, 321]), stored([321, 16])),
  'one row': () => product(stored([1, 20]), stored([20, 48])),
  'columns of two tiles': () => product(stored([9, 20]), stored([20, 320])),
  'more rows than are packed at a time': () => product(stored([2100, 7]), stored([7, 24])),
  'more columns than are packed at a time': () => product(stored([3, 330]), transpose(stored([2304, 330])) as Tensor),
  'a width that fills no panel': () => product(stored([70, 50]), stored([50, 251])),
  'a batch': () => product(stored([3, 20, 9]), stored([3, 9, 24])),
  'turned operands': () => product(transpose(stored([33, 40])) as Tensor, transpose(stored([72, 33])) as Tensor),
  'one matrix for several': () => product(stored([4, 11, 9]), stored([9, 40])),
  'a convolution': () => conv2d(stored([2, 8, 10, 12]), stored([16, 8, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution in bands': () =>
    conv2d(stored([1, 50, 40, 32]), stored([20, 50, 3, 3]), { padding: 'same' }) as Tensor,
  'a convolution in groups': () => conv2d(stored([2, 8, 9, 9]), stored([12, 4, 2, 2]), { groups: 2 }) as Tensor,
  'a convolution along one axis': () => conv1d(stored([3, 5, 64]), stored([7, 5, 3]), { padding: 1 }) as Tensor,
  'a convolution with a stride': () =>
    conv2d(stored([2, 8, 16, 16]), stored([16, 8, 3, 3]), { stride: 2, padding: 1 }) as Tensor,
  'a transposed convolution': () =>
    convTranspose2d(stored([2, 8, 6, 8]), stored([8, 6, 4, 4]), { stride: 2, padding: 1 }),
  'a convolution with a large kernel': () =>
    conv2d(stored([1, 512, 4, 4]), stored([520, 512, 3, 3]), { padding: 'same' }) as Tensor,
  'a gradient of a kernel': () => {
    const one: ConvCase = { n: 5, g: 2, o: 6, c: 4, size: [9, 10], kernel: [3, 3] };
    return wrap(conv(one, 'kernel', convOperands(one, 'kernel'))) as Tensor;
  },
};

/** A tensor that is added to each row or channel. */
const biasOf = ({ shape }: Tensor): Tensor =>
  shape.length === 4 ? stored([shape[1]!, 1, 1], 5) : stored([shape[shape.length - 1]!], 5);

/** Kernels that go along with a result. */
const epilogues: Readonly<Record<string, (p: Tensor) => readonly Tensor[]>> = {
  bias: p => [both(p, biasOf(p))],
  'an activation': p => [silu(both(p, biasOf(p)))],
  'a residual': p => [both(p, stored(p.shape, 3))],
  'bias, activation, residual, scale': p => [times(both(silu(both(p, biasOf(p))), stored(p.shape, 3)), 0.7)],
  'a residual that is turned': p => [both(p, transpose(stored([...p.shape].reverse(), 4)) as Tensor)],
  'a function of much work': p => [tanh(both(tanh(p) as Tensor, tanh(neg(p)) as Tensor)) as Tensor],
  'a choice by index': p => {
    const index = wrap(b.iota({ shape: p.shape, dtype: 'int32', axis: p.shape.length - 1 })) as Tensor;
    return [where(greater(index, 3) as never, p as never, 0) as Tensor];
  },
  'several results': p => [times(p, 2), both(p, biasOf(p)), times(p, p)],
  'the product itself as well': p => [p, silu(p)],
  float64: p => [cast(times(p, 3), 'float64') as Tensor],
  int32: p => [cast(times(p, 10), 'int32') as Tensor],
  'a truth value': p => [greater(p, 0.25) as Tensor],
  'results of several widths': p => [
    cast(p, 'float64') as Tensor,
    maximum(p, 0) as Tensor,
    greater(p, 0) as Tensor,
    times(p, 3),
    cast(p, 'int32') as Tensor,
  ],
};

/** The results in one evaluation and in two, bit for bit. */
const checkAlike = (make: () => Tensor, behind: (p: Tensor) => readonly Tensor[], what: string): void => {
  const fused = computedAll(...behind(make()).map(nodeOf));
  const apart = wrap(written(nodeOf(make()))) as Tensor;
  const separate = computedAll(...behind(apart).map(nodeOf));
  fused.forEach((values, i) => {
    same(values, separate[i]!, `${what}, result ${i}`);
  });
};

describe('kernels behind contractions', () => {
  for (const [name, make] of Object.entries(products)) {
    it(`${name}: give the same bits as apart, in one step that keeps no product`, () => {
      for (const [epilogue, behind] of Object.entries(epilogues)) {
        checkAlike(make, behind, `${name}, ${epilogue}`);
        const results = behind(make());
        const { steps, bytes } = plan(...results);
        expect(
          steps.map(({ kind }) => kind),
          `${name}, ${epilogue}`,
        ).toEqual(['contraction']);
        const [step] = steps as readonly ContractionStep[];
        expect(step!.epilogue, `${name}, ${epilogue}`).not.toBeNull();
        if (results.some(({ dtype }) => dtype === 'float32')) {
          // Beside numbers there is nothing that the product by itself has not.
          expect(step!.out.kind).toBe('output');
          expect(bytes - plan(make()).bytes).toBeLessThanOrEqual(64);
        }
      }
    });
  }

  it('what cannot be cut into tiles has its kernel behind it, and is right', () => {
    const apart: Readonly<Record<string, () => Tensor>> = {
      '511 columns': () => product(stored([6, 20]), stored([20, 511])),
      '7 columns': () => product(stored([60, 20]), stored([20, 7])),
      'one column': () => product(stored([300, 20]), stored([20, 1])),
      'three columns': () => product(stored([300, 20]), stored([20, 3])),
      'few places': () => conv2d(stored([5, 8, 2, 3]), stored([4, 8, 1, 1])) as Tensor,
    };
    for (const [name, make] of Object.entries(apart)) {
      for (const [epilogue, behind] of Object.entries(epilogues)) {
        checkAlike(make, behind, `${name}, ${epilogue}`);
        expect(kindsOf(plan(...behind(make()))), `${name}, ${epilogue}`).toEqual(['contraction', 'kernel']);
      }
    }
  });

  it('other readers of the product find it whole', () => {
    for (const [name, make] of Object.entries(products)) {
      const last = (p: Tensor): number => p.shape.length - 1;
      checkAlike(make, p => [silu(p), sum(p, { axis: 0 }) as Tensor], `${name}, a sum across`);
      checkAlike(make, p => [silu(p), sum(p, { axis: last(p) }) as Tensor, neg(p) as Tensor], `${name}, a sum along`);
      checkAlike(make, p => [softmax(p), times(p, 2)], `${name}, a softmax`);
      checkAlike(make, p => [both(p, biasOf(p)), transpose(p) as Tensor], `${name}, turned`);
      checkAlike(
        make,
        p => [silu(p), product(reshape(p, [-1, p.shape[last(p)]!]) as Tensor, stored([p.shape[last(p)]!, 3]))],
        `${name}, a product`,
      );
    }
  });

  it('that need other places than those that are ready stay by themselves', () => {
    const make = (): Tensor => product(stored([24, 30]), stored([30, 24]));
    const elsewhere: Readonly<Record<string, (p: Tensor) => Tensor>> = {
      'turned and plain': p => both(p, transpose(p) as Tensor),
      'its rows in turn': p => both(p, slice(p, [0], [1]) as Tensor),
      'a part of it': p => times(slice(p, [3, 2], [20, 18]) as Tensor, 2),
    };
    for (const [name, behind] of Object.entries(elsewhere)) {
      checkAlike(make, p => [behind(p)], name);
      expect(kindsOf(plan(behind(make()))), name).toEqual(['contraction', 'kernel']);
    }
  });

  it('a kernel is fused behind the last of the products that it reads', () => {
    const [x, w, v] = [stored([40, 30]), stored([30, 48], 1), stored([30, 48], 2)];
    const gated = (): Tensor => times(silu(product(x, w)), product(x, v));
    expect(kindsOf(plan(gated()))).toEqual(['contraction', 'contraction']);
    const [p, q] = [w, v].map(right => wrap(written(nodeOf(product(x, right)))) as Tensor) as [Tensor, Tensor];
    same(computedAll(nodeOf(gated()))[0]!, computedAll(nodeOf(times(silu(p), q)))[0]!, 'gated');
  });

  it('layers in a row give the bits of layers one by one', () => {
    const layer = (x: Tensor, i: number): Tensor =>
      both(x, silu(both(product(tanh(x) as Tensor, stored([32, 32], i)), stored([32], i))));
    const x = stored([50, 32]);
    let [whole, step] = [x, x];
    for (let i = 0; i < 6; i++) {
      whole = layer(whole, i);
      step = wrap(written(nodeOf(layer(step, i)))) as Tensor;
    }
    const wanted = computedAll(nodeOf(step))[0]!;
    same(computedAll(nodeOf(whole))[0]!, wanted, 'layers');
    const inside = jit((y: Tensor) => [0, 1, 2, 3, 4, 5].reduce(layer, y))(x);
    same(inside.dataSync() as Float32Array, wanted, 'jitted layers');
  });

  it('in the body of a loop give the bits of steps one by one', () => {
    const [x, w, bias] = [stored([20, 24]), stored([24, 24]), stored([24])];
    const once = (y: Tensor): Tensor => times(both(tanh(both(product(y, w), bias)) as Tensor, y), 0.5);
    let step = x;
    for (let i = 0; i < 5; i++) step = wrap(written(nodeOf(once(step)))) as Tensor;
    const looped = fold(once)(x, 5);
    same(looped.dataSync() as Float32Array, computedAll(nodeOf(step))[0]!, 'a loop');
  });

  it('follow their numbers from run to run', () => {
    const [x, w] = [stored([20, 24]), stored([24, 40])];
    const scaled = jit((y: Tensor, by: number): Tensor => times(product(y, w), by));
    for (const by of [2, -3.5, 0, 1]) {
      const apart = times(wrap(written(nodeOf(product(x, w)))) as Tensor, by);
      same(scaled(x, by).dataSync() as Float32Array, computedAll(nodeOf(apart))[0]!, `times ${by}`);
    }
  });
});

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
const stepsOf = <A extends readonly Tensor[]>(f: (...args: A) => unknown, ...args: A): readonly string[] =>
  explain(f as never)(...(args as never)).report!.steps.map(({ name, shape }) => `${name}: ${shape}`);

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
    expect(stepsOf(block as never, x, embedding, ...parameters)).toMatchInlineSnapshot();
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
    expect(stepsOf(attention as never, ...args)).toMatchInlineSnapshot();
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
    expect(stepsOf(update as never, x, y, w, state as never)).toMatchInlineSnapshot();
  });
});

it('the large product of above is divided by nothing', () => {
  // Division in an epilogue is exact as anywhere.
  checkAlike(products['a batch']!, p => [div(p, 3) as Tensor, div(1, p) as Tensor], 'division');
});
