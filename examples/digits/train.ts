/** Training with a checkpoint, so that a run which is killed at any moment goes on to the same end. */

import { take } from 'tenfold';
import { shuffledIndices } from 'tenfold/data';
import { type Checkpoint, fileCheckpoint, fit } from 'tenfold/diffusion';
import { foldIn, key } from 'tenfold/random';
import { orThrow } from '../common/program.js';
import { type Labelled, numberIn } from './data.js';
import type { LossPoint } from './loss-plot.js';
import { type State, trainerFor } from './model.js';
import type { NetworkName } from './options.js';
import { progress } from './progress.js';

/** A place of the run's key that no training step reaches. */
const forOrder = 2 ** 32 - 1;

/** A state, and the losses on the way to it. */
export interface Trained {
  readonly state: State;
  readonly losses: readonly LossPoint[];
}

/** The state in a checkpoint; null where the file is not there. */
export const restore = async (path: string, like: State): Promise<Trained | null> => {
  const found = await orThrow(fileCheckpoint(path).load(like));
  if (found === null) return null;
  return { state: found.tree, losses: JSON.parse(found.metadata.losses ?? '[]') as readonly LossPoint[] };
};

/** A checkpoint that keeps the losses with the state. */
const withLosses = (checkpoint: Checkpoint, losses: () => readonly LossPoint[]): Checkpoint => ({
  ...checkpoint,
  save: (state, metadata) => checkpoint.save(state, { ...metadata, losses: JSON.stringify(losses()) }),
});

/** Keeps a state and its losses. */
export const keep = (path: string, { state, losses }: Trained): Promise<void> =>
  orThrow(withLosses(fileCheckpoint(path), () => losses).save(state, {}));

/** How to train. */
export interface Training {
  readonly network: NetworkName;
  /** Steps in all, and images in each. */
  readonly steps: number;
  readonly batch: number;
  /** Where the state is kept, and after how many steps each time. */
  readonly checkpoint: string;
  readonly every: number;
}

/** The state that a run with this seed starts from. */
export const startOf = (network: NetworkName, seed: number, steps: number): State =>
  trainerFor(network, steps).init(key(seed));

/** Trains up to so many steps; the state is in the checkpoint whenever a number of steps is done, and at the end. */
export const train = async (
  from: Trained,
  { images, labels }: Labelled,
  { network, steps, batch, checkpoint, every }: Training,
): Promise<Trained> => {
  const rowsAt = shuffledIndices(foldIn(from.state.key, forOrder), images.shape[0]!, batch);
  const batches = function* (done: number) {
    for (let i = done; ; i++) {
      const rows = rowsAt(i);
      yield { x: take(images, rows, { axis: 0 }), inputs: { y: take(labels, rows, { axis: 0 }) } };
    }
  };
  const losses = [...from.losses];
  let { state } = from;
  let started = performance.now();
  const bar = progress(steps, await numberIn(state.step), process.stdout);
  try {
    // biome-ignore lint/suspicious/noFocusedTests: this fit is no test
    const run = fit(trainerFor(network, steps), state, batches, {
      steps,
      checkpoint: { to: withLosses(fileCheckpoint(checkpoint), () => losses), every },
      // Asked after each step, before the state is kept: what has come apart is not to be kept.
      earlyStop: async (metrics, step) => {
        const loss = await numberIn(metrics.loss);
        if (!Number.isFinite(loss)) {
          throw new Error(
            `the loss is ${loss} at step ${step}. The checkpoint is that of an earlier step, if there is one.`,
          );
        }
        losses.push({ step, loss });
        return false;
      },
    });
    for await (const { step, state: next } of run) {
      state = next;
      const { loss } = losses.at(-1)!;
      bar.update(step, { loss, imagesPerSecond: (1000 * batch) / (performance.now() - started) });
      started = performance.now();
    }
  } finally {
    bar.stop();
  }
  return { state, losses };
};
