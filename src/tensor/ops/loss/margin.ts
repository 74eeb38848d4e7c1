/** Losses with a margin: what is right by more than that costs nothing. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { type Shape, showAval } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { nodeOf, type Tensor, wrap } from '../../tensor.js';
import type { Alike } from '../../types/alike.js';
import type { Reduce } from '../../types/axes.js';
import type { NotAny, Only } from '../../types/known.js';
import { atLeast, checkNumber, plus, times } from '../common/numbers.js';
import { checkFlag } from '../common/options.js';
import type { LossOptions, LossReduction, LossShape, PairLoss, TripleLoss } from './reduced.js';
import { alike, alikeBeside, loss, softplusBoth, spreadOption } from './reduced.js';
import { pairwiseDistance } from './similarity.js';

/** What losses with a margin take beside the reduction. */
export interface MarginOptions {
  /** By how much it must be right to cost nothing. */
  readonly margin?: number;
}

/** What {@link tripletMarginLoss} takes beside the reduction. */
export interface TripletMarginOptions extends MarginOptions {
  /** The exponent of the norm. Default 2. */
  readonly p?: number;
  /** Added to each difference. Default 10⁻⁶. */
  readonly epsilon?: number;
  /** Whether the distance of the positive from the negative counts where it is the shorter one. Default false. */
  readonly swap?: boolean;
}

/** A loss of vectors along the last axis, data-first and data-last; `z` are vectors too, or a label for each. */
export interface VectorLoss<Op extends string, Extra> {
  <
    T extends Shape,
    E extends DType,
    F extends DType = 'bool',
    R extends LossReduction = 'mean',
    const O extends Only<LossOptions<string> & Extra, O> = LossOptions<string> & Extra & Record<never, never>,
  >(
    y: Tensor<T, E> & NotAny<O>,
    z: Tensor<Shape, F> | number,
    options?: LossOptions<R> & Extra & O,
  ): <S extends Shape, D extends DType>(
    x: Tensor<S, D> & Ok<Alike<Op, S, T>>,
  ) => Tensor<LossShape<Fit<Reduce<Op, S, -1>>, R>, Floating<Promote<Promote<D, E>, F>>>;
  <
    S extends Shape,
    D extends DType,
    T extends Shape,
    E extends DType,
    F extends DType = D,
    R extends LossReduction = 'mean',
  >(
    x: Tensor<S, D>,
    y: Tensor<T, E> & Ok<Alike<Op, S, T>>,
    z: Tensor<Shape, F> | number,
    options?: LossOptions<R> & Extra,
  ): Tensor<LossShape<Fit<Reduce<Op, S, -1>>, R>, Floating<Promote<Promote<D, E>, F>>>;
}

/** One of two losses by the label, 1 or −1; there is none for other labels. */
const byLabel = (label: Node, positive: Node, negative: Node): Node =>
  b.select(
    b.eq(label, full(b, label, 1)),
    positive,
    b.select(b.eq(label, full(b, label, -1)), negative, full(b, negative, Number.NaN)),
  );

/** margin − x, and nothing below 0. */
const short = (x: Node, margin: number): Node => atLeast(plus(b.neg(x), margin), 0);

/**
 * The hinge loss of scores, as of support vector machines: `max(0, margin − target · x)` for targets 1 and −1.
 *
 * Source: Cortes & Vapnik 1995, Machine Learning 20, doi:10.1007/BF00994018.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options `margin`, 1 where left out; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError when the shapes differ: nothing but a scalar broadcasts
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch —
 * @example
 * ```js
 * import { hingeLoss, tensor } from 'tenfold';
 * hingeLoss(tensor([0.5, 2, 0.5]), tensor([1, 1, -1]), { reduction: 'none' }).toArray(); // => [0.5, 0, 1.5]
 * ```
 */
export const hingeLoss: PairLoss<'hingeLoss', MarginOptions> = loss(
  'hingeLoss',
  2,
  ['margin'],
  (operands, { margin = 1 }: MarginOptions) => {
    checkNumber('hingeLoss', 'margin', margin);
    const [x, target] = alike('hingeLoss', operands) as [Node, Node];
    return short(b.mul(target, x), margin);
  },
);

/**
 * A loss of distances: `x` where the target is 1, `max(0, margin − x)` where it is −1.
 *
 * @param x how far two things are apart
 * @param target 1 for what belongs together and −1 for what does not, of the shape of `x`, or a scalar or number
 * @param options as {@link hingeLoss}
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32; NaN for other targets
 * @throws ShapeError, DTypeError, ArgumentError as {@link hingeLoss}
 * @numpy —
 * @pytorch torch.nn.functional.hinge_embedding_loss
 * @example
 * ```js
 * import { hingeEmbeddingLoss, tensor } from 'tenfold';
 * hingeEmbeddingLoss(tensor([0.25, 0.25, 2]), tensor([1, -1, -1]), { reduction: 'none' }).toArray(); // => [0.25, 0.75, 0]
 * ```
 */
export const hingeEmbeddingLoss: PairLoss<'hingeEmbeddingLoss', MarginOptions> = loss(
  'hingeEmbeddingLoss',
  2,
  ['margin'],
  (operands, { margin = 1 }: MarginOptions) => {
    checkNumber('hingeEmbeddingLoss', 'margin', margin);
    const [x, target] = alike('hingeEmbeddingLoss', operands) as [Node, Node];
    return byLabel(target, x, short(x, margin));
  },
);

/**
 * The logistic loss of scores, `log(1 + exp(−target · x))` for targets 1 and −1: a hinge without a corner.
 *
 * @param target of the shape of `x`, or a scalar or number
 * @param options `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link hingeLoss}
 * @numpy —
 * @pytorch torch.nn.functional.soft_margin_loss
 * @example
 * ```js
 * import { softMarginLoss, tensor } from 'tenfold';
 * softMarginLoss(tensor([0, -1000]), tensor([1, 1]), { reduction: 'none' }).toArray(); // => [0.6931472, 1000]
 * ```
 */
export const softMarginLoss: PairLoss<'softMarginLoss'> = loss('softMarginLoss', 2, [], operands => {
  const [x, target] = alike('softMarginLoss', operands) as [Node, Node];
  return softplusBoth(b.mul(target, x))[1];
});

/**
 * A loss of pairs of scores in the wrong order: `max(0, margin − target · (x − y))`. The target is 1 where `x` should be
 * the larger one, −1 where `y` should.
 *
 * @param y of the shape of `x`, or a scalar
 * @param target of the shape of `x`, or a scalar or number
 * @param options `margin`, 0 where left out; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape of `x`; the promoted dtype, integers as float32
 * @throws ShapeError, DTypeError, ArgumentError as {@link hingeLoss}
 * @numpy —
 * @pytorch torch.nn.functional.margin_ranking_loss
 * @example
 * ```js
 * import { marginRankingLoss, tensor } from 'tenfold';
 * marginRankingLoss(tensor([3, 1]), tensor([1, 2]), 1, { reduction: 'none' }).toArray(); // => [0, 1]
 * ```
 */
export const marginRankingLoss: TripleLoss<'marginRankingLoss', MarginOptions> = loss(
  'marginRankingLoss',
  3,
  ['margin'],
  (operands, { margin = 0 }: MarginOptions) => {
    checkNumber('marginRankingLoss', 'margin', margin);
    const [x, y, target] = alike('marginRankingLoss', operands) as [Node, Node, Node];
    return short(b.mul(target, b.sub(x, y)), margin);
  },
);

/** Refuses scalars, for a vector has an axis. */
const checkVectors = (operation: string, x: Node): void => {
  if (x.shape.length > 0) return;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'vectors are along the last axis, and a scalar has none',
    hint: 'Give tensors of the shape [batch, features].',
  });
};

/**
 * A loss of triples of vectors along the last axis: an anchor is to be nearer to the positive than to the negative,
 * `max(0, ‖anchor − positive + ε‖ − ‖anchor − negative + ε‖ + margin)`.
 *
 * Source: Balntas et al. 2016, "Learning local feature descriptors with triplets and shallow convolutional neural
 * networks", section 3; `swap` is its anchor swap.
 *
 * @param anchor `[…, features]`
 * @param positive of the shape of the anchor
 * @param negative of the shape of the anchor
 * @param options `margin`, 1 where left out; `p`, the exponent of the norm; `epsilon`; `swap`; `reduction`: 'mean', the
 *   default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape without the last axis; the promoted dtype, integers as float32
 * @throws ShapeError when the shapes differ, or for scalars
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.triplet_margin_loss
 * @example
 * ```js
 * import { tensor, tripletMarginLoss } from 'tenfold';
 * const [anchor, positive, negative] = [tensor([[0, 0]]), tensor([[0, 2]]), tensor([[3, 4]])];
 * tripletMarginLoss(anchor, positive, negative, { margin: 4, epsilon: 0 }).item(); // => 1
 * ```
 */
export const tripletMarginLoss: VectorLoss<'tripletMarginLoss', TripletMarginOptions> = loss(
  'tripletMarginLoss',
  3,
  ['margin', 'p', 'epsilon', 'swap'],
  (operands, { margin = 1, p = 2, epsilon = 1e-6, swap = false }: TripletMarginOptions) => {
    checkNumber('tripletMarginLoss', 'margin', margin);
    checkNumber('tripletMarginLoss', 'p', p, 'notNegative');
    checkNumber('tripletMarginLoss', 'epsilon', epsilon);
    checkFlag('tripletMarginLoss', 'swap', swap);
    const [anchor, positive, negative] = alike('tripletMarginLoss', operands) as [Node, Node, Node];
    checkVectors('tripletMarginLoss', anchor);
    const distance = (x: Node, y: Node): Node => nodeOf(pairwiseDistance(wrap(x), wrap(y), { p, epsilon }));
    const far = distance(anchor, negative);
    const away = swap ? b.min(far, distance(positive, negative)) : far;
    return short(b.sub(away, distance(anchor, positive)), margin);
  },
);

/** Keeps the derivative of a norm finite at 0, as in PyTorch. */
const smallest = 1e-12;

/**
 * A loss of pairs of vectors along the last axis by the cosine of their angle: `1 − cos` where the target is 1,
 * `max(0, cos − margin)` where it is −1.
 *
 * @param x `[…, features]`
 * @param y of the shape of `x`
 * @param target 1 or −1, a number or what broadcasts to the shape without the last axis
 * @param options `margin`, 0 where left out; `reduction`: 'mean', the default, 'sum' or 'none'
 * @returns a scalar, or with 'none' the shape without the last axis; the promoted dtype, integers as float32; NaN for
 *   other targets
 * @throws ShapeError when the shapes do not belong together, or for scalars
 * @throws DTypeError, ArgumentError as {@link tripletMarginLoss}
 * @numpy —
 * @pytorch torch.nn.functional.cosine_embedding_loss
 * @example
 * ```js
 * import { cosineEmbeddingLoss, tensor } from 'tenfold';
 * const [x, y] = [tensor([[3, 4], [1, 0]]), tensor([[0, 1], [1, 0]])];
 * cosineEmbeddingLoss(x, y, tensor([1, -1]), { reduction: 'none' }).toArray(); // => [0.2, 1]
 * ```
 */
export const cosineEmbeddingLoss: VectorLoss<'cosineEmbeddingLoss', MarginOptions> = loss(
  'cosineEmbeddingLoss',
  3,
  ['margin'],
  (operands, { margin = 0 }: MarginOptions) => {
    const operation = 'cosineEmbeddingLoss';
    checkNumber(operation, 'margin', margin);
    const [x, y] = alikeBeside(operation, operands);
    checkVectors(operation, x);
    const axes = [x.shape.length - 1];
    const dot = (p: Node, q: Node): Node => b.sum(b.mul(p, q), { axes });
    const squares = b.mul(plus(dot(x, x), smallest), plus(dot(y, y), smallest));
    const cosine = b.div(dot(x, y), b.sqrt(squares));
    const target = spreadOption(operation, 'target', operands[2], cosine);
    return byLabel(target, plus(times(cosine, -1), 1), short(times(cosine, -1), -margin));
  },
);
