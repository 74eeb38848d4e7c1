/** The quantiles of the standard normal distribution, accurate in the tails as well. */
import { b } from '../tensor/build.js';
import type { Node } from '../tensor/graph.js';
import { plus, polynomial, times } from '../tensor/ops/common/numbers.js';
import { full } from '../tensor/primitives/full.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { customJvp } from '../tensor/transform/custom.js';

/** A quotient of polynomials: coefficients of the numerator and the denominator, from those of x⁰ on. */
type Rational = readonly [numerator: readonly number[], denominator: readonly number[]];

/**
 * Of r = √(−log p), less the number in front: up to r = 5, and beyond. Wichura 1988, "Algorithm AS 241: The Percentage Points
 * of the Normal Distribution", Applied Statistics 37, to 16 digits.
 */
const near: Rational = [
  [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
];
const far: Rational = [
  [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
];

/** The middle is what is left: there erfinv is accurate. */
const edge = 0.075;

const at = (x: Node, [numerator, denominator]: Rational): Node =>
  b.div(polynomial(x, numerator), polynomial(x, denominator));

const quantileNode = (p: Node): Node => {
  const half = full(b, p, 0.5);
  const isLow = b.lt(p, half);
  const rest = b.sub(full(b, p, 1), p);
  const tail = b.min(p, rest);
  const isMiddle = b.ge(tail, full(b, p, edge));
  const middle = times(b.erfinv(plus(times(b.select(isMiddle, p, half), 2), -1)), Math.SQRT2);
  // 0 would come to ∞ / ∞.
  const isEnd = b.le(tail, full(b, p, 0));
  const r = b.sqrt(b.neg(b.log(b.select(b.or(isMiddle, isEnd), full(b, p, 0.01), tail))));
  const size = b.select(b.le(r, full(b, r, 5)), at(plus(r, -1.6), near), at(plus(r, -5), far));
  const distance = b.select(isEnd, full(b, p, Number.POSITIVE_INFINITY), size);
  return b.select(isMiddle, middle, b.select(isLow, b.neg(distance), distance));
};

/** The value that a standard normal number does not exceed with this probability; −∞ at 0, ∞ at 1. */
export const normalQuantile: (p: Tensor) => Tensor = customJvp(
  (p: Tensor): Tensor => wrap(quantileNode(nodeOf(p))),
  ([p], [direction]) => {
    const x = normalQuantile(p!);
    const square = b.mul(nodeOf(x), nodeOf(x));
    const slope = times(b.exp(times(square, 0.5)), Math.sqrt(2 * Math.PI));
    return [x, wrap(b.mul(slope, nodeOf(direction as Tensor)))];
  },
);
