/**
 * Samplers made of samplers: two one after the other, with more noise before each step, with a fold of what happens.
 */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { div, maximum, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { equal, greaterEqual, less, lessEqual, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkFunctions } from '../checks.js';
import { combine, type NoiseLevel, noiseToSignal } from '../level.js';
import { checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from '../sampler.js';
import { type ChurnOptions, checkChurn, churnNames } from './euler.js';
import { lane } from './lanes.js';

/** What {@link switchAt} carries: the states of both, of which the current one has the samples. */
export interface SwitchState<H extends SamplerState, L extends SamplerState> extends SamplerState {
  readonly high: H;
  readonly low: L;
}

/**
 * One sampler for the steps from levels of at least a noise-to-signal ratio, another for those from below: noise in the
 * beginning and none at the end, or a dear sampler where it counts. The second begins as at a first step.
 *
 * @param ratio σ / α
 * @param high the sampler of the steps from there on upwards
 * @param low the sampler of the steps from below
 * @returns a sampler; only the one whose turn it is calls the denoiser
 * @throws ArgumentError for what is no number or sampler
 * @example
 * ```js
 * import { mul, ones } from 'tenfold';
 * import { ddim, denoiser, edmProcess, levelsOf, sample, switchAt } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const random = switchAt(1, ddim({ eta: 1 }), ddim());
 * sample(random, toZero, levelsOf(edmProcess(), [2, 0.5]), ones([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const switchAt = <H extends SamplerState, L extends SamplerState>(
  ratio: number,
  high: Sampler<H>,
  low: Sampler<L>,
): Sampler<SwitchState<H, L>> => {
  checkNumber('switchAt', 'the ratio', ratio);
  checkSampler('switchAt', high);
  checkSampler('switchAt', low);
  type Both = SwitchState<H, L>;
  return Object.freeze({
    init: (x: Tensor): Both => {
      const [first, second] = [high.init(x), low.init(x)];
      return Object.freeze({ x, x0: first.x0, high: first, low: second });
    },
    step: (state: Both, at: Step, denoise: Denoise): Both => {
      const inHigh = (before: Both): Both => {
        const next = high.step({ ...before.high, x: before.x }, at, denoise);
        return { x: next.x, x0: next.x0, high: next, low: before.low };
      };
      const inLow = (before: Both): Both => {
        const next = low.step({ ...before.low, x: before.x }, at, denoise);
        return { x: next.x, x0: next.x0, high: before.high, low: next };
      };
      return Object.freeze(cond(greaterEqual(noiseToSignal(at.from), ratio), inHigh, inLow)(state));
    },
  });
};

/** A level and its samples with more noise in them: Karras et al. 2022, algorithm 2, lines 4 to 6, for any scaling. */
const raised = (
  x: Tensor,
  { from, levelOf, count, noise }: Step,
  { churn, min, max, noise: deviation }: Required<ChurnOptions>,
): readonly [Tensor, NoiseLevel] => {
  const ratio = noiseToSignal(from);
  const some = less(ratio, Number.POSITIVE_INFINITY);
  const inside = logicalAnd(logicalAnd(greaterEqual(ratio, min), lessEqual(ratio, max)), some) as Tensor;
  const finite = where(inside, ratio, 1) as Tensor;
  const above = levelOf(mul(finite, 1 + Math.min(churn / count, Math.SQRT2 - 1)) as Tensor);
  const level = Object.freeze({
    alpha: where(inside, above.alpha, from.alpha) as Tensor,
    sigma: where(inside, above.sigma, from.sigma) as Tensor,
    time: where(inside, above.time, from.time) as Tensor,
  });
  // α̂ √((σ̂ / α̂)² − (σ / α)²) without the division of σ by an α of 0.
  const kept = where(inside, div(level.alpha, where(inside, from.alpha, 1) as Tensor), 1) as Tensor;
  const more = maximum(sub(square(level.sigma), square(mul(kept, from.sigma))), 0) as Tensor;
  const added = where(equal(more, 0), 0, mul(sqrt(where(equal(more, 0), 1, more) as Tensor), deviation)) as Tensor;
  return [combine([kept, x], [added, noise()]), level];
};

/**
 * Churn: before each step noise is added, and the step begins at the level that has it.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, algorithm 2, for any sampler.
 *
 * @param sampler best one without noise of its own
 * @param options see {@link ChurnOptions}
 * @returns a sampler with the sampler's state; its own noise has the even numbers of draws, the sampler's the odd ones.
 *   Steps from the process' first level are not raised above it, nor where no signal is left
 * @throws ArgumentError for what is no sampler, for options that are no numbers or negative, and for an unknown option
 * @example
 * ```js
 * import { mul, ones } from 'tenfold';
 * import { ddim, denoiser, edmProcess, levelsOf, sample, withChurn } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const toZero = denoiser(x => mul(x, 0), { prediction: 'x0' });
 * const stochastic = withChurn(ddim(), { churn: 40, min: 0.05, max: 50, noise: 1.003 });
 * sample(stochastic, toZero, levelsOf(edmProcess(), [80, 4]), ones([1, 2]), { key: key(0) }).toArray(); // => [[0, 0]]
 * ```
 */
export const withChurn = <S extends SamplerState>(sampler: Sampler<S>, options: ChurnOptions = {}): Sampler<S> => {
  checkSampler('withChurn', sampler);
  checkOptions('withChurn', churnNames, options);
  const churn = checkChurn('withChurn', options);
  if (churn.churn === 0) return sampler;
  return Object.freeze({
    init: sampler.init,
    step: (state: S, at: Step, denoise: Denoise): S => {
      const [x, from] = raised(state.x, { ...at, noise: lane(at.noise, 2, 0) }, churn);
      return sampler.step({ ...state, x }, Object.freeze({ ...at, from, noise: lane(at.noise, 2, 1) }), denoise);
    },
  });
};

/** What {@link tap} carries. */
export interface TapState<S extends SamplerState, O> extends SamplerState {
  readonly inner: S;
  /** What was made of all that was observed: a tree of tensors. */
  readonly seen: O;
}

/** What is there to be observed after a step. */
export interface Observed {
  readonly x: Tensor;
  readonly x0: Tensor;
  readonly from: NoiseLevel;
  readonly to: NoiseLevel;
  /** Steps done before, an int32 scalar. */
  readonly index: Tensor;
}

/**
 * A sampler with a fold of what its steps give: a mean of predictions, a largest value, the last x₀ above a level. It
 * samples what the sampler does; `sampleState` gives `seen`.
 *
 * @param sampler any
 * @param observe of what was seen before and what the step gave; in the form, shapes and dtypes of `seen`
 * @param seen before the first step, a tree of tensors
 * @returns a sampler
 * @throws ArgumentError for what is no sampler or function
 * @example
 * ```js
 * import { add, sum, tensor, zeros } from 'tenfold';
 * import { ddim, denoiser, flowProcess, levelsAt, sampleState, tap } from 'tenfold/diffusion';
 * const counted = tap(ddim(), (steps, { x0 }) => add(steps, sum(x0)), tensor(0));
 * const toOne = denoiser(() => tensor([[1]]), { prediction: 'x0' });
 * sampleState(counted, toOne, levelsAt(flowProcess(), [1, 0.5]), zeros([1, 1])).seen.item(); // => 2
 * ```
 */
export const tap = <S extends SamplerState, O>(
  sampler: Sampler<S>,
  observe: (seen: O, step: Observed) => O,
  seen: O,
): Sampler<TapState<S, O>> => {
  checkSampler('tap', sampler);
  checkFunctions('tap', { observe });
  const stateOf = (inner: S, now: O): TapState<S, O> => Object.freeze({ x: inner.x, x0: inner.x0, inner, seen: now });
  return Object.freeze({
    init: (x: Tensor) => stateOf(sampler.init(x), seen),
    step: (state: TapState<S, O>, at: Step, denoise: Denoise) => {
      const next = sampler.step({ ...state.inner, x: state.x }, at, denoise);
      const { from, to, index } = at;
      return stateOf(next, observe(state.seen, Object.freeze({ x: next.x, x0: next.x0, from, to, index })));
    },
  });
};
