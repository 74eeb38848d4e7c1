/** Optimizers beyond what PyTorch's numbers say of them (`test/golden/optim.test.ts`), and what is made of them. */
import {
  add,
  cast,
  fold,
  grad,
  isTensor,
  jit,
  jvp,
  matmul,
  mul,
  square,
  sum,
  svd,
  type Tensor,
  take,
  tensor,
  transpose,
  vmap,
} from 'tenfold';
import {
  accumulate,
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  clipByValue,
  type GradientTransform,
  globalNorm,
  lamb,
  lion,
  lookahead,
  monoid,
  multiTransform,
  muon,
  nadam,
  powerEma,
  radam,
  rmsprop,
  type Schedule,
  scale,
  scaleByAdam,
  scaleByLearningRate,
  sgd,
  updateEma,
  warmupCosine,
  weightDecay,
} from 'tenfold/optim';
import { key, normal } from 'tenfold/random';
import { flatten, leaves } from 'tenfold/tree';
import { describe, expect, it } from 'vitest';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught, close } from '../helpers.js';

const optimizers: Readonly<Record<string, (rate: Schedule) => GradientTransform>> = {
  sgd: rate => sgd(rate, { momentum: 0.5, nesterov: true }),
  adam: rate => adam(rate, { amsgrad: true }),
  adamw: rate => adamw(rate),
  adamax: rate => adamax(rate),
  nadam: rate => nadam(rate),
  radam: rate => radam(rate),
  adagrad: rate => adagrad(rate, { learningRateDecay: 0.1 }),
  adadelta: rate => adadelta(rate),
  rmsprop: rate => rmsprop(rate, { centered: true, momentum: 0.5 }),
  lion: rate => lion(rate),
  lamb: rate => lamb(rate),
  adafactor: rate => adafactor(rate, { beta1: 0.5 }),
  muon: rate => muon(rate),
  accumulated: rate => accumulate(adam(rate), 2),
  'looking ahead': rate => lookahead(sgd(rate), { every: 3 }),
  grouped: rate =>
    multiTransform([
      ['w', sgd(rate)],
      ['**', adam(rate)],
    ]),
  clipped: rate => chain(clipByGlobalNorm(1), clipByValue(0.5), weightDecay(0.1), sgd(rate)),
};

const start = {
  w: tensor([
    [1, -2, 3],
    [0.5, 4, -1],
  ]),
  v: tensor([
    [2, 1],
    [-3, 0.25],
  ]),
};
const gradients = {
  w: tensor([
    [0.5, 1, -2],
    [3, -0.1, 0.2],
  ]),
  v: tensor([
    [-1, 2],
    [0.1, 0.3],
  ]),
};

type Params = typeof start;

/** A step as a function of trees. */
const stepOf =
  (optimizer: GradientTransform) =>
  (params: Params, state: unknown, g: Params): readonly [Params, unknown] => {
    const [updates, next] = optimizer.update(g, state, params);
    return [applyUpdates(params, updates), next];
  };

const arrays = (tree: unknown): readonly number[][] =>
  leaves(tree).map(leaf => Array.from((leaf as Tensor).dataSync() as ArrayLike<number>));

const closeTrees = (actual: unknown, expected: unknown): void => {
  const [got, wanted] = [arrays(actual), arrays(expected)];
  expect(got.length).toBe(wanted.length);
  for (const [i, values] of wanted.entries()) close(got[i]!, values, 4e-6);
};

const times = (tree: Params, factor: Tensor | number): Params => ({
  w: mul(tree.w, factor as number) as Params['w'],
  v: mul(tree.v, factor as number) as Params['v'],
});

describe.each(Object.entries(optimizers))('%s', (_, make) => {
  it('keeps form, dtypes and shapes of parameters and state', () => {
    const optimizer = make(0.1);
    const state = optimizer.init(start);
    const [params, next] = stepOf(optimizer)(start, state, gradients);
    const forms = (tree: unknown): readonly unknown[] =>
      leaves(tree).map(leaf => (isTensor(leaf) ? [leaf.dtype, leaf.shape] : leaf));
    expect(forms(params)).toEqual(forms(start));
    expect(forms(next)).toEqual(forms(state));
  });

  it('does under jit, in a fold and under vmap what it does without, and is compiled once', () => {
    const optimizer = make(count => mul(cast(add(count, 1) as Tensor, 'float32'), 0.05) as Tensor);
    const step = stepOf(optimizer);
    const jitted = jit(step);
    const first = [start, optimizer.init(start)] as const;
    let [plain, compiled]: (readonly [Params, unknown])[] = [first, first];
    for (let i = 0; i < 4; i++) {
      plain = step(...plain!, gradients);
      compiled = jitted(...compiled!, gradients);
    }
    closeTrees(compiled, plain);
    expect(tracesOf(jitted).length).toBe(1);
    closeTrees(fold((carry: typeof first) => step(...carry, gradients) as typeof first)(first, 4), plain);
    const one = (factor: Tensor): Params => step(...first, times(gradients, factor))[0];
    const batched = (factor: Tensor): { w: Tensor; v: Tensor } => one(factor);
    const both = vmap(batched)(tensor([1, -2]));
    closeTrees(
      [both.w, both.v].map(x => take(x, tensor(1, { dtype: 'int32' }) as never)),
      [one(tensor(-2)).w, one(tensor(-2)).v],
    );
  });

  it('can be differentiated through', () => {
    const optimizer = make(0.1);
    const loss = (w: Tensor): Tensor => {
      const params = { ...start, w } as Params;
      const [after, state] = stepOf(optimizer)(params, optimizer.init(params), gradients);
      return sum(square(stepOf(optimizer)(after, state, after)[0].w)) as Tensor;
    };
    const gradient = grad(loss)(start.w) as Tensor;
    const direction = tensor([
      [1, 2, -1],
      [0.5, -1, 1],
    ]);
    const [, forward] = jvp(loss, [start.w as Tensor], [direction as Tensor]);
    expect(sum(mul(gradient, direction) as Tensor).item()).not.toBe(0);
    close(forward as Tensor, sum(mul(gradient, direction) as Tensor).item() as number, 1e-4);
  });
});

/** A quadratic bowl, narrow one way. */
const bowl = (p: Tensor): Tensor => sum(mul(square(p) as Tensor, tensor([[1, 10]]))) as Tensor;

describe('with a fit learning rate, the minimum of a bowl is found', () => {
  const rates: Readonly<Record<string, readonly [rate: Schedule, steps: number]>> = {
    sgd: [0.03, 300],
    adam: [0.1, 400],
    adamw: [0.1, 400],
    adamax: [0.1, 400],
    nadam: [0.1, 400],
    radam: [0.1, 400],
    adagrad: [1, 400],
    rmsprop: [0.01, 600],
    lion: [warmupCosine({ peak: 0.05, warmup: 0, steps: 600 }), 600],
    lamb: [0.01, 800],
    adafactor: [0.05, 600],
    looking: [0.03, 300],
  };
  it.each(Object.entries(rates))('%s', (name, [rate, steps]) => {
    const optimizer = (optimizers[name] ?? optimizers['looking ahead']!)(rate);
    const step = jit((p: Tensor, state: unknown) => {
      const [updates, next] = optimizer.update(grad(bowl)(p) as Tensor, state, p);
      return [applyUpdates(p, updates), next] as const;
    });
    let p = tensor([[2, -3]]) as Tensor;
    let state = optimizer.init(p);
    for (let i = 0; i < steps; i++) [p, state] = step(p, state);
    expect(bowl(p).item() as number).toBeLessThan(0.01);
  });
});

describe('by hand', () => {
  const x = tensor(
    [
      [3, 0],
      [0, -4],
    ],
    { dtype: 'float64' },
  );
  const g = tensor(
    [
      [1, -2],
      [3, 6],
    ],
    { dtype: 'float64' },
  );
  const updatesOf = (optimizer: GradientTransform, steps: number): Tensor => {
    let state = optimizer.init(x);
    let updates: Tensor = g;
    for (let i = 0; i < steps; i++) [updates, state] = optimizer.update(g as Tensor, state, x as Tensor);
    return updates;
  };
  const same = [
    [1, -2],
    [3, 6],
  ] as const;
  const each = (f: (value: number, row: number, column: number) => number): number[][] =>
    same.map((row, i) => row.map((value, j) => f(value, i, j)));
  const parameter = [
    [3, 0],
    [0, -4],
  ] as const;

  it('lion: the sign of the mix, and decay of its own', () => {
    const updates = updatesOf(lion(0.5, { weightDecay: 0.1 }), 3);
    close(
      updates,
      each((value, i, j) => -0.5 * (Math.sign(value) + 0.1 * parameter[i]![j]!)),
      1e-12,
    );
  });

  it('lamb: Adam as long as the parameter, and zeros taken as they are', () => {
    const adapted = each((value, i, j) => Math.sign(value) + 0.1 * parameter[i]![j]!);
    const length = Math.hypot(...adapted.flat());
    const updates = updatesOf(lamb(0.5, { weightDecay: 0.1, epsilon: 0 }), 3);
    close(
      updates,
      adapted.map(row => row.map(value => (-0.5 * 5 * value) / length)),
      1e-12,
    );
    const zero = tensor([0, 0]);
    const optimizer = lamb(1, { epsilon: 0 });
    expect(optimizer.update(tensor([1, -2]), optimizer.init(zero), zero)[0].toArray()).toEqual([-1, 1]);
  });

  it('adafactor: mean squares of rows and columns, a bounded update, steps relative to the parameter', () => {
    const [rows, columns] = [
      [2.5, 22.5],
      [5, 20],
    ] as const;
    const raw = each((value, i, j) => value / Math.sqrt((rows[i]! * columns[j]!) / 12.5));
    const rms = (values: readonly (readonly number[])[]): number =>
      Math.sqrt(values.flat().reduce((s, v) => s + v * v, 0) / 4);
    const factor = rms(parameter) / Math.max(1, rms(raw) / 0.7);
    close(
      updatesOf(adafactor(0.5, { clippingThreshold: 0.7 }), 3),
      raw.map(row => row.map(v => -0.5 * factor * v)),
      1e-12,
    );
    close(
      updatesOf(adafactor(undefined, { scaleParameter: false }), 2),
      raw.map(row => row.map(v => (-0.01 * v) / Math.max(1, rms(raw)))),
      1e-9,
    );
    const vector = adafactor(1, { scaleParameter: false });
    expect(vector.update(tensor([2, -4]), vector.init(tensor([1, 1])), tensor([1, 1]))[0].toArray()).toEqual([-1, 1]);
  });

  it('rmsprop, centered: gradients that are all the same have a deviation of 0, and never a root of less', () => {
    const optimizer = rmsprop(0.1, { centered: true, alpha: 0.5 });
    const w = tensor([1, 1, 1]);
    let state = optimizer.init(w);
    for (let i = 0; i < 40; i++) {
      const [updates, next] = optimizer.update(tensor([0.3, 7.7, -0.1]), state, w);
      state = next;
      expect((updates.toArray() as number[]).every(Number.isFinite)).toBe(true);
    }
  });

  it.each([
    [4, 7],
    [7, 4],
    [5, 5],
  ])('muon: singular values of a %i × %i matrix near 1', (m, n) => {
    const gradient = normal(key(3), [m, n]) as Tensor;
    const optimizer = muon(1, { adjust: 'original' });
    const [updates] = optimizer.update(gradient, optimizer.init(gradient), gradient);
    const factor = Math.sqrt(Math.max(1, m / n));
    const values = svd(mul(updates, 1 / factor) as Tensor).s.toArray() as number[];
    for (const value of values) {
      expect(value).toBeGreaterThan(0.6);
      expect(value).toBeLessThan(1.3);
    }
    // The same singular vectors, turned round: U Vᵀ · Vᵀᵀ Σ Uᵀ is symmetric.
    const product = matmul(updates, transpose(gradient) as Tensor) as Tensor;
    close(product, (transpose(product) as Tensor).toArray() as number[][], 2e-4);
  });

  it("muon: kernels as matrices, AdamW's sizes", () => {
    const kernel = normal(key(1), [4, 2, 3, 3]) as Tensor;
    const [optimizer, matched] = [muon(1), muon(1, { adjust: 'matchRmsAdamW' })];
    const [updates] = optimizer.update(kernel, optimizer.init(kernel), kernel);
    expect(updates.shape).toEqual([4, 2, 3, 3]);
    const [others] = matched.update(kernel, matched.init(kernel), kernel);
    close(others, (mul(updates, 0.2 * Math.sqrt(18)) as Tensor).toArray() as number[], 1e-5);
  });
});

describe('composed', () => {
  const params = { a: { weight: tensor([[1, 2]]), bias: tensor([3]) }, list: [tensor([4]), tensor([5])] as const };
  const run = (transform: GradientTransform, steps = 3): readonly unknown[] => {
    let state = transform.init(params);
    const seen: unknown[] = [];
    for (let i = 0; i < steps; i++) {
      const [updates, next] = transform.update(params, state, params);
      seen.push(arrays(updates));
      state = next;
    }
    return seen;
  };

  it('transforms are a monoid, over several steps and whatever they remember', () => {
    const transforms: readonly GradientTransform[] = [
      scaleByAdam(),
      clipByGlobalNorm(0.5),
      scaleByLearningRate(0.1),
      scale(2),
    ];
    const { concat, empty } = monoid;
    for (const f of transforms) {
      expect(run(concat(empty, f))).toEqual(run(f));
      expect(run(concat(f, empty))).toEqual(run(f));
      for (const g of transforms) {
        for (const h of transforms) {
          expect(run(concat(concat(f, g), h))).toEqual(run(concat(f, concat(g, h))));
          expect(run(chain(f, g, h))).toEqual(run(concat(f, concat(g, h))));
        }
      }
    }
  });

  it('adamw is a chain of its parts', () => {
    const parts = chain(scaleByAdam(), weightDecay(0.2), scaleByLearningRate(0.1));
    expect(run(parts)).toEqual(run(adamw(0.1, { weightDecay: 0.2 })));
  });

  it.each<[string, readonly string[]]>([
    ['**', ['a.bias', 'a.weight', 'list.0', 'list.1']],
    ['a.*', ['a.bias', 'a.weight']],
    ['**.bias', ['a.bias']],
    ['*.1', ['list.1']],
    ['**.**.*i*t', ['a.weight']],
    ['a.w*t', ['a.weight']],
    ['a.we*ght*ght', []],
    ['a', []],
    ['*', []],
    ['*.*.*', []],
  ])('the pattern %s', (pattern, wanted) => {
    const seen: string[] = [];
    const mark = { init: () => null, update: <P>(updates: P) => [updates, null] as const };
    const record: GradientTransform = {
      init: tree => {
        for (const path of flatten(tree).paths) seen.push(path.join('.'));
        return null;
      },
      update: mark.update,
    };
    multiTransform([
      [pattern, record],
      ['**', mark],
    ]).init(params);
    expect(seen.sort()).toEqual([...wanted].sort());
  });

  it('a leaf belongs to the first group that it fits, and to one at least', () => {
    const isVector = (_: unknown, leaf: Tensor): boolean => leaf.shape.length === 1;
    const optimizer = multiTransform([
      ['list.0', scale(0)],
      [isVector, scale(2)],
      ['**', scale(3)],
    ]);
    const [updates] = optimizer.update(params, optimizer.init(params), params);
    expect(arrays(updates)).toEqual([[6], [3, 6], [0], [10]]);
    expect(caught(() => multiTransform([['a.*', scale(1)]]).init(params)).message).toMatch(
      /multiTransform: got a leaf at list\[0\] that fits no group/,
    );
  });

  it('frozen parameters stay as they are, whatever their gradients', () => {
    const optimizer = multiTransform([
      ['a.*', scale(0)],
      ['**', sgd(1)],
    ]);
    const g = { ...params, a: { weight: tensor([[Number.NaN, 1]]), bias: tensor([Number.POSITIVE_INFINITY]) } };
    const [updates] = optimizer.update(g, optimizer.init(params), params);
    expect(arrays(applyUpdates(params, updates))).toEqual([[3], [1, 2], [0], [0]]);
  });

  it('weightDecay leaves what the mask leaves out', () => {
    const decayed = weightDecay(0.5, { mask: '**.weight' });
    expect(arrays(decayed.update(params, null, params)[0])).toEqual([[3], [1.5, 3], [4], [5]]);
  });

  it('the norm of all leaves, also of none and of two dtypes', () => {
    expect(globalNorm({}).item()).toBe(0);
    const mixed = { a: tensor([3]), b: tensor([4], { dtype: 'float64' }) };
    expect([globalNorm(mixed).dtype, globalNorm(mixed).item()]).toEqual(['float64', 5]);
    expect(globalNorm(mixed, { ord: 1 }).item()).toBe(7);
    expect(globalNorm(mixed, { ord: Number.POSITIVE_INFINITY }).item()).toBe(4);
    const [clipped] = clipByGlobalNorm(1).update(mixed, null, mixed);
    expect([clipped.a.dtype, clipped.b.dtype]).toEqual(['float32', 'float64']);
  });

  it('accumulating the parts of a batch is one step of their mean', () => {
    const [parts, whole] = [accumulate(adam(0.1), 4), adam(0.1)];
    const batch = [1, 5, -2, 8].map(value => tensor([value, -value]));
    const w = tensor([1, 2]);
    let state = parts.init(w);
    const seen: Tensor[] = [];
    for (const part of [...batch, ...batch]) {
      const [updates, next] = parts.update(part, state, w);
      seen.push(updates);
      state = next;
    }
    const [first, one] = whole.update(tensor([3, -3]), whole.init(w), w);
    const [second] = whole.update(tensor([3, -3]), one, w);
    for (const [i, updates] of seen.entries()) {
      close(updates, i === 3 ? first.toArray() : i === 7 ? second.toArray() : [0, 0]);
    }
    const sums = accumulate(sgd(1), 2, { reduce: 'sum' });
    const [, half] = sums.update(tensor([3]), sums.init(tensor([0])), tensor([0]));
    expect(sums.update(tensor([5]), half, tensor([0]))[0].toArray()).toEqual([-8]);
  });

  it('lookahead goes on from the slow parameters', () => {
    const optimizer = lookahead(sgd(1), { every: 3, rate: 0.25 });
    let w: Tensor = tensor([0], { dtype: 'float64' });
    let state = optimizer.init(w);
    const seen: number[] = [];
    for (let i = 0; i < 6; i++) {
      const [updates, next] = optimizer.update(tensor([-4], { dtype: 'float64' }) as Tensor, state, w);
      w = applyUpdates(w, updates);
      state = next;
      seen.push((w.toArray() as number[])[0]!);
    }
    expect(seen).toEqual([4, 8, 3, 7, 11, 6]);
  });

  it('momentum may follow the count', () => {
    const optimizer = sgd(1, { momentum: count => mul(cast(count, 'float32'), 0.5) as Tensor });
    const w = tensor([0]);
    const [, one] = optimizer.update(tensor([1]), optimizer.init(w), w);
    const [second, two] = optimizer.update(tensor([1]), one, w);
    const [third] = optimizer.update(tensor([1]), two, w);
    expect([second.item(), third.item()]).toEqual([-1.5, -2.5]);
  });
});

describe('the power average', () => {
  it('has the profile of its width at the end of a run', () => {
    for (const width of [0.05, 0.1, 0.25]) {
      // The weights of the steps: an average of unit vectors.
      const steps = 2000;
      const weights = new Float64Array(steps);
      const decay = powerEma(width)(
        tensor(
          Array.from({ length: steps }, (_, i) => i),
          { dtype: 'float64' },
        ),
      ).toArray() as number[];
      for (let i = 0; i < steps; i++) {
        for (let j = 0; j < i; j++) weights[j]! *= decay[i]!;
        weights[i] = 1 - decay[i]!;
      }
      const mean = weights.reduce((s, weight, i) => s + (weight * i) / steps, 0);
      const deviation = Math.sqrt(weights.reduce((s, weight, i) => s + weight * (i / steps - mean) ** 2, 0));
      close(deviation, width, 2e-3);
    }
  });

  it('knows how much it forgets after a million steps', () => {
    const rest = (dtype: 'float32' | 'float64'): number =>
      1 - (powerEma(0.1)(tensor(1e6, { dtype }) as Tensor).item() as number);
    close(rest('float32') / rest('float64'), 1, 5e-3);
  });

  it('is the plain mean at its widest', () => {
    const decay = powerEma(1 / Math.sqrt(12));
    const average = [4, 8, 3].reduce<Tensor>(
      (now, value, i) => updateEma(now, tensor([value]) as Tensor, decay(tensor(i))),
      tensor([100]),
    );
    close(average, [5]);
  });
});
