/** Norms of matrices. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Given, Only } from '../../types/known.js';
import type { PerMatrix } from '../../types/matrices.js';
import type { Option } from '../../types/windows.js';
import { checkFlag, withOptions } from '../common/options.js';
import { keptShape } from '../reduction/reducing.js';
import { checkOrder, type MatrixOrder, matrixNormOf } from './orders.js';
import { matricesOf } from './systems.js';

/** What {@link matrixNorm} takes beside the matrices. */
export interface MatrixNormOptions {
  /** Which norm; 'fro', that of Frobenius, if left out. */
  readonly ord?: MatrixOrder;
  /** Whether the two axes stay, with length 1. Default false. */
  readonly keepDims?: boolean;
}

/** The signatures of {@link matrixNorm}. */
export interface MatrixNorm {
  <S extends Shape, D extends DType, const O extends Only<MatrixNormOptions, O> = Record<never, never>>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixNorm', S>>,
    options?: O,
  ): Tensor<Fit<PerMatrix<'matrixNorm', S, Option<O, 'keepDims', false>>>, Floating<D>>;
  <const O extends Only<MatrixNormOptions, O> = Record<never, never>>(
    options?: Given<O>,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixNorm', S>>,
  ) => Tensor<Fit<PerMatrix<'matrixNorm', S, Option<O, 'keepDims', false>>>, Floating<D>>;
  // The last signature is the one that the compiler sees in `pipe(x, matrixNorm)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<PerMatrix<'matrixNorm', S>>,
  ): Tensor<Fit<PerMatrix<'matrixNorm', S>>, Floating<D>>;
}

/**
 * Norms of matrices, taken over the last two axes: `'fro'` is the root of the sum of all squares, `'nuc'` the sum of the
 * singular values; 2 is the largest singular value, 1 the largest sum of the sizes in a column, Infinity the largest one in a
 * row; −2, −1 and −Infinity are the smallest ones. The derivative of `'fro'` at the origin is 0; those of singular values are
 * what {@link svdvals} says.
 *
 * @param a `[…, m, n]`
 * @param options `ord`, which norm; `keepDims`, whether the two axes stay
 * @returns the leading axes; integers and bool give float32
 * @throws ShapeError when the rank is below 2, or there is no singular value, column or row of which to take the largest
 * @throws DTypeError for uint8
 * @throws ArgumentError when `ord` is none of these, `a` no tensor or an option unknown
 * @numpy np.linalg.norm
 * @pytorch torch.linalg.matrix_norm
 * @example
 * ```js
 * import { matrixNorm, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const a = tensor([[2, -4], [1, 2]]);
 * matrixNorm(a).item(); // => 5
 * matrixNorm(a, { ord: 1 }).item(); // => 6
 * matrixNorm(tensor([[0, 3], [-4, 0]]), { ord: 'nuc' }).item(); // => 7
 * pipe(a, matrixNorm({ ord: -Infinity, keepDims: true })).toArray(); // => [[3]]
 * ```
 */
export const matrixNorm: MatrixNorm = withOptions(
  'matrixNorm',
  ['ord', 'keepDims'],
  (a: Tensor, { ord = 'fro', keepDims = false }: MatrixNormOptions) => {
    const order = checkOrder('matrixNorm', ord);
    checkFlag('matrixNorm', 'keepDims', keepDims);
    const x = matricesOf('matrixNorm', a);
    const rank = x.shape.length;
    const y = matrixNormOf('matrixNorm', x, order);
    return wrap(keepDims ? b.reshape(y, { shape: keptShape(x, [rank - 2, rank - 1]) }) : y);
  },
);
