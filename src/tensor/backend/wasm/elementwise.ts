/** Elementwise kernels: one loop over one iteration space, with everything in between kept in registers. */
import { bytesOf, type DType, isFloat } from '../../dtype.js';
import type { Params } from '../../graph.js';
import type { Elementwise } from '../../primitives/kinds.js';
import { entryOf } from '../../primitives/table.js';
import type { Shape } from '../../shape.js';
import { FunctionWriter, type Import, type Local } from './assembler.js';
import { VectorWriter } from './lanes.js';
import { type Emitter, emitElementwise, type Value } from './scalar-code.js';

/** Something read: a buffer through strides (in elements, by axis of the iteration space). */
export interface Load {
  readonly dtype: DType;
  readonly strides: readonly number[];
}

/** One primitive; operands are loads (0 … loads − 1), then earlier operations. */
export interface Operation {
  readonly op: string;
  readonly params: Params;
  readonly operands: readonly number[];
  readonly dtype: DType;
}

export interface ElementwiseKernel {
  readonly width: 32 | 64;
  readonly shape: Shape;
  readonly loads: readonly Load[];
  readonly operations: readonly Operation[];
  /** Operations whose results are written out, contiguously; kernel arguments are the loads' and then the stores' addresses. */
  readonly stores: readonly number[];
}

/** A JavaScript function that a module calls lane by lane. */
export interface LaneImport extends Import {
  readonly call: (...xs: number[]) => number;
}

/** Axes that all operands step through as if they were one become one; axes of length 1 go. */
const collapse = ({ shape, loads }: ElementwiseKernel): { lengths: number[]; strides: number[][] } => {
  const lengths: number[] = [];
  const strides: number[][] = loads.map(() => []);
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const last = lengths.length - 1;
    const joins = last >= 0 && loads.every((load, i) => strides[i]![last] === load.strides[axis]! * length);
    if (joins) lengths[last]! *= length;
    else lengths.push(length);
    loads.forEach((load, i) => {
      strides[i]![joins ? last : lengths.length - 1] = load.strides[axis]!;
    });
  });
  return lengths.length === 0 ? { lengths: [1], strides: loads.map(() => [0]) } : { lengths, strides };
};

/** Writes a kernel; functions it has to call are found or added in `imports`. */
export const writeElementwise = (kernel: ElementwiseKernel, imports: LaneImport[]): FunctionWriter => {
  const { width, loads, operations, stores } = kernel;
  const { lengths, strides } = collapse(kernel);
  const writer = new FunctionWriter([...loads, ...stores].map(() => 'i32'));
  const lanesPerVector = 128 / width;
  const itemBytes = width / 8;
  const sizeIn = (dtype: DType): number => (dtype === 'bool' ? 1 : bytesOf[dtype]);
  const inner = lengths[lengths.length - 1]!;
  const outer = lengths.slice(0, -1);
  const outStrides = lengths.map((_, axis) => lengths.slice(axis + 1).reduce((p, n) => p * n, 1));
  const counters = outer.map(() => writer.local('i32'));

  /** Where a row of an operand starts. */
  const base = (argument: number, dtype: DType, byAxis: readonly number[]): Local => {
    writer.get(argument);
    counters.forEach((counter, axis) => {
      const bytes = byAxis[axis]! * sizeIn(dtype);
      if (bytes !== 0) writer.get(counter).i32(bytes).op('i32.mul', 'i32.add');
    });
    return writer.keep('i32');
  };

  const row = (): void => {
    const lanes = new VectorWriter(writer, width);
    const emitter: Emitter = { writer, lanes, perLane: perLane(writer, imports, lanesPerVector) };
    const starts = loads.map((load, i) => base(i, load.dtype, strides[i]!));
    const ends = stores.map((operation, i) => base(loads.length + i, operations[operation]!.dtype, outStrides));
    // One value for the whole row: read before the loop.
    const splats = loads.map((load, i) =>
      strides[i]![lengths.length - 1] === 0 ? loadSplat(writer, lanes, load.dtype, starts[i]!) : null,
    );
    const position = writer.i32(0).keep('i32');
    const limit = writer.i32(inner * itemBytes).keep('i32');
    const narrow = [...loads, ...stores.map(s => operations[s]!)].some(each => each.dtype === 'bool');
    const bytePosition = narrow ? writer.local('i32') : position;
    writer.loop(position, limit, 16, () => {
      const own = new VectorWriter(writer, width);
      if (narrow)
        writer
          .get(position)
          .i32(width === 32 ? 2 : 3)
          .op('i32.shr_u')
          .set(bytePosition);
      const values: Value[] = loads.map((load, i) => {
        if (splats[i] !== null) return splats[i]!;
        if (load.dtype === 'bool') return { vector: loadMask(writer, own, starts[i]!, bytePosition), dtype: 'bool' };
        return {
          vector: writer.get(starts[i]!, position).op('i32.add').memory('v128.load').keep('v128'),
          dtype: load.dtype,
        };
      });
      const inside: Emitter = { ...emitter, lanes: own };
      for (const { op, params, operands, dtype } of operations) {
        values.push({
          vector: emitElementwise(
            inside,
            op,
            params,
            operands.map(i => values[i]!),
            dtype,
          ),
          dtype,
        });
      }
      stores.forEach((operation, i) => {
        const { vector, dtype } = values[loads.length + operation]!;
        if (dtype === 'bool') storeMask(writer, width, ends[i]!, bytePosition, vector);
        else writer.get(ends[i]!, position).op('i32.add').get(vector).memory('v128.store');
      });
    });
  };

  const nest = (axis: number): void => {
    if (axis === outer.length) {
      row();
      return;
    }
    const limit = writer.i32(outer[axis]!).keep('i32');
    writer.i32(0).set(counters[axis]!);
    writer.loop(counters[axis]!, limit, 1, () => nest(axis + 1));
  };
  nest(0);
  return writer;
};

const loadSplat = (writer: FunctionWriter, lanes: VectorWriter, dtype: DType, at: Local): Value => {
  if (dtype === 'bool') {
    const set = writer.i32(0).get(at).memory('i32.load8_u').i32(0).op('i32.ne', 'i32.sub', 'i32x4.splat');
    return { vector: set.keep('v128'), dtype };
  }
  const vector = writer
    .get(at)
    .memory(lanes.width === 32 ? 'v128.load32_splat' : 'v128.load64_splat')
    .keep('v128');
  if (isFloat(dtype)) return { vector, dtype };
  return { vector, dtype, scalar: writer.get(at).memory('i32.load').keep('i32') };
};

/** Bytes 0 and 1 as masks. */
const loadMask = (writer: FunctionWriter, lanes: VectorWriter, start: Local, position: Local): Local => {
  writer
    .get(start, position)
    .op('i32.add')
    .memory('v128.load32_zero')
    .op('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u');
  if (lanes.width === 64) writer.op('i64x2.extend_low_i32x4_u');
  const integers = writer.keep('v128');
  return lanes.isub(lanes.integer(0n), integers);
};

const storeMask = (writer: FunctionWriter, width: 32 | 64, start: Local, position: Local, vector: Local): void => {
  const address = writer.get(start, position).op('i32.add').keep('i32');
  for (let lane = 0; lane < 128 / width; lane++) {
    // The low 32 bits of a 64-bit mask are a mask too.
    writer
      .get(address)
      .get(vector)
      .lane('i32x4.extract_lane', (lane * width) / 32)
      .i32(1)
      .op('i32.and')
      .memory('i32.store8', lane);
  }
};

/** Calls the primitive's scalar meaning for each lane: slow, right, and for few primitives. */
const perLane =
  (writer: FunctionWriter, imports: LaneImport[], lanesPerVector: number): Emitter['perLane'] =>
  (op, params, operands, result) => {
    const dtype = operands[0]!.dtype;
    const entry = entryOf(op) as Elementwise<Params>;
    const type = isFloat(dtype) ? ('f64' as const) : ('i32' as const);
    const name = `${op}:${dtype}`;
    let index = imports.findIndex(each => each.name === name);
    if (index < 0) {
      const meaning = entry.scalar(params, dtype);
      // An i32 arrives signed; an unsigned operand is what its bits say.
      const call = dtype === 'uint32' ? (...xs: number[]): number => meaning(...xs.map(x => x >>> 0)) : meaning;
      imports.push({ name, parameters: operands.map(() => type), results: [type], call });
      index = imports.length - 1;
    }
    const out = writer.get(operands[0]!.vector).keep('v128');
    const shape = dtype === 'float64' ? 'f64x2' : dtype === 'float32' ? 'f32x4' : 'i32x4';
    for (let lane = 0; lane < lanesPerVector; lane++) {
      writer.get(out);
      for (const { vector } of operands) {
        writer.get(vector).lane(`${shape}.extract_lane`, lane);
        if (dtype === 'float32') writer.op('f64.promote_f32');
      }
      writer.call(index);
      if (result === 'float32') writer.op('f32.demote_f64');
      writer.lane(`${shape}.replace_lane`, lane).set(out);
    }
    return out;
  };
