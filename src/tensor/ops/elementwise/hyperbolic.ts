/** Inverses of the circular functions, hyperbolic functions and their inverses. */
import { b } from '../../build.js';
import { type FloatUnary, floating } from './floating.js';

/**
 * The angle in [−π/2, π/2] whose sine is `x`; NaN beyond ±1. Its derivative at ±1 is infinite.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.arcsin
 * @pytorch torch.asin
 * @example
 * ```js
 * import { asin, tensor } from 'tenfold';
 * asin(tensor([0, 1, -0.5, 2])).toArray(); // => [0, 1.5707964, -0.5235988, NaN]
 * ```
 */
export const asin: FloatUnary = floating('asin', b.asin);

/**
 * The angle in [0, π] whose cosine is `x`; NaN beyond ±1. Its derivative at ±1 is infinite.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.arccos
 * @pytorch torch.acos
 * @example
 * ```js
 * import { acos, tensor } from 'tenfold';
 * acos(tensor([1, 0, -1, 2])).toArray(); // => [0, 1.5707964, 3.1415927, NaN]
 * ```
 */
export const acos: FloatUnary = floating('acos', b.acos);

/**
 * The angle in [−π/2, π/2] whose tangent is `x`. The one of a point in any quadrant is `atan2`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.arctan
 * @pytorch torch.atan
 * @example
 * ```js
 * import { atan, tensor } from 'tenfold';
 * atan(tensor([0, 1, -Infinity])).toArray(); // => [0, 0.7853982, -1.5707964]
 * ```
 */
export const atan: FloatUnary = floating('atan', b.atan);

/**
 * The hyperbolic sine, `(eˣ − e⁻ˣ) / 2`, accurate for small `x`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.sinh
 * @pytorch torch.sinh
 * @example
 * ```js
 * import { sinh, tensor } from 'tenfold';
 * sinh(tensor([0, 1, -Infinity])).toArray(); // => [0, 1.1752012, -Infinity]
 * ```
 */
export const sinh: FloatUnary = floating('sinh', b.sinh);

/**
 * The hyperbolic cosine, `(eˣ + e⁻ˣ) / 2`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.cosh
 * @pytorch torch.cosh
 * @example
 * ```js
 * import { cosh, tensor } from 'tenfold';
 * cosh(tensor([0, 1, -Infinity])).toArray(); // => [1, 1.5430806, Infinity]
 * ```
 */
export const cosh: FloatUnary = floating('cosh', b.cosh);

/**
 * The number whose hyperbolic sine is `x`, `log(x + √(x² + 1))`, accurate for small `x`.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.arcsinh
 * @pytorch torch.asinh
 * @example
 * ```js
 * import { asinh, tensor } from 'tenfold';
 * asinh(tensor([0, 1, -Infinity])).toArray(); // => [0, 0.8813736, -Infinity]
 * ```
 */
export const asinh: FloatUnary = floating('asinh', b.asinh);

/**
 * The positive number whose hyperbolic cosine is `x`, `log(x + √(x² − 1))`; NaN below 1. Its derivative at 1 is infinite.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.arccosh
 * @pytorch torch.acosh
 * @example
 * ```js
 * import { acosh, tensor } from 'tenfold';
 * acosh(tensor([1, 2, Infinity, 0])).toArray(); // => [0, 1.316958, Infinity, NaN]
 * ```
 */
export const acosh: FloatUnary = floating('acosh', b.acosh);

/**
 * The number whose hyperbolic tangent is `x`, `log((1 + x) / (1 − x)) / 2`; ±∞ at ±1, NaN beyond.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError as {@link asin}
 * @numpy np.arctanh
 * @pytorch torch.atanh
 * @example
 * ```js
 * import { atanh, tensor } from 'tenfold';
 * atanh(tensor([0, 0.5, -1, 2])).toArray(); // => [0, 0.54930615, -Infinity, NaN]
 * ```
 */
export const atanh: FloatUnary = floating('atanh', b.atanh);
