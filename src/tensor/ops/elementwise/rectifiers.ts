/** Rectifiers: activation functions that leave positive elements as they are. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Shape, showAval } from '../../shape.js';
import type { Floating, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { atMost, between, checkNumber, times } from '../common/numbers.js';
import { commonOperands, dual, nodeFor, type Operand } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import type { FloatUnaryWith } from './activation.js';
import type { Unary } from './arithmetic.js';
import { floats, floatUnary, unary } from './builders.js';
import type { FloatUnary } from './elementary.js';

/** What {@link leakyRelu} takes beside the tensor. */
export interface LeakyReluOptions {
  /** The factor of negative elements. Default 0.01. */
  readonly negativeSlope?: number;
}

/** What {@link elu} and {@link celu} take beside the tensor. */
export interface EluOptions {
  /** How far down negative elements go: to `−alpha`. Default 1. */
  readonly alpha?: number;
}

/** The signatures of {@link prelu}. */
export interface Prelu {
  <S extends Shape, D extends DType, E extends DType>(
    x: Tensor<S, D>,
    weight: Tensor<Shape, E>,
  ): Tensor<S, Floating<Promote<D, E>>>;
  <S extends Shape, D extends DType>(x: Tensor<S, D>, weight: number): Tensor<S, Floating<D>>;
  <E extends DType>(
    weight: Tensor<Shape, E>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Floating<Promote<D, E>>>;
  (weight: number): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Floating<D>>;
}

/**
 * `x` where it is positive, else a function of what is not. The function gets 0 in the place of positive elements: an
 * exponential that overflows would make a NaN of the derivative that is not wanted there.
 */
const positiveOr = (x: Node, below: (x: Node) => Node): Node =>
  b.select(b.gt(x, full(b, x, 0)), x, below(atMost(x, 0)));

/** As {@link positiveOr}, of a tensor and one number among the options. */
const bent = <Options>(
  operation: string,
  option: string,
  usual: number,
  sign: 'any' | 'positive',
  below: (x: Node, value: number) => Node,
): FloatUnaryWith<Options> =>
  withOptions(operation, [option], (x: Tensor, { [option]: given = usual }: Readonly<Record<string, unknown>>) => {
    const value = checkNumber(operation, option, given, sign);
    return wrap(positiveOr(floats(operation, x), y => below(y, value)));
  });

/**
 * The rectified linear unit: `x` above 0, else 0; NaN stays NaN. Its derivative at 0 is 0.
 *
 * @returns shape and dtype of `x`; bool becomes int32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.nn.relu
 * @pytorch torch.relu
 * @example
 * ```js
 * import { relu, tensor } from 'tenfold';
 * relu(tensor([-1, 0, 2])).toArray(); // => [0, 0, 2]
 * ```
 */
export const relu: Unary = unary('relu', x => {
  const zero = full(b, x, 0);
  // By comparison rather than by max, which would give half of the derivative at 0.
  return b.select(b.le(x, zero), zero, x);
});

/**
 * `min(max(x, 0), 6)`, the rectified linear unit with a ceiling; NaN stays NaN. Its derivative at 0 and at 6 is 0.
 *
 * Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.
 *
 * @returns shape and dtype of `x`; bool becomes int32
 * @throws DTypeError, ArgumentError as {@link relu}
 * @numpy jax.nn.relu6
 * @pytorch torch.nn.functional.relu6
 * @example
 * ```js
 * import { relu6, tensor } from 'tenfold';
 * relu6(tensor([-1, 2, 8])).toArray(); // => [0, 2, 6]
 * ```
 */
export const relu6: Unary = unary('relu6', x => between(x, 0, 6));

/**
 * `x` above 0, else `negativeSlope · x`. Its derivative at 0 is the slope.
 *
 * Source: Maas, Hannun & Ng 2013, Rectifier nonlinearities improve neural network acoustic models.
 *
 * @param options the slope, 0.01 where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or the slope no number or NaN
 * @throws TraceError when the slope is a placeholder
 * @numpy jax.nn.leaky_relu
 * @pytorch torch.nn.functional.leaky_relu
 * @example
 * ```js
 * import { leakyRelu, tensor } from 'tenfold';
 * leakyRelu(tensor([-2, 0, 3]), { negativeSlope: 0.5 }).toArray(); // => [-1, 0, 3]
 * ```
 */
export const leakyRelu: FloatUnaryWith<LeakyReluOptions> = bent('leakyRelu', 'negativeSlope', 0.01, 'any', times);

/**
 * `x` above 0, else `weight · x`: {@link leakyRelu} with slopes that can be learnt. Its derivative at 0 is the slope.
 *
 * Source: He, Zhang, Ren & Sun 2015, arXiv:1502.01852, eq. 1.
 *
 * @param x any tensor; its channels are axis 1
 * @param weight one slope (a number, a scalar, a vector of length 1), or a vector with one for each channel
 * @returns the shape of `x`, the promoted dtype; integers and bool give float32
 * @throws ShapeError when the weight has more axes than one, or is not as long as axis 1 of `x`
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, or the weight neither tensor nor number
 * @numpy —
 * @pytorch torch.nn.functional.prelu
 * @example
 * ```js
 * import { prelu, tensor } from 'tenfold';
 * prelu(tensor([[-2, -2], [4, 4]]), tensor([0.5, 0.25])).toArray(); // => [[-1, -0.5], [4, 4]]
 * ```
 */
export const prelu: Prelu = dual(2, (x: Tensor, weight: Operand) => {
  const node = floats('prelu', x);
  const slope = typeof weight === 'number' ? weight : spread(nodeFor('prelu', weight), node);
  const [values, slopes] = commonOperands('prelu', [wrap(node), slope], { toFloat: true });
  return wrap(positiveOr(values!, y => b.mul(slopes!, y)));
});

/** Slopes in a shape that broadcasts against `x`. */
const spread = (weight: Node, x: Node): Tensor => {
  const [channels = 1] = weight.shape;
  const single = channels === 1;
  if (weight.shape.length > 1 || !(single || x.shape[1] === channels)) {
    throw new ShapeError({
      operation: 'prelu',
      given: `${showAval(x)} with the weight ${showAval(weight)}`,
      rule: 'the weight is one slope, or a vector with one for each channel, which are axis 1',
      hint: 'Give a vector as long as axis 1 of x, or a number.',
    });
  }
  return wrap(b.reshape(weight, { shape: single ? [] : [channels, ...x.shape.slice(2).map(() => 1)] }));
};

/**
 * The exponential linear unit: `x` above 0, else `alpha · (eˣ − 1)`. Its derivative at 0 is `alpha`.
 *
 * Source: Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289.
 *
 * @param options alpha, 1 where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or alpha no number or NaN
 * @throws TraceError when alpha is a placeholder
 * @numpy jax.nn.elu
 * @pytorch torch.nn.functional.elu
 * @example
 * ```js
 * import { elu, tensor } from 'tenfold';
 * elu(tensor([-1, 0, 2])).toArray(); // => [-0.63212055, 0, 2]
 * elu(tensor([-Infinity]), { alpha: 0.5 }).toArray(); // => [-0.5]
 * ```
 */
export const elu: FloatUnaryWith<EluOptions> = bent('elu', 'alpha', 1, 'any', (x, alpha) => times(b.expm1(x), alpha));

/**
 * The continuously differentiable exponential linear unit: `x` above 0, else `alpha · (exp(x / alpha) − 1)`.
 *
 * Source: Barron 2017, arXiv:1704.07483.
 *
 * @param options alpha, above 0; 1 where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or alpha not a number above 0
 * @throws TraceError when alpha is a placeholder
 * @numpy jax.nn.celu
 * @pytorch torch.nn.functional.celu
 * @example
 * ```js
 * import { celu, tensor } from 'tenfold';
 * celu(tensor([-1, 0, 2]), { alpha: 0.5 }).toArray(); // => [-0.43233237, 0, 2]
 * ```
 */
export const celu: FloatUnaryWith<EluOptions> = bent('celu', 'alpha', 1, 'positive', (x, alpha) =>
  times(b.expm1(times(x, 1 / alpha)), alpha),
);

/** Of arXiv:1706.02515: with them, mean 0 and variance 1 are a fixed point. */
const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

/**
 * The scaled exponential linear unit `scale · elu(x, alpha)`, with scale 1.0507… and alpha 1.6732… such that mean 0 and
 * variance 1 stay as they are.
 *
 * Source: Klambauer, Unterthiner, Mayr & Hochreiter 2017, arXiv:1706.02515, eq. 2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.nn.selu
 * @pytorch torch.selu
 * @example
 * ```js
 * import { selu, tensor } from 'tenfold';
 * selu(tensor([-1, 0, 1])).toArray(); // => [-1.1113307, 0, 1.050701]
 * ```
 */
export const selu: FloatUnary = floatUnary('selu', x =>
  times(
    positiveOr(x, y => times(b.expm1(y), seluAlpha)),
    seluScale,
  ),
);
