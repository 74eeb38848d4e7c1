/** Elementary and special functions among the elementwise primitives. */
import type { Node } from '../graph.js';
import { cheap, entry, operands } from './entry.js';
import { erf, erfc, erfinv } from './erf.js';
import { full } from './full.js';
import { lgamma, polygamma } from './gamma.js';
import type { Elementwise, Partial } from './kinds.js';
import type { Build } from './signatures.js';

/** c − x and c + x. */
const less = (b: Build, c: number, x: Node): Node => b.sub(full(b, x, c), x);
const more = (b: Build, c: number, x: Node): Node => b.add(x, full(b, x, c));

/** ±2/√π · exp(−x²). */
const bell = (b: Build, x: Node, sign: 1 | -1): Partial => {
  const factor = (sign * 2) / Math.sqrt(Math.PI);
  return t => b.mul(t, b.mul(full(b, t, factor), b.exp(b.neg(b.mul(x, x)))));
};

/** 1/√(1 − x²), the derivative of the arcsine. */
const slope = (b: Build, x: Node): Node => b.rsqrt(b.mul(less(b, 1, x), more(b, 1, x)));

/** Of the angle of (x, y) on a circle of radius h: the cosine x/h. 0 at the origin, ±1 or 0 at infinity. */
const cosine = (b: Build, x: Node, h: Node): Node => {
  const infinite = b.eq(b.abs(x), full(b, x, Number.POSITIVE_INFINITY));
  const undecided = b.or(infinite, b.eq(h, full(b, h, 0)));
  return b.div(b.select(infinite, b.sign(x), x), b.select(undecided, full(b, h, 1), h));
};

export const functions = {
  exp: entry(
    'exp',
    x => Math.exp(x!),
    (b, y) => [t => b.mul(t, y)],
  ),
  expm1: entry(
    'expm1',
    x => Math.expm1(x!),
    (b, y) => [t => b.mul(t, more(b, 1, y))],
  ),
  log: entry(
    'log',
    x => Math.log(x!),
    (b, { inputs: [x] }) => [t => b.div(t, x!)],
  ),
  log1p: entry(
    'log1p',
    x => Math.log1p(x!),
    (b, { inputs: [x] }) => [t => b.div(t, more(b, 1, x!))],
  ),
  sqrt: entry(
    'sqrt',
    x => Math.sqrt(x!),
    (b, y) => [t => b.div(b.mul(t, full(b, t, 0.5)), y)],
    { traits: cheap },
  ),
  rsqrt: entry(
    'rsqrt',
    x => 1 / Math.sqrt(x!),
    (b, y) => [t => b.mul(b.mul(t, full(b, t, -0.5)), b.div(y, y.inputs[0]!))],
  ),
  sin: entry(
    'sin',
    x => Math.sin(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.cos(x!))],
  ),
  cos: entry(
    'cos',
    x => Math.cos(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.neg(b.sin(x!)))],
  ),
  tan: entry(
    'tan',
    x => Math.tan(x!),
    (b, y) => [t => b.mul(t, more(b, 1, b.mul(y, y)))],
  ),
  tanh: entry(
    'tanh',
    x => Math.tanh(x!),
    // Not 1 − y·y, which loses all digits where y is close to ±1.
    (b, y) => [t => b.mul(t, b.mul(less(b, 1, y), more(b, 1, y)))],
  ),
  sigmoid: entry(
    'sigmoid',
    x => (x! < 0 ? Math.exp(x!) / (1 + Math.exp(x!)) : 1 / (1 + Math.exp(-x!))),
    (b, y) => [t => b.mul(t, b.mul(y, less(b, 1, y)))],
  ),
  erf: entry(
    'erf',
    x => erf(x!),
    (b, { inputs: [x] }) => [bell(b, x!, 1)],
  ),
  erfc: entry(
    'erfc',
    x => erfc(x!),
    (b, { inputs: [x] }) => [bell(b, x!, -1)],
  ),
  erfinv: entry(
    'erfinv',
    x => erfinv(x!),
    (b, y) => [t => b.mul(t, b.mul(full(b, t, Math.sqrt(Math.PI) / 2), b.exp(b.mul(y, y))))],
  ),
  asin: entry(
    'asin',
    x => Math.asin(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, slope(b, x!))],
  ),
  acos: entry(
    'acos',
    x => Math.acos(x!),
    (b, { inputs: [x] }) => [t => b.neg(b.mul(t, slope(b, x!)))],
  ),
  atan: entry(
    'atan',
    x => Math.atan(x!),
    (b, { inputs: [x] }) => [t => b.div(t, more(b, 1, b.mul(x!, x!)))],
  ),
  sinh: entry(
    'sinh',
    x => Math.sinh(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.cosh(x!))],
  ),
  cosh: entry(
    'cosh',
    x => Math.cosh(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.sinh(x!))],
  ),
  asinh: entry(
    'asinh',
    x => Math.asinh(x!),
    (b, { inputs: [x] }) => [t => b.div(t, b.hypot(x!, full(b, x!, 1)))],
  ),
  acosh: entry(
    'acosh',
    x => Math.acosh(x!),
    // Not the root of the product, which overflows.
    (b, { inputs: [x] }) => [t => b.mul(t, b.mul(b.rsqrt(more(b, -1, x!)), b.rsqrt(more(b, 1, x!))))],
  ),
  atanh: entry(
    'atanh',
    x => Math.atanh(x!),
    (b, { inputs: [x] }) => [t => b.div(t, b.mul(less(b, 1, x!), more(b, 1, x!)))],
  ),
  atan2: entry(
    'atan2',
    (y, x) => Math.atan2(y!, x!),
    (b, { inputs: [y, x] }) => {
      const h = b.hypot(x!, y!);
      const at = b.select(b.eq(h, full(b, h, 0)), full(b, h, 1), h);
      const part = (side: Node): Node => b.div(cosine(b, side, h), at);
      return [t => b.mul(t, part(x!)), t => b.neg(b.mul(t, part(y!)))];
    },
  ),
  hypot: entry(
    'hypot',
    (x, y) => Math.hypot(x!, y!),
    (b, h) =>
      h.inputs.map(
        (x): Partial =>
          t =>
            b.mul(t, cosine(b, x, h)),
      ),
  ),
  logaddexp: entry(
    'logaddexp',
    (x, y) => (x === y ? x! + Math.LN2 : Math.max(x!, y!) + Math.log1p(Math.exp(-Math.abs(x! - y!)))),
    (b, { inputs: [x, y] }) => {
      const unbounded = b.eq(b.abs(x!), full(b, x!, Number.POSITIVE_INFINITY));
      // Equal infinities share as equal numbers do; their difference is none.
      const difference = b.select(b.and(b.eq(x!, y!), unbounded), full(b, x!, 0), b.sub(x!, y!));
      return [t => b.mul(t, b.sigmoid(difference)), t => b.mul(t, b.sigmoid(b.neg(difference)))];
    },
  ),
  lgamma: entry(
    'lgamma',
    x => lgamma(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.polygamma(x!, { order: 0 }))],
  ),
  polygamma: {
    kind: 'elementwise',
    traits: [],
    aval: inputs => operands('polygamma', 'floats', inputs),
    scalar:
      ({ order }) =>
      x =>
        polygamma(order, x!),
    partials: (b, { inputs: [x] }, { order }) => [t => b.mul(t, b.polygamma(x!, { order: order + 1 }))],
  } satisfies Elementwise<{ readonly order: number }>,
};
