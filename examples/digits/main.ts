/**
 * The main job: train a class-conditional diffusion model on 8×8 handwritten digits, draw new ones, judge them, and
 * write pictures, the loss curve, a checkpoint and a report.
 */
import { mkdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { device, reshape, type Tensor, take, tensor } from 'tenfold';
import { foldIn, key } from 'tenfold/random';
import { reduce } from 'tenfold/tree';
import { trainClassifier } from './classifier.js';
import { numberIn, readDigits, side } from './data.js';
import { type Drawing, digitsAsked, drawSteps, firstOf } from './draw.js';
import { removeLeftovers, writeWhole } from './files.js';
import { factsOf, judge } from './judge.js';
import { lossPlot } from './loss-plot.js';
import type { State } from './model.js';
import { type Options, parseOptions } from './options.js';
import { encodePng, filmStrip, grid } from './pictures.js';
import { formatDuration } from './progress.js';
import { report } from './report.js';
import { samplerOf } from './samplers.js';
import { keep, restore, startOf, type Trained, train } from './train.js';

/** Columns of the film strip, the first being pure noise, and its rows. */
const frames = 13;
const strips = 10;
const samples = 100;
/** Places of the run's key for what is not training. */
const [forSampling, forJudge] = [2 ** 32 - 2, 2 ** 32 - 3];

const names = Object.freeze({
  report: 'report.html',
  samples: 'samples.png',
  trajectory: 'trajectory.png',
  loss: 'loss.svg',
  checkpoint: 'checkpoint.safetensors',
});

type Facts = readonly (readonly [name: string, value: string])[];

const sinceThen = (started: number): string => formatDuration((performance.now() - started) / 1000);

/** The state to start from, and the losses before it. */
const begin = async ({ network, seed, steps, resume, out, sampleOnly }: Options): Promise<Trained> => {
  const fresh = startOf(network, seed, steps);
  if (resume === undefined) return { state: fresh, losses: [] };
  const path = resume === true ? join(out, names.checkpoint) : resume;
  const found = await restore(path, fresh);
  if (found === null && (resume !== true || sampleOnly)) {
    throw new Error(`--resume: there is no checkpoint ${path}. Name one that a run has written.`);
  }
  const begun = found ?? { state: fresh, losses: [] };
  const done = await numberIn(begun.state.step);
  if (!sampleOnly && done > steps) {
    throw new Error(
      `--steps: got ${steps}, but ${path} is at step ${done} already. Ask for more steps, or use --sample-only.`,
    );
  }
  return begun;
};

/** The values of images, of which so many are to be seen. */
const valuesOf = async (images: Tensor, count: number): Promise<Float32Array> => {
  const first = take(
    images,
    tensor(
      Array.from({ length: count }, (_, i) => i),
      { dtype: 'int32' },
    ),
    { axis: 0 },
  );
  return (await reshape(first, [-1]).data()) as Float32Array;
};

const pictures = async (steps: readonly Tensor[]) => {
  const look = { height: side, width: side, scale: 8, gap: 4 };
  const drawn = await valuesOf(steps.at(-1)!, samples);
  const shown = Math.min(frames, steps.length);
  const places = Array.from({ length: shown }, (_, i) => Math.round((i * (steps.length - 1)) / (shown - 1)));
  const strip = await Promise.all(places.map(step => valuesOf(steps[step]!, strips)));
  return {
    samplesPng: encodePng(grid(drawn, { ...look, count: samples, columns: 10 })),
    trajectoryPng: encodePng(filmStrip(strip, { ...look, count: strips })),
  };
};

/** How many numbers are learned. */
const parameterCount = (params: State['params']): number =>
  reduce(params as unknown as Tensor, (sum, leaf) => sum + leaf.shape.reduce((p, n) => p * n, 1), 0);

const main = async (options: Options): Promise<void> => {
  const started = performance.now();
  const { network, seed, steps, batch, out, guidance, sampleSteps, checkpointEvery } = options;
  const { mode, adapter } = await device(options.device);
  if (options.device === 'gpu') console.log(`computing by ${mode}: ${adapter}`);
  await mkdir(out, { recursive: true });
  await removeLeftovers(out, Object.values(names));
  const file = (name: string): string => join(out, name);
  const checkpoint = file(names.checkpoint);
  const digits = await readDigits();
  const begun = await begin(options);

  const training = { network, steps, batch, checkpoint, every: checkpointEvery };
  const { state, losses } = options.sampleOnly ? begun : await train(begun, digits.learned, training);
  // Nothing was trained here: then nothing was kept here either.
  const isElsewhere = typeof options.resume === 'string' && resolve(options.resume) !== resolve(checkpoint);
  if (losses.length === begun.losses.length && isElsewhere) await keep(checkpoint, { state, losses });
  const trainedIn = sinceThen(started);

  const drawing: Drawing = {
    network,
    params: state.ema,
    sampler: samplerOf(options.sampler),
    steps: sampleSteps,
    guidance,
    only: options.class,
    key: foldIn(key(seed), forSampling),
  };
  const how = `${options.sampler}, ${sampleSteps} steps, guidance ${guidance}`;
  console.log(`drawing ${samples} digits: ${how}`);
  const drawingStarted = performance.now();
  const drawn = await drawSteps(drawing, samples);
  const { samplesPng, trajectoryPng } = await pictures(drawn);
  const drawnIn = sinceThen(drawingStarted);
  const lossSvg = lossPlot(losses);
  await writeWhole(file(names.samples), samplesPng);
  await writeWhole(file(names.trajectory), trajectoryPng);
  await writeWhole(file(names.loss), lossSvg);

  const judged = async (count: number): Promise<Facts> => {
    if (count === 0) return [];
    console.log(`judging ${count} drawn digits`);
    const judgingStarted = performance.now();
    const images = firstOf(drawing, drawn.at(-1)!, count);
    const labels = tensor([...digitsAsked(0, count, options.class)], { dtype: 'int32' });
    const classifier = await trainClassifier(foldIn(key(seed), forJudge), digits.learned);
    const judgement = await judge(classifier, digits, { images, labels }, options.class === undefined);
    const facts = factsOf(judgement);
    for (const [name, value] of facts) console.log(`  ${name}: ${value}`);
    return [...facts, ['time for judging', sinceThen(judgingStarted)]];
  };
  const judgement = await judged(options.judge);

  const took = sinceThen(started);
  const page = report({
    title: 'Handwritten digits, drawn by diffusion',
    facts: [
      ['network', network],
      ['training steps', String(await numberIn(state.step))],
      ['images a step', String(batch)],
      ['seed', String(seed)],
      ['parameters', parameterCount(state.params).toLocaleString('en')],
      ['last loss', losses.at(-1)?.loss.toFixed(4) ?? 'not trained in this run'],
      ['sampler', how],
      ...judgement,
      ['time for training', trainedIn],
      [`time for drawing ${samples}`, drawnIn],
      ['time in all', took],
    ],
    only: options.class,
    samplesPng,
    trajectoryPng,
    lossSvg,
    checkpoint: { file: names.checkpoint, bytes: (await stat(checkpoint)).size },
  });
  await writeWhole(file(names.report), page);
  console.log(`${took} in all. Written to ${relative('.', out) || '.'}:`);
  for (const name of Object.values(names)) console.log(`  ${file(name)}`);
};

main(parseOptions(process.argv.slice(2))).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
