/**
 * The element types of files and what becomes of them in a tensor. Every conversion is exact, or is refused, or was
 * asked for:
 *
 * - F64 is float64; F32, F16, BF16, F8_E5M2 and F8_E4M3 are float32, which holds all of their values;
 * - I32, I16 and I8 are int32; U32 and U16 are uint32; U8 is uint8; BOOL is bool;
 * - I64 is int32 and U64 is uint32 where every element fits. Asked for as float64 they are its nearest values, exact up
 *   to 2⁵³.
 *
 * The other way each dtype can be stored as any type that becomes it; a float that F16 or BF16 does not hold goes to the
 * nearest one, ties to even, an integer that does not fit is refused. Only floats of 8 bits are not written: they come with
 * scales, of which a type says nothing.
 */
import * as E from 'fp-ts/lib/Either.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import { type Checked, memoryFault, refuse } from './fault.js';

/** The types of elements that files hold, by their names in safetensors. */
export type ElementType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Those that tensors can be stored as. */
export type StoredType = Exclude<ElementType, 'F8_E5M2' | 'F8_E4M3'>;

/** What 64-bit integers become: their own kind with 32 bits, if they all fit, or the nearest float64. */
export type LongIntegers = 'int32' | 'float64';

interface ElementKind {
  /** Bytes of an element. */
  readonly width: number;
  readonly dtype: DType;
}

export const elementKinds: Readonly<Record<ElementType, ElementKind>> = Object.freeze({
  F64: { width: 8, dtype: 'float64' },
  F32: { width: 4, dtype: 'float32' },
  F16: { width: 2, dtype: 'float32' },
  BF16: { width: 2, dtype: 'float32' },
  F8_E5M2: { width: 1, dtype: 'float32' },
  F8_E4M3: { width: 1, dtype: 'float32' },
  I64: { width: 8, dtype: 'int32' },
  I32: { width: 4, dtype: 'int32' },
  I16: { width: 2, dtype: 'int32' },
  I8: { width: 1, dtype: 'int32' },
  U64: { width: 8, dtype: 'uint32' },
  U32: { width: 4, dtype: 'uint32' },
  U16: { width: 2, dtype: 'uint32' },
  U8: { width: 1, dtype: 'uint8' },
  BOOL: { width: 1, dtype: 'bool' },
} as const);

export const elementTypes = Object.freeze(Object.keys(elementKinds)) as readonly ElementType[];

export const storedTypes = Object.freeze(
  elementTypes.filter((type): type is StoredType => !type.startsWith('F8')),
) as readonly StoredType[];

/** The type that holds a dtype as it is. */
export const ownType: Readonly<Record<DType, StoredType>> = Object.freeze({
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  uint32: 'U32',
  uint8: 'U8',
  bool: 'BOOL',
} as const);

const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Where the low and the high half of a 64-bit integer lie. */
const [lowHalf, highHalf] = hostIsLittleEndian ? [0, 1] : [1, 0];

/** Turns the bytes of elements around, in place, where one byte order is not the other. */
const swap = (bytes: Uint8Array, width: number, littleEndian: boolean): void => {
  if (littleEndian === hostIsLittleEndian || width === 1) return;
  for (let i = 0; i < bytes.length; i += width) bytes.subarray(i, i + width).reverse();
};

// ---- Reading ------------------------------------------------------------------------------------------------------

/** The float32 with the value of a half: 1 bit of sign, 5 of exponent with bias 15, 10 of mantissa (IEEE 754). */
const halvesToFloats = (halves: Uint16Array): Float32Array => {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const [exponent, mantissa] = [(half >> 10) & 31, half & 1023];
    const sign = (half & 0x8000) << 16;
    if (exponent === 31) bits[i] = sign | 0x7f800000 | (mantissa << 13);
    else if (exponent > 0) bits[i] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    else {
      floats[i] = mantissa * 2 ** -24;
      bits[i] = bits[i]! | sign;
    }
  }
  return floats;
};

/** A bfloat16 is the upper half of a float32. */
const upperHalvesToFloats = (halves: Uint16Array): Float32Array => {
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16;
  return floats;
};

/** An F8_E5M2 is the upper half of a half. */
const wideHalves = (bytes: Uint8Array): Uint16Array => Uint16Array.from(bytes, byte => byte << 8);

/**
 * The values of F8_E4M3 by their bits: 1 of sign, 4 of exponent with bias 7, 3 of mantissa, no infinity, and NaN only where all
 * of these are 1 (Micikevicius et al. 2022, arXiv:2209.05433).
 */
const quarters = Float32Array.from({ length: 256 }, (_, bits) => {
  const [sign, exponent, mantissa] = [bits < 128 ? 1 : -1, (bits >> 3) & 15, bits & 7];
  if (exponent === 15 && mantissa === 7) return Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -9 : (8 + mantissa) * 2 ** (exponent - 10));
});

interface Read {
  readonly dtype: DType;
  readonly array: TypedArray;
}

const long = (type: 'I64' | 'U64', buffer: ArrayBuffer, as: LongIntegers): Checked<Read> => {
  const halves = new Int32Array(buffer);
  const count = halves.length / 2;
  const signed = type === 'I64';
  if (as === 'float64') {
    const array = new Float64Array(count);
    // One rounding: the product is exact.
    for (let i = 0; i < count; i++) {
      const high = halves[2 * i + highHalf]!;
      array[i] = (signed ? high : high >>> 0) * 2 ** 32 + (halves[2 * i + lowHalf]! >>> 0);
    }
    return E.right({ dtype: 'float64', array });
  }
  const array = signed ? new Int32Array(count) : new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const [low, high] = [halves[2 * i + lowHalf]!, halves[2 * i + highHalf]!];
    if (high !== (signed ? low >> 31 : 0)) {
      const value = signed ? new BigInt64Array(buffer)[i] : new BigUint64Array(buffer)[i];
      return refuse(
        `${value} at element ${i}`,
        `${type} becomes ${elementKinds[type].dtype} where all of its elements fit`,
        "Read it with { longIntegers: 'float64' }, which is exact up to 2 ** 53.",
      );
    }
    array[i] = low;
  }
  return E.right({ dtype: signed ? 'int32' : 'uint32', array });
};

const bool = (bytes: Uint8Array): Checked<Read> => {
  const odd = bytes.findIndex(byte => byte > 1);
  if (odd < 0) return E.right({ dtype: 'bool', array: bytes });
  return refuse(
    `the byte ${bytes[odd]} at element ${odd}`,
    'the bytes of a BOOL tensor are 0 and 1',
    'Write it as U8, or as BOOL with those values.',
  );
};

const read = (type: ElementType, bytes: Uint8Array<ArrayBuffer>, as: LongIntegers): Checked<Read> => {
  const { dtype } = elementKinds[type];
  const of = (array: TypedArray): Checked<Read> => E.right({ dtype, array });
  switch (type) {
    case 'F64':
      return of(new Float64Array(bytes.buffer));
    case 'F32':
      return of(new Float32Array(bytes.buffer));
    case 'F16':
      return of(halvesToFloats(new Uint16Array(bytes.buffer)));
    case 'BF16':
      return of(upperHalvesToFloats(new Uint16Array(bytes.buffer)));
    case 'F8_E5M2':
      return of(halvesToFloats(wideHalves(bytes)));
    case 'F8_E4M3':
      return of(Float32Array.from(bytes, byte => quarters[byte]!));
    case 'I64':
    case 'U64':
      return long(type, bytes.buffer, as);
    case 'I32':
      return of(new Int32Array(bytes.buffer));
    case 'I16':
      return of(new Int32Array(new Int16Array(bytes.buffer)));
    case 'I8':
      return of(new Int32Array(new Int8Array(bytes.buffer)));
    case 'U32':
      return of(new Uint32Array(bytes.buffer));
    case 'U16':
      return of(new Uint32Array(new Uint16Array(bytes.buffer)));
    case 'U8':
      return of(bytes);
    case 'BOOL':
      return bool(bytes);
  }
};

/** Elements from their bytes in a file; the array is new, whatever the place in the file. */
export const readElements = (
  type: ElementType,
  bytes: Uint8Array,
  as: LongIntegers = 'int32',
  littleEndian = true,
): Checked<Read> => {
  try {
    const own = new Uint8Array(bytes.length);
    own.set(bytes);
    swap(own, elementKinds[type].width, littleEndian);
    return read(type, own, as);
  } catch (reason) {
    const fault = memoryFault(reason);
    if (fault === null) throw reason;
    return E.left(fault);
  }
};

// ---- Writing ------------------------------------------------------------------------------------------------------

const bitsOf = (array: TypedArray): Uint32Array => {
  const bits = new Uint32Array(array.length);
  new Float32Array(bits.buffer).set(array);
  return bits;
};

/** The bits above the lowest `drop`, rounded to the nearest, ties to even. */
const rounded = (bits: number, drop: number): number => {
  const [kept, rest, half] = [bits >>> drop, bits & (2 ** drop - 1), 2 ** (drop - 1)];
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
};

const halfOf = (bits: number): number => {
  const sign = (bits >>> 16) & 0x8000;
  const [exponent, mantissa] = [(bits >>> 23) & 255, bits & 0x7fffff];
  // A NaN stays one even where only low bits of it were set.
  if (exponent === 255) return sign | 0x7c00 | (mantissa === 0 ? 0 : Math.max(mantissa >>> 13, 1));
  // A carry out of the mantissa is right: it makes the next exponent, at the end infinity.
  if (exponent > 112) return sign | Math.min(rounded(((exponent - 112) << 23) | mantissa, 13), 0x7c00);
  // Multiples of 2⁻²⁴ below 2⁻¹⁴. A float32 below 2⁻²⁵ is none of them.
  return exponent < 102 ? sign : sign | rounded(0x800000 | mantissa, 126 - exponent);
};

const upperHalfOf = (bits: number): number => {
  const noNumber = (bits & 0x7fffffff) > 0x7f800000;
  return noNumber ? (bits >>> 16) | ((bits & 0x7f0000) === 0 ? 1 : 0) : rounded(bits, 16);
};

const integers = {
  I16: { minimum: -(2 ** 15), maximum: 2 ** 15 - 1, make: (array: TypedArray) => new Int16Array(array) },
  I8: { minimum: -128, maximum: 127, make: (array: TypedArray) => new Int8Array(array) },
  U16: { minimum: 0, maximum: 2 ** 16 - 1, make: (array: TypedArray) => new Uint16Array(array) },
} as const;

const narrowed = (type: keyof typeof integers, array: TypedArray): Checked<ArrayBufferView> => {
  const { minimum, maximum, make } = integers[type];
  const odd = array.findIndex(value => value < minimum || value > maximum);
  if (odd < 0) return E.right(make(array));
  return refuse(
    `${array[odd]} at element ${odd}`,
    `${type} holds the integers from ${minimum} to ${maximum}`,
    'Store it as a wider type.',
  );
};

const widened = (array: TypedArray): Int32Array => {
  const halves = new Int32Array(2 * array.length);
  const signed = array instanceof Int32Array;
  for (let i = 0; i < array.length; i++) {
    halves[2 * i + lowHalf] = array[i]!;
    halves[2 * i + highHalf] = signed ? array[i]! >> 31 : 0;
  }
  return halves;
};

const stored = (type: StoredType, array: TypedArray): Checked<ArrayBufferView> => {
  switch (type) {
    case 'F16':
      return E.right(Uint16Array.from(bitsOf(array), halfOf));
    case 'BF16':
      return E.right(Uint16Array.from(bitsOf(array), upperHalfOf));
    case 'I64':
    case 'U64':
      return E.right(widened(array));
    case 'I16':
    case 'I8':
    case 'U16':
      return narrowed(type, array);
    default:
      return E.right(array);
  }
};

/** The bytes of elements in a file, little-endian; a Fault for an integer that does not fit. */
export const elementBytes = (type: StoredType, array: TypedArray): Checked<Uint8Array> => {
  const found = stored(type, array);
  if (E.isLeft(found)) return found;
  const { buffer, byteOffset, byteLength } = found.right;
  const view = new Uint8Array(buffer, byteOffset, byteLength);
  if (hostIsLittleEndian) return E.right(view);
  const bytes = view.slice();
  swap(bytes, elementKinds[type].width, true);
  return E.right(bytes);
};
