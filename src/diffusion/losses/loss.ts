/** What a loss is: a pure function of a model and of examples whose noise is drawn already. */
import { isFloat } from '../../tensor/dtype.js';
import { DTypeError, ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { mul } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast } from '../../tensor/ops/elementwise/cast.js';
import { checkArgument, sameShape, showAval } from '../../tensor/shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { checkFunctions } from '../checks.js';
import type { NoiseLevel } from '../level.js';
import type { Model } from '../reverse-process.js';

/** What a loss is given of a batch. */
export interface LossExample<E = unknown> {
  /** The data x₀, float [N, …]. */
  readonly xStart: Tensor;
  /** The times that were drawn, [N]: int32 for those of a Gaussian diffusion. */
  readonly t: Tensor;
  /** The noise levels at these times, float64 [N]. */
  readonly level: NoiseLevel;
  /** Standard normal noise, in shape and dtype of the data. */
  readonly noise: Tensor;
  /** What the model is given beside samples and times. */
  readonly inputs: E;
}

/** What a trainer adds: how far training has got. A loss may do without. */
export interface TrainingProgress<E = unknown> {
  /** The number of steps done, an int32 scalar. */
  readonly step?: Tensor | undefined;
  /**
   * The model with the moving average of its parameters, that of a name where there are several. No derivative leads into
   * them, and where no loss asks for it nothing is computed.
   */
  readonly average?: ((name?: string) => Model<E>) | undefined;
}

/** The losses of a batch: the loss of each sample, and perhaps what it is made of, all [N]. */
export interface Losses {
  readonly loss: Tensor;
}

/** A loss: of a model (samples in the scaling it knows, times [N], inputs) and of examples. */
export type DiffusionLoss<E = unknown> = (model: Model<E>, example: LossExample<E> & TrainingProgress<E>) => Losses;

/**
 * Refuses what is no model or no example.
 *
 * @throws ArgumentError
 */
export const checkExample = (operation: string, model: unknown, example: unknown): void => {
  checkFunctions(operation, { model });
  checkArgument(
    typeof example === 'object' && example !== null,
    operation,
    `${kindOf(example)} as the examples`,
    'examples are data, noise, and times or levels',
    'Write { xStart, t, level, noise, inputs }.',
  );
};

/**
 * Refuses what is no level, or no level of these samples.
 *
 * @throws ArgumentError, ShapeError
 */
export const checkLevel = (operation: string, level: NoiseLevel, x?: Tensor): void => {
  const parts = [level?.alpha, level?.sigma, level?.time];
  checkArgument(
    parts.every(part => isTensor(part) && isFloat(part.dtype)),
    operation,
    `${kindOf(level)} as the level`,
    'a level has the float tensors alpha, sigma and time',
    'Take that of a process: process.levelAt(time).',
  );
  const vectors = parts.filter(({ shape }) => shape.length > 0);
  const count = x === undefined ? vectors[0]?.shape[0] : x.shape[0];
  if (vectors.every(({ shape }) => shape.length === 1 && shape[0] === count)) return;
  throw new ShapeError({
    operation,
    given: `a level of ${parts.map(showAval).join(', ')}${x === undefined ? '' : ` for ${showAval(x)}`}`,
    rule: 'a level is of the shape [], or [N] for samples [N, …]',
    hint: 'Draw one time for each sample.',
  });
};

/**
 * Refuses a single sample in the place of a batch.
 *
 * @throws ShapeError
 */
export const checkBatched = (operation: string, x: Tensor): void => {
  if (x.shape.length > 0) return;
  throw new ShapeError({
    operation,
    given: showAval(x),
    rule: 'a batch has its examples along the first axis',
    hint: 'Use expandDims(x, 0) for a batch of one.',
  });
};

/**
 * Losses [N] times the weights of their levels; anything but one weight a sample, or one for all, would be broadcast.
 *
 * @throws ArgumentError, ShapeError
 */
export const weighed = (operation: string, losses: Tensor, weights: Tensor): Tensor => {
  checkArgument(
    isTensor(weights) && isFloat(weights.dtype),
    operation,
    `a weighting that gives ${isTensor(weights) ? showAval(weights) : kindOf(weights)}`,
    'a weighting gives a tensor of floats',
    'Write level => onesLike(level.sigma).',
  );
  if (weights.shape.length > 0 && !sameShape(weights.shape, losses.shape)) {
    throw new ShapeError({
      operation,
      given: `a weighting that gives ${showAval(weights)} for losses ${showAval(losses)}`,
      rule: 'weights have the shape of the level, [] or [N]',
      hint: 'Make them of level.alpha and level.sigma, element by element.',
    });
  }
  return mul(losses, cast(weights, losses.dtype) as Tensor) as Tensor;
};

/**
 * Refuses what no loss gives for N examples.
 *
 * @throws ArgumentError, DTypeError, ShapeError
 */
export const checkLosses = (operation: string, losses: Losses, count: number): void => {
  checkArgument(
    typeof losses === 'object' && losses !== null && isTensor(losses.loss) && Object.values(losses).every(isTensor),
    operation,
    `a loss that gives ${kindOf(losses)}`,
    'a loss gives a record with the tensor loss, [N], and perhaps others that it is made of',
    'Write { loss }.',
  );
  const { loss } = losses;
  const given = `a loss that gives ${showAval(loss)} for ${count} examples`;
  if (!isFloat(loss.dtype)) {
    throw new DTypeError({ operation, given, rule: 'losses are floats', hint: "Cast them: cast(loss, 'float32')." });
  }
  if (sameShape(loss.shape, [count])) return;
  throw new ShapeError({
    operation,
    given,
    rule: 'there is one loss for each example, [N]',
    hint: 'Take the mean over all axes but the first.',
  });
};
