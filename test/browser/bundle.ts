/** The library as a page gets it: its sources in one module, and nothing of Node's. */
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const builtIn = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);

/** Refuses Node's modules by name, also where esbuild would only warn: in a dynamic import that may fail. */
const nothingOfNode: Plugin = {
  name: 'nothing-of-node',
  setup: ({ onResolve }) =>
    onResolve({ filter: /.*/ }, ({ path, importer }) =>
      builtIn(path) ? { errors: [{ text: `${path}, which only Node has, is imported from ${importer}` }] } : undefined,
    ),
};

/**
 * The code of a module for browsers; an error when any module of Node's can be reached from it.
 *
 * @param whole with the GPU backend, which pages load when they ask for a GPU
 */
export const bundle = async (code: string, { minify = false, whole = false } = {}): Promise<string> => {
  const { outputFiles, warnings } = await build({
    stdin: { contents: code, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    conditions: ['tenfold-source'],
    external: whole ? [] : ['./backend/gpu/index.js'],
    plugins: [nothingOfNode],
    logLevel: 'silent',
    minify,
    write: false,
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  return outputFiles[0]!.text;
};
