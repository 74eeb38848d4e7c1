/** Bandwidths of Gaussian kernels. */
import { arange, tensor } from '../../tensor/ops/creation/creation.js';
import { add, div } from '../../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../../tensor/ops/elementwise/cast.js';
import { greater, less, where } from '../../tensor/ops/elementwise/comparison.js';
import { sqrt } from '../../tensor/ops/elementwise/elementary.js';
import { sort } from '../../tensor/ops/indexing/sorting.js';
import { concat } from '../../tensor/ops/movement/joining.js';
import { expandDims, reshape } from '../../tensor/ops/movement/movement.js';
import { slice } from '../../tensor/ops/movement/slicing.js';
import type { Tensor } from '../../tensor/tensor.js';
import { squaredDistances } from './distances.js';

/** All pairs of more samples would have to be sorted for a number of which the first digit matters. */
const samplesOfMedian = 500;

/**
 * @internal The median distance between the samples of both sets together, of the first 500 of each; 1 where it is 0.
 * float64 [], a constant for derivatives.
 *
 * Source: Gretton et al. 2012, Journal of Machine Learning Research 13.
 */
export const medianDistance = (x: Tensor, y: Tensor): Tensor => {
  const heads = [x, y].map(each => slice(each, [0], [Math.min(each.shape[0]!, samplesOfMedian)]) as Tensor);
  const all = stopGradient(concat(heads) as Tensor);
  const count = all.shape[0]!;
  const numbers = arange(count, { dtype: 'int32' });
  // Each pair once: the others are sorted behind all of them.
  const once = where(less(expandDims(numbers, 1), numbers), squaredDistances(all, all), Number.POSITIVE_INFINITY);
  const squares = sort(reshape(once, [count * count])) as Tensor;
  const pairs = (count * (count - 1)) / 2;
  if (pairs === 0) return tensor(1, { dtype: 'float64' });
  const at = (place: number): Tensor => sqrt(reshape(slice(squares, [place], [place + 1]), [])) as Tensor;
  const median = div(add(at(Math.floor((pairs - 1) / 2)), at(Math.floor(pairs / 2))), 2);
  return where(greater(median, 0), median, 1) as Tensor;
};
