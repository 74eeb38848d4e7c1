/** Fréchet distance: samples compared by their means and covariances. */
import { isFloat } from '../../tensor/dtype.js';
import { DTypeError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { matmul } from '../../tensor/ops/contraction/contraction.js';
import { add, div, mul, square, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../../tensor/ops/elementwise/cast.js';
import { greater, where } from '../../tensor/ops/elementwise/comparison.js';
import { eigh } from '../../tensor/ops/linalg/eigh.js';
import { svdvals } from '../../tensor/ops/linalg/svd.js';
import { trace } from '../../tensor/ops/movement/diagonals.js';
import { transpose } from '../../tensor/ops/movement/movement.js';
import { max } from '../../tensor/ops/reduction/extremes.js';
import { mean, sum } from '../../tensor/ops/reduction/reduction.js';
import { checkArgument, showAval } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkTensors } from '../checks.js';
import { rootOf } from './distances.js';
import { matricesOf, type Score } from './samples.js';

/** The first two moments of samples with d numbers each. */
export interface SampleMoments {
  /** [d] */
  readonly mean: Tensor;
  /** [d, d], symmetric and positive semidefinite. */
  readonly covariance: Tensor;
}

const momentsOf = (x: Tensor): SampleMoments => {
  const centre = mean(x, { axis: 0 }) as Tensor;
  const rest = sub(x, centre) as Tensor;
  const covariance = div(matmul(transpose(rest), rest), x.shape[0]! - 1) as Tensor;
  return Object.freeze({ mean: centre, covariance });
};

/**
 * The mean of samples and their covariance, divided by n − 1 as `numpy.cov` has it, in float64.
 *
 * @param x float [n, d], n ≥ 2; of [n, …] each sample is flattened
 * @returns `mean` [d] and `covariance` [d, d], float64
 * @throws ArgumentError, DTypeError for what is no float tensor
 * @throws ShapeError for a rank below 2, fewer than two samples, or samples without elements
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { meanAndCovariance } from 'tenfold/diffusion';
 * const { mean, covariance } = meanAndCovariance(tensor([[0, 1], [2, 5]]));
 * mean.toArray(); // => [1, 3]
 * covariance.toArray(); // => [[2, 4], [4, 8]]
 * ```
 */
export const meanAndCovariance = (x: Tensor): SampleMoments => momentsOf(matricesOf('meanAndCovariance', { x }, 2)[0]!);

/**
 * Moments that somebody gave, in float64.
 *
 * @throws ArgumentError, DTypeError, ShapeError
 */
const checkedMoments = (operation: string, name: string, moments: SampleMoments): SampleMoments => {
  checkArgument(
    typeof moments === 'object' && moments !== null,
    operation,
    `${kindOf(moments)} as ${name}`,
    'moments are an object of mean and covariance',
    'Make them of samples: meanAndCovariance(x).',
  );
  checkTensors(operation, { [`${name}.mean`]: moments.mean, [`${name}.covariance`]: moments.covariance });
  const { mean: center, covariance } = moments;
  const given = `the mean ${showAval(center)} and the covariance ${showAval(covariance)}`;
  if (!isFloat(center.dtype) || !isFloat(covariance.dtype)) {
    const hint = "Cast them: cast(x, 'float64').";
    throw new DTypeError({ operation, given, rule: 'moments are float32 or float64', hint });
  }
  const [d] = center.shape;
  const { shape } = covariance;
  if (center.shape.length !== 1 || d === 0 || shape.length !== 2 || shape.some(length => length !== d)) {
    throw new ShapeError({
      operation,
      given,
      rule: 'a mean [d], d ≥ 1, goes with a covariance [d, d]',
      hint: 'Make them of samples: meanAndCovariance(x).',
    });
  }
  return { mean: cast(center, 'float64') as Tensor, covariance: cast(covariance, 'float64') as Tensor };
};

/** V √Λ, where Σ = V Λ Vᵀ. Eigenvalues that cannot be told from 0 are 0, also small negative ones. */
const factorOf = (covariance: Tensor): Tensor => {
  const { values, vectors } = eigh(covariance as Tensor<readonly [number, number], 'float64'>);
  const least = stopGradient(mul(max(values), 2 ** -52 * covariance.shape[0]!) as Tensor);
  return mul(vectors, rootOf(where(greater(values, least), values, 0) as Tensor)) as Tensor;
};

const distanceOf = (x: SampleMoments, y: SampleMoments): Score => {
  // The eigenvalues of Σ₁^½ Σ₂ Σ₁^½ are the squares of these, which are found without the loss of half the digits that a
  // root brings near 0, and have derivatives there.
  const roots = svdvals(matmul(transpose(factorOf(x.covariance)), factorOf(y.covariance)) as never) as Tensor;
  const spread = sub(add(trace(x.covariance), trace(y.covariance)), mul(2, sum(roots)));
  return add(sum(square(sub(x.mean, y.mean))), spread) as Score;
};

/**
 * The Fréchet distance of two Gaussians, ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½): the squared 2-Wasserstein distance. The
 * trace of the root is that of (Σ₁^½ Σ₂ Σ₁^½)^½. Covariances may be singular. Derivatives are those on the range of the
 * covariances.
 *
 * Source: Heusel et al. 2017, arXiv:1706.08500, eq. 6; Dowson & Landau 1982, doi:10.1016/0047-259X(82)90077-X.
 *
 * @param x `mean` [d] and `covariance` [d, d], float; only the lower triangle tells the root
 * @param y likewise
 * @returns float64 []; rounding may make it slightly negative where the two are equal
 * @throws ArgumentError, DTypeError for what is no pair of float tensors
 * @throws ShapeError when the shapes do not go together
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { frechetDistanceOf } from 'tenfold/diffusion';
 * const x = { mean: tensor([0, 0]), covariance: tensor([[1, 0], [0, 4]]) };
 * const y = { mean: tensor([3, 0]), covariance: tensor([[4, 0], [0, 4]]) };
 * frechetDistanceOf(x, y).item(); // => 10
 * ```
 */
export const frechetDistanceOf = (x: SampleMoments, y: SampleMoments): Score => {
  const moments = [checkedMoments('frechetDistanceOf', 'x', x), checkedMoments('frechetDistanceOf', 'y', y)] as const;
  const [first, second] = moments.map(({ mean: { shape } }) => shape[0]!);
  if (first !== second) {
    throw new ShapeError({
      operation: 'frechetDistanceOf',
      given: `moments of ${first} and of ${second} features`,
      rule: 'both have the same number of features',
      hint: 'Compare features of one network.',
    });
  }
  return distanceOf(...moments);
};

/**
 * The Fréchet distance between samples, or features of samples (FID, when they are those of an Inception network): that of
 * Gaussians with their means and covariances. There may be fewer samples than features. It is biased: of few samples it is
 * larger, so that only distances of equally many compare.
 *
 * Source: Heusel et al. 2017, arXiv:1706.08500, eq. 6.
 *
 * @param x float [n, d], n ≥ 2; of [n, …] each sample is flattened
 * @param y float [m, d], m ≥ 2
 * @returns float64 []; see {@link frechetDistanceOf}
 * @throws ArgumentError, DTypeError for what is no float tensor
 * @throws ShapeError for a rank below 2, fewer than two samples, or samples of different sizes
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { frechetDistance } from 'tenfold/diffusion';
 * frechetDistance(tensor([[0], [2]]), tensor([[3], [9]])).item().toFixed(6); // => '33.000000'
 * ```
 */
export const frechetDistance = (x: Tensor, y: Tensor): Score => {
  const [of, other] = matricesOf('frechetDistance', { x, y }, 2).map(momentsOf);
  return distanceOf(of!, other!);
};
