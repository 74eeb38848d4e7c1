/** Loops: fold, scan, forLoop, whileLoop; what they compute, their derivatives, batches and programs. */
import {
  add,
  fold,
  forLoop,
  grad,
  greater,
  jit,
  jvp,
  less,
  matmul,
  mul,
  neg,
  scan,
  sin,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import type { Plan } from '../../src/tensor/backend/wasm/steps.js';
import type { Program } from '../../src/tensor/compile/program.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught, close } from '../helpers.js';

const f64 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'float64' }) as Tensor;
const i32 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'int32' }) as Tensor;

type Jitted = (...args: readonly Tensor[]) => unknown;

/** The program that jit makes of a function. */
const programOf = (f: Jitted, ...args: readonly Tensor[]): Program => {
  const jitted = jit(f as (...args: Tensor[]) => unknown);
  jitted(...args);
  return tracesOf(jitted)[0]!.program;
};
const stepsOf = ({ steps }: Plan): number =>
  steps.reduce(
    (n, step) => n + 1 + (step.kind === 'region' ? step.bodies.reduce((m, body) => m + stepsOf(body), 0) : 0),
    0,
  );

/** Milliseconds of the quickest of several runs. */
const quickest = (f: () => unknown): number =>
  Math.min(
    ...Array.from({ length: 9 }, () => {
      const start = performance.now();
      f();
      return performance.now() - start;
    }),
  );

describe('fold', () => {
  /** x' = v, v' = −k·x − c·v by explicit Euler, from (1, 0). */
  const [h, c, steps, k] = [0.1, 0.3, 50, 2];
  const oscillator = (stiffness: Tensor, segments?: number): Tensor =>
    fold(
      ([x, v]: readonly [Tensor, Tensor]) => {
        const a = sub(neg(mul(stiffness, x)), mul(v, c)) as Tensor;
        return [add(x, mul(v, h)) as Tensor, add(v, mul(a, h)) as Tensor] as const;
      },
      { segments },
    )([f64(1), f64(0)] as const, steps)[0];

  it.each([undefined, 7])('has the gradient of a damped oscillator, in segments: %s', segments => {
    // The eigenvalues of [[1, h], [−hk, 1 − hc]] are r·exp(±iθ), so x = rⁿ (cos nθ + g sin nθ).
    const [re, im] = [1 - (h * c) / 2, h * Math.sqrt(k - (c * c) / 4)];
    const dIm = h / (2 * Math.sqrt(k - (c * c) / 4));
    const [r, angle] = [Math.hypot(re, im), Math.atan2(im, re)];
    const [dR, dAngle] = [(im * dIm) / r, (re * dIm) / r ** 2];
    const g = (c * h) / 2 / im;
    const dG = (-g / im) * dIm;
    const [cosine, sine] = [Math.cos(steps * angle), Math.sin(steps * angle)];
    const x = r ** steps * (cosine + g * sine);
    const dX =
      steps * r ** (steps - 1) * dR * (cosine + g * sine) +
      r ** steps * (steps * dAngle * (g * cosine - sine) + dG * sine);
    const run = (stiffness: Tensor): Tensor => oscillator(stiffness, segments);
    expect(run(f64(k)).item()).toBeCloseTo(x, 12);
    expect(grad(run)(f64(k)).item()).toBeCloseTo(dX, 11);
    expect(jvp(run, [f64(k)], [f64(1)])[1].item()).toBeCloseTo(dX, 11);
  });

  const [x, w] = [normal(key(0), [8, 16]) as Tensor, normal(key(1), [16, 16]) as Tensor];
  const run = (length: number) => (start: Tensor, weights: Tensor) =>
    fold((carry: Tensor) => tanh(matmul(carry, weights)) as Tensor)(start, length);
  const slope = (length: number) => grad((start: Tensor, weights: Tensor) => sum(run(length)(start, weights)));

  it.each([
    ['a run', run],
    ['a gradient', slope],
  ] as const)('%s of 1000 steps has as many steps as one of 1, and is planned in the same time', (_, of) => {
    const [one, thousand] = [1, 1000].map(length => programOf(of(length) as Jitted, x, w)) as [Program, Program];
    expect(stepsOf(planOf(thousand))).toBe(stepsOf(planOf(one)));
    expect(quickest(() => planOf(thousand))).toBeLessThan(2 * quickest(() => planOf(one)));
  });

  it('of no steps is its start, with the gradient of that', () => {
    const nothing = (start: Tensor): Tensor => sum(fold((carry: Tensor) => sin(carry) as Tensor)(start, 0));
    expect(grad(nothing)(tensor([1, 2]) as Tensor).toArray()).toEqual([1, 1]);
    expect(scan((carry: Tensor) => [carry, carry] as const)(zeros([2]) as Tensor, 0)[1].shape).toEqual([0, 2]);
  });

  it('has the carry as its type', () => {
    const result = fold((carry: { readonly a: Tensor }) => ({ a: add(carry.a, 1) as Tensor }))({ a: f64(0) }, 2);
    expectTypeOf(result).toEqualTypeOf<{ readonly a: Tensor }>();
    const [last, all] = scan((carry: Tensor) => [carry, [carry] as const] as const)(f64(0), 2);
    expectTypeOf(last).toEqualTypeOf<Tensor>();
    expectTypeOf(all).toEqualTypeOf<readonly [Tensor]>();
  });
});

describe('forLoop', () => {
  const step = (carry: Tensor, i: Tensor): Tensor => sin(add(carry, i)) as Tensor;
  const plain = (n: number, start = 0.5): number =>
    Array.from({ length: n }).reduce<number>((x, _, i) => Math.sin(x + i), start);

  it('runs its step for every index, of a number or a count that is computed', () => {
    for (const n of [0, 1, 2, 7]) {
      expect(forLoop(n, step)(f64(0.5)).item()).toBeCloseTo(plain(n), 14);
      expect(forLoop(i32(n), step)(f64(0.5)).item()).toBeCloseTo(plain(n), 14);
    }
    expect(forLoop(i32(-3), step)(f64(0.5)).item()).toBe(0.5);
  });

  it('takes trees', () => {
    const sums = forLoop(4, ({ a, b }: { a: Tensor; b: Tensor }, i) => ({
      a: add(a, i) as Tensor,
      b: add(a, b) as Tensor,
    }));
    expectTypeOf(sums).returns.toEqualTypeOf<{ a: Tensor; b: Tensor }>();
    expect(sums({ a: i32(0), b: i32(0) }).b.item()).toBe(0 + 0 + 1 + 3);
  });

  it('is one program for every computed count, of each example its own', () => {
    const run = jit((n: Tensor, start: Tensor) => forLoop(n, step)(start));
    for (const n of [3, 5, 0]) expect(run(i32(n), f64(0.5)).item()).toBeCloseTo(plain(n), 14);
    expect(tracesOf(run).length).toBe(1);
    const counts = [0, 4, 2];
    close(
      vmap(run, { in: [0, null] })(i32(counts), f64(0.5)),
      counts.map(n => plain(n)),
      1e-14,
    );
    close(
      vmap(run)(i32(counts), f64([1, 2, 3])),
      counts.map((n, i) => plain(n, i + 1)),
      1e-14,
    );
  });

  it('has derivatives in both modes, forward ones alone where the count is computed', () => {
    const difference = (plain(5, 0.5 + 1e-6) - plain(5, 0.5 - 1e-6)) / 2e-6;
    const counted = (x: Tensor): Tensor => forLoop(i32(5), step)(x);
    expect(grad((x: Tensor) => forLoop(5, step)(x))(f64(0.5)).item()).toBeCloseTo(difference, 8);
    expect(grad((x: Tensor) => forLoop(5, step, { segments: 2 })(x))(f64(0.5)).item()).toBeCloseTo(difference, 8);
    expect(jvp(counted, [f64(0.5)], [f64(1)])[1].item()).toBeCloseTo(difference, 8);
    const error = caught(() => grad(counted)(f64(0.5)));
    expect([error._tag, error.operation]).toEqual(['MissingRuleError', 'grad']);
    expect(error.message).toMatch(/primitive while .*number of its steps .*fold of known length/);
  });

  it.each<[string, () => unknown, string, RegExp]>([
    ['a negative number', () => forLoop(-1, step)(f64(0)), 'ArgumentError', /got -1 steps/],
    ['a fraction', () => forLoop(1.5, step)(f64(0)), 'ArgumentError', /got 1.5 steps/],
    ['a floating count', () => forLoop(f64(3), step)(f64(0)), 'DTypeError', /the count float64\[\]/],
    ['several counts', () => forLoop(i32([1, 2]), step)(f64(0)), 'DTypeError', /the count int32\[2\]/],
    [
      'segments of a computed count',
      () => forLoop(i32(3), step, { segments: 2 })(f64(0)),
      'ArgumentError',
      /segments: 2/,
    ],
    [
      'a number that jit is given',
      () => jit((n: number) => forLoop(n, step)(f64(0)))(3),
      'TraceError',
      /number of steps/,
    ],
    ['no function', () => forLoop(3, 1 as never)(f64(0)), 'ArgumentError', /number 1/],
    ['another shape', () => forLoop(3, () => f64([1, 2]))(f64(0)), 'ShapeError', /float64\[\].*float64\[2\]/],
    ['another dtype', () => forLoop(i32(3), () => i32(0))(f64(0)), 'ShapeError', /float64\[\].*int32\[\]/],
    ['another tree', () => forLoop(3, (() => [f64(0)]) as never)(f64(0)), 'TreeError', /\[0\]/],
  ])('refuses %s', (_, f, tag, message) => {
    const error = caught(f);
    expect([error._tag, error.operation]).toEqual([tag, 'forLoop']);
    expect(error.message).toMatch(message);
  });
});

describe('whileLoop', () => {
  const halve = whileLoop(
    ({ x }: { x: Tensor; n: Tensor }) => greater(x, 1) as Tensor,
    ({ x, n }) => ({ x: mul(x, 0.5) as Tensor, n: add(n, 1) as Tensor }),
  );

  it('stops as soon as the test fails, at once if need be', () => {
    expect(halve({ x: f64(20), n: i32(0) }).n.item()).toBe(5);
    expect(halve({ x: f64(0.5), n: i32(0) }).n.item()).toBe(0);
  });

  it('has forward derivatives, also of forward derivatives and batches', () => {
    const f = (x: Tensor): Tensor => {
      const { x: end } = halve({ x: mul(x, x) as Tensor, n: i32(0) });
      return sin(end) as Tensor;
    };
    const first = (x: Tensor): Tensor => jvp(f, [x], [f64(1)])[1];
    // 3 · 3 is halved four times.
    const [scale, x] = [1 / 16, 3];
    expect(first(f64(x)).item()).toBeCloseTo(Math.cos(scale * x * x) * 2 * x * scale, 14);
    const second = -Math.sin(scale * x * x) * (2 * x * scale) ** 2 + Math.cos(scale * x * x) * 2 * scale;
    expect(jvp(first, [f64(x)], [f64(1)])[1].item()).toBeCloseTo(second, 14);
    close(
      vmap(first)(f64([3, 0.5, 10])),
      [3, 0.5, 10].map(each => first(f64(each)).item()),
      1e-14,
    );
  });

  it('says why there are no reverse ones', () => {
    const error = caught(() => grad((x: Tensor) => halve({ x, n: i32(0) }).x)(f64(3)));
    expect([error._tag, error.operation]).toEqual(['MissingRuleError', 'grad']);
    expect(error.message).toMatch(/primitive while .*number of its steps is only known when it has run.*use a fold/);
  });

  it.each<[string, () => unknown, string, RegExp]>([
    [
      'a test that is no bool',
      () =>
        whileLoop(
          (x: Tensor) => x,
          x => x,
        )(f64(0)),
      'DTypeError',
      /condition of float64\[\]/,
    ],
    [
      'a test of several',
      () =>
        whileLoop(
          (x: Tensor) => less(x, 1) as Tensor,
          x => x,
        )(f64([0, 1])),
      'DTypeError',
      /condition of bool\[2\]/,
    ],
    [
      'a carry that changes',
      () =>
        whileLoop(
          (x: Tensor) => less(sum(x), 1) as Tensor,
          () => f64([0, 1]),
        )(f64(0)),
      'ShapeError',
      /float64\[\].*float64\[2\]/,
    ],
  ])('refuses %s', (_, f, tag, message) => {
    const error = caught(f);
    expect([error._tag, error.operation]).toEqual([tag, 'whileLoop']);
    expect(error.message).toMatch(message);
  });
});
