/**
 * Trains a U-Net on a folder of PNGs of one's own, and draws others like them:
 *
 *     node --conditions=tenfold-source --import=tsx examples/train-on-pngs.ts --images photos --steps 5000
 *
 * The pictures have one size, a multiple of 4 on each side; without a folder there are handwritten digits. A training can be
 * stopped at any moment: started again it goes on from its last checkpoint, and ends with the same bits as one that was
 * never stopped. With more steps a finished one is continued.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pipe } from 'fp-ts/lib/function.js';
import { permute, realize, slice, stack, type Tensor } from 'tenfold';
import { batch, fromArrays, repeat, shuffle, toUnitRange } from 'tenfold/data';
import {
  clipDenoised,
  cosineBetas,
  denoiser,
  discreteProcess,
  dpmSolverMultistep,
  fileCheckpoint,
  fit,
  gaussianDiffusion,
  inferenceTimesteps,
  levelsAt,
  sample,
  trainer,
} from 'tenfold/diffusion';
import { readPng } from 'tenfold/io';
import { unet } from 'tenfold/nn';
import { adamw, chain, clipByGlobalNorm } from 'tenfold/optim';
import { key } from 'tenfold/random';
import { digitImages } from './common/digits.js';
import { writeGrid } from './common/pictures.js';
import { orThrow, outputFolder, runAsProgram } from './common/program.js';

/** All pictures of a folder, in the order of their names: [N, channels, height, width] of −1 to 1, without transparency. */
const readPictures = async (folder: string): Promise<Tensor> => {
  const names = (await readdir(folder)).filter(name => name.toLowerCase().endsWith('.png')).sort();
  if (names.length === 0) throw new Error(`${folder}: no file there ends in .png`);
  const pictures = await Promise.all(names.map(name => orThrow(readPng(join(folder, name)))));
  const channels = pictures[0]!.shape[2]!;
  const opaque = channels % 2 === 0 ? channels - 1 : channels;
  const pixels = slice(stack(pictures), [], [null, null, null, opaque]) as Tensor<readonly number[], 'uint8'>;
  return realize(permute(toUnitRange(pixels, 255), [0, 3, 1, 2]));
};

export interface Options {
  readonly images?: string | undefined;
  /** Steps in all, those of earlier runs included. */
  readonly steps?: number;
  readonly batchSize?: number;
  readonly modelChannels?: number;
  /** How many pictures are drawn, and in how many steps. */
  readonly samples?: number;
  readonly samplingSteps?: number;
  readonly out?: string;
}

export const main = async ({
  images: folder,
  steps = 600,
  batchSize = 32,
  modelChannels = 32,
  samples = 36,
  samplingSteps = 20,
  out = 'out/train-on-pngs',
}: Options = {}) => {
  const file = await outputFolder(out);
  const images: Tensor = folder === undefined ? await digitImages() : await readPictures(folder);
  const [count, channels, ...size] = images.shape as readonly [number, number, number, number];
  console.log(`${count} pictures of ${size.join(' × ')} pixels, with ${channels} channels`);

  const diffusion = gaussianDiffusion(cosineBetas(1000));
  const model = unet({
    inChannels: channels,
    outChannels: channels,
    modelChannels,
    channelMult: [1, 2, 2],
    numResBlocks: 1,
    attentionResolutions: [4],
  });
  const run = trainer({ diffusion, model, optimizer: chain(clipByGlobalNorm(1), adamw(1e-3)) });
  const batches = pipe(
    fromArrays(images),
    shuffle(key(1)),
    batch(Math.min(batchSize, count), { dropLast: true }),
    repeat(),
  );
  const checkpoint = { to: fileCheckpoint(file('checkpoint.safetensors')), every: 100 };
  const losses: number[] = [];
  // biome-ignore lint/suspicious/noFocusedTests: this fit is no test
  for await (const { step, metrics } of fit(run, key(0), batches, { steps, checkpoint, resume: true })) {
    losses.push((await metrics.loss.data())[0]!);
    if (step % 50 === 0) console.log(`step ${step} of ${steps}: loss ${losses.at(-1)!.toFixed(4)}`);
  }

  // What is drawn with is the average of the parameters, from the checkpoint that the training has left.
  const { tree: trained } = (await orThrow(checkpoint.to.load(run.init(key(0)))))!;
  const network = denoiser((x, time) => model.apply(trained.ema, x, time));
  const levels = levelsAt(discreteProcess(diffusion), inferenceTimesteps(1000, samplingSteps));
  const drawn = sample(dpmSolverMultistep(), clipDenoised()(network), levels, [samples, channels, ...size], {
    key: key(2),
  });
  await writeGrid(file('samples.png'), drawn, { columns: Math.ceil(Math.sqrt(samples)), scale: 4 });
  console.log(`${samples} pictures drawn in ${samplingSteps} steps: ${file('samples.png')}`);
  return { losses, drawn: realize(drawn), step: trained.step.item() };
};

runAsProgram(import.meta, () => {
  const { values } = parseArgs({
    options: { images: { type: 'string' }, steps: { type: 'string', default: '600' } },
  });
  return main({ images: values.images, steps: Number(values.steps) });
});
