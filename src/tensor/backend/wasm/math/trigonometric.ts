/**
 * Sine, cosine and tangent. |x| = n·π/2 + r with |r| ≤ π/4, and polynomials in r: the coefficients are those of
 * test/math/derive.ts.
 */
import type { Lanes } from './lanes.js';
import { byWidth, leading, polynomial, rounder, signOf } from './parts.js';

/** (sin r/r − 1)/r², (cos r − 1 + r²/2)/r⁴ and (tan r/r − 1)/r² as functions of r². */
const sinNarrow = [-0.166666555, 0.00833220119, -0.000195196555];
const sinWide = [
  -0.16666666666666638, 0.008333333333323688, -0.00019841269830628354, 0.0000027557313930828157, -2.5050790369269757e-8,
  1.5898438127821405e-10,
];
const cosNarrow = [0.0416666522, -0.00138875876, 0.0000244602913];
const cosWide = [
  0.04166666666666666, -0.001388888888888331, 0.00002480158729481686, -2.7557315793017367e-7, 2.0875907267797337e-9,
  -1.1368639694861564e-11,
];
const tanNarrow = [0.333333466, 0.133327294, 0.0540549356, 0.0212999146, 0.010803789, 0.000117544841, 0.0043670854];
const tanWide = [
  0.33333333333333165, 0.13333333333375263, 0.05396825394134224, 0.02186948932502095, 0.008863222473588067,
  0.003592263924049436, 0.0014548885748875762, 0.0005945895792258596, 0.0002236031943707834, 0.00013430679831932509,
  -0.000023613972059642122, 0.00008718131398607862, -0.00004377870996036099, 0.000020625920102799127,
];

/** Up to these magnitudes n has 17 resp. 30 bits, and the reduction is exact enough. */
export const exactReductionLimit = (m: { readonly width: 32 | 64 }): number => byWidth(m, 205887, 1.6866e9);

/** The finite lanes for which sin, cos and tan need another way to reduce the argument: here they get garbage. */
export const needsExactReduction = <V>(m: Lanes<V>, x: V): V => {
  const a = m.abs(x);
  return m.and(m.lt(m.float(exactReductionLimit(m)), a), m.lt(a, m.float(Number.POSITIVE_INFINITY)));
};

/**
 * π/2 in parts of at most 7 resp. 23 bits, each at most half a unit of the one before, the last with all its bits:
 * the product of n with any but the last is exact, and so are the differences but with the last three.
 */
const partsNarrow = [
  1.578125, -0.00732421875, -0.0000045299530029296875, 7.543712854385376e-8, 6.184563972055912e-11,
  -1.0746346554971943e-12,
];
const partsWide = [
  1.570796251296997, 7.549789415861596e-8, 5.390302529957765e-15, 3.2820036682434026e-22, -1.2536990206932499e-29,
];

/** The rest of |x| as r + low(), and n in the low bits. */
const reduced = <V>(m: Lanes<V>, x: V): { readonly r: V; readonly low: () => V; readonly n: V } => {
  const a = m.abs(x);
  const n = m.fma(a, m.float(2 / Math.PI), rounder(m));
  const multiple = m.sub(n, rounder(m));
  const parts = byWidth(m, partsNarrow, partsWide);
  const less = (y: V, part: number): V => m.fma(multiple, m.float(-parts.at(part)!), y);
  let rest = a;
  for (let i = 0; i < parts.length - 3; i++) rest = less(rest, i);
  // These two may round, unless they cancel; what they lose is put back.
  const nearer = less(rest, -3);
  const nearest = less(nearer, -2);
  const lost = m.add(less(m.sub(nearer, nearest), -2), less(m.sub(rest, nearer), -3));
  const last = less(lost, -1);
  const r = m.add(nearest, last);
  return { r, low: () => m.add(m.sub(nearest, r), last), n };
};

const sine = <V>(m: Lanes<V>, r: V, z: V): V => m.fma(m.mul(polynomial(m, z, byWidth(m, sinNarrow, sinWide)), z), r, r);

const cosine = <V>(m: Lanes<V>, z: V): V => {
  const half = m.fma(z, m.float(-0.5), m.float(1));
  return m.fma(polynomial(m, z, byWidth(m, cosNarrow, cosWide)), m.mul(z, z), half);
};

/** The mask of the odd ones. */
const odd = <V>(m: Lanes<V>, n: V): V => m.isub(m.integer(0n), m.and(n, m.integer(1n)));

/** The second-lowest bit as a sign. */
const turned = <V>(m: Lanes<V>, n: V): V => m.shiftLeft(n, m.width - 2);

export const sin = <V>(m: Lanes<V>, x: V): V => {
  const { r, n } = reduced(m, x);
  const z = m.mul(r, r);
  return m.xor(m.select(odd(m, n), cosine(m, z), sine(m, r, z)), signOf(m, m.xor(turned(m, n), x)));
};

export const cos = <V>(m: Lanes<V>, x: V): V => {
  const { r, n } = reduced(m, x);
  const z = m.mul(r, r);
  const sign = signOf(m, turned(m, m.iadd(n, m.integer(1n))));
  return m.xor(m.select(odd(m, n), sine(m, r, z), cosine(m, z)), sign);
};

/**
 * y = tan r, or −1/y for odd n: the quotient to half the digits, and the rest of it from what is left of 1, in which
 * y is the sum of half its digits and of what those lack.
 */
export const tan = <V>(m: Lanes<V>, x: V): V => {
  const { r, low: lowPart, n } = reduced(m, x);
  const z = m.mul(r, r);
  const low = lowPart();
  // low times the derivative, nearly.
  const rest = m.fma(low, m.mul(z, m.float(1.5)), low);
  const part = m.fma(m.mul(polynomial(m, z, byWidth(m, tanNarrow, tanWide)), z), r, rest);
  const y = m.add(r, part);
  const head = leading(m, y);
  const tail = m.sub(part, m.sub(head, r));
  const inverse = m.div(m.float(-1), y);
  const quotient = leading(m, inverse);
  const left = m.fma(quotient, tail, m.fma(quotient, head, m.float(1)));
  return m.xor(m.select(odd(m, n), m.fma(inverse, left, quotient), y), signOf(m, x));
};
