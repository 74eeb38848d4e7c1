/**
 * From a program to units of work: which instructions share a kernel.
 *
 * First, movement disappears: every value is a view of something stored, and what no view can say is copied. Then the
 * instructions are walked from the last to the first, each joining the kernel of its consumers where it can: so a value is
 * made where it is used, random bits in the kernel that compares them, a bias where it is added.
 *
 * Nothing of one height depends on anything else of that height: heights count units from the end, and an instruction
 * joins a kernel only if all its other consumers are lower.
 */
import { entryOf } from '../primitives/table.js';
import { type Aval, sizeOf } from '../shape.js';
import { contiguous, isContiguous, reshaped, type View } from '../view.js';
import { Cluster, type Effect, type Source } from './cluster.js';
import type { Kernel, Reducer } from './kernel.js';
import type { Instruction, Program } from './program.js';

/** An instruction that runs by itself, and where its operands are. */
export interface Single {
  readonly kind: 'single';
  readonly instruction: Instruction;
  readonly operands: readonly Source[];
  /** A kernel that is done for each piece of the result, and whether nobody else reads the result. */
  readonly epilogue?: { readonly kernel: Kernel; readonly alone: boolean };
  /** A kernel that makes one of the operands, a piece when it is needed. */
  readonly prologue?: { readonly kernel: Kernel; readonly operand: number };
}

export type Unit = Single | { readonly kind: 'kernel'; readonly kernel: Kernel };

export interface Fused {
  readonly units: readonly Unit[];
  /** Where each output of the program is: stored in row-major order, but not necessarily by this program. */
  readonly outputs: readonly Source[];
  /** Results of primitives that have several: the slot, that of the tuple, and which. */
  readonly parts: ReadonlyMap<number, { readonly tuple: number; readonly index: number }>;
  readonly avals: ReadonlyMap<number, Aval>;
}

/** What a backend can do that fusing has to know. */
export interface Target {
  /** Whether an instruction that runs by itself reads this operand through this view. */
  readsView(instruction: Instruction, operand: number, view: View): boolean;
}

/** A unit coming about. */
interface Work {
  /** Units that follow on it, at most: those it feeds are lower. */
  readonly height: number;
  readonly made: Cluster | Single;
}

/** Fuses a simplified program. */
export const fuse = (program: Program, target: Target): Fused => {
  const { effects, sources, parts, avals } = effectsOf(program, target);
  const wanted = new Set<number>(sources.map(({ base }) => parts.get(base!)?.tuple ?? base!));
  const works: Work[] = [];
  /** By slot; parts of a tuple count as the tuple. */
  const readers = new Map<number, Set<Work>>();
  const read = (slot: number | null, work: Work): void => {
    if (slot === null) return;
    const base = parts.get(slot)?.tuple ?? slot;
    const set = readers.get(base);
    if (set === undefined) readers.set(base, new Set([work]));
    else set.add(work);
  };
  /** A kernel that takes the effect in: that of its consumers; where none of them is one, a kernel that reads the same. */
  const joinable = (effect: Effect, consumers: readonly Work[], top: number): Work | undefined => {
    const highest = consumers.filter(({ height }) => height === top);
    const feeds = consumers.some(({ made }) => made instanceof Cluster);
    const candidates = highest.length > 1 ? [] : feeds ? highest : siblings(effect, readers);
    return candidates.find(
      work =>
        work.made instanceof Cluster &&
        consumers.every(each => each === work || each.height < work.height) &&
        work.made.join(effect),
    );
  };

  for (let i = effects.length - 1; i >= 0; i--) {
    const effect = effects[i]!;
    const { result } = effect.instruction;
    const consumers = [...(readers.get(result) ?? [])];
    // What sums of nothing would have read.
    if (consumers.length === 0 && !wanted.has(result)) continue;
    const top = consumers.reduce((height, unit) => Math.max(height, unit.height), -1);
    const single = effect.kind === 'single';
    const joined = single ? undefined : joinable(effect, consumers, top);
    const work: Work = joined ?? {
      height: top + 1,
      made: single
        ? { kind: 'single', instruction: effect.instruction, operands: effect.operands }
        : new Cluster(effect),
    };
    if (joined === undefined) works.push(work);
    const leaves = consumers.some(unit => unit !== work);
    if (work.made instanceof Cluster && (leaves || wanted.has(result))) work.made.store(result);
    for (const { base } of effect.operands) read(base, work);
  }
  return {
    units: works
      .sort((a, b) => b.height - a.height)
      .map(({ made }) => (made instanceof Cluster ? { kind: 'kernel', kernel: made.kernel() } : made)),
    outputs: sources,
    parts,
    avals,
  };
};

/** Kernels that read something the effect reads too. */
const siblings = (effect: Effect, readers: ReadonlyMap<number, ReadonlySet<Work>>): Work[] => {
  const found = new Set<Work>();
  for (const { base, view } of effect.operands) {
    if (base === null || sizeOf(view.shape) === 1 || view.strides.every(stride => stride === 0)) continue;
    for (const unit of readers.get(base) ?? []) found.add(unit);
  }
  return [...found];
};

interface Effects {
  readonly effects: readonly Effect[];
  readonly sources: readonly Source[];
  readonly parts: ReadonlyMap<number, { readonly tuple: number; readonly index: number }>;
  readonly avals: ReadonlyMap<number, Aval>;
}

/** The instructions that do something, with their operands as views; copies are put in where no view will do. */
const effectsOf = (program: Program, target: Target): Effects => {
  let { slots } = program;
  const effects: Effect[] = [];
  const sources = new Map<number, Source>();
  const avals = new Map<number, Aval>();
  const parts = new Map<number, { tuple: number; index: number }>();
  const stored = (slot: number, { shape, dtype }: Aval): void => {
    avals.set(slot, { shape, dtype });
    sources.set(slot, { base: slot, view: contiguous(shape), dtype });
  };
  for (const [slot, aval] of program.inputs.entries()) stored(slot, aval);
  for (const { slot, dtype } of program.scalars) stored(slot, { shape: [], dtype });

  const copied = (source: Source): Source => {
    const { dtype, view } = source;
    const aval = { shape: view.shape, dtype };
    const result = slots++;
    const instruction: Instruction = {
      op: 'copy',
      params: {},
      bodies: [],
      inputs: [],
      inputAvals: [aval],
      aval,
      outputs: null,
      result,
      kindHash: 0,
    };
    effects.push({ kind: 'elementwise', instruction, operands: [source] });
    stored(result, aval);
    return sources.get(result)!;
  };
  /** Copies by slot, so that what is copied for one is there for the next. */
  const copies = new Map<number, Source>();
  const copyOf = (slot: number): Source => {
    const known = copies.get(slot) ?? copied(sources.get(slot)!);
    copies.set(slot, known);
    return known;
  };
  /** All of a stored buffer, for outputs. */
  const whole = (slot: number): Source => {
    const source = sources.get(slot)!;
    const { base, view } = source;
    const is =
      base !== null &&
      !program.scalars.some(({ slot: scalar }) => scalar === base) &&
      isContiguous(view) &&
      sizeOf(view.shape) === sizeOf(avals.get(base)!.shape);
    return is ? source : copyOf(slot);
  };
  /** Neighbouring elements of a stored buffer, for what reads nothing else. */
  const run = (slot: number): Source => {
    const source = sources.get(slot)!;
    return source.base !== null && isContiguous({ ...source.view, offset: 0 }) ? source : copyOf(slot);
  };

  for (const instruction of program.instructions) {
    const { op, params, inputs, inputAvals, aval, outputs, result } = instruction;
    const entry = entryOf(op);
    if (op === 'iota') {
      const { axis } = params as { axis: number };
      const view = contiguous(aval.shape);
      sources.set(result, {
        base: null,
        view: { ...view, strides: aval.shape.map((_, i) => (i === axis ? 1 : 0)) },
        dtype: aval.dtype,
      });
      continue;
    }
    if ((op === 'sum' || entry.kind === 'contraction') && inputAvals.some(({ shape }) => sizeOf(shape) === 0)) {
      // Sums of nothing: the index of a view that stands still at 0.
      const view = { ...contiguous(aval.shape), strides: aval.shape.map(() => 0) };
      sources.set(result, { base: null, view, dtype: aval.dtype });
      continue;
    }
    if (op === 'output') {
      parts.set(result, { tuple: inputs[0]!, index: params.index as number });
      stored(result, aval);
      continue;
    }
    if (entry.kind === 'movement' && entry.view !== null) {
      const from = sources.get(inputs[0]!)!;
      const { base, dtype, view } =
        entry.view(from.view, params, aval.shape) === null &&
        entry.view(contiguous(inputAvals[0]!.shape), params, aval.shape) !== null
          ? copyOf(inputs[0]!)
          : from;
      const moved = entry.view(view, params, aval.shape);
      if (moved !== null) {
        sources.set(result, { base, view: moved, dtype });
        continue;
      }
    }
    if (outputs === null) stored(result, aval);
    const add = (kind: Effect['kind'], operands: readonly Source[]): void => {
      effects.push({ kind, instruction, operands });
    };
    if (entry.kind === 'elementwise') {
      add(
        'elementwise',
        inputs.map((slot): Source => sources.get(slot)!),
      );
    } else if (isReduction(instruction)) {
      const source = sources.get(inputs[0]!)!;
      add('reduce', [joins(source.view, params.axes as readonly number[]) ? source : copyOf(inputs[0]!)]);
    } else {
      add(
        'single',
        inputs.map((slot, i) => {
          const source = sources.get(slot);
          // A tuple is never an operand of anything but `output`.
          if (source === undefined) throw new Error(`tenfold: ${op} reads a tuple; please report this`);
          return source.base !== null && target.readsView(instruction, i, source.view) ? source : run(slot);
        }),
      );
    }
  }
  return {
    effects,
    sources: program.outputs.map(slot => (avals.has(slot) || sources.has(slot) ? whole(slot) : tupleSource(slot))),
    parts,
    avals,
  };
};

/** An output that is a tuple. */
const tupleSource = (slot: number): Source => ({ base: slot, view: contiguous([]), dtype: 'float32' });

const reducers: readonly Reducer[] = ['sum', 'prod', 'reduceMax', 'reduceMin'];

/** Reductions that kernels do: over neighbouring axes, as simplifying leaves them. */
export const isReduction = ({ op }: Instruction): boolean => reducers.some(reducer => reducer === op);

/** Whether the view steps through these neighbouring axes as if they were one. */
const joins = (view: View, axes: readonly number[]): boolean => {
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  const { shape } = view;
  const merged = shape.slice(first, last + 1).reduce((p, n) => p * n, 1);
  return reshaped(view, [...shape.slice(0, first), merged, ...shape.slice(last + 1)]) !== null;
};
