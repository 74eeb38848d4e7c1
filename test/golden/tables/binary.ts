/** Operations of two and three operands, elementwise with broadcasting, as PyTorch does them. */
import {
  add,
  atan2,
  clamp,
  copysign,
  div,
  equal,
  floorDivide,
  fmod,
  greater,
  greaterEqual,
  heaviside,
  hypot,
  lerp,
  less,
  lessEqual,
  logaddexp,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  notEqual,
  pow,
  remainder,
  squaredDifference,
  sub,
  type Tensor,
  where,
  xlogy,
} from 'tenfold';
import type { AnyBinary } from '../../helpers.js';
import type { Args, Inputs, Operation, Operations } from '../operations.js';
import { numberOf } from '../read.js';

/** The two operands by the names that a case has for them. */
const pair =
  (f: AnyBinary): Operation =>
  inputs => {
    const { a = inputs.input, b = inputs.exponent } = inputs;
    return f(a!, b!);
  };

/** A tensor and a number, by the name that a case has for the number; `left` if the number is the first operand. */
const withNumber =
  (f: AnyBinary, name: string, left = false): Operation =>
  ({ a }, args) =>
    left ? f(numberOf(args[name]), a!) : f(a!, numberOf(args[name]));

const pairs: Readonly<Record<string, AnyBinary>> = {
  add,
  sub,
  mul,
  div,
  pow,
  maximum,
  minimum,
  atan2,
  remainder,
  fmod,
  floor_divide: floorDivide,
  hypot,
  logaddexp,
  xlogy,
  squared_difference: squaredDifference,
  copysign,
  heaviside,
  eq: equal,
  ne: notEqual,
  lt: less,
  le: lessEqual,
  gt: greater,
  ge: greaterEqual,
  logical_and: logicalAnd as AnyBinary,
  logical_or: logicalOr as AnyBinary,
  logical_xor: logicalXor as AnyBinary,
};

const numbers: Readonly<Record<string, AnyBinary>> = { add, sub, mul, div, remainder, fmod, maximum, minimum };

/** A bound of clamp: a tensor among the inputs, or a number or null among the arguments. */
const bound = (inputs: Inputs, args: Args, name: string): Tensor | number | null =>
  inputs[name] ?? (args[name] === null || args[name] === undefined ? null : numberOf(args[name]));

const mapped = <T>(
  table: Readonly<Record<string, T>>,
  f: (name: string, entry: T) => [string, Operation],
): Operations => Object.fromEntries(Object.entries(table).map(([name, entry]) => f(name, entry)));

export const binary: Operations = {
  ...mapped(pairs, (name, f) => [name, pair(f)]),
  ...mapped(numbers, (name, f) => [`${name}_scalar`, withNumber(f, 'c')]),
  ...mapped(numbers, (name, f) => [`r${name}_scalar`, withNumber(f, 'c', true)]),
  pow_scalar: withNumber(pow, 'exponent'),
  rpow_scalar: withNumber(pow, 'base', true),
  logical_not: ({ a }) => logicalNot(a!),
  where: ({ cond, a, b }) => where(cond!, a!, b!) as Tensor,
  clamp: (inputs, args) => clamp(inputs.x!, bound(inputs, args, 'min'), bound(inputs, args, 'max')),
  lerp: ({ a, b, weight }, args) => lerp(a!, b!, weight ?? numberOf(args.weight)),
  masked_fill: ({ x, mask }, { value }) => where(mask!, numberOf(value), x!) as Tensor,
  addcmul: ({ x, a, b }, { value }) => add(x!, mul(numberOf(value), mul(a!, b!) as Tensor)) as Tensor,
  addcdiv: ({ x, a, b }, { value }) => add(x!, mul(numberOf(value), div(a!, b!) as Tensor)) as Tensor,
};
