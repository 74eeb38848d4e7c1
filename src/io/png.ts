/**
 * Pictures in PNG files: grey, grey with alpha, RGB and RGBA of 8 and 16 bits, and what can be read as one of them (a
 * palette, grey of 1, 2 and 4 bits), interlaced or not. Transparent colours without a palette are refused.
 *
 * Specification: https://www.w3.org/TR/png-3/
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { TypedArray } from '../tensor/dtype.js';
import type { FormatError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { checkArgument, checkInteger, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { crc32, deflate, inflate } from './deflate.js';
import { damaged, type Fault, faultFrom, faultOf, Refused } from './fault.js';
import { writeFile } from './files.js';
import { filterRows } from './png-filters.js';
import { type Layout, rowBytes, samplesIn } from './png-rows.js';
import { checkPath, checkSource, readSource, type Source } from './sources.js';
import { arraysOf, nodeFrom, tensorOf } from './values.js';

/** How a PNG file is read. */
export interface ReadPngOptions {
  /** How many bytes the pixels may take; 2²⁸ by default. */
  readonly maxBytes?: number | undefined;
}

const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

/** Colour types of the format: their channels and the bits that a sample of them may have. */
const colours: Readonly<Record<number, { readonly channels: number; readonly bits: readonly number[] }>> =
  Object.freeze({
    0: { channels: 1, bits: [1, 2, 4, 8, 16] },
    2: { channels: 3, bits: [8, 16] },
    3: { channels: 1, bits: [1, 2, 4, 8] },
    4: { channels: 2, bits: [8, 16] },
    6: { channels: 4, bits: [8, 16] },
  });
const [grey, palette] = [0, 3];
/** The colour type by the number of channels. */
const colourOf = [-1, 0, 4, 2, 6];

const largest = 2 ** 31 - 1;

const fail = (given: string, rule: string, hint = damaged): never => {
  throw new Refused({ given, rule, hint });
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

// ---- Decoding -----------------------------------------------------------------------------------------------------

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const chunksOf = (file: Uint8Array): readonly Chunk[] => {
  if (signature.some((byte, i) => file[i] !== byte)) {
    fail(
      `${file.length} bytes that start otherwise`,
      'a file starts with the signature of PNG',
      'Is it another format?',
    );
  }
  const view = viewOf(file);
  const chunks: Chunk[] = [];
  let at = signature.length;
  while (chunks[chunks.length - 1]?.type !== 'IEND') {
    if (at + 12 > file.length) fail(`${file.length} bytes without an end`, 'the last chunk is IEND');
    const length = view.getUint32(at);
    const end = at + 8 + length;
    if (end + 4 > file.length) fail(`a chunk of ${length} bytes at byte ${at}`, 'the file holds all of its chunks');
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    if (!/^[A-Za-z]{4}$/.test(type))
      fail(`a chunk at byte ${at} without a name`, 'the name of a chunk is four letters');
    if (crc32(file.subarray(at + 4, end)) !== view.getUint32(end)) {
      fail(`the chunk ${type} with another checksum`, 'its CRC-32 is that of its bytes');
    }
    chunks.push({ type, data: file.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
};

interface Picture extends Layout {
  readonly colour: number;
}

const pictureOf = ({ type, data }: Chunk): Picture => {
  if (type !== 'IHDR' || data.length !== 13)
    fail(`the chunk ${type} of ${data.length} bytes`, 'the first is IHDR, of 13');
  const view = viewOf(data);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits, colour, compression, filter, interlace] = data.subarray(8) as unknown as readonly [
    number,
    number,
    number,
    number,
    number,
  ];
  if (width < 1 || height < 1 || width > largest || height > largest) {
    fail(`${width} by ${height} pixels`, `width and height are from 1 to ${largest}`);
  }
  const known = colours[colour];
  if (!known?.bits.includes(bits))
    return fail(`${bits} bits of colour type ${colour}`, 'the format has no such pixels');
  if (compression !== 0 || filter !== 0) {
    fail(`compression ${compression} and filter ${filter}`, 'the format knows method 0 of both');
  }
  if (interlace > 1) fail(`the interlace method ${interlace}`, 'the format knows 0, none, and 1, that of Adam');
  return { width, height, bits, colour, channels: known.channels, isInterlaced: interlace === 1 };
};

/** What must be understood to read a picture right: chunks whose name starts with a capital letter, and `tRNS`. */
const checkChunks = (chunks: readonly Chunk[], { colour }: Picture): void => {
  const types = chunks.map(({ type }) => type);
  const strange = types.find(type => /^[A-Z]/.test(type) && !['IHDR', 'PLTE', 'IDAT', 'IEND'].includes(type));
  if (strange !== undefined)
    fail(`the chunk ${strange}`, 'it must be understood, and is not', 'Write it as a plain PNG.');
  for (const once of ['IHDR', 'PLTE', 'tRNS']) {
    if (types.indexOf(once) !== types.lastIndexOf(once)) fail(`the chunk ${once} twice`, 'it comes once');
  }
  const [first, last] = [types.indexOf('IDAT'), types.lastIndexOf('IDAT')];
  if (first < 0) fail('no chunk IDAT', 'it holds the pixels');
  if (types.slice(first, last).some(type => type !== 'IDAT')) fail('chunks among IDAT', 'they follow each other');
  if (types.includes('tRNS') && colour !== palette) {
    fail(
      'one colour that is transparent',
      'transparency is read from an alpha channel or a palette',
      'Write it as RGBA.',
    );
  }
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const coloured = (samples: Uint8Array, colours: Uint8Array, alphas: Uint8Array | undefined): Uint8Array => {
  const channels = alphas === undefined ? 3 : 4;
  const pixels = new Uint8Array(samples.length * channels);
  for (let i = 0; i < samples.length; i++) {
    const index = samples[i]!;
    if (3 * index >= colours.length)
      fail(`the colour ${index} of ${colours.length / 3}`, 'a pixel is one of the palette');
    for (let c = 0; c < 3; c++) pixels[i * channels + c] = colours[3 * index + c]!;
    if (alphas !== undefined) pixels[i * channels + 3] = alphas[index] ?? 255;
  }
  return pixels;
};

/** 16-bit samples, the high byte first. */
const wide = (bytes: Uint8Array): Uint32Array => {
  const samples = new Uint32Array(bytes.length / 2);
  for (let i = 0; i < samples.length; i++) samples[i] = (bytes[2 * i]! << 8) | bytes[2 * i + 1]!;
  return samples;
};

const pixelsOf = (samples: Uint8Array, picture: Picture, chunks: readonly Chunk[]): Tensor => {
  const { width, height, bits, colour, channels } = picture;
  const of = (pixels: TypedArray): Tensor =>
    tensorOf(
      Object.freeze([height, width, pixels.length / (height * width)]),
      bits === 16 ? 'uint32' : 'uint8',
      pixels,
    );
  if (bits === 16) return of(wide(samples));
  if (colour === grey && channels === 1) {
    const scale = 255 / (2 ** bits - 1);
    return of(scale === 1 ? samples : samples.map(sample => sample * scale));
  }
  if (colour !== palette) return of(samples);
  const dataOf = (name: string): Uint8Array | undefined => chunks.find(({ type }) => type === name)?.data;
  const colours = dataOf('PLTE') ?? fail('a picture of palette colours without one', 'the chunk PLTE holds it');
  const alphas = dataOf('tRNS');
  if (colours.length % 3 !== 0 || colours.length > 768 || (alphas?.length ?? 0) > colours.length / 3) {
    fail(`a palette of ${colours.length} bytes`, 'it has three for each of up to 256 colours, and an alpha at most');
  }
  return of(coloured(samples, colours, alphas));
};

const decode = async (file: Uint8Array, limit: number): Promise<Tensor> => {
  const chunks = chunksOf(file);
  const picture = pictureOf(chunks[0]!);
  checkChunks(chunks, picture);
  const { width, height, bits, colour, channels } = picture;
  // What the tensor takes: 16 bits become 32, and a palette's index three or four bytes.
  const bytes = width * height * (colour === palette ? 4 : channels * (bits === 16 ? 4 : 1));
  if (bytes > limit) {
    fail(`${width} by ${height} pixels`, `${limit} bytes at most are read`, 'If you trust it: { maxBytes: … }.');
  }
  const packed = joined(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  const samples = samplesIn(await inflate('deflate', packed, rowBytes(picture)), picture);
  if (samples === null) return fail('a row with an unknown filter', 'the format has filters 0 to 4');
  return pixelsOf(samples, picture, chunks);
};

const parsePng = (file: Uint8Array, limit: number): TE.TaskEither<Fault, Tensor> =>
  TE.tryCatch(
    () => decode(file, limit),
    reason => faultFrom(reason, 'the pixels are deflated', damaged),
  );

/**
 * A task that reads a picture from a PNG file.
 *
 * A sample of up to 8 bits becomes uint8, of 0 to 255 however many bits it had; one of 16 bits uint32, of 0 to 65535.
 * Colours of a palette are looked up.
 *
 * @param source the path, URL, Blob, Response or bytes of the file
 * @param options `maxBytes`, how many bytes the pixels may take (2²⁸): a small file can hold a very large picture
 * @returns a task to be called: a tensor of shape [height, width, channels] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4
 *   channels (RGBA); a FormatError when the file cannot be read or is damaged, has a transparent colour without a palette,
 *   or more than `maxBytes`
 * @throws ArgumentError for what is no source, and for other options; IndexError for a `maxBytes` that is no count
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { encodePng, readPng } from 'tenfold/io';
 * const image = tensor([[0, 255], [128, 64]], { dtype: 'uint8' });
 * const { right: file } = await encodePng(image)();
 * const { right } = await readPng(file)();
 * right.shape; // => [2, 2, 1]
 * ```
 */
export const readPng = (source: Source, options?: ReadPngOptions): TE.TaskEither<FormatError, Tensor> => {
  checkSource('readPng', source);
  checkOptions('readPng', ['maxBytes'], options);
  const limit = checkInteger('readPng', 'maxBytes', options?.maxBytes ?? 2 ** 28, 0, Number.MAX_SAFE_INTEGER);
  return pipe(
    readSource('readPng', source),
    TE.chain(({ place, bytes }) => pipe(parsePng(bytes, limit), TE.mapLeft(faultOf('readPng', place)))),
  );
};

// ---- Encoding -----------------------------------------------------------------------------------------------------

const checkImage = (operation: string, image: Tensor): Node => {
  const node = nodeFrom(operation, image);
  const { shape, dtype } = image;
  const [height = 0, width = 0, channels = 1] = shape;
  const isPicture = shape.length === 2 || (shape.length === 3 && channels >= 1 && channels <= 4);
  checkArgument(
    isPicture &&
      [height, width].every(length => length >= 1 && length <= largest) &&
      ['uint8', 'uint32'].includes(dtype),
    operation,
    showAval(image),
    'a picture is uint8 or uint32 of shape [height, width] or [height, width, channels] with 1 to 4 channels',
    "Scale to 0 … 255 and cast(x, 'uint8').",
  );
  return node;
};

const chunk = (type: string, data: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(12 + data.length);
  const view = viewOf(bytes);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
};

const samplesOf = (array: TypedArray): Uint8Array => {
  if (array instanceof Uint8Array) return array;
  const bytes = new Uint8Array(2 * array.length);
  for (let i = 0; i < array.length; i++) {
    const sample = array[i]!;
    if (sample > 0xffff) fail(`the sample ${sample} at element ${i}`, 'it has 16 bits', 'Scale to 0 … 65535.');
    bytes[2 * i] = sample >> 8;
    bytes[2 * i + 1] = sample & 255;
  }
  return bytes;
};

const encode = async (node: Node): Promise<Uint8Array> => {
  const [array] = await arraysOf([node]);
  const [height, width, channels = 1] = node.shape as readonly [number, number, number?];
  const bytes = samplesOf(array!);
  const stride = bytes.length / height;
  const header = new Uint8Array(13);
  const view = viewOf(header);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = node.dtype === 'uint8' ? 8 : 16;
  header[9] = colourOf[channels]!;
  const rows = filterRows(bytes, height, stride, stride / width);
  return joined([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', await deflate('deflate', rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
};

/**
 * A task that makes a PNG file of a picture.
 *
 * @param image of shape [height, width] (grey), or [height, width, channels] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4
 *   channels (RGBA); uint8, stored with 8 bits, or uint32 of 0 to 65535, stored with 16
 * @returns a task to be called; a FormatError for a sample of more than 16 bits
 * @throws ArgumentError for another shape or dtype
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { encodePng } from 'tenfold/io';
 * const { right } = await encodePng(zeros([8, 8, 3], { dtype: 'uint8' }))();
 * String.fromCharCode(...right.slice(1, 4)); // => 'PNG'
 * ```
 */
export const encodePng = (image: Tensor): TE.TaskEither<FormatError, Uint8Array> => {
  const node = checkImage('encodePng', image);
  return pipe(
    TE.tryCatch(
      () => encode(node),
      reason => faultFrom(reason, 'the pixels are read and deflated', 'Write a smaller picture.'),
    ),
    TE.mapLeft(faultOf('encodePng')),
  );
};

/**
 * A task that writes a picture to a PNG file, in Node. The file is never there in part: if the task fails or is cut off,
 * an older file of that name stays as it was.
 *
 * @param path of the file, in a folder that exists
 * @param image as {@link encodePng} takes it
 * @returns a task to be called; a FormatError when the file cannot be written, or a sample has more than 16 bits
 * @throws ArgumentError for what is no path, and for another shape or dtype
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { readPng, writePng } from 'tenfold/io';
 * import { tmpdir } from 'node:os';
 * const path = `${tmpdir()}/tenfold-example.png`;
 * await writePng(path, tensor([[0, 255]], { dtype: 'uint8' }))();
 * (await readPng(path)()).right.toArray(); // => [[[0], [255]]]
 * ```
 */
export const writePng = (path: string, image: Tensor): TE.TaskEither<FormatError, void> => {
  checkPath('writePng', path);
  const node = checkImage('writePng', image);
  return writeFile('writePng', path, () => encode(node));
};
