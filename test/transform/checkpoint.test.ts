/** Checkpoints: the same bits, out of less memory and more work. */
import {
  add,
  checkpoint,
  cos,
  fold,
  grad,
  jit,
  jvp,
  matmul,
  mul,
  sin,
  sum,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  vmap,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import type { Program } from '../../src/tensor/compile/program.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught } from '../helpers.js';

const draw = (seed: number, ...shape: number[]): Tensor => normal(key(seed), shape) as Tensor;

type Block = (h: Tensor, weights: readonly Tensor[]) => Tensor;
const layers: Block = (h, weights) => weights.reduce<Tensor>((x, w) => tanh(matmul(x, w)) as Tensor, h);

/** The gradient of a chain of layers with respect to its input. */
const chain =
  (block: Block, perBlock: number) =>
  (x: Tensor, weights: readonly Tensor[]): Tensor =>
    grad((start: Tensor) => {
      let h = start;
      for (let i = 0; i < weights.length; i += perBlock) h = block(h, weights.slice(i, i + perBlock));
      return sum(h);
    })(x);

const programOf = (
  f: (x: Tensor, weights: readonly Tensor[]) => Tensor,
  x: Tensor,
  weights: readonly Tensor[],
): Program => {
  const jitted = jit(f);
  jitted(x, weights);
  return tracesOf(jitted)[0]!.program;
};
const productsIn = ({ instructions }: Program): number =>
  instructions.reduce(
    (n, { op, bodies }) => n + (op === 'dotGeneral' ? 1 : 0) + bodies.reduce((m, body) => m + productsIn(body), 0),
    0,
  );

describe('checkpoint', () => {
  const depth = 144;
  const x = draw(0, 64, 16);
  const weights = Array.from({ length: depth }, (_, i) => mul(draw(i + 1, 16, 16), 0.3) as Tensor);

  it('needs less than a quarter of the planned memory in a deep chain, and runs the way there once more', () => {
    const [plain, saving] = [layers, checkpoint(layers)].map(block => programOf(chain(block, 12), x, weights)) as [
      Program,
      Program,
    ];
    expect(planOf(saving).bytes).toBeLessThan(planOf(plain).bytes / 4);
    // Of the plain program the last layer's value is needed as well, since tanh' is made of it.
    expect(productsIn(plain)).toBe(2 * depth);
    expect(productsIn(saving)).toBeGreaterThan(2.9 * depth);
  }, 30_000);

  it('of a chain changes no bit, jitted or not', () => {
    const few = weights.slice(0, 12);
    const expected = chain(layers, 3)(x, few).toArray();
    expect(chain(checkpoint(layers), 3)(x, few).toArray()).toEqual(expected);
    expect(jit(chain(checkpoint(layers), 3))(x, few).toArray()).toEqual(expected);
    // Checkpoints in a checkpoint.
    const inner = checkpoint(layers);
    const nested = checkpoint((h: Tensor, all: readonly Tensor[]) => inner(inner(h, all.slice(0, 2)), all.slice(2)));
    expect(chain(nested, 6)(x, few).toArray()).toEqual(expected);
  });

  const w = draw(3, 5);
  const [u, v] = [draw(4, 5), draw(5, 3, 5)];
  /** Uses an argument twice, closes over a tensor, and over what is being differentiated. */
  const make = (wrap: <F extends (x: Tensor) => Tensor>(f: F) => F) => {
    const f = (at: Tensor, closed: Tensor = w): Tensor => {
      const block = wrap((y: Tensor) => add(mul(sin(mul(y, closed)), y), cos(w)) as Tensor);
      return sum(mul(block(block(at)), at)) as Tensor;
    };
    return { f, slope: grad(f as (at: Tensor) => Tensor), byClosed: grad((closed: Tensor) => f(u, closed)) };
  };
  const [plain, saving] = [make(f => f), make(f => checkpoint(f) as typeof f)] as const;

  it('composes with derivatives of any kind, batches and loops', () => {
    expect(saving.f(u).item()).toBe(plain.f(u).item());
    const all = ({ f, slope, byClosed }: typeof plain) => [
      slope(u),
      byClosed(w),
      jvp(f as (at: Tensor) => Tensor, [u], [w])[1],
      jvp(slope, [u], [w])[1],
      grad((at: Tensor) => sum(mul(slope(at), w)))(u),
      vmap(slope)(v),
      jit(vmap(slope))(v),
      grad((at: Tensor) => sum(fold((c: Tensor) => mul(slope(c), 0.1) as Tensor, { segments: 2 })(at, 5)))(u),
    ];
    const [got, expected] = [all(saving), all(plain)].map(list => list.map(each => each.dataSync()));
    got!.forEach((values, i) => {
      values.forEach((value, j) => {
        expect(value as number).toBeCloseTo(expected![i]![j] as number, 4);
      });
    });
  });

  it('takes and returns trees, and hands arguments through', () => {
    const swap = checkpoint(({ a, b }: { a: Tensor; b: Tensor }, c: Tensor) => ({
      a: b,
      b: [a, add(c, 1) as Tensor] as const,
    }));
    expectTypeOf(swap).returns.toEqualTypeOf<{ a: Tensor; b: readonly [Tensor, Tensor] }>();
    const result = swap({ a: tensor(1) as Tensor, b: tensor(2) as Tensor }, tensor(3) as Tensor);
    expect([result.a.item(), result.b[0].item(), result.b[1].item()]).toEqual([2, 1, 4]);
    const [value, gradient] = valueAndGrad((y: Tensor) => swap({ a: y, b: y }, y).b[1])(tensor(3) as Tensor);
    expect([value.item(), gradient.item()]).toEqual([4, 1]);
  });

  it.each<[string, () => unknown, string, RegExp]>([
    ['no function', () => checkpoint(1 as never), 'ArgumentError', /number 1/],
    ['a number as argument', () => checkpoint((y: Tensor) => y)(1 as never), 'TreeError', /number 1/],
    ['a number as result', () => checkpoint(() => 1)(), 'TreeError', /number 1/],
    [
      'a read',
      () => checkpoint((y: Tensor) => mul(y, y.item() as number))(tensor(1) as Tensor),
      'TraceError',
      /a read of/,
    ],
  ])('refuses %s', (_, f, tag, message) => {
    const error = caught(f);
    expect([error._tag, error.operation]).toEqual([tag, 'checkpoint']);
    expect(error.message).toMatch(message);
  });
});
