/** The same kernel on several threads at once. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { LimitKernel } from './kernel.js';

export interface SideBySide {
  /** Runs the kernel so many times on every thread at once; done when the last of them is. */
  readonly run: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const url = new URL('./worker.ts', import.meta.url).href;

/** Threads do not inherit what loads TypeScript. */
const start = `import('tsx/esm/api').then(tsx => { tsx.register(); return import('${url}'); });`;

/** Starts threads that each have the kernel and a memory of its own. */
export const sideBySide = (kernel: LimitKernel, threads: number, times: number): SideBySide => {
  const workers = Array.from({ length: threads }, () => new Worker(start, { eval: true, workerData: kernel }));
  return {
    run: async () => {
      const done = workers.map(worker => once(worker, 'message'));
      for (const worker of workers) worker.postMessage(times);
      await Promise.all(done);
    },
    close: async () => {
      await Promise.all(workers.map(worker => worker.terminate()));
    },
  };
};
