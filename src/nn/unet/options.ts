/** Options of U-Nets, with guided-diffusion's names, defaults and rules. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../../tensor/ops/common/options.js';
import { checkArgument, checkInteger } from '../../tensor/shape.js';
import { type Dims, normGroups } from './parts.js';

/** What {@link unet} and {@link unetEncoder} have in common. */
export interface UnetBaseOptions {
  /** Channels of x. */
  readonly inChannels: number;
  /** Channels at the highest resolution, as a multiple of which the others are given. */
  readonly modelChannels: number;
  /** Channels of the result; of the encoder, the number of its outputs. */
  readonly outChannels: number;
  /** Residual blocks at each resolution on the way down. */
  readonly numResBlocks: number;
  /** After how many halvings there is attention, as factors of the resolution: 1 for the highest, 2, 4, … */
  readonly attentionResolutions: readonly number[];
  /** The probability with which a residual block drops an element in training. Default 0. */
  readonly dropout?: number;
  /** Channels at each resolution, as a multiple of `modelChannels`. Default [1, 2, 4, 8]. */
  readonly channelMult?: readonly number[];
  /** Whether a change of resolution is learnt. Default true. */
  readonly convResample?: boolean;
  /** How many spatial axes x has. Default 2. */
  readonly dims?: Dims;
  /** Whether derivatives compute the inside of blocks once more instead of keeping it. Default false. */
  readonly checkpointing?: boolean;
  /** Heads of each attention. Default 1. */
  readonly numHeads?: number;
  /** Channels of each head, instead of `numHeads`. */
  readonly numHeadChannels?: number;
  /** Whether the embedding scales and shifts what is normalised, instead of being added. Default false. */
  readonly useScaleShiftNorm?: boolean;
  /** Whether residual blocks change the resolution. Default false. */
  readonly resblockUpdown?: boolean;
  /** Whether heads are within queries, keys and values, rather than these within heads. Default false. */
  readonly useNewAttentionOrder?: boolean;
}

/** Options with everything that was left out; channels at each resolution instead of their multiples. */
export interface Plan {
  readonly inChannels: number;
  readonly modelChannels: number;
  readonly outChannels: number;
  readonly numResBlocks: number;
  readonly attentionResolutions: readonly number[];
  readonly dropout: number;
  readonly channels: readonly number[];
  readonly convResample: boolean;
  readonly dims: Dims;
  readonly checkpointing: boolean;
  readonly numHeads: number;
  readonly numHeadChannels: number | undefined;
  readonly scaleShift: boolean;
  readonly resblockUpdown: boolean;
  readonly order: 'legacy' | 'new';
}

const baseNames: readonly (keyof UnetBaseOptions)[] = [
  'inChannels',
  'modelChannels',
  'outChannels',
  'numResBlocks',
  'attentionResolutions',
  'dropout',
  'channelMult',
  'convResample',
  'dims',
  'checkpointing',
  'numHeads',
  'numHeadChannels',
  'useScaleShiftNorm',
  'resblockUpdown',
  'useNewAttentionOrder',
];

const positives = (operation: string, name: string, list: unknown, empty: boolean): void =>
  checkArgument(
    Array.isArray(list) && (empty || list.length > 0) && list.every(each => Number.isFinite(each) && each > 0),
    operation,
    `${Array.isArray(list) ? `[${list.map(each => (typeof each === 'number' ? each : kindOf(each))).join(', ')}]` : kindOf(list)} as ${name}`,
    `${name} is an array of positive numbers`,
    name === 'channelMult' ? 'Write [1, 2, 4].' : 'Write [8, 16], or [] for no attention on the way.',
  );

/** @internal How many heads attention over so many channels has. */
export const headsOf = (
  operation: string,
  channels: number,
  { numHeads, numHeadChannels }: Pick<Plan, 'numHeads' | 'numHeadChannels'>,
): number => {
  const divisor = numHeadChannels ?? numHeads;
  if (channels % divisor !== 0) {
    throw new ArgumentError({
      operation,
      given: `attention over ${channels} channels with ${divisor} ${numHeadChannels === undefined ? 'heads' : 'channels in each head'}`,
      rule: 'the heads have equally many channels',
      hint: 'Give a number that divides the channels at every resolution with attention, and at the lowest.',
    });
  }
  return numHeadChannels === undefined ? numHeads : channels / numHeadChannels;
};

/** @internal The options of U-Nets, checked; `more` names those that only one of them has. */
export const planOf = (operation: string, options: UnetBaseOptions, more: readonly string[]): Plan => {
  checkOptions(operation, [...baseNames, ...more], options);
  const {
    inChannels,
    modelChannels,
    outChannels,
    numResBlocks,
    attentionResolutions,
    dropout = 0,
    channelMult = [1, 2, 4, 8],
    convResample = true,
    dims = 2,
    checkpointing = false,
    numHeads = 1,
    numHeadChannels,
    useScaleShiftNorm = false,
    resblockUpdown = false,
    useNewAttentionOrder = false,
  } = options ?? {};
  const count = (name: string, value: unknown, least: number): void => {
    checkInteger(operation, name, value as number, least, 2 ** 31 - 1);
  };
  count('inChannels', inChannels, 1);
  count('modelChannels', modelChannels, 2);
  count('outChannels', outChannels, 1);
  count('numResBlocks', numResBlocks, 0);
  count('numHeads', numHeads, 1);
  if (numHeadChannels !== undefined) count('numHeadChannels', numHeadChannels, 1);
  positives(operation, 'attentionResolutions', attentionResolutions, true);
  positives(operation, 'channelMult', channelMult, false);
  checkArgument(
    typeof dropout === 'number' && dropout >= 0 && dropout < 1,
    operation,
    `${kindOf(dropout)} as dropout`,
    'dropout is a probability, less than 1',
    'Write { dropout: 0.1 }.',
  );
  checkArgument(
    dims === 1 || dims === 2 || dims === 3,
    operation,
    `${kindOf(dims)} as dims`,
    'there are 1, 2 or 3 spatial axes',
    'Leave it out for pictures.',
  );
  const flags = { convResample, checkpointing, useScaleShiftNorm, resblockUpdown, useNewAttentionOrder };
  for (const [name, flag] of Object.entries(flags)) checkFlag(operation, name, flag);
  const channels = channelMult.map(factor => Math.trunc(factor * modelChannels));
  const odd = channels.find(each => each === 0 || each % normGroups !== 0);
  checkArgument(
    odd === undefined,
    operation,
    `${odd} channels at a resolution (modelChannels ${modelChannels}, channelMult ${channelMult.join(', ')})`,
    `the channels at every resolution are normalised in ${normGroups} groups`,
    `Use a multiple of ${normGroups}.`,
  );
  const plan: Plan = Object.freeze({
    inChannels,
    modelChannels,
    outChannels,
    numResBlocks,
    attentionResolutions: Object.freeze([...attentionResolutions]),
    dropout,
    channels: Object.freeze(channels),
    convResample,
    dims,
    checkpointing,
    numHeads,
    numHeadChannels,
    scaleShift: useScaleShiftNorm,
    resblockUpdown,
    order: useNewAttentionOrder ? 'new' : 'legacy',
  });
  for (const [level, each] of channels.entries()) {
    if (level === channels.length - 1 || plan.attentionResolutions.includes(2 ** level)) headsOf(operation, each, plan);
  }
  return plan;
};
