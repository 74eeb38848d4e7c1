/** What a loop computes of its sequences alone is computed before it, and nothing comes out differently. */
import {
  add,
  cast,
  cos,
  exp,
  fold,
  grad,
  jit,
  matmul,
  mul,
  reshape,
  scan,
  sin,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { foldIn, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import type { Program } from '../../src/tensor/compile/program.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';

const numbers = (count: number): Tensor =>
  tensor(
    Array.from({ length: count }, (_, i) => Math.sin(i + 1)),
    { dtype: 'float64' },
  ) as Tensor;

/** x' = cos(exp(a))·x + a with coefficients in float64, of which x is not. */
const step = (x: Tensor, a: Tensor): Tensor =>
  add(mul(x, cast(cos(exp(a)), 'float32') as Tensor), cast(a, 'float32') as Tensor) as Tensor;

/** The body of the last loop, which is the one that the result comes from. */
const bodyOf = (f: (x: Tensor) => unknown, x: Tensor): Program => {
  const jitted = jit(f as (x: Tensor) => Tensor);
  jitted(x);
  const { program } = tracesOf(jitted)[0]!;
  return program.instructions.flatMap(({ bodies }) => bodies).at(-1)!;
};

describe('what a step computes of its elements alone', () => {
  const as = numbers(20);
  const start = normal(key(0), [3, 4]) as Tensor;

  it('is no longer in the loop', () => {
    const body = bodyOf(x => fold(step)(x, as), start);
    const dtypes = body.instructions.map(({ aval }) => aval.dtype);
    expect(dtypes).not.toContain('float64');
    expect(body.instructions.map(({ op }) => op)).not.toContain('cos');
  });

  it('stays there where it is large', () => {
    const large = normal(key(1), [5, 100, 50]) as Tensor;
    const body = bodyOf(x => fold((y: Tensor, a: Tensor) => add(y, sum(sin(a))) as Tensor)(x, large), start);
    expect(body.instructions.map(({ op }) => op)).toContain('sin');
  });

  it('gives the bits of the steps one after another', () => {
    const values = as.toArray() as number[];
    const one = jit(step);
    const wanted = values.reduce((x, a) => one(x, tensor(a, { dtype: 'float64' }) as Tensor), start);
    expect(fold(step)(start, as).toArray()).toEqual(wanted.toArray());
    const [, all] = scan((x: Tensor, a: Tensor) => [step(x, a), step(x, a)] as const)(start, as);
    expect((all.toArray() as number[][][]).at(-1)).toEqual(wanted.toArray());
  });

  it('takes small carries that depend on no others with it', () => {
    interface State {
      readonly x: Tensor;
      readonly last: Tensor;
      readonly count: Tensor;
    }
    const f64 = (value: number): Tensor => tensor(value, { dtype: 'float64' }) as Tensor;
    const init = (x: Tensor): State => ({ x, last: f64(0), count: tensor(0, { dtype: 'int32' }) as Tensor });
    const next = ({ x, last, count }: State, a: Tensor): State => ({
      x: add(mul(x, cast(exp(mul(last, a)), 'float32') as Tensor), cast(count, 'float32') as Tensor) as Tensor,
      last: a,
      count: add(count, 1) as Tensor,
    });
    const body = bodyOf(x => fold(next)(init(x), as).x, start);
    expect(body.instructions.map(({ aval }) => aval.dtype)).not.toContain('float64');
    const values = as.toArray() as number[];
    const one = jit(next);
    const wanted = values.reduce((state, a) => one(state, f64(a)), init(start));
    for (const reverse of [false, true]) {
      const given = reverse ? (tensor([...values].reverse(), { dtype: 'float64' }) as Tensor) : as;
      const got = fold(next, { reverse })(init(start), given);
      expect(got.x.toArray()).toEqual(wanted.x.toArray());
      expect([got.last.item(), got.count.item()]).toEqual([values.at(-1), 20]);
    }
    const [, seen] = scan((state: State, a: Tensor) => [next(state, a), state.count] as const)(init(start), as);
    expect(seen.toArray()).toEqual(values.map((_, i) => i));
    const slope = (f: (a: Tensor) => Tensor): unknown => grad((a: Tensor) => sum(f(a)) as Tensor)(numbers(5)).toArray();
    const cut = slope(a => fold(next, { segments: 2 })(init(start), a).x);
    expect(cut).toEqual(slope(a => fold(next)(init(start), a).x));
  });

  it('may be random, and reach results alone', () => {
    const draw = (i: Tensor): Tensor => normal(foldIn(key(3), i), [2]) as Tensor;
    const [, drawn] = scan((x: Tensor, i: Tensor) => [x, draw(i)] as const)(zeros([1]) as Tensor, 6);
    const wanted = Array.from({ length: 6 }, (_, i) => draw(tensor(i, { dtype: 'int32' }) as Tensor).toArray());
    expect(drawn.toArray()).toEqual(wanted);
  });

  it('has derivatives, batches and reversals', () => {
    const total = (a: Tensor): Tensor => sum(fold(step)(start, a)) as Tensor;
    const unrolled = (a: Tensor): Tensor =>
      sum(Array.from({ length: 4 }, (_, i) => i).reduce((x, i) => step(x, at(a, i)), start)) as Tensor;
    const at = (a: Tensor, i: number): Tensor =>
      reshape(
        matmul(
          tensor([[0, 1, 2, 3].map(j => (j === i ? 1 : 0))], { dtype: 'float64' }) as Tensor,
          reshape(a, [4, 1]) as Tensor,
        ) as Tensor,
        [],
      ) as Tensor;
    const short = numbers(4);
    const [got, wanted] = [grad(total)(short), grad(unrolled)(short)].map(x => x.toArray() as number[]);
    for (const [i, value] of got!.entries()) expect(value).toBeCloseTo(wanted![i]!, 5);
    const batched = vmap((a: Tensor) => fold(step)(start, a))(reshape(numbers(12), [3, 4]) as Tensor);
    const rows = [0, 1, 2].map(i => {
      const row = (numbers(12).toArray() as number[]).slice(4 * i, 4 * i + 4);
      return fold(step)(start, tensor(row, { dtype: 'float64' }) as Tensor).toArray();
    });
    expect(batched.toArray()).toEqual(rows);
    const reversed = tensor([...(as.toArray() as number[])].reverse(), { dtype: 'float64' }) as Tensor;
    expect(fold(step, { reverse: true })(start, as).toArray()).toEqual(fold(step)(start, reversed).toArray());
  });
});
