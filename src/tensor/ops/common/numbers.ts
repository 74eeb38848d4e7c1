/** Numbers beside nodes: options that are numbers, and constants in the shape of an operand. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkArgument } from '../../shape.js';
import { kindOf } from './checks.js';
import { checkSetting } from './operands.js';

const signs = {
  any: { holds: (value: number) => !Number.isNaN(value), rule: 'a number' },
  positive: { holds: (value: number) => value > 0, rule: 'a number above 0' },
  notNegative: { holds: (value: number) => value >= 0, rule: 'a number not below 0' },
};

/**
 * An option that is a number, perhaps infinite.
 *
 * @throws ArgumentError for NaN, what is no number, or one of another sign
 * @throws TraceError for a placeholder
 */
export const checkNumber = (
  operation: string,
  what: string,
  value: unknown,
  sign: keyof typeof signs = 'any',
): number => {
  checkSetting(operation, what, value);
  checkArgument(
    typeof value === 'number' && signs[sign].holds(value),
    operation,
    `${kindOf(value)} as ${what}`,
    `${what} is ${signs[sign].rule}`,
    'Give such a JavaScript number, or leave it out for the default.',
  );
  return value as number;
};

export const times = (x: Node, factor: number): Node => b.mul(x, full(b, x, factor));

export const plus = (x: Node, summand: number): Node => b.add(x, full(b, x, summand));

/** Σ cᵢ xⁱ, the coefficients from the lowest power on. */
export const polynomial = (x: Node, coefficients: readonly number[]): Node =>
  coefficients.reduceRight<Node>((sum, c) => plus(b.mul(sum, x), c), full(b, x, 0));

const boundOf = (x: Node, bound: number | Node): Node => (typeof bound === 'number' ? full(b, x, bound) : bound);

/** `x`, but not below the bound. By comparison rather than max, so that the derivative at the bound is 1 and not half. */
export const atLeast = (x: Node, bound: number | Node): Node => {
  const low = boundOf(x, bound);
  return b.select(b.lt(x, low), low, x);
};

/** `x`, but not above the bound; the derivative at the bound is 1. */
export const atMost = (x: Node, bound: number | Node): Node => {
  const high = boundOf(x, bound);
  return b.select(b.gt(x, high), high, x);
};

/** `x` between two numbers, with the derivative 0 at both. */
export const between = (x: Node, low: number, high: number): Node => {
  const [bottom, top] = [full(b, x, low), full(b, x, high)];
  return b.select(b.le(x, bottom), bottom, b.select(b.ge(x, top), top, x));
};
