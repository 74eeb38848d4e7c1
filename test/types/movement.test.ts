/**
 * What the compiler knows of shapes that are moved, joined, cut, padded and repeated. The assertions are checked by
 * `tsc -p .`; running this file checks that values have the shapes that their types say, and that what the compiler
 * refuses fails at run time as well.
 */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  broadcastTo,
  chunk,
  concat,
  type DType,
  diag,
  diagEmbed,
  diagonal,
  expandDims,
  eye,
  flatten,
  flip,
  matmul,
  meshgrid,
  moveAxis,
  pad,
  permute,
  pixelShuffle,
  pixelUnshuffle,
  rearrange,
  repeat,
  reshape,
  roll,
  type Shape,
  slice,
  split,
  squeeze,
  stack,
  sum,
  swapAxes,
  type Tensor,
  tile,
  trace,
  transpose,
  tril,
  triu,
  unstack,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Mismatch } from '../../src/tensor/shape-types.js';
import type { MatricesShape } from '../../src/tensor/types/indexing.js';
import type { Chunked, Grid } from '../../src/tensor/types/joining.js';
import type { Rolled } from '../../src/tensor/types/ordering.js';
import type { PixelShuffle, PixelUnshuffle } from '../../src/tensor/types/reshaping.js';
import { caught } from '../helpers.js';

// biome-ignore lint/suspicious/noExplicitAny: the signatures must bear it
type Any = any;

/** `S<[2, 3]>`: short for a readonly tuple. */
type S<T extends readonly unknown[]> = Readonly<T>;

type T<X extends Shape, D extends DType = 'float32'> = Tensor<Readonly<X>, D>;

/** The value has the shape, and its type can be asked about. */
const typeOf = <Actual>(actual: Actual & Tensor, shape: Shape) => {
  expect(actual.shape).toEqual(shape);
  return expectTypeOf<Actual>(actual);
};

/** The same of a list of tensors. */
const typesOf = <const Actual extends readonly Tensor[]>(actual: Actual, shapes: readonly Shape[]) => {
  expect(actual.map(x => x.shape)).toEqual(shapes);
  return expectTypeOf<Actual>(actual);
};

/** The call fails because of shapes, axes or what is given beside them. */
const refused = (call: () => unknown): void => {
  expect(caught(call)._tag).toMatch(/^(Shape|Axis|Index|Argument)Error$/);
};

const a23 = zeros([2, 3]);
const a234 = zeros([2, 3, 4]);
const a131 = zeros([1, 3, 1]);
const whole = zeros([2, 3], { dtype: 'int32' });
const flags = zeros([3], { dtype: 'bool' });
const image = zeros([5, 8, 4, 6]);
const count: number = 2;
const rows = zeros([count, 3]);
const unknown: T<Shape> = a23;
const list: readonly number[] = [1, 0];

describe('results', () => {
  it('of reshaping', () => {
    typeOf(reshape(a234, [6, -1]), [6, 4]).toEqualTypeOf<T<[6, 4]>>();
    typeOf(pipe(a234, reshape([-1])), [24]).toEqualTypeOf<T<[24]>>();
    typeOf(reshape(whole, [3, 2]), [3, 2]).toEqualTypeOf<T<[3, 2], 'int32'>>();
    typeOf(reshape(rows, [-1, 1]), [6, 1]).toEqualTypeOf<T<[number, 1]>>();
    typeOf(reshape(unknown, [3, -1]), [3, 2]).toEqualTypeOf<T<[3, number]>>();
    typeOf(reshape(a23, [count, 3]), [2, 3]).toEqualTypeOf<T<[number, 3]>>();
    typeOf(reshape(a23, [...a23.shape, 1]), [2, 3, 1]).toEqualTypeOf<T<[2, 3, 1]>>();
    typeOf(flatten(a234), [24]).toEqualTypeOf<T<[24]>>();
    typeOf(flatten(a234, { start: 1 }), [2, 12]).toEqualTypeOf<T<[2, 12]>>();
    typeOf(pipe(a234, flatten({ end: -2 })), [6, 4]).toEqualTypeOf<T<[6, 4]>>();
    typeOf(pipe(whole, flatten), [6]).toExtend<Tensor>();
    typeOf(flatten(zeros([])), [1]).toEqualTypeOf<T<[1]>>();
    typeOf(broadcastTo(flags, [4, 3]), [4, 3]).toEqualTypeOf<T<[4, 3], 'bool'>>();
    typeOf(pipe(a131, broadcastTo([2, 3, 5])), [2, 3, 5]).toEqualTypeOf<T<[2, 3, 5]>>();
  });

  it('of axes in another order', () => {
    typeOf(permute(a234, [2, 0, 1]), [4, 2, 3]).toEqualTypeOf<T<[4, 2, 3]>>();
    typeOf(pipe(a234, permute([-1, 0, -2])), [4, 2, 3]).toEqualTypeOf<T<[4, 2, 3]>>();
    typeOf(permute(a23, list), [3, 2]).toEqualTypeOf<T<[number, number]>>();
    typeOf(transpose(a234), [4, 3, 2]).toEqualTypeOf<T<[4, 3, 2]>>();
    typeOf(pipe(whole, transpose), [3, 2]).toEqualTypeOf<T<[3, 2], 'int32'>>();
    typeOf(swapAxes(a234, 0, -1), [4, 3, 2]).toEqualTypeOf<T<[4, 3, 2]>>();
    typeOf(pipe(a234, swapAxes(1, 2)), [2, 4, 3]).toEqualTypeOf<T<[2, 4, 3]>>();
    typeOf(swapAxes(unknown, 0, 1), [3, 2]).toEqualTypeOf<T<Shape>>();
    typeOf(moveAxis(a234, 0, -1), [3, 4, 2]).toEqualTypeOf<T<[3, 4, 2]>>();
    typeOf(pipe(a234, moveAxis([0, 1], [2, 0])), [3, 4, 2]).toEqualTypeOf<T<[3, 4, 2]>>();
    typeOf(flip(whole, [0, -1]), [2, 3]).toEqualTypeOf<T<[2, 3], 'int32'>>();
    typeOf(pipe(a23, flip()), [2, 3]).toEqualTypeOf<T<[2, 3]>>();
    typeOf(roll(a23, [1, -1], { axis: [0, 0] }), [2, 3]).toEqualTypeOf<T<[2, 3]>>();
    typeOf(pipe(flags, roll(1)), [3]).toEqualTypeOf<T<[3], 'bool'>>();
  });

  it('of axes of length 1', () => {
    typeOf(squeeze(a131), [3]).toEqualTypeOf<T<[3]>>();
    typeOf(squeeze(a131, 0), [3, 1]).toEqualTypeOf<T<[3, 1]>>();
    typeOf(squeeze(a131, [0, -1]), [3]).toEqualTypeOf<T<[3]>>();
    typeOf(pipe(a131, squeeze(-1)), [1, 3]).toEqualTypeOf<T<[1, 3]>>();
    typeOf(pipe(a131, squeeze()), [3]).toEqualTypeOf<T<[3]>>();
    typeOf(squeeze(rows), [2, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(expandDims(a23, 1), [2, 1, 3]).toEqualTypeOf<T<[2, 1, 3]>>();
    typeOf(expandDims(whole, [0, -1]), [1, 2, 3, 1]).toEqualTypeOf<T<[1, 2, 3, 1], 'int32'>>();
    typeOf(pipe(a23, expandDims(-1)), [2, 3, 1]).toEqualTypeOf<T<[2, 3, 1]>>();
    typeOf(expandDims(rows, 0), [1, 2, 3]).toEqualTypeOf<T<[1, number, 3]>>();
  });

  it('of joining', () => {
    typeOf(concat([a23, whole]), [4, 3]).toEqualTypeOf<T<[4, 3]>>();
    typeOf(concat([a23, zeros([2, 5])], { axis: -1 }), [2, 8]).toEqualTypeOf<T<[2, 8]>>();
    typeOf(concat([rows, a23]), [4, 3]).toEqualTypeOf<T<[number, 3]>>();
    typeOf(concat([flags, flags]), [6]).toEqualTypeOf<T<[6], 'bool'>>();
    const many: readonly T<[2, 3]>[] = [a23, a23];
    typeOf(concat(many), [4, 3]).toEqualTypeOf<T<[number, 3]>>();
    typeOf(stack([a23, a23, a23]), [3, 2, 3]).toEqualTypeOf<T<[3, 2, 3]>>();
    typeOf(stack([whole, whole], { axis: 1 }), [2, 2, 3]).toEqualTypeOf<T<[2, 2, 3], 'int32'>>();
    typeOf(stack(many, { axis: -1 }), [2, 3, 2]).toEqualTypeOf<T<[2, 3, number]>>();
    typesOf(meshgrid(flags, zeros([2])), [
      [2, 3],
      [2, 3],
    ]).toEqualTypeOf<readonly [T<[2, 3], 'bool'>, T<[2, 3]>]>();
    typesOf(meshgrid(flags, zeros([2]), { indexing: 'ij' }), [
      [3, 2],
      [3, 2],
    ]).toEqualTypeOf<readonly [T<[3, 2], 'bool'>, T<[3, 2]>]>();
  });

  it('of cutting', () => {
    typesOf(split(a23, [1, 2], { axis: 1 }), [
      [2, 1],
      [2, 2],
    ]).toEqualTypeOf<readonly [T<[2, 1]>, T<[2, 2]>]>();
    typesOf(split(a234, 2, { axis: -1 }), [
      [2, 3, 2],
      [2, 3, 2],
    ]).toEqualTypeOf<readonly [T<[2, 3, 2]>, T<[2, 3, 2]>]>();
    typesOf(pipe(a23, split([1, 1])), [
      [1, 3],
      [1, 3],
    ]).toEqualTypeOf<readonly [T<[1, 3]>, T<[1, 3]>]>();
    typesOf(split(a23, count), [
      [1, 3],
      [1, 3],
    ]).toEqualTypeOf<readonly T<[number, 3]>[]>();
    typesOf(chunk(a23, 2, { axis: 1 }), [
      [2, 2],
      [2, 1],
    ]).toEqualTypeOf<readonly T<[2, number]>[]>();
    typesOf(unstack(whole), [[3], [3]]).toEqualTypeOf<readonly [T<[3], 'int32'>, T<[3], 'int32'>]>();
    typesOf(pipe(a23, unstack({ axis: -1 })), [[2], [2], [2]]).toEqualTypeOf<readonly [T<[2]>, T<[2]>, T<[2]>]>();
    typesOf(unstack(rows), [[3], [3]]).toEqualTypeOf<readonly T<[3]>[]>();
    const nested: number[][][] = split(a23, [1, 2], { axis: 1 }).map(x => x.toArray());
    expect(nested[1]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    typeOf(slice(a234, [0, 1], [2, 3]), [2, 2, 4]).toEqualTypeOf<T<[2, 2, 4]>>();
    typeOf(slice(a234, [-1]), [1, 3, 4]).toEqualTypeOf<T<[1, 3, 4]>>();
    typeOf(slice(whole, [], [], [null, -2]), [2, 2]).toEqualTypeOf<T<[2, 2], 'int32'>>();
    typeOf(pipe(a23, slice([0, 1])), [2, 2]).toEqualTypeOf<T<[2, 2]>>();
    typeOf(pipe(a23, slice([0], [1])), [1, 3]).toEqualTypeOf<T<[1, 3]>>();
    typeOf(slice(a23, [0], [count]), [2, 3]).toEqualTypeOf<T<[number, 3]>>();
  });

  it('of padding and repeating', () => {
    const framed = pad(a23, [
      [1, 1],
      [0, 2],
    ]);
    typeOf(framed, [4, 5]).toEqualTypeOf<T<[4, 5]>>();
    typeOf(pipe(flags, pad([[2, 0]], { mode: 'circular' })), [5]).toEqualTypeOf<T<[5], 'bool'>>();
    typeOf(pad(flags, [[count, 0]]), [5]).toEqualTypeOf<T<[number], 'bool'>>();
    typeOf(tile(a23, [2]), [2, 6]).toEqualTypeOf<T<[2, 6]>>();
    typeOf(pipe(flags, tile([4, 2])), [4, 6]).toEqualTypeOf<T<[4, 6], 'bool'>>();
    typeOf(repeat(a23, 4), [8, 3]).toEqualTypeOf<T<[8, 3]>>();
    typeOf(repeat(a23, [2, 0, 1], { axis: -1 }), [2, 3]).toEqualTypeOf<T<[2, 3]>>();
    typeOf(pipe(a23, repeat(2, { axis: 1 })), [2, 6]).toEqualTypeOf<T<[2, 6]>>();
    typeOf(repeat(a23, count), [4, 3]).toEqualTypeOf<T<[number, 3]>>();
    typeOf(pixelShuffle(image, 2), [5, 2, 8, 12]).toEqualTypeOf<T<[5, 2, 8, 12]>>();
    typeOf(pipe(image, pixelUnshuffle(2)), [5, 32, 2, 3]).toEqualTypeOf<T<[5, 32, 2, 3]>>();
    typeOf(pixelShuffle(zeros([count * 2, 4, 4]), 2), [1, 8, 8]).toEqualTypeOf<T<[number, 8, 8]>>();
  });

  it('of patterns', () => {
    typeOf(rearrange(a23, 'a b -> b a'), [3, 2]).toEqualTypeOf<T<[3, 2]>>();
    typeOf(rearrange(a234, 'a b (h w) -> a (b h) w', { h: 2 }), [2, 6, 2]).toEqualTypeOf<T<[2, 6, 2]>>();
    typeOf(pipe(image, rearrange('b ... -> b (...)')), [5, 192]).toEqualTypeOf<T<[5, 192]>>();
    typeOf(pipe(flags, rearrange('a -> a n', { n: 2 })), [3, 2]).toEqualTypeOf<T<[3, 2], 'bool'>>();
    typeOf(rearrange(a23, 'a b -> b a' as string), [3, 2]).toEqualTypeOf<T<Shape>>();
  });

  it('of diagonals', () => {
    typeOf(tril(whole), [2, 3]).toEqualTypeOf<T<[2, 3], 'int32'>>();
    typeOf(pipe(a234, triu({ k: 1 })), [2, 3, 4]).toEqualTypeOf<T<[2, 3, 4]>>();
    typeOf(diagonal(a23), [2]).toEqualTypeOf<T<[2]>>();
    typeOf(diagonal(a234, { offset: 2, axis1: -2, axis2: -1 }), [2, 2]).toEqualTypeOf<T<[2, 2]>>();
    typeOf(pipe(a234, diagonal({ offset: -1 })), [4, 1]).toEqualTypeOf<T<[4, 1]>>();
    typeOf(trace(a23), []).toEqualTypeOf<T<[]>>();
    typeOf(pipe(a234, trace({ axis2: 2 })), [3]).toEqualTypeOf<T<[3]>>();
    typeOf(trace(zeros([2, 2], { dtype: 'bool' })), []).toEqualTypeOf<T<[], 'int32'>>();
    typeOf(diag(flags, { k: -1 }), [4, 4]).toEqualTypeOf<T<[4, 4], 'bool'>>();
    typeOf(pipe(a23, diag({ k: 1 })), [2]).toEqualTypeOf<T<[2]>>();
    typeOf(diagEmbed(a23), [2, 3, 3]).toEqualTypeOf<T<[2, 3, 3]>>();
    typeOf(pipe(a23, diagEmbed({ offset: 2 })), [2, 5, 5]).toEqualTypeOf<T<[2, 5, 5]>>();
    typeOf(eye(2, { m: 3, dtype: 'int32' }), [2, 3]).toEqualTypeOf<T<[2, 3], 'int32'>>();
  });

  it('of one move after the other', () => {
    const heads = pipe(
      zeros([8, 16, 64]),
      rearrange('b t (h d) -> b h t d', { h: 4 }),
      swapAxes(-1, -2),
      reshape([-1, 16, 16]),
    );
    typeOf(heads, [32, 16, 16]).toEqualTypeOf<T<[32, 16, 16]>>();
    typeOf(pipe(a23, expandDims(0), concat2, squeeze()), [2, 2, 3]).toEqualTypeOf<T<[2, 2, 3]>>();
    typeOf(matmul(transpose(a23), a23), [3, 3]).toEqualTypeOf<T<[3, 3]>>();
  });
});

const concat2 = (x: T<[1, 2, 3]>) => concat([x, x]);

describe('what is not known', () => {
  it('any', () => {
    const untyped: Any = a23;
    const results: readonly Tensor[] = [
      reshape(untyped, [6]),
      flatten(untyped),
      permute(untyped, [1, 0]),
      squeeze(untyped),
      expandDims(untyped, 0),
      concat([untyped, a23]),
      slice(untyped, [0], [1]),
      flip(untyped),
      flip(untyped, 0),
      roll(untyped, 1),
      pad(untyped, [
        [0, 0],
        [0, 1],
      ]),
      repeat(untyped, 2),
      rearrange(untyped, 'a b -> b a'),
      diagonal(untyped),
      ...split(untyped, 2),
      ...unstack(untyped),
      ...meshgrid(untyped[0] ?? flags, flags),
    ];
    expect(results.length).toBe(20);
  });

  it('tensors of several shapes', () => {
    const parameters = [a23, flags] as const;
    const flat: readonly Tensor<readonly [number]>[] = parameters.map(x => flatten(x));
    const rest: readonly Tensor[] = [
      ...parameters.map(x => reshape(x, [-1, 1])),
      ...parameters.map(x => pipe(x, expandDims(0), squeeze(0), transpose)),
      ...parameters.map(x => roll(flip(x, 0), 1)),
      ...parameters.map(x => slice(x, [0], [2])),
      ...parameters.map(x => repeat(tile(x, [2]), 2)),
      ...parameters.map(x => rearrange(x, '... -> (...) 1')),
      ...parameters.map(x => concat([x, x])),
      ...parameters.flatMap(x => [...unstack(x), ...chunk(x, 2)]),
    ];
    expect([flat.map(x => x.shape), rest.length]).toEqual([[[6], [3]], 23]);
  });

  it('numbers, unions and lists', () => {
    const axis: number = 0;
    const one = (count > 1 ? 0 : 1) as 0 | 1;
    const results: readonly Tensor[] = [
      reshape(a23, list.with(1, 6)),
      flatten(a23, { start: axis }),
      permute(a23, [axis, 1]),
      swapAxes(a23, one, axis),
      moveAxis(a23, [...list], list),
      squeeze(zeros([1, 1]), axis),
      squeeze(zeros([1, 1]), list),
      expandDims(a23, one),
      concat([a23, unknown], { axis: one }),
      stack([a23, unknown], { axis }),
      slice(a23, list),
      flip(a23, one),
      roll(a23, list, { axis: list }),
      tile(a23, list),
      repeat(a23, one, { axis }),
      diagonal(a23, { offset: axis }),
      ...split(a23, list.with(1, 1)),
      ...chunk(a23, count, { axis: one }),
      ...unstack(a23, { axis }),
    ];
    expect(results.length).toBe(22);
  });
});

describe('generic functions', () => {
  const rowsOf = <X extends Shape>(x: Tensor<X>): Tensor => sum(reshape(x, [2, -1]), { axis: 1 });
  const turned = <X extends Shape>(x: Tensor<X>): Tensor => pipe(x, permute([1, 0]), swapAxes(0, 1), moveAxis(0, 1));
  const raised = <X extends Shape>(x: Tensor<X>): Tensor => squeeze(expandDims(flatten(x), 0), 0);
  const doubled = <X extends Shape>(x: Tensor<X>): Tensor => concat([x, x], { axis: 1 });
  const piled = <X extends Shape>(xs: readonly Tensor<X>[]): Tensor => stack(xs);
  const halves = <X extends Shape>(x: Tensor<X>): readonly Tensor[] => [...split(x, 2), ...split(x, [1, 1])];
  const sliced = <X extends Shape>(x: Tensor<X>): Tensor =>
    pipe(
      x,
      slice([0], [1]),
      pad([
        [1, 0],
        [0, 0],
      ]),
      repeat(2),
    );
  const same = <X extends Shape, D extends DType>(x: Tensor<X, D>): Tensor<X, D> =>
    tril(roll(flip(x, 0), 1, { axis: 0 }));
  const tiled = <X extends Shape>(x: Tensor<X>): Tensor =>
    pipe(x, tile([2, 1]), rearrange('a (b c) -> b a c', { b: 1 }));
  const diagonals = <X extends Shape>(x: Tensor<X>): Tensor => diagEmbed(add(diagonal(x), diag(x)));
  const spread = <X extends Shape>(x: T<[3]>, shape: X): Tensor<X> => broadcastTo(x, shape);
  const flat = <N extends number>(x: T<[N, 3]>): T<[3, N]> => permute(transpose(transpose(x)), [1, 0]);
  const batch = <N extends number>(x: T<[N, 3]>): T<[1, N, 3]> => expandDims(x, 0);
  const cut = <N extends number>(x: T<[N, 3]>): Tensor => rearrange(slice(x, [0], [2]), 'a (b c) -> (a b) c', { b: 3 });

  const columns = <X extends Shape>(x: Tensor<X>): T<[number, 3], DType> => reshape(x, [-1, 3]);
  const line = <X extends Shape>(x: Tensor<X>): T<[number], DType> => flatten(x);
  const wide = <N extends number>(x: T<[N, 3]>): T<[N, 6]> => concat([x, x], { axis: 1 });
  const pairs = <N extends number>(x: T<[N, 3]>): T<[N, 2, 3]> => stack([x, x], { axis: 1 });

  it('with a shape that is a parameter', () => {
    const shapes = [rowsOf, turned, raised, doubled, sliced, same, tiled, diagonals].map(f => f(zeros([2, 2])).shape);
    expect(shapes).toEqual([[2], [2, 2], [4], [2, 4], [4, 2], [2, 2], [1, 4, 2], [2, 2]]);
    expect(piled([a23, a23]).shape).toEqual([2, 2, 3]);
    expect(halves(a23).map(x => x.shape)).toEqual(new Array(4).fill([1, 3]));
    expect([columns(a234).shape, line(a234).shape]).toEqual([[8, 3], [24]]);
    typeOf(spread(zeros([3]), [2, 3]), [2, 3]).toExtend<Tensor>();
  });

  it('with a length that is a parameter', () => {
    typeOf(flat(a23), [3, 2]).toEqualTypeOf<T<[3, 2]>>();
    typeOf(batch(a23), [1, 2, 3]).toEqualTypeOf<T<[1, 2, 3]>>();
    expect(cut(a23).shape).toEqual([6, 1]);
    typeOf(wide(a23), [2, 6]).toEqualTypeOf<T<[2, 6]>>();
    typeOf(pairs(a23), [2, 2, 3]).toEqualTypeOf<T<[2, 2, 3]>>();
  });
});

describe('refusals', () => {
  it('of reshaping', () => {
    // @ts-expect-error reshape: [2, 3] has 6 elements, [4, 2] has 8
    refused(() => reshape(a23, [4, 2]));
    // @ts-expect-error reshape: [2, 3] has 6 elements, which 4 does not divide
    refused(() => pipe(a23, reshape([4, -1])));
    // @ts-expect-error reshape: more than one length of [-1, -1] is -1
    refused(() => reshape(unknown, [-1, -1]));
    // @ts-expect-error flatten: axis 0, the last, comes before axis 1, the first
    refused(() => flatten(a23, { start: 1, end: 0 }));
    // @ts-expect-error flatten: axis 2 is out of range for rank 2
    refused(() => pipe(a23, flatten({ start: 2 })));
    // @ts-expect-error the options are start and end
    refused(() => flatten(a23, { from: 1 }));
    // @ts-expect-error broadcastTo: length 3 does not become 4
    refused(() => broadcastTo(flags, [2, 4]));
    // @ts-expect-error broadcastTo: [2, 3] has more axes than [3]
    refused(() => pipe(a23, broadcastTo([3])));
  });

  it('of axes', () => {
    // @ts-expect-error permute: 1 axes are named for rank 2
    refused(() => permute(a23, [0]));
    // @ts-expect-error permute: axis 1 is named twice
    refused(() => pipe(a23, permute([1, -1])));
    // @ts-expect-error swapAxes: axis 2 is out of range for rank 2
    refused(() => swapAxes(a23, 0, 2));
    // @ts-expect-error swapAxes: axis -3 is out of range for rank 2
    refused(() => pipe(a23, swapAxes(-3, 0)));
    // @ts-expect-error moveAxis: 2 axes go to 1 places
    refused(() => moveAxis(a23, [0, 1], 0));
    // @ts-expect-error moveAxis: axis 5 is out of range for rank 2
    refused(() => pipe(a23, moveAxis(5, 0)));
    // @ts-expect-error squeeze: axis 1 has length 3, not 1
    refused(() => squeeze(a131, 1));
    // @ts-expect-error squeeze: axis 3 is out of range for rank 3
    refused(() => pipe(a131, squeeze(3)));
    // @ts-expect-error expandDims: axis 3 is out of range for the result's rank 3
    refused(() => expandDims(a23, 3));
    // @ts-expect-error expandDims: axis 0 is named twice
    refused(() => pipe(a23, expandDims([0, -4])));
    // @ts-expect-error flip: axis 2 is out of range for rank 2
    refused(() => flip(a23, 2));
    // @ts-expect-error flip: axis 0 is named twice
    refused(() => pipe(a23, flip([0, -2])));
    // @ts-expect-error roll: 2 shifts are given for 1 axes
    refused(() => roll(a23, [1, 2], { axis: 0 }));
    // @ts-expect-error roll: axis 2 is out of range for rank 2
    refused(() => pipe(a23, roll(1, { axis: [0, 2] })));
    expectTypeOf<Rolled<S<[2, 3]>, S<[1, 1]>, null>>().toEqualTypeOf<Mismatch<'roll: 2 shifts are given for 1 axes'>>();
    expectTypeOf<Rolled<S<[2, 3]>, 1, S<[0, 2]>>>().toEqualTypeOf<
      Mismatch<'roll: axis 2 is out of range for rank 2'>
    >();
  });

  it('of joining and cutting', () => {
    // @ts-expect-error concat: lengths 3 and 4 of axis 1 differ
    refused(() => concat([a23, zeros([2, 4])]));
    // @ts-expect-error concat: [2, 3] and [3] have ranks 2 and 1
    refused(() => concat([a23, flags]));
    // @ts-expect-error concat: axis 2 is out of range for rank 2
    refused(() => concat([a23, a23], { axis: 2 }));
    // @ts-expect-error stack: the shapes [2, 3] and [3] differ
    refused(() => stack([a23, flags]));
    // @ts-expect-error stack: axis 3 is out of range for the result's rank 3
    refused(() => stack([a23, a23], { axis: 3 }));
    // @ts-expect-error split: length 3 of axis 1 does not divide into 2 equal parts
    refused(() => split(a23, 2, { axis: 1 }));
    // @ts-expect-error split: the sizes [1, 2] add up to 3, axis 0 has length 2
    refused(() => pipe(a23, split([1, 2])));
    // @ts-expect-error chunk: axis 2 is out of range for rank 2
    refused(() => chunk(a23, 2, { axis: 2 }));
    // @ts-expect-error chunk: axis 2 is out of range for rank 2
    refused(() => pipe(a23, chunk(2, { axis: 2 })));
    // @ts-expect-error unstack: axis -3 is out of range for rank 2
    refused(() => unstack(a23, { axis: -3 }));
    // @ts-expect-error unstack: axis 0 is out of range for rank 0
    refused(() => unstack(zeros([])));
    // @ts-expect-error slice: start has 3 entries for 2 axes
    refused(() => slice(a23, [0, 0, 0]));
    // @ts-expect-error slice: the step of axis 1 is 0
    refused(() => pipe(a23, slice([], [], [null, 0])));
    // @ts-expect-error meshgrid: coordinates along an axis are a vector, not a tensor of rank 2
    refused(() => meshgrid(flags, a23));
    expectTypeOf<Grid<readonly [S<[3]>, S<[2, 3]>], 'ij'>>().toEqualTypeOf<
      Mismatch<'meshgrid: coordinates along an axis are a vector, not a tensor of rank 2'>
    >();
    expectTypeOf<Chunked<S<[2, 3]>, 2>>().toEqualTypeOf<Mismatch<'chunk: axis 2 is out of range for rank 2'>>();
    expectTypeOf<Grid<readonly [], 'xy'>>().toEqualTypeOf<Mismatch<'meshgrid: a grid has one vector or more'>>();
  });

  it('of padding and repeating', () => {
    // @ts-expect-error pad: 1 pairs of widths are given for 2 axes
    refused(() => pad(a23, [[1, 1]]));
    // @ts-expect-error pad: 1 pairs of widths are given for 2 axes
    refused(() => pipe(a23, pad([[1, 1]])));
    // @ts-expect-error repeat: 2 counts are given for the length 3 of axis 1
    refused(() => repeat(a23, [1, 2], { axis: 1 }));
    // @ts-expect-error repeat: axis 5 is out of range for rank 2
    refused(() => pipe(a23, repeat(2, { axis: 5 })));
    // @ts-expect-error pixelShuffle: 9 does not divide the 8 channels
    refused(() => pixelShuffle(image, 3));
    // @ts-expect-error pixelUnshuffle: 4 does not divide height and width, 4 and 6
    refused(() => pipe(image, pixelUnshuffle(4)));
    // @ts-expect-error pixelShuffle: an image has the axes […, channels, height, width]
    refused(() => pixelShuffle(a23, 1));
    expectTypeOf<PixelShuffle<S<[8, 4, 6]>, 3>>().toEqualTypeOf<
      Mismatch<'pixelShuffle: 9 does not divide the 8 channels'>
    >();
    expectTypeOf<PixelUnshuffle<S<[8, 4, 6]>, 4>>().toEqualTypeOf<
      Mismatch<'pixelUnshuffle: 4 does not divide height and width, 4 and 6'>
    >();
    expectTypeOf<PixelUnshuffle<S<[4, 6]>, 2>>().toEqualTypeOf<
      Mismatch<'pixelUnshuffle: an image has the axes […, channels, height, width]'>
    >();
  });

  it('of patterns', () => {
    // @ts-expect-error rearrange: the pattern has 3 axes on the left, the tensor 2
    refused(() => rearrange(a23, 'a b c -> c b a'));
    // @ts-expect-error rearrange: the length 3 of (h w) is no multiple of 2
    refused(() => pipe(a23, rearrange('a (h w) -> a h w', { h: 2 })));
    // @ts-expect-error rearrange: b stands on the left only
    refused(() => rearrange(a23, 'a b -> a'));
  });

  it('of diagonals', () => {
    // @ts-expect-error tril: a matrix has two axes or more
    refused(() => tril(flags));
    // @ts-expect-error triu: a matrix has two axes or more
    refused(() => pipe(flags, triu({ k: 1 })));
    // @ts-expect-error diagonal: a matrix has two axes or more
    refused(() => diagonal(flags));
    // @ts-expect-error diagonal: rows and columns are two axes
    refused(() => diagonal(a23, { axis1: 1 }));
    // @ts-expect-error trace: axis 2 is out of range for rank 2
    refused(() => pipe(a23, trace({ axis2: 2 })));
    // @ts-expect-error diagEmbed: a scalar is no diagonal
    refused(() => diagEmbed(zeros([])));
    // @ts-expect-error diag: it takes a vector or a matrix, not a tensor of rank 3
    refused(() => diag(a234));
    expectTypeOf<MatricesShape<'tril', S<[3]>>>().toEqualTypeOf<Mismatch<'tril: a matrix has two axes or more'>>();
  });
});
