/** Arithmetic, elementwise with broadcasting. Numbers stand for scalars of the other operand's dtype. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { checkArgument, type Shape } from '../../shape.js';
import type { Arithmetic, Broadcast, Fit, Floating, Ok, Promote, WithNumber } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { BroadcastThree } from '../../types/operands.js';
import { atLeast, atMost } from '../common/numbers.js';
import { commonOperands, dual, nodeFor } from '../common/operands.js';
import { binary, floatBinary, numbers, unary } from './builders.js';

/** A function of two tensors (or a tensor and a number), data-first and data-last. `Op` names it in type errors. */
export interface Binary<Op extends string> {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
  <A extends Shape, D extends DType>(a: Tensor<A, D>, b: number): Tensor<A, WithNumber<D>>;
  <B extends Shape, E extends DType>(a: number, b: Tensor<B, E>): Tensor<B, WithNumber<E>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Broadcast<Op, A, B>>,
  ) => Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
  (b: number): <A extends Shape, D extends DType>(a: Tensor<A, D>) => Tensor<A, WithNumber<D>>;
  /** Once more: why the last form does not fit is what the compiler tells. */
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
}

/** As {@link Binary}, for functions whose result is a float whatever came in. */
export interface FloatBinary<Op extends string> {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType>(a: Tensor<A, D>, b: number): Tensor<A, Floating<D>>;
  <B extends Shape, E extends DType>(a: number, b: Tensor<B, E>): Tensor<B, Floating<E>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Broadcast<Op, A, B>>,
  ) => Tensor<Fit<Broadcast<Op, A, B>>, Floating<Promote<D, E>>>;
  (b: number): <A extends Shape, D extends DType>(a: Tensor<A, D>) => Tensor<A, Floating<D>>;
  /** Once more: why the last form does not fit is what the compiler tells. */
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Floating<Promote<D, E>>>;
}

/** A function of one tensor that keeps shape and dtype; bool counts as int32. */
export type Unary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Arithmetic<D>>;

/**
 * `a + b`, elementwise with broadcasting.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, an integer tensor with a fraction, uint8
 * @numpy np.add
 * @pytorch torch.add
 * @example
 * ```js
 * import { add, tensor } from 'tenfold';
 * add(tensor([[1, 2], [3, 4]]), tensor([10, 20])).toArray(); // => [[11, 22], [13, 24]]
 * ```
 */
export const add: Binary<'add'> = binary('add', b.add);

/**
 * `a − b`, elementwise with broadcasting; `pipe(a, sub(b))` is `a − b` too.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.subtract
 * @pytorch torch.sub
 * @example
 * ```js
 * import { sub, tensor } from 'tenfold';
 * sub(1, tensor([1, 2, 3])).toArray(); // => [0, -1, -2]
 * ```
 */
export const sub: Binary<'sub'> = binary('sub', b.sub);

/**
 * `a · b`, elementwise with broadcasting.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.multiply
 * @pytorch torch.mul
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * mul(tensor([1, 2, 3]), 2).toArray(); // => [2, 4, 6]
 * ```
 */
export const mul: Binary<'mul'> = binary('mul', b.mul);

/**
 * `a / b`, elementwise with broadcasting.
 *
 * @returns the broadcast shape; float32 for two integers, else the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.divide
 * @pytorch torch.div
 * @example
 * ```js
 * import { div, tensor } from 'tenfold';
 * div(tensor([1, 2], { dtype: 'int32' }), tensor([2, 4], { dtype: 'int32' })).toArray(); // => [0.5, 0.5]
 * ```
 */
export const div: FloatBinary<'div'> = floatBinary('div', b.div);

/**
 * `a` to the power `b`, elementwise with broadcasting. A negative base with a fractional exponent gives NaN; anything to
 * the power 0 is 1, and 1 to any power, even NaN.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.power
 * @pytorch torch.pow
 * @example
 * ```js
 * import { pow, tensor } from 'tenfold';
 * pow(tensor([1, 2, 3]), 2).toArray(); // => [1, 4, 9]
 * ```
 */
export const pow: Binary<'pow'> = binary('pow', b.pow);

/**
 * The larger of `a` and `b`, elementwise with broadcasting; NaN if either is. Equal operands share the derivative.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.maximum
 * @pytorch torch.maximum
 * @example
 * ```js
 * import { maximum, tensor } from 'tenfold';
 * maximum(tensor([-1, 2]), 0).toArray(); // => [0, 2]
 * ```
 */
export const maximum: Binary<'maximum'> = binary('maximum', b.max);

/**
 * The smaller of `a` and `b`, elementwise with broadcasting; NaN if either is. Equal operands share the derivative.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @numpy np.minimum
 * @pytorch torch.minimum
 * @example
 * ```js
 * import { minimum, tensor } from 'tenfold';
 * minimum(tensor([-1, 2]), 0).toArray(); // => [-1, 0]
 * ```
 */
export const minimum: Binary<'minimum'> = binary('minimum', b.min);

/**
 * `−x`.
 *
 * @returns shape and dtype of `x`; bool becomes int32
 * @throws DTypeError for uint8
 * @numpy np.negative
 * @pytorch torch.neg
 * @example
 * ```js
 * import { neg, tensor } from 'tenfold';
 * neg(tensor([1, -2])).toArray(); // => [-1, 2]
 * ```
 */
export const neg: Unary = unary('neg', b.neg);

/**
 * The absolute value; its derivative at 0 is 0.
 *
 * @returns shape and dtype of `x`
 * @throws DTypeError for uint8
 * @numpy np.abs
 * @pytorch torch.abs
 * @example
 * ```js
 * import { abs, tensor } from 'tenfold';
 * abs(tensor([1, -2])).toArray(); // => [1, 2]
 * ```
 */
export const abs: Unary = unary('abs', b.abs);

/**
 * −1, 0 or 1 by the sign of each element; NaN stays NaN.
 *
 * @returns shape and dtype of `x`
 * @throws DTypeError for uint8
 * @numpy np.sign
 * @pytorch torch.sign
 * @example
 * ```js
 * import { sign, tensor } from 'tenfold';
 * sign(tensor([3, 0, -2])).toArray(); // => [1, 0, -1]
 * ```
 */
export const sign: Unary = unary('sign', b.sign);

/**
 * `x²`.
 *
 * @returns shape and dtype of `x`
 * @throws DTypeError for uint8
 * @numpy np.square
 * @pytorch torch.square
 * @example
 * ```js
 * import { square, tensor } from 'tenfold';
 * square(tensor([1, -2])).toArray(); // => [1, 4]
 * ```
 */
export const square: Unary = unary('square', x => b.mul(x, x));

/** A bound of {@link clamp}: a number, a tensor that broadcasts against `x`, or null for none. */
export type Bound = Tensor | number | null;

/** The shape that a tensor and its bounds broadcast to; `Shape` where there is nothing to fit. */
type WithBounds<S extends Shape, L extends Bound, H extends Bound> = [L | H] extends [number | null]
  ? Shape
  : BroadcastThree<'clamp', Tensor<S>, L, H>;

/** The shape of a tensor kept within bounds. */
type Clamped<S extends Shape, L extends Bound, H extends Bound> = [L | H] extends [number | null]
  ? S
  : Fit<WithBounds<S, L, H>>;

/** The dtype in which a tensor meets a bound. */
type WithBound<D extends DType, B extends Bound> = [B] extends [Tensor]
  ? Promote<D, B['dtype']>
  : [B] extends [null]
    ? D
    : [B] extends [number | null]
      ? WithNumber<D>
      : DType;

/** The dtype of a tensor kept within bounds. */
type ClampedDType<D extends DType, L extends Bound, H extends Bound> =
  WithBound<D, L> extends infer E extends DType
    ? WithBound<E, H> extends infer F extends DType
      ? Arithmetic<F>
      : never
    : never;

/** The signatures of {@link clamp}. */
export interface Clamp {
  <L extends Bound, H extends Bound>(
    low: L,
    high: H,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<WithBounds<S, L, H>>,
  ) => Tensor<Clamped<S, L, H>, ClampedDType<D, L, H>>;
  <S extends Shape, D extends DType, L extends Bound, H extends Bound>(
    x: Tensor<S, D>,
    low: L,
    high: H & Ok<WithBounds<S, L, H>>,
  ): Tensor<Clamped<S, L, H>, ClampedDType<D, L, H>>;
}

/**
 * `x` kept within `low` and `high`, elementwise with broadcasting. The derivative is 0 outside and 1 at the bounds, NaN
 * stays NaN, and where `low` is above `high` the result is `high`.
 *
 * @param low a number or a tensor (whose NaN bound nothing), or null for no lower bound
 * @param high likewise
 * @returns the broadcast shape and the promoted dtype; bool becomes int32
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError when an integer tensor meets a fraction, and for uint8
 * @throws ArgumentError when `x` is no tensor, both bounds are null, or a bound is NaN or something else
 * @numpy np.clip
 * @pytorch torch.clamp
 * @example
 * ```js
 * import { clamp, tensor } from 'tenfold';
 * clamp(tensor([-2, 0.5, 2]), -1, 1).toArray(); // => [-1, 0.5, 1]
 * clamp(tensor([-2, 0.5, 2]), 0, null).toArray(); // => [0, 0.5, 2]
 * clamp(tensor([-2, 0.5, 2]), null, tensor([1, 0, 1])).toArray(); // => [-2, 0, 1]
 * ```
 */
export const clamp: Clamp = dual(3, (x: Tensor, low: Bound, high: Bound) => {
  nodeFor('clamp', x);
  const bounds = [low, high].filter(bound => bound !== null);
  checkArgument(
    bounds.length > 0 && !bounds.some(Number.isNaN),
    'clamp',
    `${String(low)} and ${String(high)} as bounds`,
    'a bound is a number or a tensor, and one of them may be null',
    'Write clamp(x, 0, 1), or clamp(x, 0, null) for a lower bound only.',
  );
  const [node, first, last = first] = commonOperands('clamp', [x, ...bounds], numbers);
  const floored = low === null ? node! : atLeast(node!, first!);
  return wrap(high === null ? floored : atMost(floored, last!));
});
