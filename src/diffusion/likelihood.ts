/** Likelihoods and divergences of Gaussians, in nats. */
import { type DType, isFloat } from '../tensor/dtype.js';
import { ArgumentError, DTypeError } from '../tensor/errors.js';
import { isWeakNumber, unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { abs, add, clamp, mul, neg, sign, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { greater, less, where } from '../tensor/ops/elementwise/comparison.js';
import { exp, log, tanh } from '../tensor/ops/elementwise/elementary.js';
import { broadcastShapes, type Shape, showAval } from '../tensor/shape.js';
import type { Floating } from '../tensor/shape-types.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { checkAlike, checkTensors } from './checks.js';

/**
 * The Kullback-Leibler divergence KL(N(μ₁, σ₁²) ‖ N(μ₂, σ₂²)) of each element, in nats:
 * ½ (−1 + log σ₂² − log σ₁² + σ₁² / σ₂² + (μ₁ − μ₂)² / σ₂²).
 *
 * Source: Kingma & Welling 2014, arXiv:1312.6114, appendix B, for any two Gaussians.
 *
 * @param mean1 a float tensor or a number, as the others; at least one is a tensor
 * @param logVariance1 log σ₁²
 * @returns the broadcast shape and the promoted dtype
 * @throws ShapeError when the shapes do not broadcast, DTypeError for a tensor that is no float
 * @throws ArgumentError when no argument is a tensor, or one is neither a tensor nor a number
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { normalKl } from 'tenfold/diffusion';
 * normalKl(tensor([0, 2]), 0, 0, 0).toArray(); // => [0, 2]
 * ```
 */
export const normalKl = (
  mean1: Tensor | number,
  logVariance1: Tensor | number,
  mean2: Tensor | number,
  logVariance2: Tensor | number,
): Tensor => {
  const operands = { mean1, logVariance1, mean2, logVariance2 };
  checkTensors('normalKl', Object.fromEntries(Object.entries(operands).filter(([, x]) => typeof x !== 'number')));
  const tensors = Object.values(operands).filter(isTensor);
  if (tensors.length === 0) {
    throw new ArgumentError({
      operation: 'normalKl',
      given: `only numbers (${Object.values(operands).join(', ')})`,
      rule: 'at least one of the moments is a tensor',
      hint: 'Make a scalar with tensor(0).',
    });
  }
  if (!tensors.every(x => isFloat(x.dtype))) {
    throw new DTypeError({
      operation: 'normalKl',
      given: tensors.map(showAval).join(' and '),
      rule: 'the moments are float32 or float64',
      hint: "Cast them: cast(x, 'float32').",
    });
  }
  broadcastShapes('normalKl', ...tensors.map(x => x.shape));
  const dtype = tensors.some(x => x.dtype === 'float64') ? 'float64' : 'float32';
  const [m1, v1, m2, v2] = Object.values(operands).map((x): Tensor => {
    if (!isTensor(x)) return tensor(x, { dtype });
    return isWeakNumber(x) ? cast(x, dtype) : x;
  });
  const ratio = exp(sub(v1!, v2!));
  const distance = mul(square(sub(m1!, m2!)), exp(neg(v2!)));
  return mul(add(add(add(sub(v2!, v1!), -1), ratio), distance), 0.5);
};

/**
 * 27 log 2, from where on 1 + tanh is 2 in float64. A derivative would be the rounding error of tanh there, and narrow
 * Gaussians would make it thousands of times larger, so it is 0 as that of any constant.
 */
const saturation = 27 * Math.LN2;

/**
 * The standard normal distribution function, approximately (to about 3e-4): ½ (1 + tanh(√(2 / π) (x + 0.044715 x³))).
 *
 * Source: Page 1977, "Approximations to the cumulative normal function", as in the code of Ho et al. 2020.
 *
 * @returns shape and dtype of x; integers give float32
 * @throws ArgumentError when `x` is no tensor, DTypeError for uint8
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { approxStandardNormalCdf } from 'tenfold/diffusion';
 * approxStandardNormalCdf(tensor([-Infinity, 0, Infinity])).toArray(); // => [0, 0.5, 1]
 * ```
 */
export const approxStandardNormalCdf = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, Floating<D>> => {
  checkTensors('approxStandardNormalCdf', { x });
  const z: Tensor = wrap(unaryOperand('approxStandardNormalCdf', x, { toFloat: true }));
  const inner = mul(add(z, mul(mul(square(z), z), 0.044715)), Math.sqrt(2 / Math.PI));
  const saturated = where(greater(abs(inner), saturation), sign(inner), tanh(inner));
  return mul(add(saturated, 1), 0.5) as Tensor<S, Floating<D>>;
};

/** Keeps the logarithm of a probability finite; above 0 its derivative is untouched. */
const logAtLeast = (probability: Tensor): Tensor => log(clamp(probability, 1e-12, Number.POSITIVE_INFINITY));

/** The parameters of {@link discretizedGaussianLogLikelihood}. */
export interface GaussianParameters {
  readonly means: Tensor;
  /** Logarithms of the standard deviations. */
  readonly logScales: Tensor;
}

/**
 * The log likelihood of 8-bit values under Gaussians, in nats: the logarithm of the probability of the interval of
 * width 2 / 255 around each value, the intervals of the end values reaching to infinity. Probabilities below 1e-12
 * count as that.
 *
 * Source: Ho et al. 2020, arXiv:2006.11239, eq. 13, with the distribution function of {@link approxStandardNormalCdf}.
 *
 * @param x values k / 127.5 − 1 for k = 0 … 255; float, any shape
 * @param parameters means and log standard deviations, in shape and dtype of x
 * @returns shape and dtype of x
 * @throws ShapeError, DTypeError when the three differ in shape or dtype, ArgumentError for what is no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { discretizedGaussianLogLikelihood } from 'tenfold/diffusion';
 * const [means, logScales] = [tensor([-1, 1]), tensor([-10, -10])];
 * discretizedGaussianLogLikelihood(tensor([-1, 1]), { means, logScales }).toArray(); // => [0, 0]
 * ```
 */
export const discretizedGaussianLogLikelihood = <S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  parameters: GaussianParameters,
): Tensor<S, D> => {
  checkOptions('discretizedGaussianLogLikelihood', ['means', 'logScales'], parameters);
  const { means, logScales } = parameters ?? {};
  checkAlike('discretizedGaussianLogLikelihood', { x, means, logScales });
  const values: Tensor = x;
  const centered = sub(values, means);
  const precision = exp(neg(logScales));
  const below = approxStandardNormalCdf(mul(precision, sub(centered, 1 / 255)));
  const upTo = approxStandardNormalCdf(mul(precision, add(centered, 1 / 255)));
  return where(
    less(values, -0.999),
    logAtLeast(upTo),
    where(greater(values, 0.999), logAtLeast(sub(1, below)), logAtLeast(sub(upTo, below))),
  ) as Tensor<S, D>;
};
