/** The three stochastic differential equations of score-based models, in continuous time. */
import { checkOptions } from '../../tensor/ops/common/options.js';
import { onesLike, zerosLike } from '../../tensor/ops/creation/creation.js';
import { add, div, mul, neg, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { exp, expm1, log, log1p, reciprocal, sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { asinh } from '../../tensor/ops/elementwise/hyperbolic.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkFinite } from '../checks.js';
import type { NoiseLevel } from '../level.js';
import type { Process } from '../process.js';

/**
 * A process that a stochastic differential equation leads through, dx = f(t) x dt + g(t) dw. Of its levels f is
 * d log α / dt, and g² is d σ² / dt − 2 f σ².
 */
export interface ScoreSde extends Process {
  /** f: float64 times, [] or [N], to float64 of their shape. */
  readonly drift: (time: Tensor) => Tensor;
  /** g, likewise. */
  readonly diffusion: (time: Tensor) => Tensor;
}

/** What the processes have in common. */
interface TimeOptions {
  /** The time at the end of the process; 1000 for networks that were trained on timesteps. Default 1. */
  readonly timeScale?: number;
}

/** Options of {@link vpProcess} and {@link subVpProcess}. */
export interface VpProcessOptions extends TimeOptions {
  /** β at the data. Default 0.1. */
  readonly betaMin?: number;
  /** β at the end, not below betaMin. Default 20. */
  readonly betaMax?: number;
}

/** Options of {@link veProcess}. */
export interface VeProcessOptions extends TimeOptions {
  /** σ at time 0. Default 0.01. */
  readonly sigmaMin?: number;
  /** σ at the end, above sigmaMin. Default 50. */
  readonly sigmaMax?: number;
}

const float64 = (x: Tensor): Tensor => cast(x, 'float64') as Tensor;

/** Refuses what is no finite number above 0. */
const checkPositive = (operation: string, numbers: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(numbers)) checkFinite(operation, name, value, 'positive');
};

/** An equation in times from 0 to 1, with the levels of the time and the time of a ratio. */
interface UnitSde {
  readonly level: (t: Tensor) => Omit<NoiseLevel, 'time'>;
  readonly timeOf: (ratio: Tensor) => Tensor;
  readonly drift: (t: Tensor) => Tensor;
  /** g². */
  readonly rate: (t: Tensor) => Tensor;
}

/** The process of an equation, in other units of time: f is per unit of it, and so is g². */
const inUnits = (timeScale: number, { level, timeOf, drift, rate }: UnitSde): ScoreSde => {
  const unit = (time: Tensor): Tensor => div(float64(time), timeScale) as Tensor;
  const at = (t: Tensor): NoiseLevel => Object.freeze({ ...level(t), time: mul(t, timeScale) as Tensor });
  return Object.freeze({
    levelAt: (time: Tensor) => at(unit(time)),
    levelOf: (ratio: Tensor) => at(timeOf(float64(ratio))),
    drift: (time: Tensor) => div(drift(unit(time)), timeScale) as Tensor,
    diffusion: (time: Tensor) => sqrt(div(rate(unit(time)), timeScale)) as Tensor,
  });
};

/** β, which rises evenly, its integral from 0, and the time of an integral. */
const linearRate = (operation: string, options: VpProcessOptions) => {
  checkOptions(operation, ['betaMin', 'betaMax', 'timeScale'], options);
  const { betaMin = 0.1, betaMax = 20, timeScale = 1 } = options;
  checkPositive(operation, { betaMin, betaMax, timeScale });
  checkArgument(
    betaMin <= betaMax,
    operation,
    `betaMin = ${betaMin} and betaMax = ${betaMax}`,
    'β does not fall with time',
    'Take 0.1 and 20, the defaults.',
  );
  const slope = betaMax - betaMin;
  return {
    timeScale,
    beta: (t: Tensor): Tensor => add(mul(t, slope), betaMin) as Tensor,
    // Without a slope an infinite time must not be multiplied with it.
    integral: (t: Tensor): Tensor =>
      (slope === 0 ? mul(t, betaMin) : mul(t, add(mul(t, slope / 2), betaMin))) as Tensor,
    // The positive root of slope t² / 2 + betaMin t = B, in 1 / B: it holds where B is 0, and where it is infinite.
    timeOf: (integral: Tensor): Tensor => {
      const u = reciprocal(integral) as Tensor;
      const root = sqrt(mul(u, add(mul(u, betaMin ** 2), 2 * slope))) as Tensor;
      return div(2, add(mul(u, betaMin), root)) as Tensor;
    },
  };
};

/**
 * The variance preserving SDE, dx = −½ β x dt + √β dw, β rising evenly: with B = ∫β, α = exp(−B / 2) and σ² = 1 − exp(−B). The
 * betas of Ho et al. are a discretisation of it.
 *
 * Source: Song et al. 2020, arXiv:2011.13456, eqs. 11 and 32, 33 (appendix C).
 *
 * @param options `betaMin` (0.1) and `betaMax` (20), the rates of noise at both ends; `timeScale` (1): the time at the end
 * @returns a variance preserving process with drift and diffusion; levels of ratios have the times where they would be
 * @throws ArgumentError for what is no finite number above 0, a betaMax below betaMin, and unknown options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { vpProcess } from 'tenfold/diffusion';
 * const process = vpProcess({ betaMin: 2, betaMax: 4 });
 * process.diffusion(tensor(1)).item(); // => 2
 * process.drift(tensor(0.5)).item(); // => -1.5
 * Math.log(process.levelAt(tensor(1)).alpha.item()).toFixed(6); // => '-1.500000'
 * ```
 */
export const vpProcess = (options: VpProcessOptions = {}): ScoreSde => {
  const { timeScale, beta, integral, timeOf } = linearRate('vpProcess', options);
  return inUnits(timeScale, {
    level: t => {
      const decay = integral(t);
      return { alpha: exp(mul(decay, -0.5)) as Tensor, sigma: sqrt(neg(expm1(neg(decay)))) as Tensor };
    },
    // σ² / α² = exp(B) − 1.
    timeOf: ratio => timeOf(log1p(square(ratio)) as Tensor),
    drift: t => mul(beta(t), -0.5) as Tensor,
    rate: beta,
  });
};

/**
 * The sub-VP SDE, dx = −½ β x dt + √(β (1 − exp(−2 B))) dw with B = ∫β: α is that of {@link vpProcess}, and σ = 1 − exp(−B), the square
 * of its σ. Samples have less variance than preserved between data and noise.
 *
 * Source: Song et al. 2020, arXiv:2011.13456, section 3.4, eq. 12, and appendices B and C.
 *
 * @param options as {@link vpProcess} has them
 * @returns a process with drift and diffusion, of none of the scalings
 * @throws ArgumentError for what is no finite number above 0, a betaMax below betaMin, and unknown options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { subVpProcess, vpProcess } from 'tenfold/diffusion';
 * const [sub, vp] = [subVpProcess(), vpProcess()].map(process => process.levelAt(tensor(0.5)));
 * (sub.sigma.item() - vp.sigma.item() ** 2).toFixed(6); // => '0.000000'
 * sub.alpha.item() === vp.alpha.item(); // => true
 * ```
 */
export const subVpProcess = (options: VpProcessOptions = {}): ScoreSde => {
  const { timeScale, beta, integral, timeOf } = linearRate('subVpProcess', options);
  return inUnits(timeScale, {
    level: t => {
      const decay = integral(t);
      return { alpha: exp(mul(decay, -0.5)) as Tensor, sigma: neg(expm1(neg(decay))) as Tensor };
    },
    // σ / α = exp(B / 2) − exp(−B / 2).
    timeOf: ratio => timeOf(mul(asinh(mul(ratio, 0.5)), 2) as Tensor),
    drift: t => mul(beta(t), -0.5) as Tensor,
    rate: t => mul(beta(t), neg(expm1(mul(integral(t), -2)))) as Tensor,
  });
};

/**
 * The variance exploding SDE, dx = √(d σ² / dt) dw with σ = σ_min (σ_max / σ_min)^t; α is 1. At time 0 there still is noise, σ_min.
 *
 * Source: Song et al. 2020, arXiv:2011.13456, eqs. 9 and 30, 31 (appendix C).
 *
 * @param options `sigmaMin` (0.01) and `sigmaMax` (50, which the source has for CIFAR-10: about the largest distance between
 *   two samples of the data); `timeScale` (1): the time at the end
 * @returns a variance exploding process with drift and diffusion; no noise is at time −∞
 * @throws ArgumentError for what is no finite number above 0, a sigmaMax not above sigmaMin, and unknown options
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { veProcess } from 'tenfold/diffusion';
 * const process = veProcess({ sigmaMin: 0.5, sigmaMax: 8 });
 * process.levelAt(tensor(0.25)).sigma.item().toFixed(6); // => '1.000000'
 * process.levelOf(tensor(2)).time.item().toFixed(6); // => '0.500000'
 * ```
 */
export const veProcess = (options: VeProcessOptions = {}): ScoreSde => {
  checkOptions('veProcess', ['sigmaMin', 'sigmaMax', 'timeScale'], options);
  const { sigmaMin = 0.01, sigmaMax = 50, timeScale = 1 } = options;
  checkPositive('veProcess', { sigmaMin, sigmaMax, timeScale });
  checkArgument(
    sigmaMin < sigmaMax,
    'veProcess',
    `sigmaMin = ${sigmaMin} and sigmaMax = ${sigmaMax}`,
    'σ rises with time',
    'Take 0.01 and 50, the defaults.',
  );
  const [first, rise] = [Math.log(sigmaMin), Math.log(sigmaMax / sigmaMin)];
  const sigmaAt = (t: Tensor): Tensor => exp(add(mul(t, rise), first)) as Tensor;
  return inUnits(timeScale, {
    level: t => ({ alpha: onesLike(t) as Tensor, sigma: sigmaAt(t) }),
    timeOf: ratio => div(sub(log(ratio), first), rise) as Tensor,
    drift: t => zerosLike(t) as Tensor,
    rate: t => mul(square(sigmaAt(t)), 2 * rise) as Tensor,
  });
};
