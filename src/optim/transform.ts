/**
 * Optimizers as gradient transforms: two pure functions, composed by `chain`. What an optimizer remembers is a
 * tree that the caller holds. (The design of optax.)
 */
import type { Monoid } from 'fp-ts/lib/Monoid.js';
import { ArgumentError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { tensor, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, mul, neg } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkScalar, zipFloats } from './leaves.js';

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
 * @internal Refuses what is no gradient transform.
 *
 * @throws ArgumentError
 */
export const checkTransform = (operation: string, transform: GradientTransform): void =>
  checkArgument(
    typeof transform?.init === 'function' && typeof transform.update === 'function',
    operation,
    `${kindOf(transform)} as a gradient transform`,
    'a gradient transform has the functions init and update',
    'Take adam(1e-3), or chain several.',
  );

/** @internal What a transform makes of updates, checked to be a pair. */
export const updateBy = <P, S>(
  operation: string,
  transform: GradientTransform<S>,
  ...[updates, state, params]: readonly [updates: P, state: S, params: P]
): readonly [updates: P, state: S] => {
  const result = transform.update(updates, state, params);
  checkArgument(
    Array.isArray(result) && result.length === 2,
    operation,
    `a gradient transform whose update gives ${kindOf(result)}`,
    'update gives updates and the next state',
    'Write [updates, state].',
  );
  return result;
};

/** @internal Refuses a state that is none of a transform's own. */
export const refuseState = (operation: string, state: unknown): never => {
  throw new ArgumentError({
    operation,
    given: `${kindOf(state)} as the state`,
    rule: 'the state is what init or the last update gave',
    hint: 'Start with init(params).',
  });
};

/** @internal The number of steps done that is in a state. */
export const countOf = (operation: string, state: CountState): Tensor => {
  const count: unknown = state?.count;
  const isCount = isTensor(count) && count.dtype === 'int32' && count.shape.length === 0;
  return isCount ? (count as Tensor) : refuseState(operation, state);
};

/** @internal {@link chain} in the name of another function. */
export const chainFor = <T extends readonly GradientTransform[]>(
  operation: string,
  transforms: T,
): GradientTransform<States<T>> => {
  for (const transform of transforms) checkTransform(operation, transform);
  return Object.freeze({
    init: <P>(params: P) => Object.freeze(transforms.map(transform => transform.init(params))) as States<T>,
    update: <P>(updates: P, state: States<T>, params: P) => {
      if (!Array.isArray(state) || state.length !== transforms.length) refuseState(operation, state);
      let current = updates;
      const next = transforms.map((transform, i) => {
        const [after, own] = updateBy(operation, transform, current, state[i], params);
        current = after;
        return own;
      });
      return Object.freeze([current, Object.freeze(next) as States<T>] as const);
    },
  });
};

/**
 * Transforms one after another; the state is the array of their states.
 *
 * @throws ArgumentError for what is no gradient transform; its update, for a state that is none of its own
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
  chainFor('chain', transforms);

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
  concat: (first, second) => chainFor('monoid.concat', [first, second]) as GradientTransform,
};

/**
 * Multiplies updates by a factor. The factor 0 gives zeros, of NaN as well: parameters that are frozen by it stay as they are
 * whatever their gradients are.
 *
 * @throws ArgumentError for a factor that is no number; its update, TreeError and DTypeError for a leaf that is no float
 *   tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { scale } from 'tenfold/optim';
 * scale(-0.5).update(tensor([2, 4]), null, tensor([0, 0]))[0].toArray(); // => [-1, -2]
 * ```
 */
export const scale = (factor: number): GradientTransform<null> => {
  // A scalar too: what jit knows of a number is one.
  if (isTensor(factor)) checkScalar('scale', 'the factor', factor);
  else checkNumber('scale', 'the factor', factor);
  return Object.freeze({
    init: () => null,
    update: <P>(updates: P) =>
      Object.freeze([
        zipFloats('scale', u => (factor === 0 ? zerosLike(u!) : (mul(u!, factor) as Tensor)), updates),
        null,
      ] as const),
  });
};

/** State of {@link scaleByLearningRate}: the number of steps done. */
export interface CountState {
  readonly count: Tensor;
}

/** @internal {@link scaleByLearningRate} in the name of another function. */
export const scaleByLearningRateFor = (operation: string, learningRate: Schedule): GradientTransform<CountState> => {
  if (typeof learningRate !== 'function') checkNumber(operation, 'the learning rate', learningRate);
  return Object.freeze({
    init: () => Object.freeze({ count: tensor(0, { dtype: 'int32' }) }),
    update: <P>(updates: P, state: CountState) => {
      const count = countOf(operation, state);
      const rate = typeof learningRate === 'number' ? tensor(learningRate, { dtype: 'float64' }) : learningRate(count);
      checkScalar(operation, 'the learning rate', rate);
      const scaled = zipFloats(operation, u => mul(u!, cast(neg(rate), u!.dtype)), updates);
      return Object.freeze([scaled, Object.freeze({ count: add(count, 1) })] as const);
    },
  });
};

/**
 * Multiplies updates by minus the learning rate, so that adding them descends.
 *
 * @param learningRate a number, or a function of the number of steps done
 * @throws ArgumentError for a learning rate that is neither; its update, for one that comes to no scalar and for a state
 *   that is none of its own, TreeError and DTypeError for a leaf that is no float tensor
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
export const scaleByLearningRate = (learningRate: Schedule): GradientTransform<CountState> =>
  scaleByLearningRateFor('scaleByLearningRate', learningRate);

/**
 * Parameters with updates added, leaf by leaf.
 *
 * @throws TreeError when the trees differ in form or have a leaf that is no tensor, ShapeError when their leaves differ in
 *   shape, DTypeError for a leaf that is no float
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { applyUpdates } from 'tenfold/optim';
 * applyUpdates({ w: tensor([1, 2]) }, { w: tensor([0.5, -1]) }).w.toArray(); // => [1.5, 1]
 * ```
 */
export const applyUpdates = <P>(params: P, updates: P): P =>
  zipFloats('applyUpdates', (p, u) => add(p!, u!), params, updates);
