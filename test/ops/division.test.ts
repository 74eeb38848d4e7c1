import { pipe } from 'fp-ts/lib/function.js';
import { add, type DType, floorDivide, fmod, grad, jit, mul, remainder, sum, type Tensor, tensor, vmap } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const { floor } = Math;
const of = (values: readonly number[], dtype: DType = 'int32'): Tensor => tensor(values, { dtype }) as Tensor;

/** Dividends and divisors, every one with every other, whose quotients are not infinite. */
const pairsOf = (values: readonly number[]): readonly (readonly [number, number])[] =>
  values.flatMap(a => values.filter(b => b !== 0).map(b => [a, b] as const));

const floorOf = (p: bigint, q: bigint): bigint => {
  const quotient = p / q;
  return quotient * q !== p && p < 0n !== q < 0n ? quotient - 1n : quotient;
};

describe('floorDivide', () => {
  it('is Python’s on integers of any size', () => {
    const pairs = pairsOf([0, 1, -1, 2, -3, 7, -8, 46341, -65537, 715827883, 2147483647, -2147483647, -2147483648]);
    const whole = pairs.filter(([a, b]) => a !== -2147483648 || b !== -1);
    const [a, b] = [0, 1].map(i => of(whole.map(pair => pair[i]!))) as [Tensor, Tensor];
    const exact = whole.map(([p, q]) => Number(floorOf(BigInt(p), BigInt(q))));
    const quotient = floorDivide(a, b);
    expect(quotient.toArray()).toEqual(exact);
    expect(quotient.dtype).toBe('int32');
    expect(add(mul(quotient, b), remainder(a, b)).toArray()).toEqual(a.toArray());
    expect(floorDivide(of([4294967295, 4294967295], 'uint32'), of([2, 4294967295], 'uint32')).toArray()).toEqual([
      2147483647, 1,
    ]);
  });

  it('of an integer by 0 is 0, and what does not fit stays at the bound', () => {
    expect(floorDivide(of([5, -5, 0]), 0).toArray()).toEqual([0, 0, 0]);
    expect(floorDivide(of([-2147483648]), -1).toArray()).toEqual([2147483647]);
    expect(floorDivide(tensor([true, false]), tensor([true, true])).dtype).toBe('int32');
  });

  it('goes with the remainder on floats', () => {
    const pairs = pairsOf([0.1, -0.1, 0.3, 1, -1, 2.5, -7.5, 5, 40, -0.02]);
    for (const dtype of ['float32', 'float64'] as const) {
      const [a, b] = [0, 1].map(i =>
        of(
          pairs.map(pair => pair[i]!),
          dtype,
        ),
      ) as [Tensor, Tensor];
      const quotient = floorDivide(a, b);
      const whole = add(mul(quotient, b), remainder(a, b));
      close(whole, a.toArray() as number[], dtype === 'float32' ? 1e-5 : 1e-9);
      expect(quotient.toArray()).toEqual((quotient.toArray() as number[]).map(floor));
    }
    // 1 / 0.1 is 10 in floating point, though 0.1 is a little more than a tenth.
    expect(floorDivide(of([1], 'float64'), 0.1).toArray()).toEqual([9]);
  });

  it('of floats by 0 and infinities', () => {
    close(floorDivide(tensor([1, -1, 0, 5, -5, Infinity, NaN]), tensor([0, 0, 0, Infinity, Infinity, 2, 2])), [
      Infinity,
      -Infinity,
      NaN,
      0,
      -1,
      NaN,
      NaN,
    ]);
  });

  it('has no slope, and other forms', () => {
    const f = (x: Tensor, y: Tensor): Tensor => sum(floorDivide(x, y)) as Tensor;
    expect((grad(f)(tensor([7.5, 1]), tensor([2, 0])) as Tensor).toArray()).toEqual([0, 0]);
    expect(pipe(of([7, -7]), floorDivide(2)).toArray()).toEqual([3, -4]);
    expect(floorDivide(7, of([2, -2])).toArray()).toEqual([3, -4]);
    expect(jit(floorDivide)(of([7]), of([2])).toArray()).toEqual([3]);
    expect(vmap((x: Tensor) => floorDivide(x, 2))(of([7, -7])).toArray()).toEqual([3, -4]);
    expect(floorDivide(tensor([[7], [9]]), tensor([2, 4])).toArray()).toEqual([
      [3, 1],
      [4, 2],
    ]);
  });
});

describe('remainder and fmod', () => {
  it('have the sign of the divisor and of the dividend', () => {
    const [a, b] = [
      [5, -5, 5, -5, 0],
      [3, 3, -3, -3, -3],
    ];
    for (const dtype of ['int32', 'float32', 'float64'] as const) {
      close(remainder(of(a, dtype), of(b, dtype)), [2, 1, -1, -2, 0]);
      close(fmod(of(a, dtype), of(b, dtype)), [2, -2, 2, -2, 0]);
    }
  });

  it('of infinities and 0', () => {
    const [a, b] = [tensor([5, -5, Infinity, 5, NaN]), tensor([Infinity, Infinity, 3, 0, 1])];
    close(remainder(a, b), [5, Infinity, NaN, NaN, NaN]);
    close(fmod(a, b), [5, -5, NaN, NaN, NaN]);
    expect(remainder(of([5, -5]), 0).toArray()).toEqual([0, 0]);
  });

  it('have the slope 1 in the dividend, and minus the quotient in the divisor', () => {
    const slopes = (f: (x: Tensor, y: Tensor) => Tensor): unknown =>
      (grad((y: Tensor) => sum(f(tensor([7.5, -7.5]), y)))(tensor([2, 2])) as Tensor).toArray();
    expect(slopes(remainder)).toEqual([-3, 4]);
    expect(slopes(fmod)).toEqual([-3, 3]);
    expect((grad((x: Tensor) => sum(remainder(x, 2)))(tensor([7.5, -7.5])) as Tensor).toArray()).toEqual([1, 1]);
  });
});
