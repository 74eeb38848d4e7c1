/** Sines of random frequencies. */
import { normal } from '../random/draw.js';
import type { Key } from '../random/key.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import { cos, sin } from '../tensor/ops/elementwise/elementary.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { expandDims, transpose } from '../tensor/ops/movement/movement.js';
import { checkArgument, checkInteger } from '../tensor/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { type LastAxis, type OneAxisMore, type ShapedLayer, shaped } from './layer.js';
import { inputOf, parameter } from './normalisation.js';

/** The frequencies of {@link fourierEmbedding} and {@link fourierFeatures}, [size / 2, …]. They are drawn once and get no gradient. */
export interface FourierParams {
  readonly weight: Tensor;
}

/** Options of {@link fourierEmbedding} and {@link fourierFeatures}. */
export interface FourierOptions {
  /** The standard deviation of the frequencies, in waves per unit. */
  readonly scale?: number;
}

const halfOf = (operation: string, size: number, options: FourierOptions): number => {
  checkOptions(operation, ['scale'], options);
  if (options.scale !== undefined) checkNumber(operation, 'scale', options.scale, 'positive');
  checkInteger(operation, 'the size', size, 2, Number.MAX_SAFE_INTEGER);
  checkArgument(
    size % 2 === 0,
    operation,
    `${kindOf(size)} as the size`,
    'it is even: a sine and a cosine for each frequency',
    'Use another size.',
  );
  return size / 2;
};

/** Sines, then cosines, of so many turns. */
const waves = (turns: Tensor): Tensor => {
  const angles = mul(turns, 2 * Math.PI) as Tensor;
  return concat([sin(angles), cos(angles)], { axis: -1 }) as Tensor;
};

const drawn = (key: Key, shape: readonly number[], scale: number): FourierParams =>
  Object.freeze({ weight: mul(normal(key, shape), scale) as Tensor });

/**
 * A vector for each number t, of a time as a rule: sin(2π w t), then cos(2π w t), with random frequencies w from N(0, scale²)
 * that stay as they are drawn (Song et al. 2021, arXiv:2011.13456, appendix C). They get no gradient; keep them from an optimizer
 * that makes weights decay.
 *
 * @param size of each vector, even
 * @param options `scale` (16) of the frequencies
 * @returns a layer; t is of any shape, y […, size]
 * @throws IndexError when the size is no positive integer, ArgumentError for an odd size and a wrong or unknown option; applied,
 *   DTypeError for uint8, ShapeError when the parameters do not fit
 * @numpy —
 * @pytorch diffusers.models.embeddings.GaussianFourierProjection
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { fourierEmbedding } from 'tenfold/nn';
 * const layer = fourierEmbedding(2);
 * layer.apply({ weight: tensor([0.125]) }, tensor([0, 1])).toArray(); // => [[0, 1], [0.70710677, 0.70710677]]
 * ```
 */
export const fourierEmbedding = <const N extends number>(
  size: N,
  options: FourierOptions = {},
): ShapedLayer<FourierParams, OneAxisMore<N>> => {
  const half = halfOf('fourierEmbedding', size, options);
  const { scale = 16 } = options;
  return shaped({
    init: (key: Key): FourierParams => drawn(key, [half], scale),
    apply: (params: FourierParams, t: Tensor): Tensor => {
      const weight = stopGradient(parameter('fourierEmbedding', params, 'weight', [half]));
      const numbers = wrap(unaryOperand('fourierEmbedding', t, { toFloat: true })) as Tensor;
      return waves(mul(expandDims(numbers, -1) as Tensor, weight) as Tensor);
    },
  });
};

/**
 * Random features of points: sin(2π W x), then cos(2π W x), with frequencies W from N(0, scale²) that stay as they are drawn, so
 * that a network sees high frequencies too (Tancik et al. 2020, arXiv:2006.10739, section 6). They get no gradient; keep them from
 * an optimizer that makes weights decay.
 *
 * @param inputs coordinates of a point
 * @param size of the vector for each point, even
 * @param options `scale` (10) of the frequencies
 * @returns a layer; x is […, inputs], y […, size]
 * @throws IndexError when a number is no positive integer, ArgumentError for an odd size and a wrong or unknown option; applied,
 *   DTypeError for uint8, ShapeError when the last axis of x is another or the parameters do not fit
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { fourierFeatures } from 'tenfold/nn';
 * const layer = fourierFeatures(2, 2);
 * layer.apply({ weight: tensor([[0.125, 0.5]]) }, tensor([[1, 0], [0, 0]])).toArray(); // => [[0.70710677, 0.70710677], [0, 1]]
 * ```
 */
export const fourierFeatures = <const I extends number, const N extends number>(
  inputs: I,
  size: N,
  options: FourierOptions = {},
): ShapedLayer<FourierParams, LastAxis<'fourierFeatures', I, N>> => {
  checkInteger('fourierFeatures', 'the number of inputs', inputs, 1, Number.MAX_SAFE_INTEGER);
  const half = halfOf('fourierFeatures', size, options);
  const { scale = 10 } = options;
  return shaped({
    init: (key: Key): FourierParams => drawn(key, [half, inputs], scale),
    apply: (params: FourierParams, x: Tensor): Tensor => {
      const weight = stopGradient(parameter('fourierFeatures', params, 'weight', [half, inputs])) as Tensor;
      const points = inputOf('fourierFeatures', x, [inputs]);
      return waves(matmul(points, transpose(weight) as Tensor) as Tensor);
    },
  });
};
