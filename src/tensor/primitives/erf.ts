/** The error function, its complement and its inverse, in float64. Slow and plain: the reference uses them. */

/** exp(−z²), with the square split so that its rounding does not become an error of many units. */
const gauss = (z: number): number => {
  const high = Math.fround(z);
  return Math.exp(-high * high) * Math.exp((high - z) * (high + z));
};

const twoOverSqrtPi = 2 / Math.sqrt(Math.PI);

/** erf z for 0 ≤ z ≤ 1.5 by its all-positive series (Abramowitz & Stegun 7.1.6), to a few units in the last place. */
const series = (z: number): number => {
  let term = z;
  let sum = z;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return twoOverSqrtPi * gauss(z) * sum;
};

/** erfc z for z ≥ ½ by its continued fraction (7.1.14), which needs the more terms the smaller z is. */
const tail = (z: number): number => {
  let fraction = 0;
  for (let k = 20 + Math.ceil(200 / (z * z)); k > 0; k--) fraction = k / 2 / (z + fraction);
  return gauss(z) / (Math.sqrt(Math.PI) * (z + fraction));
};

export const erf = (x: number): number => {
  const z = Math.abs(x);
  if (Number.isNaN(x) || x === 0) return x;
  return Math.sign(x) * (z > 6 ? 1 : z < 1.5 ? series(z) : 1 - tail(z));
};

export const erfc = (x: number): number => {
  if (x < 0.5) return 1 - erf(x);
  return x > 28 ? 0 : tail(x);
};

/** Halley's steps from an approximation to two digits (Winitzki 2008, "A handy approximation for the error function"). */
export const erfinv = (x: number): number => {
  const a = Math.abs(x);
  if (!(a > 0 && a < 1)) return a > 1 ? Number.NaN : x / (1 - a);
  const log = Math.log1p(-a * a);
  const half = 2 / (Math.PI * 0.147) + log / 2;
  let y = Math.sqrt(-log / 0.147 / (half + Math.sqrt(half * half - log / 0.147)));
  for (let i = 0; i < 4; i++) {
    const error = y < 0.5 ? series(y) - a : 1 - a - tail(y);
    const step = error / (twoOverSqrtPi * gauss(y));
    y -= step / (1 + step * y);
  }
  return x < 0 ? -y : y;
};
