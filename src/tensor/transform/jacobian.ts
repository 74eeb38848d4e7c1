/** Whole Jacobians and Hessians, and products with Hessians. */

import { showPath } from '../../tree/tree.js';
import { b } from '../build.js';
import { type FloatDType, isFloat } from '../dtype.js';
import { DTypeError } from '../errors.js';
import type { Node } from '../graph.js';
import { full } from '../primitives/full.js';
import { range, type Shape, showAval, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { checkFunction, checkLike, floatLeavesOf, type Leaves, leavesOf } from './arguments.js';
import { gradientOf, jvpOf, type Linearised, pullbackOf, pushforwardOf } from './derivatives.js';
import { overRows, rowsAt } from './rows.js';

/** One result against a tree of arguments: the axes of the result, then those of the argument. */
type Against<S extends Shape, A> =
  A extends Tensor<infer T>
    ? Tensor<readonly [...S, ...T], FloatDType>
    : A extends null
      ? null
      : { readonly [K in keyof A]: Against<S, A[K]> };

/** The tree of the result with a tree of the argument in the place of each leaf. */
export type Jacobian<R, A> =
  R extends Tensor<infer S> ? Against<S, A> : R extends null ? null : { readonly [K in keyof R]: Jacobian<R[K], A> };

/** Results whose derivative is taken whole must be floats. */
const checkFloatResults = (operation: string, { result, outputs }: Linearised): void => {
  outputs.forEach((node, i) => {
    if (isFloat(node.dtype)) return;
    throw new DTypeError({
      operation,
      given: `${showAval(node)} at ${showPath(result.flat.paths[i]!)} of the result`,
      rule: 'a Jacobian has rows for float32 and float64 results only',
      hint: "Leave it out of the result, or cast it: cast(x, 'float32').",
    });
  });
};

const sizesOf = (nodes: readonly Node[]): readonly number[] => nodes.map(({ shape }) => sizeOf(shape));

const totalOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

/** For each element of all these tensors a row of tensors that are 1 there and 0 elsewhere. */
const standardBasis = (like: readonly Node[]): readonly Node[] => {
  const sizes = sizesOf(like);
  const total = totalOf(sizes);
  return like.map(({ shape, dtype }, i) => {
    const grid = { shape: [total, sizes[i]!], dtype: 'int32' } as const;
    const column = b.add(b.iota({ ...grid, axis: 1 }), full(b, grid, totalOf(sizes.slice(0, i))));
    const ones = b.cast(b.eq(b.iota({ ...grid, axis: 0 }), column), { dtype });
    return b.reshape(ones, { shape: [total, ...shape] });
  });
};

/** The linear map on each row of the standard basis: for each output, the rows of each element of `from`. */
const onBasis = ({ map }: Linearised, from: readonly Node[], outputs: number): readonly (readonly Node[])[] => {
  const sizes = sizesOf(from);
  const total = totalOf(sizes);
  const rows = overRows(
    map,
    standardBasis(from),
    from.map(() => true),
    total,
  );
  return range(outputs).map(output => {
    const all = rowsAt(rows, output, total);
    const [, ...rest] = all.shape;
    const zeros = rest.map(() => 0);
    const step = all.shape.map(() => 1);
    return sizes.map((size, i) => {
      const from = totalOf(sizes.slice(0, i));
      return b.slice(all, { start: [from, ...zeros], stop: [from + size, ...rest], step });
    });
  });
};

/** The result's tree with a tree of the argument for each leaf. */
const outer = (result: Leaves, leaves: Leaves, at: (output: number, input: number) => Node): unknown =>
  result.flat.unflatten(result.nodes.map((_, o) => leaves.rebuild(leaves.nodes.map((__, i) => at(o, i)))));

/** A Jacobian by its columns. */
const forwardJacobian = (operation: string, f: (x: unknown) => unknown, argument: unknown): unknown => {
  const linear = pushforwardOf(operation, f, argument);
  checkFloatResults(operation, linear);
  const { leaves, result, outputs } = linear;
  const columns = onBasis(linear, leaves.nodes, outputs.length);
  return outer(result, leaves, (o, i) => {
    const column = columns[o]![i]!;
    const last = b.permute(column, { axes: [...range(column.shape.length).slice(1), 0] });
    return b.reshape(last, { shape: [...outputs[o]!.shape, ...leaves.nodes[i]!.shape] });
  });
};

/** A Jacobian by its rows. */
const reverseJacobian = (operation: string, f: (x: unknown) => unknown, argument: unknown): unknown => {
  const linear = pullbackOf(operation, f, argument);
  checkFloatResults(operation, linear);
  const { leaves, result, outputs } = linear;
  const rows = onBasis(linear, outputs, leaves.nodes.length);
  return outer(result, leaves, (o, i) =>
    b.reshape(rows[i]![o]!, { shape: [...outputs[o]!.shape, ...leaves.nodes[i]!.shape] }),
  );
};

/**
 * The Jacobian of `f` with respect to its first argument, in forward mode: one pass for each element of the argument, all in
 * one go. For functions with fewer elements in than out.
 *
 * The result has the form of what `f` returns, with a tree of the form of the argument in the place of each leaf; its tensors
 * have the axes of the result, then those of the argument.
 *
 * @param f takes trees of tensors and returns one
 * @returns a function with the arguments of `f`
 * @throws DTypeError when a leaf of the first argument or of the result is no float
 * @throws ArgumentError when `f` is no function, or asynchronous
 * @throws MissingRuleError naming a primitive that has no derivative or batching rule
 * @example
 * ```js
 * import { jacfwd, mul, sum, tensor } from 'tenfold';
 * jacfwd(x => mul(x, x))(tensor([1, 2, 3])).toArray(); // => [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
 * const { total } = jacfwd(({ w }) => ({ total: sum(w) }))({ w: tensor([1, 2]) });
 * total.w.toArray(); // => [1, 1]
 * ```
 */
export const jacfwd = <R, A = Tensor, Rest extends readonly unknown[] = readonly []>(
  f: (argument: A, ...rest: Rest) => R,
): ((argument: A, ...rest: Rest) => Jacobian<R, A>) => {
  checkFunction('jacfwd', f);
  return (argument, ...rest) => forwardJacobian('jacfwd', x => f(x as A, ...rest), argument) as Jacobian<R, A>;
};

/**
 * The Jacobian of `f` with respect to its first argument, in reverse mode: one pass for each element of the result, all in one
 * go. For functions with fewer elements out than in.
 *
 * The result has the form of what `f` returns, with a tree of the form of the argument in the place of each leaf; its tensors
 * have the axes of the result, then those of the argument.
 *
 * @param f takes trees of tensors and returns one
 * @returns a function with the arguments of `f`
 * @throws DTypeError when a leaf of the first argument or of the result is no float
 * @throws ArgumentError when `f` is no function, or asynchronous
 * @throws MissingRuleError naming a primitive that has no derivative or batching rule
 * @example
 * ```js
 * import { jacrev, matmul, tensor } from 'tenfold';
 * const a = tensor([[1, 2, 3], [4, 5, 6]]);
 * jacrev(x => matmul(a, x))(tensor([7, 8, 9])).toArray(); // => [[1, 2, 3], [4, 5, 6]]
 * ```
 */
export const jacrev = <R, A = Tensor, Rest extends readonly unknown[] = readonly []>(
  f: (argument: A, ...rest: Rest) => R,
): ((argument: A, ...rest: Rest) => Jacobian<R, A>) => {
  checkFunction('jacrev', f);
  return (argument, ...rest) => reverseJacobian('jacrev', x => f(x as A, ...rest), argument) as Jacobian<R, A>;
};

/**
 * The Hessian of `f` with respect to its first argument: `jacfwd(jacrev(f))`.
 *
 * The result has the form of what `f` returns, with a tree of trees of the form of the argument in the place of each leaf; its
 * tensors have the axes of the result, then those of the argument twice.
 *
 * @param f takes trees of tensors and returns one, usually a scalar
 * @returns a function with the arguments of `f`
 * @throws DTypeError when a leaf of the first argument or of the result is no float
 * @throws ArgumentError when `f` is no function, or asynchronous
 * @throws MissingRuleError naming a primitive that has no derivative or batching rule
 * @example
 * ```js
 * import { hessian, mul, sum, tensor } from 'tenfold';
 * hessian(x => sum(mul(x, mul(x, x))))(tensor([1, 2])).toArray(); // => [[6, 0], [0, 12]]
 * ```
 */
export const hessian = <R, A = Tensor, Rest extends readonly unknown[] = readonly []>(
  f: (argument: A, ...rest: Rest) => R,
): ((argument: A, ...rest: Rest) => Jacobian<Jacobian<R, A>, A>) => {
  checkFunction('hessian', f);
  return (argument, ...rest) => {
    const jacobian = (x: unknown): unknown => reverseJacobian('hessian', y => f(y as A, ...rest), x);
    return forwardJacobian('hessian', jacobian, argument) as Jacobian<Jacobian<R, A>, A>;
  };
};

/**
 * The Hessian of `f` at its first argument, times a vector, without the Hessian: the directional derivative of the gradient,
 * forward mode over reverse mode. Costs a few gradients, whatever the number of elements.
 *
 * @param f returns one floating scalar
 * @returns a function of the first argument, the vector (of the same form) and the other arguments of `f`; its result has
 *   the form of the first argument
 * @throws GradError when `f` returns something else
 * @throws GradError, TreeError when the vector has not the form of the argument
 * @throws DTypeError when a leaf of the first argument is no float
 * @throws ArgumentError when `f` is no function, or asynchronous
 * @example
 * ```js
 * import { hvp, mul, sum, tensor } from 'tenfold';
 * hvp(x => sum(mul(x, mul(x, x))))(tensor([1, 2]), tensor([1, 10])).toArray(); // => [6, 120]
 * ```
 */
export const hvp = <A = Tensor, Rest extends readonly unknown[] = readonly []>(
  f: (argument: A, ...rest: Rest) => Tensor,
): ((argument: A, vector: NoInfer<A>, ...rest: Rest) => A) => {
  checkFunction('hvp', f);
  return (argument, vector, ...rest) => {
    const leaves = floatLeavesOf('hvp', argument);
    const direction = leavesOf('hvp', vector);
    checkLike('hvp', 'vectors', direction, leaves);
    const gradient = (x: unknown): unknown => gradientOf('hvp', y => f(y as A, ...rest), x, false)[2];
    const { result, tangents } = jvpOf('hvp', gradient, leaves, direction.nodes);
    return result.rebuild(tangents) as A;
  };
};
