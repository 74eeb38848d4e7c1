/** How long the compiler takes for shapes and dtypes in the types: beyond a file that only imports. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { summary } from '../measure.js';
import { ownImpl, type Row, rowOf } from '../row.js';
import { calls, programs } from '../types/program.js';
import type { Suite } from './suite.js';

const suite = 'types';
const seconds = 2;

/** The oldest version supported: its compiler is fetched from the registry. */
const oldest = '5.9.3';

/** Where there is a package.json above that is named tenfold, so that the import finds the built library. */
const folder = join(import.meta.dirname, '../../out/types');

interface Compiler {
  readonly name: string;
  readonly path: string;
}

const compilers = (): readonly Compiler[] => {
  const own = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
  const fetched = execFileSync('npm', ['exec', '--yes', `--package=typescript@${oldest}`, '-c', 'command -v tsc']);
  return [
    { name: 'TypeScript 7', path: join(own, 'bin/tsc') },
    { name: `TypeScript ${oldest}`, path: fetched.toString().trim() },
  ];
};

const compilerOptions = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: 'es2022',
  module: 'nodenext',
  types: [],
};

/** Milliseconds of the whole process, and how many types were instantiated. */
const compile = (compiler: Compiler, name: string): { readonly ms: number; readonly instantiations: number } => {
  const start = performance.now();
  const options = ['-p', join(folder, `${name}.json`), '--extendedDiagnostics'];
  const told = execFileSync(process.execPath, [compiler.path, ...options]).toString();
  return { ms: performance.now() - start, instantiations: Number(/Instantiations:\s+(\d+)/.exec(told)?.[1]) };
};

const measured = (compiler: Compiler, rounds: number): Row => {
  const runs = Array.from({ length: rounds }, () => {
    const [empty, full] = [compile(compiler, 'empty'), compile(compiler, 'full')];
    return { ms: full.ms - empty.ms, instantiations: full.instantiations - empty.instantiations };
  });
  return {
    suite,
    case: compiler.name,
    impl: ownImpl,
    ...summary(runs.map(({ ms }) => ms)),
    threads: 1,
    note: `${runs[0]!.instantiations} instantiations`,
  };
};

export const types: Suite = {
  about: 'the compiler, for a file with many shapes that it knows, beyond one that only imports',
  run: async ({ rounds }, report) => {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(programs())) {
      writeFileSync(join(folder, `${name}.ts`), text);
      writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    }
    const rows = compilers().map(compiler => measured(compiler, rounds));
    report(rows);
    return rows;
  },
  targets: rows =>
    rows.map(({ case: what }) => {
      const ms = rowOf(rows, what)?.ms;
      const all = calls.simple + calls.moving + calls.products;
      return {
        suite,
        what: `${all} calls, ${what}`,
        goal: `≤ ${seconds} s`,
        measured: ms == null ? null : `${(ms / 1000).toFixed(2)} s`,
        reached: ms != null && ms <= 1000 * seconds,
      };
    }),
};
