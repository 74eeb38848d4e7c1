/** The rectifier whose slope is learnt. */
import { checkOptions } from '../tensor/ops/common/options.js';
import { full } from '../tensor/ops/creation/creation.js';
import * as operations from '../tensor/ops/elementwise/rectifiers.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type SameShape, type ShapedLayer, shaped } from './layer.js';
import { parameter } from './normalisation.js';

/** Parameters of {@link prelu}: the slopes, [channels] or [1]. */
export interface PreluParams {
  readonly weight: Tensor;
}

/**
 * `x` above 0, else `weight · x` (He, Zhang, Ren, Sun 2015, arXiv:1502.01852), with one slope that is learnt, or one for each
 * channel.
 *
 * @param channels 1 (the default) for one slope, or the length of the second axis of x
 * @param options `slope`: where they start, 0.25
 * @returns a layer; x has any shape for one slope, else [N, channels, …]; y has the shape of x
 * @throws IndexError when the number is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when
 *   x has other channels or the weight does not fit, DTypeError for uint8
 * @numpy flax.linen.PReLU
 * @pytorch torch.nn.PReLU
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { prelu } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = prelu();
 * layer.apply(layer.init(key(0)), tensor([-4, 2])).toArray(); // => [-1, 2]
 * prelu(2).apply({ weight: tensor([0, 0.5]) }, tensor([[-4, -4]])).toArray(); // => [[0, -2]]
 * ```
 */
export const prelu = (channels = 1, options: { readonly slope?: number } = {}): ShapedLayer<PreluParams, SameShape> => {
  checkInteger('prelu', 'the number of channels', channels, 1, Number.MAX_SAFE_INTEGER);
  checkOptions('prelu', ['slope'], options);
  const { slope = 0.25 } = options;
  checkArgument(
    Number.isFinite(slope),
    'prelu',
    `slope ${String(slope)}`,
    'the first slope is a finite number',
    'Leave it out for 0.25.',
  );
  return shaped({
    init: (): PreluParams => Object.freeze({ weight: full([channels], slope) }),
    apply: (params: PreluParams, x: Tensor): Tensor =>
      operations.prelu(x, parameter('prelu', params, 'weight', [channels])),
  });
};
