/** NumPy's format for several arrays: a ZIP archive of `.npy` files, named by the arrays. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { FormatError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LongIntegers } from './elements.js';
import { damaged, type Fault, faultFrom, faultOf, quote, Refused } from './fault.js';
import { writeFile } from './files.js';
import { npyOf, parseNpy } from './npy.js';
import { checkReadOptions, nodesByName, type ReadOptions } from './safetensors.js';
import { checkPath, checkSource, readSource, type Source } from './sources.js';
import { arraysOf } from './values.js';
import { unzip, zip } from './zip.js';

type Tensors = Readonly<Record<string, Tensor>>;

/** How an `.npz` file is read. */
export interface ReadNpzOptions extends ReadOptions {
  /** How many bytes the arrays may be in all, unpacked; 2³⁰ by default. */
  readonly maxBytes?: number | undefined;
}

/** How an `.npz` file is written. */
export interface WriteNpzOptions {
  /** Whether the arrays are compressed, as `numpy.savez_compressed` does; false by default. */
  readonly compress?: boolean | undefined;
}

const suffix = '.npy';

const parse = async (file: Uint8Array, as: LongIntegers, limit: number): Promise<Tensors> => {
  const members = (await unzip(file, limit)).map(({ name, bytes }) => {
    const what = `the archived file ${quote(name)}`;
    if (!name.endsWith(suffix)) {
      throw new Refused({ given: what, rule: 'the files of the archive are .npy files', hint: 'Is it an .npz file?' });
    }
    const found = parseNpy(bytes, as);
    if (E.isLeft(found)) throw new Refused({ ...found.left, given: `${found.left.given} in ${what}` });
    return [name.slice(0, -suffix.length), found.right] as const;
  });
  return Object.freeze(Object.fromEntries(members));
};

const parseNpz = (file: Uint8Array, as: LongIntegers, limit: number): TE.TaskEither<Fault, Tensors> =>
  TE.tryCatch(
    () => parse(file, as, limit),
    reason => faultFrom(reason, 'the arrays are stored or deflated', damaged),
  );

/**
 * A task that reads the tensors of an `.npz` file by name, as `numpy.savez` and `numpy.savez_compressed` write them.
 * Dtypes become what {@link decodeNpy} makes of them.
 *
 * @param source the path, URL, Blob, Response or bytes of the file
 * @param options `longIntegers: 'float64'` for 64-bit integers as the nearest float64; `maxBytes`, how many bytes the
 *   arrays may be in all, unpacked (2³⁰)
 * @returns a task to be called; a FormatError when the file cannot be read or is damaged, is encrypted, of 4 GB or more, or
 *   unpacks to more than `maxBytes`
 * @throws ArgumentError for what is no source, and for other options; IndexError for a `maxBytes` that is no count
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodeNpz, readNpz } from 'tenfold/io';
 * const { right: bytes } = await encodeNpz({ x: tensor([1, 2]), y: tensor(3) })();
 * const { right } = await readNpz(bytes)();
 * right.x.toArray(); // => [1, 2]
 * ```
 */
export const readNpz = (source: Source, options?: ReadNpzOptions): TE.TaskEither<FormatError, Tensors> => {
  const operation = 'readNpz';
  checkSource(operation, source);
  checkOptions(operation, ['longIntegers', 'maxBytes'], options);
  const as = checkReadOptions(operation, { longIntegers: options?.longIntegers });
  const limit = checkInteger(operation, 'maxBytes', options?.maxBytes ?? 2 ** 30, 0, Number.MAX_SAFE_INTEGER);
  return pipe(
    readSource(operation, source),
    TE.chain(({ place, bytes }) => pipe(parseNpz(bytes, as, limit), TE.mapLeft(faultOf(operation, place)))),
  );
};

const checkCompress = (operation: string, options: WriteNpzOptions | undefined): boolean => {
  checkOptions(operation, ['compress'], options);
  checkFlag(operation, 'compress', options?.compress);
  return options?.compress ?? false;
};

const encode = async (nodes: readonly (readonly [string, Node])[], compress: boolean): Promise<Uint8Array> => {
  const arrays = await arraysOf(nodes.map(([, node]) => node));
  return zip(
    nodes.map(([name, node], i) => ({ name: `${name}${suffix}`, bytes: npyOf(node, arrays[i]!) })),
    compress,
  );
};

/**
 * A task that makes an `.npz` file of tensors. The same tensors give the same bytes, in the order they are written down.
 *
 * @param tensors by name
 * @param options `compress: true` for less space
 * @returns a task to be called; a FormatError when the file would be of 4 GB or more
 * @throws ArgumentError for what is no record of tensors, and for other options
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { encodeNpz } from 'tenfold/io';
 * const { right } = await encodeNpz({ x: zeros([1000]) }, { compress: true })();
 * right.length < 1000; // => true
 * ```
 */
export const encodeNpz = (tensors: Tensors, options?: WriteNpzOptions): TE.TaskEither<FormatError, Uint8Array> => {
  const nodes = nodesByName('encodeNpz', tensors);
  const compress = checkCompress('encodeNpz', options);
  return pipe(
    TE.tryCatch(
      () => encode(nodes, compress),
      reason => faultFrom(reason, 'tensors are read and packed', 'Write fewer of them to a file.'),
    ),
    TE.mapLeft(faultOf('encodeNpz')),
  );
};

/**
 * A task that writes tensors to an `.npz` file, in Node. The file is never there in part: if the task fails or is cut off,
 * an older file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @param tensors by name
 * @param options `compress: true` for less space
 * @returns a task to be called; a FormatError when the file cannot be written, or would be of 4 GB or more
 * @throws ArgumentError for what is no path or no record of tensors, and for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { readNpz, writeNpz } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-example.npz`;
 * await writeNpz(path, { x: tensor([1, 2]) }, { compress: true })();
 * (await readNpz(path)()).right.x.toArray(); // => [1, 2]
 * ```
 */
export const writeNpz = (
  path: string,
  tensors: Tensors,
  options?: WriteNpzOptions,
): TE.TaskEither<FormatError, void> => {
  checkPath('writeNpz', path);
  const nodes = nodesByName('writeNpz', tensors);
  const compress = checkCompress('writeNpz', options);
  return writeFile('writeNpz', path, () => encode(nodes, compress));
};
