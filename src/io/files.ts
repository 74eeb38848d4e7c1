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

/**
 * Node's file system, which is asked of the process: bundlers for browsers refuse an import of it, also one that is never
 * reached.
 *
 * @throws Error where there is none
 */
export const fileSystem = (): FileSystem => {
  const node = Reflect.get(globalThis, 'process') as
    | { readonly getBuiltinModule?: (name: string) => FileSystem | undefined }
    | undefined;
  const found = node?.getBuiltinModule?.('node:fs/promises');
  if (found === undefined) throw new Error('there is no file system here; in a browser pass a URL, a Blob or bytes');
  return found;
};

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

export const readFile = (operation: string, path: string): TE.TaskEither<FormatError, Uint8Array> =>
  TE.tryCatch(
    async () => fileSystem().readFile(path),
    reason => outsideError(operation, 'reading', path, reason),
  );

/** Writes a file that is either there as a whole or not at all: under another name first, then renamed. */
export const writeFile = (
  operation: string,
  path: string,
  contents: () => Promise<Uint8Array>,
): TE.TaskEither<FormatError, void> =>
  TE.tryCatch(
    async () => {
      const files = fileSystem();
      const bytes = await contents();
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      try {
        const file = await files.open(temporary, 'wx');
        try {
          await file.writeFile(bytes);
          // On the disk before it gets its name: else a power cut could leave the name and no contents.
          await file.sync();
        } finally {
          await file.close();
        }
        await files.rename(temporary, path);
      } catch (reason) {
        await files.rm(temporary, { force: true }).catch(() => undefined);
        throw reason;
      }
    },
    reason => outsideError(operation, 'writing', path, reason),
  );
