/** Reading and writing a vector at a time: neighbours, strides, padding, bytes, and the indices themselves. */
import { bytesOf, type DType, isFloat } from '../../../dtype.js';
import type { Valid } from '../../../view.js';
import type { FunctionWriter, Local } from '../assembler.js';
import type { Value } from '../emitter.js';
import { VectorWriter } from '../lanes.js';
import type { LaneMemoryOp } from '../opcodes.js';
import type { Cursor } from './cursors.js';

/** Reads and writes vectors of `count` lanes, whatever the width of the values in them. */
export class Vectors {
  readonly #writer: FunctionWriter;
  /** Elements in a vector: 4, or 2 where there are float64. */
  readonly lanes: 2 | 4;

  constructor(writer: FunctionWriter, lanes: 2 | 4) {
    this.#writer = writer;
    this.lanes = lanes;
  }

  /** The elements at `position` and behind it; only the first `count` are there. */
  load(cursor: Cursor, position: Local, count: number): Value {
    const { access, stride, valid, open } = cursor;
    const width = access.dtype === 'float64' ? 64 : 32;
    if (access.argument === null) return this.#index(cursor, position);
    if (stride === 0 && valid === null) return this.splat(cursor);
    const writer = this.#writer;
    const whole = (): void => {
      if (stride === 1) this.#loadNeighbours(cursor, position);
      else this.#loadLanes(cursor, position, count, null);
    };
    const vector = writer.local('v128');
    if (valid === null && open === null) {
      whole();
    } else {
      const [lo, hi] = valid ?? [0, 0x7fffffff];
      writer
        .get(position)
        .i32(lo)
        .op('i32.ge_s')
        .get(position)
        .i32(hi - this.lanes)
        .op('i32.le_s', 'i32.and');
      if (open !== null) writer.get(open).op('i32.and');
      writer.if(
        () => {
          whole();
          writer.set(vector);
        },
        () => {
          this.#loadLanes(cursor, position, count, valid);
          writer.set(vector);
        },
      );
      writer.get(vector);
    }
    writer.set(vector);
    return this.#decoded(vector, access.dtype, width);
  }

  /** Four neighbouring float32 as two vectors of float64; null where they are not simply neighbours. */
  halves({ pointer, stride, valid, open }: Cursor, position: Local): readonly Local[] | null {
    if (stride !== 1 || valid !== null || open !== null) return null;
    const writer = this.#writer;
    const at = writer.get(pointer, position).i32(2).op('i32.shl', 'i32.add').keep('i32');
    return [0, 8].map(offset =>
      writer.get(at).memory('v128.load64_zero', offset).op('f64x2.promote_low_f32x4').keep('v128'),
    );
  }

  /** Bytes become integers when they are loaded; bools become masks here. */
  #decoded(vector: Local, dtype: DType, width: 32 | 64): Value {
    if (dtype !== 'bool') return { vector, dtype, width };
    const lanes = new VectorWriter(this.#writer, 32);
    return { vector: lanes.isub(lanes.integer(0n), vector), dtype, width: 32 };
  }

  #loadNeighbours({ access, pointer }: Cursor, position: Local): void {
    const writer = this.#writer;
    const bytes = bytesOf[access.dtype];
    writer.get(pointer).get(position);
    if (bytes > 1) writer.i32(bytes === 4 ? 2 : 3).op('i32.shl');
    writer.op('i32.add');
    if (bytes === 1) writer.memory('v128.load32_zero').op('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u');
    else writer.memory(bytes * this.lanes === 16 ? 'v128.load' : 'v128.load64_zero');
  }

  /** Lane by lane; with a range, those outside of it stay zero. */
  #loadLanes({ access, pointer, stride, open }: Cursor, position: Local, count: number, valid: Valid | null): void {
    const writer = this.#writer;
    const bytes = bytesOf[access.dtype];
    const op: LaneMemoryOp = bytes === 1 ? 'v128.load8_lane' : bytes === 4 ? 'v128.load32_lane' : 'v128.load64_lane';
    const at = writer
      .get(pointer, position)
      .i32(stride * bytes)
      .op('i32.mul', 'i32.add')
      .keep('i32');
    const checked = valid !== null || open !== null;
    if (!checked && bytes === 4 && count === 4 && stride === 2) {
      this.#loadEverySecond(at);
      return;
    }
    const vector = writer.local('v128');
    writer.v128(new Uint8Array(16)).set(vector);
    // The first lane can be in the padding in front of the buffer, at an address below 0: an offset would not wrap.
    const wraps = stride < 0 || valid !== null;
    for (let lane = 0; lane < count; lane++) {
      const load = (): void => {
        writer.get(at);
        if (wraps) writer.i32(lane * stride * bytes).op('i32.add');
        writer.get(vector).memoryLane(op, bytes === 1 ? 4 * lane : lane, wraps ? 0 : lane * stride * bytes);
        writer.set(vector);
      };
      if (!checked) {
        load();
        continue;
      }
      if (valid === null) writer.get(open!);
      else {
        writer
          .get(position)
          .i32(lane - valid[0])
          .op('i32.add')
          .i32(valid[1] - valid[0])
          .op('i32.lt_u');
        if (open !== null) writer.get(open).op('i32.and');
      }
      writer.if(load);
    }
    writer.get(vector);
  }

  /** Every second one of seven neighbours: with 11 % less time for a pooling kernel than lane by lane. */
  #loadEverySecond(at: Local): void {
    const order = [0, 2, 5, 7].flatMap(lane => [0, 1, 2, 3].map(i => 4 * lane + i));
    // The second vector begins with the last one of the first: nothing behind the last element is read.
    this.#writer.get(at).memory('v128.load').get(at).memory('v128.load', 12).shuffle(order);
  }

  /** The one value of a row, in every lane. */
  splat({ access, pointer, open }: Cursor): Value {
    const writer = this.#writer;
    const { dtype } = access;
    const width = dtype === 'float64' ? 64 : 32;
    const bytes = bytesOf[dtype];
    const vector = writer.local('v128');
    const scalar = isFloat(dtype) ? undefined : writer.local('i32');
    const load = (): void => {
      if (scalar === undefined)
        writer
          .get(pointer)
          .memory(bytes === 8 ? 'v128.load64_splat' : 'v128.load32_splat')
          .set(vector);
      else {
        writer
          .get(pointer)
          .memory(bytes === 1 ? 'i32.load8_u' : 'i32.load')
          .tee(scalar);
        writer.op('i32x4.splat').set(vector);
      }
    };
    if (open === null) load();
    else {
      writer.v128(new Uint8Array(16)).set(vector);
      if (scalar !== undefined) writer.i32(0).set(scalar);
      writer.get(open).if(load);
    }
    const value = this.#decoded(vector, dtype, width);
    return scalar === undefined || dtype === 'bool' ? value : { ...value, scalar };
  }

  /** Numbers made of the position: pointer + position · stride. */
  #index({ access, pointer, stride, valid, open }: Cursor, position: Local): Value {
    const writer = this.#writer;
    const { dtype } = access;
    const integers = new VectorWriter(writer, 32);
    const lanesOf = (by: number): Local => {
      const array = Int32Array.from({ length: 4 }, (_, lane) => lane * by);
      return writer.constant(new Uint8Array(array.buffer));
    };
    writer.get(pointer);
    if (stride !== 0) writer.get(position).i32(stride).op('i32.mul', 'i32.add');
    let vector = writer.op('i32x4.splat').keep('v128');
    if (stride !== 0) vector = integers.iadd(vector, lanesOf(stride));
    if (valid !== null) {
      const places = integers.iadd(writer.get(position).op('i32x4.splat').keep('v128'), lanesOf(1));
      const below = integers.ilt(places, integers.integer(BigInt(valid[0])));
      const inside = integers.ilt(places, integers.integer(BigInt(valid[1])));
      vector = integers.and(vector, integers.apply('v128.andnot', inside, below));
    }
    if (open !== null) {
      const mask = writer.i32(0).get(open).op('i32.sub', 'i32x4.splat').keep('v128');
      vector = integers.and(vector, mask);
    }
    if (dtype === 'float32') vector = integers.apply('f32x4.convert_i32x4_s', vector);
    if (dtype === 'float64') vector = integers.apply('f64x2.convert_low_i32x4_s', vector);
    if (dtype === 'uint8') vector = integers.and(vector, integers.integer(255n));
    if (dtype === 'bool') vector = integers.apply('i32x4.ne', vector, integers.integer(0n));
    return { vector, dtype, width: dtype === 'float64' ? 64 : 32 };
  }

  /** Writes the first `count` lanes. */
  store({ access, pointer, stride }: Cursor, position: Local, value: Value, count: number): void {
    const writer = this.#writer;
    const bytes = bytesOf[access.dtype];
    if (stride > 1) {
      const op: LaneMemoryOp =
        bytes === 1 ? 'v128.store8_lane' : bytes === 4 ? 'v128.store32_lane' : 'v128.store64_lane';
      const gap = stride * bytes;
      const at = writer.get(pointer, position).i32(gap).op('i32.mul', 'i32.add').keep('i32');
      const vector = bytes === 1 ? this.#bytes(value) : value.vector;
      for (let lane = 0; lane < count; lane++) writer.get(at, vector).memoryLane(op, lane, lane * gap);
      return;
    }
    writer.get(pointer).get(position);
    if (bytes > 1) writer.i32(bytes === 4 ? 2 : 3).op('i32.shl');
    const at = writer.op('i32.add').keep('i32');
    const vector = bytes === 1 ? this.#bytes(value) : value.vector;
    if (count === this.lanes && bytes * count === 16) {
      writer.get(at, vector).memory('v128.store');
      return;
    }
    // As many lanes as go into one write of 8 or 4 bytes; bytes have been moved together.
    const sizes: readonly (readonly [number, LaneMemoryOp])[] = [
      [8, 'v128.store64_lane'],
      [4, 'v128.store32_lane'],
      [1, 'v128.store8_lane'],
    ];
    let done = 0;
    for (const [size, op] of sizes) {
      if (size < bytes) continue;
      for (; done + size <= count * bytes; done += size) writer.get(at, vector).memoryLane(op, done / size, done);
    }
  }

  /** The low bytes of integer or mask lanes, side by side. */
  #bytes({ vector, dtype, width }: Value): Local {
    const writer = this.#writer;
    const step = width / 8;
    const order = Array.from({ length: 16 }, (_, i) => (i < this.lanes ? i * step : 0));
    const together = writer.get(vector, vector).shuffle(order).keep('v128');
    const lanes = new VectorWriter(writer, 32);
    return dtype === 'bool' ? lanes.and(together, lanes.integer(0x01010101n)) : together;
  }
}
