/** Smooth activation functions of networks, and gated units. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { normalizeAxis, type Shape, showAval } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Halved } from '../../types/lengths.js';
import { atLeast, atMost, checkNumber, plus, times } from '../common/numbers.js';
import { withOptions } from '../common/options.js';
import type { OneAxis } from '../reduction/reducing.js';
import { floats, floatUnary } from './builders.js';
import type { FloatUnary } from './elementary.js';

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

/** What {@link softplus} takes beside the tensor. */
export interface SoftplusOptions {
  /** How sharp the bend is: the function is `log(1 + exp(beta · x)) / beta`. Above 0, default 1. */
  readonly beta?: number;
  /** Where `beta · x` is above this, the result is `x` itself. Default ∞: nowhere. */
  readonly threshold?: number;
}

/** What {@link glu} and {@link geglu} take beside the tensor. */
export interface GatedOptions {
  /** The axis that is cut in two, of even length. Default −1, the last. */
  readonly axis?: number;
}

/** A gated unit: a function of a tensor and an axis, which it leaves with half of its length. */
export interface Gated<Op extends string> {
  <S extends Shape, D extends DType, const A extends number = -1>(
    x: Tensor<S, D> & Ok<Halved<Op, S, A>>,
    options?: GatedOptions & OneAxis<A>,
  ): Tensor<Fit<Halved<Op, S, A>>, Floating<D>>;
  <const A extends number = -1>(
    options?: GatedOptions & OneAxis<A>,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Halved<Op, S, A>>,
  ) => Tensor<Fit<Halved<Op, S, A>>, Floating<D>>;
  // The last signature is the one the compiler sees in `pipe(x, glu)` and `vmap(glu)`.
  <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Halved<Op, S, -1>>,
  ): Tensor<Fit<Halved<Op, S, -1>>, Floating<D>>;
}

const exactGelu = (x: Node): Node => b.mul(times(x, 0.5), plus(b.erf(times(x, Math.SQRT1_2)), 1));

/** With (1 + tanh u) / 2 = sigmoid(2u), which keeps its digits where it is close to 0. */
const geluByTanh = (x: Node): Node => {
  const cubed = b.mul(x, b.mul(x, x));
  return b.mul(x, b.sigmoid(times(b.add(x, times(cubed, 0.044715)), 2 * Math.sqrt(2 / Math.PI))));
};

/**
 * The sigmoid linear unit, also called swish: `x · sigmoid(x)`. NaN at −∞, as that is −∞ · 0.
 *
 * Source: Elfwing, Uchibe & Doya 2017, arXiv:1702.03118, eq. 5.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.nn.silu
 * @pytorch torch.nn.functional.silu
 * @example
 * ```js
 * import { silu, tensor } from 'tenfold';
 * silu(tensor([-1, 0, 1])).toArray(); // => [-0.26894143, 0, 0.7310586]
 * ```
 */
export const silu: FloatUnary = floatUnary('silu', x => b.mul(x, b.sigmoid(x)));

/**
 * The Gaussian error linear unit: `x · Φ(x) = x/2 · (1 + erf(x/√2))`, or with `approximate: 'tanh'`
 * `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`. NaN at −∞, as that is −∞ · 0.
 *
 * Source: Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or `approximate` something else
 * @numpy jax.nn.gelu
 * @pytorch torch.nn.functional.gelu
 * @example
 * ```js
 * import { gelu, tensor } from 'tenfold';
 * gelu(tensor([-1, 0, 1])).toArray(); // => [-0.15865526, 0, 0.8413447]
 * gelu(tensor([-1, 0, 1]), { approximate: 'tanh' }).toArray(); // => [-0.158808, 0, 0.841192]
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
    return wrap((approximate === 'tanh' ? geluByTanh : exactGelu)(floats('gelu', x)));
  },
);

/**
 * `x · tanh(softplus(x))`, a smooth function like {@link silu}. With `n = eˣ(eˣ + 2)` the factor is `n / (n + 2)`, which
 * needs one exponential.
 *
 * Source: Misra 2019, arXiv:1908.08681, eq. 1.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link silu}
 * @numpy jax.nn.mish
 * @pytorch torch.nn.functional.mish
 * @example
 * ```js
 * import { mish, tensor } from 'tenfold';
 * mish(tensor([-1, 0, 1])).toArray(); // => [-0.30340147, 0, 0.86509836]
 * ```
 */
export const mish: FloatUnary = floatUnary('mish', x => {
  // Beyond these bounds the factor is 0 and 1 in all digits: no exponential overflows, and nothing becomes ∞ · 0.
  const low = atLeast(x, -1000);
  const e = b.exp(atMost(low, 40));
  const n = b.mul(e, plus(e, 2));
  return b.mul(low, b.div(n, plus(n, 2)));
});

/**
 * `log(1 + eˣ)`, a smooth {@link relu} that overflows nowhere; with options `log(1 + exp(beta · x)) / beta`.
 *
 * @param options beta, 1 where left out, and the threshold above which the result is `x`. PyTorch's is 20 where left
 *   out; here there is none, as no threshold is needed for the result to be exact
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, beta not above 0, or the threshold no number or NaN
 * @throws TraceError when an option is a placeholder
 * @numpy jax.nn.softplus
 * @pytorch torch.nn.functional.softplus
 * @example
 * ```js
 * import { softplus, tensor } from 'tenfold';
 * softplus(tensor([-1000, 0, 1000])).toArray(); // => [0, 0.6931472, 1000]
 * softplus(tensor([0, 1]), { beta: 2 }).toArray(); // => [0.3465736, 1.063464]
 * ```
 */
export const softplus: FloatUnaryWith<SoftplusOptions> = withOptions(
  'softplus',
  ['beta', 'threshold'],
  (x: Tensor, { beta = 1, threshold = Number.POSITIVE_INFINITY }: SoftplusOptions) => {
    checkNumber('softplus', 'beta', beta, 'positive');
    checkNumber('softplus', 'threshold', threshold);
    const node = floats('softplus', x);
    const scaled = times(node, beta);
    const soft = times(b.logaddexp(scaled, full(b, node, 0)), 1 / beta);
    const limit = full(b, node, threshold);
    return wrap(threshold === Number.POSITIVE_INFINITY ? soft : b.select(b.gt(scaled, limit), node, soft));
  },
);

/**
 * The logarithm of the sigmoid, `−log(1 + e⁻ˣ)`, which overflows nowhere.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link silu}
 * @numpy jax.nn.log_sigmoid
 * @pytorch torch.nn.functional.logsigmoid
 * @example
 * ```js
 * import { logSigmoid, tensor } from 'tenfold';
 * logSigmoid(tensor([-1000, 0, 1000])).toArray(); // => [-1000, -0.6931472, 0]
 * ```
 */
export const logSigmoid: FloatUnary = floatUnary('logSigmoid', x => b.neg(b.logaddexp(b.neg(x), full(b, x, 0))));

/**
 * `x / (1 + |x|)`, between −1 and 1.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link silu}
 * @numpy jax.nn.soft_sign
 * @pytorch torch.nn.functional.softsign
 * @example
 * ```js
 * import { softsign, tensor } from 'tenfold';
 * softsign(tensor([-3, 0, Infinity])).toArray(); // => [-0.75, 0, 1]
 * ```
 */
export const softsign: FloatUnary = floatUnary('softsign', x => {
  // From far before that bound on the result is ±1 in all digits; ∞/∞ would be NaN.
  const inside = atMost(atLeast(x, -1e30), 1e30);
  return b.div(inside, plus(b.abs(inside), 1));
});

/**
 * `x − tanh(x)`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link silu}
 * @numpy —
 * @pytorch torch.nn.functional.tanhshrink
 * @example
 * ```js
 * import { tanhshrink, tensor } from 'tenfold';
 * tanhshrink(tensor([-1, 0, 20])).toArray(); // => [-0.23840582, 0, 19]
 * ```
 */
export const tanhshrink: FloatUnary = floatUnary('tanhshrink', x => b.sub(x, b.tanh(x)));

const halves = <Op extends string>(operation: Op, build: (x: Node, gate: Node) => Node): Gated<Op> =>
  withOptions(operation, ['axis'], (x: Tensor, { axis = -1 }: GatedOptions) => {
    const node = floats(operation, x);
    const { shape } = node;
    const at = normalizeAxis(operation, axis, shape);
    const half = shape[at]! / 2;
    if (!Number.isInteger(half)) {
      throw new ShapeError({
        operation,
        given: `${showAval(node)} along axis ${at}`,
        rule: 'the axis is cut into two halves, so its length is even',
        hint: 'The first half holds values, the second as many gates.',
      });
    }
    const part = (start: number): Node =>
      b.slice(node, {
        start: shape.map((_, i) => (i === at ? start : 0)),
        stop: shape.map((length, i) => (i === at ? start + half : length)),
        step: shape.map(() => 1),
      });
    return wrap(build(part(0), part(half)));
  });

/**
 * The gated linear unit: the first half of an axis times the sigmoid of the second.
 *
 * Source: Dauphin, Fan, Auli & Grangier 2016, arXiv:1612.08083, eq. 1.
 *
 * @param options the axis, the last where left out
 * @returns the shape of `x` with half of that axis; integers and bool give float32
 * @throws ShapeError when the axis has an odd length
 * @throws AxisError for an axis that `x` does not have
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor or an option unknown
 * @numpy jax.nn.glu
 * @pytorch torch.nn.functional.glu
 * @example
 * ```js
 * import { glu, tensor } from 'tenfold';
 * glu(tensor([1, 2, 0, 1000])).toArray(); // => [0.5, 2]
 * ```
 */
export const glu: Gated<'glu'> = halves('glu', (x, gate) => b.mul(x, b.sigmoid(gate)));

/**
 * {@link glu} with the exact {@link gelu} in the place of the sigmoid: the first half of an axis times the gelu of the
 * second.
 *
 * Source: Shazeer 2020, arXiv:2002.05202, eq. 5.
 *
 * @param options the axis, the last where left out
 * @returns the shape of `x` with half of that axis; integers and bool give float32
 * @throws ShapeError, AxisError, DTypeError, ArgumentError as {@link glu}
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { geglu, tensor } from 'tenfold';
 * geglu(tensor([1, 2, 0, 1])).toArray(); // => [0, 1.6826894]
 * ```
 */
export const geglu: Gated<'geglu'> = halves('geglu', (x, gate) => b.mul(x, exactGelu(gate)));
