/** Whatever is wrong with an argument, a public function says so in an error of the library that names the function. */
import { readdirSync } from 'node:fs';
import { format } from 'node:util';
import { isTensor, TenfoldError, type Tensor, tensor, zeros } from 'tenfold';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { functionsOf } from '../../scripts/docstrings.js';
import type { BadInputs } from './bad-input/types.js';

const folder = new URL('./bad-input/', import.meta.url);

const modules: readonly Readonly<Record<string, BadInputs>>[] = await Promise.all(
  readdirSync(folder)
    .filter(file => file.endsWith('.ts') && file !== 'types.ts')
    .map(file => import(new URL(file, folder).href)),
);

const tables = modules.flatMap(module => Object.values(module));

const callsOf = (name: string): BadInputs[string] => tables.flatMap(table => table[name] ?? []);

/** Functions that refuse nothing. */
const total: Readonly<Record<string, string>> = {
  isTensor: 'it says of anything whether it is a tensor',
  memoryStats: 'it takes nothing',
  threadInfo: 'it takes nothing',
};

/** Where the functions are that take tensors apart from their trees. */
const tested = ['tenfold', 'tenfold/nn', 'tenfold/random'];

const core = new Set((await functionsOf('tenfold')).map(({ name }) => name));

const functions = (
  await Promise.all(tested.map(async specifier => ({ specifier, of: await functionsOf(specifier) })))
).flatMap(({ specifier, of }) =>
  of.map(({ name, f, origin }) => {
    const qualified = specifier === 'tenfold' ? name : `${specifier.slice('tenfold/'.length)}.${name}`;
    // A table names a function as its module does, and with the entry point where `tenfold` has that name too.
    const entry = callsOf(qualified).length > 0 || core.has(name) ? qualified : name;
    return { name, f, origin, qualified, entry, calls: callsOf(entry) };
  }),
);

/** What is wrong with an error; null where nothing is. */
const faultIn = (name: string, error: unknown): string | null => {
  if (!(error instanceof TenfoldError)) return `throws ${String(error)}`;
  if (error.operation !== name) return `names ${error.operation}: ${error.message}`;
  return [error.given, error.rule, error.hint].includes('') ? `says too little: ${error.message}` : null;
};

/** Tensors by shape and dtype. */
const show = (value: unknown): string => {
  if (isTensor(value)) return `${value.dtype}[${value.shape.join(', ')}]`;
  return Array.isArray(value) ? `[${value.map(show).join(', ')}]` : format(value);
};

const faultOf = async (name: string, call: () => unknown): Promise<string | null> => {
  try {
    return `gives ${show(await call())}`;
  } catch (error) {
    return faultIn(name, error);
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
  expect(Object.keys(total).filter(name => !all.has(name))).toEqual([]);
});

describe('whatever the arguments are, what is thrown is such an error', () => {
  const x = zeros([2, 3]);
  const odd: readonly unknown[] = [
    ...[undefined, null, Number.NaN, Number.NEGATIVE_INFINITY, -1, 0, 1, 1.5, '', 'x', true, () => 0],
    ...[[], [1], [1.5], [0, 1], [null], ['a'], [x, 'a'], {}, { axis: 9 }, { axis: null }, { axis: '0' }, { bogus: 1 }],
    ...[x, tensor(1), zeros([3]), zeros([0, 3]), zeros([1, 2, 5]), zeros([1, 2, 5, 5])],
    ...(['int32', 'uint32', 'uint8', 'bool'] as const).map(dtype => zeros([2, 3], { dtype })),
  ];
  const lists = (first: Tensor): readonly (readonly unknown[])[] => [
    [],
    ...odd.flatMap(a => [[a], [first, x, a], ...odd.map(b => [a, b])]),
    ...odd.flatMap(a => odd.map(b => [first, a, b])),
  ];

  for (const { name, qualified, f, origin } of functions) {
    if (!/^src\/(?:tensor\/ops|nn|random)\//.test(origin.file)) continue;
    it(qualified, () => {
      const faults = new Map<string, string>();
      for (const list of lists(origin.file.startsWith('src/random/') ? key(0) : x)) {
        try {
          const result = f(...list);
          if (typeof result === 'function') result(x);
        } catch (error) {
          const fault = faultIn(name, error);
          if (fault !== null && !faults.has(fault)) faults.set(fault, `${name}(${list.map(show).join(', ')})`);
        }
      }
      expect([...faults]).toEqual([]);
    });
  }
});
