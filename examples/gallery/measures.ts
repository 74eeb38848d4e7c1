/** How far samples are from held-out data, in numbers, and how far held-out data is from itself. */

import { slice, type Tensor } from 'tenfold';
import { kernelMmd, slicedWasserstein } from 'tenfold/diffusion';
import type { Key } from 'tenfold/random';

/** Several numbers in short. */
export interface Summary {
  readonly mean: number;
  readonly least: number;
  readonly largest: number;
}

/** How far sets of points are from one of held-out points. */
export interface Distances {
  readonly wasserstein: Summary;
  readonly mmd: Summary;
}

/** For data of variance 1: the size of details, of parts, and of the whole. One for all pairs, so that values compare. */
export const bandwidths: readonly number[] = Object.freeze([0.1, 0.3, 1]);

export const projections = 128;

const numberIn = async (score: Tensor<readonly [], 'float64'>): Promise<number> => (await score.data())[0]!;

/** The sliced Wasserstein distance of each set, along directions that are the same for all pairs of one key. */
export const wassersteinOf = (sets: readonly Tensor[], reference: Tensor, key: Key): Promise<readonly number[]> =>
  Promise.all(sets.map(x => numberIn(slicedWasserstein(x, reference, { key, projections }))));

/** The distances of each set to one of held-out points. */
export const distancesOf = async (sets: readonly Tensor[], reference: Tensor, key: Key): Promise<Distances> =>
  Object.freeze({
    wasserstein: summary(await wassersteinOf(sets, reference, key)),
    mmd: summary(await Promise.all(sets.map(x => numberIn(kernelMmd(x, reference, { bandwidth: bandwidths }))))),
  });

/** The first points of a set. */
export const head = (points: Tensor, count: number): Tensor => slice(points, [0], [count]) as Tensor;

/** The sets of so many points that a larger one is made of. */
export const parts = (points: Tensor, count: number): readonly Tensor[] =>
  Array.from(
    { length: Math.floor(points.shape[0]! / count) },
    (_, i) => slice(points, [i * count], [(i + 1) * count]) as Tensor,
  );

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const summary = (values: readonly number[]): Summary =>
  Object.freeze({ mean: meanOf(values), least: Math.min(...values), largest: Math.max(...values) });
