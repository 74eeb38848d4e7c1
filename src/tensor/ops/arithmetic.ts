/** Arithmetic, elementwise with broadcasting. Numbers stand for scalars of the other operand's dtype. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import type { Node } from '../graph.js';
import { full } from '../primitives/full.js';
import type { Shape } from '../shape.js';
import type { Arithmetic, Broadcast, Fit, Floating, Ok, Promote, WithNumber } from '../shape-types.js';
import { type Tensor, wrap } from '../tensor.js';
import { commonOperands, type Domain, dual, type Operand, unaryOperand } from './operands.js';

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
}

/** A function of one tensor that keeps shape and dtype; bool counts as int32. */
export type Unary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Arithmetic<D>>;

const numbers: Domain = { boolAsInt: true };

const binary = <Op extends string>(operation: Op, build: (x: Node, y: Node) => Node): Binary<Op> =>
  dual(2, (x: Operand, y: Operand) => {
    const [p, q] = commonOperands(operation, [x, y], numbers);
    return wrap(build(p!, q!));
  });

const unary = (operation: string, build: (x: Node) => Node): Unary =>
  (x => wrap(build(unaryOperand(operation, x, numbers)))) as Unary;

/**
 * `a + b`, elementwise with broadcasting.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, an integer tensor with a fraction, uint8
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
 * @example
 * ```js
 * import { div, tensor } from 'tenfold';
 * div(tensor([1, 2], { dtype: 'int32' }), tensor([2, 4], { dtype: 'int32' })).toArray(); // => [0.5, 0.5]
 * ```
 */
export const div: FloatBinary<'div'> = dual(2, (x: Operand, y: Operand) => {
  const [p, q] = commonOperands('div', [x, y], { toFloat: true });
  return wrap(b.div(p!, q!));
});

/**
 * `a` to the power `b`, elementwise with broadcasting. A negative base with a fractional exponent gives NaN.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link add}
 * @example
 * ```js
 * import { pow, tensor } from 'tenfold';
 * pow(tensor([1, 2, 3]), 2).toArray(); // => [1, 4, 9]
 * ```
 */
export const pow: Binary<'pow'> = binary('pow', b.pow);

/**
 * The remainder of `a / b` with the sign of the divisor `b`, as Python's `%` and PyTorch's `remainder`.
 * An integer remainder by 0 is 0.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @example
 * ```js
 * import { remainder, tensor } from 'tenfold';
 * remainder(tensor([-3, 3]), 2).toArray(); // => [1, 1]
 * ```
 */
export const remainder: Binary<'remainder'> = binary('remainder', (x, y) => {
  const rest = b.rem(x, y);
  const zero = full(b, y, 0);
  const opposite = b.and(b.ne(rest, zero), b.ne(b.lt(rest, zero), b.lt(y, zero)));
  return b.select(opposite, b.add(rest, y), rest);
});

/**
 * The remainder of `a / b` with the sign of the dividend `a`, as C's and PyTorch's `fmod`.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
 * @example
 * ```js
 * import { fmod, tensor } from 'tenfold';
 * fmod(tensor([-3, 3]), 2).toArray(); // => [-1, 1]
 * ```
 */
export const fmod: Binary<'fmod'> = binary('fmod', b.rem);

/**
 * The larger of `a` and `b`, elementwise with broadcasting; NaN if either is. Equal operands share the derivative.
 *
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError, DTypeError as {@link add}
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
 * @example
 * ```js
 * import { square, tensor } from 'tenfold';
 * square(tensor([1, -2])).toArray(); // => [1, 4]
 * ```
 */
export const square: Unary = unary('square', x => b.mul(x, x));

/** The signatures of {@link clamp}. */
export interface Clamp {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, low: number, high: number): Tensor<S, WithNumber<D>>;
  (low: number, high: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, WithNumber<D>>;
}

/**
 * `x` kept within `low` and `high`; the derivative is 0 outside. NaN stays NaN.
 *
 * @returns shape and dtype of `x`
 * @throws DTypeError when an integer tensor meets a fraction, and for uint8
 * @example
 * ```js
 * import { clamp, tensor } from 'tenfold';
 * clamp(tensor([-2, 0.5, 2]), -1, 1).toArray(); // => [-1, 0.5, 1]
 * ```
 */
export const clamp: Clamp = dual(3, (x: Operand, low: number, high: number) => {
  const [node, lo, hi] = commonOperands('clamp', [x, low, high], numbers);
  // By comparison rather than max and min, so that the derivative at a bound is 1, as PyTorch has it.
  const floored = b.select(b.lt(node!, lo!), lo!, node!);
  return wrap(b.select(b.gt(floored, hi!), hi!, floored));
});
