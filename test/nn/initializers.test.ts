/** First values of parameters have the spread that they are said to have. */
import { allClose, eye, matmul, mul, reshape, type Tensor, transpose } from 'tenfold';
import {
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  orthogonal,
  truncNormal,
  xavierNormal,
  xavierUniform,
} from 'tenfold/nn';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const shape = [64, 32, 3, 3] as const;
const [inputs, outputs] = [32 * 9, 64 * 9];
const count = 64 * inputs;

const moments = (x: Tensor) => {
  const values = x.dataSync() as Float32Array;
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const std = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length);
  return { mean, std, largest: values.reduce((m, v) => Math.max(m, Math.abs(v)), 0) };
};

describe('standard deviations', () => {
  const std = {
    inputs: 1 / Math.sqrt(inputs),
    outputs: 1 / Math.sqrt(outputs),
    both: Math.sqrt(2 / (inputs + outputs)),
  };
  it.each([
    ['kaimingUniform', kaimingUniform(key(1), shape), Math.SQRT2 * std.inputs, Math.sqrt(3)],
    [
      'kaimingUniform, gain',
      kaimingUniform(key(1), shape, { gain: 1 / Math.sqrt(3) }),
      std.inputs / Math.sqrt(3),
      Math.sqrt(3),
    ],
    ['kaimingNormal', kaimingNormal(key(2), shape, { fan: 'outputs' }), Math.SQRT2 * std.outputs, 6],
    ['xavierUniform', xavierUniform(key(3), shape), std.both, Math.sqrt(3)],
    ['xavierNormal', xavierNormal(key(4), shape, { gain: 5 / 3 }), (5 / 3) * std.both, 6],
    ['lecunUniform', lecunUniform(key(5), shape), std.inputs, Math.sqrt(3)],
    ['lecunNormal', lecunNormal(key(6), shape), std.inputs, 2 / 0.87962566],
    [
      'truncNormal',
      truncNormal(key(7), shape, { std: 0.02, low: -0.04, high: 0.04 }),
      0.02 * 0.87962566,
      2 / 0.87962566,
    ],
  ] as const)('%s', (_, x, wanted, farthest) => {
    const found = moments(x);
    // Five standard deviations of means and of standard deviations of so many draws.
    expect(Math.abs(found.mean)).toBeLessThan((5 * wanted) / Math.sqrt(count));
    expect(Math.abs(found.std / wanted - 1)).toBeLessThan(5 / Math.sqrt(2 * count));
    expect(found.largest).toBeLessThanOrEqual(farthest * wanted * (1 + 1e-6));
    expect(found.largest).toBeGreaterThan(1.7 * wanted);
  });
});

it('truncNormal keeps to its bounds around another mean', () => {
  const values = truncNormal(key(0), [1000], { mean: 3, std: 2, low: 2.5, high: 4 }).dataSync() as Float32Array;
  expect(Math.min(...values)).toBeGreaterThanOrEqual(2.5);
  expect(Math.max(...values)).toBeLessThanOrEqual(4);
});

describe('orthogonal', () => {
  it.each([
    [[4, 4], 1],
    [[7, 3], 2],
    [[3, 2, 2, 2], 1],
  ] as const)('of shape %j', (size, gain) => {
    const q = reshape(orthogonal(key(3), size, { gain }), [size[0], -1]) as Tensor;
    const [rows, columns] = q.shape as readonly [number, number];
    const square = (rows < columns ? matmul(q, transpose(q)) : matmul(transpose(q), q)) as Tensor;
    expect(allClose(square, mul(eye(Math.min(rows, columns)), gain ** 2), { atol: 1e-5 }).item()).toBe(true);
  });
});
