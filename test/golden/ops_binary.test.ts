/** Operations of two and three operands, elementwise with broadcasting, as PyTorch does them. */
import { operationTests } from './operations.js';
import { groups } from './tables/groups.js';

operationTests(groups.ops_binary);
