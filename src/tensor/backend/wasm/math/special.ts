/** The error function. The coefficients are those of test/math/derive.ts. */
import { expm1Reduced } from './exponential.js';
import type { Lanes } from './lanes.js';
import { byWidth, polynomial, powerOfTwo, rounder, signOf } from './parts.js';

/** erf x/x − 1 as a function of x², for |x| ≤ 1. */
const nearNarrow = [
  0.128379166, -0.376126271, 0.112836002, -0.0268544424, 0.00518952926, -0.000802077399, 0.0000788885708,
];
const nearWide = [
  0.12837916709551256, -0.3761263890318355, 0.11283791670945244, -0.02686617064327459, 0.005223977607409547,
  -0.0008548325989007923, 0.0001205529529932053, -0.000014924744246314914, 0.0000016447512412368128,
  -1.6209134706939673e-7, 1.3722794379068385e-8, -7.800842771046819e-10,
];

/** log₂(1 − erf x) for 1 ≤ x ≤ 4, in float64 6: there erf is 1. */
const farNarrow = [
  -0.000653160725, -1.6253911, -0.921740427, -0.147800279, 0.0310494589, -0.0041384751, 0.000257269252,
];
const farWide = [
  -0.0000010769176319683005, -1.6278965916379633, -0.9184952401845037, -0.14813862713167109, 0.027345352444468462,
  0.0006531426079419212, -0.0028152483514789282, 0.001141757541831429, -0.00020538497611629253,
  -0.000029019717345967913, 0.00003529679041383365, -0.000014208647337951052, 0.000003801347122969208,
  -7.503129181109847e-7, 1.1194036902951217e-7, -1.2548586951807416e-8, 1.0279964438512642e-9, -5.819240768962131e-11,
  2.035823774153199e-12, -3.3169407770115764e-14,
];

export const erf = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  const a = m.min(m.abs(x), m.float(byWidth(m, 4, 6)));
  const near = m.fma(polynomial(m, m.mul(a, a), byWidth(m, nearNarrow, nearWide)), a, a);
  // 1 − 2^y, as 2^n·e^r with r = (y − n)·ln 2.
  const y = polynomial(m, a, byWidth(m, farNarrow, farWide));
  const n = m.add(y, rounder(m));
  const r = m.mul(m.sub(y, m.sub(n, rounder(m))), m.float(Math.LN2));
  const far = m.sub(one, m.mul(m.add(expm1Reduced(m, r), one), powerOfTwo(m, n)));
  return m.or(m.select(m.lt(a, one), near, far), signOf(m, x));
};
