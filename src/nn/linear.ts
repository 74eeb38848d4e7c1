/** The fully connected layer. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { transpose } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type LastAxis, type ShapedLayer, shaped } from './layer.js';
import { inputOf, parameter } from './normalisation.js';

/** Parameters of {@link linear}: weight [outputs, inputs] as in PyTorch, bias [outputs] where there is one. */
export type LinearParams<
  I extends number = number,
  O extends number = number,
  Bias extends boolean = true,
> = Bias extends true
  ? { readonly weight: Tensor<readonly [O, I]>; readonly bias: Tensor<readonly [O]> }
  : { readonly weight: Tensor<readonly [O, I]> };

/** Options of {@link linear}. */
export interface LinearOptions<Bias extends boolean = boolean> {
  /** Whether a vector is added. Default true. */
  readonly bias?: Bias;
  /** `default`: as PyTorch, uniform within ±1/√inputs; `zeros` for the last layer of a residual branch. */
  readonly init?: 'default' | 'zeros';
}

/**
 * `y = x Wᵀ + b` over the last axis.
 *
 * @param inputs length of the last axis of x
 * @param outputs length of the last axis of y
 * @param options `bias: false` for y = x Wᵀ; `init: 'zeros'` for parameters that start at 0
 * @returns a layer; x is […, inputs], y […, outputs]
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when
 *   the last axis of x is another or the parameters do not fit, DTypeError for uint8
 * @numpy flax.linen.Dense
 * @pytorch torch.nn.Linear
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { linear } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = linear(3, 2);
 * layer.apply(layer.init(key(0)), zeros([5, 3])).shape; // => [5, 2]
 * ```
 */
export const linear = <const I extends number, const O extends number, const Bias extends boolean = true>(
  inputs: I,
  outputs: O,
  options: LinearOptions<Bias> = {},
): ShapedLayer<LinearParams<I, O, Bias>, LastAxis<'linear', I, O>> => {
  checkOptions('linear', ['bias', 'init'], options);
  const { bias = true, init = 'default' } = options;
  checkInteger('linear', 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('linear', 'the number of outputs', outputs, 1, Number.MAX_SAFE_INTEGER);
  checkFlag('linear', 'bias', bias);
  checkArgument(
    init === 'default' || init === 'zeros',
    'linear',
    `init: ${String(init)}`,
    "parameters start by 'default' or as 'zeros'",
    'Leave it out for the default.',
  );
  const bound = 1 / Math.sqrt(inputs);
  const first = (key: Key, shape: readonly number[]): Tensor =>
    init === 'zeros' ? zeros(shape) : uniform(key, shape, { low: -bound, high: bound });
  return shaped({
    init: (key: Key): LinearParams<I, O, Bias> => {
      const [forWeight, forBias] = split(key, 2) as readonly [Key, Key];
      const weight = first(forWeight, [outputs, inputs]);
      return Object.freeze(bias ? { weight, bias: first(forBias, [outputs]) } : { weight }) as LinearParams<I, O, Bias>;
    },
    apply: (params: LinearParams<I, O, Bias>, x: Tensor): Tensor => {
      const weight = parameter('linear', params, 'weight', [outputs, inputs]);
      const y = matmul(inputOf('linear', x, [inputs]), transpose(weight)) as Tensor;
      return bias ? (add(y, parameter('linear', params as LinearParams, 'bias', [outputs])) as Tensor) : y;
    },
  });
};
