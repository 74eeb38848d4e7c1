/** Folds whose way back runs segment by segment: the same bits out of less memory. */
import * as fc from 'fast-check';
import {
  add,
  cast,
  exp,
  fold,
  grad,
  jit,
  jvp,
  mul,
  scan,
  sin,
  square,
  sum,
  type Tensor,
  tanh,
  tensor,
  vjp,
  vmap,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught, close } from '../helpers.js';

const f64 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'float64' }) as Tensor;
const i32 = (value: number | readonly number[]): Tensor => tensor(value as number, { dtype: 'int32' }) as Tensor;

type Jitted = (...args: readonly Tensor[]) => unknown;

/** The planned memory of the program that jit makes of a function. */
const bytesOf = (f: Jitted, ...args: readonly Tensor[]): number => {
  const jitted = jit(f as (...args: Tensor[]) => unknown);
  jitted(...args);
  return planOf(tracesOf(jitted)[0]!.program).bytes;
};
describe('segments', () => {
  /** Everything a loop has: captures, two carries, one of them no float, sequences, results of every step. */
  const everything =
    (length: number, options: { reverse: boolean; segments?: number | 'sqrt' | readonly number[] }) =>
    (weights: Tensor, start: Tensor, xs: Tensor): readonly [Tensor, Tensor] => {
      const [{ carry }, ys] = scan((at: { carry: Tensor; count: Tensor }, each: Tensor) => {
        const next = tanh(add(mul(at.carry, weights), mul(each, cast(at.count, 'float64')))) as Tensor;
        return [{ carry: next, count: add(at.count, 1) as Tensor }, mul(next, each) as Tensor] as const;
      }, options)({ carry: start, count: i32(0) }, xs);
      expect(ys.shape[0]).toBe(length);
      return [carry, ys];
    };
  const loss = (results: readonly [Tensor, Tensor]): Tensor =>
    add(sum(square(results[0])), sum(exp(results[1]))) as Tensor;
  type Args = [weights: Tensor, start: Tensor, xs: Tensor];
  const inputs = (length: number): Args => [
    normal(key(1), [3], { dtype: 'float64' }) as Tensor,
    normal(key(2), [3], { dtype: 'float64' }) as Tensor,
    normal(key(3), [length, 3], { dtype: 'float64' }) as Tensor,
  ];
  const numbers = (trees: readonly Tensor[]): unknown => trees.map(each => each.toArray());

  const levels = fc.oneof(
    fc.integer({ min: 1, max: 25 }),
    fc.constant('sqrt' as const),
    fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 }),
  );

  it('change no bit of values, gradients, tangents and batches, whatever the length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 23 }), fc.boolean(), levels, (length, reverse, segments) => {
        const [f, g] = [everything(length, { reverse, segments }), everything(length, { reverse })];
        const args = inputs(length);
        const back = (of: typeof f) => vjp((...xs: Args) => loss(of(...xs)), ...args);
        const [[value, pull], [expected, expectedPull]] = [back(f), back(g)];
        expect(value.item()).toBe(expected.item());
        expect(numbers(pull(f64(1)))).toEqual(numbers(expectedPull(f64(1))));
        // The results of the form that saves carries, too.
        const all = (of: typeof f) => vjp(of as (...xs: Args) => readonly [Tensor, Tensor], ...args)[0];
        expect(numbers(all(f))).toEqual(numbers(all(g)));
        const forward = (of: typeof f) => jvp((...xs: Args) => loss(of(...xs)), args, args)[1].item();
        expect(forward(f)).toBe(forward(g));
      }),
      { numRuns: 60 },
    );
  });

  it.each([3, 'sqrt', [2, 3]] as const)(
    '%s: compose with vmap, jit, second derivatives and loops in loops',
    segments => {
      const length = 11;
      const args = inputs(length);
      const rows = [0.5, 1, 2].map(factor => mul(args[1], factor) as Tensor);
      const starts = tensor(rows.map(row => row.toArray()) as number[][], { dtype: 'float64' }) as Tensor;
      const results = [{ reverse: false, segments }, { reverse: false }].map(options => {
        const slope = (start: Tensor): Tensor =>
          grad((at: Tensor, weights: Tensor, xs: Tensor) => loss(everything(length, options)(weights, at, xs)))(
            start,
            args[0],
            args[2],
          );
        const batched = vmap(slope)(starts);
        expect(batched.toArray()).toEqual(rows.map(row => slope(row).toArray()));
        const curve = grad((start: Tensor) => sum(mul(slope(start), start)));
        const product = (start: Tensor): Tensor => jvp(slope, [start], [start])[1];
        const nested = grad((start: Tensor) => {
          const inner = (carry: Tensor): Tensor =>
            fold((at: Tensor) => sin(mul(at, start)) as Tensor, options)(carry, 7);
          return sum(fold((carry: Tensor) => add(inner(carry), carry) as Tensor, options)(start, 5));
        });
        return numbers([
          batched,
          jit(slope)(args[1]),
          jit(vmap(curve))(starts),
          curve(args[1]),
          product(args[1]),
          nested(args[1]),
          jit(nested)(args[1]),
        ]);
      });
      // Sums of second derivatives are taken in another order where loops are nested in another way.
      close(results[0] as number[][], results[1] as number[][], 1e-12);
      expect((results[0] as unknown[]).slice(0, 2)).toEqual((results[1] as unknown[]).slice(0, 2));
      expect((results[0] as unknown[])[5]).toEqual((results[1] as unknown[])[5]);
    },
  );

  const [x, w] = [normal(key(4), [500]) as Tensor, normal(key(5), [500]) as Tensor];
  const gradient = (length: number, segments?: number | 'sqrt' | readonly number[]) =>
    grad((weights: Tensor, start: Tensor) =>
      sum(fold((carry: Tensor) => tanh(mul(carry, weights)) as Tensor, { segments })(start, length)),
    );
  const memory = (length: number, segments?: number | 'sqrt' | readonly number[]): number =>
    bytesOf(gradient(length, segments) as Jitted, w, x);

  it('20 for 400 steps take less than a quarter of the planned memory', () => {
    expect(memory(400, 20)).toBeLessThan(memory(400) / 4);
    expect(memory(400, 'sqrt')).toBe(memory(400, 20));
    // The carries of 20 starts and of 20 steps, and a few more.
    expect(memory(400, 20)).toBeLessThan(50 * 4 * 500);
    expect(gradient(400, 20)(w, x).toArray()).toEqual(gradient(400)(w, x).toArray());
  });

  it('need memory as the root of the number of steps, levels of them as a higher root', () => {
    expect(memory(6400, 'sqrt') / memory(400, 'sqrt')).toBeLessThan(4.2);
    expect(memory(8000, [20, 20])).toBeLessThan(memory(8000, 'sqrt') / 2);
  });

  it.each([
    [0, 'IndexError'],
    [2.5, 'IndexError'],
    ['half', 'ArgumentError'],
    [[4, 0], 'ArgumentError'],
    [tensor(4), 'TraceError'],
  ])('%s is refused', (segments, tag) => {
    const error = caught(() => fold((carry: Tensor) => carry, { segments: segments as number })(f64(0), 3));
    expect([error._tag, error.operation]).toEqual([tag, 'fold']);
    expect(error.message).toContain('segments');
  });
});
