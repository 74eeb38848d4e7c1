/** Deflate by the platform's streams, and the checksum of ZIP and PNG. */
import { damaged, Refused } from './fault.js';

type Format = 'deflate' | 'deflate-raw';

/** Chunks of a stream, joined; `limit` bytes at most, beyond which it is cancelled. */
const gather = async (stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array | null> => {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    size += next.value.length;
    if (size > limit) {
      // Not awaited: the stream need not answer.
      reader.cancel().catch(() => undefined);
      return null;
    }
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
};

type Through = Parameters<ReadableStream<Uint8Array>['pipeThrough']>[0];

const through = (bytes: Uint8Array, transform: unknown): ReadableStream<Uint8Array> =>
  (new Blob([bytes as Uint8Array<ArrayBuffer>]).stream() as ReadableStream<Uint8Array>).pipeThrough(
    transform as Through,
  ) as ReadableStream<Uint8Array>;

/** Compressed bytes: `deflate` with the header and checksum of zlib, `deflate-raw` without. */
export const deflate = async (format: Format, bytes: Uint8Array): Promise<Uint8Array> =>
  (await gather(through(bytes, new CompressionStream(format)), Number.POSITIVE_INFINITY))!;

/**
 * What was compressed. Memory is taken as bytes come out, not on the word of the file.
 *
 * @param size how many bytes it must be
 * @throws Refused where it is another number, whatever the platform throws for what is no deflate
 */
export const inflate = async (format: Format, bytes: Uint8Array, size: number): Promise<Uint8Array> => {
  const found = await gather(through(bytes, new DecompressionStream(format)), size);
  if (found?.length === size) return found;
  throw new Refused({
    given: `${found === null ? `more than ${size}` : found.length} bytes where they are decompressed`,
    rule: `the file says that they are ${size}`,
    hint: damaged,
  });
};

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 (ISO 3309) of the bytes. */
export const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]!) & 255]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
};
