/** The modified Bessel functions I₀ and I₁ by their series: one about 0, one about infinity. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { atMost, polynomial, times } from '../common/numbers.js';

/** Where one series takes over from the other: with so many terms, both are right there to the last bits of float64. */
const border = 20;
const [nearTerms, farTerms] = [36, 24];

/** I_ν(x) / (x/2)^ν as a polynomial in (x / border)² (Abramowitz & Stegun 1964, 9.6.10); all terms are positive. */
const nearSeries = ([0, 1] as const).map(order => {
  const terms = [1];
  for (let k = 1; k < nearTerms; k++) terms.push((terms[k - 1]! * border ** 2) / (4 * k * (k + order)));
  return terms;
});

/** e⁻ˣ √(2πx) I_ν(x) as a polynomial in border / x (9.7.1). */
const farSeries = ([0, 1] as const).map(order => {
  const terms = [1];
  for (let k = 1; k < farTerms; k++) {
    terms.push((terms[k - 1]! * ((2 * k - 1) ** 2 - 4 * order)) / (8 * k * border));
  }
  return terms;
});

/** e⁻ˣ √(2πx) (I₀(x) − I₁(x)), likewise: the first terms are equal. */
const restSeries = farSeries[0]!.map((term, k) => term - farSeries[1]![k]!);

/** x where each of the series is for it, and elsewhere a number that it can do with. */
interface Places {
  readonly isFar: Node;
  readonly near: Node;
  /** (near / border)². */
  readonly square: Node;
  readonly far: Node;
  /** border / far. */
  readonly inverse: Node;
}

const placesOf = (x: Node): Places => {
  const [size, end] = [b.abs(x), full(b, x, border)];
  const isFar = b.gt(size, end);
  const near = b.select(isFar, full(b, x, 0), x);
  const far = b.select(isFar, size, end);
  const ratio = times(near, 1 / border);
  return { isFar, near, square: b.mul(ratio, ratio), far, inverse: b.div(end, far) };
};

/** The sign of the functions of odd order, which the series about infinity lacks. */
const signed = (order: 0 | 1, x: Node, value: Node): Node => (order === 0 ? value : b.mul(b.sign(x), value));

const nearValue = (order: 0 | 1, { near, square }: Places): Node => {
  const series = polynomial(square, nearSeries[order]!);
  return order === 0 ? series : b.mul(times(near, 0.5), series);
};

/** e⁻ˣ I_ν(x) for large x. */
const farValue = (order: 0 | 1, far: Node, inverse: Node): Node =>
  b.mul(polynomial(inverse, farSeries[order]!), b.rsqrt(times(far, 2 * Math.PI)));

/** e^−|x| I_ν(x). */
export const scaledBessel = (order: 0 | 1, x: Node): Node => {
  const places = placesOf(x);
  const near = b.mul(nearValue(order, places), b.exp(b.neg(b.abs(places.near))));
  return b.select(places.isFar, signed(order, x, farValue(order, places.far, places.inverse)), near);
};

/** I_ν(x). */
export const bessel = (order: 0 | 1, x: Node): Node => {
  const places = placesOf(x);
  // Far beyond where the result is infinite, but not so far that the other factor is 0.
  const half = b.exp(times(atMost(places.far, 4000), 0.5));
  const far = b.mul(b.mul(farValue(order, atMost(places.far, 4000), places.inverse), half), half);
  return b.select(places.isFar, signed(order, x, far), nearValue(order, places));
};

/** 1 − I₁(x) / I₀(x) for x ≥ 0, which does not lose its digits where x is large. */
export const besselRest = (x: Node): Node => {
  const places = placesOf(x);
  const own = nearValue(0, places);
  const near = b.div(b.sub(own, nearValue(1, places)), own);
  const far = b.div(polynomial(places.inverse, restSeries), polynomial(places.inverse, farSeries[0]!));
  return b.select(places.isFar, far, near);
};
