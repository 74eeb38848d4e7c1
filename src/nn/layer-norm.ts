/** Normalisation over the last axes. */
import { checkFlag } from '../tensor/ops/common/options.js';
import { ones } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { range, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ShapedLayer, type Sizes, shaped, type WithLastAxes } from './layer.js';
import {
  type AffineParams,
  checkNormOptions,
  checkSizes,
  identity,
  inputOf,
  type MaybeAffine,
  type NormOptions,
  normalised,
  parameter,
  scaled,
} from './normalisation.js';

/** Parameters of {@link layerNorm}: scale and shift, of the lengths of the last axes, where there are any. */
export type LayerNormParams<Affine extends boolean = true, Bias extends boolean = true> = Affine extends true
  ? Bias extends true
    ? AffineParams
    : { readonly weight: Tensor }
  : MaybeAffine<false>;

/** Options of {@link layerNorm}. */
export interface LayerNormOptions<Affine extends boolean = boolean, Bias extends boolean = boolean>
  extends NormOptions<Affine> {
  /** Whether it shifts what it has scaled. Default true. */
  readonly bias?: Bias;
}

/**
 * Normalises the last axis, or the last axes, to mean 0 and variance 1, then scales and shifts each element
 * (Ba, Kiros, Hinton 2016, arXiv:1607.06450): `(x − mean) / √(variance + ε) · weight + bias`.
 *
 * @param size length of the last axis, or the lengths of the last axes
 * @param options `epsilon` (1e-5) added to the variance; `bias: false` for no shift, `affine: false` for no scale either
 * @returns a layer; x and y are […, size], y of float32 for integers
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError
 *   when the last axes of x are others or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.LayerNorm
 * @pytorch torch.nn.LayerNorm
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { layerNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = layerNorm(2, { epsilon: 0 });
 * layer.apply(layer.init(key(0)), tensor([[1, 3]])).toArray(); // => [[-1, 1]]
 * const whole = layerNorm([2, 2], { epsilon: 0, affine: false });
 * whole.apply({}, tensor([[1, 1], [3, 3]])).toArray(); // => [[-1, -1], [1, 1]]
 * ```
 */
export const layerNorm = <
  const Size extends number | Shape,
  Affine extends boolean = true,
  Bias extends boolean = true,
>(
  size: Size,
  options: LayerNormOptions<Affine, Bias> = {},
): ShapedLayer<LayerNormParams<Affine, Bias>, WithLastAxes<'layerNorm', Sizes<Size>>> => {
  const sizes = checkSizes('layerNorm', size);
  checkNormOptions('layerNorm', ['epsilon', 'affine', 'bias'], options);
  const { epsilon = 1e-5, affine = true, bias = true } = options;
  checkFlag('layerNorm', 'bias', bias);
  const axes = range(sizes.length).map(axis => axis - sizes.length);
  return shaped({
    init: () =>
      (affine && !bias ? Object.freeze({ weight: ones(sizes) }) : identity(sizes, affine)) as LayerNormParams<
        Affine,
        Bias
      >,
    apply: (params: LayerNormParams<Affine, Bias>, x: Tensor): Tensor => {
      const y = normalised(inputOf('layerNorm', x, sizes), axes, epsilon);
      if (!affine) return y;
      const all = params as AffineParams;
      return bias
        ? scaled('layerNorm', y, all, sizes)
        : (mul(y, parameter('layerNorm', all, 'weight', sizes)) as Tensor);
    },
  });
};
