/** Whatever is wrong with an argument, a public function says so in an error of the library that names the function. */
import { readdirSync } from 'node:fs';
import { format } from 'node:util';
import { isTensor, TenfoldError } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { functionsOf } from '../../scripts/docstrings.js';
import type { BadInputs } from './bad-input/types.js';

const folder = new URL('./bad-input/', import.meta.url);

const tables: readonly BadInputs[] = await Promise.all(
  readdirSync(folder)
    .filter(file => file.endsWith('.ts') && file !== 'types.ts')
    .map(async file => Object.values((await import(new URL(file, folder).href)) as Record<string, BadInputs>))
    .map(async table => Object.assign({}, ...(await table))),
);

const callsOf = (name: string): BadInputs[string] => tables.flatMap(table => table[name] ?? []);

/** Functions that refuse nothing. */
const total: Readonly<Record<string, string>> = {
  isTensor: 'it says of anything whether it is a tensor',
  memoryStats: 'it takes nothing',
  threadInfo: 'it takes nothing',
};

/** Functions whose errors name another one, because that is what the caller wrote last. */
const aliases: Readonly<Record<string, string>> = {};

/** Where the functions are that take tensors apart from their trees. */
const tested = ['tenfold', 'tenfold/nn', 'tenfold/random'];

const core = new Set((await functionsOf('tenfold')).map(({ name }) => name));

const functions = (
  await Promise.all(tested.map(async specifier => ({ specifier, of: await functionsOf(specifier) })))
).flatMap(({ specifier, of }) =>
  of.map(({ name }) => {
    const qualified = specifier === 'tenfold' ? name : `${specifier.slice('tenfold/'.length)}.${name}`;
    // A table names a function as its module does, and with the entry point where `tenfold` has that name too.
    const entry = callsOf(qualified).length > 0 || core.has(name) ? qualified : name;
    return { name, qualified, entry, calls: callsOf(entry) };
  }),
);

/** What is wrong with how a call is refused; null where nothing is. */
const faultOf = async (name: string, call: () => unknown): Promise<string | null> => {
  try {
    const result = await call();
    return `gives ${isTensor(result) ? `${result.dtype} of shape [${result.shape}]` : format(result)}`;
  } catch (error) {
    if (!(error instanceof TenfoldError)) return `throws ${String(error)}`;
    if (error.operation !== (aliases[name] ?? name)) return `names ${error.operation}: ${error.message}`;
    return [error.given, error.rule, error.hint].includes('') ? `says too little: ${error.message}` : null;
  }
};

describe('bad arguments', () => {
  for (const { name, qualified, calls } of functions) {
    if (calls.length === 0) continue;
    it(qualified, async () => {
      const faults: string[] = [];
      for (const [i, call] of calls.entries()) {
        const fault = await faultOf(name, call);
        if (fault !== null) faults.push(`call ${i}, ${call}, ${fault}`);
      }
      expect(faults).toEqual([]);
    });
  }
});

it('every public function is given some', () => {
  const missing = functions.filter(({ qualified, calls }) => calls.length === 0 && !(qualified in total));
  expect(missing.map(({ qualified }) => qualified)).toEqual([]);
});

it('no other function is', () => {
  const known = new Set(functions.map(({ entry }) => entry));
  expect(tables.flatMap(table => Object.keys(table)).filter(name => !known.has(name))).toEqual([]);
  const all = new Set(functions.map(({ qualified }) => qualified));
  expect([...Object.keys(total), ...Object.keys(aliases)].filter(name => !all.has(name))).toEqual([]);
});
