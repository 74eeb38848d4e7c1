/** The kernels that the compiler plans, as functions of WebAssembly. */
import { depthOf, type Kernel } from '../../../compile/kernel.js';
import { writeAcross } from './across.js';
import { phasesOf, writeAlong } from './along.js';
import type { KernelCode } from './body.js';
import { writeMap } from './map.js';

export type { KernelCode, LaneImport } from './body.js';

/** Rows shorter than this are reduced side by side where they can be. */
const shortRow = 8;

export const writeKernel = (kernel: Kernel): KernelCode => {
  const { space, values, stores } = kernel;
  if (!space.some(({ reduced }) => reduced)) return writeMap(kernel);
  const lies = space[space.length - 1]!.reduced;
  // Walking across rows, elements could neither use what rows give nor be written side by side.
  const repeats = Math.max(...phasesOf(kernel)) > 0;
  const writes = stores.some(({ value }) => values[value]!.level === 'element');
  const alone = space.every(({ reduced }) => reduced);
  return lies && (repeats || writes || alone || depthOf(space) >= shortRow) ? writeAlong(kernel) : writeAcross(kernel);
};
