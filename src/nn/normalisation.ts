/** What the normalisation layers share: normalising over axes, scale and shift, checks. */

import { ShapeError } from '../tensor/errors.js';
import { unaryOperand } from '../tensor/ops/common/operands.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { ones, zeros } from '../tensor/ops/creation/creation.js';
import { add, mul, sub } from '../tensor/ops/elementwise/arithmetic.js';
import { rsqrt } from '../tensor/ops/elementwise/elementary.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { mean } from '../tensor/ops/reduction/reduction.js';
import { variance } from '../tensor/ops/reduction/statistics.js';
import { checkArgument, checkInteger, type Shape, sameShape, showAval, showShape } from '../tensor/shape.js';
import { isTensor, type Tensor, wrap } from '../tensor/tensor.js';

/** Scale and shift of what is normalised. */
export interface AffineParams {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Parameters where there may be none. */
export type MaybeAffine<Affine extends boolean> = Affine extends true ? AffineParams : Readonly<Record<string, never>>;

/** Options of the normalisation layers. */
export interface NormOptions<Affine extends boolean = boolean> {
  /** Added to the variance, so that nothing is divided by 0. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether the layer has parameters, by which it scales and shifts what it has normalised. */
  readonly affine?: Affine;
}

/** An object of options with a positive or no epsilon. */
export const checkNormOptions = (
  operation: string,
  names: readonly string[],
  options: NormOptions | undefined,
): void => {
  checkOptions(operation, names, options);
  const { epsilon = 0, affine = true } = options ?? {};
  checkArgument(
    Number.isFinite(epsilon) && epsilon >= 0,
    operation,
    `epsilon ${String(epsilon)}`,
    'epsilon is a finite number, and not negative',
    'Leave it out for the usual one.',
  );
  checkFlag(operation, 'affine', affine);
};

/** The positive lengths of the last axes that a layer is for. */
export const checkSizes = (operation: string, size: number | Shape): Shape => {
  const sizes = Array.isArray(size) ? Object.freeze([...(size as Shape)]) : [size as number];
  for (const each of sizes) checkInteger(operation, 'the size', each, 1, Number.MAX_SAFE_INTEGER);
  checkArgument(
    sizes.length > 0,
    operation,
    'no size',
    'it normalises one axis at least',
    'Give the length of the last axis, or the lengths of the last axes in an array.',
  );
  return sizes;
};

/** The input as floats, with these last axes. */
export const inputOf = (operation: string, x: unknown, sizes: Shape): Tensor => {
  const floats = wrap(unaryOperand(operation, x, { toFloat: true }));
  if (floats.shape.length >= sizes.length && sameShape(floats.shape.slice(-sizes.length), sizes)) return floats;
  throw new ShapeError({
    operation,
    given: showAval(x as Tensor),
    rule:
      sizes.length === 1 ? `the last axis must have length ${sizes[0]}` : `the last axes must be ${showShape(sizes)}`,
    hint: 'Make the layer with the lengths of the last axes.',
  });
};

/** The input as floats: [N, channels] and at least so many axes more. */
export const channelsOf = (operation: string, x: unknown, channels: number, spatial = 0): Tensor => {
  const floats = wrap(unaryOperand(operation, x, { toFloat: true }));
  if (floats.shape.length >= 2 + spatial && floats.shape[1] === channels) return floats;
  throw new ShapeError({
    operation,
    given: showAval(x as Tensor),
    rule: `x is [N, ${channels}${spatial > 0 ? ', length, …' : ', …'}]: examples, then channels`,
    hint: 'Make the layer with the length of the second axis, or move the channels there with moveAxis.',
  });
};

/** A parameter, of the shape that the layer has given it. */
export const parameter = <K extends string>(
  operation: string,
  params: { readonly [key in K]: Tensor },
  name: K,
  shape: Shape,
): Tensor => {
  const value: unknown = params?.[name];
  if (isTensor(value) && sameShape(value.shape, shape)) return value;
  throw new ShapeError({
    operation,
    given: `${isTensor(value) ? showAval(value) : `${typeof value} ${String(value)}`} as the ${name}`,
    rule: `its ${name} is ${showShape(shape)}`,
    hint: 'Use parameters that this layer has made with init(key).',
  });
};

/** `(x − mean) / √(variance + ε)` over the axes. */
export const normalised = (x: Tensor, axis: readonly number[], epsilon: number): Tensor => {
  const over = { axis, keepDims: true };
  return mul(sub(x, mean(x, over)), rsqrt(add(variance(x, over), epsilon))) as Tensor;
};

/** Parameters that change nothing. */
export const identity = <Affine extends boolean>(shape: Shape, affine: Affine): MaybeAffine<Affine> =>
  Object.freeze(affine ? { weight: ones(shape), bias: zeros(shape) } : {}) as MaybeAffine<Affine>;

/** A vector for the channels of [N, channels, …]. */
export const perChannel = (vector: Tensor, { shape }: Tensor): Tensor =>
  reshape(vector, [vector.shape[0]!, ...shape.slice(2).map(() => 1)]) as Tensor;

/** `x · weight + bias`, the parameters in whatever way they fit x. */
export const scaled = (
  operation: string,
  x: Tensor,
  params: AffineParams,
  shape: Shape,
  place: (vector: Tensor, x: Tensor) => Tensor = vector => vector,
): Tensor =>
  add(
    mul(x, place(parameter(operation, params, 'weight', shape), x)),
    place(parameter(operation, params, 'bias', shape), x),
  ) as Tensor;
