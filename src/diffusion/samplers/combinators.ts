/** Samplers made of samplers: two one after the other, and with a fold of what happens. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { greaterEqual } from '../../tensor/ops/elementwise/comparison.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkFunctions } from '../checks.js';
import { type NoiseLevel, noiseToSignal } from '../level.js';
import { checkSampler, type Denoise, type Sampler, type SamplerState, type Step } from '../sampler.js';

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
