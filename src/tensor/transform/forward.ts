/** Forward mode: one walk from inputs to outputs that carries values and tangents side by side. */
import { b, make, onBehalfOf } from '../build.js';
import { isFloat } from '../dtype.js';
import { MissingRuleError } from '../errors.js';
import { type Node, type Params, resolve, showNode, topological } from '../graph.js';
import { full } from '../primitives/full.js';
import { type Elementwise, type GraphTransforms, isMissing, type Missing, noPartials } from '../primitives/kinds.js';
import { reductionJvp } from '../primitives/reduction.js';
import { results } from '../primitives/results.js';
import { axesOf, entryOf } from '../primitives/table.js';

/** A node of a walk: what stands for it now, and its tangent; null is zero. Tuples carry several. */
interface Dual {
  readonly values: readonly Node[];
  readonly tangents: readonly (Node | null)[];
}

/** A rule that a primitive declares not to have. */
export const missingRule = (operation: string, node: Node, { none }: Missing): MissingRuleError =>
  new MissingRuleError({
    operation,
    given: `the primitive ${showNode(node)}`,
    rule: `it has no such rule, because ${none}`,
    hint:
      operation === 'vmap'
        ? 'Keep it outside of vmap, or compute the result another way.'
        : 'Use stopGradient around it, or compute the result another way.',
  });

/** Whether a tangent can pass a node: not one of integers, nor what is constant around almost every point. */
export const passes = (node: Node): boolean => {
  if (node.outputs !== null) return true;
  const entry = entryOf(node.op);
  return isFloat(node.dtype) && !(entry.kind === 'elementwise' && entry.partials === noPartials);
};

/** The nodes of a walk from which tangents come through to the outputs; of the others nobody needs any. */
export const neededFor = (outputs: readonly Node[], order: readonly Node[]): ReadonlySet<Node> => {
  const needed = new Set(outputs.map(resolve));
  for (const node of order.toReversed())
    if (needed.has(node) && passes(node)) for (const input of node.inputs) needed.add(resolve(input));
  return needed;
};

/**
 * Outputs and their tangents.
 *
 * @param start what stands for the inputs, and their tangents
 * @param enter which nodes depend on the inputs; the others are constants
 * @param keepValues every node stands for itself, those too whose rules compute value and tangent together; then what
 *   stands for the inputs must be the inputs
 */
export const forward = (
  graphs: GraphTransforms,
  outputs: readonly Node[],
  start: ReadonlyMap<Node, { readonly value: Node; readonly tangent: Node | null }>,
  enter: (node: Node) => boolean,
  keepValues = false,
): { outputs: readonly Node[]; tangents: readonly (Node | null)[] } => {
  const at = new Map<Node, Dual>();
  for (const [node, { value, tangent }] of start) at.set(node, { values: [value], tangents: [tangent] });
  const look = (node: Node): Dual => at.get(resolve(node)) ?? { values: [resolve(node)], tangents: [null] };
  const order = topological(outputs, each => enter(each) && !at.has(each));
  const needed = neededFor(outputs, order);
  for (const node of order)
    at.set(
      node,
      onBehalfOf(node, () => step(graphs, node, look, needed.has(node), keepValues)),
    );
  const duals = outputs.map(look);
  return { outputs: duals.map(each => each.values[0]!), tangents: duals.map(each => each.tangents[0]!) };
};

const step = (
  graphs: GraphTransforms,
  node: Node,
  look: (node: Node) => Dual,
  needed: boolean,
  keepValues: boolean,
): Dual => {
  if (node.op === 'output') {
    const { values, tangents } = look(node.inputs[0]!);
    const index = node.params.index as number;
    // A tuple that was not taken apart stands for itself.
    return values.length === 1 && values[0]!.outputs !== null
      ? { values: [make('output', [values[0]!], node.params)], tangents: [null] }
      : { values: [values[index]!], tangents: [tangents[index]!] };
  }
  const duals = node.inputs.map(look);
  const inputs = duals.map(each => each.values[0]!);
  const tangents = duals.map(each => each.tangents[0]!);
  const changed = inputs.some((input, i) => input !== resolve(node.inputs[i]!));
  const entry = entryOf(node.op);
  const still = !needed || tangents.every(t => t === null);
  if (entry.kind === 'structured' && !still) {
    if (isMissing(entry.jvp)) throw missingRule('jvp', node, entry.jvp);
    const result = entry.jvp(b, graphs, inputs, tangents, node.params);
    return { values: keepValues ? results(b, node) : result.outputs, tangents: result.tangents };
  }
  const value = changed ? make(node.op, inputs, node.params) : node;
  if (still || !passes(node)) return { values: [value], tangents: [null] };
  return { values: [value], tangents: [tangentOf(value, inputs, tangents)] };
};

const tangentOf = (value: Node, inputs: readonly Node[], tangents: readonly (Node | null)[]): Node | null => {
  const entry = entryOf(value.op);
  const { op, params } = value;
  switch (entry.kind) {
    case 'elementwise':
      return total(
        partialsOf('jvp', entry, value).map((partial, i) => {
          const t = tangents[i];
          return t && partial ? castLike(partial(t), value) : null;
        }),
      );
    case 'movement': {
      if (!tangents.some((t, i) => t !== null && entry.linear(i))) return null;
      return make(
        op,
        inputs.map((x, i) => (entry.linear(i) ? (tangents[i] ?? full(b, x, 0)) : x)),
        params,
      );
    }
    case 'reduction':
      return reductionJvp(b, entry, value, axesOf(value), tangents[0]!);
    case 'contraction':
      return total(
        tangents.map(
          (t, i) =>
            t &&
            make(
              op,
              inputs.map((x, j) => (i === j ? t : x)),
              params,
            ),
        ),
      );
    default:
      return null;
  }
};

/** The partial derivatives of an elementwise node. */
export const partialsOf = (
  operation: string,
  entry: Elementwise<Params>,
  node: Node,
): ReturnType<Exclude<Elementwise<Params>['partials'], Missing>> => {
  if (isMissing(entry.partials)) throw missingRule(operation, node, entry.partials);
  return entry.partials(b, node, node.params);
};

/** Only a cast changes the dtype on the way; its derivative is the cast there, and the cast back on the way back. */
export const castLike = (t: Node, like: Node): Node => (t.dtype === like.dtype ? t : b.cast(t, { dtype: like.dtype }));

const total = (terms: readonly (Node | null)[]): Node | null =>
  terms.reduce<Node | null>((sum, term) => (sum === null ? term : term === null ? sum : b.add(sum, term)), null);
