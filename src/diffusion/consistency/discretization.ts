/** Which pairs of adjacent levels consistency models are trained on. */
import { uniform } from '../../random/draw.js';
import { type Key, keyNode } from '../../random/key.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { ones } from '../../tensor/ops/creation/creation.js';
import { div, minimum, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { lessEqual } from '../../tensor/ops/elementwise/comparison.js';
import { erf, floor, log } from '../../tensor/ops/elementwise/elementary.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { expandDims } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import { cumsum } from '../../tensor/ops/reduction/cumulative.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { noiseToSignal } from '../level.js';
import { type Levels, stepsOf } from '../levels.js';
import { checkCount, type TimeSample, type TimeSampler } from '../timestep-samplers.js';
import type { StepTimeSampler } from '../training-times.js';
import { type ConsistencyLevels, checkConsistencyLevels, levelsIn } from './stages.js';

/** Options of {@link consistencyTimes}. */
export interface ConsistencyTimesOptions {
  /** Whether log(σ / α) is normal, each interval having its share, or intervals are equally likely. Default `logNormal`. */
  readonly distribution?: 'logNormal' | 'uniform';
  /** Mean of log(σ / α). Default −1.1. */
  readonly mean?: number;
  /** Its standard deviation. Default 2. */
  readonly deviation?: number;
}

/**
 * The times at which the intervals between levels begin, for `consistencyTraining` and `consistencyDistillation`: with the probability
 * of the interval under a normal distribution of log(σ / α), or equally often.
 *
 * Sources: Song & Dhariwal 2023, arXiv:2310.14189, section 3.5 and table 1 (log-normal); Song et al. 2023, arXiv:2303.01469,
 * algorithms 2 and 3 (uniform).
 *
 * @param levels falling: `levelsOf(edmProcess(), karrasSigmas(20), { final: 'none' })`; or a function of the number of steps done, such as
 *   `consistencyLevels` gives
 * @param options see {@link ConsistencyTimesOptions}
 * @returns a sampler of float64 times, with weights 1; position i depends on the key and i. For levels that are a function it takes the
 *   number of steps done as well, which a trainer gives it
 * @throws ArgumentError for what are no levels, a distribution that is none, a mean that is no number, a deviation not above 0, either
 *   of them beside `uniform`, and unknown options; its sample: ArgumentError for what is no key or number of steps, IndexError for a batch
 *   that is no positive integer
 * @example
 * ```js
 * import { consistencyTimes, edmProcess, levelsOf } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const levels = levelsOf(edmProcess(), [80, 2], { final: 'none' });
 * consistencyTimes(levels).sample(null, key(0), 2).t.toArray(); // => [80, 80]
 * ```
 */
export const consistencyTimes: {
  (levels: Levels, options?: ConsistencyTimesOptions): TimeSampler<null, 'float64'>;
  (levels: ConsistencyLevels, options?: ConsistencyTimesOptions): StepTimeSampler<null, 'float64'>;
} = (levels: ConsistencyLevels, options: ConsistencyTimesOptions = {}) => {
  const operation = 'consistencyTimes';
  checkConsistencyLevels(operation, levels);
  checkOptions(operation, ['distribution', 'mean', 'deviation'], options);
  const { distribution = 'logNormal', mean = -1.1, deviation = 2 } = options;
  checkArgument(
    distribution === 'logNormal' || distribution === 'uniform',
    operation,
    `${typeof distribution === 'string' ? `'${String(distribution)}'` : kindOf(distribution)} as the distribution`,
    "the distribution is 'logNormal' or 'uniform'",
    "Leave it out for 'logNormal'.",
  );
  checkArgument(
    distribution === 'logNormal' || (options.mean === undefined && options.deviation === undefined),
    operation,
    'a mean or deviation of a uniform distribution',
    'mean and deviation are those of the normal distribution',
    "Leave them out, or take 'logNormal'.",
  );
  checkNumber(operation, 'mean', mean);
  checkNumber(operation, 'deviation', deviation, 'positive');
  const places = (u: Tensor, now: Levels, intervals: Tensor | number): Tensor => {
    if (distribution === 'uniform') {
      const count = typeof intervals === 'number' ? intervals : cast(intervals, 'float64');
      return cast(floor(mul(u, count as Tensor)), 'int32') as Tensor;
    }
    const cumulated = cumsum(sharesOf(now, mean, deviation)) as Tensor;
    const total = slice(cumulated, [stepsOf(now) - 1]) as Tensor;
    return sum(lessEqual(expandDims(cumulated, 0), expandDims(mul(u, total) as Tensor, 1)), { axis: 1 }) as Tensor;
  };
  return Object.freeze({
    init: () => null,
    update: () => null,
    sample: (_: null, key: Key, batch: number, step?: Tensor) => {
      keyNode(`${operation}.sample`, key);
      checkCount(`${operation}.sample`, 'the batch', batch);
      const { levels: now, intervals, last } = levelsIn(`${operation}.sample`, levels, step);
      // Rounding must not lead beyond the last interval.
      const place = minimum(places(uniform(key, [batch], { dtype: 'float64' }), now, intervals), last as Tensor);
      const t = take(now.time, place as Tensor<Shape, 'int32'>) as TimeSample<'float64'>['t'];
      return Object.freeze({ t, weights: ones([batch]) });
    },
  });
};

/** In proportion to the probabilities of the intervals. */
const sharesOf = (levels: Levels, mean: number, deviation: number): Tensor => {
  const below = erf(div(sub(log(noiseToSignal(levels)), mean) as Tensor, deviation * Math.SQRT2)) as Tensor;
  const count = stepsOf(levels);
  return sub(slice(below, [0], [count]), slice(below, [1])) as Tensor;
};
