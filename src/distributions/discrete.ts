/** Families of distributions of counts: trials that succeed or fail, and how many do. */
import { binomial as drawBinomial, poisson as drawPoisson } from '../random/counts.js';
import { bernoulli as drawBernoulli } from '../random/draw.js';
import type { FloatDType } from '../tensor/dtype.js';
import { ArgumentError } from '../tensor/errors.js';
import { checkNumber } from '../tensor/ops/common/numbers.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { logSigmoid } from '../tensor/ops/elementwise/activation.js';
import { add, div, mul, neg, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { xlogy } from '../tensor/ops/elementwise/bivariate.js';
import { cast, stopGradient } from '../tensor/ops/elementwise/cast.js';
import { greater, less } from '../tensor/ops/elementwise/comparison.js';
import { exp, expm1, floor, log, log1p, sigmoid } from '../tensor/ops/elementwise/elementary.js';
import { gammaincc } from '../tensor/ops/elementwise/incomplete-gamma.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { expandDims } from '../tensor/ops/movement/movement.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { checkInteger } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Distribution, define, type Parameter, readParameters, recordOf } from './distribution.js';
import { counts, logFactorial, notCounts, openUniform, unless, weighted, xlog1py } from './numerics.js';

/** The probability of success, or its logit `log(p / (1 − p))`. */
export type Odds =
  | { readonly probs: Parameter; readonly logits?: never }
  | { readonly logits: Parameter; readonly probs?: never };

/**
 * Which of probs and logits a record has.
 *
 * @throws ArgumentError unless it is one of the two
 */
export const givenAs = (operation: string, given: unknown, others: readonly string[] = []): 'probs' | 'logits' => {
  const { probs, logits } = recordOf(operation, given, ['probs', 'logits', ...others]);
  if ((probs === undefined) !== (logits === undefined)) return probs === undefined ? 'logits' : 'probs';
  throw new ArgumentError({
    operation,
    given: probs === undefined ? 'neither probs nor logits' : 'both probs and logits',
    rule: 'it takes one of the two',
    hint: `Write ${operation}({ probs: … }) or ${operation}({ logits: … }).`,
  });
};

/** Trials with two outcomes: their probabilities, and the logarithm of that of so many successes and failures. */
interface Trials {
  readonly probs: Tensor;
  readonly logits: Tensor;
  readonly logOf: (successes: Tensor, failures: Tensor) => Tensor;
}

const trialsOf = (operation: string, given: unknown, others: readonly string[] = []): Trials => {
  const form = givenAs(operation, given, others);
  if (form === 'logits') {
    const { logits } = readParameters(operation, given, { logits: 'logit' }, [...others, 'probs']);
    return {
      probs: sigmoid(logits) as Tensor,
      logits,
      logOf: (successes, failures) =>
        add(
          weighted(successes, logSigmoid(logits) as Tensor),
          weighted(failures, logSigmoid(neg(logits)) as Tensor),
        ) as Tensor,
    };
  }
  const { probs } = readParameters(operation, given, { probs: 'probability' }, [...others, 'logits']);
  return {
    probs,
    logits: sub(log(probs), log1p(neg(probs))) as Tensor,
    logOf: (successes, failures) => add(xlogy(successes, probs), xlog1py(failures, neg(probs) as Tensor)) as Tensor,
  };
};

/**
 * The distribution of 1 for success and 0 for failure. Draws are floats and have no derivative.
 *
 * @param parameters `probs` or `logits`, a number or a tensor
 * @throws ArgumentError when it is neither or both, another name is there, or a number is no probability
 * @throws DTypeError for uint8
 * @example
 * ```js
 * import { bernoulli, logProb } from 'tenfold/distributions';
 * logProb(bernoulli({ probs: 0.25 }), 0).toArray(); // => -0.2876821
 * logProb(bernoulli({ logits: 0 }), 1).toArray(); // => -0.6931472
 * ```
 */
export const bernoulli = (parameters: Odds): Distribution<'bernoulli'> => {
  const { probs, logits, logOf } = trialsOf('bernoulli', parameters);
  return define(
    'bernoulli',
    { probs, logits },
    {
      logProb: x =>
        unless(logicalOr(notCounts(x), greater(x, 1)) as Tensor, Number.NEGATIVE_INFINITY, x, 0, y =>
          logOf(y, sub(1, y) as Tensor),
        ),
      mean: () => probs,
      variance: () => mul(probs, sub(1, probs)) as Tensor,
      entropy: () => neg(logOf(probs, sub(1, probs) as Tensor)) as Tensor,
      sample: (key, shape) => cast(drawBernoulli(key, stopGradient(probs), shape), probs.dtype) as Tensor,
    },
  );
};

/**
 * The distribution of the number of failures before the first success: 0, 1, …. Draws have no derivative.
 *
 * @param parameters `probs` of success, above 0
 * @throws ArgumentError, DTypeError as {@link bernoulli}
 * @example
 * ```js
 * import { geometric, mean } from 'tenfold/distributions';
 * mean(geometric({ probs: 0.25 })).toArray(); // => 3
 * ```
 */
export const geometric = (parameters: { readonly probs: Parameter }): Distribution<'geometric'> => {
  const { probs } = readParameters('geometric', parameters, { probs: 'chance' });
  const failure = sub(1, probs) as Tensor;
  return define(
    'geometric',
    { probs },
    {
      logProb: x => counts(x, y => add(xlog1py(y, neg(probs) as Tensor), log(probs)) as Tensor),
      cdf: x =>
        unless(
          less(x, 0) as Tensor,
          0,
          x,
          0,
          y => neg(expm1(xlog1py(add(floor(y), 1) as Tensor, neg(probs) as Tensor))) as Tensor,
        ),
      mean: () => div(failure, probs) as Tensor,
      variance: () => div(failure, square(probs)) as Tensor,
      entropy: () => neg(div(add(xlog1py(failure, neg(probs) as Tensor), xlogy(probs, probs)), probs)) as Tensor,
      sample: (key, shape) => {
        const u = openUniform(key, shape, probs.dtype as FloatDType);
        return stopGradient(floor(div(log(u), log1p(neg(probs))))) as Tensor;
      },
    },
  );
};

/**
 * The distribution of Poisson, `rateᵏ exp(−rate) / k!`. Draws are floats and have no derivative.
 *
 * @param parameters `rate`, above 0, a number or a tensor
 * @throws ArgumentError, DTypeError as {@link bernoulli}
 * @example
 * ```js
 * import { logProb, poisson } from 'tenfold/distributions';
 * logProb(poisson({ rate: 3 }), 0).toArray(); // => -3
 * ```
 */
export const poisson = (parameters: { readonly rate: Parameter }): Distribution<'poisson'> => {
  const { rate } = readParameters('poisson', parameters, { rate: 'positive' });
  return define(
    'poisson',
    { rate },
    {
      logProb: x => counts(x, y => sub(sub(xlogy(y, rate), rate), logFactorial(y)) as Tensor),
      cdf: x => unless(less(x, 0), 0, x, 0, y => gammaincc(add(floor(y), 1) as Tensor, rate) as Tensor),
      mean: () => rate,
      variance: () => rate,
      sample: (key, shape) => drawPoisson(key, rate, { shape, dtype: rate.dtype as FloatDType }),
    },
  );
};

/**
 * A number of trials.
 *
 * @throws ArgumentError, IndexError, TraceError
 */
export const checkCount = (operation: string, given: { readonly totalCount: unknown }): number => {
  checkNumber(operation, 'totalCount', given.totalCount, 'notNegative');
  return checkInteger(operation, 'totalCount', given.totalCount as number, 0, 2 ** 24);
};

/**
 * The distribution of the number of successes in `totalCount` trials. Draws are floats and have no derivative.
 *
 * @param parameters `totalCount`, an integer from 0 to 2²⁴, and `probs` or `logits`, a number or a tensor
 * @throws IndexError when totalCount is no such integer
 * @throws ArgumentError, DTypeError as {@link bernoulli}
 * @example
 * ```js
 * import { binomial, variance } from 'tenfold/distributions';
 * variance(binomial({ totalCount: 8, probs: 0.5 })).toArray(); // => 2
 * ```
 */
export const binomial = (parameters: Odds & { readonly totalCount: number }): Distribution<'binomial'> => {
  const { probs, logits, logOf } = trialsOf('binomial', parameters, ['totalCount']);
  const totalCount = checkCount('binomial', parameters);
  const logProb = (x: Tensor): Tensor => {
    const impossible = logicalOr(notCounts(x), greater(x, totalCount)) as Tensor;
    return unless(impossible, Number.NEGATIVE_INFINITY, x, 0, successes => {
      const failures = sub(totalCount, successes) as Tensor;
      const all = logFactorial(add(mul(successes, 0), totalCount) as Tensor);
      const ways = sub(sub(all, logFactorial(successes)), logFactorial(failures)) as Tensor;
      return add(ways, logOf(successes, failures)) as Tensor;
    });
  };
  return define(
    'binomial',
    { probs, logits, totalCount },
    {
      logProb,
      mean: () => mul(probs, totalCount) as Tensor,
      variance: () => mul(mul(probs, sub(1, probs)), totalCount) as Tensor,
      sample: (key, shape) => drawBinomial(key, totalCount, probs, { shape, dtype: probs.dtype as FloatDType }),
      // Over all numbers of successes, along a new first axis.
      entropy: () => {
        const values = Array.from({ length: totalCount + 1 }, (_, i) => i);
        const all = tensor(values, { dtype: probs.dtype }) as Tensor;
        const column = probs.shape.reduce<Tensor>(x => expandDims(x, -1) as Tensor, all);
        const logs = logProb(column);
        return neg(sum(weighted(exp(logs) as Tensor, logs), { axis: 0 })) as Tensor;
      },
    },
  );
};
