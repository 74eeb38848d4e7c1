/** Branches: switchOn and cond; what they compute, their derivatives and batches. */
import {
  add,
  bitwiseAnd,
  cast,
  cond,
  cos,
  div,
  forLoop,
  grad,
  greater,
  jit,
  jvp,
  log,
  mul,
  neg,
  sin,
  sum,
  switchOn,
  type Tensor,
  tensor,
  vmap,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught, close } from '../helpers.js';

const f64 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'float64' }) as Tensor;
const i32 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'int32' }) as Tensor;

describe('switchOn and cond', () => {
  const factor = f64(3);
  const branches = [
    (x: Tensor): Tensor => sin(x) as Tensor,
    (x: Tensor): Tensor => mul(mul(x, x), factor) as Tensor,
    (x: Tensor): Tensor => div(1, x) as Tensor,
  ];
  const slopes = [Math.cos, (x: number) => 6 * x, (x: number) => -1 / x ** 2];
  const values = [Math.sin, (x: number) => 3 * x * x, (x: number) => 1 / x];
  const clamped = (i: number): number => Math.max(0, Math.min(2, i));
  const indices = [-7, 0, 1, 2, 3, 2 ** 31 - 1];

  it('take the branch at the index, the nearest one if there is none', () => {
    for (const i of indices)
      expect(switchOn(i32(i), branches)(f64(0.7)).item()).toBeCloseTo(values[clamped(i)]!(0.7), 14);
    expect(switchOn(i32(5), [branches[1]!])(f64(2)).item()).toBe(12);
    const choose = jit((i: Tensor, x: Tensor) => switchOn(i, branches)(x));
    for (const i of indices) expect(choose(i32(i), f64(0.7)).item()).toBeCloseTo(values[clamped(i)]!(0.7), 14);
  });

  it('keep in a branch what it builds of values from outside', () => {
    const x = f64([4, 0]);
    // Computed where it is not taken, the logarithm of 0 would make the derivative NaN.
    const f = (y: Tensor): Tensor =>
      cond(
        greater(f64(-1), 0),
        () => log(y),
        () => mul(y, 2),
      )() as Tensor;
    expect(grad((y: Tensor) => sum(f(y)))(x).toArray()).toEqual([2, 2]);
    const bodies = (made: (y: Tensor) => Tensor): readonly (readonly string[])[] => {
      const jitted = jit(made);
      jitted(x);
      const { program } = tracesOf(jitted)[0]!;
      const inside = program.instructions.flatMap(({ bodies: each }) => each);
      return [program, ...inside].map(({ instructions }) => instructions.map(({ op }) => op));
    };
    const [outside, ...inside] = bodies(f);
    expect(outside).not.toContain('log');
    expect(inside.filter(ops => ops.includes('log'))).toHaveLength(1);
    // What was there before is computed once, for both.
    const [earlier] = bodies(y => {
      const before = log(y);
      return cond(
        greater(sum(y), 0),
        () => before,
        () => mul(before, 2),
      )() as Tensor;
    });
    expect(earlier).toContain('log');
  });

  it('have the derivatives of that branch, of the operands and of what branches close over', () => {
    for (const i of indices) {
      const f = (x: Tensor): Tensor => switchOn(i32(i), branches)(x);
      const expected = slopes[clamped(i)]!(0.7);
      expect(grad(f)(f64(0.7)).item()).toBeCloseTo(expected, 14);
      expect(jvp(f, [f64(0.7)], [f64(1)])[1].item()).toBeCloseTo(expected, 14);
    }
    const closed = (i: number) =>
      grad((w: Tensor) => switchOn(i32(i), [(x: Tensor) => mul(x, w), (x: Tensor) => mul(mul(x, w), w)])(f64(5)));
    expect([0, 1].map(i => closed(i)(f64(3)).item())).toEqual([5, 30]);
    const either = (x: Tensor): Tensor =>
      cond(
        greater(x, 0) as Tensor,
        (y: Tensor) => mul(y, y),
        (y: Tensor) => neg(y),
      )(x);
    expect([2, -2].map(x => grad(either)(f64(x)).item())).toEqual([4, -1]);
    expect([2, -2].map(x => grad(grad(either))(f64(x)).item())).toEqual([2, 0]);
  });

  it('under vmap each example takes its own branch', () => {
    const xs = [0.5, 0.6, 0.7, 0.8, 0.9, 1];
    const run = (i: Tensor, x: Tensor): Tensor => switchOn(i, branches)(x);
    const slope = (i: Tensor, x: Tensor): Tensor => grad((at: Tensor) => run(i, at))(x);
    const at = (of: readonly ((x: number) => number)[], x: (i: number) => number) =>
      indices.map((index, i) => of[clamped(index)]!(x(i)));
    close(
      vmap(run)(i32(indices), f64(xs)),
      at(values, i => xs[i]!),
      1e-14,
    );
    close(
      vmap(run, { in: [0, null] })(i32(indices), f64(0.7)),
      at(values, () => 0.7),
      1e-14,
    );
    close(vmap(run, { in: [null, 0] })(i32(1), f64(xs)), xs.map(values[1]!), 1e-14);
    close(
      vmap(slope)(i32(indices), f64(xs)),
      at(slopes, i => xs[i]!),
      1e-14,
    );
    close(
      jit(vmap(slope))(i32(indices), f64(xs)),
      at(slopes, i => xs[i]!),
      1e-14,
    );
    close(
      grad((x: Tensor) => sum(vmap(run)(i32(indices), x)))(f64(xs)),
      at(slopes, i => xs[i]!),
      1e-14,
    );
    const sign = (x: Tensor): Tensor =>
      cond(
        greater(x, 0) as Tensor,
        () => f64([1, 1]),
        () => f64([-1, 0]),
      )();
    expect(vmap(sign)(f64([3, -3])).toArray()).toEqual([
      [1, 1],
      [-1, 0],
    ]);
  });

  it('work in loops, on trees, with several operands', () => {
    const collatz = forLoop(6, (x: Tensor) =>
      switchOn(bitwiseAnd(x, 1) as Tensor, [
        (y: Tensor): Tensor => cast(div(y, 2), 'int32') as Tensor,
        (y: Tensor): Tensor => add(mul(y, 3), 1) as Tensor,
      ])(x),
    );
    expect(collatz(i32(6)).item()).toBe(4);
    const pick = switchOn(i32(1), [
      ({ a }: { a: Tensor }, b: Tensor) => ({ c: a, d: [b] }),
      ({ a }: { a: Tensor }, b: Tensor) => ({ c: b, d: [cos(a) as Tensor] }),
    ]);
    const { c, d } = pick({ a: f64(0) }, f64(4));
    expectTypeOf(c).toEqualTypeOf<Tensor>();
    expect([c.item(), d[0]!.item()]).toEqual([4, 1]);
  });

  const same = (x: Tensor): Tensor => x;
  it.each<[string, () => unknown, string, string, RegExp]>([
    ['no branches', () => switchOn(i32(0), [])(), 'ArgumentError', 'switchOn', /no branches/],
    ['no list', () => switchOn(i32(0), same as never)(f64(0)), 'ArgumentError', 'switchOn', /function .* as branches/],
    ['no function', () => switchOn(i32(0), [same, 1 as never])(f64(0)), 'ArgumentError', 'switchOn', /number 1/],
    ['a floating index', () => switchOn(f64(0), [same])(f64(0)), 'DTypeError', 'switchOn', /index of float64\[\]/],
    ['several indices', () => switchOn(i32([0, 1]), [same])(f64(0)), 'DTypeError', 'switchOn', /index of int32\[2\]/],
    ['a number as index', () => switchOn(1 as never, [same])(f64(0)), 'TreeError', 'switchOn', /number 1/],
    [
      'other shapes',
      () => switchOn(i32(0), [same, () => f64([1, 2])])(f64(0)),
      'ArgumentError',
      'switchOn',
      /\(float64\[\]\) and \(float64\[2\]\)/,
    ],
    ['other trees', () => switchOn(i32(0), [same, () => [f64(1)] as never])(f64(0)), 'TreeError', 'switchOn', /\[0\]/],
    [
      'other dtypes in cond',
      () => cond(greater(f64(0), 1) as Tensor, same, () => i32(0))(f64(0)),
      'ArgumentError',
      'cond',
      /\(int32\[\]\) and \(float64\[\]\)/,
    ],
    [
      'a condition that is no bool',
      () => cond(f64(1), same, same)(f64(0)),
      'DTypeError',
      'cond',
      /condition of float64/,
    ],
  ])('refuse %s', (_, f, tag, operation, message) => {
    const error = caught(f);
    expect([error._tag, error.operation]).toEqual([tag, operation]);
    expect(error.message).toMatch(message);
  });
});
