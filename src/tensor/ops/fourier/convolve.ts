/** Convolution of real signals by way of their spectra. */
import type { DType } from '../../dtype.js';
import { AxisError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { broadcastShapes, checkArgument, checkInteger, normalizeAxis, range, type Shape } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { nodeOf, type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { FftConvolved } from '../../types/lengths.js';
import { checkList, kindOf, sameDType, showAll } from '../common/checks.js';
import { sliceAlong } from '../common/moving.js';
import { checkSetting, unaryOperand } from '../common/operands.js';
import { dualOfSeveral } from '../common/options.js';
import { add, mul, sub } from '../elementwise/arithmetic.js';
import { fftn, ifftn } from './grids.js';
import { type Complex, irfft, rfft } from './spectrum.js';

/** Which part of a convolution is wanted: all, the middle as long as `a`, or what needs no zeros beyond an end. */
export type ConvolveMode = 'full' | 'same' | 'valid';

/** What {@link fftConvolve} takes beside the tensors. */
export interface FftConvolveOptions<Axes extends Shape = Shape, Mode extends ConvolveMode = ConvolveMode> {
  /** The axes to convolve along; all where left out. */
  readonly axes?: Axes;
  /** Default 'full'. */
  readonly mode?: Mode;
}

/** The signatures of {@link fftConvolve}. */
export interface FftConvolve {
  <
    B extends Shape,
    E extends DType,
    const X extends Shape = never,
    M extends ConvolveMode = 'full',
    const O extends Only<FftConvolveOptions, O> = Record<never, never>,
  >(
    v: Tensor<B, E> & NotAny<O>,
    options?: FftConvolveOptions<X, M> & O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<FftConvolved<A, B, X, M>>,
  ) => Tensor<Fit<FftConvolved<A, B, X, M>>, Floating<Promote<D, E>>>;
  <
    A extends Shape,
    D extends DType,
    B extends Shape,
    E extends DType,
    const X extends Shape = never,
    M extends ConvolveMode = 'full',
  >(
    a: Tensor<A, D>,
    v: Tensor<B, E> & Ok<FftConvolved<A, B, X, M>>,
    options?: FftConvolveOptions<X, M>,
  ): Tensor<Fit<FftConvolved<A, B, X, M>>, Floating<Promote<D, E>>>;
}

const operation = 'fftConvolve';

const modes: readonly unknown[] = ['full', 'same', 'valid'];

/** The next length without a prime factor above 5: such a transform is made of few small matrices. */
const fastLength = (n: number): number => {
  for (let m = n; ; m++) {
    let left = m;
    for (const p of [2, 3, 5]) while (left % p === 0) left /= p;
    if (left === 1) return m;
  }
};

const axesOf = (axes: readonly number[] | undefined, shape: Shape): readonly number[] => {
  checkSetting(operation, 'axes', axes);
  if (axes === undefined) return range(shape.length);
  checkList(operation, 'axes', axes);
  const places = axes.map(axis => normalizeAxis(operation, axis, shape));
  if (places.length > 0 && new Set(places).size === places.length) return places.sort((p, q) => p - q);
  throw new AxisError({
    operation,
    given: `the axes [${axes.join(', ')}]`,
    rule: 'there is at least one axis, and none is named twice',
    hint: 'Leave them out for all; mind that negative ones count from the end.',
  });
};

const refuse = (operands: readonly Node[], rule: string, hint: string): never => {
  throw new ShapeError({ operation, given: showAll(operands), rule, hint });
};

const checkShapes = (operands: readonly Node[], axes: readonly number[]): void => {
  const others = operands.map(({ shape }) => shape.map((length, axis) => (axes.includes(axis) ? 1 : length)));
  broadcastShapes(operation, ...others);
  if (operands.some(({ shape }) => axes.some(axis => shape[axis] === 0)))
    refuse(operands, 'axes to convolve along have a length of at least 1', 'Leave the convolution out there.');
};

/** Where the part that is wanted starts along an axis, and how long it is. */
const partOf = (mode: ConvolveMode, first: number, second: number): readonly [start: number, length: number] => {
  const [less, more] = first < second ? [first, second] : [second, first];
  if (mode === 'valid') return [less - 1, more - less + 1];
  return mode === 'same' ? [Math.floor((second - 1) / 2), first] : [0, first + second - 1];
};

/** The product of the spectra, and back. The last axis is that of half the spectrum. */
const bySpectra = (x: Tensor, y: Tensor, axes: readonly number[], lengths: readonly number[]): Tensor => {
  const [axis, n] = [axes[axes.length - 1]!, lengths[lengths.length - 1]!];
  const rest = { axes: axes.slice(0, -1), s: lengths.slice(0, -1) };
  const spectrumOf = (signal: Tensor): Complex => {
    const half = rfft(signal, { axis, n }) as Complex;
    return rest.axes.length === 0 ? half : (fftn(half, rest) as Complex);
  };
  const [p, q] = [spectrumOf(x), spectrumOf(y)];
  const product: Complex = {
    re: sub(mul(p.re, q.re), mul(p.im, q.im)) as Tensor,
    im: add(mul(p.re, q.im), mul(p.im, q.re)) as Tensor,
  };
  return irfft(rest.axes.length === 0 ? product : (ifftn(product, rest) as Complex), { axis, n });
};

/**
 * The convolution of real signals, images or grids, `c[k] = Σⱼ a[j] · v[k − j]` along each of the axes, as the inverse
 * transform of the product of their spectra: O(n log n) steps however long both are. Along the other axes they broadcast.
 *
 * Rounding errors are relative to the largest elements of the result, and NaN or ∞ in one element makes all NaN that are
 * transformed with it.
 *
 * @param a a tensor
 * @param v a tensor with as many axes
 * @param options `axes`, all where left out; `mode`: 'full' for all, of the length n + m − 1; 'same' for the middle of that,
 * as long as `a`; 'valid' for what overlaps wholly, of the length |n − m| + 1
 * @returns the lengths of the mode along the axes, broadcast along the others; the promoted dtype, integers and bool as
 * float32
 * @throws ShapeError when there are not as many axes, the others do not broadcast, one to convolve along is empty, or 'valid'
 * is asked for where neither is at least as long along all axes
 * @throws AxisError for an axis that there is not, one named twice, or an empty list of them
 * @throws IndexError when the result is longer than 2²⁶ along an axis
 * @throws DTypeError for uint8
 * @throws ArgumentError when an operand is no tensor, an option unknown or its value wrong
 * @numpy scipy.signal.fftconvolve
 * @pytorch —
 * @example
 * ```js
 * import { fftConvolve, tensor } from 'tenfold';
 * const [a, v] = [tensor([1, 2, 3, 4]), tensor([1, 0, -1])];
 * fftConvolve(a, v).shape; // => [6]
 * fftConvolve(a, v, { mode: 'same' }).toArray(); // => [2, 2, 2, -3]
 * fftConvolve(a, v, { mode: 'valid' }).toArray(); // => [2, 2]
 * ```
 */
export const fftConvolve: FftConvolve = dualOfSeveral(
  operation,
  2,
  ['axes', 'mode'],
  (a: Tensor, v: Tensor, { axes, mode = 'full' }: FftConvolveOptions = {}) => {
    const operands = sameDType(
      operation,
      [a, v].map(x => unaryOperand(operation, x, { toFloat: true })),
    ) as [Node, Node];
    const [x, y] = operands;
    checkSetting(operation, 'mode', mode);
    checkArgument(
      modes.includes(mode),
      operation,
      `${kindOf(mode)} as mode`,
      "mode is 'full', 'same' or 'valid'",
      "Leave it out for 'full'.",
    );
    if (x.shape.length !== y.shape.length)
      refuse(operands, 'both have as many axes', 'Give one more axes of length 1: expandDims(x, axis).');
    const places = axesOf(axes, x.shape);
    checkShapes(operands, places);
    const covers = (p: Node, q: Node): boolean => places.every(axis => p.shape[axis]! >= q.shape[axis]!);
    if (mode === 'valid' && !covers(x, y) && !covers(y, x))
      refuse(operands, "in mode 'valid' one is at least as long as the other along all axes", "Take mode 'same'.");
    // Along an axis where one has a single element, convolution is a product.
    const transformed = places.filter(axis => x.shape[axis] !== 1 && y.shape[axis] !== 1);
    const lengths = transformed.map(axis => {
      const length = x.shape[axis]! + y.shape[axis]! - 1;
      return fastLength(checkInteger(operation, 'the length of the result', length, 1, 2 ** 26));
    });
    const [signal, kernel] = [wrap(x), wrap(y)];
    const whole = transformed.length === 0 ? mul(signal, kernel) : bySpectra(signal, kernel, transformed, lengths);
    const cut = (node: Node, axis: number): Node => {
      const [start, length] = partOf(mode, x.shape[axis]!, y.shape[axis]!);
      return sliceAlong(node, axis, start, start + length);
    };
    return wrap(places.reduce(cut, nodeOf(whole as Tensor)));
  },
);
