/** Reductions: axes disappear into their sum, mean, largest element and so on. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import type { Node } from '../graph.js';
import { full } from '../primitives/full.js';
import { unreduce } from '../primitives/reduction.js';
import { type Shape, sizeOf } from '../shape.js';
import { type Tensor, wrap } from '../tensor.js';
import { castNode, nodeFor, unaryOperand } from './operands.js';
import {
  axesOf,
  keptShape,
  type Reduced,
  type ReducedDType,
  type ReductionOptions,
  reduceBy,
  refuseEmpty,
  withOptions,
} from './reducing.js';

export type { Reduced, ReducedDType, ReductionOptions } from './reducing.js';

type Axis = number | readonly number[] | undefined;

/**
 * A reduction, data-first and data-last. Without an axis everything is reduced to a scalar. `Result` says what
 * becomes of the dtype, `Extra` holds options beyond the usual.
 */
export interface Reduction<Result extends 'same' | 'count' | 'float' | 'bool', Extra = unknown> {
  <S extends Shape, D extends DType, const A extends Axis = undefined, K extends boolean = false>(
    x: Tensor<S, D>,
    options?: ReductionOptions<A, K> & Extra,
  ): Tensor<Reduced<S, A, K>, ReducedDType<Result, D>>;
  <const A extends Axis = undefined, K extends boolean = false>(
    options?: ReductionOptions<A, K> & Extra,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Reduced<S, A, K>, ReducedDType<Result, D>>;
  // The last signature is the one the compiler sees in `pipe(x, sum)` and `vmap(sum)`.
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], ReducedDType<Result, D>>;
}

/** The search for a position along one axis, or in the flattened tensor; data-first and data-last. */
export interface ArgReduction {
  <S extends Shape, D extends DType, A extends number | undefined = undefined, K extends boolean = false>(
    x: Tensor<S, D>,
    options?: ReductionOptions<A, K>,
  ): Tensor<Reduced<S, A, K>, 'int32'>;
  <A extends number | undefined = undefined, K extends boolean = false>(
    options?: ReductionOptions<A, K>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<Reduced<S, A, K>, 'int32'>;
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], 'int32'>;
}

/** What {@link variance} and {@link std} take beside the axes. */
export interface VarianceOptions {
  /** "Delta degrees of freedom": the divisor is the number of elements minus this. Default 0; 1 is Bessel's. */
  readonly ddof?: number;
}

const usual: readonly string[] = ['axis', 'keepDims'];

const reduction = <F>(operation: string, operand: (x: unknown) => Node, build: Build): F =>
  withOptions(operation, usual, (x: Tensor, options: ReductionOptions) =>
    wrap(reduceBy(operation, operand(x), options, build)),
  );

type Build = (x: Node, axes: readonly number[]) => Node;

const isSmall = (dtype: DType): boolean => dtype === 'bool' || dtype === 'uint8';

/** bool and uint8 count in int32. */
const counted =
  (operation: string) =>
  (x: unknown): Node => {
    const node = nodeFor(operation, x);
    return isSmall(node.dtype) ? castNode(node, 'int32') : node;
  };

const floats =
  (operation: string) =>
  (x: unknown): Node =>
    unaryOperand(operation, x, { toFloat: true, storage: true });

const countOf = (x: Node, axes: readonly number[]): number => sizeOf(axes.map(axis => x.shape[axis]!));

const divided = (x: Node, by: number): Node => b.div(x, full(b, x, by));

const meanOf: Build = (x, axes) => divided(b.sum(x, { axes }), countOf(x, axes));

/**
 * The sum of the elements along the axes; 0 where there are none. Floats are added pairwise, integers modulo 2³².
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis everything is added
 * @returns the shape without the axes, and the dtype of `x`; bool and uint8 count in int32
 * @throws AxisError for an axis that `x` does not have, or one named twice
 * @throws ArgumentError when `x` is no tensor or an option unknown
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
export const sum: Reduction<'count'> = reduction('sum', counted('sum'), (x, axes) => b.sum(x, { axes }));

/**
 * The mean of the elements along the axes; NaN where there are none.
 *
 * @param x any tensor
 * @param options the axes, and whether they stay; without an axis the mean of everything
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link sum}
 * @example
 * ```js
 * import { mean, tensor } from 'tenfold';
 * const x = tensor([[1, 2], [3, 4]]);
 * mean(x).item(); // => 2.5
 * mean(x, { axis: 0 }).toArray(); // => [2, 3]
 * ```
 */
export const mean: Reduction<'float'> = reduction('mean', floats('mean'), meanOf);

const extreme = (operation: string, primitive: 'reduceMax' | 'reduceMin'): Reduction<'same'> =>
  withOptions(operation, usual, (x: Tensor, options: ReductionOptions) => {
    const node = counted(operation)(x);
    const result = reduceBy(operation, node, options, (y, axes) => {
      refuseEmpty(operation, x, axes);
      return b[primitive](y, { axes });
    });
    return wrap(castNode(result, x.dtype));
  });

/**
 * The largest element along the axes; NaN if there is one. The derivative goes to the largest, shared equally where
 * there are several.
 *
 * @param x a tensor with at least one element along the axes
 * @param options the axes, and whether they stay; without an axis the largest of all
 * @returns the shape without the axes, and the dtype of `x`
 * @throws ShapeError when an axis is empty
 * @throws AxisError, ArgumentError as {@link sum}
 * @example
 * ```js
 * import { max, tensor, zeros } from 'tenfold';
 * const x = tensor([[1, 5], [7, 3]]);
 * max(x).item(); // => 7
 * max(x, { axis: 1 }).toArray(); // => [5, 7]
 * max(zeros([0, 3]), { axis: 0 }); // throws ShapeError
 * ```
 */
export const max: Reduction<'same'> = extreme('max', 'reduceMax');

/**
 * The smallest element along the axes; NaN if there is one. The derivative goes to the smallest, shared equally where
 * there are several.
 *
 * @param x a tensor with at least one element along the axes
 * @param options the axes, and whether they stay; without an axis the smallest of all
 * @returns the shape without the axes, and the dtype of `x`
 * @throws ShapeError, AxisError, ArgumentError as {@link max}
 * @example
 * ```js
 * import { min, tensor } from 'tenfold';
 * min(tensor([[1, 5], [7, 3]]), { axis: 1 }).toArray(); // => [1, 3]
 * ```
 */
export const min: Reduction<'same'> = extreme('min', 'reduceMin');

const arg = (operation: string, primitive: 'argmax' | 'argmin'): ArgReduction =>
  withOptions(operation, usual, (x: Tensor, { axis, keepDims = false }: ReductionOptions<number | undefined>) => {
    const node = counted(operation)(x);
    if (Array.isArray(axis)) {
      throw new ArgumentError({
        operation,
        given: `the axes [${axis.join(', ')}]`,
        rule: 'a position is along one axis, or in the flattened tensor',
        hint: 'Give one axis, or none.',
      });
    }
    const axes = axesOf(operation, node, axis);
    refuseEmpty(operation, x, axes);
    const flat = axis === undefined ? b.reshape(node, { shape: [sizeOf(node.shape)] }) : node;
    const result = b[primitive](flat, { axes: axis === undefined ? [0] : axes });
    return wrap(keepDims ? b.reshape(result, { shape: keptShape(node, axes) }) : result);
  });

/**
 * The position of the largest element along an axis: the first where there are several, that of the first NaN if
 * there is one.
 *
 * @param x a tensor with at least one element along the axis
 * @param options the axis, and whether it stays; without an axis the position in the flattened tensor
 * @returns the shape without the axis, int32
 * @throws ShapeError when the axis is empty
 * @throws AxisError, ArgumentError as {@link sum}
 * @example
 * ```js
 * import { argmax, tensor } from 'tenfold';
 * const x = tensor([[1, 5], [7, 3]]);
 * argmax(x).item(); // => 2
 * argmax(x, { axis: 1 }).toArray(); // => [1, 0]
 * ```
 */
export const argmax: ArgReduction = arg('argmax', 'argmax');

/**
 * The position of the smallest element along an axis: the first where there are several, that of the first NaN if
 * there is one.
 *
 * @param x a tensor with at least one element along the axis
 * @param options the axis, and whether it stays; without an axis the position in the flattened tensor
 * @returns the shape without the axis, int32
 * @throws ShapeError, AxisError, ArgumentError as {@link argmax}
 * @example
 * ```js
 * import { argmin, tensor } from 'tenfold';
 * argmin(tensor([[1, 5], [7, 3]]), { axis: 1 }).toArray(); // => [0, 1]
 * ```
 */
export const argmin: ArgReduction = arg('argmin', 'argmin');

/** In two passes: the difference of the mean square and the squared mean would lose all digits far from 0. */
const varianceOf = (operation: string, x: Tensor, options: ReductionOptions & VarianceOptions): Node => {
  const { ddof = 0 } = options;
  if (!Number.isFinite(ddof)) {
    throw new ArgumentError({
      operation,
      given: `ddof ${String(ddof)}`,
      rule: 'the number taken off the number of elements is finite',
      hint: 'Use 0 for the variance of the elements themselves, 1 for an estimate from a sample.',
    });
  }
  return reduceBy(operation, floats(operation)(x), options, (node, axes) => {
    const off = b.sub(node, unreduce(b, meanOf(node, axes), node, axes));
    return divided(b.sum(b.mul(off, off), { axes }), Math.max(0, countOf(node, axes) - ddof));
  });
};

const spread = (operation: string, finish: (variance: Node) => Node): Reduction<'float', VarianceOptions> =>
  withOptions(operation, [...usual, 'ddof'], (x: Tensor, options: ReductionOptions & VarianceOptions) =>
    wrap(finish(varianceOf(operation, x, options))),
  );

/**
 * The variance of the elements along the axes, `Σ (x − mean)² / (n − ddof)`, in two passes. With `ddof` 0 (the
 * default, as in NumPy) it is that of the elements themselves, with 1 (PyTorch's default) the unbiased estimate from
 * a sample. NaN for no elements, and for one with `ddof` 1.
 *
 * @param x any tensor
 * @param options the axes, whether they stay, and `ddof`
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link sum}
 * @throws ArgumentError when `ddof` is no finite number
 * @example
 * ```js
 * import { tensor, variance } from 'tenfold';
 * const x = tensor([1, 2, 3, 4]);
 * variance(x).item(); // => 1.25
 * variance(x, { ddof: 1 }).item(); // => 1.6666666
 * ```
 */
export const variance: Reduction<'float', VarianceOptions> = spread('variance', x => x);

/**
 * The standard deviation along the axes: the square root of the {@link variance}. Its derivative is NaN where all
 * elements are equal.
 *
 * @param x any tensor
 * @param options the axes, whether they stay, and `ddof` (default 0)
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link variance}
 * @example
 * ```js
 * import { std, tensor } from 'tenfold';
 * std(tensor([[1, 3], [2, 8]]), { axis: 1 }).toArray(); // => [1, 3]
 * ```
 */
export const std: Reduction<'float', VarianceOptions> = spread('std', b.sqrt);

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
 * @example
 * ```js
 * import { logsumexp, tensor } from 'tenfold';
 * logsumexp(tensor([1000, 1000])).item(); // => 1000.6931
 * logsumexp(tensor([0, -Infinity])).item(); // => 0
 * ```
 */
export const logsumexp: Reduction<'float'> = reduction('logsumexp', floats('logsumexp'), (x, axes) => {
  if (countOf(x, axes) === 0) return b.log(b.sum(x, { axes }));
  const shift = shiftOf(x, axes);
  const total = b.sum(b.exp(b.sub(x, unreduce(b, shift, x, axes))), { axes });
  // The logarithm's derivative at 0 is ∞; a 1 in its place keeps that out of the derivative.
  const none = b.eq(total, full(b, total, 0));
  const log = b.log(b.select(none, full(b, total, 1), total));
  return b.add(b.select(none, full(b, total, Number.NEGATIVE_INFINITY), log), shift);
});
