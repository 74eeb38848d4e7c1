/** From a program to steps: launches on the device, parts for the CPU, loops and branches over plans of their bodies. */
import { chain } from '../../compile/chain.js';
import type { Source } from '../../compile/cluster.js';
import { fuse, type Single } from '../../compile/fuse.js';
import type { Instruction, Program } from '../../compile/program.js';
import { simplify } from '../../compile/simplify.js';
import { type Aval, sizeOf } from '../../shape.js';
import { isContiguous } from '../../view.js';
import type { Executable } from '../backend.js';
import { wasmBackend } from '../wasm/wasm.js';
import { contract, readsView, takesEpilogue } from './contraction/index.js';
import { loadScalar, scalarOfProgram, selectScalar, zeroScalar } from './language/scalars.js';
import { writeLoops } from './loops/index.js';
import { bodyScalarsOf, partition, type Segment } from './partition.js';
import { floatsIn, floatsOf, madeBy, type Traits } from './pass.js';
import { addressOf } from './passes/indices.js';
import { kernelPasses } from './passes/kernels.js';
import { type Launch, Sequence, type Value, writePass } from './passes/sequence.js';
import type { Slots } from './passes/slots.js';

/** A part of the program that the CPU backend runs, its inputs read back and its results uploaded when they are used. */
export interface CpuStep {
  readonly kind: 'cpu';
  readonly program: Program;
  readonly executable: Executable;
  readonly reads: readonly Value[];
  readonly makes: readonly Made[];
  /** Where its scalars are among those of a run. */
  readonly scalars: readonly number[];
}

/** A primitive with bodies. */
export interface RegionStep {
  readonly kind: 'region';
  readonly instruction: Instruction;
  readonly bodies: readonly Plan[];
  readonly reads: readonly Value[];
  readonly makes: readonly Value[];
}

/** Values of no elements. */
interface EmptyStep {
  readonly kind: 'empty';
  readonly reads: readonly Value[];
  readonly makes: readonly Value[];
}

export type Step = Launch | CpuStep | RegionStep | EmptyStep;

/** A value, or the results of a primitive that has several. */
export type Made = Value | readonly Value[];

export interface Plan {
  /** Values 0, 1, … are given. */
  readonly inputs: readonly Aval[];
  readonly steps: readonly Step[];
  readonly outputs: readonly Made[];
  /** The values that nobody needs after each step. */
  readonly dying: readonly (readonly Value[])[];
  readonly avals: ReadonlyMap<Value, Aval>;
  /** The inputs that must be on the device. */
  readonly uploads: readonly Value[];
  /** Launches, those of bodies counted once. */
  readonly launches: number;
  /** Bytes of all that is there at the same time at most, inputs not counted. */
  readonly peak: number;
}

/** Plans a program, `scalars` being where its own scalars and those of its bodies are among those of a run. */
export const planOf = (
  program: Program,
  traits: Traits,
  scalars: readonly number[] = Array.from({ length: program.scalarCount }, (_, i) => i),
): Plan => new Planner(program, traits).plan(scalars);

export const isList = (made: Made): made is readonly Value[] => typeof made !== 'number';

/** Floats of a value's buffer: what is empty has one of one float. */
export const bufferFloats = (aval: Aval): number => Math.max(1, floatsIn(aval));

class Planner {
  readonly #program: Program;
  readonly #traits: Traits;
  readonly #steps: Step[] = [];
  readonly #avals = new Map<Value, Aval>();
  /** What a pass makes beyond the values of the program, in floats. */
  readonly #floats = new Map<Value, number>();
  #values = 0;

  constructor(program: Program, traits: Traits) {
    this.#program = program;
    this.#traits = traits;
  }

  plan(scalars: readonly number[]): Plan {
    const { inputs, outputs, instructions } = this.#program;
    const avals = new Map(instructions.map(({ result, aval, outputs: several }) => [result, several ?? aval] as const));
    const made = new Map<number, Made>(inputs.map((aval, slot) => [slot, this.#fresh(aval)] as const));
    for (const segment of partition(this.#program)) {
      const reads = segment.reads.map(slot => made.get(slot) as Value);
      const indices = segment.scalars.map(index => scalars[index]!);
      const results =
        segment.where === 'device'
          ? this.#onDevice(segment.program, reads, indices)
          : this.#onCpu(segment, reads, indices, avals);
      segment.makes.forEach((slot, i) => {
        made.set(slot, results[i]!);
      });
    }
    const scalarOf = new Map(this.#program.scalars.map(({ slot, dtype }, i) => [slot, { dtype, index: scalars[i]! }]));
    const results = outputs.map(slot => {
      const known = made.get(slot);
      if (known !== undefined) return known;
      const { dtype, index } = scalarOf.get(slot)!;
      return this.#scalar({ shape: [], dtype }, index);
    });
    return this.#finish(results);
  }

  #fresh(aval: Aval): Value {
    this.#avals.set(this.#values, aval);
    return this.#values++;
  }

  #empty(aval: Aval): Value {
    const value = this.#fresh(aval);
    this.#steps.push({ kind: 'empty', reads: [], makes: [value] });
    return value;
  }

  /** A scalar of the program as a value. */
  #scalar(aval: Aval, index: number): Value {
    if (aval.dtype === 'float64') return this.#wideScalar(aval, index);
    const sequence = this.#sequence();
    const pass = writePass(this.#traits, { name: 'constant', lengths: [], dtype: aval.dtype, reads: [] }, code =>
      scalarOfProgram(code, aval.dtype, index),
    );
    const [value] = sequence.launch(pass, []) as [Value];
    this.#take(sequence, [[value, aval]]);
    return value;
  }

  /** A scalar that no device has: a program for the CPU that hands it out. */
  #wideScalar(aval: Aval, index: number): Value {
    const program: Program = {
      inputs: [],
      scalars: [{ slot: 0, dtype: aval.dtype, class: 2 }],
      scalarCount: 1,
      instructions: [],
      outputs: [0],
      slots: 1,
      hash: 0,
    };
    const value = this.#fresh(aval);
    const executable = wasmBackend.compile(program);
    this.#steps.push({ kind: 'cpu', program, executable, reads: [], makes: [value], scalars: [index] });
    return value;
  }

  #sequence(): Sequence {
    return new Sequence(this.#traits, () => this.#values++);
  }

  /** Takes over what was written, and whose values the results are. */
  #take(sequence: Sequence, results: Iterable<readonly [Value, Aval]>): void {
    for (const launch of sequence.launches) {
      this.#steps.push(launch);
      const floats = madeBy(launch.pass);
      launch.makes.forEach((value, i) => {
        this.#floats.set(value, floats[i]!);
      });
    }
    for (const [value, aval] of results) this.#avals.set(value, aval);
  }

  #onCpu(
    { program, makes }: Segment,
    reads: readonly Value[],
    scalars: readonly number[],
    avals: ReadonlyMap<number, Aval | readonly Aval[]>,
  ): readonly Made[] {
    const made = makes.map((slot): Made => {
      const aval = avals.get(slot) ?? this.#program.inputs[slot];
      if (aval === undefined) return this.#fresh({ shape: [], dtype: this.#scalarType(slot) });
      return 'shape' in aval ? this.#fresh(aval) : aval.map(each => this.#fresh(each));
    });
    this.#steps.push({ kind: 'cpu', program, executable: wasmBackend.compile(program), reads, makes: made, scalars });
    return made;
  }

  #scalarType(slot: number): Aval['dtype'] {
    return this.#program.scalars.find(each => each.slot === slot)!.dtype;
  }

  #onDevice(program: Program, given: readonly Value[], scalars: readonly number[]): readonly Made[] {
    const fused = fuse(simplify(program), {
      readsView: (instruction, _, view) => readsView(instruction, view),
    });
    const bodyScalars = bodyScalarsOf(program);
    const values = new Map<string, Value>(given.map((value, slot) => [`${slot}`, value] as const));
    const scalarAt = new Map(
      program.scalars.map(({ slot, dtype }, i) => [slot, { index: scalars[i]!, dtype }] as const),
    );
    const keyOf = (slot: number): string => {
      const part = fused.parts.get(slot);
      return part === undefined ? `${slot}` : `${part.tuple}.${part.index}`;
    };
    const slots: Slots = {
      valueOf: slot => values.get(keyOf(slot)) ?? null,
      floatsOf: slot => bufferFloats(fused.avals.get(slot)!),
      scalarOf: slot => scalarAt.get(slot) ?? null,
    };
    const store = (sequence: Sequence, made: ReadonlyMap<number, Value>): void => {
      this.#take(
        sequence,
        [...made].map(([slot, value]) => [value, fused.avals.get(slot)!] as const),
      );
      for (const [slot, value] of made) values.set(keyOf(slot), value);
    };
    /** All elements of a source in a buffer of their own, or somewhere in one. */
    const stored = (source: Source, whole: boolean): { readonly value: Value; readonly offset: number } => {
      const { view, dtype } = source;
      const aval = { shape: view.shape, dtype };
      const base = source.base!;
      const scalar = slots.scalarOf(base);
      const value = slots.valueOf(base);
      const lies = isContiguous({ ...view, offset: 0 });
      if (value !== null && lies && !whole) return { value, offset: view.offset };
      if (value !== null && isContiguous(view) && bufferFloats(aval) === slots.floatsOf(base))
        return { value, offset: 0 };
      if (sizeOf(view.shape) === 0) return { value: this.#empty(aval), offset: 0 };
      const sequence = this.#sequence();
      const reads = value === null ? [] : [slots.floatsOf(base)];
      const pass = writePass(this.#traits, { name: 'copy', lengths: view.shape, dtype, reads }, (code, at) => {
        const { index, valid } = addressOf(code, view, at);
        const element =
          value === null ? scalarOfProgram(code, scalar!.dtype, scalar!.index) : loadScalar(code, dtype, 0, index);
        return valid === null ? element : selectScalar(code, valid, element, zeroScalar(code, dtype));
      });
      const [made] = sequence.launch(pass, value === null ? [] : [value]) as [Value];
      this.#take(sequence, [[made, aval]]);
      return { value: made, offset: 0 };
    };
    const single = (unit: Single): void => {
      const { instruction, operands, epilogue } = unit;
      const { op, result, aval, outputs } = instruction;
      if (instruction.bodies.length > 0) {
        const reads = operands.map(source => stored(source, true).value);
        let from = bodyScalars.get(result)!;
        const bodies = instruction.bodies.map(body => {
          const own = scalars.slice(from, from + body.scalarCount);
          from += body.scalarCount;
          return planOf(body, this.#traits, own);
        });
        const makes = outputs!.map(each => this.#fresh(each));
        this.#steps.push({ kind: 'region', instruction, bodies, reads, makes });
        makes.forEach((value, index) => {
          values.set(`${result}.${index}`, value);
        });
        return;
      }
      if (sizeOf(aval.shape) === 0) {
        values.set(`${result}`, this.#empty(aval));
        for (const { slot } of epilogue?.kernel.stores ?? [])
          values.set(keyOf(slot), this.#empty(fused.avals.get(slot)!));
        return;
      }
      const sequence = this.#sequence();
      if (op === 'dotGeneral' || op === 'conv') {
        store(sequence, contract(sequence, unit, epilogue === undefined || !epilogue.alone, slots));
        return;
      }
      // What is empty adds nothing to what is put together.
      const long = op === 'concat' ? operands.filter(({ view }) => sizeOf(view.shape) > 0) : operands;
      const { inputAvals } = instruction;
      const kept =
        long.length === operands.length
          ? instruction
          : { ...instruction, inputAvals: inputAvals.filter(({ shape }) => sizeOf(shape) > 0) };
      const given = long.map(source => {
        const { value, offset } = stored(source, false);
        const own = slots.valueOf(source.base!) === value ? slots.floatsOf(source.base!) : null;
        return { value, offset, floats: own ?? bufferFloats({ shape: source.view.shape, dtype: source.dtype }) };
      });
      store(sequence, new Map([[result, writeLoops(sequence, kept, given)]]));
    };

    const units = chain(fused, {
      behind: (contraction, kernel) => takesEpilogue(this.#traits, contraction, kernel),
      before: () => false,
    });
    for (const unit of units) {
      if (unit.kind === 'single') {
        single(unit);
        continue;
      }
      const { kernel } = unit;
      if (kernel.space.some(({ length }) => length === 0)) {
        for (const { slot } of kernel.stores) values.set(keyOf(slot), this.#emptied(fused.avals.get(slot)!));
        continue;
      }
      const sequence = this.#sequence();
      store(sequence, kernelPasses(sequence, kernel, slots));
    }
    const tuples = new Map(
      program.instructions.flatMap(({ result, outputs }) => (outputs === null ? [] : [[result, outputs] as const])),
    );
    return fused.outputs.map(source => {
      const base = source.base!;
      const tuple = tuples.get(base);
      return tuple === undefined
        ? stored(source, true).value
        : tuple.map((_, index) => values.get(`${base}.${index}`)!);
    });
  }

  /** What a kernel over nothing stores: nothing, or what reductions of nothing are, which simplifying leaves to no kernel. */
  #emptied(aval: Aval): Value {
    if (sizeOf(aval.shape) > 0) throw new Error('tenfold: a reduction over nothing; please report this');
    return this.#empty(aval);
  }

  #finish(outputs: readonly Made[]): Plan {
    const { inputs } = this.#program;
    const kept = new Set(outputs.flatMap(made => (isList(made) ? [...made] : [made])));
    const last = new Map<Value, number>();
    this.#steps.forEach((step, at) => {
      for (const value of valuesMade(step)) last.set(value, at);
      for (const value of step.reads) if (value >= inputs.length) last.set(value, at);
    });
    const dying = this.#steps.map((): Value[] => []);
    for (const [value, at] of last) if (!kept.has(value)) dying[at]!.push(value);
    const bytesOf = (value: Value): number => {
      const aval = this.#avals.get(value);
      const floats =
        this.#floats.get(value) ?? (aval === undefined || floatsOf[aval.dtype] === 0 ? 0 : bufferFloats(aval));
      return 4 * floats;
    };
    let [now, peak] = [0, 0];
    this.#steps.forEach((step, at) => {
      const made = valuesMade(step).reduce((sum, value) => sum + bytesOf(value), 0);
      // What a loop stacks is there in parts, and then as a whole.
      const inside = step.kind === 'region' ? made + Math.max(0, ...step.bodies.map(body => 2 * body.peak)) : 0;
      for (const value of valuesMade(step)) now += bytesOf(value);
      peak = Math.max(peak, now + inside);
      for (const value of dying[at]!) now -= bytesOf(value);
    });
    const uploads = new Set<Value>();
    for (const step of this.#steps)
      if (step.kind !== 'cpu') for (const value of step.reads) if (value < inputs.length) uploads.add(value);
    const launches = this.#steps.reduce((sum, step) => {
      if (step.kind === 'launch') return sum + 1;
      return step.kind === 'region' ? sum + step.bodies.reduce((all, body) => all + body.launches, 0) : sum;
    }, 0);
    return { inputs, launches, steps: this.#steps, outputs, dying, avals: this.#avals, uploads: [...uploads], peak };
  }
}

const valuesMade = ({ makes }: Step): readonly Value[] => makes.flatMap(made => (isList(made) ? [...made] : [made]));
