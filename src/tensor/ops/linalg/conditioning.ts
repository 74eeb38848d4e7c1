/** What singular values say of matrices: how much errors grow, and how many columns are independent. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Shape, showAval, sizeOf } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Given, Only } from '../../types/known.js';
import type { PerMatrix } from '../../types/matrices.js';
import type { PerSquare } from '../../types/products.js';
import type { Option } from '../../types/windows.js';
import { checkNumber } from '../common/numbers.js';
import { castNode } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import { inverted } from './factored.js';
import { checkOrder, extremesOf, type MatrixOrder, matrixNormOf } from './orders.js';
import { decomposed, largestTimes, rankOf, roundingOf } from './singular.js';
import { matricesOf, squaresOf } from './systems.js';

/** What {@link conditionNumber} takes beside the matrices. */
export interface ConditionOptions {
  /** With respect to which norm; 2, the largest singular value, if left out. */
  readonly ord?: MatrixOrder;
}

/** The signatures of {@link conditionNumber}. */
export interface ConditionNumber {
  <S extends Shape, D extends DType, const O extends Only<ConditionOptions, O> = Record<never, never>>(
    a: Tensor<S, D> & Ok<PerCondition<S, O>>,
    options?: O,
  ): Tensor<Fit<PerCondition<S, O>>, Floating<D>>;
  <const O extends Only<ConditionOptions, O> = Record<never, never>>(
    options?: Given<O>,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerCondition<S, O>>,
  ) => Tensor<Fit<PerCondition<S, O>>, Floating<D>>;
  // The last signature is the one that the compiler sees in `pipe(x, conditionNumber)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'conditionNumber', S>>,
  ): Tensor<Fit<PerMatrix<'conditionNumber', S>>, Floating<D>>;
}

/** Only the norms ±2 are there for matrices that are not square. */
type PerCondition<S extends Shape, O> = [Option<O, 'ord', 2>] extends ['fro' | 'nuc' | 1 | -1]
  ? PerSquare<'conditionNumber', S>
  : PerMatrix<'conditionNumber', S>;

/** What {@link matrixRank} takes beside the matrices; one of the two, or none. */
export interface MatrixRankOptions {
  /** Singular values that are not larger count as 0. */
  readonly tol?: number;
  /** As `tol`, relative to the largest singular value of each matrix; max(m, n) ε if both are left out. */
  readonly rtol?: number;
}

/** The signatures of {@link matrixRank}. */
export interface MatrixRank {
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixRank', S>>,
    options?: MatrixRankOptions,
  ): Tensor<Fit<PerMatrix<'matrixRank', S>>, 'int32'>;
  (
    options?: MatrixRankOptions,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixRank', S>>,
  ) => Tensor<Fit<PerMatrix<'matrixRank', S>>, 'int32'>;
  // The last signature is the one that the compiler sees in `pipe(x, matrixRank)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixRank', S>>,
  ): Tensor<Fit<PerMatrix<'matrixRank', S>>, 'int32'>;
}

/** Infinity in the place of NaN, but for matrices that hold NaN themselves. */
const orInfinite = (condition: Node, x: Node): Node => {
  const rank = x.shape.length;
  const bad = b.reduceMax(castNode(b.ne(x, x), 'int32'), { axes: [rank - 2, rank - 1] });
  const isUndefined = b.and(b.ne(condition, condition), b.eq(bad, full(b, bad, 0)));
  return b.select(isUndefined, full(b, condition, Number.POSITIVE_INFINITY), condition);
};

/**
 * How much larger the relative error of a solution can be than that of the right side: the product of the norms of a matrix
 * and its inverse. For ord 2 (and −2, its reciprocal) it is the ratio of the largest and the smallest singular value, which
 * matrices that are not square have, too. Of singular matrices it is Infinity.
 *
 * @param a `[…, m, n]`, with m = n unless ord is ±2; integers and bool become float32
 * @param options `ord`: the norm, of those that {@link matrixNorm} has, 2 if left out
 * @returns the leading axes, in the dtype of `a`
 * @throws ShapeError for a vector or scalar, matrices without elements, or of another shape than square where they must be
 * @throws DTypeError for uint8
 * @throws ArgumentError when `ord` is no norm of matrices, `a` no tensor or an option unknown
 * @numpy np.linalg.cond
 * @pytorch torch.linalg.cond
 * @example
 * ```js
 * import { conditionNumber, tensor } from 'tenfold';
 * const a = tensor([[2, 0], [0, -8]]);
 * conditionNumber(a).item(); // => 4
 * conditionNumber(tensor([[1, 2], [3, 4]]), { ord: 1 }).item(); // => 21
 * conditionNumber(tensor([[1, 0], [0, 0]])).item(); // => Infinity
 * ```
 */
export const conditionNumber: ConditionNumber = withOptions(
  'conditionNumber',
  ['ord'],
  (a: Tensor, { ord = 2 }: ConditionOptions) => {
    const order = checkOrder('conditionNumber', ord);
    const bySingularValues = order === 2 || order === -2;
    const x = bySingularValues ? matricesOf('conditionNumber', a) : squaresOf('conditionNumber', a);
    if (sizeOf(x.shape.slice(-2)) === 0) {
      throw new ShapeError({
        operation: 'conditionNumber',
        given: showAval(x),
        rule: 'matrices without elements have no condition',
        hint: 'Check which axes are the last two.',
      });
    }
    if (bySingularValues) {
      const [largest, smallest] = extremesOf(decomposed(x, 'none')[0]!);
      const ratio = order === 2 ? b.div(largest, smallest) : b.div(smallest, largest);
      return wrap(orInfinite(castNode(ratio, x.dtype), x));
    }
    return wrap(
      orInfinite(
        b.mul(matrixNormOf('conditionNumber', x, order), matrixNormOf('conditionNumber', inverted(x).x, order)),
        x,
      ),
    );
  },
);

/**
 * How many rows (and columns) of matrices are independent: the number of singular values above a tolerance, which is
 * max(m, n) ε times the largest if nothing else is said.
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @param options `tol`: the tolerance; or `rtol`: what it is relative to the largest singular value
 * @returns the leading axes, of int32; 0 for a matrix with NaN or ∞
 * @throws ShapeError for a vector or scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError for both tolerances at once, one that is no number or below 0, when `a` is no tensor or an option unknown
 * @numpy np.linalg.matrix_rank
 * @pytorch torch.linalg.matrix_rank
 * @example
 * ```js
 * import { matrixRank, tensor } from 'tenfold';
 * matrixRank(tensor([[1, 2, 3], [2, 4, 6]])).item(); // => 1
 * matrixRank(tensor([[2, 0], [0, 0.1]]), { tol: 0.5 }).item(); // => 1
 * ```
 */
export const matrixRank: MatrixRank = withOptions(
  'matrixRank',
  ['tol', 'rtol'],
  (a: Tensor, { tol, rtol }: MatrixRankOptions) => {
    if (tol !== undefined && rtol !== undefined) {
      throw new ArgumentError({
        operation: 'matrixRank',
        given: 'tol and rtol',
        rule: 'the tolerance is either absolute, tol, or relative to the largest singular value, rtol',
        hint: 'Leave one of them out, or both for the default.',
      });
    }
    const absolute = tol === undefined ? undefined : checkNumber('matrixRank', 'tol', tol, 'notNegative');
    const relative = rtol === undefined ? undefined : checkNumber('matrixRank', 'rtol', rtol, 'notNegative');
    const x = matricesOf('matrixRank', a);
    const [s] = decomposed(x, 'none') as readonly [Node];
    const limit = absolute === undefined ? largestTimes(s, relative ?? roundingOf(x)) : full(b, s, absolute);
    return wrap(rankOf(s, limit));
  },
);
