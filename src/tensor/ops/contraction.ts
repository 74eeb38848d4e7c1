/** Products that sum over axes: of matrices, of vectors, and the general one they are cases of. */
import { b } from '../build.js';
import type { DType } from '../dtype.js';
import { AxisError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { broadcastShapes, checkArgument, normalizeAxis, range, type Shape, showAval } from '../shape.js';
import type { Arithmetic, Broadcast, Fit, Matmul, Ok, Promote } from '../shape-types.js';
import { type Tensor, wrap } from '../tensor.js';
import { factors } from './checks.js';
import { broadcastNode, dual } from './operands.js';

const unfit = (operation: string, x: Node, y: Node, rule: string, hint: string): ShapeError =>
  new ShapeError({ operation, given: `${showAval(x)} and ${showAval(y)}`, rule, hint });

/** The signatures of {@link matmul}. */
export interface MatrixProduct {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Matmul<A, B>>,
  ): Tensor<Fit<Matmul<A, B>>, Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Matmul<A, B>>,
  ) => Tensor<Fit<Matmul<A, B>>, Arithmetic<Promote<D, E>>>;
}

/**
 * The matrix product `a · b` over the last axis of `a` and the last but one of `b`. Leading axes are a batch and
 * broadcast; a vector is a row on the left, a column on the right, and leaves no axis. `pipe(a, matmul(b))` is
 * `a · b` too.
 *
 * @returns `[…, m, n]` for `[…, m, k]` and `[…, k, n]`; the promoted dtype, bools counting as int32
 * @throws ShapeError when the inner dimensions differ, the leading axes do not broadcast, or one is a scalar
 * @throws DTypeError for int32 with uint32, and for uint8
 * @example
 * ```js
 * import { matmul, tensor } from 'tenfold';
 * const a = tensor([[1, 2], [3, 4]]);
 * matmul(a, tensor([[0, 1], [1, 0]])).toArray(); // => [[2, 1], [4, 3]]
 * matmul(a, tensor([1, 1])).toArray(); // => [3, 7]
 * ```
 */
export const matmul: MatrixProduct = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('matmul', x, y);
  const [p, q] = [lhs.shape.length, rhs.shape.length];
  if (p === 0 || q === 0) throw unfit('matmul', lhs, rhs, 'a scalar is no matrix', 'Use mul to scale.');
  const [lhsInner, rhsInner] = [p - 1, Math.max(0, q - 2)];
  const [k, l] = [lhs.shape[lhsInner], rhs.shape[rhsInner]];
  if (k !== l) {
    throw unfit(
      'matmul',
      lhs,
      rhs,
      `inner dimensions ${k} and ${l} differ`,
      `The last axis of the first must be as long as ${q === 1 ? 'the second' : 'the last but one of the second'}; transpose one if they are swapped.`,
    );
  }
  const contract = { lhsContract: [lhsInner], rhsContract: [rhsInner] };
  if (p <= 2 || q <= 2) {
    // At most one has leading axes, and they stay free: one product of large matrices instead of many small ones.
    const dot = b.dotGeneral(lhs, rhs, { ...contract, lhsBatch: [], rhsBatch: [] });
    // The row axis of a matrix on the left stands before the leading axes of the right.
    return wrap(p === 2 && q > 2 ? b.permute(dot, { axes: [...range(q - 1).slice(1), 0, q - 1] }) : dot);
  }
  const batch = leading(lhs, rhs);
  const spread = (node: Node): Node => broadcastNode(node, [...batch, ...node.shape.slice(-2)]);
  const axes = range(batch.length);
  return wrap(
    b.dotGeneral(spread(lhs), spread(rhs), {
      lhsContract: [batch.length + 1],
      rhsContract: [batch.length],
      lhsBatch: axes,
      rhsBatch: axes,
    }),
  );
});

/** The leading axes of two stacks of matrices, broadcast. */
const leading = (lhs: Node, rhs: Node): Shape => {
  try {
    return broadcastShapes('matmul', lhs.shape.slice(0, -2), rhs.shape.slice(0, -2));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw unfit(
      'matmul',
      lhs,
      rhs,
      `the leading axes do not broadcast: ${error.rule}`,
      'All but the last two axes are a batch.',
    );
  }
};

/** The signatures of {@link dot}. */
export interface Dot {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<Broadcast<'dot', A, B>>,
  ): Tensor<readonly [], Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<Broadcast<'dot', A, B>>,
  ) => Tensor<readonly [], Arithmetic<Promote<D, E>>>;
}

/**
 * The inner product of two vectors.
 *
 * @returns a scalar of the promoted dtype; bools count as int32
 * @throws ShapeError unless both are vectors of one length
 * @throws DTypeError for int32 with uint32, and for uint8
 * @example
 * ```js
 * import { dot, tensor } from 'tenfold';
 * dot(tensor([1, 2, 3]), tensor([4, 5, 6])).item(); // => 32
 * ```
 */
export const dot: Dot = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('dot', x, y);
  if (lhs.shape.length !== 1 || rhs.shape.length !== 1 || lhs.shape[0] !== rhs.shape[0]) {
    throw unfit(
      'dot',
      lhs,
      rhs,
      'it takes two vectors of one length',
      'For matrices use matmul; for other axes dotGeneral.',
    );
  }
  return wrap(b.dotGeneral(lhs, rhs, { lhsContract: [0], rhsContract: [0], lhsBatch: [], rhsBatch: [] }));
});

/** The length of a vector. */
export type Length<S extends Shape> = S extends readonly [infer N extends number] ? N : number;

/** The signatures of {@link outer}. */
export interface Outer {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E>,
  ): Tensor<readonly [Length<A>, Length<B>], Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D>,
  ) => Tensor<readonly [Length<A>, Length<B>], Arithmetic<Promote<D, E>>>;
}

/**
 * The outer product of two vectors: every element of `a` times every element of `b`.
 *
 * @returns a matrix, a row for each element of `a`; the promoted dtype, bools counting as int32
 * @throws ShapeError unless both are vectors
 * @throws DTypeError for int32 with uint32, and for uint8
 * @example
 * ```js
 * import { outer, tensor } from 'tenfold';
 * outer(tensor([1, 2]), tensor([3, 4, 5])).toArray(); // => [[3, 4, 5], [6, 8, 10]]
 * ```
 */
export const outer: Outer = dual(2, (x: Tensor, y: Tensor) => {
  const [lhs, rhs] = factors('outer', x, y);
  if (lhs.shape.length !== 1 || rhs.shape.length !== 1) {
    throw unfit(
      'outer',
      lhs,
      rhs,
      'it takes two vectors',
      'Use reshape(x, [-1]), or mul and expandDims for more axes.',
    );
  }
  return wrap(b.dotGeneral(lhs, rhs, { lhsContract: [], rhsContract: [], lhsBatch: [], rhsBatch: [] }));
});

/** Axes of the first operand and, in the same order, those of the second that they are paired with. */
export type AxisPairs = readonly [lhs: readonly number[], rhs: readonly number[]];

/** Which axes {@link dotGeneral} pairs. */
export interface DotGeneralOptions {
  /** Axes multiplied and summed over. */
  readonly contract: AxisPairs;
  /** Axes that go along; none if left out. */
  readonly batch?: AxisPairs;
}

/** The signatures of {@link dotGeneral}. */
export interface DotGeneral {
  <D extends DType, E extends DType>(
    a: Tensor<Shape, D>,
    b: Tensor<Shape, E>,
    axes: DotGeneralOptions,
  ): Tensor<Shape, Arithmetic<Promote<D, E>>>;
  <E extends DType>(
    b: Tensor<Shape, E>,
    axes: DotGeneralOptions,
  ): <D extends DType>(a: Tensor<Shape, D>) => Tensor<Shape, Arithmetic<Promote<D, E>>>;
}

/** Axes of one operand counted from the start, in their order, none twice. */
const operandAxes = (node: Node, contract: readonly number[], batch: readonly number[]): [number[], number[]] => {
  const lists = [contract, batch].map(axes => axes.map(axis => normalizeAxis('dotGeneral', axis, node.shape)));
  const all = lists.flat();
  if (new Set(all).size !== all.length) {
    throw new AxisError({
      operation: 'dotGeneral',
      given: `${showAval(node)}, contract [${contract.join(', ')}] and batch [${batch.join(', ')}]`,
      rule: 'an axis may be named once only',
      hint: 'An axis is contracted, or batch, or neither; mind that negative axes count from the end.',
    });
  }
  return lists as [number[], number[]];
};

const checkPairs = (name: string, pairs: unknown): void =>
  checkArgument(
    Array.isArray(pairs) &&
      pairs.length === 2 &&
      Array.isArray(pairs[0]) &&
      Array.isArray(pairs[1]) &&
      pairs[0].length === pairs[1].length,
    'dotGeneral',
    `${JSON.stringify(pairs)} as ${name}`,
    `${name} is a pair of arrays, as many axes of the first operand as of the second`,
    'For a product of matrices write { contract: [[1], [0]] }.',
  );

/**
 * The sum of products over pairs of axes, of which `matmul`, `dot` and `outer` are cases.
 *
 * @param axes `contract`: pairs summed over; `batch`: pairs that go along, element by element
 * @returns the batch axes in their order, then the other axes of `a`, then those of `b`; the promoted dtype, bools
 * counting as int32
 * @throws ShapeError when axes that are paired differ in length
 * @throws AxisError when there is no such axis, or one is named twice
 * @throws ArgumentError when the pairs are no pairs
 * @throws DTypeError for int32 with uint32, and for uint8
 * @example
 * ```js
 * import { dotGeneral, tensor } from 'tenfold';
 * const [a, b] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])];
 * dotGeneral(a, b, { contract: [[1], [1]] }).toArray(); // => [[17, 23], [39, 53]]
 * dotGeneral(a, b, { contract: [[1], [1]], batch: [[0], [0]] }).toArray(); // => [17, 53]
 * ```
 */
export const dotGeneral: DotGeneral = dual(
  3,
  (x: Tensor, y: Tensor, { contract, batch = [[], []] }: DotGeneralOptions) => {
    const [lhs, rhs] = factors('dotGeneral', x, y);
    checkPairs('contract', contract);
    checkPairs('batch', batch);
    const [lhsContract, lhsBatch] = operandAxes(lhs, contract[0], batch[0]);
    const [rhsContract, rhsBatch] = operandAxes(rhs, contract[1], batch[1]);
    const right = [...rhsContract, ...rhsBatch];
    [...lhsContract, ...lhsBatch].forEach((axis, i) => {
      const [k, l] = [lhs.shape[axis], rhs.shape[right[i]!]];
      if (k === l) return;
      throw unfit(
        'dotGeneral',
        lhs,
        rhs,
        `axis ${axis} of the first and axis ${right[i]} of the second are paired, but their lengths ${k} and ${l} differ`,
        'Check which axes meet.',
      );
    });
    return wrap(b.dotGeneral(lhs, rhs, { lhsContract, rhsContract, lhsBatch, rhsBatch }));
  },
);
