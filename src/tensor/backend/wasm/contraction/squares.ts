/** Squares of four vectors of four words turned over. */
import type { FunctionWriter, Local } from '../assembler.js';

/** Words and pairs of words of two vectors in turns, as bytes for `shuffle`. */
export const lowWords = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
export const highWords = lowWords.map(byte => byte + 8);
const lowPairs = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const highPairs = lowPairs.map(byte => byte + 8);

export const mixed = (f: FunctionWriter, bytes: readonly number[], x: Local, y: Local): Local =>
  f.get(x, y).shuffle(bytes).keep('v128');

/** Vector i has word i of each of the four. */
export const turned = (
  f: FunctionWriter,
  [r0, r1, r2, r3]: readonly [Local, Local, Local, Local],
): readonly [Local, Local, Local, Local] => {
  const [a, b] = [mixed(f, lowWords, r0, r1), mixed(f, highWords, r0, r1)];
  const [c, e] = [mixed(f, lowWords, r2, r3), mixed(f, highWords, r2, r3)];
  return [mixed(f, lowPairs, a, c), mixed(f, highPairs, a, c), mixed(f, lowPairs, b, e), mixed(f, highPairs, b, e)];
};
