/** Which file may import which: the list of layers below is the rule. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** From top to bottom. A layer is a folder or some files; its files import from it and from layers below. */
const layers: readonly (readonly string[])[] = [
  ['diffusion/'],
  ['nn/'],
  ['optim/'],
  ['data/'],
  ['io/'],
  ['distributions/'],
  ['random/'],
  ['tensor/transform/'],
  ['tensor/device.ts'],
  ['tree/'],
  ['tensor/memory.ts', 'tensor/settings.ts'],
  ['tensor/ops/'],
  ['tensor/tensor.ts', 'tensor/print.ts'],
  ['tensor/build.ts'],
  ['tensor/evaluate.ts'],
  ['tensor/backend/gpu/'],
  ['tensor/backend/wasm/'],
  ['tensor/backend/reference/'],
  ['tensor/backend/backend.ts'],
  ['tensor/compile/'],
  ['tensor/primitives/'],
  ['tensor/graph.ts'],
  ['tensor/storage.ts'],
  ['tensor/view.ts'],
  ['tensor/types/', 'tensor/shape-types.ts', 'tensor/shape.ts'],
  ['tensor/dtype.ts'],
  ['tensor/errors.ts'],
];

/** What `tenfold` itself gathers: it stands above the tensors and beside everything else. */
const root = 'index.ts';

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Not there when the program runs. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

const source = fileURLToPath(new URL('../src/', import.meta.url));

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map(file => file.replaceAll('\\', '/'))
  .filter(file => file.endsWith('.ts'))
  .sort();

const textOf = (file: string): string => readFileSync(join(source, file), 'utf8');

/** Biome puts every import and re-export at the start of a line, which code in comments is not. */
const statement =
  /^(?:import|export)\s+(type\s+)?(?:\*(?:\s+as\s+\w+)?|\w+(?:\s*,\s*\{[^}]*\})?|\{[^}]*\})\s+from\s+'([^']+)';$/gm;
const bare = /^import\s+'([^']+)';$/gm;
const dynamic = /\bimport\(([^)]*)\)/g;

const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter(line => !/^\s*(?:\/?\*|\/\/)/.test(line))
    .join('\n');

const importsOf = (file: string, text: string): readonly Import[] => [
  ...Array.from(text.matchAll(statement), ([, type, specifier]) => ({
    from: file,
    specifier: specifier!,
    typeOnly: type !== undefined,
    dynamic: false,
  })),
  ...Array.from(text.matchAll(bare), ([, specifier]) => ({
    from: file,
    specifier: specifier!,
    typeOnly: false,
    dynamic: false,
  })),
  ...Array.from(withoutComments(text).matchAll(dynamic), ([, argument]) => ({
    from: file,
    specifier: argument!.replace(/^'(.*)'$/, '$1'),
    typeOnly: false,
    dynamic: true,
  })),
];

const imports = files.flatMap(file => importsOf(file, textOf(file)));
const isRelative = ({ specifier }: Import): boolean => specifier.startsWith('.');

/** The file that a relative specifier means, from src. */
const targetOf = ({ from, specifier }: Import): string =>
  posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');

const layerOf = (file: string): number =>
  layers.findIndex(layer => layer.some(part => (part.endsWith('/') ? file.startsWith(part) : file === part)));

/** What is loaded only when a GPU is asked for. */
const gpu = 'tensor/backend/gpu/';
const manifest: { readonly optionalDependencies?: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(source, '..', 'package.json'), 'utf8'),
);
const optionalPackages = Object.keys(manifest.optionalDependencies ?? {});
/** Bundlers for pages must not look for what only Node has: they are told so, and the name is no literal. */
const hidden = '/* @vite-ignore */ /* webpackIgnore: true */ name';
const isOptional = ({ specifier }: Import): boolean => specifier === hidden || optionalPackages.includes(specifier);

const show = ({ from, specifier }: Import): string => `${from} imports ${specifier}`;

/** The groups of more than one file that can all be reached from each other, and files that import themselves. */
const cyclesOf = (edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] => {
  const reachable = (start: string): ReadonlySet<string> => {
    const seen = new Set<string>();
    const queue = [...(edges.get(start) ?? [])];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      queue.push(...(edges.get(file) ?? []));
    }
    return seen;
  };
  const from = new Map([...edges.keys()].map(file => [file, reachable(file)]));
  const groups = [...edges.keys()]
    .filter(file => from.get(file)!.has(file))
    .map(file => [...from.get(file)!].filter(other => from.get(other)?.has(file)).sort());
  return groups.filter((group, i) => groups.findIndex(other => other[0] === group[0]) === i);
};

describe('the parser of this test', () => {
  test('finds every import', () => {
    const text = [
      "import { a, type B } from './a.js';",
      "import type { C } from './c.js';",
      "import d from './d.js';",
      "import * as e from './e.js';",
      "import './f.js';",
      "export * from './g.js';",
      "export type {\n  H,\n  I,\n} from './h.js';",
      "const j = await import('./j.js');",
      " * import { k } from './k.js';",
      "// import('./l.js')",
      "export const m = { from: 'm' };",
    ].join('\n');
    expect(importsOf('x.ts', text).map(({ specifier, typeOnly }) => [specifier, typeOnly])).toEqual([
      ['./a.js', false],
      ['./c.js', true],
      ['./d.js', false],
      ['./e.js', false],
      ['./g.js', false],
      ['./h.js', true],
      ['./f.js', false],
      ['./j.js', false],
    ]);
  });

  test('overlooks none of the sources', () => {
    for (const file of files) {
      const text = textOf(file);
      const starts = text.match(/^import\b|^export\s+(?:type\s+)?(?:\*|\{)/gm)?.length ?? 0;
      expect(importsOf(file, text).filter(({ dynamic }) => !dynamic).length, file).toBe(starts);
    }
    expect(imports.length).toBeGreaterThan(200);
  });

  test('finds cycles', () => {
    const edges = { a: ['b'], b: ['c'], c: ['a', 'd'], d: ['d'], e: ['a'] };
    expect(cyclesOf(new Map(Object.entries(edges)))).toEqual([['a', 'b', 'c'], ['d']]);
  });
});

describe('imports', () => {
  test('every file has a layer, and every layer files', () => {
    expect(files.filter(file => layerOf(file) < 0 && file !== root)).toEqual([]);
    const empty = layers.flat().filter(part => !files.some(file => file.startsWith(part)));
    expect(empty).toEqual([]);
  });

  test('relative ones name a file of src', () => {
    const stray = imports.filter(entry => isRelative(entry) && !files.includes(targetOf(entry)));
    expect(stray.map(show)).toEqual([]);
  });

  test('point downward, those of types too', () => {
    const upward = imports.filter(isRelative).filter(entry => {
      if (entry.from === root) return !targetOf(entry).startsWith('tensor/');
      return layerOf(targetOf(entry)) < layerOf(entry.from);
    });
    expect(upward.map(show)).toEqual([]);
  });

  test('make no cycle at run time', () => {
    const edges = new Map(files.map(file => [file, [] as string[]]));
    for (const entry of imports) {
      if (isRelative(entry) && !entry.typeOnly) edges.get(entry.from)!.push(targetOf(entry));
    }
    expect(cyclesOf(edges)).toEqual([]);
  });

  test('of packages: modules of fp-ts, and none of Node, not even dynamically: bundlers for browsers refuse them', () => {
    const foreign = imports.filter(
      entry =>
        !isRelative(entry) && !isOptional(entry) && (entry.dynamic || !/^fp-ts\/lib\/\w+\.js$/.test(entry.specifier)),
    );
    expect(foreign.map(show)).toEqual([]);
  });

  test('of optional packages: dynamically, and only where the GPU is opened', () => {
    const optional = imports.filter(isOptional);
    expect(optional.filter(({ dynamic }) => !dynamic).map(show)).toEqual([]);
    expect(optional.filter(({ from }) => !from.startsWith(`${gpu}launch/`)).map(show)).toEqual([]);
    expect(optional.length).toBeGreaterThan(0);
  });

  test('of the GPU backend: one, dynamically, so that who does without it loads none of it; and types', () => {
    const entering = imports.filter(
      entry => isRelative(entry) && targetOf(entry).startsWith(gpu) && !entry.from.startsWith(gpu) && !entry.typeOnly,
    );
    expect(entering.map(({ from, specifier, dynamic }) => [from, specifier, dynamic])).toEqual([
      ['tensor/device.ts', './backend/gpu/index.js', true],
    ]);
  });

  test('none of Node’s global names', () => {
    const names = /\b(?:process|Buffer|require|global|__dirname|__filename|setImmediate)\b(?!['`:])/;
    // In one folder a diffusion process is called so too; it has the functions levelAt and levelOf, which Node's has not.
    const besides =
      /\b(?:Buffer|require|global|__dirname|__filename|setImmediate)\b(?!['`:])|(?<!\.)\b(?:typeof process\b(?![?.])|process(?:\?)?\.(?!level(?:At|Of)\b))/;
    const users = files.filter(file =>
      withoutComments(textOf(file))
        .replace(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "''")
        .replace(/\/\/.*$/gm, '')
        .split('\n')
        .some(line => (file.startsWith('diffusion/') ? besides : names).test(line)),
    );
    expect(users).toEqual([]);
  });
});
