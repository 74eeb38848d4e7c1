/** A learning rate that falls when a metric stops improving. */
import type { FloatDType } from '../tensor/dtype.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { add, maximum, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greater, less, where } from '../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkScalar } from './leaves.js';
import { checkFinite, choiceOf, numbersOf } from './settings.js';
import { refuseState } from './transform.js';

/** Options of {@link reduceLROnPlateau}, with the defaults of PyTorch. */
export interface PlateauOptions {
  /** Whether the metric should fall or rise. Default min. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by. Default 0.1. */
  readonly factor?: number;
  /** How many reports without improvement are let pass. Default 10. */
  readonly patience?: number;
  /** What an improvement is at least. Default 1e-4. */
  readonly threshold?: number;
  /** Whether the threshold is a part of the best metric, or a difference from it. Default rel. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** For how many reports after a reduction none is counted as bad. Default 0. */
  readonly cooldown?: number;
  /** The least rate. Default 0. */
  readonly minRate?: number;
  /** A reduction by no more than this is left out. Default 1e-8. */
  readonly epsilon?: number;
  /** Dtype of the rate and the best metric. Default float32. */
  readonly dtype?: FloatDType;
}

/** What is known after some reports: scalars. */
export interface PlateauState {
  /** The learning rate now. */
  readonly rate: Tensor;
  readonly best: Tensor;
  /** Reports without improvement since the last that had one. */
  readonly bad: Tensor;
  /** Reports that are still not counted. */
  readonly cooling: Tensor;
}

/** The two functions of a rate that follows a metric. */
export interface Plateau {
  readonly init: () => PlateauState;
  readonly update: (state: PlateauState, metric: Tensor | number) => PlateauState;
}

/**
 * A learning rate that is reduced when a metric has stopped improving: two pure functions, a start and what becomes of it when
 * a metric is reported. Give the rate to an optimizer as `sgd(() => state.rate)`.
 *
 * @param options `mode` ('min'), `factor` (0.1), `patience` (10), `threshold` (1e-4), `thresholdMode` ('rel'), `cooldown` (0),
 *   `minRate` (0), `epsilon` (1e-8), `dtype` ('float32')
 * @throws ArgumentError for what is no finite number, no such mode or option, and for a factor outside [0, 1); `update`, for a
 *   metric that is no scalar and a state that is none of its own
 * @numpy optax.contrib.reduce_on_plateau
 * @pytorch torch.optim.lr_scheduler.ReduceLROnPlateau
 * @example
 * ```js
 * import { reduceLROnPlateau } from 'tenfold/optim';
 * const { init, update } = reduceLROnPlateau(1, { factor: 0.5, patience: 1 });
 * [3, 3, 3, 3].reduce(update, init()).rate.item(); // => 0.5
 * ```
 */
export const reduceLROnPlateau = (rate: number, options?: PlateauOptions): Plateau => {
  const operation = 'reduceLROnPlateau';
  checkFinite(operation, 'the rate', rate);
  const defaults = { factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minRate: 0, epsilon: 1e-8 };
  const others = ['mode', 'thresholdMode', 'dtype'];
  const numbers = numbersOf(operation, options, defaults, others);
  const { factor, patience, threshold, cooldown, minRate, epsilon } = numbers;
  checkArgument(
    factor >= 0 && factor < 1,
    operation,
    `${factor} as factor`,
    'factor is a number in [0, 1)',
    'Usual are 0.1 and 0.5.',
  );
  const mode = choiceOf(operation, 'mode', ['min', 'max'], options?.mode);
  const isRelative = choiceOf(operation, 'thresholdMode', ['rel', 'abs'], options?.thresholdMode) === 'rel';
  const dtype = choiceOf(operation, 'dtype', ['float32', 'float64'], options?.dtype);
  const sign = mode === 'min' ? -1 : 1;
  const bound = (best: Tensor): Tensor =>
    (isRelative ? mul(best, 1 + sign * threshold) : add(best, sign * threshold)) as Tensor;
  const zero = (): Tensor => tensor(0, { dtype: 'int32' });
  return Object.freeze({
    init: () =>
      Object.freeze({
        rate: tensor(rate, { dtype }),
        best: tensor(sign * Number.NEGATIVE_INFINITY, { dtype }),
        bad: zero(),
        cooling: zero(),
      }),
    update: (state: PlateauState, metric: Tensor | number) => {
      const parts = [state?.rate, state?.best, state?.bad, state?.cooling];
      if (!parts.every(part => isTensor(part) && part.shape.length === 0)) return refuseState(operation, state);
      checkArgument(
        typeof metric === 'number' || isTensor(metric),
        operation,
        `${kindOf(metric)} as the metric`,
        'the metric is a number, or a tensor of shape []',
        'Give the loss of the validation data.',
      );
      const given = typeof metric === 'number' ? tensor(metric, { dtype }) : metric;
      checkScalar(operation, 'the metric', given);
      const now = cast(given, dtype) as Tensor;
      const isBetter = (mode === 'min' ? less(now, bound(state.best)) : greater(now, bound(state.best))) as Tensor;
      const isCooling = greater(state.cooling, 0) as Tensor;
      const counted = where(isBetter, zero(), add(state.bad, 1) as Tensor) as Tensor;
      const bad = where(isCooling, zero(), counted) as Tensor;
      const isReduced = greater(bad, patience) as Tensor;
      const reduced = maximum(mul(state.rate, factor) as Tensor, minRate) as Tensor;
      const isWorth = greater(sub(state.rate, reduced) as Tensor, epsilon) as Tensor;
      const cooled = where(isCooling, sub(state.cooling, 1) as Tensor, state.cooling) as Tensor;
      return Object.freeze({
        rate: where(logicalAnd(isReduced, isWorth) as Tensor, reduced, state.rate) as Tensor,
        best: where(isBetter, now, state.best) as Tensor,
        bad: where(isReduced, zero(), bad) as Tensor,
        cooling: where(isReduced, tensor(cooldown, { dtype: 'int32' }), cooled) as Tensor,
      });
    },
  });
};
