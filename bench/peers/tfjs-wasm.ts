/** TensorFlow.js in WebAssembly: its SIMD build; it has no threads in Node. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Library } from '../library.js';
import { tfjs } from './tfjs.js';

const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
setWasmPaths(join(dirname(main), '/'));

export const tfjsWasm: Library = tfjs('wasm');
