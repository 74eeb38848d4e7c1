/** Modifiers that act at some levels only, and the inputs that a denoiser sees. */
import { ArgumentError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { zerosLike } from '../../tensor/ops/creation/creation.js';
import { greaterEqual, lessEqual } from '../../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../../tensor/ops/elementwise/logic.js';
import { checkArgument } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { cond } from '../../tensor/transform/branches.js';
import { checkFunctions, showNumber } from '../checks.js';
import type { Denoised, Denoiser, DenoiserModifier } from '../denoiser.js';
import { type NoiseLevel, noiseToSignal } from '../level.js';
import { choose } from '../prediction.js';

/**
 * Levels from `low` to `high`, both included, by their noise-to-signal ratio σ / α or by the time that the network
 * sees.
 */
export type LevelRange =
  | { readonly ratio: readonly [low: number, high: number]; readonly time?: undefined }
  | { readonly time: readonly [low: number, high: number]; readonly ratio?: undefined };

/**
 * Refuses what is no range of levels.
 *
 * @throws ArgumentError
 */
export const checkRange = (operation: string, range: LevelRange): void => {
  const [name, ...others] = typeof range === 'object' && range !== null ? Object.keys(range) : [];
  const known = (name === 'ratio' || name === 'time') && others.length === 0;
  const bounds: readonly unknown[] = known && Array.isArray(range[name]) ? range[name] : [];
  const [low, high] = bounds;
  if (bounds.length === 2 && typeof low === 'number' && typeof high === 'number' && low <= high) return;
  throw new ArgumentError({
    operation,
    given: known ? `[${bounds.map(showNumber).join(', ')}] as the range` : `${kindOf(range)} as the range`,
    rule: 'a range of levels is { ratio: [low, high] } or { time: [low, high] }, low ≤ high',
    hint: 'Take Infinity where it has no end.',
  });
};

const within = ({ ratio, time }: LevelRange, level: NoiseLevel): Tensor => {
  const value = ratio === undefined ? level.time : noiseToSignal(level);
  const [low, high] = (ratio ?? time)!;
  return logicalAnd(greaterEqual(value, low), lessEqual(value, high)) as Tensor;
};

const members = ['x0', 'eps', 'variance', 'mean', 'logVariance', 'gradient'] as const;

/** What one of two says of x, of which only that one is computed where all samples are at one level. */
const either = (condition: Tensor, x: Tensor, yes: () => Denoised, no: () => Denoised): Denoised => {
  const seen: Denoised[] = [];
  const all = (of: () => Denoised) => (): readonly Tensor[] => {
    const denoised = of();
    seen.push(denoised);
    return members.map(name => denoised[name] ?? zerosLike(x));
  };
  const both = [all(yes), all(no)] as const;
  const found =
    condition.shape.length === 0
      ? cond(condition, ...both)()
      : both.map(of => of()).reduce((first, second) => first.map((each, i) => choose(condition, each, second[i]!)));
  // No gradient is the gradient 0; for a variance or mean there is nothing to take its place.
  const has = (name: (typeof members)[number]): boolean =>
    name === 'gradient' ? seen.some(each => each[name]) : seen.every(each => each[name]);
  const entries = members.flatMap((name, i) => (has(name) ? [[name, found[i]!] as const] : []));
  return Object.freeze(Object.fromEntries(entries)) as unknown as Denoised;
};

/**
 * A modifier at some levels only; at all others the denoiser is as it was. What the modifier would compute there is not
 * computed.
 *
 * Source: for guidance, Kynkäänniemi et al. 2024, arXiv:2404.07724.
 *
 * @param range see {@link LevelRange}
 * @param modifier of denoisers
 * @returns a modifier of denoisers
 * @throws ArgumentError for what is no range or function
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { clipDenoised, denoiser, restrictTo } from 'tenfold/diffusion';
 * const identity = denoiser(x => x, { prediction: 'x0', scaling: 'exploding' });
 * const clipped = restrictTo({ ratio: [0, 1] }, clipDenoised())(identity);
 * const level = sigma => ({ alpha: tensor(1), sigma: tensor(sigma), time: tensor(0) });
 * const at = sigma => clipped(tensor([[4]]), level(sigma), { inputs: null }).x0.item();
 * [at(0.5), at(2)]; // => [1, 4]
 * ```
 */
export const restrictTo = <E = unknown>(range: LevelRange, modifier: DenoiserModifier<E>): DenoiserModifier<E> => {
  checkRange('restrictTo', range);
  checkFunctions('restrictTo', { modifier });
  return (denoiser: Denoiser<E>) => {
    const modified = modifier(denoiser);
    return (x, level, context) =>
      either(
        within(range, level),
        x,
        () => modified(x, level, context),
        () => denoiser(x, level, context),
      );
  };
};

/**
 * A denoiser with other inputs than it is given: the unconditional half of classifier-free guidance is the network with
 * those for no condition, a negative prompt is the network with those of what is not wanted.
 *
 * @param inputs in place of the given ones; or a function of them, which also serves batches cut into parts
 * @returns a modifier of denoisers
 * @throws ArgumentError for no inputs at all; null are those that condition nothing
 * @example
 * ```js
 * import { mul, tensor } from 'tenfold';
 * import { denoiser, withInputs } from 'tenfold/diffusion';
 * const scaled = denoiser((x, time, scale) => mul(x, scale), { prediction: 'x0' });
 * const level = { alpha: tensor(0.6), sigma: tensor(0.8), time: tensor(0) };
 * withInputs(scale => mul(scale, 2))(scaled)(tensor([[4]]), level, { inputs: tensor(3) }).x0.item(); // => 24
 * ```
 */
export const withInputs = <E = unknown>(inputs: E | ((inputs: E) => E)): DenoiserModifier<E> => {
  checkArgument(
    inputs !== undefined,
    'withInputs',
    'undefined as the inputs',
    'they are a tree of tensors, null, or a function of the inputs',
    'Pass null for a network without a condition.',
  );
  const of = typeof inputs === 'function' ? (inputs as (given: E) => E) : () => inputs;
  return (denoiser: Denoiser<E>) => (x, level, context) =>
    denoiser(x, level, { ...context, inputs: of(context.inputs) });
};
