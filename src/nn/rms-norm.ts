/** Normalisation by the root of the mean square. */

import { ones } from '../tensor/ops/creation/creation.js';
import { add, mul, square } from '../tensor/ops/elementwise/arithmetic.js';
import { rsqrt } from '../tensor/ops/elementwise/elementary.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { range, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ShapedLayer, type Sizes, shaped, type WithLastAxes } from './layer.js';
import { checkNormOptions, checkSizes, inputOf, type NormOptions, parameter } from './normalisation.js';

/** Parameters of {@link rmsNorm}: the scale, of the lengths of the last axes, where there is one. */
export type RmsNormParams<Affine extends boolean = true> = Affine extends true
  ? { readonly weight: Tensor }
  : Readonly<Record<string, never>>;

/**
 * Divides by the root of the mean square of the last axis, or the last axes, and scales each element
 * (Zhang, Sennrich 2019, arXiv:1910.07467): `x / √(mean(x²) + ε) · weight`.
 *
 * @param size length of the last axis, or the lengths of the last axes
 * @param options `epsilon` (1e-6) added to the mean square; `affine: false` for no scale
 * @returns a layer; x and y are […, size], y of float32 for integers
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError
 *   when the last axes of x are others or the weight does not fit, DTypeError for uint8
 * @numpy flax.linen.RMSNorm
 * @pytorch torch.nn.RMSNorm
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { rmsNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = rmsNorm(2, { epsilon: 0 });
 * layer.apply(layer.init(key(0)), tensor([[1, 7], [-3, 3]])).toArray(); // => [[0.2, 1.4], [-1, 1]]
 * ```
 */
export const rmsNorm = <const Size extends number | Shape, Affine extends boolean = true>(
  size: Size,
  options: NormOptions<Affine> = {},
): ShapedLayer<RmsNormParams<Affine>, WithLastAxes<'rmsNorm', Sizes<Size>>> => {
  const sizes = checkSizes('rmsNorm', size);
  checkNormOptions('rmsNorm', ['epsilon', 'affine'], options);
  const { epsilon = 1e-6, affine = true } = options;
  const over = { axis: range(sizes.length).map(axis => axis - sizes.length), keepDims: true };
  return shaped({
    init: () => Object.freeze(affine ? { weight: ones(sizes) } : {}) as RmsNormParams<Affine>,
    apply: (params: RmsNormParams<Affine>, x: Tensor): Tensor => {
      const input = inputOf('rmsNorm', x, sizes);
      const y = mul(input, rsqrt(add(mean(square(input), over), epsilon))) as Tensor;
      return affine ? (mul(y, parameter('rmsNorm', params as RmsNormParams, 'weight', sizes)) as Tensor) : y;
    },
  });
};
