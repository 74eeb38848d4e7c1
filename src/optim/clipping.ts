/** Gradients kept from growing too large. */
import { type FloatDType, promote } from '../tensor/dtype.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { add, clamp, div, minimum, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { stack } from '../tensor/ops/movement/joining.js';
import { norm } from '../tensor/ops/reduction/norm.js';
import type { Tensor } from '../tensor/tensor.js';
import { placesOf, zipFloats } from './leaves.js';
import type { GradientTransform } from './transform.js';

/** Options of {@link globalNorm} and {@link clipByGlobalNorm}. */
export interface GlobalNormOptions {
  /** The order p of the norm, above 0 and perhaps infinite. Default 2. */
  readonly ord?: number;
}

const orderOf = (operation: string, options: GlobalNormOptions | undefined): number => {
  checkOptions(operation, ['ord'], options);
  const { ord = 2 } = options ?? {};
  return checkNumber(operation, 'ord', ord, 'positive');
};

const globalNormFor = (operation: string, tree: unknown, ord: number): Tensor => {
  const leaves = placesOf(operation, [tree]).leaves.map(([leaf]) => leaf!);
  if (leaves.length === 0) return zeros([]);
  const dtype = leaves.map(leaf => leaf.dtype).reduce((x, y) => promote(operation, x, y)) as FloatDType;
  return norm(stack(leaves.map(leaf => cast(norm(leaf, { ord }), dtype)) as readonly Tensor[]) as Tensor, { ord });
};

/**
 * The norm of all leaves of a tree taken as one vector.
 *
 * @param options the order `ord` (2), above 0 and perhaps infinite
 * @returns a scalar of the widest dtype of the leaves; 0 for a tree without leaves
 * @throws ArgumentError for an order that is no number above 0 and for unknown options, TreeError and DTypeError for a leaf
 *   that is no float tensor
 * @numpy optax.global_norm
 * @pytorch torch.nn.utils.get_total_norm
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { globalNorm } from 'tenfold/optim';
 * globalNorm({ w: tensor([3, 0]), b: tensor(4) }).item(); // => 5
 * ```
 */
export const globalNorm = (tree: unknown, options?: GlobalNormOptions): Tensor =>
  globalNormFor('globalNorm', tree, orderOf('globalNorm', options));

/** Keeps a gradient of exactly 0 from a division by it, as PyTorch does. */
const tiny = 1e-6;

/**
 * Scales all updates by one factor so that their norm, as of one vector, is at most `maxNorm`: by
 * `min(1, maxNorm / (norm + 1e-6))` (Pascanu, Mikolov, Bengio 2012, arXiv:1211.5063).
 *
 * @param options the order of the norm, `ord` (2)
 * @throws ArgumentError for a norm below 0, an order not above 0 and unknown options; its update, TreeError and DTypeError
 *   for a leaf that is no float tensor
 * @numpy optax.clip_by_global_norm
 * @pytorch torch.nn.utils.clip_grad_norm_
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { clipByGlobalNorm } from 'tenfold/optim';
 * const g = { w: tensor([3, 0]), b: tensor(4) };
 * clipByGlobalNorm(10).update(g, null, g)[0].b.item(); // => 4
 * clipByGlobalNorm(1).update(g, null, g)[0].b.item().toFixed(4); // => '0.8000'
 * ```
 */
export const clipByGlobalNorm = (maxNorm: number, options?: GlobalNormOptions): GradientTransform<null> => {
  const ord = orderOf('clipByGlobalNorm', options);
  checkNumber('clipByGlobalNorm', 'the largest norm', maxNorm, 'notNegative');
  return Object.freeze({
    init: () => null,
    update: <P>(updates: P) => {
      const total = globalNormFor('clipByGlobalNorm', updates, ord);
      const factor = minimum(div(maxNorm, add(total, tiny) as Tensor) as Tensor, 1) as Tensor;
      const clipped = zipFloats('clipByGlobalNorm', u => mul(u!, cast(factor, u!.dtype)) as Tensor, updates);
      return Object.freeze([clipped, null] as const);
    },
  });
};

/**
 * Clamps every element of the updates to between `−limit` and `limit`.
 *
 * @throws ArgumentError for a limit below 0; its update, TreeError and DTypeError for a leaf that is no float tensor
 * @numpy optax.clip
 * @pytorch torch.nn.utils.clip_grad_value_
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { clipByValue } from 'tenfold/optim';
 * const g = tensor([0.5, -3]);
 * clipByValue(1).update(g, null, g)[0].toArray(); // => [0.5, -1]
 * ```
 */
export const clipByValue = (limit: number): GradientTransform<null> => {
  checkNumber('clipByValue', 'the limit', limit, 'notNegative');
  return Object.freeze({
    init: () => null,
    update: <P>(updates: P) =>
      Object.freeze([zipFloats('clipByValue', u => clamp(u!, -limit, limit) as Tensor, updates), null] as const),
  });
};
