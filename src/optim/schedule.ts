/** Learning rates as functions of the number of steps done. */

import { kindOf } from '../tensor/ops/common/checks.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { add, div, maximum, minimum, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { less, where } from '../tensor/ops/elementwise/comparison.js';
import { cos } from '../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { floatCount } from './leaves.js';

/**
 * Rises from 0 to the peak in `warmup` steps, then falls to `end` along half a cosine until `steps`
 * (Loshchilov & Hutter 2016, arXiv:1608.03983, without restarts).
 *
 * @param options `peak`; `warmup` and `steps` in steps, warmup < steps; `end` (0)
 * @returns a function of the count, giving a float32 scalar
 * @throws ArgumentError unless 0 ≤ warmup < steps, for what is no finite number or no such option, and for a count that is
 *   no tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { warmupCosine } from 'tenfold/optim';
 * const rate = warmupCosine({ peak: 1, warmup: 10, steps: 110 });
 * rate(tensor(5)).item(); // => 0.5
 * rate(tensor(60)).item(); // => 0.5
 * ```
 */
export const warmupCosine = (options: {
  readonly peak: number;
  readonly warmup: number;
  readonly steps: number;
  readonly end?: number;
}): ((count: Tensor) => Tensor) => {
  const operation = 'warmupCosine';
  checkOptions(operation, ['peak', 'warmup', 'steps', 'end'], options);
  const { peak, warmup, steps, end = 0 } = options ?? {};
  for (const [name, value] of Object.entries({ peak, warmup, steps, end })) {
    checkArgument(
      Number.isFinite(value),
      operation,
      `${isTensor(value) ? String(value) : kindOf(value)} as ${name}`,
      'peak, warmup, steps and end are finite numbers',
      'Write { peak: 1e-3, warmup: 100, steps: 10_000 }.',
    );
  }
  checkArgument(
    warmup >= 0 && warmup < steps,
    operation,
    `a warm-up of ${warmup} in ${steps} steps`,
    '0 ≤ warmup < steps',
    'Shorten the warm-up.',
  );
  return count => {
    const t = floatCount(operation, count);
    const progress = minimum(maximum(div(sub(t, warmup), steps - warmup), 0), 1);
    const falling = add(mul(add(cos(mul(progress, Math.PI)), 1), 0.5 * (peak - end)), end);
    return warmup === 0 ? falling : (where(less(t, warmup), mul(t, peak / warmup), falling) as Tensor);
  };
};
