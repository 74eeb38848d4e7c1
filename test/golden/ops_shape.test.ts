/** Movement and indexing as PyTorch and NumPy do it. */
import { operationTests } from './operations.js';
import { indexing } from './tables/indexing.js';
import { movement } from './tables/movement.js';

operationTests('ops_shape', { ...movement, ...indexing });
