/** Making tensors: from JavaScript values, filled, counted. */
import { b } from '../../build.js';
import { allocate, type DType, isFloat, type TypedArray } from '../../dtype.js';
import { bufferNode } from '../../graph.js';
import { full as fullNode } from '../../primitives/full.js';
import { checkArgument, checkInteger, checkShape, type Shape } from '../../shape.js';
import type { Nested, NestedDType, NestedShape } from '../../shape-types.js';
import { HostStorage } from '../../storage.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Steps } from '../../types/lengths.js';
import { checkDType, checkHolds, kindOf } from '../common/checks.js';
import { checkSetting, nodeFor } from '../common/operands.js';
import { checkOptions, dualChecked } from '../common/options.js';
import { fromNested, fromTypedArray } from './nested.js';

/**
 * What the functions that make tensors take last. In their results the dtype is `NoInfer`: else a place that takes
 * any tensor would make it any dtype, instead of the default.
 */
export interface DTypeOptions<D extends DType> {
  /** The dtype of the result. */
  readonly dtype?: D;
}

/** The dtype that options ask for, or the default. */
const dtypeFrom = (operation: string, options: DTypeOptions<DType> | undefined, otherwise: DType): DType => {
  checkOptions(operation, ['dtype'], options);
  return checkDType(operation, options?.dtype ?? otherwise);
};

/** The dtype a typed array gets when none is asked for. */
export type DTypeOf<T> = T extends Float32Array
  ? 'float32'
  : T extends Float64Array
    ? 'float64'
    : T extends Int32Array
      ? 'int32'
      : T extends Uint32Array
        ? 'uint32'
        : 'uint8';

/** The signatures of {@link tensor}. */
export interface MakeTensor {
  <T extends TypedArray, D extends DType = DTypeOf<T>>(
    values: T,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [number], NoInfer<D>>;
  <T extends TypedArray, const S extends Shape, D extends DType = DTypeOf<T>>(
    values: T,
    shape: S,
    options?: DTypeOptions<D>,
  ): Tensor<S, NoInfer<D>>;
  <const A extends Nested, D extends DType = NestedDType<A>>(
    values: A,
    options?: DTypeOptions<D>,
  ): Tensor<NestedShape<A>, NoInfer<D>>;
}

/**
 * A tensor of the given values, which are copied: a number or boolean, arrays of them nested to any depth, or a
 * typed array with a shape (left out: a vector).
 *
 * @returns the shape of the nesting, or the one given; float32 for numbers, bool for booleans, a typed array's own
 * dtype (Uint8Array: uint8), unless `dtype` says otherwise
 * @throws ShapeError for nested arrays that are not rectangular, or a typed array of another length than the shape's
 * @throws DTypeError for booleans among numbers, and for numbers that an integer dtype does not hold
 * @throws ArgumentError for anything that is no number, boolean or array of them; for an option of another name
 * @numpy np.array
 * @pytorch torch.tensor
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * tensor([[1, 2, 3], [4, 5, 6]]).shape; // => [2, 3]
 * tensor([true, false]).dtype; // => 'bool'
 * tensor([1, 2], { dtype: 'int32' }).toArray(); // => [1, 2]
 * tensor(new Float64Array([1, 2, 3, 4]), [2, 2]).toArray(); // => [[1, 2], [3, 4]]
 * tensor(new Uint8Array([0, 1]), { dtype: 'bool' }).toArray(); // => [false, true]
 * ```
 */
export const tensor: MakeTensor = (values: unknown, second?: unknown, third?: DTypeOptions<DType>) => {
  const hasShape = Array.isArray(second) || third !== undefined;
  const options = (hasShape ? third : second) as DTypeOptions<DType> | undefined;
  checkOptions('tensor', ['dtype'], options);
  if (ArrayBuffer.isView(values)) {
    return fromTypedArray(values as TypedArray, hasShape ? second : undefined, options?.dtype) as never;
  }
  checkArgument(
    !hasShape,
    'tensor',
    `${kindOf(values)} and a shape`,
    'a shape goes with a typed array; nested arrays have their own',
    'Write reshape(tensor(values), shape).',
  );
  return fromNested(values, options?.dtype) as never;
};

const filled = (operation: string, shape: Shape, value: number, dtype: DType): Tensor => {
  checkHolds(operation, dtype, value);
  return wrap(fullNode(b, { shape, dtype }, value));
};

const elementValue = (operation: string, value: unknown): number => {
  checkArgument(
    typeof value === 'number' || typeof value === 'boolean',
    operation,
    `${kindOf(value)} as the value`,
    'the value is a number or a boolean',
    'To repeat a tensor, use broadcastTo.',
  );
  return Number(value);
};

/** The signatures of {@link zeros} and {@link ones}. */
export type Filled = <const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options?: DTypeOptions<D>,
) => Tensor<S, NoInfer<D>>;

/**
 * A tensor of zeros (false for bool). It takes no memory until it is read.
 *
 * @returns the shape given; float32 unless `dtype` says otherwise
 * @throws ShapeError when a length is no non-negative integer
 * @throws ArgumentError for an option of another name
 * @numpy np.zeros
 * @pytorch torch.zeros
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * zeros([2, 3]).toArray(); // => [[0, 0, 0], [0, 0, 0]]
 * ```
 */
export const zeros: Filled = (shape, options) =>
  filled('zeros', checkShape('zeros', shape), 0, dtypeFrom('zeros', options, 'float32')) as never;

/**
 * A tensor of ones (true for bool). It takes no memory until it is read.
 *
 * @returns the shape given; float32 unless `dtype` says otherwise
 * @throws ShapeError when a length is no non-negative integer
 * @throws ArgumentError for an option of another name
 * @numpy np.ones
 * @pytorch torch.ones
 * @example
 * ```js
 * import { ones } from 'tenfold';
 * ones([3], { dtype: 'int32' }).toArray(); // => [1, 1, 1]
 * ```
 */
export const ones: Filled = (shape, options) =>
  filled('ones', checkShape('ones', shape), 1, dtypeFrom('ones', options, 'float32')) as never;

/** The dtype of a value when none is asked for. */
export type ValueDType<V extends number | boolean> = V extends boolean ? 'bool' : 'float32';

/**
 * A tensor with one value everywhere. It takes no memory until it is read.
 *
 * @returns the shape given; float32 for a number, bool for a boolean, unless `dtype` says otherwise
 * @throws ShapeError when a length is no non-negative integer
 * @throws DTypeError when an integer dtype does not hold the value
 * @throws ArgumentError for an option of another name
 * @numpy np.full
 * @pytorch torch.full
 * @example
 * ```js
 * import { full } from 'tenfold';
 * full([2, 2], 0.5).toArray(); // => [[0.5, 0.5], [0.5, 0.5]]
 * full([2], true).dtype; // => 'bool'
 * ```
 */
export const full = <const S extends Shape, V extends number | boolean, D extends DType = ValueDType<V>>(
  shape: S,
  value: V,
  options?: DTypeOptions<D>,
): Tensor<S, NoInfer<D>> => {
  const dtype = dtypeFrom('full', options, typeof value === 'boolean' ? 'bool' : 'float32');
  return filled('full', checkShape('full', shape), elementValue('full', value), dtype) as never;
};

/** The signature of {@link zerosLike} and {@link onesLike}. */
export type FilledLike = <S extends Shape, D extends DType, E extends DType = D>(
  x: Tensor<S, D>,
  options?: DTypeOptions<E>,
) => Tensor<S, NoInfer<E>>;

const filledLike = (operation: string, x: unknown, value: number, options: DTypeOptions<DType> | undefined): Tensor => {
  const node = nodeFor(operation, x);
  return filled(operation, node.shape, value, dtypeFrom(operation, options, node.dtype));
};

/**
 * Zeros in the shape of `x`.
 *
 * @returns shape and dtype of `x`, unless `dtype` says otherwise
 * @throws ArgumentError when `x` is no tensor; for an option of another name
 * @numpy np.zeros_like
 * @pytorch torch.zeros_like
 * @example
 * ```js
 * import { tensor, zerosLike } from 'tenfold';
 * zerosLike(tensor([1, 2])).toArray(); // => [0, 0]
 * ```
 */
export const zerosLike: FilledLike = (x, options) => filledLike('zerosLike', x, 0, options) as never;

/**
 * Ones in the shape of `x`.
 *
 * @returns shape and dtype of `x`, unless `dtype` says otherwise
 * @throws ArgumentError when `x` is no tensor; for an option of another name
 * @numpy np.ones_like
 * @pytorch torch.ones_like
 * @example
 * ```js
 * import { onesLike, tensor } from 'tenfold';
 * onesLike(tensor([[3, 4]])).toArray(); // => [[1, 1]]
 * ```
 */
export const onesLike: FilledLike = (x, options) => filledLike('onesLike', x, 1, options) as never;

/** The signatures of {@link fullLike}. */
export interface FullLike {
  <S extends Shape, D extends DType, E extends DType = D>(
    x: Tensor<S, D>,
    value: number | boolean,
    options?: DTypeOptions<E>,
  ): Tensor<S, NoInfer<E>>;
  (value: number | boolean): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, D>;
  <E extends DType>(
    value: number | boolean,
    options: { readonly dtype: E },
  ): <S extends Shape, D extends DType>(x: Tensor<S, D>) => Tensor<S, E>;
}

/**
 * One value everywhere, in the shape of `x`.
 *
 * @returns shape and dtype of `x`, unless `dtype` says otherwise
 * @throws DTypeError when the dtype does not hold the value
 * @throws ArgumentError when `x` is no tensor; for an option of another name
 * @numpy np.full_like
 * @pytorch torch.full_like
 * @example
 * ```js
 * import { fullLike, tensor } from 'tenfold';
 * fullLike(tensor([1, 2]), 7).toArray(); // => [7, 7]
 * ```
 */
export const fullLike: FullLike = dualChecked(
  'fullLike',
  2,
  ['dtype'],
  (x: Tensor, value: number | boolean, options?: DTypeOptions<DType>) =>
    filledLike('fullLike', x, elementValue('fullLike', value), options),
);

/** The signatures of {@link arange}. */
export interface Arange {
  <const N extends number, D extends DType = 'float32'>(
    stop: N,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [Steps<0, N, 1>], NoInfer<D>>;
  <const M extends number, const N extends number, D extends DType = 'float32'>(
    start: M,
    stop: N,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [Steps<M, N, 1>], NoInfer<D>>;
  <const M extends number, const N extends number, const K extends number, D extends DType = 'float32'>(
    start: M,
    stop: N,
    step: K,
    options?: DTypeOptions<D>,
  ): Tensor<readonly [Steps<M, N, K>], NoInfer<D>>;
}

const computed = (operation: string, length: number, dtype: DType, at: (i: number) => number): Tensor => {
  const array = allocate(dtype, length, operation);
  for (let i = 0; i < length; i++) {
    const value = at(i);
    if (!isFloat(dtype)) checkHolds(operation, dtype, value);
    array[i] = value;
  }
  return wrap(bufferNode(Object.freeze([length]), new HostStorage(dtype, array)));
};

const checkFinite = (operation: string, numbers: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(numbers)) {
    checkArgument(
      Number.isFinite(value),
      operation,
      `${kindOf(value)} as ${name}`,
      `${name} is a finite number`,
      `Check ${name}.`,
    );
  }
};

/**
 * `start`, `start + step`, … up to but not including `stop`; `arange(stop)` counts from 0. Computed in float64.
 *
 * @returns a vector of ⌈(stop − start) / step⌉ elements, none if that is negative; float32 unless `dtype` says
 * otherwise
 * @throws ArgumentError when the step is 0, or a number is not finite; for an option of another name
 * @throws DTypeError when an integer dtype does not hold the values
 * @numpy np.arange
 * @pytorch torch.arange
 * @example
 * ```js
 * import { arange } from 'tenfold';
 * arange(4).toArray(); // => [0, 1, 2, 3]
 * arange(5, 0, -2, { dtype: 'int32' }).toArray(); // => [5, 3, 1]
 * ```
 */
export const arange: Arange = (...args: unknown[]) => {
  for (const argument of args) checkSetting('arange', 'a bound or step', argument);
  const numbers = args.filter(argument => typeof argument !== 'object') as number[];
  const options = args[numbers.length] as DTypeOptions<DType> | undefined;
  const [start, stop, step = 1] = numbers.length === 1 ? [0, numbers[0]!] : (numbers as [number, number, number?]);
  const dtype = dtypeFrom('arange', options, 'float32');
  checkArgument(
    numbers.length <= 3 && args.length <= numbers.length + 1,
    'arange',
    `${args.length} arguments`,
    'it takes start, stop, step and options',
    "Write arange(0, 10, 2, { dtype: 'int32' }).",
  );
  checkFinite('arange', { start, stop, step });
  checkArgument(
    step !== 0,
    'arange',
    `start ${start}, stop ${stop}, step 0`,
    'a step of 0 never arrives',
    'Use a step that leads from start to stop; for equal values use full.',
  );
  const length = Math.max(0, Math.ceil((stop - start) / step));
  checkInteger('arange', 'the length', length, 0, 2 ** 31 - 1);
  if (start === 0 && step === 1 && dtype !== 'bool' && dtype !== 'uint8') {
    return wrap(b.iota({ shape: [length], dtype, axis: 0 })) as never;
  }
  return computed('arange', length, dtype, i => start + i * step) as never;
};

/**
 * `count` numbers evenly spaced from `start` to `stop`, both included exactly. Computed in float64.
 *
 * @returns a vector; float32 unless `dtype` says otherwise
 * @throws IndexError when `count` is no non-negative integer
 * @throws ArgumentError when a bound is not finite; for an option of another name
 * @throws DTypeError when an integer dtype does not hold the values
 * @numpy np.linspace
 * @pytorch torch.linspace
 * @example
 * ```js
 * import { linspace } from 'tenfold';
 * linspace(0, 1, 5).toArray(); // => [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export const linspace = <const N extends number, D extends DType = 'float32'>(
  start: number,
  stop: number,
  count: N,
  options?: DTypeOptions<D>,
): Tensor<readonly [N], NoInfer<D>> => {
  const dtype = dtypeFrom('linspace', options, 'float32');
  checkFinite('linspace', { start, stop });
  checkInteger('linspace', 'count', count, 0, 2 ** 31 - 1);
  const step = (stop - start) / (count - 1);
  const at = (i: number): number => (i === 0 ? start : i === count - 1 ? stop : start + i * step);
  return computed('linspace', count, dtype, at) as never;
};
