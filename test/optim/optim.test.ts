import { add, grad, mul, square, sub, sum, type Tensor, tensor } from 'tenfold';
import {
  adam,
  applyUpdates,
  chain,
  emaWarmup,
  type GradientTransform,
  monoid,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  updateEma,
  warmupCosine,
} from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const minimise = <S>(
  optimizer: GradientTransform<S>,
  f: (x: Tensor) => Tensor,
  start: readonly number[],
  steps: number,
) => {
  let x: Tensor = tensor(Float64Array.from(start), [start.length]);
  let state = optimizer.init(x);
  for (let i = 0; i < steps; i++) {
    const [updates, next] = optimizer.update(grad(f)(x), state, x);
    x = applyUpdates(x, updates);
    state = next;
  }
  return x;
};

/** Adam as the paper writes it, in plain numbers. */
const plainAdam = (g: (x: number) => number, x0: number, rate: number, steps: number): number => {
  let [x, m, v] = [x0, 0, 0];
  for (let t = 1; t <= steps; t++) {
    m = 0.9 * m + 0.1 * g(x);
    v = 0.999 * v + 0.001 * g(x) ** 2;
    x -= (rate * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
  }
  return x;
};

describe('adam', () => {
  it('takes the steps of the paper', () => {
    const x = minimise(adam(0.1), y => sum(mul(mul(y, y), y)), [1.7], 25);
    close(x, [plainAdam(y => 3 * y * y, 1.7, 0.1, 25)], 1e-7);
  });

  it('finds the minimum of a parabola and of Rosenbrock', () => {
    close(
      minimise(adam(0.1), y => sum(square(sub(y, 3))), [0, 10], 500),
      [3, 3],
      1e-3,
    );
    const rosenbrock = (p: Tensor): Tensor => {
      const x = sum(mul(p, tensor([1, 0])));
      const y = sum(mul(p, tensor([0, 1])));
      return add(square(sub(1, x)), mul(square(sub(y, square(x)) as Tensor), 100) as Tensor);
    };
    close(minimise(adam(0.02), rosenbrock, [-1, 1], 3000), [1, 1], 2e-2);
  });

  it('keeps dtypes and forms, and refuses decays outside [0, 1)', () => {
    const params = { a: tensor([1, 2], { dtype: 'float64' }), b: [tensor(3), null] as const };
    const transform = scaleByAdam();
    const [updates, state] = transform.update(params, transform.init(params), params);
    expect([updates.a.dtype, updates.b[0].dtype, updates.b[1]]).toEqual(['float64', 'float32', null]);
    expect(state.count.dtype).toBe('int32');
    expect(caught(() => adam(0.1, { beta1: 1 })).message).toMatch(/adam: got the decay 1/);
  });

  it('takes learning rates as functions of the count', () => {
    const halving = adam(count => mul(sub(tensor(2), count), 0.5));
    expect((minimise(halving, y => sum(y), [0, 0], 2).toArray() as number[])[0]).toBeCloseTo(-1.5, 5);
  });
});

describe('gradient transforms', () => {
  const params = { w: tensor([1, -2, 4]) };
  const run = (transform: GradientTransform): unknown =>
    transform.update(params, transform.init(params), params)[0].w.toArray();

  it('are a monoid under composition', () => {
    const [f, g, h] = [scale(2), scaleByAdam(), scaleByLearningRate(0.25)] as const;
    const { concat, empty } = monoid;
    expect(run(concat(empty, f))).toEqual(run(f));
    expect(run(concat(f, empty))).toEqual(run(f));
    expect(run(concat(concat(f, g), h))).toEqual(run(concat(f, concat(g, h))));
    expect(run(chain(f, g, h))).toEqual(run(concat(f, concat(g, h))));
  });

  it('refuse trees of another form', () => {
    const error = caught(() => applyUpdates({ w: tensor([1]) }, { v: tensor([1]) } as never));
    expect(error.message).toMatch(/applyUpdates: got a tree with a leaf at w and one with a leaf at v/);
  });
});

describe('averages and schedules', () => {
  it('updateEma takes a number or a tensor, and refuses decays outside [0, 1]', () => {
    expect(updateEma(tensor([0, 8]), tensor([8, 8]), 0.75).toArray()).toEqual([2, 8]);
    expect(updateEma(tensor([0, 8]), tensor([8, 8]), tensor(0.75)).toArray()).toEqual([2, 8]);
    expect(caught(() => updateEma(tensor([0]), tensor([8]), 2)).message).toMatch(/updateEma: got the decay 2/);
    expect(caught(() => emaWarmup(-1)).message).toMatch(/emaWarmup: got the decay -1/);
  });

  it('emaWarmup rises to its decay', () => {
    expect([0, 8, 1e6].map(n => (emaWarmup(0.99)(tensor(n)).item() as number).toFixed(3))).toEqual([
      '0.100',
      '0.500',
      '0.990',
    ]);
  });

  it('warmupCosine rises, falls and stays', () => {
    const rate = warmupCosine({ peak: 2, warmup: 4, steps: 12, end: 1 });
    close(
      [0, 2, 4, 8, 12, 50].map(n => rate(tensor(n)).item() as number),
      [0, 1, 2, 1.5, 1, 1],
    );
    expect(rate(tensor(3, { dtype: 'int32' })).item()).toBe(1.5);
    expect(warmupCosine({ peak: 2, warmup: 0, steps: 1 })(tensor(0)).item()).toBe(2);
    expect(caught(() => warmupCosine({ peak: 1, warmup: 5, steps: 5 })).message).toMatch(
      /warmupCosine: got a warm-up of 5 in 5 steps/,
    );
  });
});
