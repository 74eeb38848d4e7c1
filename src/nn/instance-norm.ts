/** Normalisation of every channel of every example by itself. */
import { range } from '../tensor/shape.js';
import { byGroups } from './group-norm.js';
import { type StatisticsNorm, type StatisticsOptions, statisticsNorm } from './running-statistics.js';

/** A layer that normalises by running statistics where it is applied, if it keeps them, and else by those of each example. */
export type InstanceNorm<
  C extends number = number,
  Affine extends boolean = false,
  Tracks extends boolean = false,
> = StatisticsNorm<'instanceNorm', C, Affine, Tracks>;

/**
 * Normalises each channel of each example to mean 0 and variance 1 (Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022).
 *
 * With running statistics, `train(params, x)` gives `{ y, params }` as {@link batchNorm} does, the statistics of the batch being
 * the means of those of its examples, and `apply` normalises by the running ones. Without, which is usual, both normalise each
 * example by itself.
 *
 * @param channels length of the second axis
 * @param options `epsilon` (1e-5) added to the variance; `affine: true` for scale and shift of each channel and
 *   `trackRunningStats: true` for running statistics, which as in PyTorch there are not otherwise; `momentum` (0.1) of these
 * @returns a layer with `train`; x and y are [N, channels, length, …], y of float32 for integers
 * @throws IndexError when the number is no positive integer, ArgumentError for a wrong or unknown option, and for running
 *   statistics of an empty batch; applied, ShapeError when x has other channels or, normalised by itself, only one element in
 *   each, or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.InstanceNorm
 * @pytorch torch.nn.InstanceNorm1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { instanceNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * instanceNorm(2, { epsilon: 0 }).apply({}, tensor([[[1, 3], [20, 10]]])).toArray(); // => [[[-1, 1], [1, -1]]]
 * const tracking = instanceNorm(1, { trackRunningStats: true, momentum: 0.5 });
 * tracking.train(tracking.init(key(0)), tensor([[[1, 3]], [[5, 7]]])).params.runningMean.toArray(); // => [2]
 * ```
 */
export const instanceNorm = <const C extends number, Affine extends boolean = false, Tracks extends boolean = false>(
  channels: C,
  options: StatisticsOptions<Affine, Tracks> = {},
): InstanceNorm<C, Affine, Tracks> =>
  statisticsNorm(
    {
      operation: 'instanceNorm',
      spatial: 1,
      axes: x => range(x.shape.length).slice(2),
      normalised: (x, epsilon) => byGroups(x, channels, epsilon),
    },
    channels,
    options,
    { affine: false, trackRunningStats: false },
  ) as InstanceNorm<C, Affine, Tracks>;
