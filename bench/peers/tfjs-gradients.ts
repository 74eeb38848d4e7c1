/**
 * Registers the gradients of TensorFlow.js. Its build for Node leaves them out, and Node cannot load its modules for
 * the web as they are; bundled they find their way to the same registry, which is global.
 */
import { createRequire } from 'node:module';
import { buildSync } from 'esbuild';

const require = createRequire(import.meta.url);

const { outputFiles } = buildSync({
  entryPoints: [require.resolve('@tensorflow/tfjs-core/dist/register_all_gradients.js')],
  bundle: true,
  write: false,
  format: 'cjs',
  platform: 'node',
  packages: 'external',
  logLevel: 'error',
});
const load = new Function('require', outputFiles[0]!.text) as (from: NodeJS.Require) => void;
load(createRequire(require.resolve('@tensorflow/tfjs-core')));
