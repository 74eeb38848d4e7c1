/** Logic, elementwise with broadcasting. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { broadcastShapes, type Shape } from '../../shape.js';
import type { Broadcast, Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import { broadcastNode, dual } from '../common/operands.js';
import { truth } from '../common/truth.js';
import type { Predicate } from './predicates.js';

/** A logical function of two tensors, data-first and data-last. */
export interface Logical<Op extends string> {
  <A extends Shape, B extends Shape>(
    a: Tensor<A>,
    b: Tensor<B> & Ok<Broadcast<Op, A, B>>,
  ): Tensor<Fit<Broadcast<Op, A, B>>, 'bool'>;
  <B extends Shape>(
    b: Tensor<B>,
  ): <A extends Shape>(a: Tensor<A> & Ok<Broadcast<Op, A, B>>) => Tensor<Fit<Broadcast<Op, A, B>>, 'bool'>;
}

const logical = <Op extends string>(operation: Op, build: (x: Node, y: Node) => Node): Logical<Op> =>
  dual(2, (x: Tensor, y: Tensor) => {
    const [p, q] = [truth(operation, x), truth(operation, y)];
    const shape = broadcastShapes(operation, p.shape, q.shape);
    return wrap(build(broadcastNode(p, shape), broadcastNode(q, shape)));
  });

/**
 * Whether both are true, elementwise with broadcasting. What is no bool is true when it is other than 0 (NaN is).
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError when the shapes do not broadcast
 * @throws ArgumentError when an operand is no tensor
 * @numpy np.logical_and
 * @pytorch torch.logical_and
 * @example
 * ```js
 * import { logicalAnd, tensor } from 'tenfold';
 * logicalAnd(tensor([true, true, false]), tensor([true, false, false])).toArray(); // => [true, false, false]
 * ```
 */
export const logicalAnd: Logical<'logicalAnd'> = logical('logicalAnd', b.and);

/**
 * Whether one of them or both are true, elementwise with broadcasting. What is no bool is true when it is other than 0.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, ArgumentError as {@link logicalAnd}
 * @numpy np.logical_or
 * @pytorch torch.logical_or
 * @example
 * ```js
 * import { logicalOr, tensor } from 'tenfold';
 * logicalOr(tensor([true, true, false]), tensor([true, false, false])).toArray(); // => [true, true, false]
 * ```
 */
export const logicalOr: Logical<'logicalOr'> = logical('logicalOr', b.or);

/**
 * Whether exactly one of them is true, elementwise with broadcasting. What is no bool is true when it is other than 0.
 *
 * @returns the broadcast shape, bool
 * @throws ShapeError, ArgumentError as {@link logicalAnd}
 * @numpy np.logical_xor
 * @pytorch torch.logical_xor
 * @example
 * ```js
 * import { logicalXor, tensor } from 'tenfold';
 * logicalXor(tensor([true, true, false]), tensor([true, false, false])).toArray(); // => [false, true, false]
 * ```
 */
export const logicalXor: Logical<'logicalXor'> = logical('logicalXor', b.xor);

/**
 * True for false and false for true. What is no bool is true when it is other than 0.
 *
 * @returns the shape of `x`, bool
 * @throws ArgumentError when `x` is no tensor
 * @numpy np.logical_not
 * @pytorch torch.logical_not
 * @example
 * ```js
 * import { logicalNot, tensor } from 'tenfold';
 * logicalNot(tensor([true, false])).toArray(); // => [false, true]
 * ```
 */
export const logicalNot: Predicate = (x => wrap(b.not(truth('logicalNot', x)))) as Predicate;
