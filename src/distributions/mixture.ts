/** Mixtures of the members of a batch of distributions. */
import { categorical as drawCategorical } from '../random/draw.js';
import { split } from '../random/key.js';
import type { FloatDType } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { add, div, mul, square, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../tensor/ops/elementwise/cast.js';
import { exp, log } from '../tensor/ops/elementwise/elementary.js';
import { takeAlong } from '../tensor/ops/indexing/indexing.js';
import { broadcastTo, expandDims, reshape, squeeze } from '../tensor/ops/movement/movement.js';
import { logsumexp, sum } from '../tensor/ops/reduction/reduction.js';
import { logSoftmax } from '../tensor/ops/reduction/softmax.js';
import { broadcastShapes, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Distribution, define, type Members, readParameters, recordOf } from './distribution.js';
import { checkDistribution } from './operations.js';
import { checkVector } from './simplex.js';

/** What is mixed, and how much there is of each. */
export type Mixture = {
  /** A batch of distributions, its last axis that of the components. */
  readonly components: Distribution;
} & (
  | {
      /** How much there is of each component, along the last axis, up to a factor. */
      readonly weights: Tensor;
      readonly logits?: never;
    }
  | {
      /** The logarithms of the weights, up to a summand. */
      readonly logits: Tensor;
      readonly weights?: never;
    }
);

const names = ['weights', 'logits', 'components'];
const along = { axis: -1 } as const;

/** The logarithms of the weights, which sum to 1, in a dtype. */
const logWeights = (given: Mixture, dtype: FloatDType): Tensor => {
  const { weights, logits } = given;
  if ((weights === undefined) === (logits === undefined)) {
    throw new ArgumentError({
      operation: 'mixture',
      given: weights === undefined ? 'neither weights nor logits' : 'both weights and logits',
      rule: 'it takes one of the two',
      hint: 'Write mixture({ weights: …, components: … }) or mixture({ logits: …, components: … }).',
    });
  }
  if (logits === undefined) {
    const read = readParameters('mixture', given, { weights: 'positive' }, ['logits', 'components']);
    checkVector('mixture', 'weights', read.weights);
    const own = cast(read.weights, dtype) as Tensor;
    return log(div(own, sum(own, { axis: -1, keepDims: true }))) as Tensor;
  }
  const read = readParameters('mixture', given, { logits: 'logit' }, ['weights', 'components']);
  checkVector('mixture', 'logits', read.logits);
  return logSoftmax(cast(read.logits, dtype) as Tensor) as Tensor;
};

/** The logarithms of the weights in the shape of the batch of components, and in their dtype. */
const weightsFor = (given: Mixture): Tensor => {
  const { components } = recordOf('mixture', given, names) as unknown as Mixture;
  checkDistribution('mixture', components);
  const { batchShape, dtype } = components;
  const own = logWeights(given, dtype);
  const fits = batchShape.length > 0 && own.shape.at(-1) === batchShape.at(-1);
  if (!fits || !sameShape(broadcastShapes('mixture', own.shape, batchShape), batchShape)) {
    throw new ShapeError({
      operation: 'mixture',
      given: `weights ${showAval(own)} of components of the batch ${showShape(batchShape)}`,
      rule: 'weights broadcast to the batch of components, whose last axis is that of the components',
      hint: 'Give as many weights as there are components, and put the axis of the components last.',
    });
  }
  return broadcastTo(own, batchShape) as Tensor;
};

/**
 * A mixture: the component is drawn with its weight, and the value from the component. Draws are differentiable in the
 * parameters of the component that was drawn; of the weights they have the derivative 0. There are those functions that
 * the components have, and neither an entropy nor, of angles, a mean and a variance.
 *
 * @param parameters `components`, a batch of distributions of any one family, of which the last axis is the component;
 *   `weights` or their logarithms `logits`, which broadcast to that batch and are divided by their sum
 * @throws ArgumentError when it is neither or both, another name is there, or `components` is no distribution
 * @throws ShapeError when there is no axis of components, or the weights do not fit them
 * @throws DTypeError for uint8
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { cdf, mean, mixture, normal, variance } from 'tenfold/distributions';
 * const components = normal({ loc: tensor([-2, 2]), scale: 1 });
 * const d = mixture({ weights: tensor([1, 3]), components });
 * mean(d).toArray(); // => 1
 * variance(d).toArray(); // => 4
 * cdf(d, 0).toArray(); // => 0.26137507
 * ```
 */
export const mixture = (parameters: Mixture): Distribution<'mixture'> => {
  const logits = weightsFor(parameters);
  const { components } = parameters;
  const { eventShape } = components;
  const probs = exp(logits) as Tensor;
  const batch = logits.shape.slice(0, -1);
  /** The axis of the components where events are behind it. */
  const axis = -1 - eventShape.length;
  const weights = reshape(probs, [...probs.shape, ...eventShape.map(() => 1)]) as Tensor;
  const average = (x: Tensor): Tensor => sum(mul(weights, x) as Tensor, { axis }) as Tensor;
  const spread = (x: Tensor): Tensor => expandDims(x, axis) as Tensor;
  const { cdf, sample } = components;
  // The moments of angles are of directions, and no averages of those of the components.
  const { mean, variance } = components.family === 'vonMises' ? ({} as Partial<Members>) : components;
  const members: Members = {
    logProb: x => logsumexp(add(logits, components.logProb(spread(x))) as Tensor, along) as Tensor,
    ...(cdf && { cdf: (x: Tensor) => sum(mul(probs, cdf(spread(x))) as Tensor, along) as Tensor }),
    ...(mean && { mean: () => average(mean()) }),
    ...(mean &&
      variance && {
        variance: () => {
          const means = mean();
          return average(add(variance(), square(sub(means, spread(average(means))))) as Tensor);
        },
      }),
    ...(sample && {
      sample: (key, shape: Shape) => {
        const [first, second] = split(key);
        const lead = shape.slice(0, shape.length - eventShape.length);
        const chosen = drawCategorical(first!, stopGradient(logits), {
          shape: lead.slice(0, lead.length - batch.length),
        });
        const all = sample(second!, [...lead, logits.shape.at(-1)!, ...eventShape]);
        const index = reshape(chosen, [...lead, 1, ...eventShape.map(() => 1)]) as Tensor<Shape, 'int32'>;
        return squeeze(takeAlong(all, index, { axis }), axis) as Tensor;
      },
    }),
  };
  return define('mixture', { logits, probs, components }, members, { eventRank: 1, eventShape });
};
