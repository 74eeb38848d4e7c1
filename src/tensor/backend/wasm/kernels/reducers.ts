/**
 * Reducing in lanes. Terms go to eight partial sums by their number modulo 8, whichever way a kernel walks; these are added
 * up as a tree after every 1024 terms, and the sums of 1024 one after another. So the order of a sum depends on its length
 * alone. float32 is summed in float64.
 */
import type { Reducer } from '../../../compile/kernel.js';
import { type DType, isFloat } from '../../../dtype.js';
import type { FunctionWriter, Local } from '../assembler.js';
import type { Value } from '../emitter.js';
import { VectorWriter } from '../lanes.js';
import type { Op } from '../opcodes.js';

/** Partial sums of a sum of floats. */
export const partials = 8;
export const blockTerms = 1024;

/** Whether it takes terms together by arithmetic, so that their order matters to floats, instead of picking one of them. */
export const isArithmetic = (op: Reducer): boolean => op === 'sum' || op === 'prod';

/** The dtype in which a reduction is made. */
export const accumulatorOf = (op: Reducer, dtype: DType): 'float64' | 'float32' | 'int32' | 'uint32' =>
  isArithmetic(op) && isFloat(dtype) ? 'float64' : (dtype as 'float32' | 'int32' | 'uint32');

const shapeOf = (dtype: DType): 'f64x2' | 'f32x4' | 'i32x4' =>
  dtype === 'float64' ? 'f64x2' : dtype === 'float32' ? 'f32x4' : 'i32x4';

/** The instruction that takes two partial results together. */
const combineOp = (op: Reducer, accumulator: DType): Op => {
  const shape = shapeOf(accumulator);
  if (isArithmetic(op)) return `${shape}.${op === 'sum' ? 'add' : 'mul'}` as Op;
  const name = op === 'reduceMax' ? 'max' : 'min';
  const sign = accumulator === 'uint32' ? '_u' : accumulator === 'int32' ? '_s' : '';
  return `${shape}.${name}${sign}` as Op;
};

/** Vectors of accumulators that hold as many elements as a vector of the kernel. */
export const spans = (op: Reducer, dtype: DType, lanes: 2 | 4): 1 | 2 =>
  accumulatorOf(op, dtype) === 'float64' && lanes === 4 ? 2 : 1;

export class Reduction {
  readonly #writer: FunctionWriter;
  readonly #op: Reducer;
  readonly #dtype: DType;
  readonly #lanes: 2 | 4;
  /** Of the largest or smallest float: lanes that met a NaN, as the quick comparison forgets them. */
  readonly #nan: Local | null;

  constructor(writer: FunctionWriter, op: Reducer, dtype: DType, lanes: 2 | 4) {
    this.#writer = writer;
    this.#op = op;
    this.#dtype = dtype;
    this.#lanes = lanes;
    this.#nan = !isArithmetic(op) && isFloat(dtype) ? writer.local('v128') : null;
  }

  /** Puts what changes nothing into accumulators. */
  reset(accumulators: readonly Local[]): void {
    for (const each of accumulators) this.#writer.get(this.identity()).set(each);
    if (this.#nan !== null) this.#writer.v128(new Uint8Array(16)).set(this.#nan);
  }

  /** What changes nothing: for lanes that are not there. */
  identity(dtype: DType = accumulatorOf(this.#op, this.#dtype)): Local {
    const lanes = new VectorWriter(this.#writer, dtype === 'float64' ? 64 : 32);
    if (this.#op === 'sum') return lanes.integer(0n);
    if (this.#op === 'prod') return isFloat(dtype) ? lanes.float(1) : lanes.integer(1n);
    const most = this.#op === 'reduceMin';
    switch (dtype) {
      case 'float32':
      case 'float64':
        return lanes.float(most ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
      case 'uint32':
        return lanes.integer(most ? 0xffffffffn : 0n);
      default:
        return lanes.integer(most ? 0x7fffffffn : -0x80000000n);
    }
  }

  /** The terms of a value, those behind `count` replaced by what changes nothing, as vectors of accumulators. */
  terms({ vector, dtype }: Value, count: number): readonly Local[] {
    const writer = this.#writer;
    const wide = dtype === 'float64';
    let all = vector;
    if (count < this.#lanes) {
      const bytes = wide ? 8 : 4;
      const mask = writer.constant(Uint8Array.from({ length: 16 }, (_, i) => (i < count * bytes ? 255 : 0)));
      all = writer.get(vector, this.identity(dtype), mask).op('v128.bitselect').keep('v128');
    }
    if (wide || accumulatorOf(this.#op, dtype) !== 'float64') return [all];
    const low = writer.get(all).op('f64x2.promote_low_f32x4').keep('v128');
    if (this.#lanes === 2) return [low];
    const upper = writer
      .get(all, all)
      .shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])
      .op('f64x2.promote_low_f32x4')
      .keep('v128');
    return [low, upper];
  }

  combine(x: Local, y: Local): Local {
    return this.#writer
      .get(x, y)
      .op(combineOp(this.#op, accumulatorOf(this.#op, this.#dtype)))
      .keep('v128');
  }

  /** Takes a vector into an accumulator. */
  accumulate(into: Local, term: Local): void {
    const writer = this.#writer;
    if (this.#nan === null) {
      writer
        .get(into, term)
        .op(combineOp(this.#op, accumulatorOf(this.#op, this.#dtype)))
        .set(into);
      return;
    }
    const shape = shapeOf(this.#dtype);
    writer
      .get(into, term)
      .op(`${shape}.${this.#op === 'reduceMax' ? 'pmax' : 'pmin'}` as Op)
      .set(into);
    writer
      .get(term, term)
      .op(`${shape}.ne` as Op)
      .get(this.#nan)
      .op('v128.or')
      .set(this.#nan);
  }

  /** What accumulators hold, as a tree: the upper half to the lower, until one is left, and the lanes of that. */
  finish(accumulators: readonly Local[]): Local {
    const [first, ...others] = accumulators;
    if (this.#nan === null) return this.across(this.tree(accumulators));
    const lanes = new VectorWriter(this.#writer, this.#dtype === 'float64' ? 64 : 32);
    return this.across(this.tree([lanes.select(this.#nan, lanes.float(Number.NaN), first!), ...others]));
  }

  /** Partial results as a tree. */
  tree(vectors: readonly Local[]): Local {
    let list = vectors;
    while (list.length > 1) {
      const half = list.length / 2;
      list = list.slice(0, half).map((vector, i) => this.combine(vector, list[half + i]!));
    }
    return list[0]!;
  }

  /** The lanes of one vector taken together, the result in every lane. */
  across(vector: Local): Local {
    const writer = this.#writer;
    const swap = (x: Local, order: readonly number[]): Local => writer.get(x, x).shuffle(order).keep('v128');
    const halves = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];
    const accumulator = accumulatorOf(this.#op, this.#dtype);
    // The lanes of 32-bit values beyond the first two of a narrow kernel are nothing.
    const narrow = this.#lanes === 2 && accumulator !== 'float64';
    const two = narrow ? vector : this.combine(vector, swap(vector, halves));
    if (accumulator === 'float64') return two;
    return this.combine(two, swap(two, [4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11]));
  }

  /** The result in the dtype of the kernel's value, out of vectors of accumulators that hold `lanes` elements. */
  rounded(vectors: readonly Local[]): Value {
    const writer = this.#writer;
    const dtype = this.#dtype;
    const width = dtype === 'float64' ? 64 : 32;
    // One vector stands for all lanes, as the result of a row does.
    const [low, high = low] = vectors as [Local, Local | undefined];
    if (this.#nan !== null) {
      // Of zeros of both signs either is the largest; which one is met first must not show.
      const lanes = new VectorWriter(writer, width);
      return { vector: lanes.add(low, lanes.float(0)), dtype, width };
    }
    if (dtype !== 'float32') return { vector: low, dtype, width };
    const first = writer.get(low).op('f32x4.demote_f64x2_zero').keep('v128');
    if (this.#lanes === 2) return { vector: first, dtype, width };
    const second = writer.get(high).op('f32x4.demote_f64x2_zero').keep('v128');
    const vector = writer
      .get(first, second)
      .shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23])
      .keep('v128');
    return { vector, dtype, width };
  }
}
