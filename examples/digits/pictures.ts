/**
 * Samples as pictures: small grey images with values in [-1, 1] become one enlarged grid, and the grid a PNG file.
 * Plain arrays in, plain bytes out, so that a picture can be checked pixel by pixel.
 */

import { encode } from 'fast-png';

/** A grey image, one byte a pixel, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export interface FilmStripOptions {
  /** How many images there are. */
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** Each pixel becomes a square of `scale` x `scale` pixels. */
  readonly scale: number;
  /** How many mid-grey pixels lie between neighbouring images. */
  readonly gap: number;
}

export interface GridOptions extends FilmStripOptions {
  /** How many images stand in a row. */
  readonly columns: number;
}

const midGrey = 128;

const checkIntegers = (operation: string, least: number, options: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new Error(`${operation}: ${name} is ${value}; give an integer of at least ${least}`);
    }
  }
};

const checkLength = (operation: string, images: Float32Array, { count, height, width }: FilmStripOptions): void => {
  if (images.length !== count * height * width) {
    throw new Error(
      `${operation}: got ${images.length} values; ${count} images of ${height}x${width} take ` +
        `${count * height * width}; give as many values as count, height and width say`,
    );
  }
};

/** -1 (no ink) to 0, black, and 1 (full ink) to 255, white; what lies outside is clamped. */
const toByte = (value: number): number => Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);

const toBytes = (images: Float32Array): Uint8Array => {
  const bad = images.findIndex(Number.isNaN);
  if (bad >= 0) {
    const total = images.reduce((sum, value) => sum + (Number.isNaN(value) ? 1 : 0), 0);
    throw new Error(
      `grid: the samples contain NaN (${total} of ${images.length} values, the first at index ${bad}); ` +
        'a picture needs numbers: look for the step at which the loss or the sampling diverged',
    );
  }
  return Uint8Array.from(images, toByte);
};

/** Lay out `count` images of `height` x `width` values, one after the other in `images`, row by row. */
export const grid = (images: Float32Array, options: GridOptions): Picture => {
  const { count, height, width, scale, gap } = options;
  checkIntegers('grid', 1, { count, height, width, columns: options.columns, scale });
  checkIntegers('grid', 0, { gap });
  checkLength('grid', images, options);
  const bytes = toBytes(images);
  const columns = Math.min(options.columns, count);
  const rows = Math.ceil(count / columns);
  const stepX = width * scale + gap;
  const stepY = height * scale + gap;
  const fullWidth = columns * stepX - gap;
  const fullHeight = rows * stepY - gap;
  const pixels = new Uint8Array(fullWidth * fullHeight).fill(midGrey);
  bytes.forEach((byte, i) => {
    const image = Math.floor(i / (height * width));
    const left = (image % columns) * stepX + (i % width) * scale;
    const top = Math.floor(image / columns) * stepY + (Math.floor(i / width) % height) * scale;
    for (let y = top; y < top + scale; y++) {
      pixels.fill(byte, y * fullWidth + left, y * fullWidth + left + scale);
    }
  });
  return Object.freeze({ width: fullWidth, height: fullHeight, pixels });
};

/** The way from noise to digit: one row for each sample, one column for each frame. Each frame holds all samples. */
export const filmStrip = (frames: readonly Float32Array[], options: FilmStripOptions): Picture => {
  const columns = frames.length;
  if (columns === 0) throw new Error('filmStrip: got no frames; give at least one');
  for (const frame of frames) checkLength('filmStrip', frame, options);
  const size = options.height * options.width;
  const images = new Float32Array(columns * options.count * size);
  frames.forEach((frame, column) => {
    for (let row = 0; row < options.count; row++) {
      images.set(frame.subarray(row * size, (row + 1) * size), (row * columns + column) * size);
    }
  });
  return grid(images, { ...options, count: columns * options.count, columns });
};

/** The picture as the bytes of a PNG file: grey, 8 bits a pixel. */
export const encodePng = ({ width, height, pixels }: Picture): Uint8Array =>
  encode({ width, height, data: pixels, depth: 8, channels: 1 }, { zlib: { level: 9 } });
