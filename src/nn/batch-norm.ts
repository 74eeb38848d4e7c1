/** Normalisation over a batch, with running statistics as values. */

import type { DType } from '../tensor/dtype.js';
import { ones, zeros } from '../tensor/ops/creation/creation.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../tensor/ops/elementwise/cast.js';
import { rsqrt } from '../tensor/ops/elementwise/elementary.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { variance } from '../tensor/ops/reduction/statistics.js';
import { checkArgument, checkInteger, range, type Shape } from '../tensor/shape.js';
import type { Floating, Ok } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Applied, ShapedLayer, WithChannels } from './layer.js';
import {
  type AffineParams,
  channelsOf,
  checkNormOptions,
  normalised,
  parameter,
  perChannel,
  scaled,
  severalEach,
} from './normalisation.js';

/**
 * Parameters of {@link batchNorm}, all [channels]: scale and shift, and the running statistics, whose derivatives are 0.
 */
export interface BatchNormParams extends AffineParams {
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions {
  /** Added to the variance, so that nothing is divided by 0. Default 1e-5. */
  readonly epsilon?: number;
  /** How much of the running statistics each batch replaces. Default 0.1. */
  readonly momentum?: number;
}

/** A layer that normalises by running statistics where it is applied, and by those of the batch in training. */
export interface BatchNorm<C extends number = number>
  extends ShapedLayer<BatchNormParams, WithChannels<'batchNorm', C>> {
  /** Normalises by mean and variance of the batch; the parameters come back with new running statistics. */
  readonly train: <S extends Shape, D extends DType>(
    params: BatchNormParams,
    x: Tensor<S, D> & Ok<Applied<WithChannels<'batchNorm', C>, S>>,
  ) => { readonly y: Tensor<S, Floating<D>>; readonly params: BatchNormParams };
}

/**
 * Normalises each channel by mean and variance over the batch, then scales and shifts it (Ioffe, Szegedy 2015,
 * arXiv:1502.03167).
 *
 * `train(params, x)` gives `{ y, params }`: y normalised by the batch, whose statistics go into the new running ones,
 * `(1 − momentum) · old + momentum · batch`, the variance with Bessel's correction as in PyTorch. `apply(params, x)`
 * normalises by the running statistics, and no example depends on another. Nothing differentiates through running
 * statistics; keep weight decay and averages of parameters away from them.
 *
 * @param channels length of the second axis
 * @param options `momentum` (0.1), `epsilon` (1e-5) added to the variance
 * @returns a layer with `train`; x and y are [N, channels, …], y of float32 for integers
 * @throws IndexError when the number is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError
 *   when x has other channels, in training only one element in each, or the parameters do not fit, DTypeError for uint8
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
 * ```
 */
export const batchNorm = <const C extends number>(channels: C, options: BatchNormOptions = {}): BatchNorm<C> => {
  checkInteger('batchNorm', 'the number of channels', channels, 1, Number.MAX_SAFE_INTEGER);
  checkNormOptions('batchNorm', ['momentum', 'epsilon'], options);
  const { momentum = 0.1, epsilon = 1e-5 } = options;
  checkArgument(
    typeof momentum === 'number' && momentum >= 0 && momentum <= 1,
    'batchNorm',
    `momentum ${String(momentum)}`,
    'momentum is a number from 0 to 1: the weight of the new batch',
    'Use 1 − β for the β of an exponential average.',
  );
  const shape = [channels];
  const running = (params: BatchNormParams, name: 'runningMean' | 'runningVariance'): Tensor =>
    stopGradient(parameter('batchNorm', params, name, shape));
  const moved = (old: Tensor, batch: Tensor): Tensor =>
    cast(add(mul(old, 1 - momentum), mul(stopGradient(batch), momentum)) as Tensor, old.dtype);
  return Object.freeze({
    init: (): BatchNormParams =>
      Object.freeze({
        weight: ones(shape),
        bias: zeros(shape),
        runningMean: zeros(shape),
        runningVariance: ones(shape),
      }),
    apply: (params: BatchNormParams, x: Tensor): Tensor => {
      const input = channelsOf('batchNorm', x, channels);
      const centred = sub(input, perChannel(running(params, 'runningMean'), input)) as Tensor;
      const scale = rsqrt(add(running(params, 'runningVariance'), epsilon)) as Tensor;
      return scaled('batchNorm', mul(centred, perChannel(scale, input)) as Tensor, params, shape, perChannel);
    },
    train: (params: BatchNormParams, x: Tensor) => {
      const input = channelsOf('batchNorm', x, channels);
      const axis = range(input.shape.length).filter(each => each !== 1);
      severalEach(
        'batchNorm',
        input,
        axis.map(each => input.shape[each]!),
      );
      return Object.freeze({
        y: scaled('batchNorm', normalised(input, axis, epsilon), params, shape, perChannel),
        params: Object.freeze({
          weight: params.weight,
          bias: params.bias,
          runningMean: moved(running(params, 'runningMean'), mean(input, { axis }) as Tensor),
          runningVariance: moved(running(params, 'runningVariance'), variance(input, { axis, ddof: 1 }) as Tensor),
        }),
      });
    },
  }) as unknown as BatchNorm<C>;
};
