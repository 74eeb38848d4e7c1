/**
 * The safetensors format: eight bytes with the length of a JSON header, the header, then the elements of all
 * tensors, little-endian, one after the other without holes.
 *
 * Specification: https://huggingface.co/docs/safetensors/index#format
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import { ArgumentError, type FormatError } from '../tensor/errors.js';
import { elementsNow } from '../tensor/evaluate.js';
import type { Node } from '../tensor/graph.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import { isTensor, nodeOf, type Tensor } from '../tensor/tensor.js';
import {
  elementBytes,
  elementKinds,
  type LongIntegers,
  ownType,
  readElements,
  type StoredType,
  storedTypes,
} from './elements.js';
import { type Checked, faultOf, isBytes, quote, refuse } from './fault.js';
import {
  dataStartOf,
  type Entry,
  headerStart,
  type Metadata,
  metadataName,
  parseHeader,
} from './safetensors-header.js';
import { tensorOf } from './values.js';

/** The contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly metadata: Metadata;
}

/** How elements are read. */
export interface ReadOptions {
  /**
   * What 64-bit integers become: `'int32'`, as which signed ones are int32 and unsigned ones uint32 and all must fit, or
   * `'float64'`, the nearest of them.
   */
  readonly longIntegers?: LongIntegers | undefined;
}

/** Element types of a file, by the names of the tensors, that differ from the tensors' dtypes. */
export type StoredTypes = Readonly<Record<string, StoredType>>;

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
 * @internal The nodes of tensors by name.
 * @throws ArgumentError for what is no record of tensors
 */
export const nodesByName = (
  operation: string,
  tensors: Readonly<Record<string, Tensor>>,
): readonly (readonly [string, Node])[] => {
  checkTensorsByName(operation, tensors);
  return Object.entries(tensors).map(([name, tensor]): readonly [string, Node] => {
    checkArgument(
      isTensor(tensor),
      operation,
      `${kindOf(tensor)} as '${name}'`,
      'every value is a tensor',
      `Make one with tensor(…); ${namesOfLeaves}`,
    );
    return [name, nodeOf(tensor)];
  });
};

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

/**
 * @internal Refuses names that the format keeps, and types that a tensor cannot be stored as.
 * @throws ArgumentError
 */
export const checkStored = (
  operation: string,
  nodes: readonly (readonly [string, { readonly dtype: DType }])[],
  types: StoredTypes,
): void => {
  checkArgument(
    nodes.every(([name]) => name !== metadataName),
    operation,
    `a tensor named '${metadataName}'`,
    'the format keeps that name for the metadata',
    'Give the tensor another name; metadata are the second argument.',
  );
  checkRecord(operation, 'element types', "Write { name: 'BF16' }.", types);
  const dtypes = new Map(nodes.map(([name, { dtype }]) => [name, dtype]));
  for (const [name, type] of Object.entries(types)) {
    const dtype = dtypes.get(name);
    const fitting = storedTypes.filter(each => elementKinds[each].dtype === dtype);
    checkArgument(
      fitting.includes(type),
      operation,
      `${kindOf(type)} as the type of '${name}'`,
      dtype === undefined ? 'there is no such tensor' : `${dtype} is stored as ${fitting.join(' or ')}`,
      'Leave the type out, or cast the tensor first.',
    );
  }
};

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

/** A JSON object with its members in this order, which JSON.stringify would not keep for names like '10'. */
const jsonObject = (members: readonly (readonly [string, unknown])[]): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;

interface Stored {
  readonly name: string;
  readonly shape: Shape;
  readonly type: StoredType;
  readonly bytes: Uint8Array;
}

const fileOf = (tensors: readonly Stored[], metadata: Metadata): Uint8Array => {
  // Larger elements first, so that each tensor lies at a multiple of its element size without holes.
  const inFile = [...tensors].sort(
    (a, b) => elementKinds[b.type].width - elementKinds[a.type].width || byName([a.name, a], [b.name, b]),
  );
  let end = 0;
  const placed = inFile.map(tensor => {
    const begin = end;
    end += tensor.bytes.length;
    return { tensor, begin, end };
  });
  const entries = placed.map(
    ({ tensor: { name, type, shape }, begin, end }) =>
      [name, { dtype: type, shape, data_offsets: [begin, end] }] as const,
  );
  const about = Object.entries(metadata).sort(byName);
  const first = about.length === 0 ? [] : [[metadataName, Object.fromEntries(about)] as const];
  const header = new TextEncoder().encode(jsonObject([...first, ...entries.sort(byName)]));
  const dataStart = headerStart + Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(dataStart + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(dataStart - headerStart), true);
  file.set(header, headerStart);
  file.fill(' '.charCodeAt(0), headerStart + header.length, dataStart);
  for (const { tensor, begin } of placed) file.set(tensor.bytes, dataStart + begin);
  return file;
};

/**
 * @internal The file with these tensors.
 * @throws ArgumentError for an integer that its type does not hold
 */
export const encodeElements = (
  operation: string,
  tensors: readonly Elements[],
  metadata: Metadata,
  types: StoredTypes = {},
): Uint8Array => {
  const stored = tensors.map(({ name, shape, dtype, array }): Stored => {
    const type = Object.hasOwn(types, name) ? types[name]! : ownType[dtype];
    const bytes = elementBytes(type, array);
    if (E.isRight(bytes)) return { name, shape, type, bytes: bytes.right };
    const { given, rule, hint } = bytes.left;
    throw new ArgumentError({ operation, given: `${given} of the tensor ${quote(name)}`, rule, hint });
  });
  return fileOf(stored, metadata);
};

/**
 * The tensors as a safetensors file. The same tensors and metadata give the same bytes, in whatever order they are
 * written down.
 *
 * @param tensors by name
 * @param metadata strings by name
 * @param types element types by name, for tensors that are stored otherwise than their dtype has it: float32 as `F16` or
 *   `BF16` (to the nearest, ties to even), int32 as `I64`, `I16` or `I8`, uint32 as `U64` or `U16`
 * @returns the bytes of the file
 * @throws ArgumentError for what is no record, a value that is no tensor, the name `__metadata__`, metadata that are no
 *   strings, a type that its tensor cannot be stored as, or an integer that its type does not hold
 * @throws TraceError inside a function that is being traced
 * @throws DeviceError for a tensor on a device that can only be read asynchronously
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { decodeSafetensors, encodeSafetensors } from 'tenfold/io';
 * const bytes = encodeSafetensors({ x: tensor([1, 2, 3]) }, { made: 'by hand' }, { x: 'BF16' });
 * decodeSafetensors(bytes).right.tensors.x.toArray(); // => [1, 2, 3]
 * decodeSafetensors(bytes).right.metadata; // => { made: 'by hand' }
 * ```
 */
export const encodeSafetensors = (
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Metadata = {},
  types: StoredTypes = {},
): Uint8Array => {
  const operation = 'encodeSafetensors';
  const nodes = nodesByName(operation, tensors);
  checkMetadata(operation, metadata);
  checkStored(operation, nodes, types);
  const arrays = elementsNow(
    operation,
    nodes.map(([, node]) => node),
  );
  const elements = nodes.map(([name, { shape, dtype }], i) => ({ name, shape, dtype, array: arrays[i]! }));
  return encodeElements(operation, elements, metadata, types);
};

// ---- Decoding -----------------------------------------------------------------------------------------------------

/**
 * @internal
 * @throws ArgumentError
 */
export const checkReadOptions = (operation: string, options: ReadOptions | undefined): LongIntegers => {
  checkOptions(operation, ['longIntegers'], options);
  const { longIntegers = 'int32' } = options ?? {};
  checkArgument(
    longIntegers === 'int32' || longIntegers === 'float64',
    operation,
    `longIntegers: ${kindOf(longIntegers)}`,
    "it is 'int32' or 'float64'",
    "Leave it out for 'int32', which refuses what does not fit.",
  );
  return longIntegers;
};

/** @internal A tensor from its bytes. */
export const readTensor = ({ name, type, shape }: Entry, bytes: Uint8Array, as: LongIntegers): Checked<Tensor> =>
  pipe(
    readElements(type, bytes, as),
    E.bimap(
      fault => ({ ...fault, given: `${fault.given} of the tensor ${quote(name)}` }),
      ({ dtype, array }) => tensorOf(shape, dtype, array),
    ),
  );

/**
 * The tensors of a safetensors file, their elements copied. Anything wrong with the file is a `Left`, never thrown.
 *
 * F64 becomes float64; F32, F16, BF16, F8_E5M2 and F8_E4M3 float32; I32, I16 and I8 int32; U32 and U16 uint32; U8 uint8; BOOL bool. I64
 * becomes int32 and U64 uint32 where all elements of the tensor fit, or float64 if that is asked for.
 *
 * @param file its bytes
 * @param options `longIntegers: 'float64'` for 64-bit integers as the nearest float64
 * @returns the tensors and the metadata by name, both frozen
 * @throws ArgumentError for other options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { decodeSafetensors, encodeSafetensors } from 'tenfold/io';
 * const file = encodeSafetensors({ w: tensor([[1, 2]]), on: tensor([true]) });
 * decodeSafetensors(file).right.tensors.w.shape; // => [1, 2]
 * decodeSafetensors(file.slice(0, -1)).left.operation; // => 'decodeSafetensors'
 * ```
 */
export const decodeSafetensors = (file: Uint8Array, options?: ReadOptions): E.Either<FormatError, Safetensors> => {
  const operation = 'decodeSafetensors';
  const as = checkReadOptions(operation, options);
  const bytes: Checked<Uint8Array> = isBytes(file)
    ? E.right(file)
    : refuse(kindOf(file), 'a file is a Uint8Array', 'Wrap an ArrayBuffer: new Uint8Array(buffer).');
  return pipe(
    bytes,
    E.chain(() => dataStartOf(file.subarray(0, headerStart), file.length)),
    E.chain(start =>
      pipe(
        parseHeader(file.subarray(headerStart, start), file.length - start),
        E.bind('tensors', ({ entries }) =>
          pipe(
            entries,
            E.traverseArray(entry =>
              pipe(
                readTensor(entry, file.subarray(start + entry.begin, start + entry.end), as),
                E.map(tensor => [entry.name, tensor] as const),
              ),
            ),
          ),
        ),
      ),
    ),
    // fromEntries defines its members, so that a tensor named __proto__ is one like any other.
    E.map(({ metadata, tensors }) => Object.freeze({ tensors: Object.freeze(Object.fromEntries(tensors)), metadata })),
    E.mapLeft(faultOf(operation)),
  );
};
