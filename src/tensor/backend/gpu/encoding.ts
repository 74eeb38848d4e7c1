/** Elements as the floats that stand for them on a device, and back; see pass.ts. */
import { arrayClassOf, type DType, type TypedArray } from '../../dtype.js';
import { floatsOf } from './pass.js';

/** Floats of a dtype's element. float64 has none: who asks is mistaken about what is on a device. */
export const floatsPerElement = (dtype: DType): 1 | 2 => {
  const floats = floatsOf[dtype];
  if (floats === 0) throw new Error(`${dtype} is never on a device: please report this`);
  return floats;
};

/**
 * The floats of elements. Those of float32 are the array itself, which nobody writes to.
 *
 * The halves of a 32-bit integer are next to each other in memory as well, the lower first: on every platform that
 * WebAssembly's views of memory are right on.
 */
export const encode = (array: TypedArray, dtype: DType): Float32Array => {
  if (floatsPerElement(dtype) === 2) {
    return new Float32Array(new Uint16Array(array.buffer, array.byteOffset, 2 * array.length));
  }
  return array instanceof Float32Array ? array : new Float32Array(array);
};

/** The elements that floats stand for, which are the caller's own: for float32 they are the array itself. */
export const decode = (floats: Float32Array, dtype: DType, size: number): TypedArray => {
  const length = size * floatsPerElement(dtype);
  if (floats.length < length) throw new Error(`${floats.length} floats are no ${size} of ${dtype}: please report this`);
  const all = floats.length === length ? floats : floats.slice(0, length);
  if (dtype === 'float32') return all;
  if (floatsOf[dtype] === 1) return new Uint8Array(all);
  const { buffer } = new Uint16Array(all);
  return new (arrayClassOf(dtype))(buffer, 0, size);
};
