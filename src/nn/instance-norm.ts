/** Normalisation of every channel of every example by itself. */
import { checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { byGroups } from './group-norm.js';
import { type ShapedLayer, shaped, type WithChannels } from './layer.js';
import {
  type AffineParams,
  channelsOf,
  checkNormOptions,
  identity,
  type MaybeAffine,
  type NormOptions,
  perChannel,
  scaled,
  severalEach,
} from './normalisation.js';

/**
 * Normalises each channel of each example to mean 0 and variance 1 (Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022).
 *
 * @param channels length of the second axis
 * @param options `epsilon` (1e-5) added to the variance; `affine: true` for scale and shift of each channel, which as in
 *   PyTorch there are not otherwise
 * @returns a layer; x and y are [N, channels, length, …], y of float32 for integers
 * @throws IndexError when the number is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError
 *   when x has other channels or only one element in each or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.InstanceNorm
 * @pytorch torch.nn.InstanceNorm1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { instanceNorm } from 'tenfold/nn';
 * instanceNorm(2, { epsilon: 0 }).apply({}, tensor([[[1, 3], [20, 10]]])).toArray(); // => [[[-1, 1], [1, -1]]]
 * ```
 */
export const instanceNorm = <const C extends number, Affine extends boolean = false>(
  channels: C,
  options: NormOptions<Affine> = {},
): ShapedLayer<MaybeAffine<Affine>, WithChannels<'instanceNorm', C>> => {
  checkInteger('instanceNorm', 'the number of channels', channels, 1, Number.MAX_SAFE_INTEGER);
  checkNormOptions('instanceNorm', ['epsilon', 'affine'], options);
  const { epsilon = 1e-5, affine = false } = options;
  return shaped({
    init: () => identity([channels], affine) as MaybeAffine<Affine>,
    apply: (params: MaybeAffine<Affine>, x: Tensor): Tensor => {
      const input = channelsOf('instanceNorm', x, channels, 1);
      severalEach('instanceNorm', input, input.shape.slice(2));
      const y = byGroups(input, channels, epsilon);
      return affine ? scaled('instanceNorm', y, params as AffineParams, [channels], perChannel) : y;
    },
  });
};
