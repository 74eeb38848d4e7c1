/** Exponentials that are normalised along an axis. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { unreduce } from '../../primitives/reduction.js';
import { normalizeAxis } from '../../shape.js';
import { type Tensor, wrap } from '../../tensor.js';
import { withOptions } from '../common/options.js';
import { floats } from '../elementwise/builders.js';
import type { AlongAxis } from './reducing.js';

/** What {@link softmax} and {@link logSoftmax} take beside the tensor. */
export interface SoftmaxOptions {
  /** The axis along which the elements belong together. Default −1, the last. */
  readonly axis?: number;
}

/** Elements less the largest along the axis, and the sum of their exponentials, spread over the axis again. */
const shifted = (
  x: Node,
  axes: readonly number[],
): { readonly low: Node; readonly exps: Node; readonly total: Node } => {
  const low = b.sub(x, unreduce(b, b.stopGradient(b.reduceMax(x, { axes })), x, axes));
  const exps = b.exp(low);
  return { low, exps, total: b.sum(exps, { axes }) };
};

const alongAxis = <Op extends string>(
  operation: Op,
  build: (x: Node, axes: readonly number[]) => Node,
): AlongAxis<Op, 'float', SoftmaxOptions> =>
  withOptions(operation, ['axis'], (x: Tensor, { axis = -1 }: SoftmaxOptions) => {
    const node = floats(operation, x);
    const at = normalizeAxis(operation, axis, node.shape);
    return wrap(node.shape[at] === 0 ? node : build(node, [at]));
  });

/**
 * `exp(x) / Σ exp(x)` along an axis: positive numbers with the sum 1. The largest element is taken off first, so
 * nothing overflows; elements of −∞ give 0, nothing but them NaN.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws AxisError for an axis that `x` does not have
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor or an option unknown
 * @numpy scipy.special.softmax
 * @pytorch torch.softmax
 * @example
 * ```js
 * import { softmax, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * softmax(tensor([0, Math.log(3)])).toArray(); // => [0.25, 0.75]
 * pipe(tensor([[1000, 1], [1000, 1]]), softmax({ axis: 0 })).toArray(); // => [[0.5, 0.5], [0.5, 0.5]]
 * ```
 */
export const softmax: AlongAxis<'softmax', 'float', SoftmaxOptions> = alongAxis('softmax', (x, axes) => {
  const { exps, total } = shifted(x, axes);
  return b.div(exps, unreduce(b, total, x, axes));
});

/**
 * The logarithm of {@link softmax}, `x − log Σ exp(x)` along an axis, without its loss of digits.
 *
 * @param x any tensor but a scalar
 * @param options the axis, the last where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws AxisError, DTypeError, ArgumentError as {@link softmax}
 * @numpy scipy.special.log_softmax
 * @pytorch torch.log_softmax
 * @example
 * ```js
 * import { logSoftmax, tensor } from 'tenfold';
 * logSoftmax(tensor([1000, 0])).toArray(); // => [0, -1000]
 * ```
 */
export const logSoftmax: AlongAxis<'logSoftmax', 'float', SoftmaxOptions> = alongAxis('logSoftmax', (x, axes) => {
  const { low, total } = shifted(x, axes);
  return b.sub(low, unreduce(b, b.log(total), x, axes));
});
