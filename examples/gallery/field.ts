/** The field that a network has learned: arrows along the score, and how far it is from that of the training points. */

import {
  div,
  matmul,
  mean,
  mul,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  zerosLike,
} from 'tenfold';
import { addNoise, combine, convert, type Denoiser, type NoiseLevel } from 'tenfold/diffusion';
import { type Key, normal } from 'tenfold/random';
import { half } from './density.js';
import { process } from './model.js';
import { type Arrow, type Point, pointsIn } from './plots.js';

const arrowsAcross = 15;

/** The level of a ratio σ / α. */
export const levelOf = (ratio: number): NoiseLevel => process.levelOf(tensor(ratio, { dtype: 'float64' }) as Tensor);

const noiseIn = (denoiser: Denoiser, x: Tensor, level: NoiseLevel): Tensor =>
  denoiser(x, level, { inputs: null, previous: zerosLike(x) as Tensor }).eps;

/** Arrows on a grid along −ε̂, which is σ ∇ log p: the longest quarter of them reaches the next arrow. */
export const arrowsOf = async (denoiser: Denoiser, level: NoiseLevel): Promise<readonly Arrow[]> => {
  const apart = (2 * half) / arrowsAcross;
  const line = Array.from({ length: arrowsAcross }, (_, i) => -half + (i + 0.5) * apart);
  const places = line.flatMap(x => line.map((y): Point => [x, y]));
  const noise = await pointsIn(noiseIn(denoiser, tensor(places) as Tensor, level));
  const sizes = noise.map(([u, v]) => Math.hypot(u, v));
  const usual = [...sizes].sort((a, b) => a - b)[Math.floor(0.75 * sizes.length)]!;
  return places.map((at, i) => {
    const [u, v] = noise[i]!;
    const factor = (-0.95 * apart) / Math.max(usual, sizes[i]!, 1e-12);
    return { at, by: [factor * u, factor * v] };
  });
};

/** The mean of ε given x where the data is one of these points: what the best of all denoisers would say. */
const exactNoiseIn = (x: Tensor, level: NoiseLevel, data: Tensor): Tensor => {
  const centres = combine([level.alpha, data]);
  const inner = matmul(x, transpose(centres)) as Tensor;
  // ‖x − α x₀‖² but for ‖x‖², which all points share.
  const distances = sub(sum(square(centres), { axis: 1 }), mul(inner, 2)) as Tensor;
  const weights = softmax(combine([div(-0.5, square(level.sigma)) as Tensor, distances]), { axis: 1 });
  return convert('x0', 'epsilon')(matmul(weights, data) as Tensor, x, level);
};

/** The root mean square of ε̂ − ε* at noisy points of the data, ε* being exact for the training points; that of ε is 1. */
export const fieldError = async (
  denoiser: Denoiser,
  level: NoiseLevel,
  { points, data, key }: { readonly points: Tensor; readonly data: Tensor; readonly key: Key },
): Promise<number> => {
  const x = addNoise(points, level, normal(key, points.shape) as Tensor);
  const exact = exactNoiseIn(x, level, data);
  const error = sqrt(mean(square(sub(noiseIn(denoiser, x, level), exact)))) as Tensor;
  return Number((await error.data())[0]);
};
