/** Products over axes of one's choice, of blocks, and of chains of matrices. */
import { b } from '../../build.js';
import type { DType } from '../../dtype.js';
import { AxisError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import type { DotParams } from '../../primitives/signatures.js';
import { checkArgument, checkInteger, normalizeAxis, range, type Shape, showAval } from '../../shape.js';
import type { Arithmetic, Fit, Ok, Promote } from '../../shape-types.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import type { ChainOf, DotGeneralOf, TensordotOver } from '../../types/contraction.js';
import type { NotAny, Only } from '../../types/known.js';
import type { KronShape } from '../../types/products.js';
import { factors, kindOf, showAll } from '../common/checks.js';
import { broadcastNode, checkSetting, dual } from '../common/operands.js';
import { checkOptions } from '../common/options.js';
import type { PromoteAll } from '../movement/joining.js';
import { matmul } from './contraction.js';
import { chainOrder, type Order } from './contraction-order.js';
import { product } from './labelled.js';

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
  <A extends Shape, D extends DType, B extends Shape, E extends DType, const O extends Only<DotGeneralOptions, O>>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<DotGeneralOf<A, B, O>>,
    axes: O,
  ): Tensor<Fit<DotGeneralOf<A, B, O>>, Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType, const O extends Only<DotGeneralOptions, O>>(
    b: Tensor<B, E>,
    axes: O,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<DotGeneralOf<A, B, O>>,
  ) => Tensor<Fit<DotGeneralOf<A, B, O>>, Arithmetic<Promote<D, E>>>;
}

/** Axes of one operand counted from the start, in their order, none twice. */
const operandAxes = (
  operation: string,
  node: Node,
  contract: readonly number[],
  batch: readonly number[],
): [number[], number[]] => {
  const lists = [contract, batch].map(axes => axes.map(axis => normalizeAxis(operation, axis, node.shape)));
  const all = lists.flat();
  if (new Set(all).size !== all.length) {
    throw new AxisError({
      operation,
      given: `${showAval(node)}, contract [${contract.join(', ')}] and batch [${batch.join(', ')}]`,
      rule: 'an axis may be named once only',
      hint: 'An axis is contracted, or batch, or neither; mind that negative axes count from the end.',
    });
  }
  return lists as [number[], number[]];
};

const checkPairs = (operation: string, name: string, pairs: unknown, hint: string): void =>
  checkArgument(
    Array.isArray(pairs) &&
      pairs.length === 2 &&
      Array.isArray(pairs[0]) &&
      Array.isArray(pairs[1]) &&
      pairs[0].length === pairs[1].length,
    operation,
    `${JSON.stringify(pairs)} as ${name}`,
    `${name} is a pair of arrays, as many axes of the first operand as of the second`,
    hint,
  );

/** The axes that are paired, checked. */
const pairedAxes = (operation: string, lhs: Node, rhs: Node, contract: AxisPairs, batch: AxisPairs): DotParams => {
  const [lhsContract, lhsBatch] = operandAxes(operation, lhs, contract[0], batch[0]);
  const [rhsContract, rhsBatch] = operandAxes(operation, rhs, contract[1], batch[1]);
  const right = [...rhsContract, ...rhsBatch];
  [...lhsContract, ...lhsBatch].forEach((axis, i) => {
    const [k, l] = [lhs.shape[axis], rhs.shape[right[i]!]];
    if (k === l) return;
    throw new ShapeError({
      operation,
      given: showAll([lhs, rhs]),
      rule: `axis ${axis} of the first and axis ${right[i]} of the second are paired, but their lengths ${k} and ${l} differ`,
      hint: 'Check which axes meet.',
    });
  });
  return { lhsContract, rhsContract, lhsBatch, rhsBatch };
};

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
 * @numpy jax.lax.dot_general
 * @pytorch —
 * @example
 * ```js
 * import { dotGeneral, tensor } from 'tenfold';
 * const [a, b] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])];
 * dotGeneral(a, b, { contract: [[1], [1]] }).toArray(); // => [[17, 23], [39, 53]]
 * dotGeneral(a, b, { contract: [[1], [1]], batch: [[0], [0]] }).toArray(); // => [17, 53]
 * ```
 */
export const dotGeneral: DotGeneral = dual(3, (x: Tensor, y: Tensor, options: DotGeneralOptions) => {
  checkOptions('dotGeneral', ['contract', 'batch'], options ?? {});
  const { contract, batch = [[], []] } = options ?? {};
  const [lhs, rhs] = factors('dotGeneral', [x, y]) as [Node, Node];
  for (const [name, pairs] of Object.entries({ contract, batch })) {
    checkPairs('dotGeneral', name, pairs, 'For a product of matrices write { contract: [[1], [0]] }.');
  }
  return wrap(b.dotGeneral(lhs, rhs, pairedAxes('dotGeneral', lhs, rhs, contract, batch)));
});

/** How many axes meet, the last of one operand and the first of the other; or which ones. */
export type TensordotAxes = number | readonly [lhs: number | readonly number[], rhs: number | readonly number[]];

/** The signatures of {@link tensordot}. */
export interface Tensordot {
  <B extends Shape, E extends DType, const Axes extends TensordotAxes = 2>(
    b: Tensor<B, E> & NotAny<Axes>,
    axes?: Axes,
  ): <A extends Shape, D extends DType>(
    a: Tensor<A, D> & Ok<TensordotOver<A, B, Axes>>,
  ) => Tensor<Fit<TensordotOver<A, B, Axes>>, Arithmetic<Promote<D, E>>>;
  <A extends Shape, D extends DType, B extends Shape, E extends DType, const Axes extends TensordotAxes = 2>(
    a: Tensor<A, D>,
    b: Tensor<B, E> & Ok<TensordotOver<A, B, Axes>>,
    axes?: Axes,
  ): Tensor<Fit<TensordotOver<A, B, Axes>>, Arithmetic<Promote<D, E>>>;
}

const tensordotOf = (x: unknown, y: unknown, axes: TensordotAxes = 2): Tensor => {
  const [lhs, rhs] = factors('tensordot', [x, y]) as [Node, Node];
  checkSetting('tensordot', 'axes', axes);
  const [p, q] = [lhs.shape.length, rhs.shape.length];
  if (typeof axes === 'number') checkInteger('tensordot', 'the number of axes', axes, 0, Math.min(p, q));
  const pairs: unknown =
    typeof axes === 'number'
      ? [range(axes).map(i => p - axes + i), range(axes)]
      : Array.isArray(axes)
        ? axes.map(list => (typeof list === 'number' ? [list] : list))
        : axes;
  checkPairs('tensordot', 'axes', pairs, 'For a product of matrices write 1 or [[1], [0]].');
  const { lhsContract, rhsContract } = pairedAxes('tensordot', lhs, rhs, pairs as AxisPairs, [[], []]);
  const left = lhs.shape.map((_, axis) => `a${axis}`);
  const right = rhs.shape.map((_, axis) => {
    const met = rhsContract.indexOf(axis);
    return met < 0 ? `b${axis}` : left[lhsContract[met]!]!;
  });
  const result = [...left.filter(label => !right.includes(label)), ...right.filter(label => !left.includes(label))];
  return wrap(
    product(
      { node: lhs, labels: left },
      { node: rhs, labels: right },
      label => result.includes(label),
      result,
      new Map([...left, ...right].map((label, i) => [label, [...lhs.shape, ...rhs.shape][i]!])),
    ).node,
  );
};

/**
 * The sum of products over axes of two tensors: over the last ones of `a` and the first ones of `b`, 2 if not said
 * otherwise, or over pairs of axes.
 *
 * @param axes how many axes, or those of `a` and in the same order those of `b`
 * @returns the other axes of `a`, then those of `b`; the promoted dtype, bools counting as int32
 * @throws ShapeError when axes that meet differ in length
 * @throws IndexError when there are not as many axes
 * @throws AxisError when there is no such axis, or one is named twice
 * @throws ArgumentError when the axes are no pairs
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.tensordot
 * @pytorch torch.tensordot
 * @example
 * ```js
 * import { ones, tensordot } from 'tenfold';
 * tensordot(ones([2, 3, 4]), ones([3, 4, 5])).shape; // => [2, 5]
 * tensordot(ones([2, 3, 4]), ones([4, 2, 5]), [[0, 2], [1, 0]]).toArray()[0][0]; // => 8
 * ```
 */
export const tensordot = ((...args: readonly unknown[]) =>
  isTensor(args[1]) || args.length > 2
    ? tensordotOf(args[0], args[1], args[2] as TensordotAxes)
    : (x: unknown) => tensordotOf(x, args[0], args[1] as TensordotAxes)) as Tensordot;

/** The signatures of {@link kron}. */
export interface Kron {
  <A extends Shape, D extends DType, B extends Shape, E extends DType>(
    a: Tensor<A, D>,
    b: Tensor<B, E>,
  ): Tensor<Fit<KronShape<A, B>>, Arithmetic<Promote<D, E>>>;
  <B extends Shape, E extends DType>(
    b: Tensor<B, E>,
  ): <A extends Shape, D extends DType>(a: Tensor<A, D>) => Tensor<Fit<KronShape<A, B>>, Arithmetic<Promote<D, E>>>;
}

/**
 * The Kronecker product: every element of `a` times all of `b`, as blocks.
 *
 * @returns lengths that are the products of theirs, the axes aligned at the right; the promoted dtype, bools counting as
 * int32
 * @throws DTypeError for int32 with uint32, and for uint8
 * @throws ArgumentError when one is no tensor
 * @numpy np.kron
 * @pytorch torch.kron
 * @example
 * ```js
 * import { kron, tensor } from 'tenfold';
 * kron(tensor([[1, 0], [0, 2]]), tensor([[1, 1]])).toArray(); // => [[1, 1, 0, 0], [0, 0, 2, 2]]
 * kron(tensor([1, 10]), tensor([1, 2])).toArray(); // => [1, 2, 10, 20]
 * ```
 */
export const kron: Kron = dual(2, (x: Tensor, y: Tensor) => {
  const nodes = factors('kron', [x, y]);
  const rank = Math.max(...nodes.map(node => node.shape.length));
  const [p, q] = nodes.map(({ shape }) => [...new Array<number>(rank - shape.length).fill(1), ...shape]) as [
    number[],
    number[],
  ];
  // An axis of blocks, then the axis within the blocks.
  const pairs = p.flatMap((length, axis) => [length, q[axis]!]);
  const [blocks, within] = [0, 1].map(which => pairs.map((length, i) => (i % 2 === which ? length : 1)));
  const spread = (node: Node, shape: Shape): Node => broadcastNode(b.reshape(node, { shape }), pairs);
  const all = b.mul(spread(nodes[0]!, blocks!), spread(nodes[1]!, within!));
  return wrap(b.reshape(all, { shape: p.map((length, axis) => length * q[axis]!) }));
});

/**
 * The product of a chain of matrices, in the order with the least multiplications. The first may be a row vector and the
 * last a column vector, which leave no axis.
 *
 * The order is found by dynamic programming (Cormen et al., Introduction to Algorithms, 14.2).
 *
 * @param xs one or more
 * @returns the rows of the first, the columns of the last; the promoted dtype, bools counting as int32
 * @throws ArgumentError when it is no list, or an empty one
 * @throws ShapeError when one is no matrix, or neighbours do not fit
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.linalg.multi_dot
 * @pytorch torch.linalg.multi_dot
 * @example
 * ```js
 * import { multiDot, ones } from 'tenfold';
 * // As a · (b · c): 2 · 500 · 500 multiplications instead of 500 · 500 · 500 and more.
 * multiDot([ones([500, 500]), ones([500, 500]), ones([500])]).shape; // => [500]
 * ```
 */
export const multiDot = <const T extends readonly Tensor[]>(
  xs: T & Ok<ChainOf<T>>,
): Tensor<Fit<ChainOf<T>>, Arithmetic<PromoteAll<T>>> => {
  checkArgument(
    Array.isArray(xs) && xs.length > 0,
    'multiDot',
    Array.isArray(xs) ? 'an empty list' : kindOf(xs),
    'it multiplies a list of one or more matrices',
    'Write multiDot([a, b, c]).',
  );
  const nodes = factors('multiDot', xs);
  const refuse = (rule: string, hint: string): never => {
    throw new ShapeError({ operation: 'multiDot', given: showAll(nodes), rule, hint });
  };
  const last = nodes.length - 1;
  const sides = nodes.map(({ shape }, i): readonly [number, number] => {
    const [m, n] = shape;
    if (shape.length === 2) return [m!, n!];
    if (shape.length === 1 && last > 0 && (i === 0 || i === last)) return i === 0 ? [1, m!] : [m!, 1];
    return refuse(
      `operand ${i}, ${showAval(nodes[i]!)}, is no matrix`,
      'Only the first and the last of several may be vectors; for stacks of matrices use matmul.',
    );
  });
  sides.slice(1).forEach(([m], i) => {
    const [, n] = sides[i]!;
    if (m !== n) {
      refuse(
        `operand ${i} has ${n} columns and operand ${i + 1} has ${m} rows`,
        'Each must have as many rows as the one before it columns.',
      );
    }
  });
  const multiplied = (order: Order): Tensor =>
    typeof order === 'number' ? wrap(nodes[order]!) : matmul(multiplied(order[0]), multiplied(order[1]));
  return multiplied(chainOrder([sides[0]![0], ...sides.map(([, n]) => n)])) as never;
};
