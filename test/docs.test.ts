/**
 * Documentation that runs. Every `@example` in a docstring is executed as it stands; a line `expression; // => value`
 * is a check, and so is a line that ends in `// throws ShapeError`. Every public function must have such an example.
 * The README's code runs as well; what it says in comments is not checked.
 */
import { format } from 'node:util';
import { isTensor } from 'tenfold';
import { describe, expect, it, vi } from 'vitest';
import { docstringsIn, entryPoints, functionsOf, type Origin, read, sourcesIn } from '../scripts/docstrings.js';

interface Example {
  /** What the docstring stands before. */
  readonly of: Origin;
  /** The js block; null where there is none. */
  readonly code: string | null;
}

const examplesIn = (file: string): readonly Example[] =>
  docstringsIn(file).flatMap(({ name, tags }) =>
    tags
      .filter(({ tag }) => tag === 'example')
      .map(({ text }) => ({ of: { file, name }, code: /```js\n([\s\S]*?)```/.exec(text)?.[1] ?? null })),
  );

const AsyncFunction = (async () => {}).constructor as new (
  ...args: readonly string[]
) => (...args: readonly unknown[]) => Promise<void>;

const parses = (code: string): boolean => {
  try {
    new AsyncFunction(code);
    return true;
  } catch {
    return false;
  }
};

/** An import statement as a call of `$load`. */
const asLoad = (statement: string): string => {
  const parts = /^import\s+(?:\*\s+as\s+([\w$]+)|\{([^}]*)\})\s+from\s+'([^']+)';$/.exec(statement.trim());
  if (parts === null) throw new Error(`an import that this test cannot read: ${statement}`);
  const [, namespace, names, from] = parts;
  return `const ${namespace ?? `{${names!.replace(/\bas\b/g, ':')}}`} = await $load('${from}');`;
};

const asCheck = (call: string, statement: string, rest: string): string =>
  `await ${call}(${JSON.stringify(statement)}, async () => {${rest}\n});`;

/** The block as the body of an async function of `$load`, `$check` and `$throws`, and how many checks there are. */
const translate = (code: string): { readonly body: string; readonly checks: number } => {
  const body: string[] = [];
  let checks = 0;
  let pending = '';
  for (const line of code.split('\n')) {
    const [, source = line, marker, operand = ''] = /^(.*?)\s*\/\/ (=>|throws) (.*)$/.exec(line) ?? [];
    pending += `${source}\n`;
    const ended = marker !== undefined || /[;}]\s*(?:\/\/.*)?$/.test(source);
    const isImport = /^\s*import\b/.test(pending);
    if (!ended || !(isImport || parses(pending))) {
      if (marker !== undefined) throw new Error(`a check inside of a statement: ${line}`);
      continue;
    }
    const statement = pending.trim();
    pending = '';
    if (marker !== undefined) checks++;
    if (marker === 'throws') {
      body.push(asCheck(`$throws.bind(null, '${operand.trim()}')`, statement, statement));
    } else if (marker === '=>') {
      const expression = statement.replace(/;$/, '');
      body.push(asCheck('$check', statement, `return [await (${expression}\n), await (${operand}\n)];`));
    } else {
      body.push(isImport ? asLoad(statement) : statement);
    }
  }
  if (pending.trim() !== '') throw new Error(`a statement without an end: ${pending.trim()}`);
  return { body: body.join('\n'), checks };
};

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** Tensors and typed arrays as arrays, wherever they stand. */
const plain = (x: unknown): unknown => {
  if (isTensor(x)) return x.toArray();
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return Array.from(x as unknown as Iterable<unknown>);
  if (Array.isArray(x)) return x.map(plain);
  if (isRecord(x)) return Object.fromEntries(Object.entries(x).map(([name, value]) => [name, plain(value)]));
  return x;
};

/** Deep equality, numbers within one in a million. */
const alike = (x: unknown, y: unknown): boolean => {
  if (typeof x === 'number' && typeof y === 'number') {
    return Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-6 * Math.abs(y);
  }
  if (Array.isArray(x) && Array.isArray(y)) return x.length === y.length && x.every((item, i) => alike(item, y[i]));
  if (isRecord(x) && isRecord(y)) {
    const names = Object.keys(y);
    return names.length === Object.keys(x).length && names.every(name => name in x && alike(x[name], y[name]));
  }
  return Object.is(x, y);
};

const check = async (statement: string, run: () => Promise<readonly unknown[]>): Promise<void> => {
  const [actual, expected] = (await run()).map(plain);
  if (alike(actual, expected)) return;
  expect(actual, statement).toEqual(expected);
  throw new Error(`${statement} gives ${String(actual)}`);
};

const throws = async (tag: string, statement: string, run: () => Promise<unknown>): Promise<void> => {
  const thrown = await run().then(
    () => null,
    (error: { readonly _tag?: unknown }) => error,
  );
  expect(thrown, `${statement} throws nothing`).not.toBeNull();
  expect(thrown!._tag, `the tag of ${String(thrown)}`).toBe(tag);
};

const load = (specifier: string): Promise<Readonly<Record<string, unknown>>> => import(/* @vite-ignore */ specifier);

/** Runs the body of a translated block to its end. */
const execute = (body: string): Promise<void> =>
  new AsyncFunction('$load', '$check', '$throws', body)(load, check, throws);

const titleOf = ({ file, name }: Origin): string => `${file}: ${name}`;

const examples = sourcesIn('src').flatMap(examplesIn);

describe('examples', () => {
  for (const { of, code } of examples) {
    it(titleOf(of), async () => {
      if (code === null) throw new Error('the example is no ```js block');
      const { body, checks } = translate(code);
      expect(checks, 'the number of checks').toBeGreaterThan(0);
      await execute(body);
    });
  }
});

it('README.md: its code runs', { timeout: 60_000 }, async () => {
  const blocks = [...read('README.md').matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code!);
  expect(blocks.length, 'the number of blocks').toBeGreaterThan(0);
  // Formatted, as printing would: that is what computes the tensors.
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => void format(...args));
  try {
    for (const code of blocks) await execute(translate(code).body);
  } finally {
    log.mockRestore();
  }
});

describe('every public function has an example', () => {
  const documented = new Set(examples.map(({ of }) => titleOf(of)));
  for (const specifier of entryPoints.keys()) {
    it(specifier, async () => {
      const origins = (await functionsOf(specifier)).map(({ origin }) => titleOf(origin));
      expect(
        origins.filter(origin => !documented.has(origin)),
        'public functions without an example',
      ).toEqual([]);
    });
  }
});
