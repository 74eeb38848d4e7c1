/** Comparisons, elementwise with broadcasting, and choosing by them. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { scalar } from '../../primitives/full.js';
import { broadcastShapes, type Shape } from '../../shape.js';
import type { Broadcast, Fit, Ok, Promote, WithNumber } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import {
  broadcastNode,
  castNode,
  commonOperands,
  type Domain,
  dual,
  nodeFor,
  type Operand,
} from '../common/operands.js';
import { withOptions } from '../common/options.js';
import { always, truth } from '../common/truth.js';
import { type ReductionOptions, reduceBy } from '../reduction/reducing.js';
import type { Reduction } from '../reduction/reduction.js';

/** A comparison of two tensors (or a tensor and a number), data-first and data-last. `Op` names it in type errors. */
export interface Comparison<Op extends string> {
  <A extends Shape, B extends Shape>(
    a: Tensor<A>,
    b: Tensor<B> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, 'bool'>;
  <A extends Shape>(a: Tensor<A>, b: number): Tensor<A, 'bool'>;
  <B extends Shape>(a: number, b: Tensor<B>): Tensor<B, 'bool'>;
  <B extends Shape>(
    b: Tensor<B>,
  ): <A extends Shape>(a: Tensor<A> & Ok<Broadcast<Op, A, B>>) => Tensor<Fit<Broadcast<Op, A, B>>, 'bool'>;
  (b: number): <A extends Shape>(a: Tensor<A>) => Tensor<A, 'bool'>;
  /** Once more: why the last form does not fit is what the compiler tells. */
  <A extends Shape, B extends Shape>(
    a: Tensor<A>,
    b: Tensor<B> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, 'bool'>;
}

const everything: Domain = { storage: true };

const comparison = <Op extends string>(operation: Op, build: (x: Node, y: Node) => Node): Comparison<Op> =>
  dual(2, (x: Operand, y: Operand) => {
    const [p, q] = commonOperands(operation, [x, y], everything);
    return wrap(build(p!, q!));
  });

/**
 * `a = b`, elementwise with broadcasting. NaN equals nothing.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, and for an integer tensor with a fraction
 * @numpy np.equal
 * @pytorch torch.eq
 * @example
 * ```js
 * import { equal, tensor } from 'tenfold';
 * equal(tensor([1, 2, NaN]), tensor([1, 3, NaN])).toArray(); // => [true, false, false]
 * ```
 */
export const equal: Comparison<'equal'> = comparison('equal', b.eq);

/**
 * `a ≠ b`, elementwise with broadcasting. NaN differs from everything.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, DTypeError as {@link equal}
 * @numpy np.not_equal
 * @pytorch torch.ne
 * @example
 * ```js
 * import { notEqual, tensor } from 'tenfold';
 * notEqual(tensor([1, 2, NaN]), tensor([1, 3, NaN])).toArray(); // => [false, true, true]
 * ```
 */
export const notEqual: Comparison<'notEqual'> = comparison('notEqual', b.ne);

/**
 * `a < b`, elementwise with broadcasting; `pipe(a, less(b))` is `a < b` too. False for NaN.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, DTypeError as {@link equal}
 * @numpy np.less
 * @pytorch torch.lt
 * @example
 * ```js
 * import { less, tensor } from 'tenfold';
 * less(tensor([1, 2, 3]), 2).toArray(); // => [true, false, false]
 * ```
 */
export const less: Comparison<'less'> = comparison('less', b.lt);

/**
 * `a ≤ b`, elementwise with broadcasting. False for NaN.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, DTypeError as {@link equal}
 * @numpy np.less_equal
 * @pytorch torch.le
 * @example
 * ```js
 * import { lessEqual, tensor } from 'tenfold';
 * lessEqual(tensor([1, 2, 3]), 2).toArray(); // => [true, true, false]
 * ```
 */
export const lessEqual: Comparison<'lessEqual'> = comparison('lessEqual', b.le);

/**
 * `a > b`, elementwise with broadcasting. False for NaN.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, DTypeError as {@link equal}
 * @numpy np.greater
 * @pytorch torch.gt
 * @example
 * ```js
 * import { greater, tensor } from 'tenfold';
 * greater(tensor([1, 2, 3]), 2).toArray(); // => [false, false, true]
 * ```
 */
export const greater: Comparison<'greater'> = comparison('greater', b.gt);

/**
 * `a ≥ b`, elementwise with broadcasting. False for NaN.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, DTypeError as {@link equal}
 * @numpy np.greater_equal
 * @pytorch torch.ge
 * @example
 * ```js
 * import { greaterEqual, tensor } from 'tenfold';
 * greaterEqual(tensor([1, 2, 3]), 2).toArray(); // => [false, true, true]
 * ```
 */
export const greaterEqual: Comparison<'greaterEqual'> = comparison('greaterEqual', b.ge);

type Where3<C extends Shape, A extends Shape, B extends Shape> = Broadcast<'where', C, Fit<Broadcast<'where', A, B>>>;

/** The signatures of {@link where}. */
export interface Where {
  <C extends Shape, A extends Shape, D extends DType, B extends Shape, E extends DType>(
    condition: Tensor<C>,
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<'where', A, B>> & Ok<Where3<C, A, B>>,
  ): Tensor<Fit<Where3<C, A, B>>, Promote<D, E>>;
  <C extends Shape, A extends Shape, D extends DType>(
    condition: Tensor<C>,
    a: Tensor<A, D> & Ok<Broadcast<'where', C, A>>,
    b: number,
  ): Tensor<Fit<Broadcast<'where', C, A>>, WithNumber<D>>;
  <C extends Shape, B extends Shape, E extends DType>(
    condition: Tensor<C>,
    a: number,
    b: Tensor<B, E> & Ok<Broadcast<'where', C, B>>,
  ): Tensor<Fit<Broadcast<'where', C, B>>, WithNumber<E>>;
  <C extends Shape>(condition: Tensor<C>, a: number, b: number): Tensor<C, 'float32'>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<'where', A, B>>,
  ): <C extends Shape>(condition: Tensor<C> & Ok<Where3<C, A, B>>) => Tensor<Fit<Where3<C, A, B>>, Promote<D, E>>;
  <A extends Shape, D extends DType>(
    a: Tensor<A, D>,
    b: number,
  ): <C extends Shape>(
    condition: Tensor<C> & Ok<Broadcast<'where', C, A>>,
  ) => Tensor<Fit<Broadcast<'where', C, A>>, WithNumber<D>>;
  <B extends Shape, E extends DType>(
    a: number,
    b: Tensor<B, E>,
  ): <C extends Shape>(
    condition: Tensor<C> & Ok<Broadcast<'where', C, B>>,
  ) => Tensor<Fit<Broadcast<'where', C, B>>, WithNumber<E>>;
  (a: number, b: number): <C extends Shape>(condition: Tensor<C>) => Tensor<C, 'float32'>;
}

/**
 * `a` where the condition is true and `b` where it is not, elementwise with broadcasting of all three. A condition
 * that is no bool is true where it is other than 0. The derivative goes to the one that was chosen; what was not
 * chosen may be infinite or NaN, but a derivative of it that is NaN would still come through: make the argument of
 * such a function harmless first, rather than its result.
 *
 * @param condition where to take `a`
 * @param a a tensor or a number
 * @param b a tensor or a number
 * @returns the broadcast shape; the promoted dtype of `a` and `b`, float32 for two numbers
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, and for an integer tensor with a fraction
 * @throws ArgumentError when the condition is no tensor, or a choice neither tensor nor number
 * @numpy np.where
 * @pytorch torch.where
 * @example
 * ```js
 * import { greater, tensor, where } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const x = tensor([-1, 2, 3]);
 * where(greater(x, 0), x, 0).toArray(); // => [0, 2, 3]
 * pipe(greater(x, 0), where(1, -1)).toArray(); // => [-1, 1, 1]
 * ```
 */
export const where: Where = dual(3, (condition: Tensor, x: Operand, y: Operand) => {
  const test = truth('where', condition);
  const choices = [x, y];
  const shapes = choices.filter(choice => typeof choice !== 'number').map(choice => nodeFor('where', choice).shape);
  const shape = broadcastShapes('where', test.shape, ...shapes);
  const [p, q] =
    shapes.length === 0
      ? choices.map(choice => scalar(b, choice as number, 'float32'))
      : commonOperands('where', choices, everything);
  return wrap(b.select(broadcastNode(test, shape), broadcastNode(p!, shape), broadcastNode(q!, shape)));
});

/** all as the smallest, any as the largest of the truth values; `none` is the answer about no elements. */
const quantifier = <Op extends string>(
  operation: Op,
  primitive: 'reduceMin' | 'reduceMax',
  none: boolean,
): Reduction<Op, 'bool'> =>
  withOptions(operation, ['axis', 'keepDims'], (x: Tensor, options: ReductionOptions) => {
    const bits = truth(operation, x);
    const result = reduceBy(operation, bits, options, (y, axes) =>
      axes.some(axis => y.shape[axis] === 0)
        ? always(b.sum(castNode(y, 'int32'), { axes }), none)
        : castNode(b[primitive](castNode(y, 'int32'), { axes }), 'bool'),
    );
    return wrap(result);
  });

/**
 * Whether all elements along the axes are true; so are no elements. What is no bool is true when it is other than 0.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis over everything
 * @returns the shape without the axes, bool
 * @throws AxisError for an axis that `x` does not have, or one named twice
 * @throws ArgumentError when `x` is no tensor or an option unknown
 * @numpy np.all
 * @pytorch torch.all
 * @example
 * ```js
 * import { all, tensor } from 'tenfold';
 * const x = tensor([[true, true], [true, false]]);
 * all(x).item(); // => false
 * all(x, { axis: 1 }).toArray(); // => [true, false]
 * ```
 */
export const all: Reduction<'all', 'bool'> = quantifier('all', 'reduceMin', true);

/**
 * Whether any element along the axes is true; among no elements none is. What is no bool is true when it is other
 * than 0.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis over everything
 * @returns the shape without the axes, bool
 * @throws AxisError, ArgumentError as {@link all}
 * @numpy np.any
 * @pytorch torch.any
 * @example
 * ```js
 * import { any, tensor } from 'tenfold';
 * const x = tensor([[false, true], [false, false]]);
 * any(x).item(); // => true
 * any(x, { axis: 1 }).toArray(); // => [true, false]
 * ```
 */
export const any: Reduction<'any', 'bool'> = quantifier('any', 'reduceMax', false);
