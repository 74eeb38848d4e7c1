/**
 * Which times of a process to train on: distributions over real numbers, and over as many strata as there are samples. What
 * is learned is a matter of the distribution, so weights are 1.
 */
import { uniform } from '../random/draw.js';
import { type Key, keyNode } from '../random/key.js';
import type { DType } from '../tensor/dtype.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { arange, ones } from '../tensor/ops/creation/creation.js';
import { add, div, maximum, minimum, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { exp, floor, sigmoid } from '../tensor/ops/elementwise/elementary.js';
import { erfinv } from '../tensor/ops/elementwise/special.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFinite } from './checks.js';
import { checkCount, type TimeSample, type TimeSampler } from './timestep-samplers.js';

/** Options of {@link logNormalSampler} and {@link logitNormalSampler}. */
export interface NormalTimesOptions {
  /** Mean of the normal distribution. */
  readonly mean?: number;
  /** Its standard deviation. */
  readonly deviation?: number;
  /** One sample in each of N strata of equal probability, as {@link stratifiedSampler} has it. Default false. */
  readonly stratified?: boolean;
}

/** Options of {@link stratifiedSampler}. */
export interface StratifiedOptions {
  /** Timesteps 0 … T − 1 are drawn, as int32. */
  readonly numTimesteps?: number;
  /** In the place of timesteps, real times from the first number to the second, as float64. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number];
}

/** Float64 [N] in [0, 1): independent, or one in each of N intervals of one length, of which `u + i / N` is the i-th. */
const unitNumbers = (key: Key, batch: number, stratified: boolean): Tensor => {
  if (!stratified) return uniform(key, [batch], { dtype: 'float64' });
  const moved = add(div(arange(batch, { dtype: 'float64' }), batch), uniform(key, [], { dtype: 'float64' })) as Tensor;
  return sub(moved, floor(moved));
};

/** The sampler whose times are a function of numbers in [0, 1), rising. */
const byQuantiles = <D extends DType>(
  operation: string,
  stratified: boolean,
  quantile: (u: Tensor) => Tensor,
): TimeSampler<null, D> =>
  Object.freeze({
    init: () => null,
    update: () => null,
    sample: (_: null, key: Key, batch: number) => {
      keyNode(`${operation}.sample`, key);
      checkCount(`${operation}.sample`, 'the batch', batch);
      const t = quantile(unitNumbers(key, batch, stratified)) as TimeSample<D>['t'];
      return Object.freeze({ t, weights: ones([batch]) });
    },
  });

/** Normal numbers by their quantiles. */
const normalTimes = (
  operation: string,
  options: NormalTimesOptions,
  defaults: { readonly mean: number; readonly deviation: number },
  then: (x: Tensor) => Tensor,
): TimeSampler<null, 'float64'> => {
  const { mean = defaults.mean, deviation = defaults.deviation, stratified = false } = options;
  checkFinite(operation, 'mean', mean);
  checkFinite(operation, 'deviation', deviation, 'positive');
  checkFlag(operation, 'stratified', stratified);
  // At 0 the quantile is infinite.
  const quantile = (u: Tensor): Tensor => erfinv(sub(mul(maximum(u, 2 ** -54) as Tensor, 2), 1)) as Tensor;
  return byQuantiles(operation, stratified, u => then(add(mul(quantile(u), deviation * Math.SQRT2), mean) as Tensor));
};

/**
 * Times whose logarithm is normal: the noise levels σ that EDM trains on, with the process `edmProcess()`.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, table 1 (P_mean, P_std).
 *
 * @param options `mean` (−1.2) and `deviation` (1.2) of log σ; `stratified` (false)
 * @returns a sampler of float64 times, with weights 1
 * @throws ArgumentError for a mean that is no finite number, a deviation not above 0 and unknown options; its sample, ArgumentError
 *   for what is no key, IndexError for a batch that is no positive integer
 * @example
 * ```js
 * import { key } from 'tenfold/random';
 * import { logNormalSampler } from 'tenfold/diffusion';
 * logNormalSampler().sample(null, key(0), 3).t.dtype; // => 'float64'
 * ```
 */
export const logNormalSampler = (options: NormalTimesOptions = {}): TimeSampler<null, 'float64'> => {
  checkOptions('logNormalSampler', ['mean', 'deviation', 'stratified'], options);
  return normalTimes('logNormalSampler', options, { mean: -1.2, deviation: 1.2 }, x => exp(x) as Tensor);
};

/**
 * Times in (0, 1) whose logit is normal, which are rare near both ends: for flow matching, with the process `flowProcess()`.
 *
 * Source: Esser et al. 2024, arXiv:2403.03206, section 3.1, eq. 19.
 *
 * @param options `mean` (0) and `deviation` (1) of the logit; `stratified` (false); `timeScale` (1), which times are
 *   multiplied with
 * @returns a sampler of float64 times, with weights 1
 * @throws ArgumentError for a mean that is no number, a deviation or timeScale not above 0 and unknown options; its sample,
 *   ArgumentError for what is no key, IndexError for a batch that is no positive integer
 * @example
 * ```js
 * import { key } from 'tenfold/random';
 * import { logitNormalSampler } from 'tenfold/diffusion';
 * const [t] = logitNormalSampler({ deviation: 1e-9 }).sample(null, key(0), 1).t.toArray();
 * t.toFixed(6); // => '0.500000'
 * ```
 */
export const logitNormalSampler = (
  options: NormalTimesOptions & { readonly timeScale?: number } = {},
): TimeSampler<null, 'float64'> => {
  const operation = 'logitNormalSampler';
  checkOptions(operation, ['mean', 'deviation', 'stratified', 'timeScale'], options);
  const timeScale = checkFinite(operation, 'timeScale', options.timeScale ?? 1, 'positive');
  return normalTimes(operation, options, { mean: 0, deviation: 1 }, x => mul(sigmoid(x), timeScale) as Tensor);
};

/**
 * Times spread evenly over a batch: sample i gets (u + i / N) mod 1 for one uniform u, scaled to the range. Each of them is
 * uniform, and together they have one in each of N intervals, so that the mean loss of a batch varies less.
 *
 * Source: Kingma et al. 2021, arXiv:2107.00630, appendix I.1.
 *
 * @param options `numTimesteps` for int32 timesteps, or the `range` of real times ([0, 1])
 * @returns a sampler with weights 1; position i depends on the key, i and the size of the batch
 * @throws IndexError when numTimesteps is no positive integer, ArgumentError for a range that is none, one beside
 *   numTimesteps, and unknown options; its sample, ArgumentError for what is no key, IndexError for a batch that is no
 *   positive integer
 * @example
 * ```js
 * import { key } from 'tenfold/random';
 * import { stratifiedSampler } from 'tenfold/diffusion';
 * const { t } = stratifiedSampler({ numTimesteps: 4 }).sample(null, key(0), 4);
 * t.toArray().sort(); // => [0, 1, 2, 3]
 * ```
 */
export const stratifiedSampler: {
  (options: { readonly numTimesteps: number }): TimeSampler<null, 'int32'>;
  (options?: { readonly range?: StratifiedOptions['range'] }): TimeSampler<null, 'float64'>;
} = ((options: StratifiedOptions = {}) => {
  const operation = 'stratifiedSampler';
  checkOptions(operation, ['numTimesteps', 'range'], options);
  const { numTimesteps, range = [0, 1] } = options;
  checkArgument(
    numTimesteps === undefined || options.range === undefined,
    operation,
    'numTimesteps and a range',
    'it draws either timesteps or real times',
    'Leave one of them out.',
  );
  if (numTimesteps !== undefined) {
    checkCount(operation, 'the number of timesteps', numTimesteps);
    // Rounding must not lead beyond the last timestep.
    const timestepOf = (u: Tensor): Tensor =>
      minimum(cast(floor(mul(u, numTimesteps)), 'int32'), numTimesteps - 1) as Tensor;
    return byQuantiles(operation, true, timestepOf);
  }
  const [low, high] = Array.isArray(range) && range.length === 2 ? range : [];
  checkArgument(
    Number.isFinite(low) && Number.isFinite(high) && low! < high!,
    operation,
    `${Array.isArray(range) ? `[${range.map(kindOf).join(', ')}]` : kindOf(range)} as the range`,
    'a range is two rising numbers',
    'Write [0, 1], the default.',
  );
  return byQuantiles(operation, true, u => add(mul(u, high! - low!), low!) as Tensor);
}) as never;
