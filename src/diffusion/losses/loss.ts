/** What a loss is: a pure function of a model and of examples whose noise is drawn already. */
import { isFloat } from '../../tensor/dtype.js';
import { ShapeError } from '../../tensor/errors.js';
import { kindOf } from '../../tensor/ops/common/checks.js';
import { checkArgument, showAval } from '../../tensor/shape.js';
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

/** The losses of a batch: the loss of each sample, and perhaps what it is made of, all [N]. */
export interface Losses {
  readonly loss: Tensor;
}

/** A loss: of a model (samples in the scaling it knows, times [N], inputs) and of examples. */
export type DiffusionLoss<E = unknown> = (model: Model<E>, example: LossExample<E>) => Losses;

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
