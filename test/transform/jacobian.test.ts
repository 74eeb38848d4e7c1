/** Jacobians, Hessians, linear maps: known answers, and that all ways to a derivative agree. */
import {
  add,
  argsort,
  type Batched,
  cast,
  cond,
  cos,
  dot,
  exp,
  fold,
  grad,
  greater,
  hessian,
  hvp,
  type Jacobian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  less,
  linearize,
  makeGraph,
  matmul,
  mean,
  mul,
  neg,
  onesLike,
  permute,
  reshape,
  scan,
  sin,
  slice,
  softmax,
  sort,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { bernoulli, key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

type T = Tensor;

const vector = (values: readonly number[]): T => tensor(Float64Array.from(values), [values.length]);
const scalar = (value: number): T => tensor(value, { dtype: 'float64' });

/** Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)². */
const rosenbrock = (x: T): T => {
  const n = x.shape[0]!;
  const [head, tail] = [slice(x, [0], [n - 1]), slice(x, [1], [n])];
  return add(mul(sum(square(sub(tail, square(head)))), 100), sum(square(sub(1, head))));
};

const rosenbrockHessian = (x: readonly number[]): number[][] => {
  const n = x.length;
  const h = x.map(() => x.map(() => 0));
  for (let i = 0; i + 1 < n; i++) {
    h[i]![i]! += 1200 * x[i]! ** 2 - 400 * x[i + 1]! + 2;
    h[i + 1]![i + 1]! += 200;
    h[i]![i + 1]! -= 400 * x[i]!;
    h[i + 1]![i]! -= 400 * x[i]!;
  }
  return h;
};

describe('known answers', () => {
  it('the Hessian of the Rosenbrock function, in two dimensions and in five', () => {
    expect(hessian(rosenbrock)(vector([1, 1])).toArray()).toEqual([
      [802, -400],
      [-400, 200],
    ]);
    for (const x of [
      [-1.2, 1],
      [0.3, -0.7, 1.1, 2, -0.4],
    ]) {
      close(hessian(rosenbrock)(vector(x)), rosenbrockHessian(x), 1e-12);
      close(jacrev(jacrev(rosenbrock))(vector(x)), rosenbrockHessian(x), 1e-12);
      close(jacrev(jacfwd(rosenbrock))(vector(x)), rosenbrockHessian(x), 1e-12);
      close(jacfwd(jacfwd(rosenbrock))(vector(x)), rosenbrockHessian(x), 1e-12);
    }
  });

  it('its products with vectors', () => {
    const [x, v] = [
      [0.3, -0.7, 1.1, 2, -0.4],
      [1, -2, 0.5, 0, 3],
    ];
    const expected = rosenbrockHessian(x!).map(row => row.reduce((total, h, i) => total + h * v![i]!, 0));
    close(hvp(rosenbrock)(vector(x!), vector(v!)), expected, 1e-12);
    const reverseOverReverse = grad((y: T) => dot(grad(rosenbrock)(y), vector(v!)) as T);
    close(reverseOverReverse(vector(x!)), expected, 1e-12);
  });

  it('polar coordinates', () => {
    const cartesian = ({ r, angle }: { r: T; angle: T }): { x: T; y: T } => ({
      x: mul(r, cos(angle)),
      y: mul(r, sin(angle)),
    });
    const [r, a] = [2, 0.7];
    for (const jacobian of [jacfwd(cartesian), jacrev(cartesian)]) {
      const { x, y } = jacobian({ r: scalar(r), angle: scalar(a) });
      close([x.r.item(), x.angle.item()], [Math.cos(a), -r * Math.sin(a)], 1e-14);
      close([y.r.item(), y.angle.item()], [Math.sin(a), r * Math.cos(a)], 1e-14);
    }
  });

  it('the trace of a Hessian from random signs (Hutchinson)', () => {
    const n = 6;
    const a = normal(key(1), [n, n], { dtype: 'float64' }) as T;
    const f = (x: T): T => sum(exp(mul(tanh(matmul(a, x) as T), 0.5)));
    const x = normal(key(2), [n], { dtype: 'float64' }) as T;
    const h = hessian(f)(x).toArray() as number[][];
    const trace = h.reduce((total, row, i) => total + row[i]!, 0);
    const estimates = vmap((v: T) => dot(v, hvp(f)(x, v)) as T);

    const every = Array.from({ length: 2 ** n }, (_, i) =>
      Array.from({ length: n }, (__, bit) => ((i >> bit) & 1 ? 1 : -1)),
    );
    // Over all signs the mixed terms cancel.
    close(mean(estimates(tensor(Float64Array.from(every.flat()), [2 ** n, n]))), trace, 1e-12);

    const count = 20_000;
    const signs = sub(mul(cast(bernoulli(key(3), 0.5, [count, n]), 'float64'), 2), 1);
    const estimate = mean(estimates(signs)).item() as number;
    const variance = h.reduce((total, row, i) => total + row.reduce((s, y, j) => s + (i < j ? 4 * y * y : 0), 0), 0);
    expect(Math.abs(estimate - trace)).toBeLessThan(4 * Math.sqrt(variance / count));
  });
});

/** Functions of a tree through primitives of all kinds. */
const functions: Readonly<Record<string, (p: { w: T; b: T }) => unknown>> = {
  'elementwise, by axes': ({ w, b }) => mul(tanh(w), exp(mul(b, 0.3))),
  contraction: ({ w, b }) => ({ product: matmul(w, sin(b)), again: [matmul(permute(w, [1, 0]), w), null] }),
  softmax: ({ w, b }) => softmax(mul(w, b), { axis: 1 }),
  'sort and gather': ({ w, b }) => [take(sort(w, { axis: 1 }), argsort(b), { axis: 1 }), sum(b)],
  fold: ({ w, b }) => fold((c: T, row: T): T => tanh(add(mul(c, 0.5), mul(row, b))))(b, w),
  scan: ({ w, b }) => scan((c: T, row: T): readonly [T, T] => [mul(c, cos(row)), add(c, row)])(b, w),
  cond: ({ w, b }) =>
    cond(
      greater(sum(b), 0) as T,
      (x: T) => square(x) as T,
      (x: T) => neg(x) as T,
    )(w),
  constant: () => tensor(Float64Array.of(1, 2), [2]),
};

const point = {
  w: tensor(Float64Array.of(0.3, -0.8, 1.2, 0.1, 0.9, -0.5), [2, 3]) as T,
  b: vector([0.4, 1.1, -0.6]),
};

const flat = (tree: unknown): T[] => {
  if (tree === null) return [];
  if (Array.isArray(tree)) return tree.flatMap(flat);
  const isTree = Object.getPrototypeOf(tree) === Object.prototype;
  return isTree
    ? Object.keys(tree as object)
        .sort()
        .flatMap(k => flat((tree as Record<string, unknown>)[k]))
    : [tree as T];
};

describe('jacfwd and jacrev', () => {
  for (const [name, f] of Object.entries(functions)) {
    it(`agree, and with central differences: ${name}`, () => {
      const outputs = flat(f(point));
      const [forward, reverse] = [flat(jacfwd(f)(point)), flat(jacrev(f)(point))];
      expect(forward.map(x => x.shape)).toEqual(
        outputs.flatMap(({ shape }) => [
          [...shape, 3],
          [...shape, 2, 3],
        ]),
      );
      reverse.forEach((x, i) => {
        close(forward[i]!, x.toArray() as number, 1e-12);
      });
      const step = 1e-6;
      const moved = (i: number, by: number): readonly T[] => {
        const b = [0.4, 1.1, -0.6];
        b[i]! += by;
        return flat(f({ ...point, b: vector(b) }));
      };
      outputs.forEach((_, o) => {
        const difference = [0, 1, 2].map(i => {
          const [up, down] = [moved(i, step)[o]!.dataSync(), moved(i, -step)[o]!.dataSync()];
          return Array.from(up, (y, j) => (y - down[j]!) / (2 * step));
        });
        const got = reshape(forward[2 * o]!, [-1, 3]).toArray() as number[][];
        close(
          got,
          difference[0]!.map((__, j) => difference.map(column => column[j]!)),
          1e-7,
        );
      });
    });
  }

  it('are closed under the others: jit, vmap, grad, further arguments', () => {
    const f = (x: T, scale: number): T => mul(mul(x, x), scale);
    const x = vector([1, 2]);
    const expected = [
      [6, 0],
      [0, 12],
    ];
    for (const jacobian of [jacfwd(f), jacrev(f)]) {
      expect(jacobian(x, 3).toArray()).toEqual(expected);
      expect(jit((y: T) => jacobian(y, 3))(x).toArray()).toEqual(expected);
      expect(vmap((y: T) => jacobian(y, 3))(tensor([[1, 2]])).toArray()).toEqual([expected]);
      expect(grad((y: T) => sum(jacobian(y, 3)))(x).toArray()).toEqual([6, 6]);
    }
  });

  it('have tensors without elements, and keep the dtype of what they are of', () => {
    expect(jacfwd((x: T) => x)(zeros([0])).shape).toEqual([0, 0]);
    expect(jacrev((x: T) => sum(x))(zeros([0])).shape).toEqual([0]);
    expect(hessian((x: T) => sum(x))(zeros([0])).shape).toEqual([0, 0]);
    expect(jacfwd((x: T) => x)(scalar(2)).dtype).toBe('float64');
    expect(jacrev((x: T) => mul(x, x))(tensor(2)).dtype).toBe('float32');
  });

  it('have the axes of both in their types', () => {
    expectTypeOf<Jacobian<{ y: Tensor<readonly [2]> }, readonly [Tensor<readonly [3, 4]>, null]>>().toEqualTypeOf<{
      readonly y: readonly [Tensor<readonly [2, 3, 4], 'float32' | 'float64'>, null];
    }>();
    const jacobian = jacrev((x: Tensor<readonly [3]>) => sum(x))(tensor([1, 2, 3]));
    expectTypeOf(jacobian.shape).toEqualTypeOf<readonly [3]>();
    expectTypeOf<Batched<Tensor<readonly [3], 'int32'>>>().toEqualTypeOf<Tensor<readonly number[], 'int32'>>();
  });
});

describe('linearize', () => {
  for (const [name, f] of Object.entries(functions)) {
    it(`is jvp in every direction: ${name}`, () => {
      const [y, pushforward] = linearize(f)(point);
      for (const seed of [4, 5]) {
        const v = {
          w: normal(key(seed), [2, 3], { dtype: 'float64' }) as T,
          b: normal(key(seed + 10), [3], { dtype: 'float64' }) as T,
        };
        const [value, tangent] = jvp(f, [point], [v]);
        flat(value).forEach((x, i) => {
          close(flat(y)[i]!, x.toArray() as number, 1e-15);
        });
        const moved = flat(pushforward(v));
        flat(tangent).forEach((x, i) => {
          close(moved[i]!, x.toArray() as number, 1e-14);
        });
      }
    });
  }

  it('calls f once, and computes nothing of it again', () => {
    let calls = 0;
    const f = (x: T): T => {
      calls++;
      return mul(exp(tanh(x)), fold((c: T): T => mul(c, x))(x, 3));
    };
    const [y, pushforward] = linearize(f)(vector([0.5, 2]));
    y.dataSync();
    pushforward(vector([1, 0])).dataSync();
    pushforward(vector([0, 1])).dataSync();
    expect(calls).toBe(1);
    const text = String(makeGraph(pushforward)(vector([1, 1])));
    expect(text).not.toMatch(/= (exp|tanh)\(/);
    // The loop runs again with its tangents.
    expect(text.match(/= fold\(/g)).toHaveLength(1);
  });

  it('of several arguments, jitted, batched, differentiated', () => {
    const f = (x: T, y: T): T => mul(sin(x), y);
    const [[x, y], [vx, vy]] = [
      [vector([0.3, 1]), vector([2, -1])],
      [vector([1, 10]), vector([0.5, 0])],
    ];
    const expected = [Math.cos(0.3) * 2 + Math.sin(0.3) * 0.5, Math.cos(1) * -10];
    close(linearize(f)(x!, y!)[1](vx!, vy!), expected, 1e-14);
    close(jit((a: T, b: T) => linearize(f)(a, b)[1](vx!, vy!))(x!, y!), expected, 1e-14);
    const [, pushforward] = linearize(f)(x!, y!);
    const rows = vmap(pushforward)(tensor(Float64Array.of(1, 0, 0, 1), [2, 2]), zeros([2, 2], { dtype: 'float64' }));
    close(rows, [
      [2 * Math.cos(0.3), 0],
      [0, -Math.cos(1)],
    ]);
    // d/dx of cos(x) · y · 1.
    const slope = (a: T): T => sum(linearize(f)(a, y!)[1](onesLike(a), mul(a, 0)));
    close(grad(slope)(x!), [-2 * Math.sin(0.3), Math.sin(1)], 1e-14);
  });

  it('goes forward through whileLoop, and gives the tangent 0 of integers', () => {
    const double = whileLoop(
      (x: T) => less(x, 100),
      (x: T) => mul(x, 2) as T,
    );
    const [value, push] = linearize(double)(scalar(3));
    expect([value.item(), push(scalar(1)).item()]).toEqual([192, 64]);
    const [, pushOrder] = linearize((x: T) => argsort(x))(vector([3, 1]));
    expect(pushOrder(vector([1, 1])).toArray()).toEqual([0, 0]);
  });
});

describe('what they refuse', () => {
  const whole = (x: T): T => mul(x, x);
  const integer = tensor([1, 2], { dtype: 'int32' }) as T;

  it('no function, or an asynchronous one', () => {
    for (const transform of [linearize, jacfwd, jacrev, hessian, hvp]) {
      const error = caught(() => (transform as (f: unknown) => unknown)(3));
      expect([error._tag, error.operation], transform.name).toEqual(['ArgumentError', transform.name]);
    }
    const later = (async (x: T) => x) as unknown as (x: T) => T;
    const calls = {
      linearize: () => linearize(later)(scalar(1)),
      jacfwd: () => jacfwd(later)(scalar(1)),
      jacrev: () => jacrev(later)(scalar(1)),
      grad: () => grad(later)(scalar(1)),
      vjp: () => vjp(later, scalar(1)),
      jvp: () => jvp(later, [scalar(1)], [scalar(1)]),
      hvp: () => hvp(later)(scalar(1), scalar(1)),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(caught(call).message).toMatch(new RegExp(`^${name}: got a function that returns a promise`));
    }
  });

  it('integers, in and out, by their place', () => {
    expect(caught(() => jacfwd(({ n }: { n: T }) => cast(n, 'float32'))({ n: integer })).message).toMatch(
      /^jacfwd: got int32\[2\] at n of the argument/,
    );
    expect(caught(() => hvp((x: T) => sum(cast(x, 'float32')))(integer, integer))._tag).toBe('DTypeError');
    expect(caught(() => jacrev((x: T) => ({ order: argsort(x) }))(vector([1]))).message).toMatch(
      /^jacrev: got int32\[1\] at order of the result/,
    );
    expect(caught(() => jacfwd((x: T) => argsort(x))(vector([1])))._tag).toBe('DTypeError');
    expect(caught(() => hessian((x: T) => argsort(x))(vector([1])))._tag).toBe('DTypeError');
  });

  it('directions of another form', () => {
    expect(caught(() => linearize(whole)(vector([1, 2]))[1](vector([1]))).message).toMatch(
      /^linearize: got tangents of float64\[1\] for float64\[2\]/,
    );
    expect(caught(() => hvp(rosenbrock)(vector([1, 2]), vector([1]))).message).toMatch(
      /^hvp: got vectors of float64\[1\] for float64\[2\]/,
    );
    const sums = ({ a, b }: { a: T; b: T }): T => add(sum(a), sum(b));
    const other = { a: vector([1]), c: vector([1]) } as unknown as { a: T; b: T };
    const tree = { a: vector([1]), b: vector([1]) };
    for (const call of [
      () => jvp(sums, [tree], [other]),
      () => linearize(sums)(tree)[1](other),
      () => hvp(sums)(tree, other),
      () => vjp((p: { a: T; b: T }) => p, tree)[1](other),
    ]) {
      expect(caught(call)._tag).toBe('TreeError');
    }
  });

  it('losses that are no scalars, pairs that are none', () => {
    expect(caught(() => hvp(whole)(vector([1, 2]), vector([1, 2]))).message).toMatch(
      /^hvp: got a function that returns float64\[2\]/,
    );
    const none = (() => scalar(1)) as unknown as (x: T) => readonly [T, T];
    expect(caught(() => valueAndGrad(none, { aux: true })(scalar(1))).message).toMatch(
      /returns no pair.*\[loss, aux\]/,
    );
    const three = (() => [1, 2, 3]) as unknown as (x: T) => readonly [T, T];
    expect(caught(() => valueAndGrad(three, { aux: true })(scalar(1))).message).toMatch(/an array of 3/);
  });

  it('loops without a way back, by name', () => {
    const double = whileLoop(
      (x: T) => less(x, 100),
      (x: T) => mul(x, 2) as T,
    );
    expect(caught(() => jacrev(double)(scalar(3))).message).toMatch(/primitive while/);
    expect(jacfwd(double)(scalar(3)).item()).toBe(64);
  });
});
