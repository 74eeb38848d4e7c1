/** Products of matrices and of vectors. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { broadcastShapes, range, type Shape, showAval } from '../../shape.js';
import type { Arithmetic, Fit, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { DotShape, Matmul, OuterShape } from '../../types/products.js';
import { factors } from '../common/checks.js';
import { broadcastNode, dual } from '../common/operands.js';

const unfit = (operation: string, x: Node, y: Node, rule: string, hint: string): ShapeError =>
  new ShapeError({ operation, given: `${showAval(x)} and ${showAval(y)}`, rule, hint });

/** The signatures of {@link matmul}. */
export interface MatrixProduct {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Matmul<A, B>>,
  ): Tensor<Fit<Matmul<A, B>>, Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Matmul<A, B>>,
  ) => Tensor<Fit<Matmul<A, B>>, Arithmetic<Promote<D, E>>>;
}

/**
 * The matrix product `a · b` over the last axis of `a` and the last but one of `b`. Leading axes are a batch and
 * broadcast; a vector is a row on the left, a column on the right, and leaves no axis. `pipe(a, matmul(b))` is
 * `a · b` too.
 *
 * @returns `[…, m, n]` for `[…, m, k]` and `[…, k, n]`; the promoted dtype, bools counting as int32
 * @throws ShapeError when the inner dimensions differ, the leading axes do not broadcast, or one is a scalar
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.matmul
 * @pytorch torch.matmul
 * @example
 * ```js
 * import { matmul, tensor } from 'tenfold';
 * const a = tensor([[1, 2], [3, 4]]);
 * matmul(a, tensor([[0, 1], [1, 0]])).toArray(); // => [[2, 1], [4, 3]]
 * matmul(a, tensor([1, 1])).toArray(); // => [3, 7]
 * ```
 */
export const matmul: MatrixProduct = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('matmul', [x, y]) as [Node, Node];
  const [p, q] = [lhs.shape.length, rhs.shape.length];
  if (p === 0 || q === 0) throw unfit('matmul', lhs, rhs, 'a scalar is no matrix', 'Use mul to scale.');
  const [lhsInner, rhsInner] = [p - 1, Math.max(0, q - 2)];
  const [k, l] = [lhs.shape[lhsInner], rhs.shape[rhsInner]];
  if (k !== l) {
    throw unfit(
      'matmul',
      lhs,
      rhs,
      `inner dimensions ${k} and ${l} differ`,
      `The last axis of the first must be as long as ${q === 1 ? 'the second' : 'the last but one of the second'}; transpose one if they are swapped.`,
    );
  }
  const contract = { lhsContract: [lhsInner], rhsContract: [rhsInner] };
  if (p <= 2 || q <= 2) {
    // At most one has leading axes, and they stay free: one product of large matrices instead of many small ones.
    const dot = b.dotGeneral(lhs, rhs, { ...contract, lhsBatch: [], rhsBatch: [] });
    // The row axis of a matrix on the left stands before the leading axes of the right.
    return wrap(p === 2 && q > 2 ? b.permute(dot, { axes: [...range(q - 1).slice(1), 0, q - 1] }) : dot);
  }
  const batch = leading(lhs, rhs);
  const spread = (node: Node): Node => broadcastNode(node, [...batch, ...node.shape.slice(-2)]);
  const axes = range(batch.length);
  return wrap(
    b.dotGeneral(spread(lhs), spread(rhs), {
      lhsContract: [batch.length + 1],
      rhsContract: [batch.length],
      lhsBatch: axes,
      rhsBatch: axes,
    }),
  );
});

/** The leading axes of two stacks of matrices, broadcast. */
const leading = (lhs: Node, rhs: Node): Shape => {
  try {
    return broadcastShapes('matmul', lhs.shape.slice(0, -2), rhs.shape.slice(0, -2));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw unfit(
      'matmul',
      lhs,
      rhs,
      `the leading axes do not broadcast: ${error.rule}`,
      'All but the last two axes are a batch.',
    );
  }
};

/** The signatures of {@link dot}. */
export interface Dot {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<DotShape<A, B>>,
  ): Tensor<readonly [], Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<DotShape<A, B>>,
  ) => Tensor<readonly [], Arithmetic<Promote<D, E>>>;
}

/**
 * The inner product of two vectors.
 *
 * @returns a scalar of the promoted dtype; bools count as int32
 * @throws ShapeError unless both are vectors of one length
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.dot
 * @pytorch torch.dot
 * @example
 * ```js
 * import { dot, tensor } from 'tenfold';
 * dot(tensor([1, 2, 3]), tensor([4, 5, 6])).item(); // => 32
 * ```
 */
export const dot: Dot = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('dot', [x, y]) as [Node, Node];
  if (lhs.shape.length !== 1 || rhs.shape.length !== 1 || lhs.shape[0] !== rhs.shape[0]) {
    throw unfit(
      'dot',
      lhs,
      rhs,
      'it takes two vectors of one length',
      'For matrices use matmul; for other axes dotGeneral.',
    );
  }
  return wrap(b.dotGeneral(lhs, rhs, { lhsContract: [0], rhsContract: [0], lhsBatch: [], rhsBatch: [] }));
});

/** The signatures of {@link outer}. */
export interface Outer {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<OuterShape<A, B>>,
  ): Tensor<Fit<OuterShape<A, B>>, Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<OuterShape<A, B>>,
  ) => Tensor<Fit<OuterShape<A, B>>, Arithmetic<Promote<D, E>>>;
}

/**
 * The outer product of two vectors: every element of `a` times every element of `b`.
 *
 * @returns a matrix, a row for each element of `a`; the promoted dtype, bools counting as int32
 * @throws ShapeError unless both are vectors
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.outer
 * @pytorch torch.outer
 * @example
 * ```js
 * import { outer, tensor } from 'tenfold';
 * outer(tensor([1, 2]), tensor([3, 4, 5])).toArray(); // => [[3, 4, 5], [6, 8, 10]]
 * ```
 */
export const outer: Outer = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('outer', [x, y]) as [Node, Node];
  if (lhs.shape.length !== 1 || rhs.shape.length !== 1) {
    throw unfit(
      'outer',
      lhs,
      rhs,
      'it takes two vectors',
      'Use reshape(x, [-1]), or mul and expandDims for more axes.',
    );
  }
  // Elementwise, because that fuses with what is around it.
  const shape = [lhs.shape[0]!, rhs.shape[0]!];
  return wrap(b.mul(broadcastNode(b.reshape(lhs, { shape: [lhs.shape[0]!, 1] }), shape), broadcastNode(rhs, shape)));
});
