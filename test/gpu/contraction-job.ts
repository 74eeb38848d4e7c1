/** Launches as a job for a launcher here or elsewhere. */
import type { DeviceBuffer, Launcher } from '../../src/tensor/backend/gpu/launch/launcher.js';
import type { Traits } from '../../src/tensor/backend/gpu/pass.js';
import type { Launch, Value } from '../../src/tensor/backend/gpu/passes/sequence.js';

/** Launches of a program: what it is given, and the buffers that are wanted. Buffers are numbers. */
export interface Job {
  readonly given: readonly (readonly [Value, Float32Array])[];
  readonly launches: readonly (Omit<Launch, 'kind'> & { readonly numbers: readonly number[] })[];
  readonly wanted: readonly Value[];
}

/** Runs a job somewhere. */
export interface Place {
  readonly traits: Traits;
  run(job: Job): Promise<readonly Float32Array[]>;
}

export const placeOf = (launcher: Launcher): Place => ({
  traits: launcher.traits,
  run: async ({ given, launches, wanted }) => {
    const buffers = new Map<Value, DeviceBuffer>(given.map(([value, data]) => [value, launcher.upload(data)]));
    for (const { pass, reads, makes, numbers } of launches) {
      const launchable = await launcher.prepare(pass);
      const made = launcher.launch(
        launchable,
        reads.map(value => buffers.get(value)!),
        numbers,
      );
      made.forEach((buffer, i) => {
        buffers.set(makes[i]!, buffer);
      });
    }
    const arrays: Float32Array[] = [];
    for (const value of wanted) arrays.push(await launcher.read(buffers.get(value)!));
    for (const buffer of buffers.values()) launcher.free(buffer);
    return arrays;
  },
});
