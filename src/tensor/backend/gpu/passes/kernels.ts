/**
 * A fused kernel as passes. gpu.js has kernels of one result, whose threads share nothing: so every value that is stored and
 * every reduction is a pass of its own, and what is cheap is computed again where it is used.
 */
import { type Kernel, type KernelValue, type Level, lengthsOf, overAll } from '../../../compile/kernel.js';
import type { DType } from '../../../dtype.js';
import { sizeOf } from '../../../shape.js';
import { contiguous, type View } from '../../../view.js';
import type { Coordinate } from '../language/code.js';
import type { KernelCode } from '../language/kernel-code.js';
import {
  floatOfIndex,
  loadScalar,
  type Scalar,
  scalarOfIndex,
  scalarOfProgram,
  selectScalar,
  zeroScalar,
} from '../language/scalars.js';
import { floatsIn } from '../pass.js';
import { addressOf, exact } from './indices.js';
import { reduce } from './reductions.js';
import { type Sequence, type Value, writePass } from './sequence.js';
import type { Slots } from './slots.js';
import { coalesced } from './space.js';
import { writeValues } from './values.js';

/** A buffer that a pass reads. */
interface Read {
  readonly value: Value;
  readonly floats: number;
}

class KernelPasses {
  readonly #sequence: Sequence;
  readonly #kernel: Kernel;
  readonly #slots: Slots;
  /** Values that are in buffers of their own, by position: those of elements as elements, those of rows as rows. */
  readonly #held = new Map<number, Read>();

  constructor(sequence: Sequence, kernel: Kernel, slots: Slots) {
    this.#sequence = sequence;
    this.#kernel = kernel;
    this.#slots = slots;
  }

  /** The buffers of what is stored, by slot. */
  run(): ReadonlyMap<number, Value> {
    const { stores } = this.#kernel;
    const made = new Map<number, Value>();
    // What comes first may be of use to what follows.
    for (const { value, slot } of [...stores].sort((a, b) => a.value - b.value)) {
      if (!this.#held.has(value)) this.#make(value);
      made.set(slot, this.#held.get(value)!.value);
    }
    return made;
  }

  /** The positions that a pass for this value computes, those it finds made included; operands first. */
  #needed(wanted: number): readonly number[] {
    const needed = new Set<number>();
    const visit = (at: number): void => {
      if (needed.has(at)) return;
      needed.add(at);
      const value = this.#kernel.values[at]!;
      if (at !== wanted && this.#held.has(at)) return;
      if (value.kind === 'operation') value.operands.forEach(visit);
      else if (value.kind === 'reduce' && at === wanted) visit(value.operand);
    };
    visit(wanted);
    return [...needed].sort((a, b) => a - b);
  }

  /** The buffer that a pass for others reads in place of computing the value; null for what is no buffer. */
  #readOf(at: number): Read | null {
    const held = this.#held.get(at);
    if (held !== undefined) return held;
    const value = this.#kernel.values[at]!;
    if (value.kind !== 'load') return null;
    const buffer = this.#slots.valueOf(value.slot);
    return buffer === null ? null : { value: buffer, floats: this.#slots.floatsOf(value.slot) };
  }

  #readsOf(wanted: number): readonly Read[] {
    const reads = new Map<Value, Read>();
    for (const at of this.#needed(wanted)) {
      const read = at === wanted && this.#kernel.values[at]!.kind !== 'load' ? null : this.#readOf(at);
      if (read !== null) reads.set(read.value, read);
    }
    return [...reads.values()];
  }

  /** Makes a buffer of a value, and before that of all reductions it needs. */
  #make(wanted: number): void {
    const { values } = this.#kernel;
    for (let again = true; again; ) {
      again = false;
      for (const at of this.#needed(wanted)) {
        if (at === wanted || values[at]!.kind !== 'reduce' || this.#held.has(at)) continue;
        this.#make(at);
        again = true;
        break;
      }
    }
    this.#fit(wanted);
    this.#held.set(wanted, this.#write(wanted));
  }

  /** Makes buffers of what the value needs, until it reads no more of them than a pass can. */
  #fit(wanted: number): void {
    const { values } = this.#kernel;
    const most = this.#sequence.traits.reads;
    while (this.#readsOf(wanted).length > most) {
      const parts = this.#needed(wanted)
        .filter(at => at !== wanted && !this.#held.has(at) && values[at]!.kind === 'operation')
        .map(at => ({ at, reads: this.#readsOf(at).length }))
        .filter(({ reads }) => reads > 1 && reads <= most)
        .sort((a, b) => b.reads - a.reads);
      const [part] = parts;
      if (part === undefined) throw new Error('tenfold: a kernel reads too many buffers; please report this');
      this.#held.set(part.at, this.#write(part.at));
    }
  }

  #viewOf(at: number, level: Level): View {
    const { values, space } = this.#kernel;
    const value = values[at]!;
    const own = !this.#held.has(at) && (value.kind === 'load' || value.kind === 'index') ? value.view : null;
    const view = own ?? contiguous(lengthsOf(space, value.level));
    return level === 'element' && value.level === 'row' ? overAll(view, space) : view;
  }

  #write(wanted: number): Read {
    const { values, space } = this.#kernel;
    const value = values[wanted]!;
    const level: Level = value.kind === 'reduce' ? 'element' : value.level;
    const axes = level === 'element' ? space : space.filter(({ reduced }) => !reduced);
    const needed = this.#needed(wanted);
    const leaves = needed.filter(at => at !== wanted || values[at]!.kind === 'load' || values[at]!.kind === 'index');
    const found = leaves.filter(
      at => this.#held.has(at) || values[at]!.kind === 'load' || values[at]!.kind === 'index',
    );
    const plain = value.kind === 'reduce' ? axes : axes.map(({ length }) => ({ length, reduced: false }));
    const smaller = coalesced({ axes: plain, views: found.map(at => this.#viewOf(at, level)) });
    const reads = this.#readsOf(wanted);
    const positions = new Map(reads.map((read, i) => [read.value, i]));
    const element = (code: KernelCode, at: readonly Coordinate[], from: number): Scalar => {
      const read = (position: number): Scalar | null => {
        const leaf = found.indexOf(position);
        return leaf < 0 ? null : this.#load(code, position, smaller.views[leaf]!, at, positions);
      };
      return writeValues(code, this.#kernel, [from], read)[0]!;
    };
    const operations = needed.filter(at => values[at]!.kind === 'operation' && !found.includes(at));
    const name = this.#nameOf(wanted, operations);
    const aval = { shape: lengthsOf(space, value.level), dtype: value.dtype };
    const floats = Math.max(1, floatsIn(aval));
    if (value.kind === 'reduce') {
      const { op, operand, dtype } = value;
      const made = reduce(this.#sequence, {
        name,
        op,
        dtype,
        axes: smaller.axes,
        reads,
        element: (code, at) => element(code, at, operand),
        flops: operations.length,
      });
      return { value: made, floats };
    }
    const lengths = smaller.axes.map(({ length }) => length);
    const pass = writePass(
      this.#sequence.traits,
      {
        name,
        lengths,
        dtype: value.dtype,
        reads: reads.map(read => read.floats),
        flops: operations.length * sizeOf(lengths),
      },
      (code, at) => element(code, at, wanted),
    );
    const [made] = this.#sequence.launch(
      pass,
      reads.map(read => read.value),
    ) as [Value];
    return { value: made, floats };
  }

  /** A load, an index, or what a pass before has made, at a place. */
  #load(
    code: KernelCode,
    at: number,
    view: View,
    place: readonly Coordinate[],
    positions: ReadonlyMap<Value, number>,
  ): Scalar {
    const value = this.#kernel.values[at]!;
    const { dtype } = value;
    const { index, valid } = addressOf(code, view, place);
    const zeroed = (scalar: Scalar): Scalar =>
      valid === null ? scalar : selectScalar(code, valid, scalar, zeroScalar(code, dtype));
    const read = this.#readOf(at);
    if (read !== null) return zeroed(loadScalar(code, dtype, positions.get(read.value)!, index));
    if (value.kind === 'load') {
      const { index: number, dtype: own } = this.#slots.scalarOf(value.slot)!;
      return zeroed(scalarOfProgram(code, own, number));
    }
    if (value.kind !== 'index') throw new Error(`tenfold: a kernel's ${value.kind} is not there; please report this`);
    return zeroed(indexScalar(code, value, index, this.#sequence.traits.integers));
  }

  #nameOf(wanted: number, operations: readonly number[]): string {
    const { values } = this.#kernel;
    const named = [...operations, wanted].map(at => {
      const value: KernelValue = values[at]!;
      return value.kind === 'operation' || value.kind === 'reduce' ? value.op : 'copy';
    });
    return [...new Set(named)].join(' ');
  }
}

/** An index as a number of a dtype: exact below 2^31 where there are integers, else below 2^24. */
const indexScalar = (
  code: KernelCode,
  { dtype, view }: { dtype: DType; view: View },
  index: string,
  integers: boolean,
): Scalar => {
  const last = view.strides.reduce(
    (sum, stride, axis) => sum + Math.max(0, stride * (view.shape[axis]! - 1)),
    view.offset,
  );
  if (last >= exact && integers) {
    if (dtype === 'float32') return { kind: 'float', x: code.let(index) };
    if (dtype === 'int32' || dtype === 'uint32')
      return { kind: 'word', low: code.let(`((${index}) & 65535)`), high: code.let(`((${index}) >> 16)`) };
  }
  return scalarOfIndex(code, dtype, floatOfIndex(code, index, index));
};

/** The passes of a kernel, and the buffers of what it stores, by slot. */
export const kernelPasses = (sequence: Sequence, kernel: Kernel, slots: Slots): ReadonlyMap<number, Value> =>
  new KernelPasses(sequence, kernel, slots).run();
