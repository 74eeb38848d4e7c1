/** A scalar spread over a shape: the one composite that rules keep needing. */
import type { DType } from '../dtype.js';
import { DynamicNumber, type Node } from '../graph.js';
import type { Aval } from '../shape.js';
import type { Build } from './signatures.js';

/** A scalar node. */
export const scalar = (b: Build, value: number, dtype: DType): Node =>
  b.constant({ value: new DynamicNumber(value), dtype });

/** `value` with the shape and dtype of `like`. */
export const full = (b: Build, like: Aval, value: number): Node => {
  const node = scalar(b, value, like.dtype);
  return like.shape.length === 0 ? node : b.broadcast(node, { shape: like.shape });
};
