/** Functions with a rule of their own, which takes the place of what would follow from their operations. */
import { isFloat } from '../dtype.js';
import { GradError, MissingRuleError } from '../errors.js';
import type { Graph, Node } from '../graph.js';
import { type Aval, type Shape, showAval } from '../shape.js';
import { full } from './full.js';
import type { GraphTransforms, Structured, StructuredBatch, StructuredJvp, StructuredVjp } from './kinds.js';
import { has, keep, placed, present, results } from './results.js';
import type { Build } from './signatures.js';

type Maybe = readonly (Node | null)[];

/** Rules are given the arguments without what the function closes over; null is a zero tangent or cotangent. */
export interface CustomJvp {
  readonly kind: 'customJvp';
  /** Results and their tangents. `tangents` are those of the floating arguments; the result is linear in them. */
  apply(
    inputs: readonly Node[],
    tangents: readonly Node[],
  ): { readonly outputs: readonly Node[]; readonly tangents: Maybe };
}

interface CustomVjp {
  readonly kind: 'customVjp';
  /** Results, what the way back needs, and the way back: from cotangents of the floating results to those of the arguments. */
  forward(inputs: readonly Node[]): {
    readonly outputs: readonly Node[];
    readonly residuals: readonly Node[];
    readonly backward: (residuals: readonly Node[], cotangents: readonly Node[]) => Maybe;
  };
  /** What forward mode goes by, if there is something. */
  readonly tangents?: CustomJvp;
}

interface CustomBatch {
  readonly kind: 'customBatch';
  /** Results, all with the new first axis, from arguments that have it where they are `batched`. */
  apply(inputs: readonly Node[], batched: readonly boolean[], size: number): readonly Node[];
}

export type CustomRule = CustomJvp | CustomVjp | CustomBatch;

export interface CustomParams {
  readonly body: Graph;
  /** How many of the first inputs are what the function closes over. */
  readonly captures: number;
  readonly rule: CustomRule;
}

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });
const floats = (nodes: readonly Aval[]): boolean[] => nodes.map(({ dtype }) => isFloat(dtype));
const zeros = (b: Build, like: readonly Aval[]): Node[] => like.map(aval => full(b, aval, 0));

/** A rule says nothing of what the function closes over. */
const refuseCaptured = (inputs: readonly Node[], asked: readonly boolean[], { rule, captures }: CustomParams): void => {
  const place = asked.slice(0, captures).indexOf(true);
  if (place < 0) return;
  const parts = {
    operation: rule.kind,
    rule: 'its rule knows of its arguments only',
    hint: 'Pass that tensor as an argument.',
  };
  const { shape, dtype } = inputs[place]!;
  const show = (own: Shape): string => `${showAval({ shape: own, dtype })}, which the function closes over`;
  if (rule.kind === 'customBatch')
    throw new MissingRuleError({ ...parts, given: `a batch of ${show(shape.slice(1))}` });
  throw new GradError({
    ...parts,
    given: `a derivative with respect to ${show(shape)}`,
    hint: `${parts.hint} Where it is meant to be a constant, close over stopGradient() of it.`,
  });
};

const jvp: StructuredJvp<CustomParams> = (b, graphs, inputs, tangents, params) => {
  const { body, captures, rule } = params;
  if (rule.kind === 'customBatch') {
    const mask = has(tangents);
    const out = graphs.reaches(body, mask, true);
    const all = graphs.inline(graphs.jvp(body, mask, out), [...inputs, ...present(tangents)]);
    return { outputs: all.slice(0, out.length), tangents: placed(all.slice(out.length), out) };
  }
  refuseCaptured(inputs, has(tangents), params);
  const forward = rule.kind === 'customVjp' ? rule.tangents : rule;
  if (forward === undefined) {
    throw new MissingRuleError({
      operation: 'jvp',
      given: 'a function made by customVjp',
      rule: 'it has a way back only, which need not be linear',
      hint: 'Use customJvp, whose rule serves forward and reverse mode.',
    });
  }
  const args = inputs.slice(captures);
  const directions = tangents.slice(captures).map((t, i) => t ?? full(b, args[i]!, 0));
  return forward.apply(args, keep(directions, floats(args)));
};

/** The way back of a rule that says the way there: the transpose of what it does to tangents. */
const transposed = (
  b: Build,
  graphs: GraphTransforms,
  rule: CustomJvp,
  args: readonly Node[],
  wanted: readonly boolean[],
): ReturnType<StructuredVjp<CustomParams>> => {
  const moving = floats(args);
  const directions = keep(args, moving).map(avalOf);
  let outputs: readonly Node[] = [];
  let reached: readonly boolean[] = [];
  const { graph, captures } = graphs.capture(rule.kind, directions, ts => {
    const moved = rule.apply(args, ts);
    outputs = moved.outputs;
    reached = has(moved.tangents);
    return present(moved.tangents);
  });
  return {
    outputs,
    pullback: cotangents => {
      const back = graphs.vjp(graph, [...captures.map(() => false), ...keep(wanted, moving)]);
      const cts = keep(cotangents, reached).map((ct, i) => ct ?? full(b, keep(outputs, reached)[i]!, 0));
      return placed(graphs.inline(back, [...captures, ...zeros(b, directions), ...cts]), wanted);
    },
  };
};

const vjp: StructuredVjp<CustomParams> = (b, graphs, inputs, wanted, params) => {
  const { body, captures, rule } = params;
  const filled = (cotangents: Maybe, like: readonly Node[]): Node[] =>
    keep(cotangents, floats(like)).map((ct, i) => ct ?? full(b, keep(like, floats(like))[i]!, 0));
  if (rule.kind === 'customBatch') {
    const outputs = graphs.inline(body, inputs);
    const pullback = (cotangents: Maybe): Maybe =>
      placed(graphs.inline(graphs.vjp(body, wanted), [...inputs, ...filled(cotangents, outputs)]), wanted);
    return { outputs, pullback };
  }
  refuseCaptured(inputs, wanted, params);
  const args = inputs.slice(captures);
  const none = inputs.slice(0, captures).map(() => null);
  if (rule.kind === 'customJvp') {
    const { outputs, pullback } = transposed(b, graphs, rule, args, wanted.slice(captures));
    return { outputs, pullback: cotangents => [...none, ...pullback(cotangents)] };
  }
  const { outputs, residuals, backward } = rule.forward(args);
  const pullback = (cotangents: Maybe): Maybe => [...none, ...backward(residuals, filled(cotangents, outputs))];
  return { outputs, pullback };
};

/**
 * A function of nodes over a batch; of its results the first `forced` get the batch axis in any case.
 *
 * @param batched which of the inputs have it
 */
const over = (
  graphs: GraphTransforms,
  name: string,
  inputs: readonly Node[],
  batched: readonly boolean[],
  size: number,
  forced: number,
  f: (examples: readonly Node[]) => readonly Node[],
): { readonly outputs: readonly Node[]; readonly batched: readonly boolean[] } => {
  const examples = inputs.map(({ shape, dtype }, i) => ({ shape: batched[i] ? shape.slice(1) : shape, dtype }));
  const { graph, captures } = graphs.capture(name, examples, f);
  const mask = [...captures.map(() => false), ...batched];
  const rows = graphs.batch(
    graph,
    mask,
    graph.outputs.map((_, i) => i < forced),
    size,
  );
  return { outputs: graphs.inline(rows.graph, [...captures, ...inputs]), batched: rows.batched };
};

const jvpOverBatch = (
  graphs: GraphTransforms,
  rule: CustomJvp,
  batched: readonly boolean[],
  size: number,
): CustomJvp => ({
  kind: 'customJvp',
  apply: (inputs, tangents) => {
    const count = inputs.length;
    let reached: readonly boolean[] = [];
    const mask = [...batched, ...keep(batched, floats(inputs))];
    const rows = over(graphs, rule.kind, [...inputs, ...tangents], mask, size, Number.POSITIVE_INFINITY, examples => {
      const moved = rule.apply(examples.slice(0, count), examples.slice(count));
      reached = has(moved.tangents);
      return [...moved.outputs, ...present(moved.tangents)];
    });
    const results = rows.outputs.length - reached.filter(Boolean).length;
    return { outputs: rows.outputs.slice(0, results), tangents: placed(rows.outputs.slice(results), reached) };
  },
});

const vjpOverBatch = (
  b: Build,
  graphs: GraphTransforms,
  rule: CustomVjp,
  batched: readonly boolean[],
  size: number,
  results: number,
): CustomVjp => ({
  kind: 'customVjp',
  ...(rule.tangents === undefined ? {} : { tangents: jvpOverBatch(graphs, rule.tangents, batched, size) }),
  forward: inputs => {
    let backward: ReturnType<CustomVjp['forward']>['backward'];
    const forward = over(graphs, rule.kind, inputs, batched, size, results, examples => {
      const taken = rule.forward(examples);
      backward = taken.backward;
      return [...taken.outputs, ...taken.residuals];
    });
    const saved = forward.batched.slice(results);
    return {
      outputs: forward.outputs.slice(0, results),
      residuals: forward.outputs.slice(results),
      backward: (residuals, cotangents) => {
        let reached: readonly boolean[] = [];
        const mask = [...saved, ...cotangents.map(() => true)];
        const given = [...residuals, ...cotangents];
        const rows = over(graphs, rule.kind, given, mask, size, Number.POSITIVE_INFINITY, examples => {
          const cts = backward(examples.slice(0, saved.length), examples.slice(saved.length));
          reached = has(cts);
          return present(cts);
        });
        // What all examples share gets the sum of what each of them has for it.
        return placed(rows.outputs, reached).map((ct, i) =>
          ct === null || batched[i] ? ct : b.sum(ct, { axes: [0] }),
        );
      },
    };
  },
});

const batch: StructuredBatch<CustomParams> = (b, graphs, inputs, batched, params, size) => {
  const { body, captures, rule } = params;
  const all = body.outputs.map(() => true);
  const mask = batched.slice(captures);
  if (rule.kind === 'customBatch') {
    refuseCaptured(inputs, batched, params);
    return { outputs: rule.apply(inputs.slice(captures), mask, size), batched: all };
  }
  const own =
    rule.kind === 'customJvp'
      ? jvpOverBatch(graphs, rule, mask, size)
      : vjpOverBatch(b, graphs, rule, mask, size, all.length);
  const node = b.custom(inputs, { body: graphs.batch(body, batched, all, size).graph, captures, rule: own });
  return { outputs: results(b, node), batched: all };
};

export const custom: Structured<CustomParams> = {
  kind: 'structured',
  aval: (_, { body }) => body.outputs.map(avalOf),
  jvp,
  vjp,
  batch,
};
