/** Truth values as nodes. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { castNode, nodeFor } from './operands.js';

/** What an operand says as a truth value: whether it is other than 0. */
export const truth = (operation: string, x: unknown): Node => castNode(nodeFor(operation, x), 'bool');

/** The same truth value in the shape of a node. */
export const always = (x: Node, value: boolean): Node => full(b, { shape: x.shape, dtype: 'bool' }, value ? 1 : 0);
