/** The digits that come with the library, as models see them. */
import { cdist, expandDims, mean, min, realize, reshape, sqrt, square, sub, type Tensor } from 'tenfold';
import { loadDigits, toUnitRange } from 'tenfold/data';
import { orThrow } from './program.js';

/** The 1797 images, [1797, 1, 8, 8], of −1 (paper) to 1 (ink). */
export const digitImages = async (): Promise<Tensor<readonly [1797, 1, 8, 8], 'float32'>> => {
  const { images } = await orThrow(loadDigits());
  return realize(expandDims(toUnitRange(images, 16), 1));
};

/** √ of the mean squared difference of pixels. */
export const distance = (x: Tensor, y: Tensor): number => Number(sqrt(mean(square(sub(x, y)))).item());

/** The same from each image to whichever of others is nearest, on average. */
export const distanceToNearest = (x: Tensor, others: Tensor): number => {
  const rows = (images: Tensor): Tensor => reshape(images, [-1, 64]);
  return Number(mean(min(cdist(rows(x), rows(others)), { axis: 1 })).item()) / 8;
};
