/** Elementary functions and rounding, elementwise. */
import { b } from '../../build.js';
import { type DType, isFloat } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import type { Shape } from '../../shape.js';
import { type Tensor, wrap } from '../../tensor.js';
import { nodeFor } from '../common/operands.js';
import { type FloatUnary, floating } from './floating.js';

export type { FloatUnary } from './floating.js';

/** A function of one tensor that keeps shape and dtype. */
export type Rounding = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;

const rounding = (operation: string, build: (x: Node) => Node): Rounding =>
  (x => {
    const node = nodeFor(operation, x);
    return wrap(isFloat(node.dtype) ? build(node) : node);
  }) as Rounding;

/**
 * `eˣ`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.exp
 * @pytorch torch.exp
 * @example
 * ```js
 * import { exp, tensor } from 'tenfold';
 * exp(tensor([0, 1, -Infinity])).toArray(); // => [1, 2.7182817, 0]
 * ```
 */
export const exp: FloatUnary = floating('exp', b.exp);

/**
 * `2ˣ`, exact where `x` is an integer.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.exp2
 * @pytorch torch.exp2
 * @example
 * ```js
 * import { exp2, tensor } from 'tenfold';
 * exp2(tensor([0, 10, -3, 0.5])).toArray(); // => [1, 1024, 0.125, 1.4142135]
 * ```
 */
export const exp2: FloatUnary = floating('exp2', x => b.pow(full(b, x, 2), x));

/**
 * `eˣ − 1`, accurate for small `x`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.expm1
 * @pytorch torch.expm1
 * @example
 * ```js
 * import { expm1, tensor } from 'tenfold';
 * expm1(tensor([0, 1e-10])).toArray(); // => [0, 1e-10]
 * ```
 */
export const expm1: FloatUnary = floating('expm1', b.expm1);

/**
 * The natural logarithm; −∞ at 0, NaN below.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.log
 * @pytorch torch.log
 * @example
 * ```js
 * import { log, tensor } from 'tenfold';
 * log(tensor([1, 10, 0, -1])).toArray(); // => [0, 2.3025851, -Infinity, NaN]
 * ```
 */
export const log: FloatUnary = floating('log', b.log);

/**
 * `log(1 + x)`, accurate for small `x`; −∞ at −1, NaN below.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.log1p
 * @pytorch torch.log1p
 * @example
 * ```js
 * import { log1p, tensor } from 'tenfold';
 * log1p(tensor([0, 1e-10, -1])).toArray(); // => [0, 1e-10, -Infinity]
 * ```
 */
export const log1p: FloatUnary = floating('log1p', b.log1p);

/**
 * The logarithm to base 2; −∞ at 0, NaN below.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.log2
 * @pytorch torch.log2
 * @example
 * ```js
 * import { log2, tensor } from 'tenfold';
 * log2(tensor([1, 2, 1024])).toArray(); // => [0, 1, 10]
 * ```
 */
export const log2: FloatUnary = floating('log2', x => b.div(b.log(x), full(b, x, Math.LN2)));

/**
 * The logarithm to base 10; −∞ at 0, NaN below.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.log10
 * @pytorch torch.log10
 * @example
 * ```js
 * import { log10, tensor } from 'tenfold';
 * log10(tensor([1, 10, 1000])).toArray(); // => [0, 1, 3]
 * ```
 */
export const log10: FloatUnary = floating('log10', x => b.div(b.log(x), full(b, x, Math.LN10)));

/**
 * The square root; NaN below 0. Its derivative at 0 is infinite.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.sqrt
 * @pytorch torch.sqrt
 * @example
 * ```js
 * import { sqrt, tensor } from 'tenfold';
 * sqrt(tensor([4, 2, -1])).toArray(); // => [2, 1.4142135, NaN]
 * ```
 */
export const sqrt: FloatUnary = floating('sqrt', b.sqrt);

/**
 * `1 / √x`; ∞ at 0, NaN below.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy jax.lax.rsqrt
 * @pytorch torch.rsqrt
 * @example
 * ```js
 * import { rsqrt, tensor } from 'tenfold';
 * rsqrt(tensor([4, 0.25, 0])).toArray(); // => [0.5, 2, Infinity]
 * ```
 */
export const rsqrt: FloatUnary = floating('rsqrt', b.rsqrt);

/**
 * `1 / x`; ∞ at 0, −∞ at −0.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.reciprocal
 * @pytorch torch.reciprocal
 * @example
 * ```js
 * import { reciprocal, tensor } from 'tenfold';
 * reciprocal(tensor([2, -4, 0])).toArray(); // => [0.5, -0.25, Infinity]
 * ```
 */
export const reciprocal: FloatUnary = floating('reciprocal', x => b.div(full(b, x, 1), x));

/**
 * The sine of an angle in radians.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.sin
 * @pytorch torch.sin
 * @example
 * ```js
 * import { sin, tensor } from 'tenfold';
 * sin(tensor([0, Math.PI / 2])).toArray(); // => [0, 1]
 * ```
 */
export const sin: FloatUnary = floating('sin', b.sin);

/**
 * The cosine of an angle in radians.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.cos
 * @pytorch torch.cos
 * @example
 * ```js
 * import { cos, tensor } from 'tenfold';
 * cos(tensor([0, Math.PI])).toArray(); // => [1, -1]
 * ```
 */
export const cos: FloatUnary = floating('cos', b.cos);

/**
 * The tangent of an angle in radians.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.tan
 * @pytorch torch.tan
 * @example
 * ```js
 * import { tan, tensor } from 'tenfold';
 * tan(tensor([0, Math.PI / 4])).toArray(); // => [0, 1]
 * ```
 */
export const tan: FloatUnary = floating('tan', b.tan);

/**
 * The hyperbolic tangent, between −1 and 1.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy np.tanh
 * @pytorch torch.tanh
 * @example
 * ```js
 * import { tanh, tensor } from 'tenfold';
 * tanh(tensor([0, 0.5, Infinity])).toArray(); // => [0, 0.46211717, 1]
 * ```
 */
export const tanh: FloatUnary = floating('tanh', b.tanh);

/**
 * The logistic function `1 / (1 + e⁻ˣ)`, between 0 and 1; it overflows nowhere.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy scipy.special.expit
 * @pytorch torch.sigmoid
 * @example
 * ```js
 * import { sigmoid, tensor } from 'tenfold';
 * sigmoid(tensor([0, Math.log(3), -1000])).toArray(); // => [0.5, 0.75, 0]
 * ```
 */
export const sigmoid: FloatUnary = floating('sigmoid', b.sigmoid);

/**
 * The error function, `2/√π · ∫₀ˣ exp(−t²) dt` (Abramowitz & Stegun 1964, 7.1.1): the normal distribution function
 * is `(1 + erf(x / √2)) / 2`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link exp}
 * @numpy scipy.special.erf
 * @pytorch torch.erf
 * @example
 * ```js
 * import { erf, tensor } from 'tenfold';
 * erf(tensor([0, 0.5, -Infinity])).toArray(); // => [0, 0.5204999, -1]
 * ```
 */
export const erf: FloatUnary = floating('erf', b.erf);

/**
 * The largest integer not above each element. The derivative is 0, as for all rounding.
 *
 * @returns shape and dtype of `x`; integers and bool come back as they are
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.floor
 * @pytorch torch.floor
 * @example
 * ```js
 * import { floor, tensor } from 'tenfold';
 * floor(tensor([1.5, -1.5])).toArray(); // => [1, -2]
 * ```
 */
export const floor: Rounding = rounding('floor', b.floor);

/**
 * The smallest integer not below each element.
 *
 * @returns shape and dtype of `x`; integers and bool come back as they are
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.ceil
 * @pytorch torch.ceil
 * @example
 * ```js
 * import { ceil, tensor } from 'tenfold';
 * ceil(tensor([1.5, -1.5])).toArray(); // => [2, -1]
 * ```
 */
export const ceil: Rounding = rounding('ceil', b.ceil);

/**
 * The nearest integer; halves go to the even neighbour, as in NumPy and PyTorch but unlike `Math.round`.
 *
 * @returns shape and dtype of `x`; integers and bool come back as they are
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.round
 * @pytorch torch.round
 * @example
 * ```js
 * import { round, tensor } from 'tenfold';
 * round(tensor([0.5, 1.5, 2.5, -1.7])).toArray(); // => [0, 2, 2, -2]
 * ```
 */
export const round: Rounding = rounding('round', b.round);

/**
 * Each element without its fraction: the nearest integer towards 0.
 *
 * @returns shape and dtype of `x`; integers and bool come back as they are
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.trunc
 * @pytorch torch.trunc
 * @example
 * ```js
 * import { tensor, trunc } from 'tenfold';
 * trunc(tensor([1.5, -1.5])).toArray(); // => [1, -1]
 * ```
 */
export const trunc: Rounding = rounding('trunc', x => b.select(b.lt(x, full(b, x, 0)), b.ceil(x), b.floor(x)));
