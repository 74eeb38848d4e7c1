/** Levels to step through: the noise levels of a run of a sampler, from the first to the last. */
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { flip } from '../tensor/ops/movement/rolling.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkArgument, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { checkOneOf, showNumber } from './checks.js';
import type { NoiseLevel } from './level.js';
import { checkProcess, type Process } from './process.js';

/**
 * The n + 1 levels between n steps, as vectors float64 [n + 1], and the process they belong to, which knows the levels
 * between them. Falling levels denoise; rising ones lead from data to noise.
 */
export interface Levels extends NoiseLevel {
  readonly process: Process;
}

/** How levels end. */
export interface LevelsOptions {
  /** `zero` adds a last level without noise, at time 0; `none` ends with the last one given. Default `zero`. */
  readonly final?: 'zero' | 'none';
}

/** @internal How many steps there are. */
export const stepsOf = ({ sigma }: Levels): number => sigma.shape[0]! - 1;

/**
 * @internal Refuses what is no levels, or only one.
 *
 * @throws ArgumentError, ShapeError
 */
export const checkLevels = (operation: string, levels: Levels): void => {
  const vectors = [levels?.alpha, levels?.sigma, levels?.time];
  checkArgument(
    vectors.every(isTensor),
    operation,
    `${kindOf(levels)} as the levels`,
    'levels are vectors alpha, sigma and time, with their process',
    'Make them with levelsAt(process, times) or levelsOf(process, ratios).',
  );
  checkProcess(operation, levels.process);
  const length = vectors[0]!.shape[0];
  if (vectors.every(v => v.shape.length === 1 && v.shape[0] === length) && length! >= 2) return;
  throw new ShapeError({
    operation,
    given: `levels ${vectors.map(v => showAval(v)).join(', ')}`,
    rule: 'there are at least two levels, and as many alphas as sigmas and times',
    hint: 'Make them with levelsAt(process, times) or levelsOf(process, ratios).',
  });
};

const vectorOf = (operation: string, name: string, values: ArrayLike<number> | Tensor): Tensor => {
  if (isTensor(values) && values.shape.length === 1) return cast(values, 'float64') as Tensor;
  const list = isTensor(values) || typeof values !== 'object' || values === null ? [] : Array.from(values);
  if (list.length > 0 && list.every(value => typeof value === 'number' && !Number.isNaN(value))) {
    return tensor(list, { dtype: 'float64' });
  }
  throw new ArgumentError({
    operation,
    given: `${isTensor(values) ? showAval(values) : kindOf(values)} as ${name}`,
    rule: `${name} are a list of at least one number, or a vector`,
    hint: 'Take inferenceTimesteps(1000, 20), or karrasSigmas(20).',
  });
};

const endOf = (operation: string, options: LevelsOptions): 'zero' | 'none' => {
  checkOptions(operation, ['final'], options);
  const { final = 'zero' } = options;
  checkOneOf(operation, 'final', ['zero', 'none'], final);
  return final;
};

const finish = (operation: string, process: Process, level: NoiseLevel, final: 'zero' | 'none'): Levels => {
  const given = [level?.alpha, level?.sigma, level?.time];
  checkArgument(
    given.every(each => isTensor(each) && each.shape.length === 1 && each.dtype === 'float64'),
    operation,
    `a process that gives ${given.map(each => (isTensor(each) ? showAval(each) : kindOf(each))).join(', ')}`,
    'for a vector a process gives alpha, sigma and time as vectors of float64',
    'Take discreteProcess(…), edmProcess() or flowProcess(), or write one with operations of tensors.',
  );
  const end = (value: number): Tensor => tensor([value], { dtype: 'float64' });
  const { alpha, sigma, time } = level;
  const levels =
    final === 'none'
      ? level
      : { alpha: concat([alpha, end(1)]), sigma: concat([sigma, end(0)]), time: concat([time, end(0)]) };
  const made = Object.freeze({ ...levels, process }) as Levels;
  checkLevels(operation, made);
  return made;
};

/**
 * The levels of a process at given times, and after them the one without noise.
 *
 * @param process any
 * @param times from noise to data, as the network knows them: `inferenceTimesteps(1000, 20)`, or a vector
 * @param options see {@link LevelsOptions}
 * @returns as many steps as there are times; one less with `final: 'none'`
 * @throws ArgumentError for what is no process, time or option, ShapeError when only one level is left
 * @example
 * ```js
 * import { flowProcess, levelsAt } from 'tenfold/diffusion';
 * levelsAt(flowProcess(), [1, 0.5]).sigma.toArray(); // => [1, 0.5, 0]
 * ```
 */
export const levelsAt = (process: Process, times: ArrayLike<number> | Tensor, options: LevelsOptions = {}): Levels => {
  checkProcess('levelsAt', process);
  const final = endOf('levelsAt', options);
  return finish('levelsAt', process, process.levelAt(vectorOf('levelsAt', 'the times', times)), final);
};

/**
 * The levels of a process with given noise-to-signal ratios σ / α, and after them the one without noise.
 *
 * @param process any
 * @param ratios falling: `karrasSigmas(20)`, or a vector
 * @param options see {@link LevelsOptions}
 * @returns as many steps as there are ratios; one less with `final: 'none'`
 * @throws ArgumentError for what is no process, ratio or option, and for a ratio below 0, ShapeError when only one level is left
 * @example
 * ```js
 * import { edmProcess, levelsOf } from 'tenfold/diffusion';
 * levelsOf(edmProcess(), [80, 4]).time.toArray(); // => [80, 4, 0]
 * ```
 */
export const levelsOf = (process: Process, ratios: ArrayLike<number> | Tensor, options: LevelsOptions = {}): Levels => {
  checkProcess('levelsOf', process);
  const final = endOf('levelsOf', options);
  const vector = vectorOf('levelsOf', 'the ratios', ratios);
  const below = isTensor(ratios) ? undefined : Array.from(ratios).find(ratio => ratio < 0);
  checkArgument(
    below === undefined,
    'levelsOf',
    `the ratio ${below}`,
    'a noise-to-signal ratio is not below 0',
    'Take karrasSigmas(20).',
  );
  return finish('levelsOf', process, process.levelOf(vector), final);
};

const part = (levels: Levels, from: number): Levels => {
  const cut = (vector: Tensor): Tensor => slice(vector, [from]) as Tensor;
  return Object.freeze({ ...levels, alpha: cut(levels.alpha), sigma: cut(levels.sigma), time: cut(levels.time) });
};

/**
 * The last steps of a run, for starting from an image instead of noise: a share of the steps, at least one.
 *
 * Source: Meng et al. 2021, arXiv:2108.01073 (SDEdit).
 *
 * @param levels of the whole run
 * @param strength in (0, 1]: 1 keeps all steps, small values stay near the image
 * @returns ⌈strength · n⌉ of the n steps, ending as the whole run does
 * @throws ArgumentError for what is no levels, and for a strength outside (0, 1]
 * @example
 * ```js
 * import { flowProcess, levelsAt, truncate } from 'tenfold/diffusion';
 * truncate(levelsAt(flowProcess(), [1, 0.75, 0.5, 0.25]), 0.5).sigma.toArray(); // => [0.5, 0.25, 0]
 * ```
 */
export const truncate = (levels: Levels, strength: number): Levels => {
  checkLevels('truncate', levels);
  checkArgument(
    typeof strength === 'number' && strength > 0 && strength <= 1,
    'truncate',
    `${showNumber(strength)} as the strength`,
    'the strength lies in (0, 1]',
    'Take 1 for all steps.',
  );
  const steps = stepsOf(levels);
  // A share like 0.1 · 30 must not become 4 steps by rounding.
  const kept = Math.min(steps, Math.max(1, Math.ceil(strength * steps - 1e-9)));
  return part(levels, steps - kept);
};

/**
 * The levels the other way round: with them a sampler without noise leads from data to the noise it would be made of.
 *
 * Source: Song et al. 2021, arXiv:2010.02502, section 4.3.
 *
 * @param levels any
 * @returns rising levels where they fell
 * @throws ArgumentError for what is no levels
 * @example
 * ```js
 * import { edmProcess, levelsOf, reverseLevels } from 'tenfold/diffusion';
 * reverseLevels(levelsOf(edmProcess(), [80, 4])).sigma.toArray(); // => [0, 4, 80]
 * ```
 */
export const reverseLevels = (levels: Levels): Levels => {
  checkLevels('reverseLevels', levels);
  const { alpha, sigma, time } = levels;
  return Object.freeze({ ...levels, alpha: flip(alpha), sigma: flip(sigma), time: flip(time) }) as Levels;
};
