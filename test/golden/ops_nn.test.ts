/** Normalisation, attention and losses as PyTorch has them. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.ops_nn);
