/**
 * Which timesteps to train on: distributions over timesteps, with the weights that keep the loss unbiased.
 *
 * A sampler is a record of pure functions; what it learns from losses is a state, a tree of tensors that goes through
 * the training step with everything else that changes.
 */
import { randint, uniform } from '../random/draw.js';
import { type Key, keyNode } from '../random/key.js';
import { type DType, isFloat } from '../tensor/dtype.js';
import { DTypeError, IndexError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange, ones, zeros } from '../tensor/ops/creation/creation.js';
import { add, div, minimum, mul, square } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { all, equal, greater, less, lessEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { broadcastTo, expandDims } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { mean, sum } from '../tensor/ops/reduction/reduction.js';
import { checkArgument, type Shape, sameAval, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { fold, scan } from '../tensor/transform/loops.js';
import { showNumber } from './checks.js';

/** Times for a batch, and what to multiply their losses with. */
export interface TimeSample<D extends DType = DType> {
  /** [N]: int32 for timesteps, else float64. */
  readonly t: Tensor<readonly [number], D>;
  /** What keeps the loss unbiased, float32 [N]: 1 / (T pₜ) for timesteps, 1 where the distribution is part of the loss. */
  readonly weights: Tensor<readonly [number], 'float32'>;
}

/** A distribution over times that may learn from losses; `State` is a tree of tensors. */
export interface TimeSampler<State, D extends DType = DType> {
  /** The state before any loss is known. */
  readonly init: () => State;
  /** The state after losses [N] at times t [N], one after the other. */
  readonly update: (state: State, t: Tensor, losses: Tensor) => State;
  /** Times for a batch, and the weights of their losses. Position i depends on the key and i alone. */
  readonly sample: (state: State, key: Key, batch: number) => TimeSample<D>;
}

/** Timesteps for a batch, and what to multiply their losses with. */
export type TimestepSample = TimeSample<'int32'>;

/** A distribution over timesteps that may learn from losses; `State` is a tree of tensors. */
export interface TimestepSampler<State> extends TimeSampler<State, 'int32'> {
  readonly numTimesteps: number;
  /** Positive weights, one a timestep: float64 [T]; the probabilities are in proportion to them. */
  readonly weights: (state: State) => Tensor<readonly [number], 'float64'>;
  /** 1 / (T pₜ) for timesteps t, int32 [N]: float32 [N]. */
  readonly importanceWeights: (state: State, t: Tensor) => Tensor<readonly [number], 'float32'>;
}

/** The state of {@link lossSecondMomentSampler}. */
export interface LossHistory {
  /** The last losses of each timestep, oldest first: float64 [T, historyPerTerm]. */
  readonly lossHistory: Tensor<readonly [number, number], 'float64'>;
  /** How many of them there are: int32 [T]. */
  readonly lossCounts: Tensor<readonly [number], 'int32'>;
}

/** Options of {@link lossSecondMomentSampler}. */
export interface LossSecondMomentOptions {
  /** How many losses of a timestep are remembered. Default 10. */
  readonly historyPerTerm?: number;
  /** How much of the distribution stays uniform, so that no timestep is forgotten. Default 0.001. */
  readonly uniformProb?: number;
}

/** @internal Refuses what is no count. */
export const checkCount = (operation: string, what: string, count: number): void => {
  if (Number.isSafeInteger(count) && count >= 1 && count < 2 ** 31) return;
  throw new IndexError({
    operation,
    given: `${showNumber(count)} as ${what}`,
    rule: 'it is a positive integer below 2³¹',
    hint: 'Pass diffusion.numTimesteps as the number of timesteps.',
  });
};

const checkTimesteps = (operation: string, t: Tensor): void => {
  if (isTensor(t) && t.dtype === 'int32' && t.shape.length === 1) return;
  throw new (isTensor(t) && t.dtype === 'int32' ? ShapeError : DTypeError)({
    operation,
    given: `t ${isTensor(t) ? showAval(t) : typeof t}`,
    rule: 'timesteps are int32 of shape [N]',
    hint: "Make them with tensor([…], { dtype: 'int32' }).",
  });
};

const checkLosses = (operation: string, t: Tensor, losses: Tensor): void => {
  checkTimesteps(operation, t);
  const given = `t ${showAval(t)} and losses ${isTensor(losses) ? showAval(losses) : typeof losses}`;
  const hint = 'Pass the losses of trainingLosses as they are, one a sample.';
  if (!isTensor(losses) || !isFloat(losses.dtype)) {
    throw new DTypeError({ operation, given, rule: 'losses are floats', hint });
  }
  if (losses.shape.length !== 1 || losses.shape[0] !== t.shape[0]) {
    throw new ShapeError({ operation, given, rule: 'there is one loss a timestep: both have the shape [N]', hint });
  }
};

/** The functions that a sampler's weights determine. */
const byWeights = <State>(
  operation: string,
  numTimesteps: number,
  weights: (state: State, method: string) => Tensor,
): Pick<TimestepSampler<State>, 'weights' | 'sample' | 'importanceWeights'> => {
  const probabilities = (state: State, method: string): Tensor => {
    const w = weights(state, method);
    return div(w, sum(w));
  };
  const importanceWeights = (state: State, t: Tensor): Tensor => {
    const method = `${operation}.importanceWeights`;
    checkTimesteps(method, t);
    const p = take(probabilities(state, method), t as Tensor<Shape, 'int32'>);
    return cast(reciprocal(mul(p as Tensor, numTimesteps)), 'float32');
  };
  const sample = (state: State, key: Key, batch: number) => {
    const method = `${operation}.sample`;
    keyNode(method, key);
    checkCount(method, 'the batch', batch);
    const cumulate = (total: Tensor, p: Tensor) => [add(total, p), add(total, p)] as const;
    const [total, cumulated] = scan(cumulate)(zeros([], { dtype: 'float64' }), probabilities(state, method));
    const u = mul(uniform(key, [batch], { dtype: 'float64' }), total);
    const passed = lessEqual(expandDims(cumulated, 0), expandDims(u, 1) as Tensor);
    // Rounding must not lead beyond the last timestep.
    const t = minimum(sum(passed, { axis: 1 }) as Tensor, numTimesteps - 1);
    return Object.freeze({ t, weights: importanceWeights(state, t) });
  };
  return { weights: (state: State) => weights(state, `${operation}.weights`), sample, importanceWeights } as Pick<
    TimestepSampler<State>,
    'weights' | 'sample' | 'importanceWeights'
  >;
};

/**
 * Every timestep equally often. Its state is null, and losses teach it nothing.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, algorithm 1.
 *
 * @param numTimesteps T, a positive integer
 * @throws IndexError when T is no positive integer
 * @example
 * ```js
 * import { key } from 'tenfold/random';
 * import { uniformSampler } from 'tenfold/diffusion';
 * const sampler = uniformSampler(1000);
 * sampler.sample(sampler.init(), key(0), 3).weights.toArray(); // => [1, 1, 1]
 * ```
 */
export const uniformSampler = (numTimesteps: number): TimestepSampler<null> => {
  checkCount('uniformSampler', 'the number of timesteps', numTimesteps);
  const base = byWeights<null>('uniformSampler', numTimesteps, () => ones([numTimesteps], { dtype: 'float64' }));
  return Object.freeze({
    ...base,
    numTimesteps,
    init: () => null,
    update: (_: null, t: Tensor, losses: Tensor) => {
      checkLosses('uniformSampler.update', t, losses);
      return null;
    },
    sample: (_: null, key: Key, batch: number) => {
      keyNode('uniformSampler.sample', key);
      checkCount('uniformSampler.sample', 'the batch', batch);
      const t = randint(key, [batch], 0, numTimesteps);
      return Object.freeze({ t, weights: ones([batch]) });
    },
  });
};

/** The history with one more loss: put behind the others, or the oldest dropped for it. */
const remember = (
  { lossHistory, lossCounts }: LossHistory,
  { t, loss }: { readonly t: Tensor; readonly loss: Tensor },
): LossHistory => {
  const [steps, length] = lossHistory.shape;
  const here = equal(arange(steps, { dtype: 'int32' }), t);
  const full = equal(lossCounts, length);
  const newest = broadcastTo(loss, [steps, 1]);
  const shifted = concat([slice(lossHistory, [0, 1], [steps, length]), newest], { axis: 1 });
  const next = equal(expandDims(arange(length, { dtype: 'int32' }), 0) as Tensor, expandDims(lossCounts, 1) as Tensor);
  const changed = where(
    expandDims(full, 1) as Tensor,
    shifted as Tensor,
    where(next, newest as Tensor, lossHistory as Tensor),
  );
  return {
    lossHistory: where(expandDims(here, 1) as Tensor, changed, lossHistory as Tensor) as LossHistory['lossHistory'],
    lossCounts: minimum(add(lossCounts, cast(here, 'int32') as Tensor), length) as LossHistory['lossCounts'],
  };
};

/**
 * Timesteps in proportion to √E[L²] of their last losses, mixed with the uniform distribution:
 * pₜ = (1 − u) √(mean L²ₜ) / Σₛ √(mean L²ₛ) + u / T. Uniform until every timestep has `historyPerTerm` losses,
 * and while these are all 0, or one of them is not finite.
 *
 * Source: Nichol & Dhariwal 2021, arXiv:2102.09672, section 3.3, eq. 18.
 *
 * @param numTimesteps T, a positive integer
 * @throws IndexError when T or historyPerTerm is no positive integer
 * @throws ArgumentError when uniformProb lies outside [0, 1], and for an option that is not there
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { lossSecondMomentSampler } from 'tenfold/diffusion';
 * const sampler = lossSecondMomentSampler(2, { historyPerTerm: 1, uniformProb: 0.5 });
 * const t = tensor([0, 1], { dtype: 'int32' });
 * const state = sampler.update(sampler.init(), t, tensor([3, 1]));
 * sampler.weights(state).toArray(); // => [0.625, 0.375]
 * ```
 */
export const lossSecondMomentSampler = (
  numTimesteps: number,
  options: LossSecondMomentOptions = {},
): TimestepSampler<LossHistory> => {
  const operation = 'lossSecondMomentSampler';
  checkOptions(operation, ['historyPerTerm', 'uniformProb'], options);
  const { historyPerTerm = 10, uniformProb = 0.001 } = options;
  checkCount(operation, 'the number of timesteps', numTimesteps);
  checkCount(operation, 'historyPerTerm', historyPerTerm);
  checkArgument(
    typeof uniformProb === 'number' && uniformProb >= 0 && uniformProb <= 1,
    operation,
    `uniformProb ${showNumber(uniformProb)}`,
    'it lies in [0, 1]',
    'The default is 0.001.',
  );
  const checkHistory = (method: string, state: LossHistory): void => {
    const { lossHistory, lossCounts } = state ?? {};
    checkArgument(
      isTensor(lossHistory) &&
        isTensor(lossCounts) &&
        sameAval(lossHistory, { shape: [numTimesteps, historyPerTerm], dtype: 'float64' }) &&
        sameAval(lossCounts, { shape: [numTimesteps], dtype: 'int32' }),
      method,
      `${kindOf(state)} as the state`,
      `the state is what init or the last update of a sampler of ${numTimesteps} timesteps gave`,
      'Start with init().',
    );
  };
  const weights = (state: LossHistory, method: string): Tensor => {
    checkHistory(method, state);
    const { lossHistory, lossCounts } = state;
    const moments = sqrt(mean(square(lossHistory), { axis: 1 }));
    const total = sum(moments);
    const mixed = add(mul(div(moments, total), 1 - uniformProb), uniformProb / numTimesteps);
    const says = logicalAnd(greater(total, 0), less(total, Number.POSITIVE_INFINITY));
    const known = logicalAnd(all(equal(lossCounts, historyPerTerm)), says as Tensor<readonly [], 'bool'>);
    return where(known, mixed as Tensor, ones([numTimesteps], { dtype: 'float64' }));
  };
  return Object.freeze({
    ...byWeights(operation, numTimesteps, weights),
    numTimesteps,
    init: () =>
      Object.freeze({
        lossHistory: zeros([numTimesteps, historyPerTerm], { dtype: 'float64' }),
        lossCounts: zeros([numTimesteps], { dtype: 'int32' }),
      }),
    update: (state: LossHistory, t: Tensor, losses: Tensor) => {
      checkHistory(`${operation}.update`, state);
      checkLosses(`${operation}.update`, t, losses);
      return Object.freeze(fold(remember)(state, { t, loss: cast(losses, 'float64') }));
    },
  });
};
