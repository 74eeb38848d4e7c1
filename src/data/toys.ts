/** Toy data sets in the plane, as functions of a key: what flows and diffusion models are tried on first. */
import { normal, permutation, randint, uniform } from '../random/draw.js';
import { type Key, keyNode, split } from '../random/key.js';
import { checkSetting } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { add, div, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { equal, greaterEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { remainder } from '../tensor/ops/elementwise/division.js';
import { cos, floor, sin, sqrt } from '../tensor/ops/elementwise/elementary.js';
import { stack } from '../tensor/ops/movement/joining.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Points of the plane. */
export interface Points<N extends number = number> {
  readonly points: Tensor<readonly [N, 2], 'float32'>;
}

/** Points, and which part of the set each is from. */
export interface LabelledPoints<N extends number = number> extends Points<N> {
  readonly labels: Tensor<readonly [N], 'int32'>;
}

/** Options of toy sets. */
export interface NoiseOptions {
  /** Standard deviation of normal noise that is added to the points. */
  readonly noise?: number;
}

const checkToy = (operation: string, key: unknown, count: number): void => {
  keyNode(operation, key);
  checkSetting(operation, 'the count', count);
  checkInteger(operation, 'the count', count, 1, 2 ** 30);
};

const checkScale = (operation: string, what: string, value: number): void => {
  checkSetting(operation, what, value);
  checkArgument(
    Number.isFinite(value) && value >= 0,
    operation,
    `the ${what} ${String(value)}`,
    `the ${what} is a finite number that is not negative`,
    `Leave it out, or write { ${what}: 0.1 }.`,
  );
};

const noisy = <N extends number>(key: Key, x: Tensor, y: Tensor, noise: number): Points<N>['points'] => {
  const exact = stack([x, y], { axis: 1 }) as Tensor;
  return (noise === 0 ? exact : add(exact, mul(normal(key, exact.shape), noise))) as Points<N>['points'];
};

/**
 * Two interleaving half circles, as scikit-learn's `make_moons`: the angles are spaced evenly, the points in random order.
 * The first half is the upper moon, of radius 1 around 0, the second the lower one around (1, ½).
 *
 * @param count how many points, [count, 2]; the upper moon has ⌊count / 2⌋
 * @param options `noise` (0), the standard deviation of normal noise
 * @returns points, and labels: 0 for the upper moon, 1 for the lower one
 * @throws ArgumentError when `key` is no key, for a negative noise or an unknown option; IndexError for a count that is
 *   none
 * @example
 * ```js
 * import { twoMoons } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const { points, labels } = twoMoons(key(0), 100, { noise: 0.05 });
 * points.shape; // => [100, 2]
 * labels.dtype; // => 'int32'
 * ```
 */
export const twoMoons = <const N extends number>(key: Key, count: N, options: NoiseOptions = {}): LabelledPoints<N> => {
  checkToy('twoMoons', key, count);
  checkOptions('twoMoons', ['noise'], options);
  const { noise = 0 } = options;
  checkScale('twoMoons', 'noise', noise);
  const [forOrder, forNoise] = split(key) as [Key, Key];
  const upper = Math.floor(count / 2);
  const order: Tensor<readonly [number], 'int32'> = permutation(forOrder, count);
  const isLower = greaterEqual(order, upper);
  const place = cast(where(isLower, sub(order, upper), order), 'float32');
  // linspace(0, π, n) ends in π, and of one point is 0.
  const gaps = where(isLower, Math.max(count - upper - 1, 1), Math.max(upper - 1, 1));
  const angle = div(mul(place, Math.PI), gaps);
  const x = where(isLower, sub(1, cos(angle)), cos(angle));
  const y = where(isLower, sub(0.5, sin(angle)), sin(angle));
  const points = noisy<N>(forNoise, x, y, noise);
  return Object.freeze({ points, labels: cast(isLower, 'int32') as LabelledPoints<N>['labels'] });
};

/** Points, and how far along the roll each is. */
export interface RolledPoints<N extends number = number> extends Points<N> {
  readonly t: Tensor<readonly [N], 'float32'>;
}

/**
 * A spiral of one and a half turns: scikit-learn's `make_swiss_roll` (S. Marsland, *Machine Learning: An Algorithmic
 * Perspective*, 2nd edition, 2014, chapter 6) seen from the side, its first and third coordinates, as papers on flows
 * have it: (t cos t, t sin t) for t = 3π/2 (1 + 2u), u uniform in [0, 1).
 *
 * @param count how many points, [count, 2]
 * @param options `noise` (0), the standard deviation of normal noise
 * @returns points, and `t`, which grows along the roll
 * @throws ArgumentError when `key` is no key, for a negative noise or an unknown option; IndexError for a count that is
 *   none
 * @example
 * ```js
 * import { max } from 'tenfold';
 * import { swissRoll } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const { points, t } = swissRoll(key(0), 100);
 * points.shape; // => [100, 2]
 * max(t).item() < 4.5 * Math.PI; // => true
 * ```
 */
export const swissRoll = <const N extends number>(key: Key, count: N, options: NoiseOptions = {}): RolledPoints<N> => {
  checkToy('swissRoll', key, count);
  checkOptions('swissRoll', ['noise'], options);
  const { noise = 0 } = options;
  checkScale('swissRoll', 'noise', noise);
  const [forPlace, forNoise] = split(key) as [Key, Key];
  const t = mul(add(mul(uniform(forPlace, [count]), 2), 1), 1.5 * Math.PI);
  return Object.freeze({ points: noisy<N>(forNoise, mul(t, cos(t)), mul(t, sin(t)), noise), t });
};

/**
 * Every other square of a board of four by four from −4 to 4, evenly filled, as in FFJORD (W. Grathwohl et al., 2018,
 * arXiv:1810.01367): squares (i, j), counted from 0 at (−4, −4), with i + j even.
 *
 * @param count how many points, [count, 2]
 * @throws ArgumentError when `key` is no key, IndexError for a count that is none
 * @example
 * ```js
 * import { checkerboard } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * checkerboard(key(0), 100).points.shape; // => [100, 2]
 * ```
 */
export const checkerboard = <const N extends number>(key: Key, count: N): Points<N> => {
  checkToy('checkerboard', key, count);
  const [forX, forY, forRow] = split(key, 3) as [Key, Key, Key];
  const x = uniform(forX, [count], { low: -2, high: 2 });
  const down = mul(cast(randint(forRow, [count], 0, 2), 'float32'), 2);
  const y = add(sub(uniform(forY, [count]), down), remainder(floor(x), 2));
  return Object.freeze({ points: noisy<N>(key, mul(x, 2), mul(y, 2), 0) });
};

/** Options of {@link eightGaussians}. */
export interface EightGaussiansOptions extends NoiseOptions {
  /** √2 times the radius of the circle that the centres lie on. */
  readonly scale?: number;
}

/**
 * Eight normal distributions around a circle, as in FFJORD (W. Grathwohl et al., 2018, arXiv:1810.01367): centres at
 * `scale` and deviations of `noise`, all divided by √2 in the end.
 *
 * @param count how many points, [count, 2]
 * @param options `scale` (4) and `noise` (0.5)
 * @returns points, and labels: k for the one at the angle kπ/4
 * @throws ArgumentError when `key` is no key, for a negative scale or noise or an unknown option; IndexError for a count
 *   that is none
 * @example
 * ```js
 * import { eightGaussians } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const { points, labels } = eightGaussians(key(0), 100);
 * points.shape; // => [100, 2]
 * labels.shape; // => [100]
 * ```
 */
export const eightGaussians = <const N extends number>(
  key: Key,
  count: N,
  options: EightGaussiansOptions = {},
): LabelledPoints<N> => {
  checkToy('eightGaussians', key, count);
  checkOptions('eightGaussians', ['scale', 'noise'], options);
  const { scale = 4, noise = 0.5 } = options;
  checkScale('eightGaussians', 'scale', scale);
  checkScale('eightGaussians', 'noise', noise);
  const [forLabel, forNoise] = split(key) as [Key, Key];
  const labels = randint(forLabel, [count], 0, 8);
  const angle = mul(cast(labels, 'float32'), Math.PI / 4);
  const radius = scale / Math.SQRT2;
  const points = noisy<N>(forNoise, mul(cos(angle), radius), mul(sin(angle), radius), noise / Math.SQRT2);
  return Object.freeze({ points, labels });
};

/**
 * Two spirals that wind around each other, of one and a half turns each, as in FFJORD (W. Grathwohl et al., 2018,
 * arXiv:1810.01367): ±(−r cos r + ½u, r sin r + ½v) / 3 and noise, for r = 3π√w and u, v, w uniform in [0, 1).
 *
 * @param count how many points, [count, 2], of both spirals in turn
 * @param options `noise` (0.1), the standard deviation of normal noise
 * @returns points, and labels: 0 for the first spiral, 1 for the second
 * @throws ArgumentError when `key` is no key, for a negative noise or an unknown option; IndexError for a count that is
 *   none
 * @example
 * ```js
 * import { spirals } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const { points, labels } = spirals(key(0), 4);
 * points.shape; // => [4, 2]
 * labels.toArray(); // => [0, 1, 0, 1]
 * ```
 */
export const spirals = <const N extends number>(key: Key, count: N, options: NoiseOptions = {}): LabelledPoints<N> => {
  checkToy('spirals', key, count);
  checkOptions('spirals', ['noise'], options);
  const { noise = 0.1 } = options;
  checkScale('spirals', 'noise', noise);
  const [forRadius, forX, forY, forNoise] = split(key, 4) as [Key, Key, Key, Key];
  const length: number = count;
  const labels = remainder(arange(length, { dtype: 'int32' }), 2);
  const r = mul(sqrt(uniform(forRadius, [length])), 3 * Math.PI);
  const outward = div(where(equal(labels, 0), 1, -1), 3);
  const x = sub(uniform(forX, [length], { high: 0.5 }), mul(r, cos(r)));
  const y = add(uniform(forY, [length], { high: 0.5 }), mul(r, sin(r)));
  const points = noisy<N>(forNoise, mul(outward, x), mul(outward, y), noise);
  return Object.freeze({ points, labels: labels as LabelledPoints<N>['labels'] });
};
