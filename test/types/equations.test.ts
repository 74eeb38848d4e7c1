/**
 * What the compiler makes of equations, patterns and windows. The assertions are checked by `tsc -p .`;
 * the sentences are those that it shows where shapes do not fit.
 */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ConvOptions } from '../../src/tensor/ops/spatial/convolution.js';
import type { InterpolateOptions } from '../../src/tensor/ops/spatial/resampling.js';
import type { Shape } from '../../src/tensor/shape.js';
import type { Fit, Mismatch } from '../../src/tensor/shape-types.js';
import type { EinsumShape } from '../../src/tensor/types/einsum.js';
import type { AdaptivePoolShape, InterpolateShape, PoolShape, UnfoldShape } from '../../src/tensor/types/pooling.js';
import type { RearrangeShape } from '../../src/tensor/types/rearrange.js';
import type { ConvShape, ConvTransposeShape } from '../../src/tensor/types/windows.js';

const is = <T>() => expectTypeOf<T>();

// biome-ignore lint/suspicious/noExplicitAny: what came from untyped code
type Any = any;

/** A shape as it is written, read only. */
type S<T extends readonly number[]> = Readonly<T>;

describe('einsum', () => {
  type Of<E extends string, T extends readonly Shape[]> = EinsumShape<E, T>;

  it('with a result that is named', () => {
    is<Of<'ij,jk->ik', [S<[2, 3]>, S<[3, 4]>]>>().toEqualTypeOf<S<[2, 4]>>();
    is<Of<' i j , j k -> k i ', [S<[2, 3]>, S<[3, 4]>]>>().toEqualTypeOf<S<[4, 2]>>();
    is<Of<'bhqd,bhkd->bhqk', [S<[8, 4, 10, 64]>, S<[8, 4, 12, 64]>]>>().toEqualTypeOf<S<[8, 4, 10, 12]>>();
    is<Of<'i,ij,j->', [S<[2]>, S<[2, 3]>, S<[3]>]>>().toEqualTypeOf<S<[]>>();
    is<Of<'ii->i', [S<[3, 3]>]>>().toEqualTypeOf<S<[3]>>();
    is<Of<'ij,jk->ik', [S<[2, 1]>, S<[3, 10000000]>]>>().toEqualTypeOf<S<[2, 10000000]>>();
  });

  it('with one that follows', () => {
    is<Of<'ij,jk', [S<[2, 3]>, S<[3, 4]>]>>().toEqualTypeOf<S<[2, 4]>>();
    is<Of<'Ba,ab', [S<[2, 3]>, S<[3, 4]>]>>().toEqualTypeOf<S<[2, 4]>>();
    is<Of<'ba', [S<[2, 3]>]>>().toEqualTypeOf<S<[3, 2]>>();
    is<Of<'ii', [S<[3, 3]>]>>().toEqualTypeOf<S<[]>>();
    is<Of<'...i,i', [S<[5, 2, 3]>, S<[3]>]>>().toEqualTypeOf<S<[5, 2]>>();
  });

  it('with an ellipsis', () => {
    is<Of<'...ij,...jk->...ik', [S<[5, 1, 2, 3]>, S<[7, 3, 4]>]>>().toEqualTypeOf<S<[5, 7, 2, 4]>>();
    is<Of<'i...j->j...', [S<[2, 3, 4, 5]>]>>().toEqualTypeOf<S<[5, 3, 4]>>();
    is<Of<'...i->i', [S<[2, 3]>]>>().toEqualTypeOf<S<[3]>>();
    is<Of<'...i,...i', [S<[2, 3]>, S<[5, 3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: lengths 2 and 5 differ and neither is 1'>
    >();
  });

  it('that does not fit', () => {
    is<Of<'ij,jk->ik', [S<[2, 3]>, S<[4, 4]>]>>().toEqualTypeOf<
      Mismatch<'einsum: j is 3 in the first operand and 4 in the second'>
    >();
    is<Of<'i,j,i->j', [S<[2]>, S<[2]>, S<[3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: i is 2 in the first operand and 3 in the third'>
    >();
    is<Of<'ii->i', [S<[3, 1]>]>>().toEqualTypeOf<Mismatch<'einsum: i is 3 and 1 in the first operand'>>();
    is<Of<'ij,jk->ik', [S<[2, 3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: the equation has 2 terms, and there is 1 operand'>
    >();
    is<Of<'i->i', [S<[2]>, S<[3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: the equation has 1 term, and there are 2 operands'>
    >();
    is<Of<'ijk->ik', [S<[2, 3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: the first term names 3 axes, the first operand has 2'>
    >();
    is<Of<'i,j->i', [S<[2]>, S<[2, 3]>]>>().toEqualTypeOf<
      Mismatch<'einsum: the second term names 1 axis, the second operand has 2'>
    >();
    is<Of<'ij->ik', [S<[2, 3]>]>>().toEqualTypeOf<Mismatch<'einsum: the letter k of the result is in no operand'>>();
    is<Of<'i->ii', [S<[2]>]>>().toEqualTypeOf<Mismatch<'einsum: the letter i stands twice in the result'>>();
    is<Of<'i->i->i', [S<[2]>]>>().toEqualTypeOf<Mismatch<'einsum: an equation has one arrow'>>();
    is<Of<'......->', [S<[2]>]>>().toEqualTypeOf<Mismatch<'einsum: a term has at most one ellipsis'>>();
    is<Of<'i1->i', [S<[2, 3]>]>>().toEqualTypeOf<
      Mismatch<"einsum: '1' in a term is neither a letter nor part of an ellipsis">
    >();
  });

  it('of what is not known', () => {
    is<Of<'ij,jk->ijk', [S<[number, number]>, S<[3, 4]>]>>().toEqualTypeOf<S<[number, 3, 4]>>();
    is<Of<'ij,jk->ijk', [S<[2, 3 | 5]>, S<[3, 4]>]>>().toEqualTypeOf<S<[2, 3, 4]>>();
    is<Of<'ij,jk->ik', [Shape, S<[3, 4]>]>>().toEqualTypeOf<S<[number, 4]>>();
    is<Of<'ij,jk->ik', [Any, S<[3, 4]>]>>().toEqualTypeOf<S<[number, 4]>>();
    is<Of<'ij->j', S<[2, 3]>[]>>().toEqualTypeOf<Shape>();
    is<Of<string, [S<[2, 3]>]>>().toEqualTypeOf<Shape>();
    is<Of<`${string}->i`, [S<[2, 3]>]>>().toEqualTypeOf<Shape>();
    const open = <T extends Shape>(shape: Fit<Of<'...ij->...ji', [T]>>): Shape => shape;
    expect(open<S<[2, 3]>>([3, 2])).toEqual([3, 2]);
  });
});

describe('rearrange', () => {
  type Of<T extends Shape, P extends string, L = Record<never, never>> = RearrangeShape<T, P, L>;

  it('takes apart, joins and adds', () => {
    is<Of<S<[2, 3]>, 'rows columns -> columns rows'>>().toEqualTypeOf<S<[3, 2]>>();
    is<Of<S<[8, 64, 3]>, 'b (h w) c -> b c h w', { readonly h: 4 }>>().toEqualTypeOf<S<[8, 3, 4, 16]>>();
    is<Of<S<[8, 3, 32, 32]>, 'b c (h p) (w q)->b (h w) (p q c)', { p: 4; q: 4 }>>().toEqualTypeOf<S<[8, 64, 48]>>();
    is<Of<S<[8, 3, 4, 4]>, 'b ... -> b (...)'>>().toEqualTypeOf<S<[8, 48]>>();
    is<Of<S<[8, 5, 6, 7]>, 'b...c -> c ... b'>>().toEqualTypeOf<S<[7, 5, 6, 8]>>();
    is<Of<S<[8, 1, 1]>, 'b()1 -> 1 b 2 n', { n: 3 }>>().toEqualTypeOf<S<[1, 8, 2, 3]>>();
    is<Of<S<[64, 3, 1024, 1024]>, 'b c h w -> (b c h w)'>>().toEqualTypeOf<S<[201326592]>>();
  });

  it('does not fit', () => {
    type Refused<T extends string> = Mismatch<`rearrange: ${T}`>;
    is<Of<S<[8, 10]>, 'b (h w) -> b h w', { h: 4 }>>().toEqualTypeOf<
      Refused<'the length 10 of (h w) is no multiple of 4'>
    >();
    is<Of<S<[10]>, '(h w) -> h w', { h: 4; w: 3 }>>().toEqualTypeOf<Refused<'(h w) has the length 10, not 12'>>();
    is<Of<S<[10]>, '(h w) -> h w'>>().toEqualTypeOf<Refused<'the lengths of h and w in (h w) are unknown'>>();
    is<Of<S<[8]>, 'b c -> c b'>>().toEqualTypeOf<Refused<'the pattern has 2 axes on the left, the tensor 1'>>();
    is<Of<S<[8]>, 'b c ... -> c b ...'>>().toEqualTypeOf<
      Refused<'the pattern has 2 axes on the left at least, the tensor 1'>
    >();
    is<Of<S<[8, 5]>, 'b c -> b'>>().toEqualTypeOf<Refused<'c stands on the left only'>>();
    is<Of<S<[8]>, 'b -> b d'>>().toEqualTypeOf<Refused<'d on the right is new and has no length'>>();
    is<Of<S<[8]>, 'b -> b', { q: 3 }>>().toEqualTypeOf<Refused<'the pattern has no axis q'>>();
    is<Of<S<[8]>, 'b -> b b'>>().toEqualTypeOf<Refused<'b stands twice on one side'>>();
    is<Of<S<[8, 8]>, 'b b -> b'>>().toEqualTypeOf<Refused<'b stands twice on one side'>>();
    is<Of<S<[8]>, '(b -> b'>>().toEqualTypeOf<Refused<'the parenthesis ( has no partner'>>();
    is<Of<S<[8]>, 'b) -> b'>>().toEqualTypeOf<Refused<'the parenthesis ) has no partner'>>();
    is<Of<S<[8]>, 'b'>>().toEqualTypeOf<Refused<'a pattern has one arrow'>>();
    is<Of<S<[8, 2]>, 'b 2 -> b'>>().toEqualTypeOf<Refused<'the number 2 stands on the left'>>();
    is<Of<S<[8]>, 'b -> b ...'>>().toEqualTypeOf<Refused<'the ellipsis stands on the right only'>>();
    is<Of<S<[8]>, 'b ... -> b'>>().toEqualTypeOf<Refused<'the ellipsis stands on the left only'>>();
    is<Of<S<[8]>, '(b ...) -> b ...'>>().toEqualTypeOf<Refused<'the ellipsis stands in parentheses on the left'>>();
  });

  it('of what is not known', () => {
    is<Of<Shape, 'b (c d) -> b d c', { d: 3 }>>().toEqualTypeOf<S<[number, 3, number]>>();
    is<Of<Any, 'b c -> c b'>>().toEqualTypeOf<S<[number, number]>>();
    is<Of<S<[number, 6]>, 'b (c d) -> b d c', { d: 3 }>>().toEqualTypeOf<S<[number, 3, 2]>>();
    is<Of<S<[8, 5 | 6]>, 'b (c d) -> b c d', { c: 5 }>>().toEqualTypeOf<S<[8, 5, number]>>();
    is<Of<S<[8, 6]>, 'b (c d) -> b c d', Record<string, number>>>().toEqualTypeOf<S<[number, number, number]>>();
    is<Of<S<[8, 6]>, string>>().toEqualTypeOf<Shape>();
    const open = <T extends Shape>(shape: Fit<Of<T, 'a b -> b a'>>): Shape => shape;
    expect(open<S<[2, 3]>>([3, 2])).toEqual([3, 2]);
  });
});

describe('windows', () => {
  type X = S<[8, 3, 32, 32]>;
  type W = S<[16, 3, 3, 3]>;
  type None = Record<never, never>;
  type Conv<A extends Shape, B extends Shape, O = None> = ConvShape<'conv2d', 2, A, B, O>;
  type Turned<A extends Shape, B extends Shape, O = None> = ConvTransposeShape<'convTranspose2d', 2, A, B, O>;
  type Max<A extends Shape, Size, O = None> = PoolShape<'maxPool2d', 2, A, Size, O>;

  it('of convolutions', () => {
    is<Conv<X, W>>().toEqualTypeOf<S<[8, 16, 30, 30]>>();
    is<Conv<S<[3, 32, 32]>, W, { stride: 2; padding: 1 }>>().toEqualTypeOf<S<[16, 16, 16]>>();
    is<Conv<X, W, { padding: 'same'; dilation: 2 }>>().toEqualTypeOf<S<[8, 16, 32, 32]>>();
    is<Conv<X, W, { padding: 'valid' }>>().toEqualTypeOf<S<[8, 16, 30, 30]>>();
    is<Conv<X, W, { padding: S2; stride: readonly [1, 3]; dilation: 2 }>>().toEqualTypeOf<S<[8, 16, 30, 10]>>();
    is<Conv<X, S<[15, 1, 3, 3]>, { groups: 3 }>>().toEqualTypeOf<S<[8, 15, 30, 30]>>();
    is<ConvShape<'conv1d', 1, S<[3, 7]>, S<[5, 3, 2]>, { inputDilation: 2 }>>().toEqualTypeOf<S<[5, 12]>>();
    is<ConvShape<'conv3d', 3, S<[1, 3, 7, 8, 9]>, S<[5, 3, 2, 2, 2]>>>().toEqualTypeOf<S<[1, 5, 6, 7, 8]>>();
    is<Turned<S<[1, 3, 4, 5]>, S<[3, 8, 2, 2]>, { stride: 2 }>>().toEqualTypeOf<S<[1, 8, 8, 10]>>();
    is<Turned<S<[4, 6, 6]>, S<[4, 2, 3, 3]>, { groups: 2; padding: 1 }>>().toEqualTypeOf<S<[4, 6, 6]>>();
    is<Turned<S<[3, 4, 5]>, S<[3, 8, 3, 3]>, { stride: 2; padding: 1; outputPadding: 1 }>>().toEqualTypeOf<
      S<[8, 8, 10]>
    >();
  });
  type S2 = readonly [1, readonly [0, 2]];

  it('of convolutions that do not fit', () => {
    is<Conv<X, S<[16, 4, 3, 3]>>>().toEqualTypeOf<Mismatch<'conv2d: the input has 3 channels, the kernel takes 4'>>();
    is<Conv<X, S<[16, 1, 3, 3]>, { groups: 3 }>>().toEqualTypeOf<
      Mismatch<'conv2d: 16 outputs cannot be cut into 3 groups'>
    >();
    is<Conv<S<[3, 32, 2]>, W>>().toEqualTypeOf<
      Mismatch<'conv2d: the kernel reaches over 3, and the input with its padding has 2 only'>
    >();
    is<Conv<S<[32, 2]>, W>>().toEqualTypeOf<Mismatch<'conv2d: an input is [n, c, h, w] or [c, h, w]'>>();
    is<Conv<X, S<[3, 3]>>>().toEqualTypeOf<
      Mismatch<'conv2d: the kernel has two axes of channels, then 2 spatial, not 2'>
    >();
    is<Conv<S<[3, 0, 4]>, W>>().toEqualTypeOf<Mismatch<'conv2d: spatial axes have a length of at least 1'>>();
    is<Conv<X, W, { padding: 'same'; stride: 2 }>>().toEqualTypeOf<
      Mismatch<'conv2d: a result is as long as its input only if the stride is 1, not 2'>
    >();
    is<Turned<S<[1, 4, 4, 5]>, S<[3, 8, 3, 3]>>>().toEqualTypeOf<
      Mismatch<'convTranspose2d: the input has 4 channels, the kernel takes 3'>
    >();
    is<Turned<S<[3, 1, 5]>, S<[3, 8, 3, 3]>, { padding: 2 }>>().toEqualTypeOf<
      Mismatch<'convTranspose2d: the padding, 4 in all, cuts the result off'>
    >();
  });

  it('of pooling, patches and other resolutions', () => {
    is<Max<X, 2>>().toEqualTypeOf<S<[8, 3, 16, 16]>>();
    is<Max<X, 3, { stride: 2; padding: 1 }>>().toEqualTypeOf<S<[8, 3, 16, 16]>>();
    is<Max<X, readonly [3, 5], { stride: 2; ceilMode: true }>>().toEqualTypeOf<S<[8, 3, 16, 15]>>();
    is<Max<X, 2, { ceilMode: boolean }>>().toEqualTypeOf<S<[8, 3, number, number]>>();
    is<Max<S<[3, 2, 2]>, 3>>().toEqualTypeOf<
      Mismatch<'maxPool2d: windows reach over 3, and the input with its padding has 2 only'>
    >();
    is<AdaptivePoolShape<'adaptiveAvgPool2d', 2, X, 1>>().toEqualTypeOf<S<[8, 3, 1, 1]>>();
    is<AdaptivePoolShape<'adaptiveAvgPool2d', 2, X, readonly [3, 4]>>().toEqualTypeOf<S<[8, 3, 3, 4]>>();
    is<UnfoldShape<X, readonly [3, 3], { padding: 1 }>>().toEqualTypeOf<S<[8, 27, 1024]>>();
    is<InterpolateShape<X, { scale: 2 }>>().toEqualTypeOf<S<[8, 3, 64, 64]>>();
    is<InterpolateShape<S<[3, 5, 5]>, { scale: 0.5; mode: 'bilinear' }>>().toEqualTypeOf<S<[3, 2, 2]>>();
    is<InterpolateShape<X, { size: readonly [64, 48] }>>().toEqualTypeOf<S<[8, 3, 64, 48]>>();
    is<InterpolateShape<S<[3, 1, 1]>, { scale: 0.5; mode: 'bilinear' }>>().toEqualTypeOf<
      Mismatch<'interpolate: an axis of 1 would become one of 0'>
    >();
    is<InterpolateShape<S<[3, 4]>, { scale: 2 }>>().toEqualTypeOf<
      Mismatch<'interpolate: there are one to three spatial axes'>
    >();
  });

  it('of what is not known', () => {
    is<Conv<X, W, ConvOptions>>().toEqualTypeOf<S<[8, 16, number, number]>>();
    is<Conv<X, W, { padding: 0 | 1; stride: number }>>().toEqualTypeOf<S<[8, 16, number, number]>>();
    is<Conv<S<[number, 3, number, 32]>, W, { stride: 2 }>>().toEqualTypeOf<S<[number, 16, number, 15]>>();
    is<Conv<S<[8, 2 | 3, 32, 32]>, W>>().toEqualTypeOf<S<[8, 16, 30, 30]>>();
    is<Conv<Shape, W>>().toEqualTypeOf<Shape>();
    is<Conv<Any, W>>().toEqualTypeOf<Shape>();
    is<Conv<X, Shape>>().toEqualTypeOf<S<[8, number, number, number]>>();
    is<Turned<Shape, W>>().toEqualTypeOf<Shape>();
    is<Max<Any, 2>>().toEqualTypeOf<Shape>();
    is<Max<X, number>>().toEqualTypeOf<S<[8, 3, number, number]>>();
    is<UnfoldShape<X, readonly number[]>>().toEqualTypeOf<Shape>();
    is<InterpolateShape<X, InterpolateOptions>>().toEqualTypeOf<S<[number, number, number, number]>>();
    const open = <T extends Shape>(shape: Fit<Conv<T, W>>, pooled: Fit<Max<T, 2>>): readonly Shape[] => [shape, pooled];
    expect(open<X>([8, 16, 30, 30], [8, 3, 16, 16])).toHaveLength(2);
  });
});
