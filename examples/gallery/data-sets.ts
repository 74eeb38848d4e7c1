/** What the gallery learns: four distributions in the plane, brought to mean 0 and variance 1. */

import { div, mean, realize, slice, sqrt, square, sub, type Tensor } from 'tenfold';
import { checkerboard, eightGaussians, swissRoll, twoMoons } from 'tenfold/data';
import { foldIn, type Key } from 'tenfold/random';

/** A distribution to draw from. */
export interface DataSet {
  readonly name: string;
  readonly title: string;
  readonly draw: (key: Key, count: number) => Tensor;
}

export const dataSets: readonly DataSet[] = Object.freeze([
  { name: 'moons', title: 'Two moons', draw: (key, count) => twoMoons(key, count, { noise: 0.06 }).points as Tensor },
  {
    name: 'swiss-roll',
    title: 'Swiss roll',
    draw: (key, count) => swissRoll(key, count, { noise: 0.35 }).points as Tensor,
  },
  { name: 'checkerboard', title: 'Checkerboard', draw: (key, count) => checkerboard(key, count).points as Tensor },
  { name: '8-gaussians', title: 'Eight Gaussians', draw: (key, count) => eightGaussians(key, count).points as Tensor },
]);

/** Points of a set for training, and others of it that no training sees. */
interface Split {
  /** [count, 2] */
  readonly train: Tensor;
  /** Each [held, 2], and no point in two of them. */
  readonly heldOut: readonly Tensor[];
}

/** Points to train on, and so many sets of held-out ones; moved and scaled by what the former say of mean and variance. */
export const splitOf = (
  { draw }: DataSet,
  key: Key,
  { train: count, held, sets }: { readonly train: number; readonly held: number; readonly sets: number },
): Split => {
  const points = draw(foldIn(key, 0), count);
  const others = draw(foldIn(key, 1), held * sets);
  const centre = mean(points, { axis: 0 }) as Tensor;
  // One scale for both axes: the form of the data stays.
  const scale = sqrt(mean(square(sub(points, centre)))) as Tensor;
  const scaled = (x: Tensor): Tensor => div(sub(x, centre), scale) as Tensor;
  const moved = scaled(others);
  return realize({
    train: scaled(points),
    heldOut: Array.from({ length: sets }, (_, i) => slice(moved, [i * held], [(i + 1) * held]) as Tensor),
  });
};
