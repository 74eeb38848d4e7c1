/** Random bits, exactly those of the references: the group `rng`. */
import { tensor } from 'tenfold';
import { bits, foldIn, type Key, split } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { b } from '../../src/tensor/build.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import {
  arrayOf,
  type GoldenCase,
  goldenTests,
  type Json,
  numberOf,
  readGroup,
  selected,
  stringOf,
  unknownCase,
} from './read.js';

/** Generators of the group that tenfold does not have: its one generator is Threefry-2x32. */
const otherGenerators = [
  'philox2x32',
  'philox4x32',
  'philox2x64',
  'philox4x64',
  'threefry4x32',
  'threefry2x64',
  'threefry4x64',
  'mt19937',
  'pcg64',
];

const words = (json: Json | undefined): number[] => arrayOf(json).map(word => Number.parseInt(stringOf(word), 16));
const hex = (list: ArrayLike<number>): string[] => Array.from(list, word => word.toString(16).padStart(8, '0'));
const keyOf = (each: GoldenCase): Key => tensor(Uint32Array.from(words(each.key)), [2]) as unknown as Key;

/** The two words of the cipher at one counter. */
const cipher = async (key: readonly number[], counter: readonly number[], rounds: number): Promise<string[]> => {
  const node = (word: number) => nodeOf(tensor(Uint32Array.of(word), []));
  const [k0, k1, c0, c1] = [...key, ...counter].map(node);
  const both = ([0, 1] as const).map(word => wrap(b.threefry2x32(k0!, k1!, c0!, c1!, { rounds, word })).data());
  return (await Promise.all(both)).flatMap(hex);
};

const checkCipher = async (each: GoldenCase): Promise<void> => {
  const counter = words(each.counter);
  const blocks = each.blocks === undefined ? 1 : numberOf(each.blocks);
  const got: string[] = [];
  for (let block = 0; block < blocks; block++) {
    got.push(...(await cipher(words(each.key), counter, numberOf(each.rounds))));
    counter[0] = (counter[0]! + 1) >>> 0;
    if (counter[0] === 0) counter[1] = (counter[1]! + 1) >>> 0;
  }
  expect(got).toEqual(arrayOf(each.output));
};

/** The calls of the jax cases, as text: `split(key, 3)`, `random.bits(PRNGKey(1701), (3,), uint32)`. */
const checkCall = async (each: GoldenCase): Promise<void> => {
  const call = stringOf(each.fn).match(/(bits|split|fold_in)\(.*?,\s*\(?(\d+)/);
  if (call === null) throw unknownCase('fn', each.fn);
  const count = Number(call[2]);
  if (call[1] === 'bits') {
    expect(hex(await bits(keyOf(each), [count], { layout: 'original' }).data())).toEqual(arrayOf(each.output));
  } else if (call[1] === 'split') {
    const keys = split(keyOf(each), count, { layout: 'original' });
    expect((await Promise.all(keys.map(key => key.data()))).map(hex)).toEqual(arrayOf(each.output));
  } else {
    expect(hex(await foldIn(keyOf(each), count).data())).toEqual(arrayOf(each.output));
  }
};

const check = async (each: GoldenCase): Promise<void> => {
  if (each.cipher !== 'threefry2x32') unknownCase('cipher', each.cipher);
  await (each.fn === undefined ? checkCipher(each) : checkCall(each));
};

/** Tests of the group, on the device that is in use when they run. */
export const randomTests = (): void => {
  const suite = selected('rng') ? describe : describe.skip;
  suite('rng', () => {
    const outOfScope = new Set(
      readGroup('rng')
        .cases.filter(each => otherGenerators.includes(stringOf(each.cipher)))
        .map(each => `rng/${each.name}`),
    );
    // A cipher that is neither ours nor listed above stays in, and fails.
    for (const { title, run } of goldenTests('rng', check)) if (!outOfScope.has(title)) it(title, run);
  });
};
