/** Precision, recall, density and coverage: samples compared by who lies among whose neighbours. */

import { checkOptions } from '../../tensor/ops/common/options.js';
import { zeros } from '../../tensor/ops/creation/creation.js';
import { add, div } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { any, greater, lessEqual } from '../../tensor/ops/elementwise/comparison.js';
import { topK } from '../../tensor/ops/indexing/sorting.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import { mean, sum } from '../../tensor/ops/reduction/reduction.js';
import { checkInteger } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { rowsAtATime, scanBlocks } from './blocks.js';
import { besides, numbersOf, squaredDistances } from './distances.js';
import { centred, matricesOf, type Score } from './samples.js';

/** Options of {@link prdc}. */
export interface PrdcOptions {
  /** The ball around a sample reaches to its k-th nearest neighbour of its own set. Default 5. */
  readonly k?: number;
}

/** What {@link prdc} gives: float64 [] each. */
export interface Prdc {
  /** The share of fake samples that lie in the ball of a real one: how realistic they are. */
  readonly precision: Score;
  /** The share of real samples that lie in the ball of a fake one: how much of the variety is there. */
  readonly recall: Score;
  /** In how many balls of real samples a fake one lies, over k: precision that outliers do not deceive; may exceed 1. */
  readonly density: Score;
  /** The share of real samples with a fake one in their ball: recall that outliers do not deceive. */
  readonly coverage: Score;
}

/** The squared distance of each sample from its k-th nearest neighbour among the others, [n, 1]. */
const radiiOf = (points: Tensor, k: number): Tensor => {
  const [, [radii]] = scanBlocks(
    (carry, [rows, numbers]) => {
      const squares = besides(numbers!, squaredDistances(rows!, points), Number.POSITIVE_INFINITY);
      const nearest = topK(squares as Tensor, k, { largest: false }).values as Tensor;
      return [carry, [slice(nearest, [0, k - 1], [nearest.shape[0]!, k]) as Tensor]];
    },
    [],
    [points, numbersOf(points)],
    rowsAtATime(points.shape[0]!),
  );
  return radii!;
};

/**
 * Precision and recall by nearest neighbours, density and coverage, of fake samples, or their features, beside real ones.
 * What is not read is not computed. The balls are closed, as in Kynkäänniemi's eq. 1; the code of Naeem et al. has open
 * ones, which makes a difference at equal distances only. There are no derivatives: these are counts.
 *
 * Sources: Kynkäänniemi et al. 2019, arXiv:1904.06991, eq. 1 and 2; Naeem et al. 2020, arXiv:2002.09797, section 3.
 *
 * @param real float [n, d], n > k; of [n, …] each sample is flattened
 * @param fake float [m, d], m > k
 * @param options `k` (5); 3 in Kynkäänniemi et al.
 * @returns see {@link Prdc}
 * @throws ArgumentError, DTypeError for what is no float tensor or option; IndexError for a k that is no positive integer
 * @throws ShapeError for a rank below 2, no more than k samples, or samples of different sizes
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { prdc } from 'tenfold/diffusion';
 * const { precision, recall, density, coverage } = prdc(tensor([[0], [1], [8]]), tensor([[0.5], [1.25], [20]]), { k: 1 });
 * [precision, recall, density, coverage].map(x => x.item().toFixed(2)); // => ['0.67', '1.00', '1.33', '1.00']
 * ```
 */
export const prdc = (real: Tensor, fake: Tensor, options: PrdcOptions = {}): Prdc => {
  checkOptions('prdc', ['k'], options);
  const { k = 5 } = options;
  checkInteger('prdc', 'k', k, 1, 2 ** 31 - 1);
  const [reals, fakes] = centred(matricesOf('prdc', { real, fake }, k + 1)) as readonly [Tensor, Tensor];
  const m = fakes.shape[0]!;
  const [realRadii, fakeRadii] = [radiiOf(reals, k), radiiOf(fakes, k)];
  const [[counts], [recalled, covered]] = scanBlocks(
    ([carry], [rows, radii]) => {
      const squares = squaredDistances(rows!, fakes);
      const inReal = lessEqual(squares, radii!) as Tensor;
      const inFake = lessEqual(squares, reshape(fakeRadii, [m])) as Tensor;
      const counted = add(carry!, sum(cast(inReal, 'int32'), { axis: 0 })) as Tensor;
      return [[counted], [any(inFake, { axis: 1 }) as Tensor, any(inReal, { axis: 1 }) as Tensor]];
    },
    [zeros([m], { dtype: 'int32' })],
    [reals, realRadii],
    rowsAtATime(m),
  );
  const share = (which: Tensor): Score => mean(cast(which, 'float64')) as Score;
  return Object.freeze({
    precision: share(greater(counts!, 0) as Tensor),
    recall: share(recalled!),
    density: div(mean(cast(counts!, 'float64')), k) as Score,
    coverage: share(covered!),
  });
};
