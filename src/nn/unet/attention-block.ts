/** Attention between the places of a picture, and a pooling by attention. */
import { normal } from '../../random/draw.js';
import { type Key, split } from '../../random/key.js';
import { add, mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { concat, unstack } from '../../tensor/ops/movement/joining.js';
import { reshape, swapAxes } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import { mean } from '../../tensor/ops/reduction/reduction.js';
import type { Tensor } from '../../tensor/tensor.js';
import { attentionInBlocks } from '../attention-blocks.js';
import type { ConvParams } from '../conv.js';
import { groupNorm } from '../group-norm.js';
import type { Layer } from '../layer.js';
import type { AffineParams } from '../normalisation.js';
import { convOf, normGroups } from './parts.js';

/** Parameters of an attention block. */
export interface AttentionBlockParams {
  readonly norm: AffineParams;
  readonly qkv: ConvParams;
  readonly projOut: ConvParams;
}

/** Parameters of a pooling by attention. */
export interface AttentionPoolParams {
  /** [channels, places + 1], that of the mean first. */
  readonly positionalEmbedding: Tensor;
  readonly qkvProj: ConvParams;
  readonly cProj: ConvParams;
}

/**
 * @internal
 * Attention of queries, keys and values that are channels of one tensor: [N, 3 · heads · features, T] gives
 * [N, heads · features, T]. `legacy` has queries, keys and values within each head, the other order has heads within queries,
 * keys and values. Many places are answered some at a time, so that memory does not grow with their square.
 */
export const qkvAttention = (qkv: Tensor, heads: number, order: 'legacy' | 'new'): Tensor => {
  const [n, width, length] = qkv.shape as readonly [number, number, number];
  const features = width / (3 * heads);
  const parts = order === 'new' ? [n, 3, heads, features, length] : [n, heads, 3, features, length];
  const [q, k, v] = unstack(reshape(qkv, parts) as Tensor, { axis: order === 'new' ? 1 : 2 }).map(x =>
    swapAxes(x as Tensor, -1, -2),
  ) as readonly Tensor[] as readonly [Tensor, Tensor, Tensor];
  return reshape(swapAxes(attentionInBlocks([q, k, v]), -1, -2) as Tensor, [n, width / 3, length]) as Tensor;
};

/** Every place of [N, channels, …] one after the other: [N, channels, places]. */
const inRow = (x: Tensor): Tensor => reshape(x, [x.shape[0]!, x.shape[1]!, -1]) as Tensor;

/** Sizes of {@link attentionBlock}. */
export interface AttentionBlockOptions {
  readonly channels: number;
  readonly heads: number;
  readonly order: 'legacy' | 'new';
}

/** @internal Normalised places attend to each other, added to the input. What is added starts at 0. */
export const attentionBlock = ({ channels, heads, order }: AttentionBlockOptions): Layer<AttentionBlockParams> => {
  const norm = groupNorm(normGroups, channels);
  const qkv = convOf(1, channels, 3 * channels, 1);
  const projOut = convOf(1, channels, channels, 1, { init: 'zeros' });
  return Object.freeze({
    init: (key: Key): AttentionBlockParams =>
      Object.freeze({ norm: norm.init(key), qkv: qkv.init(key), projOut: projOut.init(key) }),
    apply: (params: AttentionBlockParams, x: Tensor): Tensor => {
      const row = inRow(x);
      const told = qkvAttention(qkv.apply(params.qkv, norm.apply(params.norm, row)), heads, order);
      return reshape(add(row, projOut.apply(params.projOut, told)) as Tensor, x.shape) as Tensor;
    },
  });
};

/** Sizes of {@link attentionPool}. */
export interface AttentionPoolOptions {
  /** How many places there are. */
  readonly places: number;
  readonly channels: number;
  readonly heads: number;
  readonly outputs: number;
}

/**
 * @internal
 * [N, channels, …] to [N, outputs]: the mean of all places attends to itself and to them (Radford et al. 2021,
 * arXiv:2103.00020, section 2.4).
 */
export const attentionPool = ({
  places,
  channels,
  heads,
  outputs,
}: AttentionPoolOptions): Layer<AttentionPoolParams> => {
  const qkvProj = convOf(1, channels, 3 * channels, 1);
  const cProj = convOf(1, channels, outputs, 1);
  return Object.freeze({
    init: (key: Key): AttentionPoolParams => {
      const [a, b, c] = split(key, 3) as readonly [Key, Key, Key];
      return Object.freeze({
        positionalEmbedding: mul(normal(a, [channels, places + 1]), channels ** -0.5) as Tensor,
        qkvProj: qkvProj.init(b),
        cProj: cProj.init(c),
      });
    },
    apply: (params: AttentionPoolParams, x: Tensor): Tensor => {
      const row = inRow(x);
      const all = concat([mean(row, { axis: -1, keepDims: true }) as Tensor, row], { axis: -1 }) as Tensor;
      const placed = add(all, params.positionalEmbedding) as Tensor;
      const told = qkvAttention(qkvProj.apply(params.qkvProj, placed), heads, 'new');
      // Only what the mean has been told is asked for.
      const first = slice(told, [0, 0, 0], [told.shape[0]!, channels, 1]) as Tensor;
      return reshape(cProj.apply(params.cProj, first), [x.shape[0]!, outputs]) as Tensor;
    },
  });
};
