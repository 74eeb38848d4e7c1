/** Movement and indexing as PyTorch and NumPy do it. */
import type { Operations } from '../operations.js';
import { indexing } from './indexing.js';
import { movement } from './movement.js';

export const shapes: Operations = { ...movement, ...indexing };
