/** The fully connected layer. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { ShapeError } from '../tensor/errors.js';
import { add } from '../tensor/ops/arithmetic.js';
import { matmul } from '../tensor/ops/contraction.js';
import { zeros } from '../tensor/ops/creation.js';
import { transpose } from '../tensor/ops/movement.js';
import { checkInteger, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';

/** Parameters of {@link linear}: weight [outputs, inputs] as in PyTorch, bias [outputs]. */
export interface LinearParams {
  readonly weight: Tensor;
  readonly bias: Tensor;
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
 * @throws IndexError when a size is no positive integer; applied, ShapeError when the last axis of x is another
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { linear } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = linear(3, 2);
 * layer.apply(layer.init(key(0)), zeros([5, 3])).shape; // => [5, 2]
 * ```
 */
export const linear = (
  inputs: number,
  outputs: number,
  { init = 'default' }: LinearOptions = {},
): Layer<LinearParams> => {
  checkInteger('linear', 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('linear', 'the number of outputs', outputs, 1, Number.MAX_SAFE_INTEGER);
  const bound = 1 / Math.sqrt(inputs);
  return Object.freeze({
    init: (key: Key): LinearParams => {
      if (init === 'zeros') return Object.freeze({ weight: zeros([outputs, inputs]), bias: zeros([outputs]) });
      const [forWeight, forBias] = split(key, 2) as readonly [Key, Key];
      return Object.freeze({
        weight: uniform(forWeight, [outputs, inputs], { low: -bound, high: bound }),
        bias: uniform(forBias, [outputs], { low: -bound, high: bound }),
      });
    },
    apply: ({ weight, bias }: LinearParams, x: Tensor): Tensor => {
      if (!isTensor(x) || x.shape.at(-1) !== inputs) {
        throw new ShapeError({
          operation: 'linear',
          given: isTensor(x) ? `${showAval(x)} for weights ${showAval(weight)}` : typeof x,
          rule: `the last axis must have length ${inputs}`,
          hint: 'Reshape the input, or make the layer with its number of inputs.',
        });
      }
      return add(matmul(x, transpose(weight)), bias);
    },
  });
};
