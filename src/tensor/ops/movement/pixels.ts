/** Channels to pixels and back. The dtype stays. */
import { b } from '../../build.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { checkInteger, range, type Shape, showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { PixelShuffle as Shuffled, PixelUnshuffle as Unshuffled } from '../../types/reshaping.js';
import { permuteNode, reshapeNode } from '../common/moving.js';
import { dual, nodeFor } from '../common/operands.js';

/** The signatures of {@link pixelShuffle}. */
export interface PixelShuffle {
  <X extends Tensor, const R extends number>(
    x: X,
    factor: R & Ok<Shuffled<X['shape'], R>>,
  ): Tensor<Fit<Shuffled<X['shape'], R>>, X['dtype']>;
  <const R extends number>(
    factor: R,
  ): <X extends Tensor>(x: X & Ok<Shuffled<X['shape'], R>>) => Tensor<Fit<Shuffled<X['shape'], R>>, X['dtype']>;
}

/** The signatures of {@link pixelUnshuffle}. */
export interface PixelUnshuffle {
  <X extends Tensor, const R extends number>(
    x: X,
    factor: R & Ok<Unshuffled<X['shape'], R>>,
  ): Tensor<Fit<Unshuffled<X['shape'], R>>, X['dtype']>;
  <const R extends number>(
    factor: R,
  ): <X extends Tensor>(x: X & Ok<Unshuffled<X['shape'], R>>) => Tensor<Fit<Unshuffled<X['shape'], R>>, X['dtype']>;
}

/** An image […, channels, height, width] whose lengths `fits` accepts. */
const image = (
  operation: string,
  x: unknown,
  factor: number,
  rule: (r: number) => string,
  fits: (lengths: Shape) => boolean,
): Node => {
  const node = nodeFor(operation, x);
  checkInteger(operation, 'the factor', factor, 1, 2 ** 15);
  const { shape } = node;
  if (shape.length >= 3 && fits(shape.slice(-3))) return node;
  throw new ShapeError({
    operation,
    given: `${showAval(node)} and the factor ${factor}`,
    rule: shape.length < 3 ? 'an image has the axes […, channels, height, width]' : rule(factor),
    hint: shape.length < 3 ? 'Put axes in front with expandDims.' : 'Use another factor, or pad first.',
  });
};

/** The last axes of `x` in other lengths and another order. */
const regrouped = (x: Node, kept: number, apart: Shape, order: Shape, together: Shape): Node => {
  const front = x.shape.slice(0, kept);
  const split = b.reshape(x, { shape: [...front, ...apart] });
  const turned = permuteNode(split, [...range(kept), ...order.map(axis => axis + kept)]);
  return reshapeNode(turned, [...front, ...together]);
};

/**
 * Blocks of channels spread out as pixels: r² channels become r × r pixels of one, so that an image grows r times as
 * high and wide (Shi et al. 2016, arXiv:1609.05158). The element at channel c · r² + i · r + j goes to row
 * h · r + i and column w · r + j of channel c.
 *
 * @param x an image […, C · r², H, W]
 * @param factor r, a positive integer
 * @returns […, C, H · r, W · r]
 * @throws ShapeError when there are fewer than three axes, or r² does not divide the channels
 * @throws IndexError when the factor is no positive integer
 * @numpy —
 * @pytorch torch.nn.functional.pixel_shuffle
 * @example
 * ```js
 * import { pixelShuffle, tensor } from 'tenfold';
 * pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2).toArray(); // => [[[1, 2], [3, 4]]]
 * ```
 */
export const pixelShuffle: PixelShuffle = dual(2, (x: Tensor, r: number) => {
  const node = image(
    'pixelShuffle',
    x,
    r,
    by => `${by * by} must divide the channels`,
    ([c]) => c! % (r * r) === 0,
  );
  const [channels, h, w] = node.shape.slice(-3) as [number, number, number];
  const c = channels / (r * r);
  return wrap(regrouped(node, node.shape.length - 3, [c, r, r, h, w], [0, 3, 1, 4, 2], [c, h * r, w * r]));
});

/**
 * Blocks of pixels gathered up as channels, the reverse of {@link pixelShuffle}: r × r pixels become r² channels of
 * one.
 *
 * @param x an image […, C, H · r, W · r]
 * @param factor r, a positive integer
 * @returns […, C · r², H, W]
 * @throws ShapeError when there are fewer than three axes, or r does not divide height and width
 * @throws IndexError when the factor is no positive integer
 * @numpy —
 * @pytorch torch.nn.functional.pixel_unshuffle
 * @example
 * ```js
 * import { pixelUnshuffle, tensor } from 'tenfold';
 * pixelUnshuffle(tensor([[[1, 2], [3, 4]]]), 2).toArray(); // => [[[1]], [[2]], [[3]], [[4]]]
 * ```
 */
export const pixelUnshuffle: PixelUnshuffle = dual(2, (x: Tensor, r: number) => {
  const rule = (by: number): string => `${by} must divide height and width`;
  const node = image('pixelUnshuffle', x, r, rule, ([, h, w]) => h! % r === 0 && w! % r === 0);
  const [c, height, width] = node.shape.slice(-3) as [number, number, number];
  const [h, w] = [height / r, width / r];
  return wrap(regrouped(node, node.shape.length - 3, [c, h, r, w, r], [0, 2, 4, 1, 3], [c * r * r, h, w]));
});
