/** Values of one dtype out of those of another. */
import { type DType, isFloat } from '../../../dtype.js';
import type { Code } from './code.js';
import { Floats } from './parts.js';
import { conditionOf, float, floatOf, type Scalar, truth, wordAsFloat, wordOf, word as wordScalar } from './scalars.js';
import { isZeroWord, literalWord, negWord, selectWord } from './words.js';

/** The fraction goes, what is too large becomes the largest, and NaN 0. */
const truncated = (code: Code, scalar: Scalar, to: DType): Scalar => {
  const f = new Floats(code);
  const x = f.of(floatOf(code, scalar));
  const positive = f.lt(0, x);
  if (to === 'uint8') return float(f.select(positive, f.floor(f.min(f.select(positive, x, 0), 255)), 0));
  const bound = to === 'int32' ? 2 ** 31 : 2 ** 32;
  const a = f.abs(x);
  const within = f.lt(a, bound);
  const whole = f.floor(f.select(within, a, 0));
  const high = f.floor(f.mul(whole, 1 / 65536));
  const magnitude = { low: f.fma(high, -65536, whole), high };
  const negative = f.lt(x, 0);
  const most = literalWord(code, to === 'int32' ? 2 ** 31 - 1 : 2 ** 32 - 1);
  const least = literalWord(code, to === 'int32' ? 2 ** 31 : 0);
  const below = to === 'int32' ? negWord(code, magnitude) : least;
  const inside = selectWord(code, negative, below, magnitude);
  const zero = literalWord(code, 0);
  const outside = selectWord(code, positive, most, selectWord(code, negative, least, zero));
  return wordScalar(selectWord(code, within, inside, outside));
};

export const cast = (code: Code, scalar: Scalar, from: DType, to: DType): Scalar => {
  if (from === to) return scalar;
  const f = new Floats(code);
  const fromWord = from === 'int32' || from === 'uint32';
  const toWord = to === 'int32' || to === 'uint32';
  if (to === 'bool') {
    return truth(code, code.not(fromWord ? isZeroWord(code, wordOf(scalar)) : f.eq(floatOf(code, scalar), 0)));
  }
  if (from === 'bool') {
    const x = f.select(conditionOf(code, scalar), 1, 0);
    return toWord ? wordScalar({ low: x, high: code.literal(0) }) : float(x);
  }
  if (isFloat(from)) return truncated(code, scalar, to);
  if (to === 'float32') return float(fromWord ? wordAsFloat(code, from, scalar) : floatOf(code, scalar));
  if (!fromWord) return wordScalar({ low: floatOf(code, scalar), high: code.literal(0) });
  if (toWord) return scalar;
  const { low } = wordOf(scalar);
  return float(f.fma(f.floor(f.mul(low, 1 / 256)), -256, low));
};
