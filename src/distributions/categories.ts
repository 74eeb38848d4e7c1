/** Families of distributions over categories: which one is drawn, and how often each is. */
import { binomial as drawBinomial } from '../random/counts.js';
import { categorical as drawCategorical } from '../random/draw.js';
import { foldIn, type Key } from '../random/key.js';
import { full, tensor } from '../tensor/ops/creation/creation.js';
import { abs, add, div, maximum, minimum, mul, neg, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { xlogy } from '../tensor/ops/elementwise/bivariate.js';
import { cast, stopGradient } from '../tensor/ops/elementwise/cast.js';
import { equal, greater, notEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { exp, log } from '../tensor/ops/elementwise/elementary.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { takeAlong } from '../tensor/ops/indexing/indexing.js';
import { broadcastTo, expandDims, moveAxis, squeeze } from '../tensor/ops/movement/movement.js';
import { cumsum } from '../tensor/ops/reduction/cumulative.js';
import { sum } from '../tensor/ops/reduction/reduction.js';
import { logSoftmax } from '../tensor/ops/reduction/softmax.js';
import { broadcastShapes, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { scan } from '../tensor/transform/loops.js';
import { checkCount, givenAs } from './discrete.js';
import { type Distribution, define, readParameters } from './distribution.js';
import { logFactorial, notCounts, unless, weighted } from './numerics.js';
import { checkVector } from './simplex.js';

/** Probabilities of categories along the last axis, up to a factor, or their logarithms up to a summand. */
export type Scores =
  | { readonly probs: Tensor; readonly logits?: never }
  | { readonly logits: Tensor; readonly probs?: never };

/** Both sum to 1: probabilities, and their logarithms. */
interface Categories {
  readonly probs: Tensor;
  readonly logits: Tensor;
  /** Σ p log p. */
  readonly negentropy: () => Tensor;
  /** Σ nᵢ log pᵢ. */
  readonly logOf: (counts: Tensor) => Tensor;
}

const along = { axis: -1 } as const;

const categoriesOf = (operation: string, given: unknown, others: readonly string[] = []): Categories => {
  const form = givenAs(operation, given, others);
  const total = (x: Tensor): Tensor => sum(x, along) as Tensor;
  if (form === 'probs') {
    const read = readParameters(operation, given, { probs: 'probability' }, [...others, 'logits']);
    checkVector(operation, 'probs', read.probs);
    const probs = div(read.probs, sum(read.probs, { axis: -1, keepDims: true })) as Tensor;
    return {
      probs,
      logits: log(probs) as Tensor,
      negentropy: () => total(xlogy(probs, probs) as Tensor),
      logOf: counts => total(xlogy(counts, probs) as Tensor),
    };
  }
  const read = readParameters(operation, given, { logits: 'logit' }, [...others, 'probs']);
  checkVector(operation, 'logits', read.logits);
  const logits = logSoftmax(read.logits) as Tensor;
  const probs = exp(logits) as Tensor;
  const logOf = (counts: Tensor): Tensor => total(weighted(counts, logits));
  return { probs, logits, negentropy: () => logOf(probs), logOf };
};

/**
 * The distribution of one of k categories, by its index. Draws are int32 and have no derivative.
 *
 * @param parameters `logits` or `probs`, a tensor with one element for each category along its last axis; probabilities
 *   are divided by their sum
 * @throws ArgumentError when it is neither or both, or another name is there
 * @throws ShapeError for a scalar, DTypeError for uint8
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { categorical, logProb } from 'tenfold/distributions';
 * logProb(categorical({ probs: tensor([1, 3]) }), 1).toArray(); // => -0.2876821
 * ```
 */
export const categorical = (parameters: Scores): Distribution<'categorical'> => {
  const { probs, logits, negentropy } = categoriesOf('categorical', parameters);
  const batch = logits.shape.slice(0, -1);
  const last = logits.shape[logits.shape.length - 1]! - 1;
  const pick = (x: Tensor): Tensor => {
    const shape = broadcastShapes('logProb', x.shape, batch);
    const index = expandDims(broadcastTo(cast(x, 'int32'), shape), -1) as Tensor<readonly number[], 'int32'>;
    const rows = broadcastTo(logits, [...shape, last + 1]) as Tensor;
    // No index stands for NaN.
    return where(notEqual(x, x), Number.NaN, squeeze(takeAlong(rows, index, along), -1)) as Tensor;
  };
  return define(
    'categorical',
    { probs, logits },
    {
      logProb: x =>
        unless(logicalOr(notCounts(x), greater(x, last)) as Tensor, Number.NEGATIVE_INFINITY, x, 0, y =>
          pick(minimum(maximum(y, 0), last) as Tensor),
        ),
      entropy: () => neg(negentropy()) as Tensor,
      sample: (key, shape) =>
        drawCategorical(key, stopGradient(logits), { shape: shape.slice(0, shape.length - batch.length) }) as Tensor,
    },
    { eventRank: 1, isEvent: false },
  );
};

/**
 * Counts of categories, one category after the other: each is binomial among the trials that the ones before have left over.
 * That is one binomial draw a category; to draw each trial would be `totalCount` draws of k numbers each.
 */
const drawMultinomial = (key: Key, totalCount: number, probs: Tensor, shape: Shape): Tensor => {
  const wide = cast(broadcastTo(probs, shape) as Tensor, 'float64') as Tensor;
  // Of what is left of the mass: all of it for the last category that has any, so that no trial is left over.
  const left = cumsum(wide, { axis: -1, reverse: true }) as Tensor;
  const shares = where(equal(left, 0), 0, minimum(div(wide, left), 1)) as Tensor;
  interface State {
    readonly place: Tensor;
    readonly trials: Tensor;
  }
  const step = ({ place, trials }: State, share: Tensor): readonly [State, Tensor] => {
    const count = drawBinomial(foldIn(key, place), trials, share, { dtype: 'float64' }) as Tensor;
    return [{ place: add(place, 1) as Tensor, trials: sub(trials, count) as Tensor }, count];
  };
  const init: State = {
    place: tensor(0, { dtype: 'int32' }),
    trials: full(shape.slice(0, -1), totalCount, { dtype: 'float64' }),
  };
  const [, counts] = scan(step)(init, moveAxis(shares, -1, 0) as Tensor);
  return cast(moveAxis(counts, 0, -1) as Tensor, probs.dtype) as Tensor;
};

/**
 * The distribution of how often each of k categories comes in `totalCount` draws; values are vectors of counts. Draws are
 * floats and have no derivative.
 *
 * @param parameters `totalCount`, an integer from 0 to 2²⁴, and `logits` or `probs` as {@link categorical} takes them
 * @throws IndexError when totalCount is no such integer
 * @throws ArgumentError, ShapeError, DTypeError as {@link categorical}
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { mean, multinomial } from 'tenfold/distributions';
 * mean(multinomial({ totalCount: 4, probs: tensor([1, 3]) })).toArray(); // => [1, 3]
 * ```
 */
export const multinomial = (parameters: Scores & { readonly totalCount: number }): Distribution<'multinomial'> => {
  const { probs, logits, logOf } = categoriesOf('multinomial', parameters, ['totalCount']);
  const totalCount = checkCount('multinomial', parameters);
  return define(
    'multinomial',
    { probs, logits, totalCount },
    {
      logProb: x => {
        const impossible = logicalOr(notCounts(x), greater(x, totalCount)) as Tensor;
        const ways = unless(impossible, Number.NEGATIVE_INFINITY, x, 0, y => neg(logFactorial(y)) as Tensor);
        const each = add(sum(ways, along), logOf(where(impossible, 0, x) as Tensor)) as Tensor;
        const all = sum(x, along) as Tensor;
        const value = add(each, logFactorial(add(mul(all, 0), totalCount) as Tensor)) as Tensor;
        return unless(wrong(all, totalCount), Number.NEGATIVE_INFINITY, value, 0, y => y);
      },
      mean: () => mul(probs, totalCount) as Tensor,
      variance: () => mul(mul(probs, sub(1, probs)), totalCount) as Tensor,
      sample: (key, shape) => drawMultinomial(key, totalCount, stopGradient(probs), shape),
    },
    { eventRank: 1 },
  );
};

const wrong = (sum: Tensor, totalCount: number): Tensor => greater(abs(sub(sum, totalCount)), 0) as Tensor;
