/**
 * The way back through a fold: a fold in reverse over saved carries, each step of which recomputes its body. In segments,
 * only the carries at the start of each are saved; on the way back a segment is run once more, saving its own.
 */
import { isFloat } from '../dtype.js';
import type { Graph, Node } from '../graph.js';
import type { Aval } from '../shape.js';
import { full } from './full.js';
import type { GraphTransforms, StructuredVjp } from './kinds.js';
import { cut, keep, placed, present, results } from './results.js';
import type { Build, FoldParams } from './signatures.js';

type Nodes = readonly Node[];

const sliceAval = ({ shape, dtype }: Aval): Aval => ({ shape: shape.slice(1), dtype });
const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });
const zerosLike = (b: Build, aval: Aval): Node => full(b, aval, 0);

/** What all parts of a fold have in common. */
interface Walk {
  readonly b: Build;
  readonly graphs: GraphTransforms;
  /** (captures, carries, slices) to (carries, slices out). */
  readonly body: Graph;
  readonly carries: number;
  readonly reverse: boolean;
}

/** Some steps, and what they run on. */
interface Steps {
  readonly captures: Nodes;
  readonly carries: Nodes;
  readonly sequences: Nodes;
  readonly length: number;
}

/** Elements of sequences: some of them, in segments, and back. */
const taken = (b: Build, xs: Nodes, from: number, to: number): Nodes =>
  xs.map(x => {
    const whole = from === 0 && to === x.shape[0];
    const start = x.shape.map((_, i) => (i === 0 ? from : 0));
    const stop = x.shape.map((n, i) => (i === 0 ? to : n));
    return whole ? x : b.slice(x, { start, stop, step: x.shape.map(() => 1) });
  });
const grouped = (b: Build, xs: Nodes, size: number): Nodes =>
  xs.map(x => b.reshape(x, { shape: [x.shape[0]! / size, size, ...x.shape.slice(1)] }));
const ungrouped = (b: Build, xs: Nodes): Nodes =>
  xs.map(x => b.reshape(x, { shape: [x.shape[0]! * x.shape[1]!, ...x.shape.slice(2)] }));

/** Segments of one size, and steps that are left over and come last. */
interface Cut {
  readonly count: number;
  readonly size: number;
  readonly rest: number;
}

const cutSteps = (length: number, segments: number): Cut => {
  const size = Math.ceil(length / segments);
  const count = Math.floor(length / size);
  return { count, size, rest: length - count * size };
};

/** Sequences in two: the elements of the segments, and those of the steps left over. */
const halves = (
  { b, reverse }: Walk,
  xs: Nodes,
  { count, size, rest }: Cut,
): readonly [segments: Nodes, rest: Nodes] => {
  const middle = reverse ? rest : count * size;
  const [low, high] = [taken(b, xs, 0, middle), taken(b, xs, middle, count * size + rest)];
  return reverse ? [high, low] : [low, high];
};
const joined = ({ b, reverse }: Walk, segments: Nodes, rest: Nodes): Nodes =>
  segments.map((x, i) => b.concat(reverse ? [rest[i]!, x] : [x, rest[i]!], { axis: 0 }));

/** What is kept for the way back: the carries that every step, or that every segment started from. */
type Kept =
  | { readonly kind: 'steps'; readonly steps: Steps; readonly saved: Nodes }
  | {
      readonly kind: 'segments';
      readonly steps: Steps;
      readonly saved: Nodes;
      readonly cut: Cut;
      /** How a segment is cut again. */
      readonly inner: readonly number[];
      readonly rest: Kept | null;
    };

interface There {
  readonly carries: Nodes;
  readonly stacked: Nodes;
  readonly kept: Kept;
}

/** The body without what is stacked, which on the way back nobody wants. */
const withoutStacked = ({ graphs, body, carries }: Walk): Graph =>
  graphs.trace(body.parameters.map(avalOf), parameters => graphs.inline(body, parameters).slice(0, carries));

/** Runs steps, keeping what the way back needs. */
const there = (walk: Walk, steps: Steps, segments: readonly number[]): There => {
  const { b, graphs, body, reverse } = walk;
  const { captures, carries, sequences, length } = steps;
  const [count = length, ...inner] = segments;
  const own = length === 0 ? null : cutSteps(length, count);
  const common = { captures: captures.length, carries: carries.length, reverse };
  if (own === null || own.size === 1) {
    const saving = graphs.trace(body.parameters.map(avalOf), parameters => [
      ...graphs.inline(body, parameters),
      ...parameters.slice(captures.length, captures.length + carries.length),
    ]);
    const node = b.fold([...captures, ...carries, ...sequences], { body: saving, length, ...common });
    const [last, stacked, saved] = cut(results(b, node), carries.length, body.outputs.length - carries.length);
    return { carries: last, stacked, kept: { kind: 'steps', steps, saved } };
  }
  const [main, left] = halves(walk, sequences, own);
  const groups = grouped(b, main, own.size);
  const segment = graphs.trace([...captures, ...carries, ...groups.map(sliceAval)], parameters => [
    ...results(b, b.fold(parameters, { body, length: own.size, ...common })),
    ...parameters.slice(captures.length, captures.length + carries.length),
  ]);
  const node = b.fold([...captures, ...carries, ...groups], { body: segment, length: own.count, ...common });
  const [last, stacks, saved] = cut(results(b, node), carries.length, body.outputs.length - carries.length);
  const stacked = ungrouped(b, stacks);
  const kept = { kind: 'segments', steps: { ...steps, sequences: groups }, saved, cut: own, inner } as const;
  if (own.rest === 0) return { carries: last, stacked, kept: { ...kept, rest: null } };
  const rest = there(walk, { captures, carries: last, sequences: left, length: own.rest }, inner);
  return {
    carries: rest.carries,
    stacked: joined(walk, stacked, rest.stacked),
    kept: { ...kept, rest: rest.kept },
  };
};

/** Cotangents on their way: of the carries, and the sums so far of those of the captures. */
interface Cotangents {
  readonly carries: Nodes;
  readonly captures: Nodes;
}

interface Back extends Cotangents {
  readonly sequences: Nodes;
}

/**
 * The way back over steps.
 *
 * @param pull (captures, carries, slices, cotangents of carries and of slices out) to cotangents of what is wanted of
 *   captures, carries, slices
 * @param stacked cotangents of what the steps stack
 */
const backward = (walk: Walk, pull: Graph, kept: Kept, cts: Cotangents, stacked: Nodes): Back => {
  const { b, graphs, reverse } = walk;
  const { steps, saved } = kept;
  if (kept.kind === 'segments' && kept.rest !== null) {
    const [main, left] = halves(walk, stacked, kept.cut);
    const rest = backward(walk, pull, kept.rest, cts, left);
    const before = backward(walk, pull, { ...kept, rest: null }, rest, main);
    return { ...before, sequences: joined(walk, before.sequences, rest.sequences) };
  }
  const perStep = kept.kind === 'segments' ? grouped(b, stacked, kept.cut.size) : stacked;
  const still = [...steps.captures, ...cts.carries, ...cts.captures];
  const along = [...saved, ...steps.sequences, ...perStep];
  const step = graphs.trace([...still.map(avalOf), ...along.map(sliceAval)], parameters => {
    const [captures, ctCarries, sums, carries, sequences, ctStacked] = cut(
      parameters,
      steps.captures.length,
      cts.carries.length,
      cts.captures.length,
      saved.length,
      steps.sequences.length,
    );
    if (kept.kind === 'segments') {
      const again = { ...walk, body: withoutStacked(walk) };
      const steps = { captures, carries, sequences, length: kept.cut.size };
      const own = there(again, steps, kept.inner).kept;
      const back = backward(walk, pull, own, { carries: ctCarries, captures: sums }, ctStacked);
      return [...back.carries, ...back.captures, ...back.sequences];
    }
    const [dCaptures, dCarries, dSequences] = cut(
      graphs.inline(pull, [...captures, ...carries, ...sequences, ...ctCarries, ...ctStacked]),
      sums.length,
      ctCarries.length,
    );
    return [...dCarries, ...sums.map((sum, i) => b.add(sum, dCaptures![i]!)), ...dSequences];
  });
  const node = b.fold([...still, ...along], {
    body: step,
    length: kept.kind === 'segments' ? kept.cut.count : steps.length,
    captures: steps.captures.length,
    carries: cts.carries.length + cts.captures.length,
    reverse: !reverse,
  });
  const [carries, captures, sequences] = cut(results(b, node), cts.carries.length, cts.captures.length);
  const whole = kept.kind === 'segments' ? ungrouped(b, sequences) : sequences;
  return { carries, captures, sequences: whole };
};

export const foldVjp: StructuredVjp<FoldParams> = (b, graphs, inputs, wanted, params) => {
  const { body, length, reverse, segments = [] } = params;
  const [captures, carries, sequences] = cut(inputs, params.captures, params.carries);
  const walk = { b, graphs, body, carries: carries.length, reverse };
  const forward = there(walk, { captures, carries, sequences, length }, segments);
  const outputs = [...forward.carries, ...forward.stacked];

  const pullback = (cotangents: readonly (Node | null)[]): readonly (Node | null)[] => {
    const [wantCaptures, , wantSequences] = cut(wanted, captures.length, carries.length);
    const floatCarries = carries.map(node => isFloat(node.dtype));
    const pull = graphs.vjp(body, [...wantCaptures, ...floatCarries, ...wantSequences]);
    const filled = cotangents.map((ct, i) => (isFloat(outputs[i]!.dtype) ? (ct ?? zerosLike(b, outputs[i]!)) : null));
    const [ctCarries, ctStacked] = cut(filled, carries.length);
    const sums = keep(captures, wantCaptures).map(node => zerosLike(b, node));
    const cts = { carries: present(ctCarries), captures: sums };
    const back = backward(walk, pull, forward.kept, cts, present(ctStacked));
    return [
      ...placed(back.captures, wantCaptures),
      ...placed(back.carries, floatCarries),
      ...placed(back.sequences, wantSequences),
    ];
  };
  return { outputs, pullback };
};
