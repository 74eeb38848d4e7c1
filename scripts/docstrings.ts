/** Docstrings and exports as they stand in the sources: for the tests of the documentation and what is made of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The text of a file of the repository. */
export const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A docstring, its text without the asterisks. */
export interface Docstring {
  readonly file: string;
  /** What it stands before; `module` at the head of a file. */
  readonly name: string;
  /** What stands before the first tag. */
  readonly text: string;
  readonly tags: readonly { readonly tag: string; readonly text: string }[];
}

const declared =
  /^(?:\s|\/\/[^\n]*\n)*(?:(?:export|declare|abstract|async|static|readonly|get|const|function|class|interface|type)\b\s*)*([A-Za-z_$][\w$]*)/;

/** The docstrings of a file, in their order. */
export const docstringsIn = (file: string): readonly Docstring[] => {
  const source = read(file);
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)].map(match => {
    const [text, ...tags] = match[0]
      .slice(3, -2)
      .replace(/^[ \t]*\* ?/gm, '')
      .split(/^@(?=\w)/m);
    const name = declared.exec(source.slice(match.index + match[0].length))?.[1];
    return {
      file,
      name: match.index === 0 || name === undefined || name === 'import' ? 'module' : name,
      text: text!.trim(),
      tags: tags.map(part => {
        const [, tag, rest] = /^(\w+)([\s\S]*)$/.exec(part)!;
        return { tag: tag!, text: rest!.trim() };
      }),
    };
  });
};

/** The source files in a folder of the repository. */
export const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .map(file => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort();

/** Where an export is declared. */
export interface Origin {
  readonly file: string;
  readonly name: string;
}

/** Where the exports of a module come from. */
const originsOf = (file: string): ReadonlyMap<string, Origin> => {
  const source = read(file).replace(/\/\*[\s\S]*?\*\//g, '');
  const origins = new Map<string, Origin>();
  const moduleAt = (specifier: string): ReadonlyMap<string, Origin> =>
    originsOf(join(dirname(file), specifier).replaceAll('\\', '/').replace(/\.js$/, '.ts'));
  for (const [, name] of source.matchAll(/^export (?:abstract |async )?(?:const|function\*?|class) ([\w$]+)/gm)) {
    origins.set(name!, { file, name: name! });
  }
  for (const [, specifier] of source.matchAll(/^export \* from '([^']+)'/gm)) {
    for (const [name, origin] of moduleAt(specifier!)) origins.set(name, origin);
  }
  for (const [, list, specifier] of source.matchAll(/^export \{([^}]*)\}(?: from '([^']+)')?/gm)) {
    const from = specifier === undefined ? null : moduleAt(specifier);
    for (const item of list!.split(',').map(part => part.trim())) {
      const [inner, outer = inner] = item.split(/\s+as\s+/);
      if (item !== '') origins.set(outer!, from?.get(inner!) ?? { file, name: from === null ? inner! : outer! });
    }
  }
  return origins;
};

/** A function that the package exports. */
export interface PublicFunction {
  readonly name: string;
  readonly f: (...args: readonly unknown[]) => unknown;
  readonly origin: Origin;
}

const { name: packageName, exports: targets } = JSON.parse(read('package.json')) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly 'tenfold-source': string }>>;
};

/** The entry points of the package, as one imports them, and their files. */
export const entryPoints: ReadonlyMap<string, string> = new Map(
  Object.entries(targets).flatMap(([entry, target]) => {
    if (typeof target === 'string') return [];
    const file = target['tenfold-source'].replace(/^\.\//, '');
    return existsSync(join(root, file)) ? [[entry.replace('.', packageName), file] as const] : [];
  }),
);

/** The functions that an entry point exports; its classes of errors are none. */
export const functionsOf = async (specifier: string): Promise<readonly PublicFunction[]> => {
  const file = entryPoints.get(specifier)!;
  const origins = originsOf(file);
  const exported: Readonly<Record<string, unknown>> = await import(/* @vite-ignore */ specifier);
  return Object.entries(exported).flatMap(([name, f]) =>
    typeof f !== 'function' || f.prototype instanceof Error
      ? []
      : [{ name, f: f as PublicFunction['f'], origin: origins.get(name) ?? { file, name } }],
  );
};
