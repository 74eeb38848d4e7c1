/** Mixing two tensors, and filling in for what is no number. */
import { b } from '../../build.js';
import { type DType, isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import type { Arithmetic, Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { BroadcastThree, DTypeOfOperand } from '../../types/operands.js';
import { checkNumber } from '../common/numbers.js';
import { commonOperands, dual, isWeakNumber, type Operand, unaryOperand } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import { floats, numbers } from './builders.js';

/** The dtype that three operands meet in. */
type Met<A, B, W> = Floating<Promote<Promote<DTypeOfOperand<A>, DTypeOfOperand<B>>, DTypeOfOperand<W>>>;

/** The signatures of {@link lerp}. */
export interface Lerp {
  <B extends Operand, W extends Operand>(
    b: B,
    weight: W,
  ): <A extends Operand>(
    a: A & Ok<BroadcastThree<'lerp', A, B, W>>,
  ) => Tensor<Fit<BroadcastThree<'lerp', A, B, W>>, Met<A, B, W>>;
  <A extends Operand, B extends Operand, W extends Operand>(
    a: A,
    b: B,
    weight: W & Ok<BroadcastThree<'lerp', A, B, W>>,
  ): Tensor<Fit<BroadcastThree<'lerp', A, B, W>>, Met<A, B, W>>;
}

/** What {@link nanToNum} takes beside the tensor. */
export interface NanToNumOptions {
  /** In the place of NaN. Default 0. */
  readonly nan?: number;
  /** In the place of ∞. Default the largest number of the dtype. */
  readonly posInf?: number;
  /** In the place of −∞. Default the largest negative number of the dtype. */
  readonly negInf?: number;
}

/** The signatures of {@link nanToNum}. */
export interface NanToNum {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: NanToNumOptions): Tensor<S, Arithmetic<D>>;
  (options?: NanToNumOptions): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Arithmetic<D>>;
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, Arithmetic<D>>;
}

/**
 * The point between `a` and `b`: `a + weight · (b − a)`, elementwise with broadcasting of all three. Exactly `a` with the
 * weight 0 and `b` with the weight 1; other weights lead beyond them.
 *
 * @param weight a number or a tensor
 * @returns the broadcast shape and the promoted dtype; integers and bool give float32
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when none of them is a tensor, or one neither tensor nor number
 * @numpy —
 * @pytorch torch.lerp
 * @example
 * ```js
 * import { lerp, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * lerp(tensor([0, 10]), tensor([4, 20]), 0.25).toArray(); // => [1, 12.5]
 * pipe(tensor([0, 10]), lerp(tensor([4, 20]), tensor([0, 1]))).toArray(); // => [0, 20]
 * ```
 */
export const lerp: Lerp = dual(3, (x: Operand, y: Operand, weight: Operand) => {
  // In floats from the start: beside an integer tensor a fraction would be refused.
  const operands = [x, y, weight].map(z => (typeof z === 'number' || isWeakNumber(z) ? z : wrap(floats('lerp', z))));
  const [p, q, w] = commonOperands('lerp', operands, {}) as [Node, Node, Node];
  const difference = b.sub(q, p);
  // From the nearer end, so that both are met exactly.
  const fromEnd = b.sub(q, b.mul(difference, b.sub(full(b, w, 1), w)));
  return wrap(b.select(b.lt(w, full(b, w, 0.5)), b.add(p, b.mul(w, difference)), fromEnd));
});

const largest = { float32: (2 - 2 ** -23) * 2 ** 127, float64: Number.MAX_VALUE };

/**
 * Numbers in the place of NaN, ∞ and −∞: 0 and the numbers of the largest magnitude where nothing else is said. The
 * derivative is 0 there, and 1 elsewhere.
 *
 * @param options what to fill in
 * @returns shape and dtype of `x`; bool becomes int32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or what to fill in no number or NaN
 * @throws TraceError when what to fill in is a placeholder
 * @numpy np.nan_to_num
 * @pytorch torch.nan_to_num
 * @example
 * ```js
 * import { nanToNum, tensor } from 'tenfold';
 * nanToNum(tensor([1, NaN, Infinity, -Infinity])).toArray(); // => [1, 0, 3.4028235e+38, -3.4028235e+38]
 * nanToNum(tensor([1, NaN, Infinity]), { nan: -1, posInf: 5 }).toArray(); // => [1, -1, 5]
 * ```
 */
export const nanToNum: NanToNum = withOptions(
  'nanToNum',
  ['nan', 'posInf', 'negInf'],
  (x: Tensor, { nan, posInf, negInf }: NanToNumOptions) => {
    const node = unaryOperand('nanToNum', x, numbers);
    const { dtype } = node;
    const most = isFloat(dtype) ? largest[dtype] : 0;
    const fill = (what: string, usual: number, value: unknown = usual): Node =>
      full(b, node, checkNumber('nanToNum', what, value));
    const [forNaN, above, below] = [fill('nan', 0, nan), fill('posInf', most, posInf), fill('negInf', -most, negInf)];
    if (!isFloat(dtype)) return wrap(node);
    const infinity = full(b, node, Number.POSITIVE_INFINITY);
    const bounded = b.select(b.eq(node, infinity), above, b.select(b.eq(node, b.neg(infinity)), below, node));
    return wrap(b.select(b.ne(node, node), forNaN, bounded));
  },
);
