/** Operations on the bits of integers, elementwise with broadcasting; on bool they are the logical ones. */
import { b } from '../../build.js';
import { type DType, type FloatDType, isFloat } from '../../dtype.js';
import { DTypeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { type Shape, showAval } from '../../shape.js';
import type { Arithmetic, Broadcast, Fit, Mismatch, Ok, Promote } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import { commonOperands, type Domain, dual, nodeFor, type Operand } from '../common/operands.js';

/** The error for a float, where the compiler can tell. */
export type Bits<Op extends string, D extends DType> = DType extends D
  ? unknown
  : [D] extends [FloatDType]
    ? Mismatch<`${Op}: ${D} has no bits; cast it to an integer first`>
    : unknown;

/** A bitwise function of two tensors (or a tensor and an integer), data-first and data-last. */
export interface BitwiseBinary<Op extends string> {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D> & Bits<Op, D>,
    b: Tensor<B, E> & Bits<Op, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Promote<D, E>>;
  <A extends Shape, D extends DType>(a: Tensor<A, D> & Bits<Op, D>, b: number): Tensor<A, Arithmetic<D>>;
  <B extends Shape, E extends DType>(a: number, b: Tensor<B, E> & Bits<Op, E>): Tensor<B, Arithmetic<E>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E> & Bits<Op, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Bits<Op, D> & Ok<Broadcast<Op, A, B>>,
  ) => Tensor<Fit<Broadcast<Op, A, B>>, Promote<D, E>>;
  (b: number): <A extends Shape, D extends DType>(a: Tensor<A, D> & Bits<Op, D>) => Tensor<A, Arithmetic<D>>;
  /** Once more: why the last form does not fit is what the compiler tells. */
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D> & Bits<Op, D>,
    b: Tensor<B, E> & Bits<Op, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Promote<D, E>>;
}

/** As {@link BitwiseBinary}, with bool counting as int32. */
export interface Shift<Op extends string> {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D> & Bits<Op, D>,
    b: Tensor<B, E> & Bits<Op, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
  <A extends Shape, D extends DType>(a: Tensor<A, D> & Bits<Op, D>, b: number): Tensor<A, Arithmetic<D>>;
  <B extends Shape, E extends DType>(a: number, b: Tensor<B, E> & Bits<Op, E>): Tensor<B, Arithmetic<E>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E> & Bits<Op, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Bits<Op, D> & Ok<Broadcast<Op, A, B>>,
  ) => Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
  (b: number): <A extends Shape, D extends DType>(a: Tensor<A, D> & Bits<Op, D>) => Tensor<A, Arithmetic<D>>;
  /** Once more: why the last form does not fit is what the compiler tells. */
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D> & Bits<Op, D>,
    b: Tensor<B, E> & Bits<Op, E> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, Arithmetic<Promote<D, E>>>;
}

const bits: Domain = { storage: true };
const words: Domain = { boolAsInt: true };

const noBits = (operation: string, given: readonly unknown[]): DTypeError =>
  new DTypeError({
    operation,
    given: given.map(x => (isTensor(x) ? showAval(x) : `the number ${String(x)}`)).join(' and '),
    rule: 'bits are those of integers (or bool), and floating-point numbers have none',
    hint: "Cast first: cast(x, 'int32').",
  });

const binary = <F>(operation: string, domain: Domain, build: (x: Node, y: Node) => Node): F =>
  dual(2, (x: Operand, y: Operand) => {
    const [p, q] = commonOperands(operation, [x, y], domain);
    if (isFloat(p!.dtype)) throw noBits(operation, [x, y]);
    return wrap(build(p!, q!));
  });

/**
 * The bits set in both `a` and `b`.
 *
 * @returns the broadcast shape and the promoted dtype; two bools give bool
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for floats, fractions, int32 with uint32
 * @numpy np.bitwise_and
 * @pytorch torch.bitwise_and
 * @example
 * ```js
 * import { bitwiseAnd, tensor } from 'tenfold';
 * bitwiseAnd(tensor([12, 10], { dtype: 'int32' }), 6).toArray(); // => [4, 2]
 * ```
 */
export const bitwiseAnd: BitwiseBinary<'bitwiseAnd'> = binary('bitwiseAnd', bits, b.and);

/**
 * The bits set in `a` or `b` or both.
 *
 * @returns the broadcast shape and the promoted dtype; two bools give bool
 * @throws ShapeError, DTypeError as {@link bitwiseAnd}
 * @numpy np.bitwise_or
 * @pytorch torch.bitwise_or
 * @example
 * ```js
 * import { bitwiseOr, tensor } from 'tenfold';
 * bitwiseOr(tensor([12, 10], { dtype: 'int32' }), 6).toArray(); // => [14, 14]
 * ```
 */
export const bitwiseOr: BitwiseBinary<'bitwiseOr'> = binary('bitwiseOr', bits, b.or);

/**
 * The bits set in one of `a` and `b` but not in both.
 *
 * @returns the broadcast shape and the promoted dtype; two bools give bool
 * @throws ShapeError, DTypeError as {@link bitwiseAnd}
 * @numpy np.bitwise_xor
 * @pytorch torch.bitwise_xor
 * @example
 * ```js
 * import { bitwiseXor, tensor } from 'tenfold';
 * bitwiseXor(tensor([12, 10], { dtype: 'int32' }), 6).toArray(); // => [10, 12]
 * ```
 */
export const bitwiseXor: BitwiseBinary<'bitwiseXor'> = binary('bitwiseXor', bits, b.xor);

/**
 * Every bit turned over: `−x − 1` for int32; for bool the logical not.
 *
 * @returns shape and dtype of `x`
 * @throws DTypeError for floats
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.bitwise_not
 * @pytorch torch.bitwise_not
 * @example
 * ```js
 * import { bitwiseNot, tensor } from 'tenfold';
 * bitwiseNot(tensor([0, 5], { dtype: 'int32' })).toArray(); // => [-1, -6]
 * bitwiseNot(tensor([0, 5], { dtype: 'uint32' })).toArray(); // => [4294967295, 4294967290]
 * ```
 */
export const bitwiseNot = <S extends Shape, D extends DType>(x: Tensor<S, D> & Bits<'bitwiseNot', D>): Tensor<S, D> => {
  const node = nodeFor('bitwiseNot', x);
  if (isFloat(node.dtype)) throw noBits('bitwiseNot', [x]);
  return wrap(b.not(node));
};

/**
 * `a` with its bits moved `b` places up, zeros following; what passes the top is lost. 32 places or more (and a
 * negative number of them) leave 0.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for floats, fractions, uint8, int32 with uint32
 * @numpy np.left_shift
 * @pytorch torch.bitwise_left_shift
 * @example
 * ```js
 * import { leftShift, tensor } from 'tenfold';
 * leftShift(tensor([1, 3], { dtype: 'int32' }), 4).toArray(); // => [16, 48]
 * ```
 */
export const leftShift: Shift<'leftShift'> = binary('leftShift', words, b.shiftLeft);

/**
 * `a` with its bits moved `b` places down: `⌊a / 2ᵇ⌋`. The places at the top get the sign for int32 (an arithmetic
 * shift) and zeros for uint32 (a logical one). 32 places or more (and a negative number of them) leave nothing but
 * the sign.
 *
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError, DTypeError as {@link leftShift}
 * @numpy np.right_shift
 * @pytorch torch.bitwise_right_shift
 * @example
 * ```js
 * import { rightShift, tensor } from 'tenfold';
 * rightShift(tensor([48, -16], { dtype: 'int32' }), 4).toArray(); // => [3, -1]
 * rightShift(tensor([4294967295], { dtype: 'uint32' }), 28).toArray(); // => [15]
 * ```
 */
export const rightShift: Shift<'rightShift'> = binary('rightShift', words, (x, y) =>
  x.dtype === 'uint32' ? b.shiftRightLogical(x, y) : b.shiftRight(x, y),
);
