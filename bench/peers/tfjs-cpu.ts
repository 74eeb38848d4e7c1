/** TensorFlow.js in JavaScript. */
import '@tensorflow/tfjs-backend-cpu';
import type { Library } from '../library.js';
import { tfjs } from './tfjs.js';

export const tfjsCpu: Library = tfjs('cpu');
