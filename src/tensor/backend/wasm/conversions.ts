/** Values of one dtype out of those of another, in vectors. */
import { isFloat } from '../../dtype.js';
import type { FunctionWriter, Local } from './assembler.js';
import { type Emit, type Emitter, isUnsigned, type Value } from './emitter.js';
import { VectorWriter } from './lanes.js';

/** A mask for lanes of another width. */
export const maskOf = (writer: FunctionWriter, { vector, width }: Value, wanted: 32 | 64): Local => {
  if (width === wanted) return vector;
  if (wanted === 64) return writer.get(vector).op('i64x2.extend_low_i32x4_s').keep('v128');
  const low = [0, 1, 2, 3, 8, 9, 10, 11];
  return writer
    .get(vector, vector)
    .shuffle([...low, ...low])
    .keep('v128');
};

/** A byte lane out of an integer one. */
export const wrapByte = ({ lanes }: Emitter, x: Local): Local => lanes.and(x, lanes.integer(255n));

export const cast: Emit = (e, [x], _, result) => {
  const { lanes, writer } = e;
  const { vector, dtype, width } = x!;
  if (dtype === result) return vector;
  const lanes32 = new VectorWriter(writer, 32);
  if (result === 'bool') {
    return isFloat(dtype) ? lanes.ne(vector, lanes.float(0)) : lanes.apply('i32x4.ne', vector, lanes.integer(0n));
  }
  const from = isUnsigned(dtype) ? 'u' : 's';
  if (result === 'float64') {
    if (dtype === 'float32') return lanes32.apply('f64x2.promote_low_f32x4', vector);
    const integers = dtype === 'bool' ? lanes32.and(maskOf(writer, x!, 32), lanes32.integer(1n)) : vector;
    return lanes32.apply(`f64x2.convert_low_i32x4_${from}`, integers);
  }
  if (dtype === 'bool') {
    const mask = maskOf(writer, { vector, dtype, width }, 32);
    return lanes32.and(mask, isFloat(result) ? lanes32.float(1) : lanes32.integer(1n));
  }
  if (dtype === 'float64') {
    if (result === 'float32') return lanes32.apply('f32x4.demote_f64x2_zero', vector);
    const integers = lanes32.apply(`i32x4.trunc_sat_f64x2_${result === 'int32' ? 's' : 'u'}_zero`, vector);
    return result === 'uint8' ? lanes32.apply('i32x4.min_u', integers, lanes32.integer(255n)) : integers;
  }
  if (dtype === 'float32') {
    const integers = lanes.apply(`i32x4.trunc_sat_f32x4_${result === 'int32' ? 's' : 'u'}`, vector);
    return result === 'uint8' ? lanes.apply('i32x4.min_u', integers, lanes.integer(255n)) : integers;
  }
  if (result === 'float32') return lanes.apply(`f32x4.convert_i32x4_${from}`, vector);
  return result === 'uint8' ? wrapByte(e, vector) : vector;
};
