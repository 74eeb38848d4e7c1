/** What a U-Net and its encoder half have in common: time and class, the way down, the middle. */
import { type Key, split } from '../../random/key.js';
import type { FloatDType } from '../../tensor/dtype.js';
import { silu } from '../../tensor/ops/elementwise/activation.js';
import { range } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type LinearParams, linear } from '../linear.js';
import { timestepEmbedding } from '../timestep-embedding.js';
import { attentionBlock } from './attention-block.js';
import { type Block, block, downsample, resBlock, stage, type UnetBlockParams, upsample } from './blocks.js';
import { headsOf, type Plan } from './options.js';
import { checkpointed, convOf, type Told, untold } from './parts.js';

/** Parameters of the two layers that make an embedding of sines of the time. */
export interface TimeParams {
  readonly first: LinearParams;
  readonly last: LinearParams;
}

/** Parameters of blocks one after the other. */
export type StageParams = readonly UnetBlockParams[];

/** Parameters that a U-Net and its encoder half have in common. */
export interface TrunkParams {
  readonly timeEmbed: TimeParams;
  readonly inputBlocks: readonly StageParams[];
  readonly middleBlock: StageParams;
}

type Stage = Told<StageParams>;

/** @internal The blocks of a plan: what only depends on how many channels they have. */
export const blocksOf = (operation: string, plan: Plan) => {
  const { dims, dropout, scaleShift, resblockUpdown } = plan;
  const embedding = 4 * plan.modelChannels;
  const kept = <P extends UnetBlockParams>(one: Told<P>): Block => block(plan.checkpointing ? checkpointed(one) : one);
  const residual = (channels: number, outputs: number, resample?: 'up' | 'down'): Block => {
    const resampled = resample === undefined ? {} : { resample };
    return kept(resBlock({ channels, outputs, embedding, dropout, scaleShift, dims, ...resampled }));
  };
  return {
    residual,
    attention: (channels: number, numHeads = plan.numHeads): Block => {
      const heads = headsOf(operation, channels, { ...plan, numHeads });
      return kept(untold(attentionBlock({ channels, heads, order: plan.order })));
    },
    resample: (channels: number, way: 'up' | 'down'): Block => {
      if (resblockUpdown) return residual(channels, channels, way);
      const sizes = { channels, conv: plan.convResample, dims };
      return way === 'up' ? block(upsample(sizes)) : block(downsample(sizes));
    },
  };
};

/** The way down and the middle. */
export interface Trunk {
  readonly inputs: readonly Stage[];
  /** Channels of what each of the inputs gives. */
  readonly widths: readonly number[];
  readonly middle: Stage;
}

/** @internal */
export const trunkOf = (operation: string, plan: Plan): Trunk => {
  const { residual, attention, resample } = blocksOf(operation, plan);
  const first = plan.channels[0]!;
  const inputs: Stage[] = [stage([block(untold(convOf(plan.dims, plan.inChannels, first, 3)))])];
  const widths = [first];
  for (const [level, outputs] of plan.channels.entries()) {
    for (const _ of range(plan.numResBlocks)) {
      const attends = plan.attentionResolutions.includes(2 ** level) ? [attention(outputs)] : [];
      inputs.push(stage([residual(widths.at(-1)!, outputs), ...attends]));
      widths.push(outputs);
    }
    if (level === plan.channels.length - 1) break;
    inputs.push(stage([resample(widths.at(-1)!, 'down')]));
    widths.push(widths.at(-1)!);
  }
  const last = widths.at(-1)!;
  return { inputs, widths, middle: stage([residual(last, last), attention(last), residual(last, last)]) };
};

/** @internal Sines of the time, two layers with a SiLU between. */
export const timeLayers = (modelChannels: number) => {
  const size = 4 * modelChannels;
  const [first, last] = [linear(modelChannels, size), linear(size, size)];
  return {
    init: (key: Key): TimeParams => {
      const [a, b] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({ first: first.init(a), last: last.init(b) });
    },
    apply: (params: TimeParams, t: Tensor): Tensor => {
      const dtype = params.first.weight.dtype as FloatDType;
      const waves = timestepEmbedding(t, modelChannels, { dtype });
      return last.apply(params.last, silu(first.apply(params.first, waves) as Tensor) as Tensor) as Tensor;
    },
  };
};

/** @internal A key for each, or null for each. */
export const keysFor = (key: Key | null, count: number): readonly (Key | null)[] =>
  key === null ? range(count).map(() => null) : split(key, count);
