/** Families of continuous distributions on the numbers above 0, or above another bound. */
import { normal as drawNormal } from '../random/draw.js';
import { gamma as drawGamma } from '../random/gamma.js';
import type { Key } from '../random/key.js';
import { abs, add, div, maximum, mul, neg, pow, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { xlogy } from '../tensor/ops/elementwise/bivariate.js';
import { greater, less, lessEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { erf, exp, expm1, log, log1p, tan } from '../tensor/ops/elementwise/elementary.js';
import { atan } from '../tensor/ops/elementwise/hyperbolic.js';
import { gammainc } from '../tensor/ops/elementwise/incomplete-gamma.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { digamma, erfc, erfinv, lgamma } from '../tensor/ops/elementwise/special.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Distribution, define, type Parameter, readParameters } from './distribution.js';
import type { LocationScale } from './line.js';
import { normalQuantile } from './normal-quantile.js';
import { above0, byInverse, eulerGamma, from0, isInfinite, logOfSquareAnd1, unless } from './numerics.js';

/** How wide a distribution is. */
export interface Scale {
  /** Above 0. */
  readonly scale: Parameter;
}

/** −log(1 − p): the exponential draw that a uniform one stands for. */
const exponentialAt = (p: Tensor): Tensor => neg(log1p(neg(p))) as Tensor;

/**
 * The distribution of eᶻ for a normal z with mean `loc` and standard deviation `scale`.
 *
 * @param parameters numbers or tensors that broadcast
 * @throws ArgumentError when a parameter is missing, unknown, or a number it cannot be
 * @throws ShapeError when the parameters do not broadcast, DTypeError for uint8
 * @example
 * ```js
 * import { icdf, logNormal } from 'tenfold/distributions';
 * icdf(logNormal({ loc: 0, scale: 3 }), 0.5).toArray(); // => 1
 * ```
 */
export const logNormal = (parameters: LocationScale): Distribution<'logNormal'> => {
  const { loc, scale } = readParameters('logNormal', parameters, { loc: 'real', scale: 'positive' });
  const standard = (x: Tensor): Tensor => div(sub(log(x), loc), scale) as Tensor;
  const variance = square(scale) as Tensor;
  return define(
    'logNormal',
    { loc, scale },
    {
      logProb: x =>
        unless(logicalOr(lessEqual(x, 0), isInfinite(x)) as Tensor, Number.NEGATIVE_INFINITY, x, 1, y => {
          const constant = add(log(scale), 0.5 * Math.log(2 * Math.PI)) as Tensor;
          return neg(add(add(mul(square(standard(y)), 0.5), constant), log(y))) as Tensor;
        }),
      cdf: x => unless(lessEqual(x, 0), 0, x, 1, y => mul(erfc(mul(standard(y), -Math.SQRT1_2)), 0.5) as Tensor),
      icdf: p => exp(add(loc, mul(scale, normalQuantile(p)))) as Tensor,
      mean: () => exp(add(loc, mul(variance, 0.5))) as Tensor,
      variance: () => mul(expm1(variance), exp(add(mul(loc, 2), variance))) as Tensor,
      entropy: () => add(add(log(scale), loc), 0.5 + 0.5 * Math.log(2 * Math.PI)) as Tensor,
      sample: (key, shape) =>
        exp(add(loc, mul(scale, drawNormal(key, shape, { dtype: scale.dtype as 'float32' }) as Tensor))) as Tensor,
    },
  );
};

/**
 * The exponential distribution, `rate · exp(−rate · x)`.
 *
 * @param parameters numbers or tensors
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { exponential, mean } from 'tenfold/distributions';
 * mean(exponential({ rate: 4 })).toArray(); // => 0.25
 * ```
 */
export const exponential = (parameters: { readonly rate: Parameter }): Distribution<'exponential'> => {
  const { rate } = readParameters('exponential', parameters, { rate: 'positive' });
  const icdf = (p: Tensor): Tensor => div(exponentialAt(p), rate) as Tensor;
  return define(
    'exponential',
    { rate },
    {
      logProb: x => above0(x, y => sub(log(rate), mul(rate, y)) as Tensor),
      cdf: x => from0(x, y => neg(expm1(neg(mul(rate, y)))) as Tensor),
      icdf,
      mean: () => div(1, rate) as Tensor,
      variance: () => div(1, square(rate)) as Tensor,
      entropy: () => sub(1, log(rate)) as Tensor,
      sample: byInverse(rate.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of |z| for a normal z with mean 0 and standard deviation `scale`.
 *
 * @param parameters numbers or tensors
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { halfNormal, mean } from 'tenfold/distributions';
 * mean(halfNormal({ scale: 1 })).toArray(); // => 0.7978846
 * ```
 */
export const halfNormal = (parameters: Scale): Distribution<'halfNormal'> => {
  const { scale } = readParameters('halfNormal', parameters, { scale: 'positive' });
  return define(
    'halfNormal',
    { scale },
    {
      logProb: x =>
        above0(x, y => {
          const constant = sub(0.5 * Math.log(2 / Math.PI), log(scale)) as Tensor;
          return sub(constant, mul(square(div(y, scale)), 0.5)) as Tensor;
        }),
      cdf: x => from0(x, y => erf(mul(div(y, scale), Math.SQRT1_2)) as Tensor),
      icdf: p => mul(mul(scale, Math.SQRT2), erfinv(p)) as Tensor,
      mean: () => mul(scale, Math.sqrt(2 / Math.PI)) as Tensor,
      variance: () => mul(square(scale), 1 - 2 / Math.PI) as Tensor,
      entropy: () => add(log(scale), 0.5 + 0.5 * Math.log(Math.PI / 2)) as Tensor,
      sample: (key, shape) =>
        mul(scale, abs(drawNormal(key, shape, { dtype: scale.dtype as 'float32' }) as Tensor)) as Tensor,
    },
  );
};

/**
 * The distribution of |z| for z of Cauchy's distribution around 0; it has neither a mean nor a variance.
 *
 * @param parameters numbers or tensors
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { cdf, halfCauchy } from 'tenfold/distributions';
 * cdf(halfCauchy({ scale: 3 }), 3).toArray(); // => 0.5
 * ```
 */
export const halfCauchy = (parameters: Scale): Distribution<'halfCauchy'> => {
  const { scale } = readParameters('halfCauchy', parameters, { scale: 'positive' });
  // From the nearer end: next to π/2 a tangent is made of what rounding has left of its angle.
  const icdf = (p: Tensor): Tensor => {
    const isFar = greater(p, 0.5) as Tensor;
    const tangent = tan(mul(where(isFar, sub(1, p), p), Math.PI / 2) as Tensor) as Tensor;
    return mul(scale, where(isFar, div(1, where(isFar, tangent, 1)), tangent) as Tensor) as Tensor;
  };
  return define(
    'halfCauchy',
    { scale },
    {
      logProb: x =>
        above0(x, y => sub(sub(Math.log(2 / Math.PI), log(scale)), logOfSquareAnd1(div(y, scale) as Tensor)) as Tensor),
      cdf: x => from0(x, y => mul(atan(div(y, scale)), 2 / Math.PI) as Tensor),
      icdf,
      entropy: () => log(mul(scale, 2 * Math.PI)) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of Weibull, `cdf = 1 − exp(−(x / scale)^concentration)`.
 *
 * @param parameters numbers or tensors that broadcast, all above 0
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { icdf, weibull } from 'tenfold/distributions';
 * icdf(weibull({ scale: 2, concentration: 3 }), -Math.expm1(-1)).toArray(); // => 2
 * ```
 */
export const weibull = (parameters: Scale & { readonly concentration: Parameter }): Distribution<'weibull'> => {
  const { scale, concentration } = readParameters('weibull', parameters, {
    scale: 'positive',
    concentration: 'positive',
  });
  const icdf = (p: Tensor): Tensor => mul(scale, pow(exponentialAt(p), div(1, concentration))) as Tensor;
  /** The logarithm of the mean of (x / scale)ⁿ. */
  const logMoment = (n: number): Tensor => lgamma(add(div(n, concentration), 1)) as Tensor;
  return define(
    'weibull',
    { scale, concentration },
    {
      logProb: x =>
        above0(x, y => {
          const z = div(y, scale) as Tensor;
          const factor = add(log(div(concentration, scale)), xlogy(sub(concentration, 1), z)) as Tensor;
          return sub(factor, pow(z, concentration)) as Tensor;
        }),
      cdf: x => from0(x, y => neg(expm1(neg(pow(div(y, scale), concentration)))) as Tensor),
      icdf,
      mean: () => mul(scale, exp(logMoment(1))) as Tensor,
      variance: () => mul(square(scale), sub(exp(logMoment(2)), exp(mul(logMoment(1), 2)))) as Tensor,
      entropy: () =>
        add(add(mul(sub(1, div(1, concentration)), eulerGamma), log(div(scale, concentration))), 1) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of Pareto (type I), `cdf = 1 − (scale / x)^alpha` from `scale` on. The mean is infinite where
 * alpha ≤ 1, the variance where alpha ≤ 2.
 *
 * @param parameters numbers or tensors that broadcast, all above 0
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { mean, pareto } from 'tenfold/distributions';
 * mean(pareto({ scale: 2, alpha: 3 })).toArray(); // => 3
 * ```
 */
export const pareto = (parameters: Scale & { readonly alpha: Parameter }): Distribution<'pareto'> => {
  const { scale, alpha } = readParameters('pareto', parameters, { scale: 'positive', alpha: 'positive' });
  const icdf = (p: Tensor): Tensor => mul(scale, exp(div(exponentialAt(p), alpha))) as Tensor;
  return define(
    'pareto',
    { scale, alpha },
    {
      logProb: x =>
        unless(
          less(x, scale),
          Number.NEGATIVE_INFINITY,
          x,
          scale,
          y => sub(add(log(alpha), mul(alpha, log(scale))), mul(add(alpha, 1), log(y))) as Tensor,
        ),
      cdf: x => neg(expm1(mul(alpha, log(div(scale, maximum(x, scale)))))) as Tensor,
      icdf,
      mean: () =>
        unless(lessEqual(alpha, 1), Number.POSITIVE_INFINITY, alpha, 2, a => mul(scale, div(a, sub(a, 1))) as Tensor),
      variance: () =>
        unless(lessEqual(alpha, 2), Number.POSITIVE_INFINITY, alpha, 3, a => {
          const relative = div(a, mul(square(sub(a, 1)), sub(a, 2))) as Tensor;
          return mul(square(scale), relative) as Tensor;
        }),
      entropy: () => add(add(log(div(scale, alpha)), div(1, alpha)), 1) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

const gammaMembers = (concentration: Tensor, rate: Tensor) => ({
  sample: (key: Key, shape: Shape): Tensor => div(drawGamma(key, concentration, { shape }), rate) as Tensor,
  logProb: (x: Tensor): Tensor =>
    above0(x, y => {
      const powers = add(mul(concentration, log(rate)), xlogy(sub(concentration, 1), y)) as Tensor;
      return sub(sub(powers, mul(rate, y)), lgamma(concentration)) as Tensor;
    }),
  cdf: (x: Tensor): Tensor =>
    unless(lessEqual(x, 0), 0, x, 1, y => gammainc(concentration, mul(rate, y) as Tensor) as Tensor),
  mean: (): Tensor => div(concentration, rate) as Tensor,
  variance: (): Tensor => div(concentration, square(rate)) as Tensor,
  entropy: (): Tensor => {
    const shape = add(lgamma(concentration), mul(sub(1, concentration), digamma(concentration))) as Tensor;
    return add(sub(concentration, log(rate)), shape) as Tensor;
  },
});

/**
 * The gamma distribution, `rate^concentration · x^(concentration − 1) · exp(−rate · x) / Γ(concentration)`.
 *
 * @param parameters numbers or tensors that broadcast, all above 0
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { gamma, variance } from 'tenfold/distributions';
 * variance(gamma({ concentration: 3, rate: 2 })).toArray(); // => 0.75
 * ```
 */
export const gamma = (parameters: {
  readonly concentration: Parameter;
  readonly rate: Parameter;
}): Distribution<'gamma'> => {
  const { concentration, rate } = readParameters('gamma', parameters, { concentration: 'positive', rate: 'positive' });
  return define('gamma', { concentration, rate }, gammaMembers(concentration, rate));
};

/**
 * The chi-squared distribution with `df` degrees of freedom.
 *
 * @param parameters numbers or tensors
 * @throws ArgumentError, ShapeError, DTypeError as {@link logNormal}
 * @example
 * ```js
 * import { chi2, variance } from 'tenfold/distributions';
 * variance(chi2({ df: 3 })).toArray(); // => 6
 * ```
 */
export const chi2 = (parameters: { readonly df: Parameter }): Distribution<'chi2'> => {
  const { df } = readParameters('chi2', parameters, { df: 'positive' });
  const concentration = mul(df, 0.5) as Tensor;
  return define('chi2', { df }, gammaMembers(concentration, add(mul(df, 0), 0.5) as Tensor));
};
