/** Whatever is wrong with an argument, a public function says so in an error of the library that names the function. */
import { readdirSync } from 'node:fs';
import { inspect } from 'node:util';
import { isTensor, TenfoldError, type Tensor, tensor, zeros } from 'tenfold';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { entryPoints, functionsOf } from '../scripts/docstrings.js';
import { good, methods } from './bad-input/good.js';
import type { BadInputs } from './bad-input/types.js';

const folder = new URL('./bad-input/', import.meta.url);

const modules: readonly Readonly<Record<string, BadInputs>>[] = await Promise.all(
  readdirSync(folder)
    .filter(file => file.endsWith('.ts') && file !== 'types.ts' && file !== 'good.ts')
    .map(file => import(new URL(file, folder).href)),
);

const tables = modules.flatMap(module => Object.values(module));

const callsOf = (name: string): BadInputs[string] => tables.flatMap(table => table[name] ?? []);

/** Functions that refuse nothing. */
const total: Readonly<Record<string, string>> = {
  isTensor: 'it says of anything whether it is a tensor',
  'data.loadDigits': 'it takes nothing',
  'diffusion.dpm2': 'it takes nothing',
  'diffusion.edmProcess': 'it takes nothing',
  'diffusion.heun': 'it takes nothing',
  'diffusion.lcm': 'it takes nothing',
  deviceInfo: 'it takes nothing',
  memoryStats: 'it takes nothing',
  threadInfo: 'it takes nothing',
};

const core = new Set((await functionsOf('tenfold')).map(({ name }) => name));

const functions = (
  await Promise.all([...entryPoints.keys()].map(async specifier => ({ specifier, of: await functionsOf(specifier) })))
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
  // What a function gives may name itself after it: training step, uniformSampler.sample.
  if (error.operation.split(/[ .]/)[0] !== name) return `names ${error.operation}: ${error.message}`;
  return [error.given, error.rule, error.hint].includes('') ? `says too little: ${error.message}` : null;
};

/** Tensors by shape and dtype. */
const show = (value: unknown): string => {
  if (isTensor(value)) return `${value.dtype}[${value.shape.join(', ')}]`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'string' ? `'${value}'` : inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY });
};

/** What a call comes to in the end: an error that an Either holds, or a promise or task of one, counts as thrown. */
const outcomeOf = async (result: unknown): Promise<unknown> => {
  const settled = (await result) as null | undefined | { readonly _tag?: unknown; readonly left?: unknown };
  if (settled?._tag === 'Left') throw settled.left;
  return settled;
};

const faultOf = async (name: string, call: () => unknown): Promise<string | null> => {
  try {
    return `gives ${show(await outcomeOf(call()))}`;
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
  const pairs = odd.flatMap(a => [[a], ...odd.map(b => [a, b])]);
  const lists = (first: Tensor): readonly (readonly unknown[])[] => [
    [],
    ...pairs,
    ...odd.map(a => [first, x, a]),
    ...odd.flatMap(a => odd.map(b => [first, a, b])),
  ];

  /** A value with each of its members, and itself, replaced by each of the odd ones. */
  const spoiled = (value: unknown): readonly unknown[] =>
    typeof value !== 'object' || value === null || isTensor(value) || Array.isArray(value)
      ? odd
      : [...odd, ...Object.keys(value).flatMap(name => odd.map(other => ({ ...value, [name]: other })))];
  /** A good call, cut short, and with one or two neighbours of its arguments spoiled. */
  const around = (call: readonly unknown[]): readonly (readonly unknown[])[] => [
    ...call.map((_, i) => call.slice(0, i)),
    ...call.flatMap((value, i) => spoiled(value).map(other => call.with(i, other))),
    ...call.slice(1).flatMap((_, i) => odd.flatMap(a => odd.map(b => call.with(i, a).with(i + 1, b)))),
    ...pairs,
  ];

  const faultsIn = async (
    name: string,
    f: (...args: readonly unknown[]) => unknown,
    calls: readonly (readonly unknown[])[],
    then: (result: unknown) => unknown,
  ): Promise<readonly (readonly [fault: string, call: string])[]> => {
    const faults = new Map<string, string>();
    for (const list of calls) {
      try {
        await outcomeOf(then(f(...list)));
      } catch (error) {
        const fault = faultIn(name, error);
        if (fault !== null && !faults.has(fault)) faults.set(fault, `${name}(${list.map(show).join(', ')})`);
      }
    }
    return [...faults];
  };

  const applied = (result: unknown): unknown => (typeof result === 'function' ? result(x) : result);

  for (const { name, qualified, f, origin } of functions) {
    const call = good[qualified];
    if (call === undefined && !/^src\/(?:tensor\/ops|nn|random)\//.test(origin.file)) continue;
    it(qualified, async () => {
      const calls = call === undefined ? lists(origin.file.startsWith('src/random/') ? key(0) : x) : around(call);
      // The tasks of these would write their files.
      expect(await faultsIn(name, f, calls, /^(?:save|write)/.test(name) ? () => undefined : applied)).toEqual([]);
    });
  }

  for (const [method, [f, call]] of Object.entries(methods)) {
    it(`${method}, which another function gives`, async () => {
      const [name] = method.split('.');
      expect(await faultsIn(name!, f as never, around(call), result => result)).toEqual([]);
    });
  }

  it('of functions that do with good ones', async () => {
    const left = functions.filter(
      ({ qualified, origin }) =>
        /^src\/(?:optim|tree|data|io|diffusion)\//.test(origin.file) && !(qualified in good) && !(qualified in total),
    );
    expect(left.map(({ qualified }) => qualified)).toEqual([]);
    const faults: string[] = [];
    for (const { qualified, f } of functions) {
      const call = good[qualified];
      if (call === undefined) continue;
      try {
        const result = f(...call);
        if (typeof result !== 'function') await outcomeOf(result);
      } catch (error) {
        faults.push(`${qualified} throws ${String(error)}`);
      }
    }
    expect(faults).toEqual([]);
  });
});
