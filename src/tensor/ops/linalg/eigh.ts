/** Eigenvalues and eigenvectors of symmetric matrices, and their derivatives. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { range, type Shape, showAval, sizeOf } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Eigenvalues } from '../../types/matrices.js';
import type { Square } from '../../types/products.js';
import { closed } from '../common/derived.js';
import { permuteNode, reshapeNode } from '../common/moving.js';
import { times } from '../common/numbers.js';
import { unaryOperand } from '../common/operands.js';
import { checkFlag, withOptions } from '../common/options.js';
import { along } from './rows.js';
import { eigenOfSymmetric } from './symmetric.js';

/** The options of {@link eigh} and {@link eigvalsh}. */
export interface EighOptions {
  /** Read the upper triangle of each matrix instead of the lower one. */
  readonly upper?: boolean;
}

/** What {@link eigh} gives. */
export interface Eigen<S extends Shape, D extends DType> {
  /** The eigenvalues, ascending. */
  readonly values: Tensor<Fit<Eigenvalues<'eigh', S>>, Floating<D>>;
  /** The eigenvectors, in columns, in the order of their values. */
  readonly vectors: Tensor<Fit<Square<'eigh', S>>, Floating<D>>;
}

/** The signatures of {@link eigh}. */
export interface Eigh {
  <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<Square<'eigh', S>>, options?: EighOptions): Eigen<S, D>;
  (options?: EighOptions): <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<Square<'eigh', S>>) => Eigen<S, D>;
  // The last signature is the one that the compiler sees in `pipe(x, eigh)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<Square<'eigh', S>>): Eigen<S, D>;
}

/** The signatures of {@link eigvalsh}. */
export interface Eigvalsh {
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'eigvalsh', S>>,
    options?: EighOptions,
  ): Tensor<Fit<Eigenvalues<'eigvalsh', S>>, Floating<D>>;
  (
    options?: EighOptions,
  ): <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'eigvalsh', S>>,
  ) => Tensor<Fit<Eigenvalues<'eigvalsh', S>>, Floating<D>>;
  // The last signature is the one that the compiler sees in `pipe(x, eigvalsh)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(
    a: Tensor<S, D> & Ok<Square<'eigvalsh', S>>,
  ): Tensor<Fit<Eigenvalues<'eigvalsh', S>>, Floating<D>>;
}

/** The product of matrices [batch, n, n], the first perhaps transposed. */
const product = (x: Node, y: Node, transposed = false): Node =>
  b.dotGeneral(x, y, { lhsContract: [transposed ? 1 : 2], rhsContract: [1], lhsBatch: [0], rhsBatch: [0] });

/** 1 / (λⱼ − λᵢ) at row i, column j; 0 where the two are equal up to rounding. */
const inverseGaps = (values: Node, shape: Shape): Node => {
  const gaps = b.sub(along(values, shape, [0, 2]), along(values, shape, [0, 1]));
  const epsilon = values.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
  const rounding = times(b.reduceMax(b.abs(values), { axes: [1] }), epsilon * shape[2]!);
  const equal = b.le(b.abs(gaps), along(rounding, shape, [0]));
  return b.select(equal, full(b, gaps, 0), b.div(full(b, gaps, 1), b.select(equal, full(b, gaps, 1), gaps)));
};

/** Eigenvalues of symmetric matrices [batch, n, n], and the vectors if they are wanted. */
const decomposed = (matrices: Node, withVectors: boolean): readonly Node[] => {
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at], [direction]) => {
      const [values, vectors] = decomposed(at!, true) as readonly [Node, Node];
      const moved = product(direction!, vectors);
      const slopes = b.sum(b.mul(vectors, moved), { axes: [1] });
      if (!withVectors) return { outputs: [values], tangents: [slopes] };
      const mixed = b.mul(inverseGaps(values, vectors.shape), product(vectors, moved, true));
      return { outputs: [values, vectors], tangents: [slopes, product(vectors, mixed)] };
    },
  };
  const body = closed('eigh', [matrices], ([x]) => eigenOfSymmetric(x!).slice(0, withVectors ? 2 : 1));
  return results(b, b.custom([matrices], { body, captures: 0, rule }));
};

/** The matrices [batch, n, n] that a triangle of the operand stands for, and the axes in front. */
const symmetric = (operation: string, a: unknown, upper: boolean): readonly [Node, Shape] => {
  const x = unaryOperand(operation, a, { toFloat: true });
  const rank = x.shape.length;
  const n = x.shape[rank - 1];
  if (rank < 2 || x.shape[rank - 2] !== n) {
    throw new ShapeError({
      operation,
      given: showAval(x),
      rule: 'the last two axes are those of square matrices',
      hint: 'Matrices of other shapes have singular values: svd(a).',
    });
  }
  const [rows, columns] = [2, 1].map(back => b.iota({ shape: x.shape, dtype: 'int32', axis: rank - back }));
  const isRead = b[upper ? 'ge' : 'le'](columns!, rows!);
  const front = x.shape.slice(0, -2);
  const mirrored = permuteNode(x, [...range(rank - 2), rank - 1, rank - 2]);
  return [reshapeNode(b.select(isRead, x, mirrored), [sizeOf(front), n!, n!]), front];
};

/** The results with the axes in front again. */
const eigenOf = (operation: string, a: unknown, { upper = false }: EighOptions, withVectors: boolean): Tensor[] => {
  checkFlag(operation, 'upper', upper);
  const [matrices, front] = symmetric(operation, a, upper);
  return decomposed(matrices, withVectors).map(x => wrap(reshapeNode(x, [...front, ...x.shape.slice(1)])));
};

/**
 * The eigenvalues and orthonormal eigenvectors of symmetric matrices: a = V diag(λ) Vᵀ. Only one triangle is read, the
 * lower one if nothing else is said. A matrix that holds NaN or ∞ there gets NaN, and only that one.
 *
 * Computed in float64 by Jacobi rotations of the matrix plus a multiple of the identity that makes it positive definite
 * (Veselić & Hari 1989). Vectors are defined up to
 * their sign (with equal eigenvalues, up to a rotation); here the first of the components whose magnitude is within 1 % of
 * the largest is positive.
 *
 * Derivatives are dλ = diag(Vᵀ da V) and dV = V (F ∘ (Vᵀ da V)), Fᵢⱼ = 1/(λⱼ − λᵢ) (Giles, "An extended collection of
 * matrix derivative results", 2008). Where eigenvalues are equal, up to n ε max |λ|, their vectors have no derivative:
 * F is 0 there, so that what does not depend on the choice of the vectors keeps its first derivative.
 *
 * @param a square matrices in the last two axes; integers and bools become float32
 * @returns `values` `[…, n]`, ascending, and `vectors` `[…, n, n]`, the eigenvectors in columns, both of the dtype of `a`
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError for an option of another name, or when `upper` is no boolean
 * @numpy np.linalg.eigh
 * @pytorch torch.linalg.eigh
 * @example
 * ```js
 * import { eigh, tensor } from 'tenfold';
 * const { values, vectors } = eigh(tensor([[0, 2], [2, 3]]));
 * values.toArray(); // => [-1, 4]
 * vectors.toArray(); // => [[0.8944271802902222, 0.4472135901451111], [-0.4472135901451111, 0.8944271802902222]]
 * ```
 */
export const eigh: Eigh = withOptions('eigh', ['upper'], (a: Tensor, options: EighOptions) => {
  const [values, vectors] = eigenOf('eigh', a, options, true);
  return { values: values!, vectors: vectors! };
});

/**
 * The eigenvalues of symmetric matrices, ascending, as {@link eigh} has them; only one triangle is read, the lower one if
 * nothing else is said. A matrix that holds NaN or ∞ there gets NaN.
 *
 * The first derivative is that of each eigenvalue, dλ = diag(Vᵀ da V), also where some are equal (then by one choice of
 * their vectors; that of a symmetric function of them does not depend on it).
 *
 * @param a square matrices in the last two axes; integers and bools become float32
 * @returns `[…, n]`, of the dtype of `a`
 * @throws ShapeError when the last two axes are not of one length
 * @throws DTypeError for uint8
 * @throws ArgumentError for an option of another name, or when `upper` is no boolean
 * @numpy np.linalg.eigvalsh
 * @pytorch torch.linalg.eigvalsh
 * @example
 * ```js
 * import { eigvalsh, tensor } from 'tenfold';
 * eigvalsh(tensor([[0, 2], [2, 3]])).toArray(); // => [-1, 4]
 * eigvalsh(tensor([[0, 2], [0, 3]]), { upper: true }).toArray(); // => [-1, 4]
 * ```
 */
export const eigvalsh: Eigvalsh = withOptions(
  'eigvalsh',
  ['upper'],
  (a: Tensor, options: EighOptions) => eigenOf('eigvalsh', a, options, false)[0]!,
);
