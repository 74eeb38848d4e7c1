/** How the group `ops_nn` calls normalisation, attention and the like. */
import type { Operations } from '../operations.js';

export const layers: Operations = {};
