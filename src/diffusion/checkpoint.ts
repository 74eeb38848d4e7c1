/** Checkpoints: where the state of a training run is kept. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { type LoadedTree, loadTree, saveTree } from '../io/checkpoint.js';
import type { Metadata } from '../io/safetensors-header.js';
import { checkPath } from '../io/sources.js';
import type { TenfoldError } from '../tensor/errors.js';

/**
 * A place for the last state of a run: a file, or anything else with these two functions (a database of a page, a bucket).
 */
export interface Checkpoint {
  /** A task that puts a tree of tensors, and strings by name, in the place of what was there. */
  readonly save: (state: unknown, metadata: Metadata) => TE.TaskEither<TenfoldError, void>;
  /** A task that gets them back in the form of `like`; null where nothing was saved yet. */
  readonly load: <S>(like: S) => TE.TaskEither<TenfoldError, LoadedTree<S> | null>;
}

/** Whether an error came of a file that is not there. */
const isMissing = (error: TenfoldError): boolean =>
  (error.cause as { readonly code?: unknown } | undefined)?.code === 'ENOENT';

/**
 * A checkpoint in a safetensors file. The file is never there in part: it is written under another name, brought to the disk
 * and renamed, so that a process which is killed leaves the last whole one.
 *
 * @param path of the file, in a folder that exists when it is saved
 * @returns a checkpoint; its tasks, a FormatError when the file cannot be written or read, is damaged, or holds another tree
 * @throws ArgumentError when the path is none
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { fileCheckpoint } from 'tenfold/diffusion';
 * import { tmpdir } from 'node:os';
 * const { save, load } = fileCheckpoint(`${tmpdir()}/tenfold-run.safetensors`);
 * await save({ w: tensor([1, 2]) }, { note: 'half way' })();
 * const { right } = await load({ w: zeros([2]) })();
 * right.tree.w.toArray(); // => [1, 2]
 * (await fileCheckpoint('no-such-file').load({ w: zeros([2]) })()).right; // => null
 * ```
 */
export const fileCheckpoint = (path: string): Checkpoint => {
  checkPath('fileCheckpoint', path);
  return Object.freeze({
    save: (state: unknown, metadata: Metadata) => saveTree(path, state, metadata),
    load: <S>(like: S): TE.TaskEither<TenfoldError, LoadedTree<S> | null> =>
      pipe(
        loadTree(path, like),
        T.map(result => (E.isLeft(result) && isMissing(result.left) ? E.right(null) : result)),
      ),
  });
};
