/**
 * The classic Gaussian diffusion as a value: its coefficients, and what the network predicts and is trained on.
 *
 * It is plain frozen data in float64. Everything done with it is a function that takes it first: the forward
 * process, the reverse process, the samplers, the losses.
 */
import { ArgumentError, ScheduleError } from '../tensor/errors.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBatch } from './checks.js';
import { respaceBetas } from './respacing.js';
import { type DiffusionCoefficients, diffusionCoefficients } from './schedules.js';

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

const meanTypes: readonly MeanType[] = ['epsilon', 'startX', 'previousX'];
const varianceTypes: readonly VarianceType[] = ['fixedSmall', 'fixedLarge', 'learned', 'learnedRange'];
const lossTypes: readonly LossType[] = ['mse', 'rescaledMse', 'kl', 'rescaledKl'];

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

const checkChoice = <C extends string>(what: string, given: C, choices: readonly C[]): C => {
  if (choices.includes(given)) return given;
  throw new ArgumentError({
    operation: 'gaussianDiffusion',
    given: `the ${what} ${typeof given === 'string' ? `'${given}'` : String(given)}`,
    rule: `a ${what} is one of ${choices.join(', ')}`,
    hint: `Leave it out for '${choices[0]}'.`,
  });
};

/** What goes wrong inside is reported in the name of the function that was called. */
const inTheNameOf = <R>(operation: string, f: () => R): R => {
  try {
    return f();
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    const { given, rule, hint } = error;
    throw new ScheduleError({ operation, given, rule, hint }, { cause: error });
  }
};

const checkMap = (
  timestepMap: readonly number[],
  numTimesteps: number,
  originalNumSteps: number,
): readonly number[] => {
  const map = Object.freeze([...timestepMap]);
  const fits = map.every(
    (t, i) => Number.isInteger(t) && t >= 0 && t < originalNumSteps && (i === 0 || t > map[i - 1]!),
  );
  if (Number.isInteger(originalNumSteps) && map.length === numTimesteps && fits) return map;
  throw new ScheduleError({
    operation: 'gaussianDiffusion',
    given: `a timestepMap of ${map.length} entries for ${numTimesteps} timesteps, taken from ${originalNumSteps}`,
    rule: 'it has one entry a timestep, rising integers from 0 to one below originalNumSteps',
    hint: 'Use respace, which makes it.',
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
 * @throws ArgumentError for a type of mean, variance or loss that does not exist
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
  const coefficients = inTheNameOf('gaussianDiffusion', () => diffusionCoefficients(betas));
  const numTimesteps = coefficients.betas.length;
  const { originalNumSteps = numTimesteps, timestepMap = coefficients.betas.map((_, t) => t) } = options;
  return Object.freeze({
    ...coefficients,
    numTimesteps,
    originalNumSteps,
    timestepMap: checkMap(timestepMap, numTimesteps, originalNumSteps),
    rescaleTimesteps: options.rescaleTimesteps ?? false,
    meanType: checkChoice('meanType', options.meanType ?? 'epsilon', meanTypes),
    varianceType: checkChoice('varianceType', options.varianceType ?? 'fixedSmall', varianceTypes),
    lossType: checkChoice('lossType', options.lossType ?? 'mse', lossTypes),
  });
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
): GaussianDiffusion =>
  inTheNameOf('respace', () => {
    const { betas, timestepMap } = respaceBetas(diffusion.betas, useTimesteps);
    return gaussianDiffusion(betas, {
      ...diffusion,
      timestepMap: timestepMap.map(t => diffusion.timestepMap?.[t] ?? t),
      originalNumSteps: diffusion.originalNumSteps ?? diffusion.betas.length,
    });
  });

/**
 * The coefficient of each sample's timestep, ready to be multiplied with the samples: coefficients[t] in the shape
 * [N, 1, …, 1]. A timestep outside the process gives NaN.
 *
 * @param coefficients one a timestep, in float64; rounded once, to the dtype of `like`
 * @param t int32 [N]
 * @param like float tensor of shape [N, …]
 * @returns the rank and dtype of `like`
 * @throws ShapeError, DTypeError when t is not int32 [N] or `like` no float
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
  const table = tensor(coefficients, { dtype: like.dtype });
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
 * @throws ShapeError, DTypeError when t is not int32 [N] or `like` no float
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { cosineBetas, gaussianDiffusion, modelTimesteps } from 'tenfold/diffusion';
 * const diffusion = gaussianDiffusion(cosineBetas(10), { rescaleTimesteps: true });
 * modelTimesteps(diffusion, tensor([9], { dtype: 'int32' }), zeros([1, 4])).toArray(); // => [900]
 * ```
 */
export const modelTimesteps = (diffusion: GaussianDiffusion, t: Tensor, like: Tensor): Tensor => {
  checkBatch('modelTimesteps', { like }, t);
  const { timestepMap, numTimesteps, originalNumSteps, rescaleTimesteps } = diffusion;
  const mapped =
    numTimesteps === originalNumSteps ? t : take(tensor(timestepMap, { dtype: 'int32' }), t as Tensor<Shape, 'int32'>);
  return rescaleTimesteps ? mul(cast(mapped, like.dtype), 1000 / originalNumSteps) : mapped;
};
