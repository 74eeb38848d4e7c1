/**
 * Inpainting and image-to-image on handwritten digits.
 *
 * The denoiser is the best possible one for the training digits themselves, a closed form: there is nothing to train, and
 * what is seen is what the methods do. (It has learned the digits by heart: what it draws are those, and mixtures of
 * them. Put a trained network in its place, and the rest stays as it is.)
 *
 * - Inpainting is a modifier of denoisers: where pixels are known, the prediction is what is known. `repeatSteps` takes
 *   each step several times, so that the rest comes to fit (RePaint, Lugmayr et al. 2022, arXiv:2201.09865).
 * - Image-to-image starts from a noisy image instead of noise, at the level that the last steps begin with (SDEdit, Meng
 *   et al. 2021, arXiv:2108.01073).
 */
import { arange, broadcastTo, concat, less, logicalNot, realize, slice, type Tensor, where } from 'tenfold';
import {
  type Denoiser,
  ddim,
  edmProcess,
  imageToImageStart,
  inpainting,
  karrasSigmas,
  levelsOf,
  repeatSteps,
  sample,
  truncate,
} from 'tenfold/diffusion';
import { key } from 'tenfold/random';
import { digitImages, distance, distanceToNearest } from './common/digits.js';
import { mixtureDenoiser } from './common/mixture.js';
import { writeGrid } from './common/pictures.js';
import { outputFolder, runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

export interface Options {
  readonly count?: number;
  readonly steps?: number;
  readonly strengths?: readonly number[];
  readonly out?: string;
}

export const main = async ({
  count = 16,
  steps = 30,
  strengths = [0.3, 0.5, 0.6, 0.7, 0.9],
  out = 'out/inpainting',
}: Options = {}) => {
  const file = await outputFolder(out);
  // The denoiser does not know the digits that are repaired.
  const all: Tensor = await digitImages();
  const [images, learned] = [slice(all, [0], [count]), slice(all, [count])];
  const denoiser = mixtureDenoiser(learned, 0.2);
  const levels = levelsOf(edmProcess(), karrasSigmas(steps, { min: 0.05, max: 20 }));
  const sampler = ddim({ eta: 1 });

  // The left half of each image is known.
  const mask = broadcastTo(less(arange(8), 4), images.shape);
  const filling = inpainting(images, mask)(denoiser);
  const draw = (of: Denoiser, times: number): Tensor =>
    realize(sample(repeatSteps(times, sampler), of, levels, images.shape, { key: key(0) }));
  const drawn = { 'not told': draw(denoiser, 1), told: draw(filling, 1), 'told, each step 8 times': draw(filling, 8) };
  const hidden = logicalNot(mask);
  const repairs = Object.entries(drawn).map(([samples, x]) => ({
    samples,
    'from what is known': distance(where(mask, x, 0), where(mask, images, 0)),
    'from what was hidden': distance(where(hidden, x, 0), where(hidden, images, 0)),
    'from the nearest digit': distanceToNearest(x, learned),
  }));
  console.log('Inpainting: the right half, by samples that are told the left one, or not.');
  printTable(repairs);
  const seen = where(mask, images, 0);
  await writeGrid(file('inpainting.png'), concat([images, seen, ...Object.values(drawn)]), { columns: count });

  // The more of the steps are taken, the less is left of the image.
  const variations = strengths.map(strength => {
    const last = truncate(levels, strength);
    const start = imageToImageStart(images, last, { key: key(1) });
    return { strength, x: realize(sample(sampler, denoiser, last, start, { key: key(1) })) };
  });
  const changes = variations.map(({ strength, x }) => ({ strength, 'from the image': distance(x, images) }));
  console.log('\nImage-to-image: how far samples are from the image they began with.');
  printTable(changes);
  await writeGrid(file('image-to-image.png'), concat([images, ...variations.map(({ x }) => x)]), { columns: count });
  console.log(`\nPictures: ${file('inpainting.png')}, ${file('image-to-image.png')}`);
  return { repairs, changes, drawn, images };
};

runAsProgram(import.meta, main);
