/** The Threefry-2x32 cipher on 32-bit integers in halves: the bits are those of the primitive's scalar meaning. */
import type { Code } from './code.js';
import type { Word } from './scalars.js';
import { addWords, bitsOfWords, literalWord, rotateWord } from './words.js';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

export const threefry = (
  code: Code,
  [key0, key1, counter0, counter1]: readonly [Word, Word, Word, Word],
  rounds: number,
  word: unknown,
): Word => {
  const xor = (x: Word, y: Word): Word => bitsOfWords(code, '^', x, y);
  const add = (x: Word, y: Word): Word => addWords(code, x, y);
  const keys = [key0, key1, xor(xor(key0, key1), literalWord(code, 0x1bd11bda))] as const;
  let x0 = add(counter0, key0);
  let x1 = add(counter1, key1);
  for (let round = 0; round < rounds; round++) {
    const by = rotations[(round >> 2) & 1]![round & 3]!;
    x0 = add(x0, x1);
    x1 = xor(rotateWord(code, x1, by), x0);
    if ((round & 3) === 3) {
      const s = (round + 1) >> 2;
      x0 = add(x0, keys[s % 3]!);
      x1 = add(add(x1, keys[(s + 1) % 3]!), literalWord(code, s));
    }
  }
  return word === 0 ? x0 : word === 1 ? x1 : xor(x0, x1);
};
