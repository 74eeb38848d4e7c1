/** The frequencies that spectra are over, and their order. */
import type { DType, FloatDType } from '../../dtype.js';
import { checkArgument, checkInteger, normalizeAxes, type Shape } from '../../shape.js';
import type { Ok } from '../../shape-types.js';
import type { Tensor } from '../../tensor.js';
import type { Add, FloorDivide } from '../../types/arithmetic.js';
import type { Along } from '../../types/axes.js';
import { checkSetting, nodeFor } from '../common/operands.js';
import { checkOptions, withOptions } from '../common/options.js';
import { tensor } from '../creation/creation.js';
import { roll } from '../movement/rolling.js';

/** What {@link fftfreq} takes beside the length. */
export interface FrequencyOptions<D extends FloatDType = FloatDType> {
  /** The time between two samples. Default 1. */
  readonly d?: number;
  /** Default float32. */
  readonly dtype?: D;
}

const frequencies = (
  operation: string,
  n: number,
  options: FrequencyOptions,
  count: (n: number) => number,
  place: (i: number) => number,
): Tensor => {
  checkOptions(operation, ['d', 'dtype'], options);
  const { d = 1, dtype = 'float32' } = options;
  for (const [name, value] of Object.entries({ n, d })) checkSetting(operation, name, value);
  checkInteger(operation, 'the length n', n, 1, 2 ** 26);
  checkArgument(
    typeof d === 'number' && Number.isFinite(d) && d !== 0,
    operation,
    `the distance ${String(d)}`,
    'd is a finite number and not 0',
    'It is the time between two samples.',
  );
  checkArgument(
    dtype === 'float32' || dtype === 'float64',
    operation,
    `the dtype ${String(dtype)}`,
    'frequencies are float32 or float64',
    "Write { dtype: 'float32' }.",
  );
  const values = Float64Array.from({ length: count(n) }, (_, i) => place(i) / (n * d));
  return tensor(values, [values.length], { dtype }) as Tensor;
};

/**
 * The frequencies of the elements of {@link fft}: 0, 1, … , then the negative ones, in units of 1 / (n·d).
 *
 * @param n the length of the signal
 * @param options `d`, the time between samples (1); `dtype` (float32)
 * @returns of shape [n]
 * @throws IndexError for a length below 1
 * @throws ArgumentError for a `d` that is 0 or not finite, another dtype or an unknown option
 * @numpy np.fft.fftfreq
 * @pytorch torch.fft.fftfreq
 * @example
 * ```js
 * import { fftfreq } from 'tenfold';
 * fftfreq(4, { d: 0.5 }).toArray(); // => [0, 0.5, -1, -0.5]
 * ```
 */
export const fftfreq = <const N extends number, D extends FloatDType = 'float32'>(
  n: N,
  options: FrequencyOptions<D> = {},
): Tensor<readonly [N], NoInfer<D>> =>
  frequencies(
    'fftfreq',
    n,
    options,
    length => length,
    i => (i < n / 2 ? i : i - n),
  ) as never;

/**
 * The frequencies of the elements of {@link rfft}: 0, 1, … , ⌊n / 2⌋ in units of 1 / (n·d).
 *
 * @param n the length of the signal
 * @param options `d`, the time between samples (1); `dtype` (float32)
 * @returns of shape [⌊n / 2⌋ + 1]
 * @throws IndexError for a length below 1
 * @throws ArgumentError for a `d` that is 0 or not finite, another dtype or an unknown option
 * @numpy np.fft.rfftfreq
 * @pytorch torch.fft.rfftfreq
 * @example
 * ```js
 * import { rfftfreq } from 'tenfold';
 * rfftfreq(4, { d: 0.5 }).toArray(); // => [0, 0.5, 1]
 * ```
 */
export const rfftfreq = <const N extends number, D extends FloatDType = 'float32'>(
  n: N,
  options: FrequencyOptions<D> = {},
): Tensor<readonly [Add<FloorDivide<N, 2>, 1>], NoInfer<D>> =>
  frequencies(
    'rfftfreq',
    n,
    options,
    length => Math.floor(length / 2) + 1,
    i => i,
  ) as never;

/** What {@link fftshift} takes beside the spectrum. */
export interface FftshiftOptions<Axes extends number | Shape = number | Shape> {
  /** One axis or several; all where left out. */
  readonly axes?: Axes;
}

/** The signatures of {@link fftshift} and {@link ifftshift}. */
export interface Fftshift<Op extends string> {
  <S extends Shape, D extends DType, const A extends number | Shape = never>(
    x: Tensor<S, D>,
    options?: FftshiftOptions<A> & Ok<Along<Op, S, A>>,
  ): Tensor<S, D>;
  <const A extends number | Shape = never>(
    options?: FftshiftOptions<A>,
  ): <S extends Shape, D extends DType>(x: Tensor<S, D> & Ok<Along<Op, S, A>>) => Tensor<S, D>;
}

const shifted = <Op extends string>(operation: Op, by: (n: number) => number): Fftshift<Op> =>
  withOptions(operation, ['axes'], (x: Tensor, { axes }: FftshiftOptions) => {
    const { shape } = nodeFor(operation, x);
    checkSetting(operation, 'axes', axes);
    const axis = normalizeAxes(operation, axes, shape);
    return axis.length === 0
      ? x
      : roll(
          x,
          axis.map(at => by(shape[at]!)),
          { axis },
        );
  });

/**
 * A spectrum with the frequency 0 in the middle, at ⌊n / 2⌋.
 *
 * @param options `axes`: one or several; all where left out
 * @returns the shape of `x`
 * @throws AxisError when there is no such axis
 * @throws ArgumentError when `x` is no tensor, or for an option of another name
 * @numpy np.fft.fftshift
 * @pytorch torch.fft.fftshift
 * @example
 * ```js
 * import { fftfreq, fftshift } from 'tenfold';
 * fftshift(fftfreq(4, { d: 0.25 })).toArray(); // => [-2, -1, 0, 1]
 * ```
 */
export const fftshift: Fftshift<'fftshift'> = shifted('fftshift', n => Math.floor(n / 2));

/**
 * The inverse of {@link fftshift}, another function where a length is odd.
 *
 * @param options `axes`: one or several; all where left out
 * @returns the shape of `x`
 * @throws AxisError when there is no such axis
 * @throws ArgumentError when `x` is no tensor, or for an option of another name
 * @numpy np.fft.ifftshift
 * @pytorch torch.fft.ifftshift
 * @example
 * ```js
 * import { fftshift, ifftshift, tensor } from 'tenfold';
 * ifftshift(fftshift(tensor([1, 2, 3]))).toArray(); // => [1, 2, 3]
 * ```
 */
export const ifftshift: Fftshift<'ifftshift'> = shifted('ifftshift', n => -Math.floor(n / 2));
