/** Convolutions against plain loops. (Derivatives and batches are in `test/transform/convolution.test.ts`.) */
import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type DType,
  flip,
  grad,
  jit,
  mul,
  sum,
  swapAxes,
  type Tensor,
  take,
  tensor,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { caught, close } from '../helpers.js';

type Conv = (x: Tensor, w: Tensor, options?: ConvOptions) => Tensor;
type Transposed = (x: Tensor, w: Tensor, options?: ConvTransposeOptions) => Tensor;
const convs: readonly Conv[] = [conv1d, conv2d, conv3d];
const transposes: readonly Transposed[] = [convTranspose1d, convTranspose2d, convTranspose3d];

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** Small integers in a shape, so that sums of products are exact. */
const integers = (shape: readonly number[], seed: number, dtype: DType = 'float32'): Tensor =>
  tensor(
    Int32Array.from({ length: size(shape) }, (_, i) => ((i * 7 + seed) % 11) - 5),
    shape,
    { dtype },
  ) as Tensor;

/** All index vectors of a shape. */
const indices = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>(
    (list, n) => list.flatMap(index => Array.from({ length: n }, (_, i) => [...index, i])),
    [[]],
  );

/** Elements by index; 0 outside. */
const reader = (x: Tensor) => {
  const [data, shape] = [x.dataSync(), x.shape];
  return (index: readonly number[]): number =>
    index.every((i, axis) => i >= 0 && i < shape[axis]!)
      ? Number(data[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)])
      : 0;
};

interface Whole {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** What conv does, for [n, c, …] and [o, c / groups, …]. */
const naive = (
  x: Tensor,
  w: Tensor,
  { stride, padding, dilation, groups }: Whole,
): { shape: number[]; data: number[] } => {
  const [n, , ...s] = x.shape as [number, number, ...number[]];
  const [o, c, ...k] = w.shape as [number, number, ...number[]];
  const lengths = s.map(
    (length, axis) =>
      Math.floor(
        (length + padding[axis]![0] + padding[axis]![1] - dilation[axis]! * (k[axis]! - 1) - 1) / stride[axis]!,
      ) + 1,
  );
  const shape = [n, o, ...lengths];
  const [readX, readW] = [reader(x), reader(w)];
  const data = indices(shape).map(([sample, out, ...t]) => {
    const group = Math.floor(out! / (o / groups));
    return indices([c, ...k]).reduce((total, [channel, ...at]) => {
      const from = t.map((each, axis) => each * stride[axis]! + at[axis]! * dilation[axis]! - padding[axis]![0]);
      return total + readX([sample!, group * c + channel!, ...from]) * readW([out!, channel!, ...at]);
    }, 0);
  });
  return { shape, data };
};

/** Convolutions of one to three spatial axes, whose kernels fit. */
const cases = fc
  .record({
    rank: fc.integer({ min: 1, max: 3 }),
    n: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    c: fc.integer({ min: 1, max: 3 }),
    o: fc.integer({ min: 1, max: 6 }),
    lengths: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 3 }),
    kernel: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
    stride: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
    dilation: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
    padding: fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 3, maxLength: 3 }),
    dtype: fc.constantFrom<DType>('float32', 'float64', 'int32'),
  })
  .map(({ rank, lengths, kernel, stride, dilation, padding, ...rest }) => {
    const s = lengths.slice(0, rank).map((length, axis) => {
      const [low, high] = padding[axis]!;
      return Math.max(length, dilation[axis]! * (kernel[axis]! - 1) + 1 - low - high);
    });
    const options = {
      stride: stride.slice(0, rank),
      dilation: dilation.slice(0, rank),
      padding: padding.slice(0, rank),
      groups: rest.groups,
    };
    return { ...rest, rank, s, k: kernel.slice(0, rank), options };
  });

describe('against plain loops', () => {
  it('convolutions', () => {
    fc.assert(
      fc.property(cases, ({ rank, n, groups, c, o, s, k, dtype, options }) => {
        const x = integers([n, groups * c, ...s], 1, dtype);
        const w = integers([groups * o, c, ...k], 2, dtype);
        const y = convs[rank - 1]!(x, w, options);
        const wanted = naive(x, w, options);
        expect([y.dtype, y.shape]).toEqual([dtype, wanted.shape]);
        expect(Array.from(y.dataSync(), each => Number(each) + 0)).toEqual(wanted.data.map(each => each + 0));
      }),
    );
  });

  it('transposed convolutions: ⟨conv(x, w), y⟩ = ⟨x, convTranspose(y, w)⟩ for any x', () => {
    fc.assert(
      fc.property(cases, ({ rank, n, groups, c, o, s, k, dtype, options }) => {
        const x = integers([n, groups * c, ...s], 1, dtype);
        const w = integers([groups * o, c, ...k], 2, dtype);
        const wide = convs[rank - 1]!(x, w, options);
        const y = integers(wide.shape, 3, dtype);
        // How many elements at the end of x no kernel reaches; as long as the transposed result must be.
        const outputPadding = s.map((length, axis) => {
          const { stride, dilation, padding } = options;
          return (
            (length + padding[axis]![0] + padding[axis]![1] - dilation[axis]! * (k[axis]! - 1) - 1) % stride[axis]!
          );
        });
        const back = transposes[rank - 1]!(y, w, { ...options, outputPadding });
        expect([back.dtype, back.shape]).toEqual([dtype, x.shape]);
        const inner = (p: Tensor, q: Tensor): number => Number(sum(mul(p, q)).item()) + 0;
        expect(inner(x, back)).toBe(inner(wide, y));
      }),
    );
  });

  it('a transposed convolution is a convolution of its input drawn apart with the kernel turned round', () => {
    fc.assert(
      fc.property(cases, ({ rank, n, c, o, s, k, options: { stride, dilation } }) => {
        const [x, w] = [integers([n, c, ...s], 1), integers([c, o, ...k], 2)];
        const spatial = k.map((_, axis) => axis + 2);
        const padding = k.map((length, axis) => dilation[axis]! * (length - 1));
        const drawn = convs[rank - 1]!(x, flip(swapAxes(w, 0, 1), spatial), {
          padding,
          dilation,
          inputDilation: stride,
        });
        const y = transposes[rank - 1]!(x, w, { stride, dilation });
        expect(y.shape).toEqual(drawn.shape);
        close(y, drawn.toArray() as number[], 0);
      }),
    );
  });
});

describe('values, types and ways to call', () => {
  const x = tensor([[[1, 2, 3, 4]]]);
  const w = tensor([[[1, 10]], [[0, 1]]]);

  it('a batch, and a sample alone', () => {
    const y = conv1d(x, w);
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [1, 2, 3], 'float32'>>();
    expect(y.toArray()).toEqual([
      [
        [21, 32, 43],
        [2, 3, 4],
      ],
    ]);
    const alone = conv1d(tensor([[1, 2, 3, 4]]), w);
    expectTypeOf(alone).toEqualTypeOf<Tensor<readonly [2, 3], 'float32'>>();
    expect(alone.toArray()).toEqual([
      [21, 32, 43],
      [2, 3, 4],
    ]);
    const back = convTranspose1d(y, w);
    expectTypeOf(back).toEqualTypeOf<Tensor<readonly [1, 1, 4], 'float32'>>();
    expect(back.shape).toEqual([1, 1, 4]);
    expect(conv1d(x as Tensor, w as Tensor).shape).toEqual([1, 2, 3]);
    expectTypeOf(conv1d(x as Tensor, w as Tensor).shape).toEqualTypeOf<readonly number[]>();
  });

  it('data last', () => {
    const y = pipe(x, conv1d(w, { stride: 2 }));
    expectTypeOf(y).toEqualTypeOf<Tensor<readonly [1, 2, 2], 'float32'>>();
    expect(y.toArray()).toEqual(conv1d(x, w, { stride: 2 }).toArray());
    expect(pipe(x, conv1d(w)).toArray()).toEqual(conv1d(x, w).toArray());
    expect(pipe(x, convTranspose1d(swapAxes(w, 0, 1), { stride: 2 })).shape).toEqual([1, 2, 8]);
  });

  it('kinds of padding', () => {
    expect(conv1d(x, w, { padding: 'valid' }).toArray()).toEqual(conv1d(x, w).toArray());
    expect(conv1d(x, w, { padding: 'same' }).toArray()).toEqual(conv1d(x, w, { padding: [[0, 1]] }).toArray());
    expect(conv1d(x, w, { padding: [[1, 0]] }).toArray()).toEqual([
      [
        [10, 21, 32, 43],
        [1, 2, 3, 4],
      ],
    ]);
    const picture = integers([2, 5, 6], 0);
    const kernel = integers([3, 2, 4, 2], 1);
    expect(conv2d(picture, kernel, { padding: 'same', dilation: [1, 3] }).shape).toEqual([3, 5, 6]);
    expect(conv2d(picture, kernel, { padding: [1, [0, 2]] }).toArray()).toEqual(
      conv2d(picture, kernel, {
        padding: [
          [1, 1],
          [0, 2],
        ],
      }).toArray(),
    );
    expect(conv2d(picture, kernel, { padding: 'same', inputDilation: 2 }).shape).toEqual([3, 9, 11]);
  });

  it('dtypes', () => {
    const bools = tensor([[[true, true, false]]]);
    const y = conv1d(bools, bools);
    expectTypeOf(y.dtype).toEqualTypeOf<'int32'>();
    expect([y.dtype, y.toArray()]).toEqual(['int32', [[[2]]]]);
    expect(conv1d(x, tensor(w.toArray(), { dtype: 'float64' })).dtype).toBe('float64');
    expect(conv1d(x, tensor([[[1, 10]]], { dtype: 'int32' })).dtype).toBe('float32');
    const large = tensor([[[2 ** 31, 3]]], { dtype: 'uint32' });
    expect(conv1d(large, large).toArray()).toEqual([[[9]]]);
  });

  it('zeros of the padding are multiplied', () => {
    const infinite = tensor([[[Infinity, 1]]], { dtype: 'float64' });
    const ones = tensor([[[1, 1]]], { dtype: 'float64' });
    expect(conv1d(ones, infinite, { padding: 1 }).toArray()).toEqual([[[NaN, Infinity, Infinity]]]);
    // Only the elements of the kernel that meet an element: with a stride of 2 each result has one.
    expect(convTranspose1d(ones, infinite, { stride: 2 }).toArray()).toEqual([[[Infinity, 1, Infinity, 1]]]);
    expect(convTranspose1d(ones, infinite).toArray()).toEqual([[[Infinity, Infinity, NaN]]]);
  });

  it('nothing', () => {
    expect(conv1d(zeros([0, 1, 4]), w).shape).toEqual([0, 2, 3]);
    expect(conv1d(zeros([2, 0, 4]), zeros([3, 0, 2]), { padding: 1 }).toArray()).toEqual([
      Array(3).fill([0, 0, 0, 0, 0]),
      Array(3).fill([0, 0, 0, 0, 0]),
    ]);
    expect(conv1d(x, zeros([0, 1, 2])).shape).toEqual([1, 0, 3]);
    expect(convTranspose1d(zeros([1, 0, 2]), zeros([0, 1, 2])).toArray()).toEqual([[[0, 0, 0]]]);
    const none = grad((v: Tensor) => sum(conv1d(zeros([0, 1, 4]) as Tensor, v)))(w as Tensor);
    expect(none.toArray()).toEqual(zeros([2, 1, 2]).toArray());
  });

  it('a sample has the bits it has alone', () => {
    const batch = normal(key(0), [3, 4, 9, 7]);
    const kernel = normal(key(1), [6, 2, 3, 3]);
    const options = { padding: 1, groups: 2, stride: [1, 2] } as const;
    const all = conv2d(batch, kernel, options);
    expect(conv2d(take(batch, 1), kernel, options).toArray()).toEqual(take(all, 1).toArray());
  });
});

describe('refuses', () => {
  const x = zeros([1, 4, 5, 5]);
  const w = zeros([6, 2, 3, 3]);
  const message = (f: () => unknown): string => `${caught(f)._tag}: ${caught(f).message}`;

  it('shapes that do not fit', () => {
    // @ts-expect-error conv2d: the input has 4 channels, the kernel takes 2
    expect(message(() => conv2d(x, w))).toBe(
      'ShapeError: conv2d: got float32[1, 4, 5, 5] and float32[6, 2, 3, 3]; kernels of 2 channels in 1 group take an ' +
        'input of 2 channels, not 4. A kernel is [outputs, inputs / groups, …spatial].',
    );
    // @ts-expect-error conv2d: an input is [n, c, h, w] or [c, h, w]
    expect(message(() => conv2d(zeros([5, 5]), w))).toContain('an input is [n, c, h, w] or [c, h, w]');
    // @ts-expect-error conv1d: an input is [n, c, w] or [c, w]
    expect(message(() => conv1d(x, w))).toContain('ShapeError: conv1d: got float32[1, 4, 5, 5] and');
    // @ts-expect-error conv2d: the kernel has two axes of channels, then 2 spatial, not 3
    expect(message(() => conv2d(x, zeros([6, 2, 3])))).toContain('the kernel has 4 axes');
    // @ts-expect-error conv2d: 5 outputs cannot be cut into 2 groups
    expect(message(() => conv2d(x, zeros([5, 2, 3, 3]), { groups: 2 }))).toContain('5 outputs cannot be cut into 2');
    // @ts-expect-error conv2d: the kernel reaches over 7, and the input with its padding has 6 only
    expect(message(() => conv2d(x, zeros([6, 4, 3, 7]), { padding: [0, [1, 0]] }))).toContain(
      'the kernel reaches over [3, 7], and the input with its padding has [5, 6] only',
    );
    // @ts-expect-error conv2d: spatial axes have a length of at least 1
    expect(message(() => conv2d(zeros([1, 4, 0, 5]), zeros([6, 4, 1, 1])))).toContain('a length of at least 1');
    // @ts-expect-error convTranspose2d: the input has 4 channels, the kernel takes 6
    expect(message(() => convTranspose2d(x, w))).toContain(
      'ShapeError: convTranspose2d: got float32[1, 4, 5, 5] and float32[6, 2, 3, 3]; a kernel of 6 channels takes an input of 6',
    );
    // @ts-expect-error convTranspose2d: 4 channels cannot be cut into 3 groups
    expect(message(() => convTranspose2d(x, zeros([4, 2, 3, 3]), { groups: 3 }))).toContain('4 channels cannot be cut');
    // @ts-expect-error convTranspose2d: the padding, 8 in all, cuts the result off
    expect(message(() => convTranspose2d(x, zeros([4, 2, 3, 3]), { padding: 4 }))).toContain('to lengths [-1, -1]');
  });

  it('options that cannot be', () => {
    const both = (options: ConvOptions): string => message(() => conv2d(x, w, options));
    expect(both({ stride: 0 })).toBe(
      'ArgumentError: conv2d: got 0 as stride; stride is an integer ≥ 1, or an array with one for each of 2 spatial axes. ' +
        'Write { stride: 2 } or { stride: [2, 2] }.',
    );
    expect(both({ stride: [1, 2, 3] })).toContain('got [1,2,3] as stride');
    expect(both({ dilation: 1.5 })).toContain('got 1.5 as dilation');
    expect(both({ inputDilation: [0, 1] })).toContain('got [0,1] as inputDilation');
    expect(both({ padding: -1 })).toContain('ArgumentError: conv2d: got -1 as padding');
    expect(both({ padding: [[1, 2]] })).toContain('got [[1,2]] as padding');
    expect(both({ padding: 'full' as never })).toContain('got full as padding');
    expect(both({ padding: 'same', stride: 2 })).toContain("got 'same' as padding with the stride [2, 2]");
    expect(both({ groups: 0 })).toContain('got 0 as groups');
    expect(both({ strides: 2 } as never)).toContain('got the option strides; its options are stride, padding');
    expect(message(() => conv2d(x, w, 2 as never))).toContain('got the number 2 in the place of the options');
    const v = zeros([4, 2, 3, 3]);
    expect(message(() => convTranspose2d(x, v, { outputPadding: 1 }))).toContain('got 1 as outputPadding');
    expect(message(() => convTranspose2d(x, v, { padding: 'same' as never }))).toContain('got same as padding');
    expect(message(() => convTranspose2d(x, v, { inputDilation: 2 } as never))).toContain(
      'got the option inputDilation',
    );
    expect(convTranspose2d(x, v, { outputPadding: 1, dilation: 2 }).shape).toEqual([1, 2, 10, 10]);
  });

  it('dtypes, and what is no tensor', () => {
    expect(message(() => conv2d(zeros([1, 2, 5, 5], { dtype: 'uint8' }), w))).toContain(
      'conv2d: got a tensor of uint8',
    );
    expect(
      message(() => conv2d(zeros([1, 2, 5, 5], { dtype: 'int32' }), zeros([6, 2, 3, 3], { dtype: 'uint32' }))),
    ).toContain('DTypeError: conv2d: got int32[1, 2, 5, 5] and uint32[6, 2, 3, 3]');
    expect(message(() => conv2d(x, [1] as never))).toContain('ArgumentError: conv2d: got an array');
    // @ts-expect-error conv2d: the input has 4 channels, the kernel takes 2
    expect(message(() => jit((n: number) => conv2d(x, w, { stride: n }))(2))).toContain('TraceError: conv2d: got');
  });
});
