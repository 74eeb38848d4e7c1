/** The layer that is linear in each of two inputs. */
import { uniform } from '../random/draw.js';
import { type Key, split } from '../random/key.js';
import { ShapeError } from '../tensor/errors.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { einsum } from '../tensor/ops/contraction/einsum.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { broadcastShapes, checkInteger, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';
import { inputOf, parameter } from './normalisation.js';

/** Parameters of {@link bilinear}: weight [outputs, first, second], bias [outputs] where there is one. */
export type BilinearParams<Bias extends boolean = true> = Bias extends true
  ? { readonly weight: Tensor; readonly bias: Tensor }
  : { readonly weight: Tensor };

/** Options of {@link bilinear}. */
export interface BilinearOptions<Bias extends boolean = boolean> {
  /** Whether a vector is added. Default true. */
  readonly bias?: Bias;
}

/**
 * `y[o] = Σ a[i] · W[o, i, j] · b[j] + bias[o]` over the last axes of two tensors, whose other axes broadcast. The parameters
 * start uniform within ±1/√first.
 *
 * @param first length of the last axis of a
 * @param second length of the last axis of b
 * @param outputs length of the last axis of y
 * @param options `bias: false` for none
 * @returns a layer; `apply(params, a, b)` takes […, first] and […, second], and gives […, outputs]
 * @throws IndexError when a size is no positive integer, ArgumentError for a wrong or unknown option; applied, ShapeError when a
 *   last axis is another, the other axes do not broadcast or the parameters do not fit, DTypeError for uint8
 * @numpy —
 * @pytorch torch.nn.Bilinear
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { bilinear } from 'tenfold/nn';
 * const params = { weight: tensor([[[1, 0], [0, 10]]]) };
 * bilinear(2, 2, 1, { bias: false }).apply(params, tensor([1, 2]), tensor([3, 4])).toArray(); // => [83]
 * ```
 */
export const bilinear = <const Bias extends boolean = true>(
  first: number,
  second: number,
  outputs: number,
  options: BilinearOptions<Bias> = {},
): Layer<BilinearParams<Bias>, readonly [a: Tensor, b: Tensor]> => {
  checkInteger('bilinear', 'the length of the first input', first, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('bilinear', 'the length of the second input', second, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('bilinear', 'the number of outputs', outputs, 1, Number.MAX_SAFE_INTEGER);
  checkOptions('bilinear', ['bias'], options);
  const { bias = true } = options;
  checkFlag('bilinear', 'bias', bias);
  const shape = [outputs, first, second];
  const bound = 1 / Math.sqrt(first);
  return Object.freeze({
    init: (key: Key): BilinearParams<Bias> => {
      const [forWeight, forBias] = split(key, 2) as readonly [Key, Key];
      const weight = uniform(forWeight, shape, { low: -bound, high: bound });
      return Object.freeze(
        bias ? { weight, bias: uniform(forBias, [outputs], { low: -bound, high: bound }) } : { weight },
      ) as BilinearParams<Bias>;
    },
    apply: (params: BilinearParams<Bias>, a: Tensor, b: Tensor): Tensor => {
      const [left, right] = [inputOf('bilinear', a, [first]), inputOf('bilinear', b, [second])];
      try {
        broadcastShapes('bilinear', left.shape.slice(0, -1), right.shape.slice(0, -1));
      } catch {
        throw new ShapeError({
          operation: 'bilinear',
          given: `${showAval(a)} and ${showAval(b)}`,
          rule: 'all axes but the last broadcast',
          hint: 'Use expandDims to pair every element of one with every element of the other.',
        });
      }
      const weight = parameter('bilinear', params, 'weight', shape);
      const y = einsum('...i,oij,...j->...o', left, weight, right) as Tensor;
      return bias ? (add(y, parameter('bilinear', params as BilinearParams, 'bias', [outputs])) as Tensor) : y;
    },
  });
};
