/** Fewer timesteps over states: laws of respacing, against products of matrices, and sampling in few steps from what is known. */
import { add, exp, jit, log, mul, oneHot, reshape, sub, type Tensor, take, tensor, zeros } from 'tenfold';
import {
  ancestralStates,
  confidentStates,
  type DiscreteDiffusion,
  type DiscreteModel,
  discreteBpdLoop,
  discreteDiffusion,
  discreteLosses,
  pPrevious,
  qPosterior,
  qProbs,
  respaceDiscrete,
  sampleDiscrete,
  sampleDiscreteSteps,
  spaceTimesteps,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const float64 = { dtype: 'float64' } as const;
const ints = (values: readonly unknown[]): Tensor<readonly number[], 'int32'> =>
  tensor(values as never, { dtype: 'int32' }) as never;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

type Matrix = readonly (readonly number[])[];
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map(row => b[0]!.map((_, j) => row.reduce((total, x, k) => total + x * b[k]![j]!, 0)));

const steps = 24;
const betas = range(steps).map(t => 1 / (steps - t));
/** Steps that are neither symmetric nor interchangeable; after the last one nothing is left of the data. */
const matrices = range(steps).map(t => {
  const [p, q] = t % 2 === 0 ? [0.3, 0.05] : [0.1, 0.2];
  return t === steps - 1
    ? range(3).map(() => [0.2, 0.3, 0.5])
    : [
        [1 - p!, p!, 0],
        [q! / 2, 1 - q!, q! / 2],
        [0, q!, 1 - q!],
      ];
});
const cases: Readonly<Record<string, DiscreteDiffusion>> = {
  uniform: discreteDiffusion({ states: 3, betas, kind: 'uniform' }),
  absorbing: discreteDiffusion({ states: 4, betas, kind: 'absorbing', mask: 1 }),
  'of matrices': discreteDiffusion({ matrices, limit: [0.2, 0.3, 0.5] }),
};

/** Qₜ by its definition. */
const matrixOf = ({ states, betas: all, limit, matrices: own }: DiscreteDiffusion, t: number): Matrix =>
  own?.[t] ?? range(states).map(i => range(states).map(j => (1 - all![t]!) * Number(i === j) + all![t]! * limit[j]!));
/** Qₛ₊₁ … Qₜ. */
const between = (diffusion: DiscreteDiffusion, s: number, t: number): Matrix =>
  s === t
    ? range(diffusion.states).map(i => range(diffusion.states).map(j => Number(i === j)))
    : times(between(diffusion, s, t - 1), matrixOf(diffusion, t));

describe.each(Object.entries(cases))('respacing a diffusion that is %s', (_, diffusion) => {
  const { states, mask } = diffusion;
  const data = range(states).filter(i => i !== mask);
  const kept = [2, 3, 11, 23];
  const short = respaceDiscrete(diffusion, kept);
  /** Logits by original timestep and state, of one position. */
  const logits = normal(key(1), [steps, states, states], float64) as Tensor;
  const model: DiscreteModel = (x, t) => {
    const rows = reshape(logits, [steps * states, states]) as Tensor;
    const place = add(mul(t, states), reshape(x, [-1])) as Tensor<readonly number[], 'int32'>;
    return reshape(take(rows, place), [x.shape[0]!, 1, states]) as Tensor;
  };
  const x0 = ints(range(8).map(i => [data[i % data.length]]));

  it('by all timesteps is the identity, to the last bit', () => {
    const all = respaceDiscrete(diffusion, range(steps));
    expect(all).toEqual(diffusion);
    const options = { key: key(2) };
    const [a, b] = [all, diffusion].map(each => ({
      x: sampleDiscrete(ancestralStates(), each, model, [50, 1], options).toArray(),
      bpd: discreteBpdLoop(each, model, x0 as Tensor, options).totalBpd.toArray(),
    }));
    expect(a).toEqual(b);
  });

  it('leaves q(xₜ | x₀) at the timesteps kept what it was', () => {
    for (const [i, t] of kept.entries()) {
      const of = (each: DiscreteDiffusion, at: number): Tensor =>
        qProbs(each, x0 as Tensor, ints(range(8).map(() => at)) as Tensor, float64);
      close(of(short, i), of(diffusion, t).toArray() as number[][][], 1e-12);
    }
    expect(short.alphasCumprod).toEqual(diffusion.alphasCumprod && kept.map(t => diffusion.alphasCumprod![t]));
    expect(short.matricesCumprod).toEqual(diffusion.matricesCumprod && kept.map(t => diffusion.matricesCumprod![t]));
  });

  it('has the steps between them as products, and the posterior of Bayes’ rule', () => {
    for (const [i, t] of kept.entries()) {
      const s = kept[i - 1] ?? -1;
      const step = between(diffusion, s, t);
      close(matrixOf(short, i) as number[][], step as number[][], 1e-12);
      const possible = data.flatMap(a =>
        range(states).flatMap(x => (between(diffusion, -1, t)[a]![x]! > 0 ? [[a, x]] : [])),
      );
      const wanted = possible.map(([a, x]) => {
        const joint = range(states).map(j => between(diffusion, -1, s)[a!]![j]! * step[j]![x!]!);
        return [joint.map(p => p / joint.reduce((total, each) => total + each, 0))];
      });
      const [from, to] = [0, 1].map(j => ints(possible.map(pair => [pair[j]])) as Tensor);
      close(exp(qPosterior(short, from!, to!, ints(possible.map(() => i)) as Tensor, float64)), wanted, 1e-12);
    }
  });

  it('shows the network the original timesteps', () => {
    const seen: unknown[] = [];
    const watching: DiscreteModel = (x, t) => {
      seen.push(t.toArray());
      return zeros([...x.shape, states]);
    };
    const [x, t] = [ints([[0], [0], [2]]) as Tensor, ints([0, 3, 2]) as Tensor];
    pPrevious(short, watching, x, t);
    discreteLosses(short, watching, x, t, { key: key(3) });
    expect(seen).toEqual([
      [2, 23, 11],
      [2, 23, 11],
    ]);
    // In loops: a network that says x₀ = the timestep modulo 2, or the two states that are no masks.
    const parity = tensor(
      range(steps).map(at => data[at % 2]!),
      { dtype: 'int32' },
    );
    const telling: DiscreteModel = (y, at) => {
      const told = take(parity, at as Tensor<readonly number[], 'int32'>) as Tensor<readonly number[], 'int32'>;
      return add(zeros([...y.shape, states]), mul(reshape(oneHot(told, states), [-1, 1, states]), 50)) as Tensor;
    };
    const wanted = [...kept].reverse().map(at => data[at % 2]!);
    const start = ints(range(4).map(() => [mask ?? 0]));
    const steppers = mask === null ? [ancestralStates()] : [ancestralStates(), confidentStates()];
    for (const sampler of steppers) {
      const { x0: said, x: gone } = sampleDiscreteSteps(sampler as never, short, telling, start, { key: key(4) });
      expect(gone.shape).toEqual([4, 4, 1]);
      const hidden = [start.toArray(), ...(gone.toArray() as number[][][]).slice(0, -1)] as number[][][];
      for (const [i, rows] of (said.toArray() as number[][][]).entries()) {
        // What is no mask stays, whatever the network says.
        for (const [j, [state]] of rows.entries()) {
          if (mask === null || hidden[i]![j]![0] === mask) expect(state).toBe(wanted[i]);
        }
      }
    }
  });

  it('twice is once by what both keep, in any order', () => {
    const twice = respaceDiscrete(respaceDiscrete(diffusion, [1, 2, 5, 8, 11, 23]), [1, 4, 5]);
    const once = respaceDiscrete(diffusion, [23, 2, 11, 2]);
    expect(twice.timestepMap).toEqual([2, 11, 23]);
    expect(once.timestepMap).toEqual([2, 11, 23]);
    for (const t of range(3)) close(matrixOf(twice, t) as number[][], matrixOf(once, t) as number[][], 1e-12);
    expect([twice.alphasCumprod, twice.matricesCumprod]).toEqual([once.alphasCumprod, once.matricesCumprod]);
  });

  it.each([1, 2, 5])('gives the data in %i steps, by a network that knows them', count => {
    // Positions that know nothing of each other: then the reverse process is exact in any number of steps.
    const shares = data.map((__, i) => [0.55, 0.15, 0.3][i]!);
    const rows = range(steps).flatMap(t => {
      const forward = between(diffusion, -1, t);
      return range(states).map(x => range(states).map(i => (shares[data.indexOf(i)] ?? 0) * forward[i]![x]!));
    });
    const table = log(tensor(rows)) as Tensor;
    const known: DiscreteModel = (x, t) => {
      const place = add(reshape(mul(t, states), [-1, 1]), x) as Tensor<readonly number[], 'int32'>;
      return take(table, place) as Tensor;
    };
    const few = respaceDiscrete(diffusion, count === 1 ? [steps - 1] : spaceTimesteps(steps, count));
    expect(few.numTimesteps).toBe(count);
    const [samples, places] = [200, 100];
    const run = jit(() => sampleDiscrete(ancestralStates(), few, known, [samples, places], { key: key(5) }));
    const drawn = (run().toArray() as number[][]).flat();
    const squares = data.reduce((total, state, i) => {
      const wanted = samples * places * shares[i]!;
      return total + (drawn.filter(each => each === state).length - wanted) ** 2 / wanted;
    }, 0);
    // The 99.9 % quantile of χ² with 2 degrees of freedom.
    expect(squares).toBeLessThan(13.8);
  });
});

it('keeps a step of a respaced chain where the signal is gone', () => {
  const diffusion = discreteDiffusion({ states: 3, betas: [0.5, 1, 0.5, 1], kind: 'absorbing' });
  const short = respaceDiscrete(diffusion, [0, 2, 3]);
  expect([short.betas, short.alphasCumprod]).toEqual([
    [0.5, 1, 1],
    [0.5, 0, 0],
  ]);
  const model = (x: Tensor): Tensor => sub(zeros([...x.shape, 3]), tensor([0, 0, 5])) as Tensor;
  const x = sampleDiscrete(ancestralStates(), short, model, [4, 5], { key: key(6) });
  expect((x.toArray() as number[][]).flat().every(state => state < 2)).toBe(true);
});
