/** Losses of regression: how far numbers are from those they should be. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkArgument } from '../../shape.js';
import { checkNumber, plus, times } from '../common/numbers.js';
import { alike, loss, type PairLoss } from './reduced.js';

export type { LossOptions, LossReduction, LossShape, PairLoss, TripleLoss } from './reduced.js';

/** What {@link smoothL1Loss} takes beside the reduction. */
export interface SmoothL1Options {
  /** Where the parabola meets the straight lines. Default 1; 0 gives {@link l1Loss}. */
  readonly beta?: number;
}

/** What {@link huberLoss} takes beside the reduction. */
export interface HuberOptions {
  /** Where the parabola meets the straight lines. Default 1. */
  readonly delta?: number;
}

const difference = (operation: string, operands: readonly unknown[]): Node => {
  const [x, target] = alike(operation, operands);
  return b.sub(x!, target!);
};

/**
 * The mean squared error, `(x − target)²`.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError when the shapes differ: nothing but a scalar broadcasts
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.mse_loss
 * @example
 * ```js
 * import { mseLoss, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * const x = tensor([1, 2, 3]);
 * mseLoss(x, tensor([1, 2, 6])).item(); // => 3
 * pipe(x, mseLoss(tensor([1, 2, 6]), { reduction: 'none' })).toArray(); // => [0, 0, 9]
 * mseLoss(x, tensor([[1], [2], [6]])); // throws ShapeError
 * ```
 */
export const mseLoss: PairLoss<'mseLoss'> = loss('mseLoss', 2, [], operands => {
  const d = difference('mseLoss', operands);
  return b.mul(d, d);
});

/**
 * The mean absolute error, `|x − target|`. Its derivative at 0 is 0.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options as {@link mseLoss}
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link mseLoss}
 * @numpy —
 * @pytorch torch.nn.functional.l1_loss
 * @example
 * ```js
 * import { l1Loss, tensor } from 'tenfold';
 * l1Loss(tensor([1, 2, 3]), tensor([1, 2, 6])).item(); // => 1
 * ```
 */
export const l1Loss: PairLoss<'l1Loss'> = loss('l1Loss', 2, [], operands => b.abs(difference('l1Loss', operands)));

const checkBend = (operation: string, what: string, value: number, sign: 'positive' | 'notNegative'): void => {
  checkNumber(operation, what, value, sign);
  checkArgument(
    value < Number.POSITIVE_INFINITY,
    operation,
    `${value} as ${what}`,
    `${what} is finite`,
    'Where there is nothing but the parabola, use mseLoss.',
  );
};

/** A parabola where |d| < bend, which goes on as straight lines of the slope ±force. */
const bent = (d: Node, bend: number, force: number): Node => {
  const size = b.abs(d);
  const near = b.lt(size, full(b, d, bend));
  // Kept out of the square where that is not taken: an infinite one would make the derivative NaN.
  const inner = b.select(near, d, full(b, d, 0));
  return b.select(near, times(b.mul(inner, inner), force / (2 * bend)), times(plus(size, -bend / 2), force));
};

/**
 * The absolute error, rounded off near 0: `d²/(2β)` for `|d| < β`, else `|d| − β/2`, where `d = x − target`.
 *
 * Source: Girshick 2015, arXiv:1504.08083, eq. 3.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options `beta`, 1 where left out; the reduction as {@link mseLoss}
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link mseLoss}
 * @numpy —
 * @pytorch torch.nn.functional.smooth_l1_loss
 * @example
 * ```js
 * import { smoothL1Loss, tensor } from 'tenfold';
 * smoothL1Loss(tensor([0.5, 3]), 0, { reduction: 'none' }).toArray(); // => [0.125, 2.5]
 * smoothL1Loss(tensor([0.5, 3]), 0, { beta: 2, reduction: 'none' }).toArray(); // => [0.0625, 2]
 * ```
 */
export const smoothL1Loss: PairLoss<'smoothL1Loss', SmoothL1Options> = loss(
  'smoothL1Loss',
  2,
  ['beta'],
  (operands, { beta = 1 }: SmoothL1Options) => {
    checkBend('smoothL1Loss', 'beta', beta, 'notNegative');
    const d = difference('smoothL1Loss', operands);
    return beta === 0 ? b.abs(d) : bent(d, beta, 1);
  },
);

/**
 * Huber's loss: `d²/2` for `|d| < δ`, else `δ · (|d| − δ/2)`, where `d = x − target`; outliers pull with the force `δ`.
 *
 * Source: Huber 1964, Annals of Mathematical Statistics 35 (1), doi:10.1214/aoms/1177703732.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options `delta`, 1 where left out; the reduction as {@link mseLoss}
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link mseLoss}
 * @numpy scipy.special.huber
 * @pytorch torch.nn.functional.huber_loss
 * @example
 * ```js
 * import { huberLoss, tensor } from 'tenfold';
 * huberLoss(tensor([0.5, 3]), 0, { reduction: 'none' }).toArray(); // => [0.125, 2.5]
 * huberLoss(tensor([0.5, 3]), 0, { delta: 2, reduction: 'none' }).toArray(); // => [0.125, 4]
 * ```
 */
export const huberLoss: PairLoss<'huberLoss', HuberOptions> = loss(
  'huberLoss',
  2,
  ['delta'],
  (operands, { delta = 1 }: HuberOptions) => {
    checkBend('huberLoss', 'delta', delta, 'positive');
    return bent(difference('huberLoss', operands), delta, delta);
  },
);
