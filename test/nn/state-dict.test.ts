/** Parameters of layers by the names that PyTorch's modules have for them. */
import { ones, relu, type Tensor, tensor, zeros } from 'tenfold';
import {
  activation,
  batchNorm,
  conv2d,
  gru,
  instanceNorm,
  loadStateDict,
  multiHeadAttention,
  residual,
  sequential,
  stateDict,
  transformerDecoderLayer,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const names = (model: { readonly init: (k: ReturnType<typeof key>) => unknown }): readonly string[] =>
  Object.keys(stateDict(model, model.init(key(0)))).sort();

describe('names are those of PyTorch', () => {
  it('of norms with running statistics, wherever they are', () => {
    const model = sequential(
      conv2d(3, 2, 3, { bias: false }),
      batchNorm(2),
      activation(relu),
      residual(instanceNorm(2, { trackRunningStats: true })),
    );
    expect(names(model)).toEqual([
      '0.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
      '1.weight',
      '3.running_mean',
      '3.running_var',
    ]);
    const count = tensor(3, { dtype: 'int32' });
    const state: Readonly<Record<string, Tensor>> = {
      '0.weight': ones([2, 3, 3, 3]),
      ...Object.fromEntries(['1.weight', '1.bias', '1.running_mean', '3.running_mean'].map(name => [name, zeros([2])])),
      ...Object.fromEntries(['1.running_var', '3.running_var'].map(name => [name, ones([2])])),
      '1.num_batches_tracked': count,
      '3.num_batches_tracked': count,
    };
    const loaded = loadStateDict(model, state);
    if (loaded._tag === 'Left') throw loaded.left;
    expect(loaded.right[1].runningVariance).toBe(state['1.running_var']);
    const elsewhere = loadStateDict(model, { ...state, '2.num_batches_tracked': count });
    expect(elsewhere).toMatchObject({ left: { unexpected: ['2.num_batches_tracked'] } });
  });

  it('of recurrent layers, attention and transformers', () => {
    expect(names(gru(2, 3, { bidirectional: true, bias: false }))).toEqual([
      'weight_hh_l0',
      'weight_hh_l0_reverse',
      'weight_ih_l0',
      'weight_ih_l0_reverse',
    ]);
    expect(names(multiHeadAttention(4, 2, { valueSize: 3, addBiasKv: true }))).toEqual([
      'bias_k',
      'bias_v',
      'in_proj_bias',
      'k_proj_weight',
      'out_proj.bias',
      'out_proj.weight',
      'q_proj_weight',
      'v_proj_weight',
    ]);
    expect(names(transformerDecoderLayer(4, 2)).filter(name => name.startsWith('multihead_attn'))).toHaveLength(4);
  });
});
