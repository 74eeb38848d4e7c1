/** The exponential moving average of parameters. */
import { add, div, minimum, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay, checkScalar, floatCount, zipFloats } from './leaves.js';

/** @internal {@link updateEma} in the name of another function. */
export const updateEmaFor = <P>(operation: string, average: P, params: P, decay: number | Tensor): P => {
  if (typeof decay === 'number') {
    checkDecay(operation, decay);
    return zipFloats(operation, (a, p) => add(mul(a!, decay), mul(p!, 1 - decay)), average, params);
  }
  checkScalar(operation, 'the decay', decay);
  // In float64, which holds what jit knows of a number: in float32, 1 − 0.9999 would be off in the fourth digit.
  const exact = cast(decay, 'float64');
  const combine = (a: Tensor, p: Tensor): Tensor =>
    add(mul(a, cast(exact, a.dtype)), mul(p, cast(sub(1, exact), a.dtype)));
  return zipFloats(operation, (a, p) => combine(a!, p!), average, params);
};

/**
 * `decay · average + (1 − decay) · params`, leaf by leaf.
 *
 * @param decay a number in [0, 1], or a scalar tensor
 * @throws ArgumentError for a decay that is no scalar or a number outside [0, 1], TreeError when the trees differ in form or
 *   have a leaf that is no tensor, ShapeError when their leaves differ in shape, DTypeError for a leaf that is no float
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { updateEma } from 'tenfold/optim';
 * updateEma({ w: tensor([0, 10]) }, { w: tensor([10, 10]) }, 0.9).w.toArray(); // => [1, 10]
 * ```
 */
export const updateEma = <P>(average: P, params: P, decay: number | Tensor): P =>
  updateEmaFor('updateEma', average, params, decay);

/**
 * A decay that starts small, so that the average soon forgets the parameters it started from:
 * min(decay, (1 + count) / (10 + count)), as TensorFlow's ExponentialMovingAverage has it.
 *
 * @returns a function of the number of steps done, giving a float32 scalar
 * @throws ArgumentError for a decay outside [0, 1], and for a count that is no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { emaWarmup } from 'tenfold/optim';
 * emaWarmup(0.999)(tensor(8)).item(); // => 0.5
 * ```
 */
export const emaWarmup = (decay: number): ((count: Tensor) => Tensor) => {
  checkDecay('emaWarmup', decay);
  return count => {
    const t = floatCount('emaWarmup', count);
    return minimum(div(add(t, 1), add(t, 10)), decay);
  };
};
