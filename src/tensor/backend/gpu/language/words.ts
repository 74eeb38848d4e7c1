/**
 * 32-bit integers as pairs of floats that hold 16 bits each. No number on the way is beyond 2^24 unless it has few
 * digits, so nothing rounds, whether the device multiplies and adds in one step or in two.
 */
import type { Code, Condition, Float } from './code.js';
import { Floats } from './parts.js';
import { signed, type Word } from './scalars.js';

const size = 65536;

/** The integer with these bits. */
export const literalWord = (code: Code, bits: number): Word => ({
  low: code.literal((bits >>> 0) % size),
  high: code.literal((bits >>> 0) >>> 16),
});

/**
 * x / 2^16 as a quotient and a rest, x from 0 to 2^40 with at most 24 digits. The rest is a product, no sum with x in it:
 * compilers of GLSL add such a sum to others in the order they like, and round (Mesa).
 */
const parted = (f: Floats, x: Float): Word => {
  const scaled = f.mul(x, 1 / size);
  const high = f.floor(scaled);
  return { low: f.mul(f.sub(scaled, high), size), high };
};

/** x modulo 2^16, x below 2^17. */
const wrapped = (f: Floats, x: Float): Float => f.sub(x, f.select(f.le(size, x), size, 0));

export const addWords = (code: Code, x: Word, y: Word): Word => {
  const f = new Floats(code);
  const low = f.add(x.low, y.low);
  const carry = f.select(f.le(size, low), 1, 0);
  return { low: f.fma(carry, -size, low), high: wrapped(f, f.add(f.add(x.high, y.high), carry)) };
};

export const subWords = (code: Code, x: Word, y: Word): Word => {
  const f = new Floats(code);
  const low = f.sub(x.low, y.low);
  const borrow = f.select(f.lt(low, 0), 1, 0);
  const high = f.sub(f.sub(x.high, y.high), borrow);
  return { low: f.fma(borrow, size, low), high: f.add(high, f.select(f.lt(high, 0), size, 0)) };
};

export const negWord = (code: Code, x: Word): Word => subWords(code, literalWord(code, 0), x);

/** By the bytes of one half, so that products have 24 bits. */
export const mulWords = (code: Code, x: Word, y: Word): Word => {
  const f = new Floats(code);
  const bytes = (half: Float): readonly [low: Float, high: Float] => {
    const high = f.floor(f.mul(half, 1 / 256));
    return [f.fma(high, -256, half), high];
  };
  const [y0, y1] = bytes(y.low);
  // x.low·y.low in full.
  const first = parted(f, f.mul(x.low, y0));
  const second = f.mul(x.low, y1);
  const above = f.floor(f.mul(second, 1 / 256));
  const low = f.fma(f.fma(above, -256, second), 256, first.low);
  const carry = f.select(f.le(size, low), 1, 0);
  // The upper halves modulo 2^16.
  const cross = (p: Float, q0: Float, q1: Float): Float => {
    const upper = f.mul(p, q1);
    const rest = f.fma(f.floor(f.mul(upper, 1 / 256)), -256, upper);
    return f.fma(rest, 256, parted(f, f.mul(p, q0)).low);
  };
  const [h0, h1] = bytes(y.high);
  const sum = f.add(f.add(first.high, above), f.add(carry, cross(x.high, y0, y1)));
  return { low: f.fma(carry, -size, low), high: parted(f, f.add(sum, cross(x.low, h0, h1))).low };
};

/** The halves of an integer less than one of two such, with the sign of int32. */
const upper = (code: Code, x: Word, isSigned: boolean): Float => (isSigned ? signed(code, x.high) : x.high);

export const equalWords = (code: Code, x: Word, y: Word): Condition => {
  const f = new Floats(code);
  return code.both(f.eq(x.low, y.low), f.eq(x.high, y.high));
};

export const lessWords = (code: Code, x: Word, y: Word, isSigned: boolean): Condition => {
  const f = new Floats(code);
  const [xh, yh] = [upper(code, x, isSigned), upper(code, y, isSigned)];
  return code.either(f.lt(xh, yh), code.both(f.eq(xh, yh), f.lt(x.low, y.low)));
};

export const isZeroWord = (code: Code, x: Word): Condition => equalWords(code, x, literalWord(code, 0));
export const isNegativeWord = (code: Code, x: Word): Condition => new Floats(code).le(32768, x.high);

export const selectWord = (code: Code, condition: Condition, yes: Word, no: Word): Word => {
  const f = new Floats(code);
  return { low: f.select(condition, yes.low, no.low), high: f.select(condition, yes.high, no.high) };
};

export const bitsOfWords = (code: Code, operator: '&' | '|' | '^', x: Word, y: Word): Word => ({
  low: code.let(code.bits(operator, x.low, y.low)),
  high: code.let(code.bits(operator, x.high, y.high)),
});

export const notWord = (code: Code, x: Word): Word => {
  const f = new Floats(code);
  return { low: f.sub(size - 1, x.low), high: f.sub(size - 1, x.high) };
};

/** Bits that leave at the top come in again at the bottom: by 1 to 31 bits, but 16. */
export const rotateWord = (code: Code, x: Word, by: number): Word => {
  const f = new Floats(code);
  const [low, high] = by < 16 ? [x.low, x.high] : [x.high, x.low];
  const power = 2 ** (by % 16);
  const [l, h] = [parted(f, f.mul(low, power)), parted(f, f.mul(high, power))];
  return { low: f.add(l.low, h.high), high: f.add(h.low, l.high) };
};

/** Of an amount: whether it is 32 or more, 16 or more of 31, and 2 to the rest and its inverse, all exact. */
const amountOf = (f: Floats, y: Word) => {
  const beyond = f.code.either(f.lt(0, y.high), f.lt(31, y.low));
  const half = f.le(16, y.low);
  let rest = f.select(half, f.sub(y.low, 16), y.low);
  let power = f.of(1);
  let inverse = f.of(1);
  for (const bit of [8, 4, 2, 1]) {
    const has = f.le(bit, rest);
    power = f.mul(power, f.select(has, 2 ** bit, 1));
    inverse = f.mul(inverse, f.select(has, 2 ** -bit, 1));
    rest = f.sub(rest, f.select(has, bit, 0));
  }
  return { beyond, half, power, inverse };
};

export const shiftLeftWord = (code: Code, x: Word, by: Word): Word => {
  const f = new Floats(code);
  const { beyond, half, power } = amountOf(f, by);
  const [l, h] = [parted(f, f.mul(x.low, power)), parted(f, f.mul(x.high, power))];
  const high = f.select(half, l.low, f.add(h.low, l.high));
  return { low: f.select(code.either(beyond, half), 0, l.low), high: f.select(beyond, 0, high) };
};

/** `fills`: copies of the sign come in at the top. */
export const shiftRightWord = (code: Code, x: Word, by: Word, fills: boolean): Word => {
  const f = new Floats(code);
  const { beyond, half, power, inverse } = amountOf(f, by);
  const fill = fills ? f.select(f.le(32768, x.high), size - 1, 0) : f.of(0);
  const shifted = f.floor(f.mul(x.high, inverse));
  // What leaves the upper half comes in at the top of the lower.
  const left = f.mul(f.fma(shifted, f.neg(power), x.high), f.mul(inverse, size));
  const low = f.add(f.floor(f.mul(x.low, inverse)), left);
  const high = fills ? f.add(shifted, f.select(f.lt(0, fill), f.fma(inverse, -size, size), 0)) : shifted;
  return {
    low: f.select(beyond, fill, f.select(half, high, low)),
    high: f.select(code.either(beyond, half), fill, high),
  };
};

/** The remainder without signs by long division, bit by bit; by 0 it is 0. */
const remainder = (code: Code, x: Word, y: Word): Word => {
  const f = new Floats(code);
  const [bitsLow, bitsHigh] = [code.variable(x.low), code.variable(x.high)];
  const zero = code.literal(0);
  const [low, high] = [code.variable(zero), code.variable(zero)];
  code.loop(32, () => {
    const top = f.select(f.le(32768, bitsHigh), 1, 0);
    const middle = f.select(f.le(32768, bitsLow), 1, 0);
    code.assign(bitsHigh, f.fma(top, -size, f.fma(bitsHigh, 2, middle)));
    code.assign(bitsLow, f.fma(middle, -size, f.fma(bitsLow, 2, 0)));
    // Twice the rest and the next bit: up to 33 bits, of which the upper part has 17.
    const carry = f.select(f.le(32768, low), 1, 0);
    const nextLow = f.fma(carry, -size, f.fma(low, 2, top));
    const nextHigh = f.fma(high, 2, carry);
    const lowLess = f.sub(nextLow, y.low);
    const borrow = f.select(f.lt(lowLess, 0), 1, 0);
    const highLess = f.sub(f.sub(nextHigh, y.high), borrow);
    const fits = f.le(0, highLess);
    code.assign(low, code.select(fits, f.fma(borrow, size, lowLess), nextLow));
    code.assign(high, code.select(fits, highLess, nextHigh));
  });
  const none = isZeroWord(code, y);
  return { low: f.select(none, 0, low), high: f.select(none, 0, high) };
};

/** With the sign of the dividend. */
export const remWords = (code: Code, x: Word, y: Word, isSigned: boolean): Word => {
  if (!isSigned) return remainder(code, x, y);
  const negative = isNegativeWord(code, x);
  const magnitude = (value: Word): Word => selectWord(code, isNegativeWord(code, value), negWord(code, value), value);
  const rest = remainder(code, magnitude(x), magnitude(y));
  return selectWord(code, negative, negWord(code, rest), rest);
};

/** x to the y-th modulo 2^32 by squaring; a negative exponent leaves the powers of ±1 alone. */
export const powWords = (code: Code, x: Word, y: Word, isSigned: boolean): Word => {
  const f = new Floats(code);
  const one = literalWord(code, 1);
  const square = { low: code.variable(x.low), high: code.variable(x.high) };
  const result = { low: code.variable(one.low), high: code.variable(one.high) };
  const bits = { low: code.variable(y.low), high: code.variable(y.high) };
  code.loop(32, () => {
    const half = f.floor(f.mul(bits.low, 0.5));
    const odd = f.lt(0.5, f.fma(half, -2, bits.low));
    const product = selectWord(code, odd, mulWords(code, result, square), result);
    const squared = mulWords(code, square, square);
    const upperHalf = f.floor(f.mul(bits.high, 0.5));
    code.assign(bits.low, f.fma(f.fma(upperHalf, -2, bits.high), 32768, half));
    code.assign(bits.high, upperHalf);
    code.assign(result.low, product.low);
    code.assign(result.high, product.high);
    code.assign(square.low, squared.low);
    code.assign(square.high, squared.high);
  });
  const power = { low: code.let(result.low), high: code.let(result.high) };
  if (!isSigned) return power;
  const odd = f.lt(0.25, f.sub(f.mul(y.low, 0.5), f.floor(f.mul(y.low, 0.5))));
  const minusOne = literalWord(code, 0xffffffff);
  const ofMinusOne = selectWord(code, odd, minusOne, one);
  const zero = literalWord(code, 0);
  const few = selectWord(
    code,
    equalWords(code, x, one),
    one,
    selectWord(code, equalWords(code, x, minusOne), ofMinusOne, zero),
  );
  return selectWord(code, isNegativeWord(code, y), few, power);
};
