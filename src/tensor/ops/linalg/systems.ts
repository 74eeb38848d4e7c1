/** What functions of matrices share: their operands, identities and diagonals. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { broadcastShapes, type Shape, showAval } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import type { Tensor } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { Solve, Square } from '../../types/products.js';
import { sameDType, showAll } from '../common/checks.js';
import { broadcastNode, unaryOperand } from '../common/operands.js';

/** The signatures of functions of matrices and right sides. */
export interface Solver<Op extends string> {
  <A extends Shape, D extends DType, Y extends Shape, E extends DType>(
    a: Tensor<A, D>,
    y: Tensor<Y, E> & Ok<Solve<Op, A, Y>>,
  ): Tensor<Fit<Solve<Op, A, Y>>, Floating<Promote<D, E>>>;
  <Y extends Shape, E extends DType>(
    y: Tensor<Y, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Solve<Op, A, Y>>,
  ) => Tensor<Fit<Solve<Op, A, Y>>, Floating<Promote<D, E>>>;
}

/** As {@link Solver}, with options at the end. */
export interface SolverWith<Op extends string, Options> {
  <Y extends Shape, E extends DType, const O extends Only<Options, O> = Options & Record<never, never>>(
    y: Tensor<Y, E> & NotAny<O>,
    options?: O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Solve<Op, A, Y>>,
  ) => Tensor<Fit<Solve<Op, A, Y>>, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType, Y extends Shape, E extends DType>(
    a: Tensor<A, D>,
    y: Tensor<Y, E> & Ok<Solve<Op, A, Y>>,
    options?: Options,
  ): Tensor<Fit<Solve<Op, A, Y>>, Floating<Promote<D, E>>>;
}

/** A function of square matrices that keeps their shape. */
export type SquareFunction<Op extends string> = <S extends Shape, D extends DType>(
  a: Tensor<S, D> & Ok<Square<Op, S>>,
) => Tensor<Fit<Square<Op, S>>, Floating<D>>;

/**
 * Matrices in the last two axes, in a floating dtype.
 *
 * @throws ShapeError where the rank is below 2
 */
export const matricesOf = (operation: string, a: unknown): Node => {
  const x = unaryOperand(operation, a, { toFloat: true });
  if (x.shape.length >= 2) return x;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'the last two axes are rows and columns of matrices',
    hint: 'Reshape it to a matrix.',
  });
};

/**
 * Square matrices in the last two axes, in a floating dtype.
 *
 * @throws ShapeError where they are none
 */
export const squaresOf = (operation: string, a: unknown): Node => {
  const x = matricesOf(operation, a);
  if (x.shape.at(-1) === x.shape.at(-2)) return x;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'the matrices in the last two axes are square',
    hint: 'Check which axes are the last two.',
  });
};

/** A system of equations as it was given, and how its solution is to look. */
interface System {
  readonly a: Node;
  /** Matrices with the leading axes that both have together. */
  readonly y: Node;
  /** The axes before the last two that both have together. */
  readonly front: Shape;
  /** The solution without the axis that a vector got. */
  readonly shaped: (x: Node) => Node;
}

/** Matrices, square ones if not said otherwise, and right sides for them: a vector if the rank is 1, else matrices. */
export const systemOf = (operation: string, a: unknown, y: unknown, coefficients = squaresOf): System => {
  const nodes = sameDType(operation, [coefficients(operation, a), unaryOperand(operation, y, { toFloat: true })]);
  const [matrices, right] = nodes as [Node, Node];
  const rank = right.shape.length;
  const rows = right.shape[Math.max(rank - 2, 0)];
  if (rank === 0 || rows !== matrices.shape.at(-2)) {
    throw new ShapeError({
      operation,
      given: showAll(nodes),
      rule: 'a right side is a vector, or matrices in its last two axes, with as many rows as the matrices have',
      hint: 'Many vectors are the columns of a matrix: for y [batch, n] write expandDims(y, -1).',
    });
  }
  const sides = rank === 1 ? b.reshape(right, { shape: [rows!, 1] }) : right;
  const front = broadcastShapes(operation, matrices.shape.slice(0, -2), sides.shape.slice(0, -2));
  return {
    a: matrices,
    y: spread(sides, front),
    front,
    shaped: x => (rank === 1 ? b.reshape(x, { shape: x.shape.slice(0, -1) }) : x),
  };
};

/** Matrices with other leading axes. */
export const spread = (x: Node, front: Shape): Node => broadcastNode(x, [...front, ...x.shape.slice(-2)]);

/** Matrices with ones on the main diagonal and zeros elsewhere, of this shape and the dtype of another node. */
export const identity = (shape: Shape, { dtype }: Node): Node => {
  const [rows, columns] = [2, 1].map(back => b.iota({ shape, dtype: 'int32', axis: shape.length - back }));
  return b.select(b.eq(rows!, columns!), full(b, { shape, dtype }, 1), full(b, { shape, dtype }, 0));
};

/** The main diagonals of square matrices. */
export const diagonalOf = (x: Node): Node => {
  const one = identity(x.shape, x);
  return b.sum(b.select(b.ne(one, full(b, one, 0)), x, full(b, x, 0)), { axes: [x.shape.length - 1] });
};
