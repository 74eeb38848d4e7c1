/** Layers without parameters that make pictures larger or smaller. */
import { type ErrorParts, TenfoldError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import * as pixels from '../tensor/ops/movement/pixels.js';
import { checkRank, perAxis } from '../tensor/ops/spatial/options.js';
import { type InterpolateOptions, interpolate } from '../tensor/ops/spatial/resampling.js';
import { checkArgument, checkInteger, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Only } from '../tensor/types/known.js';
import type { InterpolateShape } from '../tensor/types/pooling.js';
import type { PixelShuffle, PixelUnshuffle } from '../tensor/types/reshaping.js';
import type { ShapedLayer, ShapeMap } from './layer.js';
import { type NoParams, operationLayer } from './operation-layer.js';

/** As {@link upsample} shapes a picture. */
export interface Resamples<Options> extends ShapeMap {
  readonly domain: Shape;
  readonly out: [this['in']] extends [infer S extends Shape] ? InterpolateShape<S, Options> : Shape;
}

/** As {@link pixelShuffle} shapes an image. */
export interface ShufflesPixels<R extends number> extends ShapeMap {
  readonly domain: readonly [...number[], number, number, number];
  readonly out: [this['in']] extends [infer S extends Shape] ? PixelShuffle<S, R> : Shape;
}

/** As {@link pixelUnshuffle} shapes an image. */
export interface UnshufflesPixels<R extends number> extends ShapeMap {
  readonly domain: readonly [...number[], number, number, number];
  readonly out: [this['in']] extends [infer S extends Shape] ? PixelUnshuffle<S, R> : Shape;
}

/** What is thrown, in the name of the layer. */
const named = <T>(operation: string, f: () => T): T => {
  try {
    return f();
  } catch (error) {
    if (!(error instanceof TenfoldError)) throw error;
    const { given, rule, hint } = error;
    const Kind = error.constructor as new (parts: ErrorParts) => TenfoldError;
    throw new Kind({ operation, given, rule, hint });
  }
};

const modes = ['nearest', 'linear', 'bilinear', 'trilinear', 'cubic', 'bicubic', 'area'];

const checkUpsample = ({ size, scale, mode, alignCorners }: InterpolateOptions): void => {
  checkArgument(
    (size === undefined) !== (scale === undefined),
    'upsample',
    size === undefined ? 'neither size nor scale' : 'both size and scale',
    'one of them says how long the axes become',
    'Write { size: [64, 64] } or { scale: 2 }.',
  );
  const rank = (given: unknown): number => (Array.isArray(given) ? given.length : 1);
  if (size !== undefined) perAxis('upsample', 'size', size, rank(size), 1);
  const scales: readonly unknown[] = scale === undefined ? [] : Array.isArray(scale) ? scale : [scale];
  checkArgument(
    scales.every(each => typeof each === 'number' && Number.isFinite(each) && each > 0),
    'upsample',
    `${kindOf(scale)} as scale`,
    'scale is a positive number, or an array of them',
    'Write { scale: 2 }.',
  );
  checkRank('upsample', 'spatial axes', rank(size ?? scale));
  checkArgument(
    mode === undefined || modes.includes(mode),
    'upsample',
    `${kindOf(mode)} as mode`,
    `the modes are ${modes.join(', ')}`,
    "Write { mode: 'linear' }.",
  );
  checkFlag('upsample', 'alignCorners', alignCorners);
  checkArgument(
    alignCorners !== true || !['nearest', 'area'].includes(mode ?? 'nearest'),
    'upsample',
    `alignCorners for the mode '${mode ?? 'nearest'}'`,
    'it is for the linear and cubic modes',
    'Leave it out.',
  );
};

/**
 * Spatial axes in another resolution, higher or lower: the operation `interpolate` as a layer. What learns to change the resolution
 * is this and a convolution behind it, and a convolution with a stride.
 *
 * @param options `size` or `scale`, one number or one for each spatial axis; `mode` ('nearest'); `alignCorners`
 * @returns a layer with the parameters `{}`; x is [N, C, …], y [N, C, …] with the new lengths, of float32 for integers
 * @throws ArgumentError for options that cannot be; applied, as `interpolate`
 * @numpy jax.image.resize
 * @pytorch torch.nn.Upsample
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { upsample } from 'tenfold/nn';
 * upsample({ scale: 2 }).apply({}, tensor([[[1, 2]]])).toArray(); // => [[[1, 1, 2, 2]]]
 * upsample({ size: 4, mode: 'linear', alignCorners: true }).apply({}, tensor([[[0, 3]]])).toArray(); // => [[[0, 1, 2, 3]]]
 * ```
 */
export const upsample = <const Options extends Only<InterpolateOptions, Options>>(
  options: Options,
): ShapedLayer<NoParams, Resamples<Options>> => {
  checkOptions('upsample', ['size', 'scale', 'mode', 'alignCorners'], options);
  const given = { ...(options as InterpolateOptions) };
  checkUpsample(given);
  return operationLayer('upsample', x => named('upsample', () => interpolate(x, given as never) as Tensor));
};

/**
 * Blocks of r² channels as r × r pixels of one: the operation `pixelShuffle` as a layer, behind a convolution a way to make
 * pictures larger (Shi et al. 2016, arXiv:1609.05158).
 *
 * @param factor r, a positive integer
 * @returns a layer with the parameters `{}`; x is […, C · r², H, W], y […, C, H · r, W · r], of float32 for integers
 * @throws IndexError when the factor is no positive integer; applied, as the operation
 * @numpy —
 * @pytorch torch.nn.PixelShuffle
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { pixelShuffle } from 'tenfold/nn';
 * pixelShuffle(2).apply({}, tensor([[[1]], [[2]], [[3]], [[4]]])).toArray(); // => [[[1, 2], [3, 4]]]
 * ```
 */
export const pixelShuffle = <const R extends number>(factor: R): ShapedLayer<NoParams, ShufflesPixels<R>> => {
  checkInteger('pixelShuffle', 'the factor', factor, 1, 2 ** 15);
  return operationLayer('pixelShuffle', x => pixels.pixelShuffle(x, factor as number) as Tensor);
};

/**
 * Blocks of r × r pixels as r² channels: the operation `pixelUnshuffle` as a layer, which makes pictures smaller and loses
 * nothing.
 *
 * @param factor r, a positive integer
 * @returns a layer with the parameters `{}`; x is […, C, H · r, W · r], y […, C · r², H, W], of float32 for integers
 * @throws IndexError when the factor is no positive integer; applied, as the operation
 * @numpy —
 * @pytorch torch.nn.PixelUnshuffle
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { pixelUnshuffle } from 'tenfold/nn';
 * pixelUnshuffle(2).apply({}, tensor([[[1, 2], [3, 4]]])).toArray(); // => [[[1]], [[2]], [[3]], [[4]]]
 * ```
 */
export const pixelUnshuffle = <const R extends number>(factor: R): ShapedLayer<NoParams, UnshufflesPixels<R>> => {
  checkInteger('pixelUnshuffle', 'the factor', factor, 1, 2 ** 15);
  return operationLayer('pixelUnshuffle', x => pixels.pixelUnshuffle(x, factor as number) as Tensor);
};
