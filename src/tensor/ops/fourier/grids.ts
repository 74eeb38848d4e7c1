/** Fourier transforms along several axes. */
import type { DType } from '../../dtype.js';
import { AxisError, ShapeError } from '../../errors.js';
import { normalizeAxis, range, type Shape, showAval } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import type { Tensor } from '../../tensor.js';
import type { TransformedAlong } from '../../types/lengths.js';
import { checkList } from '../common/checks.js';
import { checkSetting } from '../common/operands.js';
import { type Complex, complexOf, type FftNorm, ofComplex, signalOf, wholeAlong } from './signals.js';

/** What {@link fftn} and its kin take beside the signal. */
export interface FftnOptions<N extends Shape = Shape, Axes extends Shape = Shape> {
  /** The lengths along the axes: the signal is cut, or zeros follow it. Those of the axes where left out. */
  readonly s?: N;
  /** The axes; where left out the last as many as `s` has, and without it all (`fft2`: the last two). */
  readonly axes?: Axes;
  /** Default 'backward'. */
  readonly norm?: FftNorm;
}

/** The signatures of {@link fftn}, {@link ifftn}, {@link fft2} and {@link ifft2}. */
export interface Fftn<Op extends string> {
  <S extends Shape, D extends DType, const N extends Shape = never, const A extends Shape = never>(
    x: Tensor<S, D> | Complex<S, D>,
    options?: FftnOptions<N, A> & Ok<TransformedAlong<Op, S, A, N>>,
  ): Complex<Fit<TransformedAlong<Op, S, A, N>>, Floating<D>>;
  <const N extends Shape = never, const A extends Shape = never>(
    options?: FftnOptions<N, A>,
  ): <S extends Shape, D extends DType>(
    x: (Tensor<S, D> | Complex<S, D>) & Ok<TransformedAlong<Op, S, A, N>>,
  ) => Complex<Fit<TransformedAlong<Op, S, A, N>>, Floating<D>>;
}

const transformOf = <Op extends string>(operation: Op, sign: -1 | 1, usual: readonly number[] | null): Fftn<Op> =>
  ofComplex(operation, ['s', 'axes', 'norm'], (x: unknown, { s, axes, norm = 'backward' }: FftnOptions) => {
    let signal = signalOf(operation, x);
    const { shape } = signal[0];
    for (const [name, list] of Object.entries({ s, axes })) {
      checkSetting(operation, name, list);
      if (list !== undefined) checkList(operation, name, list);
    }
    const rank = shape.length;
    const last = (count: number): readonly number[] => range(count).map(i => i - count);
    const named = axes ?? (s === undefined ? (usual ?? last(rank)) : last(s.length));
    const places = named.map(axis => normalizeAxis(operation, axis, shape));
    if (new Set(places).size !== places.length) {
      throw new AxisError({
        operation,
        given: `the axes [${named.join(', ')}]`,
        rule: 'an axis is transformed once',
        hint: 'Mind that negative axes count from the end.',
      });
    }
    if (s !== undefined && s.length !== places.length) {
      throw new ShapeError({
        operation,
        given: `${showAval(signal[0])}, ${s.length} lengths and ${places.length} axes`,
        rule: 's has a length for each of the axes',
        hint: 'Name the axes that are meant, or leave s out.',
      });
    }
    // Without axes nothing is transformed, but the options are checked all the same.
    for (const [i, axis] of [...places.entries()].reverse()) {
      const n = s?.[i];
      signal = wholeAlong(operation, signal, sign, { axis, norm, ...(n === undefined ? {} : { n }) });
    }
    return complexOf(signal);
  });

/**
 * The discrete Fourier transform along several axes, one after another.
 *
 * @param x a complex tensor `{ re, im }`, or a real one
 * @param options `s`, the lengths; `axes`, all where left out; `norm`, as in NumPy
 * @returns the shape of `x`, with the lengths `s` along the axes; its dtype, integers and bool as float32
 * @throws AxisError for an axis that `x` does not have, or named twice
 * @throws IndexError for a length below 1
 * @throws ShapeError when the parts differ in shape, or there are not as many lengths as axes
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no such tensor, an option unknown or its value wrong
 * @numpy np.fft.fftn
 * @pytorch torch.fft.fftn
 * @example
 * ```js
 * import { fftn, tensor } from 'tenfold';
 * fftn(tensor([[1, 2], [3, 4]])).re.toArray(); // => [[10, -2], [-4, 0]]
 * ```
 */
export const fftn: Fftn<'fftn'> = transformOf('fftn', -1, null);

/**
 * The inverse of {@link fftn}.
 *
 * @param options as of {@link fftn}
 * @returns the shape of `x`, with the lengths `s` along the axes; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, ShapeError, DTypeError, ArgumentError as {@link fftn}
 * @numpy np.fft.ifftn
 * @pytorch torch.fft.ifftn
 * @example
 * ```js
 * import { fftn, ifftn, tensor } from 'tenfold';
 * ifftn(fftn(tensor([[1, 2], [3, 4]]))).re.toArray(); // => [[1, 2], [3, 4]]
 * ```
 */
export const ifftn: Fftn<'ifftn'> = transformOf('ifftn', 1, null);

/**
 * The discrete Fourier transform of images: along the last two axes.
 *
 * @param options as of {@link fftn}, `axes` being [−2, −1] where left out
 * @returns the shape of `x`, with the lengths `s` along the axes; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, ShapeError, DTypeError, ArgumentError as {@link fftn}
 * @numpy np.fft.fft2
 * @pytorch torch.fft.fft2
 * @example
 * ```js
 * import { fft2, ones } from 'tenfold';
 * fft2(ones([2, 2])).re.toArray(); // => [[4, 0], [0, 0]]
 * ```
 */
export const fft2: Fftn<'fft2'> = transformOf('fft2', -1, [-2, -1]);

/**
 * The inverse of {@link fft2}.
 *
 * @param options as of {@link fft2}
 * @returns the shape of `x`, with the lengths `s` along the axes; its dtype, integers and bool as float32
 * @throws AxisError, IndexError, ShapeError, DTypeError, ArgumentError as {@link fftn}
 * @numpy np.fft.ifft2
 * @pytorch torch.fft.ifft2
 * @example
 * ```js
 * import { ifft2, tensor } from 'tenfold';
 * ifft2(tensor([[4, 0], [0, 0]])).re.toArray(); // => [[1, 1], [1, 1]]
 * ```
 */
export const ifft2: Fftn<'ifft2'> = transformOf('ifft2', 1, [-2, -1]);
