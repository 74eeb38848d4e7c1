/** Adam. */

import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, div, mul, neg, square } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { expm1, reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkDecay, zipFloats } from './leaves.js';
import {
  type CountState,
  chainFor,
  countOf,
  type GradientTransform,
  type Schedule,
  scaleByLearningRateFor,
} from './transform.js';

/** Options of {@link adam}, with the defaults of the paper and of PyTorch. */
export interface AdamOptions {
  /** Decay of the first moment. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the second moment. Default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment. Default 1e-8. */
  readonly epsilon?: number;
}

/** State of {@link scaleByAdam}: steps done and both moments, trees of the form of the parameters. */
export interface AdamState extends CountState {
  readonly firstMoment: unknown;
  readonly secondMoment: unknown;
}

/** {@link scaleByAdam} in the name of another function. */
const scaleByAdamFor = (operation: string, options: AdamOptions = {}): GradientTransform<AdamState> => {
  checkOptions(operation, ['beta1', 'beta2', 'epsilon'], options);
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  for (const beta of [beta1, beta2]) checkDecay(operation, beta, true);
  checkNumber(operation, 'epsilon', epsilon, 'notNegative');
  const decayed = (moment: Tensor, value: Tensor, beta: number): Tensor => add(mul(moment, beta), mul(value, 1 - beta));
  return Object.freeze({
    init: <P>(params: P): AdamState =>
      Object.freeze({
        count: tensor(0, { dtype: 'int32' }),
        firstMoment: zipFloats(operation, p => zerosLike(p!), params),
        secondMoment: zipFloats(operation, p => zerosLike(p!), params),
      }),
    update: <P>(updates: P, state: AdamState) => {
      const count = add(countOf(operation, state), 1);
      const firstMoment = zipFloats(operation, (m, g) => decayed(m!, g!, beta1), state.firstMoment, updates);
      const secondMoment = zipFloats(operation, (v, g) => decayed(v!, square(g!), beta2), state.secondMoment, updates);
      // 1 − βᵗ by expm1: written out it would lose three digits of float32 in the first steps.
      const unbias = (moment: Tensor, beta: number): Tensor =>
        mul(moment, reciprocal(neg(expm1(mul(cast(count, moment.dtype), Math.log(beta))))) as Tensor);
      const adapted = zipFloats(
        operation,
        (m, v) => div(unbias(m!, beta1), add(sqrt(unbias(v!, beta2)), epsilon) as Tensor),
        firstMoment,
        secondMoment,
      );
      return Object.freeze([adapted as P, Object.freeze({ count, firstMoment, secondMoment })] as const);
    },
  });
};

/**
 * Updates divided by the root of their running second moment, both moments corrected for their bias
 * (Kingma & Ba 2014, arXiv:1412.6980, algorithm 1).
 *
 * @throws ArgumentError for decays outside [0, 1), an epsilon below 0 and unknown options; its functions, TreeError and
 *   DTypeError for a leaf that is no float tensor, ShapeError and ArgumentError for a state that is none of these parameters
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scaleByAdam } from 'tenfold/optim';
 * const transform = scaleByAdam();
 * const w = tensor([1, 2]);
 * transform.update(tensor([0.5, -3]), transform.init(w), w)[0].toArray(); // => [1, -1]
 * ```
 */
export const scaleByAdam = (options?: AdamOptions): GradientTransform<AdamState> =>
  scaleByAdamFor('scaleByAdam', options);

/**
 * The Adam optimizer.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @throws as {@link scaleByAdam}, and ArgumentError for a learning rate that is no number or function, or comes to no scalar
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
export const adam = (
  learningRate: Schedule,
  options?: AdamOptions,
): GradientTransform<readonly [AdamState, CountState]> =>
  chainFor('adam', [scaleByAdamFor('adam', options), scaleByLearningRateFor('adam', learningRate)] as const);
