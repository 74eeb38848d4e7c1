/** Divergences of distributions, and negative logarithms of likelihoods. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkNumber, plus, times } from '../common/numbers.js';
import { checkFlag } from '../common/options.js';
import type { LossReduction, PairLoss, TripleLoss } from './reduced.js';
import { alike, alikeBeside, loss, spreadOption } from './reduced.js';

/** What {@link klDiv} takes beside the reduction. */
export interface KlDivOptions {
  /** Whether the target is given by its logarithms as well. Default false. */
  readonly logTarget?: boolean;
}

/** What {@link gaussianNll} takes beside the reduction. */
export interface GaussianNllOptions {
  /** Whether the constant log(2π)/2 is added. Default false. */
  readonly full?: boolean;
  /** Smaller variances are taken for this one; the derivative is not told. Default 10⁻⁶. */
  readonly epsilon?: number;
}

/** What {@link poissonNll} takes beside the reduction. */
export interface PoissonNllOptions {
  /** Whether `x` is the logarithm of the rate, as it is by default, or the rate itself. */
  readonly logInput?: boolean;
  /** Whether Stirling's approximation of log(target!) is added, for targets above 1. Default false. */
  readonly full?: boolean;
  /** Added to a rate before its logarithm is taken. Default 10⁻⁸. */
  readonly epsilon?: number;
}

/**
 * The divergence of Kullback and Leibler of a target from `exp(x)`, by elements: `target · (log target − x)`. Note the
 * order, and that `x` are logarithms. A target of 0 gives 0.
 *
 * Source: Kullback & Leibler 1951, Annals of Mathematical Statistics 22 (1), doi:10.1214/aoms/1177729694, eq. 2.4.
 *
 * @param target probabilities, or their logarithms with `logTarget`, of the shape of `x`, or a scalar or number
 * @param options `logTarget`; `reduction`: 'mean' over all elements, the default; 'batchmean', the sum divided by the
 *   length of the first axis, which is the divergence itself; 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError when the shapes differ, nothing but a scalar broadcasting, and for 'batchmean' of a scalar
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy scipy.special.rel_entr
 * @pytorch torch.nn.functional.kl_div
 * @example
 * ```js
 * import { klDiv, log, tensor } from 'tenfold';
 * const [p, q] = [tensor([[0, 1]]), tensor([[0.5, 0.5]])];
 * klDiv(log(q), p, { reduction: 'none' }).toArray(); // => [[0, 0.6931472]]
 * klDiv(log(q), log(p), { logTarget: true, reduction: 'batchmean' }).item(); // => 0.6931471824645996
 * ```
 */
export const klDiv: PairLoss<'klDiv', KlDivOptions, LossReduction | 'batchmean'> = loss(
  'klDiv',
  2,
  ['logTarget'],
  (operands, { logTarget = false }: KlDivOptions) => {
    checkFlag('klDiv', 'logTarget', logTarget);
    const [x, t] = alike('klDiv', operands) as [Node, Node];
    // Nothing weighs nothing, whatever its logarithm: kept out on both sides, or its derivative would be NaN.
    const absent = b.eq(t, full(b, t, logTarget ? Number.NEGATIVE_INFINITY : 0));
    const present = b.select(absent, full(b, t, logTarget ? 0 : 1), t);
    const [share, log] = logTarget ? [b.exp(present), present] : [present, b.log(present)];
    const zero = full(b, x, 0);
    return b.select(absent, zero, b.mul(share, b.sub(log, b.select(absent, zero, x))));
  },
  ['none', 'mean', 'sum', 'batchmean'],
);

/**
 * The negative log-likelihood of a target under normal distributions with the means `x` and variances of their own:
 * `(log v + (x − target)² / v) / 2`, with `full` plus `log(2π)/2`.
 *
 * Source: Nix & Weigend 1994, "Estimating the mean and variance of the target probability distribution", eq. 3.
 *
 * @param target of the shape of `x`, or a scalar
 * @param variance a tensor that broadcasts to the shape of `x`, or a number
 * @param options `full`, `epsilon`; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32; NaN for a negative
 *   variance
 * @throws ShapeError when the shapes of `x` and target differ, or the variance does not broadcast to them
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.gaussian_nll_loss
 * @example
 * ```js
 * import { gaussianNll, tensor } from 'tenfold';
 * gaussianNll(tensor([1, 3]), tensor([1, 1]), tensor([1, 2]), { reduction: 'none' }).toArray(); // => [0, 1.3465736]
 * gaussianNll(tensor([0]), tensor([0]), 1, { full: true }).item(); // => 0.9189385175704956
 * ```
 */
export const gaussianNll: TripleLoss<'gaussianNll', GaussianNllOptions> = loss(
  'gaussianNll',
  3,
  ['full', 'epsilon'],
  (operands, { full: whole = false, epsilon = 1e-6 }: GaussianNllOptions) => {
    checkFlag('gaussianNll', 'full', whole);
    checkNumber('gaussianNll', 'epsilon', epsilon, 'positive');
    const [x, t] = alikeBeside('gaussianNll', operands);
    const given = spreadOption('gaussianNll', 'variance', operands[2], x);
    const [zero, low] = [full(b, x, 0), full(b, x, epsilon)];
    const missing = b.select(b.lt(given, zero), full(b, x, Number.NaN), b.sub(low, given));
    const variance = b.add(given, b.stopGradient(b.select(b.lt(given, low), missing, zero)));
    const d = b.sub(x, t);
    const twice = b.add(b.log(variance), b.div(b.mul(d, d), variance));
    return times(whole ? plus(twice, Math.log(2 * Math.PI)) : twice, 0.5);
  },
);

/**
 * The negative log-likelihood of counts under Poisson's distribution: `exp(x) − target · x`, or `x − target · log(x + ε)`
 * with `logInput: false`. What depends on the target alone, log(target!), is left out, or with `full` approximated for
 * targets above 1 by `t log t − t + log(2πt)/2` (Abramowitz & Stegun 1964, 6.1.41).
 *
 * @param target counts of the shape of `x`, or a scalar or number
 * @param options `logInput`, `full`, `epsilon`; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link klDiv}
 * @numpy —
 * @pytorch torch.nn.functional.poisson_nll_loss
 * @example
 * ```js
 * import { poissonNll, tensor } from 'tenfold';
 * poissonNll(tensor([0, 1]), tensor([2, 1]), { reduction: 'none' }).toArray(); // => [1, 1.7182817]
 * poissonNll(tensor([1, 2]), tensor([1, 1]), { logInput: false, reduction: 'none' }).toArray(); // => [1, 1.3068528]
 * ```
 */
export const poissonNll: PairLoss<'poissonNll', PoissonNllOptions> = loss(
  'poissonNll',
  2,
  ['logInput', 'full', 'epsilon'],
  (operands, { logInput = true, full: whole = false, epsilon = 1e-8 }: PoissonNllOptions) => {
    checkFlag('poissonNll', 'logInput', logInput);
    checkFlag('poissonNll', 'full', whole);
    checkNumber('poissonNll', 'epsilon', epsilon, 'notNegative');
    const [x, t] = alike('poissonNll', operands) as [Node, Node];
    const [rate, log] = logInput ? [b.exp(x), x] : [x, b.log(plus(x, epsilon))];
    const losses = b.sub(rate, b.mul(t, log));
    if (!whole) return losses;
    const few = b.le(t, full(b, t, 1));
    const many = b.select(few, full(b, t, 1), t);
    const stirling = b.add(b.sub(b.mul(many, b.log(many)), many), times(b.log(times(many, 2 * Math.PI)), 0.5));
    return b.add(losses, b.select(few, full(b, t, 0), stirling));
  },
);
