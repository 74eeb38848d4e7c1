/** Runs jobs on WebGL, in a page. Numbers that JSON has not are strings. */
import { openTextures } from '../../src/tensor/backend/gpu/launch/textures.js';
import type { Job } from './contraction-job.js';
import { placeOf } from './contraction-job.js';

export type Numbers = readonly (number | string)[];

/** A job as JSON. */
export interface Sent extends Omit<Job, 'given'> {
  readonly given: readonly (readonly [number, Numbers])[];
}

export const run = async (
  jobs: readonly Sent[],
): Promise<{ readonly results: readonly (readonly Numbers[] | string)[] }> => {
  const launcher = await openTextures('webgl2');
  const place = placeOf(launcher);
  const results: (readonly Numbers[] | string)[] = [];
  for (const { given, ...job } of jobs) {
    const inputs = given.map(([value, data]) => [value, Float32Array.from(data, Number)] as const);
    results.push(
      await place.run({ ...job, given: inputs }).then(
        arrays => arrays.map(array => Array.from(array, x => (Number.isFinite(x) ? x : String(x)))),
        (error: unknown) => String(error),
      ),
    );
  }
  await launcher.destroy();
  return { results };
};
