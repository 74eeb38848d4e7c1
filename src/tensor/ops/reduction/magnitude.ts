/** The norm of a vector as nodes. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { countOf, refuseEmpty } from './reducing.js';

/** `f(x)`, but 0 where x is 0, with the derivative 0 there instead of whatever f's is. */
const zeroAtZero = (x: Node, f: (x: Node) => Node): Node => {
  const [zero, one] = [full(b, x, 0), full(b, x, 1)];
  const none = b.eq(x, zero);
  return b.select(none, zero, f(b.select(none, one, x)));
};

const power = (x: Node, exponent: number): Node => b.pow(x, full(b, x, exponent));

/** The norm of order `ord` along the axes, which go away. */
export const normOf = (operation: string, x: Node, axes: readonly number[], ord: number): Node => {
  const sum = (y: Node): Node => b.sum(y, { axes });
  if (ord === 0) return sum(b.cast(b.ne(x, full(b, x, 0)), { dtype: x.dtype }));
  if (ord === 2) return zeroAtZero(sum(b.mul(x, x)), b.sqrt);
  const sizes = b.abs(x);
  if (ord === 1) return sum(sizes);
  if (Math.abs(ord) === Number.POSITIVE_INFINITY) {
    if (ord > 0 && countOf(x, axes) === 0) return sum(sizes);
    refuseEmpty(operation, x, axes);
    return b[ord > 0 ? 'reduceMax' : 'reduceMin'](sizes, { axes });
  }
  if (ord < 0) return power(sum(power(sizes, ord)), 1 / ord);
  return zeroAtZero(sum(zeroAtZero(sizes, y => power(y, ord))), y => power(y, 1 / ord));
};
