/** What the encoder and the decoder of an autoencoder are made of. */
import { type Key, split } from '../../random/key.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { add } from '../../tensor/ops/elementwise/arithmetic.js';
import { reshape, swapAxes } from '../../tensor/ops/movement/movement.js';
import { interpolate } from '../../tensor/ops/spatial/resampling.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attentionInBlocks } from '../attention-blocks.js';
import { type ConvParams, conv2d } from '../conv.js';
import { groupNorm } from '../group-norm.js';
import type { Layer } from '../layer.js';
import { type LinearParams, linear } from '../linear.js';
import type { AffineParams } from '../normalisation.js';

/** Parameters of a residual block; `convShortcut` where the numbers of channels differ, else null. */
export interface AutoencoderResnetParams {
  readonly norm1: AffineParams;
  readonly conv1: ConvParams;
  readonly norm2: AffineParams;
  readonly conv2: ConvParams;
  readonly convShortcut: ConvParams | null;
}

/** Parameters of the attention in the middle. */
export interface AutoencoderAttentionParams {
  readonly groupNorm: AffineParams;
  readonly toQ: LinearParams;
  readonly toK: LinearParams;
  readonly toV: LinearParams;
  readonly toOut: LinearParams;
}

/** Parameters of the middle: residual blocks, and attention between them or null. */
export interface AutoencoderMidParams {
  readonly resnets: readonly AutoencoderResnetParams[];
  readonly attention: AutoencoderAttentionParams | null;
}

/** Parameters of a resolution: residual blocks, and the convolution that changes it or null. */
export interface AutoencoderBlockParams {
  readonly resnets: readonly AutoencoderResnetParams[];
  readonly resample: ConvParams | null;
}

/** Parameters of what a half ends with. */
export interface AutoencoderEndParams {
  readonly convNormOut: AffineParams;
  readonly convOut: ConvParams;
}

/** @internal A convolution that keeps lengths. */
export const convOf = (inputs: number, outputs: number, kernel: 1 | 3): Layer<ConvParams> =>
  conv2d(inputs, outputs, kernel, { padding: (kernel - 1) / 2 }) as unknown as Layer<ConvParams>;

const normOf = (groups: number, channels: number): Layer<AffineParams> =>
  groupNorm(groups, channels, { epsilon: 1e-6 }) as unknown as Layer<AffineParams>;

const resnet = (groups: number, inputs: number, outputs: number): Layer<AutoencoderResnetParams> => {
  const [norm1, norm2] = [normOf(groups, inputs), normOf(groups, outputs)];
  const [conv1, conv2] = [convOf(inputs, outputs, 3), convOf(outputs, outputs, 3)];
  const shortcut = inputs === outputs ? null : convOf(inputs, outputs, 1);
  return Object.freeze({
    init: (key: Key): AutoencoderResnetParams => {
      const [a, b, c] = split(key, 3) as readonly [Key, Key, Key];
      return Object.freeze({
        norm1: norm1.init(a),
        conv1: conv1.init(a),
        norm2: norm2.init(b),
        conv2: conv2.init(b),
        convShortcut: shortcut === null ? null : shortcut.init(c),
      });
    },
    apply: (params: AutoencoderResnetParams, x: Tensor): Tensor => {
      const inner = conv1.apply(params.conv1, silu(norm1.apply(params.norm1, x)) as Tensor);
      const outer = conv2.apply(params.conv2, silu(norm2.apply(params.norm2, inner)) as Tensor);
      return add(shortcut === null ? x : shortcut.apply(params.convShortcut!, x), outer) as Tensor;
    },
  });
};

/** @internal Layers one after the other. */
export const inTurn = <P>(layers: readonly Layer<P>[]): Layer<readonly P[]> =>
  Object.freeze({
    init: (key: Key): readonly P[] => {
      const keys = split(key, layers.length);
      return Object.freeze(layers.map((layer, i) => layer.init(keys[i]!)));
    },
    apply: (params: readonly P[], x: Tensor): Tensor => layers.reduce((h, layer, i) => layer.apply(params[i]!, h), x),
  });

/** Every place of a picture attends to all, with one head, added to the picture. */
const attention = (groups: number, channels: number): Layer<AutoencoderAttentionParams> => {
  const norm = normOf(groups, channels);
  const each = linear(channels, channels);
  return Object.freeze({
    init: (key: Key): AutoencoderAttentionParams => {
      const [q, k, v, out] = split(key, 4) as readonly [Key, Key, Key, Key];
      return Object.freeze({
        groupNorm: norm.init(key),
        toQ: each.init(q),
        toK: each.init(k),
        toV: each.init(v),
        toOut: each.init(out),
      });
    },
    apply: (params: AutoencoderAttentionParams, x: Tensor): Tensor => {
      const row = reshape(norm.apply(params.groupNorm, x), [x.shape[0]!, channels, -1]) as Tensor;
      const places = swapAxes(row, 1, 2) as Tensor;
      const [q, k, v] = [params.toQ, params.toK, params.toV].map(p => each.apply(p, places) as Tensor) as unknown as [
        Tensor,
        Tensor,
        Tensor,
      ];
      const seen = each.apply(params.toOut, attentionInBlocks([q, k, v])) as Tensor;
      return add(x, reshape(swapAxes(seen, 1, 2) as Tensor, x.shape)) as Tensor;
    },
  });
};

/** @internal The middle of each half. */
export const middle = (groups: number, channels: number, attends: boolean): Layer<AutoencoderMidParams> => {
  const [first, last] = [resnet(groups, channels, channels), resnet(groups, channels, channels)];
  const between = attends ? attention(groups, channels) : null;
  return Object.freeze({
    init: (key: Key): AutoencoderMidParams => {
      const [a, b, c] = split(key, 3) as readonly [Key, Key, Key];
      return Object.freeze({
        resnets: Object.freeze([first.init(a), last.init(b)]),
        attention: between === null ? null : between.init(c),
      });
    },
    apply: (params: AutoencoderMidParams, x: Tensor): Tensor => {
      const h = first.apply(params.resnets[0]!, x);
      return last.apply(params.resnets[1]!, between === null ? h : between.apply(params.attention!, h));
    },
  });
};

/** Sizes of {@link level}. */
interface LevelSizes {
  readonly groups: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Residual blocks. */
  readonly count: number;
  readonly resample: 'up' | 'down' | null;
}

/**
 * @internal
 * Residual blocks, and then another resolution: half as high and wide by a convolution with a stride that sees one row and column
 * of zeros behind the picture and none before, or twice as high and wide, each pixel repeated, and a convolution.
 */
export const level = ({ groups, inputs, outputs, count, resample }: LevelSizes): Layer<AutoencoderBlockParams> => {
  const layers = inTurn(Array.from({ length: count }, (_, i) => resnet(groups, i === 0 ? inputs : outputs, outputs)));
  const behind = [
    [0, 1],
    [0, 1],
  ] as const;
  const down = conv2d(outputs, outputs, 3, { stride: 2, padding: behind }) as unknown as Layer<ConvParams>;
  const change = resample === 'down' ? down : convOf(outputs, outputs, 3);
  return Object.freeze({
    init: (key: Key): AutoencoderBlockParams => {
      const [a, b] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({ resnets: layers.init(a), resample: resample === null ? null : change.init(b) });
    },
    apply: (params: AutoencoderBlockParams, x: Tensor): Tensor => {
      const h = layers.apply(params.resnets, x);
      if (resample === null) return h;
      return change.apply(params.resample!, resample === 'down' ? h : (interpolate(h, { scale: 2 }) as Tensor));
    },
  });
};

/** @internal The last convolution of a half. */
export const end = (groups: number, inputs: number, outputs: number): Layer<AutoencoderEndParams> => {
  const [norm, conv] = [normOf(groups, inputs), convOf(inputs, outputs, 3)];
  return Object.freeze({
    init: (key: Key): AutoencoderEndParams => Object.freeze({ convNormOut: norm.init(key), convOut: conv.init(key) }),
    apply: (params: AutoencoderEndParams, x: Tensor): Tensor =>
      conv.apply(params.convOut, silu(norm.apply(params.convNormOut, x)) as Tensor),
  });
};
