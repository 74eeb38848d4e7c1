/** How the group `ops_shape` calls what moves elements to other places, and what makes tensors. */
import type { Operations } from '../operations.js';

export const movement: Operations = {};
