/** Systems of equations with any square matrix, and inverse matrices. */
import { type Tensor, wrap } from '../../tensor.js';
import { dual } from '../common/operands.js';
import { inverted, solved } from './factored.js';
import { type Solver, type SquareFunction, squaresOf, systemOf } from './systems.js';

/**
 * The solution x of a x = y, by Gaussian elimination with partial pivoting.
 *
 * As in NumPy 2, `y` is a vector only where its rank is 1; whatever has a higher rank is matrices, whose columns are solved
 * for. Where a matrix is singular, its solution is not finite; `checkedSolve` says so. One that is singular only up to
 * rounding has a solution of large numbers.
 *
 * @param a `[…, n, n]`
 * @param y a vector `[n]`, or matrices `[…, n, k]`; leading axes broadcast
 * @returns the shape of `y`, with the broadcast leading axes; the promoted dtype, integers as float32
 * @throws ShapeError when `a` is not square, `y` has another number of rows, or leading axes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor
 * @numpy np.linalg.solve
 * @pytorch torch.linalg.solve
 * @example
 * ```js
 * import { solve, tensor } from 'tenfold';
 * const a = tensor([[0, 2], [1, 1]]);
 * solve(a, tensor([4, 3])).toArray(); // => [1, 2]
 * solve(a, tensor([[4, 2], [3, 1]])).toArray(); // => [[1, 0], [2, 1]]
 * solve(tensor([[1, 1], [1, 1]]), tensor([1, 2])).toArray(); // => [-Infinity, Infinity]
 * ```
 */
export const solve: Solver<'solve'> = dual(2, (a: Tensor, y: Tensor) => {
  const { a: matrices, y: right, front, shaped } = systemOf('solve', a, y);
  return wrap(shaped(solved(matrices, right, front).x));
});

/**
 * The inverse matrix. To solve a system, {@link solve} is faster and more accurate. Where a matrix is singular, its inverse is
 * not finite; `checkedInv` says so.
 *
 * @param a `[…, n, n]`; integers and bool become float32
 * @returns the shape of `a`
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy np.linalg.inv
 * @pytorch torch.linalg.inv
 * @example
 * ```js
 * import { inv, tensor } from 'tenfold';
 * inv(tensor([[0, 2], [1, 1]])).toArray(); // => [[-0.5, 1], [0.5, 0]]
 * ```
 */
export const inv: SquareFunction<'inv'> = a => wrap(inverted(squaresOf('inv', a)).x) as never;
