/** The lanes of the elementary functions as instructions: a vector is a local variable of the function being written. */
import type { FunctionWriter, Local } from './assembler.js';
import { usesFma } from './features.js';
import type { Lanes } from './math/lanes.js';
import type { Op } from './opcodes.js';

/** The sixteen bytes of a vector with one value in every lane. */
const repeated = (bytes: Uint8Array): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => bytes[i % bytes.length]!);

/** Vectors whose lanes are floats, integers or masks of `width` bits. */
export class VectorWriter implements Lanes<Local> {
  readonly width: 32 | 64;
  readonly #writer: FunctionWriter;
  readonly #float: 'f32x4' | 'f64x2';
  readonly #integer: 'i32x4' | 'i64x2';

  constructor(writer: FunctionWriter, width: 32 | 64) {
    this.#writer = writer;
    this.width = width;
    this.#float = width === 32 ? 'f32x4' : 'f64x2';
    this.#integer = width === 32 ? 'i32x4' : 'i64x2';
  }

  /** An instruction on vectors, its result in a new local. */
  apply(op: Op, ...operands: readonly Local[]): Local {
    return this.#writer
      .get(...operands)
      .op(op)
      .keep('v128');
  }

  #constant(bytes: Uint8Array): Local {
    return this.#writer.constant(repeated(bytes));
  }

  float(value: number): Local {
    const array = this.width === 32 ? Float32Array.of(value) : Float64Array.of(value);
    return this.#constant(new Uint8Array(array.buffer));
  }

  integer(value: bigint): Local {
    const array =
      this.width === 32 ? Int32Array.of(Number(BigInt.asIntN(32, value))) : BigInt64Array.of(BigInt.asIntN(64, value));
    return this.#constant(new Uint8Array(array.buffer));
  }

  #onFloats(name: string, ...operands: readonly Local[]): Local {
    return this.apply(`${this.#float}.${name}` as Op, ...operands);
  }

  #onIntegers(name: string, ...operands: readonly Local[]): Local {
    return this.apply(`${this.#integer}.${name}` as Op, ...operands);
  }

  #shift(name: string, x: Local, by: number): Local {
    return this.#writer
      .get(x)
      .i32(by)
      .op(`${this.#integer}.${name}` as Op)
      .keep('v128');
  }

  add(x: Local, y: Local): Local {
    return this.#onFloats('add', x, y);
  }
  sub(x: Local, y: Local): Local {
    return this.#onFloats('sub', x, y);
  }
  mul(x: Local, y: Local): Local {
    return this.#onFloats('mul', x, y);
  }
  div(x: Local, y: Local): Local {
    return this.#onFloats('div', x, y);
  }
  fma(x: Local, y: Local, z: Local): Local {
    if (usesFma()) return this.#onFloats('relaxed_madd', x, y, z);
    return this.add(this.mul(x, y), z);
  }
  neg(x: Local): Local {
    return this.#onFloats('neg', x);
  }
  abs(x: Local): Local {
    return this.#onFloats('abs', x);
  }
  sqrt(x: Local): Local {
    return this.#onFloats('sqrt', x);
  }
  floor(x: Local): Local {
    return this.#onFloats('floor', x);
  }
  nearest(x: Local): Local {
    return this.#onFloats('nearest', x);
  }
  min(x: Local, y: Local): Local {
    return this.#onFloats('pmin', x, y);
  }
  max(x: Local, y: Local): Local {
    return this.#onFloats('pmax', x, y);
  }
  eq(x: Local, y: Local): Local {
    return this.#onFloats('eq', x, y);
  }
  ne(x: Local, y: Local): Local {
    return this.#onFloats('ne', x, y);
  }
  lt(x: Local, y: Local): Local {
    return this.#onFloats('lt', x, y);
  }
  le(x: Local, y: Local): Local {
    return this.#onFloats('le', x, y);
  }
  select(mask: Local, x: Local, y: Local): Local {
    return this.apply('v128.bitselect', x, y, mask);
  }
  and(x: Local, y: Local): Local {
    return this.apply('v128.and', x, y);
  }
  or(x: Local, y: Local): Local {
    return this.apply('v128.or', x, y);
  }
  xor(x: Local, y: Local): Local {
    return this.apply('v128.xor', x, y);
  }
  not(x: Local): Local {
    return this.apply('v128.not', x);
  }
  iadd(x: Local, y: Local): Local {
    return this.#onIntegers('add', x, y);
  }
  isub(x: Local, y: Local): Local {
    return this.#onIntegers('sub', x, y);
  }
  shiftLeft(x: Local, by: number): Local {
    return this.#shift('shl', x, by);
  }
  shiftRightLogical(x: Local, by: number): Local {
    return this.#shift('shr_u', x, by);
  }
  shiftRight(x: Local, by: number): Local {
    return this.#shift('shr_s', x, by);
  }
  ilt(x: Local, y: Local): Local {
    return this.#onIntegers('lt_s', x, y);
  }
  toInteger(x: Local): Local {
    if (this.width === 32) return this.apply('i32x4.trunc_sat_f32x4_s', x);
    const magic = this.float(2 ** 52 + 2 ** 51);
    return this.isub(this.add(x, magic), magic);
  }
  toFloat(x: Local): Local {
    if (this.width === 32) return this.apply('f32x4.convert_i32x4_s', x);
    const magic = this.float(2 ** 52 + 2 ** 51);
    return this.sub(this.iadd(x, magic), magic);
  }
}
