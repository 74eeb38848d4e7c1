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
import { evaluate, storageOf } from '../tensor/evaluate.js';
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

/**
 * @internal
 * @throws ArgumentError for a value that is no string
 */
export const checkMetadata = (operation: string, metadata: Metadata): void => {
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
 * @throws ArgumentError for a value that is no tensor, the name `__metadata__`, or metadata that are no strings
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
  checkArgument(
    typeof tensors === 'object' && tensors !== null && !Array.isArray(tensors) && !isTensor(tensors),
    operation,
    Array.isArray(tensors) ? 'an array' : isTensor(tensors) ? 'a tensor' : kindOf(tensors),
    'it takes tensors by name',
    'Write { name: tensor }; flattenTree gives the leaves of a tree their names.',
  );
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
      'Make one with tensor(…); flattenTree gives the leaves of a tree their names.',
    );
    return [name, nodeOf(tensor)];
  });
  evaluate(nodes.map(([, node]) => node));
  const elements = nodes.map(([name, node]) => {
    const { shape, dtype } = node;
    return { name, shape, dtype, array: storageOf(node).readSync() };
  });
  return encodeElements(elements, metadata);
};

// ---- Decoding -----------------------------------------------------------------------------------------------------

type Checked<A> = E.Either<FormatError, A>;

const truncated = 'The file is cut off or damaged: fetch or write it again.';
const notWritten = 'No writer of safetensors makes such a file: write it again, with the safetensors library.';

const refuse = (given: string, rule: string, hint = notWritten): Checked<never> =>
  E.left(new FormatError({ operation: 'decodeSafetensors', given, rule, hint }));

const quote = (name: string): string => `'${name.length > 80 ? `${name.slice(0, 80)}…` : name}'`;

const show = (json: unknown): string => {
  const text = JSON.stringify(json) ?? String(json);
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
  const names: Set<string>[] = [];
  for (const [, brace, name] of json.matchAll(/([{}])|("(?:[^"\\]|\\.)*")(?=\s*(:)?)/g)) {
    if (brace === '{') names.push(new Set());
    else if (brace === '}') names.pop();
    else if (name !== undefined) names;
  }
  return undefined;
};

