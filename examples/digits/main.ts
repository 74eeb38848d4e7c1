/**
 * The main job: train a denoising diffusion model on 8×8 handwritten digits, draw new ones, and write pictures, the
 * loss curve, a checkpoint and a report.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type DType, device, reshape, type Shape, type Tensor, take } from 'tenfold';
import { loadDigits, shuffledIndices, toUnitRange } from 'tenfold/data';
import {
  cosineBetas,
  ddimSampleTrajectory,
  fit,
  gaussianDiffusion,
  respace,
  spaceTimesteps,
  trainer,
} from 'tenfold/diffusion';
import { loadTree, saveTree } from 'tenfold/io';
import { residualMlp } from 'tenfold/nn';
import { adam, warmupCosine } from 'tenfold/optim';
import { foldIn, key } from 'tenfold/random';
import { reduce } from 'tenfold/tree';
import { type LossPoint, lossPlot } from './loss-plot.js';
import { type Options, parseOptions } from './options.js';
import { encodePng, filmStrip, grid } from './pictures.js';
import { formatDuration, progress } from './progress.js';
import { report } from './report.js';

/** Timesteps of the process, and how many of them sampling visits. */
const timesteps = 1000;
const samplingSteps = 50;
/** Columns of the film strip, the first being pure noise, and its rows. */
const frames = 13;
const strips = 8;
const samples = 100;
const side = 8;
/** Places of the run's key that no training step reaches. */
const forData = 2 ** 32 - 1;
const forSampling = 2 ** 32 - 2;

// Predicting the image gives readable digits in far fewer steps of a small network than predicting the noise.
const diffusion = gaussianDiffusion(cosineBetas(timesteps), { meanType: 'startX' });
const model = residualMlp({ size: side * side, hidden: 256, blocks: 3, embedding: 64 });

type Trainer = ReturnType<typeof trainerFor>;
type State = ReturnType<Trainer['init']>;

const trainerFor = (steps: number) =>
  trainer({
    diffusion,
    model,
    optimizer: adam(warmupCosine({ peak: 2e-3, warmup: Math.min(50, steps / 10), steps, end: 1e-5 })),
  });

/** The value of a task, or its error thrown: at the top of a program there is nobody else to tell. */
const valueOrThrow = async <A>(task: TaskEither<Error, A>): Promise<A> => {
  const result = await task();
  if (E.isLeft(result)) throw result.left;
  return result.right;
};

/** The only element, from wherever it was computed. */
const numberIn = async (scalar: Tensor<Shape, DType>): Promise<number> => (await scalar.data())[0]!;

/** The state to start from, and the losses before it. */
const start = async ({ init }: Trainer, { seed, resume }: Options) => {
  const fresh = init(key(seed));
  if (resume === undefined) return { state: fresh, losses: [] as readonly LossPoint[] };
  const { tree, metadata } = await valueOrThrow(loadTree(resume, fresh));
  return { state: tree, losses: JSON.parse(metadata.losses ?? '[]') as readonly LossPoint[] };
};

/** Trains up to `steps` steps; gives the last state and all losses. */
const train = async (
  run: Trainer,
  from: State,
  images: Tensor,
  { steps, batch }: Options,
): Promise<{ state: State; losses: readonly LossPoint[] }> => {
  const batchAt = shuffledIndices(foldIn(from.key, forData), images.shape[0]!, batch);
  const first = await numberIn(from.step);
  const batches = function* (done: number) {
    for (let i = done; ; i++) yield take(images, batchAt(i), { axis: 0 });
  };
  const bar = progress(steps, first, process.stdout);
  const losses: LossPoint[] = [];
  let state = from;
  let started = performance.now();
  try {
    // biome-ignore lint/suspicious/noFocusedTests: this fit is no test
    for await (const { step, metrics, state: next } of fit(run, from, batches, { steps })) {
      state = next;
      const loss = await numberIn(metrics.loss);
      losses.push({ step, loss });
      bar.update(step, { loss, imagesPerSecond: (1000 * batch) / (performance.now() - started) });
      started = performance.now();
    }
  } finally {
    bar.stop();
  }
  return { state, losses };
};

/** Draws digits with the averaged parameters; gives the images at some of the steps, noise first. */
const draw = (state: State, seed: number): Promise<readonly Float32Array[]> => {
  const short = respace(diffusion, spaceTimesteps(timesteps, String(samplingSteps)));
  const predict = (x: Tensor, t: Tensor): Tensor => model.apply(state.ema, x, t);
  const { samples: all } = ddimSampleTrajectory(short, predict, [samples, 1, side, side], {
    key: foldIn(key(seed), forSampling),
    eta: 1,
  });
  const steps = Array.from({ length: frames }, (_, i) => Math.round((i * (samplingSteps - 1)) / (frames - 1)));
  const imagesAt = (step: number): Tensor => reshape(take(all, step, { axis: 0 }), [samples * side * side]);
  return Promise.all(steps.map(async step => (await imagesAt(step).data()) as Float32Array));
};

const main = async (options: Options): Promise<void> => {
  const started = performance.now();
  const { seed, steps, batch, out, sampleOnly } = options;
  const { mode, adapter } = await device(options.device);
  if (options.device === 'gpu') console.log(`computing by ${mode}: ${adapter}`);
  const { images } = await valueOrThrow(loadDigits());
  const data = reshape(toUnitRange(images, 16), [-1, 1, side, side]);
  const run = trainerFor(steps);
  const begun = await start(run, options);
  const done = await numberIn(begun.state.step);
  if (!sampleOnly && done > steps) {
    throw new Error(
      `--steps: got ${steps}, but ${options.resume} is at step ${done} already. Ask for more steps, or use --sample-only.`,
    );
  }
  const trained = sampleOnly ? { state: begun.state, losses: [] } : await train(run, begun.state, data, options);
  const losses = [...begun.losses, ...trained.losses];
  const { state } = trained;

  console.log(`drawing ${samples} digits in ${samplingSteps} steps`);
  const trajectory = await draw(state, seed);
  await mkdir(out, { recursive: true });
  const file = (name: string): string => join(out, name);
  const samplesPng = encodePng(
    grid(trajectory[frames - 1]!, { count: samples, height: side, width: side, columns: 10, scale: 8, gap: 4 }),
  );
  const strip = trajectory.map(frame => frame.subarray(0, strips * side * side));
  const trajectoryPng = encodePng(filmStrip(strip, { count: strips, height: side, width: side, scale: 8, gap: 4 }));
  const lossSvg = lossPlot(losses);
  const checkpoint = file('checkpoint.safetensors');
  await valueOrThrow(saveTree(checkpoint, state, { losses: JSON.stringify(losses) }));
  await writeFile(file('samples.png'), samplesPng);
  await writeFile(file('trajectory.png'), trajectoryPng);
  await writeFile(file('loss.svg'), lossSvg);

  const parameters = reduce(
    state.params,
    (sum, leaf) => sum + leaf.shape.reduce((p: number, n: number) => p * n, 1),
    0,
  );
  const took = formatDuration((performance.now() - started) / 1000);
  const { size } = await import('node:fs').then(fs => fs.promises.stat(checkpoint));
  const page = report({
    title: 'Handwritten digits, drawn by diffusion',
    facts: [
      ['training steps', String(await numberIn(state.step))],
      ['images a step', String(batch)],
      ['seed', String(seed)],
      ['parameters', parameters.toLocaleString('en')],
      ['last loss', losses.at(-1)?.loss.toFixed(4) ?? 'not trained in this run'],
      ['time', took],
    ],
    samplesPng,
    trajectoryPng,
    lossSvg,
    checkpoint: { file: 'checkpoint.safetensors', bytes: size },
  });
  await writeFile(file('report.html'), page);
  console.log(`${took} in all. Written to ${relative('.', out) || '.'}:`);
  for (const name of ['report.html', 'samples.png', 'trajectory.png', 'loss.svg', 'checkpoint.safetensors']) {
    console.log(`  ${file(name)}`);
  }
};

main(parseOptions(process.argv.slice(2))).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
