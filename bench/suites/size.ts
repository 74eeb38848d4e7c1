/** What a web page would download: bundled, minified, gzipped. */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Row, rowOf } from '../row.js';
import type { Suite } from './suite.js';

const name = 'minified + gzipped';
const kilobytes = 90;

const packages: Readonly<Record<string, readonly string[]>> = {
  tenfold: ['tenfold'],
  'jax-js': ['@jax-js/jax'],
  // Gradients are a part of the other two. Its .wasm file, which is loaded apart, is not counted.
  'tfjs-wasm': [
    '@tensorflow/tfjs-core',
    '@tensorflow/tfjs-core/dist/register_all_gradients.js',
    '@tensorflow/tfjs-backend-wasm',
  ],
};

const bundledBytes = async (names: readonly string[]): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: names.map(each => `export * from '${each}';`).join('\n'), resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['tenfold-source'],
    external: ['node:*'],
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
};

export const size: Suite = {
  about: 'bytes of the library, minified and gzipped',
  run: async (_, report) => {
    const rows: Row[] = [];
    for (const [impl, names] of Object.entries(packages)) {
      rows.push({ suite: 'size', case: name, impl, ms: null, bytes: await bundledBytes(names), threads: 1 });
    }
    report(rows);
    return rows;
  },
  targets: rows => {
    const bytes = rowOf(rows, name)?.bytes;
    return [
      {
        suite: 'size',
        what: 'the core of tenfold',
        goal: `≤ ${kilobytes} kB`,
        measured: bytes === undefined ? null : `${(bytes / 1000).toFixed(1)} kB`,
        reached: bytes !== undefined && bytes <= 1000 * kilobytes,
      },
    ];
  },
};
