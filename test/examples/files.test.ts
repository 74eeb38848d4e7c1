import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { removeLeftovers, writeWhole } from '../../examples/digits/files.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenfold-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a file is replaced, and nothing else is left', async () => {
  const path = join(folder, 'a.txt');
  await writeWhole(path, 'before');
  await writeWhole(path, Uint8Array.of(0, 255));
  expect([...(await readFile(path))]).toEqual([0, 255]);
  expect(await readdir(folder)).toEqual(['a.txt']);
});

it('a file that cannot be renamed to its place is an error', async () => {
  await expect(writeWhole(join(folder, 'missing', 'a.txt'), 'x')).rejects.toThrow(/ENOENT/);
});

it('removes what killed writes to our own files have left, and nothing else', async () => {
  const ours = `a.txt.${crypto.randomUUID()}.tmp`;
  const others = [`b.txt.${crypto.randomUUID()}.tmp`, 'a.txt', 'a.txt.tmp', `a.txt.${crypto.randomUUID()}`];
  for (const name of [ours, ...others]) await writeFile(join(folder, name), '');
  await removeLeftovers(folder, ['a.txt']);
  expect((await readdir(folder)).sort()).toEqual([...others].sort());
});
