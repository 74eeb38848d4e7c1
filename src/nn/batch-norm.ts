/** Normalisation over a batch, with running statistics as values. */
import { range } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { normalised } from './normalisation.js';
import {
  type StatisticsNorm,
  type StatisticsOptions,
  type StatisticsParams,
  statisticsNorm,
} from './running-statistics.js';

/** Parameters of {@link batchNorm}, all [channels]: scale and shift, and running statistics, as far as there are any. */
export type BatchNormParams<Affine extends boolean = true, Tracks extends boolean = true> = StatisticsParams<
  Affine,
  Tracks
>;

/** A layer that normalises by running statistics where it is applied, if it keeps them, and by those of the batch in training. */
export type BatchNorm<
  C extends number = number,
  Affine extends boolean = true,
  Tracks extends boolean = true,
> = StatisticsNorm<'batchNorm', C, Affine, Tracks>;

/** All axes but that of the channels. */
const axes = (x: Tensor): readonly number[] => range(x.shape.length).filter(axis => axis !== 1);

/**
 * Normalises each channel by mean and variance over the batch, then scales and shifts it (Ioffe, Szegedy 2015,
 * arXiv:1502.03167).
 *
 * `train(params, x)` gives `{ y, params }`: y normalised by the batch, whose statistics go into the new running ones,
 * `(1 − momentum) · old + momentum · batch`, the variance with Bessel's correction as in PyTorch. `apply(params, x)`
 * normalises by the running statistics, and no example depends on another. Nothing differentiates through running
 * statistics; keep weight decay and averages of parameters away from them. Without running statistics `apply` normalises by
 * those of the batch, too, and `train` gives the parameters back as they are.
 *
 * @param channels length of the second axis
 * @param options `momentum` (0.1), `epsilon` (1e-5) added to the variance; `affine: false` for no scale and shift,
 *   `trackRunningStats: false` for no running statistics
 * @returns a layer with `train`; x and y are [N, channels, …], y of float32 for integers
 * @throws IndexError when the number is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError
 *   when x has other channels, only one element in each where statistics are those of the batch, or the parameters do not fit,
 *   DTypeError for uint8
 * @numpy flax.linen.BatchNorm
 * @pytorch torch.nn.BatchNorm1d
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { batchNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = batchNorm(1, { momentum: 0.5, epsilon: 0 });
 * const { y, params } = layer.train(layer.init(key(0)), tensor([[1], [3]]));
 * y.toArray(); // => [[-1], [1]]
 * params.runningMean.toArray(); // => [1]
 * params.runningVariance.toArray(); // => [1.5]
 * layer.apply(layer.init(key(0)), tensor([[1], [3]])).toArray(); // => [[1], [3]]
 * const plain = batchNorm(1, { affine: false, trackRunningStats: false, epsilon: 0 });
 * plain.apply({}, tensor([[1], [3]])).toArray(); // => [[-1], [1]]
 * ```
 */
export const batchNorm = <const C extends number, Affine extends boolean = true, Tracks extends boolean = true>(
  channels: C,
  options: StatisticsOptions<Affine, Tracks> = {},
): BatchNorm<C, Affine, Tracks> =>
  statisticsNorm(
    { operation: 'batchNorm', spatial: 0, axes, normalised: (x, epsilon) => normalised(x, axes(x), epsilon) },
    channels,
    options,
    { affine: true, trackRunningStats: true },
  ) as BatchNorm<C, Affine, Tracks>;
