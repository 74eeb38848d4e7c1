/** Normalisation, attention and losses as PyTorch has them. */
import type { Operations } from '../operations.js';
import { gated } from './activations.js';
import { layers } from './layers.js';
import { losses } from './losses.js';

export const nn: Operations = { ...layers, ...losses, ...gated };
