/** What one asks of distributions, whatever the family. */
import { type Key, keyNode } from '../random/key.js';
import { isFloat } from '../tensor/dtype.js';
import { ArgumentError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { castNode, dual, isWeakNumber, unaryOperand } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { greater, less } from '../tensor/ops/elementwise/comparison.js';
import { logicalOr } from '../tensor/ops/elementwise/logic.js';
import { broadcastShapes, checkShape, type Shape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import type { Distribution, Members } from './distribution.js';
import { unless } from './numerics.js';

/** The signatures of functions of a distribution and values. */
export interface OfValues {
  (d: Distribution, x: Tensor | number): Tensor;
  (x: Tensor | number): (d: Distribution) => Tensor;
}

/** What {@link sample} takes beside the distribution and the key. */
export interface SampleOptions {
  /** The shape of independent draws, in front of that of the batch. Default []. */
  readonly shape?: Shape;
}

/** The signatures of {@link sample}. */
export interface Sample {
  (d: Distribution, key: Key, options?: SampleOptions): Tensor;
  (key: Key, options?: SampleOptions): (d: Distribution) => Tensor;
}

const isDistribution = (d: unknown): d is Distribution =>
  typeof d === 'object' &&
  d !== null &&
  !isTensor(d) &&
  typeof (d as { readonly family?: unknown }).family === 'string' &&
  typeof (d as { readonly logProb?: unknown }).logProb === 'function';

/**
 * Refuses what is no distribution.
 *
 * @throws ArgumentError
 */
export const checkDistribution = (operation: string, d: unknown): void => {
  if (isDistribution(d)) return;
  throw new ArgumentError({
    operation,
    given: `${isTensor(d) ? `a tensor ${showAval(d)}` : kindOf(d)} as the distribution`,
    rule: 'a distribution is what normal, gamma, categorical, … give',
    hint: 'Make one: normal({ loc: 0, scale: 1 }).',
  });
};

/** A function of a family that it may lack. */
const memberOf = <K extends keyof Members>(operation: string, d: Distribution, name: K): NonNullable<Members[K]> => {
  const member = d[name];
  if (member !== undefined) return member;
  throw new ArgumentError({
    operation,
    given: `a distribution of the family ${d.family}`,
    rule: `${d.family} has no ${name} in closed form here`,
    hint:
      name === 'sample'
        ? 'Draw by a method of your own, such as rejection, from draws of tenfold/random.'
        : 'Estimate it from draws where there are some, or sum or integrate exp(logProb(d, x)) over a grid.',
  });
};

/** Values as a family takes them: floats as they are, other dtypes and numbers in that of the distribution. */
const valuesFor = (operation: string, d: Distribution, x: unknown): Tensor => {
  const convert = (): Tensor => {
    if (typeof x === 'number') return tensor(x, { dtype: d.dtype }) as Tensor;
    if (isWeakNumber(x)) return wrap(castNode(nodeOf(x as Tensor), d.dtype));
    const node = unaryOperand(operation, x, {});
    return wrap(isFloat(node.dtype) ? node : castNode(node, d.dtype));
  };
  const values = convert();
  const whole = [...d.batchShape, ...d.eventShape];
  const [length] = d.eventShape;
  if (length !== undefined && values.shape[values.shape.length - 1] !== length) {
    throw new ShapeError({
      operation,
      given: `values ${showAval(values)} of a distribution of events ${showShape(d.eventShape)}`,
      rule: 'the last axis of the values is that of an event',
      hint: `Give values of the shape […, ${length}].`,
    });
  }
  broadcastShapes(operation, values.shape, whole);
  return values;
};

/**
 * The logarithm of the density at x, or of the probability of x where the distribution is discrete. Outside of the
 * support it is −∞, with the derivative 0.
 *
 * @param d the distribution; may come last: `pipe(d, logProb(x))`
 * @param x values that broadcast with the batch, and end in the shape of an event
 * @returns the broadcast shape, that of an event left out
 * @throws ShapeError when x does not broadcast, DTypeError for uint8
 * @throws ArgumentError when `d` is no distribution, or x neither a tensor nor a number
 * @example
 * ```js
 * import { pipe } from 'fp-ts/lib/function.js';
 * import { tensor } from 'tenfold';
 * import { logProb, normal } from 'tenfold/distributions';
 * const d = normal({ loc: 0, scale: tensor([1, 2]) });
 * logProb(d, 0).toArray(); // => [-0.9189385, -1.6120857]
 * pipe(d, logProb(tensor([[0], [2]]))).shape; // => [2, 2]
 * ```
 */
export const logProb: OfValues = dual(2, (d: Distribution, x: unknown) => {
  checkDistribution('logProb', d);
  return d.logProb(valuesFor('logProb', d, x));
});

/**
 * The distribution function: the probability of values not above x.
 *
 * @param d the distribution; may come last: `pipe(d, cdf(x))`
 * @returns the broadcast shape of x and the batch
 * @throws ArgumentError when the family has none in closed form
 * @throws ShapeError, DTypeError, ArgumentError as {@link logProb}
 * @example
 * ```js
 * import { cdf, exponential } from 'tenfold/distributions';
 * cdf(exponential({ rate: 1 }), Math.LN2).toArray(); // => 0.5
 * ```
 */
export const cdf: OfValues = dual(2, (d: Distribution, x: unknown) => {
  checkDistribution('cdf', d);
  return memberOf('cdf', d, 'cdf')(valuesFor('cdf', d, x));
});

/**
 * The inverse of the distribution function: the value that is not exceeded with probability p; NaN where p is none.
 *
 * @param d the distribution; may come last: `pipe(d, icdf(p))`
 * @returns the broadcast shape of p and the batch
 * @throws ArgumentError when the family has none in closed form
 * @throws ShapeError, DTypeError, ArgumentError as {@link logProb}
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { icdf, uniform } from 'tenfold/distributions';
 * icdf(uniform({ low: 2, high: 4 }), tensor([0, 0.5, 2])).toArray(); // => [2, 3, NaN]
 * ```
 */
export const icdf: OfValues = dual(2, (d: Distribution, p: unknown) => {
  checkDistribution('icdf', d);
  const inverse = memberOf('icdf', d, 'icdf');
  const values = valuesFor('icdf', d, p);
  return unless(logicalOr(less(values, 0), greater(values, 1)) as Tensor, Number.NaN, values, 0.5, inverse);
});

/**
 * The mean.
 *
 * @returns the shape of the batch and, behind it, of an event
 * @throws ArgumentError when `d` is no distribution, or the family has no mean in closed form
 * @example
 * ```js
 * import { gamma, mean } from 'tenfold/distributions';
 * mean(gamma({ concentration: 3, rate: 2 })).toArray(); // => 1.5
 * ```
 */
export const mean = (d: Distribution): Tensor => {
  checkDistribution('mean', d);
  return memberOf('mean', d, 'mean')();
};

/**
 * The variance, of vectors that of each element.
 *
 * @returns the shape of the batch and, behind it, of an event
 * @throws ArgumentError when `d` is no distribution, or the family has no variance in closed form
 * @example
 * ```js
 * import { bernoulli, variance } from 'tenfold/distributions';
 * variance(bernoulli({ probs: 0.5 })).toArray(); // => 0.25
 * ```
 */
export const variance = (d: Distribution): Tensor => {
  checkDistribution('variance', d);
  return memberOf('variance', d, 'variance')();
};

/**
 * The entropy in nats, of a continuous distribution the differential one.
 *
 * @returns the shape of the batch
 * @throws ArgumentError when `d` is no distribution, or the family has no entropy in closed form
 * @example
 * ```js
 * import { bernoulli, entropy } from 'tenfold/distributions';
 * entropy(bernoulli({ probs: 0.5 })).toArray(); // => 0.6931472
 * ```
 */
export const entropy = (d: Distribution): Tensor => {
  checkDistribution('entropy', d);
  return memberOf('entropy', d, 'entropy')();
};

/**
 * Independent draws. Those of continuous families are differentiable functions of the parameters, the key held fixed.
 *
 * @param d the distribution; may come last: `pipe(d, sample(key))`
 * @param options `shape` of the draws, in front ([])
 * @returns `shape`, then the shapes of the batch and of an event
 * @throws ArgumentError when `d` is no distribution, `key` no key, or draws of the family are not provided
 * @throws ShapeError when `shape` is no shape
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { normal, sample } from 'tenfold/distributions';
 * import { key } from 'tenfold/random';
 * sample(normal({ loc: tensor([0, 1]), scale: 1 }), key(0), { shape: [3] }).shape; // => [3, 2]
 * ```
 */
export const sample: Sample = ((...args: readonly unknown[]) => {
  const draw = (d: unknown, key: unknown, options: SampleOptions = {}): Tensor => {
    checkDistribution('sample', d);
    keyNode('sample', key);
    checkOptions('sample', ['shape'], options);
    const { batchShape, eventShape } = d as Distribution;
    const shape = checkShape('sample', options.shape ?? []);
    return memberOf('sample', d as Distribution, 'sample')(key as Key, [...shape, ...batchShape, ...eventShape]);
  };
  if (!isTensor(args[0])) return draw(args[0], args[1], args[2] as SampleOptions);
  keyNode('sample', args[0]);
  checkOptions('sample', ['shape'], args[1]);
  return (d: unknown) => draw(d, args[0], args[1] as SampleOptions);
}) as Sample;
