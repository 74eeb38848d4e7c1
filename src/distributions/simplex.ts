/** Families of distributions of probabilities: one of two, and vectors that sum to 1. */

import { beta as drawBeta, dirichlet as drawDirichlet } from '../random/gamma.js';
import { ShapeError } from '../tensor/errors.js';
import { add, div, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { xlogy } from '../tensor/ops/elementwise/bivariate.js';
import { greater, greaterEqual, less, lessEqual } from '../tensor/ops/elementwise/comparison.js';
import { betainc } from '../tensor/ops/elementwise/incomplete-beta.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { digamma, lgamma } from '../tensor/ops/elementwise/special.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Distribution, define, type Parameter, readParameters } from './distribution.js';
import { lbeta, unless, xlog1py } from './numerics.js';

/**
 * The beta distribution on [0, 1], `x^(concentration1 − 1) · (1 − x)^(concentration0 − 1) / B(concentration1,
 * concentration0)`.
 *
 * @param parameters numbers or tensors that broadcast, all above 0
 * @throws ArgumentError when a parameter is missing, unknown, or a number it cannot be
 * @throws ShapeError when the parameters do not broadcast, DTypeError for uint8
 * @example
 * ```js
 * import { beta, mean } from 'tenfold/distributions';
 * mean(beta({ concentration1: 3, concentration0: 1 })).toArray(); // => 0.75
 * ```
 */
export const beta = (parameters: {
  readonly concentration1: Parameter;
  readonly concentration0: Parameter;
}): Distribution<'beta'> => {
  const { concentration1, concentration0 } = readParameters('beta', parameters, {
    concentration1: 'positive',
    concentration0: 'positive',
  });
  const total = add(concentration1, concentration0) as Tensor;
  const [more1, more0] = [sub(concentration1, 1) as Tensor, sub(concentration0, 1) as Tensor];
  return define(
    'beta',
    { concentration1, concentration0 },
    {
      logProb: x =>
        unless(logicalOr(less(x, 0), greater(x, 1)) as Tensor, Number.NEGATIVE_INFINITY, x, 0.5, y => {
          const powers = add(xlogy(more1, y), xlog1py(more0, neg(y) as Tensor)) as Tensor;
          return sub(powers, lbeta(concentration1, concentration0)) as Tensor;
        }),
      cdf: x =>
        unless(lessEqual(x, 0), 0, x, 0.5, y =>
          unless(greaterEqual(y, 1), 1, y, 0.5, z => betainc(concentration1, concentration0, z) as Tensor),
        ),
      sample: (key, shape) => drawBeta(key, concentration1, concentration0, { shape }),
      mean: () => div(concentration1, total) as Tensor,
      variance: () => div(div(mul(concentration1, concentration0), square(total)), add(total, 1)) as Tensor,
      entropy: () => {
        const single = add(mul(more1, digamma(concentration1)), mul(more0, digamma(concentration0))) as Tensor;
        const joint = mul(sub(total, 2), digamma(total)) as Tensor;
        return add(sub(lbeta(concentration1, concentration0), single), joint) as Tensor;
      },
    },
  );
};

/** The logarithm of the integral of a Dirichlet distribution without its constant. */
const logNormalizer = (concentration: Tensor): Tensor =>
  sub(sum(lgamma(concentration) as Tensor, { axis: -1 }), lgamma(sum(concentration, { axis: -1 }))) as Tensor;

/**
 * The Dirichlet distribution of vectors of probabilities, along the last axis: `Π xᵢ^(concentrationᵢ − 1)` up to a constant.
 * Whether a vector sums to 1 is not looked at.
 *
 * @param parameters a tensor of at least one axis, above 0
 * @throws ShapeError for a scalar
 * @throws ArgumentError, DTypeError as {@link beta}
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { dirichlet, mean } from 'tenfold/distributions';
 * mean(dirichlet({ concentration: tensor([1, 3]) })).toArray(); // => [0.25, 0.75]
 * ```
 */
export const dirichlet = (parameters: { readonly concentration: Tensor }): Distribution<'dirichlet'> => {
  const { concentration } = readParameters('dirichlet', parameters, { concentration: 'positive' });
  checkVector('dirichlet', 'concentration', concentration);
  const total = sum(concentration, { axis: -1, keepDims: true }) as Tensor;
  const count = concentration.shape[concentration.shape.length - 1]!;
  return define(
    'dirichlet',
    { concentration },
    {
      logProb: x =>
        sub(
          sum(
            unless(less(x, 0), Number.NEGATIVE_INFINITY, x, 1, y => xlogy(sub(concentration, 1), y) as Tensor),
            {
              axis: -1,
            },
          ),
          logNormalizer(concentration),
        ) as Tensor,
      sample: (key, shape) => drawDirichlet(key, concentration, { shape }),
      mean: () => div(concentration, total) as Tensor,
      variance: () => div(div(mul(concentration, sub(total, concentration)), square(total)), add(total, 1)) as Tensor,
      entropy: () => {
        const all = sum(concentration, { axis: -1 }) as Tensor;
        const single = sum(mul(sub(concentration, 1), digamma(concentration)) as Tensor, { axis: -1 }) as Tensor;
        return sub(add(logNormalizer(concentration), mul(sub(all, count), digamma(all))), single) as Tensor;
      },
    },
    { eventRank: 1 },
  );
};

/**
 * Refuses scalars where vectors are along the last axis.
 *
 * @throws ShapeError
 */
export const checkVector = (operation: string, name: string, x: Tensor): void => {
  if (x.shape.length > 0 && x.shape[x.shape.length - 1] !== 0) return;
  throw new ShapeError({
    operation,
    given: `${name} ${showAval(x)}`,
    rule: `${name} has one element for each of at least one category along its last axis`,
    hint: 'Give a vector: tensor([…]).',
  });
};
