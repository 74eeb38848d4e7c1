/** Spectra along an axis: of complex signals, given as their real and imaginary parts, and of real ones. */
import { b } from '../../build.js';
import type { DType, FloatDType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { checkInteger, normalizeAxis, range, type Shape, sameShape, sizeOf } from '../../shape.js';
import type { Floating } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import { kindOf, sameDType, showAll } from '../common/checks.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { times } from '../common/numbers.js';
import { broadcastNode, checkSetting, unaryOperand } from '../common/operands.js';
import { checkOptions, withOptions } from '../common/options.js';
import { halfWeights } from './tables.js';
import { dft, type Signal, type Transform } from './transform.js';

/** A complex tensor: its real and its imaginary part, of one shape and dtype. */
export interface Complex<S extends Shape = Shape, D extends DType = DType> {
  readonly re: Tensor<S, D>;
  readonly im: Tensor<S, D>;
}

/** Where the factor 1 / n goes: to the inverse, as 1 / √n to both, or to the transform that is no inverse. */
export type FftNorm = 'backward' | 'ortho' | 'forward';

/** What {@link fft} and its kin take beside the signal. */
export interface FftOptions {
  /** The length: the signal is cut, or zeros follow it. That of the axis where left out. */
  readonly n?: number;
  /** The axis. Default −1, the last. */
  readonly axis?: number;
  /** Default 'backward'. */
  readonly norm?: FftNorm;
}

/** The signatures of {@link fft} and {@link ifft}. */
export interface Fft {
  <D extends DType>(x: Tensor<Shape, D> | Complex<Shape, D>, options?: FftOptions): Complex<Shape, Floating<D>>;
  (options?: FftOptions): <D extends DType>(x: Tensor<Shape, D> | Complex<Shape, D>) => Complex<Shape, Floating<D>>;
}

/** The signatures of {@link rfft}. */
export interface Rfft {
  <D extends DType>(x: Tensor<Shape, D>, options?: FftOptions): Complex<Shape, Floating<D>>;
  (options?: FftOptions): <D extends DType>(x: Tensor<Shape, D>) => Complex<Shape, Floating<D>>;
}

/** The signatures of {@link irfft}. */
export interface Irfft {
  <D extends DType>(x: Tensor<Shape, D> | Complex<Shape, D>, options?: FftOptions): Tensor<Shape, Floating<D>>;
  (options?: FftOptions): <D extends DType>(x: Tensor<Shape, D> | Complex<Shape, D>) => Tensor<Shape, Floating<D>>;
}

const isRecord = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !isTensor(x) && ('re' in x || 'im' in x);

/** The parts of a complex or real operand, in one floating dtype. */
const signalOf = (operation: string, x: unknown): Signal => {
  if (!isRecord(x)) return [unaryOperand(operation, x, { toFloat: true })];
  const parts = [x.re, x.im].map(part => unaryOperand(operation, part, { toFloat: true }));
  const [re, im] = sameDType(operation, parts) as [Node, Node];
  if (sameShape(re.shape, im.shape)) return [re, im];
  throw new ShapeError({
    operation,
    given: showAll([re, im]),
    rule: 'the real and the imaginary part have one shape',
    hint: 'Broadcast the smaller one first: broadcastTo(x, shape).',
  });
};

/** As {@link withOptions}, for functions that also take complex tensors. */
const ofComplex = <F>(operation: string, names: readonly string[], f: (x: unknown, options: never) => unknown): F => {
  const call = withOptions<(...args: unknown[]) => unknown>(operation, names, f as never);
  return ((...args: unknown[]) => {
    const whole = (x: unknown, options: unknown): unknown => {
      checkOptions(operation, names, options);
      return f(x, (options ?? {}) as never);
    };
    if (isRecord(args[0])) return whole(args[0], args[1]);
    if (isTensor(args[0])) return call(...args);
    call(args[0]);
    return (x: unknown) => whole(x, args[0]);
  }) as F;
};

/** The factor of a transform of the length n. */
const factorOf = (operation: string, norm: unknown, n: number, sign: number): number => {
  if (norm === 'ortho') return 1 / Math.sqrt(n);
  if (norm === 'backward' || norm === 'forward') return (norm === 'forward') === sign < 0 ? 1 / n : 1;
  throw new ArgumentError({
    operation,
    given: `${kindOf(norm)} as norm`,
    rule: "norm is 'backward', 'ortho' or 'forward'",
    hint: "Leave it out for 'backward', where the inverse divides by the length.",
  });
};

/** What is done along one axis. */
interface Along {
  readonly axis: number;
  readonly n: number;
  readonly norm: unknown;
  readonly sign: -1 | 1;
}

/** A transform along an axis, as matrices of one signal a row. */
const along = (
  operation: string,
  signal: Signal,
  { axis, n, norm, sign }: Along,
  how: Partial<Transform> = {},
  prepare: (x: Node) => Node = x => x,
): Signal => {
  const { shape } = signal[0];
  const factor = factorOf(operation, norm, n, sign);
  const toLast = [...range(shape.length).filter(i => i !== axis), axis];
  const others = toLast.slice(0, -1).map(i => shape[i]!);
  const wanted = how.wanted ?? n;
  const rows = signal.map(part => {
    const moved = permuteNode(part!, toLast);
    const flat = reshapeNode(moved, [sizeOf(others), shape[axis]!]);
    return prepare(sliceAlong(flat, 1, 0, Math.min(how.realOnly === true ? Math.floor(n / 2) + 1 : n, shape[axis]!)));
  });
  const back = range(shape.length).map(i => toLast.indexOf(i));
  const result = dft(rows as unknown as Signal, { ...how, n, sign, wanted });
  return result.map(part => {
    const moved = permuteNode(reshapeNode(part!, [...others, wanted]), back);
    return factor === 1 ? moved : times(moved, factor);
  }) as unknown as Signal;
};

/** A length of a transform: at least 1, and so that squares of places are exact. */
const checkLength = (operation: string, n: unknown): number => {
  checkSetting(operation, 'n', n);
  return checkInteger(operation, 'the length n', n as number, 1, 2 ** 26);
};

/** The whole spectrum along an axis. */
const wholeAlong = (
  operation: string,
  signal: Signal,
  sign: -1 | 1,
  { n, axis = -1, norm = 'backward' }: FftOptions,
) => {
  checkSetting(operation, 'axis', axis);
  const at = normalizeAxis(operation, axis, signal[0].shape);
  const length = checkLength(operation, n ?? signal[0].shape[at]);
  return along(operation, signal, { axis: at, n: length, norm, sign });
};

const complexOf = ([re, im]: Signal): Complex => ({ re: wrap(re), im: wrap(im ?? b.sub(re, re)) });

const names = ['n', 'axis', 'norm'];

const transformOf = (operation: string, sign: -1 | 1): Fft =>
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
export const fft: Fft = transformOf('fft', -1);

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
export const ifft: Fft = transformOf('ifft', 1);

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
