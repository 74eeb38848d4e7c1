/** What one sampler makes of a network: samples, their density, ways and distances to the data. */

import { realize, type Tensor } from 'tenfold';
import { type Denoiser, sample, sampleSteps } from 'tenfold/diffusion';
import type { Key } from 'tenfold/random';
import { densityOf, densityPng } from './density.js';
import { type Distances, distancesOf, head, meanOf, parts, wassersteinOf } from './measures.js';
import { type Point, pointsIn, trajectoriesPlot } from './plots.js';
import { runOf, type Shown } from './samplers.js';

/** Calls of the network in the pictures, and those of the curves. */
export const budget = 32;
export const budgets: readonly number[] = Object.freeze([8, 16, 32, 64]);
/** Ways in a picture: those of an ODE do not cross, and more of them can be told apart. */
export const ways = Object.freeze({ ode: 40, sde: 8 });

/** What all samplers are given. */
export interface Setting {
  /** For ids of elements. */
  readonly name: string;
  readonly denoiser: Denoiser;
  /** Samples at the first level, [N, 2]. */
  readonly start: Tensor;
  /** Held-out points; samples are compared with them in sets of as many. */
  readonly reference: Tensor;
  /** The density that is shown as opaque. */
  readonly peak: number;
  /** The data as a faint picture. */
  readonly shade: string;
  readonly key: Key;
  readonly directions: Key;
}

/** What one sampler makes. */
export interface Run {
  readonly shown: Shown;
  readonly steps: number;
  readonly calls: number;
  readonly seconds: number;
  readonly distances: Distances;
  /** A data URI. */
  readonly density: string;
  /** An SVG element, and how many ways it shows. */
  readonly paths: string;
  readonly ways: number;
  /** The sliced Wasserstein distance by calls of the network. */
  readonly curve: readonly Point[];
}

/** The ways of the first samples, the start included. */
const pathsOf = async (shown: Shown, { denoiser, start, key }: Setting): Promise<readonly (readonly Point[])[]> => {
  const few = head(start, Math.min(start.shape[0]!, ways[shown.kind]));
  const first = await pointsIn(few);
  const after = await pointsIn(sampleSteps(shown.sampler, denoiser, runOf(shown, budget).levels, few, { key }).x);
  return first.map((begin, i) => [begin, ...after.filter((_, j) => j % first.length === i)]);
};

/** Samples with a sampler, measures and draws. */
export const runWith = async (shown: Shown, setting: Setting): Promise<Run> => {
  const { denoiser, start, reference, key, directions } = setting;
  const { levels, steps, calls } = runOf(shown, budget);
  const count = reference.shape[0]!;
  const started = performance.now();
  const x = sample(shown.sampler, denoiser, levels, start, { key }) as Tensor;
  await x.data();
  const seconds = (performance.now() - started) / 1000;
  const distances = await distancesOf(parts(x, count), reference, directions);
  const curve: Point[] = [];
  for (const each of budgets) {
    const run = runOf(shown, each);
    const drawn = (): Tensor => sample(shown.sampler, denoiser, run.levels, start, { key }) as Tensor;
    const sets = parts(each === budget ? x : realize(drawn()), count);
    curve.push([run.calls, meanOf(await wassersteinOf(sets, reference, directions))]);
  }
  const paths = await pathsOf(shown, setting);
  const [id, label] = [`${setting.name}-${shown.name}`, `Trajectories of ${shown.title}`];
  return Object.freeze({
    shown,
    steps,
    calls,
    seconds,
    distances,
    density: densityPng(await densityOf(x), setting.peak, shown.color),
    paths: trajectoriesPlot(id, label, setting.shade, shown.color, paths),
    ways: paths.length,
    curve,
  });
};
