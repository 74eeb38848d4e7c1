/** What metrics compare: samples as the rows of float64 matrices. */
import { isFloat } from '../../tensor/dtype.js';
import { DTypeError, ShapeError } from '../../tensor/errors.js';
import { sub } from '../../tensor/ops/elementwise/arithmetic.js';
import { cast, stopGradient } from '../../tensor/ops/elementwise/cast.js';
import { reshape } from '../../tensor/ops/movement/movement.js';
import { mean } from '../../tensor/ops/reduction/reduction.js';
import { sizeOf } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkTensors, type Named, showNamed } from '../checks.js';

/** The value of a metric. */
export type Score = Tensor<readonly [], 'float64'>;

/**
 * @internal Samples [n, …] as matrices float64 [n, d].
 *
 * @param least how many samples there must be of each
 * @throws ArgumentError for what is no tensor, DTypeError for other dtypes than floats
 * @throws ShapeError for too few samples, empty ones, and samples of different sizes
 */
export const matricesOf = (operation: string, samples: Named, least = 1): readonly Tensor[] => {
  checkTensors(operation, samples);
  const all = Object.values(samples);
  if (all.some(x => !isFloat(x.dtype))) {
    throw new DTypeError({
      operation,
      given: showNamed(samples),
      rule: 'samples and features are float32 or float64',
      hint: "Cast them: cast(x, 'float32').",
    });
  }
  if (all.some(x => x.shape.length < 2)) {
    throw new ShapeError({
      operation,
      given: showNamed(samples),
      rule: 'samples are the rows of [n, d], or lie along the first axis of [n, …]',
      hint: 'Samples that are single numbers are [n, 1]: expandDims(x, 1).',
    });
  }
  const [size, ...sizes] = all.map(x => sizeOf(x.shape.slice(1)));
  if (size === 0 || sizes.some(other => other !== size)) {
    throw new ShapeError({
      operation,
      given: showNamed(samples),
      rule: size === 0 ? 'a sample has at least one number' : 'all samples have the same number of elements',
      hint: 'Compare features of one network, or images of one size.',
    });
  }
  if (all.some(x => x.shape[0]! < least)) {
    throw new ShapeError({
      operation,
      given: showNamed(samples),
      rule: least === 1 ? 'there is at least one sample' : `there are at least ${least} samples of each`,
      hint: 'Samples lie along the first axis.',
    });
  }
  return all.map(x => reshape(cast(x, 'float64'), [x.shape[0]!, size!]) as Tensor);
};

/** @internal Matrices moved by the mean of the first one: distances stay, and lose no digits to an offset of the data. */
export const centred = (matrices: readonly Tensor[]): readonly Tensor[] => {
  const centre = stopGradient(mean(matrices[0]!, { axis: 0 }) as Tensor);
  return matrices.map(x => sub(x, centre) as Tensor);
};
