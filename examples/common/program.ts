/** What programs around the library have in common: how they start, and what becomes of tasks that fail. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRight } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

/** Runs `main` when its file is the program, and not when another one imports it. */
export const runAsProgram = ({ url }: ImportMeta, main: () => Promise<unknown>): void => {
  if (process.argv[1] !== fileURLToPath(url)) return;
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
};

/** The value of a task, or its error thrown: at the top of a program there is nobody else to tell. */
export const orThrow = async <A>(task: TaskEither<Error, A>): Promise<A> => {
  const result = await task();
  if (isRight(result)) return result.right;
  throw result.left;
};

/** A folder for what an example writes, made where it is not there; gives the paths of files in it. */
export const outputFolder = async (folder: string): Promise<(file: string) => string> => {
  await mkdir(folder, { recursive: true });
  return file => join(folder, file);
};
