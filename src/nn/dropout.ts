/** Elements left out at random. */
import { bernoulli } from '../random/draw.js';
import { type Key, keyNode } from '../random/key.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { zeros } from '../tensor/ops/creation/creation.js';
import { mul } from '../tensor/ops/elementwise/arithmetic.js';
import { where } from '../tensor/ops/elementwise/comparison.js';
import { checkArgument } from '../tensor/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { type Context, type SameShape, type ShapedLayer, shaped } from './layer.js';

/** @internal A share of what is left out: a number from 0 to 1. */
export const checkRate = (operation: string, rate: unknown): void =>
  checkArgument(
    typeof rate === 'number' && rate >= 0 && rate <= 1,
    operation,
    `the rate ${String(rate)}`,
    'the share of what is dropped is a number from 0 to 1',
    'Give 0 for none.',
  );

/** @internal The key that a call was given, if it was. */
export const keyIn = (operation: string, { key }: Context): Key | undefined => {
  if (key !== undefined) keyNode(operation, key);
  return key;
};

/** @internal Some elements as 0, the others larger by as much as keeps the mean; without a key all as they are. */
export const dropped = (x: Tensor, rate: number, key: Key | undefined): Tensor => {
  if (key === undefined || rate === 0) return x;
  if (rate === 1) return zeros(x.shape, { dtype: x.dtype });
  return where(bernoulli(key, 1 - rate, x.shape), mul(x, 1 / (1 - rate)), 0) as Tensor;
};

/**
 * Each element 0 with the probability `rate`, else larger by 1 / (1 − rate), so that the mean stays (Srivastava et al. 2014,
 * JMLR 15:1929). It needs a key for it: `apply(params, x, { key })`. Without, x stays as it is.
 *
 * @param rate the probability from 0 to 1; 0.5 if left out
 * @returns a layer with the parameters `{}`; y has the shape of x, of float32 for integers
 * @throws ArgumentError for another rate; applied, ArgumentError for what is no key or no tensor, DTypeError for uint8
 * @numpy flax.linen.Dropout
 * @pytorch torch.nn.Dropout
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { dropout } from 'tenfold/nn';
 * import { key } from 'tenfold/random';
 * const layer = dropout(0.5);
 * layer.apply({}, tensor([1, 2, 3, 4])).toArray(); // => [1, 2, 3, 4]
 * layer.apply({}, tensor([1, 2, 3, 4]), { key: key(1) }).toArray(); // => [2, 0, 6, 8]
 * ```
 */
export const dropout = (rate = 0.5): ShapedLayer<Readonly<Record<never, never>>, SameShape> => {
  checkRate('dropout', rate);
  return shaped({
    init: () => Object.freeze({}),
    apply: (_: Readonly<Record<never, never>>, x: Tensor, context: Context = {}): Tensor => {
      checkOptions('dropout', ['key'], context);
      return dropped(wrap(unaryOperand('dropout', x, { toFloat: true })), rate, keyIn('dropout', context));
    },
  });
};
