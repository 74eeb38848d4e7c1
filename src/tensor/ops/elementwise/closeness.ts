/** Equality up to rounding. */
import { b } from '../../build.js';
import { type DType, isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import type { Broadcast, Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { checkNumber } from '../common/numbers.js';
import { castNode, commonOperands, type Operand } from '../common/operands.js';
import { checkFlag, checkOptions, dualBeforeOptions } from '../common/options.js';
import { all } from './comparison.js';

/** What {@link isClose} and {@link allClose} take beside the operands. */
export interface CloseOptions {
  /** How far apart they may be by the magnitude of `b`. Default 1e-5. */
  readonly rtol?: number;
  /** How far apart they may be in any case. Default 1e-8. */
  readonly atol?: number;
  /** Whether NaN is close to NaN. Default false. */
  readonly equalNaN?: boolean;
}

/** The signatures of {@link isClose}. */
export interface IsClose {
  <A extends Shape, B extends Shape>(
    a: Tensor<A>,
    b: Tensor<B> & Ok<Broadcast<'isClose', A, B>>,
    options?: CloseOptions,
  ): Tensor<Fit<Broadcast<'isClose', A, B>>, 'bool'>;
  <A extends Shape>(a: Tensor<A>, b: number, options?: CloseOptions): Tensor<A, 'bool'>;
  <B extends Shape>(a: number, b: Tensor<B>, options?: CloseOptions): Tensor<B, 'bool'>;
  <B extends Shape>(
    b: Tensor<B>,
    options?: CloseOptions,
  ): <A extends Shape>(
    a: Tensor<A> & Ok<Broadcast<'isClose', A, B>>,
  ) => Tensor<Fit<Broadcast<'isClose', A, B>>, 'bool'>;
  (b: number, options?: CloseOptions): <A extends Shape>(a: Tensor<A>) => Tensor<A, 'bool'>;
}

/** The signatures of {@link allClose}. */
export interface AllClose {
  (a: Tensor, b: Operand, options?: CloseOptions): Tensor<readonly [], 'bool'>;
  (a: number, b: Tensor, options?: CloseOptions): Tensor<readonly [], 'bool'>;
  (b: Operand, options?: CloseOptions): (a: Tensor) => Tensor<readonly [], 'bool'>;
}

const names = ['rtol', 'atol', 'equalNaN'];

const closeness = (operation: string, x: Operand, y: Operand, options?: CloseOptions): Tensor<Shape, 'bool'> => {
  checkOptions(operation, names, options);
  const { rtol = 1e-5, atol = 1e-8, equalNaN = false } = options ?? {};
  checkNumber(operation, 'rtol', rtol, 'notNegative');
  checkNumber(operation, 'atol', atol, 'notNegative');
  checkFlag(operation, 'equalNaN', equalNaN);
  const [p, q] = commonOperands(operation, [x, y], { storage: true }) as [Node, Node];
  const wide: DType = isFloat(p.dtype) ? p.dtype : 'float64';
  const [u, v] = [castNode(p, wide), castNode(q, wide)];
  const size = b.abs(v);
  const bound = b.add(full(b, v, atol), b.mul(full(b, v, rtol), size));
  const near = b.le(b.abs(b.sub(u, v)), bound);
  // Everything is nearer to ∞ than ∞.
  const close = b.or(b.eq(u, v), b.and(near, b.lt(size, full(b, v, Number.POSITIVE_INFINITY))));
  return wrap(equalNaN ? b.or(close, b.and(b.ne(u, u), b.ne(v, v))) : close);
};

/**
 * Whether the elements are equal up to rounding: `|a − b| ≤ atol + rtol · |b|`, elementwise with broadcasting. Infinities
 * are close to themselves alone, and NaN to nothing.
 *
 * @param options rtol and atol, 1e-5 and 1e-8 where left out, and `equalNaN` if NaN is close to NaN
 * @returns the broadcast shape, bool
 * @throws ShapeError when the shapes do not broadcast
 * @throws DTypeError for int32 with uint32, and for an integer tensor with a fraction
 * @throws ArgumentError when no operand is a tensor, an option unknown, or a tolerance negative or no number
 * @throws TraceError when an option is a placeholder
 * @numpy np.isclose
 * @pytorch torch.isclose
 * @example
 * ```js
 * import { isClose, tensor } from 'tenfold';
 * isClose(tensor([1, 1, NaN]), tensor([1.000001, 1.1, NaN])).toArray(); // => [true, false, false]
 * isClose(tensor([1, NaN]), tensor([1.1, NaN]), { atol: 0.2, equalNaN: true }).toArray(); // => [true, true]
 * ```
 */
export const isClose: IsClose = dualBeforeOptions(2, (x: Operand, y: Operand, options?: CloseOptions) =>
  closeness('isClose', x, y, options),
);

/**
 * Whether all elements are equal up to rounding, as {@link isClose} has it.
 *
 * @param options as those of {@link isClose}
 * @returns a scalar, bool
 * @throws ShapeError, DTypeError, ArgumentError, TraceError as {@link isClose}
 * @numpy np.allclose
 * @pytorch torch.allclose
 * @example
 * ```js
 * import { allClose, tensor } from 'tenfold';
 * allClose(tensor([1, 2]), tensor([1.000001, 2])).item(); // => true
 * allClose(tensor([1, 2]), 1, { rtol: 0.5 }).item(); // => false
 * ```
 */
export const allClose: AllClose = dualBeforeOptions(2, (x: Operand, y: Operand, options?: CloseOptions) =>
  all(closeness('allClose', x, y, options)),
);
