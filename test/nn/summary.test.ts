/** Models as tables: against counts by hand, and against what the backend reports. */
import { add, explain, jit, matmul, mul, relu, type Tensor, tensor, zeros } from 'tenfold';
import {
  activation,
  conv2d,
  conv3d,
  convTranspose2d,
  embedding,
  type Layer,
  layerNorm,
  linear,
  lstm,
  repeat,
  residual,
  sequential,
  summary,
  transformerEncoderLayer,
  unet,
  withParams,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { leaves, select } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';

describe('summary', () => {
  it('finds the layers of a perceptron', () => {
    const { layers, outputs, parameters, flops } = summary(
      sequential(linear(784, 512), activation(relu), linear(512, 10)),
      [64, 784],
    );
    expect(layers).toEqual([
      { name: '[0]', shape: [64, 512], parameters: 785 * 512, flops: 64 * 512 * (2 * 784 + 1) },
      { name: '[2]', shape: [64, 10], parameters: 513 * 10, flops: 64 * 10 * (2 * 512 + 1) },
    ]);
    expect(outputs).toEqual([[64, 10]]);
    expect(parameters).toBe(785 * 512 + 513 * 10);
    expect(flops).toBe(layers[0]!.flops + layers[1]!.flops + 64 * 512);
  });

  it('counts convolutions: in groups, strided, transposed, in three dimensions', () => {
    const of = (layer: Parameters<typeof summary>[0], shape: readonly number[]) => summary(layer, shape).layers[0];
    expect(of(conv2d(4, 8, 3, { groups: 2, stride: 2, bias: false }), [2, 4, 9, 9])).toMatchObject({
      shape: [2, 8, 4, 4],
      parameters: 8 * 2 * 9,
      flops: 2 * (2 * 8 * 4 * 4) * (2 * 9),
    });
    expect(of(conv3d(2, 3, 2, { bias: false }), [1, 2, 4, 4, 4])).toMatchObject({ flops: 2 * (3 * 27) * (2 * 8) });
    expect(of(convTranspose2d(4, 2, 2, { stride: 2, bias: false }), [1, 4, 3, 3])).toMatchObject({
      shape: [1, 2, 6, 6],
      parameters: 4 * 2 * 4,
      flops: 2 * (4 * 9) * (2 * 4),
    });
  });

  it('agrees with the backend where nothing is left out', () => {
    const model = sequential(linear(16, 32), activation(relu), linear(32, 8));
    const { report } = explain((p: ReturnType<typeof model.init>, x: Tensor) => model.apply(p, x as never))(
      model.init(key(0)),
      zeros([4, 16]),
    );
    expect(summary(model, [4, 16]).flops).toBe(report!.steps.reduce((sum, step) => sum + step.flops, 0));
  });

  it('looks into loops, as often as they run', () => {
    const block = residual(sequential(linear(8, 8), layerNorm(8)));
    const [once, often] = [summary(block, [3, 8]), summary(repeat(block, 12), [3, 8])];
    expect(often.layers.map(({ name, shape }) => [name, shape])).toEqual([
      ['[0]', [3, 8]],
      ['[1]', [3, 8]],
    ]);
    expect(often.parameters).toBe(12 * once.parameters);
    expect(often.flops).toBe(12 * once.flops);
    expect(often.layers.map(({ flops }) => flops)).toEqual(once.layers.map(({ flops }) => 12 * flops));
    const recurrent = summary(lstm(8, 16), [5, 3, 8]);
    expect(recurrent.parameters).toBe(4 * 16 * (8 + 16 + 2));
    expect(recurrent.flops).toBeGreaterThanOrEqual(2 * 5 * 3 * 64 * (8 + 16));
  });

  it('takes contexts and tensors as inputs, and counts what is used alone', () => {
    const encoder = summary(transformerEncoderLayer(8, 2, { feedForward: 16 }), [3, 5, 8], { causal: true });
    expect(encoder.layers.map(({ name }) => name)).toEqual([
      'selfAttn',
      'selfAttn.outProj',
      'norm1',
      'linear1',
      'linear2',
      'norm2',
    ]);
    expect(summary(embedding(10, 4), zeros([3], { dtype: 'int32' })).layers[0]).toMatchObject({ shape: [3, 4] });
    const wasteful: Layer<{ readonly a: { w: Tensor }; readonly b: { w: Tensor } }> = {
      init: () => ({ a: { w: zeros([2]) }, b: { w: zeros([3]) } }),
      apply: (p, x) => add(mul(x, 2), p.b.w) as Tensor,
    };
    expect(summary(wasteful, [4, 3]).layers).toEqual([
      { name: 'b', shape: [4, 3], parameters: 3, flops: 12 },
      { name: 'a', shape: null, parameters: 2, flops: 0 },
    ]);
  });

  it('counts the parameters that are free, and those of jitted layers', () => {
    const layer = linear(4, 2);
    const held = withParams(layer, select(layer.init(key(0)), 'bias'));
    expect(summary(held, [3, 4]).parameters).toBe(8);
    const fast: Layer<Tensor> = {
      init: () => zeros([4, 2]),
      apply: jit((w: Tensor, x: Tensor) => matmul(x, w) as Tensor),
    };
    expect(summary(fast, [3, 4]).layers).toEqual([
      { name: '(root)', shape: [3, 2], parameters: 8, flops: 2 * 3 * 2 * 4 },
    ]);
  });

  it('adds up for a U-Net, which is not computed', () => {
    const model = unet({
      inChannels: 1,
      modelChannels: 32,
      outChannels: 2,
      numResBlocks: 1,
      attentionResolutions: [2],
      channelMult: [1, 2],
      numClasses: 10,
    });
    const found = summary(model, [2, 1, 8, 8], [2], { y: tensor([1, 2], { dtype: 'int32' }) });
    expect(found.outputs).toEqual([[2, 2, 8, 8]]);
    const sizes = leaves(model.init(key(0)) as unknown).map(leaf => (leaf as Tensor).shape.reduce((a, b) => a * b, 1));
    expect(found.parameters).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(found.layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(found.parameters);
    expect(found.layers.every(({ shape }) => shape !== null)).toBe(true);
    expect(found.layers.at(-1)).toMatchObject({ name: 'out.conv', shape: [2, 2, 8, 8], parameters: 32 * 2 * 9 + 2 });
    expect(found.layers.reduce((sum, { flops }) => sum + flops, 0)).toBeLessThan(found.flops);
  });

  it('prints as a table', () => {
    expect(String(summary(sequential(linear(2, 64), activation(relu), linear(64, 3)), [5, 2])).split('\n')).toEqual([
      'layer                 output   parameters  flops',
      '[0]                   [5, 64]         192  1,600',
      '[2]                   [5, 3]          195  1,935',
      '(without parameters)                         320',
      'total                 [5, 3]          387  3,855',
    ]);
  });
});
