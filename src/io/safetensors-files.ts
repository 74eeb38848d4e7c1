/** Safetensors files on the disk and on the network: read tensor by tensor, written as a whole. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FormatError } from '../tensor/errors.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ElementType, LongIntegers } from './elements.js';
import { faultOf } from './fault.js';
import { writeFile } from './files.js';
import {
  checkMetadata,
  checkReadOptions,
  checkStored,
  encodeElements,
  nodesByName,
  type ReadOptions,
  readTensor,
  type StoredTypes,
} from './safetensors.js';
import { dataStartOf, type Entry, headerStart, type Metadata, parseHeader } from './safetensors-header.js';
import { checkPath, checkSource, openSource, type Reader, readPart, type Source } from './sources.js';
import { arraysOf } from './values.js';

/** A tensor of a file: what the header says of it, and the task that reads its elements. */
export interface LazyTensor {
  /** How its elements are stored. */
  readonly type: ElementType;
  readonly shape: Shape;
  readonly read: TE.TaskEither<FormatError, Tensor>;
}

/** A safetensors file of which the header has been read. */
export interface SafetensorsFile {
  readonly metadata: Metadata;
  readonly tensors: Readonly<Record<string, LazyTensor>>;
  /** All of the tensors by name. */
  readonly readAll: TE.TaskEither<FormatError, Readonly<Record<string, Tensor>>>;
}

const operation = 'readSafetensors';

const lazy =
  (reader: Reader, start: number, as: LongIntegers) =>
  (entry: Entry): readonly [string, LazyTensor] => {
    const read = pipe(
      readPart(operation, reader, start + entry.begin, start + entry.end),
      TE.chainEitherK(bytes => pipe(readTensor(entry, bytes, as), E.mapLeft(faultOf(operation, reader.place)))),
    );
    return [entry.name, Object.freeze({ type: entry.type, shape: entry.shape, read })];
  };

const fileOf = (metadata: Metadata, tensors: readonly (readonly [string, LazyTensor])[]): SafetensorsFile =>
  Object.freeze({
    metadata,
    tensors: Object.freeze(Object.fromEntries(tensors)),
    readAll: pipe(
      tensors,
      // One after the other: a disk gains nothing from more, and memory holds one tensor's bytes at a time.
      TE.traverseSeqArray(([name, { read }]) =>
        pipe(
          read,
          TE.map(tensor => [name, tensor] as const),
        ),
      ),
      TE.map(members => Object.freeze(Object.fromEntries(members))),
    ),
  });

const openFile =
  (as: LongIntegers) =>
  (reader: Reader): TE.TaskEither<FormatError, SafetensorsFile> => {
    const inPlace = faultOf(operation, reader.place);
    return pipe(
      readPart(operation, reader, 0, Math.min(headerStart, reader.size)),
      TE.chainEitherK(first => pipe(dataStartOf(first, reader.size), E.mapLeft(inPlace))),
      TE.bindTo('start'),
      TE.bind('json', ({ start }) => readPart(operation, reader, headerStart, start)),
      TE.chainEitherK(({ start, json }) =>
        pipe(
          parseHeader(json, reader.size - start),
          E.bimap(inPlace, ({ metadata, entries }) => fileOf(metadata, entries.map(lazy(reader, start, as)))),
        ),
      ),
    );
  };

/**
 * A task that reads the header of a safetensors file and gives a task for each tensor. Of a path or a Blob, only the
 * header is read at first, and of the rest what is asked for; a Response or a URL on the network is fetched as a whole.
 *
 * The header is checked before anything is made by it: offsets that overlap, leave holes or lie outside of the file,
 * sizes that do not fit the shape, names that come twice. Element types become dtypes as {@link decodeSafetensors} has it.
 *
 * @param source the path, URL, Blob, Response or bytes of the file
 * @param options `longIntegers: 'float64'` for 64-bit integers as the nearest float64
 * @returns a task to be called; a FormatError when the file cannot be read or is damaged, and from the task of a tensor
 *   when the file has changed since, or holds an element that the dtype does not
 * @throws ArgumentError for what is no source, and for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodeSafetensors, readSafetensors } from 'tenfold/io';
 * const blob = new Blob([encodeSafetensors({ w: tensor([[1, 2]]), b: tensor([3]) })]);
 * const { right: file } = await readSafetensors(blob)();
 * file.tensors.w.shape; // => [1, 2]
 * const { right: w } = await file.tensors.w.read();
 * w.toArray(); // => [[1, 2]]
 * Object.keys((await file.readAll()).right); // => ['b', 'w']
 * ```
 */
export const readSafetensors = (source: Source, options?: ReadOptions): TE.TaskEither<FormatError, SafetensorsFile> => {
  checkSource(operation, source);
  return pipe(openSource(operation, source), TE.chain(openFile(checkReadOptions(operation, options))));
};

/**
 * A task that writes tensors to a safetensors file, in Node. The file is never there in part: if the task fails or is cut
 * off, an older file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @param tensors by name
 * @param metadata strings by name
 * @param types element types by name, as {@link encodeSafetensors} takes them
 * @returns a task to be called; a FormatError when the file cannot be written, or an integer does not fit its type
 * @throws ArgumentError for what is no path, no record, a value that is no tensor, the name `__metadata__`, metadata that
 *   are no strings, or a type that its tensor cannot be stored as
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { readSafetensors, writeSafetensors } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-halves.safetensors`;
 * await writeSafetensors(path, { w: tensor([1, 2.5]) }, {}, { w: 'F16' })();
 * const { right: file } = await readSafetensors(path)();
 * file.tensors.w.type; // => 'F16'
 * (await file.tensors.w.read()).right.toArray(); // => [1, 2.5]
 * ```
 */
export const writeSafetensors = (
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Metadata = {},
  types: StoredTypes = {},
): TE.TaskEither<FormatError, void> => {
  const name = 'writeSafetensors';
  checkPath(name, path);
  const nodes = nodesByName(name, tensors);
  checkMetadata(name, metadata);
  checkStored(name, nodes, types);
  return writeFile(name, path, async () => {
    const arrays = await arraysOf(nodes.map(([, node]) => node));
    const elements = nodes.map(([name, { shape, dtype }], i) => ({ name, shape, dtype, array: arrays[i]! }));
    return encodeElements(name, elements, metadata, types);
  });
};
