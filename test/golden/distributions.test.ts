/** Probability distributions as PyTorch has them. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.distributions);
