/** The header of a safetensors file, checked: it may say anything, and nothing is allocated on its word. */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Shape, showShape, sizeOf } from '../tensor/shape.js';
import { type ElementType, elementKinds, elementTypes } from './elements.js';
import { type Checked, damaged, quote, refuse } from './fault.js';

/** What a file of tensors says about itself: strings by name. */
export type Metadata = Readonly<Record<string, string>>;

/** @internal The name in the header that belongs to no tensor. */
export const metadataName = '__metadata__';

/** Bytes before the header. */
export const headerStart = 8;

/** The format's own limit. */
const longestHeader = 100_000_000;

/** What the header says of a tensor. */
export interface Entry {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

/** A header that fits the file. */
export interface Header {
  readonly metadata: Metadata;
  readonly entries: readonly Entry[];
}

const notWritten = 'No writer of safetensors makes such a file: write it again, with the safetensors library.';

const reject = (given: string, rule: string, hint = notWritten): Checked<never> => refuse(given, rule, hint);

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

/**
 * Where the tensors start, by the first bytes of a file.
 *
 * @param start the first eight bytes, or all there are
 */
export const dataStartOf = (start: Uint8Array, size: number): Checked<number> => {
  if (start.length < headerStart) {
    return reject(`${size} bytes`, 'a file starts with eight bytes, the length of its header', damaged);
  }
  const length = new DataView(start.buffer, start.byteOffset, headerStart).getBigUint64(0, true);
  if (length > BigInt(size - headerStart)) {
    return reject(
      `a header of ${length} bytes in a file of ${size}`,
      'the first eight bytes are the length of the header, which the file must hold',
      'The file is cut off, or is no safetensors file.',
    );
  }
  if (length > BigInt(longestHeader)) {
    return reject(`a header of ${length} bytes`, `the format allows ${longestHeader}`);
  }
  return E.right(headerStart + Number(length));
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

const parseJson = (header: Uint8Array): Checked<JsonObject> => {
  const wanted = 'the header is a JSON object in UTF-8';
  try {
    // A copy, as a decoder takes no shared memory.
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header.slice());
    const parsed: unknown = JSON.parse(json);
    if (!isObject(parsed)) return reject(`a header ${show(parsed)}`, wanted);
    const twice = repeatedName(json);
    if (twice === undefined) return E.right(parsed);
    return reject(`the name ${quote(twice)} twice in the header`, 'a name stands for one thing only');
  } catch (reason) {
    return reject(`a header of ${header.length} bytes that cannot be read (${String(reason)})`, wanted, damaged);
  }
};

const readMetadata = (header: JsonObject): Checked<Metadata> => {
  const metadata = Object.hasOwn(header, metadataName) ? header[metadataName] : {};
  if (isObject(metadata) && Object.values(metadata).every(value => typeof value === 'string')) {
    return E.right(Object.freeze(metadata as Metadata));
  }
  return reject(`${metadataName} ${show(metadata)}`, 'metadata are strings by name');
};

const isType = (code: unknown): code is ElementType => elementTypes.some(type => type === code);

const readEntry = ([name, json]: readonly [string, unknown]): Checked<Entry> => {
  const what = `the tensor ${quote(name)}`;
  if (!isObject(json)) return reject(`${show(json)} for ${what}`, 'a tensor has a dtype, a shape and data_offsets');
  const { dtype: type, shape, data_offsets: offsets } = json;
  if (!isType(type)) {
    return reject(
      `the dtype ${show(type)} for ${what}`,
      `the dtypes that can be read are ${elementTypes.join(', ')}`,
      'Convert the tensor where the file is written, for example to F32.',
    );
  }
  if (!areCounts(shape)) {
    return reject(`the shape ${show(shape)} for ${what}`, 'a shape is an array of non-negative integers');
  }
  if (!areCounts(offsets) || offsets.length !== 2) {
    return reject(`the data_offsets ${show(offsets)} for ${what}`, 'they are two non-negative integers');
  }
  const [begin, end] = offsets as readonly [number, number];
  const wanted = sizeOf(shape) * elementKinds[type].width;
  if (end - begin !== wanted) {
    return reject(
      `${end - begin} bytes (data_offsets ${show(offsets)}) for ${what}`,
      `${type} of shape ${showShape(shape)} takes ${wanted} bytes`,
    );
  }
  return E.right({ name, type, shape: Object.freeze([...shape]), begin, end });
};

/** The tensors must lie in the file one after the other, from its first byte of data to its last. */
const checkPlaces = (entries: readonly Entry[], size: number): Checked<void> => {
  const rule = 'the tensors fill the file one after the other, without holes and without overlap';
  let next = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== next) {
      const at = `the tensor ${quote(name)} at byte ${begin}`;
      return reject(begin > next ? `${at}, after a hole from ${next}` : `${at}, inside another up to ${next}`, rule);
    }
    next = end;
  }
  if (next === size) return E.right(undefined);
  return reject(`tensors of ${next} bytes in a file with ${size}`, rule, damaged);
};

/**
 * What a header says.
 *
 * @param json its bytes
 * @param size how many bytes follow it
 */
export const parseHeader = (json: Uint8Array, size: number): Checked<Header> =>
  pipe(
    parseJson(json),
    E.bindTo('parsed'),
    E.bind('metadata', ({ parsed }) => readMetadata(parsed)),
    E.bind('entries', ({ parsed }) =>
      pipe(
        Object.entries(parsed).filter(([name]) => name !== metadataName),
        E.traverseArray(readEntry),
        E.chainFirst(entries => checkPlaces(entries, size)),
      ),
    ),
    E.map(({ metadata, entries }) => ({ metadata, entries })),
  );
