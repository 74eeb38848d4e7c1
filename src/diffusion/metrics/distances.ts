/** Distances between all pairs of samples. */

import { matmul } from '../../tensor/ops/contraction/contraction.js';
import { arange, tensor } from '../../tensor/ops/creation/creation.js';
import { add, div, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { expandDims, transpose } from '../../tensor/ops/movement/movement.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import type { Tensor } from '../../tensor/tensor.js';
import { rowsAtATime, scanBlocks } from './blocks.js';

/**
 * @internal ‖xᵢ − yⱼ‖² = ‖xᵢ‖² + ‖yⱼ‖² − 2 xᵢ·yⱼ, float64 [n, m], of float64 [n, d] and [m, d]. What is left by rounding of
 * these terms is 0, so that equal samples are at no distance, and without a derivative there.
 */
export const squaredDistances = (x: Tensor, y: Tensor): Tensor => {
  const sizes = add(sum(square(x), { axis: 1, keepDims: true }), sum(square(y), { axis: 1 })) as Tensor;
  const squares = sub(sizes, mul(2, matmul(x, transpose(y)) as Tensor)) as Tensor;
  // Sums of d terms are off by about √d roundings.
  const rounding = 2 ** -52 * (4 + Math.sqrt(x.shape[1]!));
  return where(greater(squares, mul(sizes, rounding)), squares, 0) as Tensor;
};

/** @internal √x with the derivative 0 at 0, where it has none. */
export const rootOf = (x: Tensor): Tensor => {
  const isPositive = greater(x, 0);
  return where(isPositive, sqrt(where(isPositive, x, 1)), 0) as Tensor;
};

/** @internal Values of pairs [n, m] with others in the place of those of a sample with itself: row i is sample `rows[i]`. */
export const besides = (rows: Tensor, pairs: Tensor, value: number): Tensor => {
  const columns = arange(pairs.shape[1]!, { dtype: 'int32' });
  return where(equal(expandDims(rows, 1) as Tensor, columns), value, pairs) as Tensor;
};

/** @internal The numbers of samples, int32 [n]: to go through them in blocks. */
export const numbersOf = (x: Tensor): Tensor => arange(x.shape[0]!, { dtype: 'int32' });

/**
 * @internal The sum over all pairs of what a function makes of them, float64 [].
 *
 * @param f of some rows of x and all of y, [b, d] and [m, d], and of the numbers of these rows: values of pairs [b, m]
 */
export const sumOfPairs = (
  f: (x: Tensor, y: Tensor, rows: Tensor) => Tensor,
  [x, y]: readonly [Tensor, Tensor],
): Tensor => {
  const [[total]] = scanBlocks(
    ([carry], [rows, numbers]) => [[add(carry!, sum(f(rows!, y, numbers!))) as Tensor], []],
    [tensor(0, { dtype: 'float64' })],
    [x, numbersOf(x)],
    rowsAtATime(y.shape[0]!),
  );
  return total!;
};

/** @internal The mean distance of pairs, those of a sample with itself counted; float64 []. */
export const meanDistance = (x: Tensor, y: Tensor): Tensor =>
  div(
    sumOfPairs((a, c) => rootOf(squaredDistances(a, c)), [x, y]),
    x.shape[0]! * y.shape[0]!,
  ) as Tensor;
