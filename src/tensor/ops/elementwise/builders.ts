/** How elementwise operations of one and two operands are made of a function of nodes. */
import type { Node } from '../../graph.js';
import { wrap } from '../../tensor.js';
import { commonOperands, type Domain, dual, type Operand, unaryOperand } from '../common/operands.js';
import type { Binary, FloatBinary, Unary } from './arithmetic.js';
import type { FloatUnary } from './elementary.js';

/** Where numbers are computed with: bool counts as int32. */
export const numbers: Domain = { boolAsInt: true };

const ofTwo = <F>(operation: string, domain: Domain, build: (x: Node, y: Node) => Node): F =>
  dual(2, (x: Operand, y: Operand) => {
    const [p, q] = commonOperands(operation, [x, y], domain);
    return wrap(build(p!, q!));
  });

export const binary = <Op extends string>(operation: Op, build: (x: Node, y: Node) => Node): Binary<Op> =>
  ofTwo(operation, numbers, build);

/** As {@link binary}, in floats. */
export const floatBinary = <Op extends string>(operation: Op, build: (x: Node, y: Node) => Node): FloatBinary<Op> =>
  ofTwo(operation, { toFloat: true }, build);

export const unary = (operation: string, build: (x: Node) => Node): Unary =>
  (x => wrap(build(unaryOperand(operation, x, numbers)))) as Unary;

/** The node of an operand in floats. */
export const floats = (operation: string, x: unknown): Node => unaryOperand(operation, x, { toFloat: true });

/** As {@link unary}, in floats. */
export const floatUnary = (operation: string, build: (x: Node) => Node): FloatUnary =>
  (x => wrap(build(floats(operation, x)))) as FloatUnary;
