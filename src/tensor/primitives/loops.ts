/** `fold` and `while`: their derivatives and batching are loops again over transformed bodies. */
import { ShapeError } from '../errors.js';
import type { Graph, Node } from '../graph.js';
import { type Aval, sameAval, showAval } from '../shape.js';
import { foldVjp } from './fold-back.js';
import { full } from './full.js';
import type { Structured, StructuredBatch, StructuredJvp } from './kinds.js';
import { moveAxis, repeat } from './movement.js';
import { cut, has, keep, placed, present, results } from './results.js';
import type { Build, FoldParams, WhileParams } from './signatures.js';

const zerosLike = (b: Build, aval: Aval): Node => full(b, aval, 0);

/** Refuses a body whose carries come out with another shape or dtype than they went in. */
export const checkCarries = (operation: string, carries: readonly Aval[], next: readonly Aval[]): void => {
  carries.forEach((carry, i) => {
    const after = next[i];
    if (after !== undefined && sameAval(after, carry)) return;
    throw new ShapeError({
      operation,
      given: `a carry of ${showAval(carry)} that the step returns as ${after === undefined ? 'nothing' : showAval(after)}`,
      rule: 'each step must return every carry with the shape and dtype it came with',
      hint: 'Cast or reshape the carry inside the step, or start from one of the other shape.',
    });
  });
};

/** Grows a set of carries until the body adds none: a carry belongs if it depends on one that does. */
const fixpoint = (start: readonly boolean[], grow: (carries: readonly boolean[]) => readonly boolean[]): boolean[] => {
  let current = [...start];
  for (;;) {
    const grown = grow(current);
    const next = current.map((yes, i) => yes || grown[i]!);
    if (next.every((yes, i) => yes === current[i])) return next;
    current = next;
  }
};

const sliceAval = ({ shape, dtype }: Aval): Aval => ({ shape: shape.slice(1), dtype });

const foldAval = (inputs: readonly Aval[], { body, length, captures, carries }: FoldParams): readonly Aval[] => {
  const [, first] = cut(inputs, captures, carries);
  checkCarries('fold', first!, body.outputs.slice(0, carries));
  return body.outputs.map(({ shape, dtype }, i) => ({ shape: i < carries ? shape : [length, ...shape], dtype }));
};

const foldJvp: StructuredJvp<FoldParams> = (b, graphs, inputs, tangents, params) => {
  const { body, captures, carries } = params;
  const [inCaptures, inCarries, inXs] = cut(inputs, captures, carries);
  const [tCaptures, tCarries, tXs] = cut(tangents, captures, carries);
  const reach = (carry: readonly boolean[]): readonly boolean[] =>
    graphs.reaches(body, [...has(tCaptures!), ...carry, ...has(tXs!)], true);
  const carryHas = fixpoint(has(tCarries!), reach);
  const out = [...carryHas, ...reach(carryHas).slice(carries)];
  const mask = [...has(tCaptures!), ...carryHas, ...has(tXs!)];
  const step = graphs.jvp(body, mask, out);

  const firstT = keep(tCarries!, carryHas).map((t, i) => t ?? zerosLike(b, keep(inCarries!, carryHas)[i]!));
  const sections = [
    [...inCaptures!, ...present(tCaptures!)],
    [...inCarries!, ...firstT],
    [...inXs!, ...present(tXs!)],
  ] as const;
  const avals = [...sections[0], ...sections[1], ...sections[2].map(sliceAval)];
  const joint = graphs.trace(avals, parameters => {
    const [c, s, x] = cut(parameters, sections[0].length, sections[1].length);
    const [c0, c1] = cut(c!, captures);
    const [s0, s1] = cut(s!, carries);
    const [x0, x1] = cut(x!, inXs!.length);
    const results = graphs.inline(step, [...c0!, ...s0!, ...x0!, ...c1!, ...s1!, ...x1!]);
    const [values, ts] = cut(results, body.outputs.length);
    const [nextT, tYs] = cut(ts!, firstT.length);
    return [...values!.slice(0, carries), ...nextT!, ...values!.slice(carries), ...tYs!];
  });
  const node = b.fold(sections.flat(), {
    ...params,
    body: joint,
    captures: sections[0].length,
    carries: sections[1].length,
  });
  const [lastCarries, lastT, ys, tYs] = cut(results(b, node), carries, firstT.length, body.outputs.length - carries);
  const all = [...lastT!, ...tYs!];
  let next = 0;
  return { outputs: [...lastCarries!, ...ys!], tangents: out.map(yes => (yes ? all[next++]! : null)) };
};

const foldBatch: StructuredBatch<FoldParams> = (b, graphs, inputs, batched, params, size) => {
  const { body, captures, carries } = params;
  const [inCaptures, inCarries, inXs] = cut(inputs, captures, carries);
  const [bCaptures, bCarries, bXs] = cut(batched, captures, carries);
  const noOutputs = body.outputs.map(() => false);
  const carryBatched = fixpoint(
    bCarries!,
    current => graphs.batch(body, [...bCaptures!, ...current, ...bXs!], noOutputs, size).batched,
  );
  const step = graphs.batch(
    body,
    [...bCaptures!, ...carryBatched, ...bXs!],
    body.outputs.map((_, i) => i < carries && carryBatched[i]!),
    size,
  );
  const node = b.fold(
    [
      ...inCaptures!,
      ...inCarries!.map((x, i) => (carryBatched[i] && !bCarries![i] ? repeat(b, x, size) : x)),
      // The sequence axis stays first, so the batch axis goes behind it.
      ...inXs!.map((x, i) => (bXs![i] ? moveAxis(b, x, 0, 1) : x)),
    ],
    { ...params, body: step.graph },
  );
  const outputs = results(b, node).map((y, i) => (i >= carries && step.batched[i] ? moveAxis(b, y, 1, 0) : y));
  return { outputs, batched: step.batched };
};

export const fold: Structured<FoldParams> = {
  kind: 'structured',
  aval: foldAval,
  jvp: foldJvp,
  vjp: foldVjp,
  batch: foldBatch,
};

const whileAval = (inputs: readonly Aval[], { body, testCaptures, bodyCaptures }: WhileParams): readonly Aval[] => {
  const [, , carries] = cut(inputs, testCaptures, bodyCaptures);
  checkCarries('while', carries!, body.outputs);
  return body.outputs;
};

const whileJvp: StructuredJvp<WhileParams> = (b, graphs, inputs, tangents, params) => {
  const { test, body, testCaptures, bodyCaptures } = params;
  const [inTest, inBody, inCarries] = cut(inputs, testCaptures, bodyCaptures);
  const [, tBody, tCarries] = cut(tangents, testCaptures, bodyCaptures);
  const hasBody = tBody!.map(t => t !== null);
  const has = fixpoint(
    tCarries!.map(t => t !== null),
    carry => graphs.reaches(body, [...hasBody, ...carry], true),
  );
  const step = graphs.jvp(body, [...hasBody, ...has], has);
  const firstT = keep(tCarries!, has).map((t, i) => t ?? zerosLike(b, keep(inCarries!, has)[i]!));
  const captures = [...inBody!, ...present(tBody!)];
  const carries = [...inCarries!, ...firstT];
  const jointBody = graphs.trace([...captures, ...carries], parameters => {
    const [c0, c1, s0, s1] = cut(parameters, bodyCaptures, captures.length - bodyCaptures, inCarries!.length);
    return graphs.inline(step, [...c0!, ...s0!, ...c1!, ...s1!]);
  });
  const jointTest = graphs.trace([...inTest!, ...carries], parameters =>
    graphs.inline(test, parameters.slice(0, testCaptures + inCarries!.length)),
  );
  const node = b.while([...inTest!, ...captures, ...carries], {
    test: jointTest,
    body: jointBody,
    testCaptures,
    bodyCaptures: captures.length,
  });
  const [outputs, ts] = cut(results(b, node), inCarries!.length);
  return { outputs: outputs!, tangents: placed(ts!, has) };
};

const whileBatch: StructuredBatch<WhileParams> = (b, graphs, inputs, batched, params, size) => {
  const { test, body, testCaptures, bodyCaptures } = params;
  const [inTest, inBody, inCarries] = cut(inputs, testCaptures, bodyCaptures);
  const [bTest, bBody, bCarries] = cut(batched, testCaptures, bodyCaptures);
  const noOutputs = body.outputs.map(() => false);
  let carryBatched = fixpoint(
    bCarries!,
    current => graphs.batch(body, [...bBody!, ...current], noOutputs, size).batched,
  );
  // Rows that stop at different steps: everything is carried per row, and finished rows stay as they are.
  const rowwise = graphs.batch(test, [...bTest!, ...carryBatched], [false], size).batched[0]!;
  if (rowwise) carryBatched = carryBatched.map(() => true);
  const step = graphs.batch(body, [...bBody!, ...carryBatched], carryBatched, size);
  const check = graphs.batch(test, [...bTest!, ...carryBatched], [rowwise], size);
  const carries = inCarries!.map((x, i) => (carryBatched[i] && !bCarries![i] ? repeat(b, x, size) : x));
  const anyRow = (rows: Node): Node =>
    b.cast(b.reduceMax(b.cast(rows, { dtype: 'int32' }), { axes: [0] }), { dtype: 'bool' });
  const jointTest: Graph = rowwise
    ? graphs.trace([...inTest!, ...carries], parameters => [anyRow(graphs.inline(check.graph, parameters)[0]!)])
    : check.graph;
  const captures = rowwise ? [...inTest!, ...inBody!] : inBody!;
  const jointBody: Graph = rowwise
    ? graphs.trace([...captures, ...carries], parameters => {
        const [c0, c1, s] = cut(parameters, testCaptures, bodyCaptures);
        const goesOn = graphs.inline(check.graph, [...c0!, ...s!])[0]!;
        return graphs.inline(step.graph, [...c1!, ...s!]).map((next, i) => {
          const rows = b.reshape(goesOn, { shape: [size, ...new Array<number>(next.shape.length - 1).fill(1)] });
          return b.select(b.broadcast(rows, { shape: next.shape }), next, s![i]!);
        });
      })
    : step.graph;
  const node = b.while([...inTest!, ...captures, ...carries], {
    test: jointTest,
    body: jointBody,
    testCaptures,
    bodyCaptures: captures.length,
  });
  return { outputs: results(b, node), batched: carryBatched };
};

export const whileLoop: Structured<WhileParams> = {
  kind: 'structured',
  aval: whileAval,
  jvp: whileJvp,
  vjp: {
    none: 'the number of its steps is only known when it has run, so the way back has nowhere to keep them; use a fold of known length',
  },
  batch: whileBatch,
};
