/** Loops over blocks of rows: what is computed of all pairs of samples is held for some rows at a time. */
import { concat } from '../../tensor/ops/movement/joining.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scan } from '../../tensor/transform/loops.js';

/** What a step makes of some rows: the next carry, and results with a row for each. */
type BlockStep = (
  carry: readonly Tensor[],
  rows: readonly Tensor[],
) => readonly [carry: readonly Tensor[], results: readonly Tensor[]];

/** Elements of a block's pairs: 8 MiB in float64. */
const pairsInBlock = 2 ** 20;

/** Fewer rows make poor matrix products. */
const fewestRows = 16;

/** @internal How many rows are taken at a time, each being paired with `partners` others. */
export const rowsAtATime = (partners: number): number => Math.max(fewestRows, Math.floor(pairsInBlock / partners));

/**
 * @internal Runs through the rows of matrices, block by block.
 *
 * @param init the first carry
 * @param sequences tensors with one first axis
 * @param length how many rows a block has; the last one may have fewer
 * @returns the last carry, and the results joined along the first axis
 */
export const scanBlocks = (
  step: BlockStep,
  init: readonly Tensor[],
  sequences: readonly Tensor[],
  length: number,
): ReturnType<BlockStep> => {
  const count = sequences[0]!.shape[0]!;
  if (count <= length) return step(init, sequences);
  const [blocks, left] = [Math.floor(count / length), count % length];
  const whole = blocks * length;
  const stacked = sequences.map(x => reshape(slice(x, [0], [whole]), [blocks, length, ...x.shape.slice(1)]) as Tensor);
  const [carry, results] = scan<readonly Tensor[], readonly Tensor[], readonly Tensor[]>(step)(init, stacked);
  const joined = results.map(y => reshape(y, [whole, ...y.shape.slice(2)]) as Tensor);
  if (left === 0) return [carry, joined];
  const [last, rest] = step(
    carry,
    sequences.map(x => slice(x, [whole], [count]) as Tensor),
  );
  return [last, joined.map((y, i) => concat([y, rest[i]!]) as Tensor)];
};
