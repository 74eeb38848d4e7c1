/** Devices against the reference, in a page. */
import { type OpenDevice, openDevice } from '../../src/tensor/backend/gpu/index.js';
import { deviceTrials, runTrial } from './trials.js';

export interface Outcome {
  readonly mode: OpenDevice['mode'] | null;
  readonly adapter: string;
  /** How many trials were made, and what went wrong in them. */
  readonly trials: number;
  readonly wrong: readonly string[];
}

export const run = async ({ mode, count }: { mode: OpenDevice['mode']; count: number }): Promise<Outcome> => {
  const { device, refused } = await openDevice([mode]);
  if (device === null) return { mode: null, adapter: '', trials: 0, wrong: refused.map(({ reason }) => reason) };
  const wrong: string[] = [];
  const trials = deviceTrials(count);
  for (const trial of trials) {
    try {
      await runTrial(device, trial);
    } catch (error) {
      wrong.push(`${trial.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  await device.destroy();
  return { mode: device.mode, adapter: device.adapter, trials: trials.length, wrong };
};
