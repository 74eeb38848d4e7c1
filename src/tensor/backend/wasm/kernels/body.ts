/** The values of a kernel at one place, as instructions. */

import type { Kernel, KernelValue } from '../../../compile/kernel.js';
import type { DType } from '../../../dtype.js';
import { isFloat } from '../../../dtype.js';
import type { Params } from '../../../graph.js';
import type { Elementwise } from '../../../primitives/kinds.js';
import { entryOf } from '../../../primitives/table.js';
import { FunctionWriter, type Import, type Local } from '../assembler.js';
import type { Emitter, Value } from '../emitter.js';
import { emitElementwise } from '../scalar-code.js';

/** A kernel as a function: (addresses of reads, of stores, scratch, from, to), to be called for units from ≤ u < to. */
export interface KernelCode {
  readonly writer: FunctionWriter;
  /** Slots read and written, in the order of their addresses. */
  readonly slots: readonly number[];
  readonly scratch: number;
  /** How many units there are, and how many to ask for at once. */
  readonly units: number;
  readonly tile: number;
  /** Tiles have a multiple of so many units. */
  readonly grain: number;
}

/** A JavaScript function that kernels call lane by lane. */
export interface LaneImport extends Import {
  readonly call: (...xs: number[]) => number;
}

/** Names of the functions that threads have too, without this library: those of `Math`, behind the prefix. */
const mathPrefix = 'Math.';
const inMath: readonly string[] = ['sin', 'cos', 'tan'];

/** Whether a kernel calls functions that only the main thread has. */
export const callsMain = (writer: FunctionWriter): boolean =>
  writer.callees.some(callee =>
    callee instanceof FunctionWriter
      ? callsMain(callee)
      : 'call' in callee && !(callee as LaneImport).name.startsWith(mathPrefix),
  );

const laneImports = new Map<string, LaneImport>();

/** The scalar meaning of a primitive as a function to be imported; one object for equal ones. */
const laneImport = (op: string, params: Params, dtype: DType, operands: number): LaneImport => {
  const name = `${op}:${dtype}:${JSON.stringify(params)}`;
  const known = laneImports.get(name);
  if (known !== undefined) return known;
  const meaning = (entryOf(op) as Elementwise<Params>).scalar(params, dtype);
  const type = isFloat(dtype) ? ('f64' as const) : ('i32' as const);
  const made: LaneImport = {
    name: isFloat(dtype) && inMath.includes(op) ? `${mathPrefix}${op}` : name,
    parameters: new Array<'f64' | 'i32'>(operands).fill(type),
    results: [type],
    // An i32 arrives signed; an unsigned operand is what its bits say.
    call: dtype === 'uint32' ? (...xs) => meaning(...xs.map(x => x >>> 0)) : meaning,
  };
  laneImports.set(name, made);
  return made;
};

/** Calls the primitive's scalar meaning for each lane: slow, right, and for few primitives. */
const perLane =
  (writer: FunctionWriter, lanes: number): Emitter['perLane'] =>
  (op, params, operands, result) => {
    const { dtype } = operands[0]!;
    const callee = laneImport(op, params, dtype, operands.length);
    const out = writer.get(operands[0]!.vector).keep('v128');
    const shape = dtype === 'float64' ? 'f64x2' : dtype === 'float32' ? 'f32x4' : 'i32x4';
    for (let lane = 0; lane < lanes; lane++) {
      writer.get(out);
      for (const { vector } of operands) {
        writer.get(vector).lane(`${shape}.extract_lane`, lane);
        if (dtype === 'float32') writer.op('f64.promote_f32');
      }
      writer.call(callee);
      if (result === 'float32') writer.op('f32.demote_f64');
      writer.lane(`${shape}.replace_lane`, lane).set(out);
    }
    // The bits of a NaN out of JavaScript depend on how it was compiled.
    return shape === 'i32x4' ? out : writer.get(out, out, out).op(`${shape}.ne`, 'v128.or').keep('v128');
  };

/** Whether an operation takes much longer than reading a value from the cache. */
export const isDear = (op: string): boolean =>
  op !== 'copy' && !(entryOf(op) as Elementwise<never>).traits.includes('cheap');

/** Two lanes a vector where there are float64, else four. */
export const lanesOf = ({ values }: Kernel): 2 | 4 => (values.some(({ dtype }) => dtype === 'float64') ? 2 : 4);

/** Values by number, each made when it is first asked for; `leaf` makes what is no operation here, or says null. */
export class Body {
  readonly #made = new Map<number, Value>();
  readonly #writer: FunctionWriter;
  readonly #kernel: Kernel;
  readonly #leaf: (id: number, value: KernelValue) => Value | null;
  readonly #perLane: Emitter['perLane'];

  constructor(writer: FunctionWriter, kernel: Kernel, leaf: (id: number, value: KernelValue) => Value | null) {
    this.#writer = writer;
    this.#kernel = kernel;
    this.#leaf = leaf;
    this.#perLane = perLane(writer, lanesOf(kernel));
  }

  value(id: number): Value {
    const known = this.#made.get(id);
    if (known !== undefined) return known;
    const described = this.#kernel.values[id]!;
    let made = this.#leaf(id, described);
    if (made === null) {
      if (described.kind !== 'operation') throw new Error('tenfold: a kernel value has no place; please report this');
      const { op, params, operands, dtype } = described;
      made = emitElementwise(
        this.#writer,
        this.#perLane,
        op,
        params,
        operands.map(operand => this.value(operand)),
        dtype,
      );
    }
    this.#made.set(id, made);
    return made;
  }
}

/** The slots a kernel reads, then those it writes. */
export const slotsOf = ({ values, stores }: Kernel): readonly number[] => [
  ...new Set(values.flatMap(value => (value.kind === 'load' ? [value.slot] : []))),
  ...stores.map(({ slot }) => slot),
];

/** A function with the parameters that all kernels have. */
export const parametersOf = (
  slots: readonly number[],
): {
  readonly types: 'i32'[];
  readonly scratch: Local;
  readonly from: Local;
  readonly to: Local;
} => ({
  types: new Array<'i32'>(slots.length + 3).fill('i32'),
  scratch: slots.length,
  from: slots.length + 1,
  to: slots.length + 2,
});
