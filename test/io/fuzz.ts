/**
 * Changes valid files at random and reads them: each must come to an end soon, as tensors or as a FormatError, and take no
 * memory beyond a few times its size.
 *
 * `fuzz.test.ts` does that for a short time. By hand, for SECONDS (60) with each reader, from a SEED (the time):
 *
 *     node --conditions=tenfold-source --import=tsx test/io/fuzz.ts SECONDS SEED
 *
 * What is found is printed with the file in base64.
 */
import { fileURLToPath } from 'node:url';
import type { Either } from 'fp-ts/lib/Either.js';
import { cast, FormatError, isTensor, type Tensor, tensor, zeros } from 'tenfold';
import {
  decodeCsv,
  decodeNpy,
  decodeSafetensors,
  encodeNpy,
  encodeNpz,
  encodePng,
  encodeSafetensors,
  readNpz,
  readPng,
  readSafetensors,
} from 'tenfold/io';
import { crc32 } from '../../src/io/deflate.js';
import { zip } from '../../src/io/zip.js';

type Random = () => number;

/** Mulberry32. */
const randomFrom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
};

const below = (random: Random, n: number): number => Math.floor(random() * n);

const bytes = [0, 1, 2, 3, 4, 8, 16, 127, 128, 255, ...new TextEncoder().encode('0123456789{}[]()",\':-+.eE\n\\ ')];
const words = [0, 1, 2, 255, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];

const change = (random: Random, file: Uint8Array, other: Uint8Array): Uint8Array => {
  const at = below(random, file.length + 1);
  const length = below(random, random() < 0.5 ? 8 : file.length + 1);
  const put = (part: Iterable<number>, over: number): Uint8Array =>
    Uint8Array.from([...file.subarray(0, at), ...part, ...file.subarray(at + over)]);
  switch (below(random, 8)) {
    case 0:
      return put([bytes[below(random, bytes.length)]!], 1);
    case 1:
      return put([(file[at] ?? 0) ^ (1 << below(random, 8))], 1);
    case 2: {
      const word = new DataView(new ArrayBuffer(4));
      word.setUint32(0, words[below(random, words.length)]!, random() < 0.5);
      return put(new Uint8Array(word.buffer), 4);
    }
    case 3:
      return put([], length);
    case 4:
      return put(file.subarray(at, at + length), 0);
    case 5:
      return put(other.subarray(below(random, other.length + 1)).subarray(0, length), length);
    case 6:
      return file.slice(0, at);
    default:
      return put([below(random, 256)], random() < 0.5 ? 0 : 1);
  }
};

const changed = (random: Random, seeds: readonly Uint8Array[]): Uint8Array => {
  const one = (): Uint8Array => seeds[below(random, seeds.length)]!;
  let file = one();
  for (let i = below(random, 5); i >= 0; i--) file = change(random, file, one());
  // Blocks that are doubled again and again would make it long.
  return file.slice(0, 4096);
};

/** The checksums made right again, so that more than they is reached. */
const withChecksums = (file: Uint8Array): Uint8Array => {
  const view = new DataView(file.buffer);
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > file.length) break;
    view.setUint32(end, crc32(file.subarray(at + 4, end)));
    at = end + 4;
  }
  return file;
};

interface Reader {
  readonly make: (random: Random) => Uint8Array | Promise<Uint8Array>;
  readonly read: (file: Uint8Array) => Either<FormatError, unknown> | Promise<Either<FormatError, unknown>>;
  /** The most memory that it may take, by the size of the file. */
  readonly room: (size: number) => number;
}

const right = <A>(either: Either<unknown, A>): A => (either as { readonly right: A }).right;

const x = tensor(Float32Array.from({ length: 12 }, Math.sin), [3, 4]);
const n = tensor([[1, 2, 3]], { dtype: 'int32' });
const rgb = cast(tensor(Float32Array.from({ length: 75 }, (_, i) => (i * 37) % 256)), 'uint8');
const rgbOf = (shape: readonly number[]): Tensor => tensor(rgb.dataSync() as Uint8Array, shape) as Tensor;

const safetensors = [
  encodeSafetensors({ x, n, on: tensor([true, false]) }, { made: 'here' }, { x: 'F16', n: 'I64' }),
  encodeSafetensors({ 'a.b': x, z: zeros([0, 3]) }),
];
const npy = [x, n, tensor([true]), tensor(3), zeros([2, 0])].map(encodeNpy);
const foreign = ['<f2', '>i8', '<u2', '|i1'].map(descr => {
  const text = `{'descr': '${descr}', 'fortran_order': True, 'shape': (2, 2), }\n`;
  const data = new Uint8Array(4 * Number(descr[2]));
  return Uint8Array.from([147, 78, 85, 77, 80, 89, 1, 0, text.length, 0, ...new TextEncoder().encode(text), ...data]);
});
const npz = await Promise.all([false, true].map(async compress => right(await encodeNpz({ x, n }, { compress })())));
const png = await Promise.all(
  [rgbOf([5, 5, 3]), rgbOf([15, 5]), rgbOf([75, 1, 1]), cast(rgbOf([5, 15]), 'uint32')].map(async image =>
    right(await encodePng(image)()),
  ),
);
const csv = ['x,"y ""z"""\n1,2\r\n-3e4,nan\n', '1;2\n;4', 'inf\n"5"\n'].map(text => new TextEncoder().encode(text));

const maxBytes = 2 ** 16;
/** What a page of streams and messages takes. */
const base = 2 ** 20;

export const readers: Readonly<Record<string, Reader>> = {
  decodeSafetensors: {
    make: random => changed(random, safetensors),
    read: file => decodeSafetensors(file, { longIntegers: 'float64' }),
    room: size => base + 8 * size,
  },
  readSafetensors: {
    make: random => changed(random, safetensors),
    read: async file => {
      const opened = await readSafetensors(new Blob([file as Uint8Array<ArrayBuffer>]))();
      return opened._tag === 'Left' ? opened : opened.right.readAll();
    },
    room: size => base + 16 * size,
  },
  decodeNpy: {
    make: random => changed(random, [...npy, ...foreign]),
    read: file => decodeNpy(file),
    room: size => base + 16 * size,
  },
  readNpz: {
    make: async random => {
      if (random() < 0.7) return changed(random, npz);
      const files = [0, 1].map(i => ({ name: `${i}.npy`, bytes: changed(random, npy) }));
      return zip(files, random() < 0.5);
    },
    read: file => readNpz(file, { maxBytes })(),
    room: size => base + 8 * (size + maxBytes),
  },
  readPng: {
    make: random => (random() < 0.2 ? changed(random, png) : withChecksums(changed(random, png))),
    read: file => readPng(file, { maxBytes })(),
    room: size => base + 8 * (size + maxBytes),
  },
  decodeCsv: {
    make: random => changed(random, csv),
    read: file =>
      decodeCsv(file, { header: file.length % 2 === 0, missing: 0, delimiter: file.length % 3 ? ',' : ';' }),
    room: size => base + 16 * size,
  },
};

const faultOf = (result: Either<FormatError, unknown>): string | null => {
  if (result._tag === 'Right') return null;
  if (!(result.left instanceof FormatError)) return `gives the error ${String(result.left)}`;
  return /memory/.test(result.left.given) ? `wants too much: ${result.left.message}` : null;
};

/** Reads the elements too: they must be there. */
const touch = (value: unknown): void => {
  if (isTensor(value)) value.dataSync();
  else if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) touch(member);
};

const attempt = async (
  { read, room }: Reader,
  file: Uint8Array,
): Promise<readonly [fault: string | null, ok: boolean]> => {
  const memory = process.memoryUsage().arrayBuffers;
  const start = performance.now();
  try {
    const result = await read(file);
    // Garbage may be collected meanwhile, which only makes it less.
    const taken = process.memoryUsage().arrayBuffers - memory;
    const time = performance.now() - start;
    if (result._tag === 'Right') touch(result.right);
    if (taken > room(file.length)) return [`takes ${taken} bytes for ${file.length}`, false];
    if (time > 2000) return [`takes ${time} ms`, false];
    return [faultOf(result), result._tag === 'Right'];
  } catch (error) {
    return [`throws ${error instanceof Error ? error.stack : String(error)}`, false];
  }
};

/** What is found, and how many files were read, of which so many were good ones. */
export interface Findings {
  readonly faults: readonly string[];
  readonly runs: number;
  readonly accepted: number;
}

export const fuzz = async (name: string, seconds: number, seed: number): Promise<Findings> => {
  const reader = readers[name]!;
  const random = randomFrom(seed);
  const faults: string[] = [];
  let [runs, accepted] = [0, 0];
  for (const end = performance.now() + 1000 * seconds; performance.now() < end && faults.length < 5; runs++) {
    const file = await reader.make(random);
    const [fault, ok] = await attempt(reader, file);
    if (fault !== null) faults.push(`${name} ${fault}: ${Buffer.from(file).toString('base64')}`);
    if (ok) accepted++;
  }
  return { faults, runs, accepted };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seconds = 60, seed = Date.now()] = process.argv.slice(2).map(Number);
  console.log(`seed ${seed}`);
  for (const name of Object.keys(readers)) {
    const { faults, runs, accepted } = await fuzz(name, seconds, seed);
    console.log(`${name}: ${runs} files, ${accepted} of them good, ${faults.length} faults`);
    for (const fault of faults) console.log(`  ${fault}`);
    if (faults.length > 0) process.exitCode = 1;
  }
}
