/** What is published: the tarball, installed in an empty project and used there without anything of this repository. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tenfold-package-'));
const project = join(folder, 'project');
const minutes = 60_000;

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly sideEffects: unknown;
}

const manifestIn = (path: string): Manifest => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));

const { NODE_OPTIONS: _options, NODE_PATH: _path, ...environment } = process.env;

/** Runs a program and gives what it printed; what it complained of is in the error when it fails. */
const run = async (program: string, args: readonly string[], cwd = project): Promise<string> => {
  try {
    return (await promisify(execFile)(program, args, { cwd, env: environment, maxBuffer: 2 ** 26 })).stdout;
  } catch (reason) {
    const { stdout, stderr } = reason as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${program} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: reason });
  }
};

/** Runs a module in plain Node. */
const runModule = (lines: readonly string[]): Promise<string> => {
  const file = join(project, 'main.js');
  writeFileSync(file, lines.join('\n'));
  return run(process.execPath, [file]);
};

beforeAll(async () => {
  mkdirSync(project);
  await run('npm', ['pack', '--pack-destination', folder], repository);
  const tarball = readdirSync(folder).find(file => file.endsWith('.tgz'));
  writeFileSync(join(project, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  const quietly = ['--omit=optional', '--prefer-offline', '--no-audit', '--no-fund'];
  await run('npm', ['install', ...quietly, join(folder, tarball!)]);
}, 5 * minutes);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const subpaths = Object.keys(manifestIn(repository).exports)
  .filter(path => path !== './package.json')
  .map(path => path.replace('.', 'tenfold'));

describe('the installed package', () => {
  test('brings fp-ts and nothing else', () => {
    expect(readdirSync(join(project, 'node_modules')).filter(name => !name.startsWith('.'))).toEqual([
      'fp-ts',
      'tenfold',
    ]);
  });

  test('has the digits with their README, the sources that the source maps name, and no tests', () => {
    const files = readdirSync(join(project, 'node_modules', 'tenfold'), { recursive: true, encoding: 'utf8' });
    const found = new Set(files.map(file => file.replaceAll('\\', '/')));
    for (const file of [
      'assets/digits/digits.safetensors',
      'assets/digits/README.md',
      'dist/index.js',
      'dist/index.js.map',
      'src/index.ts',
    ]) {
      expect(found, file).toContain(file);
    }
    expect([...found].filter(file => /(?:^test|\.test\.|^examples|^bench|^\.ci)/.test(file))).toEqual([]);
  });

  test('says that its modules have no side effects', () => {
    expect(manifestIn(join(project, 'node_modules', 'tenfold')).sideEffects).toBe(false);
  });

  test('takes a derivative', { timeout: minutes }, async () => {
    const printed = await runModule([
      "import { grad, mul, sum, tensor } from 'tenfold';",
      'console.log(JSON.stringify(grad(x => sum(mul(x, mul(x, x))))(tensor([1, 2, 3])).toArray()));',
    ]);
    expect(printed).toBe('[3,12,27]\n');
  });

  test.each(subpaths)('%s can be imported', { timeout: minutes }, async path => {
    const printed = await runModule([
      `import * as module from '${path}';`,
      'console.log(JSON.stringify(Object.entries(module).map(([name, value]) => [name, typeof value])));',
    ]);
    const members: readonly (readonly [string, string])[] = JSON.parse(printed);
    expect(members.length).toBeGreaterThan(0);
    expect(members.filter(([, type]) => type === 'undefined')).toEqual([]);
  });

  test('importing tenfold loads its own modules and fp-ts only', { timeout: minutes }, async () => {
    // A hook of Node's loader prints the address of every module that is loaded.
    const hook = `import { writeSync } from 'node:fs';
      export const load = (url, context, next) => { writeSync(1, url + '\\n'); return next(url, context); };`;
    writeFileSync(join(project, 'hook.js'), hook);
    const printed = await runModule([
      "import { register } from 'node:module';",
      "register('./hook.js', import.meta.url);",
      "await import('tenfold');",
    ]);
    const loaded = printed.trim().split('\n');
    expect(loaded.length).toBeGreaterThan(10);
    expect(loaded.filter(url => !/\/node_modules\/(?:tenfold\/dist|fp-ts\/lib)\//.test(url))).toEqual([]);
  });

  test('finds its digits', { timeout: minutes }, async () => {
    const printed = await runModule([
      "import { loadDigits } from 'tenfold/data';",
      'const { right } = await loadDigits()();',
      'console.log(right.images.dataSync().reduce((sum, pixel) => sum + pixel, 0));',
    ]);
    expect(printed).toBe('561718\n');
  });

  test('has types that need no others', { timeout: 2 * minutes }, async () => {
    const consumer = [
      "import { grad, matmul, mul, sum, type Tensor, tensor, zeros } from 'tenfold';",
      "const x: Tensor<readonly [3], 'float32'> = tensor([1, 2, 3]);",
      'export const slope: number[] = grad((v: typeof x) => sum(mul(v, mul(v, v))))(x).toArray();',
      '// @ts-expect-error: inner dimensions 3 and 2 differ',
      'matmul(zeros([1, 3]), zeros([2, 1]));',
      ...subpaths.map(path => `export * as ${path.replace(/\W/g, '_')} from '${path}';`),
    ];
    writeFileSync(join(project, 'consumer.ts'), consumer.join('\n'));
    const compilerOptions = {
      strict: true,
      module: 'NodeNext',
      moduleResolution: 'NodeNext',
      target: 'ES2022',
      lib: ['ES2022'],
      types: [],
      noEmit: true,
      skipLibCheck: false,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
    const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
    expect(await run(process.execPath, [tsc, '-p', project])).toBe('');
  });
});
