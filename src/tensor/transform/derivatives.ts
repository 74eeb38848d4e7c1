/** Derivatives of functions of one tree, as nodes: what the public transforms of `grad.ts` and `jacobian.ts` share. */
import { b } from '../build.js';
import { ArgumentError } from '../errors.js';
import { type Node, openScope, resolve, type Scope } from '../graph.js';
import { full } from '../primitives/full.js';
import { type Tensor, wrap } from '../tensor.js';
import { floatLeavesOf, type Leaves, lossNode, refusePromise, resultOf } from './arguments.js';
import { forward } from './forward.js';
import { graphs } from './graphs.js';
import { reverse } from './reverse.js';
import { type Traced, trace } from './trace.js';

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

/** A function of one tree, called on marks. */
type OfTree = (tree: unknown) => unknown;

/** A loss, and what comes with it where `aux` says so. */
const lossAndAux = (operation: string, result: unknown, aux: boolean): readonly [loss: Node, extra: unknown] => {
  refusePromise(operation, result);
  if (!aux) return [resolve(lossNode(operation, result)), undefined];
  if (Array.isArray(result) && result.length === 2) return [resolve(lossNode(operation, result[0])), result[1]];
  throw new ArgumentError({
    operation,
    given: Array.isArray(result)
      ? `a function that returns an array of ${result.length}`
      : 'a function that returns no pair',
    rule: 'with { aux: true } the function returns the loss and something else: [loss, aux]',
    hint: 'Return such a pair, or leave aux out.',
  });
};

/** The value of a scalar function, what came with it, and its gradient, which has the form of the tree. */
export const gradientOf = (
  operation: string,
  f: OfTree,
  tree: unknown,
  aux: boolean,
): readonly [value: Tensor, extra: unknown, gradient: unknown] => {
  const leaves = floatLeavesOf(operation, tree);
  return within(operation, (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const [loss, extra] = lossAndAux(operation, f(leaves.rebuild(marks)), aux);
    const { outputs, pullback } = reverse(graphs, [loss], marks, depends);
    const cotangents = pullback([full(b, loss, 1)]);
    const gradients = cotangents.map((ct, i) => ct ?? full(b, leaves.nodes[i]!, 0));
    return [wrap(outputs[0]!), extra, leaves.rebuild(gradients)];
  });
};

/** A function's result, and its derivative there as a linear map closed over the values that it needs. */
export interface Linearised {
  readonly leaves: Leaves;
  readonly result: Leaves;
  /** The values of the result. */
  readonly outputs: readonly Node[];
  readonly map: Traced;
}

/** The way back, from cotangents of the result to those of the tree. */
export const pullbackOf = (operation: string, f: OfTree, tree: unknown): Linearised => {
  const leaves = floatLeavesOf(operation, tree);
  return within(operation, (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = resultOf(operation, f(leaves.rebuild(marks)));
    const { outputs, pullback } = reverse(graphs, result.nodes.map(resolve), marks, depends);
    // The way back is closed into a graph now, so that nothing needs the history of these nodes later.
    const map = trace(operation, outputs, cotangents =>
      pullback(cotangents).map((ct, i) => ct ?? full(b, leaves.nodes[i]!, 0)),
    );
    return { leaves, result, outputs, map };
  });
};

/** The way there, from tangents of the tree to those of the result. */
export const pushforwardOf = (operation: string, f: OfTree, tree: unknown): Linearised => {
  const leaves = floatLeavesOf(operation, tree);
  return within(operation, (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = resultOf(operation, f(leaves.rebuild(marks)));
    const outputs = result.nodes.map(resolve);
    const map = trace(operation, leaves.nodes, tangents => {
      const start = new Map(marks.map((node, i) => [node, { value: node, tangent: tangents[i]! }]));
      const walked = forward(graphs, outputs, start, depends, true);
      return walked.tangents.map((t, i) => t ?? zeroTangent(outputs[i]!));
    });
    return { leaves, result, outputs, map };
  });
};

/** Result and tangent for one direction, in one walk. */
export const jvpOf = (
  operation: string,
  f: OfTree,
  leaves: Leaves,
  direction: readonly Node[],
): { readonly result: Leaves; readonly outputs: readonly Node[]; readonly tangents: readonly Node[] } =>
  within(operation, (scope, depends) => {
    const marks = mark(leaves.nodes, scope);
    const result = resultOf(operation, f(leaves.rebuild(marks)));
    const start = new Map(marks.map((node, i) => [node, { value: node, tangent: direction[i]! }]));
    const { outputs, tangents } = forward(graphs, result.nodes.map(resolve), start, depends);
    return { result, outputs, tangents: tangents.map((t, i) => t ?? zeroTangent(outputs[i]!)) };
  });

const zeroTangent = ({ shape, dtype }: Node): Node =>
  full(b, { shape, dtype: dtype === 'float64' ? 'float64' : 'float32' }, 0);
