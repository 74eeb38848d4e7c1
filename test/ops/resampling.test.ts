/** Resampling against plain loops with PyTorch's arithmetic of positions. */
import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  adaptiveAvgPool2d,
  explain,
  grad,
  type InterpolateMode,
  type InterpolateOptions,
  interpolate,
  jit,
  jvp,
  realize,
  square,
  sum,
  type Tensor,
  tensor,
  vjp,
  vmap,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** What an element of the result is made of: positions and their weights. */
type Row = readonly (readonly [at: number, weight: number])[];

interface Axis {
  readonly n: number;
  readonly o: number;
  /** The scale, where one was given. */
  readonly scale: number | null;
}

type Kind = 'nearest' | 'linear' | 'cubic';

/** The rows of the matrix that resamples an axis; written from `UpSample.h` of PyTorch. */
const rowsOf = ({ n, o, scale }: Axis, kind: Kind, aligned: boolean): readonly Row[] => {
  const inverse = scale === null ? n / o : 1 / scale;
  const clamp = (at: number): number => Math.min(n - 1, Math.max(0, at));
  return range(o).map((i): Row => {
    if (kind === 'nearest') return [[clamp(Math.floor(i * inverse + 1e-6)), 1]];
    const place = aligned ? (o > 1 ? (i * (n - 1)) / (o - 1) : 0) : (i + 0.5) * inverse - 0.5;
    if (kind === 'linear') {
      if (n === o) return [[i, 1]];
      const at = Math.min(n - 1, Math.floor(Math.max(0, place)));
      const t = Math.min(1, Math.max(0, place) - at);
      return [
        [at, 1 - t],
        [clamp(at + 1), t],
      ];
    }
    const at = Math.floor(place);
    return range(4).map(k => {
      const d = Math.abs(place - (at - 1 + k));
      const a = -0.75;
      // The kernel as it is usually printed, in one variable.
      const weight =
        d <= 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
      return [clamp(at - 1 + k), weight];
    });
  });
};

/** All axes behind the first, from the last to the first; as nested loops over flat arrays. */
const resampled = (data: readonly number[], shape: readonly number[], rows: readonly (readonly Row[])[]): number[] => {
  let [values, lengths] = [[...data], [...shape]];
  for (const [k, row] of [...rows.entries()].reverse()) {
    const axis = k + 1;
    const inner = lengths.slice(axis + 1).reduce((product, n) => product * n, 1);
    const outer = lengths.slice(0, axis).reduce((product, n) => product * n, 1);
    const n = lengths[axis]!;
    const next = new Array<number>(outer * row.length * inner).fill(0);
    for (let p = 0; p < outer; p++)
      for (const [i, terms] of row.entries())
        for (let q = 0; q < inner; q++)
          for (const [at, weight] of terms) {
            next[(p * row.length + i) * inner + q]! += weight * values[(p * n + at) * inner + q]!;
          }
    [values, lengths] = [next, lengths.with(axis, row.length)];
  }
  return values;
};

const lengthsAndSizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 17 })), {
  minLength: 1,
  maxLength: 3,
});
const lengthsAndScales = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom(1, 2, 3, 4, 1.5, 0.5, 0.75, 2.3, 1.05, 1 / 3)),
  { minLength: 1, maxLength: 3 },
);

const check = (axes: readonly Axis[], options: InterpolateOptions, seed: number): void => {
  const shape = [2, ...axes.map(({ n }) => n)];
  const x = normal(key(seed), shape, { dtype: 'float64' }) as Tensor;
  const mode = (options.mode ?? 'nearest') as Kind;
  const rows = axes.map(axis => rowsOf(axis, mode, options.alignCorners ?? false));
  const f = (y: Tensor): Tensor => interpolate(y, options) as Tensor;
  const [y, back] = vjp(f, x);
  expect(y.shape).toEqual([2, ...axes.map(({ o }) => o)]);
  const data = Array.from(x.dataSync(), Number);
  close(Array.from(y.dataSync(), Number), resampled(data, shape, rows), 1e-12);
  // ⟨ct, f(x)⟩ = ⟨fᵀ(ct), x⟩, and f is linear.
  const ct = normal(key(seed + 1), y.shape, { dtype: 'float64' }) as Tensor;
  const [cts, backs] = [ct, back(ct)[0]].map(each => Array.from(each.dataSync(), Number));
  const inner = (p: readonly number[], q: readonly number[]): number => p.reduce((s, each, i) => s + each * q[i]!, 0);
  close(inner(backs!, data), inner(cts!, resampled(data, shape, rows)), 1e-10);
  const slope = jvp(f, [x], [x])[1] as Tensor;
  close(Array.from(slope.dataSync(), Number), resampled(data, shape, rows), 1e-12);
};

describe('against plain loops', () => {
  it.each<[Kind, boolean]>([
    ['nearest', false],
    ['linear', false],
    ['linear', true],
    ['cubic', false],
    ['cubic', true],
  ])('%s by size, corners aligned: %s', (mode, alignCorners) => {
    fc.assert(
      fc.property(lengthsAndSizes, fc.nat(9), (axes, seed) => {
        const size = axes.map(([, o]) => o);
        check(
          axes.map(([n, o]) => ({ n, o, scale: null })),
          { size, mode, alignCorners },
          seed,
        );
      }),
      { numRuns: 30 },
    );
  });

  it.each<Kind>(['nearest', 'linear', 'cubic'])('%s by scale', mode => {
    fc.assert(
      fc.property(lengthsAndScales, fc.nat(9), (given, seed) => {
        const axes = given.map(([n, scale]) => ({ n: Math.max(n, Math.ceil(1 / scale)), scale }));
        const scale = axes.map(each => each.scale);
        check(
          axes.map(({ n, scale }) => ({ n, o: Math.floor(n * scale), scale })),
          { scale, mode },
          seed,
        );
      }),
      { numRuns: 30 },
    );
  });
});

describe('interpolate', () => {
  const x = tensor([
    [
      [1, 2],
      [3, 4],
    ],
  ]) as Tensor;

  it('takes names for a number of axes, and one number for all of them', () => {
    const size = [3, 5];
    const twice = (mode: InterpolateMode): unknown => interpolate(x, { scale: 2, mode }).toArray();
    expect(twice('bilinear')).toEqual(interpolate(x, { scale: [2, 2], mode: 'linear' }).toArray());
    expect(twice('bicubic')).toEqual(interpolate(x, { scale: [2, 2], mode: 'cubic' }).toArray());
    const cube = normal(key(1), [1, 1, 2, 3, 4]) as Tensor;
    close(
      interpolate(cube, { size: 4, mode: 'trilinear' }) as Tensor,
      interpolate(cube, { size: [4, 4, 4], mode: 'linear' }).toArray() as never,
    );
    expect(interpolate(zeros([2, 3, 4]), { scale: 2 }).shape).toEqual([2, 3, 8]);
    expect(interpolate(x, { size, mode: 'area' }).toArray()).toEqual(adaptiveAvgPool2d(x, size).toArray());
  });

  it('takes the tensor last; nearest moves elements of any dtype, the others make floats', () => {
    const y = tensor([[[1, 2]]], { dtype: 'uint8' });
    const doubled = pipe(y, interpolate({ scale: [2, 1] }));
    expect([doubled.dtype, doubled.toArray()]).toEqual([
      'uint8',
      [
        [
          [1, 2],
          [1, 2],
        ],
      ],
    ]);
    const ints = tensor([[0, 4]], { dtype: 'int32' });
    expect(pipe(ints, interpolate({ size: [4], mode: 'linear' })).dtype).toBe('float32');
    expect(pipe(ints, interpolate({ size: [4], mode: 'linear' })).toArray()).toEqual([[0, 1, 3, 4]]);
    expect(interpolate(zeros([0, 1, 2, 2]), { scale: 2, mode: 'bilinear' }).shape).toEqual([0, 1, 4, 4]);
  });

  it('keeps infinities where they are', () => {
    const odd = tensor([[Infinity, 1, 2, 3, 4]]) as Tensor;
    close(interpolate(odd, { scale: [2], mode: 'linear' }) as Tensor, [
      [Infinity, Infinity, Infinity, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4],
    ]);
  });

  it('under jit, vmap and twice', () => {
    const samples = normal(key(2), [3, 2, 4, 5]) as Tensor;
    for (const options of [
      { scale: 2 },
      { scale: [2, 2], mode: 'bilinear' },
      { size: [7, 9], mode: 'bicubic' },
      { size: [2, 3], mode: 'bilinear' },
      { size: [3, 7] },
    ] as const) {
      const f = (y: Tensor): Tensor => interpolate(y, options as InterpolateOptions) as Tensor;
      const samplesOf = (y: Tensor): Tensor => interpolate(y, { ...options, ...sized(options) }) as Tensor;
      close(jit(f)(samples), f(samples).toArray() as never);
      close(vmap(samplesOf)(samples) as Tensor, f(samples).toArray() as never);
      const back = (g: (y: Tensor) => Tensor) => (y: Tensor) => grad((z: Tensor) => sum(square(g(z))))(y) as Tensor;
      close(vmap(back(samplesOf))(samples) as Tensor, back(f)(samples).toArray() as never, 1e-5);
    }
  });

  it('is few kernels', () => {
    const y = normal(key(3), [2, 3, 8, 8]) as Tensor;
    const steps = (options: InterpolateOptions): readonly number[] => {
      const f = (z: Tensor): Tensor => interpolate(z, options) as Tensor;
      const ct = realize(normal(key(4), f(y).shape)) as Tensor;
      const back = (z: Tensor, c: Tensor): Tensor => vjp(f, z)[1](c)[0];
      return [explain(f)(y), explain(back)(y, ct)].map(({ report }) => report!.steps.length);
    };
    expect(steps({ scale: 2 })).toEqual([1, 1]);
    expect(steps({ scale: 2, mode: 'bilinear' })).toEqual([2, 2]);
    expect(steps({ scale: 0.5, mode: 'bilinear' })).toEqual([2, 2]);
    expect(steps({ scale: 2, mode: 'bicubic' })).toEqual([2, 2]);
  });

  it('says what is wrong', () => {
    expect(caught(() => interpolate(x, { size: [2], mode: 'bilinear' })).message).toContain("'bilinear' is for 2");
    expect(caught(() => interpolate(x, { scale: [0.1, 1] })).message).toContain('the lengths would be 0, 2');
    expect(caught(() => interpolate(x, { size: 2, scale: 2 })).message).toContain('both size and scale');
    expect(caught(() => interpolate(x, { scale: [2, 2], alignCorners: true })).message).toContain('alignCorners');
  });
});

/** A number for all axes as an array, which says for one sample too that both axes are spatial. */
const sized = (options: { readonly scale?: unknown }): InterpolateOptions =>
  options.scale === 2 ? { scale: [2, 2] } : {};
