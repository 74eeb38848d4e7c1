/** The exponential moving average of parameters. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { add, div, maximum, minimum, mul, pow, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { exp, log1p } from '../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay, checkScalar, floatCount, zipFloats } from './leaves.js';
import { checkAboveZero, numbersOf } from './settings.js';

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

/**
 * A decay that rises along a power of the number of steps: `1 − (1 + count / inverseGamma)^(−power)`, within bounds, as
 * diffusers' EMAModel warms up. With a power of 2/3 it is 0.999 after 31,600 steps, with 3/4 after 10,000.
 *
 * @param decay the highest decay
 * @param options `inverseGamma` (1), how many steps count as one; `power` (2/3); `least` (0), the lowest decay
 * @returns a function of the number of steps done, giving a float32 scalar
 * @throws ArgumentError for decays outside [0, 1], for an inverseGamma or a power not above 0 and unknown options; its
 *   function, for a count that is no tensor
 * @numpy —
 * @pytorch diffusers.training_utils.EMAModel
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { emaPowerWarmup } from 'tenfold/optim';
 * const decay = emaPowerWarmup(0.9, { power: 1 });
 * [0, 1, 3, 99].map(count => decay(tensor(count)).item().toFixed(3)); // => ['0.000', '0.500', '0.750', '0.900']
 * ```
 */
export const emaPowerWarmup = (
  decay: number,
  options?: { readonly inverseGamma?: number; readonly power?: number; readonly least?: number },
): ((count: Tensor) => Tensor) => {
  const operation = 'emaPowerWarmup';
  const { inverseGamma, power, least } = numbersOf(operation, options, { inverseGamma: 1, power: 2 / 3, least: 0 });
  for (const bound of [decay, least]) checkDecay(operation, bound);
  checkAboveZero(operation, 'inverseGamma', inverseGamma);
  checkAboveZero(operation, 'power', power);
  return count => {
    const t = floatCount(operation, count);
    const rising = sub(1, pow(add(div(t, inverseGamma) as Tensor, 1) as Tensor, -power) as Tensor) as Tensor;
    return minimum(maximum(rising, least) as Tensor, decay) as Tensor;
  };
};

/** The largest width of {@link powerEma}: that of the plain mean. */
const widest = 1 / Math.sqrt(12);

/** The exponent γ ≥ 0 of which the width is `√(γ + 1) / ((γ + 2) √(γ + 3))`, by bisection. */
const exponentOf = (width: number): number => {
  // At 1 / width² the width is below the one sought, as it is below 1 / √γ.
  let [low, high] = [0, 1 / width ** 2];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (Math.sqrt((middle + 1) / (middle + 3)) / (middle + 2) > width) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/**
 * A decay that makes of the average a mean with weights along a power of the time: its profile is the same part of the run
 * however long the run is (Karras et al. 2024, arXiv:2312.02696, section 3.1). It is `(1 − 1 / (count + 1))^(γ + 1)`, so 0 at
 * first.
 *
 * @param width the standard deviation of the profile as a part of the run, above 0 and at most 1/√12, which is the plain
 *   mean; 0.05 and 0.1 in the paper
 * @returns a function of the number of steps done, giving a float32 scalar
 * @throws ArgumentError for a width outside (0, 1/√12]; its function, for a count that is no tensor
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { powerEma } from 'tenfold/optim';
 * const decay = powerEma(0.1);
 * [0, 9, 999].map(count => decay(tensor(count)).item().toFixed(3)); // => ['0.000', '0.433', '0.992']
 * ```
 */
export const powerEma = (width: number): ((count: Tensor) => Tensor) => {
  checkArgument(
    typeof width === 'number' && width > 0 && width <= widest,
    'powerEma',
    `${kindOf(width)} as the width`,
    'the width is a number above 0 and at most 1/√12',
    'Usual are 0.05 and 0.1.',
  );
  const exponent = exponentOf(width) + 1;
  return count => {
    const t = floatCount('powerEma', count);
    // The power of a quotient near 1 would lose digits of how far it is from 1, and that is what counts.
    return exp(mul(log1p(div(-1, add(t, 1) as Tensor) as Tensor), exponent) as Tensor) as Tensor;
  };
};
