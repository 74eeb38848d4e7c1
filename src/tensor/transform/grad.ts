/** Derivatives of functions of trees: grad, valueAndGrad, vjp, jvp. */
import { b } from '../build.js';
import { type Node, openScope, resolve, type Scope } from '../graph.js';
import { full } from '../primitives/full.js';
import { type Tensor, wrap } from '../tensor.js';
import { checkFunction, checkLike, floatLeavesOf, type Leaves, leavesOf, lossNode } from './arguments.js';
import { forward } from './forward.js';
import { graphs } from './graphs.js';
import { reverse } from './reverse.js';
import { inline, trace } from './trace.js';

/** Marks nodes as what a derivative is taken with respect to, as long as the scope is open. */
const mark = (nodes: readonly Node[], scope: Scope): readonly Node[] =>
  nodes.map(node => {
    const marked = b.mark(node, { scope });
    marked.scopes = [...marked.scopes, scope];
    const value = resolve(node).value;
    if (value !== null) marked.realise(value);
    return marked;
  });

/** Runs `f` with a scope that is open for just as long; realised nodes then forget the history kept for it. */
const within = <T>(name: string, f: (scope: Scope, depends: (node: Node) => boolean) => T): T => {
  const scope = openScope('mark', name);
  try {
    return f(scope, node => node.scopes.includes(scope));
  } finally {
    scope.open = false;
    for (const node of scope.realised) node.forget();
  }
};

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

const gradient = (
  operation: string,
  f: (...args: readonly unknown[]) => unknown,
  aux: boolean,
  argument: unknown,
  rest: readonly unknown[],
): readonly [value: unknown, gradient: unknown] => {
  const leaves = floatLeavesOf(operation, argument);
  return within(operation, (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = f(leaves.rebuild(marks), ...rest);
    const extra = aux ? (result as readonly [unknown, unknown])[1] : undefined;
    const loss = resolve(lossNode(operation, aux ? (result as readonly [unknown, unknown])[0] : result));
    const { outputs, pullback } = reverse(graphs, [loss], marks, depends);
    const cotangents = pullback([full(b, loss, 1)]);
    const value = wrap(outputs[0]!);
    const gradients = cotangents.map((ct, i) => ct ?? full(b, leaves.nodes[i]!, 0));
    return [aux ? [value, extra] : value, leaves.rebuild(gradients)];
  });
};

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
  return (argument: unknown, ...rest: readonly unknown[]) =>
    Object.freeze(gradient('valueAndGrad', f, options?.aux === true, argument, rest));
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
  return (argument, ...rest) =>
    gradient('grad', f as (...args: readonly unknown[]) => unknown, false, argument, rest)[1] as A;
};

/**
 * The result of `f` and its vector-Jacobian product: a function from a cotangent of the result to one of the
 * arguments. It can be called many times, any time later.
 *
 * @param f takes trees of tensors and returns one
 * @returns `[f(...args), pullback]`; `pullback(ct)` gives one tree an argument
 * @throws DTypeError when a leaf of an argument is no float
 * @throws GradError when a cotangent has not the form of the result
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
  const leaves = floatLeavesOf('vjp', args);
  return within('vjp', (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = leavesOf('vjp', f(...(leaves.rebuild(marks) as A)));
    const { outputs, pullback } = reverse(graphs, result.nodes.map(resolve), marks, depends);
    // The way back is closed into a graph now, so that nothing needs the history of these nodes later.
    const { graph, captures } = trace('vjp', outputs, cotangents =>
      pullback(cotangents).map((ct, i) => ct ?? full(b, leaves.nodes[i]!, 0)),
    );
    const pull = (cotangent: R): A => {
      const given: Leaves = leavesOf('vjp', cotangent);
      checkLike('vjp', 'cotangents', given, outputs);
      return leaves.rebuild(inline(graph, [...captures, ...given.nodes])) as A;
    };
    return Object.freeze([result.rebuild(outputs) as R, pull] as const);
  });
};

/**
 * The result of `f` and its directional derivative (Jacobian-vector product), in forward mode.
 *
 * @param f takes trees of tensors and returns one
 * @param args the arguments of `f`
 * @param tangents the direction, of the form of the arguments
 * @returns `[f(...args), tangent of the result]`; a result that is no float has the tangent 0 of float32
 * @throws DTypeError when a leaf of an argument is no float
 * @throws GradError when the tangents have not the form of the arguments
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
  const leaves = floatLeavesOf('jvp', args);
  const directions = leavesOf('jvp', tangents);
  checkLike('jvp', 'tangents', directions, leaves.nodes);
  return within('jvp', (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = leavesOf('jvp', f(...(leaves.rebuild(marks) as A)));
    const start = new Map(marks.map((node, i) => [node, { value: node, tangent: directions.nodes[i]! }]));
    const walked = forward(graphs, result.nodes.map(resolve), start, depends);
    const moved = walked.tangents.map(
      (t, i) => t ?? full(b, { shape: walked.outputs[i]!.shape, dtype: tangentDType(walked.outputs[i]!) }, 0),
    );
    return Object.freeze([result.rebuild(walked.outputs) as R, result.rebuild(moved) as R] as const);
  });
};

const tangentDType = (node: Node): 'float32' | 'float64' => (node.dtype === 'float64' ? 'float64' : 'float32');
