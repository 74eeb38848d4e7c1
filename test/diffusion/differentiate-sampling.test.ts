/** Derivatives of a whole run of a sampler, with respect to the noise it starts from. */
import { cast, full, grad, jit, mul, square, sub, sum, type Tensor, tensor } from 'tenfold';
import {
  cosineBetas,
  ddimReverseSampleLoop,
  ddimSample,
  ddimSampleLoop,
  ddimSampleTrajectory,
  gaussianDiffusion,
  type LoopOptions,
  pSampleLoop,
} from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { foldIn, key, normal } from 'tenfold/random';
import { map } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';

// The model of `npm start`.
const [size, batch] = [64, 16];
const network = residualMlp({ size, hidden: 256, blocks: 3, embedding: 64 });
let leaf = 0;
/** In float64, none of them zero, so that every layer counts. */
const params = map(network.init(key(0)), (p: Tensor) =>
  mul(normal(foldIn(key(1), leaf++), p.shape, { dtype: 'float64' }), 0.3),
) as unknown as ReturnType<typeof network.init>;
const model = (x: Tensor, t: Tensor): Tensor => network.apply(params, x, t);
const start = normal(key(2), [batch, size], { dtype: 'float64' }) as Tensor;
const target = normal(key(3), [batch, size], { dtype: 'float64' }) as Tensor;

const of = (steps: number) => gaussianDiffusion(cosineBetas(steps));
const distance = (x: Tensor): Tensor => sum(square(sub(x, target)));
const loss = (steps: number, segments?: LoopOptions['segments']) => (x: Tensor) =>
  distance(ddimSampleLoop(of(steps), model, x, { segments, clipDenoised: false }) as Tensor);

const planned = (f: (x: Tensor) => Tensor): number => {
  const jitted = jit(f);
  jitted(start);
  return planOf(tracesOf(jitted)[0]!.program).bytes;
};

describe('the gradient of 50 steps of DDIM with respect to the noise', () => {
  const slope = grad(loss(50));
  const gradient = slope(start);

  it('agrees with central differences', () => {
    const values = start.dataSync();
    for (const at of [0, 37, 101]) {
      const moved = (by: number): number => {
        const array = Float64Array.from(values as Float64Array);
        array[at]! += by;
        return loss(50)(tensor(array, [batch, size]) as Tensor).item() as number;
      };
      const difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
      const derivative = gradient.dataSync()[at] as number;
      expect(Math.abs(derivative)).toBeGreaterThan(1e-3);
      expect(Math.abs(derivative - difference)).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
    }
  });

  it('is the same in segments, to the last bit', () => {
    for (const segments of [7, 'sqrt', [4, 4]] as const) {
      expect(grad(loss(50, segments))(start).toArray()).toEqual(gradient.toArray());
    }
  });

  it('needs less than a quarter of the planned memory of the same steps one after the other', () => {
    const oneByOne = (x: Tensor): Tensor => {
      let at = x;
      for (let t = 49; t >= 0; t--) {
        const now = full([batch], t, { dtype: 'int32' }) as Tensor;
        at = ddimSample(of(50), model, at, now, { clipDenoised: false }).sample as Tensor;
      }
      return distance(at);
    };
    expect(planned(grad(loss(50, 'sqrt')))).toBeLessThan(planned(grad(oneByOne)) / 4);
    // The fold's own keeps nothing but a sample a step: next to what a single step needs, 50 samples are little.
    expect(planned(grad(loss(50, 'sqrt')))).toBeLessThan(planned(slope));
  }, 30_000);

  it('needs less than a quarter of the fold’s own where there are more steps', () => {
    expect(planned(grad(loss(500, 'sqrt')))).toBeLessThan(planned(grad(loss(500))) / 4);
  });
});

it('all samplers take segments, and none of them changes a result', () => {
  const diffusion = of(12);
  const single = cast(start, 'float64');
  const runs = (segments: LoopOptions['segments']): readonly ((x: Tensor) => Tensor)[] => [
    x => pSampleLoop(diffusion, model, x, { key: key(4), segments }) as Tensor,
    x => ddimSampleLoop(diffusion, model, x, { key: key(4), eta: 0.5, segments }) as Tensor,
    x => ddimSampleTrajectory(diffusion, model, x, { segments }).samples as unknown as Tensor,
    x => ddimReverseSampleLoop(diffusion, model, x, { segments }) as Tensor,
  ];
  const plain = runs(undefined);
  runs(5).forEach((run, i) => {
    expect(run(single).toArray()).toEqual(plain[i]!(single).toArray());
    const slope = (f: (x: Tensor) => Tensor): unknown => grad((x: Tensor) => sum(square(f(x))))(single).toArray();
    expect(slope(run)).toEqual(slope(plain[i]!));
  });
});
