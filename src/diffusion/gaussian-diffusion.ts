/**
 * The classic Gaussian diffusion as a value: its coefficients, and what the network predicts and is trained on.
 *
 * It is plain frozen data in float64. Everything done with it is a function that takes it first: the forward
 * process, the reverse process, the samplers, the losses.
 */
import { ArgumentError, ScheduleError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkArgument, range, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBatch, showNumber } from './checks.js';
import { respaceBetasFor } from './respacing.js';
import { coefficientsFor, type DiffusionCoefficients } from './schedules/coefficients.js';
import { numbersOf } from './schedules/numbers.js';

/** What the network predicts: the noise ε, the clean x₀, or the mean of xₜ₋₁. */
export type MeanType = 'epsilon' | 'startX' | 'previousX';

/**
 * Where the variance of p(xₜ₋₁ | xₜ) comes from: β̃ₜ or βₜ (the two that are optimal for data of one point and for
 * standard normal data), a log variance from the network, or a place between log β̃ₜ and log βₜ from the network.
 */
export type VarianceType = 'fixedSmall' | 'fixedLarge' | 'learned' | 'learnedRange';

/**
 * What is minimised: the squared error (with a variational term where variances are learned, its weight for
 * `rescaledMse` independent of the number of timesteps), or the variational bound of one timestep (for `rescaledKl`
 * times the number of timesteps, an estimate of the whole bound).
 */
export type LossType = 'mse' | 'rescaledMse' | 'kl' | 'rescaledKl';

const choices = {
  meanType: ['epsilon', 'startX', 'previousX'],
  varianceType: ['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'],
  lossType: ['mse', 'rescaledMse', 'kl', 'rescaledKl'],
} as const satisfies Readonly<Record<string, readonly (MeanType | VarianceType | LossType)[]>>;

/** Options of {@link gaussianDiffusion} and {@link respace}. */
export interface GaussianDiffusionOptions {
  /** Default `epsilon`. */
  readonly meanType?: MeanType;
  /** Default `fixedSmall`. */
  readonly varianceType?: VarianceType;
  /** Default `mse`. */
  readonly lossType?: LossType;
  /** Show the network timesteps as floats scaled to 0 … 1000, whatever their number. Default false. */
  readonly rescaleTimesteps?: boolean;
  /** Entry i is what the network knows timestep i as; default i itself. */
  readonly timestepMap?: readonly number[];
  /** How many timesteps the network knows; default the number of betas. */
  readonly originalNumSteps?: number;
}

/** A Gaussian diffusion: coefficients by timestep in float64, and how a network relates to it. Frozen plain data. */
export interface GaussianDiffusion extends DiffusionCoefficients, Required<GaussianDiffusionOptions> {
  /** T, the number of timesteps; t = 0 is the step next to the data. */
  readonly numTimesteps: number;
}

const checkChoice = <C extends string>(operation: string, what: keyof typeof choices, given: C): C => {
  const known: readonly string[] = choices[what];
  if (known.includes(given)) return given;
  throw new ArgumentError({
    operation,
    given: `the ${what} ${typeof given === 'string' ? `'${given}'` : kindOf(given)}`,
    rule: `a ${what} is one of ${known.join(', ')}`,
    hint: `Leave it out for '${known[0]}'.`,
  });
};

const checkMap = (
  operation: string,
  timestepMap: readonly number[],
  numTimesteps: number,
  originalNumSteps: number,
): readonly number[] => {
  const map = Object.freeze(numbersOf(timestepMap));
  const isWhole = Number.isInteger(originalNumSteps) && map.length === numTimesteps;
  const rises = (): boolean =>
    map.every((t, i) => Number.isInteger(t) && t >= 0 && t < originalNumSteps && (i === 0 || t > map[i - 1]!));
  if (isWhole && rises()) return map;
  throw new ScheduleError({
    operation,
    given: `a timestepMap of ${map.length} entries for ${numTimesteps} timesteps, taken from ${showNumber(originalNumSteps)}`,
    rule: 'it has one entry a timestep, rising integers from 0 to one below originalNumSteps',
    hint: 'Use respace, which makes it.',
  });
};

/** {@link gaussianDiffusion} in the name of another function, of options among others. */
const make = (operation: string, betas: ArrayLike<number>, options: GaussianDiffusionOptions): GaussianDiffusion => {
  const coefficients = coefficientsFor(operation, betas);
  const numTimesteps = coefficients.betas.length;
  const {
    meanType = 'epsilon',
    varianceType = 'fixedSmall',
    lossType = 'mse',
    rescaleTimesteps = false,
    originalNumSteps = numTimesteps,
    timestepMap = range(numTimesteps),
  } = options;
  checkFlag(operation, 'rescaleTimesteps', rescaleTimesteps);
  return Object.freeze({
    ...coefficients,
    numTimesteps,
    originalNumSteps,
    timestepMap: checkMap(operation, timestepMap, numTimesteps, originalNumSteps),
    rescaleTimesteps,
    meanType: checkChoice(operation, 'meanType', meanType),
    varianceType: checkChoice(operation, 'varianceType', varianceType),
    lossType: checkChoice(operation, 'lossType', lossType),
  });
};

/**
 * A Gaussian diffusion with the given betas: q(xₜ | xₜ₋₁) = N(√(1 − βₜ) xₜ₋₁, βₜ I), and everything that follows.
 *
 * Sources: Ho et al. 2020, arXiv:2006.11239, eqs. 2, 4, 6 and 7; the types of mean, variance and loss are those of
 * Nichol & Dhariwal 2021, arXiv:2102.09672, and its code.
 *
 * @param betas one a timestep, each in (0, 1], at least two: `cosineBetas(1000)`
 * @param options what the network predicts, and how it is trained
 * @returns a frozen value; its coefficients are float64 numbers
 * @throws ScheduleError when there are fewer than two betas, one lies outside (0, 1], or the timestepMap does not fit
 * @throws ArgumentError for a type of mean, variance or loss that does not exist, and for what is no such option
 * @example
 * ```js
 * import { gaussianDiffusion, linearBetas } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion(linearBetas(1000), { varianceType: 'learnedRange' });
 * diffusion.numTimesteps; // => 1000
 * diffusion.meanType; // => 'epsilon'
 * ```
 */
export const gaussianDiffusion = (
  betas: ArrayLike<number>,
  options: GaussianDiffusionOptions = {},
): GaussianDiffusion => {
  const others = ['rescaleTimesteps', 'timestepMap', 'originalNumSteps'];
  checkOptions('gaussianDiffusion', [...Object.keys(choices), ...others], options);
  return make('gaussianDiffusion', betas, options);
};

/** Any diffusion: its members are of the kinds that those of all others are. Made when first asked for, then kept. */
let example: GaussianDiffusion | undefined;

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/**
 * @internal Refuses what is no diffusion.
 *
 * @throws ArgumentError
 */
export const checkDiffusion = (operation: string, diffusion: GaussianDiffusion): void => {
  example ??= make(operation, [0.5, 0.5], {});
  const isLike = ([name, value]: readonly [string, unknown]): boolean => {
    const own = diffusion[name as keyof GaussianDiffusion];
    if (Array.isArray(value)) return Array.isArray(own) && own.length === diffusion.numTimesteps;
    if (typeof value === 'number') return Number.isSafeInteger(own) && (own as number) > 0;
    return Object.hasOwn(choices, name)
      ? (choices[name as keyof typeof choices] as readonly unknown[]).includes(own)
      : typeof own === typeof value;
  };
  checkArgument(
    isObject(diffusion) && Object.entries(example).every(isLike),
    operation,
    `${kindOf(diffusion)} as the diffusion`,
    'it takes a Gaussian diffusion, whole',
    'Make one with gaussianDiffusion(cosineBetas(1000)), or respace another.',
  );
};

/**
 * The diffusion that visits only some of the timesteps, with the signal that is left at each of them as it was:
 * βᵢ = 1 − ᾱ(i) / ᾱ(i − 1) over the timesteps kept. The network is shown the original timesteps.
 *
 * Source: Nichol & Dhariwal 2021, arXiv:2102.09672, section 4, eq. 19.
 *
 * @param diffusion a Gaussian diffusion, or its betas with the options of {@link gaussianDiffusion}
 * @param useTimesteps the timesteps to keep, in any order, at least two: what `spaceTimesteps` returns
 * @throws ScheduleError, ArgumentError as {@link gaussianDiffusion}, and when a timestep lies outside the process
 * @example
 * ```js
 * import { gaussianDiffusion, linearBetas, respace, spaceTimesteps } from 'tenfold/diffusion';
 * const short = respace(gaussianDiffusion(linearBetas(1000)), spaceTimesteps(1000, 'ddim4'));
 * short.timestepMap; // => [0, 250, 500, 750]
 * short.originalNumSteps; // => 1000
 * ```
 */
export const respace = (
  diffusion: GaussianDiffusionOptions & { readonly betas: ArrayLike<number> },
  useTimesteps: Iterable<number>,
): GaussianDiffusion => {
  const operation = 'respace';
  checkArgument(
    isObject(diffusion),
    operation,
    `${kindOf(diffusion)} as the diffusion`,
    'it takes a Gaussian diffusion, or its betas with options',
    'Write respace({ betas }, timesteps).',
  );
  const kept = respaceBetasFor(operation, diffusion.betas, useTimesteps);
  const steps = diffusion.betas.length;
  const { originalNumSteps = steps, timestepMap = range(steps) } = diffusion;
  const known = checkMap(operation, timestepMap, steps, originalNumSteps);
  const options = { ...diffusion, originalNumSteps, timestepMap: kept.timestepMap.map(t => known[t]!) };
  return make(operation, kept.betas, options);
};

/**
 * The coefficient of each sample's timestep, ready to be multiplied with the samples: coefficients[t] in the shape
 * [N, 1, …, 1]. A timestep outside the process gives NaN.
 *
 * @param coefficients one a timestep, in float64; rounded once, to the dtype of `like`
 * @param t int32 [N]
 * @param like float tensor of shape [N, …]
 * @returns the rank and dtype of `like`
 * @throws ShapeError, DTypeError when t is not int32 [N] or `like` no float, ArgumentError for coefficients that are no
 *   numbers
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { extract } from 'tenfold/diffusion';
 * extract([0.5, 0.25], tensor([1, 0], { dtype: 'int32' }), zeros([2, 3])).toArray(); // => [[0.25], [0.5]]
 * ```
 */
export const extract = <D extends Tensor['dtype']>(
  coefficients: readonly number[],
  t: Tensor,
  like: Tensor<Shape, D>,
): Tensor<Shape, D> => {
  checkBatch('extract', { like }, t);
  const numbers = numbersOf(coefficients as ArrayLike<number>);
  checkArgument(
    numbers.length > 0 && numbers.every(value => typeof value === 'number'),
    'extract',
    `${kindOf(coefficients)} as coefficients`,
    'coefficients are an array of numbers, one a timestep',
    'Take those of a diffusion: diffusion.betas.',
  );
  const table = tensor(numbers, { dtype: like.dtype });
  return reshape(take(table, t as Tensor<Shape, 'int32'>), [t.shape[0]!, ...like.shape.slice(1).fill(1)]);
};

/**
 * The timesteps as the network is shown them: those of the original process (`timestepMap`), and with
 * `rescaleTimesteps` times 1000 / originalNumSteps, so that they run from 0 to 1000.
 *
 * Source: the code of Nichol & Dhariwal 2021, arXiv:2102.09672.
 *
 * @param t int32 [N]
 * @param like the samples [N, …] that go with them
 * @returns int32 [N]; where timesteps are rescaled, of the dtype of `like`
 * @throws ShapeError, DTypeError when t is not int32 [N] or `like` no float, ArgumentError for what is no diffusion or no
 *   tensor
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { cosineBetas, gaussianDiffusion, modelTimesteps } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion(cosineBetas(10), { rescaleTimesteps: true });
 * modelTimesteps(diffusion, tensor([9], { dtype: 'int32' }), zeros([1, 4])).toArray(); // => [900]
 * ```
 */
export const modelTimesteps = (diffusion: GaussianDiffusion, t: Tensor, like: Tensor): Tensor => {
  checkDiffusion('modelTimesteps', diffusion);
  checkBatch('modelTimesteps', { like }, t);
  const { timestepMap, numTimesteps, originalNumSteps, rescaleTimesteps } = diffusion;
  const mapped =
    numTimesteps === originalNumSteps ? t : take(tensor(timestepMap, { dtype: 'int32' }), t as Tensor<Shape, 'int32'>);
  return rescaleTimesteps ? mul(cast(mapped, like.dtype), 1000 / originalNumSteps) : mapped;
};
