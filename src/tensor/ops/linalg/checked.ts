/** Factors and solutions that come with a look at the values: an error instead of a result that is not finite. */
import * as E from 'fp-ts/lib/Either.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import { elementsNow } from '../../evaluate.js';
import type { Node } from '../../graph.js';
import { type Shape, showAval, showShape, stridesOf } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Solve, Square } from '../../types/products.js';
import { dual } from '../common/operands.js';
import { choleskyNode, inverted, solved } from './factored.js';
import { diagonalOf, squaresOf, systemOf } from './systems.js';

/** The signatures of {@link checkedSolve}. */
export interface CheckedSolve {
  <A extends Shape, D extends DType, Y extends Shape, F extends DType>(
    a: Tensor<A, D>,
    y: Tensor<Y, F> & Ok<Solve<'checkedSolve', A, Y>>,
  ): E.Either<ArgumentError, Tensor<Fit<Solve<'checkedSolve', A, Y>>, Floating<Promote<D, F>>>>;
  <Y extends Shape, F extends DType>(
    y: Tensor<Y, F>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Solve<'checkedSolve', A, Y>>,
  ) => E.Either<ArgumentError, Tensor<Fit<Solve<'checkedSolve', A, Y>>, Floating<Promote<D, F>>>>;
}

/** What is wrong with a matrix that has a bad pivot. */
interface Fault {
  readonly isBad: (pivot: number) => boolean;
  readonly what: string;
  readonly rule: string;
  readonly hint: string;
}

const indefinite: Fault = {
  isBad: Number.isNaN,
  what: 'not positive',
  rule: 'only symmetric positive definite matrices have a Cholesky factor',
  hint: 'Add a small multiple of the identity, or check that what made the matrix is symmetric and finite.',
};

const singular: Fault = {
  isBad: pivot => pivot === 0 || !Number.isFinite(pivot),
  what: '0 or not finite',
  rule: 'a singular matrix has no inverse',
  hint: 'Look for rows that depend on each other, or add a small multiple of the identity.',
};

/** The result, unless a pivot (on the diagonal of `factors`) is bad. Reads the values. */
const checked = <T>(
  operation: string,
  a: Node,
  factors: Node,
  result: Node,
  fault: Fault,
): E.Either<ArgumentError, T> => {
  const diagonal = diagonalOf(factors);
  const [pivots] = elementsNow(operation, [diagonal, result]);
  const first = pivots!.findIndex(fault.isBad);
  if (first < 0) return E.right(wrap(result) as T);
  const front = diagonal.shape.slice(0, -1);
  const n = diagonal.shape.at(-1)!;
  const strides = stridesOf(front);
  const matrix = strides.map((stride, axis) => Math.floor(Math.floor(first / n) / stride) % front[axis]!);
  const which = matrix.length === 0 ? '' : `, in matrix ${showShape(matrix)}`;
  return E.left(
    new ArgumentError({
      operation,
      given: `${showAval(a)} whose pivot ${first % n} is ${fault.what}${which}`,
      rule: fault.rule,
      hint: fault.hint,
    }),
  );
};

/**
 * As {@link cholesky}, but where a matrix is not positive definite an error that says which one and at which pivot. The values
 * are computed and read, so that it is not for traced functions (of `jit`, `vmap`).
 *
 * @param a `[…, n, n]`, of which the lower triangle is read; integers and bool become float32
 * @returns the lower factor, or an `ArgumentError`, as an `Either`
 * @throws ShapeError, DTypeError, ArgumentError as {@link cholesky}
 * @throws TraceError in a traced function
 * @throws DeviceError for values on the GPU
 * @numpy np.linalg.cholesky
 * @pytorch torch.linalg.cholesky_ex
 * @example
 * ```js
 * import { checkedCholesky, tensor } from 'tenfold';
 * checkedCholesky(tensor([[4, 2], [2, 10]])).right.toArray(); // => [[2, 0], [1, 3]]
 * checkedCholesky(tensor([[4, 2], [2, 1]])).left.given; // => 'float32[2, 2] whose pivot 1 is not positive'
 * ```
 */
export const checkedCholesky = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<Square<'checkedCholesky', S>>,
): E.Either<ArgumentError, Tensor<Fit<Square<'checkedCholesky', S>>, Floating<D>>> => {
  const x = squaresOf('checkedCholesky', a);
  const l = choleskyNode(x, false);
  return checked('checkedCholesky', x, l, l, indefinite);
};

/**
 * As {@link solve}, but where a matrix is singular (a pivot is 0, up to no rounding) an error that says which one and at which
 * pivot. The values are computed and read, so that it is not for traced functions (of `jit`, `vmap`).
 *
 * @param a `[…, n, n]`
 * @param y a vector `[n]`, or matrices `[…, n, k]`; leading axes broadcast
 * @returns the solution, or an `ArgumentError`, as an `Either`
 * @throws ShapeError, DTypeError, ArgumentError as {@link solve}
 * @throws TraceError in a traced function
 * @throws DeviceError for values on the GPU
 * @numpy np.linalg.solve
 * @pytorch torch.linalg.solve_ex
 * @example
 * ```js
 * import { checkedSolve, tensor } from 'tenfold';
 * checkedSolve(tensor([[0, 2], [1, 1]]), tensor([4, 3])).right.toArray(); // => [1, 2]
 * checkedSolve(tensor([[1, 2], [2, 4]]), tensor([4, 3]))._tag; // => 'Left'
 * ```
 */
export const checkedSolve: CheckedSolve = dual(2, (a: Tensor, y: Tensor) => {
  const { a: matrices, y: right, front, shaped } = systemOf('checkedSolve', a, y);
  const { x, packed } = solved(matrices, right, front);
  return checked('checkedSolve', matrices, packed, shaped(x), singular);
});

/**
 * As {@link inv}, but where a matrix is singular (a pivot is 0, up to no rounding) an error that says which one and at which
 * pivot. The values are computed and read, so that it is not for traced functions (of `jit`, `vmap`).
 *
 * @param a `[…, n, n]`; integers and bool become float32
 * @returns the inverse, or an `ArgumentError`, as an `Either`
 * @throws ShapeError, DTypeError, ArgumentError as {@link inv}
 * @throws TraceError in a traced function
 * @throws DeviceError for values on the GPU
 * @numpy np.linalg.inv
 * @pytorch torch.linalg.inv_ex
 * @example
 * ```js
 * import { checkedInv, tensor } from 'tenfold';
 * checkedInv(tensor([[0, 2], [1, 1]])).right.toArray(); // => [[-0.5, 1], [0.5, 0]]
 * checkedInv(tensor([[[1, 0], [0, 1]], [[1, 2], [2, 4]]])).left.given; // => 'float32[2, 2, 2] whose pivot 1 is 0 or not finite, in matrix [1]'
 * ```
 */
export const checkedInv = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<Square<'checkedInv', S>>,
): E.Either<ArgumentError, Tensor<Fit<Square<'checkedInv', S>>, Floating<D>>> => {
  const x = squaresOf('checkedInv', a);
  const { x: inverse, packed } = inverted(x);
  return checked('checkedInv', x, packed, inverse, singular);
};
