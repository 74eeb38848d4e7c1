/** Files as tasks. */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { FormatError } from '../tensor/errors.js';

/** What is used of `node:fs/promises`, written out: who uses this library need not have the types of Node. */
interface FileHandle {
  readonly stat: () => Promise<Stats>;
  readonly read: (
    into: Uint8Array,
    offset: number,
    length: number,
    at: number,
  ) => Promise<{ readonly bytesRead: number }>;
  readonly writeFile: (bytes: Uint8Array) => Promise<void>;
  readonly sync: () => Promise<void>;
  readonly close: () => Promise<void>;
}

interface Stats {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
  readonly isFile: () => boolean;
}

type Path = string | { readonly href: string };

interface FileSystem {
  readonly readFile: (path: Path) => Promise<Uint8Array>;
  readonly stat: (path: Path) => Promise<Stats>;
  readonly open: (path: Path, flags?: string) => Promise<FileHandle>;
  readonly rename: (from: Path, to: Path) => Promise<void>;
  readonly rm: (path: Path, options: { readonly force: boolean }) => Promise<void>;
}

interface Paths {
  readonly basename: (path: string) => string;
  readonly dirname: (path: string) => string;
  readonly join: (folder: string, name: string) => string;
}

/** A module of Node, which is asked of the process: bundlers for browsers refuse an import of it, also one never reached. */
const builtin = <M>(name: string): M => {
  const node = Reflect.get(globalThis, 'process') as
    | { readonly getBuiltinModule?: (name: string) => M | undefined }
    | undefined;
  const found = node?.getBuiltinModule?.(name);
  if (found === undefined) throw new Error('there is no file system here; in a browser pass a URL, a Blob or bytes');
  return found;
};

/**
 * Node's file system.
 *
 * @throws Error where there is none
 */
export const fileSystem = (): FileSystem => builtin('node:fs/promises');

/** The error for what the outside world refused. */
export const outsideError = (operation: string, doing: string, place: string, reason: unknown): FormatError =>
  new FormatError(
    {
      operation,
      given: `'${place}'`,
      rule: `${doing} it failed (${reason instanceof Error ? reason.message : String(reason)})`,
      hint: 'Check that the path is right and that this program may use it.',
    },
    { cause: reason },
  );

/** What systems say that bring no folder to the disk at one's word: Windows, some network drives. */
const noFolders = ['EACCES', 'EBADF', 'EINVAL', 'EISDIR', 'ENOSYS', 'ENOTSUP', 'EPERM'];

const toDisk = async (file: FileHandle, write: () => Promise<void> = async () => undefined): Promise<void> => {
  try {
    await write();
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Brings the names in a folder to the disk, where the system can. */
const namesToDisk = async (files: FileSystem, folder: string): Promise<void> => {
  try {
    await toDisk(await files.open(folder));
  } catch (reason) {
    if (!noFolders.includes(String((reason as { readonly code?: unknown }).code))) throw reason;
  }
};

/** Writes a file that is either there as a whole or not at all: under another name first, then renamed. */
export const writeFile = (
  operation: string,
  path: string,
  contents: () => Promise<Uint8Array>,
): TE.TaskEither<FormatError, void> =>
  TE.tryCatch(
    async () => {
      const files = fileSystem();
      const { basename, dirname, join } = builtin<Paths>('node:path');
      const bytes = await contents();
      const folder = dirname(path);
      // In the same folder, for a name does not move between disks; by its name what a killed run left can be told. Names may be as
      // long as systems have them, 255 bytes, so that of the temporary file has 50 characters of it at most.
      const temporary = join(folder, `${[...basename(path)].slice(0, 50).join('')}.${crypto.randomUUID()}.tmp`);
      try {
        const file = await files.open(temporary, 'wx');
        // On the disk before it gets its name: else a power cut could leave the name and no contents.
        await toDisk(file, () => file.writeFile(bytes));
        await files.rename(temporary, path);
        // And then the name: else a power cut could leave the old file, or none.
        await namesToDisk(files, folder);
      } catch (reason) {
        await files.rm(temporary, { force: true }).catch(() => undefined);
        throw reason;
      }
    },
    reason => outsideError(operation, 'writing', path, reason),
  );
