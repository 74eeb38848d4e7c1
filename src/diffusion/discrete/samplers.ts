/** Samplers of states: two pure functions, as those of the other diffusions are. */
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, div, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { equal, less, where } from '../../tensor/ops/elementwise/comparison.js';
import { floor } from '../../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { argsort } from '../../tensor/ops/indexing/sorting.js';
import { expandDims } from '../../tensor/ops/movement/movement.js';
import { argmax } from '../../tensor/ops/reduction/extremes.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { logSoftmax } from '../../tensor/ops/reduction/softmax.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { flat, flatLogits, unflat } from './checks.js';
import { surprise } from './losses.js';

/** What every sampler of states carries, int32 [N, …]. */
export interface DiscreteState {
  readonly x: Tensor;
  /** The last prediction of x₀; 0 before the first step. */
  readonly x0: Tensor;
}

/** One step of a sampler of states, from a time to the next. */
export interface DiscreteStep {
  /** Steps done, an int32 scalar. */
  readonly index: Tensor;
  /** Steps in all. */
  readonly count: number;
  /** The mask, and the share of states that are masked before the step and after it, float64 scalars; null without. */
  readonly masked: { readonly state: number; readonly before: Tensor; readonly after: Tensor } | null;
  /** The distribution of the next states for that of x₀: log-probabilities [N, …, K]. */
  readonly reverse: (x0: Tensor, x: Tensor) => Tensor;
  /** States [N, …] drawn from log-probabilities [N, …, K]; a step that needs several takes draw 0, 1, …. */
  readonly draw: (logProbs: Tensor, draw?: number) => Tensor;
  /** Standard Gumbel numbers, float32 in the shape of the states; numbered with the draws. */
  readonly gumbel: (draw: number) => Tensor;
}

/** The network as a step calls it: log p(x₀ | x) at the time before the step, [N, …, K]. */
export type PredictStates = (x: Tensor) => Tensor;

/** A sampler of states. `S` is its state, a tree of tensors with `x` and `x0`. */
export interface DiscreteSampler<S extends DiscreteState = DiscreteState> {
  /** The state before the first step; `mask` is null for kinds without. */
  readonly init: (x: Tensor, mask: number | null) => S;
  /** The state after a step; of the form, shapes and dtypes of the state before. */
  readonly step: (state: S, at: DiscreteStep, predict: PredictStates) => S;
}

/** Options of {@link ancestralStates}. */
export interface AncestralOptions {
  /** What logits of x₀ are divided by: below 1 for what is likelier, above 1 for more variety. Default 1. */
  readonly temperature?: number;
}

/** p(x₀ | xₜ) at a temperature, by an option. */
const temperedBy = (operation: string, temperature: number = 1): ((logProbs: Tensor) => Tensor) => {
  checkNumber(operation, 'temperature', temperature, 'positive');
  return logProbs => (temperature === 1 ? logProbs : (logSoftmax(div(logProbs, temperature)) as Tensor));
};

const likeliest = (logProbs: Tensor): Tensor => argmax(logProbs, { axis: -1 }) as Tensor;

/**
 * The reverse process itself: each state is drawn from p(xₛ | xₜ). What is no mask stays in an absorbing process, and
 * masks become what the network says at random times, whatever the others do.
 *
 * Sources: Austin et al. 2021, arXiv:2107.03006, section 3.3; Sahoo et al. 2024, arXiv:2406.07524, section 3.2.2.
 *
 * @param options see {@link AncestralOptions}
 * @returns a sampler for `sampleDiscrete`
 * @throws ArgumentError for a temperature not above 0 and unknown options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { ancestralStates, maskedDiffusion, sampleDiscrete } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const model = () => tensor([[[0, -Infinity, 0], [-Infinity, 0, 0]]]);
 * const diffusion = maskedDiffusion({ states: 3 });
 * sampleDiscrete(ancestralStates(), diffusion, model, [1, 2], { key: key(0), steps: 4 }).toArray(); // => [[0, 1]]
 * ```
 */
export const ancestralStates = (options: AncestralOptions = {}): DiscreteSampler => {
  checkOptions('ancestralStates', ['temperature'], options);
  const tempered = temperedBy('ancestralStates', options.temperature);
  return Object.freeze({
    init: (x: Tensor) => Object.freeze({ x, x0: zerosLike(x) as Tensor }),
    step: ({ x }: DiscreteState, { draw, reverse }: DiscreteStep, predict: PredictStates) => {
      const logProbs = tempered(predict(x));
      return Object.freeze({ x: draw(reverse(logProbs, x)), x0: likeliest(logProbs) });
    },
  });
};

/** Options of {@link confidentStates}. */
export interface ConfidentOptions extends AncestralOptions {
  /** How much chance there is in what is unmasked first, falling with the share of masks. Default 0: none. */
  readonly choiceTemperature?: number;
}

/** The state of {@link confidentStates}. */
export interface ConfidentState extends DiscreteState {
  /** How many masks each sample has started with: int32 [N]. */
  readonly masks: Tensor;
}

/**
 * Unmasks by confidence: at each step all masks are drawn from p(x₀ | xₜ), and those of the likeliest draws are kept,
 * as many as leave the share of masks that the time has. For absorbing and masked diffusions.
 *
 * Source: Chang et al. 2022, arXiv:2202.04200 (MaskGIT), section 3.2.
 *
 * @param options see {@link ConfidentOptions}
 * @returns a sampler for `sampleDiscrete`
 * @throws ArgumentError for a temperature not above 0, a negative choiceTemperature and unknown options; when it
 *   samples, for a diffusion without a mask
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { confidentStates, maskedDiffusion, sampleDiscrete } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const model = () => tensor([[[0, -Infinity, 0], [-Infinity, 0, 0]]]);
 * const diffusion = maskedDiffusion({ states: 3 });
 * sampleDiscrete(confidentStates(), diffusion, model, [1, 2], { key: key(0), steps: 2 }).toArray(); // => [[0, 1]]
 * ```
 */
export const confidentStates = (options: ConfidentOptions = {}): DiscreteSampler<ConfidentState> => {
  checkOptions('confidentStates', ['temperature', 'choiceTemperature'], options);
  const { choiceTemperature = 0 } = options;
  checkNumber('confidentStates', 'choiceTemperature', choiceTemperature, 'notNegative');
  const tempered = temperedBy('confidentStates', options.temperature);
  const countMasks = (x: Tensor, mask: number): Tensor => sum(equal(flat(x), mask), { axis: 1 }) as Tensor;
  return Object.freeze({
    init: (x: Tensor, mask: number | null) => {
      checkArgument(
        mask !== null,
        'confidentStates',
        'a diffusion without a mask',
        'it unmasks, so that there must be a mask',
        "Take ancestralStates(), or a diffusion of the kind 'absorbing'.",
      );
      return Object.freeze({ x, x0: zerosLike(x) as Tensor, masks: countMasks(x, mask!) });
    },
    step: (
      { x, masks }: ConfidentState,
      { masked, draw, gumbel }: DiscreteStep,
      predict: PredictStates,
    ): ConfidentState => {
      // A start without a mask has been refused.
      const { state, before, after } = masked!;
      const logProbs = tempered(predict(x));
      const x0 = draw(logProbs);
      const isMask = equal(flat(x), state) as Tensor;
      const sure = sub(0, surprise(flatLogits(logProbs), flat(x0))) as Tensor;
      const chance = (): Tensor => mul(flat(gumbel(1)), cast(mul(before, choiceTemperature), 'float32')) as Tensor;
      const confidence = where(
        isMask,
        choiceTemperature === 0 ? sure : add(sure, cast(chance(), sure.dtype)),
        Number.NEGATIVE_INFINITY,
      ) as Tensor;
      const rank = argsort(argsort(confidence, { axis: 1, descending: true }), { axis: 1 }) as Tensor;
      // A number that only rounding keeps from being whole is whole.
      const left = cast(floor(add(mul(cast(masks, 'float64'), after), 1e-6)), 'int32') as Tensor;
      const kept = logicalAnd(isMask, less(rank, expandDims(sub(countMasks(x, state), left), 1))) as Tensor;
      return Object.freeze({ x: unflat(where(kept, flat(x0), flat(x)) as Tensor, x.shape), x0, masks });
    },
  });
};
