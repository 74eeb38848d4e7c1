/** How much work steps are, roughly, and what of it is worth sharing. */
import { depthOf, type Kernel, lengthsOf } from '../../../compile/kernel.js';
import type { FoldParams } from '../../../primitives/signatures.js';
import { flopsOf } from '../contraction/index.js';
import { callsMain, isDear, type KernelCode } from '../kernels/body.js';
import type { Parts } from '../loops/loops.js';
import type { Plan, Step } from '../steps.js';

/** Nanoseconds from which things are worth it, and how long any program waits for workers; to be changed by tests only. */
export const worth = {
  /** A kernel is shared: threads meet before and behind it. */
  kernel: 8_000,
  /** A tile is a piece of work of its own. */
  tile: 2_000,
  /** A program runs on several threads that are awake. */
  program: 100_000,
  /** The same where they have to be woken: it would wait for them longer than it takes by itself. */
  waking: 300_000,
  /** A program waits for workers, however short it is: milliseconds. */
  waiting: 0,
};

/** Pieces that a kernel is cut into at most, but for its own tiles: enough for threads to end at about the same time. */
const mostTiles = 32;

/** Nanoseconds for an element: of what is read or written, computed easily or with effort, reduced. Good to a factor of 2 or 3. */
const [moved, cheap, dear, reduced] = [0.2, 0.1, 2, 0.25];

const sizeOf = (lengths: readonly number[]): number => lengths.reduce((product, length) => product * length, 1);

/** Nanoseconds that a kernel takes on one thread. */
const kernelWork = ({ space, values, stores }: Kernel): number => {
  const sizes = { element: sizeOf(lengthsOf(space, 'element')), row: sizeOf(lengthsOf(space, 'row')) };
  const computed = values.reduce((sum, value) => {
    const size = sizes[value.level];
    if (value.kind === 'load') return sum + moved * size;
    if (value.kind === 'reduce') return sum + reduced * sizes.row * depthOf(space);
    return value.kind === 'operation' ? sum + (isDear(value.op) ? dear : cheap) * size : sum;
  }, 0);
  return stores.reduce((sum, { value }) => sum + moved * sizes[values[value]!.level], computed);
};

/** Into how large tiles a kernel is cut, and whether threads share them. */
export const sharingOf = (
  kernel: Kernel,
  { units, tile, grain, writer }: KernelCode,
): { readonly tile: number; readonly shared: boolean } => {
  const work = kernelWork(kernel);
  const tiles = Math.min(mostTiles, Math.floor(work / worth.tile));
  const smaller = Math.min(tile, grain * Math.ceil(units / tiles / grain));
  const shared = work >= worth.kernel && smaller < units && !callsMain(writer);
  return { tile: shared ? smaller : tile, shared };
};

/** How many parts of a kernel a thread takes at a time, and whether threads share them. */
export const sharingOfParts = (
  { count, nanoseconds }: Parts = { count: 1, nanoseconds: 0 },
): { readonly tile: number; readonly shared: boolean } => {
  const tiles = Math.max(1, Math.min(mostTiles, Math.floor(nanoseconds / worth.tile)));
  const smaller = Math.ceil(count / tiles);
  const shared = nanoseconds >= worth.kernel && smaller < count;
  return { tile: shared ? smaller : count, shared };
};

/** Nanoseconds for a floating-point operation of a contraction. */
const perFlop = 0.025;

/** Whether threads should share a contraction of so many operations. */
export const isWorthSharing = (flops: number): boolean => perFlop * flops >= worth.kernel;

/** Whether all threads come to a step; the others are for the first. */
export const isShared = (step: Step): boolean => {
  switch (step.kind) {
    case 'kernel':
    case 'contraction':
    case 'preparation':
    case 'loop':
      return step.shared;
    case 'region':
      return step.bodies.some(({ steps }) => steps.some(isShared));
    default:
      return false;
  }
};

/** Rounds that a `while` is taken for. */
const fewRounds = 10;

/** Nanoseconds of work in a plan that threads can share. */
export const sharedWork = ({ steps }: Plan): number =>
  steps.reduce((sum, step) => sum + (isShared(step) ? stepWork(step) : 0), 0);

const stepWork = (step: Step): number => {
  if (step.kind === 'kernel') return kernelWork(step.kernel);
  if (step.kind === 'contraction') return perFlop * flopsOf(step.contraction);
  if (step.kind === 'loop') return step.kernel.parts?.nanoseconds ?? 0;
  if (step.kind !== 'region') return 0;
  const { op, params } = step.instruction;
  const bodies = step.bodies.map(sharedWork);
  if (op === 'cond') return Math.max(...bodies);
  const rounds = op === 'fold' ? (params as unknown as FoldParams).length : op === 'while' ? fewRounds : 1;
  return rounds * bodies.reduce((sum, work) => sum + work, 0);
};
