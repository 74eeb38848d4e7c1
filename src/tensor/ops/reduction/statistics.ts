/** Spread and order statistics along axes. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { unreduce } from '../../primitives/reduction.js';
import { range, type Shape } from '../../shape.js';
import type { Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Reduce } from '../../types/axes.js';
import { kindOf } from '../common/checks.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { checkFlag, dualChecked, withOptions } from '../common/options.js';
import { gatherAlong } from '../indexing/positions.js';
import {
  axesOf,
  countOf,
  divided,
  floats,
  keptShape,
  type ReductionOptions,
  reduceBy,
  refuseEmpty,
  usual,
} from './reducing.js';
import type { Reduction } from './reduction.js';

/** What {@link variance} and {@link std} take beside the axes. */
export interface VarianceOptions {
  /** "Delta degrees of freedom": the divisor is the number of elements minus this. Default 0; 1 is Bessel's. */
  readonly ddof?: number;
}

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
    const mean = divided(b.sum(node, { axes }), countOf(node, axes));
    const off = b.sub(node, unreduce(b, mean, node, axes));
    return divided(b.sum(b.mul(off, off), { axes }), Math.max(0, countOf(node, axes) - ddof));
  });
};

const spread = <Op extends string>(
  operation: Op,
  finish: (variance: Node) => Node,
): Reduction<Op, 'float', VarianceOptions> =>
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
 * @numpy np.var
 * @pytorch torch.var
 * @example
 * ```js
 * import { tensor, variance } from 'tenfold';
 * const x = tensor([1, 2, 3, 4]);
 * variance(x).item(); // => 1.25
 * variance(x, { ddof: 1 }).item(); // => 1.6666666
 * ```
 */
export const variance: Reduction<'variance', 'float', VarianceOptions> = spread('variance', x => x);

/**
 * The standard deviation along the axes: the square root of the {@link variance}. Its derivative is NaN where all
 * elements are equal.
 *
 * @param x any tensor
 * @param options the axes, whether they stay, and `ddof` (default 0)
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link variance}
 * @numpy np.std
 * @pytorch torch.std
 * @example
 * ```js
 * import { std, tensor } from 'tenfold';
 * std(tensor([[1, 3], [2, 8]]), { axis: 1 }).toArray(); // => [1, 3]
 * ```
 */
export const std: Reduction<'std', 'float', VarianceOptions> = spread('std', b.sqrt);

/** What to make of a quantile that lies between two elements. */
export type QuantileInterpolation = 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';

/** What {@link quantile} and {@link median} take beside the axes. */
export interface QuantileOptions {
  /** `'linear'` if left out: as far between the two as the quantile is. `'midpoint'` is their mean. */
  readonly interpolation?: QuantileInterpolation;
}

const interpolations: readonly string[] = ['linear', 'lower', 'higher', 'nearest', 'midpoint'];

/** The two places that a quantile of `count` sorted elements lies between, and the weight of the second. */
const between = (q: number, count: number, interpolation: QuantileInterpolation): readonly [number, number, number] => {
  const at = q * (count - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  switch (interpolation) {
    case 'lower':
      return [low, low, 0];
    case 'higher':
      return [high, high, 0];
    case 'nearest':
      // Halfway goes to the even neighbour.
      return at - low > 0.5 || (at - low === 0.5 && low % 2 === 1) ? [high, high, 0] : [low, low, 0];
    case 'midpoint':
      return [low, high, low === high ? 0 : 0.5];
    default:
      return [low, high, at - low];
  }
};

const quantilesOf = (
  operation: string,
  x: Tensor,
  qs: readonly number[],
  { axis, keepDims = false, interpolation = 'linear' }: ReductionOptions & QuantileOptions,
): readonly Node[] => {
  const node = floats(operation)(x);
  if (!interpolations.includes(interpolation)) {
    throw new ArgumentError({
      operation,
      given: `the interpolation ${kindOf(interpolation)}`,
      rule: `it is one of ${interpolations.join(', ')}`,
      hint: "Leave it out for 'linear'.",
    });
  }
  checkFlag(operation, 'keepDims', keepDims);
  const axes = axesOf(operation, node, axis);
  refuseEmpty(operation, node, axes);
  const kept = range(node.shape.length).filter(each => !axes.includes(each));
  const shape = kept.map(each => node.shape[each]!);
  const [last, count] = [shape.length, countOf(node, axes)];
  const rows = reshapeNode(permuteNode(node, [...kept, ...axes]), [...shape, count]);
  const order = b.argsort(rows, { axis: last });
  const largest = b.stopGradient(b.reduceMax(rows, { axes: [last] }));
  const hasNaN = b.ne(largest, largest);
  const elementAt = (place: number): Node =>
    b.reshape(gatherAlong(rows, sliceAlong(order, last, place, place + 1), last), { shape });
  return qs.map(q => {
    const [low, high, weight] = between(q, count, interpolation);
    const scaled = (y: Node, by: number): Node => b.mul(y, full(b, y, by));
    const value =
      weight === 0 ? elementAt(low) : b.add(scaled(elementAt(low), 1 - weight), scaled(elementAt(high), weight));
    const result = b.select(hasNaN, largest, value);
    return keepDims ? b.reshape(result, { shape: keptShape(node, axes) }) : result;
  });
};

/** The shape of one quantile, or of several along a new first axis. */
type Quantiles<R, Q> = R extends Shape
  ? [Q] extends [number]
    ? R
    : [Q] extends [readonly number[]]
      ? readonly [Q['length'], ...R]
      : Shape
  : Shape;

/** The signatures of {@link quantile}. */
export interface Quantile {
  <
    S extends Shape,
    D extends DType,
    const Q extends number | readonly number[],
    const A extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    x: Tensor<S, D>,
    q: Q,
    options?: ReductionOptions<A, K> & QuantileOptions & Ok<Reduce<'quantile', S, A, K>>,
  ): Tensor<Quantiles<Reduce<'quantile', S, A, K>, Q>, Floating<D>>;
  <
    const Q extends number | readonly number[],
    const A extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    q: Q,
    options?: ReductionOptions<A, K> & QuantileOptions,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Reduce<'quantile', S, A, K>>,
  ) => Tensor<Quantiles<Reduce<'quantile', S, A, K>, Q>, Floating<D>>;
}

/**
 * The quantile of the elements along the axes: that below which a share `q` of them lies, between two elements by linear
 * interpolation unless told otherwise. NaN if there is one. The derivative goes to the elements that it is made of.
 *
 * @param q from 0 to 1; of several the results are stacked along a new first axis
 * @param options the axes, whether they stay, and the interpolation
 * @returns the shape without the axes; integers and bool give float32
 * @throws ArgumentError when a `q` is no number from 0 to 1, the interpolation unknown, or `x` no tensor
 * @throws ShapeError when an axis is empty
 * @throws AxisError for an axis that `x` does not have
 * @numpy np.quantile
 * @pytorch torch.quantile
 * @example
 * ```js
 * import { quantile, tensor } from 'tenfold';
 * const x = tensor([4, 1, 3, 2]);
 * quantile(x, 0.5).item(); // => 2.5
 * quantile(x, [0, 0.25, 1]).toArray(); // => [1, 1.75, 4]
 * quantile(x, 0.5, { interpolation: 'lower' }).item(); // => 2
 * ```
 */
export const quantile: Quantile = dualChecked(
  'quantile',
  2,
  [...usual, 'interpolation'],
  (x: Tensor, q: number | readonly number[], options: ReductionOptions & QuantileOptions = {}) => {
    const qs = Array.isArray(q) ? (q as readonly number[]) : [q as number];
    const wrong = qs.findIndex(each => typeof each !== 'number' || !(each >= 0 && each <= 1));
    if (wrong >= 0 || qs.length === 0) {
      throw new ArgumentError({
        operation: 'quantile',
        given: `${kindOf(wrong < 0 ? q : qs[wrong])} as q`,
        rule: 'a quantile is a number from 0 to 1, or several of them in an array',
        hint: 'The median is 0.5.',
      });
    }
    const results = quantilesOf('quantile', x, qs, options);
    if (!Array.isArray(q)) return wrap(results[0]!);
    return wrap(
      b.concat(
        results.map(y => b.reshape(y, { shape: [1, ...y.shape] })),
        { axis: 0 },
      ),
    );
  },
);

/**
 * The median of the elements along the axes: the middle one, or the mean of the two in the middle. NaN if there is one.
 * With `{ interpolation: 'lower' }` it is PyTorch's, the lower of the two.
 *
 * @param options the axes, whether they stay, and what to make of an even number of elements
 * @returns the shape without the axes; integers and bool give float32
 * @throws ShapeError, AxisError, ArgumentError as {@link quantile}
 * @numpy np.median
 * @pytorch torch.median
 * @example
 * ```js
 * import { median, tensor } from 'tenfold';
 * median(tensor([[5, 1, 3], [2, 8, 4]]), { axis: 1 }).toArray(); // => [3, 4]
 * median(tensor([4, 1, 3, 2])).item(); // => 2.5
 * ```
 */
export const median: Reduction<'median', 'float', QuantileOptions> = withOptions(
  'median',
  [...usual, 'interpolation'],
  (x: Tensor, options: ReductionOptions & QuantileOptions) => wrap(quantilesOf('median', x, [0.5], options)[0]!),
);
