/**
 * Sampling with fewer timesteps than were trained on: which to keep, and the betas of the shorter chain.
 *
 * The shorter chain has the ᾱ of the timesteps that it keeps, so a network trained on the long one fits it unchanged,
 * as long as it is shown the original timesteps (`timestepMap`).
 */
import { ScheduleError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { roundHalfEven } from '../tensor/primitives/special.js';
import { showNumber } from './checks.js';
import { checkBetas, cumulativeAlphas } from './schedules/coefficients.js';

/** A diffusion over a selection of the timesteps of another one. */
export interface RespacedBetas {
  /** The betas of the shorter chain. */
  readonly betas: readonly number[];
  /** Entry i is the original timestep of the shorter chain's timestep i; rising. */
  readonly timestepMap: readonly number[];
}

const rising = (a: number, b: number): number => a - b;

/** The timesteps 0, stride, 2·stride … with the smallest stride that gives exactly `count` of them. */
const strided = (numTimesteps: number, spec: string): readonly number[] => {
  const digits = spec.slice('ddim'.length).trim();
  const count = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
  // The smallest stride that gives no more than that many; where it gives fewer, none gives as many.
  const stride = Math.ceil(numTimesteps / count);
  if (stride < numTimesteps && Math.ceil(numTimesteps / stride) === count) {
    return Array.from({ length: count }, (_, i) => i * stride);
  }
  throw new ScheduleError({
    operation: 'spaceTimesteps',
    given: `'${spec}' for ${numTimesteps} timesteps`,
    rule: "'ddimN' needs an integer stride below the number of timesteps that gives exactly N of them",
    hint: `Choose another N, or the plain count ${Number.isNaN(count) ? 'N' : count} for fractional strides.`,
  });
};

const showCounts = (counts: unknown): string => {
  if (typeof counts === 'string') return `'${counts}'`;
  return Array.isArray(counts) ? `[${counts.map(showNumber).join(', ')}]` : showNumber(counts);
};

const checkCounts = (sectionCounts: number | readonly number[] | string): readonly number[] => {
  const counts =
    typeof sectionCounts === 'string'
      ? sectionCounts.split(',').map(count => (/^\s*\d+\s*$/.test(count) ? Number(count) : Number.NaN))
      : typeof sectionCounts === 'number'
        ? [sectionCounts]
        : sectionCounts;
  if (Array.isArray(counts) && counts.length > 0 && counts.every(count => Number.isSafeInteger(count) && count >= 0)) {
    return counts;
  }
  throw new ScheduleError({
    operation: 'spaceTimesteps',
    given: `${showCounts(sectionCounts)} as section counts`,
    rule: 'section counts are non-negative integers, one a section',
    hint: "Write 50, [10, 15, 20], '10,15,20' or 'ddim50'.",
  });
};

/**
 * Chooses which timesteps to keep.
 *
 * - `'ddimN'`: N timesteps from 0 on at one integer stride;
 * - counts (`[10, 15, 20]`, or the same as `'10,15,20'`): the timesteps are cut into that many sections of equal size
 *   (the first ones get the remainder), and each section keeps as many as its count says, its first and last included,
 *   evenly spaced and rounded half to even. A count of 0 skips its section, one of 1 keeps its first timestep;
 * - a number: one section.
 *
 * Sources: Nichol & Dhariwal 2021, arXiv:2102.09672, section 4 (even spacing; sections as in its code);
 * Song et al. 2021, arXiv:2010.02502, appendix D.2 (`ddimN`).
 *
 * @param numTimesteps timesteps of the original process, a positive integer
 * @param sectionCounts how many to keep
 * @returns the timesteps kept, rising, each in 0 … numTimesteps − 1
 * @throws ScheduleError when numTimesteps is no positive integer, a count is no non-negative integer or exceeds the
 *   size of its section, or no integer stride gives N timesteps
 * @example
 * ```js
 * import { spaceTimesteps } from 'tenfold/diffusion';
 * spaceTimesteps(1000, 'ddim4'); // => [0, 250, 500, 750]
 * spaceTimesteps(1000, 4); // => [0, 333, 666, 999]
 * spaceTimesteps(12, [5, 2]); // => [0, 1, 2, 4, 5, 6, 11]
 * ```
 */
export const spaceTimesteps = (
  numTimesteps: number,
  sectionCounts: number | readonly number[] | string,
): readonly number[] => {
  if (!Number.isSafeInteger(numTimesteps) || numTimesteps < 1) {
    throw new ScheduleError({
      operation: 'spaceTimesteps',
      given: `${showNumber(numTimesteps)} as the number of timesteps`,
      rule: 'the number of timesteps is a positive integer',
      hint: 'Pass the number of timesteps of the original process.',
    });
  }
  if (typeof sectionCounts === 'string' && sectionCounts.startsWith('ddim')) {
    return Object.freeze(strided(numTimesteps, sectionCounts));
  }
  const counts = checkCounts(sectionCounts);
  const smallest = Math.floor(numTimesteps / counts.length);
  const extra = numTimesteps % counts.length;
  const sections = counts.map((count, i) => {
    const size = smallest + (i < extra ? 1 : 0);
    if (count > size) {
      throw new ScheduleError({
        operation: 'spaceTimesteps',
        given: `a count of ${count} for section ${i} of ${numTimesteps} timesteps in ${counts.length} sections`,
        rule: `a section cannot keep more timesteps than it has, here ${size}`,
        hint: 'Lower that count or use fewer sections.',
      });
    }
    const start = i * smallest + Math.min(i, extra);
    const stride = count <= 1 ? 1 : (size - 1) / (count - 1);
    // Added up rather than multiplied, as the reference does: a position next to a half rounds by its last bit.
    let position = 0;
    return Array.from({ length: count }, () => {
      const step = start + roundHalfEven(position);
      position += stride;
      return step;
    });
  });
  return Object.freeze(sections.flat());
};

/**
 * The betas of the chain that visits only some timesteps: βᵢ = 1 − ᾱ(i) / ᾱ(i − 1) over the timesteps kept, so that ᾱ
 * at each of them is what it was.
 *
 * Source: Nichol & Dhariwal 2021, arXiv:2102.09672, section 4, eq. 19.
 *
 * @param betas of the original process, each in (0, 1]
 * @param useTimesteps the timesteps to keep, in any order (repeats count once), each in 0 … betas.length − 1, at
 *   least one: what {@link spaceTimesteps} returns
 * @throws ScheduleError when a beta lies outside (0, 1], a timestep outside the process, none is kept, or one
 *   follows a kept timestep without signal (ᾱ = 0)
 * @example
 * ```js
 * import { cosineBetas, respaceBetas, spaceTimesteps } from 'tenfold/diffusion';
 * const { betas, timestepMap } = respaceBetas(cosineBetas(1000), spaceTimesteps(1000, 'ddim50'));
 * betas.length; // => 50
 * timestepMap[1]; // => 20
 * ```
 */
export const respaceBetas = (betas: ArrayLike<number>, useTimesteps: Iterable<number>): RespacedBetas =>
  respaceBetasFor('respaceBetas', betas, useTimesteps);

/** @internal {@link respaceBetas} in the name of another function. */
export const respaceBetasFor = (
  operation: string,
  betas: ArrayLike<number>,
  useTimesteps: Iterable<number>,
): RespacedBetas => {
  const alphasCumprod = cumulativeAlphas(checkBetas(operation, betas));
  const isIterable = typeof useTimesteps?.[Symbol.iterator] === 'function';
  const timestepMap = isIterable ? [...new Set(useTimesteps)] : [];
  const outside = timestepMap.findIndex(t => !(Number.isInteger(t) && t >= 0 && t < alphasCumprod.length));
  if (timestepMap.length === 0 || outside >= 0) {
    const [none, t] = [isIterable ? '' : `, but ${kindOf(useTimesteps)}`, timestepMap[outside]];
    throw new ScheduleError({
      operation,
      given: outside < 0 ? `no timesteps${none}` : `timestep ${showNumber(t)} of ${alphasCumprod.length} timesteps`,
      rule: 'at least one timestep is kept, and each is an integer from 0 to one below the number of betas',
      hint: 'Use spaceTimesteps with the number of betas.',
    });
  }
  timestepMap.sort(rising);
  const kept = timestepMap.map(t => alphasCumprod[t]!);
  const empty = kept.indexOf(0);
  if (empty >= 0 && empty < kept.length - 1) {
    throw new ScheduleError({
      operation,
      given: `betas that leave no signal at timestep ${timestepMap[empty]!}, and later timesteps to keep`,
      rule: 'only the last timestep kept may be without signal, since each beta divides by the signal left before it',
      hint: 'Keep no timesteps after the first beta of 1.',
    });
  }
  return Object.freeze({
    betas: Object.freeze(kept.map((alphaCumprod, i) => 1 - alphaCumprod / (i === 0 ? 1 : kept[i - 1]!))),
    timestepMap: Object.freeze(timestepMap),
  });
};
