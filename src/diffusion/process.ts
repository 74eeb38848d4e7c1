/** Processes: which noise level belongs to a time, and which time to a level. */
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { onesLike, tensor } from '../tensor/ops/creation/creation.js';
import { add, clamp, div, maximum, minimum, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { equal, greater, lessEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { exp, floor, log, reciprocal, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { checkArgument, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFinite } from './checks.js';
import { checkDiffusion, type GaussianDiffusion } from './gaussian-diffusion.js';
import { checkScaling, type NoiseLevel, noiseToSignal, type Scaling } from './level.js';
import type { LogSnrSchedule } from './schedules/log-snr.js';

/** A process as two functions, inverse to each other; float64, [] or [N]. */
export interface Process {
  /** The level at a time. */
  readonly levelAt: (time: Tensor) => NoiseLevel;
  /** The level of a noise-to-signal ratio σ / α. */
  readonly levelOf: (ratio: Tensor) => NoiseLevel;
}

/**
 * @internal Refuses what is no process.
 *
 * @throws ArgumentError
 */
export const checkProcess = (operation: string, process: Process): void =>
  checkArgument(
    typeof process?.levelAt === 'function' && typeof process.levelOf === 'function',
    operation,
    `${kindOf(process)} as the process`,
    'a process has the functions levelAt and levelOf',
    'Take discreteProcess(gaussianDiffusion(cosineBetas(1000))), edmProcess() or flowProcess().',
  );

/** α and σ of a ratio. */
const scaled = (ratio: Tensor, scaling: Scaling): Pick<NoiseLevel, 'alpha' | 'sigma'> => {
  if (scaling === 'exploding') return { alpha: onesLike(ratio), sigma: ratio };
  const alpha = reciprocal(scaling === 'flow' ? add(ratio, 1) : sqrt(add(square(ratio), 1)));
  // Without signal the ratio is infinite, or its square is.
  return { alpha, sigma: where(greater(alpha, 0), mul(ratio, alpha), 1) as Tensor };
};

/**
 * The same process with samples of another scaling: the noise-to-signal ratios and times are those of the process.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, section 2 and table 1 (the scaling s(t)).
 *
 * @param process any
 * @param scaling see {@link Scaling}
 * @returns a process
 * @throws ArgumentError for what is no process or scaling
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { flowProcess, rescaleProcess } from 'tenfold/diffusion';
 * rescaleProcess(flowProcess(), 'exploding').levelAt(tensor(0.75)).sigma.item(); // => 3
 * ```
 */
export const rescaleProcess = (process: Process, scaling: Scaling): Process => {
  checkProcess('rescaleProcess', process);
  checkScaling('rescaleProcess', scaling);
  const again = (level: NoiseLevel): NoiseLevel =>
    Object.freeze({ ...scaled(noiseToSignal(level), scaling), time: level.time });
  return Object.freeze({
    levelAt: (time: Tensor) => again(process.levelAt(time)),
    levelOf: (ratio: Tensor) => again(process.levelOf(ratio)),
  });
};

/** The place of a value among rising values, as a real number: between two of them it is linear. */
const placeAmong = (values: Tensor, value: Tensor, count: number): Tensor => {
  const passed = sum(cast(lessEqual(values, expandDims(value, -1) as Tensor), 'int32'), { axis: -1 }) as Tensor;
  const low = clamp(sub(passed, 1), 0, count - 2) as Tensor<Shape, 'int32'>;
  const [below, above] = [take(values, low), take(values, add(low, 1) as typeof low)] as readonly Tensor[];
  const share = clamp(div(sub(value, below!), sub(above!, below!)), 0, 1);
  // An infinite value is at the last place or beyond it, also where the last of the values is infinite.
  return where(equal(value, Number.POSITIVE_INFINITY), count - 1, add(cast(low, 'float64'), share)) as Tensor;
};

/**
 * A Gaussian diffusion as a process: its timesteps, and between them log(σ / α) is linear in time. Times are those that
 * the network knows.
 *
 * Source: the interpolation is that of Karras et al. 2022, arXiv:2206.00364, and its descendants.
 *
 * @param diffusion a Gaussian diffusion; one that was respaced has its timesteps alone
 * @returns a variance preserving process; times outside 0 … T − 1 are taken to be at the ends
 * @throws ArgumentError for what is no diffusion
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { discreteProcess, gaussianDiffusion } from 'tenfold/diffusion';
 * const { alpha } = discreteProcess(gaussianDiffusion([0.75, 0.5])).levelAt(tensor(0));
 * alpha.item(); // => 0.5
 * ```
 */
export const discreteProcess = (diffusion: GaussianDiffusion): Process => {
  checkDiffusion('discreteProcess', diffusion);
  const { numTimesteps, sqrtAlphasCumprod, sqrtOneMinusAlphasCumprod, timestepMap } = diffusion;
  const table = (values: readonly number[]): Tensor => tensor(values, { dtype: 'float64' });
  const logRatio = sqrtAlphasCumprod.map((alpha, t) => Math.log(sqrtOneMinusAlphasCumprod[t]!) - Math.log(alpha));
  const [alphas, sigmas, logs] = [sqrtAlphasCumprod, sqrtOneMinusAlphasCumprod, logRatio].map(table) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const times = table(timestepMap);
  const factor = diffusion.rescaleTimesteps ? 1000 / diffusion.originalNumSteps : 1;
  const known = (at: Tensor, values: Tensor): Tensor => take(values, at as Tensor<Shape, 'int32'>);
  const between = (place: Tensor, values: Tensor): Tensor => {
    const low = minimum(floor(place), numTimesteps - 2) as Tensor;
    const at = cast(low, 'int32') as Tensor;
    const share = sub(place, low);
    const [below, above] = [known(at, values), known(add(at, 1), values)];
    const inside = add(mul(below, sub(1, share)), mul(above, share));
    // The last value may be infinite (no signal left), of which no share may be taken.
    return where(equal(share, 0), below, where(equal(share, 1), above, inside)) as Tensor;
  };
  const levelAtPlace = (place: Tensor): NoiseLevel => {
    const whole = cast(floor(place), 'int32') as Tensor;
    const exact = equal(floor(place), place);
    const { alpha, sigma } = scaled(exp(between(place, logs)), 'preserving');
    return Object.freeze({
      alpha: where(exact, known(whole, alphas), alpha) as Tensor,
      sigma: where(exact, known(whole, sigmas), sigma) as Tensor,
      time: mul(between(place, times), factor),
    });
  };
  const last = numTimesteps - 1;
  return Object.freeze({
    levelAt: (time: Tensor) => {
      const given = div(cast(time, 'float64'), factor) as Tensor;
      return levelAtPlace(clamp(placeAmong(times, given, numTimesteps), 0, last));
    },
    levelOf: (ratio: Tensor) => {
      const given = cast(ratio, 'float64') as Tensor;
      const { time } = levelAtPlace(placeAmong(logs, log(given) as Tensor, numTimesteps));
      return Object.freeze({ ...scaled(given, 'preserving'), time });
    },
  });
};

/**
 * The process of EDM: x = x₀ + σ ε, the time being σ itself.
 *
 * Source: Karras et al. 2022, arXiv:2206.00364, table 1 (σ(t) = t, s(t) = 1).
 *
 * @returns a variance exploding process; its networks are shown log(σ) / 4 when they are preconditioned
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { edmProcess } from 'tenfold/diffusion';
 * edmProcess().levelAt(tensor(80)).sigma.item(); // => 80
 * ```
 */
export const edmProcess = (): Process => {
  const levelOf = (ratio: Tensor): NoiseLevel => {
    const sigma = cast(ratio, 'float64') as Tensor;
    return Object.freeze({ ...scaled(sigma, 'exploding'), time: sigma });
  };
  return Object.freeze({ levelAt: levelOf, levelOf });
};

/** Options of {@link flowProcess}. */
export interface FlowProcessOptions {
  /** What the network's time is at pure noise; 1000 for networks that were trained on timesteps. Default 1. */
  readonly timeScale?: number;
}

/**
 * The process of flow matching: the straight line x = (1 − t) x₀ + t ε from data (t = 0) to noise (t = 1).
 *
 * Sources: Lipman et al. 2022, arXiv:2210.02747, section 4.1 (optimal transport paths); Liu et al. 2022,
 * arXiv:2209.03003.
 *
 * @param options `timeScale` (1): the time at pure noise
 * @returns a process on the line
 * @throws ArgumentError for a timeScale that is no positive number
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { flowProcess } from 'tenfold/diffusion';
 * flowProcess().levelAt(tensor(0.25)).alpha.item(); // => 0.75
 * ```
 */
export const flowProcess = (options: FlowProcessOptions = {}): Process => {
  checkOptions('flowProcess', ['timeScale'], options);
  const { timeScale = 1 } = options;
  checkFinite('flowProcess', 'timeScale', timeScale, 'positive');
  const at = (sigma: Tensor): NoiseLevel => Object.freeze({ alpha: sub(1, sigma), sigma, time: mul(sigma, timeScale) });
  return Object.freeze({
    levelAt: (time: Tensor) => at(div(cast(time, 'float64'), timeScale) as Tensor),
    // An infinite ratio is pure noise.
    levelOf: (ratio: Tensor) => at(reciprocal(add(reciprocal(maximum(cast(ratio, 'float64'), 0) as Tensor), 1))),
  });
};

/**
 * A process in continuous time given by its log signal-to-noise ratio.
 *
 * Source: Kingma et al. 2021, arXiv:2107.00630, section 3.1.
 *
 * @param schedule log-SNR over time and its inverse: `cosineLogSnr()`, `linearLogSnr()`, …, or two functions of tensors
 * @param scaling see {@link Scaling}; default variance preserving
 * @returns a process whose times are those of the schedule
 * @throws ArgumentError unless the schedule has both functions
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { continuousProcess, cosineLogSnr } from 'tenfold/diffusion';
 * const { alpha, sigma } = continuousProcess(cosineLogSnr()).levelAt(tensor(0.5));
 * [alpha, sigma].map(x => x.item().toFixed(6)); // => ['0.707107', '0.707107']
 * ```
 */
export const continuousProcess = (schedule: LogSnrSchedule, scaling: Scaling = 'preserving'): Process => {
  checkArgument(
    typeof schedule?.logSnr === 'function' && typeof schedule.time === 'function',
    'continuousProcess',
    `${kindOf(schedule)} as the schedule`,
    'a schedule has the functions logSnr and time, inverse to each other',
    'Write { logSnr: t => …, time: logSnr => … }.',
  );
  checkScaling('continuousProcess', scaling);
  const of = (ratio: Tensor, time: Tensor): NoiseLevel => Object.freeze({ ...scaled(ratio, scaling), time });
  return Object.freeze({
    levelAt: (time: Tensor) => {
      const at = cast(time, 'float64') as Tensor;
      return of(exp(mul(schedule.logSnr(at), -0.5)), at);
    },
    levelOf: (ratio: Tensor) => {
      const given = cast(ratio, 'float64') as Tensor;
      return of(given, schedule.time(mul(log(given), -2)));
    },
  });
};
