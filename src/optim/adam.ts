/** Adam. */

import { tensor, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, div, mul, neg, square } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { expm1, reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { map, zipWith } from '../tree/tree.js';
import { type CountState, chain, type GradientTransform, type Schedule, scaleByLearningRate } from './transform.js';

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

/**
 * Updates divided by the root of their running second moment, both moments corrected for their bias
 * (Kingma & Ba 2014, arXiv:1412.6980, algorithm 1).
 *
 * @throws ArgumentError for decays outside [0, 1)
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scaleByAdam } from 'tenfold/optim';
 * const transform = scaleByAdam();
 * const w = tensor([1, 2]);
 * transform.update(tensor([0.5, -3]), transform.init(w), w)[0].toArray(); // => [1, -1]
 * ```
 */
export const scaleByAdam = ({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
}: AdamOptions = {}): GradientTransform<AdamState> => {
  for (const beta of [beta1, beta2]) {
    checkArgument(
      beta >= 0 && beta < 1,
      'adam',
      `the decay ${beta}`,
      'decays lie in [0, 1)',
      'Usual are 0.9 and 0.999.',
    );
  }
  const decayed = (beta: number) => (moment: unknown, value: unknown) =>
    add(mul(moment as Tensor, beta), mul(value as Tensor, 1 - beta));
  return Object.freeze({
    init: <P>(params: P): AdamState =>
      Object.freeze({
        count: tensor(0, { dtype: 'int32' }),
        firstMoment: map(params, p => zerosLike(p as Tensor)),
        secondMoment: map(params, p => zerosLike(p as Tensor)),
      }),
    update: <P>(updates: P, state: AdamState) => {
      const count = add(state.count, 1);
      const firstMoment = zipWith(decayed(beta1), state.firstMoment, updates);
      const secondMoment = zipWith(
        decayed(beta2),
        state.secondMoment,
        map(updates, g => square(g as Tensor)),
      );
      // 1 − βᵗ by expm1: written out it would lose three digits of float32 in the first steps.
      const unbias = (moment: Tensor, beta: number): Tensor =>
        mul(moment, reciprocal(neg(expm1(mul(cast(count, moment.dtype), Math.log(beta))))) as Tensor);
      const adapted = zipWith(
        (m, v) => div(unbias(m as Tensor, beta1), add(sqrt(unbias(v as Tensor, beta2)), epsilon) as Tensor),
        firstMoment,
        secondMoment,
      );
      return Object.freeze([adapted as P, Object.freeze({ count, firstMoment, secondMoment })] as const);
    },
  });
};

/**
 * The Adam optimizer.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @throws ArgumentError for decays outside [0, 1)
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
  options: AdamOptions = {},
): GradientTransform<readonly [AdamState, CountState]> =>
  chain(scaleByAdam(options), scaleByLearningRate(learningRate));
