/** Families of continuous distributions on the whole line, and the uniform one on an interval of it. */
import { normal as drawNormal } from '../random/draw.js';
import { studentT as drawStudentT } from '../random/gamma.js';
import { abs, add, div, maximum, minimum, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { greater, greaterEqual, less, lessEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { exp, log, sqrt, tan } from '../tensor/ops/elementwise/elementary.js';
import { atan } from '../tensor/ops/elementwise/hyperbolic.js';
import { betainc } from '../tensor/ops/elementwise/incomplete-beta.js';
import { logicalAnd, logicalNot, logicalOr } from '../tensor/ops/elementwise/logic.js';
import { digamma, erfc, lgamma } from '../tensor/ops/elementwise/special.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBounds, type Distribution, define, type Parameter, readParameters } from './distribution.js';
import { normalQuantile } from './normal-quantile.js';
import { byInverse, eulerGamma, lbeta, logOfSquareAnd1, probability, unless } from './numerics.js';

/** Where a distribution lies and how wide it is. */
export interface LocationScale {
  readonly loc: Parameter;
  /** Above 0. */
  readonly scale: Parameter;
}

const locationScale = (operation: string, parameters: LocationScale): Readonly<Record<'loc' | 'scale', Tensor>> =>
  readParameters(operation, parameters, { loc: 'real', scale: 'positive' });

/**
 * The normal distribution with mean `loc` and standard deviation `scale`.
 *
 * @param parameters numbers or tensors that broadcast
 * @throws ArgumentError when a parameter is missing, unknown, or a number it cannot be
 * @throws ShapeError when the parameters do not broadcast, DTypeError for uint8
 * @example
 * ```js
 * import { cdf, normal } from 'tenfold/distributions';
 * cdf(normal({ loc: 1, scale: 2 }), 1).toArray(); // => 0.5
 * ```
 */
export const normal = (parameters: LocationScale): Distribution<'normal'> => {
  const { loc, scale } = locationScale('normal', parameters);
  const standard = (x: Tensor): Tensor => div(sub(x, loc), scale) as Tensor;
  return define(
    'normal',
    { loc, scale },
    {
      logProb: x => sub(mul(square(standard(x)), -0.5), add(log(scale), 0.5 * Math.log(2 * Math.PI))) as Tensor,
      cdf: x => mul(erfc(mul(standard(x), -Math.SQRT1_2)), 0.5) as Tensor,
      icdf: p => add(loc, mul(scale, normalQuantile(p))) as Tensor,
      mean: () => loc,
      variance: () => square(scale) as Tensor,
      entropy: () => add(log(scale), 0.5 + 0.5 * Math.log(2 * Math.PI)) as Tensor,
      sample: (key, shape) =>
        add(loc, mul(scale, drawNormal(key, shape, { dtype: scale.dtype as 'float32' }) as Tensor)) as Tensor,
    },
  );
};

/**
 * The uniform distribution on [low, high).
 *
 * @param parameters numbers or tensors that broadcast, low < high
 * @throws ArgumentError, ShapeError, DTypeError as {@link normal}
 * @example
 * ```js
 * import { mean, uniform } from 'tenfold/distributions';
 * mean(uniform({ low: 2, high: 4 })).toArray(); // => 3
 * ```
 */
export const uniform = (parameters: { readonly low: Parameter; readonly high: Parameter }): Distribution<'uniform'> => {
  const { low, high } = readParameters('uniform', parameters, { low: 'real', high: 'real' });
  checkBounds('uniform', parameters);
  const width = sub(high, low) as Tensor;
  const icdf = (p: Tensor): Tensor => add(low, mul(p, width)) as Tensor;
  return define(
    'uniform',
    { low, high },
    {
      logProb: x =>
        where(
          logicalOr(less(x, low), greaterEqual(x, high)),
          Number.NEGATIVE_INFINITY,
          // The product brings the shape, and the NaNs, of x in.
          sub(mul(sub(x, x), 0), log(width)),
        ) as Tensor,
      cdf: x => probability(div(sub(x, low), width) as Tensor),
      icdf,
      mean: () => mul(add(low, high), 0.5) as Tensor,
      variance: () => div(square(width), 12) as Tensor,
      entropy: () => log(width) as Tensor,
      sample: byInverse(low.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of Laplace, `exp(−|x − loc| / scale) / (2 scale)`.
 *
 * @param parameters numbers or tensors that broadcast
 * @throws ArgumentError, ShapeError, DTypeError as {@link normal}
 * @example
 * ```js
 * import { laplace, variance } from 'tenfold/distributions';
 * variance(laplace({ loc: 0, scale: 3 })).toArray(); // => 18
 * ```
 */
export const laplace = (parameters: LocationScale): Distribution<'laplace'> => {
  const { loc, scale } = locationScale('laplace', parameters);
  const standard = (x: Tensor): Tensor => div(sub(x, loc), scale) as Tensor;
  // The nearer end decides, so that neither tail is a difference from 1.
  const icdf = (p: Tensor): Tensor => {
    const tail = log(mul(minimum(p, sub(1, p)), 2)) as Tensor;
    return add(loc, mul(scale, where(less(p, 0.5), tail, neg(tail)) as Tensor)) as Tensor;
  };
  return define(
    'laplace',
    { loc, scale },
    {
      logProb: x => neg(add(abs(standard(x)), log(mul(scale, 2)))) as Tensor,
      cdf: x => {
        const z = standard(x);
        const tail = mul(exp(neg(abs(z))), 0.5) as Tensor;
        return where(lessEqual(z, 0), tail, sub(1, tail)) as Tensor;
      },
      icdf,
      mean: () => loc,
      variance: () => mul(square(scale), 2) as Tensor,
      entropy: () => add(log(scale), 1 + Math.LN2) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of Cauchy; it has neither a mean nor a variance.
 *
 * @param parameters numbers or tensors that broadcast
 * @throws ArgumentError, ShapeError, DTypeError as {@link normal}
 * @example
 * ```js
 * import { cauchy, cdf } from 'tenfold/distributions';
 * cdf(cauchy({ loc: 0, scale: 2 }), 2).toArray(); // => 0.75
 * ```
 */
export const cauchy = (parameters: LocationScale): Distribution<'cauchy'> => {
  const { loc, scale } = locationScale('cauchy', parameters);
  const standard = (x: Tensor): Tensor => div(sub(x, loc), scale) as Tensor;
  // From the nearer end: next to π/2 a tangent is made of what rounding has left of its angle.
  const icdf = (p: Tensor): Tensor => {
    const tail = minimum(p, sub(1, p)) as Tensor;
    const isMiddle = greater(tail, 0.25) as Tensor;
    const middle = tan(mul(sub(where(isMiddle, p, 0.5), 0.5), Math.PI)) as Tensor;
    const far = div(1, tan(mul(where(isMiddle, 0.25, tail), Math.PI) as Tensor)) as Tensor;
    const signed = where(less(p, 0.5), neg(far), far) as Tensor;
    return add(loc, mul(scale, where(isMiddle, middle, signed) as Tensor)) as Tensor;
  };
  return define(
    'cauchy',
    { loc, scale },
    {
      logProb: x => neg(add(logOfSquareAnd1(standard(x)), log(mul(scale, Math.PI)))) as Tensor,
      cdf: x => add(mul(atan(standard(x)), 1 / Math.PI), 0.5) as Tensor,
      icdf,
      entropy: () => log(mul(scale, 4 * Math.PI)) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

/**
 * The distribution of Gumbel, that of the largest of many: `cdf = exp(−exp(−(x − loc) / scale))`.
 *
 * @param parameters numbers or tensors that broadcast
 * @throws ArgumentError, ShapeError, DTypeError as {@link normal}
 * @example
 * ```js
 * import { gumbel, icdf } from 'tenfold/distributions';
 * icdf(gumbel({ loc: 1, scale: 2 }), Math.exp(-1)).toArray(); // => 1
 * ```
 */
export const gumbel = (parameters: LocationScale): Distribution<'gumbel'> => {
  const { loc, scale } = locationScale('gumbel', parameters);
  const standard = (x: Tensor): Tensor => div(sub(x, loc), scale) as Tensor;
  const icdf = (p: Tensor): Tensor => sub(loc, mul(scale, log(neg(log(p))))) as Tensor;
  return define(
    'gumbel',
    { loc, scale },
    {
      logProb: x => {
        const z = standard(x);
        // So far below it makes no difference, and ∞ − ∞ is no number.
        return neg(add(add(maximum(z, -1000), exp(neg(z))), log(scale))) as Tensor;
      },
      // Below −10 it is 0 in every float, and its derivative would be 0 · ∞.
      cdf: x => exp(neg(exp(neg(maximum(standard(x), -10) as Tensor)))) as Tensor,
      icdf,
      mean: () => add(loc, mul(scale, eulerGamma)) as Tensor,
      variance: () => mul(square(scale), Math.PI ** 2 / 6) as Tensor,
      entropy: () => add(log(scale), 1 + eulerGamma) as Tensor,
      sample: byInverse(scale.dtype as 'float32', icdf),
    },
  );
};

/**
 * Student's distribution function at z, by that of the beta number 1 / (1 + z² / df) or, near the middle, of 1 less it, so
 * that both the tails and what is left of ½ are accurate.
 */
const studentCdf = (df: Tensor, z: Tensor, atZero: Tensor): Tensor => {
  const half = mul(df, 0.5) as Tensor;
  const ratio = div(abs(z), sqrt(df)) as Tensor;
  const isFar = greater(ratio, 1) as Tensor;
  const inverse = div(1, where(isFar, ratio, 1) as Tensor) as Tensor;
  const small = where(isFar, inverse, ratio) as Tensor;
  const x = div(square(small), add(square(small), 1)) as Tensor;
  // There the function is a line, to the last bit, while the derivative of the beta function in x is infinite at 0.
  const isMiddle = logicalAnd(logicalNot(isFar), less(small, 1e-10)) as Tensor;
  const isEnd = logicalAnd(isFar, lessEqual(x, 0)) as Tensor;
  const mass = unless(logicalOr(isMiddle, isEnd) as Tensor, 0, x, 0.5, y => {
    const [first, second] = [where(isFar, half, 0.5) as Tensor, where(isFar, 0.5, half) as Tensor];
    return mul(betainc(first, second, y), 0.5) as Tensor;
  });
  const below = where(isFar, mass, sub(0.5, mass) as Tensor) as Tensor;
  const whole = where(less(z, 0), below, sub(1, below) as Tensor) as Tensor;
  return where(isMiddle, add(mul(z, atZero), 0.5) as Tensor, whole) as Tensor;
};

/**
 * Student's t distribution with `df` degrees of freedom. The mean is NaN where df ≤ 1; the variance is infinite where
 * 1 < df ≤ 2, and NaN below.
 *
 * @param parameters numbers or tensors that broadcast, df and scale above 0
 * @throws ArgumentError, ShapeError, DTypeError as {@link normal}
 * @example
 * ```js
 * import { studentT, variance } from 'tenfold/distributions';
 * variance(studentT({ df: 4, loc: 0, scale: 1 })).toArray(); // => 2
 * ```
 */
export const studentT = (parameters: LocationScale & { readonly df: Parameter }): Distribution<'studentT'> => {
  const { df, loc, scale } = readParameters('studentT', parameters, {
    df: 'positive',
    loc: 'real',
    scale: 'positive',
  });
  const half = mul(df, 0.5) as Tensor;
  const halfMore = add(half, 0.5) as Tensor;
  const widths = add(log(scale), mul(log(df), 0.5)) as Tensor;
  return define(
    'studentT',
    { df, loc, scale },
    {
      logProb: x => {
        const z = div(sub(x, loc), scale) as Tensor;
        const normalizer = sub(add(add(widths, 0.5 * Math.log(Math.PI)), lgamma(half)), lgamma(halfMore)) as Tensor;
        return neg(add(mul(halfMore, logOfSquareAnd1(div(z, sqrt(df)) as Tensor)), normalizer)) as Tensor;
      },
      cdf: x => {
        const density = exp(sub(lgamma(halfMore), add(lgamma(half), mul(log(mul(df, Math.PI)), 0.5)))) as Tensor;
        return studentCdf(df, div(sub(x, loc), scale) as Tensor, density);
      },
      sample: (key, shape) => add(loc, mul(scale, drawStudentT(key, df, { shape }))) as Tensor,
      mean: () => where(lessEqual(df, 1), Number.NaN, loc) as Tensor,
      variance: () => {
        const finite = unless(
          lessEqual(df, 2),
          Number.POSITIVE_INFINITY,
          df,
          3,
          n => mul(square(scale), div(n, sub(n, 2))) as Tensor,
        );
        return where(lessEqual(df, 1), Number.NaN, finite) as Tensor;
      },
      entropy: () => {
        const spread = mul(halfMore, sub(digamma(halfMore), digamma(half))) as Tensor;
        const oneHalf = add(mul(half, 0), 0.5) as Tensor;
        return add(add(widths, spread), lbeta(half, oneHalf)) as Tensor;
      },
    },
  );
};
