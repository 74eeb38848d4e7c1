/** Movement and indexing as PyTorch and NumPy do it. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.ops_shape);
