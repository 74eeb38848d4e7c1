/** Transforms around transforms: gradients gathered over several steps, and slow parameters that look ahead. */
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor, zerosLike } from '../tensor/ops/creation/creation.js';
import { add, div, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { equal, where } from '../tensor/ops/elementwise/comparison.js';
import { checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cond } from '../tensor/transform/branches.js';
import { flattenFor, sameForm, tensorsOf } from '../tree/tree.js';
import { checkDecay, zipFloats } from './leaves.js';
import { choiceOf } from './settings.js';
import { type CountState, checkTransform, countOf, type GradientTransform, updateBy } from './transform.js';

/** State of {@link accumulate}: gradients since the last step, how many, and the state of the transform. */
export interface AccumulateState<S> extends CountState {
  readonly gradients: unknown;
  readonly inner: S;
}

/** The count after one more, and whether it is full; it begins again then. */
const counted = (count: Tensor, every: number): readonly [next: Tensor, isFull: Tensor] => {
  const now = add(count, 1) as Tensor;
  const isFull = equal(now, every) as Tensor;
  return [where(isFull, tensor(0, { dtype: 'int32' }), now) as Tensor, isFull];
};

/**
 * A transform that sees the mean (or the sum) of so many gradients, and in between gives updates of 0: a batch in parts. Only
 * then it is computed.
 *
 * @param options `reduce`: `'mean'` (the default) or `'sum'`
 * @throws ArgumentError for what is no gradient transform and unknown options, IndexError for a number that is no integer
 *   above 0; its functions, ArgumentError for a state that is none of its own, TreeError and ShapeError when trees differ,
 *   DTypeError for a leaf that is no float tensor
 * @numpy optax.MultiSteps
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { accumulate, sgd } from 'tenfold/optim';
 * const optimizer = accumulate(sgd(1), 2);
 * const w = tensor([0]);
 * const [first, state] = optimizer.update(tensor([3]), optimizer.init(w), w);
 * const [second] = optimizer.update(tensor([5]), state, w);
 * [first.item(), second.item()]; // => [0, -4]
 * ```
 */
export const accumulate = <S>(
  transform: GradientTransform<S>,
  every: number,
  options?: { readonly reduce?: 'mean' | 'sum' },
): GradientTransform<AccumulateState<S>> => {
  const operation = 'accumulate';
  checkTransform(operation, transform);
  checkInteger(operation, 'the number of gradients', every, 1, 2 ** 31 - 1);
  checkOptions(operation, ['reduce'], options);
  const isMean = choiceOf(operation, 'reduce', ['mean', 'sum'], options?.reduce) === 'mean';
  const zeros = <P>(tree: P): P => zipFloats(operation, leaf => zerosLike(leaf!), tree);
  return Object.freeze({
    init: <P>(params: P): AccumulateState<S> =>
      Object.freeze({ count: tensor(0, { dtype: 'int32' }), gradients: zeros(params), inner: transform.init(params) }),
    update: <P>(updates: P, state: AccumulateState<S>, params: P) => {
      const [count, isFull] = counted(countOf(operation, state), every);
      // The operands of a branch are checked here, in this name.
      const sum = zipFloats(operation, (u, g) => add(u!, g!) as Tensor, updates, state.gradients, params);
      tensorsOf(operation, flattenFor(operation, state.inner));
      type Result = readonly [P, P, S];
      const full = (gathered: P, inner: S, now: P): Result => {
        const given = isMean ? zipFloats(operation, g => div(g!, every) as Tensor, gathered) : gathered;
        const [after, next] = updateBy(operation, transform, given, inner, now);
        sameForm(operation, flattenFor(operation, inner), flattenFor(operation, next));
        return [after, zeros(gathered), next];
      };
      const waiting = (gathered: P, inner: S): Result => [zeros(gathered), gathered, inner];
      const [after, gradients, inner] = cond(isFull, full, waiting)(sum, state.inner, params);
      return Object.freeze([after, Object.freeze({ count, gradients, inner })] as const);
    },
  });
};

/** State of {@link lookahead}: steps since the slow parameters moved, these, and the state of the transform. */
export interface LookaheadState<S> extends CountState {
  readonly slow: unknown;
  readonly inner: S;
}

/**
 * Slow parameters that move a part of the way to where some steps of a transform have come, and from which it then goes on
 * (Zhang et al. 2019, arXiv:1907.08610). The parameters that are updated are the fast ones; right after each `every`-th step
 * they are the slow ones as well.
 *
 * @param options `every` (5): how many steps; `rate` (0.5): which part of the way
 * @throws ArgumentError for what is no gradient transform, a rate outside [0, 1] and unknown options, IndexError for a number
 *   of steps that is no integer above 0; its functions, ArgumentError for a state that is none of its own, TreeError and
 *   ShapeError when trees differ, DTypeError for a leaf that is no float tensor
 * @numpy optax.lookahead
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { lookahead, sgd } from 'tenfold/optim';
 * const optimizer = lookahead(sgd(1), { every: 2 });
 * const [first, state] = optimizer.update(tensor([4]), optimizer.init(tensor([0])), tensor([0]));
 * const [second] = optimizer.update(tensor([4]), state, tensor([-4]));
 * [first.item(), second.item()]; // => [-4, 0]
 * ```
 */
export const lookahead = <S>(
  transform: GradientTransform<S>,
  options?: { readonly every?: number; readonly rate?: number },
): GradientTransform<LookaheadState<S>> => {
  const operation = 'lookahead';
  checkTransform(operation, transform);
  checkOptions(operation, ['every', 'rate'], options);
  const { every = 5, rate = 0.5 } = options ?? {};
  checkInteger(operation, 'the number of steps', every, 1, 2 ** 31 - 1);
  checkDecay(operation, rate);
  return Object.freeze({
    init: <P>(params: P): LookaheadState<S> =>
      Object.freeze({
        count: tensor(0, { dtype: 'int32' }),
        slow: zipFloats(operation, p => p!, params),
        inner: transform.init(params),
      }),
    update: <P>(updates: P, state: LookaheadState<S>, params: P) => {
      const [count, isFull] = counted(countOf(operation, state), every);
      const [fast, inner] = updateBy(operation, transform, updates, state.inner, params);
      const moved = (slow: Tensor, p: Tensor, u: Tensor): Tensor =>
        add(slow, mul(sub(add(p, u) as Tensor, slow) as Tensor, rate)) as Tensor;
      const slow = zipFloats(
        operation,
        (s, p, u) => where(isFull, moved(s!, p!, u!), s!) as Tensor,
        state.slow,
        params,
        fast,
      );
      const after = zipFloats(
        operation,
        (u, s, p) => where(isFull, sub(s!, p!) as Tensor, u!) as Tensor,
        fast,
        slow,
        params,
      );
      return Object.freeze([after, Object.freeze({ count, slow, inner })] as const);
    },
  });
};
