/** Sampling: one loop in all its forms, from noise and from images, in one batch and in parts. */
import fc from 'fast-check';
import {
  add,
  cast,
  concat,
  grad,
  jit,
  mul,
  reshape,
  sin,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import {
  addNoise,
  type Denoiser,
  ddim,
  ddpm,
  deis,
  discreteProcess,
  dormandPrince,
  dpm2,
  dpm2Ancestral,
  dpmSolver,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  edmProcess,
  edmStochastic,
  euler,
  eulerAncestral,
  flowHeun,
  flowProcess,
  gaussianDiffusion,
  heun,
  imageToImageStart,
  inferenceTimesteps,
  inpainting,
  karrasSigmas,
  type Levels,
  lcm,
  levelsAt,
  levelsOf,
  linearBetas,
  lms,
  multistepConsistency,
  type NoiseLevel,
  plms,
  pndm,
  repeatSteps,
  rk4,
  type Sampler,
  sample,
  sampleChunks,
  sampleState,
  sampleSteps,
  tcd,
  trajectory,
  truncate,
  uniPc,
  withChurn,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';
import { gaussian } from './gaussian.js';

const plain = gaussian(0.5, 0.7);
const bent: Denoiser = (x, level, context) => plain(add(x, mul(sin(x), 0.01)) as Tensor, level, context);

const samplers: Readonly<Record<string, Sampler>> = {
  ddim: ddim(),
  'ddim with noise': ddim({ eta: 1 }),
  heun: heun(),
  multistep: dpmSolverMultistep() as unknown as Sampler,
  'steps taken again': repeatSteps(2, ddim({ eta: 0.5 })),
};

const runs: Readonly<Record<string, (steps: number) => Levels>> = {
  discrete: steps =>
    levelsAt(
      discreteProcess(gaussianDiffusion(linearBetas(1000))),
      inferenceTimesteps(1000, steps, { spacing: 'leading' }),
    ),
  edm: steps => levelsOf(edmProcess(), karrasSigmas(steps)),
  flow: steps =>
    levelsAt(
      flowProcess(),
      Array.from({ length: steps }, (_, i) => 0.99 * (1 - i / steps)),
    ),
};

/** All that there are; those of networks that predict the data of any level end wherever these end. */
const everySampler: Readonly<Record<string, Sampler<never>>> = {
  ddim: ddim(),
  'ddim with noise': ddim({ eta: 1 }),
  ddpm: ddpm(),
  'ddpm, large variance': ddpm({ variance: 'fixedLarge' }),
  euler: euler(),
  // Not euler({ churn }): as in diffusers it asks before the level is raised, and never takes out what it has added.
  'euler with churn': withChurn(euler(), { churn: 2 }),
  eulerAncestral: eulerAncestral(),
  heun: heun(),
  dpm2: dpm2(),
  dpm2Ancestral: dpm2Ancestral(),
  lms: lms(),
  edmStochastic: edmStochastic({ churn: 2 }),
  rk4: rk4(),
  pndm: pndm(),
  plms: plms(),
  dpmSolver: dpmSolver({ order: 3 }),
  'dpmSolverMultistep 2': dpmSolverMultistep(),
  'dpmSolverMultistep 3, SDE': dpmSolverMultistep({ order: 3, algorithm: 'sde-dpmsolver++' }),
  'dpmSolverSinglestep 3': dpmSolverSinglestep({ order: 3 }),
  uniPc: uniPc({ order: 3 }),
  deis: deis({ order: 3 }),
  lcm: lcm(),
  tcd: tcd(),
  flowHeun: flowHeun(),
  multistepConsistency: multistepConsistency(),
  dormandPrince: dormandPrince({ rtol: 1e-8, atol: 1e-12 }),
} as never;

const levels = runs.edm!(5);
const start = mul(normal(key(1), [4, 3]), 80) as Tensor;
const given = { key: key(2) };

describe('a run', () => {
  for (const [name, sampler] of Object.entries(samplers)) {
    it(`is one loop, its steps, and one step after another, to the last bit: ${name}`, async () => {
      const ended = sample(sampler, bent, levels, start, given).toArray();
      const steps = sampleSteps(sampler, bent, levels, start, given);
      expect(steps.x.shape).toEqual([5, 4, 3]);
      const last: unknown[] = [];
      for await (const { x, x0, step } of trajectory(sampler, bent, levels, start, given)) {
        expect(x.toArray()).toEqual((steps.x.toArray() as unknown[])[step - 1]);
        expect(x0.toArray()).toEqual((steps.x0.toArray() as unknown[])[step - 1]);
        last.push(x.toArray());
      }
      expect(last).toHaveLength(5);
      expect(last[4]).toEqual(ended);
      expect(sampleState(sampler, bent, levels, start, given).x.toArray()).toEqual(ended);
    });
  }

  it.each(Object.entries({ ...samplers, ...everySampler }))(
    'gives an image what it gets in a batch, to the last bit: %s',
    (_, each) => {
      const sampler = each as Sampler;
      const batch = sample(sampler, bent, levels, [16, 3], given).toArray();
      for (const i of [0, 7, 15]) {
        expect(sample(sampler, bent, levels, [1, 3], { ...given, firstSample: i }).toArray()).toEqual([batch[i]]);
      }
    },
  );

  it('is the same under jit', () => {
    const of = (x: Tensor): Tensor => sample(ddim({ eta: 1 }), bent, levels, x, given);
    expect(jit(of)(start).toArray()).toEqual(of(start).toArray());
  });

  it('has derivatives, in segments too', () => {
    const at = cast(start, 'float64') as Tensor;
    for (const sampler of [ddim({ eta: 1 }), heun(), samplers['steps taken again']!]) {
      const loss = (x: Tensor, segments?: number): Tensor =>
        sum(square(sample(sampler, bent, levels, x, { ...given, segments }))) as Tensor;
      const slope = grad((x: Tensor) => loss(x))(at);
      const values = Array.from(at.dataSync(), Number);
      const moved = (by: number): number =>
        Number(loss(tensor(Float64Array.from(values.with(4, values[4]! + by)), [4, 3]) as Tensor).item());
      expect(Number(slope.dataSync()[4])).toBeCloseTo((moved(1e-3) - moved(-1e-3)) / 2e-3, 6);
      expect(grad((x: Tensor) => loss(x, 2))(at).toArray()).toEqual(slope.toArray());
    }
  });

  it('takes its noise from a table, and refuses one that does not fit', () => {
    const table = normal(key(3), [5, 1, 4, 3]) as Tensor;
    const from = (noise: Tensor, more: object = {}) =>
      sample(ddim({ eta: 1 }), bent, levels, start, { noise, ...more });
    const ended = from(table).toArray();
    expect(from(concat([table, table], { axis: 1 }) as Tensor).toArray()).toEqual(ended);
    for (const shape of [
      [4, 1, 4, 3],
      [5, 4, 3],
      [5, 1, 3, 3],
      [5, 1, 4, 3, 1],
      [5, 1, 4, 1],
    ]) {
      expect(caught(() => from(zeros(shape) as Tensor))).toMatchObject({ name: 'ShapeError', operation: 'sample' });
    }
    expect(caught(() => from(zeros([5, 0, 4, 3]) as Tensor))).toMatchObject({ operation: 'sample' });
    expect(caught(() => from(cast(table, 'float64') as Tensor))).toMatchObject({ name: 'DTypeError' });
    expect(caught(() => from(table, given))).toMatchObject({ name: 'ArgumentError', operation: 'sample' });
    expect(caught(() => sample(ddim({ eta: 1 }), bent, levels, start))).toMatchObject({ operation: 'sample' });
  });
});

describe('image to image and inpainting', () => {
  const image = normal(key(5), [2, 4], { dtype: 'float64' }) as Tensor;
  const mask = tensor([true, false, true, false]) as Tensor;

  it('begin at the right level, end without noise, and are at no time twice', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(everySampler)),
        fc.constantFrom(...Object.keys(runs)),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 12 }),
        (name, process, strength, steps) => {
          const [sampler, whole] = [everySampler[name]!, runs[process as keyof typeof runs]!(steps)];
          const part = truncate(whole, strength);
          const kept = Math.min(steps, Math.max(1, Math.ceil(strength * steps - 1e-9)));
          expect(part.sigma.shape).toEqual([kept + 1]);
          const seen = part.time.toArray() as number[];
          expect(seen).toEqual((whole.time.toArray() as number[]).slice(steps - kept));
          // The last timestep of a discrete process is 0, as is the time of data: the first has noise.
          const ratios = (part.sigma.toArray() as number[]).map((s, i) => s / (part.alpha.toArray() as number[])[i]!);
          expect(new Set(ratios).size).toBe(ratios.length);
          expect(ratios.every((r, i) => i === 0 || r < ratios[i - 1]!)).toBe(true);
          expect(ratios.at(-1)).toBe(0);

          const noise = normal(key(6), [2, 4], { dtype: 'float64' }) as Tensor;
          const begun = imageToImageStart(image, part, { noise });
          const first = (v: Tensor): Tensor => reshape(slice(v, [0], [1]), []) as Tensor;
          const level: NoiseLevel = { alpha: first(part.alpha), sigma: first(part.sigma), time: first(part.time) };
          expect(begun.toArray()).toEqual(addNoise(image, level, noise).toArray());

          const filled = inpainting(image, mask)(plain);
          const ended = sample(sampler as never, filled, part, begun, given).toArray() as number[][];
          const known = image.toArray() as number[][];
          for (const [i, row] of ended.entries()) {
            for (const at of [0, 2]) expect(row[at]).toBeCloseTo(known[i]![at]!, 9);
            expect(row.every(Number.isFinite)).toBe(true);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('draw for each image what it would start with, whatever batch it is in', () => {
    const part = levelsAt(flowProcess(), [1, 0.6, 0.3]);
    const black = zeros([4, 3]) as Tensor;
    const drawn = imageToImageStart(black, part, given).toArray() as unknown[];
    expect(imageToImageStart(zeros([1, 3]), part, { ...given, firstSample: 2 }).toArray()).toEqual([drawn[2]]);
    // Nothing but noise is where `sample` starts from nothing.
    expect(sample(ddim({ eta: 1 }), bent, part, [4, 3], given).toArray()).toEqual(
      sample(ddim({ eta: 1 }), bent, part, imageToImageStart(black, part, given), given).toArray(),
    );
  });
});

describe('a batch in parts', () => {
  const shifted: Denoiser<{ shift: Tensor } | null> = (x, level, { inputs, previous }) => {
    const { x0, eps } = bent(x, level, { inputs, previous });
    return { x0: inputs === null ? x0 : (add(x0, inputs.shift) as Tensor), eps };
  };

  it('is the batch, to the last bit, whatever the parts', () => {
    const inputs = { shift: normal(key(9), [10, 1]) as Tensor };
    for (const sampler of [ddim({ eta: 1 }), samplers.multistep!]) {
      const options = { ...given, firstSample: 3, inputs };
      const whole = sample(sampler, shifted, levels, [10, 3], options).toArray();
      for (const chunk of [1, 3, 5, 10, 64]) {
        expect(sampleChunks(sampler, shifted, levels, [10, 3], { ...options, chunk }).toArray()).toEqual(whole);
      }
    }
  });

  it('cuts what it starts from and its noise', () => {
    const from = mul(normal(key(1), [7, 3]), 80) as Tensor;
    const noise = normal(key(3), [5, 1, 7, 3]) as Tensor;
    const whole = sample(ddim({ eta: 1 }), bent, levels, from, { noise }).toArray();
    expect(sampleChunks(ddim({ eta: 1 }), bent, levels, from, { noise, chunk: 3 }).toArray()).toEqual(whole);
    const parts = (x: Tensor): Tensor => sampleChunks(ddim({ eta: 1 }), bent, levels, x, { noise, chunk: 3 });
    expect(jit(parts)(from).toArray()).toEqual(whole);
  });

  it('of no samples is none', () => {
    expect(sampleChunks(ddim(), bent, levels, [0, 3], { ...given, chunk: 4 }).shape).toEqual([0, 3]);
  });

  it('refuses inputs that cannot be cut', () => {
    const bad = { shift: zeros([4, 1]) as Tensor };
    const error = caught(() => sampleChunks(ddim(), shifted, levels, [10, 3], { ...given, inputs: bad, chunk: 2 }));
    expect(error).toMatchObject({ name: 'ShapeError', operation: 'sampleChunks' });
  });
});
