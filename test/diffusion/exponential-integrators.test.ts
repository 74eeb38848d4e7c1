/** DPM-Solver, UniPC and DEIS: what their coefficients integrate, their orders, and where levels have no noise or signal. */
import { add, div, grad, log, mul, square, sub, sum, type Tensor, tensor } from 'tenfold';
import {
  combine,
  type Denoiser,
  ddim,
  deis,
  dpmSolver,
  dpmSolverMultistep,
  dpmSolverSinglestep,
  edmProcess,
  flowProcess,
  type Levels,
  levelsAt,
  levelsOf,
  rescaleProcess,
  type Sampler,
  type SamplerState,
  type Scaling,
  sample,
  sampleSteps,
  uniPc,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { describe, expect, it } from 'vitest';

const f64 = (values: unknown): Tensor => tensor(values as number[], { dtype: 'float64' }) as Tensor;

const numbers = (x: Tensor): readonly number[] => x.toArray() as readonly number[];

/** Levels of λ between two ends. */
const levelsIn = (lambdas: readonly number[], scaling: Scaling = 'preserving'): Levels =>
  levelsOf(
    rescaleProcess(edmProcess(), scaling),
    lambdas.map(lambda => Math.exp(-lambda)),
    { final: 'none' },
  );

const evenly = (from: number, to: number, steps: number): readonly number[] =>
  Array.from({ length: steps + 1 }, (_, i) => from + (i * (to - from)) / steps);

const thirdOfNoise = { order: 3, solverType: 'heun', algorithm: 'dpmsolver' } as const;

const uneven = [-1.5, -1.1, -0.4, 0, 0.7, 1];

/** A denoiser of normal data with mean m and standard deviation s, and what its flow leads x to. */
const [m, s] = [0.7, 0.4];

const normalData: Denoiser = (x, { alpha, sigma }) => {
  const variance = add(mul(square(alpha), s ** 2), square(sigma));
  const ones = add(mul(x, 0), 1) as Tensor;
  const x0 = combine(
    [div(mul(alpha, s ** 2), variance) as Tensor, x],
    [div(mul(square(sigma), m), variance) as Tensor, ones],
  );
  const eps = combine([div(sigma, variance) as Tensor, x], [mul(div(mul(alpha, sigma), variance), -m) as Tensor, ones]);
  return { x0, eps };
};

const alongFlow = (x: number, from: number, to: number): number => {
  const rates = (lambda: number): readonly [number, number] => {
    const alpha = 1 / Math.sqrt(1 + Math.exp(-2 * lambda));
    return [alpha, alpha * Math.exp(-lambda)];
  };
  const spread = (lambda: number): number => Math.hypot(rates(lambda)[0] * s, rates(lambda)[1]);
  return rates(to)[0] * m + ((x - rates(from)[0] * m) * spread(to)) / spread(from);
};

/** A sampler whatever it remembers. */
const of = <S extends SamplerState>(sampler: Sampler<S>): Sampler => sampler as unknown as Sampler;

const errorOf = (sampler: Sampler, steps: number): number => {
  const levels = levelsIn(evenly(-2, 2, steps));
  const [[last]] = sample(sampler, normalData, levels, f64([[0.9]])).toArray() as [[number]];
  return Math.abs(last - alongFlow(0.9, -2, 2));
};

/** ∫ of a polynomial in λ against the weight of a form between two levels, by Simpson's rule. */
const integrated = (form: 'data' | 'noise', f: (lambda: number) => number, from: number, to: number): number => {
  const alphaOf = (lambda: number): number => 1 / Math.sqrt(1 + Math.exp(-2 * lambda));
  const [alpha, sigma] = [alphaOf(to), alphaOf(to) * Math.exp(-to)];
  // Lu et al. 2022, arXiv:2211.01095, eq. 8: σ_t ∫ exp(λ) x₀ dλ; arXiv:2206.00927, eq. 3.4: −α_t ∫ exp(−λ) ε dλ.
  const weight = (lambda: number): number => (form === 'data' ? sigma * Math.exp(lambda) : -alpha * Math.exp(-lambda));
  const n = 400;
  const parts = Array.from({ length: n + 1 }, (_, i) => {
    const lambda = from + (i * (to - from)) / n;
    return (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2) * weight(lambda) * f(lambda);
  });
  return (parts.reduce((total, part) => total + part, 0) * (to - from)) / (3 * n);
};

/** A prediction that depends on λ alone: a polynomial. */
const valueAt = (degree: number, lambda: number): number => 1 + 0.5 * lambda - 0.8 * lambda ** degree;

const polynomial =
  (degree: number): Denoiser =>
  (x, level) => {
    const lambda = log(div(level.alpha, level.sigma)) as Tensor;
    const power = Array.from({ length: degree }, () => lambda).reduce((p, l) => mul(p, l) as Tensor, f64(1));
    const known = add(mul(x, 0), sub(add(mul(lambda, 0.5), 1), mul(power, 0.8))) as Tensor;
    return { x0: known, eps: known };
  };

/** What one integral from level i to level j leaves of a run's samples. */
const defect = (sampler: Sampler, form: 'data' | 'noise', degree: number, i: number, j: number): number => {
  const levels = levelsIn(uneven);
  const after = sampleSteps(sampler, polynomial(degree), levels, f64([[0.3]]));
  const x = [0.3, ...(after.x.toArray() as number[][][]).map(sampleAfter => sampleAfter[0]![0]!)];
  const rates = numbers(form === 'data' ? levels.sigma : levels.alpha);
  const integral = integrated(form, lambda => valueAt(degree, lambda), uneven[i]!, uneven[j]!);
  return Math.abs(x[j]! - (rates[j]! / rates[i]!) * x[i]! - integral);
};

const predictor = { lowerOrderFinal: false, disableCorrector: [0, 1, 2, 3] };

describe('what steps integrate', () => {
  it.each([
    ['deis of order 2', of(deis({ order: 2, lowerOrderFinal: false })), 'noise', 2, 1],
    ['deis of order 3', of(deis({ order: 3, lowerOrderFinal: false })), 'noise', 3, 2],
    ['2M with heun', of(dpmSolverMultistep({ solverType: 'heun', lowerOrderFinal: false })), 'data', 2, 1],
    ['3M of ε', of(dpmSolverMultistep({ order: 3, algorithm: 'dpmsolver', lowerOrderFinal: false })), 'noise', 3, 1],
    ['uniPc of order 3', of(uniPc({ order: 3, ...predictor })), 'data', 3, 2],
    ['uniPc of order 4, of ε', of(uniPc({ order: 4, predictX0: false, ...predictor })), 'noise', 4, 3],
    ['uniPc of order 5', of(uniPc({ order: 5, ...predictor })), 'data', 5, 4],
  ] as const)('%s: polynomials of its degree exactly, those above not', (_, sampler, form, order, degree) => {
    for (let i = order - 1; i < uneven.length - 1; i++) {
      expect(defect(sampler, form, degree, i, i + 1)).toBeLessThan(1e-9);
      expect(defect(sampler, form, degree + 1, i, i + 1)).toBeGreaterThan(1e-4);
    }
    // The first step knows one prediction only.
    expect(defect(sampler, form, Math.max(degree, 2), 0, 1)).toBeGreaterThan(1e-2);
  });

  it('single-step methods do so over each group', () => {
    const of3 = of(dpmSolverSinglestep({ order: 3, solverType: 'heun', lowerOrderFinal: false }));
    expect(defect(of3, 'data', 2, 0, 3)).toBeLessThan(1e-9);
    expect(defect(of3, 'data', 3, 0, 3)).toBeGreaterThan(1e-4);
    const of2 = of(dpmSolverSinglestep({ solverType: 'heun', algorithm: 'dpmsolver', lowerOrderFinal: false }));
    for (const start of [0, 2]) expect(defect(of2, 'noise', 1, start, start + 2)).toBeLessThan(1e-9);
    expect(defect(of2, 'noise', 2, 0, 2)).toBeGreaterThan(1e-4);
  });
});

describe('orders of convergence, on normal data', () => {
  it.each([
    ['dpmSolverMultistep of order 1', of(dpmSolverMultistep({ order: 1 })), 1],
    ['2M', of(dpmSolverMultistep()), 2],
    ['2M with heun, of ε', of(dpmSolverMultistep({ algorithm: 'dpmsolver', solverType: 'heun' })), 2],
    ['deis', of(deis()), 2],
    ['2S', of(dpmSolverSinglestep({ lowerOrderFinal: false })), 2],
    ['3S', of(dpmSolverSinglestep({ order: 3, lowerOrderFinal: false })), 3],
    ['3S with heun, of ε', of(dpmSolverSinglestep({ ...thirdOfNoise, lowerOrderFinal: false })), 3],
    ['dpmSolver', dpmSolver(), 2],
    ['dpmSolver of order 3', dpmSolver({ order: 3 }), 3],
    ['dpmSolver of order 3, of ε', dpmSolver({ order: 3, algorithm: 'dpmsolver' }), 3],
    ['uniPc of order 1', of(uniPc({ order: 1 })), 2],
    ['uniPc of order 2', of(uniPc({ lowerOrderFinal: false })), 3],
    ['uniPc with bh1, of ε', of(uniPc({ solverType: 'bh1', predictX0: false, lowerOrderFinal: false })), 3],
    ['uniPc without corrector', of(uniPc({ order: 1, disableCorrector: Array.from({ length: 84 }, (_, i) => i) })), 1],
  ] as const)('%s', (_, sampler, order) => {
    const power = Math.log2(errorOf(sampler, 42) / errorOf(sampler, 84));
    expect(power).toBeGreaterThan(order - 0.3);
    expect(power).toBeLessThan(order + 0.7);
  });
});

const runOf = (sampler: Sampler, levels: Levels, denoiser: Denoiser = normalData): readonly number[] =>
  (sample(sampler, denoiser, levels, f64([[0.9], [-0.4]]), { key: key(3) }).toArray() as number[][]).flat();

const apart = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

const ofData: Readonly<Record<string, Sampler>> = {
  '1M': of(dpmSolverMultistep({ order: 1 })),
  '2M': of(dpmSolverMultistep({ lowerOrderFinal: false })),
  '3M': of(dpmSolverMultistep({ order: 3, lowerOrderFinal: false })),
  '2M with noise': of(dpmSolverMultistep({ algorithm: 'sde-dpmsolver++', solverType: 'heun' })),
  '3M with noise': of(dpmSolverMultistep({ algorithm: 'sde-dpmsolver++', order: 3, lowerOrderFinal: false })),
  '2S': of(dpmSolverSinglestep({ lowerOrderFinal: false })),
  '3S': of(dpmSolverSinglestep({ order: 3, solverType: 'heun', lowerOrderFinal: false })),
  '3S with noise': of(dpmSolverSinglestep({ order: 3, solverType: 'heun', algorithm: 'sde-dpmsolver++' })),
  'dpmSolver of order 2': dpmSolver(),
  'dpmSolver of order 3': dpmSolver({ order: 3 }),
  'uniPc of order 1': of(uniPc({ order: 1 })),
  'uniPc of order 3': of(uniPc({ order: 3, lowerOrderFinal: false })),
  'uniPc with bh1': of(uniPc({ solverType: 'bh1', lowerOrderFinal: false })),
};

const ofNoise: Readonly<Record<string, Sampler>> = {
  '3M of ε': of(dpmSolverMultistep({ algorithm: 'dpmsolver', order: 3, lowerOrderFinal: false })),
  '3M of ε with noise': of(dpmSolverMultistep({ algorithm: 'sde-dpmsolver', order: 3, lowerOrderFinal: false })),
  '3S of ε': of(dpmSolverSinglestep({ ...thirdOfNoise, lowerOrderFinal: false })),
  'dpmSolver of ε': dpmSolver({ algorithm: 'dpmsolver', order: 3 }),
  'uniPc of ε': of(uniPc({ order: 3, predictX0: false, lowerOrderFinal: false })),
  deis: of(deis({ order: 3, lowerOrderFinal: false })),
};

const all = { ...ofData, ...ofNoise };

describe.each(Object.entries(all))('%s', (name, sampler) => {
  it('gives the same samples in every scaling', () => {
    const wanted = runOf(sampler, levelsIn(uneven));
    for (const scaling of ['exploding', 'flow'] as const) {
      const levels = levelsIn(uneven, scaling);
      // Both start from the same samples, up to their scales.
      const scaleAt = (i: number): number => numbers(levels.alpha)[i]! / numbers(levelsIn(uneven).alpha)[i]!;
      const start = f64([[0.9 * scaleAt(0)], [-0.4 * scaleAt(0)]]);
      const got = sample(sampler, normalData, levels, start, { key: key(3) }).toArray() as number[][];
      expect(
        apart(
          got.flat().map(value => value / scaleAt(uneven.length - 1)),
          wanted,
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it('ends without noise at the prediction of x₀', () => {
    const lambdas = [-1.5, -0.5, 0, 0.8];
    const levels = levelsOf(
      rescaleProcess(edmProcess(), 'preserving'),
      lambdas.map(lambda => Math.exp(-lambda)),
    );
    const steps = sampleSteps(sampler, normalData, levels, f64([[0.9], [-0.4]]), { key: key(3) });
    const [x, x0] = [steps.x, steps.x0].map(values => (values.toArray() as number[][][]).at(-1)!.flat());
    expect(x!.every(Number.isFinite)).toBe(true);
    // A corrector moves the samples after the prediction of the noise was made of them, which it is not again.
    if (name !== 'uniPc of ε') expect(apart(x!, x0!)).toBeLessThan(1e-12);
  });

  it('takes a level twice without harm', () => {
    const levels = levelsIn([-1, -0.5, -0.5, 0.2, 0.6, 0.6]);
    expect(runOf(sampler, levels).every(Number.isFinite)).toBe(true);
  });

  it('has finite derivatives with respect to the start', () => {
    const levels = levelsOf(rescaleProcess(edmProcess(), 'preserving'), [4, 1.5, 0.8]);
    const last = (x: Tensor): Tensor =>
      sum(sample(sampler, normalData, levels, x, { key: key(3) }) as Tensor) as Tensor;
    const slope = grad(last as never) as unknown as (x: Tensor) => Tensor;
    const at = [[0.9], [-0.4]];
    const [d] = (slope(f64(at)).toArray() as number[][]).flat();
    const moved = (by: number): number => last(f64([[0.9 + by], [-0.4]])).item() as number;
    expect(d).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
  });
});

describe.each(Object.entries(ofData))('%s, from no signal', (name, sampler) => {
  it('begins with its first prediction', () => {
    const levels = levelsAt(flowProcess(), [1, 0.8, 0.6, 0.4, 0.2]);
    expect(runOf(sampler, levels).every(Number.isFinite)).toBe(true);
    // With its −2 α h² the stochastic 3S does not bear steps as large as those that begin next to it.
    if (name === '3S with noise') return;
    const near = levelsAt(flowProcess(), [1 - 1e-13, 0.8, 0.6, 0.4, 0.2]);
    expect(apart(runOf(sampler, levels), runOf(sampler, near))).toBeLessThan(0.05);
  });
});

describe('what is the same by another name', () => {
  const levels = levelsIn(evenly(-2, 2, 6));
  const lower = { lowerOrderFinal: false } as const;

  it.each([
    ['solvers of order 1 and ddim', of(dpmSolverMultistep({ order: 1, algorithm: 'dpmsolver' })), of(ddim())],
    ['stages of order 1 and ddim', dpmSolver({ order: 1 }), of(ddim())],
    ['single steps of order 1 and ddim', of(dpmSolverSinglestep({ order: 1 })), of(ddim())],
    [
      'UniP-2 with bh2 and 2M',
      of(uniPc({ ...lower, disableCorrector: [0, 1, 2, 3, 4, 5] })),
      of(dpmSolverMultistep(lower)),
    ],
    [
      'deis of order 2 and DPM-Solver of ε with heun',
      of(deis(lower)),
      of(dpmSolverMultistep({ algorithm: 'dpmsolver', solverType: 'heun', ...lower })),
    ],
  ] as const)('%s', (_, a, b) => {
    expect(apart(runOf(a, levels), runOf(b, levels))).toBeLessThan(1e-12);
  });

  it('stages and groups of two steps that meet at the same levels', () => {
    const groups = of(dpmSolverSinglestep(lower));
    const whole = levelsIn(evenly(-2, 2, 3));
    expect(apart(runOf(dpmSolver(), whole), runOf(groups, levels))).toBeLessThan(1e-12);
  });

  it('orders are lowered at the end of short runs alone', () => {
    const long = levelsIn(evenly(-2, 2, 15));
    expect(apart(runOf(of(dpmSolverMultistep()), long), runOf(of(dpmSolverMultistep(lower)), long))).toBe(0);
    expect(
      apart(runOf(of(dpmSolverMultistep()), levels), runOf(of(dpmSolverMultistep(lower)), levels)),
    ).toBeGreaterThan(1e-4);
    const euler = of(dpmSolverMultistep({ eulerAtFinal: true }));
    expect(apart(runOf(euler, long), runOf(of(dpmSolverMultistep()), long))).toBeGreaterThan(1e-5);
  });
});

describe('the SDE of x₀', () => {
  it('keeps samples of one datum on their distribution', () => {
    // x₀ = 2 for sure: x_t is normal with mean 2 α_t and standard deviation σ_t, whatever the steps.
    const one: Denoiser = (x, { alpha, sigma }) => {
      const x0 = add(mul(x, 0), 2) as Tensor;
      return { x0, eps: combine([div(1, sigma) as Tensor, x], [div(mul(alpha, -1), sigma) as Tensor, x0]) };
    };
    const levels = levelsIn(uneven);
    const [alpha, sigma] = [numbers(levels.alpha), numbers(levels.sigma)];
    const sampler = of(dpmSolverMultistep({ algorithm: 'sde-dpmsolver++', order: 2 }));
    const n = uneven.length - 1;
    /** The last sample is linear in the start and the draws. */
    const lastOf = (start: number, draws: readonly number[]): number => {
      const noise = tensor(
        draws.map(value => [[[value]]]),
        { dtype: 'float64' },
      ) as Tensor;
      const [[x]] = sample(sampler, one, levels, f64([[2 * alpha[0]! + sigma[0]! * start]]), { noise }).toArray() as [
        [number],
      ];
      return x;
    };
    const none = new Array<number>(n).fill(0);
    const mean = lastOf(0, none);
    expect(mean).toBeCloseTo(2 * alpha[n]!, 12);
    const parts = [
      lastOf(1, none),
      ...none.map((_, i) =>
        lastOf(
          0,
          none.map((_, j) => (i === j ? 1 : 0)),
        ),
      ),
    ];
    const variance = parts.reduce((total, part) => total + (part - mean) ** 2, 0);
    expect(Math.sqrt(variance)).toBeCloseTo(sigma[n]!, 12);
  });
});
