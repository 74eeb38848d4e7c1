/**
 * From nodes to a program: the pending part of a graph in an order of evaluation, equal subgraphs merged.
 *
 * A program refers to no node, only to numbered slots, so it can outlive the graph it was made from. It knows
 * no backend; backends know only programs.
 */
import { countUses, type Graph, type Node, type Params, resolve, sameParams, topological } from '../graph.js';
import type { Aval } from '../shape.js';
import type { Storage } from '../storage.js';

/** One primitive applied to slots, its result put into the slot `result`. */
export interface Instruction {
  readonly op: string;
  readonly params: Params;
  readonly inputs: readonly number[];
  readonly inputAvals: readonly Aval[];
  readonly aval: Aval;
  /** Set for a primitive of several results: its slot holds a tuple. */
  readonly outputs: readonly Aval[] | null;
  readonly result: number;
}

export interface Program {
  /** Slots 0, 1, … are filled by the caller in this order. */
  readonly inputs: readonly Aval[];
  readonly instructions: readonly Instruction[];
  /** Slots handed back. */
  readonly outputs: readonly number[];
  readonly slots: number;
}

/** The program of a body graph: its parameters are the inputs. */
export const programOfGraph = (graph: Graph): Program => {
  const leaf = new Set(graph.parameters);
  const order = topological(graph.outputs, node => !leaf.has(node));
  return lower(order, graph.parameters, graph.outputs);
};

export interface PendingProgram {
  readonly program: Program;
  /** The realised nodes whose values are the program's inputs. */
  readonly leaves: readonly Node[];
  /** The nodes whose values are the program's outputs: the roots, and what somebody else still wants. */
  readonly stored: readonly Node[];
}

/**
 * The program that computes the pending roots. Interior nodes that have consumers outside of it are stored
 * too: else a loop that reads one value a step would compute all the steps before it again.
 */
export const programOfPending = (roots: readonly Node[]): PendingProgram => {
  const leaves: Node[] = [];
  const order = topological(roots, node => {
    takePart(node);
    if (node.value === null) return true;
    leaves.push(node);
    return false;
  });
  const inside = new Map<Node, number>();
  for (const node of order) countUses(node, used => inside.set(used, (inside.get(used) ?? 0) + 1));
  const isRoot = new Set(roots.map(resolve));
  const stored = order.filter(node => isRoot.has(node) || node.uses > (inside.get(node) ?? 0));
  return { program: lower(order, leaves, stored), leaves, stored };
};

/** A result of a tuple that has been computed has a value already. */
const takePart = (node: Node): void => {
  if (node.op !== 'output' || node.value !== null) return;
  const tuple = node.inputs[0]!.value;
  if (Array.isArray(tuple)) node.realise(tuple[node.params.index as number] as Storage);
};

/** Numbers the nodes by value: nodes of the same primitive, parameters and operands share a slot. */
const lower = (order: readonly Node[], leaves: readonly Node[], outputs: readonly Node[]): Program => {
  const slotOf = new Map<Node, number>();
  for (const leaf of leaves) slotOf.set(leaf, slotOf.size);
  let slots = leaves.length;
  const instructions: Instruction[] = [];
  const byHash = new Map<number, number[]>();
  for (const node of order) {
    if (node.op === 'mark') {
      slotOf.set(node, slotOf.get(resolve(node.inputs[0]!))!);
      continue;
    }
    const inputs = node.inputs.map(input => slotOf.get(resolve(input))!);
    const bucket = byHash.get(node.hash) ?? [];
    const twin = bucket.find(i => sameInstruction(instructions[i]!, node, inputs));
    if (twin !== undefined) {
      slotOf.set(node, instructions[twin]!.result);
      continue;
    }
    bucket.push(instructions.length);
    byHash.set(node.hash, bucket);
    slotOf.set(node, slots);
    instructions.push({
      op: node.op,
      params: node.params,
      inputs,
      inputAvals: node.inputs.map(({ shape, dtype }) => ({ shape, dtype })),
      aval: { shape: node.shape, dtype: node.dtype },
      outputs: node.outputs,
      result: slots++,
    });
  }
  return {
    inputs: leaves.map(({ shape, dtype }) => ({ shape, dtype })),
    instructions,
    outputs: outputs.map(node => slotOf.get(resolve(node))!),
    slots,
  };
};

const sameInstruction = (instruction: Instruction, node: Node, inputs: readonly number[]): boolean =>
  instruction.op === node.op &&
  instruction.inputs.length === inputs.length &&
  instruction.inputs.every((slot, i) => slot === inputs[i]) &&
  sameParams(instruction.params, node.params);
