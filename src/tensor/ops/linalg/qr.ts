/** The factors of matrices into an orthogonal and a triangular one, and their derivatives. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { multiplied, transposed } from '../../primitives/triangular.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Given, Only } from '../../types/known.js';
import type { ColumnsOf, RowsOf } from '../../types/matrices.js';
import type { Option } from '../../types/windows.js';
import { kindOf } from '../common/checks.js';
import { closed } from '../common/derived.js';
import { joined, reshapeNode, sliceAlong } from '../common/moving.js';
import { castNode, checkSetting } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import { householder } from './householder.js';
import { matricesOf } from './systems.js';

const modes = ['reduced', 'complete', 'r'] as const;

/** Which factors {@link qr} gives. */
export type QrMode = (typeof modes)[number];

/** The options of {@link qr}. */
export interface QrOptions {
  /** `'reduced'` (the default): min(m, n) columns of q; `'complete'`: all m; `'r'`: no q. */
  readonly mode?: QrMode;
}

/** Both factors that {@link qr} gives; `All`: whether q is square. */
export interface OrthogonalTriangular<S extends Shape, D extends DType, All> {
  readonly q: Tensor<Fit<ColumnsOf<'qr', S, All>>, Floating<D>>;
  readonly r: Tensor<Fit<RowsOf<'qr', S, All, 'rows'>>, Floating<D>>;
}

/** What {@link qr} gives: two factors, or r alone in mode `'r'`. */
export type Qr<S extends Shape, D extends DType, M extends QrMode> = M extends 'r'
  ? Tensor<Fit<RowsOf<'qr', S>>, Floating<D>>
  : OrthogonalTriangular<S, D, M extends 'complete' ? true : false>;

/** The mode in the options. */
type ModeOf<O> =
  Extract<Option<O, 'mode', 'reduced'>, QrMode> extends infer M extends QrMode
    ? [M] extends [never]
      ? QrMode
      : M
    : never;

/** The signatures of {@link qr}. */
export interface QrFactors {
  <S extends Shape, D extends DType, const O extends Only<QrOptions, O> = Record<never, never>>(
    a: Tensor<S, D> & Ok<ColumnsOf<'qr', S>>,
    options?: O,
  ): Qr<S, D, ModeOf<O>>;
  <const O extends Only<QrOptions, O> = Record<never, never>>(
    options?: Given<O>,
  ): <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<ColumnsOf<'qr', S>>) => Qr<S, D, ModeOf<O>>;
  // The last signature is the one that the compiler sees in `pipe(x, qr)`, and of which it says what does not fit.
  <S extends Shape, D extends DType>(a: Tensor<S, D> & Ok<ColumnsOf<'qr', S>>): Qr<S, D, 'reduced'>;
}

/** The skew matrices with the same elements below the diagonal. */
const skewed = (x: Node): Node => {
  const [rows, columns] = [1, 2].map(axis => b.iota({ shape: x.shape, dtype: 'int32', axis }));
  const below = b.select(b.gt(rows!, columns!), x, full(b, x, 0));
  return b.sub(below, transposed(b, below));
};

/** The reduced factors of matrices [batch, m, n] with m ≥ n. */
const tall = (x: Node): readonly [q: Node, r: Node] => {
  const n = x.shape[2]!;
  if (sizeOf(x.shape) === 0) {
    const [q, r] = householder(x, n);
    return [q, sliceAlong(r, 1, 0, n)];
  }
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at], [direction]) => {
      const [q, r] = tall(at!);
      const solve = { upper: true, transpose: true, unit: false };
      const moved = transposed(b, b.triangularSolve(r, transposed(b, direction!), solve));
      const inside = multiplied(b, transposed(b, q), moved);
      const turn = skewed(inside);
      const outside = b.sub(moved, multiplied(b, q, inside));
      const tangents = [b.add(multiplied(b, q, turn), outside), multiplied(b, b.sub(inside, turn), r)];
      return { outputs: [q, r], tangents };
    },
  };
  const body = closed('qr', [x], ([a]) => {
    const [q, r] = householder(a!, n);
    return [q, sliceAlong(r, 1, 0, n)];
  });
  return results(b, b.custom([x], { body, captures: 0, rule })) as [Node, Node];
};

/** The factors of matrices [batch, m, n]; with all columns of q, where m > n, by derivatives of each reflection. */
const factored = (x: Node, isComplete: boolean): readonly [q: Node, r: Node] => {
  const [, m, n] = x.shape as readonly [number, number, number];
  if (m > n) return isComplete ? householder(x, m) : tall(x);
  const [q, r] = tall(sliceAlong(x, 2, 0, m));
  return m === n ? [q, r] : [q, joined([r, multiplied(b, transposed(b, q), sliceAlong(x, 2, m, n))], 2)];
};

/**
 * The factors of matrices into q with orthonormal columns and an upper triangular r with a diagonal that is not negative:
 * a = q r. So they are unique where the columns (of wide matrices the first m) are independent; there they are differentiable.
 * Derivatives at other matrices are not finite. A matrix that holds NaN or ∞ gets NaN.
 *
 * Computed in float64 by Householder reflections (Golub & Van Loan, Matrix Computations, 5.2); derivatives after Walter &
 * Lehmann, "Algorithmic differentiation of linear algebra functions", 2012.
 *
 * @param a `[…, m, n]`; integers and bool become float32
 * @param options `mode`: `'reduced'` gives q `[…, m, k]` and r `[…, k, n]` with k = min(m, n); `'complete'` q `[…, m, m]` and
 * r `[…, m, n]`; `'r'` only the r of `'reduced'`, as a tensor
 * @returns `{ q, r }`, or r
 * @throws ShapeError for a vector or scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError when `a` is no tensor, or there is no such mode or option
 * @numpy np.linalg.qr
 * @pytorch torch.linalg.qr
 * @example
 * ```js
 * import { allClose, matmul, qr, tensor } from 'tenfold';
 * const a = tensor([[0, 2], [1, 1], [2, 3]]);
 * const { q, r } = qr(a);
 * q.shape; // => [3, 2]
 * allClose(matmul(q, r), a, { atol: 1e-5 }).item(); // => true
 * qr(a, { mode: 'complete' }).q.shape; // => [3, 3]
 * ```
 */
export const qr: QrFactors = withOptions('qr', ['mode'], (a: Tensor, { mode = 'reduced' }: QrOptions) => {
  checkSetting('qr', 'mode', mode);
  if (!modes.includes(mode)) {
    throw new ArgumentError({
      operation: 'qr',
      given: `${kindOf(mode)} as mode`,
      rule: `the modes are ${modes.join(', ')}`,
      hint: "Leave it out for 'reduced'.",
    });
  }
  const x = matricesOf('qr', a);
  const front = x.shape.slice(0, -2);
  const flat = reshapeNode(x, [sizeOf(front), ...x.shape.slice(-2)]);
  const [q, r] = factored(castNode(flat, 'float64'), mode === 'complete').map(y =>
    wrap(castNode(reshapeNode(y, [...front, ...y.shape.slice(1)]), x.dtype)),
  );
  return mode === 'r' ? r : Object.freeze({ q, r });
});
