/** Norms of matrices. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import type { Shape } from '../../shape.js';
import type { Floating } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { kindOf } from '../common/checks.js';
import { checkSetting } from '../common/operands.js';
import { checkFlag, withOptions } from '../common/options.js';
import { normOf } from '../reduction/magnitude.js';
import { keptShape, refuseEmpty } from '../reduction/reducing.js';
import { matricesOf } from './systems.js';

/**
 * Which norm of a matrix: of Frobenius, or the largest or smallest (negative) sum of sizes of a column (±1) or row (±Infinity,
 * for which TypeScript has no type but number).
 */
export type MatrixOrder = 'fro' | number;

/** What {@link matrixNorm} takes beside the matrices. */
export interface MatrixNormOptions {
  /** Which norm; 'fro', that of Frobenius, if left out. */
  readonly ord?: MatrixOrder;
  /** Whether the two axes stay, with length 1. Default false. */
  readonly keepDims?: boolean;
}

/** The signatures of {@link matrixNorm}. */
export interface MatrixNorm {
  <D extends DType>(a: Tensor<Shape, D>, options?: MatrixNormOptions): Tensor<Shape, Floating<D>>;
  (options?: MatrixNormOptions): <D extends DType>(a: Tensor<Shape, D>) => Tensor<Shape, Floating<D>>;
}

const orders: readonly unknown[] = ['fro', 1, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

const checkOrder = (operation: string, ord: unknown): MatrixOrder => {
  checkSetting(operation, 'ord', ord);
  if (orders.includes(ord)) return ord as MatrixOrder;
  throw new ArgumentError({
    operation,
    given: `${kindOf(ord)} as ord`,
    rule: "ord is 'fro', 1, -1, Infinity or -Infinity",
    hint: 'For norms of the elements of a matrix as one vector take norm(a, { axis: [-2, -1], ord }).',
  });
};

/** The norms of matrices in the last two axes, which go away. */
const matrixNormOf = (operation: string, x: Node, ord: MatrixOrder): Node => {
  const rank = x.shape.length;
  if (ord === 'fro') return normOf(operation, x, [rank - 2, rank - 1], 2);
  const added = Math.abs(ord) === 1 ? rank - 2 : rank - 1;
  // The other one of the two axes: it is the last one once the added one is gone.
  refuseEmpty(operation, x, [2 * rank - 3 - added]);
  return b[ord > 0 ? 'reduceMax' : 'reduceMin'](b.sum(b.abs(x), { axes: [added] }), { axes: [rank - 2] });
};

/**
 * Norms of matrices, taken over the last two axes: `'fro'` is the root of the sum of all squares, 1 the largest sum of the
 * sizes in a column, Infinity the largest one in a row; −1 and −Infinity are the smallest ones. The derivative of `'fro'` at
 * the origin is 0.
 *
 * @param a `[…, m, n]`
 * @param options `ord`, which norm; `keepDims`, whether the two axes stay
 * @returns the leading axes; integers and bool give float32
 * @throws ShapeError when the rank is below 2, or there is no column or row of which to take the largest
 * @throws DTypeError for uint8
 * @throws ArgumentError when `ord` is none of these, `a` no tensor or an option unknown
 * @numpy np.linalg.norm
 * @pytorch torch.linalg.matrix_norm
 * @example
 * ```js
 * import { matrixNorm, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const a = tensor([[2, -4], [1, 2]]);
 * matrixNorm(a).item(); // => 5
 * matrixNorm(a, { ord: 1 }).item(); // => 6
 * pipe(a, matrixNorm({ ord: -Infinity, keepDims: true })).toArray(); // => [[3]]
 * ```
 */
export const matrixNorm: MatrixNorm = withOptions(
  'matrixNorm',
  ['ord', 'keepDims'],
  (a: Tensor, { ord = 'fro', keepDims = false }: MatrixNormOptions) => {
    const order = checkOrder('matrixNorm', ord);
    checkFlag('matrixNorm', 'keepDims', keepDims);
    const x = matricesOf('matrixNorm', a);
    const rank = x.shape.length;
    const y = matrixNormOf('matrixNorm', x, order);
    return wrap(keepDims ? b.reshape(y, { shape: keptShape(x, [rank - 2, rank - 1]) }) : y);
  },
);
