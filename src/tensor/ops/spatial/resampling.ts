/** Other resolutions along the spatial axes. Channels first, with PyTorch's arithmetic of positions. */
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { checkArgument, type Shape, showAval } from '../../shape.js';
import type { Fit, Floating, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Only } from '../../types/known.js';
import type { InterpolateShape } from '../../types/pooling.js';
import type { Option } from '../../types/windows.js';
import { kindOf } from '../common/checks.js';
import { checkSetting, nodeFor, unaryOperand } from '../common/operands.js';
import { checkFlag, withOptions } from '../common/options.js';
import { checkRank, checkSpatial, type PerAxis, perAxis, shown } from './options.js';
import { adaptiveMeans } from './pooled.js';
import { cubic, linear, nearest, type Resampling, weighted } from './resampled.js';

/** How {@link interpolate} finds values between elements. */
export type InterpolateMode = 'nearest' | 'linear' | 'bilinear' | 'trilinear' | 'cubic' | 'bicubic' | 'area';

/** What {@link interpolate} takes beside the tensor: either `size` or `scale`. */
export interface InterpolateOptions {
  /** The spatial lengths of the result: one number, or one for each axis. */
  readonly size?: PerAxis;
  /** How much longer axes become, to `⌊length · scale⌋`; fractions too. */
  readonly scale?: PerAxis;
  /** Default 'nearest'. */
  readonly mode?: InterpolateMode;
  /** Whether the first and last elements keep their places, rather than the borders beyond them. Default false. */
  readonly alignCorners?: boolean;
}

type Resampled<D extends DType, O> = [Option<O, 'mode', 'nearest'>] extends ['nearest'] ? D : Floating<D>;

/** The signatures of {@link interpolate}. */
export interface Interpolate {
  <S extends Shape, D extends DType, const O extends Only<InterpolateOptions, O>>(
    x: Tensor<S, D> & Ok<InterpolateShape<S, O>>,
    options: O,
  ): Tensor<Fit<InterpolateShape<S, O>>, Resampled<D, O>>;
  <const O extends Only<InterpolateOptions, O>>(
    options: O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<InterpolateShape<S, O>>,
  ) => Tensor<Fit<InterpolateShape<S, O>>, Resampled<D, O>>;
}

/** The modes that say how many axes they are for. */
const axesOfMode: Readonly<Record<InterpolateMode, number | null>> = {
  nearest: null,
  linear: null,
  bilinear: 2,
  trilinear: 3,
  cubic: null,
  bicubic: 2,
  area: null,
};

const scalesOf = (scale: unknown, rank: number): readonly number[] => {
  checkSetting('interpolate', 'scale', scale);
  const list: readonly unknown[] = Array.isArray(scale) ? scale : new Array(rank).fill(scale);
  checkArgument(
    list.length === rank && list.every(each => Number.isFinite(each) && (each as number) > 0),
    'interpolate',
    `${shown(scale)} as scale`,
    `scale is a positive number, or an array with one for each of ${rank} spatial axes`,
    'Write { scale: 2 }.',
  );
  return list as readonly number[];
};

/** How many spatial axes are meant. */
const rankOf = (x: Node, given: unknown, mode: InterpolateMode): number => {
  const rank = Array.isArray(given) ? given.length : (axesOfMode[mode] ?? x.shape.length - 2);
  checkRank('interpolate', `spatial axes of ${showAval(x)}`, rank);
  const own = axesOfMode[mode];
  checkArgument(
    own === null || own === rank,
    'interpolate',
    `the mode '${mode}' and ${rank} spatial axes`,
    `'${mode}' is for ${own} spatial axes`,
    `Write '${mode.replace(/^bi|^tri/, '')}', which is for any number.`,
  );
  checkSpatial('interpolate', x, rank);
  return rank;
};

const resamplingsOf = (
  x: Node,
  { size, scale, alignCorners = false }: InterpolateOptions,
  rank: number,
): readonly Resampling[] => {
  const from = x.shape.length - rank;
  const lengths = x.shape.slice(from);
  const scales = size === undefined ? scalesOf(scale, rank) : null;
  const counts =
    scales === null
      ? perAxis('interpolate', 'size', size, rank, 1)
      : lengths.map((length, i) => Math.floor(length * scales[i]!));
  checkArgument(
    counts.every(count => count >= 1 && count < 2 ** 31),
    'interpolate',
    `${showAval(x)} with ${shown(scale)} as scale`,
    `the lengths would be ${counts.join(', ')}`,
    'Use another scale.',
  );
  return counts.map((count, i) => {
    const length = lengths[i]!;
    const corners = count > 1 ? (length - 1) / (count - 1) : 0;
    const step = alignCorners ? corners : scales === null ? length / count : 1 / scales[i]!;
    return { axis: from + i, length, count, step };
  });
};

/**
 * The spatial axes resampled to another `size`, or by a `scale`. Position `i` of a result that is `o` long lies, in the input
 * of length `n`, at `(i + ½) · n / o − ½`, with `alignCorners` at `i · (n − 1) / (o − 1)`; where a fraction `scale` was given,
 * `1 / scale` stands for `n / o`. Beyond the ends the last elements go on.
 *
 * 'nearest' takes the element at `⌊i · n / o⌋`. 'linear' and 'cubic' weigh two and four neighbours along each axis, 'cubic' as
 * Keys 1981, doi:10.1109/TASSP.1981.1163711, with a = −3/4; 'bilinear', 'trilinear' and 'bicubic' are the same and say how many
 * axes there are. 'area' is {@link adaptiveAvgPool2d}. There is no smoothing before an axis is made shorter, but in 'area'.
 *
 * @param x `[n, c, …spatial]`, or `[c, …spatial]` for one sample where the mode, or an array, says how many axes are spatial
 * @param options `size` or `scale`, one number or one for each of one to three spatial axes; the mode
 * @returns the rank of `x`; its dtype for 'nearest', otherwise integers and bool give float32
 * @throws ShapeError for another rank, or a spatial axis without elements
 * @throws ArgumentError for options that cannot be, or when `x` is no tensor
 * @throws DTypeError for uint8, except with 'nearest'
 * @numpy jax.image.resize
 * @pytorch torch.nn.functional.interpolate
 * @example
 * ```js
 * import { interpolate, tensor } from 'tenfold';
 * const x = tensor([[[1, 3], [5, 7]]]);
 * interpolate(x, { scale: [2, 1] }).toArray(); // => [[[1, 3], [1, 3], [5, 7], [5, 7]]]
 * interpolate(x, { size: [2, 4], mode: 'bilinear' }).toArray(); // => [[[1, 1.5, 2.5, 3], [5, 5.5, 6.5, 7]]]
 * interpolate(x, { size: [3, 3], mode: 'linear', alignCorners: true }).toArray(); // => [[[1, 2, 3], [3, 4, 5], [5, 6, 7]]]
 * ```
 */
export const interpolate: Interpolate = withOptions(
  'interpolate',
  ['size', 'scale', 'mode', 'alignCorners'],
  (x: Tensor, options: InterpolateOptions) => {
    const { size, scale, mode = 'nearest', alignCorners = false } = options;
    checkArgument(
      typeof mode === 'string' && Object.hasOwn(axesOfMode, mode),
      'interpolate',
      `${kindOf(mode)} as mode`,
      `the modes are ${Object.keys(axesOfMode).join(', ')}`,
      "Write { mode: 'linear' }.",
    );
    checkArgument(
      (size === undefined) !== (scale === undefined),
      'interpolate',
      size === undefined ? 'neither size nor scale' : 'both size and scale',
      'one of them says how long the axes become',
      'Write { size: [64, 64] } or { scale: 2 }.',
    );
    checkFlag('interpolate', 'alignCorners', alignCorners);
    checkArgument(
      !alignCorners || (mode !== 'nearest' && mode !== 'area'),
      'interpolate',
      `alignCorners for the mode '${mode}'`,
      'it is for the linear and cubic modes',
      'Leave it out.',
    );
    const node = mode === 'nearest' ? nodeFor('interpolate', x) : unaryOperand('interpolate', x, { toFloat: true });
    const axes = resamplingsOf(node, options, rankOf(node, size ?? scale, mode));
    if (mode === 'area') return wrap(adaptiveMeans(node, axes));
    if (mode === 'nearest') return wrap(nearest(node, axes));
    const kernel = mode.endsWith('cubic') ? cubic : linear;
    const stays = ({ length, count, step }: Resampling): boolean =>
      length === count && (kernel === linear || alignCorners || step === 1);
    return wrap(
      axes.filter(each => !stays(each)).reduceRight((y, each) => weighted(y, each, alignCorners, kernel), node),
    );
  },
);
