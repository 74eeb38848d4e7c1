/**
 * Convolutions over one, two and three spatial axes, with PyTorch's conventions: channels first, and no flipping of the kernel.
 * The arithmetic of lengths is told by V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep learning" (2016),
 * https://arxiv.org/abs/1603.07285.
 */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { outputLength } from '../../primitives/convolution.js';
import { checkArgument, range, type Shape, showAval, showShape } from '../../shape.js';
import type { Arithmetic, Fit, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { ConvShape, ConvTransposeShape, SpatialRank } from '../../types/windows.js';
import { factors } from '../common/checks.js';
import { checkOptions, dualBeforeOptions } from '../common/options.js';
import { checkGroups, type Padding, type PerAxis, paddingOf, padPairs, perAxis, shown } from './options.js';

/** How a kernel is moved over its input. */
export interface ConvOptions {
  /** How far it goes on; 1 if left out. */
  readonly stride?: PerAxis;
  /** None if left out, which is `'valid'`. `'same'`: such that the result is as long as the input; for a stride of 1. */
  readonly padding?: Padding | 'same' | 'valid';
  /** How far apart the kernel's elements are; 1 if left out. */
  readonly dilation?: PerAxis;
  /** Channels are cut into so many groups, each with kernels of its own; 1 if left out. */
  readonly groups?: number;
  /** How far apart the input's elements are moved, with zeros between them; 1 if left out. */
  readonly inputDilation?: PerAxis;
}

/** The options of the convolution that is to be transposed. */
export interface ConvTransposeOptions {
  readonly stride?: PerAxis;
  /** What is cut off the result at the ends of an axis. */
  readonly padding?: Padding;
  readonly dilation?: PerAxis;
  readonly groups?: number;
  /**
   * With a stride, inputs of several lengths have outputs of one length. How much longer than the shortest of them the result is;
   * 0 if left out.
   */
  readonly outputPadding?: PerAxis;
}

/** The signatures of {@link conv1d}, {@link conv2d} and {@link conv3d}. */
export interface Convolution<Op extends string, R extends SpatialRank> {
  <B extends Shape, E extends DType, const O extends Only<ConvOptions, O> = Record<never, never>>(
    w: Tensor<B, E> & NotAny<O>,
    options?: O,
  ): <A extends Shape, D extends DType>(
    x: Tensor<A, D> & Ok<ConvShape<Op, R, A, B, O>>,
  ) => Tensor<Fit<ConvShape<Op, R, A, B, O>>, Arithmetic<Promote<D, E>>>;
  <
    A extends Shape,
    D extends DType,
    B extends Shape,
    E extends DType,
    const O extends Only<ConvOptions, O> = Record<never, never>,
  >(
    x: Tensor<A, D>,
    w: Tensor<B, E> & Ok<ConvShape<Op, R, A, B, O>>,
    options?: O,
  ): Tensor<Fit<ConvShape<Op, R, A, B, O>>, Arithmetic<Promote<D, E>>>;
}

/** The signatures of {@link convTranspose1d}, {@link convTranspose2d} and {@link convTranspose3d}. */
export interface TransposedConvolution<Op extends string, R extends SpatialRank> {
  <B extends Shape, E extends DType, const O extends Only<ConvTransposeOptions, O> = Record<never, never>>(
    w: Tensor<B, E> & NotAny<O>,
    options?: O,
  ): <A extends Shape, D extends DType>(
    x: Tensor<A, D> & Ok<ConvTransposeShape<Op, R, A, B, O>>,
  ) => Tensor<Fit<ConvTransposeShape<Op, R, A, B, O>>, Arithmetic<Promote<D, E>>>;
  <
    A extends Shape,
    D extends DType,
    B extends Shape,
    E extends DType,
    const O extends Only<ConvTransposeOptions, O> = Record<never, never>,
  >(
    x: Tensor<A, D>,
    w: Tensor<B, E> & Ok<ConvTransposeShape<Op, R, A, B, O>>,
    options?: O,
  ): Tensor<Fit<ConvTransposeShape<Op, R, A, B, O>>, Arithmetic<Promote<D, E>>>;
}

/** Operands of one dtype and of ranks that fit, the input with an axis of samples; and what takes that axis away again. */
const operands = (operation: string, rank: number, given: unknown, kernel: unknown) => {
  const [x, w] = factors(operation, [given, kernel]) as [Node, Node];
  const refuse = (rule: string, hint: string): never => {
    throw new ShapeError({ operation, given: `${showAval(x)} and ${showAval(w)}`, rule, hint });
  };
  const batched = x.shape.length === rank + 2;
  if (!batched && x.shape.length !== rank + 1) {
    const axes = ['d', 'h', 'w'].slice(3 - rank).join(', ');
    refuse(`an input is [n, c, ${axes}] or [c, ${axes}]`, 'Put missing axes in with expandDims.');
  }
  if (w.shape.length !== rank + 2) {
    refuse(
      `the kernel has ${rank + 2} axes: two of channels, then ${rank} spatial`,
      'Put missing axes in with expandDims.',
    );
  }
  if ([...x.shape.slice(-rank), ...w.shape.slice(2)].some(length => length === 0)) {
    refuse('spatial axes have a length of at least 1', 'Leave the convolution out where there is nothing to convolve.');
  }
  const input = batched ? x : b.reshape(x, { shape: [1, ...x.shape] });
  const finish = (y: Node): Tensor => wrap(batched ? y : b.reshape(y, { shape: y.shape.slice(1) })) as Tensor;
  return { x: input, w, refuse, finish };
};

/** An axis cut into groups. */
const grouped = (x: Node, axis: number, groups: number): Node =>
  b.reshape(x, { shape: x.shape.toSpliced(axis, 1, groups, x.shape[axis]! / groups) });

/** The two axes behind the first become one. */
const ungrouped = (y: Node): Node => b.reshape(y, { shape: y.shape.toSpliced(1, 2, y.shape[1]! * y.shape[2]!) });

const spread = (x: Node, factors: readonly number[]): Node => {
  if (factors.every(factor => factor === 1)) return x;
  const none = x.shape.map(() => 0);
  return b.pad(x, { low: none, high: none, interior: [0, 0, ...factors.map(factor => factor - 1)] });
};

const convolution =
  (operation: string, rank: number) =>
  (given: Tensor, kernel: Tensor, options: ConvOptions = {}): Tensor => {
    checkOptions(operation, ['stride', 'padding', 'dilation', 'groups', 'inputDilation'], options);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, inputDilation = 1 } = options;
    const { x, w, refuse, finish } = operands(operation, rank, given, kernel);
    const strides = perAxis(operation, 'stride', stride, rank, 1);
    const dilations = perAxis(operation, 'dilation', dilation, rank, 1);
    const between = perAxis(operation, 'inputDilation', inputDilation, rank, 1);
    const lengths = w.shape.slice(2);
    const pairs = paddingOf(operation, padding, strides, dilations, lengths);
    checkGroups(operation, groups);
    const [o, c] = w.shape as [number, number];
    if (c * groups !== x.shape[1]) {
      refuse(
        `kernels of ${c} channels in ${groups} group${groups === 1 ? '' : 's'} take an input of ${c * groups} channels, not ${x.shape[1]}`,
        'A kernel is [outputs, inputs / groups, …spatial].',
      );
    }
    if (o % groups !== 0) refuse(`${o} outputs cannot be cut into ${groups} groups`, 'Choose groups that divide both.');
    const wide = spread(x, between);
    const reach = lengths.map((length, axis) => dilations[axis]! * (length - 1) + 1);
    const room = pairs.map(([low, high], axis) => wide.shape[axis + 2]! + low + high);
    if (reach.some((length, axis) => length > room[axis]!)) {
      refuse(
        `the kernel reaches over ${showShape(reach)}, and the input with its padding has ${showShape(room)} only`,
        'Use a smaller kernel or more padding.',
      );
    }
    const size = lengths.map((length, axis) =>
      outputLength(wide.shape[axis + 2]!, length, strides[axis]!, dilations[axis]!, pairs[axis]!),
    );
    const params = { of: 'output', strides, dilation: dilations, padding: pairs, size } as const;
    return finish(ungrouped(b.conv(grouped(wide, 1, groups), grouped(w, 0, groups), params)));
  };

const transposed =
  (operation: string, rank: number) =>
  (given: Tensor, kernel: Tensor, options: ConvTransposeOptions = {}): Tensor => {
    checkOptions(operation, ['stride', 'padding', 'dilation', 'groups', 'outputPadding'], options);
    const { stride = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = options;
    const { x, w, refuse, finish } = operands(operation, rank, given, kernel);
    const strides = perAxis(operation, 'stride', stride, rank, 1);
    const dilations = perAxis(operation, 'dilation', dilation, rank, 1);
    const more = perAxis(operation, 'outputPadding', outputPadding, rank, 0);
    const pairs = padPairs(operation, padding, rank);
    checkArgument(
      more.every((n, axis) => n < Math.max(strides[axis]!, dilations[axis]!)),
      operation,
      `${shown(outputPadding)} as outputPadding`,
      'outputPadding is less than the stride or the dilation',
      'What is beyond would be zeros; use pad for them.',
    );
    checkGroups(operation, groups);
    const c = w.shape[0]!;
    if (c !== x.shape[1]) {
      refuse(
        `a kernel of ${c} channels takes an input of ${c} channels, not ${x.shape[1]}`,
        'A transposed kernel is [inputs, outputs / groups, …spatial].',
      );
    }
    if (c % groups !== 0)
      refuse(`${c} channels cannot be cut into ${groups} groups`, 'Choose groups that divide both.');
    // What outputPadding adds to the result is not covered by the padding after it.
    const covered = pairs.map(([low, high], axis) => [low, high - more[axis]!] as const);
    const size = range(rank).map(axis => {
      const full = (x.shape[axis + 2]! - 1) * strides[axis]! + dilations[axis]! * (w.shape[axis + 2]! - 1) + 1;
      return full - covered[axis]![0] - covered[axis]![1];
    });
    if (size.some(length => length < 1)) {
      refuse(`the padding cuts the result off, to lengths ${showShape(size)}`, 'Use less padding.');
    }
    const params = { of: 'input', strides, dilation: dilations, padding: covered, size } as const;
    return finish(ungrouped(b.conv(grouped(w, 0, groups), grouped(x, 1, groups), params)));
  };

/**
 * The convolution of networks (a cross-correlation) over one spatial axis:
 * `y[n, o, t] = Σ x[n, c, t · stride + k · dilation − padding] · w[o, c, k]` over `c` and `k`. As PyTorch's `conv1d`, without
 * a bias: add it. See {@link conv2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param w `[o, c / groups, k]`
 * @returns `[n, o, ⌊(length + padding before and after − dilation · (k − 1) − 1) / stride⌋ + 1]`; the promoted dtype, bools
 * counting as int32
 * @throws ShapeError when channels do not fit, or the kernel is longer than the input with its padding
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_general_dilated
 * @pytorch torch.nn.functional.conv1d
 * @example
 * ```js
 * import { conv1d, tensor } from 'tenfold';
 * const x = tensor([[1, 2, 3, 4]]);
 * conv1d(x, tensor([[[1, 10]]])).toArray(); // => [[21, 32, 43]]
 * conv1d(x, tensor([[[1, 10]]]), { stride: 2, padding: [[1, 0]] }).toArray(); // => [[10, 32]]
 * ```
 */
export const conv1d: Convolution<'conv1d', 1> = dualBeforeOptions(2, convolution('conv1d', 1));

/**
 * The convolution of networks (a cross-correlation) over two spatial axes:
 * `y[n, o, t] = Σ x[n, c, t · stride + k · dilation − padding] · w[o, c, k]` over `c` and `k`, with `t` and `k` pairs. As
 * PyTorch's `conv2d`, without a bias: add it, which costs nothing. With `groups`, outputs see the inputs of their group only.
 * Zeros of the padding are multiplied like other numbers. `pipe(x, conv2d(w, options))` is the same.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param w `[o, c / groups, kh, kw]`
 * @returns `[n, o, …]` with the lengths `⌊(length + padding before and after − dilation · (k − 1) − 1) / stride⌋ + 1`; the
 * promoted dtype, bools counting as int32
 * @throws ShapeError when channels do not fit, or the kernel is longer than the input with its padding
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_general_dilated
 * @pytorch torch.nn.functional.conv2d
 * @example
 * ```js
 * import { conv2d, tensor, zeros } from 'tenfold';
 * const x = tensor([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]);
 * const w = tensor([[[[0, 1], [10, 0]]]]);
 * conv2d(x, w).toArray(); // => [[[42, 53], [75, 86]]]
 * conv2d(x, w, { padding: 'same' }).shape; // => [1, 3, 3]
 * conv2d(zeros([8, 3, 32, 32]), zeros([16, 3, 3, 3]), { stride: 2, padding: 1 }).shape; // => [8, 16, 16, 16]
 * ```
 */
export const conv2d: Convolution<'conv2d', 2> = dualBeforeOptions(2, convolution('conv2d', 2));

/**
 * The convolution of networks over three spatial axes. See {@link conv2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param w `[o, c / groups, kd, kh, kw]`
 * @returns `[n, o, …]` with lengths as those of conv2d; the promoted dtype, bools counting as int32
 * @throws ShapeError when channels do not fit, or the kernel is longer than the input with its padding
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_general_dilated
 * @pytorch torch.nn.functional.conv3d
 * @example
 * ```js
 * import { conv3d, ones } from 'tenfold';
 * conv3d(ones([1, 2, 2, 2]), ones([1, 1, 2, 2, 2])).toArray(); // => [[[[8]]]]
 * ```
 */
export const conv3d: Convolution<'conv3d', 3> = dualBeforeOptions(2, convolution('conv3d', 3));

/**
 * The transposed convolution over one spatial axis. See {@link convTranspose2d}.
 *
 * @param x `[n, c, length]`, or `[c, length]` for one sample
 * @param w `[c, o / groups, k]`
 * @returns `[n, o, …]` with lengths as those of convTranspose2d; the promoted dtype, bools counting as int32
 * @throws ShapeError when channels do not fit, or the padding cuts all of the result off
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_transpose
 * @pytorch torch.nn.functional.conv_transpose1d
 * @example
 * ```js
 * import { convTranspose1d, tensor } from 'tenfold';
 * convTranspose1d(tensor([[1, 2, 3]]), tensor([[[1, 10]]])).toArray(); // => [[1, 12, 23, 30]]
 * ```
 */
export const convTranspose1d: TransposedConvolution<'convTranspose1d', 1> = dualBeforeOptions(
  2,
  transposed('convTranspose1d', 1),
);

/**
 * The transposed convolution over two spatial axes: what the derivative of {@link conv2d} with the same options does to
 * cotangents, which makes a picture larger by the stride. `y[n, o, s] = Σ x[n, c, t] · w[c, o, k]` over `c` and those `t` and
 * `k` with `s = t · stride + k · dilation − padding`. As PyTorch's `conv_transpose2d`, without a bias: add it.
 *
 * @param x `[n, c, h, w]`, or `[c, h, w]` for one sample
 * @param w `[c, o / groups, kh, kw]`
 * @returns `[n, o, …]` with the lengths `(length − 1) · stride − padding before and after + dilation · (k − 1) + 1 +
 * outputPadding`; the promoted dtype, bools counting as int32
 * @throws ShapeError when channels do not fit, or the padding cuts all of the result off
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_transpose
 * @pytorch torch.nn.functional.conv_transpose2d
 * @example
 * ```js
 * import { convTranspose2d, tensor } from 'tenfold';
 * const w = tensor([[[[1, 10], [100, 1000]]]]);
 * convTranspose2d(tensor([[[2, 3]]]), w, { stride: 2 }).toArray(); // => [[[2, 20, 3, 30], [200, 2000, 300, 3000]]]
 * ```
 */
export const convTranspose2d: TransposedConvolution<'convTranspose2d', 2> = dualBeforeOptions(
  2,
  transposed('convTranspose2d', 2),
);

/**
 * The transposed convolution over three spatial axes. See {@link convTranspose2d}.
 *
 * @param x `[n, c, d, h, w]`, or `[c, d, h, w]` for one sample
 * @param w `[c, o / groups, kd, kh, kw]`
 * @returns `[n, o, …]` with lengths as those of convTranspose2d; the promoted dtype, bools counting as int32
 * @throws ShapeError when channels do not fit, or the padding cuts all of the result off
 * @throws ArgumentError for options that cannot be
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy jax.lax.conv_transpose
 * @pytorch torch.nn.functional.conv_transpose3d
 * @example
 * ```js
 * import { convTranspose3d, ones } from 'tenfold';
 * convTranspose3d(ones([1, 1, 1, 2]), ones([1, 1, 1, 1, 2])).toArray(); // => [[[[1, 2, 1]]]]
 * ```
 */
export const convTranspose3d: TransposedConvolution<'convTranspose3d', 3> = dualBeforeOptions(
  2,
  transposed('convTranspose3d', 3),
);
