import type { DType } from '../../dtype.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Given, Only } from '../../types/known.js';
import type { ColumnsOf, RowsOf, SingularValues } from '../../types/matrices.js';
import type { Option } from '../../types/windows.js';
import { castNode } from '../common/operands.js';
import { checkFlag, withOptions } from '../common/options.js';
import type { Vectors } from './one-sided.js';
import { decomposed } from './singular.js';
import { matricesOf } from './systems.js';

/** The options of {@link svd}. */
export interface SvdOptions {
  /** All m columns of u and all n rows of vᵀ, instead of as many as there are singular values. Default false. */
  readonly fullMatrices?: boolean;
}

/** What {@link svd} gives; `All`: whether u and vᵀ are square. */
export interface Svd<S extends Shape, D extends DType, All = false> {
  /** The left singular vectors, in columns. */
  readonly u: Tensor<Fit<ColumnsOf<'svd', S, All>>, Floating<D>>;
  /** The singular values, descending. */
  readonly s: Tensor<Fit<SingularValues<'svd', S>>, Floating<D>>;
  /** The right singular vectors, in rows. */
  readonly vt: Tensor<Fit<RowsOf<'svd', S, All>>, Floating<D>>;
}

/** The signatures of {@link svd}. */
export interface SingularValueDecomposition {
  <S extends Shape, D extends DType, const O extends Only<SvdOptions, O> = Record<never, never>>(
    a: Tensor<S, D> & Ok<SingularValues<'svd', S>>,
    options?: O,
  ): Svd<S, D, Option<O, 'fullMatrices', false>>;
  <const O extends Only<SvdOptions, O> = Record<never, never>>(
    options?: Given<O>,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<SingularValues<'svd', S>>,
  ) => Svd<S, D, Option<O, 'fullMatrices', false>>;
  // The last signature is the one that the compiler sees in `pipe(x, svd)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<SingularValues<'svd', S>>): Svd<S, D>;
}

/** The results for an operand with any axes in front, in its dtype. */
const singularOf = (operation: string, a: unknown, vectors: Vectors): Tensor[] => {
  const x = matricesOf(operation, a);
  return decomposed(x, vectors).map(y => wrap(castNode(y, x.dtype)));
};

/**
 * The singular value decomposition of matrices of any shape: a = u diag(s) vᵀ, u and v with orthonormal columns, s not
 * negative and descending. A matrix that holds NaN or ∞ gets NaN, and only that one.
 *
 * Computed in float64 by one-sided Jacobi rotations of the rows of a triangular factor, all independent pairs at once
 * (Hestenes 1958; Brent & Luk 1985; Drmač & Veselić 2008). Where small singular values come from the scales of rows or
 * columns these, too, have a small relative error. Vectors are defined up to the sign of each pair (with equal singular
 * values, up to a rotation); here in each row of vᵀ the first of the components whose magnitude is within 1 % of the largest
 * is positive.
 *
 * Derivatives are those of Giles, "An extended collection of matrix derivative results", 2008, and Townsend, "Differentiating
 * the singular value decomposition", 2016. Where singular values are equal, or 0, up to max(m, n) ε max s, vectors have no
 * derivative: what would be divided by 0 counts as 0, so that what does not depend on the choice of the vectors keeps its
 * first derivative. Likewise the additional vectors of `fullMatrices` move no more than they must to stay orthogonal, and
 * functions of the space that they span, for which it does not matter which they are, have the right derivatives.
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @param options `fullMatrices`: all vectors, u `[…, m, m]` and vt `[…, n, n]`
 * @returns u `[…, m, k]`, s `[…, k]` and vt `[…, k, n]` with k = min(m, n), of the dtype of `a`
 * @throws ShapeError for a vector or scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor, an option unknown or `fullMatrices` no boolean
 * @numpy np.linalg.svd
 * @pytorch torch.linalg.svd
 * @example
 * ```js
 * import { svd, tensor } from 'tenfold';
 * const { u, s, vt } = svd(tensor([[3, 0], [0, -4], [0, 0]]));
 * s.toArray(); // => [4, 3]
 * vt.toArray(); // => [[0, 1], [1, 0]]
 * u.toArray(); // => [[0, 1], [-1, 0], [0, 0]]
 * svd(tensor([[3, 0], [0, -4], [0, 0]]), { fullMatrices: true }).u.shape; // => [3, 3]
 * ```
 */
export const svd: SingularValueDecomposition = withOptions(
  'svd',
  ['fullMatrices'],
  (a: Tensor, { fullMatrices = false }: SvdOptions) => {
    checkFlag('svd', 'fullMatrices', fullMatrices);
    const [s, u, vt] = singularOf('svd', a, fullMatrices ? 'full' : 'thin');
    return Object.freeze({ u: u!, s: s!, vt: vt! });
  },
);

/**
 * The singular values of matrices, descending, as {@link svd} has them. A matrix that holds NaN or ∞ gets NaN.
 *
 * The first derivative is that of each singular value, ds = diag(uᵀ da v), also where some are equal (then by one choice of
 * their vectors; that of a symmetric function of them does not depend on it).
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @returns `[…, min(m, n)]`, of the dtype of `a`
 * @throws ShapeError for a vector or scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy np.linalg.svdvals
 * @pytorch torch.linalg.svdvals
 * @example
 * ```js
 * import { svdvals, tensor } from 'tenfold';
 * svdvals(tensor([[0, 2], [0, 0], [-1, 0]])).toArray(); // => [2, 1]
 * ```
 */
export const svdvals = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<SingularValues<'svdvals', S>>,
): Tensor<Fit<SingularValues<'svdvals', S>>, Floating<D>> => singularOf('svdvals', a, 'none')[0] as never;
