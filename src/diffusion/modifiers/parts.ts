/** What modifiers of denoisers share: denoised samples with other parts, coefficients, what inputs say. */
import { isFloat } from '../../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { broadcastShapes, sameShape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { checkFinite } from '../checks.js';
import type { Denoised } from '../denoiser.js';
import type { Parts } from '../prediction.js';

/** A tensor, or what gives it for the inputs of a batch: `inputs => inputs.image`. */
export type FromInputs<E = unknown> = Tensor | ((inputs: E) => Tensor);

/** With other parts. A mean that a network predicted belongs to the parts it had. */
export const withParts = ({ mean: _, ...denoised }: Denoised, parts: Parts): Denoised =>
  Object.freeze({ ...denoised, ...parts });

/**
 * Refuses what is no coefficient: a number, or floats.
 *
 * @throws ArgumentError, DTypeError
 */
export const checkCoefficient = (operation: string, name: string, value: number | Tensor): void => {
  if (!isTensor(value)) {
    checkFinite(operation, name, value);
    return;
  }
  if (isFloat(value.dtype) && value.shape.length <= 1) return;
  throw new DTypeError({
    operation,
    given: `${name} ${showAval(value)}`,
    rule: `${name} is a number, a float scalar, or floats [N]`,
    hint: 'Write a number for all samples.',
  });
};

/**
 * Refuses coefficients for another number of samples.
 *
 * @throws ShapeError
 */
export const checkCount = (operation: string, name: string, value: number | Tensor, x: Tensor): void => {
  if (typeof value === 'number' || value.shape.length === 0 || value.shape[0] === x.shape[0]) return;
  throw new ShapeError({
    operation,
    given: `${name} ${showAval(value)} for samples ${showAval(x)}`,
    rule: `${name} is one for all samples, or one for each`,
    hint: 'Write a number for all samples.',
  });
};

/**
 * Refuses what is neither a tensor nor a function.
 *
 * @throws ArgumentError
 */
export const checkFromInputs = (operation: string, name: string, value: unknown): void => {
  if (isTensor(value) || typeof value === 'function') return;
  throw new ArgumentError({
    operation,
    given: `${kindOf(value)} as ${name}`,
    rule: `${name} is a tensor, or a function of the inputs that gives it`,
    hint: 'Write tensor(…), or inputs => inputs.image.',
  });
};

/**
 * The tensor for the inputs of a batch.
 *
 * @throws ArgumentError when a function gives none
 */
export const fromInputs = <E>(operation: string, name: string, value: FromInputs<E>, inputs: E): Tensor => {
  const found = typeof value === 'function' ? value(inputs) : value;
  if (isTensor(found)) return found;
  throw new ArgumentError({
    operation,
    given: `${kindOf(found)} as ${name}`,
    rule: `the function gives ${name} as a tensor`,
    hint: 'Write inputs => inputs.image, and pass sample its { inputs }.',
  });
};

/**
 * Refuses what does not broadcast to the samples.
 *
 * @throws ShapeError
 */
export const checkFits = (operation: string, name: string, value: Tensor, x: Tensor): void => {
  if (sameShape(broadcastShapes(operation, value.shape, x.shape), x.shape)) return;
  throw new ShapeError({
    operation,
    given: `${name} ${showAval(value)} for samples ${showAval(x)}`,
    rule: `${name} broadcasts to the samples`,
    hint: 'Give it the shape [N, …] of the samples, or 1 where they have it in common.',
  });
};
