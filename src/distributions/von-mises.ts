/** The distribution of von Mises: the normal one of angles. */
import { vonMises as drawVonMises } from '../random/von-mises.js';
import { add, clamp, div, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { i0e } from '../tensor/ops/elementwise/bessel.js';
import { besselRest } from '../tensor/ops/elementwise/bessel-series.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import { log, round, sin } from '../tensor/ops/elementwise/elementary.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { type Distribution, define, type Families, type Parameter, readParameters } from './distribution.js';

const logOfCircle = Math.log(2 * Math.PI);

/** 1 − cos x. */
const versine = (x: Tensor): Tensor => mul(square(sin(mul(x, 0.5))), 2) as Tensor;

/** 1 − I₁(κ) / I₀(κ). */
const restOf = (concentration: Tensor): Tensor => wrap(besselRest(nodeOf(concentration)));

/** An angle between −π and π. */
const turned = (angle: Tensor): Tensor => {
  const turns = stopGradient(round(mul(angle, 0.5 / Math.PI)));
  const end = angle.dtype === 'float32' ? 3.1415925 : Math.PI;
  return clamp(sub(angle, mul(turns, 2 * Math.PI)), -end, end) as Tensor;
};

/**
 * The distribution of von Mises on the circle, `exp(concentration · cos(x − loc)) / (2π I₀(concentration))`: for large
 * concentrations nearly the normal one of the variance `1 / concentration`. Angles count modulo 2π: the density at one of
 * any size is that at the same direction, and draws are from [−π, π].
 *
 * The mean is the direction `loc`, and the variance that of directions, 1 less the length of their mean vector:
 * `1 − I₁(concentration) / I₀(concentration)`. Draws are differentiable in both.
 *
 * @param parameters numbers or tensors that broadcast, concentration above 0
 * @throws ArgumentError when a parameter is missing, unknown, or a number it cannot be
 * @throws ShapeError when the parameters do not broadcast, DTypeError for uint8
 * @example
 * ```js
 * import { logProb, variance, vonMises } from 'tenfold/distributions';
 * const d = vonMises({ loc: 0, concentration: 2 });
 * logProb(d, Math.PI).toArray(); // => -4.66187
 * variance(d).toArray(); // => 0.30222535
 * ```
 */
export const vonMises = (parameters: {
  readonly loc: Parameter;
  readonly concentration: Parameter;
}): Distribution<'vonMises'> => {
  const { loc, concentration } = readParameters('vonMises', parameters, { loc: 'real', concentration: 'positive' });
  /** The logarithm of the density at the mean. */
  const peak = (): Tensor => neg(add(log(i0e(concentration)), logOfCircle)) as Tensor;
  return define(
    'vonMises',
    { loc, concentration },
    {
      logProb: x => sub(peak(), mul(concentration, versine(sub(x, loc) as Tensor))) as Tensor,
      mean: () => loc,
      variance: () => restOf(concentration),
      entropy: () => sub(mul(concentration, restOf(concentration)), peak()) as Tensor,
      sample: (key, shape) => turned(add(loc, drawVonMises(key, concentration, { shape })) as Tensor),
    },
  );
};

/** The divergence of one distribution of von Mises from another. */
export const divergenceOfAngles = (p: Families['vonMises'], q: Families['vonMises']): Tensor => {
  const rest = restOf(p.concentration);
  const widths = mul(sub(q.concentration, p.concentration), rest) as Tensor;
  const apart = mul(mul(q.concentration, sub(1, rest)), versine(sub(p.loc, q.loc) as Tensor)) as Tensor;
  return add(add(widths, apart), log(div(i0e(q.concentration), i0e(p.concentration)))) as Tensor;
};
