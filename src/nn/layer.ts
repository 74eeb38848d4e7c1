/** What a layer is: two pure functions. Parameters are a tree that the caller holds. */
import type { Key } from '../random/key.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * A layer with parameters `P` from `X` to `Y`: `init` draws parameters from a key, `apply` uses them. A layer
 * holds no state, so one value can be applied with many parameter trees (weights, their average, a batch of them).
 */
export interface Layer<P, X extends readonly unknown[] = readonly [Tensor], Y = Tensor> {
  readonly init: (key: Key) => P;
  readonly apply: (params: P, ...inputs: X) => Y;
}
