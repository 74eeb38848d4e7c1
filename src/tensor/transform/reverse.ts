/** Reverse mode: a walk from outputs to inputs that carries cotangents. */
import { b, onBehalfOf, rebuild } from '../build.js';
import { isFloat } from '../dtype.js';
import { type Node, resolve, topological } from '../graph.js';
import { type GraphTransforms, isMissing } from '../primitives/kinds.js';
import { reductionVjp } from '../primitives/reduction.js';
import { axesOf, entryOf } from '../primitives/table.js';
import { castLike, missingRule, neededFor, partialsOf, passes } from './forward.js';

type Cotangents = readonly (Node | null)[];

/** The outputs again, and the way back from their cotangents to those of the inputs; null is zero. */
export interface Reverse {
  readonly outputs: readonly Node[];
  readonly pullback: (cotangents: Cotangents) => Cotangents;
}

/** A structured primitive on the way forward, with its own way back. */
interface Taken {
  readonly outputs: readonly Node[];
  readonly pullback: (cotangents: Cotangents) => Cotangents;
}

/**
 * Prepares the way back from outputs to inputs. Structured primitives are replaced by forms that save what the
 * way back needs, so the outputs to use are the returned ones.
 *
 * @param enter which nodes depend on the inputs; the others are constants
 */
export const reverse = (
  graphs: GraphTransforms,
  outputs: readonly Node[],
  inputs: readonly Node[],
  enter: (node: Node) => boolean,
): Reverse => {
  const order = topological(outputs, enter);
  const needed = neededFor(outputs, order);
  const active = new Set<Node>(inputs);
  const standIn = new Map<Node, Node>();
  const taken = new Map<Node, Taken>();
  const now = (node: Node): Node => standIn.get(resolve(node)) ?? resolve(node);
  const isActive = (node: Node): boolean => active.has(resolve(node));

  for (const node of order) {
    if (active.has(node)) continue;
    if (node.op === 'output') {
      const source = taken.get(resolve(node.inputs[0]!));
      if (source === undefined) {
        standIn.set(node, rebuild(node, now));
        continue;
      }
      standIn.set(node, source.outputs[node.params.index as number]!);
      if (isFloat(node.dtype)) active.add(node);
      continue;
    }
    const touched = needed.has(node) && passes(node) && node.inputs.some(isActive);
    const entry = entryOf(node.op);
    if (entry.kind === 'structured' && touched) {
      if (isMissing(entry.vjp)) throw missingRule('grad', node, entry.vjp);
      const wanted = node.inputs.map(input => isActive(input) && isFloat(input.dtype));
      const { vjp } = entry;
      const rule = onBehalfOf(node, () => vjp(b, graphs, node.inputs.map(now), wanted, node.params));
      taken.set(node, rule);
      active.add(node);
      if (node.outputs === null) standIn.set(node, rule.outputs[0]!);
      continue;
    }
    standIn.set(node, rebuild(node, now));
    if (touched) active.add(node);
  }

  const pullback = (cotangents: Cotangents): Cotangents => {
    const held = new Map<Node, Node>();
    const tuples = new Map<Node, (Node | null)[]>();
    const give = (to: Node, ct: Node | null): void => {
      const node = resolve(to);
      if (ct === null || !active.has(node)) return;
      const before = held.get(node);
      held.set(node, before === undefined ? ct : b.add(before, ct));
    };
    outputs.forEach((output, i) => {
      give(output, cotangents[i]!);
    });
    const isInput = new Set(inputs);
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      if (isInput.has(node)) continue;
      const source = taken.get(node);
      if (source !== undefined) {
        const cts = node.outputs === null ? [held.get(node) ?? null] : tuples.get(node);
        if (cts === undefined || cts.every(ct => ct === null)) continue;
        onBehalfOf(node, () => source.pullback(cts)).forEach((ct, operand) => {
          give(node.inputs[operand]!, ct);
        });
        continue;
      }
      const ct = held.get(node);
      if (ct === undefined) continue;
      held.delete(node);
      if (node.op === 'output') {
        const tuple = resolve(node.inputs[0]!);
        const cts = tuples.get(tuple) ?? tuple.outputs!.map(() => null);
        cts[node.params.index as number] = ct;
        tuples.set(tuple, cts);
        continue;
      }
      onBehalfOf(node, () =>
        back(
          now(node),
          ct,
          operand => isActive(node.inputs[operand]!),
          (operand, part) => {
            give(node.inputs[operand]!, part);
          },
        ),
      );
    }
    return inputs.map(input => held.get(input) ?? null);
  };

  return { outputs: outputs.map(now), pullback };
};

/** One primitive's way back, for the operands that are wanted. */
const back = (
  node: Node,
  ct: Node,
  wanted: (operand: number) => boolean,
  give: (operand: number, ct: Node) => void,
): void => {
  const entry = entryOf(node.op);
  switch (entry.kind) {
    case 'elementwise':
      partialsOf('grad', entry, node).forEach((partial, i) => {
        if (partial !== null && wanted(i)) give(i, castLike(partial(ct), node.inputs[i]!));
      });
      break;
    case 'movement':
      node.inputs.forEach((_, i) => {
        if (entry.linear(i) && wanted(i)) give(i, entry.transpose(b, ct, node, node.params, i));
      });
      break;
    case 'reduction':
      give(0, reductionVjp(b, entry, node, axesOf(node), ct));
      break;
    case 'contraction':
      for (const i of [0, 1] as const) if (wanted(i)) give(i, entry.transpose(b, ct, node, node.params, i));
      break;
    default:
      break;
  }
};
