/**
 * Element types and the rules by which they combine.
 *
 * Promotion, written down once:
 * - the same dtype twice stays that dtype;
 * - `bool` with anything takes the other dtype; `bool` arithmetic with `bool` counts, in int32;
 * - an integer with a float takes the float's dtype; float32 with float64 gives float64;
 * - int32 with uint32 is a DTypeError: no 32-bit type holds both, so the cast has to be written;
 * - a JavaScript number takes the tensor's dtype. With an integer tensor it must be an integer in range,
 *   otherwise it is a DTypeError; with a bool tensor it is int32 when integral, float32 when not;
 * - uint8 is storage (images, labels): moving, indexing, comparing (then it takes the other dtype) and casting
 *   work; arithmetic wants a cast.
 */
import { DTypeError, MemoryError } from './errors.js';

/** The element types of a tensor. float32 is the default. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint32' | 'uint8' | 'bool';

/** The floating-point dtypes: those that have derivatives. */
export type FloatDType = 'float32' | 'float64';

/** The dtypes of positions. */
export type IndexDType = 'int32' | 'uint32' | 'uint8';

/** The typed array that holds the elements of a dtype; bool is kept as bytes 0 and 1. */
export interface TypedArrayOf {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly uint8: Uint8Array;
  readonly bool: Uint8Array;
}

/** Any of the typed arrays that hold a tensor's elements. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

/** All dtypes, for tests and tables. */
export const dtypes: readonly DType[] = Object.freeze(['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool']);

/** Bytes an element takes in memory. */
export const bytesOf: Readonly<Record<DType, number>> = Object.freeze({
  float32: 4,
  float64: 8,
  int32: 4,
  uint32: 4,
  uint8: 1,
  bool: 1,
});

/** The ways to make a typed array that all classes of them have. */
interface ArrayClass {
  new (length: number): TypedArray;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray;
}

/** The class of typed arrays that hold a dtype. */
export const arrayClassOf = (dtype: DType): ArrayClass => {
  switch (dtype) {
    case 'float32':
      return Float32Array;
    case 'float64':
      return Float64Array;
    case 'int32':
      return Int32Array;
    case 'uint32':
      return Uint32Array;
    default:
      return Uint8Array;
  }
};

/** A copy. Unlike `slice`, which has the engine write zeros first: a third of the time of 4 MB. */
export const copyOf = <A extends TypedArray>(array: A): A => new (array.constructor as new (from: A) => A)(array);

/** What to throw after an attempt to take ordinary memory for a tensor: a MemoryError where that is what was missing. */
export const outOfMemory = (error: unknown, operation: string, dtype: DType, shape: readonly number[]): unknown => {
  if (!(error instanceof RangeError || error instanceof MemoryError)) return error;
  const bytes = shape.reduce((size, length) => size * length, bytesOf[dtype]);
  const parts = {
    operation,
    given: `${dtype}[${shape.join(', ')}], for which ${bytes} bytes of ordinary memory are not to be had`,
    rule: 'what is made of JavaScript values or read is an array, which must fit into the memory there is',
    hint: 'Work on smaller parts, and keep no arrays that are not needed any more.',
  };
  return new MemoryError(parts, { cause: error });
};

/**
 * What `make` makes, which takes ordinary memory for a tensor.
 *
 * @throws MemoryError where the engine has none left, or cannot make an array as large
 */
export const allocating = <T>(operation: string, dtype: DType, shape: readonly number[], make: () => T): T => {
  try {
    return make();
  } catch (error) {
    throw outOfMemory(error, operation, dtype, shape);
  }
};

/**
 * A zeroed typed array for `size` elements.
 *
 * @throws MemoryError where there is no memory, naming the operation and the shape that it is for
 */
export const allocate = (
  dtype: DType,
  size: number,
  operation = 'allocate',
  shape: readonly number[] = [size],
): TypedArray => allocating(operation, dtype, shape, () => new (arrayClassOf(dtype))(size));

export const isFloat = (dtype: DType): dtype is FloatDType => dtype === 'float32' || dtype === 'float64';

export const isInteger = (dtype: DType): boolean => dtype === 'int32' || dtype === 'uint32' || dtype === 'uint8';

/** Whether `value` is one of the dtype names; for arguments that come from untyped code. */
export const isDType = (value: unknown): value is DType => dtypes.some(dtype => dtype === value);

const [minimum, maximum] = [
  { int32: -(2 ** 31), uint32: 0, uint8: 0 },
  { int32: 2 ** 31 - 1, uint32: 2 ** 32 - 1, uint8: 255 },
];

/** Whether the integer dtype can hold the number exactly. */
export const fits = (value: number, dtype: 'int32' | 'uint32' | 'uint8'): boolean =>
  Number.isInteger(value) && value >= minimum[dtype] && value <= maximum[dtype];

/**
 * The dtype in which a JavaScript number meets a tensor.
 *
 * @throws DTypeError when an integer tensor cannot hold it
 */
export const dtypeOfNumber = (operation: string, value: number, other: DType): DType => {
  if (isFloat(other)) return other;
  if (other === 'bool') return fits(value, 'int32') ? 'int32' : 'float32';
  if (!fits(value, other as 'int32')) {
    throw new DTypeError({
      operation,
      given: `the number ${value} and a tensor of ${other}`,
      rule: Number.isInteger(value)
        ? `a number takes the tensor's dtype, and ${other} holds ${minimum[other as 'int32']} to ${maximum[other as 'int32']}`
        : "a number takes the tensor's dtype, and an integer dtype holds no fraction",
      hint: "Cast the tensor first: cast(x, 'float32').",
    });
  }
  return other;
};

/**
 * The dtype two tensors meet in; see the rules at the top of this file.
 *
 * @throws DTypeError for int32 with uint32
 */
export const promote = (operation: string, a: DType, b: DType): DType => {
  if (a === b) return a;
  if (a === 'bool') return b;
  if (b === 'bool') return a;
  const float = isFloat(a) || isFloat(b);
  if (float) return a === 'float64' || b === 'float64' ? 'float64' : 'float32';
  if (a === 'uint8') return b;
  if (b === 'uint8') return a;
  throw new DTypeError({
    operation,
    given: `${a} and ${b}`,
    rule: 'no integer dtype here holds the values of both',
    hint: "Cast one of them: cast(x, 'int32').",
  });
};
