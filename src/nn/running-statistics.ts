/** Normalisation of channels by statistics that are those of what is given, or kept from what was given in training. */
import type { DType } from '../tensor/dtype.js';
import { ShapeError } from '../tensor/errors.js';
import { checkFlag } from '../tensor/ops/common/options.js';
import { ones, zeros } from '../tensor/ops/creation/creation.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../tensor/ops/elementwise/cast.js';
import { rsqrt } from '../tensor/ops/elementwise/elementary.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { variance } from '../tensor/ops/reduction/statistics.js';
import { checkArgument, checkInteger, type Shape, showAval, sizeOf } from '../tensor/shape.js';
import type { Floating, Ok } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Applied, ShapedLayer, WithChannels } from './layer.js';
import {
  type AffineParams,
  channelsOf,
  checkNormOptions,
  identity,
  type MaybeAffine,
  type NormOptions,
  parameter,
  perChannel,
  scaled,
} from './normalisation.js';

/** What is kept of the batches in training, [channels] each. No derivative goes through it. */
export interface RunningStatistics {
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
}

/** Options of layers that may keep running statistics. */
export interface StatisticsOptions<Affine extends boolean = boolean, Tracks extends boolean = boolean>
  extends NormOptions<Affine> {
  /** How much of the running statistics each batch replaces, where there are any. Default 0.1. */
  readonly momentum?: number;
  /** Whether the layer keeps running statistics. Without, it normalises by those of what it is given, in training or not. */
  readonly trackRunningStats?: Tracks;
}

/** Scale and shift where there are any, and running statistics where there are any, all [channels]. */
export type StatisticsParams<Affine extends boolean, Tracks extends boolean> = Tracks extends true
  ? Affine extends true
    ? AffineParams & RunningStatistics
    : RunningStatistics
  : MaybeAffine<Affine>;

/** A layer that normalises channels, in training by statistics of the batch, elsewhere by running ones if it keeps them. */
export interface StatisticsNorm<Op extends string, C extends number, Affine extends boolean, Tracks extends boolean>
  extends ShapedLayer<StatisticsParams<Affine, Tracks>, WithChannels<Op, C>> {
  /** Normalises by statistics of the batch; the parameters come back with new running statistics if the layer keeps them. */
  readonly train: <S extends Shape, D extends DType>(
    params: StatisticsParams<Affine, Tracks>,
    x: Tensor<S, D> & Ok<Applied<WithChannels<Op, C>, S>>,
  ) => { readonly y: Tensor<S, Floating<D>>; readonly params: StatisticsParams<Affine, Tracks> };
}

/** What is normalised together. */
interface Together {
  readonly operation: string;
  /** How many axes there are at least behind the channels. */
  readonly spatial: number;
  /** The axes of what has one mean. */
  readonly axes: (x: Tensor) => readonly number[];
  readonly normalised: (x: Tensor, epsilon: number) => Tensor;
}

/** Options with nothing left out. */
type All = Required<StatisticsOptions>;

/** Refuses lengths whose product is less than 2: what is alone is its own mean, whatever it is. */
const severalEach = (operation: string, x: Tensor, lengths: Shape): void => {
  if (sizeOf(lengths) > 1) return;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'each channel has more than one element to normalise',
    hint: 'Give it larger batches or pictures, or use layerNorm or groupNorm.',
  });
};

/** The layer, the options being what is left out otherwise. */
export const statisticsNorm = (
  { operation, spatial, axes, normalised }: Together,
  channels: number,
  options: StatisticsOptions,
  usual: Pick<All, 'affine' | 'trackRunningStats'>,
): unknown => {
  checkInteger(operation, 'the number of channels', channels, 1, Number.MAX_SAFE_INTEGER);
  checkNormOptions(operation, ['momentum', 'epsilon', 'affine', 'trackRunningStats'], options);
  const { epsilon = 1e-5, momentum = 0.1 } = options;
  const { affine = usual.affine, trackRunningStats: tracks = usual.trackRunningStats } = options;
  checkFlag(operation, 'trackRunningStats', tracks);
  checkArgument(
    typeof momentum === 'number' && momentum >= 0 && momentum <= 1,
    operation,
    `momentum ${String(momentum)}`,
    'momentum is a number from 0 to 1: the weight of the new batch',
    'Use 1 − β for the β of an exponential average.',
  );
  const shape = [channels];
  const running = (params: RunningStatistics, name: keyof RunningStatistics): Tensor =>
    stopGradient(parameter(operation, params, name, shape));
  const moved = (old: Tensor, batch: Tensor): Tensor =>
    cast(add(mul(old, 1 - momentum), mul(stopGradient(batch), momentum)) as Tensor, old.dtype);
  const placed = (params: unknown, y: Tensor): Tensor =>
    affine ? scaled(operation, y, params as AffineParams, shape, perChannel) : y;
  const byOwn = (params: unknown, input: Tensor): Tensor => {
    severalEach(
      operation,
      input,
      axes(input).map(axis => input.shape[axis]!),
    );
    return placed(params, normalised(input, epsilon));
  };
  const byRunning = (params: RunningStatistics, input: Tensor): Tensor => {
    const centred = sub(input, perChannel(running(params, 'runningMean'), input)) as Tensor;
    const scale = rsqrt(add(running(params, 'runningVariance'), epsilon)) as Tensor;
    return placed(params, mul(centred, perChannel(scale, input)) as Tensor);
  };
  /** The statistics of the batch: where each example has its own, their mean. */
  const ofBatch = (each: Tensor): Tensor => (each.shape.length === 1 ? each : (mean(each, { axis: 0 }) as Tensor));
  return Object.freeze({
    init: () =>
      Object.freeze({
        ...identity(shape, affine),
        ...(tracks ? { runningMean: zeros(shape), runningVariance: ones(shape) } : {}),
      }),
    apply: (params: unknown, x: Tensor): Tensor => {
      const input = channelsOf(operation, x, channels, spatial);
      return tracks ? byRunning(params as RunningStatistics, input) : byOwn(params, input);
    },
    train: (params: unknown, x: Tensor) => {
      const input = channelsOf(operation, x, channels, spatial);
      const y = byOwn(params, input);
      if (!tracks) return Object.freeze({ y, params });
      checkArgument(
        input.shape[0]! > 0,
        operation,
        showAval(input),
        'running statistics are moved towards those of one example at least',
        'Leave empty batches out.',
      );
      const all = params as AffineParams & RunningStatistics;
      const [oldMean, oldVariance] = [running(all, 'runningMean'), running(all, 'runningVariance')];
      const axis = axes(input);
      return Object.freeze({
        y,
        params: Object.freeze({
          ...(affine ? { weight: all.weight, bias: all.bias } : {}),
          runningMean: moved(oldMean, ofBatch(mean(input, { axis }) as Tensor)),
          runningVariance: moved(oldVariance, ofBatch(variance(input, { axis, ddof: 1 }) as Tensor)),
        }),
      });
    },
  });
};
