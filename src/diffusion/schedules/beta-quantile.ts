/** Quantiles of the beta distribution, in float64 on the host. */

/**
 * Iₓ(a, b)·B(a, b)·a / (xᵃ (1 − x)ᵇ) by its continued fraction, which converges fast up to x = (a + 1) / (a + b + 2).
 *
 * Source: Press et al., Numerical Recipes, section 6.4 (the fraction; its evaluation after Lentz).
 */
const fraction = (a: number, b: number, x: number): number => {
  /** Keeps the evaluation from dividing by 0. */
  const off0 = (y: number): number => (Math.abs(y) < 1e-300 ? 1e-300 : y);
  let c = 1;
  let d = 1 / off0(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1, change = 0; m < 10000 && Math.abs(change - 1) > 4e-16; m++) {
    const n = a + 2 * m;
    change = 1;
    for (const term of [(m * (b - m) * x) / ((n - 1) * n), (-(a + m) * (a + b + m) * x) / (n * (n + 1))]) {
      d = 1 / off0(1 + term * d);
      c = off0(1 + term / c);
      change *= c * d;
    }
    value *= change;
  }
  return value;
};

/** The distribution as seen from one end. */
interface End {
  readonly a: number;
  readonly b: number;
  /** A place near the mean, and its distance from the other end. */
  readonly middle: number;
  readonly rest: number;
  /** The fraction there. */
  readonly value: number;
}

const endOf = (a: number, b: number): End => {
  const middle = (a + 1) / (a + b + 2);
  return { a, b, middle, rest: (b + 1) / (a + b + 2), value: fraction(a, b, middle) };
};

/** Below the middle, the number at which the distribution function is that share of what it is in the middle. */
const quantileIn = ({ a, b, middle, rest, value }: End, share: number): number => {
  const wanted = Math.log(share);
  const top = Math.log(middle);
  let [low, high] = [Number.NEGATIVE_INFINITY, top];
  // By Newton's method for log Iₓ as a function of log x, which is linear near 0.
  let u = Math.min(top, top + (wanted + b * Math.log(rest) + Math.log(value)) / a);
  for (let i = 0; i < 200; i++) {
    const x = Math.exp(u);
    const here = fraction(a, b, x);
    const error = a * (u - top) + b * (Math.log1p(-x) - Math.log(rest)) + Math.log(here / value) - wanted;
    if (error > 0) high = u;
    else low = u;
    const next = u - (error * (1 - x) * here) / a;
    // A step that leaves the interval where the root is goes to its middle instead.
    const safe = next >= low && next <= high ? next : low > Number.NEGATIVE_INFINITY ? (low + high) / 2 : 2 * u;
    if (Math.abs(safe - u) <= Number.EPSILON * Math.max(1, Math.abs(u))) return Math.exp(safe);
    u = safe;
  }
  return Math.exp(u);
};

/**
 * The number below which beta numbers are with probability p; to 11 digits or more, for parameters from 0.01 to 1000.
 *
 * The distribution function is known up to a factor from either end. That both parts, up to a place near the mean and
 * from there on, make 1 gives the factor without the beta function.
 *
 * @internal shared with `sigmas.ts`
 * @param p in [0, 1]
 * @param a above 0; the mean is a / (a + b)
 * @param b above 0
 */
export const betaQuantile = (p: number, a: number, b: number): number => {
  if (p <= 0 || p >= 1) return p;
  const [near, far] = [endOf(a, b), endOf(b, a)];
  const below = near.value / a / (near.value / a + far.value / b);
  // From the end on whose side it is: there small numbers have their digits.
  return p <= below ? quantileIn(near, p / below) : 1 - quantileIn(far, (1 - p) / (1 - below));
};
