/** vmap: against plain loops over examples, for axes of all kinds, nested, of gradients, of everything that has rules. */
import * as fc from 'fast-check';
import {
  type Axes,
  add,
  argsort,
  cond,
  dot,
  exp,
  fold,
  fullLike,
  grad,
  greater,
  jit,
  jvp,
  less,
  linearize,
  logicalAnd,
  makeGraph,
  matmul,
  max,
  mean,
  moveAxis,
  mul,
  neg,
  onesLike,
  outer,
  relu,
  scan,
  scatterAdd,
  slice,
  softmax,
  sort,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  takeAlong,
  tanh,
  tensor,
  vjp,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { bernoulli, type Key, key, normal, permutation, split, splitStack, uniform } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { close } from '../helpers.js';

type T = Tensor;
type Indices = Tensor<readonly number[], 'int32'>;

const draw = (seed: number, shape: readonly number[]): T => normal(key(seed), shape, { dtype: 'float64' });
const integers = (values: readonly number[], shape: readonly number[]): T =>
  tensor(Int32Array.from(values), shape) as T;

/** One example of a batch. */
const example = (x: T, axis: number | null, i: number): T => (axis === null ? x : take(x, i, { axis }));

/** What vmap does, as a loop. */
const looped = (f: (...args: T[]) => T, args: readonly T[], axes: readonly (number | null)[], out = 0): T => {
  const first = axes.findIndex(axis => axis !== null);
  const size = args[first]!.shape.at(axes[first]!)!;
  const rows = Array.from({ length: size }, (_, i) => f(...args.map((x, a) => example(x, axes[a]!, i))));
  return moveAxis(stack(rows), 0, out);
};

const sameAsLoop = (f: (...args: T[]) => T, args: readonly T[], axes: readonly (number | null)[], out = 0): void => {
  const all = vmap(f, { in: axes, out })(...args);
  close(all, looped(f, args, axes, out).toArray() as number, 1e-12);
};

describe('axes', () => {
  const x = draw(1, [2, 3, 4]);

  it('any of the argument, any of the result, counted from both ends', () => {
    for (const from of [0, 1, 2, -1, -2, -3]) {
      for (const to of [0, 1, 2, -1, -2, -3]) sameAsLoop(y => tanh(mul(y, 2)), [x], [from], to);
      sameAsLoop(y => sum(y, { axis: 0 }), [x], [from]);
    }
  });

  it('one for each argument, null for what is shared', () => {
    const w = draw(2, [4, 3]);
    sameAsLoop((a, b) => matmul(a, b) as T, [x, w], [2, 0]);
    sameAsLoop((a, b) => add(a, b), [x, draw(3, [2, 3])], [2, null]);
    sameAsLoop((a, b) => add(b, a), [x, draw(3, [2, 3])], [-1, null], 1);
    expect(vmap((a: T, b: T) => add(a, b), { in: 0 })(x, x).shape).toEqual([2, 3, 4]);
  });

  it('trees of them, whole subtrees at once', () => {
    type P = { readonly w: T; readonly layers: readonly [T, T | null] };
    const f = ({ w, layers }: P, y: T): { s: T; parts: readonly [T, T] } => ({
      s: sum(mul(w, y)),
      parts: [add(layers[0], y), w],
    });
    const p: P = { w: draw(4, [3, 5]), layers: [draw(5, [3]), null] };
    const y = draw(6, [3, 5]);
    const options: { in: Axes; out: Axes } = { in: [{ w: 1, layers: null }, -1], out: { s: 0, parts: [1, -1] } };
    const { s, parts } = vmap(f, options)(p, y);
    expect([s.shape, parts[0].shape, parts[1].shape]).toEqual([[5], [3, 5], [3, 5]]);
    close(s, sum(mul(p.w, y), { axis: 0 }).toArray() as number[], 1e-12);
    close(parts[1], p.w.toArray() as number[][]);
    const again = vmap(f, { in: [{ w: 1, layers: [null, null] }, 1], out: { s: 0, parts: 1 } })(p, y);
    expect(again.parts.map(part => part.shape)).toEqual([
      [3, 5],
      [3, 5],
    ]);
    // A record alone is for each of the arguments.
    const dots = vmap((a: { v: T }, b: { v: T }) => dot(a.v, b.v) as T, { in: { v: 1 } })({ v: y }, { v: y });
    close(dots, sum(square(y), { axis: 0 }).toArray() as number[], 1e-12);
  });

  it('null for results that all examples share', () => {
    const w = tensor([1, 2]) as T;
    const f = (y: T): readonly [T, T] => [mul(y, 2), mul(w, 3)];
    const [own, shared] = vmap(f, { out: [0, null] })(tensor([1, 2, 3]));
    expect([own.toArray(), shared.toArray()]).toEqual([
      [2, 4, 6],
      [3, 6],
    ]);
    expect(vmap(f)(tensor([1, 2, 3]))[1].shape).toEqual([3, 2]);
    expect(vmap((_: T) => w, { out: null })(tensor([1, 2, 3])).toArray()).toEqual([1, 2]);
  });

  it('no examples at all', () => {
    expect(vmap((y: T) => sum(mul(y, y)))(zeros([0, 3])).toArray()).toEqual([]);
    expect(vmap((y: T) => y, { in: 1, out: 1 })(zeros([3, 0])).shape).toEqual([3, 0]);
  });

  it('leave the shapes of examples out of the types', () => {
    const f = (a: Tensor<readonly [3]>, b: readonly [Tensor<readonly [], 'int32'>, null]) => [a, b[0]] as const;
    type Rows = (
      a: Tensor<readonly number[], 'float32'>,
      b: readonly [Tensor<readonly number[], 'int32'>, null],
    ) => readonly [Tensor<readonly number[], 'float32'>, Tensor<readonly number[], 'int32'>];
    const rows = vmap(
      f as (
        a: Tensor<readonly [3], 'float32'>,
        b: readonly [Tensor<readonly [], 'int32'>, null],
      ) => readonly [Tensor<readonly [3], 'float32'>, Tensor<readonly [], 'int32'>],
    );
    expectTypeOf(rows).parameters.toEqualTypeOf<Parameters<Rows>>();
    expectTypeOf(rows).returns.toEqualTypeOf<ReturnType<Rows>>();
    expect(rows(zeros([2, 3]), [zeros([2], { dtype: 'int32' }), null])[0].shape).toEqual([2, 3]);
  });
});

describe('against loops', () => {
  const [x, y] = [draw(1, [3, 4]), draw(2, [3, 4])];
  const order = integers([2, 0, 1, 1, 2, 2], [3, 2]);

  const cases: Readonly<Record<string, () => void>> = {
    'elementwise, reductions, softmax': () => sameAsLoop((a, b) => softmax(mul(sub(a, max(b)), b)), [x, y], [0, 0]),
    'matrix times shared vector, shared matrix times vector, both batched': () => {
      const m = draw(3, [3, 4, 5]);
      sameAsLoop((a, v) => matmul(a, v) as T, [m, draw(4, [5])], [0, null]);
      sameAsLoop((a, v) => matmul(a, v) as T, [draw(5, [2, 4]), x], [null, 0]);
      sameAsLoop((a, v) => matmul(v, a) as T, [m, draw(6, [6, 4, 3])], [0, 2]);
      sameAsLoop((a, v) => matmul(a, v) as T, [m, draw(7, [2, 4, 6, 5])], [2, 3]);
    },
    'gather with rows of the tensor, of the indices, of both': () => {
      sameAsLoop((a, i) => take(a, i as Indices), [draw(3, [2, 3, 4]), order], [0, null]);
      sameAsLoop((a, i) => take(a, i as Indices, { axis: 1 }), [draw(3, [2, 3, 4]), order], [0, null]);
      sameAsLoop((a, i) => take(a, i as Indices), [x, order], [null, 0]);
      sameAsLoop((a, i) => take(a, i as Indices, { axis: 1 }), [x, order], [null, 1]);
      sameAsLoop((a, i) => take(a, i as Indices), [draw(3, [4, 3, 2]), order], [-1, 1]);
      sameAsLoop((a, i) => take(a, i as Indices, { axis: 1 }), [draw(3, [3, 2, 4]), order], [0, 0]);
      sameAsLoop((a, i) => takeAlong(a, i as Indices, { axis: 0 }), [x, integers([0, 2, 3, 1, 1, 0], [3, 2])], [0, 0]);
    },
    'an index outside of its own row does not read from the next': () => {
      const outside = integers([0, 4, -5, 3], [2, 2]);
      const rows = vmap((a: T, i: T) => take(a, i as Indices))(draw(8, [2, 4]), outside).toArray() as number[][];
      expect(rows.map(row => row.map(Number.isNaN))).toEqual([
        [false, true],
        [true, false],
      ]);
    },
    scatterAdd: () => {
      const base = draw(9, [3, 5]);
      const f = (a: T, i: T, u: T): T => scatterAdd(a, i as Indices, u);
      sameAsLoop(f, [base, integers([0, 4, 2, 2, 1, 0], [3, 2]), draw(10, [3, 2])], [0, 0, 0]);
      sameAsLoop(f, [draw(11, [5]), integers([0, 4, 2, 2, 1, 0], [3, 2]), draw(10, [2])], [null, 0, null]);
      sameAsLoop(f, [draw(11, [5]), integers([0, 4], [2]), draw(10, [3, 2])], [null, null, 0]);
    },
    'sort and argsort': () => {
      sameAsLoop(a => sort(a), [x], [0]);
      sameAsLoop(a => sort(a, { descending: true }), [x], [1]);
      sameAsLoop(a => argsort(a), [x], [1]);
      sameAsLoop(a => sort(a, { axis: 0 }), [draw(3, [2, 3, 4])], [1], 1);
    },
    'fold and scan, whatever differs between the rows': () => {
      const w = draw(12, [4]);
      const f = (init: T, xs: T, by: T): T => fold((c: T, a: T): T => tanh(add(mul(c, by), mul(a, w))))(init, xs);
      const [init, xs, by] = [draw(13, [3, 4]), draw(14, [3, 5]), draw(15, [3])];
      sameAsLoop(f, [init, xs, by], [0, 0, 0]);
      sameAsLoop(f, [draw(13, [4]), xs, draw(15, [])], [null, 0, null]);
      sameAsLoop(f, [draw(13, [4]), draw(14, [5]), by], [null, null, 0]);
      sameAsLoop(f, [init, draw(14, [5]), draw(15, [])], [0, null, null]);
      const backwards = (a: T): T =>
        scan((c: T, e: T): readonly [T, T] => [add(c, e), mul(c, e)], { reverse: true })(sum(a), a)[1];
      sameAsLoop(backwards, [xs], [0]);
      sameAsLoop(backwards, [xs], [1], 1);
    },
    'cond on what all share, and on what differs': () => {
      const f = (p: T, a: T): T =>
        cond(
          greater(p, 0) as T,
          (e: T): T => mul(e, 2),
          (e: T): T => neg(exp(e)),
        )(a);
      sameAsLoop(f, [tensor(1), x], [null, 0]);
      sameAsLoop(f, [tensor(-1), x], [null, 0]);
      sameAsLoop(f, [tensor([1, -1, 2]), x], [0, 0]);
      sameAsLoop(f, [tensor([1, -1, 2]), draw(3, [4])], [0, null]);
    },
    'while loops whose rows end at different steps': () => {
      const collatz = (n: T): T =>
        whileLoop(
          ([m]: readonly [T, T]) => greater(m, 1) as T,
          ([m, steps]: readonly [T, T]): readonly [T, T] => [sub(m, 1), add(steps, m)],
        )([n, mul(n, 0)])[1];
      sameAsLoop(collatz, [tensor(Float64Array.of(1, 5, 2, 9, 0), [5])], [0]);
      const limited = (limit: T, start: T): T =>
        whileLoop(
          (c: T) => logicalAnd(less(sum(c), limit), less(limit, 1000)) as T,
          (c: T): T => mul(c, 2),
        )(start);
      const starts = tensor(Float64Array.of(1, 1, 3, 0.5), [2, 2]);
      sameAsLoop(limited, [tensor(Float64Array.of(10, 100), [2]), starts], [0, 0]);
      sameAsLoop(limited, [tensor(Float64Array.of(10, 100), [2]), tensor(Float64Array.of(1, 2), [2])], [0, null]);
      sameAsLoop(limited, [tensor(50, { dtype: 'float64' }), starts], [null, 0]);
    },
    'random draws, with a key for each row, bit for bit': () => {
      const keys = splitStack(key(5), 6);
      const f = (k: T): T => {
        const [a, b2] = split(k as Key);
        const p = permutation(a!, 4);
        return add(mul(uniform(a!, [4]), bernoulli(b2!, 0.5, [4])), add(normal(b2!, [4]), p));
      };
      expect(vmap(f)(keys).toArray()).toEqual(looped(f, [keys], [0]).toArray());
      const inColumns = moveAxis(keys, 0, 1);
      expect(vmap(f, { in: 1 })(inColumns).toArray()).toEqual(looped(f, [keys], [0]).toArray());
    },
  };
  for (const [name, run] of Object.entries(cases)) it(name, run);

  it('generated: any ranks, axes and operations', () => {
    const unaries: readonly ((a: T) => T)[] = [
      a => tanh(a),
      a => (a.shape.length === 0 ? a : softmax(a)),
      a => (a.shape.length === 0 ? a : sort(a)),
      a => mul(a, mean(a)),
      a => sub(a, max(a)),
      a => fold((c: T): T => mul(tanh(c), 1.5))(a, 2),
    ];
    const dims = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 2 });
    fc.assert(
      fc.property(
        dims,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(unaries.length - 1), { minLength: 1, maxLength: 4 }),
        fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.boolean()),
        (shape, size, path, [p, q, r, both]) => {
          const place = (n: number): number => n % (shape.length + 1);
          const put = (axis: number): readonly number[] => [...shape.slice(0, axis), size, ...shape.slice(axis)];
          const f = (a: T, c: T): T => path.reduce<T>((z, i) => unaries[i]!(z), add(mul(a, c), a));
          const args = [draw(1, put(place(p))), draw(2, both ? put(place(q)) : shape)];
          sameAsLoop(f, args, [place(p), both ? place(q) : null], place(r));
        },
      ),
      { numRuns: 150, seed: 11 },
    );
  });
});

describe('nested, and with derivatives', () => {
  it('nests: all pairs of two lists', () => {
    const [as, bs] = [draw(1, [3, 2]), draw(2, [4, 2])];
    const kernel = (a: T, b2: T): T => exp(neg(sum(square(sub(a, b2)))));
    const pairs = vmap((a: T) => vmap((b2: T) => kernel(a, b2))(bs))(as);
    const inOut = vmap(vmap(kernel, { in: [null, 0] }), { in: [0, null] })(as, bs);
    const swapped = vmap(vmap(kernel, { in: [0, null], out: 0 }), { in: [null, 0], out: 1 })(as, bs);
    const expected = Array.from({ length: 3 }, (_, i) =>
      Array.from({ length: 4 }, (__, j) => kernel(example(as, 0, i), example(bs, 0, j)).item() as number),
    );
    for (const got of [pairs, inOut, swapped]) close(got, expected, 1e-14);
    // Three deep over one tensor, each over another axis.
    const cube = draw(3, [2, 3, 4]);
    const deep = vmap(
      vmap(
        vmap((a: T) => mul(a, a), { in: 0 }),
        { in: -1, out: -1 },
      ),
      { in: 1, out: 1 },
    )(cube);
    close(deep, square(cube).toArray() as number[][][], 1e-15);
  });

  interface Net {
    readonly first: { readonly w: T; readonly b: T };
    readonly second: { readonly w: T; readonly b: T };
  }
  const net: Net = {
    first: { w: draw(1, [4, 5]), b: draw(2, [5]) },
    second: { w: draw(3, [5, 2]), b: draw(4, [2]) },
  };
  const loss = ({ first, second }: Net, x: T, target: T): T => {
    const hidden = relu(add(matmul(x, first.w) as T, first.b));
    return mean(square(sub(add(matmul(hidden, second.w) as T, second.b), target)));
  };
  const [xs, targets] = [draw(5, [7, 4]), draw(6, [7, 2])];

  it('per-example gradients of a net of two layers are those of a loop', () => {
    const all = vmap(grad(loss), { in: [null, 0, 0] })(net, xs, targets);
    const jitted = jit(vmap(grad(loss), { in: [null, 0, 0] }))(net, xs, targets);
    for (let i = 0; i < 7; i++) {
      const one = grad(loss)(net, example(xs, 0, i), example(targets, 0, i));
      for (const layer of ['first', 'second'] as const) {
        for (const part of ['w', 'b'] as const) {
          const expected = one[layer][part].toArray() as number[];
          close(example(all[layer][part], 0, i), expected, 1e-12);
          close(example(jitted[layer][part], 0, i), expected, 1e-12);
        }
      }
    }
    // Their mean is the gradient of the mean loss, through vmap.
    const whole = grad((p: Net): T => mean(vmap(loss, { in: [null, 0, 0] })(p, xs, targets)))(net);
    close(mean(all.first.w, { axis: 0 }), whole.first.w.toArray() as number[][], 1e-12);
    close(mean(all.second.b, { axis: 0 }), whole.second.b.toArray() as number[], 1e-12);
  });

  it('clipped per example, as in private training: norms, then a mean', () => {
    const norm = (p: Net): T => sum(square(p.first.w));
    const clipped = (x: T, target: T): T => {
      const g = grad(loss)(net, x, target);
      const scale = cond(
        greater(norm(g), 1) as T,
        (n: T): T => mul(n, 0),
        (n: T): T => onesLike(n),
      )(norm(g));
      return mul(g.second.b, scale);
    };
    sameAsLoop(clipped, [xs, targets], [0, 0]);
  });

  it('of derivatives of every way, and derivatives of it', () => {
    const f = (a: T, c: T): T => sum(mul(tanh(mul(a, c)), fold((s: T): T => add(s, mul(a, c)))(c, 2)));
    const [a, c] = [draw(1, [3, 4]), draw(2, [3, 4])];
    sameAsLoop((p, q) => grad(f)(p, q), [a, c], [0, 0]);
    sameAsLoop((p, q) => grad(f)(p, q), [a, draw(2, [4])], [0, null]);
    sameAsLoop((p, q) => jvp((r: T) => f(r, q), [p], [q])[1], [a, c], [0, 0]);
    sameAsLoop((p, q) => vjp((r: T) => f(r, q), p)[1](fullLike(sum(p), 2) as T)[0], [a, c], [1, 1]);
    sameAsLoop((p, q) => linearize((r: T) => f(r, q))(p)[1](q), [a, c], [0, 0]);
    sameAsLoop((p, q) => grad((r: T): T => sum(mul(grad(f)(r, q), q)))(p), [a, c], [0, 0]);
    const batched = (p: T): T => sum(square(vmap(f)(p, c)));
    const plain = (p: T): T => sum(square(looped(f, [p, c], [0, 0])));
    close(grad(batched)(a), grad(plain)(a).toArray() as number[][], 1e-12);
    close(jvp(batched, [a], [c])[1], jvp(plain, [a], [c])[1].item() as number, 1e-12);
  });

  it('a random loss is differentiated with the same draws', () => {
    const keys = splitStack(key(9), 3);
    const f = (w: T, k: T): T => sum(square(mul(w, normal(k as Key, [4], { dtype: 'float64' }))));
    sameAsLoop((k, w) => grad(f)(w, k), [keys, draw(1, [4])], [0, null]);
  });

  it('is inside of loops, jit, and around them', () => {
    const x = draw(1, [3, 4]);
    const step = (c: T): T => vmap((row: T): T => tanh(outerNorm(row)))(c);
    const outerNorm = (row: T): T => sum(outer(row, row), { axis: 0 });
    const loop = jit((c: T) => fold(step)(c, 3));
    close(loop(x), step(step(step(x))).toArray() as number[][], 1e-12);
    sameAsLoop(row => jit((r: T) => slice(mul(r, 2), [1]))(row), [x], [0]);
  });

  it('nothing is looped over: the graph is as long for a thousand examples as for two', () => {
    const lines = (n: number): number =>
      String(makeGraph(vmap(grad(loss), { in: [null, 0, 0] }))(net, zeros([n, 4]), zeros([n, 2]))).split('\n').length;
    expect(lines(1000)).toBe(lines(2));
  });
});
