/** Where the bytes of a file come from: Node's file system, the network, or what a page was given. */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { FormatError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkArgument } from '../tensor/shape.js';
import { fileSystem, outsideError } from './files.js';

/** A class of the platform, looked up where the library is used, so that its types need no others. */
type Platform<Name extends string> = typeof globalThis extends { readonly [N in Name]: { readonly prototype: infer S } }
  ? S
  : never;

/**
 * A file to read: its path (in Node), its URL (fetched, or read from the file system for `file:`), a Blob or File, a
 * Response of `fetch`, or its bytes.
 */
export type Source = string | Platform<'URL'> | Platform<'Blob'> | Platform<'Response'> | Uint8Array;

/** Bytes of which a part can be read. */
export interface Reader {
  /** What it reads, for messages. */
  readonly place: string;
  readonly size: number;
  /** The bytes from `begin` to before `end`, which lie in the file. They are the caller's own only where it copies them. */
  readonly read: (begin: number, end: number) => Promise<Uint8Array>;
}

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

const tags = ['URL', 'Blob', 'File', 'Response', 'Uint8Array'];

const isPath = (source: unknown): source is string => typeof source === 'string' && source !== '';

/** @throws ArgumentError for what is no source */
export const checkSource = (operation: string, source: unknown): void =>
  checkArgument(
    isPath(source) || tags.includes(tagOf(source)),
    operation,
    source === '' ? 'an empty string as the file' : `${kindOf(source)} as the file`,
    'a file is read from a path, a URL, a Blob, a Response or a Uint8Array',
    "Write 'out/file.npy', or new URL('https://…'), or new Uint8Array(buffer).",
  );

/** @throws ArgumentError for what is no path */
export const checkPath = (operation: string, path: unknown): void =>
  checkArgument(
    isPath(path),
    operation,
    path === '' ? 'an empty string as the path' : `${kindOf(path)} as the path`,
    'the path of a file is a string',
    "Write it as 'folder/file'.",
  );

/** What a source is called in messages. */
const placeOf = (source: Source): string => {
  if (typeof source === 'string') return `'${source}'`;
  switch (tagOf(source)) {
    case 'URL':
      return `'${(source as URL).href}'`;
    case 'File':
      return `the file '${String((source as Blob & { readonly name?: unknown }).name)}'`;
    case 'Blob':
      return 'the Blob';
    case 'Response':
      return `the response from '${(source as Response).url}'`;
    default:
      return 'the bytes';
  }
};

const inMemory = (place: string, bytes: Uint8Array): Reader => ({
  place,
  size: bytes.length,
  read: async (begin, end) => bytes.subarray(begin, end),
});

const ofBlob = (place: string, blob: Blob): Reader => ({
  place,
  size: blob.size,
  read: async (begin, end) => new Uint8Array(await blob.slice(begin, end).arrayBuffer()),
});

const ofResponse = async (place: string, response: Response): Promise<Reader> => {
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return inMemory(place, new Uint8Array(await response.arrayBuffer()));
};

/** Opened for each part, so that nothing stays open that nobody closes. */
const ofFile = async (place: string, path: string | URL): Promise<Reader> => {
  const files = fileSystem();
  const before = await files.stat(path);
  // A device or a pipe may have no end.
  if (!before.isFile()) throw new Error('it is no ordinary file');
  const read = async (begin: number, end: number): Promise<Uint8Array> => {
    const file = await files.open(path);
    try {
      const { size, mtimeMs, ino } = await file.stat();
      if (size !== before.size || mtimeMs !== before.mtimeMs || ino !== before.ino) {
        throw new Error('the file was changed while it was read');
      }
      const bytes = new Uint8Array(end - begin);
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, begin + filled);
        if (bytesRead === 0) throw new Error('the file ended early');
        filled += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  };
  return { place, size: before.size, read };
};

const open = async (place: string, source: Source): Promise<Reader> => {
  if (typeof source === 'string') return ofFile(place, source);
  switch (tagOf(source)) {
    case 'URL':
      return (source as URL).protocol === 'file:'
        ? ofFile(place, source as URL)
        : ofResponse(place, await fetch(source as URL));
    case 'Blob':
    case 'File':
      return ofBlob(place, source as Blob);
    case 'Response':
      return ofResponse(place, source as Response);
    default:
      return inMemory(place, source as Uint8Array);
  }
};

const failed =
  (operation: string, place: string) =>
  (reason: unknown): FormatError => {
    const { rule, hint } = outsideError(operation, 'reading', place, reason);
    return new FormatError({ operation, given: place, rule, hint }, { cause: reason });
  };

/** The source opened: its size is known, its bytes are read where they are wanted. */
export const openSource = (operation: string, source: Source): TE.TaskEither<FormatError, Reader> => {
  const place = placeOf(source);
  return TE.tryCatch(() => open(place, source), failed(operation, place));
};

/** A part of it. */
export const readPart = (
  operation: string,
  reader: Reader,
  begin: number,
  end: number,
): TE.TaskEither<FormatError, Uint8Array> =>
  TE.tryCatch(() => reader.read(begin, end), failed(operation, reader.place));

/** All of it, and where it is from. */
export const readSource = (
  operation: string,
  source: Source,
): TE.TaskEither<FormatError, { readonly place: string; readonly bytes: Uint8Array }> =>
  pipe(
    openSource(operation, source),
    TE.chain(reader =>
      pipe(
        readPart(operation, reader, 0, reader.size),
        TE.map(bytes => ({ place: reader.place, bytes })),
      ),
    ),
  );
