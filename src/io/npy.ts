/**
 * NumPy's format for one array: a magic number, a version, a header that is a Python dictionary, the elements.
 *
 * Specification: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import type { FormatError } from '../tensor/errors.js';
import { elementsNow } from '../tensor/evaluate.js';
import { type Aval, type Shape, showShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ElementType, elementBytes, elementKinds, type LongIntegers, ownType, readElements } from './elements.js';
import { type Checked, damaged, faultOf, isBytes, quote, refuse } from './fault.js';
import { writeFile } from './files.js';
import { checkReadOptions, type ReadOptions } from './safetensors.js';
import { checkPath, checkSource, readSource, type Source } from './sources.js';
import { arraysOf, nodeFrom, tensorOf } from './values.js';

const magic = Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'));

/** NumPy's letter and width. */
const codes: Readonly<Record<string, ElementType>> = Object.freeze({
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
});

// ---- Decoding -----------------------------------------------------------------------------------------------------

interface Header {
  readonly type: ElementType;
  readonly littleEndian: boolean;
  /** Whether the first index varies fastest in the file. */
  readonly fortran: boolean;
  readonly shape: Shape;
}

const dictionary = "the header is a Python dictionary of 'descr', 'fortran_order' and 'shape'";
const notNumpy = 'No writer of NumPy makes such a file: write it again, with numpy.save.';

/** `'name': value, ` where the value is a string, a truth value, or a tuple of integers. */
const member =
  /\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|\(([\d\sL,]*)\))\s*(?:,|(?=\}))/y;

type Members = Readonly<Record<string, { readonly string?: string; readonly flag?: boolean; readonly tuple?: string }>>;

const parseDictionary = (text: string): Checked<Members> => {
  const bad = refuse(`the header ${quote(text.trim())}`, dictionary, 'Arrays of records or objects are not read.');
  const body = text.trim();
  if (!body.startsWith('{') || !body.endsWith('}')) return bad;
  const members = new Map<string, Members[string]>();
  let at = 1;
  while (body.slice(at).trim() !== '}') {
    member.lastIndex = at;
    const found = member.exec(body);
    if (found === null) return bad;
    const name = (found[1] ?? found[2])!;
    if (members.has(name)) return refuse(`${quote(name)} twice in the header`, dictionary, notNumpy);
    const string = found[3] ?? found[4];
    members.set(name, {
      ...(string === undefined ? {} : { string }),
      ...(found[5] === undefined ? {} : { flag: found[5] === 'True' }),
      ...(found[6] === undefined ? {} : { tuple: found[6] }),
    });
    // More names than there are make no use of a header.
    if (members.size > 3) return bad;
    at = member.lastIndex;
  }
  return E.right(Object.fromEntries(members));
};

/** The lengths in a tuple such as `3, 4` or `3,`. */
const parseShape = (tuple: string | undefined): Checked<Shape> => {
  const parts = tuple?.split(',').map(part => part.trim());
  if (parts !== undefined && parts.length > 1 && parts[parts.length - 1] === '') parts.pop();
  else if (parts?.length === 1 && parts[0] === '') parts.pop();
  else if (parts?.length === 1) parts[0] = 'no tuple';
  if (parts?.every(part => /^\d+L?$/.test(part) && Number.isSafeInteger(Number.parseInt(part, 10)))) {
    return E.right(Object.freeze(parts.map(part => Number.parseInt(part, 10))));
  }
  return refuse(`the shape ${quote(`(${tuple ?? ''})`)}`, 'a shape is a tuple of non-negative integers', notNumpy);
};

const parseHeader = (text: string): Checked<Header> =>
  pipe(
    parseDictionary(text),
    E.chain(({ descr, fortran_order: order, shape }) => {
      const [, sign, code] = /^([<>|])(\w+)$/.exec(descr?.string ?? '') ?? [];
      const type = code !== undefined && Object.hasOwn(codes, code) ? codes[code] : undefined;
      if (type === undefined || (sign === '|' && elementKinds[type].width > 1)) {
        return refuse(
          descr?.string === undefined ? 'a header without a dtype' : `the dtype ${quote(descr.string)}`,
          `the dtypes that can be read are ${Object.keys(codes).join(', ')}, after < or > where they have several bytes`,
          "Convert the array where the file is written: x.astype('float32').",
        );
      }
      if (order?.flag === undefined) return refuse('a header without fortran_order', dictionary, notNumpy);
      return pipe(
        parseShape(shape?.tuple),
        E.map(lengths => ({ type, littleEndian: sign !== '>', fortran: order.flag!, shape: lengths })),
      );
    }),
  );

/** Elements of which the first index varies fastest, in row-major order. */
const fromFortran = (array: TypedArray, shape: Shape): TypedArray => {
  if (array.length < 2 || shape.length < 2) return array;
  const turned = array.slice();
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < turned.length; to++) {
    turned[to] = array[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return turned;
};

/** NumPy's own limit; more axes than data could make use of. */
const mostAxes = 64;

const readArray = (
  { type, littleEndian, fortran, shape }: Header,
  data: Uint8Array,
  as: LongIntegers,
): Checked<Tensor> => {
  if (shape.length > mostAxes) return refuse(`${shape.length} axes`, `an array has at most ${mostAxes}`, notNumpy);
  const wanted = sizeOf(shape) * elementKinds[type].width;
  if (data.length !== wanted) {
    return refuse(
      `${data.length} bytes of elements`,
      `${type} of shape ${showShape(shape)} takes ${wanted} bytes`,
      damaged,
    );
  }
  return pipe(
    readElements(type, data, as, littleEndian),
    E.map(({ dtype, array }) => tensorOf(shape, dtype, fortran ? fromFortran(array, shape) : array)),
  );
};

/** An array from its file. */
export const parseNpy = (file: Uint8Array, as: LongIntegers): Checked<Tensor> => {
  if (file.length < 12 || magic.some((byte, i) => file[i] !== byte)) {
    return refuse(
      `${file.length} bytes that start otherwise`,
      'a file starts with \\x93NUMPY',
      'The file is cut off, or is no .npy file; .npz files are read by readNpz.',
    );
  }
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const [major, minor] = [file[6]!, file[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    return refuse(`version ${major}.${minor}`, 'versions 1.0, 2.0 and 3.0 are read', 'Write it with numpy.save.');
  }
  const start = major === 1 ? 10 : 12;
  const end = start + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > file.length)
    return refuse(`a header of ${end - start} bytes in a file of ${file.length}`, dictionary, damaged);
  // Names of fields may be UTF-8 in version 3; what is read here is ASCII in all of them.
  const text = new TextDecoder('latin1').decode(file.slice(start, end));
  return pipe(
    parseHeader(text),
    E.chain(header => readArray(header, file.subarray(end), as)),
  );
};

/**
 * The tensor in an `.npy` file, its elements copied: versions 1 to 3, either byte order, C and Fortran order. Anything
 * wrong with the file is a `Left`, never thrown.
 *
 * f8 becomes float64; f4 and f2 float32; i4, i2 and i1 int32; u4 and u2 uint32; u1 uint8; b1 bool. i8, NumPy's own choice
 * for integers, becomes int32 and u8 uint32 where all elements fit, or float64 if that is asked for.
 *
 * @param file its bytes
 * @param options `longIntegers: 'float64'` for 64-bit integers as the nearest float64
 * @throws ArgumentError for what are no bytes, and for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { decodeNpy, encodeNpy } from 'tenfold/io';
 * decodeNpy(encodeNpy(tensor([[1, 2], [3, 4]]))).right.toArray(); // => [[1, 2], [3, 4]]
 * decodeNpy(new Uint8Array(20)).left.operation; // => 'decodeNpy'
 * ```
 */
export const decodeNpy = (file: Uint8Array, options?: ReadOptions): E.Either<FormatError, Tensor> => {
  const as = checkReadOptions('decodeNpy', options);
  return pipe(
    isBytes(file) ? parseNpy(file, as) : refuse('no bytes', 'a file is a Uint8Array', 'Write new Uint8Array(buffer).'),
    E.mapLeft(faultOf('decodeNpy')),
  );
};

/**
 * A task that reads an `.npy` file, as {@link decodeNpy} does.
 *
 * @param source the path, URL, Blob, Response or bytes of the file
 * @param options `longIntegers: 'float64'` for 64-bit integers as the nearest float64
 * @returns a task to be called; a FormatError when the file cannot be read or is damaged
 * @throws ArgumentError for what is no source, and for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodeNpy, readNpy } from 'tenfold/io';
 * const { right } = await readNpy(new Blob([encodeNpy(tensor([1, 2]))]))();
 * right.toArray(); // => [1, 2]
 * ```
 */
export const readNpy = (source: Source, options?: ReadOptions): TE.TaskEither<FormatError, Tensor> => {
  checkSource('readNpy', source);
  const as = checkReadOptions('readNpy', options);
  return pipe(
    readSource('readNpy', source),
    TE.chainEitherK(({ place, bytes }) => pipe(parseNpy(bytes, as), E.mapLeft(faultOf('readNpy', place)))),
  );
};

// ---- Encoding -----------------------------------------------------------------------------------------------------

const descr: Readonly<Record<DType, string>> = Object.freeze({
  float64: '<f8',
  float32: '<f4',
  int32: '<i4',
  uint32: '<u4',
  uint8: '|u1',
  bool: '|b1',
});

/** Room that NumPy leaves for the first length to grow. */
const mostDigits = 21;

/** The file of an array, byte for byte as numpy.save writes it. */
export const npyOf = ({ shape, dtype }: Aval, array: TypedArray): Uint8Array => {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const room = shape.length === 0 ? 0 : mostDigits - String(shape[0]).length;
  const text = `{'descr': '${descr[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(room)}`;
  const paddedTo = (start: number): number => start + text.length + 1 + 64 - ((start + text.length + 1) % 64);
  const version = paddedTo(10) - 10 <= 0xffff ? 1 : 2;
  const start = version === 1 ? 10 : 12;
  const end = paddedTo(start);
  // The elements of each dtype are stored as they are.
  const { right: data } = elementBytes(ownType[dtype], array) as E.Right<Uint8Array>;
  const file = new Uint8Array(end + data.length);
  const view = new DataView(file.buffer);
  file.set(magic);
  file[6] = version;
  if (version === 1) view.setUint16(8, end - start, true);
  else view.setUint32(8, end - start, true);
  file.set(new TextEncoder().encode(`${text.padEnd(end - start - 1)}\n`), start);
  file.set(data, end);
  return file;
};

/**
 * The tensor as an `.npy` file, byte for byte as `numpy.save` writes it.
 *
 * @returns the bytes of the file
 * @throws ArgumentError for what is no tensor
 * @throws TraceError inside a function that is being traced
 * @throws DeviceError for a tensor on a device that can only be read asynchronously
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodeNpy } from 'tenfold/io';
 * encodeNpy(tensor([1, 2])).length; // => 136
 * ```
 */
export const encodeNpy = (tensor: Tensor): Uint8Array => {
  const node = nodeFrom('encodeNpy', tensor);
  return npyOf(tensor, elementsNow('encodeNpy', [node])[0]!);
};

/**
 * A task that writes an `.npy` file, in Node. The file is never there in part: if the task fails or is cut off, an older
 * file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @returns a task to be called; a FormatError when the file cannot be written
 * @throws ArgumentError for what is no path or no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { readNpy, writeNpy } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-example.npy`;
 * await writeNpy(path, tensor([1, 2]))();
 * (await readNpy(path)()).right.toArray(); // => [1, 2]
 * ```
 */
export const writeNpy = (path: string, tensor: Tensor): TE.TaskEither<FormatError, void> => {
  checkPath('writeNpy', path);
  const node = nodeFrom('writeNpy', tensor);
  return writeFile('writeNpy', path, async () => npyOf(tensor, (await arraysOf([node]))[0]!));
};
