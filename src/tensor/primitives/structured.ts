/** Primitives with bodies and with rules of their own. The loops are in `loops.ts`. */
import { isFloat } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import type { Graph, Node } from '../graph.js';
import { type Aval, sameAval, showAval } from '../shape.js';
import { custom } from './custom.js';
import { cholesky, lu, orthogonalRows, triangularSolve } from './decompositions.js';
import { external } from './external.js';
import { full } from './full.js';
import type { GraphTransforms, Structured } from './kinds.js';
import { fold, whileLoop } from './loops.js';
import { repeat } from './movement.js';
import { has, placed, present, results } from './results.js';
import { recurrence, runningPosition } from './scans.js';
import type { Build, ParamsOf, StructuredPrimitives } from './signatures.js';

const takenApart = { none: 'a tuple of results is taken apart by the transforms themselves' } as const;

/** Cotangents of the floating results, zero where there is none: what a transposed body takes. */
const floatCotangents = (b: Build, outputs: readonly Aval[], cotangents: readonly (Node | null)[]): Node[] =>
  outputs.flatMap((aval, i) => (isFloat(aval.dtype) ? [cotangents[i] ?? full(b, aval, 0)] : []));

const avalsOf = (graph: Graph): readonly Aval[] => graph.outputs.map(({ shape, dtype }) => ({ shape, dtype }));

const anyOf = (masks: readonly (readonly boolean[])[]): boolean[] =>
  masks[0]!.map((_, i) => masks.some(mask => mask[i]));

/** Refuses branches that do not return the same. */
export const checkBranches = (operation: string, branches: readonly Graph[]): void => {
  const avals = avalsOf(branches[0]!);
  for (const branch of branches) {
    const other = avalsOf(branch);
    if (other.length === avals.length && other.every((aval, i) => sameAval(aval, avals[i]!))) continue;
    throw new ArgumentError({
      operation,
      given: `branches that return (${avals.map(showAval).join(', ')}) and (${other.map(showAval).join(', ')})`,
      rule: 'all branches must return the same shapes and dtypes',
      hint: 'Cast or broadcast the results of one branch.',
    });
  }
};

const condAval = (inputs: readonly Aval[], { branches }: { branches: readonly Graph[] }): readonly Aval[] => {
  if (inputs[0]!.dtype !== 'int32' || inputs[0]!.shape.length !== 0) {
    throw new DTypeError({
      operation: 'cond',
      given: `the index ${showAval(inputs[0]!)}`,
      rule: 'the index of a branch is an int32 scalar',
      hint: "Reduce it to one element and cast(index, 'int32').",
    });
  }
  checkBranches('cond', branches);
  return avalsOf(branches[0]!);
};

export const structured: { readonly [P in keyof StructuredPrimitives]: Structured<ParamsOf<P>> } = {
  output: {
    kind: 'structured',
    aval: ([tuple], { index }) => (tuple as Node).outputs![index]!,
    jvp: takenApart,
    vjp: takenApart,
    batch: takenApart,
  },
  call: {
    kind: 'structured',
    aval: (_, { body }) => avalsOf(body),
    jvp: (b, graphs, inputs, tangents, { body }) => {
      const out = graphs.reaches(body, has(tangents), true);
      const node = b.call([...inputs, ...present(tangents)], { body: graphs.jvp(body, has(tangents), out) });
      const all = results(b, node);
      return {
        outputs: all.slice(0, body.outputs.length),
        tangents: placed(all.slice(body.outputs.length), out),
      };
    },
    // The way back has nothing but the inputs, and computes the rest anew: what `checkpoint` is made of.
    vjp: (b, graphs, inputs, wanted, { body }) => ({
      outputs: results(b, b.call(inputs, { body })),
      pullback: cotangents => {
        const back = graphs.vjp(body, wanted);
        const cts = floatCotangents(b, avalsOf(body), cotangents);
        return placed(results(b, b.call([...inputs, ...cts], { body: back })), wanted);
      },
    }),
    batch: (b, graphs, inputs, batched, { body }, size) => {
      const over = graphs.batch(
        body,
        batched,
        body.outputs.map(() => false),
        size,
      );
      return { outputs: results(b, b.call(inputs, { body: over.graph })), batched: over.batched };
    },
  },
  custom,
  external,
  fold,
  cond: {
    kind: 'structured',
    aval: condAval,
    jvp: (b, graphs, inputs, tangents, { branches }) => {
      const mask = has(tangents.slice(1));
      const out = anyOf(branches.map(branch => graphs.reaches(branch, mask, true)));
      const node = b.cond([...inputs, ...present(tangents.slice(1))], {
        branches: branches.map(branch => graphs.jvp(branch, mask, out)),
      });
      const all = results(b, node);
      return { outputs: all.slice(0, out.length), tangents: placed(all.slice(out.length), out) };
    },
    vjp: (b, graphs, inputs, wanted, { branches }) => ({
      outputs: results(b, b.cond(inputs, { branches })),
      pullback: cotangents => {
        const cts = floatCotangents(b, avalsOf(branches[0]!), cotangents);
        const back = branches.map(branch => graphs.vjp(branch, wanted.slice(1)));
        return [null, ...placed(results(b, b.cond([...inputs, ...cts], { branches: back })), wanted.slice(1))];
      },
    }),
    batch: (b, graphs, inputs, batched, { branches }, size) => {
      const operands = inputs.slice(1);
      const mask = batched.slice(1);
      if (batched[0]) return everyBranch(b, graphs, inputs[0]!, operands, mask, branches, size);
      const none = branches[0]!.outputs.map(() => false);
      const out = anyOf(branches.map(branch => graphs.batch(branch, mask, none, size).batched));
      const over = branches.map(branch => graphs.batch(branch, mask, out, size).graph);
      return { outputs: results(b, b.cond(inputs, { branches: over })), batched: out };
    },
  },
  while: whileLoop,
  argsort: {
    kind: 'structured',
    aval: ([x], { axis, count }) => ({
      shape: count === undefined ? x!.shape : x!.shape.with(axis, count),
      dtype: 'int32',
    }),
    jvp: (b, _, [x], __, params) => ({ outputs: [b.argsort(x!, params)], tangents: [null] }),
    vjp: { none: 'its results are positions, so there is no tangent' },
    batch: (b, _, [x], __, { axis, ...count }) => ({
      outputs: [b.argsort(x!, { axis: axis + 1, ...count })],
      batched: [true],
    }),
  },
  recurrence,
  cumargmax: runningPosition('cumargmax'),
  cumargmin: runningPosition('cumargmin'),
  cholesky,
  triangularSolve,
  lu,
  orthogonalRows,
};

/** Rows that take different branches: all branches run, and each row picks its own. */
const everyBranch = (
  b: Build,
  graphs: GraphTransforms,
  index: Node,
  operands: readonly Node[],
  mask: readonly boolean[],
  branches: readonly Graph[],
  size: number,
): { outputs: readonly Node[]; batched: readonly boolean[] } => {
  const all = branches[0]!.outputs.map(() => true);
  const rows = operands.map((x, i) => (mask[i] ? x : repeat(b, x, size)));
  const everyRow = operands.map(() => true);
  const values = branches.map(branch => graphs.inline(graphs.batch(branch, everyRow, all, size).graph, rows));
  const outputs = values[0]!.map((_, o) => {
    let picked = values[branches.length - 1]![o]!;
    for (let i = branches.length - 2; i >= 0; i--) {
      // The index is clamped: everything up to i takes branch i when no earlier branch took it.
      const upTo = b.le(index, full(b, index, i));
      const aligned = b.reshape(upTo, { shape: [size, ...new Array<number>(picked.shape.length - 1).fill(1)] });
      picked = b.select(b.broadcast(aligned, { shape: picked.shape }), values[i]![o]!, picked);
    }
    return picked;
  });
  return { outputs, batched: all };
};
