/** Which query may attend to which key, and the weights that come of it. */
import { isFloat } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { matmul } from '../tensor/ops/contraction/contraction.js';
import { arange } from '../tensor/ops/creation/creation.js';
import { add, mul } from '../tensor/ops/elementwise/arithmetic.js';
import { stopGradient } from '../tensor/ops/elementwise/cast.js';
import { equal, greaterEqual, where } from '../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { expandDims, swapAxes } from '../tensor/ops/movement/movement.js';
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

/** Both masks in one; undefined where there are none. */
export const maskOf = ({ mask, keyMask }: AttentionMasks): Tensor | undefined => {
  const forKeys = keyMask === undefined ? undefined : (expandDims(keyMask, [-3, -2]) as Tensor);
  if (mask === undefined || forKeys === undefined) return mask ?? forKeys;
  if (mask.dtype === 'bool' && forKeys.dtype === 'bool') return logicalAnd(mask, forKeys) as Tensor;
  const added = [mask, forKeys].map(each => (each.dtype === 'bool' ? where(each, 0, Number.NEGATIVE_INFINITY) : each));
  return add(added[0]! as Tensor, added[1]! as Tensor) as Tensor;
};

/** `softmax(q kᵀ · scale + mask)`, zeros for a query that may attend to no key. */
export const attentionWeights = (q: Tensor, k: Tensor, mask: Tensor | undefined, causal: boolean): Tensor => {
  const [features, queries, keys] = [
    q.shape[q.shape.length - 1]!,
    q.shape[q.shape.length - 2]!,
    k.shape[k.shape.length - 2]!,
  ];
  const plain = mul(matmul(q, swapAxes(k, -1, -2) as Tensor) as Tensor, 1 / Math.sqrt(features)) as Tensor;
  const allowed = [
    ...(mask?.dtype === 'bool' ? [mask] : []),
    ...(causal
      ? [
          greaterEqual(
            expandDims(arange(queries, { dtype: 'int32' }), 1) as Tensor,
            arange(keys, { dtype: 'int32' }) as Tensor,
          ),
        ]
      : []),
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
