/**
 * Elementary functions to far more digits than a float64 has, in fixed-point BigInt arithmetic: the reference that
 * approximations are measured against, and what their coefficients are derived from. Plain and slow.
 */

import { erfinv as erfinvStart } from '../../src/tensor/primitives/erf.js';

/** The number m·2^e. */
export interface Real {
  readonly m: bigint;
  readonly e: number;
}

const bytes = new DataView(new ArrayBuffer(8));

/** A finite float64, exactly. */
export const exact = (x: number): Real => {
  bytes.setFloat64(0, x);
  const bits = bytes.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const m = exponent === 0 ? fraction : fraction | 0x10000000000000n;
  return { m: x < 0 ? -m : m, e: Math.max(exponent, 1) - 1075 };
};

const bitLength = (m: bigint): number => (m < 0n ? -m : m).toString(16).length * 4;

/** A real to the nearest float64 or so: 60 leading bits of it. */
export const approximately = ({ m, e }: Real): number => {
  const drop = Math.max(bitLength(m) - 60, 0);
  const scale = e + drop;
  const head = Number(m >> BigInt(drop));
  const half = Math.trunc(scale / 2);
  return head * 2 ** half * 2 ** (scale - half);
};

const shift = (x: bigint, by: number): bigint => (by >= 0 ? x << BigInt(by) : x >> BigInt(-by));

/** Below this a function is the argument times a series: fixed point has too few bits left there. */
const small = -24;

/** Beyond this eˣ is 0 or ∞ in any float64. */
const bounded = (x: number): number => Math.max(-3000, Math.min(3000, x));

/** π by Machin's formula, with `bits` bits behind the point. */
const piWith = (bits: number): bigint => {
  const one = 1n << BigInt(bits + 16);
  const atanInverse = (k: bigint): bigint => {
    let power = one / k;
    let sum = power;
    for (let n = 1n; power !== 0n; n++) {
      power /= k * k;
      sum += (n % 2n === 0n ? power : -power) / (2n * n + 1n);
    }
    return sum;
  };
  return (16n * atanInverse(5n) - 4n * atanInverse(239n)) >> 16n;
};

/** Bits enough to take a multiple of π from the largest float64. */
const long = 1400;
const longPi = piWith(long);

/** The largest integer whose square is not above. */
const integerRoot = (x: bigint): bigint => {
  if (x < 2n) return x;
  let y = 1n << BigInt((x.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (y + x / y) >> 1n;
    if (next >= y) return y;
    y = next;
  }
};

/** The functions with `bits` bits behind the binary point. */
export const precision = (bits: number) => {
  const P = BigInt(bits);
  const one = 1n << P;
  const mul = (x: bigint, y: bigint): bigint => (x * y) >> P;
  const div = (x: bigint, y: bigint): bigint => (x << P) / y;
  const fixed = ({ m, e }: Real): bigint => shift(m, e + bits);
  const real = (x: bigint): Real => ({ m: x, e: -bits });
  const of = (x: number): bigint => fixed(exact(x));
  const number = (x: bigint): number => approximately(real(x));

  /** The sum of terms from the first on, each made of the one before, until they vanish. */
  const series = (first: bigint, next: (term: bigint, n: number) => bigint): bigint => {
    let sum = 0n;
    let n = 0;
    for (let term = first; term > 1n || term < -1n; term = next(term, ++n)) sum += term;
    return sum;
  };

  const pi = piWith(bits);

  /** eˣ − 1 divided by x. */
  const expm1Ratio = (x: bigint): bigint => series(one, (term, n) => mul(term, x) / BigInt(n + 1));

  const ln2 = (() => {
    // 2·atanh(1/3)
    let power = one / 3n;
    let sum = power;
    for (let n = 3n; power !== 0n; n += 2n) {
      power /= 9n;
      sum += power / n;
    }
    return 2n * sum;
  })();

  /** eˣ as m·2^e. */
  const expReal = (x: bigint): Real => {
    const n = (2n * x + ln2) / (2n * ln2) - (x < 0n ? 1n : 0n);
    const rest = (x - n * ln2) >> 8n;
    let y = one + mul(rest, expm1Ratio(rest));
    for (let i = 0; i < 8; i++) y = mul(y, y);
    return { m: y, e: Number(n) - bits };
  };
  const exp = (x: bigint): bigint => fixed(expReal(x));

  /** Of a positive number: two third-order steps from the float64 logarithm. */
  const log = (x: Real): bigint => {
    const length = bitLength(x.m);
    const mantissa = shift(x.m, bits - length);
    let y = of(Math.log(number(mantissa)));
    for (let i = 0; i < 2; i++) {
      const z = mul(mantissa, exp(-y));
      y += 2n * div(z - one, z + one);
    }
    return y + BigInt(x.e + length) * ln2;
  };

  /** log(1 + x) divided by x, for small x. */
  const log1pRatio = (x: bigint): bigint => {
    let sum = 0n;
    let power = one;
    for (let n = 1n; power > 1n || power < -1n; n++) {
      sum += power / n;
      power = -mul(power, x);
    }
    return sum;
  };

  /** sin x / x and cos x as functions of x². */
  const sinRatio = (z: bigint): bigint => series(one, (term, n) => -mul(term, z) / BigInt(2 * n * (2 * n + 1)));
  const cosSquare = (z: bigint): bigint => series(one, (term, n) => -mul(term, z) / BigInt(2 * n * (2 * n - 1)));

  const sqrt = (x: bigint): bigint => {
    let y = of(Math.sqrt(number(x)));
    for (let i = 0; i < 5; i++) y = (y + div(x, y)) >> 1n;
    return y;
  };

  const twoOverSqrtPi = div(2n * one, sqrt(pi));
  /** erf x / x as a function of x²: 2/√π·e^(−z)·Σ (2z)ⁿ/(2n+1)!!. */
  const erfRatio = (z: bigint): bigint =>
    mul(
      mul(twoOverSqrtPi, exp(-z)),
      series(one, (term, n) => (2n * mul(term, z)) / BigInt(2 * n + 1)),
    );

  /** x·ratio for a small argument, else the function in fixed point. */
  const odd =
    (ratio: (x: bigint) => bigint, whole: (x: bigint) => bigint) =>
    (x: number): Real => {
      const a = exact(x);
      const y = fixed(a);
      return Math.abs(x) < 2 ** small ? { m: a.m * ratio(y), e: a.e - bits } : real(whole(y));
    };

  /** Reduced by a π with enough bits for any float64: the rest in fixed point, and the quadrant. */
  const quadrant = (x: number): { readonly r: bigint; readonly n: number } => {
    const half = longPi >> 1n;
    const a = exact(x);
    const y = shift(a.m, a.e + long);
    const n = (2n * y + half) / (2n * half) - (2n * y + half < 0n ? 1n : 0n);
    return { r: (y - n * half) >> BigInt(long - bits), n: Number(((n % 4n) + 4n) % 4n) };
  };
  const circular = (x: number, turn: number): Real => {
    const { r, n } = quadrant(x);
    const k = (n + turn) % 4;
    const value = k % 2 === 0 ? mul(r, sinRatio(mul(r, r))) : cosSquare(mul(r, r));
    return real(k < 2 ? value : -value);
  };
  const tan = (x: number): Real => {
    const { r, n } = quadrant(x);
    const s = mul(r, sinRatio(mul(r, r)));
    const c = cosSquare(mul(r, r));
    return real(n % 2 === 0 ? div(s, c) : div(-c, s));
  };

  const tanhRatio = (x: bigint): bigint => {
    const ratio = expm1Ratio(2n * x);
    return div(2n * ratio, 2n * one + 2n * mul(x, ratio));
  };

  const atanRatio = (z: bigint): bigint => {
    let sum = 0n;
    let power = one;
    for (let n = 1n; power > 1n || power < -1n; n += 2n) {
      sum += power / n;
      power = -mul(power, z);
    }
    return sum;
  };
  const root = (x: bigint): bigint => integerRoot(x << P);
  /** Of an angle from −π/2 to π/2: halved eight times. */
  const atanFixed = (x: bigint): bigint => {
    if (x < 0n) return -atanFixed(-x);
    if (x > one) return (pi >> 1n) - atanFixed(div(one, x));
    let t = x;
    for (let i = 0; i < 8; i++) t = div(t, one + root(one + mul(t, t)));
    return mul(t, atanRatio(mul(t, t))) << 8n;
  };
  /** y/x of positive numbers, relatively as exact as a fixed-point 1. */
  const quotient = (y: Real, x: Real): Real => {
    const by = bits + bitLength(x.m);
    return { m: (y.m << BigInt(by)) / x.m, e: y.e - x.e - by };
  };
  /** Of the point (x, y): above the x axis an angle from 0 to π. */
  const atan2 = (y: number, x: number): Real => {
    if (y < 0) {
      const { m, e } = atan2(-y, x);
      return { m: -m, e };
    }
    const [ay, ax] = [exact(y), exact(Math.abs(x))];
    const q = ax.m === 0n ? null : quotient(ay, ax);
    if (x > 0 && q !== null && approximately(q) < 2 ** small) {
      const t = fixed(q);
      return { m: q.m * atanRatio(mul(t, t)), e: q.e - bits };
    }
    const steep = q === null || approximately(q) > 2 ** 300;
    const angle = steep ? (pi >> 1n) - (q === null ? 0n : fixed(quotient(ax, ay))) : atanFixed(fixed(q));
    return real(x < 0 ? pi - angle : angle);
  };
  /** √(1 − x²). */
  const complement = (x: number): bigint => root(mul(one - of(x), one + of(x)));

  const sinhSeries = (z: bigint): bigint => sinRatio(-z);
  /** (eˣ ± e⁻ˣ)/2 for x > 0. */
  const halves = (x: number, sign: 1n | -1n): Real => {
    const { m, e } = expReal(of(bounded(x)));
    return x > 60 ? { m, e: e - 1 } : real((fixed({ m, e }) + sign * exp(-of(x))) >> 1n);
  };
  /** log 2x for large x. */
  const logTwice = (x: number): Real => real(log(exact(x)) + ln2);

  /** e^(x²)·erfc x for x ≥ 1 by the continued fraction. */
  const scaledErfc = (x: bigint): bigint => {
    let fraction = 0n;
    for (let k = 2500n; k > 0n; k--) fraction = div((k * one) / 2n, x + fraction);
    return div(one, mul(sqrt(pi), x + fraction));
  };
  const erfFixed = (x: bigint): bigint => mul(x, erfRatio(mul(x, x)));

  return {
    one,
    mul,
    div,
    of,
    number,
    fixed,
    real,
    exp,
    log,
    sqrt,
    pi,
    ln2,
    expm1Ratio,
    log1pRatio,
    sinRatio,
    cosSquare,
    erfRatio,
    /** The functions of the tests: from a finite float64 within the domain, never at a pole or a plain zero. */
    functions: {
      exp: (x: number): Real => expReal(of(bounded(x))),
      expm1: (x: number): Real => {
        if (x < -200) return exact(-1);
        if (x > 60) {
          const { m, e } = expReal(of(bounded(x)));
          return { m: m - shift(1n, -e), e };
        }
        return odd(expm1Ratio, y => exp(y) - one)(x);
      },
      log: (x: number): Real => real(log(exact(x))),
      log1p: odd(log1pRatio, y => log(real(one + y))),
      sin: (x: number): Real =>
        Math.abs(x) < 2 ** small ? odd(y => sinRatio(mul(y, y)), sinRatio)(x) : circular(x, 0),
      cos: (x: number): Real => circular(x, 1),
      tan: (x: number): Real =>
        Math.abs(x) < 2 ** small ? odd(y => div(sinRatio(mul(y, y)), cosSquare(mul(y, y))), sinRatio)(x) : tan(x),
      tanh: (x: number): Real => {
        if (Math.abs(x) > 60) return exact(Math.sign(x));
        return odd(tanhRatio, y => {
          const e = exp(2n * y);
          return div(e - one, e + one);
        })(x);
      },
      sigmoid: (x: number): Real => {
        const { m, e } = expReal(of(bounded(x)));
        if (x > 60) return exact(1);
        if (x < -60) return { m, e };
        const y = fixed({ m, e });
        return real(div(y, one + y));
      },
      erf: (x: number): Real => {
        if (Math.abs(x) > 7) return exact(Math.sign(x));
        return odd(
          y => erfRatio(mul(y, y)),
          y => mul(y, erfRatio(mul(y, y))),
        )(x);
      },
      erfc: (x: number): Real => {
        if (x < 3) return real(one - (x < -9 ? -one : erfFixed(of(x))));
        const y = of(Math.min(x, 40));
        const { m, e } = expReal(-mul(y, y));
        return { m: m * scaledErfc(y), e: e - bits };
      },
      erfinv: (x: number): Real => {
        if (Math.abs(x) < 2 ** small) {
          // √π/2·x·(1 + π/12·x² + 7π²/480·x⁴)
          const z = mul(mul(of(x), of(x)), pi);
          const a = exact(x);
          return { m: a.m * div(one + z / 12n + (7n * mul(z, z)) / 480n, twoOverSqrtPi), e: a.e - bits };
        }
        let y = of(erfinvStart(x));
        for (let i = 0; i < 3; i++) y -= div(mul(erfFixed(y) - of(x), exp(mul(y, y))), twoOverSqrtPi);
        return real(y);
      },
      asin: (x: number): Real =>
        Math.abs(x) < 2 ** small
          ? odd(
              y => one + mul(y, y) / 6n + (3n * mul(mul(y, y), mul(y, y))) / 40n,
              y => y,
            )(x)
          : real(Math.abs(x) === 1 ? (of(x) * pi) / (2n * one) : atanFixed(div(of(x), complement(x)))),
      acos: (x: number): Real => {
        if (Math.abs(x) < 2 ** small) return real((pi >> 1n) - of(x));
        const angle = atanFixed(div(complement(x), of(x)));
        return real(x < 0 ? pi + angle : angle);
      },
      atan: (x: number): Real => atan2(x, 1),
      sinh: (x: number): Real => {
        if (Math.abs(x) < 1)
          return odd(
            y => sinhSeries(mul(y, y)),
            y => mul(y, sinhSeries(mul(y, y))),
          )(x);
        const { m, e } = halves(Math.abs(x), -1n);
        return { m: x < 0 ? -m : m, e };
      },
      cosh: (x: number): Real => halves(Math.abs(x), 1n),
      asinh: (x: number): Real => {
        // x − x³/6 + 3x⁵/40
        const a = Math.abs(x);
        if (a < 2 ** small)
          return odd(
            y => one - mul(y, y) / 6n + (3n * mul(mul(y, y), mul(y, y))) / 40n,
            y => y,
          )(x);
        const y = of(a);
        const { m, e } = a > 2 ** 200 ? logTwice(a) : real(log(real(y + root(one + mul(y, y)))));
        return { m: x < 0 ? -m : m, e };
      },
      acosh: (x: number): Real => {
        const y = of(x);
        return x > 2 ** 200 ? logTwice(x) : real(log(real(y + root(mul(y, y) - one))));
      },
      atanh: odd(
        y => atanRatio(-mul(y, y)),
        y => log(real(div(one + y, one - y))) >> 1n,
      ),
      atan2,
      hypot: (x: number, y: number): Real => {
        const [a, c] = [exact(x), exact(y)];
        const e = Math.min(a.e, c.e);
        const squares = shift(a.m, a.e - e) ** 2n + shift(c.m, c.e - e) ** 2n;
        return { m: integerRoot(squares << 256n), e: e - 128 };
      },
      logaddexp: (x: number, y: number): Real => {
        const larger = exact(Math.max(x, y));
        const { m, e } = expReal(of(bounded(-Math.abs(x - y))));
        const rest = e < -400 ? { m, e } : real(log(real(one + fixed({ m, e }))));
        const least = Math.min(larger.e, rest.e);
        return { m: shift(larger.m, larger.e - least) + shift(rest.m, rest.e - least), e: least };
      },
      /** Of a positive base. */
      pow: (x: number, y: number): Real => {
        const a = exact(y);
        const product = shift(log(exact(x)) * a.m, a.e);
        return expReal(Math.abs(number(product)) > 3000 ? of(product > 0n ? 3000 : -3000) : product);
      },
    },
  };
};

/** How far a float is from the real, in units in the last place of the real (or of `of`) rounded to the width. */
export const ulps = (y: number, reference: Real, width: 32 | 64, of: Real = reference): number => {
  const [digits, lowest, top] = width === 32 ? [24, -149, 128] : [53, -1074, 1024];
  const { m, e } = reference;
  if (m === 0n) return y === 0 ? 0 : Number.POSITIVE_INFINITY;
  const length = (of.m < 0n ? -of.m : of.m).toString(2).length + of.e;
  const last = Math.max(length - digits, lowest);
  // Infinity counts as the power of two that follows the largest float.
  if (length > top && y === (m < 0n ? -1 : 1) * Number.POSITIVE_INFINITY) return 0;
  if (Number.isNaN(y)) return Number.POSITIVE_INFINITY;
  const a = Number.isFinite(y) ? exact(y) : { m: y < 0 ? -1n : 1n, e: top };
  const base = Math.min(a.e, e);
  const difference = shift(a.m, a.e - base) - shift(m, e - base);
  return Math.abs(approximately({ m: difference, e: base - last }));
};
