/** What each elementwise primitive is in device code, for the dtypes that devices have. */
import { type DType, isFloat } from '../../../dtype.js';
import type { Params } from '../../../graph.js';
import { acos, asin, atan, atan2, cos, sin, tan } from './angles.js';
import { div, hypot, max, min, mul, rem, round, rsqrt, sign, sqrt, sub } from './arithmetic.js';
import { cast } from './casts.js';
import type { Code, Condition, Float } from './code.js';
import { cosh, exp, expm1, sigmoid, sinh, tanh } from './exponential.js';
import { digamma, lgamma } from './gamma.js';
import { acosh, asinh, atanh, log, log1p, logaddexp } from './logarithm.js';
import { Floats } from './parts.js';
import { pow } from './power.js';
import {
  conditionOf,
  float,
  floatOf,
  kept,
  type Scalar,
  selectScalar,
  truth,
  type Word,
  wordOf,
  word as wordScalar,
} from './scalars.js';
import { erf, erfc, erfinv } from './special.js';
import { threefry } from './threefry.js';
import {
  addWords,
  bitsOfWords,
  equalWords,
  isNegativeWord,
  isZeroWord,
  lessWords,
  literalWord,
  mulWords,
  negWord,
  notWord,
  powWords,
  remWords,
  selectWord,
  shiftLeftWord,
  shiftRightWord,
  subWords,
} from './words.js';

type OfFloats = (f: Floats, ...operands: readonly Float[]) => Float;

/** Functions of float32. */
const floats: Readonly<Record<string, OfFloats>> = {
  neg: (f, x) => f.neg(x!),
  abs: (f, x) => f.abs(x!),
  sign: (f, x) => sign(f, x!),
  floor: (f, x) => f.floor(x!),
  ceil: (f, x) => f.call('ceil', x!),
  round: (f, x) => round(f, x!),
  exp: (f, x) => exp(f, x!),
  expm1: (f, x) => expm1(f, x!),
  log: (f, x) => log(f, x!),
  log1p: (f, x) => log1p(f, x!),
  sqrt: (f, x) => sqrt(f, x!),
  rsqrt: (f, x) => rsqrt(f, x!),
  sin: (f, x) => sin(f, x!),
  cos: (f, x) => cos(f, x!),
  tan: (f, x) => tan(f, x!),
  tanh: (f, x) => tanh(f, x!),
  sigmoid: (f, x) => sigmoid(f, x!),
  erf: (f, x) => erf(f, x!),
  erfc: (f, x) => erfc(f, x!),
  erfinv: (f, x) => erfinv(f, x!),
  asin: (f, x) => asin(f, x!),
  acos: (f, x) => acos(f, x!),
  atan: (f, x) => atan(f, x!),
  sinh: (f, x) => sinh(f, x!),
  cosh: (f, x) => cosh(f, x!),
  asinh: (f, x) => asinh(f, x!),
  acosh: (f, x) => acosh(f, x!),
  atanh: (f, x) => atanh(f, x!),
  atan2: (f, y, x) => atan2(f, y!, x!),
  hypot: (f, x, y) => hypot(f, x!, y!),
  logaddexp: (f, x, y) => logaddexp(f, x!, y!),
  lgamma: (f, x) => lgamma(f, x!),
  polygamma: (f, x) => digamma(f, x!),
  add: (f, x, y) => f.add(x!, y!),
  sub: (f, x, y) => sub(f, x!, y!),
  mul: (f, x, y) => mul(f, x!, y!),
  div: (f, x, y) => div(f, x!, y!),
  rem: (f, x, y) => rem(f, x!, y!),
  pow: (f, x, y) => pow(f, x!, y!),
  max: (f, x, y) => max(f, x!, y!),
  min: (f, x, y) => min(f, x!, y!),
};

/** On 32-bit integers; whether they are signed. */
type OfWords = (code: Code, isSigned: boolean, x: Word, y: Word) => Word;

const words: Readonly<Record<string, OfWords>> = {
  neg: (code, _, x) => negWord(code, x),
  abs: (code, isSigned, x) => (isSigned ? selectWord(code, isNegativeWord(code, x), negWord(code, x), x) : x),
  sign: (code, isSigned, x) => {
    const rest = selectWord(code, isZeroWord(code, x), x, literalWord(code, 1));
    return isSigned ? selectWord(code, isNegativeWord(code, x), literalWord(code, -1), rest) : rest;
  },
  not: (code, _, x) => notWord(code, x),
  add: (code, _, x, y) => addWords(code, x, y),
  sub: (code, _, x, y) => subWords(code, x, y),
  mul: (code, _, x, y) => mulWords(code, x, y),
  rem: (code, isSigned, x, y) => remWords(code, x, y, isSigned),
  pow: (code, isSigned, x, y) => powWords(code, x, y, isSigned),
  max: (code, isSigned, x, y) => selectWord(code, lessWords(code, x, y, isSigned), y, x),
  min: (code, isSigned, x, y) => selectWord(code, lessWords(code, x, y, isSigned), x, y),
  and: (code, _, x, y) => bitsOfWords(code, '&', x, y),
  or: (code, _, x, y) => bitsOfWords(code, '|', x, y),
  xor: (code, _, x, y) => bitsOfWords(code, '^', x, y),
  shiftLeft: (code, _, x, y) => shiftLeftWord(code, x, y),
  // Of an unsigned operand too the uppermost bit is its sign.
  shiftRight: (code, _, x, y) => shiftRightWord(code, x, y, true),
  shiftRightLogical: (code, _, x, y) => shiftRightWord(code, x, y, false),
};

/** On uint8, and on bool as 0 and 1; the largest of the dtype is all its bits. */
const bytes: Readonly<Record<string, (code: Code, largest: number, x: Float, y: Float) => Float>> = {
  not: (code, largest, x) => new Floats(code).sub(largest, x),
  and: (code, _, x, y) => code.let(code.bits('&', x, y)),
  or: (code, _, x, y) => code.let(code.bits('|', x, y)),
  xor: (code, _, x, y) => code.let(code.bits('^', x, y)),
};

/** Logic on conditions, without numbers. */
const logic: Readonly<Record<string, (code: Code, x: Condition, y: Condition) => Condition>> = {
  not: (code, x) => code.not(x),
  and: (code, x, y) => code.both(x, y),
  or: (code, x, y) => code.either(x, y),
  // As numbers, which stand in the text once.
  xor: (code, x, y) =>
    code.not(`(${floatOf(code, { kind: 'truth', test: x })} == ${floatOf(code, { kind: 'truth', test: y })})`),
};

const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
type Comparison = (typeof comparisons)[number];
const isComparison = (op: string): op is Comparison => (comparisons as readonly string[]).includes(op);

const compareFloats = (f: Floats, op: Comparison, x: Float, y: Float): Condition => {
  switch (op) {
    case 'eq':
      return f.eq(x, y);
    case 'ne':
      return f.code.not(f.eq(x, y));
    case 'lt':
      return f.lt(x, y);
    case 'le':
      return f.le(x, y);
    case 'gt':
      return f.lt(y, x);
    case 'ge':
      return f.le(y, x);
  }
};

const compareWords = (code: Code, op: Comparison, x: Word, y: Word, isSigned: boolean): Condition => {
  switch (op) {
    case 'eq':
      return equalWords(code, x, y);
    case 'ne':
      return code.not(equalWords(code, x, y));
    case 'lt':
      return lessWords(code, x, y, isSigned);
    case 'le':
      return code.not(lessWords(code, y, x, isSigned));
    case 'gt':
      return lessWords(code, y, x, isSigned);
    case 'ge':
      return code.not(lessWords(code, x, y, isSigned));
  }
};

/** Whether {@link operate} knows the primitive for these dtypes; nothing with float64 ever. */
export const canOperate = (op: string, params: Params, operandDtypes: readonly DType[], dtype: DType): boolean => {
  if (dtype === 'float64' || operandDtypes.includes('float64')) return false;
  const [first] = operandDtypes;
  if (op === 'copy' || op === 'stopGradient' || op === 'cast' || op === 'select' || isComparison(op)) return true;
  if (op === 'threefry2x32') return first === 'uint32';
  if (op === 'polygamma') return params.order === 0 && first === 'float32';
  switch (first) {
    case 'float32':
      return op in floats;
    case 'int32':
    case 'uint32':
      return op in words;
    default:
      return op in bytes;
  }
};

/** Halves that may stand in the code any number of times. */
const settled = (code: Code, scalar: Scalar): Word => {
  const { low, high } = wordOf(scalar);
  return { low: kept(code, low), high: kept(code, high) };
};

/** The primitive on its operands; what it computes is kept in constants, but for short conditions. */
export const operate = (
  code: Code,
  op: string,
  params: Params,
  operands: readonly Scalar[],
  operandDtypes: readonly DType[],
  dtype: DType,
): Scalar => {
  const [x, y] = operands as readonly [Scalar, Scalar];
  const from = operandDtypes[0] ?? dtype;
  if (!canOperate(op, params, operandDtypes, dtype)) throw new Error(`no device code for ${op} of ${from}`);
  if (op === 'copy' || op === 'stopGradient') return x;
  if (op === 'cast') return cast(code, x, from, dtype);
  if (op === 'select') return selectScalar(code, conditionOf(code, x), y, operands[2]!);
  if (op === 'threefry2x32') {
    const [k0, k1, c0, c1] = operands.map(operand => settled(code, operand)) as [Word, Word, Word, Word];
    return wordScalar(threefry(code, [k0, k1, c0, c1], params.rounds as number, params.word));
  }
  if (x.kind === 'word') {
    const [p, q] = [settled(code, x), y === undefined ? literalWord(code, 0) : settled(code, y)];
    const isSigned = from === 'int32';
    if (isComparison(op)) return truth(code, compareWords(code, op, p, q, isSigned));
    return wordScalar(words[op]!(code, isSigned, p, q));
  }
  if (from === 'bool' && op in logic) {
    return truth(code, logic[op]!(code, conditionOf(code, x), y === undefined ? '' : conditionOf(code, y)));
  }
  const f = new Floats(code);
  const numbers = operands.map(operand => kept(code, floatOf(code, operand)));
  if (isComparison(op)) return truth(code, compareFloats(f, op, numbers[0]!, numbers[1]!));
  if (isFloat(from)) return float(floats[op]!(f, ...numbers));
  return float(bytes[op]!(code, from === 'bool' ? 1 : 255, numbers[0]!, numbers[1] ?? code.literal(0)));
};
