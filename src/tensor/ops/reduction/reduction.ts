/** Reductions: axes disappear into their sum, product, mean and so on. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { unreduce } from '../../primitives/reduction.js';
import type { Shape } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Reduce } from '../../types/axes.js';
import { withOptions } from '../common/options.js';
import { truth } from '../common/truth.js';
import {
  counted,
  countOf,
  divided,
  floats,
  type ReducedDType,
  type ReductionOptions,
  type ResultDType,
  reduceBy,
  usual,
} from './reducing.js';

export type { AlongAxis, OneAxis, ReducedDType, ReductionOptions, ResultDType } from './reducing.js';

type Axis = number | readonly number[] | undefined;

/**
 * A reduction, data-first and data-last. Without an axis everything is reduced to a scalar. `Result` says what
 * becomes of the dtype, `Extra` holds options beyond the usual, `Op` is the name in messages.
 */
export interface Reduction<Op extends string, Result extends ResultDType, Extra = unknown> {
  <S extends Shape, D extends DType, const A extends Axis = undefined, K extends boolean = false>(
    x: Tensor<S, D>,
    options?: ReductionOptions<A, K> & Extra & Ok<Reduce<Op, S, A, K>>,
  ): Tensor<Fit<Reduce<Op, S, A, K>>, ReducedDType<Result, D>>;
  <const A extends Axis = undefined, K extends boolean = false>(
    options?: ReductionOptions<A, K> & Extra,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Reduce<Op, S, A, K>>,
  ) => Tensor<Fit<Reduce<Op, S, A, K>>, ReducedDType<Result, D>>;
  // The last signature is the one the compiler sees in `pipe(x, sum)` and `vmap(sum)`.
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], ReducedDType<Result, D>>;
}

const reduction = <F>(operation: string, operand: (x: unknown) => Node, build: Build): F =>
  withOptions(operation, usual, (x: Tensor, options: ReductionOptions) =>
    wrap(reduceBy(operation, operand(x), options, build)),
  );

type Build = (x: Node, axes: readonly number[]) => Node;

/**
 * The sum of the elements along the axes; 0 where there are none. Floats are added pairwise, integers modulo 2³².
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis everything is added
 * @returns the shape without the axes, and the dtype of `x`; bool and uint8 count in int32
 * @throws AxisError for an axis that `x` does not have, or one named twice
 * @throws ArgumentError when `x` is no tensor or an option unknown
 * @numpy np.sum
 * @pytorch torch.sum
 * @example
 * ```js
 * import { sum, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const x = tensor([[1, 2], [3, 4]]);
 * sum(x).item(); // => 10
 * sum(x, { axis: 0 }).toArray(); // => [4, 6]
 * pipe(x, sum({ axis: -1, keepDims: true })).toArray(); // => [[3], [7]]
 * ```
 */
export const sum: Reduction<'sum', 'count'> = reduction('sum', counted('sum'), (x, axes) => b.sum(x, { axes }));

/**
 * The mean of the elements along the axes; NaN where there are none.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis the mean of everything
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy np.mean
 * @pytorch torch.mean
 * @example
 * ```js
 * import { mean, tensor } from 'tenfold';
 * const x = tensor([[1, 2], [3, 4]]);
 * mean(x).item(); // => 2.5
 * mean(x, { axis: 0 }).toArray(); // => [2, 3]
 * ```
 */
export const mean: Reduction<'mean', 'float'> = reduction('mean', floats('mean'), (x, axes) =>
  divided(b.sum(x, { axes }), countOf(x, axes)),
);

/**
 * The product of the elements along the axes; 1 where there are none. Its derivative is exact where there are zeros.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis everything is multiplied
 * @returns the shape without the axes, and the dtype of `x`; bool and uint8 count in int32
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy np.prod
 * @pytorch torch.prod
 * @example
 * ```js
 * import { grad, prod, tensor } from 'tenfold';
 * const x = tensor([[1, 2], [3, 4]]);
 * prod(x).item(); // => 24
 * prod(x, { axis: 0 }).toArray(); // => [3, 8]
 * grad(x => prod(x))(tensor([0, 2, 3])).toArray(); // => [6, 0, 0]
 * ```
 */
export const prod: Reduction<'prod', 'count'> = reduction('prod', counted('prod'), (x, axes) =>
  countOf(x, axes) > 0
    ? b.prod(x, { axes })
    : full(b, { shape: x.shape.filter((_, axis) => !axes.includes(axis)), dtype: x.dtype }, 1),
);

/**
 * How many elements along the axes are other than 0 (NaN is).
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis over everything
 * @returns the shape without the axes, int32
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy np.count_nonzero
 * @pytorch torch.count_nonzero
 * @example
 * ```js
 * import { countNonzero, tensor } from 'tenfold';
 * countNonzero(tensor([[0, 2], [3, 4]]), { axis: 0 }).toArray(); // => [1, 2]
 * ```
 */
export const countNonzero: Reduction<'countNonzero', 'int32'> = reduction(
  'countNonzero',
  x => b.cast(truth('countNonzero', x), { dtype: 'int32' }),
  (x, axes) => b.sum(x, { axes }),
);

/**
 * The largest element along the axes, kept and without derivative, or 0 where that is not finite: what to take off
 * before `exp` so that it neither overflows nor becomes ∞ − ∞.
 */
const shiftOf = (x: Node, axes: readonly number[]): Node => {
  const largest = b.reduceMax(x, { axes });
  const finite = b.lt(b.abs(largest), full(b, largest, Number.POSITIVE_INFINITY));
  return b.stopGradient(b.select(finite, largest, full(b, largest, 0)));
};

/**
 * `log Σ exp(x)` along the axes, without overflow: the largest element is taken off first and added again. Elements
 * of −∞ count nothing; nothing but them (or no elements at all) gives −∞, with derivative 0.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis over everything
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link sum}
 * @numpy scipy.special.logsumexp
 * @pytorch torch.logsumexp
 * @example
 * ```js
 * import { logsumexp, tensor } from 'tenfold';
 * logsumexp(tensor([1000, 1000])).item(); // => 1000.6931
 * logsumexp(tensor([0, -Infinity])).item(); // => 0
 * ```
 */
export const logsumexp: Reduction<'logsumexp', 'float'> = reduction('logsumexp', floats('logsumexp'), (x, axes) => {
  if (countOf(x, axes) === 0) return b.log(b.sum(x, { axes }));
  const shift = shiftOf(x, axes);
  const total = b.sum(b.exp(b.sub(x, unreduce(b, shift, x, axes))), { axes });
  // The logarithm's derivative at 0 is ∞; a 1 in its place keeps that out of the derivative.
  const none = b.eq(total, full(b, total, 0));
  const log = b.log(b.select(none, full(b, total, 1), total));
  return b.add(b.select(none, full(b, total, Number.NEGATIVE_INFINITY), log), shift);
});
