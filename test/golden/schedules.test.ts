import { describe, expect, it } from 'vitest';
import { respaceBetas, spaceTimesteps } from '../../src/diffusion/respacing.js';
import { betasForAlphaBar } from '../../src/diffusion/schedules/alpha-bar.js';
import { type DiffusionCoefficients, diffusionCoefficients } from '../../src/diffusion/schedules/coefficients.js';
import { namedBetas, type ScheduleName } from '../../src/diffusion/schedules/named.js';
import { ScheduleError } from '../../src/tensor/errors.js';
import {
  arrayOf,
  at,
  exactly,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  groupsWithTestFile,
  type Json,
  numberOf,
  numbersOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  unsupportedGroups,
  withinF64,
} from './read.js';

// ---- Formulas -----------------------------------------------------------------------------------------------------

type Formula = (t: number) => number;

const functions: Readonly<Record<string, (x: number) => number>> = {
  cos: Math.cos,
  sin: Math.sin,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
};
const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/**
 * Reads a formula in t: numbers, `pi`, `+ - * / ^`, parentheses and a few functions, with the usual precedence
 * (`^` binds tightest and to the right, then the sign).
 */
const parseFormula = (text: string): Formula => {
  const tokens = text.match(/\d+\.?\d*(?:e[+-]?\d+)?|\.\d+|[a-z]+|\*\*|\S/gi) ?? [];
  let next = 0;
  const fail = (): never => {
    throw new Error(`cannot read the formula '${text}' at '${tokens.slice(next).join('')}'`);
  };
  const take = (...wanted: readonly string[]): string | undefined => {
    const token = tokens[next];
    if (token === undefined || !wanted.includes(token)) return undefined;
    next++;
    return token;
  };
  const parenthesised = (): Formula => {
    if (!take('(')) return fail();
    const inner = sum();
    return take(')') ? inner : fail();
  };
  const atom = (): Formula => {
    const token = tokens[next] ?? fail();
    if (token === '(') return parenthesised();
    if (token === 't') {
      next++;
      return t => t;
    }
    const value = Object.hasOwn(constants, token) ? constants[token]! : Number(token);
    if (!Number.isNaN(value)) {
      next++;
      return () => value;
    }
    if (!Object.hasOwn(functions, token)) return fail();
    const f = functions[token]!;
    next++;
    const argument = parenthesised();
    return t => f(argument(t));
  };
  const power = (): Formula => {
    const base = atom();
    if (!take('^', '**')) return base;
    const exponent = signed();
    return t => base(t) ** exponent(t);
  };
  const signed = (): Formula => {
    if (take('+')) return signed();
    if (!take('-')) return power();
    const operand = signed();
    return t => -operand(t);
  };
  const product = (): Formula => {
    let left = signed();
    for (let op = take('*', '/'); op; op = take('*', '/')) {
      const [a, b, divides] = [left, signed(), op === '/'];
      left = divides ? t => a(t) / b(t) : t => a(t) * b(t);
    }
    return left;
  };
  const sum = (): Formula => {
    let left = product();
    for (let op = take('+', '-'); op; op = take('+', '-')) {
      const [a, b, subtracts] = [left, product(), op === '-'];
      left = subtracts ? t => a(t) - b(t) : t => a(t) + b(t);
    }
    return left;
  };
  const formula = sum();
  return next === tokens.length ? formula : fail();
};

// ---- Cases --------------------------------------------------------------------------------------------------------

type Result = Readonly<Record<string, number | readonly number[]>>;

/** `sqrt_recipm1_alphas_cumprod` for `sqrtRecipm1AlphasCumprod`. */
const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);

const named = (coefficients: DiffusionCoefficients): Result =>
  Object.fromEntries(Object.entries(coefficients).map(([name, values]) => [snake(name), values]));

const scheduleOf = (args: Json): readonly number[] =>
  namedBetas(stringOf(at(args, 'schedule')) as ScheduleName, numberOf(at(args, 'T')));

const sectionCounts = (args: Json): number | readonly number[] | string => {
  const counts = at(args, 'section_counts');
  return typeof counts === 'string' || typeof counts === 'number' ? counts : arrayOf(counts).map(numberOf);
};

const kinds: Readonly<Record<string, (args: Json) => Result>> = {
  named_betas: args => ({ betas: scheduleOf(args) }),
  coefficients: args => named(diffusionCoefficients(scheduleOf(args))),
  betas_for_alpha_bar: args => {
    const alphaBar = parseFormula(stringOf(at(args, 'alpha_bar')));
    const maxBeta = objectOf(args).max_beta;
    const T = numberOf(at(args, 'T'));
    return {
      betas: maxBeta === undefined ? betasForAlphaBar(T, alphaBar) : betasForAlphaBar(T, alphaBar, numberOf(maxBeta)),
    };
  },
  space_timesteps: args => ({ steps: spaceTimesteps(numberOf(at(args, 'num_timesteps')), sectionCounts(args)) }),
  spaced: args => {
    const original = scheduleOf(args);
    const { betas, timestepMap } = respaceBetas(original, spaceTimesteps(original.length, sectionCounts(args)));
    return {
      ...named(diffusionCoefficients(betas)),
      timestep_map: timestepMap,
      num_timesteps: betas.length,
      original_num_steps: original.length,
    };
  },
};

/** Compares one output: tensors as their dtype asks for, integers written into the index exactly. */
const compare = (where: string, got: number | readonly number[], ref: Json, group: GoldenGroup): void => {
  if (Array.isArray(ref)) exactly(where, got, numbersOf(ref));
  else if (typeof ref === 'number') exactly(where, got, ref);
  else {
    const tensor = group.tensor(ref);
    (tensor.dtype === 'F64' ? withinF64 : exactly)(where, got, tensor);
  }
};

const check = (testCase: GoldenCase, group: GoldenGroup): void => {
  const kind = stringOf(at(testCase, 'kind'));
  const run = Object.hasOwn(kinds, kind) ? kinds[kind]! : unknownCase('kind', kind);
  const args = at(testCase, 'args');
  if (testCase.error !== undefined) {
    expect(() => run(args), `${testCase.name}: the reference raises ${String(testCase.error)}`).toThrow(ScheduleError);
    return;
  }
  const result = run(args);
  const outputs = objectOf(at(testCase, 'out'));
  // Both ways, so that neither an output of the reference nor a coefficient of ours goes unchecked.
  expect(Object.keys(result).sort(), testCase.name).toEqual(Object.keys(outputs).sort());
  for (const [output, ref] of Object.entries(outputs)) {
    compare(`${testCase.name}, ${output}`, result[output]!, ref, group);
  }
};

const suite = selected('schedules') ? describe : describe.skip;

suite('schedules', () => {
  for (const { title, run } of goldenTests('schedules', check)) it(title, run);
});

// Here since some golden test file has to say it, whatever groups are selected.
describe('GOLDEN_GROUPS', () => {
  it('names only groups that have a test', () => {
    expect(unsupportedGroups(groupsWithTestFile())).toEqual([]);
  });
});

describe('formulas of this test', () => {
  it.each<[string, number, number]>([
    ['-2^2', 0, -4],
    ['2^3^2', 0, 512],
    ['1-2-3*t/4', 2, -2.5],
    ['exp(-1e-1*t*t) + cos(pi)', 1, Math.exp(-0.1) - 1],
    ['((t+0.008)/1.008)**2', 1, 1],
  ])('%s at t = %d', (text, t, value) => {
    expect(parseFormula(text)(t)).toBeCloseTo(value, 14);
  });

  it.each(['', '1 +', 'cos t', '(t', 't t', 'process.exit()'])('refuses %j', text => {
    expect(() => parseFormula(text)).toThrow('cannot read the formula');
  });
});
