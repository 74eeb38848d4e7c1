/** Running sums, products and extremes: each element takes in all before it along an axis. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { before } from '../../primitives/scans.js';
import { normalizeAxis, type Shape, sameShape, showAval } from '../../shape.js';
import type { Arithmetic, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Equal } from '../../types/alike.js';
import type { Along } from '../../types/axes.js';
import type { NotAny, Only } from '../../types/known.js';
import { factors } from '../common/checks.js';
import { sliceAlong } from '../common/moving.js';
import { checkFlag, dualOfSeveral, withOptions } from '../common/options.js';
import { gatherAlong } from '../indexing/positions.js';
import { type AlongAxis, counted, floats, type OneAxis } from './reducing.js';

/** Along which axis, and from which end. */
export interface CumulativeOptions {
  /** Default −1, the last. */
  readonly axis?: number;
  /** Whether to go from the end to the start. Default false. */
  readonly reverse?: boolean;
}

interface Direction {
  readonly axis: number;
  readonly reverse: boolean;
}

const directionOf = (operation: string, x: Node, { axis = -1, reverse = false }: CumulativeOptions): Direction => {
  checkFlag(operation, 'reverse', reverse);
  return { axis: normalizeAxis(operation, axis, x.shape), reverse };
};

const cumulative = <F>(
  operation: string,
  operand: (x: unknown) => Node,
  build: (x: Node, direction: Direction) => Node,
): F =>
  withOptions(operation, ['axis', 'reverse'], (x: Tensor, options: CumulativeOptions) => {
    const node = operand(x);
    return wrap(build(node, directionOf(operation, node, options)));
  });

/**
 * The running sum along an axis: each element with all before it added up, floats in float64.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`, and its dtype; bool and uint8 count in int32
 * @throws AxisError for an axis that `x` does not have
 * @throws ArgumentError when `x` is no tensor, an option unknown or `reverse` no boolean
 * @numpy np.cumsum
 * @pytorch torch.cumsum
 * @example
 * ```js
 * import { cumsum, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * cumsum(x).toArray(); // => [[1, 3, 6], [4, 9, 15]]
 * cumsum(x, { axis: 0, reverse: true }).toArray(); // => [[5, 7, 9], [4, 5, 6]]
 * ```
 */
export const cumsum: AlongAxis<'cumsum', 'count', CumulativeOptions> = cumulative(
  'cumsum',
  counted('cumsum'),
  (x, direction) => b.cumsum(x, direction),
);

/** Nothing but the element where a scan starts. */
const firstOnly = (x: Node, { axis, reverse }: Direction): Node => {
  const length = x.shape[axis]!;
  if (length < 2) return x;
  const none = x.shape.map(() => 0);
  const rest = none.with(axis, length - 1);
  const first = reverse ? sliceAlong(x, axis, length - 1, length) : sliceAlong(x, axis, 0, 1);
  return b.pad(first, { low: reverse ? rest : none, high: reverse ? none : rest, interior: none });
};

/**
 * The running product along an axis. Its derivative is exact where there are zeros.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`, and its dtype; bool and uint8 count in int32
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy np.cumprod
 * @pytorch torch.cumprod
 * @example
 * ```js
 * import { cumprod, tensor } from 'tenfold';
 * cumprod(tensor([1, 2, 3, 4])).toArray(); // => [1, 2, 6, 24]
 * ```
 */
export const cumprod: AlongAxis<'cumprod', 'count', CumulativeOptions> = cumulative(
  'cumprod',
  counted('cumprod'),
  (x, direction) => b.recurrence(x, firstOnly(x, direction), direction),
);

const positionsOf = (op: 'cumargmax' | 'cumargmin', x: Node, { axis, reverse }: Direction): Node => {
  if (!reverse) return b[op](x, { axis });
  const flipped = b.flip(b[op](b.flip(x, { axes: [axis] }), { axis }), { axes: [axis] });
  return b.sub(full(b, flipped, x.shape[axis]! - 1), flipped);
};

const extremePositions = <Op extends 'cumargmax' | 'cumargmin'>(op: Op): AlongAxis<Op, 'int32', CumulativeOptions> =>
  cumulative(op, counted(op), (x, direction) => positionsOf(op, x, direction));

/**
 * Where the largest element so far along an axis is: the latest of equal ones. A NaN counts as larger than everything.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`, int32
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy —
 * @pytorch torch.cummax (indices)
 * @example
 * ```js
 * import { cumargmax, tensor } from 'tenfold';
 * cumargmax(tensor([2, 1, 2, 5, 3])).toArray(); // => [0, 0, 2, 3, 3]
 * ```
 */
export const cumargmax: AlongAxis<'cumargmax', 'int32', CumulativeOptions> = extremePositions('cumargmax');

/**
 * Where the smallest element so far along an axis is: the latest of equal ones. A NaN counts as smaller than everything.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`, int32
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy —
 * @pytorch torch.cummin (indices)
 * @example
 * ```js
 * import { cumargmin, tensor } from 'tenfold';
 * cumargmin(tensor([2, 3, 1, 5])).toArray(); // => [0, 0, 2, 2]
 * ```
 */
export const cumargmin: AlongAxis<'cumargmin', 'int32', CumulativeOptions> = extremePositions('cumargmin');

const running = <Op extends string>(
  operation: Op,
  op: 'cumargmax' | 'cumargmin',
): AlongAxis<Op, 'same', CumulativeOptions> =>
  withOptions(operation, ['axis', 'reverse'], (x: Tensor, options: CumulativeOptions) => {
    const node = counted(operation)(x);
    const direction = directionOf(operation, node, options);
    const taken = gatherAlong(node, positionsOf(op, node, direction), direction.axis);
    return wrap(taken.dtype === x.dtype ? taken : b.cast(taken, { dtype: x.dtype }));
  });

/**
 * The largest element so far along an axis; NaN from the first NaN on. The derivative goes to that element, the latest of equal
 * ones ({@link cumargmax}).
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns shape and dtype of `x`
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy np.maximum.accumulate
 * @pytorch torch.cummax (values)
 * @example
 * ```js
 * import { cummax, tensor } from 'tenfold';
 * cummax(tensor([2, 1, 5, 3])).toArray(); // => [2, 2, 5, 5]
 * ```
 */
export const cummax: AlongAxis<'cummax', 'same', CumulativeOptions> = running('cummax', 'cumargmax');

/**
 * The smallest element so far along an axis; NaN from the first NaN on. The derivative goes to that element, the latest of equal
 * ones ({@link cumargmin}).
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns shape and dtype of `x`
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy np.minimum.accumulate
 * @pytorch torch.cummin (values)
 * @example
 * ```js
 * import { cummin, tensor } from 'tenfold';
 * cummin(tensor([2, 3, 1, 5])).toArray(); // => [2, 2, 1, 1]
 * ```
 */
export const cummin: AlongAxis<'cummin', 'same', CumulativeOptions> = running('cummin', 'cumargmin');

/**
 * `log Σ exp(x)` of each element and all before it along an axis, without overflow: sums are kept relative to the largest element
 * so far. Nothing but −∞ gives −∞, with derivative 0.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`; integers and bool give float32
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy np.logaddexp.accumulate
 * @pytorch torch.logcumsumexp
 * @example
 * ```js
 * import { cumlogsumexp, tensor } from 'tenfold';
 * cumlogsumexp(tensor([1000, 1000, 0])).toArray(); // => [1000, 1000.6931, 1000.6931]
 * ```
 */
export const cumlogsumexp: AlongAxis<'cumlogsumexp', 'float', CumulativeOptions> = cumulative(
  'cumlogsumexp',
  floats('cumlogsumexp'),
  (x, direction) => {
    const { axis } = direction;
    if (x.shape[axis] === 0) return x;
    const still = b.stopGradient(x);
    const largest = gatherAlong(still, positionsOf('cumargmax', still, direction), axis);
    const [zero, infinity] = [full(b, x, 0), full(b, x, Number.POSITIVE_INFINITY)];
    const shift = b.select(b.lt(b.abs(largest), infinity), largest, zero);
    // Sums so far are brought down as the largest element goes up.
    const total = b.recurrence(b.exp(b.sub(before(b, shift, direction), shift)), b.exp(b.sub(x, shift)), direction);
    const empty = b.eq(total, zero);
    const log = b.log(b.select(empty, full(b, x, 1), total));
    return b.add(b.select(empty, full(b, x, Number.NEGATIVE_INFINITY), log), shift);
  },
);

/** The signatures of {@link linearRecurrence}. */
export interface LinearRecurrence {
  <
    T extends Shape,
    E extends DType,
    const A extends number = -1,
    const O extends Only<CumulativeOptions, O> = Record<never, never>,
  >(
    factors: Tensor<T, E> & NotAny<O>,
    options?: CumulativeOptions & OneAxis<A> & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Equal<'linearRecurrence', S, T>> & Ok<Along<'linearRecurrence', S, A>>,
  ) => Tensor<S, Arithmetic<Promote<D, E>>>;
  <S extends Shape, D extends DType, T extends Shape, E extends DType, const A extends number = -1>(
    x: Tensor<S, D>,
    factors: Tensor<T, E> & Ok<Equal<'linearRecurrence', S, T>>,
    options?: CumulativeOptions & OneAxis<A> & Ok<Along<'linearRecurrence', S, A>>,
  ): Tensor<S, Arithmetic<Promote<D, E>>>;
}

/**
 * The first-order linear recurrence `h[i] = factors[i] · h[i − 1] + x[i]` along an axis, `h[0] = x[0]`: exponential moving averages,
 * discounted returns (with `reverse`), state-space models. Floats are carried in float64.
 *
 * @param x any tensor but a scalar
 * @param factors of the shape of `x`; the first one is not used
 * @param options the axis, the last where left out, and whether to start at the end
 * @returns the shape of `x`, and the dtype that both promote to
 * @throws ShapeError when the shapes differ
 * @throws DTypeError for uint8, and for int32 with uint32
 * @throws AxisError, ArgumentError as {@link cumsum}
 * @numpy scipy.signal.lfilter
 * @pytorch —
 * @example
 * ```js
 * import { fullLike, linearRecurrence, tensor } from 'tenfold';
 * const rewards = tensor([0, 0, 1]);
 * linearRecurrence(rewards, fullLike(rewards, 0.5), { reverse: true }).toArray(); // => [0.25, 0.5, 1]
 * ```
 */
export const linearRecurrence: LinearRecurrence = dualOfSeveral(
  'linearRecurrence',
  2,
  ['axis', 'reverse'],
  (x: Tensor, by: Tensor, options: CumulativeOptions = {}) => {
    const [node, multipliers] = factors('linearRecurrence', [x, by]) as [Node, Node];
    if (!sameShape(node.shape, multipliers.shape)) {
      throw new ShapeError({
        operation: 'linearRecurrence',
        given: `${showAval(node)} with factors ${showAval(multipliers)}`,
        rule: 'there is one factor for each element',
        hint: 'Broadcast them first: broadcastTo(factors, x.shape).',
      });
    }
    return wrap(b.recurrence(multipliers, node, directionOf('linearRecurrence', node, options)));
  },
);
