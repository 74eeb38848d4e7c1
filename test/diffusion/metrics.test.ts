/** Metrics against plain loops in float64, closed forms, what must not change them, and differences for derivatives. */
import {
  add,
  cast,
  grad,
  jit,
  matmul,
  mul,
  qr,
  reshape,
  type Shape,
  type Tensor,
  take,
  tensor,
  transpose,
  vmap,
} from 'tenfold';
import {
  energyDistance,
  frechetDistance,
  frechetDistanceOf,
  kernelMmd,
  meanAndCovariance,
  prdc,
  type Score,
  slicedWasserstein,
} from 'tenfold/diffusion';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';
import {
  average,
  distanceOf,
  dot,
  energyOf,
  gaussian,
  mmdOf,
  polynomial,
  prdcOf,
  type Rows,
  squaredOf,
  total,
} from './metric-loops.js';

const k = key(7);
const float64 = { dtype: 'float64' } as const;
const make = (rows: Rows): Tensor => tensor(rows, float64) as Tensor;
/** Samples that are those of a tensor of float64 and of plain code. */
const draw = (seed: number, n: number, d: number, shift = 0): readonly [Tensor, Rows] => {
  const x = add(normal(key(seed), [n, d], float64), shift) as Tensor;
  return [x, x.toArray() as unknown as Rows];
};
const read = ({ precision, recall, density, coverage }: ReturnType<typeof prdc>): readonly number[] =>
  [precision, recall, density, coverage].map(x => x.item());

/** Central differences of a metric by each number of x. */
const differences = (f: (x: Tensor) => Tensor, x: Rows, step = 1e-5): Rows =>
  x.map((row, i) =>
    row.map((value, j) => {
      const at = (moved: number): number => f(make(x.with(i, row.with(j, moved)))).item() as number;
      return (at(value + step) - at(value - step)) / (2 * step);
    }),
  );
const derivative = (f: (x: Tensor) => Tensor, x: Tensor): Tensor => grad(f as (x: Tensor) => Score)(x) as Tensor;

/** All metrics of two sets that are numbers. */
const metrics: readonly (readonly [string, (x: Tensor, y: Tensor) => Score])[] = [
  ['frechetDistance', frechetDistance],
  ['kernelMmd', (x, y) => kernelMmd(x, y, { bandwidth: [0.5, 2] })],
  ['kernelMmd of the median', (x, y) => kernelMmd(x, y)],
  ['kernelMmd, biased', (x, y) => kernelMmd(x, y, { bandwidth: 1.5, unbiased: false })],
  ['kernelMmd, polynomial', (x, y) => kernelMmd(x, y, { kernel: 'polynomial' })],
  ['energyDistance', energyDistance],
  ['slicedWasserstein', (x, y) => slicedWasserstein(x, y, { key: k })],
  ['precision', (x, y) => prdc(x, y).precision],
  ['recall', (x, y) => prdc(x, y).recall],
  ['density', (x, y) => prdc(x, y).density],
  ['coverage', (x, y) => prdc(x, y).coverage],
];

const [x, y] = [draw(1, 31, 4)[0], draw(2, 24, 4, 0.3)[0]];

describe.each(metrics)('%s', (_, metric) => {
  it('is a float64 scalar, the same under jit, of flattened images and in a batch', () => {
    const value = metric(x, y);
    expect([value.dtype, value.shape]).toEqual(['float64', []]);
    expect(jit(metric)(x, y).item()).toBe(value.item());
    expect(metric(reshape(x, [31, 2, 2]) as Tensor, reshape(y, [24, 1, 4]) as Tensor).item()).toBe(value.item());
    const many = vmap((a: Tensor) => metric(a, y))(reshape(x, [1, 31, 4]) as Tensor) as Tensor;
    close(many, [value.item()], 1e-12);
  });

  it('of float32 is that of the same numbers in float64', () => {
    const [a, c] = [cast(x, 'float32'), cast(y, 'float32')] as readonly Tensor[];
    expect(metric(a!, c!).item()).toBe(metric(cast(a!, 'float64') as Tensor, cast(c!, 'float64') as Tensor).item());
  });

  it('has a derivative in the dtype of the samples, finite everywhere', () => {
    const a = cast(x, 'float32') as Tensor;
    const slope = derivative(z => metric(z, y), a);
    expect([slope.dtype, slope.shape]).toEqual(['float32', [31, 4]]);
    expect((slope.toArray() as unknown as Rows).flat().every(Number.isFinite)).toBe(true);
    const same = derivative(z => metric(z, a), a).toArray() as unknown as Rows;
    expect(same.flat().every(Number.isFinite)).toBe(true);
  });

  it('does not depend on the order of samples', () => {
    const shuffled = (z: Tensor): Tensor => {
      const n = z.shape[0]!;
      const order = Array.from({ length: n }, (_, i) => (7 * i + 3) % n);
      return take(z, tensor(order, { dtype: 'int32' }) as Tensor<Shape, 'int32'>) as Tensor;
    };
    close(metric(shuffled(x), shuffled(y)), metric(x, y).item(), 1e-12);
  });
});

describe('what moves all samples alike', () => {
  it.each(metrics.filter(([name]) => name !== 'slicedWasserstein'))('a rotation does not change %s', (_, metric) => {
    const turn = qr(normal(key(5), [4, 4], float64)).q as Tensor;
    close(metric(matmul(x, turn) as Tensor, matmul(y, turn) as Tensor), metric(x, y).item(), 1e-11);
  });

  it.each(metrics.filter(([name]) => !name.endsWith('polynomial')))('a translation does not change %s', (_, metric) => {
    // Numbers that a shift by 2²⁰ does not round.
    const coarse = (z: Tensor): Tensor => cast(cast(z, 'float32'), 'float64') as Tensor;
    const [a, c] = [coarse(x), coarse(y)];
    close(metric(add(a, 2 ** 20) as Tensor, add(c, 2 ** 20) as Tensor), metric(a, c).item(), 1e-9);
  });
});

describe('meanAndCovariance', () => {
  it('is that of numpy.cov', () => {
    const [x, rows] = draw(1, 40, 3, 5);
    const center = [0, 1, 2].map(i => average(rows.map(row => row[i]!)));
    const { mean, covariance } = meanAndCovariance(x);
    close(mean, center, 1e-13);
    const moment = (i: number, j: number): number =>
      total(rows.map(row => (row[i]! - center[i]!) * (row[j]! - center[j]!))) / 39;
    close(
      covariance,
      [0, 1, 2].map(i => [0, 1, 2].map(j => moment(i, j))),
      1e-13,
    );
  });

  it('accumulates float32 in float64', () => {
    const { mean, covariance } = meanAndCovariance(tensor([[16777214], [16777216], [16777215]]));
    expect([mean.dtype, mean.toArray(), covariance.dtype, covariance.toArray()]).toEqual([
      'float64',
      [16777215],
      'float64',
      [[1]],
    ]);
  });
});

describe('frechetDistanceOf', () => {
  const of = (mean: readonly number[], covariance: Rows) => ({
    mean: tensor(mean, float64),
    covariance: make(covariance),
  });

  it('of Gaussians with independent features is the sum of (μ₁ − μ₂)² + (σ₁ − σ₂)²', () => {
    const x = of(
      [1, 2, 3],
      [
        [4, 0, 0],
        [0, 9, 0],
        [0, 0, 0],
      ],
    );
    const y = of(
      [1, 0, 3],
      [
        [1, 0, 0],
        [0, 25, 0],
        [0, 0, 16],
      ],
    );
    close(frechetDistanceOf(x, y), 4 + 1 + 4 + 16, 1e-13);
  });

  it('of two features has the trace of a root √(tr(Σ₁ Σ₂) + 2 √(|Σ₁| |Σ₂|))', () => {
    const [x, y] = [
      of(
        [0, 0],
        [
          [2, 1],
          [1, 3],
        ],
      ),
      of(
        [0, 0],
        [
          [5, -2],
          [-2, 1],
        ],
      ),
    ];
    const root = Math.sqrt(2 * 5 - 2 - 2 + 3 + 2 * Math.sqrt(5 * 1));
    close(frechetDistanceOf(x, y), 2 + 3 + 5 + 1 - 2 * root, 1e-13);
    close(frechetDistanceOf(y, x), 2 + 3 + 5 + 1 - 2 * root, 1e-13);
  });

  it('of covariances a aᵀ and b bᵀ is |a|² + |b|² − 2 |a·b|', () => {
    const [a, c] = [
      [1, 2, -3, 0.5],
      [2, 0.1, 1, -7],
    ] as const;
    const outer = (v: readonly number[]): Rows => v.map(p => v.map(q => p * q));
    const zero = [0, 0, 0, 0];
    const expected = dot(a, a) + dot(c, c) - 2 * Math.abs(dot(a, c));
    close(frechetDistanceOf(of(zero, outer(a)), of(zero, outer(c))), expected, 1e-13);
    close(frechetDistanceOf(of(zero, outer(a)), of(zero, outer(zero))), dot(a, a), 1e-13);
  });

  it('loses nothing to small eigenvalues', () => {
    // The eigenvalues of Σ₁^½ Σ₂ Σ₁^½ go down to 10⁻²⁴: off by 10⁻¹⁶ they had roots that are off by 10⁻⁸.
    const turn = qr(normal(key(5), [4, 4], float64)).q as Tensor;
    const turned = (variances: readonly number[]): Tensor =>
      matmul(mul(turn, tensor(variances, float64)), transpose(turn)) as Tensor;
    const mean = tensor([0, 0, 0, 0], float64);
    const [x, y] = [
      [1, 1e-4, 1e-8, 1e-12],
      [4, 4e-4, 4e-8, 4e-12],
    ].map(v => ({ mean, covariance: turned(v) }));
    close(frechetDistanceOf(x!, y!), 1 + 1e-4 + 1e-8 + 1e-12, 1e-13);
  });

  it('has the derivative I − T of the first covariance, T that of optimal transport', () => {
    const y = of(
      [0, 0],
      [
        [9, 0],
        [0, 16],
      ],
    );
    const slope = derivative(
      covariance => frechetDistanceOf({ mean: y.mean, covariance }, y),
      make([
        [4, 0],
        [0, 1],
      ]),
    );
    close(
      slope,
      [
        [1 - 3 / 2, 0],
        [0, 1 - 4 / 1],
      ],
      1e-12,
    );
  });
});

describe('frechetDistance', () => {
  it('is that of the moments', () => {
    const [[x], [y]] = [draw(1, 40, 5), draw(2, 30, 5, 1)];
    expect(frechetDistance(x, y).item()).toBe(frechetDistanceOf(meanAndCovariance(x), meanAndCovariance(y)).item());
  });

  it('of equal sets is 0, and grows by |t|² when one is moved by t, also of fewer samples than features', () => {
    for (const [n, d] of [
      [40, 5],
      [5, 12],
      [2, 3],
    ] as const) {
      const [x] = draw(n, n, d);
      close(frechetDistance(x, x), 0, 1e-12);
      close(frechetDistance(x, add(x, 0.5) as Tensor), d / 4, 1e-12);
    }
  });

  it('of two samples each is that of covariances of rank 1', () => {
    const [[x, a], [y, c]] = [draw(1, 2, 6), draw(2, 2, 6, 1)];
    const [u, v] = [a, c].map(rows => rows[0]!.map((value, i) => (value - rows[1]![i]!) / Math.SQRT2));
    const [m, l] = [a, c].map(rows => rows[0]!.map((value, i) => (value + rows[1]![i]!) / 2));
    const expected = squaredOf(m!, l!) + dot(u!, u!) + dot(v!, v!) - 2 * Math.abs(dot(u!, v!));
    close(frechetDistance(x, y), expected, 1e-12);
  });

  it.each([
    [9, 8, 3],
    [4, 5, 8],
    [4, 12, 6],
  ])('has derivatives: %i and %i samples of %i features', (n, m, d) => {
    const [[x, rows], [y]] = [draw(1, n, d), draw(2, m, d, 0.5)];
    const metric = (z: Tensor): Tensor => frechetDistance(z, y);
    close(derivative(metric, x), differences(metric, rows), 1e-6);
  });
});

describe('kernelMmd', () => {
  const [[x, a], [y, c]] = [draw(1, 21, 3), draw(2, 17, 3, 0.4)];

  it.each<[string, Parameters<typeof kernelMmd>[2], (p: readonly number[], q: readonly number[]) => number]>([
    ['gaussian', { bandwidth: 0.8 }, gaussian(0.8)],
    ['gaussians', { bandwidth: [0.5, 1, 4], kernel: 'gaussian' }, gaussian(0.5, 1, 4)],
    ['polynomial', { kernel: 'polynomial' }, polynomial],
  ])('%s, with and without the pairs of a sample with itself', (_, options, f) => {
    close(kernelMmd(x, y, options), mmdOf(a, c, f, true), 1e-13);
    close(kernelMmd(x, y, { ...options, unbiased: false }), mmdOf(a, c, f, false), 1e-13);
    close(kernelMmd(x, x, { ...options, unbiased: false }), 0, 1e-13);
  });

  it('takes the median distance of both sets together, of an odd and of an even number of pairs', () => {
    for (const count of [17, 15]) {
      const all = [...a, ...c.slice(0, count)];
      const lengths = all.flatMap((p, i) => all.slice(i + 1).map(q => distanceOf(p, q))).sort((p, q) => p - q);
      const half = (lengths.length - 1) / 2;
      const median = (lengths[Math.floor(half)]! + lengths[Math.ceil(half)]!) / 2;
      const part = make(c.slice(0, count));
      close(kernelMmd(x, part), mmdOf(a, c.slice(0, count), gaussian(median), true), 1e-12);
      close(kernelMmd(x, part, { bandwidth: 'median' }), kernelMmd(x, part).item(), 0);
    }
  });

  it('has a bandwidth of 1 where the median distance is 0', () => {
    const [p, q] = [
      make([[1, 1]]),
      make([
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 3],
      ]),
    ];
    close(kernelMmd(p, q, { unbiased: false }), mmdOf([[0]], [[0], [0], [0], [0], [2]], gaussian(1), false), 1e-13);
  });

  it('is 0 on average between samples of one distribution when unbiased', () => {
    const values = Array.from({ length: 60 }, (_, i) => {
      const [[p], [q]] = [draw(100 + 2 * i, 20, 2), draw(101 + 2 * i, 20, 2)];
      return [true, false].map(unbiased => kernelMmd(p, q, { bandwidth: 1, unbiased }).item());
    });
    const [unbiased, biased] = [0, 1].map(i => average(values.map(pair => pair[i]!)));
    expect(Math.abs(unbiased!)).toBeLessThan(0.01);
    expect(biased).toBeGreaterThan(0.03);
  });

  it.each<Parameters<typeof kernelMmd>[2]>([
    { bandwidth: [0.7, 2] },
    { bandwidth: 1, unbiased: false },
    { kernel: 'polynomial' },
  ])('has derivatives: %o', options => {
    const metric = (z: Tensor): Tensor => kernelMmd(z, y, options);
    close(derivative(metric, x), differences(metric, a), 1e-8);
  });
});

describe('energyDistance', () => {
  const [[x, a], [y, c]] = [draw(1, 21, 3), draw(2, 17, 3, 0.4)];

  it('is that of all pairs', () => {
    close(energyDistance(x, y), energyOf(a, c), 1e-13);
    expect(energyDistance(x, x).item()).toBe(0);
  });

  it('of numbers is twice the integral of (F − G)²', () => {
    const [[p, from], [q, to]] = [draw(3, 13, 1), draw(4, 9, 1)];
    const ends = [...from, ...to].map(row => row[0]!).sort((u, v) => u - v);
    const share = (rows: Rows, end: number): number => average(rows.map(row => Number(row[0]! <= end)));
    const parts = ends.slice(1).map((end, i) => (end - ends[i]!) * (share(from, ends[i]!) - share(to, ends[i]!)) ** 2);
    close(energyDistance(p, q), 2 * total(parts), 1e-13);
  });

  it('has derivatives, also where samples are equal', () => {
    const metric = (z: Tensor): Tensor => energyDistance(z, y);
    close(derivative(metric, x), differences(metric, a), 1e-8);
    close(
      derivative(z => energyDistance(z, x), x),
      a.map(row => row.map(() => 0)),
      1e-12,
    );
  });
});

describe('slicedWasserstein', () => {
  it.each([1, 2, 2.5])('of numbers is the Wasserstein distance, p = %d', p => {
    const [[x, a], [y, c]] = [draw(1, 12, 1), draw(2, 8, 1, 2)];
    // Every sample as often as it takes for two sets of 24.
    const repeated = (rows: Rows): readonly number[] =>
      rows.flatMap(row => Array<number>(24 / rows.length).fill(row[0]!)).sort((u, v) => u - v);
    const cost = (u: Rows, v: Rows): number =>
      average(repeated(u).map((value, i) => Math.abs(value - repeated(v)[i]!) ** p)) ** (1 / p);
    close(slicedWasserstein(x, y, { key: k, p, projections: 3 }), cost(a, c), 1e-13);
    close(slicedWasserstein(y, x, { key: k, p, projections: 3 }), cost(a, c), 1e-13);
    const other = draw(3, 12, 1, 1);
    close(slicedWasserstein(x, other[0], { key: k, p }), cost(a, other[1]), 1e-13);
  });

  it('of sets that are moved by t is √(|t|² / d)', () => {
    const [x] = draw(1, 10, 4);
    const moved = add(x, tensor([2, 0, 0, 1], float64)) as Tensor;
    const off = slicedWasserstein(x, moved, { key: k, projections: 40_000 }).item() / Math.sqrt(5 / 4);
    expect(Math.abs(off - 1)).toBeLessThan(0.01);
  });

  it('does not change when samples are repeated', () => {
    const [[x], [y]] = [draw(1, 6, 3), draw(2, 4, 3)];
    const twice = (z: Tensor): Tensor =>
      tensor([...(z.toArray() as unknown as Rows), ...(z.toArray() as unknown as Rows)], float64) as Tensor;
    const value = slicedWasserstein(x, y, { key: k }).item();
    close(slicedWasserstein(twice(x), y, { key: k }), value, 1e-13);
    close(slicedWasserstein(twice(x), twice(twice(y)), { key: k }), value, 1e-13);
    expect(slicedWasserstein(x, twice(x), { key: k }).item()).toBe(0);
  });

  it('takes its directions from the key alone', () => {
    const [[x], [y]] = [draw(1, 6, 3), draw(2, 4, 3)];
    const of = (seed: number): number => slicedWasserstein(x, y, { key: key(seed), projections: 5 }).item();
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
    expect(jit((drawn: typeof k) => slicedWasserstein(x, y, { key: drawn, projections: 5 }))(key(1)).item()).toBe(
      of(1),
    );
  });

  it.each([
    [6, 6, 2],
    [6, 9, 2],
    [9, 6, 1],
    [6, 9, 3],
  ])('has derivatives: %i and %i samples, p = %d', (n, m, p) => {
    const [[x, rows], [y]] = [draw(1, n, 3), draw(2, m, 3)];
    const metric = (z: Tensor): Tensor => slicedWasserstein(z, y, { key: k, projections: 20, p });
    close(derivative(metric, x), differences(metric, rows), 1e-6);
    close(
      derivative(z => slicedWasserstein(z, x, { key: k, p }), x),
      rows.map(row => row.map(() => 0)),
      1e-12,
    );
  });
});

describe('prdc', () => {
  const square: Rows = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];

  it('of points in and around a square', () => {
    // Real balls have the radius 1 around the corners; those of the fake ones reach to their nearest neighbours.
    const fake: Rows = [
      [0.5, 0.5],
      [1.5, 1],
      [5, 5],
    ];
    // In balls of 4, of 1 ([1, 1] at 0.5, [1, 0] is at √1.25) and of none.
    // Fake radii: √1.25, √1.25, √28.25 around [5, 5], to which [1, 1] is √32 away.
    close(read(prdc(make(square), make(fake), { k: 1 })), [2 / 3, 1, 5 / 3, 1], 1e-15);
  });

  it('of sets that are equal is as good as can be, of sets far from each other nothing', () => {
    const [x] = draw(1, 50, 3);
    close(read(prdc(x, x)), [1, 1, 6 / 5, 1], 1e-15);
    close(read(prdc(x, add(x, 100) as Tensor)), [0, 0, 0, 0], 0);
  });

  it('tells what is missing from what is wrong', () => {
    const [x] = draw(1, 60, 2);
    const [near] = draw(2, 60, 2);
    const collapsed = prdc(x, mul(near, 0.05) as Tensor);
    expect(collapsed.precision.item()).toBeGreaterThan(0.9);
    expect(collapsed.recall.item()).toBeLessThan(0.1);
    const spread = prdc(x, mul(near, 4) as Tensor);
    expect(spread.precision.item()).toBeLessThan(0.4);
    expect(spread.recall.item()).toBeGreaterThan(0.9);
  });

  it('counts neighbours at equal distances, and equal samples as neighbours', () => {
    const twins = make([...square, ...square]);
    close(read(prdc(twins, twins, { k: 1 })), [1, 1, 2, 1], 1e-15);
  });

  it.each([1, 3, 7])('is that of all pairs, k = %i', count => {
    const [[x, a], [y, c]] = [draw(1, 33, 3), draw(2, 24, 3, 0.7)];
    close(read(prdc(x, y, { k: count })), prdcOf(a, c, count), 1e-14);
  });

  it('has no derivatives but 0, and a frozen result', () => {
    const [[x], [y]] = [draw(1, 9, 2), draw(2, 8, 2)];
    expect(Object.isFrozen(prdc(x, y))).toBe(true);
    expect(derivative(z => prdc(x, z).density, y).toArray()).toEqual(Array(8).fill([0, 0]));
  });
});

describe('of more pairs than are held at a time', () => {
  const [[x, a], [y, c]] = [draw(1, 1500, 2), draw(2, 1300, 2, 0.5)];

  it('the values are those of all pairs', () => {
    close(energyDistance(x, y), energyOf(a, c), 1e-12);
    close(kernelMmd(x, y, { bandwidth: 0.7 }), mmdOf(a, c, gaussian(0.7), true), 1e-12);
    close(kernelMmd(x, y, { kernel: 'polynomial' }), mmdOf(a, c, polynomial, true), 1e-12);
    close(read(prdc(x, y, { k: 3 })), prdcOf(a, c, 3), 1e-13);
  });

  it('so are the derivatives', () => {
    const slope = derivative(z => energyDistance(z, y), x).toArray() as unknown as Rows;
    for (const i of [0, 699, 1120, 1499]) {
      const pull = (rows: Rows, weight: number): readonly number[] =>
        [0, 1].map(
          j =>
            weight *
            total(rows.map(row => (distanceOf(row, a[i]!) === 0 ? 0 : (a[i]![j]! - row[j]!) / distanceOf(row, a[i]!)))),
        );
      const [toY, toX] = [pull(c, 2 / (1500 * 1300)), pull(a, 2 / 1500 ** 2)];
      close(
        slope[i]!.map(value => value * 1e3),
        [0, 1].map(j => 1e3 * (toY[j]! - toX[j]!)),
        1e-11,
      );
    }
  });
});
