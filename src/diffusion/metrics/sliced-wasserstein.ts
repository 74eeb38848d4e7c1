/** Sliced Wasserstein distance: samples compared along random directions. */
import { normal } from '../../random/draw.js';
import { type Key, keyNode } from '../../random/key.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { checkOptions } from '../../tensor/ops/common/options.js';
import { matmul } from '../../tensor/ops/contraction/contraction.js';
import { tensor } from '../../tensor/ops/creation/creation.js';
import { abs, div, mul, pow, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { take } from '../../tensor/ops/indexing/indexing.js';
import { sort } from '../../tensor/ops/indexing/sorting.js';
import { transpose } from '../../tensor/ops/movement/movement.js';
import { mean, sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, checkInteger, type Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { rootOf } from './distances.js';
import { centred, matricesOf, type Score } from './samples.js';

/** Options of {@link slicedWasserstein}. */
export interface SlicedWassersteinOptions {
  /** For the directions: the same key gives the same ones. */
  readonly key: Key;
  /** How many directions there are. Default 100. */
  readonly projections?: number;
  /** The exponent of distances, at least 1. Default 2. */
  readonly p?: number;
}

/** Directions, uniform on the sphere, in columns: [d, count]. */
const directionsOf = (key: Key, count: number, d: number): Tensor => {
  const drawn = normal(key, [d, count], { dtype: 'float64' }) as Tensor;
  return div(drawn, rootOf(sum(square(drawn), { axis: 0 }) as Tensor)) as Tensor;
};

interface Pieces {
  readonly weights: readonly number[];
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** The pieces of [0, 1] on which the quantile functions of n and of m samples are constant, and which samples are there. */
const piecesOf = (n: number, m: number): Pieces => {
  const pieces = { weights: [] as number[], first: [] as number[], second: [] as number[] };
  // In units of 1 / nm all ends are integers.
  for (let [at, i, j] = [0, 0, 0]; i < n; ) {
    const end = Math.min((i + 1) * m, (j + 1) * n);
    pieces.weights.push((end - at) / (n * m));
    pieces.first.push(i);
    pieces.second.push(j);
    at = end;
    if (end === (i + 1) * m) i++;
    if (end === (j + 1) * n) j++;
  }
  return pieces;
};

/** |x|ᵖ */
const power = (x: Tensor, p: number): Tensor => (p === 2 ? square(x) : p === 1 ? abs(x) : pow(abs(x), p)) as Tensor;

/** x^(1/p) with the derivative 0 at 0, where it has none. */
const rootBy = (x: Tensor, p: number): Tensor => {
  if (p === 1) return x;
  if (p === 2) return rootOf(x);
  const isPositive = greater(x, 0);
  return where(isPositive, pow(where(isPositive, x, 1) as Tensor, 1 / p), 0) as Tensor;
};

/** The mean of |F⁻¹ − G⁻¹|ᵖ over [0, 1] and over the projections [L, n] and [L, m]. */
const meanCost = (x: Tensor, y: Tensor, p: number): Tensor => {
  const [n, m] = [x.shape[1]!, y.shape[1]!];
  const [a, c] = [sort(x) as Tensor, sort(y) as Tensor];
  if (n === m) return mean(power(sub(a, c) as Tensor, p)) as Tensor;
  const { weights, first, second } = piecesOf(n, m);
  const spread = (values: Tensor, places: readonly number[]): Tensor =>
    take(values, tensor(places, { dtype: 'int32' }) as Tensor<Shape, 'int32'>, { axis: 1 }) as Tensor;
  const costs = power(sub(spread(a, first), spread(c, second)) as Tensor, p);
  return div(sum(mul(costs, tensor(weights, { dtype: 'float64' }))), x.shape[0]!) as Tensor;
};

/**
 * The sliced p-Wasserstein distance, (𝔼 W_p(θ·x, θ·y)ᵖ)^(1/p) over directions θ: along one, optimal transport pairs what is
 * sorted. Sets of different sizes are compared by their quantile functions.
 *
 * Source: Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3, section 3.
 *
 * @param x float [n, d]; of [n, …] each sample is flattened
 * @param y float [m, d]
 * @param options `key`, `projections` (100), `p` (2); see {@link SlicedWassersteinOptions}
 * @returns float64 []
 * @throws ArgumentError, DTypeError for what is no float tensor, key or option, and for p below 1
 * @throws IndexError when projections are no positive integer
 * @throws ShapeError for a rank below 2, no sample, or samples of different sizes
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { key } from 'tenfold/random';
 * import { slicedWasserstein } from 'tenfold/diffusion';
 * const [x, y] = [tensor([[1], [3]]), tensor([[2], [0], [2], [4]])];
 * slicedWasserstein(x, y, { key: key(0), p: 1 }).item(); // => 1
 * ```
 */
export const slicedWasserstein = (x: Tensor, y: Tensor, options: SlicedWassersteinOptions): Score => {
  checkArgument(
    options !== undefined,
    'slicedWasserstein',
    'no options',
    'the directions are drawn from a key',
    'Pass { key: key(seed) }.',
  );
  checkOptions('slicedWasserstein', ['key', 'projections', 'p'], options);
  const { key, projections = 100, p = 2 } = options;
  keyNode('slicedWasserstein', key);
  checkInteger('slicedWasserstein', 'projections', projections, 1, 2 ** 31 - 1);
  checkNumber('slicedWasserstein', 'p', p);
  checkArgument(
    Number.isFinite(p) && p >= 1,
    'slicedWasserstein',
    `p = ${p}`,
    'p is a finite number from 1 on',
    'Take 1 or 2.',
  );
  const [a, c] = centred(matricesOf('slicedWasserstein', { x, y })) as readonly [Tensor, Tensor];
  const directions = transpose(directionsOf(key, projections, a.shape[1]!));
  const along = (samples: Tensor): Tensor => matmul(directions, transpose(samples)) as Tensor;
  return rootBy(meanCost(along(a), along(c), p), p) as Score;
};
