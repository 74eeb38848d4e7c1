/**
 * The suite for GPUs with everything it needs in one folder, but for the native package webgpu: it runs where there are only Node and
 * that. `node --import=tsx bench/gpu/bundle.ts [FOLDER]` writes `bench.mjs` and what belongs to it; then there
 * `node bench.mjs gpu --json FILE`, with `node_modules/webgpu` beside it or above.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';

const here = import.meta.dirname;

/** Bundled, the gradients of tfjs come with its modules for the web: no need to bundle them at run time, as in Node without. */
const gradients: Plugin = {
  name: 'tfjs-gradients',
  setup: builder =>
    builder.onResolve({ filter: /\/tfjs-gradients\.js$/ }, ({ resolveDir, kind }) =>
      builder.resolve('@tensorflow/tfjs-core/dist/register_all_gradients.js', { resolveDir, kind }),
    ),
};

/** What bundles for Node and for pages have in common. */
export const common = {
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  conditions: ['tenfold-source'],
  plugins: [gradients],
  logLevel: 'error',
} as const satisfies BuildOptions;

/** Where the bundle goes when nobody says. */
export const folder = join(here, '../../out/bench/node');

/** Writes `bench.mjs`, a program, and `node.mjs`, a module. */
export const bundle = async (outdir: string): Promise<void> => {
  await rm(outdir, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: { bench: join(here, 'main.ts'), node: join(here, 'node.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    // The modules of tfjs for the web, whose registry of gradients is the one above.
    mainFields: ['module', 'main'],
    external: ['webgpu', 'gl', 'node-fetch'],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outdir = process.argv[2] ?? folder;
  await bundle(outdir);
  console.log(`${join(outdir, 'bench.mjs')} is there`);
}
