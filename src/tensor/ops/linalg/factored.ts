/** Factors and what is solved with them, as nodes: for the functions that give them as they are and for the checked ones. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { results } from '../../primitives/results.js';
import { reordered, transposed } from '../../primitives/triangular.js';
import type { Shape } from '../../shape.js';
import { broadcastNode } from '../common/operands.js';
import { identity, spread } from './systems.js';

/** The factor of square matrices. */
export const choleskyNode = (x: Node, upper: boolean): Node =>
  upper ? transposed(b, b.cholesky(transposed(b, x))) : b.cholesky(x);

/** The solution for matrices that have the leading axes `front`, and the packed factors on the way. */
export const solved = (a: Node, y: Node, front: Shape): { readonly x: Node; readonly packed: Node } => {
  const [packed, order] = results(b, b.lu(a)) as [Node, Node];
  const factors = spread(packed, front);
  const right = reordered(b, y, broadcastNode(order, [...front, order.shape.at(-1)!]), false);
  const half = b.triangularSolve(factors, right, { upper: false, transpose: false, unit: true });
  return { x: b.triangularSolve(factors, half, { upper: true, transpose: false, unit: false }), packed };
};

/** The inverses of square matrices, and the packed factors on the way. */
export const inverted = (a: Node): { readonly x: Node; readonly packed: Node } =>
  solved(a, identity(a.shape, a), a.shape.slice(0, -2));
