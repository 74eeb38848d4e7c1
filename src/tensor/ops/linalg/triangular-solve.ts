/** Systems of equations with a triangular matrix. */
import { b } from '../../build.js';
import { type Tensor, wrap } from '../../tensor.js';
import { checkFlag, dualOfSeveral } from '../common/options.js';
import { type SolverWith, spread, systemOf } from './systems.js';

/** What {@link triangularSolve} takes beside the tensors. */
export interface TriangularSolveOptions {
  /** Read the upper triangle and not the lower one. Default false. */
  readonly upper?: boolean;
  /** Solve aᵀ x = y, `a` being read as without it. Default false. */
  readonly transpose?: boolean;
  /** Take the diagonal as ones, whatever is there. Default false. */
  readonly unitDiagonal?: boolean;
}

/**
 * The solution x of a x = y for a triangular matrix, the lower one if nothing else is said, by substitution. The other
 * triangle is not read, and has no gradient. Where the diagonal has a 0, the solution is not finite.
 *
 * @param a `[…, n, n]`
 * @param y a vector `[n]`, or matrices `[…, n, k]`; leading axes broadcast
 * @param options `upper`: read the upper triangle; `transpose`: solve aᵀ x = y; `unitDiagonal`: ones on the diagonal
 * @returns the shape of `y`, with the broadcast leading axes; the promoted dtype, integers as float32
 * @throws ShapeError when `a` is not square, `y` has another number of rows, or leading axes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or no boolean
 * @numpy scipy.linalg.solve_triangular
 * @pytorch torch.linalg.solve_triangular
 * @example
 * ```js
 * import { tensor, triangularSolve } from 'tenfold';
 * const a = tensor([[2, 1], [1, 4]]);
 * triangularSolve(a, tensor([2, 9])).toArray(); // => [1, 2]
 * triangularSolve(a, tensor([4, 8]), { upper: true }).toArray(); // => [1, 2]
 * triangularSolve(a, tensor([4, 8]), { transpose: true }).toArray(); // => [1, 2]
 * ```
 */
export const triangularSolve: SolverWith<'triangularSolve', TriangularSolveOptions> = dualOfSeveral(
  'triangularSolve',
  2,
  ['upper', 'transpose', 'unitDiagonal'],
  (l: Tensor, y: Tensor, options: TriangularSolveOptions = {}) => {
    const { upper = false, transpose = false, unitDiagonal: unit = false } = options;
    checkFlag('triangularSolve', 'upper', upper);
    checkFlag('triangularSolve', 'transpose', transpose);
    checkFlag('triangularSolve', 'unitDiagonal', unit);
    const { a, y: right, front, shaped } = systemOf('triangularSolve', l, y);
    return wrap(shaped(b.triangularSolve(spread(a, front), right, { upper, transpose, unit })));
  },
);
