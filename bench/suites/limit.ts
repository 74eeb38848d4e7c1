/** What this machine can do in WebAssembly: the yardstick for the other suites. */
import { instantiateKernel, type LimitKernel } from '../limit/kernel.js';
import { copyKernel, freshCopyKernel, memoryCopyKernel, readKernel } from '../limit/memory.js';
import { microKernel, microKernelName } from '../limit/micro-kernel.js';
import { sideBySide } from '../limit/threads.js';
import { type Case, measure } from '../measure.js';
import { limitImpl } from '../row.js';
import type { Suite } from './suite.js';

const bytes = 4 * 2 ** 20;

interface Limit {
  readonly name: string;
  readonly kernel: LimitKernel | null;
  readonly work: { readonly bytes: number } | { readonly flops: number };
  /** How often a thread runs it in a go, so that starting it takes no time to speak of. */
  readonly times: number;
}

const arithmetic = (rows: number, fused: boolean): Limit => {
  const kernel = microKernel(rows, fused, 1000);
  const name = `micro-kernel ${microKernelName(rows, fused)}`;
  return { name, kernel, work: { flops: kernel?.flops ?? 0 }, times: 20 };
};

const limits = (): readonly Limit[] => [
  { name: 'copy 4 MiB, v128', kernel: copyKernel(bytes), work: { bytes: 2 * bytes }, times: 50 },
  {
    name: 'copy 4 MiB to 64 places in turn',
    kernel: freshCopyKernel(bytes),
    work: { bytes: 2 * bytes },
    times: 50,
  },
  { name: 'copy 4 MiB, memory.copy', kernel: memoryCopyKernel(bytes), work: { bytes: 2 * bytes }, times: 50 },
  { name: 'read 4 MiB', kernel: readKernel(bytes), work: { bytes }, times: 100 },
  arithmetic(4, false),
  arithmetic(4, true),
  arithmetic(5, true),
  arithmetic(6, true),
];

const cannot = 'this platform has no relaxed SIMD';

/** The work of two threads. */
const doubled = (work: Limit['work']): Limit['work'] =>
  'bytes' in work ? { bytes: 2 * work.bytes } : { flops: 2 * work.flops };

const cases = ({ name, kernel, work, times }: Limit): readonly Case[] => [
  {
    name,
    ...work,
    runners: [
      kernel === null
        ? { impl: limitImpl, cannot }
        : {
            impl: limitImpl,
            make: async () => ({ impl: limitImpl, threads: 1, run: instantiateKernel(kernel) }),
          },
    ],
  },
  {
    name: `${name}, 2 threads`,
    ...doubled(work),
    runners: [
      kernel === null
        ? { impl: limitImpl, cannot }
        : {
            impl: limitImpl,
            make: async () => ({ impl: limitImpl, threads: 2, repeats: times, ...sideBySide(kernel, 2, times) }),
          },
    ],
  },
];

export const limit: Suite = {
  about: 'what this machine can do in WebAssembly: memory, and the bare micro-kernel of a product',
  run: (effort, report) => measure('limit', limits().flatMap(cases), effort, report),
};
