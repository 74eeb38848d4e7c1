/** The form of a model's parameters. */
import { asKey, type Key } from '../random/key.js';
import { trace } from '../tensor/transform/trace.js';
import { type Flat, flattenFor } from '../tree/tree.js';

/** @internal The parameters as `init` makes them, of which nothing is drawn: their paths, shapes and dtypes can be read. */
export const skeletonOf = (operation: string, init: (key: Key) => unknown): Flat => {
  let flat: Flat | undefined;
  trace(operation, [{ shape: [2], dtype: 'uint32' }], ([key]) => {
    flat = flattenFor(operation, init(asKey(key!)));
    return [];
  });
  return flat!;
};
