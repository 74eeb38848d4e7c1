/** Attention: means of values, weighted by how well keys answer queries. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { isFloat } from '../../dtype.js';
import { DTypeError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { unreduce } from '../../primitives/reduction.js';
import { broadcastShapes, range, type Shape, sameShape, showAval, showShape } from '../../shape.js';
import type { Fit, Floating, Ok, Promote } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { NotAny, Only } from '../../types/known.js';
import type { AttentionShape } from '../../types/matrices.js';
import { sameDType, showAll } from '../common/checks.js';
import { checkNumber, times } from '../common/numbers.js';
import { broadcastNode, nodeFor, unaryOperand } from '../common/operands.js';
import { checkFlag, dualOfSeveral } from '../common/options.js';

/** What {@link attention} takes beside queries, keys and values. */
export interface AttentionOptions {
  /** Bools, true where a query attends to a key; or floats that are added to the scores. Broadcasts to the scores. */
  readonly mask?: Tensor;
  /** Whether a query attends only to the keys up to its own position. Default false. */
  readonly causal?: boolean;
  /** The factor of the scores. Default 1/√features. */
  readonly scale?: number;
}

/** The signatures of {@link attention}. */
export interface Attention {
  <
    K extends Shape,
    E extends DType,
    V extends Shape,
    F extends DType,
    const O extends Only<AttentionOptions, O> = Record<never, never>,
  >(
    k: Tensor<K, E>,
    v: Tensor<V, F> & NotAny<O>,
    options?: O,
  ): <Q extends Shape, D extends DType>(
    q: Tensor<Q, D> & Ok<AttentionShape<Q, K, V>>,
  ) => Tensor<Fit<AttentionShape<Q, K, V>>, Floating<Promote<Promote<D, E>, F>>>;
  <Q extends Shape, D extends DType, K extends Shape, E extends DType, V extends Shape, F extends DType>(
    q: Tensor<Q, D>,
    k: Tensor<K, E>,
    v: Tensor<V, F> & Ok<AttentionShape<Q, K, V>>,
    options?: AttentionOptions,
  ): Tensor<Fit<AttentionShape<Q, K, V>>, Floating<Promote<Promote<D, E>, F>>>;
}

/** The mask as a node that can be spread over the scores. */
const maskNode = (mask: unknown, scores: Shape): Node => {
  const node = nodeFor('attention', mask);
  if (node.dtype !== 'bool' && !isFloat(node.dtype)) {
    throw new DTypeError({
      operation: 'attention',
      given: `the mask ${showAval(node)}`,
      rule: 'a mask is of bools, true where a query attends to a key, or of floats that are added to the scores',
      hint: "Write cast(mask, 'bool').",
    });
  }
  if (sameShape(broadcastShapes('attention', scores, node.shape), scores)) return node;
  throw new ShapeError({
    operation: 'attention',
    given: `the mask ${showAval(node)} beside scores ${showShape(scores)}`,
    rule: 'the mask must broadcast to the scores, […, queries, keys]',
    hint: 'Use reshape to line the axes up.',
  });
};

/** Softmax of the last axis; zeros where there is nothing but −∞. */
const weights = (scores: Node): Node => {
  const axes = [scores.shape.length - 1];
  if (scores.shape[axes[0]!] === 0) return scores;
  const largest = b.stopGradient(b.reduceMax(scores, { axes }));
  const none = b.eq(largest, full(b, largest, Number.NEGATIVE_INFINITY));
  const exps = b.exp(b.sub(scores, unreduce(b, b.select(none, full(b, largest, 0), largest), scores, axes)));
  const total = b.sum(exps, { axes });
  return b.div(exps, unreduce(b, b.select(none, full(b, total, 1), total), scores, axes));
};

/**
 * Scaled dot-product attention: `softmax(q · kᵀ · scale + mask) · v`, the softmax along the keys.
 *
 * Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1. Leading axes (batch, heads) broadcast. A query that may attend to
 * no key gets zeros. With `causal` query i attends to the keys 0 … i, whatever their numbers, beside what the mask says.
 *
 * @param q queries, `[…, queries, features]`
 * @param k keys, `[…, keys, features]`
 * @param v values, `[…, keys, channels]`
 * @param options `mask`, `causal`, and `scale`, 1/√features where left out
 * @returns `[…, queries, channels]`; the dtype in which queries, keys, values and a floating mask meet, integers as
 *   float32
 * @throws ShapeError when a rank is below 2, features or the numbers of keys and values differ, or something does not
 *   broadcast
 * @throws DTypeError for a mask of integers, and for uint8
 * @throws ArgumentError when an argument is no tensor, an option unknown or its value wrong
 * @numpy jax.nn.dot_product_attention
 * @pytorch torch.nn.functional.scaled_dot_product_attention
 * @example
 * ```js
 * import { attention, tensor } from 'tenfold';
 * const [q, k, v] = [tensor([[1, 0], [0, 1]]), tensor([[0, 0], [0, 0]]), tensor([[1], [3]])];
 * attention(q, k, v).toArray(); // => [[2], [2]]
 * attention(q, k, v, { causal: true }).toArray(); // => [[1], [2]]
 * attention(q, k, v, { mask: tensor([[false, true], [false, false]]) }).toArray(); // => [[3], [0]]
 * ```
 */
export const attention: Attention = dualOfSeveral(
  'attention',
  3,
  ['mask', 'causal', 'scale'],
  (q: Tensor, k: Tensor, v: Tensor, { mask, causal = false, scale }: AttentionOptions = {}) => {
    checkFlag('attention', 'causal', causal);
    if (scale !== undefined) checkNumber('attention', 'scale', scale);
    const given = [q, k, v].map(x => unaryOperand('attention', x, { toFloat: true }));
    const last = (x: Node, back: number): number | undefined => x.shape[x.shape.length - back];
    const [features, keys, queries] = [last(given[0]!, 1), last(given[1]!, 2), last(given[0]!, 2)];
    if (given.some(({ shape }) => shape.length < 2) || last(given[1]!, 1) !== features || last(given[2]!, 2) !== keys) {
      throw new ShapeError({
        operation: 'attention',
        given: showAll(given),
        rule: 'they are […, queries, features], […, keys, features] and […, keys, channels]',
        hint: 'Queries and keys have the same features, and there is a value for each key.',
      });
    }
    const leading = broadcastShapes('attention', ...given.map(({ shape }) => shape.slice(0, -2)));
    const shape = [...leading, queries!, keys!];
    const masked = mask === undefined ? undefined : maskNode(mask, shape);
    const added = masked !== undefined && masked.dtype !== 'bool' ? [masked] : [];
    const [from, to, values, bias] = sameDType('attention', [...given, ...added]).map((x, i) =>
      broadcastNode(x, i === 3 ? shape : [...leading, ...x.shape.slice(-2)]),
    ) as [Node, Node, Node, Node | undefined];
    const batch = range(leading.length);
    const meet = (x: Node, y: Node, axis: number): Node =>
      b.dotGeneral(x, y, {
        lhsContract: [batch.length + 1],
        rhsContract: [batch.length + axis],
        lhsBatch: batch,
        rhsBatch: batch,
      });
    const products = meet(from, to, 1);
    const plain = times(products, scale ?? 1 / Math.sqrt(Math.max(1, features!)));
    const scores = bias === undefined ? plain : b.add(plain, bias);
    const position = (axis: number): Node => b.iota({ shape, dtype: 'int32', axis: batch.length + axis });
    const conditions = [
      ...(masked?.dtype === 'bool' ? [broadcastNode(masked, shape)] : []),
      ...(causal ? [b.ge(position(0), position(1))] : []),
    ];
    const attended = conditions.reduce(
      (x, condition) => b.select(condition, x, full(b, x, Number.NEGATIVE_INFINITY)),
      scores,
    );
    return wrap(meet(weights(attended), values, 0));
  },
);
