/** Derivatives of functions of trees: grad, valueAndGrad, vjp, jvp, linearize. */
import { checkList } from '../ops/common/checks.js';
import type { Tensor } from '../tensor.js';
import { checkFunction, checkLike, floatLeavesOf, leavesOf } from './arguments.js';
import { gradientOf, jvpOf, pullbackOf, pushforwardOf } from './derivatives.js';
import { inline } from './trace.js';

/** The signatures of {@link valueAndGrad}. */
export interface ValueAndGrad {
  <A = Tensor, Rest extends readonly unknown[] = readonly [], L extends Tensor = Tensor>(
    f: (argument: A, ...rest: Rest) => L,
  ): (argument: A, ...rest: Rest) => readonly [value: L, gradient: A];
  <A = Tensor, Rest extends readonly unknown[] = readonly [], L extends Tensor = Tensor, X = unknown>(
    f: (argument: A, ...rest: Rest) => readonly [L, X],
    options: { readonly aux: true },
  ): (argument: A, ...rest: Rest) => readonly [value: readonly [L, X], gradient: A];
}

/**
 * The value of `f` and its gradient with respect to the first argument, a tensor or a tree of tensors.
 *
 * Reverse mode; can be nested for higher derivatives. Reading values inside `f` works and cuts nothing off.
 * With `{ aux: true }`, `f` returns `[loss, anything]` and the value is that pair.
 *
 * @param f returns one floating scalar
 * @returns a function with the arguments of `f`, giving `[value, gradient]`; the gradient has the form of the argument
 * @throws GradError when `f` returns something else
 * @throws DTypeError when a leaf of the first argument is no float
 * @throws ArgumentError when `f` is no function, asynchronous, or with `aux` returns no pair
 * @example
 * ```js
 * import { mul, sum, tensor, valueAndGrad } from 'tenfold';
 * const [value, gradient] = valueAndGrad(x => sum(mul(x, x)))(tensor([1, 2, 3]));
 * value.item(); // => 14
 * gradient.toArray(); // => [2, 4, 6]
 * ```
 */
export const valueAndGrad: ValueAndGrad = ((
  f: (...args: readonly unknown[]) => unknown,
  options?: { aux?: boolean },
) => {
  checkFunction('valueAndGrad', f);
  const aux = options?.aux === true;
  return (argument: unknown, ...rest: readonly unknown[]) => {
    const [value, extra, gradient] = gradientOf('valueAndGrad', x => f(x, ...rest), argument, aux);
    return Object.freeze([aux ? Object.freeze([value, extra]) : value, gradient]);
  };
}) as ValueAndGrad;

/**
 * The gradient of `f` with respect to its first argument, a tensor or a tree of tensors.
 *
 * Reverse mode; can be nested for higher derivatives. Reading values inside `f` works and cuts nothing off.
 *
 * @param f returns one floating scalar
 * @returns a function with the arguments of `f`; its result has the form of the first argument
 * @throws GradError when `f` returns something else
 * @throws DTypeError when a leaf of the first argument is no float
 * @example
 * ```js
 * import { grad, mul, sum, tensor } from 'tenfold';
 * grad(x => sum(mul(x, mul(x, x))))(tensor([1, 2, 3])).toArray(); // => [3, 12, 27]
 * grad(x => sum(grad(y => sum(mul(y, mul(y, y))))(x)))(tensor([1, 2, 3])).toArray(); // => [6, 12, 18]
 * ```
 */
export const grad = <A = Tensor, Rest extends readonly unknown[] = readonly []>(
  f: (argument: A, ...rest: Rest) => Tensor,
): ((argument: A, ...rest: Rest) => A) => {
  checkFunction('grad', f);
  return (argument, ...rest) => gradientOf('grad', x => f(x as A, ...rest), argument, false)[2] as A;
};

/**
 * The result of `f` and its vector-Jacobian product: a function from a cotangent of the result to one of the
 * arguments. It can be called many times, any time later.
 *
 * @param f takes trees of tensors and returns one
 * @returns `[f(...args), pullback]`; `pullback(ct)` gives one tree an argument
 * @throws DTypeError when a leaf of an argument is no float
 * @throws GradError, TreeError when a cotangent has not the form of the result
 * @example
 * ```js
 * import { mul, tensor, vjp } from 'tenfold';
 * const [y, pullback] = vjp((a, b) => mul(a, b), tensor([1, 2]), tensor([3, 4]));
 * y.toArray(); // => [3, 8]
 * pullback(tensor([1, 10])).map(ct => ct.toArray()); // => [[3, 40], [1, 20]]
 * ```
 */
export const vjp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): readonly [result: R, pullback: (cotangent: R) => A] => {
  checkFunction('vjp', f);
  const { leaves, result, outputs, map } = pullbackOf('vjp', xs => f(...(xs as A)), args);
  const pullback = (cotangent: R): A => {
    const given = leavesOf('vjp', cotangent);
    checkLike('vjp', 'cotangents', given, result);
    return leaves.rebuild(inline(map.graph, [...map.captures, ...given.nodes])) as A;
  };
  return Object.freeze([result.rebuild(outputs) as R, pullback] as const);
};

/**
 * The result of `f` and its directional derivative (Jacobian-vector product), in forward mode.
 *
 * @param f takes trees of tensors and returns one
 * @param args the arguments of `f`
 * @param tangents the direction, of the form of the arguments
 * @returns `[f(...args), tangent of the result]`; a result that is no float has the tangent 0 of float32
 * @throws DTypeError when a leaf of an argument is no float
 * @throws GradError, TreeError when the tangents have not the form of the arguments
 * @example
 * ```js
 * import { jvp, mul, tensor } from 'tenfold';
 * const [y, tangent] = jvp(x => mul(x, x), [tensor([1, 2])], [tensor([1, 10])]);
 * tangent.toArray(); // => [2, 40]
 * ```
 */
export const jvp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  args: A,
  tangents: A,
): readonly [result: R, tangent: R] => {
  checkFunction('jvp', f);
  checkList('jvp', 'the arguments', args);
  const leaves = floatLeavesOf('jvp', args);
  const directions = leavesOf('jvp', tangents);
  checkLike('jvp', 'tangents', directions, leaves);
  const { result, outputs, tangents: moved } = jvpOf('jvp', xs => f(...(xs as A)), leaves, directions.nodes);
  return Object.freeze([result.rebuild(outputs) as R, result.rebuild(moved) as R] as const);
};

/**
 * The result of `f` and its derivative there: a function from tangents of the arguments to the tangent of the result. It can
 * be called many times, any time later, and computes `f` no more: it is closed over the values that it needs.
 *
 * `linearize(f)(x)[1](v)` is `jvp(f, [x], [v])[1]`. For one direction, `jvp` is cheaper. A loop (`fold`, `whileLoop`) is run
 * again with its tangents; around it nothing is.
 *
 * @param f takes trees of tensors and returns one
 * @returns a function with the arguments of `f`, giving `[f(...args), pushforward]`; a result that is no float has the
 *   tangent 0 of float32
 * @throws DTypeError when a leaf of an argument is no float
 * @throws GradError, TreeError when tangents have not the form of the arguments
 * @throws ArgumentError when `f` is no function, or asynchronous
 * @example
 * ```js
 * import { linearize, mul, tensor } from 'tenfold';
 * const [y, pushforward] = linearize((a, b) => mul(a, b))(tensor([1, 2]), tensor([3, 4]));
 * y.toArray(); // => [3, 8]
 * pushforward(tensor([1, 0]), tensor([0, 10])).toArray(); // => [3, 20]
 * pushforward(tensor([0, 1]), tensor([0, 0])).toArray(); // => [0, 4]
 * ```
 */
export const linearize = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
): ((...args: A) => readonly [result: R, pushforward: (...tangents: A) => R]) => {
  checkFunction('linearize', f);
  return (...args) => {
    const { leaves, result, outputs, map } = pushforwardOf('linearize', xs => f(...(xs as A)), args);
    const pushforward = (...tangents: A): R => {
      const given = leavesOf('linearize', tangents);
      checkLike('linearize', 'tangents', given, leaves);
      return result.rebuild(inline(map.graph, [...map.captures, ...given.nodes])) as R;
    };
    return Object.freeze([result.rebuild(outputs) as R, pushforward] as const);
  };
};
