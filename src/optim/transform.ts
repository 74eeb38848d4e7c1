/**
 * Optimizers as gradient transforms: two pure functions, composed by `chain`. What an optimizer remembers is a
 * tree that the caller holds. (The design of optax.)
 */
import type { Monoid } from 'fp-ts/lib/Monoid.js';
import { checkSetting } from '../tensor/ops/common/operands.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { add, mul, neg } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import type { Tensor } from '../tensor/tensor.js';
import { map, zipWith } from '../tree/tree.js';

/** A learning rate: a number, or a function of the number of steps done (an int32 scalar). */
export type Schedule = number | ((count: Tensor) => Tensor);

/** What turns gradients into updates. `S` is the state, a tree of tensors. */
export interface GradientTransform<S = unknown> {
  init<P>(params: P): S;
  update<P>(updates: P, state: S, params: P): readonly [updates: P, state: S];
}

type States<T extends readonly GradientTransform[]> = {
  readonly [K in keyof T]: T[K] extends GradientTransform<infer S> ? S : never;
};

/**
 * Transforms one after another; the state is the array of their states.
 *
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { chain, scale } from 'tenfold/optim';
 * const twice = chain(scale(3), scale(-1));
 * const [updates] = twice.update({ w: tensor([1, 2]) }, twice.init({ w: tensor([0, 0]) }), { w: tensor([0, 0]) });
 * updates.w.toArray(); // => [-3, -6]
 * ```
 */
export const chain = <T extends readonly GradientTransform[]>(...transforms: T): GradientTransform<States<T>> =>
  Object.freeze({
    init: <P>(params: P) => Object.freeze(transforms.map(transform => transform.init(params))) as States<T>,
    update: <P>(updates: P, state: States<T>, params: P) => {
      let current = updates;
      const next = transforms.map((transform, i) => {
        const [after, own] = transform.update(current, state[i], params);
        current = after;
        return own;
      });
      return Object.freeze([current, Object.freeze(next) as States<T>] as const);
    },
  });

/**
 * Gradient transforms are a monoid under composition.
 *
 * @example
 * ```js
 * import { concatAll } from 'fp-ts/lib/Monoid.js';
 * import { tensor } from 'tenfold';
 * import { monoid, scale } from 'tenfold/optim';
 * const all = concatAll(monoid)([scale(2), scale(5)]);
 * all.update([tensor(1)], all.init([tensor(0)]), [tensor(0)])[0][0].item(); // => 10
 * ```
 */
export const monoid: Monoid<GradientTransform> = {
  empty: Object.freeze({ init: () => null, update: <P>(updates: P) => Object.freeze([updates, null] as const) }),
  concat: (first, second) => chain(first, second) as GradientTransform,
};

/**
 * Multiplies updates by a factor.
 *
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scale } from 'tenfold/optim';
 * scale(-0.5).update(tensor([2, 4]), null, tensor([0, 0]))[0].toArray(); // => [-1, -2]
 * ```
 */
export const scale = (factor: number): GradientTransform<null> =>
  Object.freeze({
    init: () => null,
    update: <P>(updates: P) => Object.freeze([map(updates, u => mul(u as Tensor, factor)) as P, null] as const),
  });

/** State of {@link scaleByLearningRate}: the number of steps done. */
export interface CountState {
  readonly count: Tensor;
}

/**
 * Multiplies updates by minus the learning rate, so that adding them descends.
 *
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scaleByLearningRate } from 'tenfold/optim';
 * const sgd = scaleByLearningRate(0.1);
 * const [updates, state] = sgd.update(tensor([10]), sgd.init(tensor([0])), tensor([0]));
 * updates.toArray(); // => [-1]
 * state.count.item(); // => 1
 * ```
 */
export const scaleByLearningRate = (learningRate: Schedule): GradientTransform<CountState> => {
  checkSetting('scaleByLearningRate', 'the learning rate', learningRate);
  return Object.freeze({
    init: () => Object.freeze({ count: tensor(0, { dtype: 'int32' }) }),
    update: <P>(updates: P, { count }: CountState) => {
      const rate = typeof learningRate === 'number' ? tensor(learningRate, { dtype: 'float64' }) : learningRate(count);
      const scaled = map(updates, u => {
        const update = u as Tensor;
        return mul(update, cast(neg(rate), update.dtype) as Tensor);
      });
      return Object.freeze([scaled as P, Object.freeze({ count: add(count, 1) })] as const);
    },
  });
};

/**
 * Parameters with updates added, leaf by leaf.
 *
 * @throws TreeError when the trees differ in form
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { applyUpdates } from 'tenfold/optim';
 * applyUpdates({ w: tensor([1, 2]) }, { w: tensor([0.5, -1]) }).w.toArray(); // => [1.5, 1]
 * ```
 */
export const applyUpdates = <P>(params: P, updates: P): P =>
  zipWith((p, u) => add(p as Tensor, u as Tensor), params, updates) as P;
