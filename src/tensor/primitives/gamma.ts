/** log |Γ| and its derivatives in float64. Slow and plain: the reference uses them. */

/** Bernoulli numbers B₂, B₄, … */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** sin πx and cos πx, exact where they are 0 or ±1. */
const circle = (x: number): readonly [sin: number, cos: number] => {
  const r = x % 2;
  const quarter = Math.round(2 * r);
  const angle = Math.PI * (r - quarter / 2);
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  const turn = ((quarter % 4) + 4) % 4;
  return turn === 0 ? [sin, cos] : turn === 1 ? [cos, -sin] : turn === 2 ? [-sin, -cos] : [-cos, sin];
};

/**
 * ζ(s, q) = Σ (q + k)^−s over k ≥ 0 for s > 1 and q > 0 by the Euler–Maclaurin formula (Abramowitz & Stegun 23.1.30),
 * begun where its terms fall fast.
 */
const hurwitz = (s: number, q: number): number => {
  let sum = 0;
  let at = q;
  for (; at < 10 + 2 * s; at++) sum += at ** -s;
  let rest = 1 / (s - 1) + 0.5 / at;
  // s(s + 1)…(s + 2k − 2) / ((2k)!·at^2k)
  let factor = s / 2 / at / at;
  bernoulli.forEach((number, i) => {
    rest += number * factor;
    const k = 2 * i + 3;
    factor *= ((s + k - 2) * (s + k - 1)) / (k * (k + 1)) / at / at;
  });
  return sum + rest * at ** (1 - s);
};

/** (−1)ᵏ(ζ(k) − 1)/k from k = 2 on. */
let coefficients: readonly number[] = [];

/** log Γ(2 + z) for |z| ≤ ½ by its Taylor series (6.1.33). */
const nearTwo = (z: number): number => {
  if (coefficients.length === 0)
    coefficients = Array.from({ length: 28 }, (_, i) => ((i % 2 === 0 ? 1 : -1) * hurwitz(i + 2, 2)) / (i + 2));
  // 1 − γ
  return z * (0.42278433509846713 + z * coefficients.reduceRight((sum, c) => sum * z + c, 0));
};

/** By Stirling's series (6.1.41) from 10 on, below by the recurrence from where no digits cancel. */
export const lgamma = (x: number): number => {
  if (x <= 0 || Object.is(x, -0)) {
    const sine = Math.abs(circle(x)[0]);
    return sine === 0 || x === Number.NEGATIVE_INFINITY
      ? Number.POSITIVE_INFINITY
      : -Math.log(sine / Math.PI) - lgamma(1 - x);
  }
  if (x < 0.5) return nearTwo(x) - Math.log1p(x) - Math.log(x);
  if (x < 1.5) return nearTwo(x - 1) - Math.log1p(x - 1);
  if (x < 10) {
    let product = 1;
    let at = x;
    while (at > 2.5) product *= --at;
    return nearTwo(at - 2) + Math.log(product);
  }
  const squared = x * x;
  const series = bernoulli.reduceRight((sum, number, i) => sum / squared + number / ((2 * i + 2) * (2 * i + 1)), 0);
  return (x - 0.5) * (Math.log(x) - 1) + (Math.log(2 * Math.PI) - 1) / 2 + series / x;
};

const digamma = (x: number): number => {
  if (x < 0) {
    const [sin, cos] = circle(x);
    return sin === 0 || Number.isNaN(sin) ? Number.NaN : digamma(1 - x) - (Math.PI * cos) / sin;
  }
  if (x === 0) return -1 / x;
  let sum = 0;
  let at = x;
  for (; at < 10; at++) sum -= 1 / at;
  const squared = at * at;
  const series = bernoulli.reduceRight((rest, number, i) => rest / squared + number / (2 * i + 2), 0);
  return sum + Math.log(at) - 0.5 / at - series / squared;
};

/** The n-th derivative of π·cot πx, as π^(n+1)·P(cot πx) with P′s from P₀ = c by Pₙ₊₁ = −(1 + c²)·Pₙ′. */
const cotangent = (n: number, x: number): number => {
  const [sin, cos] = circle(x);
  const c = cos / sin;
  let polynomial = [0, 1];
  for (let i = 0; i < n; i++) {
    const slope = polynomial.slice(1).map((coefficient, k) => -coefficient * (k + 1));
    polynomial = [...slope, 0, 0].map((coefficient, k) => coefficient + (slope[k - 2] ?? 0));
  }
  return Math.PI ** (n + 1) * polynomial.reduceRight((sum, coefficient) => sum * c + coefficient, 0);
};

/** ψ⁽ⁿ⁾ = (−1)ⁿ⁺¹·n!·ζ(n + 1, x) (6.4.10), of negative arguments by reflection (6.4.7). */
export const polygamma = (order: number, x: number): number => {
  if (order === 0) return digamma(x);
  const sign = order % 2 === 0 ? -1 : 1;
  if (x <= 0) {
    // The poles of even orders have two sides; −∞ is what the series says, as in SciPy and PyTorch.
    if (Number.isInteger(x)) return sign * Number.POSITIVE_INFINITY;
    return -sign * polygamma(order, 1 - x) - cotangent(order, x);
  }
  let factorial = 1;
  for (let k = 2; k <= order; k++) factorial *= k;
  return sign * factorial * hurwitz(order + 1, x);
};
