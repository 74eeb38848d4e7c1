/** Starting from images instead of noise. */

import type { DType } from '../tensor/dtype.js';
import { ShapeError } from '../tensor/errors.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { tensor } from '../tensor/ops/creation/creation.js';
import { reshape } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkInteger, type Shape, showAval } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike, checkSampling } from './checks.js';
import { noiseOf } from './draws.js';
import { combine } from './level.js';
import { checkLevels, type Levels, stepsOf } from './levels.js';
import { checkSource, type NoiseOptions } from './noise.js';

/**
 * Images at the first of the levels, to start from there: `sample(sampler, denoiser, levels, imageToImageStart(image,
 * levels, …))` with levels that `truncate` has cut. The less noise, the more is left of the image.
 *
 * From a key sample i gets the noise it would start with in `sample`, so that the steps draw other noise.
 *
 * Source: Meng et al. 2021, arXiv:2108.01073 (SDEdit).
 *
 * @param image x₀, float [N, …]
 * @param levels that will be stepped through, of which the first counts
 * @param options `key` with `firstSample`, or `noise` in shape and dtype of the image
 * @returns in shape and dtype of the image
 * @throws ArgumentError for what is no tensor, levels or option, and unless there is one source of noise; ShapeError,
 *   DTypeError when the image is no float [N, …] or the noise not like it; IndexError for a negative firstSample
 * @example
 * ```js
 * import { ones, zeros } from 'tenfold';
 * import { flowProcess, imageToImageStart, levelsAt, truncate } from 'tenfold/diffusion';
 * const levels = truncate(levelsAt(flowProcess(), [1, 0.75, 0.5, 0.25]), 0.5);
 * imageToImageStart(ones([1, 2]), levels, { noise: zeros([1, 2]) }).toArray(); // => [[0.5, 0.5]]
 * ```
 */
export const imageToImageStart = <S extends Shape, D extends DType>(
  image: Tensor<S, D>,
  levels: Levels,
  options: NoiseOptions,
): Tensor<S, D> => {
  checkAlike('imageToImageStart', { image: image as Tensor });
  checkLevels('imageToImageStart', levels);
  checkOptions('imageToImageStart', ['key', 'noise', 'firstSample'], options);
  checkSampling('imageToImageStart', options);
  checkSource('imageToImageStart', options);
  const [count] = image.shape as Shape;
  if (count === undefined) {
    throw new ShapeError({
      operation: 'imageToImageStart',
      given: `the image ${showAval(image)}`,
      rule: 'images have the shape [N, …]',
      hint: 'Use expandDims(image, 0) for a batch of one.',
    });
  }
  const { key, noise, firstSample = 0 } = options;
  checkInteger('imageToImageStart', 'firstSample', firstSample, 0, 2 ** 31 - 1 - count);
  const steps = tensor(stepsOf(levels), { dtype: 'int32' }) as Tensor;
  const drawn = key === undefined ? noise! : noiseOf(key, steps, 0, image as Tensor, firstSample);
  checkAlike('imageToImageStart', { image: image as Tensor, noise: drawn });
  const first = (vector: Tensor): Tensor => reshape(slice(vector, [0], [1]), []) as Tensor;
  return combine([first(levels.alpha), image as Tensor], [first(levels.sigma), drawn]) as Tensor<S, D>;
};
