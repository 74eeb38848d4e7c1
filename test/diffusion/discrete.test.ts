/** Diffusion over states: the closed forms against matrices and enumeration, and sampling from what is known. */
import {
  add,
  arange,
  cast,
  exp,
  grad,
  jit,
  log,
  mean,
  mul,
  reshape,
  sum,
  type Tensor,
  take,
  tensor,
  zeros,
} from 'tenfold';
import {
  ancestralStates,
  type DiscreteDiffusion,
  type DiscreteModel,
  discreteBpdLoop,
  discreteDiffusion,
  discreteLosses,
  discretePriorBpd,
  discreteTrajectory,
  discreteVbTermsBpd,
  pPrevious,
  qPosterior,
  qProbs,
  qSampleDiscrete,
  sampleDiscrete,
  sampleDiscreteSteps,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const float64 = { dtype: 'float64' } as const;
const ints = (values: readonly unknown[]): Tensor<readonly number[], 'int32'> =>
  tensor(values as never, { dtype: 'int32' }) as never;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

const banded = [0.1, 0.3, 0.6].map(p => [
  [1 - p, p, 0],
  [p / 2, 1 - p, p / 2],
  [0, p, 1 - p],
]);
const uniform = discreteDiffusion({ states: 3, betas: [0.1, 0.4, 0.7], kind: 'uniform' });
const absorbing = discreteDiffusion({ states: 3, betas: [0.2, 0.5, 1], kind: 'absorbing', mask: 1 });
const cases: Readonly<Record<string, DiscreteDiffusion>> = {
  uniform,
  absorbing,
  'of matrices': discreteDiffusion({ matrices: banded }),
};

type Matrix = readonly (readonly number[])[];

/** Qₜ by its definition. */
const matrixOf = ({ states, betas, mask, matrices }: DiscreteDiffusion, t: number): Matrix =>
  matrices?.[t] ??
  range(states).map(i =>
    range(states).map(j => {
      const to = mask === null ? 1 / states : Number(j === mask);
      return (1 - betas![t]!) * Number(i === j) + betas![t]! * to;
    }),
  );
const times = (a: Matrix, b: Matrix): Matrix =>
  a.map(row => b[0]!.map((_, j) => row.reduce((total, x, k) => total + x * b[k]![j]!, 0)));
/** Q₀ … Qₜ; of t = −1 the identity. */
const upTo = (diffusion: DiscreteDiffusion, t: number): Matrix =>
  t < 0
    ? range(diffusion.states).map(i => range(diffusion.states).map(j => Number(i === j)))
    : times(upTo(diffusion, t - 1), matrixOf(diffusion, t));
/** States that the data can have. */
const dataOf = ({ states, mask }: DiscreteDiffusion): number[] => range(states).filter(i => i !== mask);
/** q(xₜ₋₁ | xₜ, x₀) by Bayes' rule. */
const posteriorOf = (diffusion: DiscreteDiffusion, x0: number, x: number, t: number): readonly number[] => {
  const joint = range(diffusion.states).map(i => upTo(diffusion, t - 1)[x0]![i]! * matrixOf(diffusion, t)[i]![x]!);
  const total = joint.reduce((a, b) => a + b, 0);
  return joint.map(p => p / total);
};

describe.each(Object.entries(cases))('a diffusion that is %s', (_, diffusion) => {
  const { states, numTimesteps } = diffusion;
  const data = dataOf(diffusion);
  const logits = normal(key(1), [numTimesteps, states, states], float64) as Tensor;
  /** Any network of one position: logits by timestep and state. */
  const model: DiscreteModel = (x, t) => {
    const rows = reshape(logits, [numTimesteps * states, states]) as Tensor;
    const at = add(mul(t, states), reshape(x, [-1])) as Tensor<readonly number[], 'int32'>;
    return reshape(take(rows, at), [x.shape[0]!, 1, states]) as Tensor;
  };
  /** p(x₀ | xₜ) of it among what can be. */
  const predicted = (x: number, t: number): readonly number[] => {
    const scores = (logits.toArray() as number[][][])[t]![x]!;
    const weights = scores.map((score, i) =>
      data.includes(i) && upTo(diffusion, t)[i]![x]! > 0 ? Math.exp(score) : 0,
    );
    return weights.map(w => w / weights.reduce((a, b) => a + b, 0));
  };
  const previous = (x: number, t: number): readonly number[] =>
    range(states).map(i =>
      data.reduce((total, x0) => {
        const p = predicted(x, t)[x0]!;
        return p === 0 ? total : total + p * posteriorOf(diffusion, x0, x, t)[i]!;
      }, 0),
    );
  const all = range(numTimesteps).flatMap(t => range(states).map(x => [x, t] as const));
  const xs = ints(all.map(([x]) => [x]));
  const ts = ints(all.map(([, t]) => t));
  /** x₀, xₜ, t that can be. */
  const possible = all.flatMap(([x, t]) =>
    data.filter(x0 => upTo(diffusion, t)[x0]![x]! > 0).map(x0 => [x0, x, t] as const),
  );
  const [x0s, xts] = [0, 1].map(i => ints(possible.map(row => [row[i]])));
  const tts = ints(possible.map(row => row[2]));

  it('has q(xₜ | x₀) as the product of its steps', () => {
    const probs = qProbs(diffusion, xs as Tensor, ts as Tensor, float64);
    close(
      probs,
      all.map(([x, t]) => [upTo(diffusion, t)[x]!]),
      1e-12,
    );
    close(
      sum(probs, { axis: 2 }) as Tensor,
      all.map(() => [1]),
      1e-12,
    );
  });

  it('has the posterior of Bayes’ rule', () => {
    const wanted = possible.map(([x0, x, t]) => [posteriorOf(diffusion, x0, x, t)]);
    const found = qPosterior(diffusion, x0s as Tensor, xts as Tensor, tts as Tensor, float64);
    close(exp(found) as Tensor, wanted, 1e-12);
    close(exp(qPosterior(diffusion, x0s as Tensor, xts as Tensor, tts as Tensor)) as Tensor, wanted, 1e-6);
  });

  it('goes back by the mean of the posteriors', () => {
    // An absorbing process reaches its mask alone at the end, and stays at whatever else it is given.
    const seen = all.filter(([x, t]) => data.some(x0 => upTo(diffusion, t)[x0]![x]! > 0));
    const [x, t] = [ints(seen.map(row => [row[0]])) as Tensor, ints(seen.map(row => row[1])) as Tensor];
    const { logProbs, predXStart } = pPrevious(diffusion, model, x, t);
    close(
      exp(predXStart) as Tensor,
      seen.map(row => [predicted(...row)]),
      1e-12,
    );
    close(
      exp(logProbs) as Tensor,
      seen.map(row => [previous(...row)]),
      1e-12,
    );
    close(
      sum(exp(logProbs), { axis: 2 }) as Tensor,
      seen.map(() => [1]),
      1e-12,
    );
  });

  it('has terms of the bound that are divergences', () => {
    const { output } = discreteVbTermsBpd(diffusion, model, x0s as Tensor, xts as Tensor, tts as Tensor);
    const wanted = possible.map(([x0, x, t]) => {
      const [q, p] = [posteriorOf(diffusion, x0, x, t), previous(x, t)];
      return q.reduce((total, share, i) => (share === 0 ? total : total + share * Math.log2(share / p[i]!)), 0);
    });
    close(output as Tensor, wanted, 1e-10);
  });

  /** The bound of each x₀, all paths counted. */
  const bounds = (): readonly number[] => {
    const terms = (
      discreteVbTermsBpd(diffusion, model, x0s as Tensor, xts as Tensor, tts as Tensor).output as Tensor
    ).toArray() as number[];
    const prior = discretePriorBpd(diffusion, ints(data.map(x => [x])) as Tensor, float64).toArray() as number[];
    return data.map((x0, i) =>
      possible.reduce(
        (total, [from, x, t], j) => (from === x0 ? total + upTo(diffusion, t)[x0]![x]! * terms[j]! : total),
        prior[i]!,
      ),
    );
  };
  /** p(x₀) of the network itself, all paths counted. */
  const marginal = (): readonly number[] => {
    let at: readonly number[] = diffusion.limit;
    for (const t of range(numTimesteps).reverse()) {
      const before = at;
      // What the process never reaches is not where it starts either.
      const rows = range(states).map(x => (before[x] === 0 ? [] : previous(x, t)));
      at = range(states).map(i => before.reduce((total, p, x) => (p === 0 ? total : total + p * rows[x]![i]!), 0));
    }
    return at;
  };

  it('has a bound that is one', () => {
    const p = marginal();
    expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 10);
    for (const [i, bound] of bounds().entries()) {
      const exact = -Math.log2(p[data[i]!]!);
      expect(bound).toBeGreaterThan(exact - 1e-12);
    }
  });

  it('has that bound for the mean of the loop', () => {
    const many = 3000;
    const x = ints(data.flatMap(x0 => range(many).map(() => [x0]))) as Tensor;
    const { totalBpd, priorBpd, vb, crossEntropy } = jit((xStart: Tensor) =>
      discreteBpdLoop(diffusion, model, xStart, { key: key(5) }),
    )(x);
    expect([vb.shape, crossEntropy.shape]).toEqual([
      [data.length * many, numTimesteps],
      [data.length * many, numTimesteps],
    ]);
    close(
      totalBpd as Tensor,
      (add(sum(vb as Tensor, { axis: 1 }), priorBpd as Tensor) as Tensor).toArray() as number[],
    );
    const totals = totalBpd.toArray() as number[];
    for (const [i, bound] of bounds().entries()) {
      const own = totals.slice(i * many, (i + 1) * many);
      const center = own.reduce((a, b) => a + b, 0) / many;
      const error = Math.sqrt(own.reduce((a, b) => a + (b - center) ** 2, 0) / many / many);
      expect(Math.abs(center - bound)).toBeLessThan(4 * error + 1e-9);
    }
  });

  it('has losses whose derivatives are those of differences', () => {
    const xStart = ints(range(8).map(i => [data[i % data.length]])) as Tensor;
    const t = ints(range(8).map(i => i % numTimesteps)) as Tensor;
    const lossOf = (table: Tensor): Tensor => {
      const network: DiscreteModel = (x, at) => {
        const rows = reshape(table, [numTimesteps * states, states]) as Tensor;
        const index = add(mul(at, states), reshape(x, [-1])) as Tensor<readonly number[], 'int32'>;
        return reshape(take(rows, index), [8, 1, states]) as Tensor;
      };
      const { loss } = discreteLosses(diffusion, network, xStart, t, { key: key(3), hybrid: 0.1 });
      return mean(loss as Tensor) as Tensor;
    };
    const slopes = (grad(lossOf)(logits).toArray() as number[][][]).flat(2);
    const flat = (logits.toArray() as number[][][]).flat(2);
    const h = 1e-5;
    const moved = (i: number, by: number): number =>
      lossOf(
        reshape(
          tensor(
            flat.map((z, j) => (i === j ? z + by : z)),
            float64,
          ),
          [numTimesteps, states, states],
        ) as Tensor,
      ).item() as number;
    close(
      slopes,
      flat.map((_, i) => (moved(i, h) - moved(i, -h)) / (2 * h)),
      1e-8,
    );
    expect(slopes.some(slope => Math.abs(slope) > 0.01)).toBe(true);
  });

  it('has finite losses and derivatives for a network that is sure of the wrong', () => {
    const xStart = ints(range(6).map(i => [data[i % data.length]])) as Tensor;
    const t = ints(range(6).map(i => i % numTimesteps)) as Tensor;
    const wrong = tensor(range(6).map(i => [range(states).map(j => (j === data[i % data.length] ? -300 : 300))]));
    const lossOf = (z: Tensor): Tensor =>
      sum(discreteLosses(diffusion, () => z, xStart, t, { key: key(3), hybrid: 0.1 }).loss as Tensor) as Tensor;
    const numbers = [
      lossOf(wrong as Tensor).item(),
      ...(grad(lossOf)(wrong as Tensor).toArray() as number[][][]).flat(2),
    ];
    expect(numbers.every(value => Number.isFinite(value))).toBe(true);
  });
});

it('gives by matrices what the closed form gives', () => {
  const byMatrices = discreteDiffusion({ matrices: range(3).map(t => matrixOf(uniform, t)) });
  const [x, t] = [
    ints([
      [0, 1],
      [2, 1],
      [1, 1],
    ]) as Tensor,
    ints([0, 1, 2]) as Tensor,
  ];
  const model = (): Tensor => normal(key(2), [3, 2, 3], float64) as Tensor;
  const options = { key: key(0) };
  close(
    pPrevious(byMatrices, model, x, t).logProbs,
    pPrevious(uniform, model, x, t).logProbs.toArray() as number[][][],
    1e-12,
  );
  close(
    discreteBpdLoop(byMatrices, model, x, options).totalBpd as Tensor,
    discreteBpdLoop(uniform, model, x, options).totalBpd.toArray() as number[],
    1e-12,
  );
  const [a, b] = [byMatrices, uniform].map(diffusion =>
    sampleDiscrete(ancestralStates(), diffusion, model, [3, 2], options).toArray(),
  );
  expect(a).toEqual(b);
});

it('has the entropy of the data as the mean bound where the network knows them', () => {
  const p0 = [0.5, 0.2, 0.3];
  const diffusion = discreteDiffusion({ states: 4, betas: [0.2, 0.3, 0.6, 1], kind: 'absorbing' });
  const x0 = ints([[0], [1], [2]]) as Tensor;
  const model = (x: Tensor): Tensor =>
    log(
      tensor(
        range(x.shape[0]!).map(() => [[...p0, 0]]),
        float64,
      ),
    ) as Tensor;
  const bound = range(3).map(i =>
    range(4).reduce((total, t) => {
      const probs = (qProbs(diffusion, x0, ints([t, t, t]) as Tensor, float64).toArray() as number[][][])[i]![0]!;
      return probs.reduce((sumOf, q, x) => {
        if (q === 0) return sumOf;
        const one = ints([[x]]) as Tensor;
        const { output } = discreteVbTermsBpd(diffusion, model, ints([[i]]) as Tensor, one, ints([t]) as Tensor);
        return sumOf + q * (output.toArray() as number[])[0]!;
      }, total);
    }, 0),
  );
  const meanBound = p0.reduce((total, p, i) => total + p * bound[i]!, 0);
  expect(meanBound).toBeCloseTo(-p0.reduce((total, p) => total + p * Math.log2(p), 0), 12);
});

describe('noise', () => {
  it('is of a sample whatever the batch it is in', () => {
    const x = ints([
      [0, 1, 2],
      [2, 2, 2],
      [1, 0, 1],
    ]);
    const t = ints([1, 2, 1]) as Tensor;
    const whole = qSampleDiscrete(uniform, x, t, key(4));
    const alone = qSampleDiscrete(uniform, ints([[2, 2, 2]]), ints([2]) as Tensor, key(4), 1);
    expect((whole.toArray() as number[][])[1]).toEqual((alone.toArray() as number[][])[0]);
  });

  it('has the probabilities of the closed form', () => {
    const many = 20000;
    const x = zeros([1, many], { dtype: 'int32' }) as Tensor<readonly number[], 'int32'>;
    for (const diffusion of [uniform, absorbing, cases['of matrices']!]) {
      const drawn = (qSampleDiscrete(diffusion, x, ints([1]) as Tensor, key(6)).toArray() as number[][])[0]!;
      const probs = upTo(diffusion, 1)[0]!;
      const squares = probs.reduce((total, p, i) => {
        const seen = drawn.filter(state => state === i).length;
        if (p === 0) expect(seen).toBe(0);
        return p === 0 ? total : total + (seen - many * p) ** 2 / (many * p);
      }, 0);
      // The 99.9 % quantile of χ² with 2 degrees of freedom.
      expect(squares).toBeLessThan(13.8);
    }
  });
});

describe('sampling with the posterior of known data', () => {
  // Two positions that depend on each other.
  const joint = [
    [0.3, 0.05, 0.05],
    [0.02, 0.2, 0.08],
    [0.1, 0, 0.2],
  ];
  const steps = 120;
  const betas = range(steps).map(t => 1 / (steps - t));
  const kinds = {
    uniform: discreteDiffusion({ states: 3, betas, kind: 'uniform' }),
    absorbing: discreteDiffusion({ states: 4, betas, kind: 'absorbing' }),
  };
  /** p(x₀ | xₜ) of each position, for all pairs at all timesteps. */
  const knows = ({ states, alphasCumprod, limit }: DiscreteDiffusion): DiscreteModel => {
    const forward = (t: number, from: number, to: number): number =>
      alphasCumprod![t]! * Number(from === to) + (1 - alphasCumprod![t]!) * limit[to]!;
    const rows = range(steps).flatMap(t =>
      range(states).flatMap(a =>
        range(states).map(b => {
          const weights = joint.map((row, i) => row.map((p, j) => p * forward(t, i, a) * forward(t, j, b)));
          const first = range(states).map(i => weights[i]?.reduce((total, w) => total + w, 0) ?? 0);
          const second = range(states).map(j => weights.reduce((total, row) => total + (row[j] ?? 0), 0));
          return [first.map(w => Math.log(w)), second.map(w => Math.log(w))];
        }),
      ),
    );
    const table = tensor(rows) as Tensor;
    return (x, t) => {
      const column = (i: number): Tensor => take(x, tensor(i, { dtype: 'int32' }), { axis: 1 }) as Tensor;
      const pair = add(mul(column(0), states), column(1)) as Tensor;
      return take(table, add(mul(t, states * states), pair) as Tensor<readonly number[], 'int32'>) as Tensor;
    };
  };
  const count = 4000;

  it.each(Object.entries(kinds))('gives the data, %s', (_, diffusion) => {
    const run = jit(() => sampleDiscrete(ancestralStates(), diffusion, knows(diffusion), [count, 2], { key: key(11) }));
    const drawn = run().toArray() as number[][];
    let squares = 0;
    for (const [i, row] of joint.entries()) {
      for (const [j, p] of row.entries()) {
        const seen = drawn.filter(([a, b]) => a === i && b === j).length;
        // Both positions may change in one step, each without regard to the other: some of 1 / steps are.
        if (p === 0) expect(seen).toBeLessThan((count / steps) * 2);
        else squares += (seen - count * p) ** 2 / (count * p);
      }
    }
    // The 99.9 % quantile of χ² with 7 degrees of freedom is 24.3.
    expect(squares).toBeLessThan(24.3);
  });

  it.each(Object.entries(kinds))(
    'is the same alone, in a batch, under jit and step by step, %s',
    async (_, diffusion) => {
      const model = knows(diffusion);
      const shape = [4, 2] as const;
      const options = { key: key(2) };
      const whole = sampleDiscrete(ancestralStates(), diffusion, model, shape, options).toArray();
      const alone = sampleDiscrete(ancestralStates(), diffusion, model, [1, 2], { ...options, firstSample: 2 });
      expect(alone.toArray()).toEqual([(whole as unknown[])[2]]);
      expect(jit(() => sampleDiscrete(ancestralStates(), diffusion, model, shape, options))().toArray()).toEqual(whole);
      const { x, x0 } = sampleDiscreteSteps(ancestralStates(), diffusion, model, shape, options);
      expect([x.shape, x0.shape]).toEqual([
        [steps, 4, 2],
        [steps, 4, 2],
      ]);
      expect((x.toArray() as unknown[])[steps - 1]).toEqual(whole);
      let last: unknown;
      let seen = 0;
      for await (const at of discreteTrajectory(ancestralStates(), diffusion, model, shape, options)) {
        last = at.x.toArray();
        expect(last).toEqual((x.toArray() as unknown[])[seen]);
        seen += 1;
      }
      expect([seen, last]).toEqual([steps, whole]);
    },
  );

  it('takes inputs to the network', () => {
    const model: DiscreteModel<{ y: Tensor }> = (x, _, { y }) =>
      mul(
        cast(reshape(y, [x.shape[0]!, 1, 1]), 'float32'),
        reshape(mul(cast(arange(3, { dtype: 'int32' }), 'float32'), 100), [1, 1, 3]),
      ) as Tensor;
    const wide: DiscreteModel<{ y: Tensor }> = (x, t, extra) =>
      add(model(x, t, extra), zeros([x.shape[0]!, x.shape[1]!, 3])) as Tensor;
    const run = sampleDiscrete(ancestralStates(), kinds.uniform, wide, [2, 2], {
      key: key(0),
      modelInputs: { y: tensor([1, -1]) as Tensor },
    });
    expect(run.toArray()).toEqual([
      [2, 2],
      [0, 0],
    ]);
  });
});
