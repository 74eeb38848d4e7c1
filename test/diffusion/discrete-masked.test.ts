/** Masked diffusion: its loss against closed forms, what stays, and the order of unmasking. */
import { add, grad, jit, mean, notEqual, reshape, square, sub, type Tensor, take, tensor, where, zeros } from 'tenfold';
import {
  ancestralStates,
  confidentStates,
  discreteDiffusion,
  maskedDiffusion,
  maskedLosses,
  maskStates,
  sampleDiscrete,
  sampleDiscreteSteps,
  stratifiedSampler,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const ints = (values: readonly unknown[]): Tensor<readonly number[], 'int32'> =>
  tensor(values as never, { dtype: 'int32' }) as never;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const float64 = { dtype: 'float64' } as const;

describe('the loss', () => {
  const logits = normal(key(0), [3]) as Tensor;
  const constant =
    (z: Tensor) =>
    (x: Tensor): Tensor =>
      add(zeros([...x.shape, 3]), z) as Tensor;
  const shares = (logits.toArray() as number[]).slice(0, 2).map(Math.exp);
  const surprises = shares.map(w => -Math.log2(w / (shares[0]! + shares[1]!)));

  it.each(['linear', 'cosine'] as const)('is −log p of one state on average, schedule %s', schedule => {
    const diffusion = maskedDiffusion({ states: 3, schedule });
    const count = 20000;
    const { t } = stratifiedSampler({ range: [0.001, 1] }).sample(null, key(1), count);
    const x = ints(range(count).map(() => [1])) as Tensor;
    const { loss } = maskedLosses(diffusion, constant(logits), x, t as Tensor, { key: key(2) });
    const values = loss.toArray() as number[];
    const center = values.reduce((a, b) => a + b, 0) / count;
    const error = Math.sqrt(values.reduce((a, b) => a + (b - center) ** 2, 0) / count / count);
    // The share of masks below t = 0.001 is left out.
    expect(Math.abs(center - surprises[1]!)).toBeLessThan(4 * error + 0.002 * surprises[1]!);
    expect(error).toBeLessThan(0.05 * surprises[1]!);
  });

  it('weighs by −α′ / (1 − α)', () => {
    const times = [0.1, 0.5, 0.9, 1];
    const x = zeros([4, 50], { dtype: 'int32' }) as Tensor;
    const ratioOf = (schedule: Parameters<typeof maskedDiffusion>[0]['schedule']): readonly number[] => {
      const diffusion = maskedDiffusion({ states: 3, ...(schedule === undefined ? {} : { schedule }) });
      const losses = maskedLosses(diffusion, constant(logits), x, tensor(times) as Tensor, { key: key(3) });
      const parts = losses.crossEntropy.toArray() as number[];
      return (losses.loss.toArray() as number[]).map((loss, i) => loss / parts[i]!);
    };
    close(
      ratioOf(undefined),
      times.map(t => 1 / t),
      1e-5,
    );
    close(
      ratioOf('cosine'),
      times.map(t => (Math.PI / 2) * Math.tan((Math.PI / 2) * (1 - t))),
      1e-5,
    );
    close(
      ratioOf(t => sub(1, square(t)) as Tensor),
      times.map(t => 2 / t),
      1e-5,
    );
  });

  it('counts masks alone, and has the derivatives of differences', () => {
    const diffusion = maskedDiffusion({ states: 3 });
    const x = ints(range(6).map(i => range(5).map(j => (i + j) % 2))) as Tensor;
    const t = tensor([0.2, 0.4, 0.6, 0.8, 1, 0.3]) as Tensor;
    const hidden = maskStates(diffusion, x as never, t, key(4)).toArray() as number[][];
    const { crossEntropy } = maskedLosses(diffusion, constant(logits), x, t, { key: key(4) });
    close(
      crossEntropy as Tensor,
      hidden.map(
        (row, i) =>
          row.reduce((total, state, j) => total + (state === 2 ? surprises[(i + j) % 2]! : 0), 0) / row.length,
      ),
      1e-6,
    );
    const lossOf = (z: Tensor): Tensor =>
      mean(
        maskedLosses(diffusion, y => add(zeros([...y.shape, 3], float64), z) as Tensor, x, t, { key: key(4) })
          .loss as Tensor,
      ) as Tensor;
    const at = [0.3, -0.2, 0.7];
    const slopes = grad(lossOf)(tensor(at, float64) as Tensor).toArray() as number[];
    const moved = (i: number, by: number): number =>
      lossOf(
        tensor(
          at.map((z, j) => (i === j ? z + by : z)),
          float64,
        ) as Tensor,
      ).item() as number;
    close(
      slopes,
      at.map((_, i) => (moved(i, 1e-5) - moved(i, -1e-5)) / 2e-5),
      1e-6,
    );
    // The mask is never predicted, so its logit is of no matter.
    expect(slopes[2]).toBe(0);
    expect(Math.abs(slopes[0]!)).toBeGreaterThan(0.01);
  });

  it('is 0 where nothing is masked', () => {
    const x = zeros([2, 3], { dtype: 'int32' }) as Tensor;
    const { loss } = maskedLosses(maskedDiffusion({ states: 3 }), constant(logits), x, tensor([0, 0]) as Tensor, {
      key: key(0),
    });
    expect(loss.toArray()).toEqual([0, 0]);
  });
});

describe('masks', () => {
  const diffusion = maskedDiffusion({ states: 5, mask: 0, schedule: 'cosine' });

  it('are there with probability 1 − α, and stay', () => {
    const many = 20000;
    const x = reshape(add(zeros([2, many], { dtype: 'int32' }), 3), [2, many]) as Tensor<readonly number[], 'int32'>;
    const [early, late] = [0.3, 0.7].map(
      t => (maskStates(diffusion, x, tensor([t, t]) as Tensor, key(1)).toArray() as number[][])[1]!,
    );
    for (const [states, t] of [
      [early!, 0.3],
      [late!, 0.7],
    ] as const) {
      const share = Math.cos((Math.PI / 2) * (1 - t));
      const seen = states.filter(state => state === 0).length / many;
      expect(Math.abs(seen - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / many));
    }
    expect(early!.every((state, i) => state !== 0 || late![i] === 0)).toBe(true);
  });

  it('are of a sample whatever the batch it is in', () => {
    const x = ints([
      [1, 2, 3, 4],
      [4, 3, 2, 1],
    ]);
    const whole = maskStates(diffusion, x, tensor([0.5, 0.5]) as Tensor, key(2)).toArray() as number[][];
    const alone = maskStates(diffusion, ints([[4, 3, 2, 1]]), tensor([0.5]) as Tensor, key(2), 1).toArray();
    expect(alone).toEqual([whole[1]]);
  });
});

describe('sampling', () => {
  const table = normal(key(9), [5, 5]) as Tensor;
  /** Logits of a position by the state of the one before it. */
  const chained = (x: Tensor): Tensor => {
    const places = x.shape[1]!;
    const before = take(x, ints(range(places).map(i => (i + places - 1) % places)), { axis: 1 }) as Tensor;
    return take(table, before as Tensor<readonly number[], 'int32'>) as Tensor;
  };
  const diffusion = maskedDiffusion({ states: 5 });

  it.each([
    ['ancestral', ancestralStates()],
    ['confident', confidentStates({ choiceTemperature: 1 })],
  ])('is that of the absorbing kind with the same shares, %s', (_, sampler) => {
    const steps = 16;
    const betas = range(steps).map(t => 1 / (steps - t));
    const other = discreteDiffusion({ states: 5, betas, kind: 'absorbing' });
    const [a, b] = [
      sampleDiscreteSteps(sampler as never, diffusion, chained, [50, 6], { key: key(1), steps }),
      sampleDiscreteSteps(sampler as never, other, chained, [50, 6], { key: key(1) }),
    ];
    expect(a.x.toArray()).toEqual(b.x.toArray());
    const left = (a.x.toArray() as number[][][]).map(rows => rows.flat().filter(state => state === 4).length / 300);
    for (const [i, share] of left.entries()) {
      // Whole numbers of six masks, or a mean of 300 draws.
      expect(Math.abs(share - (1 - (i + 1) / steps))).toBeLessThan(1 / 6);
    }
    expect(left[steps - 1]).toBe(0);
  });

  it.each([
    ['ancestral', ancestralStates],
    ['confident', confidentStates],
  ] as const)('draws at a temperature, %s', (_, make) => {
    const [count, temperature] = [8000, 0.5];
    const shares = (table.toArray() as number[][])[0]!.slice(0, 4).map(z => Math.exp(z / temperature));
    const model = (x: Tensor): Tensor => add(zeros([...x.shape, 5]), take(table, ints([0]))) as Tensor;
    const options = { key: key(8), steps: 2 };
    const x = sampleDiscrete(make({ temperature }) as never, diffusion, model, [count, 1], options);
    const drawn = (x.toArray() as number[][]).flat();
    const squares = shares.reduce((total, share, i) => {
      const wanted = (count * share) / shares.reduce((a, b) => a + b, 0);
      return total + (drawn.filter(state => state === i).length - wanted) ** 2 / wanted;
    }, 0);
    // The 99.9 % quantile of χ² with 3 degrees of freedom.
    expect(squares).toBeLessThan(16.3);
  });

  it.each([
    ['ancestral', ancestralStates()],
    ['confident', confidentStates({ choiceTemperature: 1 })],
  ])('keeps what is known, and whatever is revealed, %s', (_, sampler) => {
    const start = ints([
      [0, 1, 4, 4, 4, 4],
      [4, 4, 3, 4, 2, 4],
      [4, 4, 4, 4, 4, 4],
    ]);
    const { x } = sampleDiscreteSteps(sampler as never, diffusion, chained, start, { key: key(3), steps: 5 });
    let before = start.toArray() as number[][];
    for (const now of x.toArray() as number[][][]) {
      for (const [i, row] of before.entries()) {
        for (const [j, state] of row.entries()) if (state !== 4) expect(now[i]![j]).toBe(state);
      }
      before = now;
    }
    expect(before.flat().includes(4)).toBe(false);
  });

  it.each([
    ['ancestral', ancestralStates()],
    ['confident', confidentStates()],
    ['confident with chance', confidentStates({ choiceTemperature: 2 })],
  ])('is the same alone, in a batch and under jit, %s', (_, sampler) => {
    const run = (count: number, firstSample: number): unknown =>
      sampleDiscrete(sampler as never, diffusion, chained, [count, 6], {
        key: key(5),
        firstSample,
        steps: 6,
      }).toArray();
    const whole = run(5, 0) as unknown[];
    expect(run(1, 3)).toEqual([whole[3]]);
    const jitted = jit(() => sampleDiscrete(sampler as never, diffusion, chained, [5, 6], { key: key(5), steps: 6 }));
    expect(jitted().toArray()).toEqual(whole);
  });

  it('shows the network the times before the steps', () => {
    // At t = 1, 3/4, 1/2 and 1/4 the states are told by the time.
    const model = (x: Tensor, t: Tensor): Tensor => {
      const state = reshape(sub(4, tensorOfQuarters(t)), [x.shape[0]!, 1, 1]) as Tensor;
      const off = sub(reshape(tensor([0, 1, 2, 3, 4]), [1, 1, 5]), state) as Tensor;
      return add(zeros([...x.shape, 5]), where(notEqual(off, 0), -1000, 0)) as Tensor;
    };
    const tensorOfQuarters = (t: Tensor): Tensor => add(add(t, t), add(t, t)) as Tensor;
    const { x } = sampleDiscreteSteps(ancestralStates(), diffusion, model, [1, 40], { key: key(0), steps: 4 });
    const rows = (x.toArray() as number[][][]).map(([row]) => row!);
    let hidden = range(40);
    for (const [i, row] of rows.entries()) {
      for (const place of hidden) expect([4, i]).toContain(row[place]);
      hidden = hidden.filter(place => row[place] === 4);
    }
    expect(new Set(rows[3])).toEqual(new Set([0, 1, 2, 3]));
  });

  it('by confidence leaves the share of masks that the time has, the surest first', () => {
    const sure = [3, 0, 5, 1, 4, 2];
    const model = (x: Tensor): Tensor =>
      add(zeros([...x.shape, 5]), tensor([sure.map(z => [z + 8, 0, -1000, -1000, 0])])) as Tensor;
    const { x } = sampleDiscreteSteps(confidentStates(), diffusion, model, [8, 6], { key: key(7), steps: 6 });
    for (const [i, rows] of (x.toArray() as number[][][]).entries()) {
      for (const row of rows) expect(row.map(state => state !== 4)).toEqual(sure.map(z => z >= 5 - i));
    }
    const few = sampleDiscreteSteps(confidentStates(), diffusion, model, [1, 6], { key: key(7), steps: 4 });
    const left = (few.x.toArray() as number[][][]).map(([row]) => row!.filter(state => state === 4).length);
    expect(left).toEqual([4, 3, 1, 0]);
  });
});
