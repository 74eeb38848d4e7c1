/** A layer many times over, as one loop. */
import { type Key, splitStack } from '../random/key.js';
import { promote } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { nodeFor, unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { checkInteger, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { type FoldOptions, fold } from '../tensor/transform/loops.js';
import { type Batched, vmap } from '../tensor/transform/vmap.js';
import { flattenFor } from '../tree/tree.js';
import type { Layer, ShapedLayer, ShapeMap } from './layer.js';
import type { Kept } from './shape-maps.js';
import { checkLayer, forOne, unchanged } from './skips.js';

/** Options of {@link repeat}: how much a derivative keeps, as for `fold`. */
export type RepeatOptions = Pick<FoldOptions, 'segments'>;

/** The signatures of {@link repeat}. */
export interface RepeatLayer {
  <P, F extends ShapeMap>(
    layer: ShapedLayer<P, F>,
    count: number,
    options?: RepeatOptions,
  ): ShapedLayer<Batched<P>, Kept<'repeat', F>>;
  <P, R extends readonly unknown[]>(
    layer: Layer<P, readonly [x: Tensor, ...R]>,
    count: number,
    options?: RepeatOptions,
  ): Layer<Batched<P>, readonly [x: Tensor, ...R]>;
}

/**
 * A layer `count` times over, each time with parameters of its own, as a loop: 100 of them are compiled as one.
 *
 * The parameters are those of one layer with one more axis in front. What else the layer takes is the same each time, but for
 * a random key in a record of options (`{ key }`), of which each makes one of its own.
 *
 * @param layer from a tensor to one of the same shape
 * @param count how many times
 * @param options `segments`: see `fold`; `'sqrt'` for little memory on the way back
 * @returns a layer
 * @throws ArgumentError for what is no layer and an unknown option, IndexError when the count is no positive integer; applied, what
 *   the layer throws, and ShapeError when it gives another shape or parameters have not `count` as first axis
 * @numpy flax.linen.scan
 * @pytorch —
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { repeat, residual, transformerEncoderLayer } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const model = repeat(transformerEncoderLayer(8, 2, { feedForward: 16 }), 12);
 * const params = model.init(key(0));
 * params.linear1.weight.shape; // => [12, 16, 8]
 * model.apply(params, zeros([3, 5, 8]), { causal: true }).shape; // => [3, 5, 8]
 * ```
 */
export const repeat: RepeatLayer = ((
  layer: Layer<unknown, readonly [Tensor, ...unknown[]]>,
  count: number,
  options: RepeatOptions = {},
) => {
  checkLayer('repeat', layer);
  checkInteger('repeat', 'the count', count, 1, 2 ** 31 - 1);
  checkOptions('repeat', ['segments'], options);
  return Object.freeze({
    init: (key: Key): unknown => vmap(layer.init)(splitStack(key, count) as never),
    apply: (params: unknown, x: Tensor, ...rest: readonly unknown[]): Tensor => {
      const { leaves } = flattenFor('repeat', params);
      const wrong = leaves.findIndex(leaf => !isTensor(leaf) || leaf.shape[0] !== count);
      if (leaves.length === 0 || wrong >= 0) {
        throw new (leaves.length === 0 ? ArgumentError : ShapeError)({
          operation: 'repeat',
          given:
            leaves.length === 0 ? 'no parameters' : isTensor(leaves[wrong]) ? showAval(leaves[wrong]) : 'no tensor',
          rule: `each parameter has a first axis of length ${count}`,
          hint: 'Make them with init(key).',
        });
      }
      const dtype = (leaves as readonly Tensor[])
        .map(leaf => leaf.dtype)
        .reduce((a, b) => promote('repeat', a, b), unaryOperand('repeat', nodeTensor(x), { toFloat: true }).dtype);
      const step = (h: Tensor, { p, i }: { readonly p: unknown; readonly i: Tensor }): Tensor =>
        cast(
          unchanged('repeat', layer.apply(p, h, ...rest.map(each => forOne('repeat', each, i))), h),
          dtype,
        ) as Tensor;
      const steps = { p: params, i: arange(count, { dtype: 'int32' }) as Tensor };
      return fold(step, options)(cast(x, dtype) as Tensor, steps);
    },
  });
}) as never;

const nodeTensor = (x: Tensor): Tensor => wrap(nodeFor('repeat', x));
