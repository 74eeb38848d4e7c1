/** Vectors for indices. */
import { normal } from '../random/draw.js';
import type { Key } from '../random/key.js';
import { DTypeError } from '../tensor/errors.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { add, div, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import { equal, greater, where } from '../tensor/ops/elementwise/comparison.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { take } from '../tensor/ops/indexing/indexing.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { norm } from '../tensor/ops/reduction/norm.js';
import { checkInteger, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type OneAxisMore, type ShapedLayer, shaped } from './layer.js';
import { parameter } from './normalisation.js';

/** Parameters of {@link embedding}: a row for each index, [count, size]. */
export interface EmbeddingParams {
  readonly weight: Tensor;
}

/** Options of {@link embedding}. */
export interface EmbeddingOptions {
  /** An index that stands for nothing: its row starts at 0 and gets no gradient. Negative ones count from the end. */
  readonly paddingIndex?: number;
  /** The norm above which a row is made shorter when it is looked up. None if left out. */
  readonly maxNorm?: number;
  /** The order p of that norm, `Infinity` for the largest element. Default 2. */
  readonly normType?: number;
}

/** Rows of at most this norm, others being scaled to it. As in PyTorch by a factor that is a constant to derivatives. */
const shortened = (rows: Tensor, most: number, ord: number): Tensor => {
  const length = norm(stopGradient(rows), { axis: -1, keepDims: true, ord }) as Tensor;
  return mul(rows, where(greater(length, most), div(most, add(length, 1e-7)), 1)) as Tensor;
};

/**
 * A vector for each index: rows of a table that is learnt. An index outside gives NaN, as in `take`.
 *
 * With `maxNorm` the rows that are looked up and longer are scaled to that norm. PyTorch writes them back into its table; here the
 * table stays as it is, which gives the same vectors. Gradients are those of a row times a constant factor.
 *
 * @param count how many rows there are
 * @param size of each vector
 * @param options `paddingIndex`: the row that starts at 0 and gets no gradient; `maxNorm` of the vectors, and `normType` (2), its
 *   order
 * @returns a layer; indices are an integer tensor of any shape, y […, size]
 * @throws IndexError when a number is no positive integer or there is no such padding index, ArgumentError for a wrong or unknown
 *   option; applied, DTypeError unless the indices are int32, uint32 or uint8, ShapeError when the weight does not fit
 * @numpy flax.linen.Embed
 * @pytorch torch.nn.Embedding
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { embedding } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const weight = tensor([[0, 0], [1, 2], [3, 4]]);
 * embedding(3, 2).apply({ weight }, tensor([2, 1], { dtype: 'int32' })).toArray(); // => [[3, 4], [1, 2]]
 * embedding(3, 2, { paddingIndex: 0 }).init(key(0)).weight.toArray()[0]; // => [0, 0]
 * const short = embedding(3, 2, { maxNorm: 1, normType: Infinity });
 * short.apply({ weight }, tensor([2], { dtype: 'int32' })).toArray(); // => [[0.75, 1]]
 * ```
 */
export const embedding = <const O extends number>(
  count: number,
  size: O,
  options: EmbeddingOptions = {},
): ShapedLayer<EmbeddingParams, OneAxisMore<O>> => {
  checkInteger('embedding', 'the number of rows', count, 1, 2 ** 31 - 1);
  checkInteger('embedding', 'the size', size, 1, Number.MAX_SAFE_INTEGER);
  checkOptions('embedding', ['paddingIndex', 'maxNorm', 'normType'], options);
  const { paddingIndex, maxNorm, normType = 2 } = options;
  if (maxNorm !== undefined) checkNumber('embedding', 'maxNorm', maxNorm, 'positive');
  checkNumber('embedding', 'normType', normType, 'positive');
  if (paddingIndex !== undefined) checkInteger('embedding', 'the padding index', paddingIndex, -count, count - 1);
  const padding = paddingIndex !== undefined && paddingIndex < 0 ? paddingIndex + count : paddingIndex;
  return shaped({
    init: (key: Key): EmbeddingParams => {
      const weight = normal(key, [count, size]) as Tensor;
      if (padding === undefined) return Object.freeze({ weight });
      const rows = expandDims(
        equal(arange(count, { dtype: 'int32' }), padding) as Tensor<readonly [number], 'bool'>,
        1,
      );
      return Object.freeze({ weight: where(rows, 0, weight) as Tensor });
    },
    apply: (params: EmbeddingParams, indices: Tensor): Tensor => {
      const weight = parameter('embedding', params, 'weight', [count, size]);
      if (!isTensor(indices) || !['int32', 'uint32', 'uint8'].includes(indices.dtype)) {
        throw new DTypeError({
          operation: 'embedding',
          given: isTensor(indices) ? showAval(indices) : typeof indices,
          rule: 'indices are a tensor of int32, uint32 or uint8',
          hint: "Cast them: cast(indices, 'int32').",
        });
      }
      const found = take(weight, indices as Tensor<readonly number[], 'int32'>) as Tensor;
      const rows = maxNorm === undefined ? found : shortened(found, maxNorm, normType);
      if (padding === undefined) return rows;
      const atPadding = equal(indices, padding) as Tensor;
      const counted = indices.dtype === 'int32' ? logicalOr(atPadding, equal(indices, padding - count)) : atPadding;
      return where(expandDims(counted as Tensor<readonly number[], 'bool'>, -1), stopGradient(rows), rows) as Tensor;
    },
  });
};
