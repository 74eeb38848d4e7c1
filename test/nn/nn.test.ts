import { grad, square, sum, type Tensor, tensor, zeros } from 'tenfold';
import { layerNorm, linear, residualMlp, timestepEmbedding } from 'tenfold/nn';
import { key, normal } from 'tenfold/random';
import { leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

describe('linear', () => {
  it('multiplies by the transposed weight and adds the bias', () => {
    const params = {
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      bias: tensor([0.5, 0, -1]),
    };
    close(
      linear(2, 3).apply(
        params,
        tensor([
          [1, 1],
          [0, 2],
        ]),
      ),
      [
        [3.5, 7, 10],
        [4.5, 8, 11],
      ],
    );
    close(linear(2, 3).apply(params, tensor([1, 1])), [3.5, 7, 10]);
  });

  it('starts within ±1/√inputs, or at zero', () => {
    const { weight, bias } = linear(16, 64).init(key(0));
    const values = [...(weight.dataSync() as Float32Array), ...(bias.dataSync() as Float32Array)];
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(0.25);
    expect(Math.max(...values)).toBeGreaterThan(0.23);
    expect(linear(2, 1, { init: 'zeros' }).init(key(0)).weight.toArray()).toEqual([[0, 0]]);
  });

  it('refuses bad sizes and inputs', () => {
    expect(caught(() => linear(0, 3)).message).toMatch(/linear: got the number of inputs 0/);
    const layer = linear(2, 3);
    // @ts-expect-error The last axis has length 5, not 2.
    const error = caught(() => layer.apply(layer.init(key(0)), zeros([4, 5])));
    expect(error.message).toMatch(/linear: got float32\[4, 5\]; the last axis must have length 2/);
  });
});

describe('layerNorm', () => {
  it('normalises the last axis', () => {
    const layer = layerNorm(4);
    const y = layer.apply({ weight: tensor([1, 1, 1, 2]), bias: tensor([0, 0, 1, 0]) }, tensor([[1, 2, 3, 4]]));
    const s = 1 / Math.sqrt(1.25 + 1e-5);
    close(y, [[-1.5 * s, -0.5 * s, 0.5 * s + 1, 3 * s]]);
    expect(layer.init(key(0)).bias.toArray()).toEqual([0, 0, 0, 0]);
  });

  it('refuses another length', () => {
    const layer = layerNorm(4);
    // @ts-expect-error The last axis has length 3, not 4.
    const error = caught(() => layer.apply(layer.init(key(0)), zeros([2, 3])));
    expect(error.message).toMatch(/layerNorm: got float32\[2, 3\]/);
    expect(caught(() => layerNorm(1.5)).message).toMatch(/layerNorm: got the size 1.5/);
  });
});

describe('timestepEmbedding', () => {
  it('is cosines, then sines, of falling frequencies; an odd size ends with 0', () => {
    const t = [0, 7, 950.5];
    const expected = t.map(x => [Math.cos(x), Math.cos(x / 100), Math.sin(x), Math.sin(x / 100), 0]);
    close(timestepEmbedding(tensor(t), 5), expected, 2e-5);
    expect(timestepEmbedding(tensor([3], { dtype: 'int32' }), 4).dtype).toBe('float32');
  });

  it('refuses what is no vector', () => {
    expect(caught(() => timestepEmbedding(tensor(3), 4)).message).toMatch(/timestepEmbedding: got float32\[\]/);
    expect(caught(() => timestepEmbedding(tensor([3]), 1)).message).toMatch(/timestepEmbedding: got the size 1/);
  });
});

describe('residualMlp', () => {
  const model = residualMlp({ size: 6, hidden: 8, blocks: 2, embedding: 4 });

  it('keeps the shape, starts at zero, and every parameter gets a gradient once it has moved', () => {
    const params = model.init(key(1));
    const x = normal(key(2), [3, 2, 3]);
    const t = tensor([0, 10, 500], { dtype: 'int32' });
    expect(model.apply(params, x, t).shape).toEqual([3, 2, 3]);
    expect(sum(square(model.apply(params, x, t))).item()).toBe(0);
    const shaken = model.init(key(1));
    const moved = { ...shaken, last: { weight: normal(key(3), [6, 8]), bias: shaken.last.bias } };
    const withBlocks = {
      ...moved,
      blocks: moved.blocks.map(b => ({ ...b, down: { weight: normal(key(4), [8, 8]), bias: b.down.bias } })),
    };
    const gradient = grad((p: typeof withBlocks) => sum(square(model.apply(p, x, t))) as Tensor)(withBlocks);
    for (const leaf of leaves(gradient)) expect(sum(square(leaf)).item()).toBeGreaterThan(0);
  });

  it('blocks start with parameters of their own', () => {
    const [a, b] = model.init(key(1)).blocks;
    expect(a!.up.weight.toArray()).not.toEqual(b!.up.weight.toArray());
    expect(a!.up.weight.toArray()).not.toEqual(a!.time.weight.toArray());
  });

  it('refuses parameters of another model, not only what one of its layers cannot take', () => {
    const [x, t] = [zeros([3, 6]), tensor([0, 0, 0])];
    const three = residualMlp({ size: 6, hidden: 8, blocks: 3, embedding: 4 }).init(key(1));
    expect(caught(() => model.apply(three, x, t)).message).toMatch(/residualMlp: got a parameter .*blocks\[2\]/);
    const one = { ...three, blocks: three.blocks.slice(0, 1) };
    expect(caught(() => model.apply(one, x, t)).message).toMatch(
      /residualMlp: got undefined as the parameter .*blocks\[1\]/,
    );
    expect(caught(() => model.apply(undefined as never, x, t)).message).toMatch(/residualMlp/);
  });

  it('refuses other sizes', () => {
    const params = model.init(key(1));
    const error = caught(() => model.apply(params, zeros([3, 7]), tensor([0, 0, 0])));
    expect(error.message).toMatch(/residualMlp: got float32\[3, 7\].*6 elements/);
    expect(caught(() => residualMlp({ size: 6, hidden: 8, blocks: -1 })).message).toMatch(
      /residualMlp: got the number of blocks -1/,
    );
  });
});
