/**
 * ZIP archives of stored and deflated files, without encryption, volumes and the extension for more than 4 GB.
 *
 * Specification: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { crc32, deflate, inflate } from './deflate.js';
import { damaged, quote, Refused } from './fault.js';

/** A file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, largeEnd: 0x07064b50 } as const;
/** Bytes of the records before their names and comments. */
const length = { local: 30, central: 46, end: 22, largeEnd: 20 } as const;
const [stored, deflated] = [0, 8];
/** What a field says whose value stands in the extension for large files. */
const elsewhere = 0xffffffff;

const fail = (given: string, rule: string, hint = damaged): never => {
  throw new Refused({ given, rule, hint });
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

const utf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch {
    return fail('a name of an archived file that is no UTF-8', 'names are UTF-8');
  }
};

/** Where the last record of the archive starts: nothing but its comment follows it. */
const endRecordOf = (view: DataView): number => {
  const last = view.byteLength - length.end;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === signature.end && view.getUint16(at + 20, true) === last - at) return at;
  }
  return fail(`${view.byteLength} bytes that end without a ZIP directory`, 'an archive ends with its directory');
};

const failLarge = (given: string): never =>
  fail(given, 'the ZIP64 extension is not read', 'Write it as several files, or as safetensors.');

/** A file of the archive by what the directory says. */
interface Listed {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: Uint8Array;
  readonly begin: number;
  readonly size: number;
}

/** Deflate makes at most 1032 bytes of one. */
const largestRatio = 1032;

const listed = (file: Uint8Array, at: number, directory: number): { readonly entry: Listed; readonly next: number } => {
  const view = viewOf(file);
  const name = utf8(file.subarray(at + length.central, at + length.central + view.getUint16(at + 28, true)));
  const what = `the archived file ${quote(name)}`;
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  if ((flags & 1) !== 0) fail(`${what}, encrypted`, 'archives are read without a password', 'Write it without one.');
  if (method !== stored && method !== deflated) {
    fail(`${what}, of method ${method}`, 'files are stored or deflated', 'Write it with savez or savez_compressed.');
  }
  const [packedSize, size] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
  const local = view.getUint32(at + 42, true);
  if ([packedSize, size, local].includes(elsewhere)) failLarge(`${what}, of 4 GB or more`);
  if (method === stored ? size !== packedSize : size > largestRatio * packedSize) {
    fail(`${size} bytes out of ${packedSize} for ${what}`, 'deflate makes at most 1032 of one');
  }
  if (local + length.local > directory || view.getUint32(local, true) !== signature.local) {
    fail(`${what} at byte ${local}`, 'a file has a header of its own before the directory');
  }
  const begin = local + length.local + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (begin + packedSize > directory)
    fail(`${what} up to byte ${begin + packedSize}`, 'files lie before the directory');
  const packed = file.subarray(begin, begin + packedSize);
  const next = at + length.central + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
  return { entry: { name, method, crc: view.getUint32(at + 16, true), packed, begin: local, size }, next };
};

/** Each file once, none inside of another: else little data could be unpacked again and again. */
const checkPlaces = (entries: readonly Listed[]): void => {
  const names = new Set<string>();
  let end = 0;
  for (const { name, begin, packed } of [...entries].sort((a, b) => a.begin - b.begin)) {
    if (names.has(name)) fail(`the archived file ${quote(name)} twice`, 'a name stands for one thing only');
    if (begin < end) fail(`the archived file ${quote(name)} inside another`, 'files lie one after the other');
    names.add(name);
    end = begin + length.local + packed.length;
  }
};

const directoryOf = (file: Uint8Array): readonly Listed[] => {
  const view = viewOf(file);
  const end = endRecordOf(view);
  const [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  const large = end - length.largeEnd;
  const hasLargeEnd = start + size !== end && large >= 0 && view.getUint32(large, true) === signature.largeEnd;
  if (hasLargeEnd || count === 0xffff || [size, start].includes(elsewhere)) {
    failLarge('a ZIP directory of 4 GB or 65535 files, or more');
  }
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count || start + size !== end) {
    fail('a ZIP directory of another place or volume', 'the directory stands before its end record, in one file');
  }
  const entries: Listed[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + length.central > end || view.getUint32(at, true) !== signature.central) {
      fail(`a ZIP directory of fewer than ${count} files`, 'it has a record for each of them');
    }
    const { entry, next } = listed(file, at, start);
    entries.push(entry);
    at = next;
  }
  if (at !== end) fail(`a ZIP directory of more than ${count} files`, 'it has a record for each of them');
  checkPlaces(entries);
  return entries;
};

const unpack = async ({ name, method, crc, packed, size }: Listed): Promise<ZipEntry> => {
  const bytes = method === stored ? packed : await inflate('deflate-raw', packed, size);
  if (crc32(bytes) !== crc)
    fail(`the archived file ${quote(name)} with another checksum`, 'its CRC-32 is that of its bytes');
  return { name, bytes };
};

/**
 * The files of an archive, in the order of its directory.
 *
 * @param limit how many bytes they may be in all, unpacked
 * @throws Refused where it is damaged, and what the platform throws for what is no deflate
 */
export const unzip = async (file: Uint8Array, limit: number): Promise<readonly ZipEntry[]> => {
  const entries = directoryOf(file);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > limit) {
    fail(
      `${total} bytes, unpacked`,
      `at most ${limit} are read`,
      'Allow more, if you trust the file: { maxBytes: … }.',
    );
  }
  const found: ZipEntry[] = [];
  for (const entry of entries) found.push(await unpack(entry));
  return found;
};

interface Packed {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc: number;
  readonly data: Uint8Array;
  readonly size: number;
}

const pack = async ({ name, bytes }: ZipEntry, compress: boolean): Promise<Packed> => ({
  name: new TextEncoder().encode(name),
  method: compress ? deflated : stored,
  crc: crc32(bytes),
  data: compress ? await deflate('deflate-raw', bytes) : bytes,
  size: bytes.length,
});

/** The fields that a file's own header and its record in the directory share, from the version on. */
const writeCommon = (view: DataView, at: number, { name, method, crc, data, size }: Packed): void => {
  view.setUint16(at, 20, true);
  // Bit 11: the name is UTF-8. The date is the format's first day: the same contents give the same bytes.
  view.setUint16(at + 2, 0x800, true);
  view.setUint16(at + 4, method, true);
  view.setUint16(at + 8, (1 << 5) | 1, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, data.length, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, name.length, true);
};

/**
 * The archive of these files.
 *
 * @throws Refused where it would be 4 GB or more, or has too many files or a name that is too long
 */
export const zip = async (files: readonly ZipEntry[], compress: boolean): Promise<Uint8Array> => {
  const packed: Packed[] = [];
  for (const file of files) packed.push(await pack(file, compress));
  const sum = (of: (each: Packed) => number): number => packed.reduce((total, each) => total + of(each), 0);
  const directory = sum(({ name, data }) => length.local + name.length + data.length);
  const end = directory + sum(({ name }) => length.central + name.length);
  if (
    end >= elsewhere ||
    packed.length >= 0xffff ||
    packed.some(({ name, size }) => name.length > 0xffff || size >= elsewhere)
  ) {
    fail(
      `${packed.length} files of ${end} bytes in all`,
      'an archive has less than 4 GB and 65535 files',
      'Write it as safetensors.',
    );
  }
  const bytes = new Uint8Array(end + length.end);
  const view = viewOf(bytes);
  let [local, central] = [0, directory];
  for (const each of packed) {
    view.setUint32(local, signature.local, true);
    writeCommon(view, local + 4, each);
    bytes.set(each.name, local + length.local);
    bytes.set(each.data, local + length.local + each.name.length);
    view.setUint32(central, signature.central, true);
    view.setUint16(central + 4, 20, true);
    writeCommon(view, central + 6, each);
    view.setUint32(central + 42, local, true);
    bytes.set(each.name, central + length.central);
    local += length.local + each.name.length + each.data.length;
    central += length.central + each.name.length;
  }
  view.setUint32(end, signature.end, true);
  view.setUint16(end + 8, packed.length, true);
  view.setUint16(end + 10, packed.length, true);
  view.setUint32(end + 12, end - directory, true);
  view.setUint32(end + 16, directory, true);
  return bytes;
};
