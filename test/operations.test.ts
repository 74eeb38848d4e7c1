/** docs/operations.md is what the docstrings say. */
import { expect, it } from 'vitest';
import { read } from '../scripts/docstrings.js';
import { command, families, operationsTable, tableFile } from '../scripts/operations-table.js';

it('every operation says what it does, and its names in NumPy and PyTorch', async () => {
  const operations = (await families()).flatMap(family => family.operations);
  expect(operations.length).toBeGreaterThan(100);
  const silent = operations.flatMap(({ file, name, summary, numpy, pytorch }) => {
    const missing = Object.entries({ 'a sentence': summary, '@numpy': numpy, '@pytorch': pytorch })
      .filter(([, text]) => text === undefined || text === '')
      .map(([what]) => what);
    return missing.length === 0 ? [] : [`${file}: ${name} lacks ${missing.join(', ')}`];
  });
  expect(silent).toEqual([]);
});

it(`${tableFile} is up to date`, async () => {
  expect(read(tableFile), `run: ${command}`).toBe(await operationsTable());
});
