/** Modified Bessel functions of the first kind, of the orders 0 and 1. */
import { bessel, scaledBessel } from './bessel-series.js';
import { type FloatUnary, floating } from './floating.js';

/**
 * The modified Bessel function of the first kind and order 0, `1/π · ∫₀^π exp(x cos θ) dθ`; it grows as eˣ.
 *
 * Source: Abramowitz & Stegun 1964, 9.6.10 and 9.7.1. Its derivative is {@link i1}.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.i0
 * @pytorch torch.i0
 * @example
 * ```js
 * import { i0, tensor } from 'tenfold';
 * i0(tensor([0, 1, -3, Infinity])).toArray(); // => [1, 1.2660659, 4.8807926, Infinity]
 * ```
 */
export const i0: FloatUnary = floating('i0', x => bessel(0, x));

/**
 * `exp(−|x|) · i0(x)`, the modified Bessel function {@link i0} without its growth: it overflows nowhere.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link i0}
 * @numpy scipy.special.i0e
 * @pytorch torch.special.i0e
 * @example
 * ```js
 * import { i0e, tensor } from 'tenfold';
 * i0e(tensor([0, 1, -50, Infinity])).toArray(); // => [1, 0.4657596, 0.05656163, 0]
 * ```
 */
export const i0e: FloatUnary = floating('i0e', x => scaledBessel(0, x));

/**
 * The modified Bessel function of the first kind and order 1, `1/π · ∫₀^π exp(x cos θ) cos θ dθ`, an odd function.
 *
 * Source: Abramowitz & Stegun 1964, 9.6.10 and 9.7.1.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link i0}
 * @numpy scipy.special.i1
 * @pytorch torch.special.i1
 * @example
 * ```js
 * import { i1, tensor } from 'tenfold';
 * i1(tensor([0, 1, -3, Infinity])).toArray(); // => [0, 0.5651591, -3.9533703, Infinity]
 * ```
 */
export const i1: FloatUnary = floating('i1', x => bessel(1, x));

/**
 * `exp(−|x|) · i1(x)`, the modified Bessel function {@link i1} without its growth: it overflows nowhere.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link i0}
 * @numpy scipy.special.i1e
 * @pytorch torch.special.i1e
 * @example
 * ```js
 * import { i1e, tensor } from 'tenfold';
 * i1e(tensor([0, 1, -50, Infinity])).toArray(); // => [0, 0.2079104, -0.05599313, 0]
 * ```
 */
export const i1e: FloatUnary = floating('i1e', x => scaledBessel(1, x));
