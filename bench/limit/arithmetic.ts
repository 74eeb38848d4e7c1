/** What the fastest micro-kernel would take for so many floating-point operations, on one thread and on two. */
import type { Case } from '../measure.js';
import { limitImpl, limitOnTwo } from '../row.js';
import { instantiateKernel } from './kernel.js';
import { type MicroKernel, microKernel } from './micro-kernel.js';
import { sideBySide } from './threads.js';

const blocks = 1000;
/** How often a thread runs it in a go, so that starting it takes no time to speak of. */
const times = 50;

let found: MicroKernel | undefined;

/** Milliseconds of a run, the least out of some. */
const leastOf = (run: () => void): number => {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2 * times; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
};

/** The fastest one on this machine, found out once. */
const bestMicroKernel = (): MicroKernel => {
  if (found !== undefined) return found;
  const kernels = [microKernel(4, true, blocks), microKernel(5, true, blocks), microKernel(6, true, blocks)];
  const known = kernels.filter(kernel => kernel !== null);
  const rated = (known.length > 0 ? known : [microKernel(4, false, blocks)!])
    .map(kernel => ({ kernel, rate: kernel.flops / leastOf(instantiateKernel(kernel)) }))
    .sort((a, b) => b.rate - a.rate);
  found = rated[0]!.kernel;
  return found;
};

/** For a case of so many operations. A run of theirs is of another number of them, and is counted as a part of the case. */
export const arithmeticLimits = (flops: number): Case['runners'] => [
  {
    impl: limitImpl,
    make: async () => {
      const kernel = bestMicroKernel();
      const repeats = kernel.flops / flops;
      return { impl: limitImpl, threads: 1, run: instantiateKernel(kernel), repeats, note: kernel.name };
    },
  },
  {
    impl: limitOnTwo,
    threads: 2,
    make: async () => {
      const kernel = bestMicroKernel();
      const repeats = (2 * times * kernel.flops) / flops;
      return { impl: limitOnTwo, threads: 2, ...sideBySide(kernel, 2, times), repeats, note: kernel.name };
    },
  },
];
