/**
 * A mixture of Gaussians, of which everything is known in closed form: the best denoiser, the density at every level, and
 * for one Gaussian the whole of the probability-flow ODE. Samplers are measured against it.
 */
import {
  add,
  cast,
  div,
  expandDims,
  log,
  logsumexp,
  mul,
  reshape,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
} from 'tenfold';
import type { Denoiser, NoiseLevel } from 'tenfold/diffusion';
import { categorical, type Key, normal, split } from 'tenfold/random';

/** A mixture of Gaussians, each as wide in all d directions. */
export interface GaussianMixture {
  /** K points of d numbers. */
  readonly means: readonly (readonly number[])[];
  /** The variance of all components, or of each; not 0 where a level without noise is asked for. */
  readonly variances: number | readonly number[];
  /** How much there is of each; alike when left out. */
  readonly weights?: readonly number[];
}

/** What is known of a mixture; samples are float [N, d]. */
export interface KnownMixture {
  /** x₀ and ε as their expectations given x; of levels of any scaling, [] or [N]. */
  readonly denoiser: Denoiser;
  /** log p(x) [N] at a level; without one, of data. */
  readonly logDensity: (x: Tensor, level?: NoiseLevel) => Tensor;
  /** Samples float64 [count, d] at a level; without one, data. */
  readonly draw: (key: Key, count: number, level?: NoiseLevel) => Tensor;
}

const float64 = { dtype: 'float64' } as const;

/** The level of data. */
const dataLevel: NoiseLevel = { alpha: tensor(1, float64), sigma: tensor(0, float64), time: tensor(0, float64) };

/** Coefficients [] or [N] against [N, K, d]. */
const spread = (coefficient: Tensor, x: Tensor): Tensor =>
  cast(coefficient.shape.length === 0 ? coefficient : reshape(coefficient, [-1, 1, 1]), x.dtype) as Tensor;

export const gaussianMixture = ({ means, variances, weights }: GaussianMixture): KnownMixture => {
  const count = means.length;
  const size = means[0]!.length;
  const total = (weights ?? means.map(() => 1)).reduce((a, b) => a + b, 0);
  const logWeights = means.map((_, k) => Math.log((weights?.[k] ?? 1) / total));
  const widths = means.map((_, k) => (typeof variances === 'number' ? variances : variances[k]!));

  /** Of x at a level: its distance from the components' means, their variances there, and log(wₖ pₖ(x)). */
  const seen = (x: Tensor, { alpha, sigma }: NoiseLevel) => {
    const like = { dtype: x.dtype as 'float64' };
    const centres = tensor(means, like) as Tensor;
    const data = reshape(tensor(widths, like), [1, count, 1]) as Tensor;
    const [a, s] = [spread(alpha, x), spread(sigma, x)];
    const variance = add(mul(data, square(a)), square(s)) as Tensor;
    const apart = sub(expandDims(x, 1), mul(a, centres)) as Tensor;
    const exponent = mul(sum(div(square(apart), variance), { axis: -1 }), -0.5) as Tensor;
    const volume = mul(log(mul(variance, 2 * Math.PI)), -size / 2) as Tensor;
    const logs = add(add(exponent, reshape(volume, [-1, count])), tensor(logWeights, like)) as Tensor;
    return { a, s, centres, data, variance, apart, logs };
  };

  const denoiser: Denoiser = (x, level) => {
    const { a, s, centres, data, variance, apart, logs } = seen(x, level);
    const shares = expandDims(softmax(logs), -1) as Tensor;
    const expected = (each: Tensor): Tensor => sum(mul(shares, each), { axis: 1 }) as Tensor;
    return {
      x0: expected(add(centres, mul(div(mul(a, data), variance), apart)) as Tensor),
      eps: expected(mul(div(s, variance), apart) as Tensor),
    };
  };

  return {
    denoiser,
    logDensity: (x, level = dataLevel) => logsumexp(seen(x, level).logs, { axis: -1 }) as Tensor,
    draw: (key, n, { alpha, sigma } = dataLevel) => {
      const [first, second] = split(key);
      const chosen = categorical(first!, tensor(logWeights, float64), { shape: [n] });
      const variance = add(mul(take(tensor(widths, float64), chosen), square(alpha)), square(sigma)) as Tensor;
      const centre = mul(take(tensor(means, float64), chosen, { axis: 0 }), alpha) as Tensor;
      return add(centre, mul(expandDims(sqrt(variance), -1), normal(second!, [n, size], float64))) as Tensor;
    },
  };
};

/**
 * Where the probability-flow ODE leads from x at a level when the data are one Gaussian N(μ, v): (x − α μ) / √(α² v + σ²)
 * stays what it is.
 */
export const gaussianFlow =
  ({ mean, variance }: { readonly mean: readonly number[]; readonly variance: number }) =>
  (x: Tensor, from: NoiseLevel, to: NoiseLevel): Tensor => {
    const spreadOf = ({ alpha, sigma }: NoiseLevel): Tensor =>
      sqrt(add(mul(square(alpha), variance), square(sigma))) as Tensor;
    const centreOf = ({ alpha }: NoiseLevel): Tensor => mul(tensor(mean, float64), alpha) as Tensor;
    return add(
      centreOf(to),
      mul(sub(x, centreOf(from)), div(spreadOf(to), spreadOf(from)) as Tensor) as Tensor,
    ) as Tensor;
  };
