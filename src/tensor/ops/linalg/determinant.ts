/** Determinants, from the pivots of Gaussian elimination. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { reordered, upperTriangle } from '../../primitives/triangular.js';
import { range, type Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { PerSquare } from '../../types/products.js';
import { withTangent } from '../common/derived.js';
import { times } from '../common/numbers.js';
import { broadcastNode, castNode } from '../common/operands.js';
import { diagonalOf, identity, squaresOf } from './systems.js';

/** What {@link slogdet} gives. */
export interface SignAndLog<S extends Shape, D extends DType> {
  /** −1, 0 or 1. */
  readonly sign: Tensor<Fit<PerSquare<'slogdet', S>>, Floating<D>>;
  /** The logarithm of the magnitude. */
  readonly logabsdet: Tensor<Fit<PerSquare<'slogdet', S>>, Floating<D>>;
}

/** 1 for each even permutation [..., n] and −1 for each odd one, by the number of pairs that are in the wrong order. */
const signOf = (order: Node, like: Node): Node => {
  const rank = order.shape.length;
  const n = order.shape[rank - 1]!;
  const shape = [...order.shape, n];
  const beside = (axis: number): Node =>
    broadcastNode(b.reshape(order, { shape: order.shape.toSpliced(axis, 0, 1) }), shape);
  const place = (axis: number): Node => b.iota({ shape, dtype: 'int32', axis });
  const wrong = b.and(b.lt(place(rank - 1), place(rank)), b.gt(beside(rank), beside(rank - 1)));
  const count = b.sum(b.cast(wrong, { dtype: 'int32' }), { axes: [rank - 1, rank] });
  const odd = castNode(b.and(count, full(b, count, 1)), like.dtype);
  return b.sub(full(b, odd, 1), times(odd, 2));
};

/** The packed factors, the order of the rows, and the sign of that order. */
const eliminated = (x: Node): { readonly packed: Node; readonly order: Node; readonly sign: Node } => {
  const [packed, order] = results(b, b.lu(x)) as [Node, Node];
  return { packed, order, sign: signOf(order, x) };
};

/** Products of the elements of the last axis; 1 where there are none. */
const product = (x: Node): Node => {
  const axis = x.shape.length - 1;
  return x.shape[axis] === 0
    ? full(b, { shape: x.shape.slice(0, -1), dtype: x.dtype }, 1)
    : b.prod(x, { axes: [axis] });
};

/** Numbers [...] repeated over matrices [..., n, n]. */
const perElement = (x: Node, shape: Shape): Node => broadcastNode(b.reshape(x, { shape: [...x.shape, 1, 1] }), shape);

/**
 * The matrices of cofactors, transposed: det(a) a⁻¹, and its limit where a is singular. With a[order] = l u it is
 * ± adj(u) l⁻¹ in that order, and adj(u) is the mean of those of u with its pivots of 0 moved up and down, for each element
 * of it is linear in a single pivot.
 */
const adjugate = (x: Node): Node => {
  const { packed, order, sign } = eliminated(x);
  const { shape } = x;
  const [row, column] = [shape.length - 2, shape.length - 1];
  const one = identity(shape, x);
  const right = b.triangularSolve(packed, reordered(b, one, order, false), {
    upper: false,
    transpose: false,
    unit: true,
  });
  const u = upperTriangle(b, packed);
  const largest = b.reduceMax(b.abs(b.stopGradient(u)), { axes: [row, column] });
  const zero = full(b, largest, 0);
  const small = times(
    b.select(b.eq(largest, zero), full(b, largest, 2 ** -18), largest),
    x.dtype === 'float64' ? 2 ** -26 : 2 ** -12,
  );
  const isMissing = b.and(b.ne(one, full(b, one, 0)), b.eq(u, full(b, u, 0)));
  const shift = b.select(isMissing, perElement(small, shape), full(b, u, 0));
  const half = (moved: Node): Node =>
    b.mul(
      perElement(times(b.mul(sign, product(diagonalOf(moved))), 0.5), shape),
      b.triangularSolve(moved, right, { upper: true, transpose: false, unit: false }),
    );
  return b.add(half(b.add(u, shift)), half(b.sub(u, shift)));
};

/** Determinants with the derivative tr(adj(a) da). */
const determinant = (x: Node): Node =>
  withTangent(
    'det',
    x,
    [],
    at => {
      const { packed, sign } = eliminated(at);
      return b.mul(sign, product(diagonalOf(packed)));
    },
    (at, direction) => {
      const rank = at.shape.length;
      const turned = b.permute(direction, { axes: [...range(rank - 2), rank - 1, rank - 2] });
      return b.sum(b.mul(adjugate(at), turned), { axes: [rank - 2, rank - 1] });
    },
  );

/**
 * The determinant. It overflows and underflows easily; {@link slogdet} does not.
 *
 * The first derivative is the matrix of cofactors, which exists for singular matrices as well: where the elimination meets
 * pivots of 0, it is exact for one of them and, for more, up to the rounding of the dtype relative to the largest element. The
 * second derivative of a singular matrix is not finite.
 *
 * @param a `[…, n, n]`; integers and bool become float32
 * @returns `[…]`, one for each matrix; 1 for a matrix without elements
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor
 * @numpy np.linalg.det
 * @pytorch torch.linalg.det
 * @example
 * ```js
 * import { det, grad, tensor } from 'tenfold';
 * det(tensor([[1, 2], [3, 4]])).toArray(); // => -2
 * grad(det)(tensor([[1, 2], [2, 4]])).toArray(); // => [[4, -2], [-2, 1]]
 * ```
 */
export const det = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<PerSquare<'det', S>>,
): Tensor<Fit<PerSquare<'det', S>>, Floating<D>> => {
  const x = squaresOf('det', a);
  // The cofactors of a matrix without elements have no largest one.
  if (x.shape.at(-1) === 0) return wrap(full(b, { shape: x.shape.slice(0, -2), dtype: x.dtype }, 1)) as never;
  return wrap(determinant(x)) as never;
};

/**
 * The sign of the determinant and the logarithm of its magnitude: det(a) = sign · exp(logabsdet), without overflow. The
 * derivative of `logabsdet` is a⁻ᵀ, that of `sign` 0. A singular matrix has the sign 0 and −∞, and no finite derivative.
 *
 * @param a `[…, n, n]`; integers and bool become float32
 * @returns `sign` and `logabsdet`, each `[…]`
 * @throws ShapeError, DTypeError, ArgumentError as {@link det}
 * @numpy np.linalg.slogdet
 * @pytorch torch.linalg.slogdet
 * @example
 * ```js
 * import { eye, mul, slogdet } from 'tenfold';
 * const { sign, logabsdet } = slogdet(mul(eye(3), -1e30));
 * sign.toArray(); // => -1
 * logabsdet.toArray(); // => 207.2326660
 * ```
 */
export const slogdet = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<PerSquare<'slogdet', S>>,
): SignAndLog<S, D> => {
  const x = squaresOf('slogdet', a);
  const { packed, sign } = eliminated(x);
  const pivots = diagonalOf(packed);
  return {
    sign: wrap(b.mul(sign, product(b.sign(pivots)))),
    logabsdet: wrap(b.sum(b.log(b.abs(pivots)), { axes: [pivots.shape.length - 1] })),
  } as unknown as SignAndLog<S, D>;
};
