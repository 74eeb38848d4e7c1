/**
 * Elementary functions to far more digits than a float64 has, in fixed-point BigInt arithmetic: the reference that
 * approximations are measured against, and what their coefficients are derived from. Plain and slow.
 */

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
      /** Of a positive base. */
      pow: (x: number, y: number): Real => {
        const a = exact(y);
        const product = shift(log(exact(x)) * a.m, a.e);
        return expReal(Math.abs(number(product)) > 3000 ? of(product > 0n ? 3000 : -3000) : product);
      },
    },
  };
};

/** How far a float is from the real, in units in the last place of the real rounded to the width. */
export const ulps = (y: number, reference: Real, width: 32 | 64): number => {
  const [digits, lowest, top] = width === 32 ? [24, -149, 128] : [53, -1074, 1024];
  const { m, e } = reference;
  if (m === 0n) return y === 0 ? 0 : Number.POSITIVE_INFINITY;
  const length = (m < 0n ? -m : m).toString(2).length + e;
  const last = Math.max(length - digits, lowest);
  // Infinity counts as the power of two that follows the largest float.
  if (length > top && y === (m < 0n ? -1 : 1) * Number.POSITIVE_INFINITY) return 0;
  if (Number.isNaN(y)) return Number.POSITIVE_INFINITY;
  const a = Number.isFinite(y) ? exact(y) : { m: y < 0 ? -1n : 1n, e: top };
  const base = Math.min(a.e, e);
  const difference = shift(a.m, a.e - base) - shift(m, e - base);
  return Math.abs(approximately({ m: difference, e: base - last }));
};
