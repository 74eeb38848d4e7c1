/** All that the page shows of one data set: a network trained on it, and what six samplers make of that network. */

import { mul, type Tensor } from 'tenfold';
import type { Denoiser } from 'tenfold/diffusion';
import { foldIn, type Key, key as keyOf, normal } from 'tenfold/random';
import { type DataSet, splitOf } from './data-sets.js';
import { densityOf, densityPng, peakOf } from './density.js';
import { arrowsOf, fieldError, levelOf } from './field.js';
import { type Distances, distancesOf, head } from './measures.js';
import { type Trained, train } from './model.js';
import { budgetPlot, fieldPlot, pointsIn, startsPlot } from './plots.js';
import { samplers, sigmaMax } from './samplers.js';
import { budgets, type Run, runWith, ways } from './sampling.js';

/** Points of the training set, and the most of a set that is measured. */
const trainingPoints = 20_000;
const mostMeasured = 2048;
/** Into how many sets samples are cut, at least, to be measured. */
const leastSets = 4;
/** The ratios σ / α at which the field is shown: one for each column of the page. */
const fieldSigmas: readonly number[] = Object.freeze([2, 1, 0.5, 0.3, 0.2, 0.1, 0.05]);
/** Noisy points at which the field is compared with the exact one. */
const comparedPoints = 512;
/** What is data, and no sampler's; and as faint as it lies under lines and arrows. */
const grey = '#7d8794';
const faint = 0.45;

/** The field at one level. */
interface Field {
  /** σ / α. */
  readonly sigma: number;
  /** See `fieldError`. */
  readonly error: number;
  readonly plot: string;
}

/** A data set on the page: numbers, and pictures as SVG elements or data URIs. */
export interface Study {
  readonly set: DataSet;
  readonly steps: number;
  readonly trained: Omit<Trained, 'denoiser'>;
  readonly counts: {
    readonly training: number;
    readonly samples: number;
    /** Sets of samples, and how many points each has. */
    readonly sets: number;
    readonly measured: number;
    /** Data in its picture. */
    readonly shown: number;
  };
  readonly data: string;
  readonly noise: string;
  readonly runs: readonly Run[];
  /** Other held-out points against the first of them. */
  readonly real: Distances;
  readonly fields: readonly Field[];
  readonly curves: string;
}

/** The field at all levels, on the density of the noisy data. */
const fieldsOf = async (name: string, denoiser: Denoiser, data: Tensor, heldOut: Tensor, key: Key) => {
  const points = head(heldOut, Math.min(heldOut.shape[0]!, comparedPoints));
  const fields: Field[] = [];
  for (const sigma of fieldSigmas) {
    const level = levelOf(sigma);
    const scale = Math.hypot(1, sigma);
    const density = await densityOf(data, 1 / scale, sigma / scale);
    const background = densityPng(density, peakOf(density), grey, faint);
    const [id, label] = [`${name}-field-${fields.length}`, `Score of the data with noise of deviation ${sigma}`];
    const plot = fieldPlot(id, label, background, await arrowsOf(denoiser, level));
    fields.push({ sigma, error: await fieldError(denoiser, level, { points, data, key }), plot });
  }
  return fields;
};

/** Trains on a data set, samples, measures and draws. `report` hears what is being done. */
export const studyOf = async (
  set: DataSet,
  seed: number,
  { steps, points }: { readonly steps: number; readonly points: number },
  report: (text: string) => void,
): Promise<Study> => {
  const { name } = set;
  const keys = Array.from({ length: 6 }, (_, i) => foldIn(keyOf(seed), i));
  const [forData, forTraining, forStart, forSampling, directions, forField] = keys as [Key, Key, Key, Key, Key, Key];
  const measured = Math.min(Math.floor(points / leastSets), mostMeasured);
  const sets = Math.floor(points / measured);
  const sizes = { train: trainingPoints, held: measured, sets: sets + 1 };
  // As many sets of real points, and one that all are compared with.
  const { train: training, heldOut } = splitOf(set, forData, sizes);
  const [reference, ...others] = heldOut as readonly [Tensor, ...Tensor[]];

  const every = Math.max(1, Math.round(steps / 5));
  const { denoiser, ...trained } = await train(training, forTraining, steps, (step, loss) => {
    if (step % every === 0 || step === steps) report(`step ${step}/${steps}, loss ${loss.toFixed(4)}`);
  });
  report(`trained in ${trained.seconds.toFixed(1)} s`);

  // At the first level samples have this deviation; with the same starts, methods of one ODE end in the same places.
  const start = mul(normal(forStart, [points, 2]), sigmaMax / Math.hypot(1, sigmaMax)) as Tensor;
  const noise = await densityOf(start);
  const shown = Math.min(points, trainingPoints);
  const data = await densityOf(head(training, shown));
  const peak = peakOf(data);
  const shade = densityPng(data, peak, grey, faint);
  const setting = { name, denoiser, start, reference, peak, shade, key: forSampling, directions };
  const runs: Run[] = [];
  for (const sampler of samplers) {
    const run = await runWith(sampler, setting);
    runs.push(run);
    report(`${sampler.title}: sliced Wasserstein ${run.distances.wasserstein.mean.toFixed(4)} with ${run.calls} calls`);
  }
  const real = await distancesOf(others, reference, directions);
  const floor = real.wasserstein.mean;
  report(`two real halves: sliced Wasserstein ${floor.toFixed(4)}`);
  return Object.freeze({
    set,
    steps,
    trained,
    counts: { training: trainingPoints, samples: points, sets, measured, shown },
    data: densityPng(data, peak, grey),
    noise: startsPlot(
      `${name}-noise`,
      'Noise that samples begin as',
      densityPng(noise, peakOf(noise), grey, faint),
      await pointsIn(head(start, Math.min(points, ways.ode))),
    ),
    runs,
    real,
    fields: await fieldsOf(name, denoiser, training, reference, forField),
    curves: budgetPlot(
      `${name}-calls`,
      'Sliced Wasserstein distance over calls of the network',
      runs.map(({ shown: { color, symbol }, curve }) => ({ color, symbol, points: curve })),
      floor,
      budgets,
    ),
  });
};
