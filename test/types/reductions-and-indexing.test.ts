/**
 * What the compiler knows of reductions, indices, draws, transforms and losses. The assertions are checked by `tsc -p .`;
 * running this file checks that the values have the shapes that their types say, and that what the compiler refuses fails
 * at run time as well.
 */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  addAt,
  all,
  any,
  arange,
  argmax,
  argsort,
  at,
  bincount,
  cdist,
  clamp,
  cosineSimilarity,
  cross,
  crossEntropy,
  cummax,
  cumsum,
  fft,
  fft2,
  fftConvolve,
  fftn,
  fftshift,
  gather,
  gaussianNll,
  glu,
  irfft,
  klDiv,
  lerp,
  linearRecurrence,
  logSoftmax,
  logsumexp,
  max,
  mean,
  median,
  mseLoss,
  newAxis,
  nllLoss,
  nonzero,
  norm,
  normalize,
  oneHot,
  pairwiseDistance,
  quantile,
  rfft,
  rfftfreq,
  type Shape,
  setAt,
  softmax,
  sort,
  std,
  sum,
  type Tensor,
  take,
  takeAlong,
  tensor,
  topK,
  tripletMarginLoss,
  unique,
  variance,
  zeros,
} from 'tenfold';
import {
  bernoulli,
  beta,
  binomial,
  categorical,
  dirichlet,
  exponential,
  gamma,
  key,
  normal,
  permutation,
  poisson,
  randint,
  state,
  truncatedNormal,
  uniform,
} from 'tenfold/random';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Drawn } from '../../src/random/shapes.js';
import type { Mismatch } from '../../src/tensor/shape-types.js';
import type { Alike, Equal } from '../../src/tensor/types/alike.js';
import type { AtShape } from '../../src/tensor/types/at.js';
import type { FftConvolved, Halved, Steps, Transformed, TransformedAlong } from '../../src/tensor/types/lengths.js';
import type { ClassLosses, Crossed, Distances } from '../../src/tensor/types/losses.js';
import { caught } from '../helpers.js';

/** The value has the shape, and its type can be asked about. */
const typeOf = <Actual>(actual: Actual & Tensor, shape: Shape) => {
  expect(actual.shape).toEqual(shape);
  return expectTypeOf<Actual>(actual);
};

const is = <R>() => expectTypeOf<R>();

type T<S extends Shape, D extends Tensor['dtype'] = 'float32'> = Tensor<S, D>;

/** A shape as it is written, read only. */
type S<L extends readonly number[]> = Readonly<L>;

const x = zeros([2, 3, 4]);
const matrix = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const vector = tensor([1, 2, 3]);
const ids = tensor([1, 0], { dtype: 'int32' });
const flags = tensor([true, false]);
const unknown: T<Shape> = matrix;
const untyped: ReturnType<typeof JSON.parse> = matrix;
const two: number = 2;
const rows = zeros([two, 3]);
const axis: number = 1;
const k = key(0);

describe('reductions', () => {
  it('of axes, kept or not', () => {
    typeOf(sum(x, { axis: 1 }), [2, 4]).toEqualTypeOf<T<S<[2, 4]>>>();
    typeOf(sum(x, { axis: [0, -1] }), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(mean(x, { axis: [0, 2], keepDims: true }), [1, 3, 1]).toEqualTypeOf<T<S<[1, 3, 1]>>>();
    typeOf(max(x, { axis: -2, keepDims: true }), [2, 1, 4]).toEqualTypeOf<T<S<[2, 1, 4]>>>();
    typeOf(pipe(x, sum({ axis: [1, 2] })), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(pipe(x, logsumexp({ axis: 0, keepDims: true })), [1, 3, 4]).toEqualTypeOf<T<S<[1, 3, 4]>>>();
    typeOf(norm(matrix, { axis: 1, ord: 1 }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(variance(matrix, { axis: 0, keepDims: true, ddof: 1 }), [1, 3]).toEqualTypeOf<T<S<[1, 3]>>>();
    typeOf(pipe(matrix, std({ axis: -1 })), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(argmax(x, { axis: 2 }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>, 'int32'>>();
    typeOf(pipe(x, argmax({ axis: 0, keepDims: true })), [1, 3, 4]).toEqualTypeOf<T<S<[1, 3, 4]>, 'int32'>>();
    typeOf(all(x, { axis: [0, 1] }), [4]).toEqualTypeOf<T<S<[4]>, 'bool'>>();
    typeOf(any(flags, { axis: 0 }), []).toEqualTypeOf<T<S<[]>, 'bool'>>();
    typeOf(median(matrix, { axis: 1 }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(quantile(matrix, 0.5), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(quantile(matrix, [0.1, 0.9], { axis: 1 }), [2, 2]).toEqualTypeOf<T<S<[2, 2]>>>();
    typeOf(pipe(matrix, quantile([0, 0.5, 1], { axis: 0, keepDims: true })), [3, 1, 3]).toEqualTypeOf<
      T<S<[3, 1, 3]>>
    >();
  });

  it('of what is not known', () => {
    typeOf(sum(rows, { axis: 1 }), [2]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(sum(matrix, { axis }), [2]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(sum(matrix, { axis, keepDims: true }), [2, 1]).toEqualTypeOf<T<S<[number, number]>>>();
    typeOf(sum(unknown, { axis: 5 - 4 }), [2]).toEqualTypeOf<T<Shape>>();
    typeOf(sum(unknown), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(sum(matrix, { axis: [axis] }), [2]).toMatchTypeOf<Tensor>();
    const kept: boolean = axis === 1;
    typeOf(sum(matrix, { axis: 0, keepDims: kept }), [1, 3]).toEqualTypeOf<T<Shape>>();
    const either: 0 | 1 = axis === 1 ? 0 : 1;
    typeOf(sum(matrix, { axis: either }), [3]).toMatchTypeOf<Tensor>();
    const total: Tensor = sum(untyped, { axis: 1 });
    expect(total.shape).toEqual([2]);
  });

  it('that keep the shape', () => {
    typeOf(softmax(x, { axis: 1 }), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(pipe(x, logSoftmax({ axis: -3 })), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(cumsum(flags), [2]).toEqualTypeOf<T<S<[2]>, 'int32'>>();
    typeOf(pipe(matrix, cummax({ axis: 0, reverse: true })), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(linearRecurrence(matrix, matrix, { axis: 0 }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(sort(matrix, { axis: 0, descending: true }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(pipe(matrix, argsort()), [2, 3]).toEqualTypeOf<T<S<[2, 3]>, 'int32'>>();
    typeOf(normalize(matrix, { axis: 0 }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(softmax(unknown, { axis: 1 }), [2, 3]).toEqualTypeOf<T<Shape>>();
    const shares: Tensor = pipe(matrix, softmax);
    expect(shares.shape).toEqual([2, 3]);
  });

  it('refused', () => {
    // @ts-expect-error sum: axis 3 is out of range for rank 3
    expect(caught(() => sum(x, { axis: 3 }))._tag).toBe('AxisError');
    // @ts-expect-error sum: axis 3 is out of range for rank 3
    expect(caught(() => pipe(x, sum({ axis: 3 })))._tag).toBe('AxisError');
    // @ts-expect-error mean: axis 1 is named twice
    expect(caught(() => mean(x, { axis: [1, -2] }))._tag).toBe('AxisError');
    // @ts-expect-error argmax: axis -3 is out of range for rank 2
    expect(caught(() => argmax(matrix, { axis: -3 }))._tag).toBe('AxisError');
    // @ts-expect-error quantile: axis 2 is out of range for rank 2
    expect(caught(() => quantile(matrix, 0.5, { axis: 2 }))._tag).toBe('AxisError');
    // @ts-expect-error softmax: axis 2 is out of range for rank 2
    expect(caught(() => pipe(matrix, softmax({ axis: 2 })))._tag).toBe('AxisError');
    // @ts-expect-error cumsum: axis 1 is out of range for rank 1
    expect(caught(() => cumsum(vector, { axis: 1 }))._tag).toBe('AxisError');
    // @ts-expect-error linearRecurrence: shapes [2, 3] and [3] differ
    expect(caught(() => linearRecurrence(matrix, vector))._tag).toBe('ShapeError');
    is<Equal<'f', S<[2, 3]>, S<[2, 4]>>>().toEqualTypeOf<Mismatch<'f: shapes [2, 3] and [2, 4] differ'>>();
    is<Equal<'f', S<[2, number]>, S<[2, 4]>>>().toEqualTypeOf<S<[2, number]>>();
    is<Equal<'f', S<[2]>, S<[]>>>().toEqualTypeOf<Mismatch<'f: shapes [2] and [] differ'>>();
    is<Alike<'f', S<[2]>, S<[]>>>().toEqualTypeOf<S<[2]>>();
    is<Equal<'f', Shape, S<[2]>>>().toEqualTypeOf<Shape>();
  });
});

describe('indices', () => {
  it('of what is taken', () => {
    typeOf(take(x, 0), [3, 4]).toEqualTypeOf<T<S<[3, 4]>>>();
    typeOf(take(x, -1, { axis: 1 }), [2, 4]).toEqualTypeOf<T<S<[2, 4]>>>();
    typeOf(take(x, ids, { axis: 1 }), [2, 2, 4]).toEqualTypeOf<T<S<[2, 2, 4]>>>();
    typeOf(pipe(x, take(1, { axis: -1 })), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(pipe(x, take(ids)), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(takeAlong(matrix, zeros([1, 5], { dtype: 'int32' })), [2, 5]).toEqualTypeOf<T<S<[2, 5]>>>();
    typeOf(pipe(matrix, gather(zeros([1, 5], { dtype: 'int32' }))), [1, 5]).toEqualTypeOf<T<S<[1, 5]>>>();
    typeOf(oneHot(ids, 5), [2, 5]).toEqualTypeOf<T<S<[2, 5]>>>();
    typeOf(pipe(ids, oneHot(5, { dtype: 'bool' })), [2, 5]).toEqualTypeOf<T<S<[2, 5]>, 'bool'>>();
    typeOf(topK(x, 2, { axis: 1 }).values, [2, 2, 4]).toEqualTypeOf<T<S<[2, 2, 4]>>>();
    typeOf(pipe(x, topK(3)).indices, [2, 3, 3]).toEqualTypeOf<T<S<[2, 3, 3]>, 'int32'>>();
    typeOf(nonzero(matrix, { size: 4 }), [4, 2]).toEqualTypeOf<T<S<[4, 2]>, 'int32'>>();
    typeOf(unique(vector).values, [3]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(unique(vector, { size: 5 }).counts, [5]).toEqualTypeOf<T<S<[5]>, 'int32'>>();
    typeOf(bincount(ids, { length: 6 }), [6]).toEqualTypeOf<T<S<[6]>, 'int32'>>();
  });

  it('in brackets', () => {
    typeOf(at(x, 0), [3, 4]).toEqualTypeOf<T<S<[3, 4]>>>();
    typeOf(at(x, 1, [0, 2]), [2, 4]).toEqualTypeOf<T<S<[2, 4]>>>();
    typeOf(at(x, [null, null], [null, null, -1], -1), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(at(x, '...', [1, null]), [2, 3, 3]).toEqualTypeOf<T<S<[2, 3, 3]>>>();
    typeOf(at(x, newAxis, 0, '...', newAxis), [1, 3, 4, 1]).toEqualTypeOf<T<S<[1, 3, 4, 1]>>>();
    typeOf(at(x, ids), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(at(x, '...', zeros([5, 6], { dtype: 'int32' }), [0, 1]), [2, 5, 6, 1]).toEqualTypeOf<T<S<[2, 5, 6, 1]>>>();
    typeOf(at(x, flags), [1, 3, 4]).toEqualTypeOf<T<S<[number, 3, 4]>>>();
    typeOf(at(matrix, zeros([2, 3], { dtype: 'bool' })), [0]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(at(x, 0, ids), [2, 4]).toEqualTypeOf<T<Shape>>();
    typeOf(pipe(x, at([1, null], 2)), [1, 4]).toEqualTypeOf<T<S<[1, 4]>>>();
    typeOf(at(unknown, 0), [3]).toEqualTypeOf<T<Shape>>();
    typeOf(at(x, two - 1), [3, 4]).toEqualTypeOf<T<S<[3, 4]>>>();
    typeOf(at(x, [0, two]), [2, 3, 4]).toEqualTypeOf<T<S<[number, 3, 4]>>>();
    typeOf(setAt(x, [0, '...', [1, null]], 1), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(addAt(ids, [0], tensor(1.5)), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(addAt(ids, [0], 1), [2]).toEqualTypeOf<T<S<[2]>, 'int32'>>();
    const part: Tensor = at(untyped, 0);
    expect(part.shape).toEqual([3]);
  });

  it('refused', () => {
    // @ts-expect-error take: index 3 is outside of an axis of length 3
    expect(caught(() => take(x, 3, { axis: 1 }))._tag).toBe('IndexError');
    // @ts-expect-error take: axis 1 is out of range for rank 1
    expect(caught(() => pipe(vector, take(0, { axis: 1 })))._tag).toBe('AxisError');
    // @ts-expect-error gather: the ranks must be equal, but are 2 and 1
    expect(caught(() => gather(matrix, ids))._tag).toBe('ShapeError');
    // @ts-expect-error topK: k is an integer from 0 to 3, not 4
    expect(caught(() => pipe(matrix, topK(4)))._tag).toBe('IndexError');
    // @ts-expect-error at: index 2 is outside of an axis of length 2
    expect(caught(() => at(x, 2))._tag).toBe('IndexError');
    // @ts-expect-error at: there are more entries than 1 axes
    expect(caught(() => pipe(vector, at(0, 0)))._tag).toBe('IndexError');
    // @ts-expect-error setAt: index 5 is outside of an axis of length 3
    expect(caught(() => setAt(matrix, ['...', 5], 0))._tag).toBe('IndexError');
    // @ts-expect-error addAt: there are more entries than 1 axes
    expect(caught(() => pipe(vector, addAt([0, newAxis, 0], 1)))._tag).toBe('IndexError');
    // @ts-expect-error at: a step is not 0
    expect(caught(() => at(x, [0, 2, 0]))._tag).toMatch(/Error/);
    is<AtShape<'at', S<[2]>, readonly [-3]>>().toEqualTypeOf<
      Mismatch<'at: index -3 is outside of an axis of length 2'>
    >();
    is<AtShape<'at', S<[2]>, readonly ['...', 0, 0]>>().toEqualTypeOf<
      Mismatch<'at: there are more entries than 1 axes'>
    >();
    is<AtShape<'at', S<[2]>, readonly [readonly [0, 1, 0]]>>().toEqualTypeOf<Mismatch<'at: a step is not 0'>>();
    is<AtShape<'at', S<[2]>, readonly ['...', '...']>>().toEqualTypeOf<Mismatch<"at: '...' stands more than once">>();
  });
});

describe('making and drawing', () => {
  it('of counted numbers', () => {
    typeOf(arange(5), [5]).toEqualTypeOf<T<S<[5]>>>();
    typeOf(arange(2, 7, { dtype: 'int32' }), [5]).toEqualTypeOf<T<S<[5]>, 'int32'>>();
    typeOf(arange(0, 10, 3), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(arange(7, 7), [0]).toEqualTypeOf<T<S<[0]>>>();
    typeOf(arange(-2, 2), [4]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(arange(5, 0, -1), [5]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(arange(0, 1, 0.25), [4]).toEqualTypeOf<T<S<[number]>>>();
    typeOf(arange(two), [2]).toEqualTypeOf<T<S<[number]>>>();
    is<Steps<0, 1000000, 7>>().toEqualTypeOf<142858>();
  });

  it('of draws', () => {
    typeOf(normal(k, [2, 3]), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(uniform(k, [2, 3], { dtype: 'float64' }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>, 'float64'>>();
    typeOf(exponential(k, [two, 3]), [2, 3]).toEqualTypeOf<T<S<[number, 3]>>>();
    typeOf(randint(k, [4], 0, 9), [4]).toEqualTypeOf<T<S<[4]>, 'int32'>>();
    typeOf(bernoulli(k, 0.5, [2, 3]), [2, 3]).toEqualTypeOf<T<S<[2, 3]>, 'bool'>>();
    typeOf(bernoulli(k, tensor([0.1, 0.9])), [2]).toEqualTypeOf<T<S<[2]>, 'bool'>>();
    typeOf(bernoulli(k, tensor([0.1, 0.9]), [3, 1]), [3, 2]).toEqualTypeOf<T<S<[3, 2]>, 'bool'>>();
    typeOf(permutation(k, 5), [5]).toEqualTypeOf<T<S<[5]>, 'int32'>>();
    typeOf(permutation(k, matrix), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(categorical(k, matrix), [2]).toEqualTypeOf<T<S<[2]>, 'int32'>>();
    typeOf(categorical(k, matrix, { axis: 0, shape: [7] }), [7, 3]).toEqualTypeOf<T<S<[7, 3]>, 'int32'>>();
    typeOf(gamma(k, 2), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(gamma(k, vector, { shape: [5, 3] }), [5, 3]).toEqualTypeOf<T<S<[5, 3]>>>();
    typeOf(gamma(k, 2, { shape: [5], dtype: 'float64' }), [5]).toEqualTypeOf<T<S<[5]>, 'float64'>>();
    typeOf(beta(k, vector, tensor([[1], [2]], { dtype: 'float64' })), [2, 3]).toEqualTypeOf<T<S<[2, 3]>, 'float64'>>();
    typeOf(dirichlet(k, vector), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(truncatedNormal(k, -1, 1, { shape: [2] }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(poisson(k, vector), [3]).toEqualTypeOf<T<S<[3]>, 'int32'>>();
    typeOf(binomial(k, 5, vector.shape[0] === 3 ? 0.5 : 0.1, { shape: [2], dtype: 'float32' }), [2]).toEqualTypeOf<
      T<S<[2]>>
    >();
    typeOf(gamma(k, unknown), [2, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(state.normal([2, 3])(k)[0], [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
  });

  it('refused', () => {
    // @ts-expect-error bernoulli: lengths 2 and 3 differ and neither is 1
    expect(caught(() => bernoulli(k, tensor([0.1, 0.9]), [3]))._tag).toBe('ShapeError');
    // @ts-expect-error categorical: axis 2 is out of range for rank 2
    expect(caught(() => categorical(k, matrix, { axis: 2 }))._tag).toBe('AxisError');
    // @ts-expect-error gamma: parameters of shape [3] do not broadcast to [3, 2]
    expect(caught(() => gamma(k, vector, { shape: [3, 2] }))._tag).toBe('ShapeError');
    // @ts-expect-error beta: lengths 3 and 2 differ and neither is 1
    expect(caught(() => beta(k, vector, tensor([1, 2])))._tag).toBe('ShapeError');
    is<Drawn<'gamma', S<[3]>, S<[]>>>().toEqualTypeOf<
      Mismatch<'gamma: parameters of shape [3] do not broadcast to []'>
    >();
    is<Drawn<'gamma', S<[number]>, S<[3]>>>().toEqualTypeOf<S<[3]>>();
  });
});

describe('transforms', () => {
  it('of signals', () => {
    typeOf(fft(matrix).re, [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(fft(fft(matrix), { n: 8, axis: 0 }).im, [8, 3]).toEqualTypeOf<T<S<[8, 3]>>>();
    typeOf(pipe(matrix, fft({ n: 2 })).re, [2, 2]).toEqualTypeOf<T<S<[2, 2]>>>();
    typeOf(rfft(x).re, [2, 3, 3]).toEqualTypeOf<T<S<[2, 3, 3]>>>();
    typeOf(rfft(x, { n: 7, axis: 0 }).re, [4, 3, 4]).toEqualTypeOf<T<S<[4, 3, 4]>>>();
    typeOf(irfft(rfft(x)), [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(irfft(rfft(matrix), { n: 3 }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(fftn(x).re, [2, 3, 4]).toEqualTypeOf<T<S<[2, 3, 4]>>>();
    typeOf(fftn(x, { s: [5, 6] }).re, [2, 5, 6]).toEqualTypeOf<T<S<[2, 5, 6]>>>();
    typeOf(pipe(x, fft2({ s: [5, 6], axes: [0, -1] })).re, [5, 3, 6]).toEqualTypeOf<T<S<[5, 3, 6]>>>();
    typeOf(rfft(rows).re, [2, 2]).toEqualTypeOf<T<S<[number, 2]>>>();
    typeOf(fft(unknown).re, [2, 3]).toEqualTypeOf<T<Shape>>();
    typeOf(fftshift(matrix, { axes: 1 }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(rfftfreq(9), [5]).toEqualTypeOf<T<S<[5]>>>();
    typeOf(fftConvolve(vector, tensor([1, 2])), [4]).toEqualTypeOf<T<S<[4]>>>();
    typeOf(fftConvolve(matrix, tensor([[1, 2]]), { axes: [1], mode: 'valid' }), [2, 2]).toEqualTypeOf<T<S<[2, 2]>>>();
    typeOf(pipe(vector, fftConvolve(tensor([1, 2, 3, 4]), { mode: 'same' })), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(glu(zeros([2, 6])), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(pipe(x, glu({ axis: 0 })), [1, 3, 4]).toEqualTypeOf<T<S<[1, 3, 4]>>>();
  });

  it('refused', () => {
    // @ts-expect-error fft: axis 2 is out of range for rank 2
    expect(caught(() => fft(matrix, { axis: 2 }))._tag).toBe('AxisError');
    // @ts-expect-error rfft: axis 1 is out of range for rank 1
    expect(caught(() => pipe(vector, rfft({ axis: 1 })))._tag).toBe('AxisError');
    // @ts-expect-error fftn: s has 1 lengths for 2 axes
    expect(caught(() => fftn(matrix, { s: [4], axes: [0, 1] }))._tag).toBe('ShapeError');
    // @ts-expect-error fftConvolve: the ranks must be equal, but are 2 and 1
    expect(caught(() => fftConvolve(matrix, vector))._tag).toBe('ShapeError');
    // @ts-expect-error glu: axis 1 has the odd length 3
    expect(caught(() => glu(matrix))._tag).toBe('ShapeError');
    is<Transformed<'fft', S<[4]>, 1, 8>>().toEqualTypeOf<Mismatch<'fft: axis 1 is out of range for rank 1'>>();
    is<TransformedAlong<'fftn', S<[4]>, never, S<[1, 2]>>>().toEqualTypeOf<
      Mismatch<'fftn: s has more lengths than there are axes'>
    >();
    is<TransformedAlong<'fftn', S<[4, 4]>, S<[0, -2]>, S<[1, 2]>>>().toEqualTypeOf<
      Mismatch<'fftn: axis 0 is named twice'>
    >();
    is<Halved<'glu', S<[4, number]>, -1>>().toEqualTypeOf<S<[4, number]>>();
    is<FftConvolved<S<[2, 5]>, S<[3, 2]>, S<[1]>, 'full'>>().toEqualTypeOf<
      Mismatch<'fftConvolve: lengths 2 and 3 differ and neither is 1'>
    >();
  });
});

describe('losses and what is elementwise', () => {
  it('of losses', () => {
    typeOf(mseLoss(matrix, matrix), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(mseLoss(matrix, 0, { reduction: 'none' }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(pipe(matrix, mseLoss(matrix, { reduction: 'none' })), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(klDiv(matrix, matrix, { reduction: 'batchmean' }), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(gaussianNll(matrix, matrix, 1, { reduction: 'none' }), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(crossEntropy(matrix, ids, { reduction: 'none' }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(crossEntropy(matrix, matrix, { reduction: 'none' }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(crossEntropy(vector, tensor(1, { dtype: 'int32' })), []).toEqualTypeOf<T<S<[]>>>();
    typeOf(pipe(x, nllLoss(zeros([2, 4], { dtype: 'int32' }), { reduction: 'none' })), [2, 4]).toEqualTypeOf<
      T<S<[2, 4]>>
    >();
    typeOf(tripletMarginLoss(matrix, matrix, matrix, { reduction: 'none' }), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(cosineSimilarity(matrix, vector), [2]).toEqualTypeOf<T<S<[2]>>>();
    typeOf(pairwiseDistance(matrix, vector, { axis: 0 }), [3]).toEqualTypeOf<T<S<[3]>>>();
    typeOf(cdist(zeros([5, 4, 3]), matrix), [5, 4, 2]).toEqualTypeOf<T<S<[5, 4, 2]>>>();
    typeOf(cross(matrix, vector), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(mseLoss(unknown, matrix, { reduction: 'none' }), [2, 3]).toEqualTypeOf<T<Shape>>();
    // Whether arguments that are any are a tensor and another, or another and options, is as at run time.
    typeOf(mseLoss(untyped, untyped), []).toEqualTypeOf<T<S<[]>, 'float32' | 'float64'>>();
    const taken: Tensor[] = [take(untyped, untyped[0] ?? 0), cdist(untyped, untyped), fftConvolve(untyped, untyped)];
    expect(taken.map(each => each.shape.length)).toEqual([1, 2, 2]);
  });

  it('of bounds', () => {
    typeOf(clamp(matrix, 0, 1), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(clamp(ids, null, tensor([[1], [2]])), [2, 2]).toEqualTypeOf<T<S<[2, 2]>>>();
    typeOf(pipe(vector, clamp(tensor([[0], [1]]), null)), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(lerp(matrix, vector, 0.5), [2, 3]).toEqualTypeOf<T<S<[2, 3]>>>();
    typeOf(lerp(0, ids, tensor([[0.5], [1]])), [2, 2]).toEqualTypeOf<T<S<[2, 2]>>>();
    typeOf(pipe(vector, lerp(zeros([3], { dtype: 'float64' }), vector)), [3]).toEqualTypeOf<T<S<[3]>, 'float64'>>();
  });

  it('refused', () => {
    // @ts-expect-error mseLoss: shapes [2, 3] and [3] differ
    expect(caught(() => mseLoss(matrix, vector))._tag).toBe('ShapeError');
    // @ts-expect-error mseLoss: shapes [2, 3] and [3] differ
    expect(caught(() => pipe(matrix, mseLoss(vector)))._tag).toBe('ShapeError');
    // @ts-expect-error crossEntropy: shapes [2] and [3] differ
    expect(caught(() => crossEntropy(matrix, zeros([3], { dtype: 'int32' })))._tag).toBe('ShapeError');
    // @ts-expect-error cdist: rows have the lengths 3 and 2
    expect(caught(() => cdist(matrix, zeros([4, 2])))._tag).toBe('ShapeError');
    // @ts-expect-error cross: axis 0 has length 2, not 3
    expect(caught(() => cross(matrix, matrix, { axis: 0 }))._tag).toBe('ShapeError');
    // @ts-expect-error lerp: lengths 3 and 2 differ and neither is 1
    expect(caught(() => lerp(vector, 0, tensor([1, 2])))._tag).toBe('ShapeError');
    // @ts-expect-error clamp: lengths 3 and 2 differ and neither is 1
    expect(caught(() => clamp(vector, null, tensor([1, 2])))._tag).toBe('ShapeError');
    is<ClassLosses<'nllLoss', S<[]>, S<[]>, 'int32'>>().toEqualTypeOf<
      Mismatch<'nllLoss: axis 1 is out of range for rank 0'>
    >();
    is<ClassLosses<'nllLoss', S<[2, 3]>, S<[2, 1]>, 'int32'>>().toEqualTypeOf<
      Mismatch<'nllLoss: shapes [2] and [2, 1] differ'>
    >();
    is<Distances<S<[2, 3]>, S<[2, 4]>>>().toEqualTypeOf<Mismatch<'cdist: rows have the lengths 3 and 4'>>();
    is<Crossed<S<[2, 3]>, S<[4, 3]>, 1>>().toEqualTypeOf<Mismatch<'cross: lengths 2 and 4 differ and neither is 1'>>();
  });
});

describe('generic functions', () => {
  it('take any shape', () => {
    const f = <X extends Shape>(y: T<X>) => {
      const results: Tensor[] = [
        sum(y),
        sum(y, { axis: 0 }),
        pipe(y, mean({ axis: [0, 1], keepDims: true })),
        argmax(y, { axis: 1 }),
        quantile(y, 0.5, { axis: 0 }),
        softmax(y, { axis: 1 }),
        cumsum(y),
        sort(y, { axis: 0 }),
        take(y, 0),
        take(y, ids),
        pipe(y, take(0, { axis: 1 })),
        takeAlong(y, zeros([2, 3], { dtype: 'int32' })),
        gather(y, zeros([2, 3], { dtype: 'int32' })),
        topK(y, 1).values,
        at(y, 0, '...'),
        setAt(y, [0], 1),
        addAt(y, [0, '...'], 1),
        fft(y).re,
        rfft(y).re,
        irfft(y),
        fftn(y, { s: [2, 3] }).re,
        fftConvolve(y, y),
        fftConvolve(y, matrix),
        mseLoss(y, y),
        mseLoss(y, matrix),
        mseLoss(y, 0, { reduction: 'none' }),
        crossEntropy(y, ids),
        cosineSimilarity(y, vector),
        cdist(y, matrix),
        cross(y, y),
        add(y, vector),
        gamma(k, y),
        beta(k, y, vector),
        poisson(k, y, { shape: [2, 3] }),
        bernoulli(k, y),
        categorical(k, y),
        glu(y, { axis: 0 }),
        lerp(y, vector, 0.5),
        clamp(y, vector, null),
        add(y, y),
      ];
      const same: T<X>[] = [softmax(y), clamp(y, 0, 1), sort(y), linearRecurrence(y, y), normal(k, y.shape)];
      return [...results, ...same];
    };
    expectTypeOf(f).returns.toMatchTypeOf<Tensor[]>();
    expect(f(matrix)).toHaveLength(45);
  });

  it('take any length', () => {
    const f = <N extends number, M extends number>(y: T<S<[N, 3]>>, z: T<S<[M, 4]>>, n: N): Tensor[] => [
      sum(y, { axis: 0 }),
      pipe(y, max({ axis: [0, 1] })),
      argmax(z, { axis: 1 }),
      quantile(y, [0.5], { axis: 1 }),
      softmax(y, { axis: -1 }),
      take(y, 0),
      take(y, 0, { axis: 1 }),
      take(z, ids),
      takeAlong(y, zeros([2, 3], { dtype: 'int32' })),
      gather(y, zeros([2, 3], { dtype: 'int32' })),
      topK(y, 1, { axis: 0 }).values,
      at(y, 0),
      at(y, [0, 1], 2),
      at(y, '...', [1, null]),
      fft(y).re,
      rfft(y, { axis: 0 }).re,
      irfft(z),
      fftn(y, { s: [2, 3] }).re,
      fftConvolve(y, y),
      glu(z),
      mseLoss(y, y),
      mseLoss(y, matrix),
      crossEntropy(y, ids),
      cosineSimilarity(y, vector),
      cdist(y, matrix),
      cross(y, vector),
      clamp(y, vector, 1),
      linearRecurrence(y, matrix),
      gamma(k, y, { shape: [2, 3] }),
      bernoulli(k, y),
      normal(k, [n, 3]),
      arange(n),
      permutation(k, n),
      oneHot(ids, n),
    ];
    expectTypeOf(f).returns.toEqualTypeOf<Tensor[]>();
    expect(
      f(
        tensor([
          [0.1, 0.2, 0.3],
          [0.4, 0.5, 0.6],
        ]),
        zeros([2, 4]),
        2,
      ),
    ).toHaveLength(34);
  });
});
