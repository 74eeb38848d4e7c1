/** How near vectors are to each other: distances, angles, and the product that is perpendicular to two. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { unreduce } from '../../primitives/reduction.js';
import { broadcastShapes, normalizeAxis, type Shape } from '../../shape.js';
import type { Arithmetic, Broadcast, Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Reduce } from '../../types/axes.js';
import type { NotAny, Only } from '../../types/known.js';
import type { Crossed, Distances } from '../../types/losses.js';
import { sameDType, showAll } from '../common/checks.js';
import { sliceAlong } from '../common/moving.js';
import { atLeast, checkNumber, plus } from '../common/numbers.js';
import { broadcastNode, commonOperands, nodeFor, unaryOperand } from '../common/operands.js';
import { dualOfSeveral, withOptions } from '../common/options.js';
import { normOf } from '../reduction/magnitude.js';
import type { AlongAxis, OneAxis } from '../reduction/reducing.js';

/** What {@link normalize} takes beside the tensor. */
export interface NormalizeOptions {
  /** The exponent of the norm. Default 2; Infinity is the largest magnitude. */
  readonly p?: number;
  /** The axis of the vectors. Default −1, the last. */
  readonly axis?: number;
  /** Smaller norms count as this one. Default 10⁻¹². */
  readonly epsilon?: number;
}

/** What {@link cosineSimilarity} takes beside the tensors. */
export interface CosineOptions<Axis extends number = number> {
  /** The axis of the vectors. Default −1, the last. */
  readonly axis?: Axis;
  /** Smaller norms count as this one. Default 10⁻⁸. */
  readonly epsilon?: number;
}

/** What {@link pairwiseDistance} takes beside the tensors. */
export interface DistanceOptions<Axis extends number = number> {
  /** The axis of the vectors. Default −1, the last. */
  readonly axis?: Axis;
  /** The exponent of the norm. Default 2; Infinity is the largest magnitude. */
  readonly p?: number;
  /** Added to each difference. Default 10⁻⁶. */
  readonly epsilon?: number;
}

/** What {@link cdist} takes beside the tensors. */
export interface CdistOptions {
  /** The exponent of the norm. Default 2; Infinity is the largest magnitude. */
  readonly p?: number;
}

/** What {@link cross} takes beside the tensors. */
export interface CrossOptions {
  /** The axis of the vectors, 3 long. Default −1, the last. */
  readonly axis?: number;
}

/** The signatures of {@link cosineSimilarity}; the axis goes away. */
export interface CosineSimilarity {
  <
    B extends Shape,
    E extends DType,
    const X extends number = -1,
    const O extends Only<CosineOptions, O> = Record<never, never>,
  >(
    b: Tensor<B, E> & NotAny<O>,
    options?: CosineOptions<X> & O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> &
      Ok<Broadcast<'cosineSimilarity', A, B>> &
      Ok<Reduce<'cosineSimilarity', Fit<Broadcast<'cosineSimilarity', A, B>>, X>>,
  ) => Tensor<Fit<Reduce<'cosineSimilarity', Fit<Broadcast<'cosineSimilarity', A, B>>, X>>, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType, const X extends number = -1>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<'cosineSimilarity', A, B>>,
    options?: CosineOptions<X> & Ok<Reduce<'cosineSimilarity', Fit<Broadcast<'cosineSimilarity', A, B>>, X>>,
  ): Tensor<Fit<Reduce<'cosineSimilarity', Fit<Broadcast<'cosineSimilarity', A, B>>, X>>, Floating<Promote<D, E>>>;
}

/** The signatures of {@link pairwiseDistance}; the axis goes away. */
export interface PairwiseDistance {
  <
    B extends Shape,
    E extends DType,
    const X extends number = -1,
    const O extends Only<DistanceOptions, O> = Record<never, never>,
  >(
    b: Tensor<B, E> & NotAny<O>,
    options?: DistanceOptions<X> & O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> &
      Ok<Broadcast<'pairwiseDistance', A, B>> &
      Ok<Reduce<'pairwiseDistance', Fit<Broadcast<'pairwiseDistance', A, B>>, X>>,
  ) => Tensor<Fit<Reduce<'pairwiseDistance', Fit<Broadcast<'pairwiseDistance', A, B>>, X>>, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType, const X extends number = -1>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<'pairwiseDistance', A, B>>,
    options?: DistanceOptions<X> & Ok<Reduce<'pairwiseDistance', Fit<Broadcast<'pairwiseDistance', A, B>>, X>>,
  ): Tensor<Fit<Reduce<'pairwiseDistance', Fit<Broadcast<'pairwiseDistance', A, B>>, X>>, Floating<Promote<D, E>>>;
}

/** The signatures of {@link cdist}. */
export interface Cdist {
  <B extends Shape, E extends DType, const O extends Only<CdistOptions, O> = Record<never, never>>(
    b: Tensor<B, E> & NotAny<O>,
    options?: O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Distances<A, B>>,
  ) => Tensor<Fit<Distances<A, B>>, Floating<Promote<D, E>>>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Distances<A, B>>,
    options?: CdistOptions,
  ): Tensor<Fit<Distances<A, B>>, Floating<Promote<D, E>>>;
}

/** The signatures of {@link cross}. */
export interface Cross {
  <
    B extends Shape,
    E extends DType,
    const X extends number = -1,
    const O extends Only<CrossOptions, O> = Record<never, never>,
  >(
    b: Tensor<B, E> & NotAny<O>,
    options?: CrossOptions & OneAxis<X> & O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Crossed<A, B, X>>,
  ) => Tensor<Fit<Crossed<A, B, X>>, Arithmetic<Promote<D, E>>>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType, const X extends number = -1>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Crossed<A, B, X>>,
    options?: CrossOptions & OneAxis<X>,
  ): Tensor<Fit<Crossed<A, B, X>>, Arithmetic<Promote<D, E>>>;
}

/** Vectors of the length 1. */
const unit = (x: Node, axis: number, p: number, epsilon: number): Node => {
  const norm = normOf('normalize', x, [axis], p);
  return b.div(x, unreduce(b, atLeast(norm, epsilon), x, [axis]));
};

/**
 * Vectors divided by their norms: `x / max(‖x‖, ε)` along an axis.
 *
 * @param x any tensor but a scalar
 * @param options `axis`, the last where left out, unlike in PyTorch; `p`, the exponent of the norm; `epsilon`
 * @returns the shape of `x`; integers and bool give float32
 * @throws AxisError for an axis that `x` does not have
 * @throws DTypeError for uint8
 * @throws ArgumentError when `x` is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.normalize
 * @example
 * ```js
 * import { normalize, tensor } from 'tenfold';
 * import { pipe } from 'fp-ts/lib/function.js';
 * normalize(tensor([[3, 4], [0, 0]])).toArray(); // => [[0.6, 0.8], [0, 0]]
 * pipe(tensor([1, 3]), normalize({ p: 1 })).toArray(); // => [0.25, 0.75]
 * ```
 */
export const normalize: AlongAxis<'normalize', 'float', NormalizeOptions> = withOptions(
  'normalize',
  ['axis', 'p', 'epsilon'],
  (x: Tensor, { axis = -1, p = 2, epsilon = 1e-12 }: NormalizeOptions) => {
    checkNumber('normalize', 'p', p, 'notNegative');
    checkNumber('normalize', 'epsilon', epsilon, 'notNegative');
    const node = unaryOperand('normalize', x, { toFloat: true });
    return wrap(unit(node, normalizeAxis('normalize', axis, node.shape), p, epsilon));
  },
);

/**
 * The cosine of the angle between vectors: `Σ a · b / (max(‖a‖, ε) · max(‖b‖, ε))` along an axis, broadcasting.
 *
 * @param options `axis`, the last where left out, unlike in PyTorch; `epsilon`
 * @returns the broadcast shape without the axis; the promoted dtype, integers as float32
 * @throws ShapeError when the shapes do not broadcast
 * @throws AxisError when there is no such axis
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy —
 * @pytorch torch.nn.functional.cosine_similarity
 * @example
 * ```js
 * import { cosineSimilarity, tensor } from 'tenfold';
 * cosineSimilarity(tensor([[1, 0], [3, 4]]), tensor([0, 2])).toArray(); // => [0, 0.8]
 * ```
 */
export const cosineSimilarity: CosineSimilarity = dualOfSeveral(
  'cosineSimilarity',
  2,
  ['axis', 'epsilon'],
  (x: Tensor, y: Tensor, { axis = -1, epsilon = 1e-8 }: CosineOptions = {}) => {
    checkNumber('cosineSimilarity', 'epsilon', epsilon, 'notNegative');
    const [p, q] = vectors('cosineSimilarity', x, y);
    const at = normalizeAxis('cosineSimilarity', axis, p.shape);
    return wrap(b.sum(b.mul(unit(p, at, 2, epsilon), unit(q, at, 2, epsilon)), { axes: [at] }));
  },
);

/** Two tensors, for numbers have no direction, in one shape and floating dtype. */
const vectors = (operation: string, x: unknown, y: unknown): [Node, Node] =>
  commonOperands(
    operation,
    [x, y].map(operand => wrap(nodeFor(operation, operand))),
    { toFloat: true },
  ) as [Node, Node];

/**
 * The distances of vectors from their counterparts: `‖a − b + ε‖` along an axis, broadcasting. The derivative where a
 * norm is 0 is 0.
 *
 * @param options `axis`, the last where left out; `p`, the exponent of the norm, 2 where left out; `epsilon`, 10⁻⁶ as in
 *   PyTorch
 * @returns the broadcast shape without the axis; the promoted dtype, integers as float32
 * @throws ShapeError, AxisError, DTypeError, ArgumentError as {@link cosineSimilarity}
 * @numpy —
 * @pytorch torch.nn.functional.pairwise_distance
 * @example
 * ```js
 * import { pairwiseDistance, tensor } from 'tenfold';
 * const [a, b] = [tensor([[0, 0], [1, 1]]), tensor([3, 4])];
 * pairwiseDistance(a, b, { epsilon: 0 }).toArray(); // => [5, 3.6055512]
 * pairwiseDistance(a, b, { epsilon: 0, p: Infinity }).toArray(); // => [4, 3]
 * ```
 */
export const pairwiseDistance: PairwiseDistance = dualOfSeveral(
  'pairwiseDistance',
  2,
  ['axis', 'p', 'epsilon'],
  (x: Tensor, y: Tensor, { axis = -1, p = 2, epsilon = 1e-6 }: DistanceOptions = {}) => {
    checkNumber('pairwiseDistance', 'p', p, 'notNegative');
    checkNumber('pairwiseDistance', 'epsilon', epsilon);
    const [from, to] = vectors('pairwiseDistance', x, y);
    const at = normalizeAxis('pairwiseDistance', axis, from.shape);
    return wrap(normOf('pairwiseDistance', plus(b.sub(from, to), epsilon), [at], p));
  },
);

/**
 * The distances of every vector of `a` from every vector of `b`: `‖a[…, i, :] − b[…, j, :]‖`. Leading axes are a batch and
 * broadcast. Differences are taken before they are squared, so near vectors cost no digits; the derivative where vectors
 * are equal is 0.
 *
 * @param a `[…, p, n]`
 * @param b `[…, q, n]`
 * @param options `p`, the exponent of the norm, 2 where left out
 * @returns `[…, p, q]`; the promoted dtype, integers as float32
 * @throws ShapeError when a rank is below 2, vectors differ in length, or leading axes do not broadcast
 * @throws DTypeError for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy scipy.spatial.distance.cdist
 * @pytorch torch.cdist
 * @example
 * ```js
 * import { cdist, tensor } from 'tenfold';
 * cdist(tensor([[0, 0], [3, 0]]), tensor([[3, 4], [3, 0]])).toArray(); // => [[5, 3], [4, 0]]
 * cdist(tensor([[0, 0]]), tensor([[3, 4]]), { p: 1 }).toArray(); // => [[7]]
 * ```
 */
export const cdist: Cdist = dualOfSeveral('cdist', 2, ['p'], (x: Tensor, y: Tensor, { p = 2 }: CdistOptions = {}) => {
  checkNumber('cdist', 'p', p, 'notNegative');
  const nodes = sameDType(
    'cdist',
    [x, y].map(operand => unaryOperand('cdist', operand, { toFloat: true })),
  ) as [Node, Node];
  const [from, to] = nodes;
  const length = from.shape[from.shape.length - 1];
  if (nodes.some(({ shape }) => shape.length < 2 || shape[shape.length - 1] !== length)) {
    throw new ShapeError({
      operation: 'cdist',
      given: showAll(nodes),
      rule: 'both are matrices, or stacks of them, whose rows are equally long',
      hint: 'Vectors are rows: reshape a single one to [1, n].',
    });
  }
  const spread = (node: Node, axis: number): Node => b.reshape(node, { shape: node.shape.toSpliced(axis, 0, 1) });
  const [rows, columns] = [spread(from, -1), spread(to, -2)];
  const shape = broadcastShapes('cdist', rows.shape, columns.shape);
  return wrap(normOf('cdist', b.sub(broadcastNode(rows, shape), broadcastNode(columns, shape)), [shape.length - 1], p));
});

/** The three elements along an axis, each `by` places further to the front, the first ones following the last. */
const turned = (x: Node, axis: number, by: number): Node => {
  const zeros = x.shape.map(() => 0);
  const part = (start: number, stop: number, low: number): Node =>
    b.pad(sliceAlong(x, axis, start, stop), {
      low: zeros.with(axis, low),
      high: zeros.with(axis, 3 - low - (stop - start)),
      interior: zeros,
    });
  // A sum of padded parts rather than a concatenation, for that would be a kernel of its own.
  return b.add(part(by, 3, 0), part(0, by, 3 - by));
};

/**
 * The cross product of vectors of three elements along an axis, broadcasting: perpendicular to both, and as long as the
 * parallelogram between them is large.
 *
 * @param options `axis`, the last where left out
 * @returns the broadcast shape and the promoted dtype; bools count as int32
 * @throws ShapeError when the shapes do not broadcast, or the axis is not 3 long
 * @throws AxisError when there is no such axis
 * @throws DTypeError for int32 with uint32, and for uint8
 * @throws ArgumentError when an argument is no tensor or an option unknown
 * @numpy np.cross
 * @pytorch torch.linalg.cross
 * @example
 * ```js
 * import { cross, tensor } from 'tenfold';
 * cross(tensor([1, 0, 0]), tensor([0, 1, 0])).toArray(); // => [0, 0, 1]
 * ```
 */
export const cross: Cross = dualOfSeveral(
  'cross',
  2,
  ['axis'],
  (x: Tensor, y: Tensor, { axis = -1 }: CrossOptions = {}) => {
    const operands = [x, y].map(operand => wrap(nodeFor('cross', operand)));
    const [p, q] = commonOperands('cross', operands, { boolAsInt: true }) as [Node, Node];
    const at = normalizeAxis('cross', axis, p.shape);
    if (p.shape[at] !== 3) {
      throw new ShapeError({
        operation: 'cross',
        given: `${showAll([nodeFor('cross', x), nodeFor('cross', y)])} along axis ${at}`,
        rule: 'a cross product is of vectors of 3 elements',
        hint: 'Pad vectors in the plane with a 0.',
      });
    }
    const product = (left: number, right: number): Node => b.mul(turned(p, at, left), turned(q, at, right));
    return wrap(b.sub(product(1, 2), product(2, 1)));
  },
);
