/** How the group `ops_shape` calls what takes elements by their positions. */
import type { Operations } from '../operations.js';

export const indexing: Operations = {};
