/** The norms of matrices as nodes, by their orders. */
import { b } from '../../build.js';
import { ArgumentError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { kindOf } from '../common/checks.js';
import { reshapeNode, sliceAlong } from '../common/moving.js';
import { castNode, checkSetting } from '../common/operands.js';
import { normOf } from '../reduction/magnitude.js';
import { refuseEmpty } from '../reduction/reducing.js';
import { decomposed } from './singular.js';

/**
 * Which norm of a matrix: of Frobenius; the sum of the singular values, 'nuc'; the largest or smallest (negative) singular value
 * (±2), or sum of sizes of a column (±1) or row (±Infinity, for which TypeScript has no type but number).
 */
export type MatrixOrder = 'fro' | 'nuc' | number;

const orders: readonly unknown[] = ['fro', 'nuc', 1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/**
 * Checks which norm is meant.
 *
 * @throws ArgumentError for what is none of a matrix
 * @throws TraceError for a placeholder
 */
export const checkOrder = (operation: string, ord: unknown): MatrixOrder => {
  checkSetting(operation, 'ord', ord);
  if (orders.includes(ord)) return ord as MatrixOrder;
  throw new ArgumentError({
    operation,
    given: `${kindOf(ord)} as ord`,
    rule: "ord is 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity",
    hint: 'For norms of the elements of a matrix as one vector take norm(a, { axis: [-2, -1], ord }).',
  });
};

/** The largest and the smallest of singular values [..., k]. */
export const extremesOf = (s: Node): readonly [largest: Node, smallest: Node] => {
  const last = s.shape.length - 1;
  const at = (place: number): Node => reshapeNode(sliceAlong(s, last, place, place + 1), s.shape.slice(0, -1));
  return [at(0), at(s.shape[last]! - 1)];
};

/** The norms of matrices in the last two axes, which go away. */
export const matrixNormOf = (operation: string, x: Node, ord: MatrixOrder): Node => {
  const rank = x.shape.length;
  if (ord === 'fro') return normOf(operation, x, [rank - 2, rank - 1], 2);
  if (ord === 'nuc') return castNode(b.sum(decomposed(x, 'none')[0]!, { axes: [rank - 2] }), x.dtype);
  if (Math.abs(ord) === 2) {
    refuseEmpty(operation, x, [rank - 2, rank - 1]);
    return castNode(extremesOf(decomposed(x, 'none')[0]!)[ord > 0 ? 0 : 1], x.dtype);
  }
  const added = Math.abs(ord) === 1 ? rank - 2 : rank - 1;
  // The other one of the two axes: it is the last one once the added one is gone.
  refuseEmpty(operation, x, [2 * rank - 3 - added]);
  return b[ord > 0 ? 'reduceMax' : 'reduceMin'](b.sum(b.abs(x), { axes: [added] }), { axes: [rank - 2] });
};
