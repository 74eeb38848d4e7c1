/** Which pairs of adjacent levels consistency models are trained on, and how many levels there are in the course of it. */
import { uniform } from '../../random/draw.js';
import { type Key, keyNode } from '../../random/key.js';
import { ArgumentError } from '../../tensor/errors.js';
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
import { checkArgument, checkInteger, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { noiseToSignal } from '../level.js';
import { checkLevels, type Levels, stepsOf } from '../levels.js';
import { checkCount, type TimeSample, type TimeSampler } from '../timestep-samplers.js';

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
 * @param levels falling: `levelsOf(edmProcess(), karrasSigmas(20), { final: 'none' })`
 * @param options see {@link ConsistencyTimesOptions}
 * @returns a sampler of float64 times, with weights 1; position i depends on the key and i
 * @throws ArgumentError for what are no levels, a distribution that is none, a mean that is no number, a deviation not above 0, either
 *   of them beside `uniform`, and unknown options; its sample: ArgumentError for what is no key, IndexError for a batch that is no
 *   positive integer
 * @example
 * ```js
 * import { consistencyTimes, edmProcess, levelsOf } from 'tenfold/diffusion';
 * import { key } from 'tenfold/random';
 * const levels = levelsOf(edmProcess(), [80, 2], { final: 'none' });
 * consistencyTimes(levels).sample(null, key(0), 2).t.toArray(); // => [80, 80]
 * ```
 */
export const consistencyTimes = (
  levels: Levels,
  options: ConsistencyTimesOptions = {},
): TimeSampler<null, 'float64'> => {
  const operation = 'consistencyTimes';
  checkLevels(operation, levels);
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
  const intervals = stepsOf(levels);
  const places = (u: Tensor): Tensor => {
    if (distribution === 'uniform') return cast(floor(mul(u, intervals)), 'int32') as Tensor;
    const cumulated = cumsum(sharesOf(levels, mean, deviation)) as Tensor;
    const total = slice(cumulated, [intervals - 1]) as Tensor;
    return sum(lessEqual(expandDims(cumulated, 0), expandDims(mul(u, total) as Tensor, 1)), { axis: 1 }) as Tensor;
  };
  return Object.freeze({
    init: () => null,
    update: () => null,
    sample: (_: null, key: Key, batch: number) => {
      keyNode(`${operation}.sample`, key);
      checkCount(`${operation}.sample`, 'the batch', batch);
      // Rounding must not lead beyond the last interval.
      const place = minimum(places(uniform(key, [batch], { dtype: 'float64' })), intervals - 1);
      const t = take(levels.time, place as Tensor<Shape, 'int32'>) as TimeSample<'float64'>['t'];
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

/** Options of {@link consistencyStages}. */
export interface ConsistencyStagesOptions {
  /** s₀, the number of intervals at first. Default 10. */
  readonly first?: number;
  /** s₁, the number of intervals in the end. Default 1280. */
  readonly last?: number;
}

/** A part of the training of a consistency model. */
export interface ConsistencyStage {
  /** N, how many levels there are. */
  readonly levels: number;
  /** The number of all steps that are done at its end. */
  readonly until: number;
}

/**
 * The curriculum of consistency training, whose intervals double after equally many steps: N = min(s₀ 2^⌊k / K′⌋, s₁) + 1 levels in step k of
 * K, where K′ = ⌊K / (log₂⌊s₁ / s₀⌋ + 1)⌋. A stage is trained with the losses and times of its levels, from the state that the last one has
 * left; with `fit`, `until` is its option `steps`.
 *
 * Source: Song & Dhariwal 2023, arXiv:2310.14189, section 3.4 and table 1.
 *
 * @param steps K, those of all stages
 * @param options `first` (10) and `last` (1280), the numbers of intervals
 * @returns the stages, the first step first
 * @throws IndexError for numbers that are no positive integers, ArgumentError for a `last` below `first`, fewer steps than stages, and
 *   for unknown options
 * @example
 * ```js
 * import { consistencyStages, edmProcess, karrasSigmas, levelsOf } from 'tenfold/diffusion';
 * const stages = consistencyStages(900, { first: 10, last: 40 });
 * stages; // => [{ levels: 11, until: 300 }, { levels: 21, until: 600 }, { levels: 41, until: 900 }]
 * levelsOf(edmProcess(), karrasSigmas(stages[0].levels), { final: 'none' }).sigma.shape; // => [11]
 * ```
 */
export const consistencyStages = (
  steps: number,
  options: ConsistencyStagesOptions = {},
): readonly ConsistencyStage[] => {
  const operation = 'consistencyStages';
  checkInteger(operation, 'steps', steps, 1, Number.MAX_SAFE_INTEGER);
  checkOptions(operation, ['first', 'last'], options);
  const { first = 10, last = 1280 } = options;
  checkInteger(operation, 'first', first, 1, 2 ** 30);
  checkInteger(operation, 'last', last, 1, 2 ** 30);
  checkArgument(
    first <= last,
    operation,
    `first = ${first} and last = ${last}`,
    'the number of intervals does not fall',
    'Take 10 and 1280, the defaults.',
  );
  const each = Math.floor(steps / (Math.log2(Math.floor(last / first)) + 1));
  const doublings = Math.ceil(Math.log2(last / first));
  const stages = Array.from({ length: doublings + 1 }, (_, i) => ({
    levels: Math.min(first * 2 ** i, last) + 1,
    until: i === doublings ? steps : (i + 1) * each,
  }));
  // Where s₁ / s₀ is no power of 2 the steps may be at an end before all stages are.
  const begun = stages.filter((_, i) => i === 0 || stages[i - 1]!.until < steps);
  if (each > 0) return Object.freeze(begun.map(({ levels, until }) => Object.freeze({ levels, until })));
  throw new ArgumentError({
    operation,
    given: `${steps} steps for ${stages.length} stages`,
    rule: 'each stage has at least one step',
    hint: 'Take more steps, or a `last` nearer to `first`.',
  });
};
