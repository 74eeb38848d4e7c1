/** The order in which an epoch visits a data set. */
import { permutation } from '../random/draw.js';
import { foldIn, type Key, keyNode } from '../random/key.js';
import { traceOf } from '../tensor/graph.js';
import type { Tensor } from '../tensor/tensor.js';
import { realize } from '../tensor/transform/realize.js';

/** The most epochs: of each, `foldIn` makes a key of its own. */
export const mostEpochs = 2 ** 32;

/**
 * A random order of 0 … count − 1 for every epoch.
 *
 * @returns a function from the epoch to int32 of shape [count]
 */
export const ordersOf = (operation: string, key: Key, count: number): ((epoch: number) => Tensor) => {
  const traced = traceOf(keyNode(operation, key)) !== undefined;
  // The steps of an epoch share its order; remembering it changes no result.
  let last: { readonly epoch: number; readonly order: Tensor } | undefined;
  return epoch => {
    if (last?.epoch !== epoch) {
      const order = permutation(foldIn(key, epoch), count);
      last = { epoch, order: traced ? order : realize(order) };
    }
    return last.order;
  };
};
