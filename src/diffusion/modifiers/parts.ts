/**
 * What modifiers of denoisers share: parts that agree with x and are finite at every level, coefficients, what inputs
 * say.
 */
import { isFloat } from '../../tensor/dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkNumber } from '../../tensor/ops/common/numbers.js';
import { equal, where } from '../../tensor/ops/elementwise/comparison.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { broadcastShapes, sameShape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import type { Denoised } from '../denoiser.js';
import type { NoiseLevel } from '../level.js';
import { type Parts, type PredictionType, partsOf } from '../prediction.js';

/** A tensor, or what gives it for the inputs of a batch: `inputs => inputs.image`. */
export type FromInputs<E = unknown> = Tensor | ((inputs: E) => Tensor);

/** One of two, by a condition [] or [N] for samples [N, …]. */
export const choose = (condition: Tensor, yes: Tensor, no: Tensor): Tensor => {
  const [count] = condition.shape;
  const column = count === undefined ? condition : reshape(condition, [count, ...yes.shape.slice(1).fill(1)]);
  return where(column as Tensor, yes, no) as Tensor;
};

/** σ or α where something is divided by it: where it is 0, 1 takes its place. */
export const orOne = (coefficient: Tensor): Tensor => where(equal(coefficient, 0), 1, coefficient) as Tensor;

/**
 * The parts that a changed prediction means. Where the level does not tell the one from the other (σ = 0 or α = 0), the
 * part that cannot be had stays as it was, and so does a noise that is all of x.
 */
export const agreeing = (
  type: PredictionType,
  value: Tensor,
  x: Tensor,
  level: NoiseLevel,
  otherwise: Parts,
): Parts => {
  const { alpha, sigma } = level;
  if (type === 'x0') {
    const { eps } = partsOf(type, value, x, { ...level, sigma: orOne(sigma) });
    return { x0: value, eps: choose(equal(sigma, 0), otherwise.eps, eps) };
  }
  if (type !== 'epsilon') return partsOf(type, value, x, level);
  const none = equal(alpha, 0);
  const { x0, eps } = partsOf(type, value, x, { ...level, alpha: orOne(alpha) });
  return { x0: choose(none, otherwise.x0, x0), eps: choose(none, otherwise.eps, eps) };
};

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
    checkNumber(operation, name, value);
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
