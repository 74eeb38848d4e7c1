/**
 * From nodes to a program: the pending part of a graph in an order of evaluation, equal subgraphs merged.
 *
 * A program refers to no node, only to numbered slots, so it can outlive the graph it was made from; and it holds no
 * scalar, only places for them, so that the same expression with other numbers is the same program. It knows no
 * backend; backends know only programs.
 */
import {
  countUses,
  type DynamicNumber,
  Graph,
  hashParam,
  mix,
  type Node,
  type Params,
  resolve,
  sameParams,
  topological,
} from '../graph.js';
import { type Aval, sameAval } from '../shape.js';
import type { Storage } from '../storage.js';

/** One primitive applied to slots, its result put into the slot `result`. */
export interface Instruction {
  readonly op: string;
  readonly params: Params;
  /** The programs of the body graphs in `params`, in their order. */
  readonly bodies: readonly Program[];
  readonly inputs: readonly number[];
  readonly inputAvals: readonly Aval[];
  readonly aval: Aval;
  /** Set for a primitive of several results: its slot holds a tuple. */
  readonly outputs: readonly Aval[] | null;
  readonly result: number;
  /** Hash of the primitive, its parameters and its result. */
  readonly kindHash: number;
}

/** A scalar of a program: where its value goes, and what is fixed about it. */
export interface Scalar {
  readonly slot: number;
  readonly dtype: Aval['dtype'];
  /** 0, 1 or −1 where the value is just that in every run, 2 where it is another and may change. */
  readonly class: DynamicNumber['class'];
}

export interface Program {
  /** Slots 0, 1, … are filled by the caller in this order. */
  readonly inputs: readonly Aval[];
  /** Slots filled with numbers. */
  readonly scalars: readonly Scalar[];
  /** Number of scalars of this program and of all bodies in it; a run is given their values, own ones first. */
  readonly scalarCount: number;
  readonly instructions: readonly Instruction[];
  /** Slots handed back. */
  readonly outputs: readonly number[];
  readonly slots: number;
  /** Structural hash; programs of one hash are compared by {@link sameProgram}. */
  readonly hash: number;
}

/** A program and the values of its scalars: own ones, then those of the bodies in order. */
interface Lowered {
  readonly program: Program;
  readonly scalars: readonly number[];
}

/** The program of a body graph: its parameters are the inputs. */
export const programOfGraph = (graph: Graph): Lowered => {
  const leaf = new Set(graph.parameters);
  const order = topological(graph.outputs, node => !leaf.has(node));
  return lower(order, graph.parameters, graph.outputs);
};

export interface PendingProgram extends Lowered {
  /** The realised nodes whose values are the program's inputs. */
  readonly leaves: readonly Node[];
  /** The nodes whose values are the program's outputs: the roots, and what somebody else still wants. */
  readonly stored: readonly Node[];
  /** The nodes that are computed on the way and not stored. */
  readonly passing: readonly Node[];
}

/**
 * The program that computes the pending roots. Interior nodes that somebody else may want are stored too, else a loop
 * would compute its earlier steps again and again. Those are the nodes that others outside were built on; those that
 * have been computed once already, because somebody must have held on to them; and those heavier than `keepAbove`,
 * for callers that know that recent nodes are still held.
 */
export const programOfPending = (roots: readonly Node[], keepAbove = Number.POSITIVE_INFINITY): PendingProgram => {
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
  const stored = order.filter(
    node => isRoot.has(node) || node.uses > (inside.get(node) ?? 0) || node.computed || node.weight > keepAbove,
  );
  const isStored = new Set(stored);
  const passing = order.filter(node => !isStored.has(node));
  const { program, scalars } = lower(order, leaves, stored);
  return { program, scalars, leaves, stored, passing };
};

/** A result of a tuple that has been computed has a value already. */
const takePart = (node: Node): void => {
  if (node.op !== 'output' || node.value !== null) return;
  const tuple = node.inputs[0]!.value;
  if (Array.isArray(tuple)) node.realise(tuple[node.params.index as number] as Storage);
};

const graphsIn = (params: Params): readonly Graph[] =>
  Object.values(params).flatMap(value =>
    value instanceof Graph ? [value] : Array.isArray(value) ? value.filter(item => item instanceof Graph) : [],
  );

/** Numbers the nodes by value: nodes of the same primitive, parameters and operands share a slot. */
const lower = (order: readonly Node[], leaves: readonly Node[], outputs: readonly Node[]): Lowered => {
  const slotOf = new Map<Node, number>();
  for (const leaf of leaves) slotOf.set(leaf, slotOf.size);
  let slots = leaves.length;
  const scalars: Scalar[] = [];
  const values: number[] = [];
  const bodyValues: number[] = [];
  const instructions: Instruction[] = [];
  const byHash = new Map<number, number[]>();
  const placeScalar = (node: Node, value: DynamicNumber): number => {
    const twin = scalars.findIndex(
      (each, i) => each.dtype === node.dtype && each.class === value.class && Object.is(values[i], value.value),
    );
    if (twin >= 0) return scalars[twin]!.slot;
    scalars.push({ slot: slots, dtype: node.dtype, class: value.class });
    values.push(value.value);
    return slots++;
  };
  const isOutput = new Set(outputs);
  /** The slots of results that were never put together. */
  const parts = new Map<Node, readonly number[]>();
  const slotIn = (at: ReadonlyMap<Node, number>, node: Node): number => at.get(resolve(node))!;
  /** Gives the node a slot, its inputs having theirs. */
  const placeNode = (node: Node, at: Map<Node, number>): void => {
    if (node.op === 'mark') {
      at.set(node, slotIn(at, node.inputs[0]!));
      return;
    }
    if (node.op === 'constant') {
      at.set(node, placeScalar(node, node.params.value as DynamicNumber));
      return;
    }
    if (node.op === 'output') {
      const apart = parts.get(resolve(node.inputs[0]!));
      if (apart !== undefined) {
        at.set(node, apart[node.params.index as number]!);
        return;
      }
    }
    const inputs = node.inputs.map(input => slotIn(at, input));
    let { op, params } = node;
    if (op === 'custom') {
      // Its rule is for transforms. Its operations take part in everything around them, unless all its results are wanted.
      const body = params.body as Graph;
      if (!isOutput.has(node)) {
        const within = new Map(body.parameters.map((parameter, i) => [parameter, inputs[i]!]));
        for (const each of topological(body.outputs, inner => !within.has(inner))) placeNode(each, within);
        parts.set(
          node,
          body.outputs.map(output => slotIn(within, output)),
        );
        return;
      }
      op = 'call';
      params = { body };
    }
    const bucket = byHash.get(node.hash) ?? [];
    const twin = bucket.find(
      i => sameInputs(instructions[i]!, { op }, inputs) && sameParams(instructions[i]!.params, params),
    );
    if (twin !== undefined) {
      at.set(node, instructions[twin]!.result);
      return;
    }
    bucket.push(instructions.length);
    byHash.set(node.hash, bucket);
    at.set(node, slots);
    // Only what has several results has bodies.
    const bodies = node.outputs === null ? noBodies : graphsIn(params).map(programOfGraph);
    for (const body of bodies) bodyValues.push(...body.scalars);
    instructions.push({
      op,
      params,
      bodies: bodies === noBodies ? noPrograms : bodies.map(body => body.program),
      inputs,
      inputAvals: node.inputs.map(({ shape, dtype }) => ({ shape, dtype })),
      aval: { shape: node.shape, dtype: node.dtype },
      outputs: node.outputs,
      result: slots++,
      kindHash: node.kindHash,
    });
  };
  for (const node of order) placeNode(node, slotOf);
  const results = outputs.map(node => slotIn(slotOf, node));
  let hash = mix(hashParam(results), leaves.length);
  for (const leaf of leaves) hash = mix(hash, hashParam(leaf.shape) ^ hashParam(leaf.dtype));
  for (const each of scalars) hash = mix(hash, mix(each.slot, hashParam(each.dtype) ^ each.class));
  for (const { kindHash, inputs } of instructions) {
    hash = mix(hash, kindHash);
    for (const slot of inputs) hash = mix(hash, slot);
  }
  const program: Program = {
    inputs: leaves.map(({ shape, dtype }) => ({ shape, dtype })),
    scalars,
    scalarCount: values.length + bodyValues.length,
    instructions,
    outputs: results,
    slots,
    hash,
  };
  return { program, scalars: bodyValues.length === 0 ? values : [...values, ...bodyValues] };
};

const noBodies: readonly Lowered[] = [];
const noPrograms: readonly Program[] = [];

const sameInputs = (instruction: Instruction, { op }: { op: string }, inputs: readonly number[]): boolean =>
  instruction.op === op &&
  instruction.inputs.length === inputs.length &&
  instruction.inputs.every((slot, i) => slot === inputs[i]);

const sameList = <T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean =>
  a.length === b.length && a.every((item, i) => same(item, b[i]!));

/** Parameters, with body graphs left to the comparison of their programs. */
const withoutGraphs = (params: Params): Params =>
  Object.fromEntries(
    Object.entries(params).filter(
      ([, value]) => !(value instanceof Graph) && !(Array.isArray(value) && value[0] instanceof Graph),
    ),
  );

/** Whether two programs do the same, whatever their scalars. */
export const sameProgram = (a: Program, b: Program): boolean =>
  a === b ||
  (a.hash === b.hash &&
    sameList(a.outputs, b.outputs, Object.is) &&
    sameList(a.inputs, b.inputs, sameAval) &&
    sameList(a.scalars, b.scalars, (x, y) => x.slot === y.slot && x.dtype === y.dtype && x.class === y.class) &&
    sameList(
      a.instructions,
      b.instructions,
      (x, y) =>
        sameInputs(x, y, y.inputs) &&
        sameAval(x.aval, y.aval) &&
        sameList(x.bodies, y.bodies, sameProgram) &&
        (x.bodies.length > 0
          ? sameParams(withoutGraphs(x.params), withoutGraphs(y.params))
          : sameParams(x.params, y.params)),
    ));
