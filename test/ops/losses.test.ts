/** Losses beyond the goldens: both argument orders, reductions, dtypes, odd places, transforms. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  bce,
  bceWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  type DType,
  explain,
  gaussianNll,
  grad,
  hingeEmbeddingLoss,
  hingeLoss,
  huberLoss,
  jit,
  klDiv,
  l1Loss,
  logSoftmax,
  marginRankingLoss,
  mseLoss,
  nllLoss,
  oneHot,
  poissonNll,
  reshape,
  type Shape,
  smoothL1Loss,
  softMarginLoss,
  sum,
  type Tensor,
  tensor,
  tripletMarginLoss,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

/** A loss with what it takes left out of the types. */
type AnyLoss = (...args: readonly unknown[]) => Tensor;

const { abs, cos, exp, log, log1p, max, min, PI, sqrt } = Math;

const double = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;
const ints = (values: readonly number[] | number): Tensor<Shape, 'int32'> =>
  tensor(values, { dtype: 'int32' }) as Tensor<Shape, 'int32'>;

const none = { reduction: 'none' } as const;

const x = [0.3, -1.2, 2.5, 0.9];
const t = [0.8, 0.1, 0.6, 1];
const signs = [1, -1, -1, 1];
const p = [0.3, 0.2, 0.5, 0.9];

/** Losses of numbers: inputs, options, and what each element should be. */
const elementwise: readonly (readonly [
  name: string,
  f: unknown,
  inputs: readonly (readonly number[])[],
  options: object,
  each: (...values: number[]) => number,
])[] = [
  ['mseLoss', mseLoss, [x, t], {}, (a, b) => (a! - b!) ** 2],
  ['l1Loss', l1Loss, [x, t], {}, (a, b) => abs(a! - b!)],
  [
    'smoothL1Loss',
    smoothL1Loss,
    [x, t],
    { beta: 0.7 },
    (a, b) => (abs(a! - b!) < 0.7 ? (a! - b!) ** 2 / 1.4 : abs(a! - b!) - 0.35),
  ],
  ['smoothL1Loss with beta 0', smoothL1Loss, [x, t], { beta: 0 }, (a, b) => abs(a! - b!)],
  [
    'huberLoss',
    huberLoss,
    [x, t],
    { delta: 1.5 },
    (a, b) => (abs(a! - b!) < 1.5 ? (a! - b!) ** 2 / 2 : 1.5 * (abs(a! - b!) - 0.75)),
  ],
  ['bce', bce, [p, t], { weight: 2 }, (a, b) => -2 * (b! * log(a!) + (1 - b!) * log(1 - a!))],
  [
    'bceWithLogits',
    bceWithLogits,
    [x, t],
    { weight: 0.5, posWeight: 3 },
    (a, b) => 0.5 * (3 * b! * log1p(exp(-a!)) + (1 - b!) * log1p(exp(a!))),
  ],
  ['klDiv', klDiv, [x, p], {}, (a, b) => b! * (log(b!) - a!)],
  ['klDiv of logarithms', klDiv, [x, t], { logTarget: true }, (a, b) => exp(b!) * (b! - a!)],
  ['gaussianNll', gaussianNll, [x, t, p], {}, (a, b, v) => (log(v!) + (a! - b!) ** 2 / v!) / 2],
  [
    'gaussianNll in full',
    gaussianNll,
    [x, t, p],
    { full: true, epsilon: 0.25 },
    (a, b, v) => (log(2 * PI * max(v!, 0.25)) + (a! - b!) ** 2 / max(v!, 0.25)) / 2,
  ],
  ['poissonNll', poissonNll, [x, t], {}, (a, b) => exp(a!) - a! * b!],
  [
    'poissonNll of rates in full',
    poissonNll,
    [p, [0, 1, 2, 5]],
    { logInput: false, full: true, epsilon: 0.1 },
    (a, b) => a! - b! * log(a! + 0.1) + (b! > 1 ? b! * log(b!) - b! + log(2 * PI * b!) / 2 : 0),
  ],
  ['hingeLoss', hingeLoss, [x, signs], { margin: 2 }, (a, y) => max(0, 2 - y! * a!)],
  ['hingeEmbeddingLoss', hingeEmbeddingLoss, [x, signs], {}, (a, y) => (y === 1 ? a! : max(0, 1 - a!))],
  ['softMarginLoss', softMarginLoss, [x, signs], {}, (a, y) => log1p(exp(-y! * a!))],
  ['marginRankingLoss', marginRankingLoss, [x, t, signs], { margin: 0.5 }, (a, b, y) => max(0, 0.5 - y! * (a! - b!))],
];

describe('losses of elements', () => {
  for (const [name, f, inputs, options, each] of elementwise) {
    it(name, () => {
      const losses = inputs[0]!.map((_, i) => each(...inputs.map(list => list[i]!)));
      const total = losses.reduce((a, b) => a + b);
      const tensors = inputs.map(values => double(values));
      const call = f as AnyLoss;
      close(call(...tensors, { ...options, reduction: 'none' }), losses, 1e-13);
      close(call(...tensors, { ...options, reduction: 'sum' }), total, 1e-13);
      close(call(...tensors, options), total / 4, 1e-13);
      const last = call(...tensors.slice(1), options) as unknown as (x: Tensor) => Tensor;
      expect(last(tensors[0]!).item()).toBe(call(...tensors, options).item());
      close(vmap((...args: readonly Tensor[]) => call(...args, options))(...tensors) as Tensor, losses, 1e-13);
      close(jit((...args: readonly Tensor[]) => call(...args, options))(...tensors) as Tensor, total / 4, 1e-13);
      const single = inputs.map(values => tensor(values) as Tensor);
      const result = call(...single, options);
      close(result, total / 4, 1e-6);
      expect(result.dtype).toBe('float32');
      const [nothing, both] = [zeros([0, 2]) as Tensor, { ...options, reduction: 'sum' }];
      expect(call(...inputs.map(() => nothing), both).item()).toBe(0);
      expect(call(...inputs.map(() => nothing), options).item()).toBeNaN();
    });
  }

  it('dtypes meet, and integers become float32', () => {
    const labels = ints([1, -1]);
    expect(hingeLoss(tensor([1, 2]), labels).dtype).toBe('float32');
    expect(mseLoss(ints([1, 2]), labels).dtype).toBe('float32');
    expect(mseLoss(tensor([1, 2]), double([1, 2])).dtype).toBe('float64');
    expect(mseLoss(double([1, 2]), 0.5).dtype).toBe('float64');
    const [x, wide] = [tensor([1, 2]), double([1, 1])];
    const all = [gaussianNll(x, x, wide), marginRankingLoss(x, x, wide), cosineEmbeddingLoss(x, x, double(1))];
    expect([...all, tripletMarginLoss(x, x, wide)].map(y => y.dtype)).toEqual(new Array(4).fill('float64'));
    expect(mseLoss(tensor([[1, 2]]), tensor(1), none).toArray()).toEqual([[0, 1]]);
  });

  it('shapes in the types', () => {
    const y = tensor([1, 2]);
    expectTypeOf(mseLoss(y, y)).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expectTypeOf(mseLoss(y, 0)).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expectTypeOf(mseLoss(y, y, { reduction: 'sum' })).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    expectTypeOf(pipe(y, mseLoss(y, none))).toEqualTypeOf<Tensor<readonly [2], 'float32'>>();
    expectTypeOf(klDiv(y, y, { reduction: 'batchmean' })).toEqualTypeOf<Tensor<readonly [], 'float32'>>();
    const logits = zeros([4, 3, 5]);
    const target = zeros([4, 5], { dtype: 'int32' });
    expectTypeOf(crossEntropy(logits, target, none)).toEqualTypeOf<Tensor<readonly [4, 5], 'float32'>>();
    expectTypeOf(crossEntropy(zeros([3]), zeros([], { dtype: 'int32' }), { weight: zeros([3]) })).toEqualTypeOf<
      Tensor<readonly [], 'float32'>
    >();
    expectTypeOf(tripletMarginLoss(logits, logits, logits, none)).toEqualTypeOf<Tensor<readonly [4, 3], 'float32'>>();
    expectTypeOf<Tensor<Shape, DType>>().toEqualTypeOf<Tensor>();
  });
});

/** The derivative of the sum of the losses with respect to x. */
const slope = (f: (x: Tensor) => unknown, values: readonly number[]): number[] =>
  (grad((y: Tensor) => sum(f(y) as Tensor) as never)(double(values)) as Tensor).toArray() as number[];

const twice = (f: (x: Tensor) => unknown, values: readonly number[]): number[] =>
  slope(y => grad((z: Tensor) => sum(f(z) as Tensor) as never)(y), values);

describe('odd places', () => {
  const { POSITIVE_INFINITY: inf } = Number;

  it('corners and infinities of the regression losses', () => {
    expect(slope(l1Loss(0, none), [-inf, -1, 0, 1, inf])).toEqual([-1, -1, 0, 1, 1]);
    expect(slope(smoothL1Loss(0, { beta: 2, ...none }), [-inf, -2, 0, 1, 2, inf])).toEqual([-1, -1, 0, 0.5, 1, 1]);
    expect(slope(huberLoss(0, { delta: 2, ...none }), [-inf, -2, 0, 1, 2, inf])).toEqual([-2, -2, 0, 1, 2, 2]);
    expect(twice(huberLoss(0, { delta: 2, ...none }), [-3, 0, 1])).toEqual([0, 1, 1]);
    close(huberLoss(tensor([Number.NaN, -inf]), 0, none), [Number.NaN, inf]);
  });

  it('bce at 0 and 1, as PyTorch', () => {
    const [at, target] = [double([0, 0, 1, 1, -0.1, 1.1]), double([0, 1, 0, 1, 1, 1])];
    close(bce(at, target, none), [0, 100, 100, 0, Number.NaN, Number.NaN]);
    expect(slope(y => bce(y, double([0, 1, 0, 1]), none), [0, 0, 1, 1])).toEqual([0, -1e12, 1e12, 0]);
    close(
      slope(y => bce(y, double([0, 1]), none), [1e-14, 0.25]),
      [1e-2, -4],
      1e-12,
    );
    close(
      slope(y => bce(double([0.25, 0]), y, none), [0.5, 1]),
      [log(3), 100],
      1e-12,
    );
    close(twice(bce(1, none), [0.5]), [4], 1e-12);
  });

  it('bceWithLogits overflows nowhere, and its second derivative is sigmoid′ also at 0', () => {
    const f = (target: number) => bceWithLogits(target, none);
    close(pipe(double([-1000, -40, 0, 40, 1000]), f(1)), [1000, 40, log(2), exp(-40), 0], 1e-15);
    close(slope(f(1), [-1000, 0, 40, 1000]), [-1, -0.5, -exp(-40), 0], 1e-30);
    close(slope(f(0), [-1000, -40, 0, 1000]), [0, exp(-40), 0.5, 1], 1e-30);
    close(twice(f(0.3), [-1000, 0, 1000]), [0, 0.25, 0], 1e-15);
    close(twice(softMarginLoss(-1, none), [0]), [0.25], 1e-15);
  });

  it('a hinge at its corner slopes, as PyTorch has it', () => {
    expect(slope(hingeLoss(1, none), [0, 1, 2])).toEqual([-1, -1, -0]);
    close(hingeLoss(tensor([Number.NaN]), 1), Number.NaN);
    close(hingeEmbeddingLoss(tensor([1, 1]), tensor([0, 2]), none), [Number.NaN, Number.NaN]);
  });

  it('what has no probability counts nothing in klDiv', () => {
    const target = double([0, 1]);
    close(klDiv(double([-inf, 0]), target, none), [0, 0]);
    expect(slope(y => klDiv(y, target, none), [-inf, -1])).toEqual([0, -1]);
    expect(slope(y => klDiv(double([-1, -1]), y, none), [0, 1])).toEqual([0, 2]);
    close(klDiv(double([-1, -1]), double([-inf, 0]), { logTarget: true, ...none }), [0, 1]);
    expect(slope(y => klDiv(double([-1, -1]), y, { logTarget: true, ...none }), [-inf, 0])).toEqual([0, 2]);
    close(klDiv(double([[-1], [-3]]), double([[1], [1]]), { reduction: 'batchmean' }), 2);
    close(klDiv(double([-1]), double([-0.5])), Number.NaN);
  });

  it('gaussianNll takes small variances for epsilon, but derives as if it did not; negative ones are NaN', () => {
    const f = (v: Tensor) => gaussianNll(double([1, 1]), double([0, 0]), v, { epsilon: 0.5, ...none });
    close(f(double([0, 2])), [(log(0.5) + 2) / 2, (log(2) + 0.5) / 2], 1e-15);
    close(slope(f, [0, 2]), [1 - 2, 0.25 - 0.125], 1e-15);
    close(f(double([-0.1, 2])), [Number.NaN, (log(2) + 0.5) / 2]);
    close(
      gaussianNll(
        double([
          [1, 2],
          [3, 4],
        ]),
        0,
        double([[1], [4]]),
        none,
      ).shape,
      [2, 2],
    );
  });
});

describe('losses of classes', () => {
  const logits = [
    [0.5, -1, 2],
    [1.5, 0.25, -3],
    [0, 0.1, 0.2],
  ];
  const logs = logits.map(row => row.map(v => v - log(row.reduce((total, u) => total + exp(u), 0))));
  const weight = [0.5, 2, 1];
  const target = [2, 0, 1];

  it('crossEntropy weighs, smooths and means as PyTorch', () => {
    const picked = logs.map((row, i) => -weight[target[i]!]! * row[target[i]!]!);
    const spread = logs.map(row => -row.reduce((total, v, c) => total + weight[c]! * v, 0) / 3);
    const losses = picked.map((v, i) => 0.8 * v + 0.2 * spread[i]!);
    const options = { weight: double(weight), labelSmoothing: 0.2 };
    close(crossEntropy(double(logits), ints(target), { ...options, ...none }), losses, 1e-14);
    const total = losses.reduce((a, b) => a + b);
    close(crossEntropy(double(logits), ints(target), { ...options, reduction: 'sum' }), total, 1e-14);
    close(pipe(double(logits), crossEntropy(ints(target), options)), total / 3.5, 1e-14);
    const ignored = { ...options, ignoreIndex: 1, reduction: 'mean' } as const;
    close(crossEntropy(double(logits), ints(target), ignored), (losses[0]! + losses[1]!) / 1.5, 1e-14);
  });

  it('indices are the same as their one-hot vectors', () => {
    const [rows, hot] = [double(logits), oneHot(ints(target), 3, { dtype: 'float64' })];
    for (const options of [{}, { labelSmoothing: 0.3 }, { ...none, weight: double(weight) }]) {
      const byIndex = (y: Tensor): Tensor => crossEntropy(y, ints(target), options) as Tensor;
      const byVector = (y: Tensor): Tensor => crossEntropy(y, hot, options) as Tensor;
      close(byIndex(rows), byVector(rows).toArray() as number[], 1e-14);
      const slopes = [byIndex, byVector].map(f => grad((y: Tensor) => sum(f(y)) as never)(rows) as Tensor);
      close(slopes[0]!, slopes[1]!.toArray() as number[], 1e-14);
    }
  });

  it('one example, further axes, and batches are the same', () => {
    const each = logs.map((row, i) => -row[target[i]!]!);
    close(crossEntropy(double(logits[0]!), ints(2)), each[0]!, 1e-14);
    const one = (y: Tensor, label: Tensor): Tensor => crossEntropy(y, label as Tensor<Shape, 'int32'>);
    close(vmap(one)(double(logits), ints(target)) as Tensor, each, 1e-14);
    close(jit(one)(double(logits), ints(target)) as Tensor, each.reduce((a, b) => a + b) / 3, 1e-14);
    const further = reshape(double(logits[0]!), [1, 3, 1]);
    close(crossEntropy(further, reshape(ints([2]), [1, 1]), none), [[each[0]!]], 1e-14);
    close(nllLoss(logSoftmax(double(logits)), ints(target), none), each, 1e-14);
    for (const dtype of ['uint8', 'uint32'] as const) {
      close(crossEntropy(double(logits), tensor(target, { dtype }), none), each, 1e-14);
    }
  });

  it('what is no class is NaN, what is ignored nothing, and the mean of nothing NaN', () => {
    const labels = ints([3, -1, -100]);
    close(crossEntropy(double(logits), labels, none), [Number.NaN, Number.NaN, 0]);
    close(nllLoss(double(logits), labels, { ignoreIndex: -1, ...none }), [Number.NaN, 0, Number.NaN]);
    close(crossEntropy(double(logits), ints([-100, -100, -100])), Number.NaN);
    close(crossEntropy(double(logits), ints([-100, 0, 1])), -(logs[1]![0]! + logs[2]![1]!) / 2, 1e-14);
  });

  it('no logit overflows it, and what cannot be (−∞) has no share in the derivative', () => {
    const f = (y: Tensor): Tensor => crossEntropy(reshape(y, [2, 3]), ints([0, 1]), none) as Tensor;
    const values = [0, Number.NEGATIVE_INFINITY, 0, 1e5, -1e5, 0];
    close(f(double(values)), [log(2), 2e5], 1e-14);
    close(slope(f, values), [-0.5, 0, 0.5, 1, -1, 0], 1e-14);
  });

  it('is one kernel as far as the losses, and one more for their mean', () => {
    const labels = ints(Array.from({ length: 128 }, (_, i) => i % 10));
    const kernels = (options: object): number =>
      explain((y: Tensor) => crossEntropy(y, labels, options) as Tensor)(zeros([128, 10]) as Tensor).report!.steps
        .length;
    expect(kernels(none)).toBe(1);
    expect(kernels({})).toBe(2);
    expect(kernels({ labelSmoothing: 0.1 })).toBe(2);
  });
});

describe('losses of vectors', () => {
  const anchor = [
    [1, 2, 3],
    [0.5, -1, 0],
  ];
  const positive = [
    [1, 2.5, 3],
    [2, 0, 1],
  ];
  const negative = [
    [0, 2, 3.5],
    [0.5, -1, 0.5],
  ];
  const distance = (a: readonly number[], b: readonly number[], q: number): number =>
    a.reduce((total, v, i) => total + abs(v - b[i]! + 1e-6) ** q, 0) ** (1 / q);
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((total, v, i) => total + v * b[i]!, 0);

  for (const [q, swap] of [
    [2, false],
    [1, true],
    [3, true],
  ] as const) {
    it(`tripletMarginLoss with p = ${q}${swap ? ', swapped' : ''}`, () => {
      const losses = anchor.map((a, i) => {
        const away = distance(a, negative[i]!, q);
        const other = distance(positive[i]!, negative[i]!, q);
        return max(0, distance(a, positive[i]!, q) - (swap ? min(away, other) : away) + 0.7);
      });
      const options = { margin: 0.7, p: q, swap };
      const others = [double(positive), double(negative)] as const;
      close(tripletMarginLoss(double(anchor), ...others, { ...options, ...none }), losses, 1e-12);
      close(pipe(double(anchor), tripletMarginLoss(...others, options)), (losses[0]! + losses[1]!) / 2, 1e-12);
      const one = (a: Tensor, b: Tensor, c: Tensor): Tensor => tripletMarginLoss(a, b, c, options) as Tensor;
      close(vmap(one)(double(anchor), ...others) as Tensor, losses, 1e-12);
    });
  }

  it('cosineEmbeddingLoss', () => {
    const cosines = anchor.map((a, i) => dot(a, positive[i]!) / sqrt(dot(a, a) * dot(positive[i]!, positive[i]!)));
    const pair = [double(anchor), double(positive)] as const;
    const apart = cosines.map(c => max(0, c - 0.1));
    const options = { margin: 0.1, ...none };
    close(cosineEmbeddingLoss(...pair, double([1, -1]), options), [1 - cosines[0]!, apart[1]!], 1e-11);
    close(cosineEmbeddingLoss(...pair, -1, { margin: 0.1 }), (apart[0]! + apart[1]!) / 2, 1e-11);
    close(pipe(pair[0], cosineEmbeddingLoss(pair[1], ints([1, 0]), none)), [1 - cosines[0]!, Number.NaN], 1e-11);
    // The derivative is finite at 0.
    const at = slope(y => cosineEmbeddingLoss(y, double([0, 0]), 1), [0, 0]);
    expect(at).toEqual([0, 0]);
    close(cosineEmbeddingLoss(double([cos(1), Math.sin(1)]), double([1, 0]), 1), 1 - cos(1), 1e-11);
  });
});

it('says which shapes did not fit', () => {
  // @ts-expect-error mseLoss: shapes [4] and [4, 1] differ
  const message = caught(() => mseLoss(zeros([4]), zeros([4, 1]))).message;
  expect(message).toContain('float32[4] and float32[4, 1]');
  // @ts-expect-error crossEntropy: shapes [4] and [4, 1] differ
  expect(caught(() => crossEntropy(zeros([4, 3]), zeros([4, 1], { dtype: 'int32' }))).message).toContain('shape [4]');
});
