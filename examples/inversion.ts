/**
 * DDIM inversion (Song et al. 2021, arXiv:2010.02502, sections 4.3 and 5.3): without noise a sampler solves an ordinary
 * differential equation, and along rising levels the same sampler leads from an image to the noise it would be made of. That
 * noise is a code of the image: it gives the image back, and between the codes of two images lie other images.
 *
 * The denoiser is the best possible one for the digits, a closed form (see `common/mixture.ts`): nothing to train.
 */
import {
  acos,
  add,
  clamp,
  concat,
  div,
  lerp,
  linspace,
  mul,
  permute,
  realize,
  reshape,
  sin,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
} from 'tenfold';
import {
  ddim,
  edmProcess,
  heun,
  karrasSigmas,
  type Levels,
  levelsOf,
  reverseLevels,
  type Sampler,
  sample,
} from 'tenfold/diffusion';
import { digitImages, distance, distanceToNearest } from './common/digits.js';
import { mixtureDenoiser } from './common/mixture.js';
import { writeGrid } from './common/pictures.js';
import { outputFolder, runAsProgram } from './common/program.js';
import { printTable } from './common/table.js';

/** Spherical interpolation of codes [N, …] by shares [T, 1, …]: [T, N, …]. On the way they stay as long as noise is. */
const slerp = (from: Tensor, to: Tensor, shares: Tensor): Tensor => {
  const image = { axis: [1, 2, 3], keepDims: true } as const;
  const length = (x: Tensor): Tensor => sqrt(sum(square(x), image));
  const angle = acos(clamp(div(sum(mul(from, to), image), mul(length(from), length(to))), -1, 1));
  const part = (share: Tensor, x: Tensor): Tensor => mul(div(sin(mul(share, angle)), sin(angle)), x);
  return add(part(sub(1, shares), from), part(shares, to));
};

/** Frames [T, N, …] as images one after the other, [N T, …]: those of the first pair, of the second, … */
const inRows = (x: Tensor): Tensor => reshape(permute(x, [1, 0, 2, 3, 4]), [-1, 1, 8, 8]);

export interface Options {
  readonly pairs?: number;
  readonly steps?: readonly number[];
  /** How many images there are from one to the other: an odd number. */
  readonly frames?: number;
  readonly out?: string;
}

export const main = async ({ pairs = 6, steps = [10, 40, 160], frames = 9, out = 'out/inversion' }: Options = {}) => {
  const file = await outputFolder(out);
  const digits: Tensor = await digitImages();
  const denoiser = mixtureDenoiser(digits, 0.25);
  const levelsFor = (n: number): Levels => levelsOf(edmProcess(), karrasSigmas(n, { min: 0.02, max: 10 }));
  const encode = (sampler: Sampler, n: number, images: Tensor): Tensor =>
    realize(sample(sampler, denoiser, reverseLevels(levelsFor(n)), images));
  const decode = (sampler: Sampler, n: number, codes: Tensor): Tensor =>
    realize(sample(sampler, denoiser, levelsFor(n), codes));

  const [from, to] = [slice(digits, [0], [pairs]), slice(digits, [pairs], [2 * pairs])];
  const errorOf = (sampler: Sampler, n: number): number => distance(decode(sampler, n, encode(sampler, n, from)), from);
  const errors = steps.map(n => ({ steps: n, ddim: errorOf(ddim(), n), heun: errorOf(heun(), n) }));
  console.log('From images to codes and back: how far they are from what they were.');
  printTable(errors);

  // What lies between the codes of two images, and beside it what lies between their pixels.
  const n = steps.at(-1)!;
  const shares = reshape(linspace(0, 1, frames), [-1, 1, 1, 1, 1]);
  const between = {
    codes: decode(ddim(), n, inRows(slerp(encode(ddim(), n, from), encode(ddim(), n, to), shares))),
    pixels: realize(inRows(lerp(from, to, shares))),
  };
  const inFrames = (x: Tensor): Tensor => reshape(x, [pairs, frames, 1, 8, 8]);
  const middles = Object.entries(between).map(([name, x]) => {
    const middle = take(inFrames(x), (frames - 1) / 2, { axis: 1 });
    return { between: name, 'from the middle to the nearest digit': distanceToNearest(middle, digits) };
  });
  console.log('\nWhat lies between two images:');
  printTable(middles);
  const beside = reshape(concat([inFrames(between.codes), inFrames(between.pixels)], { axis: 1 }), [-1, 1, 8, 8]);
  await writeGrid(file('interpolation.png'), beside, { columns: 2 * frames });
  console.log(`\nBetween codes on the left, between pixels on the right: ${file('interpolation.png')}`);
  return { errors, middles };
};

runAsProgram(import.meta, main);
