/** The elementwise primitives: scalar meaning and partial derivatives. Everything else follows from the kind. */
import { isFloat } from '../dtype.js';
import type { Node } from '../graph.js';
import { cheap, cheapCommutative, entry, noTangent, operands, type Scalar } from './entry.js';
import { full } from './full.js';
import { functions } from './functions.js';
import { type Elementwise, noPartials, type Partial } from './kinds.js';
import type { ElementwisePrimitives, ParamsOf } from './signatures.js';
import { integerPower, power, roundHalfEven, threefry2x32 } from './special.js';

const comparison = (name: string, scalar: (x: number, y: number) => boolean, traits = cheap) =>
  entry(name, (x, y) => (scalar(x!, y!) ? 1 : 0), noTangent, { domain: 'all', traits, result: 'bool' });

const bitwise = (name: string, scalar: Scalar) =>
  entry(name, scalar, noTangent, { domain: 'bits', traits: cheapCommutative });

const shift = (name: string, scalar: Scalar) => entry(name, scalar, noTangent, { domain: 'shifts', traits: cheap });

/** The larger or smaller of two; where both are equal each gets half of the derivative. */
const extremum = (name: string, scalar: Scalar, wins: 'gt' | 'lt') =>
  entry(
    name,
    scalar,
    (b, { inputs: [x, y] }) => {
      const share = (winner: Node, other: Node): Partial => {
        return t => {
          const half = b.mul(t, full(b, t, 0.5));
          return b.select(b[wins](winner, other), t, b.select(b.eq(winner, other), half, full(b, t, 0)));
        };
      };
      return [share(x!, y!), share(y!, x!)];
    },
    { domain: 'numbers', traits: cheapCommutative },
  );

export const elementwise: { readonly [P in keyof ElementwisePrimitives]: Elementwise<ParamsOf<P>> } = {
  ...functions,
  neg: entry(
    'neg',
    x => -x!,
    b => [t => b.neg(t)],
    { domain: 'numbers', traits: cheap },
  ),
  abs: entry(
    'abs',
    x => Math.abs(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.sign(x!))],
    {
      domain: 'numbers',
      traits: cheap,
    },
  ),
  sign: entry('sign', x => Math.sign(x!), noPartials, { domain: 'numbers', traits: cheap }),
  floor: entry('floor', x => Math.floor(x!), noPartials, { traits: cheap }),
  ceil: entry('ceil', x => Math.ceil(x!), noPartials, { traits: cheap }),
  round: entry('round', x => roundHalfEven(x!), noPartials, { traits: cheap }),
  not: {
    kind: 'elementwise',
    traits: cheap,
    aval: inputs => operands('not', 'bits', inputs),
    scalar: (_, dtype) => (dtype === 'bool' ? x => 1 - x! : x => ~x!),
    partials: noTangent,
  },
  stopGradient: entry('stopGradient', x => x!, noPartials, { domain: 'all', traits: cheap }),
  cast: {
    kind: 'elementwise',
    traits: cheap,
    aval: (inputs, { dtype }) => ({ shape: inputs[0]!.shape, dtype }),
    // Storing into an integer array wraps, so a float is truncated and bounded first: NaN to 0, as XLA does.
    scalar: ({ dtype }, from) => {
      if (dtype === 'bool') return x => (x !== 0 ? 1 : 0);
      if (isFloat(dtype) || !isFloat(from)) return x => x!;
      const [low, high] =
        dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : dtype === 'uint32' ? [0, 2 ** 32 - 1] : [0, 255];
      return x => (Number.isNaN(x!) ? 0 : Math.min(high, Math.max(low, Math.trunc(x!))));
    },
    partials: () => [t => t],
  },
  add: entry(
    'add',
    (x, y) => x! + y!,
    () => [t => t, t => t],
    { domain: 'numbers', traits: cheapCommutative },
  ),
  sub: entry(
    'sub',
    (x, y) => x! - y!,
    b => [t => t, t => b.neg(t)],
    { domain: 'numbers', traits: cheap },
  ),
  mul: entry(
    'mul',
    (x, y) => x! * y!,
    (b, { inputs: [x, y] }) => [t => b.mul(t, y!), t => b.mul(t, x!)],
    { domain: 'numbers', traits: cheapCommutative, integer: (x, y) => Math.imul(x!, y!) },
  ),
  div: entry(
    'div',
    (x, y) => x! / y!,
    (b, q) => [t => b.div(t, q.inputs[1]!), t => b.neg(b.mul(t, b.div(q, q.inputs[1]!)))],
    { traits: cheap },
  ),
  rem: entry(
    'rem',
    (x, y) => x! % y!,
    (b, r) => [t => t, t => b.neg(b.mul(t, b.round(b.div(b.sub(r.inputs[0]!, r), r.inputs[1]!))))],
    { domain: 'numbers', traits: cheap, integer: (x, y) => (y === 0 ? 0 : x! % y!) },
  ),
  pow: entry(
    'pow',
    (x, y) => power(x!, y!),
    (b, z) => {
      const [x, y] = z.inputs as [Node, Node];
      const zeros = full(b, z, 0);
      const ones = full(b, z, 1);
      return [
        // x⁰ is constant even at x = 0, where y·x^(y−1) would be 0·∞.
        t => b.mul(t, b.select(b.eq(y, zeros), zeros, b.mul(y, b.pow(x, b.sub(y, ones))))),
        // At x = 0 the power does not change with an exponent that is not negative; log(1) = 0 says so without 0·∞.
        t => b.mul(t, b.mul(z, b.log(b.select(b.and(b.eq(x, zeros), b.ge(y, zeros)), ones, x)))),
      ];
    },
    { domain: 'numbers', integer: (x, y) => integerPower(x!, y!) },
  ),
  max: extremum('max', (x, y) => Math.max(x!, y!), 'gt'),
  min: extremum('min', (x, y) => Math.min(x!, y!), 'lt'),
  and: bitwise('and', (x, y) => x! & y!),
  or: bitwise('or', (x, y) => x! | y!),
  xor: bitwise('xor', (x, y) => x! ^ y!),
  shiftLeft: shift('shiftLeft', (x, y) => (y! >>> 0 > 31 ? 0 : x! << y!)),
  shiftRight: shift('shiftRight', (x, y) => (y! >>> 0 > 31 ? x! >> 31 : x! >> y!)),
  shiftRightLogical: shift('shiftRightLogical', (x, y) => (y! >>> 0 > 31 ? 0 : x! >>> y!)),
  eq: comparison('eq', (x, y) => x === y, cheapCommutative),
  ne: comparison('ne', (x, y) => x !== y, cheapCommutative),
  lt: comparison('lt', (x, y) => x < y),
  le: comparison('le', (x, y) => x <= y),
  gt: comparison('gt', (x, y) => x > y),
  ge: comparison('ge', (x, y) => x >= y),
  select: {
    kind: 'elementwise',
    traits: cheap,
    aval: ([condition, x, y]) => {
      operands('select', 'all', [x!, y!]);
      operands('select', 'bits', [{ shape: x!.shape, dtype: 'bool' }, condition!]);
      return x!;
    },
    scalar: () => (condition, x, y) => (condition !== 0 ? x! : y!),
    partials: (b, { inputs: [condition] }) => [
      null,
      t => b.select(condition!, t, full(b, t, 0)),
      t => b.select(condition!, full(b, t, 0), t),
    ],
  },
  threefry2x32: {
    kind: 'elementwise',
    traits: [],
    aval: inputs => operands('threefry2x32', 'words', inputs),
    scalar:
      ({ rounds, word }) =>
      (key0, key1, counter0, counter1) =>
        threefry2x32(key0!, key1!, counter0!, counter1!, rounds, word),
    partials: noTangent,
  },
};
