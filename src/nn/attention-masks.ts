/** Which query may attend to which key, and the weights that come of it. */
import { isFloat } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { arange, ones, zeros } from '../tensor/ops/creation/creation.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import { equal, greaterEqual, less, where } from '../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { broadcastTo, expandDims, reshape, swapAxes } from '../tensor/ops/movement/movement.js';
import { max } from '../tensor/ops/reduction/extremes.js';
import { softmax } from '../tensor/ops/reduction/softmax.js';
import { broadcastShapes, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** What says where attention goes. */
export interface AttentionMasks {
  /**
   * Bools, true where a query attends to a key (PyTorch's multi-head masks say the opposite), or floats that are added to the
   * scores. Broadcasts to […, heads, queries, keys].
   */
  readonly mask?: Tensor | undefined;
  /** The same for whole keys, for all queries and heads: […, keys]. False for padding. */
  readonly keyMask?: Tensor | undefined;
  /** Whether a query attends only to the keys up to its own position. Default false. */
  readonly causal?: boolean | undefined;
}

/** A mask that broadcasts to a shape; undefined for none. */
export const checkMask = (operation: string, name: string, mask: unknown, shape: Shape): void => {
  if (mask === undefined) return;
  const refuse = (given: string, rule: string, hint: string, Kind: typeof ShapeError | typeof DTypeError): never => {
    throw new Kind({ operation, given: `${given} as ${name}`, rule, hint });
  };
  if (!isTensor(mask) || !(mask.dtype === 'bool' || isFloat(mask.dtype))) {
    refuse(
      isTensor(mask) ? showAval(mask) : kindOf(mask),
      'a mask is of bools, true where there is attention, or of floats that are added to the scores',
      "Write cast(mask, 'bool').",
      DTypeError,
    );
  }
  const given = (mask as Tensor).shape;
  const fits = (): boolean => {
    try {
      return sameShape(broadcastShapes(operation, given, shape), shape);
    } catch {
      return false;
    }
  };
  if (!fits()) {
    refuse(
      showAval(mask as Tensor),
      `${name} broadcasts to ${showShape(shape)}`,
      'Line its axes up with expandDims.',
      ShapeError,
    );
  }
};

/** […, keys] as […, 1, 1, keys]. */
const overQueries = (keyMask: Tensor): Tensor => {
  const { shape } = keyMask;
  return reshape(keyMask, [...shape.slice(0, -1), 1, 1, ...(shape.length === 0 ? [1] : shape.slice(-1))]) as Tensor;
};

/** Both masks in one; undefined where there are none. */
export const maskOf = ({ mask, keyMask }: AttentionMasks): Tensor | undefined => {
  const forKeys = keyMask === undefined ? undefined : overQueries(keyMask);
  if (mask === undefined || forKeys === undefined) return mask ?? forKeys;
  if (mask.dtype === 'bool' && forKeys.dtype === 'bool') return logicalAnd(mask, forKeys) as Tensor;
  const added = [mask, forKeys].map(each => (each.dtype === 'bool' ? where(each, 0, Number.NEGATIVE_INFINITY) : each));
  return add(added[0]! as Tensor, added[1]! as Tensor) as Tensor;
};

/** A mask of so many keys as one of `more` keys behind them, too, which every query sees. */
export const widened = (mask: Tensor | undefined, keys: number, more: number): Tensor | undefined => {
  if (mask === undefined || more === 0) return mask;
  const lead = mask.shape.slice(0, -1);
  const added = mask.dtype === 'bool' ? ones([...lead, more], { dtype: 'bool' }) : zeros([...lead, more]);
  return concat([broadcastTo(mask, [...lead, keys]), added], { axis: -1 }) as Tensor;
};

/** Which of the queries at `places` come no earlier than which keys, of which the last `more` stand before all queries. */
export const inOrder = (places: Tensor, keys: number, more: number): Tensor => {
  const at = arange(keys, { dtype: 'int32' }) as Tensor;
  const from = more === 0 ? at : (where(less(at, keys - more), at, 0) as Tensor);
  return greaterEqual(expandDims(places, 1) as Tensor, from) as Tensor;
};

/** What attention sees. */
export interface Seen {
  /** Broadcasts to the scores. */
  readonly mask?: Tensor | undefined;
  /** Whether a query attends only to the keys up to its own position, and to the last `more`. Default false. */
  readonly causal?: boolean;
  /** How many keys are no places of the sequence, but seen from all of them. Default 0. */
  readonly more?: number;
}

/** `softmax(q kᵀ · scale + mask)`, zeros for a query that may attend to no key. */
export const attentionWeights = (q: Tensor, k: Tensor, { mask, causal = false, more = 0 }: Seen): Tensor => {
  const [features, queries, keys] = [
    q.shape[q.shape.length - 1]!,
    q.shape[q.shape.length - 2]!,
    k.shape[k.shape.length - 2]!,
  ];
  const plain = mul(matmul(q, swapAxes(k, -1, -2) as Tensor) as Tensor, 1 / Math.sqrt(features)) as Tensor;
  const allowed = [
    ...(mask?.dtype === 'bool' ? [mask] : []),
    ...(causal ? [inOrder(arange(queries, { dtype: 'int32' }) as Tensor, keys, more)] : []),
  ];
  const scores = allowed.reduce(
    (x, each) => where(each as Tensor, x, Number.NEGATIVE_INFINITY) as Tensor,
    mask !== undefined && mask.dtype !== 'bool' ? (add(plain, mask) as Tensor) : plain,
  );
  const none = equal(
    stopGradient(max(scores, { axis: -1, keepDims: true }) as Tensor),
    Number.NEGATIVE_INFINITY,
  ) as Tensor;
  return where(none, 0, softmax(where(none, 0, scores) as Tensor, { axis: -1 }) as Tensor) as Tensor;
};
