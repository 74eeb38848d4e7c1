/** Writes the table of operations: `npm run docs`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './docstrings.js';
import { operationsTable, tableFile } from './operations-table.js';

writeFileSync(join(root, tableFile), await operationsTable());
