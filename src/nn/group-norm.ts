/** Normalisation over groups of channels. */
import { ArgumentError } from '../tensor/errors.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkInteger, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ShapedLayer, shaped, type WithChannels } from './layer.js';
import {
  type AffineParams,
  channelsOf,
  checkNormOptions,
  identity,
  type MaybeAffine,
  type NormOptions,
  normalised,
  perChannel,
  scaled,
} from './normalisation.js';

/** @internal [N, channels, …], each group of neighbouring channels of an example normalised. */
export const byGroups = (x: Tensor, groups: number, epsilon: number): Tensor => {
  const [n, ...rest] = x.shape as readonly [number, ...number[]];
  // One axis for whatever is normalised together: a row of a kernel, which it walks through several times.
  const rows = reshape(x, [n, groups, sizeOf(rest) / groups]) as Tensor;
  return reshape(normalised(rows, [-1], epsilon), x.shape) as Tensor;
};

/**
 * Normalises each group of neighbouring channels of each example to mean 0 and variance 1, then scales and shifts each
 * channel (Wu, He 2018, arXiv:1803.08494).
 *
 * @param groups how many groups; their number divides that of the channels
 * @param channels length of the second axis
 * @param options `epsilon` (1e-5) added to the variance; `affine: false` for no scale and shift
 * @returns a layer; x and y are [N, channels, …], y of float32 for integers
 * @throws IndexError when a number is no positive integer, ArgumentError when the groups do not divide the channels and for
 *   a wrong or unknown option; applied, ShapeError when x has other channels or the parameters do not fit, DTypeError for
 *   uint8
 * @numpy flax.linen.GroupNorm
 * @pytorch torch.nn.GroupNorm
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { groupNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = groupNorm(2, 4, { epsilon: 0 });
 * layer.apply(layer.init(key(0)), tensor([[1, 3, 20, 10]])).toArray(); // => [[-1, 1, 1, -1]]
 * ```
 */
export const groupNorm = <const C extends number, Affine extends boolean = true>(
  groups: number,
  channels: C,
  options: NormOptions<Affine> = {},
): ShapedLayer<MaybeAffine<Affine>, WithChannels<'groupNorm', C>> => {
  checkInteger('groupNorm', 'the number of groups', groups, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('groupNorm', 'the number of channels', channels, 1, Number.MAX_SAFE_INTEGER);
  checkNormOptions('groupNorm', ['epsilon', 'affine'], options);
  const { epsilon = 1e-5, affine = true } = options;
  if (channels % groups !== 0) {
    throw new ArgumentError({
      operation: 'groupNorm',
      given: `${groups} groups of ${channels} channels`,
      rule: 'the groups have equally many channels',
      hint: 'Give a number of groups that divides the number of channels.',
    });
  }
  return shaped({
    init: () => identity([channels], affine) as MaybeAffine<Affine>,
    apply: (params: MaybeAffine<Affine>, x: Tensor): Tensor => {
      const y = byGroups(channelsOf('groupNorm', x, channels), groups, epsilon);
      return affine ? scaled('groupNorm', y, params as AffineParams, [channels], perChannel) : y;
    },
  });
};
