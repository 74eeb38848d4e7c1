/** Modified Bessel functions, against values of high precision and their differential equations. */
import { DTypeError, grad, i0, i0e, i1, i1e, jit, sum, type Tensor, tensor, vmap, zeros } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

type Function = (x: Tensor) => Tensor;

const f64 = (x: number | readonly number[]): Tensor => tensor(x as number, { dtype: 'float64' }) as Tensor;
const numbers = (x: Tensor): readonly number[] => [...(x.dataSync() as Iterable<number>)];
const slope = (f: Function): Function => grad((x: Tensor) => sum(f(x)) as never) as Function;

/** x, I₀, I₁, and both times e^−|x|: by mpmath with 40 digits. */
const known: readonly (readonly [x: number, i0: number, i1: number, i0e: number, i1e: number])[] = [
  [0, 1, 0, 1, 0],
  [0.5, 1.0634833707413236, 0.2578943053908963, 0.6450352704491501, 0.1564208031848717],
  [-1, 1.2660658777520084, -0.565159103992485, 0.46575960759364043, -0.20791041534970844],
  [3, 4.8807925858650245, 3.9533702174026093, 0.2430003541618254, 0.19682671329730084],
  [10, 2815.7166284662544, 2670.9883037012546, 0.12783333716342862, 0.12126268138445552],
  [20, 43558282.559553534, 42454973.38512777, 0.08978031188482602, 0.08750622218328867],
  [-20.5, 70922869.83431701, -69170831.67918438, 0.08866442901574524, -0.08647411349408725],
  [50, 2.9325537838493362e20, 2.903078590103557e20, 0.05656162664745419, 0.0559931238928954],
  [700, 1.5295933476718737e302, 1.5285003902339008e302, 0.015081295651531358, 0.015070519444716848],
];

const functions: readonly (readonly [string, Function])[] = [
  ['i0', i0],
  ['i1', i1],
  ['i0e', i0e],
  ['i1e', i1e],
];

describe('modified Bessel functions', () => {
  for (const [at, [name, f]] of functions.entries()) {
    it(`${name}: values to a few units in the last place`, () => {
      for (const [x, ...values] of known) {
        const expected = values[at]!;
        const [wide, narrow] = [numbers(f(f64(x)))[0]!, numbers(f(tensor(x) as Tensor))[0]!];
        if (expected === 0) {
          expect([wide, narrow]).toEqual([0, 0]);
          continue;
        }
        // The exponential has the argument's error, times the argument.
        const grain = 4 + Math.abs(x) / 4;
        expect(Math.abs(wide / expected - 1)).toBeLessThan(grain * 2 ** -52);
        if (expected < 3e38) expect(Math.abs(narrow / expected - 1)).toBeLessThan(grain * 2 ** -22);
      }
    });

    it(`${name}: at infinity, beyond the floats, of NaN`, () => {
      const limit = name.endsWith('e') ? 0 : Infinity;
      const odd = name.startsWith('i1') ? -1 : 1;
      close(f(f64([Infinity, -Infinity, NaN])), [limit, odd * limit, NaN]);
      close(f(tensor([Infinity, -Infinity, NaN]) as Tensor), [limit, odd * limit, NaN]);
      if (!name.endsWith('e')) close(f(f64([1000, 1e300])), [Infinity, Infinity]);
      else expect(numbers(f(f64(1e300)))[0]! * Math.sqrt(2 * Math.PI * 1e300)).toBeCloseTo(1, 14);
    });

    it(`${name}: shapes, dtypes, transforms`, () => {
      const xs = f64([-30, -2, 0, 0.1, 7, 25]);
      const expected = numbers(f(xs));
      close((jit(f as never) as Function)(xs), expected, 1e-15);
      close((vmap(f as never) as Function)(xs), expected, 1e-15);
      expect(f(zeros([2, 0], { dtype: 'int32' })).dtype).toBe('float32');
      expect(f(zeros([2, 3])).shape).toEqual([2, 3]);
      expect(caught(() => f(zeros([2], { dtype: 'uint8' })))).toBeInstanceOf(DTypeError);
    });
  }

  const places = [-40, -20.001, -19.999, -3, -1e-3, 0, 1e-8, 0.7, 5, 19.999, 20.001, 33];

  it('have the derivatives that they have by each other', () => {
    for (const x of places) {
      const at = f64(x);
      const [zero, one] = [numbers(i0(at))[0]!, numbers(i1(at))[0]!];
      const size = Math.max(1, zero);
      close(numbers(slope(i0)(at))[0]! / size, one / size, 1e-13);
      // I₁′ = I₀ − I₁/x, and ½ at 0.
      close(numbers(slope(i1)(at))[0]! / size, (x === 0 ? 0.5 : zero - one / x) / size, 1e-13);
      // I₀″ = I₁′.
      close(numbers(slope(slope(i0))(at))[0]! / size, numbers(slope(i1)(at))[0]! / size, 1e-12);
      const [even, odd] = [numbers(i0e(at))[0]!, numbers(i1e(at))[0]!];
      close(slope(i0e)(at), odd - Math.sign(x) * even, 1e-14);
      if (x !== 0) close(slope(i1e)(at), even - odd / x - Math.sign(x) * odd, 1e-14);
    }
  });

  it('have derivatives that do not lose their digits at large arguments', () => {
    // i0e′ = −x^(−3/2) / (2 √(2π)) · (1 + 3/(8x) + …).
    const leading = (x: number): number => (-(x ** -1.5) / (2 * Math.sqrt(2 * Math.PI))) * (1 + 3 / (8 * x));
    expect(numbers(slope(i0e)(f64(1e6)))[0]! / leading(1e6)).toBeCloseTo(1, 11);
    expect(numbers(slope(i0e)(tensor(1e6) as Tensor))[0]! / leading(1e6)).toBeCloseTo(1, 5);
  });
});
