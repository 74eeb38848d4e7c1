/**
 * The safetensors format: eight bytes with the length of a JSON header, the header, then the elements of all
 * tensors, little-endian, one after the other without holes.
 *
 * Specification: https://huggingface.co/docs/safetensors/index#format
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { allocate, bytesOf, type DType, dtypes, type TypedArray } from '../tensor/dtype.js';
import { FormatError } from '../tensor/errors.js';
import { elementsNow } from '../tensor/evaluate.js';
import { bufferNode, type Node } from '../tensor/graph.js';
import { checkArgument, type Shape, showShape, sizeOf } from '../tensor/shape.js';
import { HostStorage } from '../tensor/storage.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';

/** What a file of tensors says about itself: strings by name. */
export type Metadata = Readonly<Record<string, string>>;

/** The contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Metadata;
}

/** @internal The name in the header that belongs to no tensor. */
export const metadataName = '__metadata__';

const codes: Readonly<Record<DType, string>> = Object.freeze({
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  uint32: 'U32',
  uint8: 'U8',
  bool: 'BOOL',
});

const dtypeOfCode: ReadonlyMap<unknown, DType> = new Map(dtypes.map(dtype => [codes[dtype], dtype]));

const headerStart = 8;

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns elements around, in place, on the few machines whose byte order is not the file's. */
const swapForHost = (bytes: Uint8Array, width: number): void => {
  if (hostIsLittleEndian) return;
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
};

// ---- Encoding -----------------------------------------------------------------------------------------------------

/** @internal A tensor whose elements have been read. */
export interface Elements {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly array: TypedArray;
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`;

/** Refuses what has no names. */
const checkRecord = (operation: string, what: string, hint: string, record: unknown): void =>
  checkArgument(
    // Not by its prototype: it may come from another realm.
    Object.prototype.toString.call(record) === '[object Object]',
    operation,
    Array.isArray(record) ? 'an array' : isTensor(record) ? 'a tensor' : kindOf(record),
    `it takes ${what} by name`,
    hint,
  );

const namesOfLeaves = 'flattenTree gives the leaves of a tree their names.';

/**
 * @internal
 * @throws ArgumentError for what is no record
 */
export const checkTensorsByName = (operation: string, tensors: unknown): void =>
  checkRecord(operation, 'tensors', `Write { name: tensor }; ${namesOfLeaves}`, tensors);

/**
 * @internal
 * @throws ArgumentError for what is no record, or a value that is no string
 */
export const checkMetadata = (operation: string, metadata: Metadata): void => {
  checkRecord(operation, 'metadata', "Write { name: 'text' }.", metadata);
  for (const [name, value] of Object.entries(metadata)) {
    checkArgument(
      typeof value === 'string',
      operation,
      `${kindOf(value)} as the metadata '${name}'`,
      'metadata are strings by name',
      'Write it as one: String(value), or JSON.stringify(value).',
    );
  }
};

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/** A JSON object with its members in this order, which JSON.stringify would not keep for names like '10'. */
const jsonObject = (members: readonly (readonly [string, unknown])[]): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;

/** @internal The file with these tensors. */
export const encodeElements = (tensors: readonly Elements[], metadata: Metadata): Uint8Array => {
  // Larger elements first, so that each tensor lies at a multiple of its element size without holes.
  const inFile = [...tensors].sort((a, b) => bytesOf[b.dtype] - bytesOf[a.dtype] || byName([a.name, a], [b.name, b]));
  let end = 0;
  const placed = inFile.map(tensor => {
    const begin = end;
    end += tensor.array.byteLength;
    return { tensor, begin, end };
  });
  const entries = placed.map(
    ({ tensor: { name, dtype, shape }, begin, end }) =>
      [name, { dtype: codes[dtype], shape, data_offsets: [begin, end] }] as const,
  );
  const about = Object.entries(metadata).sort(byName);
  const first = about.length === 0 ? [] : [[metadataName, Object.fromEntries(about)] as const];
  const header = new TextEncoder().encode(jsonObject([...first, ...entries.sort(byName)]));
  const dataStart = headerStart + Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(dataStart + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - headerStart), true);
  file.set(header, headerStart);
  file.fill(' '.charCodeAt(0), headerStart + header.length, dataStart);
  for (const { tensor, begin, end } of placed) {
    const { buffer, byteOffset, byteLength } = tensor.array;
    const bytes = file.subarray(dataStart + begin, dataStart + end);
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
    swapForHost(bytes, bytesOf[tensor.dtype]);
  }
  return file;
};

/**
 * The tensors as a safetensors file. The same tensors and metadata give the same bytes, in whatever order they are
 * written down.
 *
 * @param tensors by name
 * @param metadata strings by name
 * @returns the bytes of the file
 * @throws ArgumentError for what is no record, a value that is no tensor, the name `__metadata__`, or metadata that are no
 *   strings
 * @throws TraceError inside a function that is being traced
 * @throws DeviceError for a tensor on a device that can only be read asynchronously
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { decodeSafetensors, encodeSafetensors } from 'tenfold/io';
 * const bytes = encodeSafetensors({ x: tensor([1, 2, 3]) }, { made: 'by hand' });
 * decodeSafetensors(bytes).right.tensors.x.toArray(); // => [1, 2, 3]
 * decodeSafetensors(bytes).right.metadata; // => { made: 'by hand' }
 * ```
 */
export const encodeSafetensors = (tensors: Readonly<Record<string, Tensor>>, metadata: Metadata = {}): Uint8Array => {
  const operation = 'encodeSafetensors';
  checkTensorsByName(operation, tensors);
  checkMetadata(operation, metadata);
  const nodes = Object.entries(tensors).map(([name, tensor]): readonly [string, Node] => {
    checkArgument(
      name !== metadataName,
      operation,
      `a tensor named '${metadataName}'`,
      'the format keeps that name for the metadata',
      'Give the tensor another name; metadata are the second argument.',
    );
    checkArgument(
      isTensor(tensor),
      operation,
      `${kindOf(tensor)} as '${name}'`,
      'every value is a tensor',
      `Make one with tensor(…); ${namesOfLeaves}`,
    );
    return [name, nodeOf(tensor)];
  });
  const arrays = elementsNow(
    operation,
    nodes.map(([, node]) => node),
  );
  const elements = nodes.map(([name, { shape, dtype }], i) => ({ name, shape, dtype, array: arrays[i]! }));
  return encodeElements(elements, metadata);
};

// ---- Decoding -----------------------------------------------------------------------------------------------------

type Checked<A> = E.Either<FormatError, A>;

const truncated = 'The file is cut off or damaged: fetch or write it again.';
const notWritten = 'No writer of safetensors makes such a file: write it again, with the safetensors library.';

const refuse = (given: string, rule: string, hint = notWritten): Checked<never> =>
  E.left(new FormatError({ operation: 'decodeSafetensors', given, rule, hint }));

const quote = (name: string): string => `'${name.length > 80 ? `${name.slice(0, 80)}…` : name}'`;

/** JSON.parse reads what is nested deeper than JSON.stringify can write. */
const textOf = (json: unknown): string => {
  try {
    return JSON.stringify(json) ?? String(json);
  } catch {
    return 'JSON nested too deep to be shown';
  }
};

const show = (json: unknown): string => {
  const text = textOf(json);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

type JsonObject = Readonly<Record<string, unknown>>;

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const isCount = (json: unknown): json is number => Number.isSafeInteger(json) && (json as number) >= 0;

const areCounts = (json: unknown): json is readonly number[] => Array.isArray(json) && json.every(isCount);

interface Parts {
  /** The header's bytes and the tensors', both views of the file. */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

const split = (file: Uint8Array): Checked<Parts> => {
  // Not instanceof: the bytes may come from another realm.
  if (Object.prototype.toString.call(file) !== '[object Uint8Array]') {
    return refuse(kindOf(file), 'a file is a Uint8Array', 'Wrap an ArrayBuffer: new Uint8Array(buffer).');
  }
  if (file.length < headerStart) {
    return refuse(`${file.length} bytes`, 'a file starts with eight bytes, the length of its header', truncated);
  }
  const length = new DataView(file.buffer, file.byteOffset, headerStart).getBigUint64(0, true);
  if (length > BigInt(file.length - headerStart)) {
    return refuse(
      `a header of ${length} bytes in a file of ${file.length}`,
      'the first eight bytes are the length of the header, which the file must hold',
      'The file is cut off, or is no safetensors file.',
    );
  }
  const dataStart = headerStart + Number(length);
  return E.right({ header: file.subarray(headerStart, dataStart), data: file.subarray(dataStart) });
};

/** A name that valid JSON has twice in one object. JSON.parse would keep the last and say nothing. */
const repeatedName = (json: string): string | undefined => {
  const open: Set<string>[] = [];
  for (const [token, colon] of json.matchAll(/[{}]|"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open[open.length - 1]!;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
};

const parseHeader = (header: Uint8Array): Checked<JsonObject> => {
  const wanted = 'the header is a JSON object in UTF-8';
  try {
    // A copy, as a decoder takes no shared memory.
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header.slice());
    const parsed: unknown = JSON.parse(json);
    if (!isObject(parsed)) return refuse(`a header ${show(parsed)}`, wanted);
    const twice = repeatedName(json);
    if (twice === undefined) return E.right(parsed);
    return refuse(`the name ${quote(twice)} twice in the header`, 'a name stands for one thing only');
  } catch (reason) {
    return refuse(`a header of ${header.length} bytes that cannot be read (${String(reason)})`, wanted, truncated);
  }
};

const readMetadata = (header: JsonObject): Checked<Metadata> => {
  const metadata = Object.hasOwn(header, metadataName) ? header[metadataName] : {};
  if (isObject(metadata) && Object.values(metadata).every(value => typeof value === 'string')) {
    return E.right(Object.freeze(metadata as Metadata));
  }
  return refuse(`${metadataName} ${show(metadata)}`, 'metadata are strings by name');
};

/** What the header says of a tensor. */
interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

const readEntry = ([name, json]: readonly [string, unknown]): Checked<Entry> => {
  const what = `the tensor ${quote(name)}`;
  if (!isObject(json)) return refuse(`${show(json)} for ${what}`, 'a tensor has a dtype, a shape and data_offsets');
  const { dtype: code, shape, data_offsets: offsets } = json;
  const dtype = dtypeOfCode.get(code);
  if (dtype === undefined) {
    return refuse(
      `the dtype ${show(code)} for ${what}`,
      `the dtypes that can be read are ${Object.values(codes).join(', ')}`,
      'Convert the tensor where the file is written, for example to F32.',
    );
  }
  if (!areCounts(shape)) {
    return refuse(`the shape ${show(shape)} for ${what}`, 'a shape is an array of non-negative integers');
  }
  if (!areCounts(offsets) || offsets.length !== 2) {
    return refuse(`the data_offsets ${show(offsets)} for ${what}`, 'they are two non-negative integers');
  }
  const [begin, end] = offsets as readonly [number, number];
  const wanted = sizeOf(shape) * bytesOf[dtype];
  if (end - begin !== wanted) {
    return refuse(
      `${end - begin} bytes (data_offsets ${show(offsets)}) for ${what}`,
      `${codes[dtype]} of shape ${showShape(shape)} takes ${wanted} bytes`,
    );
  }
  return E.right({ name, dtype, shape: Object.freeze([...shape]), begin, end });
};

/** The tensors must lie in the file one after the other, from its first byte of data to its last. */
const checkPlaces = (entries: readonly Entry[], size: number): Checked<void> => {
  const rule = 'the tensors fill the file one after the other, without holes and without overlap';
  let next = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next) {
      const at = `the tensor ${quote(name)} at byte ${begin}`;
      return refuse(begin > next ? `${at}, after a hole from ${next}` : `${at}, inside another up to ${next}`, rule);
    }
    next = end;
  }
  if (next === size) return E.right(undefined);
  return refuse(`tensors of ${next} bytes in a file with ${size}`, rule, truncated);
};

const readTensor =
  (data: Uint8Array) =>
  ({ name, dtype, shape, begin, end }: Entry): Checked<readonly [string, Tensor]> => {
    // A copy of its own: aligned whatever the place in the file, and never written to by anyone.
    const array = allocate(dtype, sizeOf(shape), 'safetensors', shape);
    const bytes = new Uint8Array(array.buffer);
    bytes.set(data.subarray(begin, end));
    swapForHost(bytes, bytesOf[dtype]);
    const odd = dtype === 'bool' ? bytes.findIndex(byte => byte > 1) : -1;
    if (odd < 0) return E.right([name, wrap(bufferNode(shape, new HostStorage(dtype, array)))]);
    return refuse(
      `the byte ${bytes[odd]} at element ${odd} of the tensor ${quote(name)}`,
      'the bytes of a BOOL tensor are 0 and 1',
      'Write it as U8, or as BOOL with those values.',
    );
  };

const readTensors = (data: Uint8Array, header: JsonObject): Checked<Safetensors['tensors']> =>
  pipe(
    Object.entries(header).filter(([name]) => name !== metadataName),
    E.traverseArray(readEntry),
    E.chainFirst(entries => checkPlaces(entries, data.length)),
    E.chain(E.traverseArray(readTensor(data))),
    // fromEntries defines its members, so that a tensor named __proto__ is one like any other.
    E.map(tensors => Object.freeze(Object.fromEntries(tensors))),
  );

/**
 * The tensors of a safetensors file, their elements copied. Anything wrong with the file is a `Left`, never thrown.
 *
 * @param file its bytes
 * @returns the tensors and the metadata by name, both frozen
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { decodeSafetensors, encodeSafetensors } from 'tenfold/io';
 * const file = encodeSafetensors({ w: tensor([[1, 2]]), on: tensor([true]) });
 * decodeSafetensors(file).right.tensors.w.shape; // => [1, 2]
 * decodeSafetensors(file.slice(0, -1)).left.operation; // => 'decodeSafetensors'
 * ```
 */
export const decodeSafetensors = (file: Uint8Array): Checked<Safetensors> =>
  pipe(
    split(file),
    E.bind('parsed', ({ header }) => parseHeader(header)),
    E.bind('metadata', ({ parsed }) => readMetadata(parsed)),
    E.bind('tensors', ({ data, parsed }) => readTensors(data, parsed)),
    E.map(({ tensors, metadata }) => Object.freeze({ tensors, metadata })),
  );
