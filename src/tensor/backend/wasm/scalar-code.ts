/** What each elementwise primitive is in vector instructions, for the dtypes that WebAssembly computes on. */
import type { DType } from '../../dtype.js';
import { isFloat } from '../../dtype.js';
import type { Params } from '../../graph.js';
import { FunctionWriter, type Local } from './assembler.js';
import { cast, maskOf, wrapByte } from './conversions.js';
import { type Emit, type Emitter, isUnsigned, type Value, widthOf } from './emitter.js';
import { VectorWriter } from './lanes.js';
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
} from './math/index.js';
import type { Op } from './opcodes.js';

const prefix = (e: Emitter): 'f32x4' | 'f64x2' => (e.lanes.width === 32 ? 'f32x4' : 'f64x2');

/** An instruction on floats, and another on integers. */
const onNumbers =
  (float: string, integer: string): Emit =>
  (e, operands) => {
    const name = isFloat(operands[0]!.dtype) ? `${prefix(e)}.${float}` : `i32x4.${integer}`;
    return e.lanes.apply(name as Op, ...operands.map(x => x.vector));
  };

const onFloats =
  (name: string): Emit =>
  (e, operands) =>
    e.lanes.apply(`${prefix(e)}.${name}` as Op, ...operands.map(x => x.vector));

const bitwise =
  (op: Op): Emit =>
  (e, operands) =>
    e.lanes.apply(op, ...operands.map(x => x.vector));

/** Comparisons of bools, false being less than true. */
const compareMasks = ({ lanes }: Emitter, name: string, x: Local, y: Local): Local => {
  const less = (p: Local, q: Local): Local => lanes.and(lanes.not(p), q);
  switch (name) {
    case 'eq':
      return lanes.not(lanes.xor(x, y));
    case 'ne':
      return lanes.xor(x, y);
    case 'lt':
      return less(x, y);
    case 'gt':
      return less(y, x);
    case 'le':
      return lanes.not(less(y, x));
    default:
      return lanes.not(less(x, y));
  }
};

const comparison =
  (float: string, integer: string, signed: boolean): Emit =>
  (e, [x, y]) => {
    const { lanes } = e;
    if (isFloat(x!.dtype)) return lanes.apply(`${prefix(e)}.${float}` as Op, x!.vector, y!.vector);
    if (x!.dtype === 'bool') return compareMasks(e, integer, x!.vector, y!.vector);
    const suffix = signed ? (isUnsigned(x!.dtype) ? '_u' : '_s') : '';
    return lanes.apply(`i32x4.${integer}${suffix}` as Op, x!.vector, y!.vector);
  };

const extremum =
  (name: 'min' | 'max'): Emit =>
  (e, [x, y]) => {
    const { dtype } = x!;
    const op = isFloat(dtype) ? `${prefix(e)}.${name}` : `i32x4.${name}_${isUnsigned(dtype) ? 'u' : 's'}`;
    return e.lanes.apply(op as Op, x!.vector, y!.vector);
  };

/** Shifts by the amount in the second operand; WebAssembly shifts all lanes by one amount, taken modulo 32. */
const shift =
  (name: 'shl' | 'shr_s' | 'shr_u', op: string): Emit =>
  (e, [x, by], params, result) => {
    if (by!.scalar === undefined) return e.perLane(op, params, [x!, by!], result);
    const { writer, lanes } = e;
    // An arithmetic shift by 32 or more leaves the sign, which a shift by 31 does too; the others leave nothing.
    const amount = writer.get(by!.scalar).keep('i32');
    if (name === 'shr_s') {
      const most = writer.local('i32');
      writer.i32(31).set(most);
      writer
        .get(amount)
        .i32(32)
        .op('i32.lt_u')
        .if(() => writer.get(amount).set(most));
      return writer.get(x!.vector, most).op('i32x4.shr_s').keep('v128');
    }
    const moved = writer.get(x!.vector, amount).op(`i32x4.${name}`).keep('v128');
    const keeps = writer.i32(0).get(amount).i32(32).op('i32.lt_u', 'i32.sub', 'i32x4.splat').keep('v128');
    return lanes.and(moved, keeps);
  };

const sign: Emit = (e, [x]) => {
  const { lanes } = e;
  if (isFloat(x!.dtype)) {
    const zero = lanes.float(0);
    // NaN and zeros of either sign are neither above nor below: they stay as they are.
    const below = lanes.select(lanes.lt(x!.vector, zero), lanes.float(-1), x!.vector);
    return lanes.select(lanes.lt(zero, x!.vector), lanes.float(1), below);
  }
  const one = lanes.integer(1n);
  if (isUnsigned(x!.dtype)) return lanes.apply('i32x4.min_u', x!.vector, one);
  const bounded = lanes.apply('i32x4.min_s', x!.vector, one);
  return lanes.apply('i32x4.max_s', bounded, lanes.integer(-1n));
};

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const threefry: Emit = (e, operands, { rounds, word }) => {
  const { lanes } = e;
  const [k0, k1, c0, c1] = operands.map(x => x.vector) as [Local, Local, Local, Local];
  const keys = [k0, k1, lanes.xor(lanes.xor(k0, k1), lanes.integer(0x1bd11bdan))] as const;
  let x0 = lanes.iadd(c0, k0);
  let x1 = lanes.iadd(c1, k1);
  for (let round = 0; round < (rounds as number); round++) {
    const r = rotations[(round >> 2) & 1]![round & 3]!;
    x0 = lanes.iadd(x0, x1);
    x1 = lanes.xor(lanes.or(lanes.shiftLeft(x1, r), lanes.shiftRightLogical(x1, 32 - r)), x0);
    if ((round & 3) === 3) {
      const s = (round + 1) >> 2;
      x0 = lanes.iadd(x0, keys[s % 3]!);
      x1 = lanes.iadd(lanes.iadd(x1, keys[(s + 1) % 3]!), lanes.integer(BigInt(s)));
    }
  }
  return word === 0 ? x0 : word === 1 ? x1 : lanes.xor(x0, x1);
};

/** An elementary function of floats. */
const elementary =
  (f: <V>(m: Lanes<V>, x: V) => V): Emit =>
  (e, [x]) =>
    f(e.lanes, x!.vector);
const elementaryOfTwo =
  (f: <V>(m: Lanes<V>, x: V, y: V) => V): Emit =>
  (e, [x, y]) =>
    f(e.lanes, x!.vector, y!.vector);

/** Functions whose scalar meaning is called for rare lanes only. */
const mostlyVectors: readonly string[] = ['sin', 'cos', 'tan', 'rem'];

/** A function of floats with a vector form for most lanes; those in the mask that `beyond` gives get the scalar meaning. */
const mostly =
  (op: string, f: OfLanes, beyond: OfLanes): Emit =>
  (e, operands, params, result) => {
    const { writer, lanes } = e;
    const vectors = operands.map(x => x.vector);
    const out = writer.get(f(lanes, ...vectors)).keep('v128');
    const large = beyond(lanes, ...vectors);
    writer
      .get(large)
      .op('v128.any_true')
      .if(() => {
        writer.get(lanes.select(large, e.perLane(op, params, operands, result), out)).set(out);
      });
    return out;
  };

/** A function of vectors of lanes. */
type OfLanes = (lanes: VectorWriter, ...operands: readonly Local[]) => Local;

/** Angles too large for the vector form's reduction to a turn. */
const beyondReduction: OfLanes = (lanes, x) => needsExactReduction(lanes, x!);

const remainderOfFloats = mostly(
  'rem',
  (lanes, x, y) => rem(lanes, x!, y!),
  (lanes, x, y) => needsLongDivision(lanes, x!, y!),
);

/** Remainders of integers, lane by lane; by 0 they are 0. */
const remainderOfIntegers = ({ writer }: Emitter, x: Local, y: Local, unsigned: boolean): Local => {
  const out = writer.get(x).keep('v128');
  const divisor = writer.local('i32');
  for (let lane = 0; lane < 4; lane++) {
    writer.get(out, x).lane('i32x4.extract_lane', lane);
    // What is divided by 1 leaves 0 too.
    writer.get(y).lane('i32x4.extract_lane', lane).tee(divisor).i32(1).get(divisor).op('select');
    writer
      .op(unsigned ? 'i32.rem_u' : 'i32.rem_s')
      .lane('i32x4.replace_lane', lane)
      .set(out);
  }
  return out;
};

const same: Emit = (_, [x]) => x!.vector;
const lanewise =
  (op: string): Emit =>
  (e, operands, params, result) =>
    e.perLane(op, params, operands, result);

/** A function that has a vector form for float32 alone. */
const narrowly =
  (op: string, f: <V>(m: Lanes<V>, x: V) => V): Emit =>
  (e, operands, params, result) =>
    e.lanes.width === 32 ? f(e.lanes, operands[0]!.vector) : e.perLane(op, params, operands, result);

/** The primitives that have a vector form; the others are called lane by lane. */
const emitters: Readonly<Record<string, Emit>> = {
  neg: onNumbers('neg', 'neg'),
  abs: (e, [x]) => (x!.dtype === 'uint32' ? x!.vector : onNumbers('abs', 'abs')(e, [x!], {}, x!.dtype)),
  sign,
  exp: elementary(exp),
  expm1: elementary(expm1),
  log: elementary(log),
  log1p: elementary(log1p),
  tanh: elementary(tanh),
  sigmoid: elementary(sigmoid),
  erf: elementary(erf),
  erfc: elementary(erfc),
  erfinv: elementary(erfinv),
  asin: elementary(asin),
  acos: elementary(acos),
  atan: elementary(atan),
  sinh: elementary(sinh),
  cosh: elementary(cosh),
  asinh: elementary(asinh),
  acosh: elementary(acosh),
  atanh: elementary(atanh),
  atan2: elementaryOfTwo(atan2),
  hypot: elementaryOfTwo(hypot),
  logaddexp: elementaryOfTwo(logaddexp),
  lgamma: narrowly('lgamma', lgamma),
  polygamma: (e, operands, params, result) =>
    (params.order === 0 ? narrowly('polygamma', digamma) : lanewise('polygamma'))(e, operands, params, result),
  sin: mostly('sin', (m, x) => sin(m, x!), beyondReduction),
  cos: mostly('cos', (m, x) => cos(m, x!), beyondReduction),
  tan: mostly('tan', (m, x) => tan(m, x!), beyondReduction),
  rem: (e, operands, params, result) =>
    isFloat(result)
      ? remainderOfFloats(e, operands, params, result)
      : remainderOfIntegers(e, operands[0]!.vector, operands[1]!.vector, isUnsigned(result)),
  pow: (e, operands, params, result) =>
    isFloat(result)
      ? pow(e.lanes, operands[0]!.vector, operands[1]!.vector)
      : e.perLane('pow', params, operands, result),
  floor: onFloats('floor'),
  ceil: onFloats('ceil'),
  round: onFloats('nearest'),
  sqrt: onFloats('sqrt'),
  rsqrt: (e, [x]) => e.lanes.div(e.lanes.float(1), e.lanes.sqrt(x!.vector)),
  not: (e, [x]) => (x!.dtype === 'uint8' ? wrapByte(e, e.lanes.not(x!.vector)) : e.lanes.not(x!.vector)),
  stopGradient: same,
  /** Writes a view out; no primitive, but what fusing puts in. */
  copy: same,
  cast,
  add: onNumbers('add', 'add'),
  sub: onNumbers('sub', 'sub'),
  mul: onNumbers('mul', 'mul'),
  div: onFloats('div'),
  max: extremum('max'),
  min: extremum('min'),
  and: bitwise('v128.and'),
  or: bitwise('v128.or'),
  xor: bitwise('v128.xor'),
  shiftLeft: shift('shl', 'shiftLeft'),
  shiftRight: (e, operands, params, result) =>
    // An unsigned operand has no sign to keep: the reference shifts its 32 bits arithmetically and stores them unsigned.
    shift('shr_s', 'shiftRight')(e, operands, params, result),
  shiftRightLogical: shift('shr_u', 'shiftRightLogical'),
  eq: comparison('eq', 'eq', false),
  ne: comparison('ne', 'ne', false),
  lt: comparison('lt', 'lt', true),
  le: comparison('le', 'le', true),
  gt: comparison('gt', 'gt', true),
  ge: comparison('ge', 'ge', true),
  select: (e, [condition, x, y]) => e.lanes.select(condition!.vector, x!.vector, y!.vector),
  threefry2x32: threefry,
};

/** One elementwise primitive. */
export const emitElementwise = (
  writer: FunctionWriter,
  perLane: Emitter['perLane'],
  op: string,
  params: Params,
  operands: readonly Value[],
  result: DType,
): Value => {
  // Masks take the width of the values they go with, or that of each other.
  const numbers = operands.filter(({ dtype }) => dtype !== 'bool');
  const width = numbers.length > 0 ? widthOf(numbers[0]!.dtype) : (operands[0]?.width ?? 32);
  const aligned = operands.map(
    (x): Value => (x.dtype === 'bool' && x.width !== width ? { ...x, vector: maskOf(writer, x, width), width } : x),
  );
  const lanes = new VectorWriter(writer, width);
  const vector = (emitters[op] ?? lanewise(op))({ writer, lanes, perLane }, aligned, params, result);
  return { vector, dtype: result, width: result === 'bool' ? width : widthOf(result) };
};

/** Whether a primitive is called in JavaScript for every lane, for want of a vector form; `uniform`: of one value in all lanes. */
export const isCalledByLane = (
  op: string,
  params: Params,
  operands: readonly { readonly dtype: DType; readonly uniform: boolean }[],
  result: DType,
): boolean => {
  const writer = new FunctionWriter([]);
  const vector = writer.v128(new Uint8Array(16)).keep('v128');
  const scalar = writer.i32(0).keep('i32');
  let called = false;
  const perLane = (): Local => {
    called = true;
    return vector;
  };
  const values = operands.map(({ dtype, uniform }): Value => {
    const value = { vector, dtype, width: widthOf(dtype) };
    return uniform ? { ...value, scalar } : value;
  });
  emitElementwise(writer, perLane, op, params, values, result);
  return called && !mostlyVectors.includes(op);
};
