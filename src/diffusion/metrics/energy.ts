/** Energy distance: samples compared by the distances between and within them. */
import { add, mul, sub } from '../../tensor/ops/elementwise/arithmetic.js';
import type { Tensor } from '../../tensor/tensor.js';
import { meanDistance } from './distances.js';
import { centred, matricesOf, type Score } from './samples.js';

/**
 * The energy distance of two sets of samples, 2 𝔼‖x − y‖ − 𝔼‖x − x′‖ − 𝔼‖y − y′‖, the pairs of a sample with itself counted:
 * at least 0, and 0 for equal sets. Of distributions it is 0 only where they are the same, whatever they are. For what
 * `scipy.stats.energy_distance` gives take the root.
 *
 * Source: Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018.
 *
 * @param x float [n, d]; of [n, …] each sample is flattened
 * @param y float [m, d]
 * @returns float64 []; samples that are equal have the derivative 0 of their distance, which has none there
 * @throws ArgumentError, DTypeError for what is no float tensor
 * @throws ShapeError for a rank below 2, no sample, or samples of different sizes
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { energyDistance } from 'tenfold/diffusion';
 * energyDistance(tensor([[0], [2]]), tensor([[4]])).item(); // => 5
 * ```
 */
export const energyDistance = (x: Tensor, y: Tensor): Score => {
  const [a, c] = centred(matricesOf('energyDistance', { x, y })) as readonly [Tensor, Tensor];
  return sub(mul(2, meanDistance(a, c)), add(meanDistance(a, a), meanDistance(c, c))) as Score;
};
