/** Norms of vectors. */
import { type Tensor, wrap } from '../../tensor.js';
import { checkNumber } from '../common/numbers.js';
import { withOptions } from '../common/options.js';
import { normOf } from './magnitude.js';
import { floats, type ReductionOptions, reduceBy, usual } from './reducing.js';
import type { Reduction } from './reduction.js';

/** What {@link norm} takes beside the axes. */
export interface NormOptions {
  /** The order p, also ±Infinity and 0; 2 if left out. */
  readonly ord?: number;
}

/**
 * The norm of the elements along the axes, taken as one vector: `(Σ |x|ᵖ)^(1/p)`; the largest size for p = ∞, the smallest for
 * −∞, the number of elements other than 0 for p = 0. The derivative at the origin is 0.
 *
 * @param x any tensor
 * @param options the axes, whether they stay, and the order `ord` (2)
 * @returns the shape without the axes, and the dtype of `x`; integers and bool give float32
 * @throws ArgumentError when `ord` is no number, `x` no tensor or an option unknown
 * @throws AxisError for an axis that `x` does not have, or one named twice
 * @throws ShapeError for −∞ along an empty axis
 * @numpy np.linalg.norm
 * @pytorch torch.linalg.vector_norm
 * @example
 * ```js
 * import { norm, tensor } from 'tenfold';
 * const x = tensor([[3, 4], [0, -5]]);
 * norm(x, { axis: 1 }).toArray(); // => [5, 5]
 * norm(x, { ord: 1 }).item(); // => 12
 * norm(x, { ord: Infinity, axis: 0 }).toArray(); // => [3, 5]
 * ```
 */
export const norm: Reduction<'norm', 'float', NormOptions> = withOptions(
  'norm',
  [...usual, 'ord'],
  (x: Tensor, options: ReductionOptions & NormOptions) => {
    const ord = checkNumber('norm', 'ord', options.ord ?? 2);
    return wrap(reduceBy('norm', floats('norm')(x), options, (y, axes) => normOf('norm', y, axes, ord)));
  },
);
