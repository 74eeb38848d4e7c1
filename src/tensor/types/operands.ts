/** Shapes and dtypes of what stands for a tensor: numbers have the shape of a scalar, and go along with any dtype. */
import type { DType } from '../dtype.js';
import type { Aval, Shape } from '../shape.js';
import type { Broadcast } from '../shape-types.js';

/** The shape of a tensor or a number. */
export type ShapeOf<X> = [X] extends [Aval] ? X['shape'] : [X] extends [number | null] ? readonly [] : Shape;

/** The dtype of a tensor, bool for a number, which meets every dtype in that dtype. */
export type DTypeOfOperand<X> = [X] extends [Aval] ? X['dtype'] : [X] extends [number] ? 'bool' : DType;

/** The shape that three of them broadcast to. */
export type BroadcastThree<Op extends string, X, Y, Z> =
  Broadcast<Op, ShapeOf<X>, ShapeOf<Y>> extends infer R ? (R extends Shape ? Broadcast<Op, R, ShapeOf<Z>> : R) : never;
