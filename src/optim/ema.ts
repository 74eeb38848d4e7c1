/** The exponential moving average of parameters. */
import { add, mul } from '../tensor/ops/arithmetic.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { zipWith } from '../tree/tree.js';

/**
 * `decay · average + (1 − decay) · params`, leaf by leaf.
 *
 * @throws ArgumentError for a decay outside [0, 1], TreeError when the trees differ in form
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { updateEma } from 'tenfold/optim';
 * updateEma({ w: tensor([0, 10]) }, { w: tensor([10, 10]) }, 0.9).w.toArray(); // => [1, 10]
 * ```
 */
export const updateEma = <P>(average: P, params: P, decay: number): P => {
  checkArgument(
    decay >= 0 && decay <= 1,
    'updateEma',
    `the decay ${decay}`,
    'the decay lies in [0, 1]',
    'Usual is 0.999.',
  );
  return zipWith((a, p) => add(mul(a as Tensor, decay), mul(p as Tensor, 1 - decay)), average, params) as P;
};
