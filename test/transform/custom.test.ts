/** customVjp, customJvp, customBatch: known answers, with every other transform around and inside them. */
import {
  abs,
  add,
  cast,
  checkpoint,
  clamp,
  cond,
  cos,
  customBatch,
  customJvp,
  customVjp,
  div,
  exp,
  type FloatDType,
  fold,
  grad,
  greater,
  hessian,
  hvp,
  jit,
  jvp,
  linearize,
  log,
  matmul,
  mul,
  neg,
  round,
  type Shape,
  sin,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  valueAndGrad,
  vjp,
  vmap,
  where,
  whileLoop,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

type T = Tensor<Shape, FloatDType>;
type Int = Tensor<Shape, 'int32'>;

const f64 = (x: number | readonly number[]): T =>
  (typeof x === 'number' ? tensor(x, { dtype: 'float64' }) : tensor(Float64Array.from(x), [x.length])) as T;

const log1pexp: (x: T) => T = customJvp(
  (x: T): T => log(add(exp(x), 1)),
  ([x], [t]) => [log1pexp(x), mul(t, sub(1, div(1, add(exp(x), 1))))],
);

describe('log(1 + eˣ) with a stable derivative, as in the documentation of JAX', () => {
  it('its derivatives', () => {
    expect(grad(log1pexp)(tensor(3) as T).item()).toBeCloseTo(0.9525741, 6);
    expect(grad(log1pexp)(tensor(100) as T).item()).toBe(1);
    expect(jit(grad(log1pexp))(tensor(100) as T).item()).toBe(1);
    close(vmap(jit(grad(log1pexp)))(f64([0, 1, 2])) as T, [0.5, 0.73105858, 0.88079708], 1e-8);
    close(jit(vmap(grad(log1pexp)))(f64([0, 1, 2])) as T, [0.5, 0.73105858, 0.88079708], 1e-8);
    const plain = (x: T): T => log(add(exp(x), 1));
    expect(grad(plain)(tensor(100) as T).item()).toBeNaN();
  });

  it('higher derivatives go through the rule again: σ(1 − σ), and its derivative', () => {
    const s = 1 / (1 + Math.exp(-0.7));
    const x = f64(0.7);
    close(grad(grad(log1pexp))(x), s * (1 - s), 1e-14);
    close(grad(grad(grad(log1pexp)))(x), s * (1 - s) * (1 - 2 * s), 1e-14);
    close(hvp(log1pexp)(x, f64(2)), 2 * s * (1 - s), 1e-14);
    close(hessian(log1pexp)(x) as T, s * (1 - s), 1e-14);
    const [value, push] = linearize(log1pexp)(x);
    close(value, Math.log1p(Math.exp(0.7)), 1e-14);
    close(push(f64(3)), 3 * s, 1e-14);
  });

  it('in loops, branches and checkpoints', () => {
    const unrolled = (x: T): T => log1pexp(log1pexp(log1pexp(x)));
    const loop = (x: T): T => fold((c: T) => log1pexp(c))(x, 3);
    for (const run of [loop, checkpoint(unrolled), checkpoint(loop), jit(loop)]) {
      close(grad(run)(f64(0.3)), grad(unrolled)(f64(0.3)).item() as number, 1e-14);
      close(grad(grad(run))(f64(0.3)), grad(grad(unrolled))(f64(0.3)).item() as number, 1e-14);
      close(jvp(run, [f64(0.3)], [f64(2)])[1], 2 * (grad(unrolled)(f64(0.3)).item() as number), 1e-14);
      const wanted = [0.3, 100].map(x => grad(unrolled)(f64(x)).item() as number);
      close(vmap(grad(run))(f64([0.3, 100])) as T, wanted, 1e-14);
      close(grad((xs: T) => sum(vmap(run)(xs) as T))(f64([0.3, 100])), wanted, 1e-14);
    }
    const branching = (x: T): T => cond(greater(x, 0), log1pexp, (y: T) => neg(y))(x);
    expect(grad(branching)(f64(100)).item()).toBe(1);
    expect(grad(branching)(f64(-1)).item()).toBe(-1);
    close(vmap(grad(branching))(f64([100, -1])) as T, [1, -1]);
  });
});

describe('gradients that are no derivatives', () => {
  it('clipped, with bounds that are numbers', () => {
    const clipGradient = customVjp((_low: number, _high: number, x: T): T => x, {
      forward: (low, high, x) => [x, [low, high]],
      backward: ([low, high], v) => [null, null, clamp(v, low, high)],
    });
    const clipped = (x: T): T => sin(clipGradient(-0.75, 0.75, x));
    const xs = [0, 0.5, 1, 2, 3, 4];
    const wanted = xs.map(x => Math.min(0.75, Math.max(-0.75, Math.cos(x))));
    close(vmap(grad(clipped))(f64(xs)) as T, wanted, 1e-14);
    close(jit(grad((x: T) => sum(clipped(x))))(f64(xs)), wanted, 1e-14);
    close(grad((x: T) => sum(vmap(clipped)(x) as T))(f64(xs)), wanted, 1e-14);
  });

  it('straight through a rounding', () => {
    const quantise = customJvp(
      (x: T): T => div(round(mul(x, 4)), 4),
      ([x], [t]) => [quantise0(x), t],
    );
    const quantise0 = (x: T): T => div(round(mul(x, 4)), 4);
    const loss = (x: T): T => sum(square(quantise(x)));
    const x = f64([0.3, 1.1, -0.6]);
    close(quantise(x), [0.25, 1, -0.5]);
    close(grad(loss)(x), [0.5, 2, -1]);
    close(jvp(loss, [x], [f64([1, 10, 100])])[1], 0.5 + 20 - 100);
    // The same with a rule for reverse mode.
    const backwards = customVjp(quantise0, { forward: y => [quantise0(y), null], backward: (_, v) => [v] });
    close(grad((y: T) => sum(square(backwards(y))))(x), [0.5, 2, -1]);
  });

  it('reversed', () => {
    const reversal = customVjp((x: T, _rate: T): T => x, {
      forward: (x, rate) => [x, rate],
      backward: (rate, v) => [neg(mul(v, rate)), null],
    });
    const [dx, dr] = vjp((x: T, r: T) => square(reversal(x, r)), f64(3), f64(0.1))[1](f64(1));
    close(dx, -0.6);
    close(dr, 0);
  });
});

describe('implicit derivatives of what a loop finds', () => {
  /** x = cos(a·x) by Newton's method, however many steps that takes. */
  const solve = (a: T): T =>
    whileLoop(
      (x: T) => greater(abs(sub(x, cos(mul(a, x)))), 1e-15),
      (x: T) => sub(x, div(sub(x, cos(mul(a, x))), add(mul(a, sin(mul(a, x))), 1))),
    )(mul(a, 0.5));
  // x' = −sin(a·x)·(x + a·x'), so x' = −x·sin(a·x) / (1 + a·sin(a·x)).
  const slope = (a: T, x: T): T => neg(div(mul(x, sin(mul(a, x))), add(mul(a, sin(mul(a, x))), 1)));
  const byVjp: (a: T) => T = customVjp(solve, {
    forward: a => {
      const x = byVjp(a);
      return [x, { a, x }];
    },
    backward: ({ a, x }, v) => [mul(v, slope(a, x))],
  });
  const byJvp: (a: T) => T = customJvp(solve, ([a], [t]) => {
    const x = byJvp(a);
    return [x, mul(t, slope(a, x))];
  });
  const at = 1.3;
  const numeric = (g: (a: T) => T, h = 1e-5): number =>
    ((g(f64(at + h)).item() as number) - (g(f64(at - h)).item() as number)) / (2 * h);

  it.each([
    ['customVjp', byVjp],
    ['customJvp', byJvp],
  ] as const)('by %s: first, second and third derivatives', (_, root) => {
    const x = root(f64(at)).item() as number;
    expect(x).toBeCloseTo(Math.cos(at * x), 15);
    expect(grad(root)(f64(at)).item()).toBeCloseTo(numeric(solve), 9);
    expect(grad(grad(root))(f64(at)).item()).toBeCloseTo(numeric(grad(root)), 8);
    expect(grad(grad(grad(root)))(f64(at)).item()).toBeCloseTo(numeric(grad(grad(root))), 7);
    expect(jit(grad(root))(f64(at)).item()).toBe(grad(root)(f64(at)).item());
    const as = [0.4, 1, at];
    close(
      vmap(grad(root))(f64(as)) as T,
      as.map(a => grad(root)(f64(a)).item() as number),
      1e-13,
    );
    close(
      grad((a: T) => sum(vmap(root)(a) as T))(f64(as)),
      as.map(a => grad(root)(f64(a)).item() as number),
      1e-13,
    );
    expect(caught(() => grad(solve)(f64(at)))._tag).toBe('MissingRuleError');
  });

  it('a loop behind stopGradient is asked for nothing', () => {
    const x = solve(f64(at)).item() as number;
    close(grad((a: T) => mul(a, stopGradient(solve(a))))(f64(at)), x);
    close(grad((a: T) => mul(a, where(greater(solve(a), 0), 3, 4)))(f64(at)), 3);
    close(jvp((a: T) => mul(a, stopGradient(byVjp(a))), [f64(at)], [f64(2)])[1], 2 * x);
  });

  it('by customJvp in forward mode too; by customVjp that is refused', () => {
    close(jvp(byJvp, [f64(at)], [f64(2)])[1], 2 * (grad(byJvp)(f64(at)).item() as number), 1e-14);
    close(hvp(byJvp)(f64(at), f64(1)), grad(grad(byJvp))(f64(at)).item() as number, 1e-13);
    const error = caught(() => jvp(byVjp, [f64(at)], [f64(2)]));
    expect(error._tag).toBe('MissingRuleError');
    expect(error.message).toMatch(/jvp: got a function made by customVjp; .* Use customJvp/);
  });

  /** The documentation of JAX: a solver for any x = f(a, x), whose way back is a fixed point as well. */
  type Step = (a: readonly T[], x: T) => T;
  const iterate = (f: Step, a: readonly T[], x: T): T =>
    whileLoop(
      ([before, now]: readonly [T, T]) => greater(abs(sub(before, now)), 1e-13),
      ([, now]) => [now, f(a, now)] as const,
    )([x, f(a, x)] as const)[1];
  type Saved = readonly [f: Step, a: readonly T[], x: T];
  const fixedPoint: typeof iterate = customVjp(iterate, {
    forward: (f: Step, a: readonly T[], x: T): readonly [T, Saved] => {
      const found: T = fixedPoint(f, a, x);
      return [found, [f, a, found]];
    },
    backward: ([f, a, x]: Saved, v: T) => {
      // u = v + (∂f/∂x)ᵀ·u
      const step: Step = ([y, w, ...as], u) => add(w!, vjp((each: T) => f(as, each), y!)[1](u)[0]);
      const u: T = fixedPoint(step, [x, v, ...a], v);
      return [null, vjp((as: readonly T[]) => f(as, x), a)[1](u)[0], null] as const;
    },
  });

  it('√a as a fixed point: the numbers of JAX', () => {
    const root = (a: T): T => fixedPoint(([b], x) => mul(add(x, div(b!, x)), 0.5), [a], a);
    expect(root(f64(2)).item()).toBeCloseTo(Math.SQRT2, 12);
    expect(grad(root)(f64(2)).item()).toBeCloseTo(0.35355339, 8);
    expect(grad(grad(root))(f64(2)).item()).toBeCloseTo(-0.088388346, 8);
    close(vmap(grad(root))(f64([2, 9])) as T, [0.35355339, 1 / 6], 1e-8);
    close(jit(vmap(grad(grad(root))))(f64([2, 4])) as T, [-0.088388346, -1 / 32], 1e-8);
  });
});

describe('trees, and what is no float', () => {
  interface Layer {
    readonly w: T;
    readonly b: T;
  }
  const affine = customVjp(
    ({ w, b }: Layer, x: T, options: { readonly scale: number }): { y: T; steps: Int } => ({
      y: mul(add(mul(w, x), b), options.scale),
      steps: tensor([1, 2], { dtype: 'int32' }),
    }),
    {
      forward: (layer, x, options) => [
        { y: mul(add(mul(layer.w, x), layer.b), options.scale), steps: tensor([1, 2], { dtype: 'int32' }) },
        { layer, x, scale: options.scale, name: 'affine' },
      ],
      backward: ({ layer, x, scale }, { y, steps }) => {
        expect(steps).toBeNull();
        return [{ w: mul(mul(y, x), scale), b: null }, mul(mul(y, layer.w), scale), null];
      },
    },
  );
  const layer: Layer = { w: f64([1, 2]), b: f64([3, 4]) };

  it('pass; null is zero in any part', () => {
    const loss = (l: Layer, x: T): T => sum(affine(l, x, { scale: 10 }).y);
    const [value, dl] = valueAndGrad(loss)(layer, f64([5, 6]));
    expect(value.item()).toBe(10 * (8 + 16));
    close(dl.w, [50, 60]);
    close(dl.b, [0, 0]);
    const [, dx] = vjp(loss, layer, f64([5, 6]))[1](f64(1));
    close(dx, [10, 20]);
    expectTypeOf(affine).toEqualTypeOf<
      (layer: Layer, x: T, options: { readonly scale: number }) => { y: T; steps: Int }
    >();
  });

  it('integer arguments have no tangent, and integer results none', () => {
    const take: (x: T, n: Int) => readonly [T, Int] = customJvp(
      (x: T, n: Int): readonly [T, Int] => [mul(x, cast(n, 'float64')), add(n, 1)],
      ([x, n], [t, none]) => {
        expect(none).toBeNull();
        return [take(x, n), [mul(t, cast(n, 'float64')), null]];
      },
    );
    const n: Int = tensor(3, { dtype: 'int32' });
    close(grad((x: T) => take(x, n)[0])(f64(2)), 3);
    close(jvp((x: T) => take(x, n)[0], [f64(2)], [f64(5)])[1], 15);
    close(
      vmap((x: T, m: Int) => grad((y: T) => take(y, m)[0])(x))(f64([1, 2]), tensor([5, 6], { dtype: 'int32' })) as T,
      [5, 6],
    );
    expect(take(f64(2), n)[1].item()).toBe(4);
  });
});

describe('customBatch', () => {
  const calls: (readonly boolean[])[] = [];
  const apply = customBatch(
    (a: T, x: T): T => matmul(a, x),
    ([a, x], { batched, size }) => {
      calls.push(batched);
      expect(size).toBe(3);
      const axes = batched.map(yes => (yes ? 0 : null));
      return batched[0] ? (vmap(matmul as (a: T, x: T) => T, { in: axes })(a, x) as T) : matmul(x, transpose(a) as T);
    },
  );
  const a = tensor([
    [1, 2],
    [3, 4],
  ]) as T;
  const xs = tensor([
    [1, 0],
    [0, 1],
    [1, 1],
  ]) as T;
  const as = stack([a, mul(a, 2), mul(a, 3)]) as T;

  it('is asked where there is a batch, for what is batched', () => {
    calls.length = 0;
    close(apply(a, tensor([1, 1]) as T), [3, 7]);
    expect(calls).toEqual([]);
    const over = vmap(apply, { in: [null, 0] })(a, xs) as T;
    close(over, [
      [1, 3],
      [2, 4],
      [3, 7],
    ]);
    close(vmap(apply)(as, xs) as T, [
      [1, 3],
      [4, 8],
      [9, 21],
    ]);
    close(vmap(apply, { in: [0, null] })(as, tensor([1, 0]) as T) as T, [
      [1, 3],
      [2, 6],
      [3, 9],
    ]);
    expect(calls).toEqual([
      [false, true],
      [true, true],
      [true, false],
    ]);
    close(jit(vmap(apply))(as, xs) as T, [
      [1, 3],
      [4, 8],
      [9, 21],
    ]);
  });

  it('has the derivatives of its operations, in any order', () => {
    const loss = (m: T, x: T): T => sum(square(apply(m, x)));
    const plain = (m: T, x: T): T => sum(square(matmul(m, x)));
    const x = tensor([1, 2]) as T;
    close(grad(loss)(a, x), grad(plain)(a, x).toArray() as number[][]);
    close(jvp(loss, [a, x], [a, x])[1], jvp(plain, [a, x], [a, x])[1].item() as number);
    const [d, e] = [loss, plain].map(f => vmap(grad(f), { in: [null, 0] })(a, xs) as T);
    close(d!, e!.toArray() as number[][][]);
    const [g, h] = [loss, plain].map(f => grad((m: T) => sum(vmap(f, { in: [null, 0] })(m, xs) as T))(a));
    close(g!, h!.toArray() as number[][]);
    const both = customVjp((y: T): T => apply(a, y), {
      forward: y => [apply(a, y), null],
      backward: (_, v) => [mul(v, 7)],
    });
    calls.length = 0;
    close(vmap((y: T) => vjp(both, y)[1](y)[0])(xs) as T, [
      [7, 0],
      [0, 7],
      [7, 7],
    ]);
    close(vmap(both)(xs) as T, [
      [1, 3],
      [2, 4],
      [3, 7],
    ]);
    expect(calls.length).toBeGreaterThan(0);
  });

  it('must give a batch', () => {
    const wrong = customBatch(
      (x: T): T => x,
      () => tensor([1, 2]) as T,
    );
    const error = caught(() => vmap(wrong)(xs));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toContain(
      'customBatch: got a rule whose result is float32[2] at (root); it must be float32[3, 2]',
    );
  });
});
