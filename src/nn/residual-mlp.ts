/** A denoiser for small, flat data: a residual multilayer perceptron told the timestep. */
import { type Key, split } from '../random/key.js';
import { ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { silu } from '../tensor/ops/elementwise/activation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { checkInteger, showAval, sizeOf } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { Layer } from './layer.js';
import { type LayerNormParams, layerNorm } from './layer-norm.js';
import { type LinearParams, linear } from './linear.js';
import { checkParams, checkTimes } from './model-checks.js';
import { skeletonOf } from './skeleton.js';
import { timestepEmbedding } from './timestep-embedding.js';

/** Sizes of {@link residualMlp}. */
export interface ResidualMlpOptions {
  /** Elements of one example. */
  readonly size: number;
  /** Width of the hidden layers. */
  readonly hidden: number;
  /** Number of residual blocks. */
  readonly blocks: number;
  /** Length of the time embedding. Default 64. */
  readonly embedding?: number;
}

/** Parameters of one block. */
export interface ResidualBlockParams {
  readonly norm: LayerNormParams;
  readonly time: LinearParams;
  readonly up: LinearParams;
  readonly down: LinearParams;
}

/** Parameters of {@link residualMlp}. */
export interface ResidualMlpParams {
  readonly time: LinearParams;
  readonly first: LinearParams;
  readonly blocks: readonly ResidualBlockParams[];
  readonly norm: LayerNormParams;
  readonly last: LinearParams;
}

/**
 * A residual multilayer perceptron with a sinusoidal time embedding: each block normalises, adds a projection of
 * the timestep, and adds two layers with a SiLU between to its input. The last layer of each branch starts at zero,
 * so the network starts as a linear one.
 *
 * @returns a layer; `apply(params, x, t)` takes x [N, …] with `size` elements an example and t [N], and gives a
 *   tensor of the shape of x
 * @throws IndexError for sizes that are no positive integers; ArgumentError for an unknown option; applied, ShapeError when x has
 *   other sizes, t is no vector of its first or the parameters do not fit, DTypeError for times of bools
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { tensor, zeros } from 'tenfold';
 * import { residualMlp } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = residualMlp({ size: 4, hidden: 8, blocks: 2 });
 * model.apply(model.init(key(0)), zeros([3, 2, 2]), tensor([0, 5, 9])).shape; // => [3, 2, 2]
 * ```
 */
export const residualMlp = (options: ResidualMlpOptions): Layer<ResidualMlpParams, readonly [x: Tensor, t: Tensor]> => {
  checkOptions('residualMlp', ['size', 'hidden', 'blocks', 'embedding'], options);
  const { size, hidden, blocks, embedding = 64 } = options ?? {};
  checkInteger('residualMlp', 'the size', size, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('residualMlp', 'the number of hidden elements', hidden, 1, Number.MAX_SAFE_INTEGER);
  checkInteger('residualMlp', 'the number of blocks', blocks, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('residualMlp', 'the length of the embedding', embedding, 2, Number.MAX_SAFE_INTEGER);
  const timeLayer = linear(embedding, embedding);
  const told = linear(embedding, hidden);
  const first = linear(size, hidden);
  const norm = layerNorm(hidden);
  const inner = linear(hidden, hidden);
  const closing = linear(hidden, hidden, { init: 'zeros' });
  const last = linear(hidden, size, { init: 'zeros' });
  const init = (key: Key): ResidualMlpParams => {
    const [forTime, forFirst, forBlocks] = split(key, 3) as readonly [Key, Key, Key];
    return Object.freeze({
      time: timeLayer.init(forTime),
      first: first.init(forFirst),
      blocks: Object.freeze(
        blocks === 0
          ? []
          : split(forBlocks, blocks).map(each => {
              const [a, b] = split(each, 2) as readonly [Key, Key];
              return Object.freeze({
                norm: norm.init(each),
                time: told.init(a),
                up: inner.init(b),
                down: closing.init(each),
              });
            }),
      ),
      norm: norm.init(key),
      last: last.init(key),
    });
  };
  const like = skeletonOf('residualMlp', init);
  return Object.freeze({
    init,
    apply: (params: ResidualMlpParams, x: Tensor, t: Tensor): Tensor => {
      if (!isTensor(x) || x.shape.length < 2 || sizeOf(x.shape.slice(1)) !== size) {
        throw new ShapeError({
          operation: 'residualMlp',
          given: isTensor(x) ? showAval(x) : typeof x,
          rule: `x is a batch of examples with ${size} elements each`,
          hint: 'Put the batch axis first.',
        });
      }
      checkTimes('residualMlp', t, x.shape[0]!);
      checkParams('residualMlp', like, params);
      const time = silu(timeLayer.apply(params.time, timestepEmbedding(t, embedding)));
      const start = first.apply(params.first, reshape(x, [x.shape[0]!, size]));
      const end = params.blocks.reduce((h, block) => {
        const input = add(norm.apply(block.norm, h), told.apply(block.time, time));
        return add(h, closing.apply(block.down, silu(inner.apply(block.up, silu(input)))));
      }, start);
      return reshape(last.apply(params.last, silu(norm.apply(params.norm, end))), x.shape);
    },
  });
};
