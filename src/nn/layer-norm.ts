/** Normalisation over the last axis. */

import { ShapeError } from '../tensor/errors.js';
import { add, mul, sub } from '../tensor/ops/arithmetic.js';
import { ones, zeros } from '../tensor/ops/creation.js';
import { rsqrt } from '../tensor/ops/elementary.js';
import { mean, variance } from '../tensor/ops/reduction.js';
import { checkInteger, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';

/** Parameters of {@link layerNorm}: scale and shift, [size]. */
export interface LayerNormParams {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/**
 * Normalises the last axis to mean 0 and variance 1, then scales and shifts it
 * (Ba, Kiros, Hinton 2016, arXiv:1607.06450).
 *
 * @param size length of the last axis
 * @param options `epsilon` (1e-5) added to the variance
 * @returns a layer; x and y are […, size]
 * @throws IndexError when the size is no positive integer; applied, ShapeError when the last axis of x is another
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { layerNorm } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = layerNorm(2, { epsilon: 0 });
 * layer.apply(layer.init(key(0)), tensor([[1, 3]])).toArray(); // => [[-1, 1]]
 * ```
 */
export const layerNorm = (
  size: number,
  { epsilon = 1e-5 }: { readonly epsilon?: number } = {},
): Layer<LayerNormParams> => {
  checkInteger('layerNorm', 'the size', size, 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({
    init: (): LayerNormParams => Object.freeze({ weight: ones([size]), bias: zeros([size]) }),
    apply: ({ weight, bias }: LayerNormParams, x: Tensor): Tensor => {
      if (!isTensor(x) || x.shape.at(-1) !== size) {
        throw new ShapeError({
          operation: 'layerNorm',
          given: isTensor(x) ? `${showAval(x)} for weights ${showAval(weight)}` : typeof x,
          rule: `the last axis must have length ${size}`,
          hint: 'Make the layer with the length of the last axis.',
        });
      }
      const centred = sub(x, mean(x, { axis: -1, keepDims: true }));
      const scale = rsqrt(add(variance(x, { axis: -1, keepDims: true }), epsilon));
      return add(mul(mul(centred, scale), weight), bias);
    },
  });
};
