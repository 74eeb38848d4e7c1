/** Products that sum over axes. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.ops_matmul);
