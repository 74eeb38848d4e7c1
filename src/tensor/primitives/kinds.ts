/**
 * What an entry of the table declares, by kind. A kind knows its calculus: from these few declarations the
 * transforms derive forward and reverse derivatives, batching, and the backends their kernels.
 *
 * Rules are functions of the constructors (`b`), so this layer needs nothing above it, and what they build can
 * be differentiated, batched and fused again.
 */
import type { DType } from '../dtype.js';
import type { Graph, Node } from '../graph.js';
import type { Aval, Shape } from '../shape.js';
import type { View } from '../view.js';
import type { Build } from './signatures.js';

/** A rule that cannot exist, and why; asking for it is a MissingRuleError with this reason. */
export interface Missing {
  readonly none: string;
}

export const isMissing = (rule: object): rule is Missing => 'none' in rule;

/** Properties that passes ask for, instead of listing names. */
export type Trait = 'commutative' | 'cheap';

/** How a tangent or cotangent passes one operand: a linear map, elementwise, so it is its own transpose. null: not at all. */
export type Partial = ((t: Node) => Node) | null;

/** The partials of what is constant around almost every point. */
export const noPartials = (_: Build, node: Node): readonly Partial[] => node.inputs.map(() => null);

interface Entry<P, A> {
  /** Shape rule: shape and dtype of the result, or an error that names the operation. */
  aval(inputs: readonly Aval[], params: P): A;
}

export interface Source<P> extends Entry<P, Aval> {
  readonly kind: 'source';
}

export interface Elementwise<P> extends Entry<P, Aval> {
  readonly kind: 'elementwise';
  readonly traits: readonly Trait[];
  /** Its scalar meaning, on operands of the dtype, in float64; the result is rounded once to the dtype of the result. */
  scalar(params: P, dtype: DType): (...operands: number[]) => number;
  /** For each operand the partial derivative as a linear map. */
  readonly partials: ((b: Build, node: Node, params: P) => readonly Partial[]) | Missing;
}

export interface Movement<P> extends Entry<P, Aval> {
  readonly kind: 'movement';
  /** Whether it moves this operand (and is linear in it) rather than being steered by it. */
  linear(operand: number): boolean;
  /** The cotangent of one moved operand. */
  transpose(b: Build, ct: Node, node: Node, params: P, operand: number): Node;
  readonly batch: BatchRule<P>;
  /** Its result as a view of what its operand is a view of; null where no affine view can say that. */
  readonly view: ((view: View, params: P, shape: Shape) => View | null) | null;
}

export interface Reduction<P> extends Entry<P, Aval> {
  readonly kind: 'reduction';
  /** 'linear' for sums; otherwise the weights w (of the input's shape) with dy = sum(w · dx). */
  readonly weights: 'linear' | ((b: Build, node: Node, params: P) => Node) | Missing;
}

export interface Contraction<P> extends Entry<P, Aval> {
  readonly kind: 'contraction';
  /** The cotangent of one operand, the other held fixed. */
  transpose(b: Build, ct: Node, node: Node, params: P, operand: 0 | 1): Node;
  readonly batch: BatchRule<P>;
}

export interface Structured<P> extends Entry<P, Aval | readonly Aval[]> {
  readonly kind: 'structured';
  readonly jvp: StructuredJvp<P> | Missing;
  readonly vjp: StructuredVjp<P> | Missing;
  readonly batch: StructuredBatch<P> | Missing;
}

/**
 * Batching: inputs that are `batched` have a new first axis of length `size`; the result must have it too.
 * Called only when at least one input is batched.
 */
export type BatchRule<P> = (
  b: Build,
  inputs: readonly Node[],
  batched: readonly boolean[],
  params: P,
  size: number,
) => Node;

/** The transforms of body graphs that structured rules are written with. */
export interface GraphTransforms {
  /** (inputs, tangents of those that have one) to (outputs, tangents of the outputs). Every output gets a tangent where `out` says so. */
  jvp(graph: Graph, has: readonly boolean[], out: readonly boolean[]): Graph;
  /** (inputs, cotangents of the floating outputs) to cotangents of the inputs asked for. */
  vjp(graph: Graph, wanted: readonly boolean[]): Graph;
  /** The graph over a batch; outputs get the batch axis where `out` says so, or where they cannot help it. */
  batch(graph: Graph, batched: readonly boolean[], out: readonly boolean[], size: number): BatchedGraph;
  /** Which outputs depend on the inputs named, through floats or at all. */
  reaches(graph: Graph, from: readonly boolean[], floatsOnly: boolean): readonly boolean[];
  /** The graph as a function of nodes: its operations on these inputs. */
  inline(graph: Graph, inputs: readonly Node[]): readonly Node[];
  /** A closed graph traced from a function of nodes; it must use nothing from outside. */
  trace(avals: readonly Aval[], f: (parameters: readonly Node[]) => readonly Node[]): Graph;
  /** A graph traced from a function of nodes, and the nodes from outside that became its first parameters. */
  capture(name: string, avals: readonly Aval[], f: (parameters: readonly Node[]) => readonly Node[]): CapturedGraph;
}

interface CapturedGraph {
  readonly graph: Graph;
  readonly captures: readonly Node[];
}

interface BatchedGraph {
  readonly graph: Graph;
  readonly batched: readonly boolean[];
}

/** Results and tangents of a structured primitive; null is a zero tangent. */
export type StructuredJvp<P> = (
  b: Build,
  graphs: GraphTransforms,
  inputs: readonly Node[],
  tangents: readonly (Node | null)[],
  params: P,
) => { readonly outputs: readonly Node[]; readonly tangents: readonly (Node | null)[] };

/**
 * Reverse mode in two halves: the primitive again with whatever the way back needs, and the way back from
 * cotangents of the outputs (null: zero) to those of the inputs.
 */
export type StructuredVjp<P> = (
  b: Build,
  graphs: GraphTransforms,
  inputs: readonly Node[],
  wanted: readonly boolean[],
  params: P,
) => {
  readonly outputs: readonly Node[];
  readonly pullback: (cotangents: readonly (Node | null)[]) => readonly (Node | null)[];
};

export type StructuredBatch<P> = (
  b: Build,
  graphs: GraphTransforms,
  inputs: readonly Node[],
  batched: readonly boolean[],
  params: P,
  size: number,
) => { readonly outputs: readonly Node[]; readonly batched: readonly boolean[] };
