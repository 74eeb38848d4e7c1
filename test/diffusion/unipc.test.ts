/** UniPC against the linear systems of its paper, which the sampler solves in Newton's form without B(h). */
import { add, cos, div, log, mul, sin, type Tensor, tensor } from 'tenfold';
import {
  type Denoiser,
  edmProcess,
  levelsOf,
  rescaleProcess,
  sampleSteps,
  type UniPcType,
  uniPc,
} from 'tenfold/diffusion';
import { describe, expect, it } from 'vitest';

const ratios = [3, 1.8, 0.9, 0.5, 0.2, 0.11, 0.05];
const steps = ratios.length - 1;
const levels = levelsOf(rescaleProcess(edmProcess(), 'preserving'), ratios, { final: 'none' });
const [alpha, sigma] = [levels.alpha, levels.sigma].map(rates => rates.toArray() as number[]) as [number[], number[]];
const lambda = alpha.map((a, i) => Math.log(a / sigma[i]!));

const prediction = (x: number, i: number): number => 0.8 * x + 0.1 * Math.sin(x) + 0.1 * Math.cos(lambda[i]!);

const denoiser: Denoiser = (x, level) => {
  const ofLevel = mul(cos(log(div(level.alpha, level.sigma))), 0.1);
  const value = add(add(mul(x, 0.8), mul(sin(x), 0.1)), ofLevel) as Tensor;
  return { x0: value, eps: value };
};

/** Gauss–Jordan elimination. */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): readonly number[] => {
  const reduced = matrix.reduce<readonly (readonly number[])[]>(
    (rows, _, c) => {
      const pivot = rows[c]!.map(value => value / rows[c]![c]!);
      return rows.map((row, i) => (i === c ? pivot : row.map((value, j) => value - row[c]! * pivot[j]!)));
    },
    matrix.map((row, i) => [...row, right[i]!]),
  );
  return reduced.map(row => row.at(-1)!);
};

const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));

interface Form {
  readonly type: UniPcType;
  readonly ofX0: boolean;
}

interface Known {
  readonly level: number;
  readonly model: number;
}

/** Zhao et al. 2023, arXiv:2302.04867, eqs. 3 and 9: from x at the first of the known, with the last known at the end or not. */
const advance = (
  { type, ofX0 }: Form,
  x: number,
  [from, ...others]: readonly Known[],
  to: number,
  corrects: boolean,
) => {
  const h = lambda[to]! - lambda[from!.level]!;
  const k = ofX0 ? -h : h;
  const b = type === 'bh1' ? k : Math.expm1(k);
  const factor = ofX0 ? alpha[to]! : sigma[to]!;
  const rates = ofX0 ? sigma : alpha;
  const first = (rates[to]! / rates[from!.level]!) * x - factor * Math.expm1(k) * from!.model;
  const r = others.map(({ level }) => (lambda[level]! - lambda[from!.level]!) / h);
  const phi = (n: number): number => (n === 0 ? Math.exp(k) : (phi(n - 1) - 1 / factorial(n - 1)) / k);
  const system = r.map((_, i) => r.map(rate => rate ** i));
  const right = r.map((_, i) => (k * phi(i + 2) * factorial(i + 1)) / b);
  // With one unknown the paper takes a half.
  const weights = r.length === 1 && (corrects || others.length === 1) ? [0.5] : solve(system, right);
  return (
    first - factor * b * others.reduce((sum, { model }, i) => sum + (weights[i]! * (model - from!.model)) / r[i]!, 0)
  );
};

/** Algorithms 5 to 8, with lower orders in the first and last steps. */
const expected = (form: Form, order: number, disabled: readonly number[]): readonly number[] => {
  const known: Known[] = [];
  const samples = [0.7];
  let [before, lastOrder] = [0, 0];
  for (let i = 0; i < steps; i++) {
    const guess = samples[i]!;
    const now = { level: i, model: prediction(guess, i) };
    const corrects = i > 0 && !disabled.includes(i - 1);
    const x = corrects ? advance(form, before, [...known.slice(0, lastOrder), now], i, true) : guess;
    known.unshift(now);
    lastOrder = Math.min(order, steps - i, i + 1);
    before = x;
    samples.push(advance(form, x, known.slice(0, lastOrder), i + 1, false));
  }
  return samples.slice(1);
};

describe.each([1, 2, 3, 4, 5])('of order %i', order => {
  it.each([
    ['bh1', true],
    ['bh2', true],
    ['bh1', false],
    ['bh2', false],
  ] as const)('%s, with x₀ predicted: %s', (type, ofX0) => {
    for (const disableCorrector of [[], [1, 3]]) {
      const sampler = uniPc({ order, solverType: type, predictX0: ofX0, disableCorrector });
      const start = tensor([[0.7]], { dtype: 'float64' }) as Tensor;
      const samples = (sampleSteps(sampler, denoiser, levels, start).x.toArray() as number[][][]).flat(2);
      const wanted = expected({ type, ofX0 }, order, disableCorrector);
      for (const [i, value] of wanted.entries()) expect(samples[i]).toBeCloseTo(value, 11);
    }
  });
});
