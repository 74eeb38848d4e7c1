/** Samples as PNG files. */
import { add, cast, clamp, mul, pad, permute, repeat, reshape, round, type Tensor } from 'tenfold';
import { writePng } from 'tenfold/io';
import { orThrow } from './program.js';

/** How images are laid out. */
export interface GridOptions {
  /** How many stand in a row. */
  readonly columns: number;
  /** Each pixel becomes a square of so many. Default 6. */
  readonly scale?: number;
}

/** Writes images [N, channels, height, width] of −1 to 1 as one picture, with grey lines between. */
export const writeGrid = async (path: string, images: Tensor, { columns, scale = 6 }: GridOptions): Promise<void> => {
  const [count, channels, height, width] = images.shape as readonly [number, number, number, number];
  const framed = pad(images, [
    // What is missing in the last row is grey.
    [0, (columns - (count % columns)) % columns],
    [0, 0],
    [1, 0],
    [1, 0],
  ]);
  const cells = reshape(framed, [-1, columns, channels, height + 1, width + 1]);
  const picture = reshape(permute(cells, [0, 3, 1, 4, 2]), [-1, columns * (width + 1), channels]);
  const levels = round(mul(add(clamp(picture, -1, 1), 1), 127.5));
  await orThrow(writePng(path, cast(repeat(repeat(levels, scale, { axis: 0 }), scale, { axis: 1 }), 'uint8')));
};
