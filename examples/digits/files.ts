/** Files that are there as a whole or not at all, however a run ends. */
import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes under another name first, to the disk, and renames. */
export const writeWhole = async (path: string, contents: string | Uint8Array): Promise<void> => {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(contents);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
};

/** What such writes leave behind when they are killed; the library names those of checkpoints likewise. */
const leftover = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Removes what writes of an earlier run to these files have left in their folder. */
export const removeLeftovers = async (folder: string, files: readonly string[]): Promise<void> => {
  const isOurs = (name: string): boolean => leftover.test(name) && files.includes(name.replace(leftover, ''));
  const names = await readdir(folder);
  await Promise.all(names.filter(isOurs).map(name => rm(join(folder, name), { force: true })));
};
