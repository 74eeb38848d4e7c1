/** Pseudoinverses and least squares, by singular values. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { multiplied, transposed } from '../../primitives/triangular.js';
import type { Shape } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { PerMatrix, Residuals, SingularValues, Solutions, Turned } from '../../types/matrices.js';
import { closed } from '../common/derived.js';
import { reshapeNode } from '../common/moving.js';
import { checkNumber } from '../common/numbers.js';
import { broadcastNode, castNode } from '../common/operands.js';
import { dualOfSeveral, withOptions } from '../common/options.js';
import { decomposed, largestTimes, rankOf, roundingOf } from './singular.js';
import { identity, matricesOf, spread, systemOf } from './systems.js';

/** What {@link pinv} and {@link lstsq} take beside the tensors. */
export interface RankOptions {
  /** Singular values that are not larger than this times the largest of their matrix count as 0. Default max(m, n) ε. */
  readonly rcond?: number;
}

/** The signatures of {@link pinv}. */
export interface Pinv {
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Turned<'pinv', S>>,
    options?: RankOptions,
  ): Tensor<Fit<Turned<'pinv', S>>, Floating<D>>;
  (
    options?: RankOptions,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Turned<'pinv', S>>,
  ) => Tensor<Fit<Turned<'pinv', S>>, Floating<D>>;
  // The last signature is the one that the compiler sees in `pipe(x, pinv)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Turned<'pinv', S>>,
  ): Tensor<Fit<Turned<'pinv', S>>, Floating<D>>;
}

/** What {@link lstsq} gives for matrices and right sides of these shapes. */
export interface LeastSquares<A extends Shape, Y extends Shape, D extends DType> {
  /** The x for which |a x − y| is smallest, and of several such the smallest. */
  readonly solution: Tensor<Fit<Solutions<A, Y>>, D>;
  /** The sums of squares of a x − y. */
  readonly residuals: Tensor<Fit<Residuals<A, Y>>, D>;
  /** How many singular values of each matrix do not count as 0. */
  readonly rank: Tensor<Fit<PerMatrix<'lstsq', A>>, 'int32'>;
  /** The singular values of each matrix, descending. */
  readonly singularValues: Tensor<Fit<SingularValues<'lstsq', A>>, D>;
}

/** The signatures of {@link lstsq}. */
export interface Lstsq {
  <Y extends Shape, E extends DType, const O extends Only<RankOptions, O> = Record<never, never>>(
    y: Tensor<Y, E> & NotAny<O>,
    options?: O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Solutions<A, Y>>,
  ) => LeastSquares<A, Y, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType, Y extends Shape, E extends DType>(
    a: Tensor<A, D>,
    y: Tensor<Y, E> & Ok<Solutions<A, Y>>,
    options?: RankOptions,
  ): LeastSquares<A, Y, Floating<Promote<D, E>>>;
}

/** Rows of matrices, divided by the singular values for them; 0 where these count as 0. */
const divided = (rows: Node, s: Node, rcond: number): Node => {
  const counts = b.gt(s, largestTimes(s, rcond));
  const inverses = b.select(counts, b.div(full(b, s, 1), b.select(counts, s, full(b, s, 1))), full(b, s, 0));
  return b.mul(rows, b.broadcast(reshapeNode(inverses, [...s.shape, 1]), { shape: rows.shape }));
};

/**
 * How A⁺ y moves with A, where the rank stays (Golub & Pereyra, "The differentiation of pseudo-inverses and nonlinear least
 * squares problems whose variables separate", 1973).
 *
 * @param p A⁺
 * @param x A⁺ y
 * @param rest y − A x
 */
const tangentOf = (a: Node, direction: Node, p: Node, x: Node, rest: Node): Node => {
  const times = (...factors: readonly Node[]): Node => factors.reduceRight((right, left) => multiplied(b, left, right));
  const turned = transposed(b, direction);
  const [back, outside] = [transposed(b, p), times(p, transposed(b, p), turned, rest)];
  const inside = times(turned, back, x);
  return b.add(b.sub(outside, times(p, direction, x)), b.sub(inside, times(p, a, inside)));
};

/** The pseudoinverses of matrices [..., m, n] of float64. */
const pseudoinverse = (a: Node, rcond: number): Node => {
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at], [direction]) => {
      const p = pseudoinverse(at!, rcond);
      const product = multiplied(b, at!, p);
      const rest = b.sub(identity(product.shape, product), product);
      return { outputs: [p], tangents: [tangentOf(at!, direction!, p, p, rest)] };
    },
  };
  const body = closed('pinv', [a], ([x]) => {
    const [s, u, vt] = decomposed(x!, 'thin') as readonly [Node, Node, Node];
    return [multiplied(b, transposed(b, vt), divided(transposed(b, u), s, rcond))];
  });
  return results(b, b.custom([a], { body, captures: 0, rule }))[0]!;
};

/** A⁺ y for matrices [..., m, n] and [..., m, k] of float64, the first perhaps with fewer axes in front. */
const minimal = (a: Node, y: Node, rcond: number): Node => {
  const front = y.shape.slice(0, -2);
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at, right], [forth, moved]) => {
      const x = minimal(at!, right!, rcond);
      const inverse = pseudoinverse(at!, rcond);
      const [whole, direction, p] = [at!, forth!, inverse].map(z => spread(z, front)) as [Node, Node, Node];
      const rest = b.sub(right!, multiplied(b, whole, x));
      return {
        outputs: [x],
        tangents: [b.add(multiplied(b, p, moved!), tangentOf(whole, direction, p, x, rest))],
      };
    },
  };
  const body = closed('lstsq', [a, y], ([matrices, right]) => {
    const [s, u, vt] = decomposed(matrices!, 'thin') as readonly [Node, Node, Node];
    const coefficients = multiplied(b, transposed(b, spread(u, front)), right!);
    const weights = divided(coefficients, broadcastNode(s, [...front, s.shape.at(-1)!]), rcond);
    return [multiplied(b, transposed(b, spread(vt, front)), weights)];
  });
  return results(b, b.custom([a, y], { body, captures: 0, rule }))[0]!;
};

/** The option, or what rounding leaves in singular values. */
const checkCutoff = (operation: string, rcond: number | undefined, x: Node): number =>
  rcond === undefined ? roundingOf(x) : checkNumber(operation, 'rcond', rcond, 'notNegative');

/**
 * The pseudoinverse of Moore and Penrose: the inverse of a matrix where it is not 0. Of the matrices p with a p a = a and
 * p a p = p it is the one for which a p and p a are symmetric. A matrix that holds NaN or ∞ gets NaN.
 *
 * Computed by the singular values, as {@link svd} has them. The derivative is that for matrices of the same rank (Golub &
 * Pereyra 1973); it asks for no distinct singular values. To solve a system, {@link lstsq} is more accurate.
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @param options `rcond`: which singular values count as 0
 * @returns `[…, n, m]`, of the dtype of `a`
 * @throws ShapeError for a vector or scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor, an option unknown or `rcond` no number or below 0
 * @numpy np.linalg.pinv
 * @pytorch torch.linalg.pinv
 * @example
 * ```js
 * import { pinv, tensor } from 'tenfold';
 * pinv(tensor([[0, 2], [4, 0]])).toArray(); // => [[0, 0.25], [0.5, 0]]
 * pinv(tensor([[2, 0], [0, 0]])).toArray(); // => [[0.5, 0], [0, 0]]
 * ```
 */
export const pinv: Pinv = withOptions('pinv', ['rcond'], (a: Tensor, { rcond }: RankOptions) => {
  const x = matricesOf('pinv', a);
  return wrap(castNode(pseudoinverse(castNode(x, 'float64'), checkCutoff('pinv', rcond, x)), x.dtype));
});

/**
 * Least squares: the x for which a x is nearest to y, and where there are several such x the shortest one. So it has a
 * solution for systems with too many equations, with too few, and with ones that depend on each other.
 *
 * Computed by the singular values, as {@link svd} has them; derivatives are those for matrices of the same rank (Golub &
 * Pereyra 1973). As in {@link solve}, `y` is a vector only where its rank is 1. Other than in NumPy, `residuals` are there
 * also where there are no more equations than unknowns, or the rank is smaller: shapes do not depend on values.
 *
 * @param a `[…, m, n]`
 * @param y a vector `[m]`, or matrices `[…, m, k]`; leading axes broadcast
 * @param options `rcond`: which singular values count as 0
 * @returns `solution`, `[n]` or `[…, n, k]`; `residuals`, the sums of squares of a x − y, without the axis of the rows; of each
 * matrix in `a` the `rank`, of int32, and the `singularValues` `[…, min(m, n)]`; the others of the promoted dtype, integers as
 * float32
 * @throws ShapeError for an `a` of rank below 2, when `y` has another number of rows, or leading axes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or `rcond` no number or below 0
 * @numpy np.linalg.lstsq
 * @pytorch torch.linalg.lstsq
 * @example The line through points with the least sum of squares: height 1 at 0, and 2 a step.
 * ```js
 * import { lstsq, tensor } from 'tenfold';
 * const a = tensor([[1, -1], [1, 0], [1, 1], [1, 2]], { dtype: 'float64' });
 * const { solution, residuals, rank } = lstsq(a, tensor([-2, 2, 3, 5], { dtype: 'float64' }));
 * solution.toArray(); // => [0.9, 2.2]
 * residuals.item(); // => 1.8
 * rank.item(); // => 2
 * ```
 */
export const lstsq: Lstsq = dualOfSeveral(
  'lstsq',
  2,
  ['rcond'],
  (a: Tensor, y: Tensor, { rcond }: RankOptions = {}) => {
    const { a: given, y: right, shaped } = systemOf('lstsq', a, y, matricesOf);
    const cutoff = checkCutoff('lstsq', rcond, given);
    const { dtype } = given;
    const [matrices, sides] = [given, right].map(x => castNode(x, 'float64')) as [Node, Node];
    const x = minimal(matrices, sides, cutoff);
    const rest = b.sub(multiplied(b, spread(matrices, sides.shape.slice(0, -2)), x), sides);
    const squares = b.sum(b.mul(rest, rest), { axes: [rest.shape.length - 2] });
    const [s] = decomposed(matrices, 'thin') as readonly [Node];
    return Object.freeze({
      solution: wrap(castNode(shaped(x), dtype)),
      residuals: wrap(castNode(shaped(squares), dtype)),
      rank: wrap(rankOf(s, largestTimes(s, cutoff))),
      singularValues: wrap(castNode(s, dtype)),
    });
  },
);
