/**
 * Where the coefficients in src/tensor/backend/wasm/math come from: minimax polynomials by the Remez exchange, in
 * fixed-point BigInt arithmetic. Run it to print them all:
 *
 *     node --import=tsx test/math/derive.ts
 */
import { fileURLToPath } from 'node:url';
import { precision } from '../tensor/precise.js';

const p = precision(420);
const { mul, div, of, number, one } = p;

const solve = (rows: bigint[][]): bigint[] => {
  const n = rows.length;
  const size = (x: bigint): bigint => (x < 0n ? -x : x);
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let j = i + 1; j < n; j++) if (size(rows[j]![i]!) > size(rows[pivot]![i]!)) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot]!, rows[i]!];
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const factor = div(rows[j]![i]!, rows[i]![i]!);
      rows[j] = rows[j]!.map((x, k) => x - mul(factor, rows[i]![k]!));
    }
  }
  return rows.map((row, i) => div(row[n]!, row[i]!));
};

interface Wanted {
  /** What to approximate, in fixed point. */
  readonly f: (x: bigint) => bigint;
  readonly from: number;
  readonly to: number;
  readonly degree: number;
  /** The error that is allowed at x, up to a factor. */
  readonly weight: (x: number) => number;
}

/** The polynomial whose largest error over the weight is the smallest; lowest coefficient first. */
const minimax = ({ f, from, to, degree, weight }: Wanted): { coefficients: number[]; error: number } => {
  const count = degree + 2;
  const at = (t: number): number => (from + to) / 2 - ((to - from) / 2) * Math.cos(Math.PI * t);
  const grid = Array.from({ length: 16 * count + 1 }, (_, i) => at(i / (16 * count)));
  const known = grid.map(x => ({ x: of(x), f: f(of(x)), weight: of(weight(x)) }));
  let points = Array.from({ length: count }, (_, i) => Math.round((i * 16 * count) / (count - 1)));
  let polynomial: bigint[] = [];
  let error = 0;
  for (let round = 0; round < 30; round++) {
    const rows = points.map((point, i) => {
      const { x, f, weight } = known[point]!;
      const row = [one];
      for (let k = 1; k <= degree; k++) row.push(mul(row[k - 1]!, x));
      return [...row, i % 2 === 0 ? weight : -weight, f];
    });
    const solution = solve(rows);
    polynomial = solution.slice(0, -1);
    const errors = known.map(({ x, f, weight }) =>
      number(div(f - polynomial.reduceRight((sum, c) => mul(sum, x) + c, 0n), weight)),
    );
    // Between two changes of the sign the largest error.
    const next: number[] = [];
    errors.forEach((e, i) => {
      const last = next.at(-1);
      if (last === undefined || e * errors[last]! < 0) next.push(i);
      else if (Math.abs(e) > Math.abs(errors[last]!)) next[next.length - 1] = i;
    });
    error = Math.max(...errors.map(Math.abs));
    while (next.length > count) {
      if (Math.abs(errors[next[0]!]!) < Math.abs(errors[next.at(-1)!]!)) next.shift();
      else next.pop();
    }
    if (next.length < count || next.every((point, i) => point === points[i])) break;
    points = next;
  }
  return { coefficients: polynomial.map(number), error };
};

/** (f(x) − first terms)/xⁿ for a ratio by its Taylor series, where the subtraction would cancel. */
const tail = (terms: number, term: (n: number, x: bigint) => bigint) => (x: bigint) => {
  let sum = 0n;
  let power = one;
  for (let n = terms; n < terms + 400; n++) {
    sum += mul(power, term(n, x));
    power = mul(power, x);
  }
  return sum;
};
const factorials = [1n];
for (let n = 1; n < 1000; n++) factorials.push(factorials[n - 1]! * BigInt(n));
const factorial = (n: number): bigint => factorials[n]!;

/** Σ n^−k over n > 1 to float64's digits and more: the first thousand terms, and what Euler and Maclaurin say of the others. */
const zetaLessOne = (k: number): bigint => {
  const N = 1000n;
  let sum = 0n;
  for (let n = 2n; n < N; n++) sum += one / n ** BigInt(k);
  const K = BigInt(k);
  const last = one / N ** K;
  return (
    sum +
    (last * N) / (K - 1n) +
    last / 2n +
    (last * K) / (12n * N) -
    (last * K * (K + 1n) * (K + 2n)) / (720n * N ** 3n)
  );
};

const cubed = (x: bigint): bigint => mul(mul(x, x), x);

/** x/tan-like quotients at 0 are known; elsewhere nothing cancels badly in 420 bits. */
const away = (x: bigint): bigint => (x === 0n ? of(2 ** -60) : x);

const half = Math.LN2 / 2 + 1e-4;
/** e^(x²)·erfc x for x ≥ 0: far out by the continued fraction. */
const scaledErfc = (x: bigint): bigint => {
  const z = mul(x, x);
  if (x < one) return mul(one - mul(x, p.erfRatio(z)), p.exp(z));
  let fraction = 0n;
  for (let k = 800n; k > 0n; k--) fraction = div((k * one) / 2n, x + fraction);
  return div(one, mul(p.sqrt(p.pi), x + fraction));
};

/** y/x with x = erf y and w = −log(1 − x²), by Newton's steps. */
const erfinvRatio = (w: bigint): bigint => {
  const x = p.sqrt(one - p.exp(-w));
  const a = 2 / (Math.PI * 0.147) - number(w) / 2;
  let y = of(Math.sqrt(Math.sqrt(a * a + number(w) / 0.147) - a));
  for (let i = 0; i < 9; i++) {
    const z = mul(y, y);
    y -= mul(mul(mul(y, p.erfRatio(z)) - x, p.exp(z)), p.sqrt(p.pi)) / 2n;
  }
  return div(y, x);
};
const quarter = (Math.PI / 4) ** 2 * 1.002;
const log2e = div(one, p.ln2);

/** Each polynomial with the degrees for the two widths. */
const wanted: Record<string, Omit<Wanted, 'degree' | 'to'> & { degrees: [number, number]; to: [number, number] }> = {
  // (eˣ − 1 − x)/x², small relative to (eˣ − 1)/x²
  exp: {
    f: tail(2, n => one / factorial(n)),
    from: -half,
    to: [half, half],
    degrees: [4, 9],
    weight: x => 1 / (Math.abs(x) + 0.02),
  },
  // (log(1 + x) − x + x²/2)/x³ for float32
  log: {
    f: x => {
      const y = away(x);
      return div(p.log(p.real(one + y)) - y + mul(y, y) / 2n, cubed(y));
    },
    from: Math.SQRT1_2 - 1 - 1e-4,
    to: [Math.SQRT2 - 1 + 1e-4, Math.SQRT2 - 1 + 1e-4],
    degrees: [7, 7],
    weight: x => Math.min(1 / x ** 2, 1000),
  },
  // atanh(s)/s = 1 + z/3 + ...: (2·atanh(s)/s − 2)/z as a function of z = s² for float64
  atanh: {
    f: tail(1, n => (2n * one) / BigInt(2 * n + 1)),
    from: 0,
    to: [0.0295, 0.0295],
    degrees: [3, 6],
    weight: z => 1 / (z + 1e-3),
  },
  // (3·atanh(s)/s − 3 − z)/z², for the power
  atanhTail: {
    f: tail(2, n => (3n * one) / BigInt(2 * n + 1)),
    from: 0,
    to: [0.0295, 0.0295],
    degrees: [3, 7],
    weight: z => 1 / (z + 1e-3),
  },
  // (sin x/x − 1)/z, z = x²
  sin: {
    f: tail(1, n => (n % 2 === 0 ? one : -one) / factorial(2 * n + 1)),
    from: 0,
    to: [quarter, quarter],
    degrees: [2, 5],
    weight: z => 1 / (z + 0.01),
  },
  // (cos x − 1 + z/2)/z²
  cos: {
    f: tail(2, n => (n % 2 === 0 ? one : -one) / factorial(2 * n)),
    from: 0,
    to: [quarter, quarter],
    degrees: [2, 5],
    weight: z => 1 / (z ** 2 + 0.01),
  },
  // (tan x/x − 1)/z
  tan: {
    f: z => {
      const y = away(z);
      return div(div(p.sinRatio(y), p.cosSquare(y)) - one, y);
    },
    from: 0,
    to: [quarter, quarter],
    degrees: [6, 13],
    weight: z => 1 / (z + 0.01),
  },
  // (tanh x/x − 1)/z for |x| ≤ 0.55
  tanh: {
    f: z => {
      const y = -away(z);
      return div(div(p.sinRatio(y), p.cosSquare(y)) - one, -y);
    },
    from: 0,
    to: [0.303, 0.303],
    degrees: [3, 9],
    weight: z => 1 / (z + 0.01),
  },
  // erf x/x − 1 for |x| ≤ 1
  erf: { f: z => p.erfRatio(z) - one, from: 0, to: [1.0001, 1.0001], degrees: [6, 11], weight: () => 1 },
  // −log₂(1 − erf x) for x ≥ 1, around the middle of the range
  erfc: {
    f: x => mul(-p.log(p.real(one - mul(x, p.erfRatio(mul(x, x))))), log2e),
    from: 1,
    to: [4, 6],
    degrees: [6, 19],
    weight: x => Math.min(Math.exp(x * x), 1e6),
  },
  // (1 + 2x)·e^(x²)·erfc x as a function of t = (x − 3)/(x + 3), up to where erfc is 0
  scaledErfc: {
    f: t => {
      const x = div(3n * (one + t), one - t);
      return mul(one + 2n * x, scaledErfc(x));
    },
    from: -1,
    to: [0.545, 0.803],
    degrees: [9, 22],
    weight: () => 1,
  },
  // erfinv x/x as a function of w − 3 for w = −log(1 − x²) ≤ 6, and of √w − 3.5 above
  erfinv: { f: t => erfinvRatio(away(t + 3n * one)), from: -3, to: [3, 3], degrees: [10, 23], weight: () => 1 },
  erfinvTail: {
    f: t => {
      const s = t + (7n * one) / 2n;
      return erfinvRatio(mul(s, s));
    },
    from: Math.sqrt(6) - 3.5,
    to: [0.57, 2.55],
    degrees: [8, 28],
    weight: () => 1,
  },
  // log Γ(2 + z)/z/(1 + z) for float32; log Γ(2 + z)/z has the terms 1 − γ, then (−1)ᵏ(ζ(k) − 1)/k·zᵏ⁻¹
  lgamma: {
    f: (() => {
      const terms = Array.from({ length: 100 }, (_, i) => {
        const term = zetaLessOne(i + 2) / BigInt(i + 2);
        return i % 2 === 0 ? term : -term;
      });
      const euler = of(0.5772156649015329);
      return (z: bigint) => {
        const rest = terms.reduceRight((sum, term) => mul(sum, z) + term, 0n);
        return div(one - euler + mul(z, rest), one + z);
      };
    })(),
    from: -0.75,
    to: [0.5, 0.5],
    degrees: [9, 9],
    weight: () => 1,
  },
  // (asin x/x − 1)/z, z = x²
  asin: {
    f: tail(1, n => (one * factorial(2 * n)) / (factorial(n) ** 2n * 4n ** BigInt(n) * BigInt(2 * n + 1))),
    from: 0,
    to: [0.2501, 0.2501],
    degrees: [4, 12],
    weight: z => 1 / (z + 0.01),
  },
  // (atan x/x − 1)/z
  atan: {
    f: tail(1, n => (n % 2 === 0 ? one : -one) / BigInt(2 * n + 1)),
    from: 0,
    to: [0.1717, 0.1717],
    degrees: [3, 10],
    weight: z => 1 / (z + 0.01),
  },
  // (sinh x/x − 1)/z for x ≤ 1
  sinh: {
    f: tail(1, n => one / factorial(2 * n + 1)),
    from: 0,
    to: [1.001, 1.001],
    degrees: [2, 6],
    weight: z => 1 / (z + 0.01),
  },
};

/** The coefficients for a width: as float32 numbers where that is the width. */
export const derive = (name: string, width: 32 | 64): { coefficients: number[]; error: number } => {
  const { f, from, to, degrees, weight } = wanted[name]!;
  const i = width === 32 ? 0 : 1;
  return minimax({ f, from, to: to[i], degree: degrees[i], weight });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(wanted)) {
    for (const width of [32, 64] as const) {
      const { coefficients, error } = derive(name, width);
      const digits = width === 32 ? 9 : 17;
      console.log(`${name} ${width}, error 2^${Math.log2(error).toFixed(1)}`);
      for (const c of coefficients) console.log(`  ${Number(c.toPrecision(digits))},`);
    }
  }
}
