/** How the group `ops_nn` calls the losses. */
import type { Operations } from '../operations.js';

export const losses: Operations = {};
