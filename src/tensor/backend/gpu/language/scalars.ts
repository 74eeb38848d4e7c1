/** Elements of every dtype while a kernel runs: one float, or two for the halves of a 32-bit integer. */
import type { DType } from '../../../dtype.js';
import type { Code, Condition, Float, Integer } from './code.js';

/** A 32-bit integer as its lower and upper 16 bits, each 0 to 65535. */
export interface Word {
  readonly low: Float;
  readonly high: Float;
}

/** A value while a kernel runs. */
export type Scalar =
  /** float32, uint8; bool as 0 or 1. */
  | { readonly kind: 'float'; readonly x: Float }
  /** bool, not yet a number (a comparison): evaluated where it is used, so not of variables that change before. */
  | { readonly kind: 'truth'; readonly test: Condition }
  /** int32, uint32. */
  | ({ readonly kind: 'word' } & Word);

/** Texts that may stand in the code any number of times: names and literals. */
const simple = /^[a-z]*\d+(\.\d+)?f?$|^\((-?)[\d.]+(e[-+]?\d+)?f?\)$/;

/** The expression itself if it is a name or a literal, else a constant: for what is used more than once. */
export const kept = (code: Code, x: Float): Float => (simple.test(x) ? x : code.let(x));

/** Conditions longer than this are kept as 0 or 1, so that code does not double with every operation on them. */
const longest = 120;

export const float = (x: Float): Scalar => ({ kind: 'float', x });
export const word = ({ low, high }: Word): Scalar => ({ kind: 'word', low, high });
export const truth = (code: Code, test: Condition): Scalar =>
  test.length <= longest
    ? { kind: 'truth', test }
    : float(code.let(code.select(test, code.literal(1), code.literal(0))));

const isWord = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32';

/** As one float: of a truth 0 or 1. */
export const floatOf = (code: Code, scalar: Scalar): Float => {
  if (scalar.kind === 'word') throw new Error('a 32-bit integer is no float');
  return scalar.kind === 'float' ? scalar.x : code.let(code.select(scalar.test, code.literal(1), code.literal(0)));
};

/** As two floats. */
export const wordOf = (scalar: Scalar): Word => {
  if (scalar.kind !== 'word') throw new Error('a float is no 32-bit integer');
  return scalar;
};

/** Of a bool, whether it is true. */
export const conditionOf = (code: Code, scalar: Scalar): Condition =>
  scalar.kind === 'truth' ? scalar.test : `(${floatOf(code, scalar)} > ${code.literal(0.5)})`;

/** As floats in the order they are stored: one, or low and high. */
export const floatsOfScalar = (code: Code, scalar: Scalar): readonly Float[] =>
  scalar.kind === 'word' ? [scalar.low, scalar.high] : [floatOf(code, scalar)];

/** The element at an element index of a buffer the pass reads: words are at 2·index and 2·index + 1. */
export const loadScalar = (code: Code, dtype: DType, buffer: number, index: Integer): Scalar => {
  if (!isWord(dtype)) return float(code.let(code.load(buffer, index)));
  // Of products of literals alone gpu.js does not know whether they are integers.
  const [at, next] = /^\d+$/.test(index)
    ? [`${2 * Number(index)}`, `${2 * Number(index) + 1}`]
    : [`(2 * (${index}))`, `(2 * (${index}) + 1)`];
  return word({ low: code.let(code.load(buffer, at)), high: code.let(code.load(buffer, next)) });
};

/** Zero of a dtype. */
export const zeroScalar = (code: Code, dtype: DType): Scalar => {
  const zero = code.literal(0);
  return isWord(dtype) ? word({ low: zero, high: zero }) : float(zero);
};

/** One value where the condition holds, another of the same dtype elsewhere. */
export const selectScalar = (code: Code, condition: Condition, yes: Scalar, no: Scalar): Scalar => {
  const [x, y] = [floatsOfScalar(code, yes), floatsOfScalar(code, no)];
  const chosen = x.map((part, i) => code.let(code.select(condition, part, y[i]!)));
  return chosen.length === 1 ? float(chosen[0]!) : word({ low: chosen[0]!, high: chosen[1]! });
};

/** A scalar of the program: its index among the run's values. */
export const scalarOfProgram = (code: Code, dtype: DType, index: number): Scalar =>
  isWord(dtype)
    ? word({
        low: code.number({ kind: 'scalar', index, part: 'low' }),
        high: code.number({ kind: 'scalar', index, part: 'high' }),
      })
    : float(code.number({ kind: 'scalar', index, part: 'all' }));

/**
 * An index as a float, which `asFloat` makes of it. One that never changes is a number given to the pass: compilers take
 * products and quotients of a literal zero for 0, whatever the other operand is.
 */
export const floatOfIndex = (code: Code, index: Integer, asFloat: Float): Float =>
  /^\d+$/.test(index) ? code.number({ kind: 'constant', value: Number(index) }) : code.let(asFloat);

/** A non-negative integer below 2^24 as a value of the dtype; of uint8 modulo 256. */
export const scalarOfIndex = (code: Code, dtype: DType, x: Float): Scalar => {
  if (dtype === 'bool') return truth(code, `(${x} > ${code.literal(0.5)})`);
  const index = kept(code, x);
  if (dtype === 'float32') return float(index);
  const size = dtype === 'uint8' ? 256 : 65536;
  const high = code.let(code.call('floor', `(${index} * ${code.literal(1 / size)})`));
  const low = code.let(`(${index} - (${high} * ${code.literal(size)}))`);
  return dtype === 'uint8' ? float(low) : word({ low, high });
};

/** An integer as a float, signed for int32, rounded once: the product with a power of two is exact. */
export const wordAsFloat = (code: Code, dtype: DType, scalar: Scalar): Float => {
  const { low, high } = wordOf(scalar);
  const upper = dtype === 'int32' ? signed(code, high) : high;
  return code.let(`((${upper} * ${code.literal(65536)}) + ${low})`);
};

/** The upper half of an int32 with its sign. */
export const signed = (code: Code, high: Float): Float => {
  const x = kept(code, high);
  return code.let(code.select(`(${x} >= ${code.literal(32768)})`, `(${x} - ${code.literal(65536)})`, x));
};
