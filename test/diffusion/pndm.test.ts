/** Multistep and second-order samplers against the exact solution of the probability-flow ODE. */
import { grad, mul, square, sum, type Tensor, tensor } from 'tenfold';
import {
  ddim,
  edmProcess,
  flowHeun,
  flowProcess,
  karrasSigmas,
  type Levels,
  levelsAt,
  levelsOf,
  plms,
  pndm,
  type Sampler,
  sample,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussianFlow, gaussianMixture } from './mixture.js';

const float64 = { dtype: 'float64' } as const;
const gaussian = { mean: [0.5, -1], variance: 0.2 };
const { denoiser } = gaussianMixture({ means: [gaussian.mean], variances: gaussian.variance });
const exact = gaussianFlow(gaussian);

const flow = (steps: number): Levels =>
  levelsAt(
    flowProcess(),
    Array.from({ length: steps + 1 }, (_, i) => 0.95 - (0.85 * i) / steps),
    { final: 'none' },
  );

const errorOf = (sampler: Sampler, levels: Levels): number => {
  const start = normal(key(0), [4, 2], float64) as Tensor;
  const at = (i: number) => {
    const of = (values: Tensor): Tensor => tensor((values.toArray() as number[]).at(i)!, float64) as Tensor;
    return { alpha: of(levels.alpha), sigma: of(levels.sigma), time: of(levels.time) };
  };
  const got = sample(sampler, denoiser, levels, start, {}).dataSync();
  const wanted = exact(start, at(0), at(-1)).dataSync();
  return Math.max(...Array.from(got, (value, i) => Math.abs(Number(value) - Number(wanted[i]))));
};

const orderOf = (sampler: Sampler): number => Math.log2(errorOf(sampler, flow(20)) / errorOf(sampler, flow(40)));

describe('on the straight line', () => {
  it.each([
    ['ddim', ddim(), 1],
    ['flowHeun', flowHeun(), 2],
    ['pndm', pndm(), 2],
    ['plms', plms(), 2],
    ['pndm by velocity', pndm({ prediction: 'velocity' }), 4],
    ['pndm by v', pndm({ prediction: 'v' }), 1],
  ] as const)('%s is of its order', (_, sampler, order) => {
    expect(orderOf(sampler as unknown as Sampler)).toBeGreaterThan(order - 0.25);
  });
});

describe.each([
  ['pndm', pndm() as unknown as Sampler],
  ['plms', plms() as unknown as Sampler],
  ['flowHeun', flowHeun()],
] as const)('%s', (_, sampler) => {
  it.each([1, 2, 3, 4, 6])('leads to the data in %i steps', steps => {
    const levels = levelsOf(edmProcess(), karrasSigmas(steps, { min: 0.01, max: 20 }));
    const start = mul(normal(key(1), [4, 2], float64), 20) as Tensor;
    const got = sample(sampler, denoiser, levels, start, {}).dataSync();
    expect(got.every(value => Number.isFinite(Number(value)))).toBe(true);
  });

  it('has a derivative', () => {
    const levels = levelsAt(flowProcess(), [0.9, 0.7, 0.5, 0.3, 0.1]);
    const start = normal(key(2), [1, 2], float64) as Tensor;
    const loss = (x: Tensor): Tensor => sum(square(sample(sampler, denoiser, levels, x, {}))) as Tensor;
    const slope = (grad(loss)(start) as Tensor).dataSync();
    const h = 1e-6;
    const moved = (by: number): number => {
      const values = Array.from(start.dataSync(), Number);
      return loss(tensor([[values[0]! + by, values[1]!]], float64) as Tensor).item() as number;
    };
    expect(Number(slope[0])).toBeCloseTo((moved(h) - moved(-h)) / (2 * h), 6);
  });
});
