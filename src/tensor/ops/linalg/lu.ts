/** Gaussian elimination: triangular factors of any matrix, rows exchanged. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { results } from '../../primitives/results.js';
import { lowerTriangle, upperTriangle } from '../../primitives/triangular.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { ColumnsOf, PerRow, RowsOf } from '../../types/matrices.js';
import { sliceAlong } from '../common/moving.js';
import { identity, matricesOf } from './systems.js';

/** What {@link lu} gives. */
export interface LowerUpper<S extends Shape, D extends DType> {
  /** Which row of the matrix each row of l u is. */
  readonly permutation: Tensor<Fit<PerRow<'lu', S>>, 'int32'>;
  /** `[…, m, min(m, n)]`, ones on the diagonal and zeros above it. */
  readonly l: Tensor<Fit<ColumnsOf<'lu', S>>, Floating<D>>;
  /** `[…, min(m, n), n]`, zeros below the diagonal. */
  readonly u: Tensor<Fit<RowsOf<'lu', S>>, Floating<D>>;
}

/**
 * Triangular factors of matrices by Gaussian elimination with partial pivoting: a[permutation] = l u, the pivots being the
 * largest of their columns, so that nothing in l is above 1 in magnitude. A column in which no pivot but 0 is left has that
 * 0 on the diagonal of u.
 *
 * Gradients flow through l and u; those of a matrix without full rank are not finite, nor of a matrix that has fewer rows than
 * columns and whose leading ones are singular.
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @returns `permutation`, int32 `[…, m]`, and the factors
 * @throws ShapeError when the rank is below 2
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy scipy.linalg.lu
 * @pytorch torch.linalg.lu
 * @example
 * ```js
 * import { lu, tensor } from 'tenfold';
 * const { permutation, l, u } = lu(tensor([[1, 3], [2, 2]]));
 * permutation.toArray(); // => [1, 0]
 * l.toArray(); // => [[1, 0], [0.5, 1]]
 * u.toArray(); // => [[2, 2], [0, 2]]
 * ```
 */
export const lu = <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<PerRow<'lu', S>>): LowerUpper<S, D> => {
  const x = matricesOf('lu', a);
  const [packed, order] = results(b, b.lu(x));
  const [row, column] = [x.shape.length - 2, x.shape.length - 1];
  const size = Math.min(x.shape[row]!, x.shape[column]!);
  const left = sliceAlong(packed!, column, 0, size);
  const l = b.add(lowerTriangle(b, left, -1), identity(left.shape, left));
  return {
    permutation: wrap(order!),
    l: wrap(l),
    u: wrap(upperTriangle(b, sliceAlong(packed!, row, 0, size))),
  } as unknown as LowerUpper<S, D>;
};
