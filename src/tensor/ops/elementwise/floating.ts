/** How functions of one tensor of floats are made of what they build. */
import type { DType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import type { Shape } from '../../shape.js';
import type { Floating } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { unaryOperand } from '../common/operands.js';

/** A function of one tensor that keeps the shape; integers and bool become float32. */
export type FloatUnary = <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, Floating<D>>;

export const floating = (operation: string, build: (x: Node) => Node): FloatUnary =>
  (x => wrap(build(unaryOperand(operation, x, { toFloat: true })))) as FloatUnary;
