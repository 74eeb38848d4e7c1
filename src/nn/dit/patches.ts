/** Pictures as rows of patches, and the places of these. */
import type { FloatDType } from '../../tensor/dtype.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { permute, reshape } from '../../tensor/ops/movement/movement.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';

/** @internal [N, C, H, W] as [N, patches, C · size · size], row after row. */
export const toPatches = (x: Tensor, size: number): Tensor => {
  const [n, channels, height, width] = x.shape as readonly [number, number, number, number];
  const [rows, columns] = [height / size, width / size];
  const apart = reshape(x, [n, channels, rows, size, columns, size]) as Tensor;
  const turned = permute(apart, [0, 2, 4, 1, 3, 5]) as Tensor;
  return reshape(turned, [n, rows * columns, channels * size * size]) as Tensor;
};

/** @internal [N, patches, size · size · C] as [N, C, H, W], of as many rows as columns. Within a patch channels are last. */
export const fromPatches = (x: Tensor, size: number, channels: number): Tensor => {
  const [n, count] = x.shape as readonly [number, number];
  const grid = Math.round(Math.sqrt(count));
  const apart = reshape(x, [n, grid, grid, size, size, channels]) as Tensor;
  const turned = permute(apart, [0, 5, 1, 3, 2, 4]) as Tensor;
  return reshape(turned, [n, channels, grid * size, grid * size]) as Tensor;
};

/**
 * @internal
 * Sines, then cosines, of the column, then of the row, [1, grid · grid, size] (Vaswani et al. 2017, arXiv:1706.03762, section
 * 3.5, for each of two coordinates).
 */
export const positions = (size: number, grid: number, dtype: FloatDType): Tensor => {
  const quarter = size / 4;
  const frequencies = range(quarter).map(i => 10_000 ** (-i / quarter));
  const waves = (at: number): readonly number[] => [
    ...frequencies.map(frequency => Math.sin(at * frequency)),
    ...frequencies.map(frequency => Math.cos(at * frequency)),
  ];
  const all = range(grid).map(waves);
  const places = range(grid).flatMap(row => range(grid).map(column => [...all[column]!, ...all[row]!]));
  return tensor([places], { dtype }) as Tensor;
};
