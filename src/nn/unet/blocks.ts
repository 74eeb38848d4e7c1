/** What a U-Net is made of: residual blocks told of an embedding, and changes of resolution. */
import { type Key, split } from '../../random/key.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { chunk } from '../../tensor/ops/movement/joining.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { avgPool1d, avgPool2d, avgPool3d } from '../../tensor/ops/spatial/pooling.js';
import { interpolate } from '../../tensor/ops/spatial/resampling.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { ConvParams } from '../conv.js';
import { dropped } from '../dropout.js';
import { groupNorm } from '../group-norm.js';
import { type LinearParams, linear } from '../linear.js';
import type { AffineParams } from '../normalisation.js';
import type { AttentionBlockParams } from './attention-block.js';
import { convOf, type Dims, normGroups, type Told } from './parts.js';

/** Parameters of a residual block; `skip` where the numbers of channels differ, else null. */
export interface ResBlockParams {
  readonly inNorm: AffineParams;
  readonly inConv: ConvParams;
  readonly embedding: LinearParams;
  readonly outNorm: AffineParams;
  readonly outConv: ConvParams;
  readonly skip: ConvParams | null;
}

/** Parameters of what makes the resolution higher; null where nothing is learnt. */
export interface UpsampleParams {
  readonly conv: ConvParams | null;
}

/** Parameters of what makes the resolution lower; null where nothing is learnt. */
export interface DownsampleParams {
  readonly op: ConvParams | null;
}

/** Parameters of one part of a stage of a U-Net. */
export type UnetBlockParams = ConvParams | ResBlockParams | AttentionBlockParams | UpsampleParams | DownsampleParams;

/** Of three spatial axes the first is left as it is. */
const perAxis = (dims: Dims): number | readonly number[] => (dims === 3 ? [1, 2, 2] : 2);

const doubled = (dims: Dims, x: Tensor): Tensor => interpolate(x, { scale: perAxis(dims) }) as Tensor;

const halved = (dims: Dims, x: Tensor): Tensor => {
  if (dims === 1) return avgPool1d(x, 2) as Tensor;
  return (dims === 2 ? avgPool2d(x, 2) : avgPool3d(x, [1, 2, 2])) as Tensor;
};

/** Sizes of {@link upsample} and {@link downsample}. */
interface ResampleOptions {
  readonly channels: number;
  /** With a convolution, which may change it; as many as inputs if left out. */
  readonly outputs?: number;
  readonly conv: boolean;
  readonly dims: Dims;
}

/** @internal Twice as long axes, each element repeated; then a convolution, where one is wanted. */
export const upsample = ({ channels, outputs = channels, conv, dims }: ResampleOptions): Told<UpsampleParams> => {
  const layer = convOf(dims, channels, outputs, 3);
  return Object.freeze({
    init: (key: Key): UpsampleParams => Object.freeze({ conv: conv ? layer.init(key) : null }),
    apply: (params: UpsampleParams, x: Tensor): Tensor => {
      const y = doubled(dims, x);
      return conv ? layer.apply(params.conv!, y) : y;
    },
  });
};

/** @internal Half as long axes: by a convolution with stride 2, or as means of two elements along each axis. */
export const downsample = ({ channels, outputs = channels, conv, dims }: ResampleOptions): Told<DownsampleParams> => {
  const layer = convOf(dims, channels, outputs, 3, { stride: perAxis(dims) });
  return Object.freeze({
    init: (key: Key): DownsampleParams => Object.freeze({ op: conv ? layer.init(key) : null }),
    apply: (params: DownsampleParams, x: Tensor): Tensor => (conv ? layer.apply(params.op!, x) : halved(dims, x)),
  });
};

/** Sizes and variants of {@link resBlock}. */
export interface ResBlockOptions {
  readonly channels: number;
  /** Length of the embedding. */
  readonly embedding: number;
  /** As many as inputs if left out. */
  readonly outputs?: number;
  /** The probability with which an element is dropped. */
  readonly dropout?: number;
  /** Whether a change of the number of channels on the way around the block sees neighbours: 3×3 instead of 1×1. */
  readonly wideSkip?: boolean;
  /** Whether the embedding scales and shifts what has been normalised, instead of being added before. */
  readonly scaleShift?: boolean;
  readonly dims?: Dims;
  /** Whether the block doubles or halves the resolution too. */
  readonly resample?: 'up' | 'down';
}

/**
 * @internal
 * Normalise, SiLU, convolve, twice, added to the input (He et al. 2016, arXiv:1603.05027); told the embedding between. The
 * second convolution starts at 0, so that the block starts as its way around.
 */
export const resBlock = (options: ResBlockOptions): Told<ResBlockParams> => {
  const { channels, outputs = channels, dropout = 0, wideSkip = false, scaleShift = false, dims = 2 } = options;
  const inNorm = groupNorm(normGroups, channels);
  const inConv = convOf(dims, channels, outputs, 3);
  const embedding = linear(options.embedding, scaleShift ? 2 * outputs : outputs);
  const outNorm = groupNorm(normGroups, outputs);
  const outConv = convOf(dims, outputs, outputs, 3, { init: 'zeros' });
  const skip = outputs === channels ? null : convOf(dims, channels, outputs, wideSkip ? 3 : 1);
  const resampled = (x: Tensor): Tensor => {
    if (options.resample === undefined) return x;
    return options.resample === 'up' ? doubled(dims, x) : halved(dims, x);
  };
  return Object.freeze({
    init: (key: Key): ResBlockParams => {
      const [a, b, c, d, e] = split(key, 5) as readonly [Key, Key, Key, Key, Key];
      return Object.freeze({
        inNorm: inNorm.init(key),
        inConv: inConv.init(a),
        embedding: embedding.init(b),
        outNorm: outNorm.init(c),
        outConv: outConv.init(d),
        skip: skip === null ? null : skip.init(e),
      });
    },
    apply: (params: ResBlockParams, x: Tensor, told: Tensor, key: Key | null): Tensor => {
      const inner = inConv.apply(params.inConv, resampled(silu(inNorm.apply(params.inNorm, x))));
      const flat = embedding.apply(params.embedding, silu(told)) as Tensor;
      const perChannel = reshape(flat, [...flat.shape, ...Array.from({ length: dims }, () => 1)]) as Tensor;
      const informed = (): Tensor => {
        if (!scaleShift) return outNorm.apply(params.outNorm, add(inner, perChannel) as Tensor);
        const [scale, shift] = chunk(perChannel, 2, { axis: 1 }) as readonly Tensor[];
        return add(mul(outNorm.apply(params.outNorm, inner), add(scale!, 1)), shift!) as Tensor;
      };
      const outer = outConv.apply(params.outConv, dropped(silu(informed()), dropout, key ?? undefined));
      const around = resampled(x);
      return add(skip === null ? around : skip.apply(params.skip!, around), outer) as Tensor;
    },
  });
};

/** A block, whatever it is. */
export type Block = Told<UnetBlockParams>;

/** @internal The block as one of a stage, which gives it no parameters but its own. */
export const block = <P extends UnetBlockParams>(one: Told<P>): Block => one as unknown as Block;

/** @internal Blocks one after the other. */
export const stage = (blocks: readonly Block[]): Told<readonly UnetBlockParams[]> => {
  return Object.freeze({
    init: (key: Key): readonly UnetBlockParams[] => {
      const keys = split(key, blocks.length);
      return Object.freeze(blocks.map((one, i) => one.init(keys[i]!)));
    },
    apply: (params: readonly UnetBlockParams[], x: Tensor, embedding: Tensor, key: Key | null): Tensor => {
      const keys = key === null ? null : split(key, blocks.length);
      return blocks.reduce((h, one, i) => one.apply(params[i]!, h, embedding, keys === null ? null : keys[i]!), x);
    },
  });
};
