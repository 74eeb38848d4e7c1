/** A run that several processes can make, one after the other: the same steps with a checkpoint after each third. */
import { pipe } from 'fp-ts/lib/function.js';
import { batch, fromArrays, repeat, shuffle } from 'tenfold/data';
import {
  cosineBetas,
  fileCheckpoint,
  fit as follow,
  gaussianDiffusion,
  lossSecondMomentSampler,
  trainer,
} from 'tenfold/diffusion';
import { residualMlp } from 'tenfold/nn';
import { adam } from 'tenfold/optim';
import { key, normal } from 'tenfold/random';

/** A trainer with a state of everything that a state may hold. */
export const run = trainer({
  diffusion: gaussianDiffusion(cosineBetas(20)),
  model: residualMlp({ size: 4, hidden: 8, blocks: 1, embedding: 8 }),
  optimizer: adam(1e-2),
  timesteps: lossSecondMomentSampler(20, { historyPerTerm: 2 }),
  ema: { short: 0.9, long: 0.999 },
});

/** Batches that differ, in an order that differs from epoch to epoch. */
export const batches = pipe(fromArrays(normal(key(1), [40, 4])), shuffle(key(2)), batch(8), repeat());

/** Goes on from what is in a file up to `steps` steps; tells of each. */
export const goOn = async (path: string, steps: number, tell: (step: number) => unknown): Promise<void> => {
  const checkpoint = { to: fileCheckpoint(path), every: 3 };
  for await (const { step } of follow(run, key(3), batches, { steps, checkpoint, resume: true })) await tell(step);
};
