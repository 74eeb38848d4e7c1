/**
 * Trees of tensors in safetensors files. A leaf is named by its path, keys and positions joined by dots:
 * `blocks.0.weight`, as PyTorch names its parameters.
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { FormatError } from '../tensor/errors.js';
import { sameShape, showAval } from '../tensor/shape.js';
import { isTensor, nodeOf, type Tensor } from '../tensor/tensor.js';
import { type Flat, flattenFor, type Path, showPath, tensorsOf } from '../tree/tree.js';
import { writeFile } from './files.js';
import { checkMetadata, checkTensorsByName, decodeSafetensors, encodeElements } from './safetensors.js';
import { type Metadata, metadataName } from './safetensors-header.js';
import { checkPath, readSource } from './sources.js';
import { arraysOf } from './values.js';

/** What {@link loadTree} finds in a file. */
export interface LoadedTree<T> {
  readonly tree: T;
  readonly metadata: Metadata;
}

const nameOf =
  (operation: string) =>
  (path: Path): E.Either<FormatError, string> => {
    const name = path.join('.');
    const dotted = path.find(step => typeof step === 'string' && step.includes('.'));
    if (dotted === undefined && name !== metadataName) return E.right(name);
    return E.left(
      new FormatError({
        operation,
        given: `the key '${dotted ?? name}' at ${showPath(path)}`,
        rule:
          dotted === undefined
            ? 'the format keeps that name for the metadata'
            : "a leaf is named by the keys on its path joined by '.', so that a key holds none",
        hint: 'Rename the key.',
      }),
    );
  };

interface NamedTree {
  readonly flat: Flat;
  readonly tensors: readonly Tensor[];
  readonly names: readonly string[];
}

/** @throws TreeError for a leaf that is no tensor: a mistake in the program, not in a file */
const named = (operation: string, tree: unknown): E.Either<FormatError, NamedTree> => {
  const flat = flattenFor(operation, tree);
  const tensors = tensorsOf(operation, flat);
  return pipe(
    flat.paths,
    E.traverseArray(nameOf(operation)),
    E.map(names => ({ flat, tensors, names })),
  );
};

/**
 * The leaves of a tree by name: the keys and positions of their paths, joined by dots.
 *
 * @returns a frozen record; a FormatError for a key with a dot in it
 * @throws TreeError when a leaf is no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { flattenTree } from 'tenfold/io';
 * const params = { blocks: [{ weight: tensor([1, 2]) }] };
 * Object.keys(flattenTree(params).right); // => ['blocks.0.weight']
 * ```
 */
export const flattenTree = (tree: unknown): E.Either<FormatError, Readonly<Record<string, Tensor>>> =>
  pipe(
    named('flattenTree', tree),
    E.map(({ names, tensors }) => Object.freeze(Object.fromEntries(names.map((name, i) => [name, tensors[i]!])))),
  );

const list = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).map(name => `'${name}'`);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
};

/** What of the tensors does not fit the tree, if anything. */
const misfit = (operation: string, like: NamedTree, tensors: Readonly<Record<string, Tensor>>): FormatError | null => {
  const hint = 'Is it a checkpoint of another model? Make `like` as the tree was made that was saved.';
  const missing = like.names.filter(name => !Object.hasOwn(tensors, name));
  if (missing.length > 0) {
    const rule = 'every leaf of the tree is there by its name';
    return new FormatError({ operation, given: `no tensor ${list(missing)}`, rule, hint });
  }
  const known = new Set(like.names);
  const extra = Object.keys(tensors).filter(name => !known.has(name));
  if (extra.length > 0) {
    const rule = 'every tensor is a leaf of the tree';
    return new FormatError({ operation, given: `${list(extra)}, of which the tree has nothing`, rule, hint });
  }
  const other = like.names.findIndex((name, i) => {
    const [found, wanted] = [tensors[name]!, like.tensors[i]!];
    return !isTensor(found) || found.dtype !== wanted.dtype || !sameShape(found.shape, wanted.shape);
  });
  if (other < 0) return null;
  const found = tensors[like.names[other]!]!;
  return new FormatError({
    operation,
    given: `${isTensor(found) ? showAval(found) : `a ${typeof found}`} as '${like.names[other]}'`,
    rule: `the tree has ${showAval(like.tensors[other]!)} at ${showPath(like.flat.paths[other]!)}`,
    hint,
  });
};

const restore =
  <T>(operation: string, like: E.Either<FormatError, NamedTree>) =>
  (tensors: Readonly<Record<string, Tensor>>): E.Either<FormatError, T> =>
    pipe(
      like,
      E.chain(tree => {
        const error = misfit(operation, tree, tensors);
        return error === null
          ? E.right(tree.flat.unflatten(tree.names.map(name => tensors[name])) as T)
          : E.left(error);
      }),
    );

/**
 * A tree of the form of `like` with the tensors of these names as its leaves: undoes {@link flattenTree}.
 *
 * @param like a tree of tensors; only their shapes and dtypes matter, so nothing is computed
 * @param tensors by name
 * @returns a FormatError for a missing or unknown name, and for another shape or dtype
 * @throws TreeError when a leaf of `like` is no tensor, ArgumentError when `tensors` is no record
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { restoreTree } from 'tenfold/io';
 * const like = { blocks: [{ weight: zeros([2]) }] };
 * restoreTree(like, { 'blocks.0.weight': tensor([1, 2]) }).right.blocks[0].weight.toArray(); // => [1, 2]
 * ```
 */
export const restoreTree = <T>(like: T, tensors: Readonly<Record<string, Tensor>>): E.Either<FormatError, T> => {
  checkTensorsByName('restoreTree', tensors);
  return restore<T>('restoreTree', named('restoreTree', like))(tensors);
};

const readElements = async ({ names, tensors }: NamedTree, metadata: Metadata): Promise<Uint8Array> => {
  const arrays = await arraysOf(tensors.map(nodeOf));
  const elements = tensors.map(({ shape, dtype }, i) => ({ name: names[i]!, shape, dtype, array: arrays[i]! }));
  return encodeElements('saveTree', elements, metadata);
};

/**
 * A task that writes a tree of tensors to a safetensors file. The file is never there in part: if the task fails or
 * is cut off, an older file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @param tree tensors, or arrays and records of them
 * @param metadata strings by name, to be found in the file
 * @returns a task to be called; a FormatError when the file cannot be written or a key has a dot in it
 * @throws TreeError when a leaf is no tensor, ArgumentError when the path is none or metadata are no strings
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { loadTree, saveTree } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-example.safetensors`;
 * await saveTree(path, { w: tensor([1, 2]) }, { step: '7' })();
 * const { right } = await loadTree(path, { w: zeros([2]) })();
 * right.tree.w.toArray(); // => [1, 2]
 * right.metadata; // => { step: '7' }
 * ```
 */
export const saveTree = (path: string, tree: unknown, metadata: Metadata = {}): TE.TaskEither<FormatError, void> => {
  checkPath('saveTree', path);
  checkMetadata('saveTree', metadata);
  return pipe(
    TE.fromEither(named('saveTree', tree)),
    TE.chain(leaves => writeFile('saveTree', path, () => readElements(leaves, metadata))),
  );
};

/** The error with the file it is about. */
const inFile =
  (path: string) =>
  (error: FormatError): FormatError =>
    new FormatError(
      { operation: 'loadTree', given: `${error.given} in '${path}'`, rule: error.rule, hint: error.hint },
      { cause: error },
    );

/**
 * A task that reads a tree of tensors from a safetensors file.
 *
 * @param path of the file
 * @param like a tree of the form, shapes and dtypes that are wanted; nothing of it is computed
 * @returns a task to be called; a FormatError when the file cannot be read, is damaged, or holds another tree
 * @throws TreeError when a leaf of `like` is no tensor, ArgumentError when the path is none
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { loadTree } from 'tenfold/io';
 * const { left } = await loadTree('no-such-file', { w: zeros([2]) })();
 * left.given; // => "'no-such-file'"
 * ```
 */
export const loadTree = <T>(path: string, like: T): TE.TaskEither<FormatError, LoadedTree<T>> => {
  checkPath('loadTree', path);
  const restored = restore<T>('loadTree', named('loadTree', like));
  const decoded = (file: Uint8Array): E.Either<FormatError, LoadedTree<T>> =>
    pipe(
      decodeSafetensors(file),
      E.chain(({ tensors, metadata }) =>
        pipe(
          restored(tensors),
          E.map(tree => Object.freeze({ tree, metadata })),
        ),
      ),
      E.mapLeft(inFile(path)),
    );
  return pipe(
    readSource('loadTree', path),
    TE.chainEitherK(({ bytes }) => decoded(bytes)),
  );
};
