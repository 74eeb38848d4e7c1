/** The blocks of guided-diffusion's U-Nets. */
import type { FloatDType, Tensor } from 'tenfold';
import { timestepEmbedding } from 'tenfold/nn';
import { describe, expect, it } from 'vitest';
import { attentionBlock, attentionPool, qkvAttention } from '../../src/nn/unet/attention-block.js';
import { downsample, resBlock, upsample } from '../../src/nn/unet/blocks.js';
import { checkpointed, type Dims, type Told, untold } from '../../src/nn/unet/parts.js';
import { stateNames } from '../../src/nn/unet/state-names.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import {
  at,
  booleanOf,
  type GoldenCase,
  type GoldenGroup,
  goldenTests,
  type JsonObject,
  numberOf,
  objectOf,
  selected,
  stringOf,
  unknownCase,
  withinF32,
  withinF64,
} from './read.js';
import { checkSubject, readIn, type Subject, type Tensors } from './unet.js';

const [numberIn, flagIn] = [
  (args: JsonObject, name: string, otherwise: number): number =>
    args[name] === undefined || args[name] === null ? otherwise : numberOf(args[name]),
  (args: JsonObject, name: string): boolean => args[name] !== undefined && booleanOf(args[name]),
];

/** Whatever a case asks for beyond these fails it. */
const known = (args: JsonObject, ...names: readonly string[]): void => {
  for (const name of Object.keys(args)) if (!names.includes(name)) unknownCase('argument', name);
};

const dimsOf = (args: JsonObject): Dims => numberIn(args, 'dims', 2) as Dims;

const subject = <P>(args: JsonObject, block: Told<P>): Subject => {
  const { init, apply } = flagIn(args, 'use_checkpoint') ? checkpointed(block) : block;
  return {
    model: { init, stateName: stateNames({}) },
    apply: (params: P, { x, emb }: Tensors) => apply(params, x!, emb!, null),
  };
};

const attentionOf =
  (order: 'legacy' | 'new') =>
  (args: JsonObject): Subject => {
    known(args, 'n_heads');
    return {
      model: { init: () => ({}) },
      apply: (_, { qkv }) => qkvAttention(qkv!, numberOf(at(args, 'n_heads')), order),
    };
  };

const resampled = (args: JsonObject) => {
  known(args, 'channels', 'use_conv', 'dims', 'out_channels');
  const channels = numberOf(at(args, 'channels'));
  return {
    channels,
    outputs: numberIn(args, 'out_channels', channels),
    conv: flagIn(args, 'use_conv'),
    dims: dimsOf(args),
  };
};

const blocks: Readonly<Record<string, (args: JsonObject) => Subject>> = {
  ResBlock: args => {
    known(
      args,
      ...['channels', 'emb_channels', 'dropout', 'out_channels', 'use_conv', 'use_scale_shift_norm', 'dims'],
      ...['use_checkpoint', 'up', 'down'],
    );
    const channels = numberOf(at(args, 'channels'));
    const resample = flagIn(args, 'up') ? 'up' : flagIn(args, 'down') ? 'down' : null;
    return subject(
      args,
      resBlock({
        channels,
        embedding: numberOf(at(args, 'emb_channels')),
        outputs: numberIn(args, 'out_channels', channels),
        dropout: numberIn(args, 'dropout', 0),
        wideSkip: flagIn(args, 'use_conv'),
        scaleShift: flagIn(args, 'use_scale_shift_norm'),
        dims: dimsOf(args),
        ...(resample === null ? {} : { resample }),
      }),
    );
  },
  AttentionBlock: args => {
    known(args, 'channels', 'num_heads', 'num_head_channels', 'use_checkpoint', 'use_new_attention_order');
    const channels = numberOf(at(args, 'channels'));
    const perHead = numberIn(args, 'num_head_channels', -1);
    return subject(
      args,
      untold(
        attentionBlock({
          channels,
          heads: perHead === -1 ? numberIn(args, 'num_heads', 1) : channels / perHead,
          order: flagIn(args, 'use_new_attention_order') ? 'new' : 'legacy',
        }),
      ),
    );
  },
  QKVAttentionLegacy: attentionOf('legacy'),
  QKVAttention: attentionOf('new'),
  Upsample: args => subject(args, upsample(resampled(args))),
  Downsample: args => subject(args, downsample(resampled(args))),
  AttentionPool2d: args => {
    known(args, 'spacial_dim', 'embed_dim', 'num_heads_channels', 'output_dim');
    const channels = numberOf(at(args, 'embed_dim'));
    return subject(
      args,
      untold(
        attentionPool({
          places: numberOf(at(args, 'spacial_dim')) ** 2,
          channels,
          heads: channels / numberOf(at(args, 'num_heads_channels')),
          outputs: numberIn(args, 'output_dim', channels),
        }),
      ),
    );
  },
};

/** The embedding of timesteps; that of `tenfold/nn` in float32. */
const checkEmbedding = (testCase: GoldenCase, group: GoldenGroup, dtype: FloatDType): void => {
  const args = objectOf(at(testCase, 'args'));
  known(args, 'dim', 'max_period');
  const t = readIn(group, dtype)(at(testCase, 'inputs', 't'));
  const [size, maxPeriod] = [numberOf(at(args, 'dim')), numberIn(args, 'max_period', 10_000)];
  const y = timestepEmbedding(t, size, { maxPeriod, dtype });
  evaluate([nodeOf(y as Tensor)], wasmBackend);
  const values = { shape: y.shape, data: y.dataSync() };
  const wanted = group.tensor(at(testCase, 'out64', 'y'));
  const where = `${testCase.name}, ${dtype}`;
  expect(y.dtype, where).toBe(dtype);
  if (dtype === 'float64') withinF64(where, values, wanted);
  else withinF32(where, values, wanted, objectOf(testCase.f32_err ?? {}).y);
};

const check = (testCase: GoldenCase, group: GoldenGroup): void => {
  const name = stringOf(at(testCase, 'block'));
  for (const dtype of ['float32', 'float64'] as const) {
    if (name === 'timestep_embedding') checkEmbedding(testCase, group, dtype);
    else if (!Object.hasOwn(blocks, name)) unknownCase('block', name);
    else checkSubject(testCase, group, dtype, blocks[name]!(objectOf(at(testCase, 'args'))));
  }
};

const suite = selected('unet_blocks') ? describe : describe.skip;
suite('unet_blocks', () => {
  for (const { title, run } of goldenTests('unet_blocks', check)) it(title, run, 60_000);
});
