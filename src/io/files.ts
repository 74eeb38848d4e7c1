/**
 * Files as tasks. Node's modules are imported where they are used, so that this module can be loaded in a browser.
 */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { FormatError } from '../tensor/errors.js';

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
    async () => {
      const files = await import('node:fs/promises');
      return files.readFile(path);
    },
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
      const files = await import('node:fs/promises');
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
