/** Where levels have no signal or no noise, come twice, or rise: every sampler takes such steps, and some of them by another's rule. */
import { abs, max, mul, sub, type Tensor, tensor } from 'tenfold';
import {
  continuousProcess,
  ddim,
  ddpm,
  deis,
  dormandPrince,
  dpm2,
  dpm2Ancestral,
  dpmSolver,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  edmProcess,
  edmStochastic,
  euler,
  eulerMaruyama,
  flowHeun,
  flowLogSnr,
  flowProcess,
  heun,
  type Levels,
  langevin,
  lcm,
  levelsAt,
  levelsOf,
  lms,
  plms,
  pndm,
  repeatSteps,
  rescaleProcess,
  reverseLevels,
  rk4,
  type Sampler,
  type Scaling,
  sampleSteps,
  subVpProcess,
  switchAt,
  tcd,
  uniPc,
  veProcess,
  vpProcess,
  withCorrector,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { gaussian } from './gaussian.js';

const orders = [2, 3] as const;

/** A sampler in its orders above the first, which is DDIM. */
const inOrders = (
  name: string,
  of: (order: 2 | 3) => unknown,
  those: readonly (2 | 3)[] = orders,
): Readonly<Record<string, unknown>> => Object.fromEntries(those.map(order => [`${name} ${order}`, of(order)]));

/** Exponential integrators without noise: the form of each has no step from one of both ends. */
const exponential = {
  ...inOrders('multistep of x₀', order => dpmSolverMultistep({ order })),
  ...inOrders('multistep of ε', order => dpmSolverMultistep({ order, algorithm: 'dpmsolver' })),
  ...inOrders('single step of x₀', order => dpmSolverSinglestep({ order })),
  ...inOrders('single step of ε', order => dpmSolverSinglestep({ order, algorithm: 'dpmsolver' })),
  ...inOrders('stages of x₀', order => dpmSolver({ order })),
  ...inOrders('stages of ε', order => dpmSolver({ order, algorithm: 'dpmsolver' })),
  ...inOrders('deis', order => deis({ order })),
  ...inOrders('uniPc of x₀', order => uniPc({ order })),
  ...inOrders('uniPc of ε', order => uniPc({ order, predictX0: false }), [2]),
} as unknown as Readonly<Record<string, Sampler>>;

const withoutNoise = {
  ...exponential,
  ddim: ddim(),
  heun: heun(),
  dpm2: dpm2(),
  lms: lms(),
  rk4: rk4(),
  'rk4 in σ / α': rk4({ path: 'exploding' }),
  flowHeun: flowHeun(),
  pndm: pndm(),
  'plms of x₀': plms({ prediction: 'x0' }),
  'plms of velocities': plms({ prediction: 'velocity' }),
  dormandPrince: dormandPrince({ rtol: 1e-4, atol: 1e-6 }),
  'two samplers': switchAt(1, heun(), dpmSolverMultistep()),
} as unknown as Readonly<Record<string, Sampler>>;

const withNoise = {
  ...inOrders('multistep of x₀', order => dpmSolverMultistep({ order, algorithm: 'sde-dpmsolver++' })),
  ...inOrders('multistep of ε', order => dpmSolverMultistep({ order, algorithm: 'sde-dpmsolver' })),
  ...inOrders('single step of x₀', order => dpmSolverSinglestep({ order, algorithm: 'sde-dpmsolver++' })),
  'ddim with noise': ddim({ eta: 0.5 }),
  ddpm: ddpm(),
  'ddpm, large variance': ddpm({ variance: 'fixedLarge' }),
  'euler with churn': euler({ churn: 3 }),
  edmStochastic: edmStochastic({ churn: 3 }),
  dpm2Ancestral: dpm2Ancestral(),
  tcd: tcd(),
  'steps taken again': repeatSteps(2, ddim()),
  'a corrector': withCorrector(ddim(), langevin()),
  'the VP equation': eulerMaruyama(vpProcess()),
  'the sub-VP equation': eulerMaruyama(subVpProcess(), { eta: 0.5 }),
  'the VE equation': eulerMaruyama(veProcess()),
} as unknown as Readonly<Record<string, Sampler>>;

/** What takes other noise on purpose where there is noise alone. */
const takingOthers = [
  withNoise.tcd,
  withNoise['a corrector'],
  withNoise['the VP equation'],
  withNoise['the sub-VP equation'],
  withNoise['the VE equation'],
];

const everySampler: readonly (readonly [string, Sampler])[] = [
  ...Object.entries(withoutNoise),
  ...Object.entries(withNoise).map(([name, sampler]) => [`${name}, with noise`, sampler] as const),
];

const start = tensor([[0.9, -0.4]], { dtype: 'float64' }) as Tensor;
const data = gaussian(0.3, 0.5);

const stepsOf = (sampler: Sampler, levels: Levels): readonly number[][] =>
  (sampleSteps(sampler, data, levels, start, { key: key(5) }).x.toArray() as number[][][]).map(([x]) => x!);

const areFinite = (steps: readonly number[][]): boolean => steps.flat().every(Number.isFinite);

const apart = (a: readonly number[], b: readonly number[]): number =>
  max(abs(sub(tensor(a, { dtype: 'float64' }), tensor(b, { dtype: 'float64' })))).item() as number;

const fromNoise: Readonly<Record<string, Levels>> = {
  'of a flow': levelsAt(flowProcess(), [1, 0.6, 0.3]),
  'of a flow in continuous time': levelsAt(continuousProcess(flowLogSnr()), [1, 0.6, 0.3]),
  'of a flow, scaled otherwise': levelsAt(rescaleProcess(flowProcess(), 'preserving'), [1, 0.6, 0.3]),
};

describe.each(everySampler)('%s', (_, sampler) => {
  it('begins without signal', () => {
    for (const [name, levels] of Object.entries(fromNoise)) {
      expect(areFinite(stepsOf(sampler, levels)), name).toBe(true);
    }
  });

  it('is done where there is no noise left', () => {
    const steps = stepsOf(sampler, levelsOf(edmProcess(), [20, 2, 0]));
    expect(steps).toHaveLength(3);
    expect(areFinite(steps)).toBe(true);
    // What that one extrapolates is not the prediction that there is.
    if (sampler !== withoutNoise['plms of x₀']) expect(apart(steps[2]!, steps[1]!)).toBeLessThan(1e-12);
  });

  it('stays in noise alone while the levels do', () => {
    const [first, ...others] = stepsOf(sampler, levelsAt(flowProcess(), [1, 1, 0.5]));
    expect(areFinite(others)).toBe(true);
    if (!takingOthers.includes(sampler)) expect(apart(first!, [0.9, -0.4])).toBeLessThan(1e-12);
  });
});

it('consistency models are done where there is no noise left, too', () => {
  const steps = stepsOf(lcm(), levelsOf(edmProcess(), [20, 2, 0]));
  expect(apart(steps[2]!, steps[1]!)).toBeLessThan(1e-12);
});

describe.each(Object.entries(withoutNoise))('%s', (_, sampler) => {
  it('leads from data to noise, and to noise alone', () => {
    for (const levels of [levelsOf(edmProcess(), [20, 4, 1]), levelsAt(flowProcess(), [1, 0.6, 0.3])]) {
      expect(areFinite(stepsOf(sampler, reverseLevels(levels)))).toBe(true);
    }
  });
});

describe.each(Object.entries(exponential))('%s', (_, sampler) => {
  it('steps as DDIM from data, from noise alone, and to it', () => {
    for (const scaling of ['preserving', 'exploding', 'flow'] satisfies readonly Scaling[]) {
      const process = rescaleProcess(edmProcess(), scaling);
      const rising = reverseLevels(levelsOf(process, [20, 4, 1]));
      expect(apart(stepsOf(sampler, rising)[0]!, stepsOf(ddim(), rising)[0]!), scaling).toBeLessThan(1e-12);
    }
    const falling = levelsAt(flowProcess(), [1, 0.6, 0.3]);
    const noise = mul(start, 1) as Tensor;
    const first = (which: Sampler): number[] =>
      (sampleSteps(which, data, falling, noise).x.toArray() as number[][][])[0]![0]!;
    expect(apart(first(sampler), first(ddim()))).toBeLessThan(1e-12);
    const ending = levelsAt(flowProcess(), [0.5, 1], { final: 'none' });
    expect(apart(stepsOf(sampler, ending)[0]!, stepsOf(ddim(), ending)[0]!)).toBeLessThan(1e-12);
  });
});
