/** From a data set to the batches of training steps. */

import { type Key, keyNode } from '../random/key.js';
import { DTypeError } from '../tensor/errors.js';
import { dual, nodeFor } from '../tensor/ops/common/operands.js';
import { div, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkArgument, checkInteger, type Shape, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mostEpochs, ordersOf } from './order.js';

/**
 * Which elements of a data set belong to the batch of a step: a new random order every epoch, cut into batches. What
 * does not fill a batch is left out of that epoch.
 *
 * A batch depends on the key and the number of the step alone, so a run that is resumed sees the same batches.
 *
 * @param key of the whole training
 * @param count how many elements there are
 * @param batchSize how many of them make a batch
 * @returns a function from the step, 0, 1, …, to int32 indices of shape [batchSize]
 * @throws ArgumentError when `key` is no key, IndexError for a count, batch size or step that is none
 * @example
 * ```js
 * import { sort } from 'tenfold';
 * import { shuffledIndices } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const batch = shuffledIndices(key(0), 4, 4);
 * sort(batch(0)).toArray(); // => [0, 1, 2, 3]
 * batch(7).shape; // => [4]
 * ```
 */
export const shuffledIndices = <const N extends number>(
  key: Key,
  count: number,
  batchSize: N,
): ((step: number) => Tensor<readonly [N], 'int32'>) => {
  const operation = 'shuffledIndices';
  keyNode(operation, key);
  checkInteger(operation, 'the count', count, 1, 2 ** 31 - 1);
  checkInteger(operation, 'the batch size', batchSize, 1, count);
  const batches = Math.floor(count / batchSize);
  const orderOf = ordersOf(operation, key, count);
  return step => {
    checkInteger(operation, 'the step', step, 0, Math.min(batches * mostEpochs - 1, Number.MAX_SAFE_INTEGER));
    const start = (step % batches) * batchSize;
    return slice(orderOf(Math.floor(step / batches)), [start], [start + batchSize]) as never;
  };
};

/** The signatures of {@link toUnitRange}. */
export interface ToUnitRange {
  <S extends Shape>(images: Tensor<S, 'uint8'>, max: number): Tensor<S, 'float32'>;
  (max: number): <S extends Shape>(images: Tensor<S, 'uint8'>) => Tensor<S, 'float32'>;
}

/**
 * Images of 0 to `max` as floats from −1 to 1, what diffusion models work on: `x / (max / 2) − 1`.
 *
 * @param images of uint8
 * @param max what becomes 1: 255, or 16 for the digits
 * @returns float32 of the same shape
 * @throws DTypeError for images of another dtype, ArgumentError for a maximum that is not positive
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { toUnitRange } from 'tenfold/data';
 * toUnitRange(tensor(new Uint8Array([0, 8, 16])), 16).toArray(); // => [-1, 0, 1]
 * ```
 */
export const toUnitRange: ToUnitRange = dual(2, (images: Tensor<Shape, 'uint8'>, max: number) => {
  const { shape, dtype } = nodeFor('toUnitRange', images);
  if (dtype !== 'uint8') {
    throw new DTypeError({
      operation: 'toUnitRange',
      given: showAval({ shape, dtype }),
      rule: 'it takes images of uint8',
      hint: 'Scale other tensors with mul and add.',
    });
  }
  checkArgument(
    Number.isFinite(max) && max > 0,
    'toUnitRange',
    `the maximum ${String(max)}`,
    'the value that becomes 1 is a positive number',
    'Images of bytes have 255, the digits 16.',
  );
  return sub(div(cast(images, 'float32'), max / 2), 1);
});
