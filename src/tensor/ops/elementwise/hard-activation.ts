/** Activation functions made of straight lines, and of a parabola. */
import { b } from '../../build.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Tensor, wrap } from '../../tensor.js';
import { atLeast, atMost, between, checkNumber, plus, times } from '../common/numbers.js';
import { withOptions } from '../common/options.js';
import type { FloatUnaryWith } from './activation.js';
import { floats, floatUnary } from './builders.js';
import type { FloatUnary } from './elementary.js';

/** What {@link hardTanh} takes beside the tensor. */
export interface HardTanhOptions {
  /** The smallest result. Default −1. */
  readonly low?: number;
  /** The largest result. Default 1. */
  readonly high?: number;
}

/** What {@link softshrink} and {@link hardshrink} take beside the tensor. */
export interface ShrinkOptions {
  /** Up to which magnitude elements become 0; not negative. Default 0.5. */
  readonly lambda?: number;
}

/**
 * `min(max(x + 3, 0), 6) / 6`, three lines in the place of the sigmoid. Its derivative at −3 and at 3 is 0.
 *
 * Source: Howard et al. 2019, arXiv:1905.02244, section 5.2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.nn.hard_sigmoid
 * @pytorch torch.nn.functional.hardsigmoid
 * @example
 * ```js
 * import { hardSigmoid, tensor } from 'tenfold';
 * hardSigmoid(tensor([-4, 0, 1.5, 4])).toArray(); // => [0, 0.5, 0.75, 1]
 * ```
 */
export const hardSigmoid: FloatUnary = floatUnary('hardSigmoid', x => times(between(plus(x, 3), 0, 6), 1 / 6));

/**
 * `x · min(max(x + 3, 0), 6) / 6`: 0 up to −3, `x` from 3 on, a parabola between.
 *
 * Source: Howard et al. 2019, arXiv:1905.02244, section 5.2.
 *
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor
 * @numpy jax.nn.hard_swish
 * @pytorch torch.nn.functional.hardswish
 * @example
 * ```js
 * import { hardSwish, tensor } from 'tenfold';
 * hardSwish(tensor([-4, 1.5, 4])).toArray(); // => [0, 1.125, 4]
 * ```
 */
export const hardSwish: FloatUnary = floatUnary('hardSwish', x => {
  const three = full(b, x, 3);
  const inside = atMost(atLeast(x, -3), 3);
  return b.select(b.gt(x, three), x, times(b.mul(inside, b.add(inside, three)), 1 / 6));
});

/**
 * `x` kept within two numbers, −1 and 1 where left out, in the place of tanh. Unlike {@link clamp}'s its derivative at
 * the bounds is 0.
 *
 * @param options the bounds
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, a bound no number or NaN, or `low` above `high`
 * @throws TraceError when a bound is a placeholder
 * @numpy jax.nn.hard_tanh
 * @pytorch torch.nn.functional.hardtanh
 * @example
 * ```js
 * import { hardTanh, tensor } from 'tenfold';
 * hardTanh(tensor([-4, 0.5, 4])).toArray(); // => [-1, 0.5, 1]
 * hardTanh(tensor([-4, 0.5, 4]), { high: 2 }).toArray(); // => [-1, 0.5, 2]
 * ```
 */
export const hardTanh: FloatUnaryWith<HardTanhOptions> = withOptions(
  'hardTanh',
  ['low', 'high'],
  (x: Tensor, { low = -1, high = 1 }: HardTanhOptions) => {
    checkNumber('hardTanh', 'low', low);
    checkNumber('hardTanh', 'high', high);
    if (low > high) {
      throw new ArgumentError({
        operation: 'hardTanh',
        given: `low ${low} and high ${high}`,
        rule: 'low is not above high',
        hint: 'Exchange the two.',
      });
    }
    return wrap(between(floats('hardTanh', x), low, high));
  },
);

const shrink = (operation: string, build: (x: Node, lambda: number) => Node): FloatUnaryWith<ShrinkOptions> =>
  withOptions(operation, ['lambda'], (x: Tensor, { lambda = 0.5 }: ShrinkOptions) => {
    checkNumber(operation, 'lambda', lambda, 'notNegative');
    return wrap(build(floats(operation, x), lambda));
  });

/**
 * Elements brought nearer to 0 by `lambda`, those that are less than that away becoming 0: the proximal operator of
 * `lambda · |x|`.
 *
 * Source: Donoho 1995, De-noising by soft-thresholding.
 *
 * @param options lambda, 0.5 where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown, or lambda negative or no number
 * @throws TraceError when lambda is a placeholder
 * @numpy —
 * @pytorch torch.nn.functional.softshrink
 * @example
 * ```js
 * import { softshrink, tensor } from 'tenfold';
 * softshrink(tensor([-2, 0.25, 1])).toArray(); // => [-1.5, 0, 0.5]
 * ```
 */
export const softshrink: FloatUnaryWith<ShrinkOptions> = shrink('softshrink', (x, lambda) =>
  b.sub(x, atMost(atLeast(x, -lambda), lambda)),
);

/**
 * Elements of magnitude `lambda` or less become 0; the others stay as they are.
 *
 * @param options lambda, 0.5 where left out
 * @returns the shape of `x`; integers and bool give float32
 * @throws DTypeError, ArgumentError, TraceError as {@link softshrink}
 * @numpy —
 * @pytorch torch.nn.functional.hardshrink
 * @example
 * ```js
 * import { hardshrink, tensor } from 'tenfold';
 * hardshrink(tensor([-2, 0.25, 1])).toArray(); // => [-2, 0, 1]
 * ```
 */
export const hardshrink: FloatUnaryWith<ShrinkOptions> = shrink('hardshrink', (x, lambda) =>
  b.select(b.le(b.abs(x), full(b, x, lambda)), full(b, x, 0), x),
);
