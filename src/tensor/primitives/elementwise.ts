/** The elementwise primitives: scalar meaning and partial derivatives. Everything else follows from the kind. */
import { type DType, isFloat } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, sameShape, showAval } from '../shape.js';
import { full } from './full.js';
import { type Elementwise, type Missing, noPartials, type Partial, type Trait } from './kinds.js';
import type { Build, ElementwisePrimitives, ParamsOf } from './signatures.js';
import { erf, integerPower, roundHalfEven, threefry2x32 } from './special.js';

/** The dtypes a primitive computes on, as messages name them. */
const domains = {
  numbers: ['float32', 'float64', 'int32', 'uint32'],
  floats: ['float32', 'float64'],
  bits: ['int32', 'uint32', 'uint8', 'bool'],
  shifts: ['int32', 'uint32'],
  words: ['uint32'],
  all: ['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'],
} as const satisfies Record<string, readonly DType[]>;

type Domain = keyof typeof domains;
type Scalar = (...operands: number[]) => number;
type Rule = (b: Build, node: Node) => readonly Partial[];

/** Checks operands of one shape and dtype within a domain. */
const operands = (name: string, domain: Domain, inputs: readonly Aval[]): Aval => {
  const first = inputs[0]!;
  for (const input of inputs) {
    if (!sameShape(input.shape, first.shape)) {
      throw new ShapeError({
        operation: name,
        given: inputs.map(showAval).join(' and '),
        rule: 'operands must have one shape',
        hint: 'Broadcast them first.',
      });
    }
    if (input.dtype !== first.dtype || !(domains[domain] as readonly DType[]).includes(input.dtype)) {
      throw new DTypeError({
        operation: name,
        given: inputs.map(showAval).join(' and '),
        rule: `operands must have one dtype out of ${domains[domain].join(', ')}`,
        hint: "Cast first: cast(x, 'float32').",
      });
    }
  }
  return first;
};

interface Options {
  readonly domain?: Domain;
  readonly traits?: readonly Trait[];
  /** The result's dtype where it is not that of the operands. */
  readonly result?: DType;
  /** The scalar meaning on integers and bool, where it is another one. */
  readonly integer?: Scalar;
}

const cheap: readonly Trait[] = ['cheap'];
const cheapCommutative: readonly Trait[] = ['cheap', 'commutative'];

/** An entry without static parameters. */
const entry = (
  name: string,
  scalar: Scalar,
  partials: Rule | Missing,
  { domain = 'floats', traits = [], result, integer }: Options = {},
): Elementwise<Readonly<Record<never, never>>> => ({
  kind: 'elementwise',
  traits,
  aval: inputs => {
    const first = operands(name, domain, inputs);
    return result === undefined ? first : { shape: first.shape, dtype: result };
  },
  scalar: (_, dtype) => (integer !== undefined && !isFloat(dtype) ? integer : scalar),
  partials,
});

const noTangent: Missing = { none: 'its results are no floating-point numbers, so there is no tangent' };

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
  exp: entry(
    'exp',
    x => Math.exp(x!),
    (b, y) => [t => b.mul(t, y)],
  ),
  expm1: entry(
    'expm1',
    x => Math.expm1(x!),
    (b, y) => [t => b.mul(t, b.add(y, full(b, y, 1)))],
  ),
  log: entry(
    'log',
    x => Math.log(x!),
    (b, { inputs: [x] }) => [t => b.div(t, x!)],
  ),
  log1p: entry(
    'log1p',
    x => Math.log1p(x!),
    (b, { inputs: [x] }) => [t => b.div(t, b.add(x!, full(b, x!, 1)))],
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
    (b, y) => [t => b.mul(t, b.add(b.mul(y, y), full(b, y, 1)))],
  ),
  tanh: entry(
    'tanh',
    x => Math.tanh(x!),
    // Not 1 − y·y, which loses all digits where y is close to ±1.
    (b, y) => [t => b.mul(t, b.mul(b.sub(full(b, y, 1), y), b.add(full(b, y, 1), y)))],
  ),
  sigmoid: entry(
    'sigmoid',
    x => (x! < 0 ? Math.exp(x!) / (1 + Math.exp(x!)) : 1 / (1 + Math.exp(-x!))),
    (b, y) => [t => b.mul(t, b.mul(y, b.sub(full(b, y, 1), y)))],
  ),
  erf: entry(
    'erf',
    x => erf(x!),
    (b, { inputs: [x] }) => [t => b.mul(t, b.mul(full(b, t, 2 / Math.sqrt(Math.PI)), b.exp(b.neg(b.mul(x!, x!)))))],
  ),
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
    (x, y) => x! ** y!,
    (b, z) => {
      const [x, y] = z.inputs as [Node, Node];
      const zeros = full(b, z, 0);
      const ones = full(b, z, 1);
      return [
        // x⁰ is constant even at x = 0, where y·x^(y−1) would be 0·∞.
        t => b.mul(t, b.select(b.eq(y, zeros), zeros, b.mul(y, b.pow(x, b.sub(y, ones))))),
        // At x = 0 the power does not change with a positive exponent; log(1) = 0 says so without 0·∞.
        t => b.mul(t, b.mul(z, b.log(b.select(b.eq(x, zeros), ones, x)))),
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
