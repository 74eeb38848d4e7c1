/** Convolutions with parameters, over one, two and three spatial axes. */
import type { Key } from '../random/key.js';
import { ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { type PadMode, pad } from '../tensor/ops/movement/padding.js';
import * as operations from '../tensor/ops/spatial/convolution.js';
import { type Padding, type PerAxis, paddingOf } from '../tensor/ops/spatial/options.js';
import { checkArgument, range, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Only } from '../tensor/types/known.js';
import type { SpatialRank } from '../tensor/types/windows.js';
import { type AnyParams, type BiasOf, type Convolve, type ConvParams, convParts } from './conv-parts.js';
import { type ShapedLayer, shaped } from './layer.js';
import { parameter } from './normalisation.js';
import type { Convolves } from './shape-maps.js';

export type { ConvParams } from './conv-parts.js';

/** Options of {@link conv1d}, {@link conv2d} and {@link conv3d}. */
export interface ConvLayerOptions {
  /** How far the kernel goes on; 1 if left out. */
  readonly stride?: PerAxis;
  /** None if left out, which is `'valid'`. `'same'`: such that the result is as long as the input; for a stride of 1. */
  readonly padding?: Padding | 'same' | 'valid';
  /** What stands there: zeros if left out; else see `pad`. */
  readonly paddingMode?: 'zeros' | Exclude<PadMode, 'constant'>;
  /** How far apart the kernel's elements are; 1 if left out. */
  readonly dilation?: PerAxis;
  /** Channels are cut into so many groups, each with kernels of its own; 1 if left out. */
  readonly groups?: number;
  /** Whether a number is added to each output channel. Default true. */
  readonly bias?: boolean;
  /** `default`: as PyTorch, uniform within ±1/√(inputs that an output sees); `zeros` for the last layer of a residual branch. */
  readonly init?: 'default' | 'zeros';
}

/** The signatures of {@link conv1d}, {@link conv2d} and {@link conv3d}. */
export type ConvLayer<Op extends string, R extends SpatialRank> = <
  const I extends number,
  const O extends number,
  const K extends PerAxis,
  const Options extends Only<ConvLayerOptions, Options> = Record<never, never>,
>(
  inputs: I,
  outputs: O,
  kernel: K,
  options?: Options,
) => ShapedLayer<ConvParams<BiasOf<Options>>, Convolves<Op, R, I, O, K, Options>>;

const paddingModes = ['zeros', 'circular', 'reflect', 'replicate'];

/** The input with what its own elements put around it. */
const surrounded = (
  operation: string,
  x: Tensor,
  pairs: readonly (readonly [number, number])[],
  mode: Exclude<PadMode, 'constant'>,
): Tensor => {
  const lead = x.shape.length - pairs.length;
  pairs.forEach(([low, high], axis) => {
    const length = x.shape[lead + axis]!;
    const widest = { reflect: length - 1, circular: length, replicate: Number.POSITIVE_INFINITY }[mode];
    if (Math.max(low, high) <= widest) return;
    throw new ShapeError({
      operation,
      given: `${showAval(x)} with a padding of ${low} and ${high} in the mode '${mode}'`,
      rule: `an axis of length ${length} has ${widest} elements to give`,
      hint: "Use less padding, or the mode 'zeros' or 'replicate'.",
    });
  });
  return pad(x, [...range(lead).map(() => [0, 0] as const), ...pairs], { mode }) as Tensor;
};

const convolutionLayer =
  (operation: string, rank: SpatialRank, convolve: Convolve) =>
  (inputs: number, outputs: number, kernel: PerAxis, options: ConvLayerOptions = {}) => {
    checkOptions(operation, ['stride', 'padding', 'paddingMode', 'dilation', 'groups', 'bias', 'init'], options);
    const { padding = 0, paddingMode = 'zeros', groups = 1 } = options;
    const { strides, dilations, lengths, first, inputOf, finish } = convParts(
      operation,
      rank,
      inputs,
      outputs,
      kernel,
      options,
    );
    const pairs = paddingOf(operation, padding, strides, dilations, lengths);
    checkArgument(
      paddingModes.includes(paddingMode),
      operation,
      `paddingMode: ${String(paddingMode)}`,
      `the modes are ${paddingModes.join(', ')}`,
      'Leave it out for zeros.',
    );
    const weightShape = [outputs, inputs / groups, ...lengths];
    const fixed = { stride: strides, dilation: dilations, groups };
    return shaped({
      init: (key: Key): AnyParams => first(key, weightShape),
      apply: (params: AnyParams, x: Tensor): Tensor => {
        const input = inputOf(x);
        const weight = parameter(operation, params, 'weight', weightShape);
        const y =
          paddingMode === 'zeros'
            ? convolve(input, weight, { ...fixed, padding: pairs })
            : convolve(surrounded(operation, input, pairs, paddingMode), weight, fixed);
        return finish(params, y);
      },
    });
  };

/**
 * A convolution over one spatial axis with a kernel and a bias that are learnt. See {@link conv2d}.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length
 * @param options see {@link conv2d}
 * @returns a layer; x is [N, inputs, length] or [inputs, length], y […, outputs, length of the result]
 * @throws as {@link conv2d}
 * @numpy flax.linen.Conv
 * @pytorch torch.nn.Conv1d
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { conv1d } from 'tenfold/nn';
 * const layer = conv1d(1, 1, 2, { padding: [[1, 0]], paddingMode: 'circular' });
 * const params = { weight: tensor([[[1, 10]]]), bias: tensor([100]) };
 * layer.apply(params, tensor([[1, 2, 3]])).toArray(); // => [[113, 121, 132]]
 * ```
 */
export const conv1d: ConvLayer<'conv1d', 1> = convolutionLayer(
  'conv1d',
  1,
  operations.conv1d as unknown as Convolve,
) as never;

/**
 * A convolution over two spatial axes with a kernel and a bias that are learnt.
 *
 * Kernel and bias start as in PyTorch, uniform within ±1/√n, n being the number of inputs that an output sees.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length, or one for each spatial axis
 * @param options `stride`, `padding` (numbers, `'same'` or `'valid'`), `paddingMode` (`'zeros'`, `'circular'`, `'reflect'`,
 *   `'replicate'`), `dilation`, `groups`, `bias: false`, `init: 'zeros'`
 * @returns a layer; x is [N, inputs, height, width] or without N, y [N, outputs, …] with the lengths of the operation `conv2d`;
 *   the parameters are `{ weight: [outputs, inputs / groups, …kernel], bias: [outputs] }`
 * @throws IndexError when a number of channels is no positive integer, ArgumentError for a wrong or unknown option and groups that
 *   do not divide the channels; applied, ShapeError when x has other axes or channels or is shorter than the kernel or the padding
 *   that it must give, or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.Conv
 * @pytorch torch.nn.Conv2d
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { conv2d } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = conv2d(3, 16, 3, { stride: 2, padding: 1 });
 * const params = layer.init(key(0));
 * params.weight.shape; // => [16, 3, 3, 3]
 * layer.apply(params, zeros([8, 3, 32, 32])).shape; // => [8, 16, 16, 16]
 * ```
 */
export const conv2d: ConvLayer<'conv2d', 2> = convolutionLayer(
  'conv2d',
  2,
  operations.conv2d as unknown as Convolve,
) as never;

/**
 * A convolution over three spatial axes with a kernel and a bias that are learnt. See {@link conv2d}.
 *
 * @param inputs how many channels x has
 * @param outputs how many channels y has
 * @param kernel its length, or one for each spatial axis
 * @param options see {@link conv2d}
 * @returns a layer; x is [N, inputs, depth, height, width] or without N, y [N, outputs, …]
 * @throws as {@link conv2d}
 * @numpy flax.linen.Conv
 * @pytorch torch.nn.Conv3d
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { conv3d } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = conv3d(2, 4, [1, 3, 3], { padding: 'same', bias: false });
 * layer.apply(layer.init(key(0)), zeros([1, 2, 5, 6, 7])).shape; // => [1, 4, 5, 6, 7]
 * ```
 */
export const conv3d: ConvLayer<'conv3d', 3> = convolutionLayer(
  'conv3d',
  3,
  operations.conv3d as unknown as Convolve,
) as never;
