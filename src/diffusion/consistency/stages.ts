/** The curriculum of consistency training: how many levels there are in the course of it, and what follows from their number. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { arange, tensor } from '../../tensor/ops/creation/creation.js';
import { add, minimum, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { greater, lessEqual } from '../../tensor/ops/elementwise/comparison.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import { sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, checkInteger, type Shape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { checkFunctions } from '../checks.js';
import { noiseToSignal } from '../level.js';
import { checkLevels, type Levels, stepsOf } from '../levels.js';
import { checkProcess, type Process } from '../process.js';
import { karrasSigmas } from '../schedules/sigmas.js';

/** Options of {@link consistencyStages}. */
export interface ConsistencyStagesOptions {
  /** How the number of levels grows: `doubling` now and then, or one by one, with the square root of the steps. Default `doubling`. */
  readonly growth?: 'doubling' | 'squareRoot';
  /** s₀: for `doubling` the number of intervals at first, default 10; for `squareRoot` the number of levels at first, default 2. */
  readonly first?: number;
  /** s₁, the number of intervals in the end. Default 1280, for `squareRoot` 150. */
  readonly last?: number;
}

/** A part of the training of a consistency model. */
export interface ConsistencyStage {
  /** N, how many levels there are. */
  readonly levels: number;
  /** The number of all steps that are done at its end. */
  readonly until: number;
}

const doubling = (steps: number, first: number, last: number): readonly ConsistencyStage[] => {
  const each = Math.floor(steps / (Math.log2(Math.floor(last / first)) + 1));
  const doublings = Math.ceil(Math.log2(last / first));
  const stages = Array.from({ length: doublings + 1 }, (_, i) => ({
    levels: Math.min(first * 2 ** i, last) + 1,
    until: i === doublings ? steps : (i + 1) * each,
  }));
  if (each > 0) return stages;
  throw new ArgumentError({
    operation: 'consistencyStages',
    given: `${steps} steps for ${stages.length} stages`,
    rule: 'each stage has at least one step',
    hint: 'Take more steps, or a `last` nearer to `first`.',
  });
};

const squareRoots = (steps: number, first: number, last: number): readonly ConsistencyStage[] =>
  Array.from({ length: last + 2 - first }, (_, i) => {
    const levels = first + i;
    // N is the least number whose square is not below k / K ((s₁ + 1)² − s₀²) + s₀², which says what its last step is.
    const lastStep = Math.floor((steps * (levels ** 2 - first ** 2)) / ((last + 1) ** 2 - first ** 2));
    return { levels, until: Math.min(steps, lastStep + 1) };
  });

/**
 * The curriculum of consistency training: how many levels N there are in step k of K.
 *
 * - `doubling`: N = min(s₀ 2^⌊k / K′⌋, s₁) + 1, where K′ = ⌊K / (log₂⌊s₁ / s₀⌋ + 1)⌋; the intervals double after equally many steps;
 * - `squareRoot`: N = ⌈√(k / K ((s₁ + 1)² − s₀²) + s₀²) − 1⌉ + 1, from s₀ on to s₁ + 1.
 *
 * All stages are one program with {@link consistencyLevels}. Or a stage is trained with the losses and times of its levels alone, from the
 * state that the last one has left, each stage a program of its own; with `fit`, `until` is its option `steps`.
 *
 * Sources: Song & Dhariwal 2023, arXiv:2310.14189, section 3.4 and table 1 (doubling); Song et al. 2023, arXiv:2303.01469, appendix C
 * (squareRoot).
 *
 * @param steps K, those of all stages
 * @param options `growth` (`doubling`), `first` (10; 2) and `last` (1280; 150)
 * @returns the stages, the first step first
 * @throws IndexError for numbers that are no positive integers, or a `first` of 1 for `squareRoot`; ArgumentError for a `last` below
 *   `first`, fewer steps than stages that double, another growth, and for unknown options
 * @example
 * ```js
 * import { consistencyStages, edmProcess, karrasSigmas, levelsOf } from 'tenfold/diffusion';
 * const stages = consistencyStages(900, { first: 10, last: 40 });
 * stages; // => [{ levels: 11, until: 300 }, { levels: 21, until: 600 }, { levels: 41, until: 900 }]
 * levelsOf(edmProcess(), karrasSigmas(stages[0].levels), { final: 'none' }).sigma.shape; // => [11]
 * consistencyStages(12, { growth: 'squareRoot', first: 2, last: 3 }).map(({ until }) => until); // => [1, 6, 12]
 * ```
 */
export const consistencyStages = (
  steps: number,
  options: ConsistencyStagesOptions = {},
): readonly ConsistencyStage[] => {
  const operation = 'consistencyStages';
  checkInteger(operation, 'steps', steps, 1, Number.MAX_SAFE_INTEGER);
  checkOptions(operation, ['growth', 'first', 'last'], options);
  const { growth = 'doubling' } = options;
  checkArgument(
    growth === 'doubling' || growth === 'squareRoot',
    operation,
    `${typeof growth === 'string' ? `'${String(growth)}'` : kindOf(growth)} as the growth`,
    "the growth is 'doubling' or 'squareRoot'",
    "Leave it out for 'doubling'.",
  );
  const doubles = growth === 'doubling';
  const { first = doubles ? 10 : 2, last = doubles ? 1280 : 150 } = options;
  // Of one level there is no interval.
  checkInteger(operation, 'first', first, doubles ? 1 : 2, 2 ** 30);
  checkInteger(operation, 'last', last, 1, doubles ? 2 ** 30 : 2 ** 20);
  checkArgument(
    first <= last,
    operation,
    `first = ${first} and last = ${last}`,
    'the number of intervals does not fall',
    doubles ? 'Take 10 and 1280, the defaults.' : 'Take 2 and 150, the defaults.',
  );
  const stages = doubles ? doubling(steps, first, last) : squareRoots(steps, first, last);
  // The steps may be at an end before all stages are, and between two steps there may be several.
  const begun = stages.filter(({ until }, i) => until > (stages[i - 1]?.until ?? 0));
  return Object.freeze(begun.map(({ levels, until }) => Object.freeze({ levels, until })));
};

/**
 * Refuses what are no stages.
 *
 * @throws ArgumentError
 */
const checkStages = (operation: string, stages: readonly ConsistencyStage[]): void => {
  const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;
  checkArgument(
    Array.isArray(stages) &&
      stages.length > 0 &&
      stages.every(
        (stage, i) => isWhole(stage?.levels, 2) && isWhole(stage.until, i === 0 ? 1 : stages[i - 1]!.until + 1),
      ),
    operation,
    `${kindOf(stages)} as the stages`,
    'stages have a number of levels, at least two, and the number of steps at their end, which rises',
    'Take consistencyStages(steps).',
  );
};

const int32 = { dtype: 'int32' } as const;

/** Which stage a step belongs to: the last one, too, after its end. */
const stageAt = (
  operation: string,
  stages: readonly ConsistencyStage[],
): ((step: Tensor) => Tensor<Shape, 'int32'>) => {
  const ends = tensor(
    stages.slice(0, -1).map(({ until }) => until),
    { dtype: 'float64' },
  ) as Tensor;
  return step => {
    checkStep(operation, step);
    return sum(lessEqual(ends, cast(step, 'float64') as Tensor)) as Tensor as Tensor<Shape, 'int32'>;
  };
};

const checkStep = (operation: string, step: unknown): void =>
  checkArgument(
    isTensor(step) && step.dtype === 'int32' && step.shape.length === 0,
    operation,
    `${isTensor(step) ? showAval(step) : kindOf(step)} as the number of steps done`,
    'what changes with the steps is told their number, an int32 scalar',
    'A trainer does so. By hand, write tensor(0, { dtype: "int32" }).',
  );

/** The levels of consistency models: always the same, or a function of the number of steps done. */
export type ConsistencyLevels = Levels | ((step: Tensor) => Levels);

/**
 * The levels of all stages as a function of the number of steps done, for `consistencyTimes`, `consistencyTraining` and
 * `consistencyDistillation`: so the whole curriculum is one compiled program. Where a stage has fewer levels than the longest its last one
 * is repeated, so that shapes are the same; intervals between equal levels are none.
 *
 * Source: Song et al. 2023, arXiv:2303.01469, algorithms 2 and 3, of which this is N(k) with the levels tᵢ.
 *
 * @param process any
 * @param stages what `consistencyStages` gives
 * @param ratios the ratios σ / α of a number of levels, falling. Default {@link karrasSigmas}
 * @returns a function of the number of steps done, an int32 scalar; as many levels as the longest stage has. Beyond the last stage they
 *   are its levels
 * @throws ArgumentError for what is no process, stages or function, and for ratios that are not as many as there are levels, or do not
 *   fall; the function: ArgumentError for a step that is no int32 scalar
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { consistencyLevels, edmProcess } from 'tenfold/diffusion';
 * const stages = [{ levels: 2, until: 100 }, { levels: 3, until: 200 }];
 * const levels = consistencyLevels(edmProcess(), stages, n => [8, 4, 2].slice(-n));
 * levels(tensor(99, { dtype: 'int32' })).sigma.toArray(); // => [4, 2, 2]
 * levels(tensor(100, { dtype: 'int32' })).sigma.toArray(); // => [8, 4, 2]
 * ```
 */
export const consistencyLevels = (
  process: Process,
  stages: readonly ConsistencyStage[],
  ratios: (levels: number) => readonly number[] = karrasSigmas,
): ((step: Tensor) => Levels) => {
  const operation = 'consistencyLevels';
  checkProcess(operation, process);
  checkStages(operation, stages);
  checkFunctions(operation, { ratios });
  const rows = stages.map(({ levels }) => fallingRatios(operation, ratios(levels), levels));
  const known = { ...process.levelOf(tensor(rows.flat(), { dtype: 'float64' })), process } as Levels;
  checkLevels(operation, known);
  const counts = stages.map(({ levels }) => levels);
  const before = counts.map((_, i) => counts.slice(0, i).reduce((total, count) => total + count, 0));
  const [lasts, begins] = [counts.map(count => count - 1), before].map(numbers => tensor(numbers, int32) as Tensor);
  const longest = Math.max(...counts);
  const stageOf = stageAt(operation, stages);
  return step => {
    const stage = stageOf(step);
    const [last, begin] = [lasts!, begins!].map(numbers => take(numbers, stage) as Tensor);
    const place = add(minimum(arange(longest, int32), last!), begin!) as Tensor<Shape, 'int32'>;
    const at = (values: Tensor): Tensor => take(values, place) as Tensor;
    return Object.freeze({ alpha: at(known.alpha), sigma: at(known.sigma), time: at(known.time), process }) as Levels;
  };
};

const fallingRatios = (operation: string, ratios: readonly number[], count: number): readonly number[] => {
  checkArgument(
    Array.isArray(ratios) &&
      ratios.length === count &&
      ratios.every((ratio, i) => typeof ratio === 'number' && ratio >= 0 && (i === 0 || ratio < ratios[i - 1]!)),
    operation,
    `${kindOf(ratios)} as the ratios of ${count} levels`,
    'ratios are falling numbers from 0 on, one a level',
    'Take n => karrasSigmas(n, { min, max }).',
  );
  return ratios;
};

/**
 * μ(k), the decay of the average that consistency training compares with: μ₀^(N(0) / N(k)), N being the number of levels. It is the option
 * `ema` of a trainer whose loss has the target `average`.
 *
 * Source: Song et al. 2023, arXiv:2303.01469, appendix C: exp(s₀ log μ₀ / N(k)).
 *
 * @param stages what `consistencyStages` gives, with `growth: 'squareRoot'` in the paper
 * @param first μ₀, the decay at first; default 0.9
 * @returns a function of the number of steps done, an int32 scalar, that gives a float64 scalar
 * @throws ArgumentError for what are no stages and a decay outside [0, 1]; the function: ArgumentError for a step that is no int32 scalar
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { consistencyDecay, consistencyStages } from 'tenfold/diffusion';
 * const decay = consistencyDecay(consistencyStages(100, { growth: 'squareRoot', first: 2, last: 3 }), 0.81);
 * [0, 99].map(step => decay(tensor(step, { dtype: 'int32' })).item()); // => [0.81, 0.9]
 * ```
 */
export const consistencyDecay = (
  stages: readonly ConsistencyStage[],
  first = 0.9,
): ((step: Tensor) => Tensor<readonly [], 'float64'>) => {
  const operation = 'consistencyDecay';
  checkStages(operation, stages);
  checkArgument(
    typeof first === 'number' && first >= 0 && first <= 1,
    operation,
    `the decay ${typeof first === 'number' ? first : kindOf(first)}`,
    'a decay lies in [0, 1]',
    'Leave it out for 0.9.',
  );
  const decays = tensor(
    stages.map(({ levels }) => first ** (stages[0]!.levels / levels)),
    { dtype: 'float64' },
  );
  const stageOf = stageAt(operation, stages);
  return step => take(decays, stageOf(step)) as Tensor<readonly [], 'float64'>;
};

/**
 * @internal Refuses what are no levels, where they are not made in every step.
 *
 * @throws ArgumentError, ShapeError
 */
export const checkConsistencyLevels = (operation: string, levels: ConsistencyLevels): void => {
  if (typeof levels !== 'function') checkLevels(operation, levels);
};

/**
 * @internal The levels in a step, how many intervals there are between them, and the place of the last one.
 *
 * @throws ArgumentError, ShapeError
 */
export const levelsIn = (
  operation: string,
  levels: ConsistencyLevels,
  step: Tensor | undefined,
): { readonly levels: Levels; readonly intervals: Tensor | number; readonly last: Tensor | number } => {
  if (typeof levels !== 'function') return { levels, intervals: stepsOf(levels), last: stepsOf(levels) - 1 };
  checkStep(operation, step);
  const now = levels(step!);
  checkLevels(operation, now);
  const ratio = noiseToSignal(now) as Tensor;
  const above = greater(ratio, slice(ratio, [stepsOf(now)])) as Tensor;
  const intervals = sum(above) as Tensor;
  return { levels: now, intervals, last: sub(intervals, 1) as Tensor };
};
