/** Pooling and patches against plain loops; what PyTorch's cases do not show. */
import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  type ConvOptions,
  conv1d,
  conv2d,
  conv3d,
  explain,
  grad,
  hessian,
  jit,
  jvp,
  matmul,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  unfold,
  vjp,
  vmap,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

type Pool = (x: Tensor, size: number | readonly number[], options?: object) => Tensor;
const maxPools: readonly Pool[] = [maxPool1d, maxPool2d, maxPool3d];
const avgPools: readonly Pool[] = [avgPool1d, avgPool2d, avgPool3d];
const adaptiveMax: readonly Pool[] = [adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d];
const adaptiveAvg: readonly Pool[] = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d];

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Small integers, of which many are equal. */
const integers = (shape: readonly number[], seed: number): Tensor =>
  tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => ((i * 7 + seed * i * i) % 11) - 8),
    shape,
  ) as Tensor;

const grid = (lengths: readonly number[]): number[][] =>
  lengths.reduce<number[][]>((list, n) => list.flatMap(index => range(n).map(i => [...index, i])), [[]]);

/** The places of the input that a window has along one axis, for each window; and how many places count for a mean. */
interface Along {
  readonly places: readonly (readonly number[])[];
  readonly counts: readonly number[];
}

/** What windows see of x [c, …]: for each result the flat positions in row-major order, and how many are counted. */
const windowsOf = (shape: readonly number[], along: readonly Along[]) => {
  const [channels, ...lengths] = shape as [number, ...number[]];
  return range(channels).flatMap(c =>
    grid(along.map(({ places }) => places.length)).map(t => ({
      seen: grid(t.map((at, axis) => along[axis]!.places[at]!.length)).map(place =>
        place.reduce((flat, i, axis) => flat * lengths[axis]! + along[axis]!.places[t[axis]!]![i]!, c),
      ),
      count: t.reduce((product, at, axis) => product * along[axis]!.counts[at]!, 1),
    })),
  );
};

interface Axis {
  readonly length: number;
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
  readonly high: number;
}

/** PyTorch's rules, one window after the other. */
const windowsAlong = (
  { length, size, stride, dilation, low, high }: Axis,
  ceilMode: boolean,
  countIncludePad: boolean,
): Along => {
  const starts: number[] = [];
  const reach = dilation * (size - 1) + 1;
  for (let start = -low; ; start += stride) {
    const fits = start + reach <= length + high;
    const begins = ceilMode && start + reach < length + high + stride && start < length;
    if (!fits && !begins) break;
    starts.push(start);
  }
  return {
    places: starts.map(start =>
      range(size)
        .map(i => start + i * dilation)
        .filter(at => at >= 0 && at < length),
    ),
    counts: starts.map(start => {
      const all = range(size).map(i => start + i);
      return all.filter(at => (countIncludePad ? at < length + high : at >= 0 && at < length)).length;
    }),
  };
};

const axes = fc
  .record({
    length: fc.integer({ min: 1, max: 9 }),
    size: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    low: fc.nat(2),
    high: fc.nat(2),
  })
  .map(axis => {
    const [low, high] = [axis.low, axis.high].map(n => Math.min(n, Math.floor(axis.size / 2)));
    const reach = axis.dilation * (axis.size - 1) + 1;
    return { ...axis, low: low!, high: high!, length: Math.max(axis.length, reach - low! - high!, axis.dilation) };
  });

const cases = fc.record({
  axes: fc.array(axes, { minLength: 1, maxLength: 3 }),
  ceilMode: fc.boolean(),
  countIncludePad: fc.boolean(),
});

/** A pool's result and the way back of a cotangent of 1, 2, 3, …. */
const both = (f: (x: Tensor) => Tensor, x: Tensor): [number[], number[]] => {
  const [y, back] = vjp(f, x);
  const ct = tensor(
    Float32Array.from({ length: size(y.shape) }, (_, i) => i + 1),
    y.shape,
  ) as Tensor;
  return [y, ...back(ct)].map(each => Array.from(each.dataSync(), Number)) as [number[], number[]];
};

const checkMax = (f: (x: Tensor) => Tensor, x: Tensor, along: readonly Along[]): void => {
  const data = Array.from(x.dataSync(), Number);
  const windows = windowsOf(x.shape, along);
  const first = windows.map(({ seen }) => seen.reduce((best, at) => (data[at]! > data[best]! ? at : best)));
  const back = data.map(() => 0);
  first.forEach((at, i) => {
    back[at]! += i + 1;
  });
  expect(both(f, x)).toEqual([first.map(at => data[at]!), back]);
};

const checkAvg = (f: (x: Tensor) => Tensor, x: Tensor, along: readonly Along[]): void => {
  const data = Array.from(x.dataSync(), Number);
  const windows = windowsOf(x.shape, along);
  const back = data.map(() => 0);
  windows.forEach(({ seen, count }, i) => {
    for (const at of seen) back[at]! += (i + 1) / count;
  });
  const [y, given] = both(f, x);
  close(
    y,
    windows.map(({ seen, count }) => seen.reduce((total, at) => total + data[at]!, 0) / count),
  );
  close(given, back, 1e-5);
};

describe('against plain loops', () => {
  it('maxima and their derivatives, which go to the first of equal ones', () => {
    fc.assert(
      fc.property(cases, fc.nat(5), ({ axes, ceilMode }, seed) => {
        const x = integers([2, ...axes.map(({ length }) => length)], seed);
        const options = {
          stride: axes.map(({ stride }) => stride),
          dilation: axes.map(({ dilation }) => dilation),
          padding: axes.map(({ low, high }) => [low, high]),
          ceilMode,
        };
        const pool = (y: Tensor): Tensor =>
          maxPools[axes.length - 1]!(
            y,
            axes.map(each => each.size),
            options,
          );
        checkMax(
          pool,
          x,
          axes.map(axis => windowsAlong(axis, ceilMode, true)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('means and their derivatives', () => {
    fc.assert(
      fc.property(cases, fc.nat(5), ({ axes, ceilMode, countIncludePad }, seed) => {
        const flat = axes.map(axis => ({ ...axis, dilation: 1 }));
        const x = integers([2, ...axes.map(({ length }) => length)], seed);
        const options = {
          stride: axes.map(({ stride }) => stride),
          padding: axes.map(({ low, high }) => [low, high]),
          ceilMode,
          countIncludePad,
        };
        const pool = (y: Tensor): Tensor =>
          avgPools[axes.length - 1]!(
            y,
            axes.map(each => each.size),
            options,
          );
        checkAvg(
          pool,
          x,
          flat.map(axis => windowsAlong(axis, ceilMode, countIncludePad)),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('long windows', () => {
    const x = integers([2, 90, 3], 3);
    for (const options of [{}, { stride: [7, 1], padding: [20, 0] }, { stride: [40, 1], ceilMode: true }]) {
      const {
        stride = [41, 1],
        padding = [0, 0],
        ceilMode = false,
      } = options as {
        stride?: number[];
        padding?: number[];
        ceilMode?: boolean;
      };
      const along = [41, 1].map((size, i) =>
        windowsAlong(
          { length: x.shape[i + 1]!, size, stride: stride[i]!, dilation: 1, low: padding[i]!, high: padding[i]! },
          ceilMode,
          false,
        ),
      );
      checkMax(y => maxPool2d(y, [41, 1], options) as Tensor, x, along);
      checkAvg(y => avgPool2d(y, [41, 1], { ...options, countIncludePad: false }) as Tensor, x, along);
    }
  });

  it('pooling to given lengths', () => {
    const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(lengths, fc.nat(5), (axes, seed) => {
        const x = integers([2, ...axes.map(([n]) => n)], seed);
        const along = axes.map(([n, o]): Along => {
          const places = range(o).map(i => {
            const start = Math.floor((i * n) / o);
            return range(Math.ceil(((i + 1) * n) / o) - start).map(k => start + k);
          });
          return { places, counts: places.map(each => each.length) };
        });
        const to = axes.map(([, o]) => o);
        checkMax(y => adaptiveMax[axes.length - 1]!(y, to), x, along);
        checkAvg(y => adaptiveAvg[axes.length - 1]!(y, to), x, along);
      }),
      { numRuns: 40 },
    );
  });
});

describe('maxima', () => {
  const x = tensor([
    [
      [1, 5, 2, 0],
      [5, 5, 3, 7],
    ],
  ]) as Tensor;

  it.each(['float64', 'int32', 'uint32', 'uint8'] as const)('keep %s', dtype => {
    const y = maxPool2d(
      tensor(
        [
          [
            [1, 5, 2, 0],
            [5, 5, 3, 7],
          ],
        ],
        { dtype },
      ),
      2,
      { padding: 1 },
    );
    expect([y.dtype, y.toArray()]).toEqual([
      dtype,
      [
        [
          [1, 5, 0],
          [5, 5, 7],
        ],
      ],
    ]);
  });

  it('of bools say whether one is true, of negative integers are not the padding', () => {
    expect(maxPool1d(tensor([[true, false, false, false]]), 2).toArray()).toEqual([[true, false]]);
    const low = tensor([[-5, -3]], { dtype: 'int32' });
    expect(maxPool1d(low, 2, { padding: 1 }).toArray()).toEqual([[-5, -3]]);
    expect(adaptiveMaxPool1d(low, 1).toArray()).toEqual([[-3]]);
  });

  it('are NaN where there is one, and −∞ where there is nothing else; the derivative stays inside', () => {
    const odd = tensor([[Number.NaN, 1, 2, 3, -Infinity, -Infinity]]) as Tensor;
    close(maxPool1d(odd, 2) as Tensor, [[Number.NaN, 3, -Infinity]]);
    close(grad((y: Tensor) => sum(maxPool1d(y, 2)))(odd), [[1, 0, 0, 1, 1, 0]]);
    const lowest = tensor([[-Infinity, -Infinity]]) as Tensor;
    close(grad((y: Tensor) => sum(maxPool1d(y, 2, { padding: 1 })))(lowest), [[1, 1]]);
  });

  it('take the tensor last, with and without an axis of samples', () => {
    expect(pipe(x, maxPool2d(2)).toArray()).toEqual([[[5, 7]]]);
    expect(pipe(x, maxPool2d([1, 2], { stride: 1 })).toArray()).toEqual([
      [
        [5, 5, 2],
        [5, 5, 7],
      ],
    ]);
    expect(maxPool2d(reshape(x, [1, 1, 2, 4]), 2).toArray()).toEqual([[[[5, 7]]]]);
    expect(maxPool2d(zeros([0, 3, 4, 4]), 2).shape).toEqual([0, 3, 2, 2]);
    expect(pipe(x, adaptiveMaxPool2d(1)).toArray()).toEqual([[[7]]]);
  });

  it('under jit, vmap, forward mode and twice', () => {
    const pool = (y: Tensor): Tensor => maxPool2d(y, 2) as Tensor;
    const samples = normal(key(0), [3, 2, 4, 6]) as Tensor;
    close(jit(pool)(samples), pool(samples).toArray() as never);
    close(vmap(pool)(samples) as Tensor, pool(samples).toArray() as never);
    const [, slope] = jvp(
      pool,
      [x],
      [
        tensor([
          [
            [1, 2, 3, 4],
            [5, 6, 7, 8],
          ],
        ]) as Tensor,
      ],
    );
    close(slope as Tensor, [[[2, 8]]]);
    const back = (y: Tensor): Tensor => grad((z: Tensor) => sum(square(pool(z))))(y) as Tensor;
    close(vmap(back)(samples) as Tensor, back(samples).toArray() as never);
    const twice = hessian((y: Tensor) => sum(square(maxPool1d(y, 2))))(tensor([[3, 1, 1, 1]]) as Tensor) as Tensor;
    close(reshape(twice, [4, 4]), [
      [2, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 0],
    ]);
  });
});

describe('means', () => {
  it('take the tensor last, and integers as float32', () => {
    const x = tensor([[1, 2, 4, 5]], { dtype: 'int32' });
    expect(pipe(x, avgPool1d(2)).dtype).toBe('float32');
    expect(pipe(x, avgPool1d(2, { stride: 1 })).toArray()).toEqual([[1.5, 3, 4.5]]);
    expect(pipe(x, adaptiveAvgPool1d(3)).toArray()).toEqual([[1.5, 3, 4.5]]);
    expect(avgPool2d(zeros([0, 1, 4, 4], { dtype: 'float64' }), 2).dtype).toBe('float64');
  });

  it('see no infinity outside of their windows', () => {
    const x = tensor([[Infinity, 1, 2, 3, 4]]) as Tensor;
    close(adaptiveAvgPool1d(x, 3) as Tensor, [[Infinity, 2, 3.5]]);
    close(avgPool1d(x, 2, { stride: 1, padding: 1 }) as Tensor, [[Infinity, Infinity, 1.5, 2.5, 3.5, 2]]);
  });

  it('under vmap and forward mode', () => {
    const x = normal(key(1), [3, 2, 5, 7]) as Tensor;
    for (const pool of [
      (y: Tensor): Tensor => avgPool2d(y, 3, { stride: 2, padding: 1 }) as Tensor,
      (y: Tensor): Tensor => adaptiveAvgPool2d(y, [2, 3]) as Tensor,
    ]) {
      close(vmap(pool)(x) as Tensor, pool(x).toArray() as never);
      close(jvp(pool, [x], [x])[1] as Tensor, pool(x).toArray() as never);
      const back = (y: Tensor): Tensor => grad((z: Tensor) => sum(square(pool(z))))(y) as Tensor;
      close(vmap(back)(x) as Tensor, back(x).toArray() as never);
    }
  });
});

describe('kernels', () => {
  const x = zeros([2, 3, 8, 8]) as Tensor;
  const steps = (f: (...xs: never[]) => Tensor, ...xs: Tensor[]): number =>
    explain(f as (...ys: Tensor[]) => Tensor)(...xs).report!.steps.length;
  const back =
    (pool: (y: Tensor) => Tensor) =>
    (y: Tensor, ct: Tensor): Tensor =>
      vjp(pool, y)[1](ct)[0];

  it.each<[string, (y: Tensor) => Tensor, number, number]>([
    ['the largest of 2 × 2', y => maxPool2d(y, 2) as Tensor, 1, 2],
    ['the largest of 3 × 3, overlapping', y => maxPool2d(y, 3, { stride: 2, padding: 1 }) as Tensor, 1, 2],
    ['the mean of 2 × 2', y => avgPool2d(y, 2) as Tensor, 1, 2],
    ['the mean of 3 × 3, overlapping', y => avgPool2d(y, 3, { stride: 2, padding: 1 }) as Tensor, 1, 2],
    ['the mean of everything', y => adaptiveAvgPool2d(y, 1) as Tensor, 1, 1],
  ])('%s', (_, pool, forth, andBack) => {
    const ct = normal(key(2), pool(x).shape) as Tensor;
    const filled = normal(key(3), x.shape) as Tensor;
    expect([steps(pool, filled), steps(back(pool), filled, ct)]).toEqual([forth, andBack]);
  });
});

describe('unfold', () => {
  it('lays out the patches that a convolution multiplies', () => {
    const convs = [conv1d, conv2d, conv3d] as unknown as readonly ((x: Tensor, w: Tensor, o: ConvOptions) => Tensor)[];
    for (const rank of [1, 2, 3]) {
      const x = integers([2, 3, ...[7, 6, 5].slice(0, rank)], 1);
      const sizes = [3, 2, 2].slice(0, rank);
      const w = integers([4, 3, ...sizes], 2);
      const options = { stride: [2, 1, 2].slice(0, rank), padding: 1, dilation: [1, 2, 1].slice(0, rank) };
      const columns = unfold(x, sizes, options);
      const y = convs[rank - 1]!(x, w, options);
      const product = matmul(reshape(w, [4, -1]) as never, columns as never) as Tensor;
      close(reshape(product, y.shape), y.toArray() as never);
      const one = unfold(reshape(x, x.shape.slice(1).with(0, 6)), sizes, options);
      close(reshape(one, columns.shape), columns.toArray() as never);
    }
  });

  it('moves elements of any dtype; the way back adds those that were taken twice', () => {
    expect(pipe(tensor([[true, false, true]]), unfold([2])).toArray()).toEqual([
      [true, false],
      [false, true],
    ]);
    const x = tensor([[1, 2, 3, 4]]) as Tensor;
    close(grad((y: Tensor) => sum(unfold(y, [2], { padding: 1 })))(x), [[2, 2, 2, 2]]);
    close(grad((y: Tensor) => sum(unfold(y, [2])))(x), [[1, 2, 2, 1]]);
    expect(unfold(tensor([[5]]), [1], { padding: 1 }).toArray()).toEqual([[0, 5, 0]]);
  });
});

it('messages say what is wrong', () => {
  // @ts-expect-error maxPool2d: windows reach over 3, and the input with its padding has 2 only
  expect(caught(() => maxPool2d(zeros([1, 2, 2]), 3)).message).toContain('windows reach over 3');
  expect(caught(() => maxPool2d(zeros([1, 4, 4]), 1, { padding: 1 })).message).toContain('see nothing of the input');
  // @ts-expect-error avgPool2d: an input is [n, c, h, w] or [c, h, w]
  expect(caught(() => avgPool2d(zeros([4, 4]), 2)).message).toContain('[n, c, h, w] or [c, h, w]');
});
