/** Transforms of random functions in every order: what must be the same, is. */
import * as fc from 'fast-check';
import {
  abs,
  add,
  argsort,
  checkpoint,
  clamp,
  concat,
  cond,
  customBatch,
  customJvp,
  customVjp,
  div,
  exp,
  type FloatDType,
  flip,
  fold,
  grad,
  greater,
  hvp,
  jit,
  jvp,
  less,
  linearize,
  log,
  matmul,
  max,
  maximum,
  mean,
  mul,
  outer,
  reshape,
  type Shape,
  scan,
  sigmoid,
  sin,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  transpose,
  vjp,
  vmap,
  where,
  whileLoop,
} from 'tenfold';
import { describe, expect, it } from 'vitest';

type T = Tensor<Shape, FloatDType>;
type Step = (x: T, y: T) => T;

const n = 4;
const vector = (values: readonly number[]): T => tensor(Float64Array.from(values), [values.length]);

const stretched: (x: T) => T = customJvp(
  (x: T): T => mul(sin(x), 2),
  ([x], [t]) => [stretched(x), mul(t, mul(sin(add(x, Math.PI / 2)), 2))],
);
const halved = customVjp((x: T, y: T): T => mul(mul(x, y), 0.5), {
  forward: (x, y) => [mul(mul(x, y), 0.5), [x, y]],
  backward: ([x, y], v) => [mul(v, mul(y, 0.5)), mul(v, mul(x, 0.5))],
});
const rowwise = customBatch(
  (x: T): T => softmax(x, { axis: -1 }),
  ([x]) => {
    const e = exp(sub(x, max(x, { axis: -1, keepDims: true })));
    return div(e, sum(e, { axis: -1, keepDims: true }));
  },
);
const outside = vector([0.3, -0.7, 1.1, 0.2]);

/** Each makes a vector of two, and leaves numbers of moderate size. */
const always: readonly Step[] = [
  x => sin(x),
  x => tanh(x),
  x => sigmoid(x),
  x => exp(mul(tanh(x), 0.5)),
  x => log(add(square(x), 1)),
  (x, y) => add(x, y),
  (x, y) => sub(x, mul(y, 0.5)),
  (x, y) => mul(tanh(x), y),
  (x, y) => div(x, add(square(y), 1)),
  (x, y) => maximum(x, y),
  x => abs(x),
  x => clamp(x, -0.8, 0.8),
  (x, y) => where(greater(x, 0.1), x, y),
  x => softmax(x),
  x => sub(x, mean(x)),
  x => div(x, add(max(abs(x)), 1)),
  x => flip(x, 0),
  x => take(x, argsort(x)),
  x => take(x, tensor([3, 0, 0, 1], { dtype: 'int32' })),
  (x, y) => concat([slice(x, [1], [3]), slice(y, [0], [2])]),
  (x, y) => tanh(matmul(outer(x, outside), y)),
  (x, y) => mean(mul(reshape(x, [n, 1]), transpose(reshape(y, [n, 1]))), { axis: 0 }),
  (x, y) => fold((c: T) => tanh(add(c, mul(y, 0.3))))(x, 3),
  (x, y) => scan((c: T, e: T) => [sin(add(c, e)), mul(c, e)])(mean(x), y)[1],
  (x, y) =>
    cond(
      less(sum(x), 0.5),
      (p: T, q: T) => mul(p, sin(q)),
      (p: T, q: T) => add(p, tanh(q)),
    )(x, y),
  x => jit((z: T) => mul(sin(z), outside))(x),
  (x, y) => checkpoint((p: T, q: T) => tanh(mul(p, sin(q))))(x, y),
  x => stretched(x),
  x => rowwise(x),
];
/** What has no forward mode, and what no reverse mode. */
const backwardOnly: readonly Step[] = [(x, y) => halved(tanh(x), y)];
const forwardOnly: readonly Step[] = [
  (x, y) =>
    whileLoop(
      (c: T) => less(sum(square(c)), 5),
      (c: T) => add(mul(c, 1.5), add(mul(tanh(y), 0.1), 0.2)),
    )(x),
];

type Recipe = readonly (readonly [step: number, first: number, second: number])[];

/** A scalar function of two vectors. */
const make =
  (steps: readonly Step[], recipe: Recipe) =>
  (x: T, w: T): T => {
    const pool = [x, w, add(x, w)];
    for (const [step, first, second] of recipe) {
      const at = (place: number): T => pool[pool.length - 1 - (place % pool.length)]!;
      pool.push(steps[step % steps.length]!(at(first), at(second)));
    }
    return sum(mul(pool[pool.length - 1]!, add(pool[pool.length - 2]!, outside)));
  };

const recipes = (steps: readonly Step[]): fc.Arbitrary<Recipe> =>
  fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(2), fc.nat(5)), { minLength: 1, maxLength: 7 });
const numbers = (count: number): fc.Arbitrary<readonly number[]> =>
  fc.array(
    fc.integer({ min: -1500, max: 1500 }).map(i => i / 1000 + 0.000123 * (i % 7)),
    {
      minLength: count,
      maxLength: count,
    },
  );

const agree = (what: string, actual: T, wanted: T, tolerance = 1e-9): void => {
  const [got, want] = [actual, wanted].map(x => [...(x.dataSync() as Float64Array)]);
  expect(got!.length, what).toBe(want!.length);
  got!.forEach((value, i) => {
    const off = Math.abs(value - want![i]!);
    expect(off <= tolerance * (1 + Math.abs(want![i]!)), `${what}: ${value} for ${want![i]} at ${i}`).toBe(true);
  });
};

const check = (
  steps: readonly Step[],
  runs: number,
  property: (f: (x: T, w: T) => T, xs: readonly T[], w: T, rows: T) => void,
): void => {
  fc.assert(
    fc.property(recipes(steps), numbers(3 * n), numbers(n), (recipe, values, weights) => {
      const rows = reshape(vector(values), [3, n]);
      const xs = [0, 1, 2].map(i => vector(values.slice(n * i, n * (i + 1))));
      property(make(steps, recipe), xs, vector(weights), rows);
    }),
    { numRuns: runs, seed: 20261 },
  );
};

const stacked = (rows: readonly T[]): T => concat(rows.map(row => reshape(row, [1, ...row.shape])));

describe('functions with derivatives in reverse mode', () => {
  const steps = [...always, ...backwardOnly];

  it('vmap, grad and jit in any order', { timeout: 60_000 }, () => {
    check(steps, 60, (f, xs, w, rows) => {
      const options = { in: [0, null] };
      const wanted = stacked(xs.map(x => grad(f)(x, w)));
      const over = vmap(grad(f), options)(rows, w);
      agree('vmap of grad', over, wanted);
      agree('jit of vmap of grad', jit(vmap(grad(f), options))(rows, w) as T, over, 0);
      agree('vmap of jit of grad', vmap(jit(grad(f)), options)(rows, w), over);
      agree('vmap of grad of jit', vmap(grad(jit(f)), options)(rows, w), over);
      const total = (all: T, v: T): T => sum(vmap(f, options)(all, v));
      agree('grad of vmap', grad(total)(rows, w), over);
      agree('jit of grad of jit of vmap', jit(grad(jit(total)))(rows, w), over);
      const shared = grad((v: T) => total(rows, v))(w);
      agree(
        'what the examples share',
        shared,
        xs.map(x => grad((v: T) => f(x, v))(w)).reduce((p, q) => add(p, q)),
      );
    });
  });

  it('vmap of vmap is one over both', { timeout: 60_000 }, () => {
    check(steps, 40, (f, _, w, rows) => {
      const both = reshape(concat([rows, flip(rows, 0)]), [2, 3, n]);
      const flat = vmap(grad(f), { in: [0, null] })(reshape(both, [6, n]), w);
      const nested = vmap(vmap(grad(f), { in: [0, null] }), { in: [0, null] })(both, w);
      agree('nested', reshape(nested, [6, n]), flat);
      const other = vmap(vmap(grad(f), { in: [0, null] }), { in: [1, null], out: 1 })(both, w);
      agree('the inner one first', reshape(other, [6, n]), flat);
    });
  });

  it('the second derivative is symmetric, batched and compiled as well', { timeout: 60_000 }, () => {
    check(steps, 60, (f, [x, u, v], w, rows) => {
      const along =
        (direction: T) =>
        (y: T, z: T): T =>
          sum(mul(grad(f)(y, z), direction));
      const [uv, vu] = [sum(mul(grad(along(u!))(x!, w), v!)), sum(mul(grad(along(v!))(x!, w), u!))];
      agree('uᵀHv and vᵀHu', uv, vu, 1e-8);
      const each = [0, 1, 2].map(i => grad(along(u!))(reshape(slice(rows, [i, 0], [i + 1, n]), [n]), w));
      agree('vmap', vmap(grad(along(u!)), { in: [0, null] })(rows, w), stacked(each), 1e-8);
      agree('jit', jit(grad(along(u!)))(x!, w), grad(along(u!))(x!, w), 0);
    });
  });
});

describe('functions with derivatives in forward mode', () => {
  const steps = [...always, ...forwardOnly];

  it('vmap, jvp and jit in any order', { timeout: 60_000 }, () => {
    check(steps, 60, (f, xs, w, rows) => {
      const directions = flip(rows, 0);
      const there = (x: T, t: T): T => jvp((y: T) => f(y, w), [x], [t])[1];
      const wanted = stacked(xs.map((x, i) => there(x, xs[2 - i]!)));
      const over = vmap(there)(rows, directions);
      agree('vmap of jvp', over, wanted);
      agree('jit of vmap of jvp', jit(vmap(there))(rows, directions) as T, over, 0);
      agree('vmap of jit of jvp', vmap(jit(there))(rows, directions), over);
      const all = (ys: T): T => vmap((y: T) => f(y, w))(ys);
      agree('jvp of vmap', jvp(all, [rows], [directions])[1], over);
      agree('jvp of jit of vmap', jvp(jit(all), [rows], [directions])[1], over);
      agree('linearize', linearize(all)(rows)[1](directions), over);
    });
  });

  it('jvp of jvp is symmetric', { timeout: 60_000 }, () => {
    check(steps, 60, (f, [x, u, v], w) => {
      const second = (s: T, t: T): T => jvp((y: T) => jvp((z: T) => f(z, w), [y], [s])[1], [x!], [t])[1];
      agree('symmetric', second(u!, v!), second(v!, u!), 1e-8);
      agree('jit', jit(second)(u!, v!), second(u!, v!), 0);
    });
  });
});

it('both modes give one derivative, to second order', { timeout: 60_000 }, () => {
  check(always, 80, (f, [x, u, v], w) => {
    const g = (y: T): T => f(y, w);
    const inner = (a: T, b: T): T => sum(mul(a, b));
    agree('first', jvp(g, [x!], [u!])[1], inner(grad(g)(x!), u!));
    const wanted = inner(hvp(g)(x!, u!), v!);
    agree('reverse over reverse', inner(vjp(grad(g), x!)[1](u!)[0], v!), wanted, 1e-8);
    agree('forward over forward', jvp((y: T) => jvp(g, [y], [u!])[1], [x!], [v!])[1], wanted, 1e-8);
    agree('reverse over forward', inner(grad((y: T) => jvp(g, [y], [u!])[1])(x!), v!), wanted, 1e-8);
  });
});
