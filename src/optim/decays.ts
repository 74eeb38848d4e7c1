/** Learning rates that go one way: constant, along a line or a power, in steps, exponentially. */

import { fullLike, tensor } from '../tensor/ops/creation/creation.js';
import { add, div, maximum, minimum, mul, pow, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greaterEqual, less, where } from '../tensor/ops/elementwise/comparison.js';
import { floorDivide } from '../tensor/ops/elementwise/division.js';
import { exp } from '../tensor/ops/elementwise/elementary.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { floatCount } from './leaves.js';
import { checkAboveZero, checkFinite, numbersOf } from './settings.js';

/**
 * A learning rate for every number of steps done: of an integer or a float32 tensor of any shape a float32 tensor, of float64
 * float64. Under `jit` the count is data, and another count compiles nothing.
 */
export type CountedSchedule = (count: Tensor) => Tensor;

/** @internal A schedule from what it is of a number of steps that is a float. */
export const scheduleOf =
  (operation: string, f: (t: Tensor) => Tensor): CountedSchedule =>
  count =>
    f(floatCount(operation, count));

/** @internal A line from `start` at 0 to `end` at 1: both to the last bit, however much smaller one is than the other. */
export const alongLine = (x: Tensor, start: number, end: number): Tensor =>
  add(mul(sub(1, x), start), mul(x, end)) as Tensor;

/** Along a line from 0 to 1 in this many steps, and then 1. */
const progress = (t: Tensor, steps: number): Tensor =>
  minimum(maximum(div(t, steps) as Tensor, 0) as Tensor, 1) as Tensor;

/** @internal How many of the milestones have been reached, a float like t. */
export const passed = (t: Tensor, milestones: readonly number[]): Tensor => {
  if (milestones.length === 0) return mul(t, 0);
  const reached = greaterEqual(expandDims(t, -1) as Tensor, tensor(milestones, { dtype: t.dtype as 'float32' }));
  return sum(cast(reached as Tensor, t.dtype) as Tensor, { axis: -1 }) as Tensor;
};

/** @internal Refuses what are no milestones. */
export const checkMilestones = (operation: string, milestones: unknown): void =>
  checkArgument(
    Array.isArray(milestones) &&
      milestones.every(
        (step, i) => typeof step === 'number' && Number.isFinite(step) && (i === 0 || step >= milestones[i - 1]),
      ),
    operation,
    `milestones ${Array.isArray(milestones) ? `[${milestones.map(String).join(', ')}]` : String(milestones)}`,
    'milestones are numbers of steps in an array, none below the one before',
    'Write [30, 60].',
  );

/**
 * The rate times a factor for some steps, then the rate; without options the rate.
 *
 * @param options `factor` (1) in the first `totalIters` (5) steps
 * @returns a function of the number of steps done
 * @throws ArgumentError for what is no finite number or no such option; its function, for a count that is no tensor
 * @numpy optax.constant_schedule
 * @pytorch torch.optim.lr_scheduler.ConstantLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { constantLR } from 'tenfold/optim';
 * constantLR(8, { factor: 0.5, totalIters: 2 })(tensor([0, 1, 2])).toArray(); // => [4, 4, 8]
 * ```
 */
export const constantLR = (
  rate: number,
  options?: { readonly factor?: number; readonly totalIters?: number },
): CountedSchedule => {
  checkFinite('constantLR', 'the rate', rate);
  const { factor, totalIters } = numbersOf('constantLR', options, { factor: 1, totalIters: 5 });
  return scheduleOf('constantLR', t => {
    const isEarly = less(t, totalIters) as Tensor;
    return where(isEarly, fullLike(t, rate * factor), fullLike(t, rate)) as Tensor;
  });
};

/**
 * The rate times a factor that goes along a line, then stays: a warm-up, or a decay.
 *
 * @param options `startFactor` (1/3) at step 0, `endFactor` (1) from step `totalIters` (5) on
 * @returns a function of the number of steps done
 * @throws as {@link constantLR}, and ArgumentError unless totalIters is above 0
 * @numpy optax.linear_schedule
 * @pytorch torch.optim.lr_scheduler.LinearLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { linearLR } from 'tenfold/optim';
 * linearLR(8, { startFactor: 0.5, totalIters: 4 })(tensor([0, 2, 4, 9])).toArray(); // => [4, 6, 8, 8]
 * ```
 */
export const linearLR = (
  rate: number,
  options?: { readonly startFactor?: number; readonly endFactor?: number; readonly totalIters?: number },
): CountedSchedule => {
  checkFinite('linearLR', 'the rate', rate);
  const defaults = { startFactor: 1 / 3, endFactor: 1, totalIters: 5 };
  const { startFactor, endFactor, totalIters } = numbersOf('linearLR', options, defaults);
  checkAboveZero('linearLR', 'totalIters', totalIters);
  return scheduleOf('linearLR', t => {
    return alongLine(progress(t, totalIters), rate * startFactor, rate * endFactor);
  });
};

/**
 * `rate · (1 − t / totalIters)^power`, and 0 from `totalIters` on.
 *
 * @param options `totalIters` (5), `power` (1)
 * @returns a function of the number of steps done
 * @throws as {@link linearLR}, and ArgumentError unless the power is above 0
 * @numpy optax.polynomial_schedule
 * @pytorch torch.optim.lr_scheduler.PolynomialLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { polynomialLR } from 'tenfold/optim';
 * polynomialLR(8, { totalIters: 4, power: 2 })(tensor([0, 2, 4, 9])).toArray(); // => [8, 2, 0, 0]
 * ```
 */
export const polynomialLR = (
  rate: number,
  options?: { readonly totalIters?: number; readonly power?: number },
): CountedSchedule => {
  checkFinite('polynomialLR', 'the rate', rate);
  const { totalIters, power } = numbersOf('polynomialLR', options, { totalIters: 5, power: 1 });
  checkAboveZero('polynomialLR', 'totalIters', totalIters);
  checkAboveZero('polynomialLR', 'power', power);
  return scheduleOf('polynomialLR', t => mul(pow(sub(1, progress(t, totalIters)) as Tensor, power) as Tensor, rate));
};

/**
 * @internal A power of a number that may itself be negative or 0. What the dtype of the exponent leaves out of the number is
 * made up for: over a million steps the rounding of 0.99999 to float32 would come to a hundredth.
 */
export const powerOf = (gamma: number, exponent: Tensor): Tensor => {
  const power = pow(gamma, exponent) as Tensor;
  const rounded = exponent.dtype === 'float32' ? Math.fround(gamma) : gamma;
  if (rounded === gamma || rounded === 0) return power;
  return mul(power, exp(mul(exponent, Math.log(gamma / rounded)) as Tensor)) as Tensor;
};

const decaying = (rate: number, gamma: number, exponent: Tensor): Tensor =>
  mul(powerOf(gamma, exponent), rate) as Tensor;

/**
 * `rate · gamma^t`.
 *
 * @param options `gamma`, which must be given
 * @returns a function of the number of steps done
 * @throws as {@link constantLR}
 * @numpy optax.exponential_decay
 * @pytorch torch.optim.lr_scheduler.ExponentialLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { exponentialLR } from 'tenfold/optim';
 * exponentialLR(8, { gamma: 0.5 })(tensor([0, 1, 2])).toArray(); // => [8, 4, 2]
 * ```
 */
export const exponentialLR = (rate: number, options: { readonly gamma: number }): CountedSchedule => {
  checkFinite('exponentialLR', 'the rate', rate);
  const { gamma } = numbersOf('exponentialLR', options, { gamma: undefined });
  return scheduleOf('exponentialLR', t => decaying(rate, gamma, t));
};

/**
 * The rate times gamma once every `stepSize` steps.
 *
 * @param options `stepSize`, which must be given; `gamma` (0.1)
 * @returns a function of the number of steps done
 * @throws as {@link constantLR}, and ArgumentError unless stepSize is above 0
 * @numpy optax.exponential_decay
 * @pytorch torch.optim.lr_scheduler.StepLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { stepLR } from 'tenfold/optim';
 * stepLR(8, { stepSize: 2, gamma: 0.5 })(tensor([0, 1, 2, 4])).toArray(); // => [8, 8, 4, 2]
 * ```
 */
export const stepLR = (
  rate: number,
  options: { readonly stepSize: number; readonly gamma?: number },
): CountedSchedule => {
  checkFinite('stepLR', 'the rate', rate);
  const { stepSize, gamma } = numbersOf('stepLR', options, { stepSize: undefined, gamma: 0.1 });
  checkAboveZero('stepLR', 'stepSize', stepSize);
  return scheduleOf('stepLR', t => decaying(rate, gamma, floorDivide(t, stepSize) as Tensor));
};

/**
 * The rate times gamma at each milestone.
 *
 * @param options `milestones`, numbers of steps of which none is below the one before; `gamma` (0.1)
 * @returns a function of the number of steps done
 * @throws as {@link constantLR}, and ArgumentError for milestones that are none
 * @numpy optax.piecewise_constant_schedule
 * @pytorch torch.optim.lr_scheduler.MultiStepLR
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { multiStepLR } from 'tenfold/optim';
 * multiStepLR(8, { milestones: [2, 5], gamma: 0.5 })(tensor([0, 2, 4, 5])).toArray(); // => [8, 4, 4, 2]
 * ```
 */
export const multiStepLR = (
  rate: number,
  options: { readonly milestones: readonly number[]; readonly gamma?: number },
): CountedSchedule => {
  checkFinite('multiStepLR', 'the rate', rate);
  const { gamma } = numbersOf('multiStepLR', options, { gamma: 0.1 }, ['milestones']);
  const milestones = options?.milestones;
  checkMilestones('multiStepLR', milestones);
  return scheduleOf('multiStepLR', t => decaying(rate, gamma, passed(t, milestones)));
};
