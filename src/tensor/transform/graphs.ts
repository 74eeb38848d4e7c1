/** The transforms of closed graphs, for the rules of primitives that have bodies. */
import { b } from '../build.js';
import { isFloat } from '../dtype.js';
import { TraceError } from '../errors.js';
import { type Graph, type Node, resolve, topological } from '../graph.js';
import { full } from '../primitives/full.js';
import type { GraphTransforms } from '../primitives/kinds.js';
import { repeat } from '../primitives/movement.js';
import { type Aval, showAval } from '../shape.js';
import { batch } from './batching.js';
import { forward } from './forward.js';
import { reverse } from './reverse.js';
import { inline, trace } from './trace.js';

const always = (): boolean => true;
const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

/** Traces a body that rules build out of nothing but their parameters and constants. */
const closed = (avals: readonly Aval[], f: (parameters: readonly Node[]) => readonly Node[]): Graph => {
  const { graph, captures } = trace('body', avals, f, 'known');
  if (captures.length === 0) return graph;
  // The rules of the table close over nothing.
  throw new TraceError({
    operation: 'a rule of customVjp, customJvp or customBatch',
    given: `a use of ${captures.map(showAval).join(' and ')}, over which it closes`,
    rule: 'inside of loops, branches and other rules it is a function of what it is given and of numbers',
    hint: 'Pass the tensor as an argument of the function; backward can get it as a residual.',
  });
};

export const graphs: GraphTransforms = {
  inline,
  trace: closed,
  capture: trace,
  jvp: (graph, has, out) => {
    const tangentAvals = graph.parameters.filter((_, i) => has[i]).map(avalOf);
    return closed([...graph.parameters.map(avalOf), ...tangentAvals], parameters => {
      let next = graph.parameters.length;
      const start = new Map(
        graph.parameters.map((parameter, i) => [
          parameter,
          { value: parameters[i]!, tangent: has[i] ? parameters[next++]! : null },
        ]),
      );
      const { outputs, tangents } = forward(graphs, graph.outputs, start, always);
      return [...outputs, ...tangents.map((t, i) => t ?? full(b, outputs[i]!, 0)).filter((_, i) => out[i])];
    });
  },
  vjp: (graph, wanted) => {
    const floats = graph.outputs.map(node => isFloat(node.dtype));
    const cotangentAvals = graph.outputs.filter((_, i) => floats[i]).map(avalOf);
    return closed([...graph.parameters.map(avalOf), ...cotangentAvals], parameters => {
      const inputs = parameters.slice(0, graph.parameters.length);
      let next = inputs.length;
      const active = inputs.filter((_, i) => wanted[i]);
      const { pullback } = reverse(graphs, inline(graph, inputs), active, always);
      const cotangents = pullback(floats.map(float => (float ? parameters[next++]! : null)));
      return cotangents.map((ct, i) => ct ?? full(b, active[i]!, 0));
    });
  },
  batch: (graph, batched, out, size) => {
    let flags: readonly boolean[] = [];
    const avals = graph.parameters.map(({ shape, dtype }, i) => ({
      shape: batched[i] ? [size, ...shape] : shape,
      dtype,
    }));
    const over = closed(avals, parameters => {
      const start = new Map(
        graph.parameters.map((parameter, i) => [parameter, { node: parameters[i]!, batched: batched[i]! }]),
      );
      const result = batch(graphs, graph.outputs, start, size);
      flags = result.batched.map((yes, i) => yes || out[i]!);
      return result.outputs.map((node, i) => (flags[i] && !result.batched[i] ? repeat(b, node, size) : node));
    });
    return { graph: over, batched: flags };
  },
  reaches: (graph, from, floatsOnly) => {
    const reached = new Set<Node>(graph.parameters.filter((_, i) => from[i]));
    for (const node of topological(graph.outputs, always)) {
      const passes = !floatsOnly || node.outputs !== null || isFloat(node.dtype);
      if (passes && node.inputs.some(input => reached.has(resolve(input)))) reached.add(node);
    }
    return graph.outputs.map(node => reached.has(resolve(node)));
  },
};
