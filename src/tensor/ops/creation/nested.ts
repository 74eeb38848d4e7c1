/** What `tensor` reads: nested arrays of numbers or booleans, and typed arrays. */
import { allocate, type DType, isFloat, type TypedArray } from '../../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import { bufferNode } from '../../graph.js';
import { checkShape, type Shape, showShape, sizeOf } from '../../shape.js';
import { HostStorage } from '../../storage.js';
import { isTensor, type Tensor, wrap } from '../../tensor.js';
import { checkDType, checkHolds, kindOf } from '../common/checks.js';

const dtypeOfArray: Readonly<Record<string, DType>> = Object.freeze({
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Uint8Array: 'uint8',
});

/** `[1][0]`: where an element stands in nested arrays. */
const place = (indices: readonly number[]): string => indices.map(i => `[${i}]`).join('');

const placeOf = (flat: number, shape: Shape): string => {
  const indices: number[] = [];
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return place(indices);
};

/** The shape of nested arrays, judged by their first elements. */
const shapeOfNested = (values: unknown): number[] => {
  const shape: number[] = [];
  for (let level = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
};

/** The elements of nested arrays in row-major order, each checked to be where the shape has it. */
const flatten = (values: unknown, shape: Shape): (number | boolean)[] => {
  const elements: (number | boolean)[] = [];
  const at: number[] = [];
  const walk = (value: unknown): void => {
    const depth = at.length;
    if (depth === shape.length && (typeof value === 'number' || typeof value === 'boolean')) {
      if (elements.length > 0 && typeof value !== typeof elements[0]) {
        throw new DTypeError({
          operation: 'tensor',
          given: `${kindOf(elements[0])} at ${placeOf(0, shape)} and ${kindOf(value)} at ${place(at)}`,
          rule: 'elements are all numbers or all booleans',
          hint: 'Write 1 and 0 for true and false, or the other way round.',
        });
      }
      elements.push(value);
      return;
    }
    if (depth < shape.length && Array.isArray(value) && value.length === shape[depth]) {
      // By index: forEach would pass over the holes of a sparse array.
      for (let i = 0; i < value.length; i++) {
        at.push(i);
        walk(value[i]);
        at.pop();
      }
      return;
    }
    const where = depth === 0 ? '' : ` at ${place(at)}`;
    if (Array.isArray(value) || ((typeof value === 'number' || typeof value === 'boolean') && depth > 0)) {
      const first = place(at.map(() => 0));
      const expected = depth === shape.length ? 'an element' : `an array of length ${shape[depth]}`;
      throw new ShapeError({
        operation: 'tensor',
        given: `${kindOf(value)}${where}, but ${expected} at ${first}`,
        rule: 'nested arrays must be rectangular: those of one depth have one length',
        hint: 'Pad the shorter rows, or make a tensor of each.',
      });
    }
    throw new ArgumentError({
      operation: 'tensor',
      given: `${kindOf(value)}${where}`,
      rule: 'elements are numbers or booleans, in arrays nested to any depth or in a typed array',
      hint: isTensor(value) ? 'Join tensors with stack or concat.' : 'Convert them first: Number(value).',
    });
  };
  walk(values);
  return elements;
};

/** A tensor of the caller's numbers, which are copied and checked. */
const fromNumbers = (numbers: ArrayLike<number | boolean>, shape: Shape, dtype: DType): Tensor => {
  const array = allocate(dtype, numbers.length, 'tensor', shape);
  const checked = !isFloat(dtype);
  for (let i = 0; i < array.length; i++) {
    const value = Number(numbers[i]);
    if (checked) checkHolds('tensor', dtype, value, shape.length === 0 ? '' : ` at ${placeOf(i, shape)}`);
    array[i] = value;
  }
  return wrap(bufferNode(Object.freeze([...shape]), new HostStorage(dtype, array)));
};

/**
 * A tensor of a copy of the typed array: a vector, unless a shape is given.
 *
 * @throws ArgumentError for a class of typed arrays that is not one of a dtype
 * @throws ShapeError when the shape has another number of elements
 * @throws DTypeError when the dtype asked for does not hold an element
 */
export const fromTypedArray = (values: TypedArray, given: unknown, asked: DType | undefined): Tensor => {
  const name = Object.prototype.toString.call(values).slice(8, -1);
  const own = dtypeOfArray[name];
  if (own === undefined) {
    throw new ArgumentError({
      operation: 'tensor',
      given: `a ${name}`,
      rule: `of the typed arrays it takes ${Object.keys(dtypeOfArray).join(', ')}`,
      hint: 'Convert it first: Float32Array.from(values).',
    });
  }
  const dtype = checkDType('tensor', asked ?? own);
  const shape = given === undefined ? Object.freeze([values.length]) : checkShape('tensor', given as Shape);
  if (sizeOf(shape) !== values.length) {
    throw new ShapeError({
      operation: 'tensor',
      given: `a ${name} of length ${values.length} and the shape ${showShape(shape)}`,
      rule: `that shape has ${sizeOf(shape)} elements`,
      hint: 'Give a shape whose lengths multiply to the length of the array.',
    });
  }
  if (dtype !== own) return fromNumbers(values, shape, dtype);
  // A copy: `slice` would not be one for Node's Buffer.
  const array = allocate(dtype, values.length, 'tensor', shape);
  array.set(values);
  return wrap(bufferNode(shape, new HostStorage(dtype, array)));
};

/**
 * A tensor of a number or boolean, or of arrays of them nested to any depth.
 *
 * @throws ShapeError when the arrays are not rectangular
 * @throws DTypeError for booleans among numbers, and for numbers that the dtype asked for does not hold
 * @throws ArgumentError for anything else
 */
export const fromNested = (values: unknown, asked: DType | undefined): Tensor => {
  const shape = shapeOfNested(values);
  const elements = flatten(values, shape);
  const dtype = checkDType('tensor', asked ?? (typeof elements[0] === 'boolean' ? 'bool' : 'float32'));
  return fromNumbers(elements, shape, dtype);
};
