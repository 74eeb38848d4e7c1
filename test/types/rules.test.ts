/**
 * The rules by which the compiler follows shapes: arithmetic, reshaping, axes, joining and slicing. The assertions are
 * checked by `tsc -p .`; running this file checks that operations agree with the rules, and that what a rule refuses
 * fails at run time as well.
 */
import {
  broadcastTo,
  concat,
  expandDims,
  flatten,
  moveAxis,
  pad,
  permute,
  repeat,
  reshape,
  type Shape,
  slice,
  split,
  squeeze,
  stack,
  sum,
  swapAxes,
  type Tensor,
  tile,
  transpose,
  zeros,
} from 'tenfold';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Fit, Mismatch } from '../../src/tensor/shape-types.js';
import type {
  Add,
  Compare,
  FloorDivide,
  Multiply,
  Product,
  Remainder,
  Subtract,
} from '../../src/tensor/types/arithmetic.js';
import type { Along, ExpandDims, Reduce, Squeeze } from '../../src/tensor/types/axes.js';
import type { Concat, SplitEqually, SplitSizes, Stack, Total } from '../../src/tensor/types/joining.js';
import type { MoveAxis, Permute, SwapAxes, Transpose } from '../../src/tensor/types/ordering.js';
import type { BroadcastTo, Flatten, Reshape } from '../../src/tensor/types/reshaping.js';
import type { Pad, Repeat, Slice, Tile } from '../../src/tensor/types/slicing.js';
import { caught } from '../helpers.js';

// biome-ignore lint/suspicious/noExplicitAny: the rules must bear it
type Any = any;

/** `S<[2, 3]>`: short for a readonly tuple. */
type S<T extends readonly unknown[]> = Readonly<T>;

/** The tensor has a shape that the rule gives, and the rule can be asked about. */
const gives = <Rule>(x: Tensor, shape: Rule & Shape) => {
  expect(x.shape).toEqual(shape);
  return expectTypeOf<Rule>();
};

/** The call fails, and the rule can be asked about. */
const refuses = <Rule>(call: () => unknown) => {
  expect(caught(call)._tag).toMatch(/^(Shape|Axis|Index|Argument)Error$/);
  return expectTypeOf<Rule>();
};

/** An operation called with what its signatures may refuse. */
const untyped = <F>(f: F) => f as (...args: unknown[]) => Tensor;

const a234 = zeros([2, 3, 4]);
const a23 = zeros([2, 3]);
const ten = zeros([10]);

describe('arithmetic', () => {
  it('of digits', () => {
    expectTypeOf<Add<0, 0>>().toEqualTypeOf<0>();
    expectTypeOf<Add<999, 1>>().toEqualTypeOf<1000>();
    expectTypeOf<Add<1, 999>>().toEqualTypeOf<1000>();
    expectTypeOf<Add<9999999, 7>>().toEqualTypeOf<10000006>();
    expectTypeOf<Subtract<1000, 1>>().toEqualTypeOf<999>();
    expectTypeOf<Subtract<5, 5>>().toEqualTypeOf<0>();
    expectTypeOf<Subtract<3, 1000>>().toEqualTypeOf<-997>();
    expectTypeOf<Multiply<1024, 1024>>().toEqualTypeOf<1048576>();
    expectTypeOf<Multiply<99999, 99999>>().toEqualTypeOf<9999800001>();
    expectTypeOf<Multiply<0, 17>>().toEqualTypeOf<0>();
    expectTypeOf<Multiply<17, 0>>().toEqualTypeOf<0>();
    expectTypeOf<FloorDivide<196608, 3072>>().toEqualTypeOf<64>();
    expectTypeOf<FloorDivide<1023, 2>>().toEqualTypeOf<511>();
    expectTypeOf<FloorDivide<3, 20>>().toEqualTypeOf<0>();
    expectTypeOf<Remainder<100, 7>>().toEqualTypeOf<2>();
    expectTypeOf<Remainder<7, 7>>().toEqualTypeOf<0>();
    expectTypeOf<Compare<9, 10>>().toEqualTypeOf<-1>();
    expectTypeOf<Compare<10, 10>>().toEqualTypeOf<0>();
    expectTypeOf<Compare<10, 9>>().toEqualTypeOf<1>();
    expectTypeOf<Product<S<[64, 3, 1024, 1024]>>>().toEqualTypeOf<201326592>();
    expectTypeOf<Product<S<[0, 5]>>>().toEqualTypeOf<0>();
    expectTypeOf<Product<S<[]>>>().toEqualTypeOf<1>();
    expectTypeOf<Total<S<[99, 1, 0, 5]>>>().toEqualTypeOf<105>();
  });

  it('of what is no natural number', () => {
    expectTypeOf<Add<number, 1>>().toEqualTypeOf<number>();
    expectTypeOf<Add<2 | 3, 1>>().toEqualTypeOf<number>();
    expectTypeOf<Add<-1, 1>>().toEqualTypeOf<number>();
    expectTypeOf<Subtract<1, 2 | 3>>().toEqualTypeOf<number>();
    expectTypeOf<Multiply<1.5, 2>>().toEqualTypeOf<number>();
    expectTypeOf<Multiply<Any, 2>>().toEqualTypeOf<number>();
    expectTypeOf<FloorDivide<2, 0>>().toEqualTypeOf<number>();
    expectTypeOf<FloorDivide<4, Any>>().toEqualTypeOf<number>();
    expectTypeOf<FloorDivide<4 | 6, 1>>().toEqualTypeOf<number>();
    expectTypeOf<FloorDivide<number, 1>>().toEqualTypeOf<number>();
    expectTypeOf<Remainder<2, number>>().toEqualTypeOf<number>();
    expectTypeOf<Compare<2, number>>().toEqualTypeOf<number>();
    expectTypeOf<Product<S<[2, number]>>>().toEqualTypeOf<number>();
    expectTypeOf<Product<Shape>>().toEqualTypeOf<number>();
    expectTypeOf<Product<Any>>().toEqualTypeOf<number>();
    expectTypeOf<Total<number[]>>().toEqualTypeOf<number>();
  });
});

describe('reshape', () => {
  it('checks the number of elements and finds −1', () => {
    gives<Reshape<S<[2, 3]>, S<[3, 2]>>>(reshape(a23, [3, 2]), [3, 2]).toEqualTypeOf<S<[3, 2]>>();
    gives<Reshape<S<[2, 3]>, [6]>>(reshape(a23, [6]), [6]).toEqualTypeOf<S<[6]>>();
    gives<Reshape<S<[2, 3, 4]>, S<[2, -1]>>>(reshape(a234, [2, -1]), [2, 12]).toEqualTypeOf<S<[2, 12]>>();
    gives<Reshape<S<[2, 3, 4]>, S<[-1, 12]>>>(reshape(a234, [-1, 12]), [2, 12]).toEqualTypeOf<S<[2, 12]>>();
    gives<Reshape<S<[2, 3, 4]>, S<[4, -1, 2]>>>(reshape(a234, [4, -1, 2]), [4, 3, 2]).toEqualTypeOf<S<[4, 3, 2]>>();
    gives<Reshape<S<[0, 3]>, S<[0, 5]>>>(reshape(zeros([0, 3]), [0, 5]), [0, 5]).toEqualTypeOf<S<[0, 5]>>();
    gives<Reshape<S<[0, 4]>, S<[-1, 3]>>>(reshape(zeros([0, 4]), [-1, 3]), [0, 3]).toEqualTypeOf<S<[0, 3]>>();
    gives<Reshape<S<[]>, S<[-1, 1]>>>(reshape(zeros([]), [-1, 1]), [1, 1]).toEqualTypeOf<S<[1, 1]>>();
    expectTypeOf<Reshape<S<[64, 3, 1024, 1024]>, S<[-1]>>>().toEqualTypeOf<S<[201326592]>>();
    expectTypeOf<Reshape<S<[8, 3, 224, 224]>, S<[8, 3, 14, 16, 14, -1]>>>().toEqualTypeOf<S<[8, 3, 14, 16, 14, 16]>>();
  });

  it('refuses what does not fit', () => {
    const call = untyped(reshape);
    refuses<Reshape<S<[2, 3]>, S<[4, 2]>>>(() => call(a23, [4, 2])).toEqualTypeOf<
      Mismatch<'reshape: [2, 3] has 6 elements, [4, 2] has 8'>
    >();
    refuses<Reshape<S<[2, 3]>, S<[-1, 4]>>>(() => call(a23, [-1, 4])).toEqualTypeOf<
      Mismatch<'reshape: [2, 3] has 6 elements, which 4 does not divide'>
    >();
    refuses<Reshape<S<[0, 3]>, S<[0, -1]>>>(() => call(zeros([0, 3]), [0, -1])).toEqualTypeOf<
      Mismatch<'reshape: beside a length of 0 in [0, -1], any length could stand for -1'>
    >();
    refuses<Reshape<S<[2, 3]>, S<[-1, -1]>>>(() => call(a23, [-1, -1])).toEqualTypeOf<
      Mismatch<'reshape: more than one length of [-1, -1] is -1'>
    >();
    refuses<Reshape<Shape, S<[-1, -1]>>>(() => call(a23, [-1, -1])).toEqualTypeOf<
      Mismatch<'reshape: more than one length of [-1, -1] is -1'>
    >();
  });

  it('lets pass what is not known', () => {
    expectTypeOf<Reshape<S<[2, number]>, S<[3, -1]>>>().toEqualTypeOf<S<[3, number]>>();
    expectTypeOf<Reshape<S<[number, 4, 8]>, S<[-1, 32]>>>().toEqualTypeOf<S<[number, 32]>>();
    expectTypeOf<Reshape<S<[2, 3]>, S<[number, 5]>>>().toEqualTypeOf<S<[number, 5]>>();
    expectTypeOf<Reshape<S<[2 | 3, 3]>, S<[4, 3]>>>().toEqualTypeOf<S<[4, 3]>>();
    expectTypeOf<Reshape<S<[2, 3]>, S<[4 | 2, 3]>>>().toEqualTypeOf<S<[4 | 2, 3]>>();
    expectTypeOf<Reshape<S<[2, 3]>, S<[-1 | 2, -1]>>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Reshape<S<[2, 3]>, S<[Any, Any]>>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Reshape<S<[2, 3]>, S<[Any, 4]>>>().toEqualTypeOf<S<[number, 4]>>();
    expectTypeOf<Reshape<S<[2, 3]> | S<[4]>, S<[5, -1]>>>().toEqualTypeOf<S<[5, number]>>();
    expectTypeOf<Reshape<Shape, S<[2, -1]>>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Reshape<Any, S<[2, 3]>>>().toEqualTypeOf<S<[2, 3]>>();
    expectTypeOf<Reshape<S<[2, 3]>, number[]>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reshape<S<[2, 3]>, Any>>().toEqualTypeOf<Shape>();
  });

  it('is the rule of flatten', () => {
    gives<Flatten<S<[2, 3, 4]>>>(flatten(a234), [24]).toEqualTypeOf<S<[24]>>();
    gives<Flatten<S<[2, 3, 4]>, 1>>(flatten(a234, { start: 1 }), [2, 12]).toEqualTypeOf<S<[2, 12]>>();
    gives<Flatten<S<[2, 3, 4]>, 0, -2>>(flatten(a234, { end: -2 }), [6, 4]).toEqualTypeOf<S<[6, 4]>>();
    gives<Flatten<S<[]>>>(flatten(zeros([])), [1]).toEqualTypeOf<S<[1]>>();
    // @ts-expect-error flatten: axis 1, the last, comes before axis 2, the first
    refuses<Flatten<S<[2, 3, 4]>, 2, 1>>(() => flatten(a234, { start: 2, end: 1 })).toEqualTypeOf<
      Mismatch<'flatten: axis 1, the last, comes before axis 2, the first'>
    >();
    // @ts-expect-error flatten: axis 2 is out of range for rank 2
    refuses<Flatten<S<[2, 3]>, 2>>(() => flatten(a23, { start: 2 })).toEqualTypeOf<
      Mismatch<'flatten: axis 2 is out of range for rank 2'>
    >();
    expectTypeOf<Flatten<S<[2, number, 4]>, 1>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Flatten<S<[2 | 3, 4]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Flatten<S<[2, 3, 4]>, number>>().toEqualTypeOf<Shape>();
    expectTypeOf<Flatten<Shape>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Flatten<Shape, 1>>().toEqualTypeOf<Shape>();
    expectTypeOf<Flatten<Any>>().toEqualTypeOf<S<[number]>>();
  });

  it('is near that of broadcastTo', () => {
    gives<BroadcastTo<S<[3]>, S<[2, 3]>>>(broadcastTo(zeros([3]), [2, 3]), [2, 3]).toEqualTypeOf<S<[2, 3]>>();
    gives<BroadcastTo<S<[1, 3]>, S<[0, 3]>>>(broadcastTo(zeros([1, 3]), [0, 3]), [0, 3]).toEqualTypeOf<S<[0, 3]>>();
    const call = untyped(broadcastTo);
    refuses<BroadcastTo<S<[3]>, S<[4]>>>(() => call(zeros([3]), [4])).toEqualTypeOf<
      Mismatch<'broadcastTo: length 3 does not become 4'>
    >();
    refuses<BroadcastTo<S<[3]>, S<[1]>>>(() => call(zeros([3]), [1])).toEqualTypeOf<
      Mismatch<'broadcastTo: length 3 does not become 1'>
    >();
    refuses<BroadcastTo<S<[2, 3]>, S<[3]>>>(() => call(a23, [3])).toEqualTypeOf<
      Mismatch<'broadcastTo: [2, 3] has more axes than [3]'>
    >();
    expectTypeOf<BroadcastTo<S<[number]>, S<[4]>>>().toEqualTypeOf<S<[4]>>();
    expectTypeOf<BroadcastTo<S<[3]>, S<[number]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<BroadcastTo<S<[3 | 4]>, S<[5]>>>().toEqualTypeOf<S<[5]>>();
    expectTypeOf<BroadcastTo<Shape, S<[4]>>>().toEqualTypeOf<S<[4]>>();
    expectTypeOf<BroadcastTo<Any, S<[4]>>>().toEqualTypeOf<S<[4]>>();
    expectTypeOf<BroadcastTo<S<[3]>, Any>>().toEqualTypeOf<Shape>();
  });
});

describe('axes', () => {
  it('in another order', () => {
    gives<Permute<S<[2, 3, 4]>, S<[2, 0, -2]>>>(permute(a234, [2, 0, -2]), [4, 2, 3]).toEqualTypeOf<S<[4, 2, 3]>>();
    gives<Transpose<S<[2, 3, 4]>>>(transpose(a234), [4, 3, 2]).toEqualTypeOf<S<[4, 3, 2]>>();
    gives<Transpose<S<[2, 3]>>>(transpose(a23), [3, 2]).toEqualTypeOf<S<[3, 2]>>();
    gives<SwapAxes<S<[2, 3, 4]>, -1, 0>>(swapAxes(a234, -1, 0), [4, 3, 2]).toEqualTypeOf<S<[4, 3, 2]>>();
    gives<MoveAxis<S<[2, 3, 4]>, 0, -1>>(moveAxis(a234, 0, -1), [3, 4, 2]).toEqualTypeOf<S<[3, 4, 2]>>();
    gives<MoveAxis<S<[2, 3, 4]>, S<[0, 1]>, S<[2, 0]>>>(moveAxis(a234, [0, 1], [2, 0]), [3, 4, 2]).toEqualTypeOf<
      S<[3, 4, 2]>
    >();
    expectTypeOf<Permute<S<[2, number, 4]>, S<[2, 1, 0]>>>().toEqualTypeOf<S<[4, number, 2]>>();
    expectTypeOf<Permute<S<[2, 3]>, S<[1, number]>>>().toEqualTypeOf<S<[3, number]>>();
    expectTypeOf<Permute<S<[2, 3]>, S<[0 | 1, 0 | 1]>>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Permute<S<[2, 3]>, number[]>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Permute<S<[2, 3]>, Any>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Permute<Shape, S<[1, 0]>>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Permute<Any, Any>>().toEqualTypeOf<Shape>();
    expectTypeOf<Transpose<S<[2, number]>>>().toEqualTypeOf<S<[number, 2]>>();
    expectTypeOf<Transpose<S<[2, 3]> | S<[2]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Transpose<Shape>>().toEqualTypeOf<Shape>();
    expectTypeOf<Transpose<Any>>().toEqualTypeOf<Shape>();
    expectTypeOf<SwapAxes<S<[2, 3]>, number, 0>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<SwapAxes<S<[2, 3]>, 0 | 1, 0>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<SwapAxes<Any, 0, 1>>().toEqualTypeOf<Shape>();
    expectTypeOf<MoveAxis<S<[2, 3]>, number[], 1>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<MoveAxis<S<[2, 3]>, Any, 1>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<MoveAxis<Shape, 0, 1>>().toEqualTypeOf<Shape>();
  });

  it('refuses an order that is none', () => {
    const call = untyped(permute);
    refuses<Permute<S<[2, 3, 4]>, S<[2, 0]>>>(() => call(a234, [2, 0])).toEqualTypeOf<
      Mismatch<'permute: 2 axes are named for rank 3'>
    >();
    refuses<Permute<S<[2, 3, 4]>, S<[2, 0, -1]>>>(() => call(a234, [2, 0, -1])).toEqualTypeOf<
      Mismatch<'permute: axis 2 is named twice'>
    >();
    refuses<Permute<S<[2, 3, 4]>, S<[2, 0, 3]>>>(() => call(a234, [2, 0, 3])).toEqualTypeOf<
      Mismatch<'permute: axis 3 is out of range for rank 3'>
    >();
    refuses<SwapAxes<S<[2, 3]>, number, -3>>(() => untyped(swapAxes)(a23, 0, -3)).toEqualTypeOf<
      Mismatch<'swapAxes: axis -3 is out of range for rank 2'>
    >();
    refuses<MoveAxis<S<[2, 3]>, 0, 2>>(() => untyped(moveAxis)(a23, 0, 2)).toEqualTypeOf<
      Mismatch<'moveAxis: axis 2 is out of range for rank 2'>
    >();
    refuses<MoveAxis<S<[2, 3]>, S<[0, 1]>, 0>>(() => untyped(moveAxis)(a23, [0, 1], 0)).toEqualTypeOf<
      Mismatch<'moveAxis: 2 axes go to 1 places'>
    >();
  });

  it('that are reduced', () => {
    gives<Reduce<'sum', S<[2, 3, 4]>>>(sum(a234), []).toEqualTypeOf<S<[]>>();
    gives<Reduce<'sum', S<[2, 3]>, undefined, true>>(sum(a23, { keepDims: true }), [1, 1]).toEqualTypeOf<S<[1, 1]>>();
    gives<Reduce<'sum', S<[2, 3, 4]>, -1>>(sum(a234, { axis: -1 }), [2, 3]).toEqualTypeOf<S<[2, 3]>>();
    gives<Reduce<'sum', S<[2, 3, 4]>, 1, true>>(sum(a234, { axis: 1, keepDims: true }), [2, 1, 4]).toEqualTypeOf<
      S<[2, 1, 4]>
    >();
    gives<Reduce<'sum', S<[2, 3, 4]>, S<[0, -1]>>>(sum(a234, { axis: [0, -1] }), [3]).toEqualTypeOf<S<[3]>>();
    gives<Reduce<'sum', S<[2, 3, 4]>, S<[0, -1]>, true>>(sum(a234, { axis: [0, -1], keepDims: true }), [1, 3, 1]);
    expectTypeOf<Reduce<'sum', S<[2, 3, 4]>, S<[0, -1]>, true>>().toEqualTypeOf<S<[1, 3, 1]>>();
    gives<Reduce<'sum', S<[2, 3]>, S<[]>>>(sum(a23, { axis: [] }), [2, 3]).toEqualTypeOf<S<[2, 3]>>();
    expectTypeOf<Reduce<'sum', S<[1, 2, 3, 4, 5, 6, 7, 8]>, -8>>().toEqualTypeOf<S<[2, 3, 4, 5, 6, 7, 8]>>();
    refuses<Reduce<'sum', S<[2, 3]>, 3>>(() => untyped(sum)(a23, { axis: 3 })).toEqualTypeOf<
      Mismatch<'sum: axis 3 is out of range for rank 2'>
    >();
    refuses<Reduce<'sum', S<[]>, 0>>(() => untyped(sum)(zeros([]), { axis: 0 })).toEqualTypeOf<
      Mismatch<'sum: axis 0 is out of range for rank 0'>
    >();
    refuses<Reduce<'sum', S<[2, 3]>, S<[1, -1]>>>(() => untyped(sum)(a23, { axis: [1, -1] })).toEqualTypeOf<
      Mismatch<'sum: axis 1 is named twice'>
    >();
    expectTypeOf<Along<'softmax', S<[2, 3]>, -1>>().toEqualTypeOf<S<[2, 3]>>();
    expectTypeOf<Along<'flip', S<[2, 3]>, undefined>>().toEqualTypeOf<S<[2, 3]>>();
    expectTypeOf<Along<'flip', S<[2, 3]>, Any>>().toEqualTypeOf<S<[2, 3]>>();
    expectTypeOf<Along<'softmax', Shape, 2>>().toEqualTypeOf<Shape>();
    expectTypeOf<Along<'softmax', S<[2, 3]>, 2>>().toEqualTypeOf<
      Mismatch<'softmax: axis 2 is out of range for rank 2'>
    >();
  });

  it('that are reduced and not known', () => {
    expectTypeOf<Reduce<'sum', S<[2, number, 4]>, 0>>().toEqualTypeOf<S<[number, 4]>>();
    expectTypeOf<Reduce<'sum', S<[2, 3, 4]>, number>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Reduce<'sum', S<[2, 3, 4]>, 0 | 1, true>>().toEqualTypeOf<S<[number, number, number]>>();
    expectTypeOf<Reduce<'sum', S<[2, 3, 4]>, 0 | undefined>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', S<[2, 3, 4]>, S<[0, number]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Reduce<'sum', S<[2, 3]>, number[]>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', S<[2, 3]>, number[], true>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Reduce<'sum', S<[2, 3]>, 0, boolean>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', S<[2, 3]>, Any>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', S<[2, 3]>, 0, Any>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', S<[2, 3]> | S<[2]>, 1>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', Shape>>().toEqualTypeOf<S<[]>>();
    expectTypeOf<Reduce<'sum', Shape, 5>>().toEqualTypeOf<Shape>();
    expectTypeOf<Reduce<'sum', Any, 5>>().toEqualTypeOf<Shape>();
  });

  it('of length 1', () => {
    const x = zeros([1, 3, 1]);
    gives<Squeeze<S<[1, 3, 1]>>>(squeeze(x), [3]).toEqualTypeOf<S<[3]>>();
    gives<Squeeze<S<[1, 3, 1]>, 0>>(squeeze(x, 0), [3, 1]).toEqualTypeOf<S<[3, 1]>>();
    gives<Squeeze<S<[1, 3, 1]>, S<[0, -1]>>>(squeeze(x, [0, -1]), [3]).toEqualTypeOf<S<[3]>>();
    // @ts-expect-error squeeze: axis 1 has length 3, not 1
    refuses<Squeeze<S<[1, 3, 1]>, 1>>(() => squeeze(x, 1)).toEqualTypeOf<
      Mismatch<'squeeze: axis 1 has length 3, not 1'>
    >();
    // @ts-expect-error squeeze: axis 3 is out of range for rank 3
    refuses<Squeeze<S<[1, 3, 1]>, 3>>(() => squeeze(x, 3)).toEqualTypeOf<
      Mismatch<'squeeze: axis 3 is out of range for rank 3'>
    >();
    expectTypeOf<Squeeze<S<[1, number]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Squeeze<S<[2, number]>, 1>>().toEqualTypeOf<S<[2]>>();
    expectTypeOf<Squeeze<S<[2, 1 | 3]>, 1>>().toEqualTypeOf<S<[2]>>();
    expectTypeOf<Squeeze<S<[2, 1]>, number>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Squeeze<S<[2, 1]>, Any>>().toEqualTypeOf<Shape>();
    expectTypeOf<Squeeze<Shape, 0>>().toEqualTypeOf<Shape>();
    gives<ExpandDims<S<[2, 3]>, 0>>(expandDims(a23, 0), [1, 2, 3]).toEqualTypeOf<S<[1, 2, 3]>>();
    gives<ExpandDims<S<[2, 3]>, -2>>(expandDims(a23, -2), [2, 1, 3]).toEqualTypeOf<S<[2, 1, 3]>>();
    gives<ExpandDims<S<[2, 3]>, S<[0, 2]>>>(expandDims(a23, [0, 2]), [1, 2, 1, 3]).toEqualTypeOf<S<[1, 2, 1, 3]>>();
    // @ts-expect-error expandDims: axis 3 is out of range for the result's rank 3
    refuses<ExpandDims<S<[2, 3]>, 3>>(() => expandDims(a23, 3)).toEqualTypeOf<
      Mismatch<"expandDims: axis 3 is out of range for the result's rank 3">
    >();
    // @ts-expect-error expandDims: axis 0 is named twice
    refuses<ExpandDims<S<[2, 3]>, S<[0, -4]>>>(() => expandDims(a23, [0, -4])).toEqualTypeOf<
      Mismatch<'expandDims: axis 0 is named twice'>
    >();
    expectTypeOf<ExpandDims<S<[2, 3]>, number>>().toEqualTypeOf<S<[number, number, number]>>();
    expectTypeOf<ExpandDims<S<[2, 3]>, 0 | 1>>().toEqualTypeOf<S<[number, number, number]>>();
    expectTypeOf<ExpandDims<S<[2, number]>, 1>>().toEqualTypeOf<S<[2, 1, number]>>();
    expectTypeOf<ExpandDims<S<[2, 3]>, number[]>>().toEqualTypeOf<Shape>();
    expectTypeOf<ExpandDims<Shape, 0>>().toEqualTypeOf<Shape>();
    expectTypeOf<ExpandDims<Any, 0>>().toEqualTypeOf<Shape>();
  });
});

describe('joining', () => {
  it('along an axis', () => {
    const a24 = zeros([2, 4]);
    const a43 = zeros([4, 3]);
    gives<Concat<S<[S<[2, 3]>, S<[4, 3]>]>>>(concat([a23, a43]), [6, 3]).toEqualTypeOf<S<[6, 3]>>();
    gives<Concat<S<[S<[2, 3]>, S<[2, 4]>]>, -1>>(concat([a23, a24], { axis: -1 }), [2, 7]).toEqualTypeOf<S<[2, 7]>>();
    gives<Concat<S<[S<[2, 3]>]>>>(concat([a23]), [2, 3]).toEqualTypeOf<S<[2, 3]>>();
    const call = untyped(concat);
    refuses<Concat<S<[S<[2, 3]>, S<[2, 4]>]>>>(() => call([a23, a24])).toEqualTypeOf<
      Mismatch<'concat: lengths 3 and 4 of axis 1 differ'>
    >();
    refuses<Concat<S<[S<[2, 3]>, S<[3]>]>>>(() => call([a23, zeros([3])])).toEqualTypeOf<
      Mismatch<'concat: [2, 3] and [3] have ranks 2 and 1'>
    >();
    refuses<Concat<S<[S<[2, 3]>]>, 2>>(() => call([a23], { axis: 2 })).toEqualTypeOf<
      Mismatch<'concat: axis 2 is out of range for rank 2'>
    >();
    refuses<Concat<S<[]>>>(() => call([])).toEqualTypeOf<Mismatch<'concat: the list is empty'>>();
    expectTypeOf<Concat<S<[S<[2, number]>, S<[3, 4]>, S<[5, 4]>]>>>().toEqualTypeOf<S<[10, 4]>>();
    expectTypeOf<Concat<S<[S<[number, 3]>, S<[4, 3]>]>>>().toEqualTypeOf<S<[number, 3]>>();
    expectTypeOf<Concat<S<[S<[2, 3 | 4]>, S<[2, 5]>]>>>().toEqualTypeOf<S<[4, 5]>>();
    expectTypeOf<Concat<S<[S<[2, 3]>, S<[2, 4]>]>, number>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Concat<S<[S<[2, 3]>, S<[2, 4]>]>, 0 | 1>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Concat<S<[S<[2, 3]>, Shape]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Concat<S<[Any, S<[2, 3]>]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Concat<S<[2, 3]>[]>>().toEqualTypeOf<S<[number, 3]>>();
    expectTypeOf<Concat<Shape[]>>().toEqualTypeOf<Shape>();
    expectTypeOf<Concat<Any>>().toEqualTypeOf<Shape>();
  });

  it('along a new one', () => {
    gives<Stack<S<[S<[2, 3]>, S<[2, 3]>]>>>(stack([a23, a23]), [2, 2, 3]).toEqualTypeOf<S<[2, 2, 3]>>();
    gives<Stack<S<[S<[2, 3]>, S<[2, 3]>]>, -1>>(stack([a23, a23], { axis: -1 }), [2, 3, 2]).toEqualTypeOf<
      S<[2, 3, 2]>
    >();
    const call = untyped(stack);
    refuses<Stack<S<[S<[2, 3]>, S<[2, 4]>]>>>(() => call([a23, zeros([2, 4])])).toEqualTypeOf<
      Mismatch<'stack: the shapes [2, 3] and [2, 4] differ'>
    >();
    refuses<Stack<S<[S<[2, 3]>, S<[2]>]>>>(() => call([a23, zeros([2])])).toEqualTypeOf<
      Mismatch<'stack: the shapes [2, 3] and [2] differ'>
    >();
    refuses<Stack<S<[S<[2]>]>, 2>>(() => call([zeros([2])], { axis: 2 })).toEqualTypeOf<
      Mismatch<"stack: axis 2 is out of range for the result's rank 2">
    >();
    refuses<Stack<S<[]>>>(() => call([])).toEqualTypeOf<Mismatch<'stack: the list is empty'>>();
    expectTypeOf<Stack<S<[S<[2, number]>, S<[2, 4]>]>, 1>>().toEqualTypeOf<S<[2, 2, 4]>>();
    expectTypeOf<Stack<S<[S<[2 | 3]>, S<[4]>]>>>().toEqualTypeOf<S<[2, 4]>>();
    expectTypeOf<Stack<S<[S<[2, 3]>]>, number>>().toEqualTypeOf<S<[number, number, number]>>();
    expectTypeOf<Stack<S<[2, 3]>[]>>().toEqualTypeOf<S<[number, 2, 3]>>();
    expectTypeOf<Stack<S<[S<[2, 3]>, Shape]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Stack<Any>>().toEqualTypeOf<Shape>();
  });

  it('is undone by splitting', () => {
    gives<SplitEqually<S<[2, 3]>, 2>>(split(a23, 2)[0], [1, 3]).toEqualTypeOf<S<[1, 3]>>();
    gives<SplitEqually<S<[2, 3]>, 3, -1>>(split(a23, 3, { axis: -1 })[2], [2, 1]).toEqualTypeOf<S<[2, 1]>>();
    gives<SplitSizes<S<[2, 3]>, S<[1, 2]>, 1>[1]>(split(a23, [1, 2], { axis: 1 })[1], [2, 2]);
    expectTypeOf<SplitSizes<S<[2, 3]>, S<[1, 2]>, 1>>().toEqualTypeOf<S<[S<[2, 1]>, S<[2, 2]>]>>();
    const call = untyped(split);
    refuses<SplitEqually<S<[2, 3]>, 2, 1>>(() => call(a23, 2, { axis: 1 })).toEqualTypeOf<
      Mismatch<'split: length 3 of axis 1 does not divide into 2 equal parts'>
    >();
    refuses<SplitSizes<S<[2, 3]>, S<[1, 1]>, 1>>(() => call(a23, [1, 1], { axis: 1 })).toEqualTypeOf<
      Mismatch<'split: the sizes [1, 1] add up to 2, axis 1 has length 3'>
    >();
    refuses<SplitEqually<S<[2, 3]>, 2, 2>>(() => call(a23, 2, { axis: 2 })).toEqualTypeOf<
      Mismatch<'split: axis 2 is out of range for rank 2'>
    >();
    expectTypeOf<SplitEqually<S<[number, 3]>, 2>>().toEqualTypeOf<S<[number, 3]>>();
    expectTypeOf<SplitEqually<S<[5, 3]>, 2 | 3>>().toEqualTypeOf<S<[number, 3]>>();
    expectTypeOf<SplitEqually<S<[4, 3]>, 2, number>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<SplitEqually<Shape, 2>>().toEqualTypeOf<Shape>();
    expectTypeOf<SplitEqually<Any, 2>>().toEqualTypeOf<Shape>();
    expectTypeOf<SplitSizes<S<[4, 3]>, S<[1, number]>>>().toEqualTypeOf<S<[S<[1, 3]>, S<[number, 3]>]>>();
    expectTypeOf<SplitSizes<S<[4, 3]>, readonly number[]>>().toEqualTypeOf<readonly S<[number, 3]>[]>();
    expectTypeOf<SplitSizes<S<[4, 3]>, Any>>().toEqualTypeOf<readonly S<[number, 3]>[]>();
    expectTypeOf<SplitSizes<Shape, S<[1, 2]>>>().toEqualTypeOf<S<[Shape, Shape]>>();
  });
});

describe('slicing', () => {
  it('as Python counts', () => {
    gives<Slice<S<[2, 3]>, S<[0, 1]>, S<[2, 3]>>>(slice(a23, [0, 1], [2, 3]), [2, 2]).toEqualTypeOf<S<[2, 2]>>();
    gives<Slice<S<[2, 3]>, S<[-1]>>>(slice(a23, [-1]), [1, 3]).toEqualTypeOf<S<[1, 3]>>();
    gives<Slice<S<[10]>, S<[-3]>, S<[-1]>>>(slice(ten, [-3], [-1]), [2]).toEqualTypeOf<S<[2]>>();
    gives<Slice<S<[10]>, S<[5]>, S<[2]>>>(slice(ten, [5], [2]), [0]).toEqualTypeOf<S<[0]>>();
    gives<Slice<S<[10]>, S<[20]>>>(slice(ten, [20]), [0]).toEqualTypeOf<S<[0]>>();
    gives<Slice<S<[10]>, S<[-20]>, S<[20]>, S<[4]>>>(slice(ten, [-20], [20], [4]), [3]).toEqualTypeOf<S<[3]>>();
    gives<Slice<S<[10]>, S<[8]>, S<[2]>, S<[-3]>>>(slice(ten, [8], [2], [-3]), [2]).toEqualTypeOf<S<[2]>>();
    gives<Slice<S<[10]>, S<[]>, S<[3]>, S<[-1]>>>(slice(ten, [], [3], [-1]), [6]).toEqualTypeOf<S<[6]>>();
    gives<Slice<S<[10]>, S<[-20]>, S<[null]>, S<[-1]>>>(slice(ten, [-20], [null], [-1]), [0]).toEqualTypeOf<S<[0]>>();
    gives<Slice<S<[10]>, S<[]>, S<[]>, S<[-1]>>>(slice(ten, [], [], [-1]), [10]).toEqualTypeOf<S<[10]>>();
    const call = untyped(slice);
    refuses<Slice<S<[10]>, S<[1, 2]>>>(() => call(ten, [1, 2])).toEqualTypeOf<
      Mismatch<'slice: start has 2 entries for 1 axes'>
    >();
    refuses<Slice<S<[10]>, S<[]>, S<[null, 3]>>>(() => call(ten, [], [null, 3])).toEqualTypeOf<
      Mismatch<'slice: stop has 2 entries for 1 axes'>
    >();
    refuses<Slice<S<[10]>, S<[]>, S<[]>, S<[1, 1]>>>(() => call(ten, [], [], [1, 1])).toEqualTypeOf<
      Mismatch<'slice: step has 2 entries for 1 axes'>
    >();
    refuses<Slice<S<[10]>, S<[]>, S<[]>, S<[0]>>>(() => call(ten, [], [], [0])).toEqualTypeOf<
      Mismatch<'slice: the step of axis 0 is 0'>
    >();
    expectTypeOf<Slice<S<[10, number, 4]>, S<[number, null, 1]>>>().toEqualTypeOf<S<[number, number, 3]>>();
    expectTypeOf<Slice<S<[10]>, S<[1 | 2]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<S<[10]>, S<[1 | null]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<S<[10]>, S<[]>, S<[]>, S<[number]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<S<[10]>, S<[Any]>, S<[]>, S<[Any]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<S<[10]>, number[]>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<S<[10]>, Any>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Slice<Shape, S<[1]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Slice<Any, S<[1]>>>().toEqualTypeOf<Shape>();
  });

  it('has padding for a counterpart', () => {
    gives<Pad<S<[2, 3]>, S<[S<[1, 1]>, S<[0, 5]>]>>>(pad(a23, [[1, 1], [0, 5]]), [4, 8]).toEqualTypeOf<S<[4, 8]>>(); // biome-ignore format: one line
    refuses<Pad<S<[2, 3]>, S<[S<[1, 1]>]>>>(() => untyped(pad)(a23, [[1, 1]])).toEqualTypeOf<
      Mismatch<'pad: 1 pairs of widths are given for 2 axes'>
    >();
    expectTypeOf<Pad<S<[2, number]>, S<[S<[1, number]>, S<[0, 5]>]>>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Pad<S<[2]>, S<[S<[1, 1 | 2]>]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Pad<S<[2, 3]>, S<[number, number]>[]>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Pad<S<[2, 3]>, Any>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Pad<Shape, S<[S<[1, 1]>]>>>().toEqualTypeOf<Shape>();
  });

  it('has repeating for another', () => {
    gives<Tile<S<[2, 3]>, S<[2]>>>(tile(a23, [2]), [2, 6]).toEqualTypeOf<S<[2, 6]>>();
    gives<Tile<S<[2, 3]>, S<[4, 1, 0]>>>(tile(a23, [4, 1, 0]), [4, 2, 0]).toEqualTypeOf<S<[4, 2, 0]>>();
    expectTypeOf<Tile<S<[2, number]>, S<[2, 3]>>>().toEqualTypeOf<S<[4, number]>>();
    expectTypeOf<Tile<S<[2]>, S<[2 | 3]>>>().toEqualTypeOf<S<[number]>>();
    expectTypeOf<Tile<S<[2]>, number[]>>().toEqualTypeOf<Shape>();
    expectTypeOf<Tile<Shape, S<[2]>>>().toEqualTypeOf<Shape>();
    expectTypeOf<Tile<Any, Any>>().toEqualTypeOf<Shape>();
    gives<Repeat<S<[2, 3]>, 2>>(repeat(a23, 2), [4, 3]).toEqualTypeOf<S<[4, 3]>>();
    gives<Repeat<S<[2, 3]>, S<[5, 0, 1]>, -1>>(repeat(a23, [5, 0, 1], { axis: -1 }), [2, 6]).toEqualTypeOf<S<[2, 6]>>();
    // @ts-expect-error repeat: 2 counts are given for the length 3 of axis 1
    refuses<Repeat<S<[2, 3]>, S<[1, 2]>, 1>>(() => repeat(a23, [1, 2], { axis: 1 })).toEqualTypeOf<
      Mismatch<'repeat: 2 counts are given for the length 3 of axis 1'>
    >();
    // @ts-expect-error repeat: axis 5 is out of range for rank 2
    refuses<Repeat<S<[2, 3]>, 2, 5>>(() => repeat(a23, 2, { axis: 5 })).toEqualTypeOf<
      Mismatch<'repeat: axis 5 is out of range for rank 2'>
    >();
    expectTypeOf<Repeat<S<[2, number]>, 2, 1>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Repeat<S<[2, 3]>, 2 | 4, 1>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Repeat<S<[2, 3]>, number[], 1>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Repeat<S<[2, 3]>, Any, 1>>().toEqualTypeOf<S<[2, number]>>();
    expectTypeOf<Repeat<S<[2, 3]>, 2, number>>().toEqualTypeOf<S<[number, number]>>();
    expectTypeOf<Repeat<Shape, 2>>().toEqualTypeOf<Shape>();
  });
});

describe('inside generic functions', () => {
  it('a rule is a shape, found where the function is called', () => {
    // Each body compiles with a shape that is not known there; the result is known to the caller.
    const sumOf = <T extends Shape>(_: T): Fit<Reduce<'sum', T, 0>> => null as never;
    const rowsOf = <T extends Shape>(_: T): Fit<Reshape<T, S<[-1, 2]>>> => null as never;
    const doubled = <N extends number>(_: N): Fit<Concat<S<[S<[N, 3]>, S<[N, 3]>]>>> => null as never;
    const stacked = <T extends Shape>(_: T): Fit<Stack<S<[T, T]>>> => null as never;
    const sliced = <T extends Shape>(_: T): Fit<Slice<T, S<[1]>>> => null as never;
    const chained = <T extends Shape>(_: T): Fit<Reduce<'sum', Fit<ExpandDims<Fit<Transpose<T>>, 0>>, -1>> =>
      null as never;
    const lengths = <T extends Shape>(x: T): number[] => [
      ...(sumOf(x) satisfies Shape),
      ...(rowsOf(x) satisfies Shape),
      ...(doubled(x.length) satisfies Shape),
      ...(stacked(x) satisfies Shape),
      ...(sliced(x) satisfies Shape),
      ...(chained(x) satisfies Shape),
    ];
    expectTypeOf(lengths).returns.toEqualTypeOf<number[]>();
    expectTypeOf(sumOf<S<[2, 3]>>).returns.toEqualTypeOf<S<[3]>>();
    expectTypeOf(rowsOf<S<[4, 3]>>).returns.toEqualTypeOf<S<[6, 2]>>();
    expectTypeOf(doubled<4>).returns.toEqualTypeOf<S<[8, 3]>>();
    expectTypeOf(stacked<S<[4, 3]>>).returns.toEqualTypeOf<S<[2, 4, 3]>>();
    expectTypeOf(sliced<S<[4, 3]>>).returns.toEqualTypeOf<S<[3, 3]>>();
    expectTypeOf(chained<S<[4, 3]>>).returns.toEqualTypeOf<S<[1, 3]>>();
    // A mismatch has no shape.
    expectTypeOf(sumOf<S<[]>>).returns.toEqualTypeOf<Shape>();
  });

  it('no rule refuses what is not known yet', () => {
    // As a parameter's type: what the compiler can tell for any type argument is enough to pass.
    type Passes<Result> = [Result] extends [Mismatch<string>] ? Result : unknown;
    const passes = <Rule>(x: Tensor & Passes<Rule>): Tensor => x;
    const called = <T extends Shape, N extends number, M extends number, A extends number>(x: Tensor<T>): Tensor[] => [
      passes<Reshape<T, S<[2, 3]>>>(x),
      passes<Reshape<S<[N, 3]>, S<[2, 4]>>>(x),
      passes<Reshape<S<[N, 3]>, S<[3, N]>>>(x),
      passes<Reshape<T, S<[N, M]>>>(x),
      passes<Reshape<S<[2, 3]>, S<[N, M]>>>(x),
      passes<Reshape<S<[N, M]>, S<[-1]>>>(x),
      passes<Reshape<S<[N, M]>, S<[3, -1]>>>(x),
      passes<Flatten<T>>(x),
      passes<Flatten<S<[N, M]>>>(x),
      passes<Flatten<T, 1>>(x),
      passes<Flatten<S<[N, M, 3]>, 1>>(x),
      passes<BroadcastTo<T, S<[2]>>>(x),
      passes<BroadcastTo<S<[N]>, S<[2, M]>>>(x),
      passes<BroadcastTo<S<[N, 3]>, T>>(x),
      passes<Concat<S<[T, T]>, 0>>(x),
      passes<Concat<S<[S<[N, 3]>, S<[M, 3]>]>>>(x),
      passes<Concat<S<[S<[N, 3]>, S<[M, 3]>]>, 1>>(x),
      passes<Concat<S<[S<[2, 3]>, T]>>>(x),
      passes<Concat<S<[T, S<[2]>]>, A>>(x),
      passes<Stack<S<[T, T]>, 0>>(x),
      passes<Stack<S<[S<[N, 3]>, S<[M, 3]>]>, 1>>(x),
      passes<Stack<S<[S<[2, 3]>, T]>>>(x),
      passes<SplitEqually<T, 2>>(x),
      passes<SplitEqually<S<[N, 3]>, 2>>(x),
      passes<SplitEqually<S<[N, 3]>, N, A>>(x),
      passes<Permute<T, S<[1, 0]>>>(x),
      passes<Permute<S<[N, M]>, S<[1, 0]>>>(x),
      passes<Permute<S<[N, M]>, S<[A, 0]>>>(x),
      passes<MoveAxis<T, 0, 1>>(x),
      passes<MoveAxis<S<[N, M]>, 0, A>>(x),
      passes<SwapAxes<S<[N, M]>, 0, A>>(x),
      passes<SwapAxes<T, 0, 1>>(x),
      passes<Reduce<'sum', T, 0>>(x),
      passes<Reduce<'sum', T, A>>(x),
      passes<Reduce<'sum', S<[N, 2]>, A>>(x),
      passes<Reduce<'sum', S<[N, 2]>, S<[A, 1]>, true>>(x),
      passes<Squeeze<T, 0>>(x),
      passes<Squeeze<S<[N, 1]>, 0>>(x),
      passes<Squeeze<S<[N, 1]>>>(x),
      passes<ExpandDims<T, 0>>(x),
      passes<ExpandDims<S<[N, M]>, A>>(x),
      passes<Along<'softmax', T, A>>(x),
      passes<Along<'softmax', S<[N]>, -1>>(x),
      passes<Slice<T, S<[1]>>>(x),
      passes<Slice<S<[N, 3]>, S<[1]>>>(x),
      passes<Slice<S<[N, 3]>, S<[M]>, S<[A]>, S<[A]>>>(x),
      passes<Pad<T, S<[S<[1, 1]>]>>>(x),
      passes<Pad<S<[N]>, S<[S<[M, 1]>]>>>(x),
      passes<Tile<T, S<[2]>>>(x),
      passes<Tile<S<[N]>, S<[M]>>>(x),
      passes<Repeat<T, 2>>(x),
      passes<Repeat<S<[N, 3]>, S<[2, 2]>>>(x),
      passes<Repeat<S<[N, 3]>, M, A>>(x),
    ];
    expectTypeOf(called).returns.toEqualTypeOf<Tensor[]>();
    expect(called(a23)).toHaveLength(53);
    // @ts-expect-error a mismatch whatever the type arguments are
    const refused = <T extends Shape>(x: Tensor<T>) => passes<Reshape<S<[2, 3]>, S<[4, 2]>>>(x);
    expectTypeOf(refused).returns.toEqualTypeOf<Tensor>();
  });
});
