/** Activation functions of networks. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import type { Node } from '../graph.js';
import { full } from '../primitives/full.js';
import { unreduce } from '../primitives/reduction.js';
import { normalizeAxis, type Shape } from '../shape.js';
import type { Floating } from '../shape-types.js';
import { type Tensor, wrap } from '../tensor.js';
import type { Unary } from './arithmetic.js';
import type { FloatUnary } from './elementary.js';
import { unaryOperand } from './operands.js';
import { withOptions } from './reducing.js';

/** A function of a tensor and options, data-first and data-last, that keeps the shape; integers become float32. */
export interface FloatUnaryWith<Options> {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options?: Options): Tensor<S, Floating<D>>;
  (options?: Options): FloatUnary;
  // The last signature is the one the compiler sees in `pipe(x, softmax)` and `vmap(softmax)`.
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, Floating<D>>;
}

/** What {@link gelu} takes beside the tensor. */
export interface GeluOptions {
  /** 'tanh' for the approximation by the hyperbolic tangent; 'none', the default, for the exact form. */
  readonly approximate?: 'none' | 'tanh';
}

/** What {@link softmax} and {@link logSoftmax} take beside the tensor. */
export interface SoftmaxOptions {
  /** The axis along which the elements belong together. Default −1, the last. */
  readonly axis?: number;
}

const floats = (operation: string, x: unknown): Node => unaryOperand(operation, x, { toFloat: true });

const times = (x: Node, factor: number): Node => b.mul(x, full(b, x, factor));

const plus = (x: Node, summand: number): Node => b.add(x, full(b, x, summand));

/**
 * The rectified linear unit: `x` above 0, else 0; NaN stays NaN. Its derivative at 0 is 0.
 *
 * @returns shape and dtype of `x`; bool becomes int32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @example
 * ```js
 * import { relu, tensor } from 'tenfold';
 * relu(tensor([-1, 0, 2])).toArray(); // => [0, 0, 2]
 * ```
 */
export const relu: Unary = (x => {
  const node = unaryOperand('relu', x, { boolAsInt: true });
  const zero = full(b, node, 0);
  // By comparison rather than by max, which would give half of the derivative at 0.
  return wrap(b.select(b.le(node, zero), zero, node));
}) as Unary;

/**
 * The sigmoid linear unit, also called swish: `x · sigmoid(x)`.
 *
 * Source: Elfwing, Uchibe & Doya 2017, arXiv:1702.03118, eq. 5.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @example
 * ```js
 * import { silu, tensor } from 'tenfold';
 * silu(tensor([-1, 0, 1])).toArray(); // => [-0.26894143, 0, 0.7310586]
 * ```
 */
export const silu: FloatUnary = (x => {
  const node = floats('silu', x);
  return wrap(b.mul(node, b.sigmoid(node)));
}) as FloatUnary;

/**
 * The Gaussian error linear unit: `x · Φ(x) = x/2 · (1 + erf(x/√2))`, or with `approximate: 'tanh'`
 * `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`.
 *
 * Source: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or `approximate` something else
 * @example
 * ```js
 * import { gelu, tensor } from 'tenfold';
 * gelu(tensor([-1, 0, 1])).toArray(); // => [-0.15865526, 0, 0.8413447]
 * gelu(tensor([-1, 0, 1]), { approximate: 'tanh' }).toArray(); // => [-0.15880796, 0, 0.841192]
 * ```
 */
export const gelu: FloatUnaryWith<GeluOptions> = withOptions(
  'gelu',
  ['approximate'],
  (x: Tensor, { approximate = 'none' }: GeluOptions) => {
    if (approximate !== 'none' && approximate !== 'tanh') {
      throw new ArgumentError({
        operation: 'gelu',
        given: `approximate: ${String(approximate)}`,
        rule: "there is 'tanh', and 'none' for the exact form",
        hint: "Write gelu(x) or gelu(x, { approximate: 'tanh' }).",
      });
    }
    const node = floats('gelu', x);
    const cubed = b.mul(node, b.mul(node, node));
    const share =
      approximate === 'tanh'
        ? b.tanh(times(b.add(node, times(cubed, 0.044715)), Math.sqrt(2 / Math.PI)))
        : b.erf(times(node, Math.SQRT1_2));
    return wrap(b.mul(times(node, 0.5), plus(share, 1)));
  },
);

/**
 * `log(1 + eˣ)`, a smooth {@link relu}, computed as `max(x, 0) + log(1 + exp(−|x|))`, which overflows nowhere.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @example
 * ```js
 * import { softplus, tensor } from 'tenfold';
 * softplus(tensor([-1000, 0, 1000])).toArray(); // => [0, 0.6931472, 1000]
 * ```
 */
export const softplus: FloatUnary = (x => {
  const node = floats('softplus', x);
  return wrap(b.add(b.max(node, full(b, node, 0)), b.log1p(b.exp(b.neg(b.abs(node))))));
}) as FloatUnary;

/** Elements less the largest along the axis, and the sum of their exponentials, spread over the axis again. */
const shifted = (
  x: Node,
  axes: readonly number[],
): { readonly low: Node; readonly exps: Node; readonly total: Node } => {
  const low = b.sub(x, unreduce(b, b.stopGradient(b.reduceMax(x, { axes })), x, axes));
  const exps = b.exp(low);
  return { low, exps, total: b.sum(exps, { axes }) };
};

const alongAxis = (
  operation: string,
  build: (x: Node, axes: readonly number[]) => Node,
): FloatUnaryWith<SoftmaxOptions> =>
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
 * @example
 * ```js
 * import { softmax, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * softmax(tensor([0, Math.log(3)])).toArray(); // => [0.25, 0.75]
 * pipe(tensor([[1000, 1], [1000, 1]]), softmax({ axis: 0 })).toArray(); // => [[0.5, 0.5], [0.5, 0.5]]
 * ```
 */
export const softmax: FloatUnaryWith<SoftmaxOptions> = alongAxis('softmax', (x, axes) => {
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
 * @example
 * ```js
 * import { logSoftmax, tensor } from 'tenfold';
 * logSoftmax(tensor([1000, 0])).toArray(); // => [0, -1000]
 * ```
 */
export const logSoftmax: FloatUnaryWith<SoftmaxOptions> = alongAxis('logSoftmax', (x, axes) => {
  const { low, total } = shifted(x, axes);
  return b.sub(low, unreduce(b, b.log(total), x, axes));
});
