/** Learning rates as functions of the number of steps done. */
import { add, div, maximum, minimum, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { cos } from '../tensor/ops/elementwise/elementary.js';
import { checkArgument } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Rises from 0 to the peak in `warmup` steps, then falls to `end` along half a cosine until `steps`
 * (Loshchilov & Hutter 2016, arXiv:1608.03983, without restarts).
 *
 * @param options `peak`; `warmup` and `steps` in steps, warmup < steps; `end` (0)
 * @returns a function of the count, giving a float32 scalar
 * @throws ArgumentError unless 0 ≤ warmup < steps
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { warmupCosine } from 'tenfold/optim';
 * const rate = warmupCosine({ peak: 1, warmup: 10, steps: 110 });
 * rate(tensor(5)).item(); // => 0.5
 * rate(tensor(60)).item(); // => 0.5
 * ```
 */
export const warmupCosine = ({
  peak,
  warmup,
  steps,
  end = 0,
}: {
  readonly peak: number;
  readonly warmup: number;
  readonly steps: number;
  readonly end?: number;
}): ((count: Tensor) => Tensor) => {
  checkArgument(
    warmup >= 0 && warmup < steps,
    'warmupCosine',
    `a warm-up of ${warmup} in ${steps} steps`,
    '0 ≤ warmup < steps',
    'Shorten the warm-up.',
  );
  return count => {
    const t = cast(count, 'float32');
    const progress = minimum(maximum(div(sub(t, warmup), steps - warmup), 0), 1);
    const falling = add(mul(add(cos(mul(progress, Math.PI)), 1), 0.5 * (peak - end)), end);
    return warmup === 0 ? falling : minimum(falling, mul(t, peak / warmup) as Tensor);
  };
};
