/** The elementary functions of the CPU backend, computed with numbers, against far more digits than they have. */
import { describe, expect, it } from 'vitest';
import {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cos,
  cosh,
  digamma,
  erf,
  erfc,
  erfinv,
  exactReductionLimit,
  exp,
  expm1,
  hypot,
  type Lanes,
  lgamma,
  log,
  log1p,
  logaddexp,
  needsExactReduction,
  needsLongDivision,
  pow,
  rem,
  sigmoid,
  sin,
  sinh,
  tan,
  tanh,
} from '../../src/tensor/backend/wasm/math/index.js';
import {
  erfc as erfcReference,
  erfinv as erfinvReference,
  erf as erfReference,
} from '../../src/tensor/primitives/erf.js';
import { functions as scalars } from '../../src/tensor/primitives/functions.js';
import { lgamma as lgammaReference, polygamma } from '../../src/tensor/primitives/gamma.js';
import { power } from '../../src/tensor/primitives/special.js';
import { derive } from '../math/derive.js';
import { approximately, exact, precision, type Real, ulps } from './precise.js';

const { fround } = Math;

const floats32 = new Float32Array(1);
const words32 = new Int32Array(floats32.buffer);
const floats64 = new Float64Array(1);
const words64 = new BigInt64Array(floats64.buffer);

const nearest = (x: number): number => {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
};

/** x·y + z rounded once, nearly always, by the error of the product and of the sum. */
const fused64 = (x: number, y: number, z: number): number => {
  const product = x * y;
  const sum = product + z;
  if (!(Math.abs(product) > 1e-290 && Math.abs(x) < 1e290 && Math.abs(y) < 1e290 && Number.isFinite(sum))) return sum;
  const high = (v: number): number => v * 134217729 - (v * 134217729 - v);
  const [xh, yh] = [high(x), high(y)];
  const [xl, yl] = [x - xh, y - yh];
  const lost = xl * yl - (product - xh * yh - xl * yh - xh * yl);
  const back = sum - product;
  const lostSum = product - (sum - back) + (z - back);
  return sum + (lostSum + lost);
};

interface Machine<V> extends Lanes<V> {
  readonly number: (x: V) => number;
}

/** One lane: its bits as an integer. */
const lane32 = (fused: boolean): Machine<number> => {
  const f = (bits: number): number => {
    words32[0] = bits;
    return floats32[0]!;
  };
  const b = (x: number): number => {
    floats32[0] = x;
    return words32[0]!;
  };
  const mask = (x: boolean): number => (x ? -1 : 0);
  return {
    width: 32,
    number: f,
    float: b,
    integer: x => Number(BigInt.asIntN(32, x)),
    add: (x, y) => b(f(x) + f(y)),
    sub: (x, y) => b(f(x) - f(y)),
    mul: (x, y) => b(f(x) * f(y)),
    div: (x, y) => b(f(x) / f(y)),
    fma: (x, y, z) => b((fused ? f(x) * f(y) : fround(f(x) * f(y))) + f(z)),
    neg: x => x ^ (1 << 31),
    abs: x => x & 0x7fffffff,
    sqrt: x => b(Math.sqrt(f(x))),
    floor: x => b(Math.floor(f(x))),
    nearest: x => b(nearest(f(x))),
    min: (x, y) => (f(y) < f(x) ? y : x),
    max: (x, y) => (f(x) < f(y) ? y : x),
    eq: (x, y) => mask(f(x) === f(y)),
    ne: (x, y) => mask(f(x) !== f(y)),
    lt: (x, y) => mask(f(x) < f(y)),
    le: (x, y) => mask(f(x) <= f(y)),
    select: (m, x, y) => (x & m) | (y & ~m),
    and: (x, y) => x & y,
    or: (x, y) => x | y,
    xor: (x, y) => x ^ y,
    not: x => ~x,
    iadd: (x, y) => (x + y) | 0,
    isub: (x, y) => (x - y) | 0,
    shiftLeft: (x, by) => x << by,
    shiftRightLogical: (x, by) => (x >>> by) | 0,
    shiftRight: (x, by) => x >> by,
    ilt: (x, y) => mask(x < y),
    toInteger: x => f(x) | 0,
    toFloat: b,
  };
};

const lane64 = (fused: boolean): Machine<bigint> => {
  const f = (bits: bigint): number => {
    words64[0] = bits;
    return floats64[0]!;
  };
  const b = (x: number): bigint => {
    floats64[0] = x;
    return words64[0]!;
  };
  const int = (x: bigint): bigint => BigInt.asIntN(64, x);
  const mask = (x: boolean): bigint => (x ? -1n : 0n);
  return {
    width: 64,
    number: f,
    float: b,
    integer: int,
    add: (x, y) => b(f(x) + f(y)),
    sub: (x, y) => b(f(x) - f(y)),
    mul: (x, y) => b(f(x) * f(y)),
    div: (x, y) => b(f(x) / f(y)),
    fma: (x, y, z) => b(fused ? fused64(f(x), f(y), f(z)) : f(x) * f(y) + f(z)),
    neg: x => x ^ int(1n << 63n),
    abs: x => x & 0x7fffffffffffffffn,
    sqrt: x => b(Math.sqrt(f(x))),
    floor: x => b(Math.floor(f(x))),
    nearest: x => b(nearest(f(x))),
    min: (x, y) => (f(y) < f(x) ? y : x),
    max: (x, y) => (f(x) < f(y) ? y : x),
    eq: (x, y) => mask(f(x) === f(y)),
    ne: (x, y) => mask(f(x) !== f(y)),
    lt: (x, y) => mask(f(x) < f(y)),
    le: (x, y) => mask(f(x) <= f(y)),
    select: (m, x, y) => (x & m) | (y & ~m),
    and: (x, y) => x & y,
    or: (x, y) => x | y,
    xor: (x, y) => x ^ y,
    not: x => ~x,
    iadd: (x, y) => int(x + y),
    isub: (x, y) => int(x - y),
    shiftLeft: (x, by) => int(x << BigInt(by)),
    shiftRightLogical: (x, by) => int(BigInt.asUintN(64, x) >> BigInt(by)),
    shiftRight: (x, by) => x >> BigInt(by),
    ilt: (x, y) => mask(x < y),
    toInteger: x => BigInt(Math.trunc(f(x))),
    toFloat: x => b(Number(x)),
  };
};

const circular = { sin, cos, tan };
/** Within 2 ulp. */
const near = { exp, expm1, log, log1p, ...circular, tanh, sigmoid, erf };
const functions = { ...near, erfc, erfinv, asin, acos, atan, sinh, cosh, asinh, acosh, atanh };
type Unary = keyof typeof functions;
const names = Object.keys(functions) as Unary[];
const boundOf = (name: string): number => (name in near ? 2 : 4);

const pairs = { atan2, hypot, logaddexp };
type Binary = keyof typeof pairs;

const { functions: precise, pi, one } = precision(256);

/** In float64: right to a hundredth of a unit of float32. */
const ordinary: Record<Unary, (x: number) => number> = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  sigmoid: x => 1 / (1 + Math.exp(-x)),
  erf: erfReference,
  erfc: erfcReference,
  erfinv: erfinvReference,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
};

const scalarLogaddexp = scalars.logaddexp.scalar({}, 'float64') as (x: number, y: number) => number;

const widths = [32, 64] as const;
type Width = (typeof widths)[number];

const run = (width: Width, fused: boolean) => {
  const on = <V>(m: Machine<V>) => ({
    unary: (name: Unary, x: number): number => m.number(functions[name](m, m.float(x))),
    pow: (x: number, y: number): number => m.number(pow(m, m.float(x), m.float(y))),
    pair: (name: Binary, x: number, y: number): number => m.number(pairs[name](m, m.float(x), m.float(y))),
    rem: (x: number, y: number): number | null =>
      Number(needsLongDivision(m, m.float(x), m.float(y))) === -1 ? null : m.number(rem(m, m.float(x), m.float(y))),
    needsExactReduction: (x: number): boolean => Number(needsExactReduction(m, m.float(x))) === -1,
  });
  return width === 32 ? on(lane32(fused)) : on(lane64(fused));
};

/** A seeded generator (mulberry32). */
const random = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

const rounded = (width: Width, x: number): number => (width === 32 ? fround(x) : x);
const next = (width: Width, x: number, by: number): number => {
  if (width === 32) {
    floats32[0] = x;
    words32[0] = words32[0]! + by;
    return floats32[0]!;
  }
  floats64[0] = x;
  words64[0] = words64[0]! + BigInt(by);
  return floats64[0]!;
};

/** Every exponent with some mantissas, denormals and powers of two with their neighbours among them; both signs. */
const everywhere = (width: Width, draw: () => number): number[] => {
  const [from, to] = width === 32 ? [-149, 127] : [-1074, 1023];
  const list: number[] = [];
  for (let e = from; e <= to; e++) {
    const mantissas = width === 32 ? 8 : 1;
    for (let i = 0; i < mantissas; i++) list.push(2 ** e * (1 + draw() + draw() * 2 ** -32));
    list.push(next(width, 2 ** e, -1), 2 ** e, next(width, 2 ** e, 1));
  }
  const finite = list.map(x => rounded(width, x)).filter(x => x > 0 && Number.isFinite(x));
  return finite.flatMap(x => [x, -x]);
};

/** The floats nearest to multiples of π/2: of π/2 over a power of two, the convergents of the continued fraction. */
const nearMultiples = (width: Width): number[] => {
  const limit = exactReductionLimit({ width });
  const [digits, top] = [width === 32 ? 24 : 53, Math.floor(Math.log2(limit))];
  const list: number[] = [];
  for (let e = 1 - digits; e <= top - digits + 1; e++) {
    let [a, b] = [pi >> 1n, e < 0 ? one >> BigInt(-e) : one << BigInt(e)];
    let [h, k, h1, k1] = [1n, 0n, 0n, 1n];
    while (b !== 0n) {
      const q = a / b;
      [a, b] = [b, a - q * b];
      [h, k, h1, k1] = [q * h + h1, q * k + k1, h, k];
      if (h >= 1n << BigInt(digits) || Number(h) * 2 ** e > limit) break;
      if (h !== 0n) list.push(Number(h) * 2 ** e);
    }
  }
  return list;
};

/** Where a function does something: an interval, and points with their neighbours. */
const places = (width: Width): Record<Unary, { intervals: [number, number][]; points: number[] }> => {
  const limit = exactReductionLimit({ width });
  const wide = {
    intervals: [
      [-4, 4],
      [-100, 100],
      [-limit, limit],
    ] as [number, number][],
    points: [
      ...Array.from({ length: 400 }, (_, k) => (k * Math.PI) / 4),
      ...Array.from(
        { length: 600 },
        (_, k) => Math.round((limit / (Math.PI / 2)) * ((k + 1) / 600) ** 2 - 1) * (Math.PI / 2),
      ),
      ...nearMultiples(width),
      limit,
    ],
  };
  const halves = Array.from({ length: 60 }, (_, k) => (k - 30) * (Math.LN2 / 2));
  const [low, high] = width === 32 ? [-104, 89] : [-746, 710];
  const ends = [
    low,
    high,
    width === 32 ? -87.336544 : -708.3964185322641,
    Math.log(width === 32 ? 2 ** 128 : Number.MAX_VALUE),
  ];
  const exponential = {
    intervals: [
      [-1, 1],
      [-3, 3],
      [low - 1, high + 1],
    ] as [number, number][],
    points: [...halves, ...ends, ...ends.map(x => x + Math.LN2), 1],
  };
  const ends1 = [1, ...Array.from({ length: width === 32 ? 24 : 53 }, (_, k) => 1 - 2 ** -k)];
  const toOne = {
    intervals: [
      [-1, 1],
      [0.45, 0.55],
      [0.99, 1],
    ] as [number, number][],
    points: [0.5, ...ends1],
  };
  return {
    exp: {
      intervals: [
        [-1, 1],
        [-30, 30],
        [low, high],
      ],
      points: [...halves, ...ends],
    },
    expm1: {
      intervals: [
        [-1, 1],
        [-0.5, 0.8],
        [-50, 50],
        [low, high],
      ],
      points: [...halves, ...ends],
    },
    log: {
      intervals: [
        [0.5, 2],
        [0.99, 1.01],
        [0, 100],
      ],
      points: [1, Math.SQRT2, Math.SQRT1_2, 2, 0.5],
    },
    log1p: {
      intervals: [
        [-1, 1],
        [-0.5, 0.6],
        [-0.01, 0.01],
        [0, 100],
      ],
      points: [-1, 1, Math.SQRT2 - 1, Math.SQRT1_2 - 1],
    },
    sin: wide,
    cos: wide,
    tan: wide,
    tanh: {
      intervals: [
        [-1, 1],
        [-0.6, 0.6],
        [-20, 20],
      ],
      points: [0.55, ...halves, 9, 10, 19, 20],
    },
    sigmoid: {
      intervals: [
        [-1, 1],
        [-20, 20],
        [low, -low],
      ],
      points: [...halves, ...ends, -16.6, -37],
    },
    erf: {
      intervals: [
        [-1, 1],
        [-2, 2],
        [-6, 6],
      ],
      points: [1, 4, 6, 3.8325069],
    },
    erfc: {
      intervals: [
        [-1, 1],
        [-6, 6],
        [0, width === 32 ? 10.2 : 27.5],
      ],
      points: [...halves, 3, 9, 10, 10.05, 10.15, 26, 26.5, 27.2, 27.4],
    },
    erfinv: {
      intervals: [
        [-1, 1],
        [0.98, 1],
        [1 - 2 ** -20, 1],
      ],
      points: [...ends1, 0.99876, 0.998756],
    },
    asin: toOne,
    acos: toOne,
    atan: {
      intervals: [
        [-1, 1],
        [-4, 4],
        [-100, 100],
      ],
      points: [Math.SQRT2 - 1, Math.SQRT2 + 1, 1],
    },
    sinh: exponential,
    cosh: exponential,
    asinh: {
      intervals: [
        [-1, 1],
        [-10, 10],
        [0, 2 ** 30],
      ],
      points: [1, 2 ** 28, 2 ** 57, 2 ** 64],
    },
    acosh: {
      intervals: [
        [1, 2],
        [1, 1.001],
        [1, 100],
        [0, 2 ** 30],
      ],
      points: [1, 2, 2 ** 28, 2 ** 57, 2 ** 64],
    },
    atanh: toOne,
  };
};

const pointsOf = (name: Unary, width: Width, draw: () => number): number[] => {
  const { intervals, points } = places(width)[name];
  const inside = intervals.flatMap(([a, b]) =>
    Array.from({ length: 1500 }, () => a + (b - a) * (draw() + draw() * 2 ** -32)),
  );
  const near = points.flatMap(x => [-2, -1, 0, 1, 2].map(by => next(width, rounded(width, x), by)));
  return [...everywhere(width, draw), ...inside, ...near]
    .map(x => rounded(width, x))
    .filter(x => Number.isFinite(x) && x !== 0)
    .filter(x => name !== 'log' || (x > 0 && x !== 1))
    .filter(x => name !== 'log1p' || x > -1)
    .filter(x => !(name in circular) || Math.abs(x) <= exactReductionLimit({ width }))
    .filter(x => !['asin', 'acos'].includes(name) || (Math.abs(x) <= 1 && (x !== 1 || name === 'asin')))
    .filter(x => !['erfinv', 'atanh'].includes(name) || Math.abs(x) < 1)
    .filter(x => name !== 'acosh' || x > 1);
};

/** The result as the reference has it; an infinity where it overflows float64. */
const referenceOf = (name: Unary, width: Width, x: number): Real | number => {
  if (width === 64) return precise[name](x);
  const y = ordinary[name](x);
  return Number.isFinite(y) && y !== 0 ? exact(y) : y;
};

const error = (y: number, reference: Real | number, width: Width, unit?: Real): number =>
  typeof reference === 'number'
    ? Object.is(y, reference)
      ? 0
      : Number.POSITIVE_INFINITY
    : ulps(y, reference, width, unit);

describe('elementary functions', () => {
  const rows: string[] = [];
  const worst = { text: '', error: -1 };

  for (const width of widths) {
    for (const name of names) {
      it(`${name} of float${width} is within ${boundOf(name)} ulp`, () => {
        const draw = random(width);
        const machines = [run(width, false), run(width, true)];
        const most = [worst, worst];
        for (const x of pointsOf(name, width, draw)) {
          const reference = referenceOf(name, width, x);
          machines.forEach((machine, i) => {
            const y = machine.unary(name, x);
            const e = error(y, reference, width);
            if (!(e <= most[i]!.error)) most[i] = { text: `${name}(${x}) = ${y}`, error: e };
          });
        }
        rows.push(`${name} ${width}: ${most.map(m => `${m.error.toFixed(2)} at ${m.text}`).join('; fused ')}`);
        for (const m of most) expect(m.error, m.text).toBeLessThanOrEqual(boundOf(name));
      });
    }

    it.each(Object.keys(pairs) as Binary[])(`%s of float${width} is within 4 ulp`, name => {
      const draw = random(width + 2);
      const machines = [run(width, false), run(width, true)];
      const most = [worst, worst];
      const top = width === 32 ? 127 : 1023;
      const signed = (): number => (draw() < 0.5 ? -1 : 1) * (1 + draw() + draw() * 2 ** -32);
      const spread = (by: number): number => signed() * 2 ** Math.floor((draw() * 2 - 1) * by);
      for (let i = 0; i < 6000; i++) {
        const base = spread(top);
        const [a, b] = [
          [spread(2), spread(2)],
          [spread(top), spread(top)],
          [base, base * spread(6)],
          [base * (Math.SQRT2 - 1) * (1 + spread(30) * 2 ** -32), base],
          [spread(4), spread(4)],
        ][i % 5] as [number, number];
        const [x, y] = [rounded(width, a), rounded(width, b)];
        if (!(Number.isFinite(x) && Number.isFinite(y) && x !== 0 && y !== 0)) continue;
        const reference = precise[name](x, y);
        // Where the two terms of a logarithm cancel, units of the larger count.
        const unit =
          name === 'logaddexp'
            ? exact(Math.max(Math.abs(Math.max(x, y)), Math.abs(approximately(reference))))
            : reference;
        machines.forEach((machine, i) => {
          const z = machine.pair(name, x, y);
          const e = error(z, reference, width, unit);
          if (!(e <= most[i]!.error)) most[i] = { text: `${name}(${x}, ${y}) = ${z}`, error: e };
        });
      }
      rows.push(`${name} ${width}: ${most.map(m => `${m.error.toFixed(2)} at ${m.text}`).join('; fused ')}`);
      for (const m of most) expect(m.error, m.text).toBeLessThanOrEqual(4);
    });

    it(`pow of float${width} is within 2 ulp`, () => {
      const draw = random(width + 1);
      const machines = [run(width, false), run(width, true)];
      const most = [worst, worst];
      const [low, high] = width === 32 ? [-150, 129] : [-1076, 1025];
      const spread = (): number => (draw() < 0.5 ? -1 : 1) * 2 ** (high * 0.99 * (draw() * 2 - 1)) * (1 + draw());
      const pairs: [number, number][] = [];
      for (let i = 0; i < 8000; i++) {
        pairs.push(
          [draw() * 10, draw() * 20 - 10],
          [Math.abs(spread()), spread()],
          [1 + (draw() - 0.5) * 2 ** (-16 * draw()), 0],
        );
        // Exponents that make a result anywhere in the range, its ends included.
        const base = Math.abs(spread());
        const target = low + (high - low) * draw();
        pairs.push([base, target / Math.log2(base)]);
        const near = next(width, 1, Math.round((draw() - 0.5) * 2 ** (22 * draw())));
        pairs.push([near, target / Math.log2(near)], [draw() * 2, Math.round(draw() * 20 - 10)]);
      }
      for (const [a, b] of pairs) {
        const [x, y] = [rounded(width, a), rounded(width, b)];
        if (!(Number.isFinite(x) && Number.isFinite(y) && x > 0 && y !== 0)) continue;
        const reference = precise.pow(x, y);
        machines.forEach((machine, i) => {
          const z = machine.pow(x, y);
          const e = error(z, reference, width);
          if (!(e <= most[i]!.error)) most[i] = { text: `pow(${x}, ${y}) = ${z}`, error: e };
        });
      }
      rows.push(`pow ${width}: ${most.map(m => `${m.error.toFixed(2)} at ${m.text}`).join('; fused ')}`);
      for (const m of most) expect(m.error, m.text).toBeLessThanOrEqual(2);
    });
  }

  it.each(['lgamma', 'digamma'] as const)('%s of float32 is within 4 ulp of its largest term', name => {
    const draw = random(9);
    const [reference, f] = name === 'lgamma' ? [lgammaReference, lgamma] : [(x: number) => polygamma(0, x), digamma];
    const machines = [lane32(false), lane32(true)];
    const most = [worst, worst];
    const lines = [
      [-5, 5],
      [0, 10],
      [0, 2.6],
      [-40, 100],
      [0.99, 1.01],
      [1.99, 2.01],
      [-0.01, 0.01],
    ].flatMap(([a, b]) => Array.from({ length: 3000 }, () => fround(a! + (b! - a!) * draw())));
    const ends = [0.5, 1.25, 2.5, 6, 8].flatMap(x => [-1, 0, 1].map(by => next(32, x, by)));
    for (const x of [...everywhere(32, draw), ...lines, ...ends]) {
      const y = reference(x);
      if (!Number.isFinite(fround(y)) || Number.isInteger(x)) continue;
      // What is reflected loses what its two terms have in common, digamma what is common to a logarithm and a sum near 2.
      const second = x < 0 ? reference(1 - x) : 0;
      const first = name === 'lgamma' ? y + second : y - second;
      const term = Math.max(...[y, first, second, name === 'digamma' ? 2 : 0].map(Math.abs));
      machines.forEach((m, i) => {
        const z = m.number(f(m, m.float(x)));
        const e = y === 0 ? Math.abs(z) : error(z, exact(y), 32, exact(term));
        if (!(e <= most[i]!.error)) most[i] = { text: `${name}(${x}) = ${z}`, error: e };
      });
    }
    rows.push(`${name} 32: ${most.map(m => `${m.error.toFixed(2)} at ${m.text}`).join('; fused ')}`);
    for (const m of most) expect(m.error, m.text).toBeLessThanOrEqual(4);
  });

  it('the worst errors, in units in the last place', () => {
    console.log(rows.join('\n'));
    expect(rows).toHaveLength(2 * (names.length + 1 + Object.keys(pairs).length) + 2);
  });

  describe('special values', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    const tiny = { 32: 2 ** -149, 64: 2 ** -1074 };
    const largest = { 32: 2 ** 128 - 2 ** 104, 64: Number.MAX_VALUE };
    const table = (width: Width): Record<Unary, [number, number][]> => {
      const [small, large] = [tiny[width], largest[width]];
      const odd: [number, number][] = [
        [0, 0],
        [-0, -0],
        [small, small],
        [-small, -small],
        [3 * small, 3 * small],
      ];
      const beyondOne: [number, number][] = [1.5, next(width, 1, 1), large, infinity].flatMap(x => [
        [x, nan],
        [-x, nan],
      ]);
      const circular: [number, number][] = [
        [infinity, nan],
        [-infinity, nan],
      ];
      return {
        exp: [
          [0, 1],
          [-0, 1],
          [infinity, infinity],
          [-infinity, 0],
          [large, infinity],
          [-large, 0],
          [small, 1],
          [-small, 1],
        ],
        expm1: [...odd, [infinity, infinity], [-infinity, -1], [large, infinity], [-large, -1]],
        log: [
          [0, -infinity],
          [-0, -infinity],
          [1, 0],
          [infinity, infinity],
          [-infinity, nan],
          [-1, nan],
          [-small, nan],
          [-large, nan],
        ],
        log1p: [
          ...odd,
          [-1, -infinity],
          [infinity, infinity],
          [-infinity, nan],
          [-2, nan],
          [-large, nan],
          [next(width, -1, 1), nan],
        ],
        sin: [...odd, ...circular],
        cos: [[0, 1], [-0, 1], [small, 1], ...circular],
        tan: [...odd, ...circular],
        tanh: [...odd, [infinity, 1], [-infinity, -1], [large, 1], [-large, -1]],
        sigmoid: [
          [0, 0.5],
          [-0, 0.5],
          [small, 0.5],
          [infinity, 1],
          [-infinity, 0],
          [large, 1],
          [-large, 0],
        ],
        erf: [
          [0, 0],
          [-0, -0],
          [infinity, 1],
          [-infinity, -1],
          [large, 1],
          [-large, -1],
        ],
        erfc: [
          [0, 1],
          [-0, 1],
          [small, 1],
          [infinity, 0],
          [-infinity, 2],
          [large, 0],
          [-large, 2],
        ],
        erfinv: [[0, 0], [-0, -0], [1, infinity], [-1, -infinity], ...beyondOne],
        asin: [...odd, ...beyondOne],
        acos: [[1, 0], ...beyondOne],
        atan: odd,
        sinh: [...odd, [infinity, infinity], [-infinity, -infinity], [large, infinity], [-large, -infinity]],
        cosh: [
          [0, 1],
          [-0, 1],
          [small, 1],
          [infinity, infinity],
          [-infinity, infinity],
          [-large, infinity],
        ],
        asinh: [...odd, [infinity, infinity], [-infinity, -infinity]],
        acosh: [
          [1, 0],
          [infinity, infinity],
          [0.5, nan],
          [0, nan],
          [-0, nan],
          [-1, nan],
          [-large, nan],
          [-infinity, nan],
          [next(width, 1, -1), nan],
        ],
        atanh: [...odd, [1, infinity], [-1, -infinity], ...beyondOne],
      };
    };
    for (const width of widths) {
      it.each(names)(`%s of float${width}`, name => {
        for (const fused of [false, true]) {
          const { unary } = run(width, fused);
          for (const [x, y] of [[nan, nan], ...table(width)[name]] as const) {
            expect(Object.is(unary(name, x), y), `${name}(${x}) = ${unary(name, x)}, not ${y}`).toBe(true);
          }
        }
      });

      it(`remainders of float${width} are exact`, () => {
        const draw = random(width + 2);
        const sizes = [0, tiny[width], 1, 1.5, 3, 4096, largest[width], infinity];
        const list = [nan, ...sizes.flatMap(x => [x, -x])];
        const pairs = list.flatMap(x => list.map(y => [x, y] as const));
        for (let i = 0; i < 20000; i++) {
          const y = (draw() - 0.5) * 2 ** (200 * (draw() - 0.5));
          // Multiples to the last bit, and next to them.
          const multiple = rounded(width, Math.round(draw() * 5000) * rounded(width, y));
          pairs.push([y * 2 ** (14 * draw()), y], [multiple, y], [next(width, multiple, draw() < 0.5 ? 1 : -1), y]);
        }
        const { rem } = run(width, false);
        let [left, all] = [0, 0];
        for (const [a, b] of pairs) {
          const [x, y] = [rounded(width, a), rounded(width, b)];
          const z = rem(x, y);
          all++;
          if (z === null) left++;
          else expect(Object.is(z, rounded(width, x % y)), `${x} % ${y} = ${z}, not ${x % y}`).toBe(true);
        }
        expect(left).toBeLessThan(0.2 * all);
      });

      it(`pow of float${width} is that of IEEE 754 there`, () => {
        const [small, large] = [tiny[width], largest[width]];
        const magnitudes = [0, small, 0.25, 0.5, 1, 2, 3, 4, large, infinity];
        const list = [nan, ...magnitudes.flatMap(x => [x, -x])];
        for (const fused of [false, true]) {
          const { pow } = run(width, fused);
          for (const x of list) {
            for (const y of list) {
              const wanted = rounded(width, power(x, y));
              const z = pow(x, y);
              const same =
                Object.is(z, wanted) ||
                (wanted !== 0 && error(z, Number.isFinite(wanted) ? exact(wanted) : wanted, width) <= 1.5);
              expect(same, `pow(${x}, ${y}) = ${z}, not ${wanted}`).toBe(true);
            }
          }
        }
      });

      it(`pairs of float${width} are what Math says there`, () => {
        const wanted: Record<Binary, (x: number, y: number) => number> = {
          atan2: Math.atan2,
          hypot: Math.hypot,
          logaddexp: scalarLogaddexp,
        };
        const [small, large] = [tiny[width], largest[width]];
        const list = [nan, ...[0, small, 0.25, 1, 3, large, infinity].flatMap(x => [x, -x])];
        for (const [name, f] of Object.entries(wanted)) {
          for (const fused of [false, true]) {
            const { pair } = run(width, fused);
            for (const x of list) {
              for (const y of list) {
                const value = rounded(width, f(x, y));
                const z = pair(name as Binary, x, y);
                const same = Object.is(z, value) || error(z, Number.isFinite(value) ? exact(value) : value, width) <= 2;
                expect(same, `${name}(${x}, ${y}) = ${z}, not ${value}`).toBe(true);
              }
            }
          }
        }
      });

      it(`says which arguments of float${width} are too large for its reduction`, () => {
        const { needsExactReduction } = run(width, false);
        const limit = rounded(width, exactReductionLimit({ width }));
        const [small, large] = [tiny[width], largest[width]];
        for (const x of [0, -0, small, 1, limit, -limit, nan, infinity, -infinity])
          expect(needsExactReduction(x)).toBe(false);
        for (const x of [next(width, limit, 1), -next(width, limit, 1), large, -large])
          expect(needsExactReduction(x)).toBe(true);
      });
    }
  });

  it('the reference agrees with float64 where that is good', () => {
    const draw = random(7);
    for (const name of names) {
      for (let i = 0; i < 200; i++) {
        const one = ['asin', 'acos', 'atanh', 'erfinv'].includes(name);
        const x =
          name === 'acosh'
            ? 1 + draw() * 8
            : name.startsWith('log')
              ? draw() * 8
              : one
                ? draw() * 2 - 1
                : draw() * 8 - 4;
        expect(approximately(precise[name](x)) / ordinary[name](x)).toBeCloseTo(1, 11);
      }
    }
  });

  it('lgamma and digamma of float32 are the reference at their poles and at infinity', () => {
    for (const m of [lane32(false), lane32(true)]) {
      for (const x of [0, -0, -1, -2, -1e8, -3e38, 1, 2, Infinity, -Infinity, NaN]) {
        expect(m.number(lgamma(m, m.float(x))), `lgamma(${x})`).toBe(lgammaReference(x));
        const [y, wanted] = [m.number(digamma(m, m.float(x))), polygamma(0, x)];
        if (Number.isFinite(wanted)) expect(y).toBeCloseTo(wanted, 6);
        else expect(y, `digamma(${x})`).toBe(wanted);
      }
      expect(m.number(lgamma(m, m.float(1e38)))).toBe(Infinity);
    }
  });

  it('the derivation finds polynomials that good', () => {
    expect(derive('exp', 32).error).toBeLessThan(2 ** -25);
    expect(derive('exp', 64).error).toBeLessThan(2 ** -55);
  });
});
