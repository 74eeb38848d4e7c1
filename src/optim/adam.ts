/** Adam, and Adam with decoupled weight decay. */
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { add, div, maximum, mul, square } from '../tensor/ops/elementwise/arithmetic.js';
import { reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay } from './leaves.js';
import {
  type CommonOptions,
  checkRuleOptions,
  decayed,
  nothing,
  type OptimizerState,
  optimizerFor,
  type Rule,
  type RuleState,
  ruledFor,
  unbiasing,
} from './rule.js';
import type { GradientTransform, Schedule } from './transform.js';

/** Decays and the epsilon of {@link adam} and its relatives, with the defaults of the papers and of PyTorch. */
export interface MomentOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
}

/** Options of {@link scaleByAdam}. */
export interface ScaleByAdamOptions extends MomentOptions {
  /**
   * Whether to divide by the largest second moment so far (Reddi et al. 2018, arXiv:1904.09237), of those that are not yet
   * corrected for their bias, as in PyTorch. Default false.
   */
  readonly amsgrad?: boolean;
}

/** Options of {@link adam}. */
export interface AdamOptions extends ScaleByAdamOptions, CommonOptions {}

/** What Adam remembers of a leaf; the largest second moment with `amsgrad` only. */
export type AdamMemory = 'firstMoment' | 'secondMoment';

/** State of {@link scaleByAdam}: steps done and both moments, trees of the form of the parameters. */
export interface AdamState extends RuleState<AdamMemory> {
  readonly largestSecondMoment?: unknown;
}

/** @internal The decays and the epsilon, checked. */
export const momentsOf = (
  operation: string,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: MomentOptions = {},
): Required<MomentOptions> => {
  for (const beta of [beta1, beta2]) checkDecay(operation, beta, true);
  checkNumber(operation, 'epsilon', epsilon, 'notNegative');
  return { beta1, beta2, epsilon };
};

/** @internal The names of {@link MomentOptions}. */
export const momentNames = ['beta1', 'beta2', 'epsilon'] as const;

/** Adam for one leaf; its options are taken to be of no other names. */
const adamRule = (operation: string, options: ScaleByAdamOptions = {}): Rule<AdamMemory> => {
  const { beta1, beta2, epsilon } = momentsOf(operation, options);
  const { amsgrad = false } = options;
  checkFlag(operation, 'amsgrad', amsgrad);
  const largest = amsgrad ? { largestSecondMoment: nothing } : {};
  return {
    memory: { firstMoment: nothing, secondMoment: nothing, ...largest },
    step: count => (g, memory) => {
      const firstMoment = decayed(memory.firstMoment, g, beta1);
      const secondMoment = decayed(memory.secondMoment, square(g), beta2);
      const unbias = (moment: Tensor, beta: number): Tensor =>
        mul(moment, reciprocal(unbiasing(count, beta, moment)) as Tensor);
      const before = (memory as Readonly<Record<string, Tensor>>).largestSecondMoment;
      const above = before === undefined ? secondMoment : maximum(before, secondMoment);
      const update = div(unbias(firstMoment, beta1), add(sqrt(unbias(above, beta2)), epsilon) as Tensor);
      return [update, { firstMoment, secondMoment, ...(amsgrad ? { largestSecondMoment: above } : {}) }];
    },
  };
};

const adamNames = [...momentNames, 'amsgrad'] as const;

/**
 * Updates divided by the root of their running second moment, both moments corrected for their bias
 * (Kingma & Ba 2014, arXiv:1412.6980, algorithm 1).
 *
 * @throws ArgumentError for decays outside [0, 1), an epsilon below 0 and unknown options; its functions, TreeError and
 *   DTypeError for a leaf that is no float tensor, ShapeError and ArgumentError for a state that is none of these parameters
 * @numpy optax.scale_by_adam
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scaleByAdam } from 'tenfold/optim';
 * const transform = scaleByAdam();
 * const w = tensor([1, 2]);
 * transform.update(tensor([0.5, -3]), transform.init(w), w)[0].toArray(); // => [1, -1]
 * ```
 */
export const scaleByAdam = (options?: ScaleByAdamOptions): GradientTransform<AdamState> => {
  checkOptions('scaleByAdam', adamNames, options);
  return ruledFor('scaleByAdam', adamRule('scaleByAdam', options));
};

/**
 * The Adam optimizer (Kingma & Ba 2014, arXiv:1412.6980). Weight decay counts as part of the gradient; {@link adamw} has
 * it apart.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options `beta1` (0.9), `beta2` (0.999), `epsilon` (1e-8), `amsgrad`, `weightDecay` (0), `maximize`
 * @throws as {@link scaleByAdam}, and ArgumentError for a learning rate that is no number or function, or comes to no scalar,
 *   and for a weight decay below 0
 * @numpy optax.adam
 * @pytorch torch.optim.Adam
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adam, applyUpdates } from 'tenfold/optim';
 * const optimizer = adam(0.1);
 * const w = tensor([1, 2]);
 * const [updates, state] = optimizer.update(tensor([0.5, -3]), optimizer.init(w), w);
 * applyUpdates(w, updates).toArray(); // => [0.9, 2.1]
 * ```
 */
export const adam = (learningRate: Schedule, options?: AdamOptions): GradientTransform<OptimizerState<AdamMemory>> => {
  checkRuleOptions('adam', adamNames, options);
  return optimizerFor('adam', learningRate, adamRule('adam', options), options ?? {});
};

/**
 * Adam with its weight decay apart from the gradient (Loshchilov & Hutter 2017, arXiv:1711.05101): each step takes
 * `learningRate · weightDecay` of the parameters away.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @param options those of {@link adam}; `weightDecay` is 0.01 by default
 * @throws as {@link adam}
 * @numpy optax.adamw
 * @pytorch torch.optim.AdamW
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { adamw, applyUpdates } from 'tenfold/optim';
 * const optimizer = adamw(0.1, { weightDecay: 0.5 });
 * const w = tensor([10, -20]);
 * const [updates] = optimizer.update(tensor([0.5, -3]), optimizer.init(w), w);
 * updates.toArray(); // => [-0.6, 1.1]
 * ```
 */
export const adamw = (learningRate: Schedule, options?: AdamOptions): GradientTransform<OptimizerState<AdamMemory>> => {
  checkRuleOptions('adamw', adamNames, options);
  const settings = { ...options, weightDecay: options?.weightDecay ?? 0.01, decoupled: true };
  return optimizerFor('adamw', learningRate, adamRule('adamw', options), settings);
};
