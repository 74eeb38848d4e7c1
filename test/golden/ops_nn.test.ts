/** Normalisation, attention and losses as PyTorch has them. */
import { operationTests } from './operations.js';
import { gated } from './tables/activations.js';
import { layers } from './tables/layers.js';
import { losses } from './tables/losses.js';

operationTests('ops_nn', { ...layers, ...losses, ...gated });
