/** What a device must agree on with the reference, and how nearly. Knows no test runner: it runs in browsers as well. */
import * as fc from 'fast-check';
import type { OpenDevice } from '../../src/tensor/backend/gpu/index.js';
import { compareOnDevice, graphs, narrowed, type Tolerance } from '../tensor/differential.js';
import { rowGraphs } from '../tensor/row-graphs.js';
import { elementwiseTrials, sampleTrials, sumTrial, type Trial } from '../tensor/trials.js';

/**
 * By mode. gpu.js's `cpu` computes a kernel's expressions in float64 and rounds what is stored: more exactly than the
 * reference, but not the same. Software adapters (SwiftShader) have sines that are off by 2e-4 and functions within some 64
 * eps; powers are exponentials of y·log₂ x, which is off by as many eps as it is large, 128 at most; GPUs may fuse a product with a sum, divide by reciprocals and flush denormal numbers (WGSL, 15.7).
 */
const powers = { pow: 140 };
const software: Tolerance = {
  c: 64,
  arithmetic: 4,
  flushes: true,
  absolute: { sin: 3e-4, cos: 3e-4 },
  turns: 200_000,
  relative: powers,
};
const tolerances: Readonly<Record<OpenDevice['mode'], Tolerance>> = {
  cpu: { c: 16, arithmetic: 1, flushes: true, absolute: {}, turns: Number.POSITIVE_INFINITY, relative: powers },
  webasm: { c: 16, arithmetic: 0, flushes: true, absolute: {}, turns: Number.POSITIVE_INFINITY, relative: powers },
  webgpu: software,
  webgl2: software,
  headlessgl: software,
};

/** Devices compute in float32; what is float64 in a graph runs on the CPU, which other tests see to. */
const inFloat32 = ({ name, graphs: all }: Trial): Trial => ({
  name,
  *graphs() {
    for (const roots of all()) yield narrowed(roots);
  },
});

const randomTrial = (name: string, all: fc.Arbitrary<{ readonly roots: readonly never[] }>, count: number): Trial => ({
  name: `${count} ${name}`,
  *graphs() {
    for (const { roots } of fc.sample(all, { numRuns: count, seed: 20260 })) {
      yield narrowed(roots);
      yield roots;
    }
  },
});

/** All trials, with so many random graphs of each kind. */
export const deviceTrials = (count: number): readonly Trial[] => [
  ...sampleTrials.map(inFloat32),
  ...elementwiseTrials(['float32', 'int32', 'uint32', 'uint8', 'bool']),
  inFloat32(sumTrial),
  randomTrial('random graphs', graphs() as never, count),
  randomTrial('random graphs of rows', rowGraphs() as never, count),
];

/** @throws what differs */
export const runTrial = async (device: OpenDevice, { graphs: all }: Trial): Promise<void> => {
  for (const roots of all()) await compareOnDevice(roots, device.backend, tolerances[device.mode]);
};
