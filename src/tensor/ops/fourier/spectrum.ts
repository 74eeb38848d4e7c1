/** Spectra along an axis: of complex signals, given as their real and imaginary parts, and of real ones. */
import { b } from '../../build.js';
import type { DType, FloatDType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { normalizeAxis, type Shape } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Transformed } from '../../types/lengths.js';
import { broadcastNode, checkSetting } from '../common/operands.js';
import { withOptions } from '../common/options.js';
import {
  along,
  type Complex,
  checkLength,
  complexOf,
  type FftOptions,
  ofComplex,
  signalOf,
  wholeAlong,
} from './signals.js';
import { halfWeights } from './tables.js';

export type { Complex, FftNorm, FftOptions } from './signals.js';

/** The signatures of {@link fft} and {@link ifft}. */
export interface Fft<Op extends string> {
  <S extends Shape, D extends DType, const N extends number = never, const A extends number = -1>(
    x: Tensor<S, D> | Complex<S, D>,
    options?: FftOptions<N, A> & Ok<Transformed<Op, S, A, N>>,
  ): Complex<Fit<Transformed<Op, S, A, N>>, Floating<D>>;
  <const N extends number = never, const A extends number = -1>(
    options?: FftOptions<N, A>,
  ): <S extends Shape, D extends DType>(
    x: (Tensor<S, D> | Complex<S, D>) & Ok<Transformed<Op, S, A, N>>,
  ) => Complex<Fit<Transformed<Op, S, A, N>>, Floating<D>>;
}

/** The signatures of {@link rfft}. */
export interface Rfft {
  <S extends Shape, D extends DType, const N extends number = never, const A extends number = -1>(
    x: Tensor<S, D>,
    options?: FftOptions<N, A> & Ok<Transformed<'rfft', S, A, N, 'half'>>,
  ): Complex<Fit<Transformed<'rfft', S, A, N, 'half'>>, Floating<D>>;
  <const N extends number = never, const A extends number = -1>(
    options?: FftOptions<N, A>,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Transformed<'rfft', S, A, N, 'half'>>,
  ) => Complex<Fit<Transformed<'rfft', S, A, N, 'half'>>, Floating<D>>;
}

/** The signatures of {@link irfft}. */
export interface Irfft {
  <S extends Shape, D extends DType, const N extends number = never, const A extends number = -1>(
    x: Tensor<S, D> | Complex<S, D>,
    options?: FftOptions<N, A> & Ok<Transformed<'irfft', S, A, N, 'fromHalf'>>,
  ): Tensor<Fit<Transformed<'irfft', S, A, N, 'fromHalf'>>, Floating<D>>;
  <const N extends number = never, const A extends number = -1>(
    options?: FftOptions<N, A>,
  ): <S extends Shape, D extends DType>(
    x: (Tensor<S, D> | Complex<S, D>) & Ok<Transformed<'irfft', S, A, N, 'fromHalf'>>,
  ) => Tensor<Fit<Transformed<'irfft', S, A, N, 'fromHalf'>>, Floating<D>>;
}

const names = ['n', 'axis', 'norm'];

const transformOf = <Op extends string>(operation: Op, sign: -1 | 1): Fft<Op> =>
  ofComplex(operation, names, (x: unknown, options: FftOptions) =>
    complexOf(wholeAlong(operation, signalOf(operation, x), sign, options)),
  );

/**
 * The discrete Fourier transform along an axis: `X[k] = Σⱼ x[j] · exp(−2πi · jk / n)`. Any length takes O(n log n) steps,
 * lengths with a prime factor above 97 by Bluestein's algorithm.
 *
 * @param x a complex tensor `{ re, im }`, or a real one
 * @param options `n`, the length; `axis`, the last where left out; `norm`, as in NumPy
 * @returns the shape of `x`, with `n` along the axis; its dtype, integers and bool as float32
 * @throws AxisError for an axis that `x` does not have
 * @throws IndexError for a length below 1
 * @throws ShapeError when the parts differ in shape
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no such tensor, an option unknown or its value wrong
 * @numpy np.fft.fft
 * @pytorch torch.fft.fft
 * @example
 * ```js
 * import { fft, tensor } from 'tenfold';
 * fft(tensor([1, 2, 3, 4])).re.toArray(); // => [10, -2, -2, -2]
 * fft(tensor([1, 2, 3, 4])).im.toArray(); // => [0, 2, 0, -2]
 * ```
 */
export const fft: Fft<'fft'> = transformOf('fft', -1);

/**
 * The inverse of {@link fft}: `x[j] = 1 / n · Σₖ X[k] · exp(2πi · jk / n)`.
 *
 * @param x a complex tensor `{ re, im }`, or a real one
 * @param options as of {@link fft}
 * @returns the shape of `x`, with `n` along the axis; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, ShapeError, DTypeError, ArgumentError as {@link fft}
 * @numpy np.fft.ifft
 * @pytorch torch.fft.ifft
 * @example
 * ```js
 * import { fft, ifft, tensor } from 'tenfold';
 * ifft(fft(tensor([1, 2, 3, 4]))).re.toArray(); // => [1, 2, 3, 4]
 * ```
 */
export const ifft: Fft<'ifft'> = transformOf('ifft', 1);

/**
 * The first half of the spectrum of a real signal, n / 2 + 1 elements rounded down: the others are their conjugates.
 *
 * @param options as of {@link fft}
 * @returns the shape of `x`, with ⌊n / 2⌋ + 1 along the axis; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, DTypeError, ArgumentError as {@link fft}
 * @numpy np.fft.rfft
 * @pytorch torch.fft.rfft
 * @example
 * ```js
 * import { add, argmax, linspace, mul, rfft, sin, square } from 'tenfold';
 * // One second of 5 periods, 64 times a second.
 * const wave = sin(mul(linspace(0, 63 / 64, 64), 2 * Math.PI * 5));
 * const { re, im } = rfft(wave);
 * re.shape; // => [33]
 * argmax(add(square(re), square(im))).item(); // => 5
 * ```
 */
export const rfft: Rfft = withOptions('rfft', names, (x: Tensor, options: FftOptions) => {
  const { n, axis = -1, norm = 'backward' } = options;
  const signal = signalOf('rfft', x);
  checkSetting('rfft', 'axis', axis);
  const at = normalizeAxis('rfft', axis, signal[0].shape);
  const length = checkLength('rfft', n ?? signal[0].shape[at]);
  const wanted = Math.floor(length / 2) + 1;
  return complexOf(along('rfft', signal, { axis: at, n: length, norm, sign: -1 }, { wanted }));
});

/**
 * The inverse of {@link rfft}: the real signal with this first half of a spectrum. The imaginary parts of its element 0
 * and, for even lengths, of that at n / 2 count as 0.
 *
 * @param x a complex tensor `{ re, im }`, or a real one
 * @param options as of {@link fft}; `n`, the length of the result, is 2 · (length − 1) where left out
 * @returns the shape of `x`, with `n` along the axis; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, ShapeError, DTypeError, ArgumentError as {@link fft}
 * @numpy np.fft.irfft
 * @pytorch torch.fft.irfft
 * @example
 * ```js
 * import { irfft, rfft, tensor } from 'tenfold';
 * irfft(rfft(tensor([1, 2, 3, 4]))).toArray(); // => [1, 2, 3, 4]
 * irfft(rfft(tensor([1, 2, 3])), { n: 3 }).toArray(); // => [1, 2, 3]
 * ```
 */
export const irfft: Irfft = ofComplex('irfft', names, (x: unknown, options: FftOptions) => {
  const { n, axis = -1, norm = 'backward' } = options;
  const signal = signalOf('irfft', x);
  checkSetting('irfft', 'axis', axis);
  const at = normalizeAxis('irfft', axis, signal[0].shape);
  const length = checkLength('irfft', n ?? 2 * (signal[0].shape[at]! - 1));
  const weighted = (half: Node): Node =>
    b.mul(half, broadcastNode(halfWeights(length, half.shape[1]!, half.dtype as FloatDType), half.shape));
  return wrap(along('irfft', signal, { axis: at, n: length, norm, sign: 1 }, { realOnly: true }, weighted)[0]);
});
