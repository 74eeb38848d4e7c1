/** Transposed convolutions with parameters, over one, two and three spatial axes. */
import type { Key } from '../random/key.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import * as operations from '../tensor/ops/spatial/convolution.js';
import { type Padding, type PerAxis, padPairs, perAxis } from '../tensor/ops/spatial/options.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Only } from '../tensor/types/known.js';
import type { SpatialRank } from '../tensor/types/windows.js';
import { type AnyParams, type BiasOf, type Convolve, type ConvParams, convParts } from './conv-parts.js';
import { type ShapedLayer, shaped } from './layer.js';
import { parameter } from './normalisation.js';
import type { ConvolvesBack } from './shape-maps.js';

/** Options of {@link convTranspose1d}, {@link convTranspose2d} and {@link convTranspose3d}. */
export interface ConvTransposeLayerOptions {
  /** How far apart the inputs come to stand in the result; 1 if left out. */
  readonly stride?: PerAxis;
  /** What is cut off the result at the ends of an axis. */
  readonly padding?: Padding;
  /** How much longer than the shortest possible the result is; less than stride or dilation, 0 if left out. */
  readonly outputPadding?: PerAxis;
  /** How far apart the kernel's elements are; 1 if left out. */
  readonly dilation?: PerAxis;
  /** Channels are cut into so many groups, each with kernels of its own; 1 if left out. */
  readonly groups?: number;
  /** Whether a number is added to each output channel. Default true. */
  readonly bias?: boolean;
  /** `default`: as PyTorch, uniform within ±1/√(outputs of a group · size of the kernel), or `zeros`. */
  readonly init?: 'default' | 'zeros';
}

/** The signatures of {@link convTranspose1d}, {@link convTranspose2d} and {@link convTranspose3d}. */
export type ConvTransposeLayer<Op extends string, R extends SpatialRank> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Options extends Only<ConvTransposeLayerOptions, Options> = Record<never, never>,
>(
  inputs: I,
  outputs: O,
  kernel: K,
  options?: Options,
) => ShapedLayer<ConvParams<BiasOf<Options>>, ConvolvesBack<Op, R, I, O, K, Options>>;

const transposedLayer =
  (operation: string, rank: SpatialRank, convolve: Convolve) =>
  (inputs: number, outputs: number, kernel: PerAxis, options: ConvTransposeLayerOptions = {}) => {
    checkOptions(operation, ['stride', 'padding', 'outputPadding', 'dilation', 'groups', 'bias', 'init'], options);
    const { padding = 0, outputPadding = 0, groups = 1 } = options;
    const { strides, dilations, lengths, first, inputOf, finish } = convParts(
      operation,
      rank,
      inputs,
      outputs,
      kernel,
      options,
    );
    const pairs = padPairs(operation, padding, rank);
    const more = perAxis(operation, 'outputPadding', outputPadding, rank, 0);
    checkArgument(
      more.every((n, axis) => n < Math.max(strides[axis]!, dilations[axis]!)),
      operation,
      `${more.join(', ')} as outputPadding`,
      'outputPadding is less than the stride or the dilation',
      'What is beyond would be zeros; use pad for them.',
    );
    const weightShape = [inputs, outputs / groups, ...lengths];
    const fixed = { stride: strides, padding: pairs, outputPadding: more, dilation: dilations, groups };
    return shaped({
      init: (key: Key): AnyParams => first(key, weightShape),
      apply: (params: AnyParams, x: Tensor): Tensor =>
        finish(params, convolve(inputOf(x), parameter(operation, params, 'weight', weightShape), fixed)),
    });
  };

/**
 * A transposed convolution over one spatial axis with a kernel and a bias that are learnt. See {@link convTranspose2d}.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length
 * @param options see {@link convTranspose2d}
 * @returns a layer; x is [N, inputs, length] or without N, y […, outputs, length of the result]
 * @throws as {@link convTranspose2d}
 * @numpy flax.linen.ConvTranspose
 * @pytorch torch.nn.ConvTranspose1d
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { convTranspose1d } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = convTranspose1d(3, 2, 4, { stride: 2, padding: 1 });
 * layer.apply(layer.init(key(0)), zeros([5, 3, 8])).shape; // => [5, 2, 16]
 * ```
 */
export const convTranspose1d: ConvTransposeLayer<'convTranspose1d', 1> = transposedLayer(
  'convTranspose1d',
  1,
  operations.convTranspose1d as unknown as Convolve,
) as never;

/**
 * A transposed convolution over two spatial axes with a kernel and a bias that are learnt: it makes a picture larger by the
 * stride.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length, or one for each spatial axis
 * @param options `stride`, `padding` (which is cut off), `outputPadding`, `dilation`, `groups`, `bias: false`, `init: 'zeros'`
 * @returns a layer; x is [N, inputs, height, width] or without N, y [N, outputs, …] with the lengths of the operation
 *   `convTranspose2d`; the parameters are `{ weight: [inputs, outputs / groups, …kernel], bias: [outputs] }`
 * @throws IndexError when a number of channels is no positive integer, ArgumentError for a wrong or unknown option and groups that
 *   do not divide the channels; applied, ShapeError when x has other axes or channels or nothing is left of it, or the parameters
 *   do not fit, DTypeError for uint8
 * @numpy flax.linen.ConvTranspose
 * @pytorch torch.nn.ConvTranspose2d
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { convTranspose2d } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = convTranspose2d(3, 2, 4, { stride: 2, padding: 1 });
 * layer.apply(layer.init(key(0)), zeros([1, 3, 8, 8])).shape; // => [1, 2, 16, 16]
 * ```
 */
export const convTranspose2d: ConvTransposeLayer<'convTranspose2d', 2> = transposedLayer(
  'convTranspose2d',
  2,
  operations.convTranspose2d as unknown as Convolve,
) as never;

/**
 * A transposed convolution over three spatial axes with a kernel and a bias that are learnt. See {@link convTranspose2d}.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length, or one for each spatial axis
 * @param options see {@link convTranspose2d}
 * @returns a layer; x is [N, inputs, depth, height, width] or without N, y [N, outputs, …]
 * @throws as {@link convTranspose2d}
 * @numpy flax.linen.ConvTranspose
 * @pytorch torch.nn.ConvTranspose3d
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { convTranspose3d } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = convTranspose3d(3, 2, 2, { stride: 2 });
 * layer.apply(layer.init(key(0)), zeros([1, 3, 4, 4, 4])).shape; // => [1, 2, 8, 8, 8]
 * ```
 */
export const convTranspose3d: ConvTransposeLayer<'convTranspose3d', 3> = transposedLayer(
  'convTranspose3d',
  3,
  operations.convTranspose3d as unknown as Convolve,
) as never;
