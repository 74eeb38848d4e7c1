/** The fully connected layer. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { transpose } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type LastAxis, type ShapedLayer, shaped } from './layer.js';
import { inputOf, parameter } from './normalisation.js';

/** Parameters of {@link linear}: weight [outputs, inputs] as in PyTorch, bias [outputs]. */
export interface LinearParams<I extends number = number, O extends number = number> {
  readonly weight: Tensor<readonly [O, I]>;
  readonly bias: Tensor<readonly [O]>;
}

/** Options of {@link linear}. */
export interface LinearOptions {
  /** `default`: as PyTorch, uniform within ±1/√inputs; `zeros` for the last layer of a residual branch. */
  readonly init?: 'default' | 'zeros';
}

/**
 * `y = x Wᵀ + b` over the last axis.
 *
 * @param inputs length of the last axis of x
 * @param outputs length of the last axis of y
 * @returns a layer; x is […, inputs], y […, outputs]
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when
 *   the last axis of x is another or the parameters do not fit
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { linear } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = linear(3, 2);
 * layer.apply(layer.init(key(0)), zeros([5, 3])).shape; // => [5, 2]
 * ```
 */
export const linear = <const I extends number, const O extends number>(
  inputs: I,
  outputs: O,
  options: LinearOptions = {},
): ShapedLayer<LinearParams<I, O>, LastAxis<'linear', I, O>> => {
  checkOptions('linear', ['init'], options);
  const { init = 'default' } = options;
  checkInteger('linear', 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('linear', 'the number of outputs', outputs, 1, Number.MAX_SAFE_INTEGER);
  checkArgument(
    init === 'default' || init === 'zeros',
    'linear',
    `init: ${String(init)}`,
    "parameters start by 'default' or as 'zeros'",
    'Leave it out for the default.',
  );
  const bound = 1 / Math.sqrt(inputs);
  return shaped({
    init: (key: Key): LinearParams<I, O> => {
      if (init === 'zeros') return Object.freeze({ weight: zeros([outputs, inputs]), bias: zeros([outputs]) });
      const [forWeight, forBias] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({
        weight: uniform(forWeight, [outputs, inputs], { low: -bound, high: bound }),
        bias: uniform(forBias, [outputs], { low: -bound, high: bound }),
      });
    },
    apply: (params: LinearParams<I, O>, x: Tensor): Tensor => {
      const weight = parameter('linear', params, 'weight', [outputs, inputs]);
      const bias = parameter('linear', params, 'bias', [outputs]);
      return add(matmul(inputOf('linear', x, [inputs]), transpose(weight)), bias);
    },
  });
};
