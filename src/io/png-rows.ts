/** From the rows of a PNG file to the samples of the picture, also where the rows are those of seven pictures in one. */
import { unfilterRows } from './png-filters.js';

/** What says how the samples of a picture lie in its rows. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Of a sample. */
  readonly bits: number;
  readonly channels: number;
  readonly isInterlaced: boolean;
}

/** Pixels of a picture that are stored as one by themselves: where they begin, how far apart they are, how many there are. */
interface Pass {
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly width: number;
  readonly height: number;
}

/** x, y, dx and dy of the seven passes of the interlace method Adam7. */
const adam7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

const passesOf = ({ width, height, isInterlaced }: Layout): readonly Pass[] => {
  if (!isInterlaced) return [{ x: 0, y: 0, dx: 1, dy: 1, width, height }];
  const count = (length: number, start: number, step: number): number => Math.ceil((length - start) / step);
  return adam7
    .map(([x, y, dx, dy]) => ({ x, y, dx, dy, width: count(width, x, dx), height: count(height, y, dy) }))
    .filter(pass => pass.width > 0 && pass.height > 0);
};

const strideOf = ({ channels, bits }: Layout, width: number): number => Math.ceil((width * channels * bits) / 8);

/** How many bytes the rows of a picture take, the numbers of their filters included. */
export const rowBytes = (layout: Layout): number =>
  passesOf(layout).reduce((sum, { width, height }) => sum + height * (1 + strideOf(layout, width)), 0);

/** Samples of less than a byte, each in a byte of its own. */
const unpacked = (rows: Uint8Array, bits: number, width: number, height: number): Uint8Array => {
  const stride = Math.ceil((width * bits) / 8);
  const samples = new Uint8Array(width * height);
  const mask = 2 ** bits - 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      samples[y * width + x] = (rows[y * stride + (bit >> 3)]! >> (8 - bits - (bit & 7))) & mask;
    }
  }
  return samples;
};

/**
 * The samples of a picture in the order of its pixels, those of 16 bits as two bytes.
 *
 * @param filtered as many bytes as {@link rowBytes} says
 * @returns null for a filter that there is not
 */
export const samplesIn = (filtered: Uint8Array, layout: Layout): Uint8Array | null => {
  const { width: across, height: down, bits, channels, isInterlaced } = layout;
  /** Bytes of a pixel, as it is in rows and as it comes out. */
  const [step, pixel] = [Math.ceil((channels * bits) / 8), bits < 8 ? channels : (channels * bits) / 8];
  const samples = new Uint8Array(isInterlaced ? across * down * pixel : 0);
  let at = 0;
  for (const { x, y, dx, dy, width, height } of passesOf(layout)) {
    const stride = strideOf(layout, width);
    const end = at + height * (1 + stride);
    const rows = unfilterRows(filtered.subarray(at, end), height, stride, step);
    if (rows === null) return null;
    const own = bits < 8 ? unpacked(rows, bits, width, height) : rows;
    if (!isInterlaced) return own;
    for (let i = 0; i < width * height; i++) {
      const place = (y + Math.floor(i / width) * dy) * across + x + (i % width) * dx;
      for (let b = 0; b < pixel; b++) samples[place * pixel + b] = own[i * pixel + b]!;
    }
    at = end;
  }
  return samples;
};
