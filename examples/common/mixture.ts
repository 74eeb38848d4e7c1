/**
 * The best possible denoiser of a mixture of normal distributions, which is known in closed form: no network, no training, and
 * everything that a sampler does can be checked against it. With training images as the centres it is what a network
 * that has learned them by heart would be.
 */
import {
  add,
  cast,
  cos,
  div,
  linspace,
  matmul,
  mul,
  neg,
  reshape,
  sin,
  softmax,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  transpose,
} from 'tenfold';
import { combine, type Denoiser, type NoiseLevel } from 'tenfold/diffusion';

/**
 * At the level x = α x₀ + σ ε the component around the centre c has mean α c and variance v = α² s² + σ², and what is
 * expected of x₀ and ε follows from how likely each component is.
 *
 * @param centres [K, …]; all components are equally frequent
 * @param deviation s, that of each component around its centre
 * @returns a denoiser of samples [N, …], at levels of any scaling
 */
export const mixtureDenoiser = (centres: Tensor, deviation: number): Denoiser => {
  const rows = reshape(centres, [centres.shape[0]!, -1]);
  const halfSquares = mul(sum(square(rows), { axis: 1 }), 0.5);
  return (x: Tensor, { alpha, sigma }: NoiseLevel) => {
    const variance = add(square(mul(alpha, deviation)), square(sigma));
    // log N(x; α c, v), without what does not depend on c: the softmax does not see it.
    const closeness = sub(
      matmul(reshape(x, [x.shape[0]!, -1]), transpose(rows)),
      mul(halfSquares, cast(alpha, x.dtype)),
    );
    const shares = softmax(combine([div(alpha, variance), closeness]));
    const centre = reshape(matmul(shares, rows), x.shape);
    const apart = combine([1, x], [neg(alpha), centre]);
    return {
      x0: combine([1, centre], [div(mul(alpha, deviation ** 2), variance), apart]),
      eps: combine([div(sigma, variance), apart]),
    };
  };
};

/** Where the eight normal distributions of `eightGaussians` are, [8, 2], in the order of their labels. */
export const eightCentres: Tensor = (() => {
  const angles = linspace(0, (7 / 4) * Math.PI, 8);
  return mul(stack([cos(angles), sin(angles)], { axis: 1 }), 4 / Math.SQRT2);
})();

/** How wide they are. */
export const eightDeviation = 0.5 / Math.SQRT2;
