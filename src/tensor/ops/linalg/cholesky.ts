/** The Cholesky factor of symmetric positive definite matrices, and systems with it. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Square } from '../../types/products.js';
import { checkFlag, dualOfSeveral, withOptions } from '../common/options.js';
import { choleskyNode } from './factored.js';
import { type SolverWith, spread, squaresOf, systemOf } from './systems.js';

/** What {@link cholesky} and {@link choleskySolve} take beside the tensors. */
export interface CholeskyOptions {
  /** The factor is the upper one, U with a = Uᵀ U, and of `a` the upper triangle is read. Default false. */
  readonly upper?: boolean;
}

/** The signatures of {@link cholesky}. */
export interface Cholesky {
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'cholesky', S>>,
    options?: CholeskyOptions,
  ): Tensor<Fit<Square<'cholesky', S>>, Floating<D>>;
  (
    options?: CholeskyOptions,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'cholesky', S>>,
  ) => Tensor<Fit<Square<'cholesky', S>>, Floating<D>>;
  // The last signature is the one that the compiler sees in `pipe(x, cholesky)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'cholesky', S>>,
  ): Tensor<Fit<Square<'cholesky', S>>, Floating<D>>;
}

/**
 * The Cholesky factor of symmetric positive definite matrices: the lower triangular L with a positive diagonal and
 * a = L Lᵀ. Only the lower triangle of `a` is read.
 *
 * Where a matrix is not positive definite, its factor is NaN from the first row and column on whose pivot is not positive;
 * `checkedCholesky` says so. The derivative is that of Murray (arXiv:1602.07527): a tangent, as `a`, stands for a symmetric
 * matrix by its lower triangle, and so does a gradient.
 *
 * @param a `[…, n, n]`; integers and bool become float32
 * @param options `upper`: U with a = Uᵀ U, from the upper triangle
 * @returns the shape of `a`, zeros in the other triangle
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor, an option unknown or `upper` no boolean
 * @numpy np.linalg.cholesky
 * @pytorch torch.linalg.cholesky
 * @example
 * ```js
 * import { cholesky, tensor } from 'tenfold';
 * const a = tensor([[4, 2], [2, 10]]);
 * cholesky(a).toArray(); // => [[2, 0], [1, 3]]
 * cholesky(a, { upper: true }).toArray(); // => [[2, 1], [0, 3]]
 * ```
 */
export const cholesky: Cholesky = withOptions(
  'cholesky',
  ['upper'],
  (a: Tensor, { upper = false }: CholeskyOptions) => {
    checkFlag('cholesky', 'upper', upper);
    return wrap(choleskyNode(squaresOf('cholesky', a), upper));
  },
);

/**
 * The solution x of a x = y, given the Cholesky factor of a: L Lᵀ x = y. Only the triangle of the factor is read.
 *
 * @param l `[…, n, n]`, what {@link cholesky} gives
 * @param y a vector `[n]`, or matrices `[…, n, k]`; leading axes broadcast
 * @param options `upper`: the factor is U with a = Uᵀ U
 * @returns the shape of `y`, with the broadcast leading axes; the promoted dtype, integers as float32
 * @throws ShapeError when the factor is not square, `y` has another number of rows, or leading axes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or `upper` no boolean
 * @numpy scipy.linalg.cho_solve
 * @pytorch torch.cholesky_solve
 * @example Regression with a Gaussian process: the mean at a new place, given three values with a little noise.
 * ```js
 * import { add, cholesky, choleskySolve, exp, expandDims, eye, matmul, mul, pow, sub, tensor } from 'tenfold';
 * const kernel = (p, q) => exp(mul(pow(sub(expandDims(p, 1), q), 2), -0.5));
 * const places = tensor([0, 1, 2], { dtype: 'float64' });
 * const values = tensor([1, 3, 2], { dtype: 'float64' });
 * const l = cholesky(add(kernel(places, places), mul(eye(3, { dtype: 'float64' }), 0.01)));
 * const weights = choleskySolve(l, values);
 * const mean = matmul(kernel(tensor([1, 1.5], { dtype: 'float64' }), places), weights);
 * mean.toArray(); // => [2.961608084553, 2.833658599711]
 * ```
 */
export const choleskySolve: SolverWith<'choleskySolve', CholeskyOptions> = dualOfSeveral(
  'choleskySolve',
  2,
  ['upper'],
  (l: Tensor, y: Tensor, { upper = false }: CholeskyOptions = {}) => {
    checkFlag('choleskySolve', 'upper', upper);
    const { a, y: right, front, shaped } = systemOf('choleskySolve', l, y);
    const factor = spread(a, front);
    const half = b.triangularSolve(factor, right, { upper, transpose: upper, unit: false });
    return wrap(shaped(b.triangularSolve(factor, half, { upper, transpose: !upper, unit: false })));
  },
);
