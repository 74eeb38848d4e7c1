/** Singular value decompositions as nodes, with the rule for their derivatives. */
import { b } from '../../build.js';
import type { Node } from '../../graph.js';
import type { CustomRule } from '../../primitives/custom.js';
import { full } from '../../primitives/full.js';
import { results } from '../../primitives/results.js';
import { multiplied, transposed } from '../../primitives/triangular.js';
import { sizeOf } from '../../shape.js';
import { closed } from '../common/derived.js';
import { joined, reshapeNode, sliceAlong } from '../common/moving.js';
import { times } from '../common/numbers.js';
import { castNode } from '../common/operands.js';
import { singular, type Vectors } from './one-sided.js';
import { along } from './rows.js';
import { diagonalOf } from './systems.js';

/** 1 / x, and 0 where x is 0 up to rounding. */
const inverseOf = (x: Node, rounding: Node): Node => {
  const isZero = b.le(b.abs(x), rounding);
  return b.select(isZero, full(b, x, 0), b.div(full(b, x, 1), b.select(isZero, full(b, x, 1), x)));
};

/**
 * The tangent of vectors in columns, the first of which turn among themselves; `moved` is where these go besides. Further
 * columns turn against them and not among themselves.
 */
const turning = (vectors: Node, turn: Node, moved: Node): Node => {
  const [, m, columns] = vectors.shape as readonly [number, number, number];
  const k = turn.shape[1]!;
  const thin = sliceAlong(vectors, 2, 0, k);
  const inside = multiplied(b, thin, turn);
  if (m === k) return inside;
  const outside = b.sub(moved, multiplied(b, thin, multiplied(b, transposed(b, thin), moved)));
  const rest = sliceAlong(vectors, 2, k, columns);
  const against = b.neg(multiplied(b, thin, multiplied(b, transposed(b, moved), rest)));
  return joined([b.add(inside, outside), against], 2);
};

/** The tangents of s, u and vᵀ where matrices move in a direction; singular values closer than `epsilon` max s are equal. */
const tangents = (direction: Node, [s, u, vt]: readonly [Node, Node, Node], epsilon: number): readonly Node[] => {
  const k = s.shape[1]!;
  const [left, right] = [sliceAlong(u, 2, 0, k), transposed(b, sliceAlong(vt, 1, 0, k))];
  const [forth, back] = [multiplied(b, direction, right), multiplied(b, transposed(b, direction), left)];
  const inner = multiplied(b, transposed(b, left), forth);
  const { shape } = inner;
  const [columns, rows] = [along(s, shape, [0, 2]), along(s, shape, [0, 1])];
  const rounding = times(b.reduceMax(s, { axes: [1] }), epsilon);
  const limits = along(rounding, shape, [0]);
  const flipped = transposed(b, inner);
  const even = b.mul(times(b.add(inner, flipped), 0.5), inverseOf(b.sub(columns, rows), limits));
  const odd = b.mul(times(b.sub(inner, flipped), 0.5), inverseOf(b.add(columns, rows), limits));
  const inverses = inverseOf(s, along(rounding, s.shape, [0]));
  const scaled = (x: Node): Node => b.mul(x, along(inverses, x.shape, [0, 2]));
  const turned = turning(transposed(b, vt), b.sub(even, odd), scaled(back));
  return [diagonalOf(inner), turning(u, b.add(even, odd), scaled(forth)), transposed(b, turned)];
};

/** As {@link decomposed}, of matrices [batch, m, n] of float64. */
const flat = (x: Node, vectors: Vectors, epsilon: number): readonly Node[] => {
  if (sizeOf(x.shape) === 0) return singular(x, vectors);
  const rule: CustomRule = {
    kind: 'customJvp',
    apply: ([at], [direction]) => {
      const all = flat(at!, vectors === 'none' ? 'thin' : vectors, epsilon) as readonly [Node, Node, Node];
      const count = vectors === 'none' ? 1 : 3;
      return { outputs: all.slice(0, count), tangents: tangents(direction!, all, epsilon).slice(0, count) };
    },
  };
  const body = closed('svd', [x], ([a]) => singular(a!, vectors));
  return results(b, b.custom([x], { body, captures: 0, rule }));
};

/** The largest relative error that rounding leaves in the singular values of matrices of this shape and dtype. */
export const roundingOf = ({ shape, dtype }: Node): number =>
  Math.max(shape.at(-1)!, shape.at(-2)!) * (dtype === 'float64' ? 2 ** -52 : 2 ** -23);

/** The largest of descending singular values [..., k] times a number, in the place of each. */
export const largestTimes = (s: Node, factor: number): Node =>
  s.shape.at(-1) === 0 ? s : b.broadcast(times(sliceAlong(s, s.shape.length - 1, 0, 1), factor), { shape: s.shape });

/** How many singular values are above their limits. */
export const rankOf = (s: Node, limits: Node): Node =>
  b.sum(castNode(b.gt(s, limits), 'int32'), { axes: [s.shape.length - 1] });

/**
 * The singular values of matrices in the last two axes, descending, and if wanted u and vᵀ; in float64 whatever the dtype
 * of the matrices, which decides how close two of them are to be equal.
 */
export const decomposed = (x: Node, vectors: Vectors): readonly Node[] => {
  const front = x.shape.slice(0, -2);
  const matrices = castNode(reshapeNode(x, [sizeOf(front), ...x.shape.slice(-2)]), 'float64');
  return flat(matrices, vectors, roundingOf(x)).map(y => reshapeNode(y, [...front, ...y.shape.slice(1)]));
};
