/** Functions with derivatives or batching of their own: customVjp, customJvp, customBatch. */
import { flatten, isPlainRecord, type Mapped, type Path, sameForm, showPath } from '../../tree/tree.js';
import { b } from '../build.js';
import { type FloatDType, isFloat } from '../dtype.js';
import { GradError, ShapeError, TraceError } from '../errors.js';
import type { Node } from '../graph.js';
import { strongNode } from '../ops/common/operands.js';
import type { CustomJvp, CustomRule } from '../primitives/custom.js';
import { results } from '../primitives/results.js';
import { type Aval, type Shape, sameAval, showAval } from '../shape.js';
import { isTensor, type Tensor, wrap } from '../tensor.js';
import { checkFunction, type Leaves, resultOf } from './arguments.js';
import { trace } from './trace.js';

/** A tree of the form of `T`, with null in the place of any part that is zero. */
export type Partly<T> =
  | null
  | (T extends Tensor ? Tensor : T extends object ? { readonly [K in keyof T]: Partly<T[K]> } : null);

/** A tangent or cotangent of a tree, which has its form, with null for tensors of integers and bools. */
export type Direction<T> =
  T extends Tensor<Shape, infer D>
    ? [D & FloatDType] extends [never]
      ? null
      : T
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? { readonly [K in keyof T]: Direction<T[K]> }
        : T;

/** The two halves of a derivative in reverse mode. */
export interface VjpRule<A extends readonly unknown[], R, S> {
  /** The result of the function, and whatever `backward` needs. */
  readonly forward: (...args: A) => readonly [result: R, residuals: S];
  /**
   * The cotangents of the arguments, an array with one tree for each. Results that are no floats have the cotangent null;
   * null for an argument, or a part of one, is zero.
   */
  readonly backward: (residuals: S, cotangent: Direction<R>) => { readonly [K in keyof A]: Partly<A[K]> };
}

/** The result of the function and its tangent; tangents of what is no float are null, and null is zero. */
export type JvpRule<A extends readonly unknown[], R> = (
  primals: A,
  tangents: { readonly [K in keyof A]: Direction<A[K]> },
) => readonly [result: R, tangent: Partly<R>];

/** What a rule of {@link customBatch} is told of the batch. */
export interface BatchInfo<A extends readonly unknown[]> {
  /** Which tensors of the arguments have the batch as their first axis; the examples share the others. */
  readonly batched: Mapped<A, boolean>;
  /** How many examples there are. */
  readonly size: number;
}

/** What arrays that are written out are taken for tuples in. */
export type Literal = object | string | number | boolean | null | undefined | readonly [];

type Plain = (...args: readonly unknown[]) => unknown;

/** A tree in which not every leaf is a tensor: its tensors as nodes, and the tree around others. The rest stays as it is. */
interface Mixed {
  readonly nodes: readonly Node[];
  readonly rebuild: (nodes: readonly (Node | null)[]) => unknown;
  /** The tree with anything in the places of the tensors. */
  readonly put: (items: readonly unknown[]) => unknown;
}

const mixedOf = (tree: unknown): Mixed => {
  const flat = flatten(tree);
  const put = (items: readonly unknown[]): unknown => {
    let next = 0;
    return flat.unflatten(flat.leaves.map(leaf => (isTensor(leaf) ? items[next++] : leaf)));
  };
  return {
    nodes: flat.leaves.filter(isTensor).map(strongNode),
    put,
    rebuild: nodes => put(nodes.map(node => node && wrap(node))),
  };
};

/** A list for floating nodes with null for the others between. */
const amongFloats = (all: readonly Node[], given: readonly Node[]): (Node | null)[] => {
  let next = 0;
  return all.map(({ dtype }) => (isFloat(dtype) ? given[next++]! : null));
};

/** A function on placeholders, as a node with a rule. */
const call = (operation: string, f: Plain, given: Mixed, ruleFor: (result: () => Leaves) => CustomRule): unknown => {
  let result: Leaves | undefined;
  const avals = given.nodes.map(({ shape, dtype }): Aval => ({ shape, dtype }));
  const { graph, captures } = trace(operation, avals, parameters => {
    result = resultOf(operation, f(...(given.rebuild(parameters) as readonly unknown[])));
    return result.nodes;
  });
  const rule = ruleFor(() => result!);
  const node = b.custom([...captures, ...given.nodes], { body: graph, captures: captures.length, rule });
  return result!.rebuild(results(b, node));
};

/** Runs a rule; what it closes over may be gone by then. */
const asRule = <T>(operation: string, run: () => T): T => {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof TraceError) || error.cause instanceof TraceError) throw error;
    const { given, rule, hint } = error;
    throw new TraceError(
      {
        operation,
        given: `${given}, in its rule`,
        rule,
        hint: `${hint} Tensors of traced functions must reach a rule as arguments or residuals.`,
      },
      { cause: error },
    );
  }
};

/** What a rule gives for the result must be like what the function gave. */
const checkResult = (operation: string, given: unknown, like: Leaves, size?: number): readonly Node[] => {
  const { flat, nodes } = resultOf(operation, given);
  sameForm(operation, like.flat, flat);
  nodes.forEach((node, i) => {
    const { shape, dtype } = like.nodes[i]!;
    const wanted = { shape: size === undefined ? shape : [size, ...shape], dtype };
    if (sameAval(node, wanted)) return;
    throw new ShapeError({
      operation,
      given: `a rule whose result is ${showAval(node)} at ${showPath(flat.paths[i]!)}`,
      rule: `it must be ${showAval(wanted)}, as the function itself has it${size === undefined ? '' : ' for each example'}`,
      hint: 'Let the rule return what the function returns.',
    });
  });
  return nodes;
};

/**
 * The nodes of a tree of tangents or cotangents in the order of those of `like`; null stands for zeros of any part.
 *
 * @throws GradError where it has another form
 */
const derivativesAlong = (
  operation: string,
  what: string,
  like: unknown,
  given: unknown,
  path: Path,
): (Node | null)[] => {
  if (given === null)
    return flatten(like)
      .leaves.filter(isTensor)
      .map(() => null);
  const below = (item: unknown, own: unknown, step: string | number): (Node | null)[] =>
    derivativesAlong(operation, what, item, own, [...path, step]);
  if (Array.isArray(like) && Array.isArray(given) && like.length === given.length)
    return like.flatMap((item, i) => below(item, given[i], i));
  if (isPlainRecord(like) && isPlainRecord(given)) {
    const keys = Object.keys(like).sort();
    if (keys.join() === Object.keys(given).sort().join()) return keys.flatMap(key => below(like[key], given[key], key));
  }
  if (isTensor(like) && isTensor(given)) {
    const [wanted, node] = [strongNode(like), strongNode(given)];
    if (isFloat(wanted.dtype) && sameAval(wanted, node)) return [node];
  }
  const show = (tree: unknown): string => {
    if (isTensor(tree)) return showAval(strongNode(tree));
    if (Array.isArray(tree)) return `an array of ${tree.length}`;
    return isPlainRecord(tree) ? `a record of ${Object.keys(tree).sort().join(', ')}` : String(tree);
  };
  throw new GradError({
    operation,
    given: `a ${what} of ${show(given)} for ${show(like)} at ${showPath(path)}`,
    rule: `${what}s have the form, shapes and dtypes of what they belong to, and those of what is no float are null`,
    hint: 'Write null for what is zero.',
  });
};

/** The pair that a rule returns. */
const pairOf = (operation: string, who: string, form: string, pair: unknown): readonly [unknown, unknown] => {
  if (Array.isArray(pair) && pair.length === 2) return pair as unknown as readonly [unknown, unknown];
  throw new GradError({
    operation,
    given: `${Array.isArray(pair) ? `an array of ${pair.length}` : String(pair)} from ${who}`,
    rule: `it returns a pair ${form}`,
    hint: 'Write null where there is nothing to say.',
  });
};

type AnyVjp = VjpRule<readonly unknown[], unknown, unknown>;

/** What a function on placeholders, its arguments and a rule of {@link customJvp} are to the transforms. */
const tangentRule = (operation: string, given: Mixed, rule: Plain, result: () => Leaves): CustomJvp => ({
  kind: 'customJvp',
  apply: (inputs, tangents) => {
    const directions = given.put(amongFloats(inputs, tangents).map(node => node && wrap(node)));
    const pair = asRule(operation, () => rule(given.rebuild(inputs), directions));
    const [value, tangent] = pairOf(operation, 'the rule', '[result, tangent]', pair);
    const outputs = checkResult(operation, value, result());
    const like = result().rebuild(outputs);
    return { outputs, tangents: derivativesAlong(operation, 'tangent', like, tangent, []) };
  },
});

/** As {@link customJvp}, without its types; errors name the operation. */
export const withJvp =
  (operation: string, f: Plain, rule: Plain): Plain =>
  (...args) => {
    const given = mixedOf(args);
    return call(operation, f, given, result => tangentRule(operation, given, rule, result));
  };

/** As {@link customVjp}, without its types; errors name the operation. Forward mode may have a rule of its own. */
export const withVjp =
  (operation: string, f: Plain, rule: AnyVjp, jvp?: Plain): Plain =>
  (...args) => {
    const given = mixedOf(args);
    return call(operation, f, given, result => ({
      kind: 'customVjp',
      ...(jvp === undefined ? {} : { tangents: tangentRule(operation, given, jvp, result) }),
      forward: inputs => {
        const pair = asRule(operation, () => rule.forward(...(given.rebuild(inputs) as readonly unknown[])));
        const [value, saved] = pairOf(operation, 'forward', '[result, residuals]', pair);
        const outputs = checkResult(operation, value, result());
        const residuals = mixedOf(saved);
        return {
          outputs,
          residuals: residuals.nodes,
          backward: (nodes, cotangents) => {
            const along = amongFloats(outputs, cotangents).map(node => node && wrap(node));
            const cotangent = result().flat.unflatten(along);
            const cts = asRule(operation, () => rule.backward(residuals.rebuild(nodes), cotangent));
            return derivativesAlong(operation, 'cotangent', given.rebuild(inputs), cts, []);
          },
        };
      },
    }));
  };

/** As {@link customBatch}, without its types; errors name the operation. */
export const withBatch =
  (operation: string, f: Plain, rule: Plain): Plain =>
  (...args) => {
    const given = mixedOf(args);
    return call(operation, f, given, result => ({
      kind: 'customBatch',
      apply: (inputs, batched, size) => {
        const info = Object.freeze({ batched: given.put(batched), size });
        const all = asRule(operation, () => rule(given.rebuild(inputs), info));
        return checkResult(operation, all, result(), size);
      },
    }));
  };

/**
 * `f` with a derivative of its own in reverse mode: for cotangents v of its result, `backward` says what vᵀ·∂f/∂x is, where
 * the operations of `f` would say it badly or not at all (a solver, an estimator, a gradient to be clipped).
 *
 * `grad` and `vjp` call `forward` in the place of `f` and keep its residuals, then `backward` on the way back. What those two
 * do is differentiated again for higher derivatives, and batched by `vmap`; a `forward` that calls the customised function
 * hands its rule on. `backward` need not be linear, so there is no forward mode (see {@link customJvp}).
 *
 * Derivatives are those with respect to the arguments: what `f` closes over must not be differentiated. Arguments are trees;
 * leaves of them that are no tensors are handed on as they are. `f` is called on placeholders, which have no values to read.
 *
 * @param f takes trees and returns a tree of tensors
 * @param rule `forward(...args)` gives `[f(...args), residuals]`, the residuals being any tree; `backward(residuals,
 *   cotangent)` gives an array with the cotangent of each argument, null for zero
 * @returns a function with the arguments of `f`
 * @throws GradError when a derivative is asked for with respect to what `f` closes over, or a cotangent has not the form of
 *   its argument
 * @throws ShapeError, TreeError when `forward` gives another result than `f`
 * @throws MissingRuleError in forward mode
 * @throws TraceError when a rule that closes over tensors is used inside of a loop or branch
 * @example
 * ```js
 * import { add, clamp, customVjp, div, fold, grad, mul, sum, tensor } from 'tenfold';
 * // The identity, whose gradient is clipped.
 * const clipped = customVjp(x => x, { forward: x => [x, null], backward: (_, v) => [clamp(v, -1, 1)] });
 * grad(x => sum(mul(clipped(x), tensor([0.5, 30]))))(tensor([1, 2])).toArray(); // => [0.5, 1]
 * // √a by iteration; its derivative from x² = a, which says dx = da / 2x, whatever the steps were.
 * const solve = a => fold(x => mul(add(x, div(a, x)), 0.5))(a, 20);
 * const root = customVjp(solve, {
 *   forward: a => { const x = solve(a); return [x, x]; },
 *   backward: (x, v) => [div(v, mul(x, 2))],
 * });
 * grad(root)(tensor(4)).item(); // => 0.25
 * ```
 */
export const customVjp = <A extends readonly unknown[], R extends Literal, S extends Literal>(
  f: (...args: A) => R,
  rule: VjpRule<A, NoInfer<R>, S>,
): ((...args: A) => R) => {
  checkFunction('customVjp', f);
  checkFunction('customVjp', rule?.forward);
  checkFunction('customVjp', rule?.backward);
  return withVjp('customVjp', f as Plain, rule as unknown as AnyVjp) as (...args: A) => R;
};

/**
 * `f` with a derivative of its own: the rule says how a tangent t of the arguments moves the result, ∂f/∂x·t. It must be linear
 * in the tangents, and then serves both modes: `grad` and `vjp` take its transpose.
 *
 * What the rule does is differentiated again for higher derivatives, and batched by `vmap`; a rule that calls the customised
 * function for the result hands itself on.
 *
 * Derivatives are those with respect to the arguments: what `f` closes over must not be differentiated. Arguments are trees;
 * leaves of them that are no tensors are handed on as they are. `f` is called on placeholders, which have no values to read.
 *
 * @param f takes trees and returns a tree of tensors
 * @param rule `rule(args, tangents)` gives `[f(...args), tangent of it]`; both arguments are arrays of trees, with tangents
 *   null for what is no float; null in the tangent of the result is zero
 * @returns a function with the arguments of `f`
 * @throws GradError when a derivative is asked for with respect to what `f` closes over, or the tangent has not the form of
 *   the result
 * @throws ShapeError, TreeError when the rule gives another result than `f`
 * @throws TraceError when a rule that closes over tensors is used inside of a loop or branch
 * @example
 * ```js
 * import { add, customJvp, div, exp, grad, log, mul, sub, tensor } from 'tenfold';
 * // log(1 + eˣ): the derivative that follows from these operations is ∞/∞ for large x; it is 1 − 1/(1 + eˣ).
 * const log1pexp = customJvp(
 *   x => log(add(exp(x), 1)),
 *   ([x], [t]) => [log1pexp(x), mul(t, sub(1, div(1, add(exp(x), 1))))],
 * );
 * grad(log1pexp)(tensor(100)).item(); // => 1
 * grad(grad(log1pexp))(tensor(0)).item(); // => 0.25
 * ```
 */
export const customJvp = <A extends readonly unknown[], R extends Literal>(
  f: (...args: A) => R,
  rule: JvpRule<A, NoInfer<R>>,
): ((...args: A) => R) => {
  checkFunction('customJvp', f);
  checkFunction('customJvp', rule);
  return withJvp('customJvp', f as Plain, rule as unknown as Plain) as (...args: A) => R;
};

/**
 * `f` with a batched form of its own, for `vmap`: where something better can be done for all examples at once than what
 * follows from the operations of `f`.
 *
 * The derivatives of `f` are those of its operations, and of a batch those of the rule's operations. What `f` closes over must
 * not be batched. Arguments are trees; leaves of them that are no tensors are handed on as they are.
 *
 * @param f takes trees and returns a tree of tensors
 * @param rule `rule(args, { batched, size })` gives the results of all examples, stacked along a new first axis. Those tensors
 *   of `args` have such an axis for which `batched`, an array of trees of the form of `args`, says true
 * @returns a function with the arguments of `f`
 * @throws ShapeError, TreeError when the rule gives something else than a batch of results
 * @throws MissingRuleError when what `f` closes over is batched
 * @throws TraceError when a rule that closes over tensors is used inside of a loop or branch
 * @example
 * ```js
 * import { customBatch, matmul, tensor, transpose, vmap } from 'tenfold';
 * // A product of matrices where only the vectors differ between the examples.
 * const apply = customBatch(
 *   (a, x) => matmul(a, x),
 *   ([a, x], { batched }) =>
 *     batched[0] ? vmap(matmul, { in: batched.map(yes => (yes ? 0 : null)) })(a, x) : matmul(x, transpose(a)),
 * );
 * const vectors = tensor([[1, 0], [0, 1], [1, 1]]);
 * vmap(apply, { in: [null, 0] })(tensor([[1, 2], [3, 4]]), vectors).toArray(); // => [[1, 3], [2, 4], [3, 7]]
 * ```
 */
export const customBatch = <A extends readonly unknown[], R extends Literal>(
  f: (...args: A) => R,
  rule: (args: A, info: BatchInfo<A>) => NoInfer<R>,
): ((...args: A) => R) => {
  checkFunction('customBatch', f);
  checkFunction('customBatch', rule);
  return withBatch('customBatch', f as Plain, rule as unknown as Plain) as (...args: A) => R;
};
