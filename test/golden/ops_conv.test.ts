/** Convolution, pooling and resampling as PyTorch does them. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.ops_conv);
