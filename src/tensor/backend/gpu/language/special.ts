/** The error function, its complement and its inverse. The coefficients are those of the CPU backend. */
import type { Float } from './code.js';
import { expWithin } from './exponential.js';
import { log } from './logarithm.js';
import type { Floats } from './parts.js';

/** erf x/x − 1 as a function of x², for |x| ≤ 1. */
const near = [0.128379166, -0.376126271, 0.112836002, -0.0268544424, 0.00518952926, -0.000802077399, 0.0000788885708];

/** log₂(1 − erf x) for 1 ≤ x ≤ 4: there erf is 1. */
const far = [-0.000653160725, -1.6253911, -0.921740427, -0.147800279, 0.0310494589, -0.0041384751, 0.000257269252];

/** (1 + 2x)·e^(x²)·erfc x as a function of (x − 3)/(x + 3), up to where erfc is 0. */
const complement = [
  1.2530081, -0.135621088, -0.0475660093, 0.129643148, -0.119219679, 0.0683544271, -0.0240236805, 0.00222296657,
  0.00223881686, -0.000161947445,
];

/** erfinv x/x as a function of w − 3 for w = −log(1 − x²) ≤ 6, and of √w − 3.5 above. */
const inverse = [
  1.62354201, 0.241630412, -0.00573817904, -0.000836200115, 0.000195113993, -0.0000127058072, -0.00000177143023,
  4.47968526e-7, -1.89095224e-8, -5.45095479e-9, 6.51554053e-10,
];
const inverseTail = [
  3.33548571, 1.00736937, 0.00327713184, -0.00207510762, 0.00108565884, -0.000614113054, 0.000490143449,
  -0.000332188706, -0.0000453758907,
];

/** erf x for |x| ≤ 1. */
const central = (f: Floats, x: Float): Float => f.fma(f.polynomial(f.mul(x, x), near), x, x);

export const erf = (f: Floats, x: Float): Float => {
  const a = f.min(f.abs(x), 4);
  const power = expWithin(f, f.mul(f.polynomial(a, far), Math.LN2));
  return f.signed(f.select(f.lt(a, 1), central(f, a), f.sub(1, power)), x);
};

/**
 * 1 − erf x near 0; else a factor times e^(−a²), with a² as the square of the leading 12 bits of a, which is exact, and
 * what that lacks.
 */
export const erfc = (f: Floats, x: Float): Float => {
  const a = f.min(f.abs(x), 10.15);
  const t = f.div(f.sub(a, 3), f.add(a, 3));
  const g = f.div(f.polynomial(t, complement), f.add(f.add(a, a), 1));
  const head = f.mul(f.floor(f.mul(a, 256)), 1 / 256);
  const y = f.mul(expWithin(f, f.neg(f.mul(head, head)), f.mul(f.sub(head, a), f.add(head, a))), g);
  const tail = f.select(f.lt(x, 0), f.sub(2, y), y);
  const value = f.select(f.lt(a, 0.5), f.sub(1, central(f, f.select(f.lt(x, 0), f.neg(a), a))), tail);
  return f.select(f.eq(x, x), value, x);
};

export const erfinv = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const inside = f.select(f.lt(a, 1), x, 0);
  const w = f.neg(log(f, f.mul(f.sub(1, inside), f.add(inside, 1))));
  const small = f.polynomial(f.sub(f.min(w, 6), 3), inverse);
  const large = f.polynomial(f.sub(f.call('sqrt', f.max(w, 6)), 3.5), inverseTail);
  const value = f.mul(inside, f.select(f.lt(w, 6), small, large));
  const edge = f.select(f.eq(a, 1), f.code.infinity, f.code.nan);
  return f.select(f.lt(a, 1), value, f.signed(edge, x));
};
