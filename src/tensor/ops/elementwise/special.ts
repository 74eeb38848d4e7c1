/** Special functions beside the error function: its complement and inverse, the gamma function's logarithm, sinc. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkArgument, type Shape } from '../../shape.js';
import type { Floating } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { kindOf } from '../common/checks.js';
import { checkSetting, unaryOperand } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import { type FloatUnary, floating } from './floating.js';

/**
 * The complement of the error function, `1 − erf(x)`, accurate also where that is small.
 *
 * Source: Abramowitz & Stegun 1964, 7.1.2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy scipy.special.erfc
 * @pytorch torch.special.erfc
 * @example
 * ```js
 * import { erfc, tensor } from 'tenfold';
 * erfc(tensor([0, 1, 5, -Infinity])).toArray(); // => [1, 0.1572992, 1.5374597e-12, 2]
 * ```
 */
export const erfc: FloatUnary = floating('erfc', b.erfc);

/**
 * The inverse of the error function: `erf(erfinv(x))` is `x`. ±∞ at ±1, NaN beyond; `√2 · erfinv(2p − 1)` is the quantile
 * of the normal distribution at `p`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link erfc}
 * @numpy scipy.special.erfinv
 * @pytorch torch.erfinv
 * @example
 * ```js
 * import { erfinv, tensor } from 'tenfold';
 * erfinv(tensor([0, 0.5, -1, 2])).toArray(); // => [0, 0.47693628, -Infinity, NaN]
 * ```
 */
export const erfinv: FloatUnary = floating('erfinv', b.erfinv);

/**
 * The logarithm of the gamma function's magnitude, `log |Γ(x)|`; ∞ at 0 and at the negative integers. `Γ(n + 1)` is `n!`.
 *
 * Source: Abramowitz & Stegun 1964, 6.1.1, 6.1.41. Its derivative is {@link digamma}.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link erfc}
 * @numpy scipy.special.gammaln
 * @pytorch torch.lgamma
 * @example
 * ```js
 * import { lgamma, tensor } from 'tenfold';
 * lgamma(tensor([1, 5, 0.5, -1])).toArray(); // => [0, 3.1780539, 0.5723649, Infinity]
 * ```
 */
export const lgamma: FloatUnary = floating('lgamma', b.lgamma);

/**
 * The derivative of `log Γ(x)`, `Γ′(x) / Γ(x)`; −∞ at 0, ∞ at −0, NaN at the negative integers.
 *
 * Source: Abramowitz & Stegun 1964, 6.3.1.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link erfc}
 * @numpy scipy.special.digamma
 * @pytorch torch.digamma
 * @example
 * ```js
 * import { digamma, tensor } from 'tenfold';
 * digamma(tensor([1, 0.5, 10, 0])).toArray(); // => [-0.5772157, -1.9635100, 2.2517526, -Infinity]
 * ```
 */
export const digamma: FloatUnary = floating('digamma', x => b.polygamma(x, { order: 0 }));

/** What {@link polygamma} takes beside the tensor. */
export interface PolygammaOptions {
  /** How many times digamma is differentiated: an integer from 0 to 100. */
  readonly order: number;
}

/** A function as {@link polygamma}. */
export interface Polygamma {
  <S extends Shape, D extends DType>(x: Tensor<S, D>, options: PolygammaOptions): Tensor<S, Floating<D>>;
  (options: PolygammaOptions): FloatUnary;
}

/** Further up factorials leave the floats, also of the derivatives. */
const highestOrder = 100;

/**
 * The derivatives of {@link digamma}: of `order` 0 itself, of order 1 the trigamma function, and so on.
 *
 * Source: Abramowitz & Stegun 1964, 6.4.1. At 0 and the negative integers an odd order gives ∞, an even one −∞.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, or `order` no integer from 0 to 100
 * @throws TraceError when `order` is known only as an argument of a compiled function
 * @numpy scipy.special.polygamma
 * @pytorch torch.special.polygamma
 * @example
 * ```js
 * import { polygamma, tensor } from 'tenfold';
 * polygamma(tensor([1, 2, 0]), { order: 1 }).toArray(); // => [1.6449341, 0.6449341, Infinity]
 * ```
 */
export const polygamma: Polygamma = withOptions('polygamma', ['order'], (x: Tensor, { order }: PolygammaOptions) => {
  checkSetting('polygamma', 'order', order);
  checkArgument(
    Number.isInteger(order) && order >= 0 && order <= highestOrder,
    'polygamma',
    `${kindOf(order)} as the order`,
    `the order is an integer from 0 to ${highestOrder}`,
    'Write polygamma(x, { order: 1 }) for the derivative of digamma.',
  );
  return wrap(b.polygamma(unaryOperand('polygamma', x, { toFloat: true }), { order }));
});

/** (−1)ᵏ/(2k + 1)!: the series of sin √z/√z, to the last bit below z = (π/4)², derivatives too. */
const sineSeries = [1];
for (let k = 1; k < 11; k++) sineSeries.push(-sineSeries[k - 1]! / (2 * k * (2 * k + 1)));

/**
 * sin πx/(πx): near 0 by its series, whose derivatives are right there as well; elsewhere by what is left of x beside the
 * nearest integer, which is exact.
 */
const sincOf = (x: Node): Node => {
  const number = (value: number): Node => full(b, x, value);
  const near = b.lt(b.abs(x), number(0.25));
  const angle = b.mul(b.select(near, x, number(0)), number(Math.PI));
  const z = b.mul(angle, angle);
  const series = sineSeries.reduceRight((sum, c) => b.add(b.mul(sum, z), number(c)), number(0));
  const far = b.select(near, number(1), x);
  const whole = b.round(far);
  const half = b.mul(whole, number(0.5));
  const sign = b.sub(number(1), b.mul(number(4), b.sub(half, b.floor(half))));
  const sine = b.mul(sign, b.sin(b.mul(b.sub(far, whole), number(Math.PI))));
  return b.select(near, series, b.div(sine, b.mul(far, number(Math.PI))));
};

/**
 * The normalised cardinal sine, `sin(πx) / (πx)`, and 1 at 0; 0 at all other integers.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link erfc}
 * @numpy np.sinc
 * @pytorch torch.sinc
 * @example
 * ```js
 * import { sinc, tensor } from 'tenfold';
 * sinc(tensor([0, 0.5, 1, -1.5])).toArray(); // => [1, 0.63661975, 0, -0.21220659]
 * ```
 */
export const sinc: FloatUnary = floating('sinc', sincOf);
